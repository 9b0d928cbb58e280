//! What is done when the live demo fails. Pure.

/// What is done when the live demo fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The run takes over.
    Auto,
    /// The speaker is asked.
    #[default]
    Ask,
    /// Nothing.
    Never,
}

/// What is done when what fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A panel's source is silent.
    pub source: Choice,
    /// A step fails or takes too long.
    pub step: Choice,
}

impl Policy {
    /// `auto`, `ask` or `never` for everything.
    pub fn all(choice: Choice) -> Self {
        Self { source: choice, step: choice }
    }
}

impl Default for Policy {
    /// Silent sources are replaced at once: nobody can do anything about them on stage. Steps are the speaker's.
    fn default() -> Self {
        Self { source: Choice::Auto, step: Choice::Ask }
    }
}
