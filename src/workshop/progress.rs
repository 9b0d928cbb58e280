//! How far a participant is: not started → in progress → passed → reset.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Workshop;
use super::judge::Baseline;

/// The form of the file.
pub const VERSION: u32 = 1;

/// How a step was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Without help.
    Own,
    /// With a hint.
    Hint,
    /// By its solution.
    Solution,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has begun it, or it was taken back.
    #[default]
    NotStarted,
    /// It was begun.
    InProgress,
    /// Its checks hold.
    Passed,
}

/// What is known of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepProgress {
    /// How far it is.
    pub state: State,
    /// How it was passed.
    pub by: Option<By>,
    /// When it was begun, in milliseconds since 1970.
    pub started: Option<u64>,
    /// When it was passed.
    pub passed: Option<u64>,
    /// How many hints were given.
    pub hints: usize,
    /// Whether its solution was run.
    pub solved: bool,
    /// How often it was taken back.
    pub resets: u32,
    /// What stands in the way, and since when.
    pub stuck: Option<Stuck>,
    /// How things were when it began.
    pub baseline: Baseline,
}

/// What stands in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// The first reason.
    pub why: String,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// How far a participant is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The form it is kept in.
    pub version: u32,
    /// The workshop's name.
    pub workshop: String,
    /// The step that is worked on.
    pub current: Option<String>,
    /// The steps by their ids.
    pub steps: BTreeMap<String, StepProgress>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A step begins.
    Start(Baseline),
    /// A hint is given.
    Hint,
    /// The solution is run.
    Solve,
    /// The checks hold.
    Pass,
    /// The checks do not hold, and why.
    NotYet(String),
    /// The step is taken back.
    Reset,
}

impl Progress {
    /// Nothing done yet.
    pub fn new(workshop: &str) -> Self {
        Self { version: VERSION, workshop: workshop.to_owned(), ..Self::default() }
    }

    /// What is known of a step.
    pub fn step(&self, id: &str) -> StepProgress {
        self.steps.get(id).cloned().unwrap_or_default()
    }

    /// Takes in what happened to a step. True when that changed something.
    pub fn take(&mut self, id: &str, event: Event, now: u64) -> bool {
        let before = self.clone();
        let step = self.steps.entry(id.to_owned()).or_default();
        match event {
            Event::Start(baseline) => {
                // Hints that were read before are known now, too.
                let (resets, hints) = (step.resets, if step.state == State::NotStarted { step.hints } else { 0 });
                *step = StepProgress {
                    state: State::InProgress,
                    started: Some(now),
                    resets,
                    hints,
                    baseline,
                    ..StepProgress::default()
                };
                self.current = Some(id.to_owned());
            }
            Event::Hint => step.hints = step.hints.saturating_add(1),
            Event::Solve => step.solved = true,
            // What was never begun is passed as well when it holds, but not by anybody's doing.
            Event::Pass if step.state == State::Passed => {}
            Event::Pass => {
                step.state = State::Passed;
                step.passed = Some(now);
                step.stuck = None;
                step.by = Some(match (step.solved, step.hints) {
                    (true, _) => By::Solution,
                    (false, 0) => By::Own,
                    (false, _) => By::Hint,
                });
            }
            Event::NotYet(why) if step.state == State::InProgress => {
                if step.stuck.as_ref().is_none_or(|stuck| !same_reason(&stuck.why, &why)) {
                    step.stuck = Some(Stuck { why, since: now });
                } else if let Some(stuck) = &mut step.stuck {
                    stuck.why = why;
                }
            }
            // What was passed stays passed: a later step may undo what an earlier one wanted.
            Event::NotYet(_) => {}
            Event::Reset => {
                let resets = step.resets.saturating_add(1);
                *step = StepProgress { resets, ..StepProgress::default() };
                if self.current.as_deref() == Some(id) {
                    self.current = None;
                }
            }
        }
        *self != before
    }

    /// Steps of another version of the workshop are forgotten.
    pub fn fit(&mut self, workshop: &Workshop) {
        self.steps.retain(|id, _| workshop.position(id).is_some());
        if self.current.as_deref().is_some_and(|id| workshop.position(id).is_none()) {
            self.current = None;
        }
    }

    /// How many steps are passed.
    pub fn passed(&self) -> usize {
        self.steps.values().filter(|step| step.state == State::Passed).count()
    }

    /// The step to go on with: the current one while it is not passed, else the first that is not passed.
    pub fn next<'a>(&'a self, workshop: &'a Workshop) -> Option<&'a str> {
        let open = |id: &str| self.step(id).state != State::Passed;
        if let Some(id) = self.current.as_deref().filter(|id| open(id)) {
            return Some(id);
        }
        let from = self.current.as_deref().and_then(|id| workshop.position(id)).map_or(0, |at| at + 1);
        let ids = || workshop.steps.iter().map(|step| step.id.as_str());
        ids().skip(from).find(|id| open(id)).or_else(|| ids().find(|id| open(id)))
    }
}

/// Whether two reasons differ in their numbers alone: a countdown is no new reason.
fn same_reason(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps(progress: &Progress) -> Vec<(&str, State, Option<By>, usize, u32)> {
        progress.steps.iter().map(|(id, s)| (id.as_str(), s.state, s.by, s.hints, s.resets)).collect()
    }

    #[test]
    fn a_step_goes_its_way() {
        let mut progress = Progress::new("w");
        progress.take("a", Event::Start(Baseline::default()), 1);
        assert_eq!(steps(&progress), [("a", State::InProgress, None, 0, 0)]);
        assert!(progress.take("a", Event::NotYet("wait 3 s".to_owned()), 2));
        assert!(progress.take("a", Event::NotYet("wait 2 s".to_owned()), 3));
        assert_eq!(progress.step("a").stuck, Some(Stuck { why: "wait 2 s".to_owned(), since: 2 }));
        progress.take("a", Event::NotYet("other".to_owned()), 4);
        assert_eq!(progress.step("a").stuck, Some(Stuck { why: "other".to_owned(), since: 4 }));
        progress.take("a", Event::Hint, 5);
        progress.take("a", Event::Pass, 6);
        assert_eq!(steps(&progress), [("a", State::Passed, Some(By::Hint), 1, 0)]);
        assert!(!progress.take("a", Event::NotYet("later".to_owned()), 7));
        assert!(!progress.take("a", Event::Pass, 8));
        progress.take("a", Event::Reset, 9);
        assert_eq!(steps(&progress), [("a", State::NotStarted, None, 0, 1)]);
        assert_eq!(progress.current, None);
        progress.take("a", Event::Hint, 10);
        progress.take("a", Event::Start(Baseline::default()), 10);
        assert_eq!(steps(&progress), [("a", State::InProgress, None, 1, 1)], "a hint read before counts");
        progress.take("a", Event::Start(Baseline::default()), 10);
        assert_eq!(steps(&progress), [("a", State::InProgress, None, 0, 1)], "begun anew it does not");
        progress.take("a", Event::Solve, 11);
        progress.take("a", Event::Pass, 12);
        assert_eq!(steps(&progress), [("a", State::Passed, Some(By::Solution), 0, 1)]);
    }

    proptest! {
        #[test]
        fn any_history_is_kept_and_read_again(events in proptest::collection::vec((0_u8..6, 0_usize..3), 0..40)) {
            let mut progress = Progress::new("w");
            for (now, (event, step)) in events.into_iter().enumerate() {
                let event = match event {
                    0 => Event::Start(Baseline { head: Some("h".to_owned()), ..Baseline::default() }),
                    1 => Event::Hint,
                    2 => Event::Solve,
                    3 => Event::Pass,
                    4 => Event::NotYet(format!("why {now}")),
                    _ => Event::Reset,
                };
                progress.take(["a", "b", "c"][step], event, now as u64);
                for step in progress.steps.values() {
                    prop_assert_eq!(step.state == State::Passed, step.by.is_some());
                    prop_assert!(step.state == State::InProgress || step.stuck.is_none());
                }
            }
            let text = serde_json::to_string(&progress).unwrap();
            prop_assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
        }
    }
}
