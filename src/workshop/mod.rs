//! Exercises that are run, checked, explained and converged.
//!
//! ```text
//! workshop/NN-slug.md ─ parse ─→ Step ─ graph ─→ Workshop          what the author wrote
//!        check + observe ─→ Observation ─ judge ─→ Verdict          pass, not yet, wrong: and why
//!        needs × verdicts ─ converge ─→ actions that are missing    printed, then run by act
//!        progress ─ store ─→ .foredeck/workshop/NAME.json           one participant
//! ```
//!
//! [`session::Session`] puts them together for one participant.

pub mod act;
pub mod check;
mod check_words;
mod commands;
pub mod converge;
pub mod export;
mod front;
pub mod gate;
pub mod graph;
pub mod judge;
pub mod killercoda;
pub mod load;
mod memory;
pub mod observe;
pub mod overview;
mod parse;
pub mod progress;
pub mod room;
pub mod seat;
pub mod session;
pub mod steady;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use check::Check;

use crate::deck::panel::PanelKind;
use crate::deck::step::{Role, StepSpec};
use crate::diagnostic::{Diagnostic, SourceFile, Span};

/// A folder of steps.
#[derive(Debug, Clone, Default)]
pub struct Workshop {
    /// Its name: that of the project's folder, or `gitops` for the built-in one.
    pub name: String,
    /// The steps, by their numbers.
    pub steps: Vec<Arc<Step>>,
}

/// One file of a workshop.
#[derive(Debug, Clone)]
pub struct Step {
    /// The file's name without its end: `04-add-a-manifest`.
    pub id: String,
    /// The number in front of it.
    pub number: u32,
    /// What is behind the number: `add-a-manifest`.
    pub slug: String,
    /// What it is called.
    pub title: String,
    /// How long it takes.
    pub duration: Duration,
    /// The ids of the steps that come before it.
    pub needs: Vec<String>,
    /// What is shown beside it.
    pub panels: Vec<PanelKind>,
    /// What it consists of, in the order written.
    pub parts: Vec<Part>,
    /// The commands, in the order written.
    pub actions: Vec<Action>,
    /// What has to be true in the end.
    pub checks: Vec<Check>,
    /// The hints, in the order in which they are given.
    pub hints: Vec<Fold>,
    /// The file.
    pub source: Arc<SourceFile>,
}

/// A command of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The command.
    pub spec: StepSpec,
    /// Whether it stands within a hint or solution.
    pub folded: bool,
}

/// A piece of a step's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Markdown.
    Text(Span),
    /// A command, by its place in [`Step::actions`].
    Action(usize),
    /// A check, by its place in [`Step::checks`].
    Check(usize),
    /// A hint or solution.
    Fold(Fold),
}

/// A `<details>` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Whether it gives the solution away.
    pub solution: bool,
    /// Its heading.
    pub summary: String,
    /// What is in it.
    pub parts: Vec<Part>,
}

impl Step {
    /// The actions of a role.
    pub fn actions(&self, role: Role) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(move |action| action.spec.role == role)
    }

    /// A command by its name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.spec.name == name)
    }

    /// The text of a span of its file.
    pub fn text(&self, span: Span) -> &str {
        self.source.text().get(span.start..span.end).unwrap_or("")
    }

    /// A fold's content as Markdown, without its fences for the machine.
    pub fn fold_text(&self, fold: &Fold) -> String {
        let mut out = String::new();
        for part in &fold.parts {
            match part {
                Part::Text(span) => out.push_str(self.text(*span)),
                Part::Action(index) => {
                    if let Some(action) = self.actions.get(*index) {
                        out.push_str(&format!("```sh\n{}```\n", action.spec.script));
                    }
                }
                Part::Check(_) => {}
                Part::Fold(fold) => out.push_str(&self.fold_text(fold)),
            }
        }
        out.trim().to_owned()
    }
}

impl Workshop {
    /// The step of this id, slug or number.
    pub fn step(&self, name: &str) -> Option<&Arc<Step>> {
        let number = name.parse::<u32>().ok();
        self.steps.iter().find(|step| step.id == name || step.slug == name).or_else(|| {
            let mut same = self.steps.iter().filter(|step| Some(step.number) == number);
            same.next().filter(|_| number.is_some())
        })
    }

    /// The place of a step.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }
}

/// A workshop and what is wrong with its files.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The workshop; steps that cannot be read are missing.
    pub workshop: Workshop,
    /// The findings, each with its file.
    pub findings: Vec<(Arc<SourceFile>, Diagnostic)>,
}

impl Loaded {
    /// Whether something is wrong that keeps the workshop from being run.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|(_, found)| found.severity == crate::diagnostic::Severity::Error)
    }
}

/// Puts step files together: parses each, orders them and looks at what they need.
pub fn assemble(name: &str, sources: Vec<SourceFile>) -> Loaded {
    let mut loaded = Loaded::default();
    name.clone_into(&mut loaded.workshop.name);
    for source in sources {
        let source = Arc::new(source);
        let parsed = parse::step(source.clone());
        loaded.findings.extend(parsed.diagnostics.into_iter().map(|found| (source.clone(), found)));
        loaded.workshop.steps.extend(parsed.value.map(|read| Arc::new(read.step)));
    }
    loaded.workshop.steps.sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
    graph::settle(&mut loaded);
    loaded
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
