//! The steps of a workshop and how far a participant is, as a table. Pure.

use super::Workshop;
use super::progress::{By, Progress, State};
use crate::panel::state::{Mark, Row, Table};

/// At most so many steps, around the one that is worked on.
pub fn table(workshop: &Workshop, progress: &Progress, most: usize) -> Table {
    let next = progress.next(workshop);
    let at = workshop.steps.iter().position(|step| next == Some(step.id.as_str())).unwrap_or(workshop.steps.len());
    let rows = workshop.steps.iter().map(|step| {
        let known = progress.step(&step.id);
        let (word, mark) = match (known.state, known.by) {
            (State::NotStarted, _) => ("to do", Mark::Plain),
            (State::InProgress, _) => ("in progress", Mark::Busy),
            (State::Passed, Some(By::Hint)) => ("done, with a hint", Mark::Good),
            (State::Passed, Some(By::Solution)) => ("done, by the solution", Mark::Good),
            (State::Passed, _) => ("done", Mark::Good),
        };
        Row { key: step.id.clone(), cells: vec![step.title.clone(), word.to_owned()], mark, group: None }
    });
    Table::around(&["STEP", "STATE"], rows.collect(), at, most, "This workshop has no steps.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::workshop::assemble;
    use crate::workshop::judge::Baseline;
    use crate::workshop::progress::Event;

    #[test]
    fn each_step_says_how_far_it_is() {
        let step = |name: &str| SourceFile::new(format!("{name}.md"), format!("---\ntitle: Step {name}\n---\n# Do\n"));
        let workshop = assemble("w", vec![step("01-one"), step("02-two"), step("03-three")]).workshop;
        let ids: Vec<&str> = workshop.steps.iter().map(|step| step.id.as_str()).collect();
        let mut progress = Progress::new("w");
        progress.take(ids[0], Event::Start(Baseline::default()), 1);
        progress.take(ids[0], Event::Hint, 2);
        progress.take(ids[0], Event::Pass, 3);
        progress.take(ids[1], Event::Start(Baseline::default()), 4);
        let text = table(&workshop, &progress, 12).text();
        assert_eq!(
            text,
            "STEP            STATE\nStep 01-one     done, with a hint\nStep 02-two     in progress\nStep 03-three   to do\n"
        );
        assert_eq!(table(&workshop, &progress, 1).more, 2);
    }
}
