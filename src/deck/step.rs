//! `sh {run …}` fences as the author wrote them: commands that a slide or a workshop step runs.

mod read;

pub use read::{ATTRIBUTES, LANGUAGES, OF_CODE, StepText};

use std::time::Duration;

use crate::diagnostic::Span;

/// How a command is brought into its terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Typing {
    /// Letter by letter.
    Human,
    /// At once.
    #[default]
    Instant,
}

/// What a fence is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Something to do: `{run}`.
    #[default]
    Run,
    /// What has to be there first: `{setup}`.
    Setup,
    /// What takes a step back: `{reset}`.
    Reset,
    /// What does a step for the learner: `{solve}`.
    Solve,
}

impl Role {
    /// Every role with the word that names it.
    pub const ALL: [(&'static str, Self); 4] =
        [("run", Self::Run), ("setup", Self::Setup), ("reset", Self::Reset), ("solve", Self::Solve)];

    /// The word that names it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(word, _)| word)
    }
}

/// A command that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSpec {
    /// What it is for.
    pub role: Role,
    /// Its name; `step-N` for the N-th of the deck when it has none.
    pub name: String,
    /// The shell's text.
    pub script: String,
    /// `in=TERMINAL`: the terminal it is typed into; run unseen when there is none.
    pub terminal: Option<String>,
    /// `type=human|instant`.
    pub typing: Typing,
    /// `wait="deploy/podinfo available"`: what has to hold afterwards.
    pub wait: Option<String>,
    /// `timeout=60s`: how long command and waiting may take together.
    pub timeout: Duration,
    /// `expect=fail`: whether it is meant to fail.
    pub expect_fail: bool,
    /// `checkpoint`: cluster and repository are kept as they are before it runs.
    pub checkpoint: bool,
    /// The whole fence.
    pub span: Span,
}

/// How long a step may take unless it says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(60);
