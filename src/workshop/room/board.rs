//! What the trainer sees: rows are learners, columns are steps. Pure.

use serde::Serialize;

use crate::workshop::Workshop;
use crate::workshop::progress::{By, Progress, State};

/// How a sandbox is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It was put away, and comes back with its learner.
    Away,
    /// It is being started.
    Starting,
    /// It works.
    Here,
    /// It does not start.
    Failed,
}

/// A step of a learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// How far it is.
    pub state: State,
    /// How it was passed.
    pub by: Option<By>,
    /// How many hints were given.
    pub hints: usize,
}

/// What stands in a learner's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InTheWay {
    /// The step.
    pub step: String,
    /// What the learner reads.
    pub why: String,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
}

/// A learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What they are called in addresses.
    pub id: String,
    /// Their pseudonym.
    pub name: String,
    /// How their sandbox is doing.
    pub presence: Presence,
    /// The step they are at.
    pub step: Option<String>,
    /// The steps, in order.
    pub cells: Vec<Cell>,
    /// How many are done.
    pub passed: usize,
    /// What they are stuck on.
    pub stuck: Option<InTheWay>,
    /// What is wrong with their sandbox or their file.
    pub problem: Option<String>,
}

/// The row of a learner.
pub fn row(
    (id, name): (&str, &str),
    presence: Presence,
    workshop: &Workshop,
    progress: &Progress,
    problem: Option<String>,
) -> Row {
    let cells = workshop.steps.iter().map(|step| {
        let known = progress.step(&step.id);
        Cell { state: known.state, by: known.by, hints: known.hints }
    });
    let stuck = progress.current.as_deref().and_then(|step| {
        let known = progress.step(step);
        let stuck = known.stuck.filter(|_| known.state == State::InProgress)?;
        Some(InTheWay { step: step.to_owned(), why: stuck.why, since: stuck.since })
    });
    Row {
        id: id.to_owned(),
        name: name.to_owned(),
        presence,
        step: progress.next(workshop).map(str::to_owned),
        passed: progress.passed(),
        cells: cells.collect(),
        stuck,
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::workshop::assemble;
    use crate::workshop::judge::Baseline;
    use crate::workshop::progress::Event;

    #[test]
    fn the_row_says_who_is_stuck_on_what() {
        let step = |name: &str| SourceFile::new(format!("{name}.md"), format!("---\ntitle: {name}\n---\n# Do\n"));
        let workshop = assemble("w", vec![step("01-one"), step("02-two")]).workshop;
        let mut progress = Progress::new("w");
        progress.take("01-one", Event::Start(Baseline::default()), 1);
        progress.take("01-one", Event::Hint, 2);
        progress.take("01-one", Event::Pass, 3);
        progress.take("02-two", Event::Start(Baseline::default()), 4);
        progress.take("02-two", Event::NotYet("no pod".to_owned()), 5);
        let row = row(("ada", "Ada"), Presence::Here, &workshop, &progress, None);
        let first = Cell { state: State::Passed, by: Some(By::Hint), hints: 1 };
        let second = Cell { state: State::InProgress, by: None, hints: 0 };
        assert_eq!((row.cells, row.passed), (vec![first, second], 1));
        let stuck = InTheWay { step: "02-two".to_owned(), why: "no pod".to_owned(), since: 5 };
        assert_eq!((row.step.as_deref(), row.stuck), (Some("02-two"), Some(stuck)));
    }
}
