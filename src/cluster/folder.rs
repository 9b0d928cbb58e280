//! The folder `.foredeck/` beside a project: what foredeck generates, for this machine and its owner alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::kubeconfig::own;

/// Its name.
pub const NAME: &str = ".foredeck";

/// The folder `.foredeck/` of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of a project.
    pub fn of(project: &Path) -> Self {
        Self { path: project.join(NAME) }
    }

    /// A folder in it, for a system of its own.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self { path: self.path.join(escaped(name)) }
    }

    /// Where it is; it may not exist yet.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kubeconfig of the embedded cluster that runs for this project.
    pub fn embedded(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// The kubeconfig of a kind cluster.
    pub fn kind(&self, name: &str) -> PathBuf {
        self.path.join(format!("kind-{}.kubeconfig", escaped(name)))
    }

    /// The kubeconfig that makes a context of the user's files the current one.
    pub fn context(&self, name: &str) -> PathBuf {
        self.path.join(format!("context-{}.kubeconfig", escaped(name)))
    }

    /// The configuration of Docker that opens the embedded cluster's registry.
    pub fn docker(&self) -> PathBuf {
        self.path.join("docker").join("config.json")
    }

    /// The names of the kind clusters that have a kubeconfig here, sorted.
    pub fn kinds(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|file| Some(file.strip_prefix("kind-")?.strip_suffix(".kubeconfig")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// Makes the folder, for its owner alone and ignored by git.
    ///
    /// # Errors
    /// When it cannot be made, or leads elsewhere.
    pub fn make(&self) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.path.clone(), source };
        if let Ok(metadata) = std::fs::symlink_metadata(&self.path) {
            let refused = |why| Err(Error::Protected { path: self.path.clone(), why });
            if metadata.is_symlink() {
                return refused("it is a link to another folder");
            }
            if !own::is_mine(&metadata) {
                return refused("it belongs to another user");
            }
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(failed)?;
        let ignore = self.path.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n").map_err(failed)?;
        }
        Ok(())
    }
}

/// A name as a part of a file's name: what could lead elsewhere, or split `$KUBECONFIG`, is written as `%XX`.
fn escaped(name: &str) -> String {
    /// Files' names may have 255 bytes.
    const LONGEST: usize = 200;
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    if out.len() > LONGEST {
        use sha2::Digest as _;

        let digest = sha2::Sha256::digest(name.as_bytes());
        out.truncate(LONGEST - 17);
        out.push('-');
        for byte in digest.iter().take(8) {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_the_folder() {
        let folder = Folder::of(Path::new("/p"));
        for (name, expected) in [
            ("demo", "context-demo.kubeconfig"),
            ("../../etc/x", "context-..%2F..%2Fetc%2Fx.kubeconfig"),
            ("arn:aws:eks:r:1:cluster/p", "context-arn%3Aaws%3Aeks%3Ar%3A1%3Acluster%2Fp.kubeconfig"),
            ("é\0", "context-%C3%A9%00.kubeconfig"),
        ] {
            assert_eq!(folder.context(name), Path::new("/p/.foredeck").join(expected));
        }
        let long = |end: &str| folder.context(&("x".repeat(5000) + end));
        assert!(long("a").file_name().is_some_and(|name| name.len() < 256));
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn it_is_made_once_and_ignored_by_git() {
        let project = tempfile::tempdir().unwrap();
        let folder = Folder::of(project.path());
        folder.make().unwrap();
        std::fs::write(folder.path().join(".gitignore"), "mine\n").unwrap();
        folder.make().unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "mine\n");
        assert_eq!(folder.kinds(), [""; 0]);
        for file in ["kind-b.kubeconfig", "kind-a.kubeconfig", "context-c.kubeconfig", "kubeconfig"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        assert_eq!(folder.kinds(), ["a", "b"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let project = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/tmp", project.path().join(NAME)).unwrap();
        assert!(matches!(Folder::of(project.path()).make(), Err(Error::Protected { .. })));
    }
}
