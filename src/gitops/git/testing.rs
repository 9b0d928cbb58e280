//! A remote and somebody who works with it, for tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Mirror, Program, Remote};

/// A bare repository and a clone of it.
pub(crate) struct Forge {
    folder: tempfile::TempDir,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let forge = Self { folder: tempfile::tempdir().unwrap() };
        forge.git(forge.folder.path(), &["init", "-q", "--bare", "-b", "master", "remote.git"]);
        forge.git(forge.folder.path(), &["init", "-q", "-b", "master", "work"]);
        forge.git(&forge.work(), &["remote", "add", "origin", &forge.url()]);
        forge
    }

    pub(crate) fn url(&self) -> String {
        self.remote().display().to_string()
    }

    pub(crate) fn remote(&self) -> PathBuf {
        self.path("remote.git")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs git as a person would.
    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(dir).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]).args(args);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GNUPGHOME", self.path("gpg")).env_remove("GIT_DIR");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything; gives the commit's id.
    pub(crate) fn commit(&self, message: &str, options: &[&str]) -> String {
        self.git(&self.work(), &["add", "-A"]);
        let args = [&["commit", "-q", "--allow-empty", "-m", message], options].concat();
        self.git(&self.work(), &args);
        self.git(&self.work(), &["rev-parse", "HEAD"])
    }

    /// Writes a file, commits and pushes.
    pub(crate) fn push(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        let id = self.commit(&format!("change {path}"), &[]);
        self.git(&self.work(), &["push", "-q", "--force", "origin", "HEAD:master"]);
        id
    }

    pub(crate) async fn mirror(&self) -> Mirror {
        self.mirror_with(Program::default()).await
    }

    pub(crate) async fn mirror_with(&self, program: Program) -> Mirror {
        Mirror::open(program, &self.path("mirror.git"), Remote::new(&self.url(), "master")).await.unwrap()
    }
}
