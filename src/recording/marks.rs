//! When steps ran, read off their cells. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A run of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its deck.
    pub deck: String,
    /// Its name.
    pub name: String,
    /// Its slide, from 0.
    pub slide: usize,
    /// When it began, in milliseconds from the run's beginning.
    pub from: u32,
    /// When it ended; `None` when it did not.
    pub to: Option<u32>,
    /// How it ended, as in events: `passed`, `failed`.
    pub state: String,
}

impl Step {
    /// Whether it did what it should.
    pub fn passed(&self) -> bool {
        self.state == "passed"
    }

    /// How long it took.
    pub fn took(&self) -> Option<u32> {
        Some(self.to?.saturating_sub(self.from))
    }
}

/// More runs of steps are not kept.
const MOST: usize = 5000;

/// Notes what the cell of a step says.
pub fn note(steps: &mut Vec<Step>, at: u32, cell: &Value) {
    let text = |name: &str| cell[name].as_str().unwrap_or_default();
    let (deck, name, state) = (text("deck"), text("name"), text("state"));
    let active = matches!(state, "running" | "waiting");
    let room = steps.len() < MOST;
    let last = steps.iter_mut().rev().find(|step| step.deck == deck && step.name == name);
    match last.filter(|step| step.to.is_none()) {
        Some(step) => {
            state.clone_into(&mut step.state);
            if !active {
                step.to = Some(at);
            }
        }
        None if active && room => {
            let slide = cell["slide"].as_u64().and_then(|slide| usize::try_from(slide).ok()).unwrap_or(0);
            let (deck, name, state) = (deck.to_owned(), name.to_owned(), state.to_owned());
            steps.push(Step { deck, name, slide, from: at, to: None, state });
        }
        None => {}
    }
}

/// The run of a step that is shown again: the last one that passed, else the last one.
pub fn best<'a>(steps: &'a [Step], deck: &str, name: &str) -> Option<&'a Step> {
    let runs = || steps.iter().rev().filter(|step| step.deck == deck && step.name == name);
    runs().find(|step| step.passed()).or_else(|| runs().next())
}

/// When what a step set off is over: at the next step's beginning, or at the run's end.
pub fn until(steps: &[Step], from: u32, end: u32) -> u32 {
    steps.iter().map(|step| step.from).filter(|other| *other > from).min().unwrap_or(end)
}
