//! The sync tag: a pointer in the repository to what was applied last; and notes on commits.

use super::Person;
use super::error::Error;
use super::mirror::Mirror;
use super::signature::short;

/// The tag's message.
const MESSAGE: &str = "Sync pointer";

impl Mirror {
    /// The commit that the sync tag points at.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub async fn synced(&self) -> Result<Option<String>, Error> {
        self.resolve(&format!("refs/tags/{}", self.remote.sync_tag)).await
    }

    /// Moves the sync tag, here and at the remote.
    ///
    /// # Errors
    /// When there is no such revision, it cannot be signed, or the remote does not take it.
    pub async fn move_tag(&self, revision: &str, tagger: &Person) -> Result<(), Error> {
        let tag = &self.remote.sync_tag;
        let mut run = self.run("tag").args(["--force", "--annotate"]);
        if let Some(option) = self.program.signing_option('u') {
            run = run.arg(option);
        }
        let run = run.args(["--message", MESSAGE, "--end-of-options", tag, revision]);
        run.person("COMMITTER", tagger).out().await?;
        let name = format!("refs/tags/{tag}");
        self.push(&[format!("+{name}:{name}")]).await
    }

    /// The note on a commit, if it has one.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub async fn note(&self, commit: &str) -> Result<Option<String>, Error> {
        let output = self.run("notes").arg(self.notes()).args(["show", commit]).output().await?;
        let text = String::from_utf8_lossy(&output.out).into_owned();
        Ok(output.status.success().then_some(text))
    }

    /// Puts a note on a commit, only here. It has to be pushed.
    pub(super) async fn add_note(&self, commit: &str, text: &str, by: &Person) -> Result<(), Error> {
        let run = self.run("notes").arg(self.notes()).args(["add", "--force", "--file=-", commit]);
        let run = run.person("COMMITTER", by).person("AUTHOR", by).input(text.as_bytes());
        run.out().await.map(|_| ())
    }

    fn notes(&self) -> String {
        format!("--ref=refs/notes/{}", self.remote.notes_ref)
    }

    /// The line for the log when the pointer has moved.
    pub fn moved(&self, old: Option<&str>, new: &str) -> String {
        format!("tag {} old={} new={}", self.remote.sync_tag, old.map(short).unwrap_or_default(), short(new))
    }
}
