//! A repository whose files were lost or broken is put right by one more commit; nothing of its history goes.

use std::collections::BTreeSet;

use super::Sandbox;
use super::error::Error;
use super::repository::Repository;
use crate::gitops::demo_repo::seed_files;
use crate::gitops::explain::{ObjectState, State};
use crate::gitops::finding::Level;
use crate::gitops::git::Person;
use crate::gitops::status::Status;

/// How git says that a path is to go.
const GONE: &str = "0 0000000000000000000000000000000000000000";

/// When a repository is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// When somebody emptied it: most of the files that it began with are missing.
    Emptied,
    /// Whatever is missing or broken.
    Everything,
}

impl Sandbox {
    /// Brings back files that the repository began with and that are missing now, and undoes what keeps the newest
    /// commit from being applied. Gives the files that were changed.
    ///
    /// # Errors
    /// When git or the file system refuses.
    pub async fn repair(&self, when: Repair) -> Result<Vec<String>, Error> {
        let Some(repository) = &self.repository else { return Ok(Vec::new()) };
        let status = self.reconciler.status().borrow().clone();
        let head = repository.demo.head().await.map_err(Error::Git)?;
        // What is known of an earlier commit says nothing about this one.
        let known = when == Repair::Everything && head.is_some() && status.looked_at() == head.as_deref();
        let broken = if known { broken(&status) } else { BTreeSet::new() };
        let changed = repository.put_right(when, &broken, status.synced.as_deref()).await?;
        if !changed.is_empty() {
            self.reconciler.pushed();
        }
        Ok(changed)
    }
}

/// Whether something in the newest commit cannot be applied.
pub fn has_broken_files(status: &Status) -> bool {
    !broken(status).is_empty()
}

/// How the cluster says that an object is wrong, whatever else is there. All else may be better the next time: a
/// namespace that is just going, a quota.
const WRONG: [&str; 4] = ["is invalid", "unknown field", "unmarshal", "cannot be handled as"];

/// The files that cannot be applied.
fn broken(status: &Status) -> BTreeSet<String> {
    let findings = status.findings.iter().filter(|finding| finding.level == Level::Error);
    let wrong = |object: &ObjectState| {
        let reason = object.reason.as_deref().unwrap_or_default();
        object.state == State::Failed && WRONG.iter().any(|words| reason.contains(words))
    };
    let refused = status.objects.values().filter(|object| wrong(object));
    let places = findings.map(|finding| &finding.place).chain(refused.map(|object| &object.place));
    places.flatten().map(|place| place.file.clone()).collect()
}

impl Repository {
    async fn put_right(
        &self,
        when: Repair,
        broken: &BTreeSet<String>,
        good: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let branch = format!("refs/heads/{}", self.demo.branch());
        let dir = self.demo.dir();
        let seed = match self.seed() {
            Some(folder) => seed_files(folder).map_err(|source| Error::Write { path: folder.to_path_buf(), source })?,
            None => Vec::new(),
        };
        let list = self.git().run(dir, "ls-tree").args(["-r", "-z", "--name-only"]).arg(&branch);
        let list = String::from_utf8_lossy(&list.out().await.map_err(Error::Git)?).into_owned();
        let there: BTreeSet<&str> = list.split('\0').filter(|name| !name.is_empty()).collect();
        let missing = |there: &dyn Fn(&str) -> bool| {
            let number = seed.iter().filter(|(path, _)| !there(path)).count();
            number * 2 > seed.len() || (number > 0 && when == Repair::Everything)
        };
        let lost = missing(&|path| self.work.join(path).is_file());
        if !missing(&|path| there.contains(path)) && broken.is_empty() {
            if lost {
                self.reset_work().await?;
            }
            return Ok(Vec::new());
        }
        let mut entries = String::new();
        let mut changed = Vec::new();
        for (path, content) in &seed {
            if there.contains(path.as_str()) && !broken.contains(path) {
                continue;
            }
            let hash = self.git().run(dir, "hash-object").args(["-w", "--stdin", "--no-filters"]);
            let blob = hash.input(content).line().await.map_err(Error::Git)?;
            entries.push_str(&format!("100644 {blob}\t{path}\0"));
            changed.push(path.clone());
        }
        let seeded: BTreeSet<&str> = seed.iter().map(|(path, _)| path.as_str()).collect();
        for path in broken.iter().filter(|path| there.contains(path.as_str()) && !seeded.contains(path.as_str())) {
            match self.earlier(good, &branch, path).await {
                Some(blob) => entries.push_str(&format!("100644 {blob}\t{path}\0")),
                None => entries.push_str(&format!("{GONE}\t{path}\0")),
            }
            changed.push(path.clone());
        }
        if !entries.is_empty() {
            self.commit(&branch, &entries, &format!("Put right {}", changed.join(", "))).await?;
        }
        if lost || !entries.is_empty() {
            self.reset_work().await?;
        }
        Ok(changed)
    }

    /// A file as it was when it could be applied, if it was another then.
    async fn earlier(&self, good: Option<&str>, branch: &str, path: &str) -> Option<String> {
        let mut blobs = Vec::new();
        for revision in [good?, branch] {
            let run = self.git().run(self.demo.dir(), "rev-parse").args(["--verify", "--quiet", "--end-of-options"]);
            blobs.push(run.arg(format!("{revision}:{path}")).line().await.ok()?);
        }
        blobs.first().filter(|blob| Some(*blob) != blobs.get(1)).cloned()
    }

    /// One more commit with other files: `entries` as `git update-index` takes them.
    async fn commit(&self, branch: &str, entries: &str, message: &str) -> Result<(), Error> {
        let dir = self.demo.dir();
        let index = dir.join("foredeck-repair-index");
        let with_index = |verb: &str| self.git().run(dir, verb).env("GIT_INDEX_FILE", &index);
        let _ = std::fs::remove_file(&index);
        let tree = async {
            with_index("read-tree").arg(branch).out().await?;
            with_index("update-index").args(["-z", "--index-info"]).input(entries.as_bytes()).out().await?;
            with_index("write-tree").line().await
        };
        let tree = tree.await;
        let _ = std::fs::remove_file(&index);
        let author = Person::parse("foredeck <foredeck@example.com>");
        let commit = self.git().run(dir, "commit-tree").arg(tree.map_err(Error::Git)?).args(["-p", branch]);
        let commit = commit.args(["-m", message]).person("AUTHOR", &author).person("COMMITTER", &author);
        let commit = commit.line().await.map_err(Error::Git)?;
        let update = self.git().run(dir, "update-ref").args([branch, &commit]);
        update.out().await.map(|_| ()).map_err(Error::Git)
    }
}
