//! A demo repository that somebody broke is made whole again, with as much of their work as is left.

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

impl Repository {
    async fn mend(&self) -> Result<(), Error> {
        let bare = self.demo.dir().join("HEAD").is_file();
        let has_branch = bare && self.demo.head().await.is_ok_and(|head| head.is_some());
        if !has_branch {
            self.make_again(bare).await?;
        }
        let config = self.work.join(".git");
        if !config.join("HEAD").is_file() {
            return self.clone_again().await;
        }
        let stopped = ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];
        let in_the_middle = stopped.iter().any(|name| config.join(name).exists());
        let head = std::fs::read_to_string(config.join("HEAD")).unwrap_or_default();
        let elsewhere = head.trim() != format!("ref: refs/heads/{}", self.demo.branch());
        if in_the_middle {
            // Whichever it is: one of them ends, the others say that they are not going on.
            for verb in ["rebase", "merge", "cherry-pick", "revert"] {
                let abort = self.git().run(&config, verb).env("GIT_WORK_TREE", &self.work).arg("--abort");
                let _ = abort.output().await;
            }
        }
        // A lock that outlived its program stops every command.
        let _ = std::fs::remove_file(config.join("index.lock"));
        if in_the_middle || elsewhere { self.reset_work().await } else { Ok(()) }
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
