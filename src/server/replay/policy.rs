//! What is done when the live demo fails. Pure.

pub use crate::deck::own::Fallback;

/// What is done when what fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A panel's source is silent.
    pub source: Fallback,
    /// A step fails or takes too long.
    pub step: Fallback,
}

impl Policy {
    /// The same for everything.
    pub fn all(fallback: Fallback) -> Self {
        Self { source: fallback, step: fallback }
    }
}

impl Default for Policy {
    /// Silent sources are replaced at once: nobody can do anything about them on stage. Steps are the speaker's.
    fn default() -> Self {
        Self { source: Fallback::Auto, step: Fallback::Ask }
    }
}

/// Who wants what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Whoever started the talk: a flag, or the environment.
    pub speaker: Option<Fallback>,
    /// The project's file, or the user's.
    pub settings: Option<Fallback>,
}

impl Wishes {
    /// What is done for a deck that wants something itself, or nothing.
    pub fn policy(self, deck: Option<Fallback>) -> Policy {
        self.speaker.or(deck).or(self.settings).map_or_else(Policy::default, Policy::all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speaker_comes_before_the_deck_and_the_deck_before_files() {
        use Fallback::{Ask, Auto, Never};
        for (speaker, deck, settings, expected) in [
            (Some(Never), Some(Auto), Some(Ask), Policy::all(Never)),
            (None, Some(Auto), Some(Ask), Policy::all(Auto)),
            (None, None, Some(Ask), Policy::all(Ask)),
            (None, None, None, Policy { source: Auto, step: Ask }),
        ] {
            assert_eq!(Wishes { speaker, settings }.policy(deck), expected);
        }
    }
}
