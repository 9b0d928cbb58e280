//! A repository to play with: bare, filled from a folder, served to learners.

use std::io;
use std::path::{Path, PathBuf};

use super::git::{Error, Person, Program, is_ref_name};

/// What the repository begins with when there is nothing to fill it from.
const README: &str = "# Configuration\n\nWhat is in this repository is in the cluster.\n";

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A bare repository on this machine.
#[derive(Debug, Clone)]
pub struct DemoRepo {
    program: Program,
    dir: PathBuf,
    branch: String,
}

/// With what a new repository begins.
#[derive(Debug, Clone)]
pub struct Seed<'a> {
    /// The files; only a word of welcome when there is no such folder.
    pub folder: Option<&'a Path>,
    /// Who commits them.
    pub author: &'a Person,
    /// When, in seconds since 1970.
    pub time: i64,
}

impl DemoRepo {
    /// Opens the repository in a folder; makes and fills it when it is not there, or was not finished.
    ///
    /// # Errors
    /// When the folder cannot be written or the files not be read.
    pub async fn open(program: Program, dir: &Path, branch: &str, seed: Seed<'_>) -> Result<Self, Error> {
        if !is_ref_name(branch) {
            return Err(Error::Name(branch.to_owned()));
        }
        let repo = Self { program, dir: dir.to_path_buf(), branch: branch.to_owned() };
        if !dir.join("HEAD").is_file() {
            std::fs::create_dir_all(dir).map_err(failed)?;
            let init = repo.program.run(dir, "init").args(["--quiet", "--bare", "--template="]);
            init.arg(format!("--initial-branch={branch}")).out().await?;
        }
        if repo.head().await?.is_none() {
            repo.fill(&seed).await?;
        }
        Ok(repo)
    }

    /// Where it is; also its address for a mirror.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its branch.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The newest commit.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub async fn head(&self) -> Result<Option<String>, Error> {
        // It is asked for all the time; mostly it stands in a file of its own, and no program has to be started.
        let file = self.dir.join("refs/heads").join(&self.branch);
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n').filter(|id| is_object_id(id)) {
            return Ok(Some(id.to_owned()));
        }
        let run = self.program.run(&self.dir, "rev-parse").args(["--verify", "--quiet", "--end-of-options"]);
        let output = run.arg(format!("refs/heads/{}", self.branch)).output().await?;
        let id = String::from_utf8_lossy(&output.out).trim().to_owned();
        Ok(output.status.success().then_some(id))
    }

    async fn fill(&self, seed: &Seed<'_>) -> Result<(), Error> {
        let index = self.dir.join("foredeck-seed-index");
        let _ = std::fs::remove_file(&index);
        let files = match seed.folder.filter(|folder| folder.is_dir()) {
            Some(folder) => seed_files(folder).map_err(failed)?,
            None => vec![("README.md".to_owned(), README.as_bytes().to_vec())],
        };
        let mut entries = String::new();
        for (path, content) in &files {
            let hash = self.program.run(&self.dir, "hash-object").args(["-w", "--stdin", "--no-filters"]);
            let blob = hash.input(content).line().await?;
            entries.push_str(&format!("100644 {blob}\t{path}\0"));
        }
        let with_index = |verb: &str| self.program.run(&self.dir, verb).env("GIT_INDEX_FILE", &index);
        with_index("update-index").args(["-z", "--index-info"]).input(entries.as_bytes()).out().await?;
        let tree = with_index("write-tree").line().await?;
        let _ = std::fs::remove_file(&index);
        let date = format!("@{} +0000", seed.time);
        let commit = self.program.run(&self.dir, "commit-tree").args([&tree, "-m", "Begin"]);
        let commit = commit.person("AUTHOR", seed.author).person("COMMITTER", seed.author);
        let commit = commit.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).line().await?;
        // The branch is the last thing to be made: what was broken off before is done again.
        let branch = format!("refs/heads/{}", self.branch);
        self.program.run(&self.dir, "update-ref").args([&branch, &commit]).out().await.map(|_| ())
    }
}

fn failed(source: io::Error) -> Error {
    Error::Io { command: "init".to_owned(), source }
}

/// A demo repository has few files.
const MOST_FILES: usize = 2000;
const LARGEST_FILE: u64 = 8 << 20;

/// The files of a folder with their paths in it, sorted. Links, and what belongs to git or to us, are left out.
///
/// # Errors
/// When one cannot be read, or there is too much of them.
pub fn seed_files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if matches!(name.as_str(), ".git" | ".foredeck") || name.chars().any(char::is_control) {
                continue;
            }
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if kind.is_dir() {
                open.push((entry.path(), path));
            } else if kind.is_file() {
                if entry.metadata()?.len() > LARGEST_FILE || found.len() == MOST_FILES {
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} is too much for a demo")));
                }
                found.push((path, std::fs::read(entry.path())?));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::git::testing::Forge;

    #[tokio::test]
    async fn a_folder_becomes_a_repository() {
        let forge = Forge::new();
        let (seed, dir) = (forge.path("seed"), forge.path("demo.git"));
        std::fs::create_dir_all(seed.join("deploy")).unwrap();
        std::fs::write(seed.join("deploy/a.yaml"), "a: 1\n").unwrap();
        std::fs::write(seed.join("README.md"), "hello\n").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", seed.join("passwd")).unwrap();
        let author = Person::parse("Ann <ann@example.com>");
        let seed = Seed { folder: Some(&seed), author: &author, time: 1_700_000_000 };
        let repo = DemoRepo::open(Program::default(), &dir, "master", seed.clone()).await.unwrap();
        let head = repo.head().await.unwrap().unwrap();
        let files = forge.git(&dir, &["ls-tree", "-r", "--name-only", "master"]);
        assert_eq!(files, "README.md\ndeploy/a.yaml");
        assert_eq!(forge.git(&dir, &["log", "--format=%an %at %s", "master"]), "Ann 1700000000 Begin");
        let clone = forge.path("clone");
        forge.git(&forge.path(""), &["clone", "-q", &dir.display().to_string(), &clone.display().to_string()]);
        std::fs::write(clone.join("b.yaml"), "b: 1\n").unwrap();
        forge.git(&clone, &["add", "-A"]);
        forge.git(&clone, &["commit", "-q", "-m", "more"]);
        forge.git(&clone, &["push", "-q"]);
        let again = DemoRepo::open(Program::default(), &dir, "master", seed).await.unwrap();
        assert_ne!(again.head().await.unwrap().unwrap(), head, "what learners pushed stays");
        let empty = Seed { folder: None, author: &author, time: 0 };
        let other = DemoRepo::open(Program::default(), &forge.path("other.git"), "main", empty).await.unwrap();
        assert_eq!(forge.git(other.dir(), &["show", "main:README.md"]), README.trim());
    }
}
