//! A bare copy of the repository that is followed: fetched, looked into, pushed from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::{Program, Run};
use super::error::{Error, classify, message};
use super::{is_object_id, is_ref_name};
use crate::gitops::process::Output;

/// A repository somewhere, and what is of interest in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its address; a path has to be absolute.
    pub url: String,
    /// The branch that is followed.
    pub branch: String,
    /// The tag on what was synced last.
    pub sync_tag: String,
    /// Where notes on commits are kept, below `refs/notes/`.
    pub notes_ref: String,
}

impl Remote {
    /// A remote with Flux's names for tag and notes.
    pub fn new(url: &str, branch: &str) -> Self {
        let (sync_tag, notes_ref) = ("flux-sync".to_owned(), "flux".to_owned());
        Self { url: url.to_owned(), branch: branch.to_owned(), sync_tag, notes_ref }
    }

    /// Refuses names that git would refuse or take as something else.
    fn check(&self) -> Result<(), Error> {
        if self.url.is_empty() || self.url.starts_with('-') || self.url.chars().any(char::is_control) {
            return Err(Error::Name(super::error::redact(&self.url)));
        }
        match [&self.branch, &self.sync_tag, &self.notes_ref].into_iter().find(|name| !is_ref_name(name)) {
            Some(name) => Err(Error::Name(name.clone())),
            None => Ok(()),
        }
    }

    fn refspecs(&self) -> [String; 3] {
        // The star lets git pass over what is not there, and prune what is gone.
        let same = |name: String| format!("+{name}*:{name}*");
        [
            same(format!("refs/heads/{}", self.branch)),
            same(format!("refs/tags/{}", self.sync_tag)),
            same(format!("refs/notes/{}", self.notes_ref)),
        ]
    }
}

/// The copy.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// How git is run.
    pub program: Program,
    /// What is followed.
    pub remote: Remote,
    dir: PathBuf,
}

impl Mirror {
    /// The copy in a folder, made if it is not there yet. Nothing is fetched.
    ///
    /// # Errors
    /// When the folder cannot be written, or a name is none.
    pub async fn open(program: Program, dir: &Path, remote: Remote) -> Result<Self, Error> {
        remote.check()?;
        let mirror = Self { program, remote, dir: dir.to_path_buf() };
        if !dir.join("HEAD").is_file() {
            make_folder(dir).map_err(|source| Error::Io { command: "init".to_owned(), source })?;
            mirror.run("init").args(["--quiet", "--bare", "--template="]).out().await?;
        }
        Ok(mirror)
    }

    /// Throws the copy away; [`Mirror::open`] begins anew.
    ///
    /// # Errors
    /// When files stay.
    pub fn remove(dir: &Path) -> std::io::Result<()> {
        match std::fs::remove_dir_all(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A command in it.
    pub fn run<'a>(&self, verb: &str) -> Run<'a> {
        self.program.run(&self.dir, verb)
    }

    /// A command that may talk to the remote as `origin`. The address is no argument: others could read it.
    pub(super) fn run_remote<'a>(&self, verb: &str) -> Run<'a> {
        self.run(verb).secret_settings(&[("remote.origin.url", &self.remote.url)])
    }

    /// Takes over what the remote has, whatever we had.
    ///
    /// # Errors
    /// When the remote does not give it.
    pub async fn fetch(&self, limit: Duration) -> Result<(), Error> {
        let run = self.run_remote("fetch").limit(limit);
        let run = run.args(["--quiet", "--force", "--prune", "--no-tags", "--no-write-fetch-head", "origin"]);
        run.args(self.remote.refspecs()).out().await.map(|_| ())
    }

    /// The newest commit of the branch.
    ///
    /// # Errors
    /// When there is no such branch.
    pub async fn head(&self) -> Result<String, Error> {
        let head = self.resolve(&format!("refs/heads/{}", self.remote.branch)).await?;
        head.ok_or_else(|| Error::Branch(self.remote.branch.clone()))
    }

    /// The commit that a reference or a revision means, if there is one.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub async fn resolve(&self, name: &str) -> Result<Option<String>, Error> {
        let run = self.run("rev-parse").args(["--verify", "--quiet", "--end-of-options"]);
        let Output { status, out, err } = run.arg(format!("{name}^{{commit}}")).output().await?;
        let id = String::from_utf8_lossy(&out).trim().to_owned();
        if status.success() && is_object_id(&id) {
            return Ok(Some(id));
        }
        if err.trim().is_empty() {
            return Ok(None);
        }
        let failure = classify(&err);
        if failure == super::Failure::Missing {
            return Ok(None);
        }
        Err(Error::Failed { command: "rev-parse".to_owned(), failure, message: message(&err) })
    }

    /// Pushes; `what` are refspecs.
    ///
    /// # Errors
    /// When the remote does not take it.
    pub async fn push(&self, what: &[String]) -> Result<(), Error> {
        self.run_remote("push").args(["--no-verify", "origin"]).args(what).out().await.map(|_| ())
    }

    /// Whether the remote lets us write, tried with a tag that is taken back at once. `nonce` makes it unlike others.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_write(&self, nonce: &str) -> Result<(), Error> {
        let tag = format!("refs/tags/flux-write-check-{nonce}");
        if !is_ref_name(&tag) {
            return Err(Error::Name(tag));
        }
        let head = self.head().await?;
        self.push(&[format!("{head}:{tag}")]).await?;
        self.push(&[format!(":{tag}")]).await
    }
}

fn make_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
