//! All that a workshop can run, for whoever has to agree to it.

use super::Workshop;
use super::check::Fact;
use crate::deck::step::Role;
use crate::runbook::trust::{Command, Commands};

impl Workshop {
    /// The commands of its steps and the scripts among its checks, in their order.
    pub fn commands(&self) -> Commands {
        let mut all = Vec::new();
        for (place, step) in self.steps.iter().enumerate() {
            let command = |kind, name: &str, script: &str| Command {
                slide: place,
                kind,
                name: name.to_owned(),
                script: script.to_owned(),
                terminal: None,
            };
            all.extend(step.actions.iter().map(|action| {
                let kind = match action.spec.role {
                    Role::Run => "run",
                    Role::Setup => "setup",
                    Role::Reset => "reset",
                    Role::Solve => "solve",
                };
                command(kind, &action.spec.name, &action.spec.script)
            }));
            all.extend(step.checks.iter().filter_map(|check| match &check.fact {
                Fact::Script { script } => Some(command("verify", &step.slug, script)),
                _ => None,
            }));
        }
        Commands(all)
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::SourceFile;
    use crate::workshop::assemble;

    #[test]
    fn commands_and_scripts_count_and_texts_do_not() {
        let hash = |text: &str| assemble("w", vec![SourceFile::new("01-a.md", text)]).workshop.commands().hash();
        let text = "---\ntitle: A\n---\n# A\n\n```sh {run name=a}\nls\n```\n\n```verify\ntest -f a\n```\n";
        let commands = assemble("w", vec![SourceFile::new("01-a.md", text)]).workshop.commands();
        let kinds: Vec<_> = commands.0.iter().map(|command| (command.kind, command.script.as_str())).collect();
        assert_eq!(kinds, [("run", "ls\n"), ("verify", "test -f a\n")]);
        assert_eq!(hash(text), hash(&text.replace("# A", "# Another title")));
        for other in [text.replace("ls", "rm"), text.replace("test -f a", "test -f b")] {
            assert_ne!(hash(text), hash(&other));
        }
    }
}
