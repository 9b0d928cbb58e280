//! How a reconciler is to be: resolved once, at the edge.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::build;
use super::files::{Generation, Mode, PathError, Rules, clean_path};
use super::git::identity::KeyOptions;
use super::git::signature::VerifyMode;
use super::git::{Person, Program, Remote};
use super::mark::SyncSet;
use super::plan::{self, Prune};
use super::schedule::Intervals;
use super::source;

/// How drift in the cluster is noticed and repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// It is seen and repaired at once.
    #[default]
    Watch,
    /// It is seen at once, but repaired by the next sync, as Flux v1 does.
    Interval,
}

/// Where it is kept what was synced last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pointer {
    /// In a tag of the repository.
    #[default]
    Git,
    /// In an annotation of the secret.
    Secret,
    /// On this machine.
    Local,
}

/// The secret with the SSH key, and perhaps the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where the key is in it.
    pub key: String,
}

impl Default for SecretRef {
    fn default() -> Self {
        Self { namespace: "default".to_owned(), name: "flux-git-deploy".to_owned(), key: "identity".to_owned() }
    }
}

/// What time it is.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How a reconciler is to be.
#[derive(Clone)]
pub struct Settings {
    /// How git is run.
    pub program: Program,
    /// The repository; nothing is followed when there is none.
    pub remote: Option<Remote>,
    /// Folders and files to look in; everything when there are none.
    pub paths: Vec<String>,
    /// Who commits and tags.
    pub committer: Person,
    /// Nothing is ever written to the repository.
    pub read_only: bool,
    /// Which commits have to be signed.
    pub verify: VerifyMode,
    /// Where it is kept what was synced last.
    pub pointer: Pointer,
    /// What is written below messages of commits so that builds leave them alone.
    pub skip_builds: Option<String>,
    /// How bad files are met.
    pub mode: Mode,
    /// Whether objects that left Git are deleted.
    pub prune: Prune,
    /// Whether everything may be deleted when the repository turns up empty.
    pub allow_empty: bool,
    /// How drift is noticed.
    pub drift: Drift,
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// The only namespaces that are touched; all when there are none.
    pub allowed_namespaces: Vec<String>,
    /// Whether folders with a kustomization are built.
    pub kustomize: bool,
    /// Whether `.flux.yaml` counts.
    pub generation: Generation,
    /// `kubectl`, for kustomizations.
    pub kubectl: Option<PathBuf>,
    /// When things are done.
    pub intervals: Intervals,
    /// How long one sync may take.
    pub sync_limit: Duration,
    /// How long one request to the API server may take.
    pub request_limit: Duration,
    /// How long the first copy of the repository may take.
    pub clone_limit: Duration,
    /// The secret with the SSH key.
    pub secret: SecretRef,
    /// The key for SSH is the one in the secret, made in this way when there is none; else the user's own.
    pub ssh_key: Option<KeyOptions>,
    /// The folder for copies, records and scratch files.
    pub folder: PathBuf,
    /// What time it is.
    pub clock: WallClock,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.remote.as_ref().map(|remote| super::mark::without_password(&remote.url));
        out.debug_struct("Settings").field("url", &url).field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl Settings {
    /// Our own defaults: what can be done safely is done at once.
    pub fn new(remote: Option<Remote>, folder: PathBuf) -> Self {
        Self {
            program: Program::default(),
            remote,
            paths: Vec::new(),
            committer: Person::parse("Weave Flux <support@weave.works>"),
            read_only: false,
            verify: VerifyMode::None,
            pointer: Pointer::Git,
            skip_builds: None,
            mode: Mode::Safe,
            prune: Prune::On,
            allow_empty: false,
            drift: Drift::Watch,
            default_namespace: "default".to_owned(),
            allowed_namespaces: Vec::new(),
            kustomize: true,
            generation: Generation::Off,
            kubectl: None,
            intervals: Intervals::default(),
            sync_limit: Duration::from_secs(60),
            request_limit: Duration::from_secs(15),
            clone_limit: Duration::from_secs(300),
            secret: SecretRef::default(),
            ssh_key: None,
            folder,
            clock: Arc::new(Timestamp::now),
        }
    }

    /// As Flux v1 does it, to show the difference.
    #[must_use]
    pub fn like_flux_v1(mut self) -> Self {
        self.mode = Mode::Strict;
        self.prune = Prune::Off;
        self.allow_empty = true;
        self.drift = Drift::Interval;
        self.kustomize = false;
        self
    }

    /// Refuses what cannot be.
    ///
    /// # Errors
    /// When a path cannot be one.
    pub fn check(&self) -> Result<(), PathError> {
        self.paths.iter().try_for_each(|path| clean_path(path).map(|_| ()))
    }

    /// Whose objects are made.
    pub(super) fn set(&self) -> SyncSet {
        let (url, branch) = self.remote.as_ref().map_or(("", ""), |remote| (&*remote.url, &*remote.branch));
        SyncSet::new(url, branch, &self.paths)
    }

    /// The paths for `git log`.
    pub(super) fn log_paths(&self) -> Vec<String> {
        // Generators may read anything.
        if self.generation != Generation::Off {
            return Vec::new();
        }
        let cleaned = self.paths.iter().filter_map(|path| clean_path(path).ok());
        let paths: Vec<String> = cleaned.collect();
        if paths.iter().any(String::is_empty) { Vec::new() } else { paths }
    }

    /// Where the pointer is kept; nothing is written to a repository that is only read.
    pub(super) fn pointer(&self) -> Pointer {
        if self.read_only && self.pointer == Pointer::Git { Pointer::Secret } else { self.pointer }
    }

    /// Whether the repository is reached over SSH with the key in the secret.
    pub(super) fn wants_key(&self) -> Option<&KeyOptions> {
        let url = &self.remote.as_ref()?.url;
        self.ssh_key.as_ref().filter(|_| is_ssh(url))
    }

    pub(super) fn source(&self) -> source::Settings {
        source::Settings {
            program: self.program.clone(),
            remote: self.remote.clone(),
            folder: self.folder.join("mirrors"),
            read_only: self.read_only,
            clone_limit: self.clone_limit,
        }
    }

    pub(super) fn build(&self) -> build::Settings {
        let rules = Rules {
            paths: self.paths.clone(),
            mode: self.mode,
            default_namespace: self.default_namespace.clone(),
            allowed_namespaces: self.allowed_namespaces.clone(),
            kustomize: self.kustomize,
            generation: self.generation,
        };
        build::Settings {
            rules,
            set: self.set(),
            scratch: self.folder.join("scratch"),
            kubectl: self.kubectl.clone(),
            limit: self.sync_limit,
        }
    }

    pub(super) fn plan(&self) -> plan::Rules {
        plan::Rules { set: self.set(), prune: self.prune, allow_empty: self.allow_empty }
    }
}

/// Whether an address is one for SSH: `ssh://…`, or `user@host:path`.
pub fn is_ssh(url: &str) -> bool {
    let short = |url: &str| {
        let (host, _) = url.split_once(':')?;
        (!host.contains('/') && !host.is_empty()).then_some(())
    };
    url.starts_with("ssh://") || url.starts_with("git+ssh://") || (!url.contains("://") && short(url).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_for_ssh_are_known() {
        for url in ["ssh://git@host/x.git", "git@github.com:me/x.git", "host:x"] {
            assert!(is_ssh(url), "{url}");
        }
        for url in ["https://host/x.git", "/srv/x:y.git", "file:///x", "./a:b"] {
            assert!(!is_ssh(url), "{url}");
        }
    }

    #[test]
    fn paths_are_checked_at_once() {
        let mut settings = Settings::new(Some(Remote::new("u", "b")), PathBuf::new());
        assert_eq!(settings.check(), Ok(()));
        settings.paths = vec!["deploy/".to_owned(), "a".to_owned()];
        assert_eq!(settings.log_paths(), ["deploy", "a"]);
        settings.paths.push("/deploy".to_owned());
        assert!(settings.check().is_err());
        settings.paths = vec!["a".to_owned(), ".".to_owned()];
        assert_eq!(settings.log_paths(), [] as [&str; 0]);
        settings.read_only = true;
        assert_eq!(settings.pointer(), Pointer::Secret);
    }
}
