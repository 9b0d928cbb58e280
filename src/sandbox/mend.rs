//! A demo repository that somebody broke is made whole again, with as much of their work as is left.

use std::path::Path;
use std::time::Duration;

use super::Sandbox;
use super::error::Error;
use super::repository::Repository;

impl Sandbox {
    /// Makes the repository and the copy to work in again where they are missing, or in the middle of something.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub async fn mend(&self) -> Result<(), Error> {
        match &self.repository {
            Some(repository) => repository.mend().await,
            None => Ok(()),
        }
    }
}

/// What became of a bare repository.
enum State {
    /// It is one, with its branch.
    Whole,
    /// Somebody deleted the branch.
    NoBranch,
    /// There is none, or what its branch needs is missing.
    Broken,
}

/// Locks of git: one that outlived its program stops every command. `BRANCH` stands for the branch.
const LOCKS: [&str; 6] = [
    "index.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "refs/heads/BRANCH.lock",
    "refs/remotes/origin/BRANCH.lock",
];
/// A lock that is held for longer has been left behind: nothing here takes so long.
const HELD: Duration = Duration::from_secs(10);

impl Repository {
    async fn mend(&self) -> Result<(), Error> {
        self.unlock(self.demo.dir(), HELD);
        match self.state().await {
            State::Whole => {}
            State::NoBranch => self.make_again(true).await?,
            State::Broken => {
                self.put_bare_aside()?;
                self.make_again(false).await?;
            }
        }
        let config = self.work.join(".git");
        if !config.join("HEAD").is_file() {
            return self.clone_again().await;
        }
        let stopped = ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];
        let in_the_middle = stopped.iter().any(|name| config.join(name).exists());
        self.unlock(&config, Duration::ZERO);
        if self.point_to_server().await.is_err() {
            return self.clone_again().await;
        }
        if in_the_middle {
            // Whichever it is: one of them ends, the others say that they are not going on.
            for verb in ["rebase", "merge", "cherry-pick", "revert"] {
                let abort = self.git().run(&config, verb).env("GIT_WORK_TREE", &self.work).arg("--abort");
                let _ = abort.output().await;
            }
            // What is too broken to be aborted.
            for name in stopped {
                let path = config.join(name);
                let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            }
        }
        let status = self.git().run(&config, "status").env("GIT_WORK_TREE", &self.work).args(["--porcelain", "-uno"]);
        if !status.output().await.is_ok_and(|status| status.status.success()) {
            return self.clone_again().await;
        }
        let head = std::fs::read_to_string(config.join("HEAD")).unwrap_or_default();
        let elsewhere = head.trim() != format!("ref: refs/heads/{}", self.demo.branch());
        if in_the_middle || elsewhere { self.reset_work().await } else { Ok(()) }
    }

    /// Takes locks away that have been there for so long.
    fn unlock(&self, dir: &Path, held: Duration) {
        for lock in LOCKS {
            let path = dir.join(lock.replace("BRANCH", self.demo.branch()));
            let age = std::fs::metadata(&path).and_then(|lock| lock.modified()).map(|time| time.elapsed());
            if age.is_ok_and(|age| age.is_ok_and(|age| age >= held)) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// What became of the bare one.
    async fn state(&self) -> State {
        if !self.demo.dir().join("HEAD").is_file() {
            return State::Broken;
        }
        match self.demo.head().await {
            Ok(Some(head)) => {
                let tree = self.git().run(self.demo.dir(), "ls-tree").args(["-r", "--name-only", &head]);
                let there = tree.output().await.is_ok_and(|tree| tree.status.success());
                if there { State::Whole } else { State::Broken }
            }
            Ok(None) => State::NoBranch,
            Err(_) => State::Broken,
        }
    }

    /// The bare repository, from what the copy to work in has, else from the seed.
    async fn make_again(&self, bare: bool) -> Result<(), Error> {
        let dir = self.demo.dir();
        let config = self.work.join(".git");
        let branch = self.demo.branch();
        if config.join("HEAD").is_file() {
            if !bare {
                std::fs::create_dir_all(dir).map_err(|source| Error::Write { path: dir.to_path_buf(), source })?;
                let init = self.git().run(dir, "init").args(["--quiet", "--bare", "--template="]);
                init.arg(format!("--initial-branch={branch}")).out().await.map_err(Error::Git)?;
            }
            let push = self.git().run(&config, "push").args(["--quiet", "--force", "--"]).arg(dir);
            let push = push.arg(format!("refs/heads/{branch}:refs/heads/{branch}"));
            if push.out().await.is_ok() {
                return Ok(());
            }
        }
        self.open_again().await
    }
}
