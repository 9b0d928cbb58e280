//! The demo repository: bare, served over HTTP, with a copy to work in.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::Error;
use crate::gitops::demo_repo::{DemoRepo, Seed};
use crate::gitops::git::{Person, Program};

/// What a demo repository is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name in addresses.
    pub name: String,
    /// Its branch.
    pub branch: String,
    /// The files it begins with.
    pub seed: Option<PathBuf>,
    /// Where the presentation server serves repositories: `http://127.0.0.1:3939/git`.
    pub base: String,
    /// What has to be known to push.
    pub token: String,
    /// Seconds since 1970, for its first commit.
    pub time: i64,
}

/// A demo repository and the copy to work in.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The bare one.
    pub demo: DemoRepo,
    /// Its name in addresses.
    pub name: String,
    /// Where it can be cloned from, without the token.
    pub url: String,
    /// The copy to work in.
    pub work: PathBuf,
    token: String,
    git: Program,
    plan: Plan,
}

impl Repository {
    /// Opens the repository below a folder, or makes it there. `fresh` puts an earlier one aside first.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub async fn open(plan: &Plan, git: Program, folder: &Path, fresh: bool) -> Result<Self, Error> {
        let dir = folder.join(format!("{}.git", plan.name));
        let work = folder.join(&plan.name);
        if fresh {
            put_aside(folder, &[&dir, &work])?;
        }
        let demo = seeded(plan, git.clone(), &dir).await?;
        let url = format!("{}/{}.git", plan.base.trim_end_matches('/'), plan.name);
        let (name, token, plan) = (plan.name.clone(), plan.token.clone(), plan.clone());
        let repository = Self { demo, name, url, work, token, git, plan };
        repository.set_up_work(&repository.plan.base).await?;
        Ok(repository)
    }

    /// What has to be known to push.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The address with everything in it that pushing needs, for its owner alone.
    pub fn url_with_token(&self) -> String {
        match self.url.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://git:{}@{rest}", self.token),
            None => self.url.clone(),
        }
    }

    /// The folder with the files that it began with.
    pub(super) fn seed(&self) -> Option<&Path> {
        self.plan.seed.as_deref().filter(|folder| folder.is_dir())
    }

    /// How it is run.
    pub(super) fn git(&self) -> &Program {
        &self.git
    }

    /// Makes and fills the bare one where it is missing.
    pub(super) async fn open_again(&self) -> Result<(), Error> {
        seeded(&self.plan, self.git.clone(), self.demo.dir()).await.map(|_| ())
    }

    /// Puts the bare one aside, where there is something in its place.
    pub(super) fn put_bare_aside(&self) -> Result<(), Error> {
        match self.demo.dir().parent() {
            Some(folder) => put_aside(folder, &[self.demo.dir()]),
            None => Ok(()),
        }
    }

    /// Makes the copy to work in again; what lies in its place is put aside.
    pub(super) async fn clone_again(&self) -> Result<(), Error> {
        if let Some(folder) = self.work.parent() {
            put_aside(folder, &[&self.work])?;
        }
        self.set_up_work(&self.plan.base).await
    }

    /// The server's address and the token may be others than last time.
    async fn set_up_work(&self, base: &str) -> Result<(), Error> {
        let config = self.work.join(".git");
        if !config.join("HEAD").is_file() {
            let from = self.demo.dir().as_os_str();
            let clone = self.git.run(self.demo.dir(), "clone").args(["--quiet", "--no-hardlinks", "--"]);
            clone.arg(from).arg(&self.work).out().await.map_err(Error::Git)?;
        }
        self.configure_work(base).await
    }

    /// The copy to work in pushes to the server, whatever somebody made of its settings.
    pub(super) async fn point_to_server(&self) -> Result<(), Error> {
        let settings = std::fs::read_to_string(self.work.join(".git/config")).unwrap_or_default();
        let is_there = [format!("url = {}", self.url), "[remote \"origin\"]".to_owned(), "\tfetch = ".to_owned()];
        if is_there.iter().all(|part| settings.contains(part)) {
            return Ok(());
        }
        self.configure_work(&self.plan.base).await
    }

    async fn configure_work(&self, base: &str) -> Result<(), Error> {
        let config = self.work.join(".git");
        let branch = self.demo.branch();
        let header = format!("Authorization: Basic {}", STANDARD.encode(format!("git:{}", self.token)));
        for (name, value) in [
            ("remote.origin.url", self.url.as_str()),
            ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            // Following tags by itself, git asks twice, and fails when Flux moves its tag in between.
            ("remote.origin.tagOpt", "--no-tags"),
            (&format!("branch.{branch}.remote"), "origin"),
            (&format!("branch.{branch}.merge"), &format!("refs/heads/{branch}")),
            (&format!("http.{base}/.extraheader"), &header),
            ("push.default", "simple"),
            ("pull.rebase", "true"),
            ("advice.detachedHead", "false"),
        ] {
            let run = self.git.run(&config, "config").args(["--local", "--replace-all", name, value]);
            run.out().await.map_err(Error::Git)?;
        }
        let tags = ["--local", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*"];
        self.git.run(&config, "config").args(tags).out().await.map(|_| ()).map_err(Error::Git)
    }

    /// Where its branches and tags are.
    pub(super) async fn refs(&self) -> Result<Vec<(String, String)>, Error> {
        let list = self.git.run(self.demo.dir(), "for-each-ref").arg("--format=%(objectname) %(refname)");
        let text = list.line().await.map_err(Error::Git)?;
        let refs = text.lines().filter_map(|line| line.split_once(' '));
        Ok(refs.map(|(id, name)| (name.to_owned(), id.to_owned())).collect())
    }

    /// Puts its branches and tags where they were, and the copy to work in with them.
    pub(super) async fn restore(&self, then: &[(String, String)]) -> Result<(), Error> {
        let mut lines = String::new();
        for (name, _) in self.refs().await? {
            if !then.iter().any(|(kept, _)| *kept == name) {
                lines.push_str(&format!("delete {name}\n"));
            }
        }
        for (name, id) in then {
            lines.push_str(&format!("update {name} {id}\n"));
        }
        let update = self.git.run(self.demo.dir(), "update-ref").arg("--stdin").input(lines.as_bytes());
        update.out().await.map_err(Error::Git)?;
        self.reset_work().await
    }

    /// Makes the copy to work in what the repository has; work that was not pushed is kept in a stash.
    pub(super) async fn reset_work(&self) -> Result<(), Error> {
        let config = self.work.join(".git");
        let at = |verb: &str| self.git.run(&config, verb).env("GIT_WORK_TREE", &self.work);
        let person = Person::parse("foredeck <foredeck@example.com>");
        let stash = at("stash").args(["push", "--include-untracked", "--quiet", "-m", "before going back"]);
        // Nothing to keep is no reason to stop.
        let _ = stash.person("AUTHOR", &person).person("COMMITTER", &person).output().await;
        let branch = self.demo.branch();
        let fetch = at("fetch").args(["--quiet", "--force", "--prune", "--tags"]).arg(self.demo.dir());
        let fetch = fetch.arg("+refs/heads/*:refs/remotes/origin/*");
        fetch.out().await.map_err(Error::Git)?;
        let switch = at("checkout").args(["--quiet", "--force", "-B", branch]).arg(format!("origin/{branch}"));
        switch.out().await.map(|_| ()).map_err(Error::Git)
    }
}

/// The bare repository, filled from the seed when it is new.
async fn seeded(plan: &Plan, git: Program, dir: &Path) -> Result<DemoRepo, Error> {
    let author = Person::parse("foredeck <foredeck@example.com>");
    let seed = Seed { folder: plan.seed.as_deref(), author: &author, time: plan.time };
    DemoRepo::open(git, dir, &plan.branch, seed).await.map_err(Error::Git)
}

/// Earlier runs that are kept.
const KEPT: usize = 5;

/// Moves folders of an earlier run out of the way; nothing is lost.
fn put_aside(folder: &Path, paths: &[&Path]) -> Result<(), Error> {
    if paths.iter().all(|path| !path.exists()) {
        return Ok(());
    }
    let earlier = folder.join("earlier");
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Write { path, source }
    };
    std::fs::create_dir_all(&earlier).map_err(failed(&earlier))?;
    let mut numbers: Vec<u64> = std::fs::read_dir(&earlier)
        .map_err(failed(&earlier))?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let place = earlier.join((numbers.last().copied().unwrap_or(0) + 1).to_string());
    std::fs::create_dir(&place).map_err(failed(&place))?;
    for path in paths {
        if let Some(name) = path.file_name().filter(|_| path.exists()) {
            std::fs::rename(path, place.join(name)).map_err(failed(path))?;
        }
    }
    let surplus = (numbers.len() + 1).saturating_sub(KEPT);
    for number in numbers.iter().take(surplus) {
        // What cannot be taken away now is taken away the next time.
        let _ = std::fs::remove_dir_all(earlier.join(number.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: &Path) -> Plan {
        Plan {
            name: "demo".to_owned(),
            branch: "main".to_owned(),
            seed: Some(seed.to_path_buf()),
            base: "http://127.0.0.1:1/git".to_owned(),
            token: "secret".to_owned(),
            time: 1_700_000_000,
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pull_bears_a_tag_that_moves_meanwhile() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let seed = folder.path().join("seed");
        std::fs::create_dir(&seed).unwrap();
        std::fs::write(seed.join("a.yaml"), "a: 1\n").unwrap();
        let repository = Repository::open(&plan(&seed), Program::default(), folder.path(), true).await.unwrap();
        let git = |dir: &Path, line: &str| {
            let mut git = std::process::Command::new("git");
            git.arg("-C").arg(dir).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(line.split(' '));
            let ran = git.output().unwrap();
            let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "git {line}: {err}");
            out.trim().to_owned()
        };
        let bare = repository.demo.dir();
        let other = folder.path().join("other");
        git(folder.path(), &format!("clone -q {} {}", bare.display(), other.display()));
        for line in ["commit -q --allow-empty -m 2", "tag -a -m Pointer flux-sync", "commit -q --allow-empty -m 3"] {
            git(&other, line);
        }
        git(&other, "push -q origin main flux-sync");
        // The tag moves after the server has told of it, and before it packs what is asked for.
        let script = |name: &str, line: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{line} \"$@\"\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let dir = bare.display();
        let moves = "-c user.name=a -c user.email=a@b tag -f -a -m Pointer flux-sync main >/dev/null";
        let hook = script("hook", &format!("git --git-dir='{dir}' {moves}; exec"));
        let hook = format!("exec git -c uploadpack.packObjectsHook='{}' upload-pack", hook.display());
        let program = script("upload-pack", &hook);
        let work = &repository.work;
        git(work, &format!("config remote.origin.url {dir}"));
        git(work, &format!("config remote.origin.uploadpack {}", program.display()));
        git(work, "pull -q");
        assert_eq!(git(work, "rev-parse HEAD"), git(&other, "rev-parse HEAD"));
        assert_eq!(git(work, "rev-parse flux-sync^{commit}"), git(&other, "rev-parse HEAD~1"));
        git(work, "config --unset remote.origin.uploadpack");
        git(work, "pull -q");
        assert_eq!(git(work, "rev-parse flux-sync"), git(bare, "rev-parse flux-sync"), "it follows the tag");
    }

    #[tokio::test]
    async fn an_earlier_one_is_put_aside_and_only_the_last_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let seed = folder.path().join("seed");
        std::fs::create_dir(&seed).unwrap();
        std::fs::write(seed.join("a.yaml"), "a: 1\n").unwrap();
        for _ in 0..8 {
            let repository = Repository::open(&plan(&seed), Program::default(), folder.path(), true).await.unwrap();
            assert_eq!(std::fs::read_to_string(repository.work.join("a.yaml")).unwrap(), "a: 1\n");
            std::fs::write(repository.work.join("mine"), "mine").unwrap();
            assert_eq!(repository.url, "http://127.0.0.1:1/git/demo.git");
            assert_eq!(repository.url_with_token(), "http://git:secret@127.0.0.1:1/git/demo.git");
        }
        let mut kept: Vec<_> =
            std::fs::read_dir(folder.path().join("earlier")).unwrap().map(|e| e.unwrap().file_name()).collect();
        kept.sort();
        assert_eq!(kept, ["3", "4", "5", "6", "7"]);
        assert_eq!(std::fs::read_to_string(folder.path().join("earlier/7/demo/mine")).unwrap(), "mine");
        let kept = Repository::open(&plan(&seed), Program::default(), folder.path(), false).await.unwrap();
        assert_eq!(std::fs::read_to_string(kept.work.join("mine")).unwrap(), "mine");
    }
}
