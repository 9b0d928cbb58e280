//! Changes to the repository that we make ourselves: read, decide, commit, push; again when somebody was faster.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gitops::git::Person;
use crate::gitops::git::commit::{Draft, NewFile, was_raced};
use crate::gitops::git::tree::{Blob, EntryKind};

use super::Engine;

/// What a change is decided on.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The commit.
    pub revision: String,
    /// The YAML files within the paths, with their content.
    pub files: BTreeMap<String, Arc<[u8]>>,
}

/// What to commit.
#[derive(Debug, Clone)]
pub struct Edits {
    /// The files that change.
    pub files: Vec<NewFile>,
    /// The message.
    pub message: String,
    /// Who is behind it; the committer when nobody is named.
    pub author: Option<Person>,
    /// A note on the commit.
    pub note: Option<String>,
}

/// Decides what to commit on top of a checkout; nothing when nothing has to change. May be asked several times.
pub type Decide = Box<dyn FnMut(&Checkout) -> Result<Option<Edits>, String> + Send>;

/// Others may be faster so often.
const TRIES: usize = 4;

impl Engine {
    /// Commits and pushes a change. Gives the new commit; nothing when nothing had to change.
    ///
    /// # Errors
    /// Why nothing was committed, in words.
    pub async fn commit(&mut self, mut decide: Decide) -> Result<Option<String>, String> {
        if self.settings.read_only {
            return Err("the repository is only read (--git-readonly)".to_owned());
        }
        for _ in 0..TRIES {
            let target = self.fetch().await;
            let head = self.source.state.head.clone().ok_or_else(|| self.not_ready())?;
            if !self.source.state.is_ready() {
                return Err(self.not_ready());
            }
            if target.as_ref() != Some(&head) {
                return Err("HEAD revision is unsigned".to_owned());
            }
            let checkout = self.checkout(head).await?;
            let Some(edits) = decide(&checkout)? else { return Ok(None) };
            let committer = self.settings.committer.clone();
            let draft = Draft {
                message: &edits.message,
                author: edits.author.as_ref().unwrap_or(&committer),
                committer: &committer,
                skip_builds: self.settings.skip_builds.as_deref(),
                note: edits.note.as_deref(),
            };
            match self.mirror()?.commit(&checkout.revision, &edits.files, &draft).await {
                Ok(commit) => return Ok(Some(commit)),
                Err(error) if was_raced(&error) => tracing::info!(%error, "somebody else pushed first; trying again"),
                Err(error) => return Err(self.git_failed(&error)),
            }
        }
        Err("others push again and again; try later".to_owned())
    }

    /// The files of the newest commit, as they were at the last look.
    ///
    /// # Errors
    /// When the repository is not ready or cannot be read.
    pub async fn look(&self) -> Result<Checkout, String> {
        let head = self.source.state.head.clone().filter(|_| self.source.state.is_ready());
        self.checkout(head.ok_or_else(|| self.not_ready())?).await
    }

    async fn checkout(&self, revision: String) -> Result<Checkout, String> {
        let mirror = self.mirror()?;
        let entries = mirror.list(&revision).await.map_err(|error| error.to_string())?;
        let paths = self.settings.log_paths();
        let wanted = |path: &str| {
            (path.ends_with(".yaml") || path.ends_with(".yml"))
                && (paths.is_empty() || paths.iter().any(|folder| crate::gitops::files::is_below(path, folder)))
        };
        let entries: Vec<_> =
            entries.into_iter().filter(|entry| entry.kind == EntryKind::File && wanted(&entry.path)).collect();
        let blobs: Vec<String> = entries.iter().map(|entry| entry.blob.clone()).collect();
        let contents = mirror.read(&blobs).await.map_err(|error| error.to_string())?;
        let file = |entry: crate::gitops::git::tree::Entry| match contents.get(&entry.blob) {
            Some(Blob::Bytes(bytes)) => Some((entry.path, bytes.clone())),
            _ => None,
        };
        Ok(Checkout { revision, files: entries.into_iter().filter_map(file).collect() })
    }
}
