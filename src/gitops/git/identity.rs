//! SSH keys: made, shown and put where `ssh` finds them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::gitops::process::{self, Bounds, Stopped};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is missing or hangs.
    #[error("ssh-keygen: {0}")]
    Program(#[source] Stopped),
    /// It says no.
    #[error("ssh-keygen: {0}")]
    Refused(String),
    /// A key cannot be written or read.
    #[error("cannot keep an SSH key in {}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What kind of key to make; what is left out is for `ssh-keygen` to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyOptions {
    /// `rsa`, `ed25519` …
    pub kind: Option<String>,
    /// Its length.
    pub bits: Option<u32>,
    /// `PEM`, `RFC4716` …
    pub format: Option<String>,
    /// What is written behind the public key.
    pub comment: String,
}

/// A key and its public half.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// What nobody else may know.
    pub private: String,
    /// One line.
    pub public: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The keys of hosts that many people use, as they publish them.
pub const KNOWN_HOSTS: &str = "\
github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf
bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO
";

/// Makes a key without a password. `folder` is for scratch files, which do not stay.
///
/// # Errors
/// When `ssh-keygen` does not.
pub async fn generate(options: &KeyOptions, folder: &Path) -> Result<KeyPair, Error> {
    let scratch = Scratch::new(folder)?;
    let file = scratch.path("identity");
    let mut args = vec!["-q".to_owned(), "-N".to_owned(), String::new(), "-C".to_owned(), options.comment.clone()];
    let bits = options.bits.map(|bits| bits.to_string());
    for (option, value) in [("-t", &options.kind), ("-b", &bits), ("-m", &options.format)] {
        args.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    keygen(&args, &file).await?;
    let private = read(&file)?;
    let public = read(&scratch.path("identity.pub"))?.trim().to_owned();
    Ok(KeyPair { private, public })
}

/// The public half of a key that somebody brought along.
///
/// # Errors
/// When it is no key, or has a password.
pub async fn public_half(private: &str, folder: &Path) -> Result<String, Error> {
    let scratch = Scratch::new(folder)?;
    let file = scratch.path("identity");
    write_key(&file, private)?;
    Ok(keygen(&["-y".to_owned(), "-P".to_owned(), String::new()], &file).await?.trim().to_owned())
}

/// The fingerprint of a public key as Flux shows it (MD5, without the word); with a picture when `visual`.
///
/// # Errors
/// When it is no key.
pub async fn fingerprint(public: &str, visual: bool, folder: &Path) -> Result<String, Error> {
    let scratch = Scratch::new(folder)?;
    let file = scratch.path("identity.pub");
    write_key(&file, public)?;
    let mut args = vec!["-l".to_owned(), "-E".to_owned(), "md5".to_owned()];
    if visual {
        args.push("-v".to_owned());
    }
    let out = keygen(&args, &file).await?;
    let (line, picture) = out.split_once('\n').unwrap_or((&out, ""));
    let digest = line.split(' ').nth(1).and_then(|word| word.strip_prefix("MD5:")).unwrap_or(line);
    Ok(if visual { format!("{digest}\n{}", picture.trim_end()) } else { digest.to_owned() })
}

/// Puts a key into a folder so that `ssh` takes it (only the owner may read it), and the known hosts beside it.
///
/// # Errors
/// When the folder cannot be written.
pub fn install(pair: &KeyPair, folder: &Path) -> Result<super::Access, Error> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::File { path, source }
    };
    private_folder(folder).map_err(failed(folder))?;
    let (key, hosts) = (folder.join("identity"), folder.join("known_hosts"));
    write_key(&key, &pair.private)?;
    std::fs::write(&hosts, KNOWN_HOSTS).map_err(failed(&hosts))?;
    Ok(super::Access { key: Some(key), known_hosts: vec![hosts] })
}

async fn keygen(args: &[String], file: &Path) -> Result<String, Error> {
    let mut command = Command::new("ssh-keygen");
    command.args(args).arg("-f").arg(file).env("LC_ALL", "C").env("SSH_ASKPASS_REQUIRE", "never");
    let bounds = Bounds { limit: Duration::from_secs(60), most: 1 << 20 };
    let output = process::run(command, None, bounds).await.map_err(Error::Program)?;
    if !output.status.success() {
        let words = output.err.trim().lines().last().unwrap_or("it gave no reason").to_owned();
        return Err(Error::Refused(words.replace(&file.display().to_string(), "the key")));
    }
    Ok(String::from_utf8_lossy(&output.out).into_owned())
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_path_buf(), source })
}

/// Writes a file that only its owner may read, whatever is there.
fn write_key(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        use io::Write as _;

        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o400);
        let mut file = options.open(path)?;
        file.write_all(text.trim_end().as_bytes())?;
        file.write_all(b"\n")
    };
    write().map_err(|source| Error::File { path: path.to_path_buf(), source })
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A folder that is gone again when this is dropped.
pub(in crate::gitops) struct Scratch(PathBuf);

impl Scratch {
    pub(in crate::gitops) fn new(folder: &Path) -> Result<Self, Error> {
        let mut nonce = [0; 8];
        let failed = |source| Error::File { path: folder.to_path_buf(), source };
        getrandom::fill(&mut nonce).map_err(|error| failed(error.into()))?;
        let path = folder.join(format!("scratch-{:016x}", u64::from_le_bytes(nonce)));
        private_folder(&path).map_err(failed)?;
        Ok(Self(path))
    }

    pub(in crate::gitops) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_made_and_shown() {
        let folder = tempfile::tempdir().unwrap();
        let options =
            KeyOptions { kind: Some("ed25519".to_owned()), comment: "root@flux".to_owned(), ..KeyOptions::default() };
        let pair = generate(&options, folder.path()).await.unwrap();
        assert!(pair.public.starts_with("ssh-ed25519 AAAA") && pair.public.ends_with(" root@flux"), "{}", pair.public);
        assert!(!format!("{pair:?}").contains("PRIVATE"));
        let half = public_half(&pair.private, folder.path()).await.unwrap();
        assert!(half.starts_with(pair.public.trim_end_matches(" root@flux")));
        let digest = fingerprint(&pair.public, false, folder.path()).await.unwrap();
        assert_eq!((digest.len(), digest.matches(':').count()), (47, 15), "{digest}");
        let visual = fingerprint(&pair.public, true, folder.path()).await.unwrap();
        assert!(visual.starts_with(&digest) && visual.contains("[MD5]"), "{visual}");
        assert!(matches!(fingerprint("nonsense", false, folder.path()).await, Err(Error::Refused(_))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
        let access = install(&pair, &folder.path().join("ssh")).unwrap();
        let key = access.key.unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o400);
        }
        install(&pair, &folder.path().join("ssh")).unwrap();
        assert_eq!(std::fs::read_to_string(key).unwrap().trim(), pair.private.trim());
    }
}
