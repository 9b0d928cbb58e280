//! What commands that write have in common: dry runs, and the line that says what was done.

use serde_json::Value;

use super::flags::Arguments;
use super::output::Format;
use super::problem::Problem;
use super::resources::{Resource, query};
use super::session::Session;

/// Whether anything is really written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DryRun {
    No,
    /// Nothing is sent.
    Client,
    /// It is sent, and the server keeps nothing.
    Server,
}

impl DryRun {
    /// What `--dry-run` says.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Problem> {
        match arguments.text("dry-run") {
            None | Some("none" | "false") => Ok(Self::No),
            Some("client" | "unchanged" | "true" | "") => Ok(Self::Client),
            Some("server") => Ok(Self::Server),
            Some(other) => Err(Problem::said(format!(
                "invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// How a command writes, and tells of it.
pub(super) struct Writing {
    pub(super) dry_run: DryRun,
    pub(super) format: Format,
    /// Who writes, for the server.
    pub(super) manager: &'static str,
    managed_fields: bool,
}

impl Writing {
    /// What the flags say.
    pub(super) fn of(arguments: &Arguments, manager: &'static str) -> Result<Self, Problem> {
        Ok(Self {
            dry_run: DryRun::of(arguments)?,
            format: Format::parse(arguments.text("output"))?,
            manager,
            managed_fields: arguments.on("show-managed-fields"),
        })
    }

    /// The address to write to, with who writes and more parameters.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let dry_run = if self.dry_run == DryRun::Server { "All" } else { "" };
        let mut parameters = vec![("dryRun", dry_run), ("fieldManager", self.manager)];
        parameters.extend_from_slice(more);
        query(path, &parameters)
    }

    /// Says what was done: a line, or the object when it is asked for.
    pub(super) fn done(
        &self,
        session: &mut Session<'_>,
        resource: &Resource,
        name: &str,
        object: &Value,
        what: &str,
    ) -> Result<(), Problem> {
        if self.format.is_human() {
            return session.line(&format!("{} {what}{}", resource.named(name), self.dry_run.suffix()));
        }
        let text = self.format.text(object, resource, self.managed_fields)?;
        session.print(&text)
    }

    /// The end of a line that is no name and verb.
    pub(super) fn suffix(&self) -> &'static str {
        self.dry_run.suffix()
    }
}
