//! The commands a deck can run, and the hash that stands for all of them together. Pure.
//!
//! What is agreed to is this content, wherever the deck lies: a changed command asks again, a changed text does not.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::deck::panel::{PanelKind, PanelSpec};
use crate::deck::step::{Role, StepSpec};

/// A command of a deck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// The slide, from 0.
    pub slide: usize,
    /// `run`, `setup`, `reset`, `solve` or `exec`.
    pub kind: &'static str,
    /// The step's name.
    pub name: String,
    /// The shell's text, or the command of an `exec` panel.
    pub script: String,
    /// The terminal it is typed into.
    pub terminal: Option<String>,
}

/// All commands of a deck, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Commands(pub Vec<Command>);

impl Commands {
    /// The commands of slides, given as each slide's steps and panels.
    pub fn of<'a>(slides: impl IntoIterator<Item = (&'a [StepSpec], &'a [(String, PanelSpec)])>) -> Self {
        let mut commands = Vec::new();
        for (slide, (steps, panels)) in slides.into_iter().enumerate() {
            commands.extend(steps.iter().map(|step| Command {
                slide,
                kind: match step.role {
                    Role::Run => "run",
                    Role::Setup => "setup",
                    Role::Reset => "reset",
                    Role::Solve => "solve",
                },
                name: step.name.clone(),
                script: step.script.clone(),
                terminal: step.terminal.clone(),
            }));
            let executed = panels.iter().filter(|(_, panel)| panel.kind == PanelKind::Exec);
            commands.extend(executed.map(|(id, panel)| Command {
                slide,
                kind: "exec",
                name: id.clone(),
                script: panel.get("command").map_or_else(|| panel.words.join(" "), str::to_owned),
                terminal: None,
            }));
        }
        Self(commands)
    }

    /// Whether there is nothing to agree to.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands for them: 64 hexadecimal digits. Slide numbers and names do not count.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"foredeck commands 1\n");
        for command in &self.0 {
            for part in [command.kind, command.terminal.as_deref().unwrap_or(""), command.script.as_str()] {
                // Lengths keep parts apart: no two lists of commands run together into one.
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a deck's commands may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has none.
    Nothing,
    /// Somebody agreed to them.
    Trusted,
    /// Nobody has agreed to them.
    Untrusted,
    /// Nothing is run at all: `--safe`.
    Safe,
}

impl Standing {
    /// The word of it in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Trusted => "trusted",
            Self::Untrusted => "untrusted",
            Self::Safe => "safe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::step::Typing;
    use crate::diagnostic::Span;

    fn step(name: &str, script: &str, terminal: Option<&str>) -> StepSpec {
        StepSpec {
            role: Role::Run,
            name: name.to_owned(),
            script: script.to_owned(),
            terminal: terminal.map(str::to_owned),
            typing: Typing::Instant,
            wait: None,
            timeout: crate::deck::step::TIMEOUT,
            expect_fail: false,
            checkpoint: false,
            span: Span::default(),
        }
    }

    fn hash(slides: &[Vec<StepSpec>]) -> String {
        Commands::of(slides.iter().map(|steps| (steps.as_slice(), [].as_slice()))).hash()
    }

    #[test]
    fn only_what_is_run_counts() {
        let one = hash(&[vec![step("a", "ls\n", None)]]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, hash(&[vec![], vec![step("other", "ls\n", None)]]), "name and slide do not count");
        for different in [
            hash(&[vec![step("a", "ls \n", None)]]),
            hash(&[vec![step("a", "ls\n", Some("t"))]]),
            hash(&[vec![step("a", "ls\n", None), step("b", "", None)]]),
            hash(&[vec![step("a", "l", None), step("b", "s\n", None)]]),
            hash(&[]),
        ] {
            assert_ne!(one, different);
        }
    }

    #[test]
    fn commands_of_panels_count_too() {
        let panel = PanelSpec {
            kind: PanelKind::Exec,
            options: Vec::new(),
            words: vec!["uptime".to_owned(), "-p".to_owned()],
            snapshot: String::new(),
            picture: None,
            span: Span::default(),
        };
        let other = PanelSpec { kind: PanelKind::Poll, ..panel.clone() };
        let panels = [("a".to_owned(), panel), ("b".to_owned(), other)];
        let commands = Commands::of([(&[][..], &panels[..])]);
        assert_eq!(commands.0.len(), 1);
        assert_eq!((commands.0[0].kind, commands.0[0].script.as_str()), ("exec", "uptime -p"));
        assert!(Commands::of([(&[][..], &[][..])]).is_empty());
    }
}
