//! Commits of our own: changed files on the newest commit of the branch, pushed at once or not made at all.

use super::Person;
use super::error::{Error, Failure};
use super::mirror::Mirror;

/// What to commit.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// The message.
    pub message: &'a str,
    /// Who is behind it.
    pub author: &'a Person,
    /// Who makes it.
    pub committer: &'a Person,
    /// What is written below the message so that builds leave it alone.
    pub skip_builds: Option<&'a str>,
    /// A note on it.
    pub note: Option<&'a str>,
}

/// A file with its new content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path from the root.
    pub path: String,
    /// All of it; nothing to delete the file.
    pub content: Option<Vec<u8>>,
}

impl Draft<'_> {
    fn text(&self) -> String {
        match self.skip_builds {
            Some(words) => format!("{}\n\n{words}", self.message),
            None => self.message.to_owned(),
        }
    }
}

impl Mirror {
    /// Commits files on top of `parent` and pushes branch and notes. Gives the new commit.
    ///
    /// # Errors
    /// [`Failure::Raced`] when the branch has moved on: fetch, decide anew and try again. The remote is then as it
    /// was, and so is the copy after the next fetch.
    pub async fn commit(&self, parent: &str, files: &[NewFile], draft: &Draft<'_>) -> Result<String, Error> {
        let tree = self.tree_with(parent, files).await?;
        let text = draft.text();
        let mut run = self.run("commit-tree").args(["-p", parent, "-F", "-"]);
        if let Some(option) = self.program.signing_option('S') {
            run = run.arg(option);
        }
        let run = run.arg(&tree).person("AUTHOR", draft.author).person("COMMITTER", draft.committer);
        let commit = run.input(text.as_bytes()).line().await?;
        let branch = format!("refs/heads/{}", self.remote.branch);
        let mut what = vec![format!("{commit}:{branch}")];
        if let Some(note) = draft.note {
            self.add_note(&commit, note, draft.committer).await?;
            let notes = format!("refs/notes/{}", self.remote.notes_ref);
            what.push(format!("{notes}:{notes}"));
        }
        self.push_together(&what).await?;
        self.run("update-ref").args([&branch, &commit, parent]).out().await?;
        Ok(commit)
    }

    /// Pushes all or nothing, where the remote knows how to.
    async fn push_together(&self, what: &[String]) -> Result<(), Error> {
        let run = self.run_remote("push").args(["--no-verify", "--atomic", "origin"]).args(what);
        match run.out().await {
            Err(Error::Failed { message, .. }) if message.contains("does not support --atomic") => {
                self.push(what).await
            }
            pushed => pushed.map(|_| ()),
        }
    }

    /// The tree of a commit with some files changed.
    async fn tree_with(&self, parent: &str, files: &[NewFile]) -> Result<String, Error> {
        let scratch = Scratch::new(self.dir())?;
        let index = scratch.0.as_os_str();
        self.run("read-tree").env("GIT_INDEX_FILE", index).arg("--end-of-options").arg(parent).out().await?;
        let modes = self.list(parent).await?;
        let mut changes = String::new();
        for NewFile { path, content } in files {
            if !is_path(path) {
                return Err(Error::Name(path.clone()));
            }
            match content {
                Some(content) => {
                    let run = self.run("hash-object").args(["-w", "--stdin", "--no-filters"]);
                    let blob = run.input(content).line().await?;
                    let there = modes.iter().find(|entry| entry.path == *path);
                    if there.is_some_and(|entry| entry.kind != super::tree::EntryKind::File) {
                        return Err(Error::Name(path.clone()));
                    }
                    let mode = if there.is_some_and(|entry| entry.executable) { "100755" } else { "100644" };
                    changes.push_str(&format!("{mode} {blob}\t{path}\0"));
                }
                None => changes.push_str(&format!("0 {}\t{path}\0", "0".repeat(40))),
            }
        }
        let run = self.run("update-index").env("GIT_INDEX_FILE", index).args(["-z", "--index-info"]);
        run.input(changes.as_bytes()).out().await?;
        self.run("write-tree").env("GIT_INDEX_FILE", index).line().await
    }
}

/// A file for an index that is gone again when this is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(dir: &std::path::Path) -> Result<Self, Error> {
        let mut nonce = [0; 8];
        let failed = |source: std::io::Error| Error::Io { command: "read-tree".to_owned(), source };
        getrandom::fill(&mut nonce).map_err(|error| failed(error.into()))?;
        Ok(Self(dir.join(format!("foredeck-index-{:016x}", u64::from_le_bytes(nonce)))))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(self.0.with_extension("lock"));
    }
}

/// A path within the tree that git takes.
fn is_path(path: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
    path.split('/').all(part) && !path.contains(['\0', '\n'])
}

/// Whether a failed commit may be tried again on top of what the remote has now.
pub fn was_raced(error: &Error) -> bool {
    error.failure() == Failure::Raced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_skipped_in_the_last_line() {
        let person = Person::parse("a <b>");
        let mut draft = Draft { message: "Do it", author: &person, committer: &person, skip_builds: None, note: None };
        assert_eq!(draft.text(), "Do it");
        draft.skip_builds = Some("[ci skip]");
        assert_eq!(draft.text(), "Do it\n\n[ci skip]");
    }

    #[test]
    fn paths_stay_in_the_tree() {
        assert!(is_path("a/b.yaml") && is_path("-a"));
        for wrong in ["", "/a", "a/../b", "a//b", ".git/config", "a/.GIT/x", "a\nb"] {
            assert!(!is_path(wrong), "{wrong}");
        }
    }
}
