//! The steps of a deck as a table that everybody may see. Pure.

use super::journal::{Journal, Run, State};
use crate::deck::step::{Role, StepSpec};
use crate::panel::state::{Mark, Row, Table};

/// A slide as far as the table goes.
#[derive(Debug, Clone, Copy)]
pub struct Slide<'a> {
    /// Its heading.
    pub title: Option<&'a str>,
    /// Its steps, in order.
    pub steps: &'a [StepSpec],
}

/// The steps that are run on slides, at most so many, around the one that is at work or comes next.
pub fn table(deck: &str, slides: &[Slide<'_>], journal: &Journal, most: usize) -> Table {
    let mut rows = Vec::new();
    let mut at = None;
    for (number, slide) in slides.iter().enumerate() {
        let group = match slide.title {
            Some(title) => format!("{} · {title}", number + 1),
            None => format!("Slide {}", number + 1),
        };
        for step in slide.steps.iter().filter(|step| step.role == Role::Run) {
            let run = journal.run(deck, &step.name);
            let state = run.map_or(State::Ready, |run| run.state);
            if state != State::Passed {
                at.get_or_insert(rows.len());
            }
            let cells = vec![step.name.clone(), word(state).to_owned(), run.map(took).unwrap_or_default()];
            rows.push(Row { key: step.name.clone(), cells, mark: mark(state), group: Some(group.clone()) });
        }
    }
    let at = at.unwrap_or(rows.len());
    Table::around(&["STEP", "STATE", "TOOK"], rows, at, most, "This deck has no steps.")
}

fn word(state: State) -> &'static str {
    match state {
        State::Ready => "to do",
        State::Running => "running",
        State::Waiting => "waiting",
        State::Passed => "done",
        State::Failed => "failed",
        State::TimedOut => "timed out",
        State::Stopped => "stopped",
    }
}

fn mark(state: State) -> Mark {
    match state {
        State::Ready => Mark::Plain,
        State::Running | State::Waiting => Mark::Busy,
        State::Passed => Mark::Good,
        State::Failed | State::TimedOut => Mark::Bad,
        State::Stopped => Mark::Off,
    }
}

/// How long it took; in brackets how long it took the last time.
fn took(run: &Run) -> String {
    let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    match (run.took_ms, run.last_ms) {
        (Some(took), _) => seconds(took),
        (None, Some(last)) => format!("({})", seconds(last)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::step::Typing;
    use crate::diagnostic::Span;
    use crate::runbook::journal::Ended;

    fn step(role: Role, name: &str) -> StepSpec {
        StepSpec {
            role,
            name: name.to_owned(),
            script: String::new(),
            terminal: None,
            typing: Typing::Instant,
            wait: None,
            timeout: crate::deck::step::TIMEOUT,
            expect_fail: false,
            checkpoint: false,
            span: Span::default(),
        }
    }

    #[test]
    fn steps_stand_under_their_slides_with_how_they_went() {
        let one = [step(Role::Setup, "hidden"), step(Role::Run, "add"), step(Role::Run, "break")];
        let two = [step(Role::Run, "heal")];
        let slides = [
            Slide { title: Some("Push"), steps: &one },
            Slide { title: None, steps: &[] },
            Slide { title: None, steps: &two },
        ];
        let mut journal = Journal::default();
        journal.begin("d", "add", 0);
        journal.end(&Ended { state: State::Passed, exit: Some(0), reason: String::new() }, 1_260);
        journal.begin("d", "break", 2_000);
        let table = table("d", &slides, &journal, 12);
        let told: Vec<String> = table
            .rows
            .iter()
            .map(|row| {
                format!("{} | {} {}", row.group.as_deref().unwrap_or_default(), row.cells.join(" | "), row.mark.sign())
            })
            .collect();
        assert_eq!(
            told,
            ["1 · Push | add | done | 1.2 s ✓", "1 · Push | break | running |  …", "Slide 3 | heal | to do |  "]
        );
        assert_eq!(table.more, 0);
    }

    #[test]
    fn of_many_steps_those_around_the_next_are_shown() {
        let steps: Vec<StepSpec> = (0..30).map(|number| step(Role::Run, &format!("s{number}"))).collect();
        let slides = [Slide { title: None, steps: &steps }];
        let mut journal = Journal::default();
        let first = |journal: &Journal| table("d", &slides, journal, 6).rows.first().map(|row| row.key.clone());
        assert_eq!(first(&journal).as_deref(), Some("s0"));
        for number in 0..30 {
            journal.begin("d", &format!("s{number}"), 0);
            journal.end(&Ended { state: State::Passed, exit: Some(0), reason: String::new() }, 5);
            if number == 9 {
                assert_eq!(first(&journal).as_deref(), Some("s8"));
            }
        }
        assert_eq!(first(&journal).as_deref(), Some("s24"));
        assert_eq!(table("other", &[], &journal, 6).text(), "This deck has no steps.\n");
    }
}
