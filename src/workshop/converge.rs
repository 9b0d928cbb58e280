//! What a step needs × what is there → the actions that are missing.

use serde::Serialize;

use super::check::Fact;
use super::progress::{Progress, State};
use super::{Workshop, graph};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Move {
    /// Cluster and repository go back to what they were when the step began.
    Restore {
        /// The step.
        step: String,
    },
    /// What a step did is taken back.
    Reset {
        /// The step.
        step: String,
    },
    /// Files of the repository that are missing or cannot be applied are brought back.
    Repair {
        /// Which.
        files: Vec<String>,
    },
    /// A step is done for the learner.
    Solve {
        /// The step.
        step: String,
        /// Why: what does not hold.
        why: String,
    },
    /// What the step itself wants to find is made.
    SetUp {
        /// The step.
        step: String,
    },
}

impl std::fmt::Display for Move {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Restore { step } => write!(out, "go back to the beginning of {step}"),
            Self::Reset { step } => write!(out, "take back {step}"),
            Self::Repair { files } => write!(out, "put right {}", files.join(", ")),
            Self::Solve { step, why } => write!(out, "do {step}: {why}"),
            Self::SetUp { step } => write!(out, "set up {step}"),
        }
    }
}

/// The way back, before anything is looked at: nothing for those who go forward.
///
/// With a checkpoint of the step everything after it goes at once; without one, what was done from this step on is
/// taken back, the last first.
pub fn back(workshop: &Workshop, target: &str, progress: &Progress, has_checkpoint: bool) -> Vec<Move> {
    let Some(at) = workshop.position(target) else { return Vec::new() };
    let begun = |id: &str| progress.step(id).state != State::NotStarted;
    let done: Vec<&str> = workshop.steps.iter().skip(at).map(|step| step.id.as_str()).filter(|id| begun(id)).collect();
    if done.is_empty() {
        return Vec::new();
    }
    if has_checkpoint {
        return vec![Move::Restore { step: target.to_owned() }];
    }
    done.into_iter().rev().map(|step| Move::Reset { step: step.to_owned() }).collect()
}

/// Whether a step that nobody is known to have begun is done, as its checks go: each with whether it holds.
///
/// What it left in Git decides, where it leaves something there, since the cluster follows that sooner or later. What
/// has to happen since the beginning of the step says nothing about before.
pub fn is_left_behind<'a>(checks: impl Iterator<Item = (&'a Fact, bool)>) -> bool {
    let lasting: Vec<_> = checks.filter(|(fact, _)| !fact.looks_back()).collect();
    let in_git: Vec<_> = lasting.iter().filter(|(fact, _)| fact.is_in_git()).copied().collect();
    let decide = if in_git.is_empty() { lasting } else { in_git };
    !decide.is_empty() && decide.iter().all(|(_, holds)| *holds)
}

/// The way forward: of the steps that come before, those that do not hold are done, in order.
///
/// `missing` says of a step what does not hold; nothing when it holds.
pub fn forward(workshop: &Workshop, target: &str, missing: impl Fn(&str) -> Option<String>) -> Vec<Move> {
    let mut moves: Vec<Move> = graph::before(workshop, target)
        .into_iter()
        .filter_map(|step| Some(Move::Solve { step: step.id.clone(), why: missing(&step.id)? }))
        .collect();
    let sets_up = |id: &str| {
        let step = workshop.steps.iter().find(|step| step.id == id);
        step.is_some_and(|step| step.actions(crate::deck::step::Role::Setup).next().is_some())
    };
    if sets_up(target) {
        moves.push(Move::SetUp { step: target.to_owned() });
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::workshop::assemble;
    use crate::workshop::judge::Baseline;
    use crate::workshop::progress::Event;

    fn workshop() -> Workshop {
        let file = |name: &str, needs: &str, setup: bool| {
            let setup = if setup { "```sh {setup}\ntrue\n```\n" } else { "" };
            let text = format!(
                "---\ntitle: T\nneeds: {needs}\n---\n{setup}```verify Pod/a\n```\n```sh {{solve}}\ntrue\n```\n"
            );
            SourceFile::new(format!("workshop/{name}.md"), text)
        };
        let files = vec![
            file("01-a", "[]", false),
            file("02-b", "[01-a]", false),
            file("03-c", "[01-a]", true),
            file("04-d", "[02-b, 03-c]", true),
        ];
        assemble("w", files).workshop
    }

    fn lines(moves: &[Move]) -> Vec<String> {
        moves.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_what_is_missing_is_done() {
        let workshop = workshop();
        let all = |_: &str| Some("no".to_owned());
        assert_eq!(
            lines(&forward(&workshop, "04-d", all)),
            ["do 01-a: no", "do 02-b: no", "do 03-c: no", "set up 04-d"]
        );
        let some = |id: &str| (id == "03-c").then(|| "no pod".to_owned());
        assert_eq!(lines(&forward(&workshop, "04-d", some)), ["do 03-c: no pod", "set up 04-d"]);
        assert_eq!(lines(&forward(&workshop, "03-c", some)), ["set up 03-c"]);
        assert_eq!(lines(&forward(&workshop, "01-a", all)), [""; 0]);
        assert_eq!(lines(&forward(&workshop, "x", all)), [""; 0]);
    }

    #[test]
    fn what_is_in_git_tells_what_was_done() {
        let checks = "```verify git/file path=a\n```\n```verify git/file path=b absent\n```\n\
            ```verify Deployment/a namespace=n\n```\n```verify git/commit path=a since=step\n```\n";
        let step = |checks: &str| {
            let text = format!("---\ntitle: T\n---\n{checks}```sh {{solve}}\ntrue\n```\n");
            assemble("w", vec![SourceFile::new("01-a.md", text)]).workshop.steps[0].clone()
        };
        let left = |checks: &str, hold: &[bool]| {
            let step = step(checks);
            assert_eq!(step.checks.len(), hold.len());
            is_left_behind(step.checks.iter().map(|check| &check.fact).zip(hold.iter().copied()))
        };
        assert!(left(checks, &[true, true, false, false]), "the cluster has not caught up");
        assert!(!left(checks, &[false, true, true, true]));
        let cluster = "```verify Deployment/a namespace=n\n```\n```verify Pod/a namespace=n since=step\n```\n";
        assert!(left(cluster, &[true, false]) && !left(cluster, &[false, true]));
        assert!(!left("```verify Pod/a namespace=n since=step\n```\n", &[true]));
    }

    #[test]
    fn going_back_undoes_what_was_done() {
        let workshop = workshop();
        let mut progress = Progress::new("w");
        assert_eq!(lines(&back(&workshop, "02-b", &progress, true)), [""; 0]);
        for id in ["01-a", "02-b", "04-d"] {
            progress.take(id, Event::Start(Baseline::default()), 1);
        }
        assert_eq!(lines(&back(&workshop, "02-b", &progress, false)), ["take back 04-d", "take back 02-b"]);
        assert_eq!(lines(&back(&workshop, "02-b", &progress, true)), ["go back to the beginning of 02-b"]);
        assert_eq!(lines(&back(&workshop, "03-c", &progress, false)), ["take back 04-d"]);
        progress.take("04-d", Event::Reset, 2);
        assert_eq!(lines(&back(&workshop, "03-c", &progress, false)), [""; 0]);
    }
}
