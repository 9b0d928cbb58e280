//! The reconciler's parts together: what is known, and the jobs that are done one after the other.

pub mod job;
mod pass;
pub mod preview;
pub mod repair;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::Objects as Api;
use super::build::Build;
use super::explain::{Objects, Touched, with_commits};
use super::fight::Fights;
use super::files::Loaded;
use super::git::history::{Commit, Range};
use super::git::signature::{Distrust, VerifyMode, short};
use super::git::{Error as GitError, Mirror};
use super::kinds::Kinds;
use super::object::{Manifest, ObjectKey};
use super::plan::{self, Tolerated};
use super::record::Records;
use super::schedule::Moment;
use super::secret::Secret;
use super::settings::{Pointer, Settings};
use super::source::{Source, SourceState};
use super::status::{Activity, Status, Unverified};

/// What a look at the repository found.
#[derive(Debug)]
pub(super) struct Looked {
    source: Source,
    ready: bool,
    begun: Instant,
}

/// What Git wants now.
#[derive(Debug, Clone, Default)]
struct Desired {
    loaded: Arc<Loaded>,
    index: HashMap<ObjectKey, Arc<Manifest>>,
}

/// Everything that is known, and the jobs.
#[derive(Debug)]
pub struct Engine {
    pub(super) settings: Settings,
    pub(super) status: watch::Sender<Status>,
    api: Api,
    source: Source,
    build: Build,
    rules: plan::Rules,
    kinds: Option<Arc<Kinds>>,
    desired: Option<Arc<Desired>>,
    /// The commit that may be applied.
    target: Option<String>,
    /// What was synced last, as far as we did it ourselves.
    synced: Option<String>,
    /// The checksums of what was synced last.
    checksums: HashMap<ObjectKey, String>,
    tolerated: Tolerated,
    objects: Objects,
    touched: Touched,
    touched_up_to: Option<String>,
    dirty: BTreeSet<ObjectKey>,
    /// What is known of the objects is newer than what is shown.
    stale: bool,
    fights: Fights,
    records: Records,
    fetch_ms: f64,
    public_key: Option<String>,
    warned: bool,
    started: Instant,
}

impl Engine {
    /// Takes up what an earlier run left behind; nothing is done yet.
    pub fn new(settings: Settings, client: kube::Client) -> Self {
        let api = Api::new(client, settings.request_limit);
        let source = Source::new(settings.source());
        let records = Records::open(Some(settings.folder.join("syncs.jsonl")));
        sweep(&settings);
        let (status, _) =
            watch::channel(Status { source: source.state.clone(), history: records.history(), ..Status::default() });
        Self {
            build: Build::new(settings.build()),
            rules: settings.plan(),
            api,
            source,
            settings,
            status,
            kinds: None,
            desired: None,
            target: None,
            synced: None,
            checksums: HashMap::new(),
            tolerated: Tolerated::new(),
            objects: Objects::new(),
            touched: Touched::new(),
            touched_up_to: None,
            dirty: BTreeSet::new(),
            stale: false,
            fights: Fights::default(),
            records,
            fetch_ms: 0.0,
            public_key: None,
            warned: false,
            started: Instant::now(),
        }
    }

    /// The next sync may delete everything when the repository is empty.
    pub(super) fn allow_empty(&mut self) {
        self.rules.allow_empty = true;
    }

    /// What time it is, for people.
    pub(super) fn now(&self) -> Timestamp {
        (self.settings.clock)()
    }

    /// What time it is, for timers.
    pub(super) fn moment(&self) -> Moment {
        self.started.elapsed()
    }

    /// The moment as a time of the clock.
    pub(super) fn wall(&self, moment: Moment) -> Option<Timestamp> {
        let now = self.moment();
        let ahead = jiff::SignedDuration::try_from(moment.saturating_sub(now)).ok()?;
        self.now().checked_add(ahead).ok()
    }

    /// The instant of a moment.
    pub(super) fn instant(&self, moment: Moment) -> Instant {
        self.started + moment
    }

    /// The client behind it.
    pub(super) fn client(&self) -> kube::Client {
        self.api.client().clone()
    }

    fn mirror(&self) -> Result<&Mirror, String> {
        self.source.mirror().ok_or_else(|| self.not_ready())
    }

    fn not_ready(&self) -> String {
        self.source.state.not_ready().unwrap_or_else(|| "git repo not ready".to_owned())
    }

    /// Looks at the repository. Gives the commit that may be applied, when there is one.
    pub async fn fetch(&mut self) -> Option<String> {
        let looked = self.begin_fetch().await.await;
        self.end_fetch(looked).await
    }

    /// Begins to look at the repository; all else can go on meanwhile. The outcome is for [`Engine::end_fetch`].
    pub(super) async fn begin_fetch(&mut self) -> BoxFuture<'static, Looked> {
        self.act(Activity::Fetching);
        let begun = Instant::now();
        let keyed = self.have_key().await;
        let (clock, status, mut source) = (self.settings.clock.clone(), self.status.clone(), self.source.clone());
        let look = async move {
            let mut tell = |state: &SourceState| status.send_modify(|s| s.source = state.clone());
            let ready = keyed && source.refresh(&*clock, &mut tell).await;
            Looked { source, ready, begun }
        };
        look.boxed()
    }

    /// Takes up what a look at the repository found. Gives the commit that may be applied, when there is one.
    pub(super) async fn end_fetch(&mut self, looked: Looked) -> Option<String> {
        let Looked { source, ready, begun } = looked;
        self.source = source;
        let target = if ready { self.verify().await } else { None };
        self.fetch_ms = begun.elapsed().as_secs_f64() * 1000.0;
        if let (Some(head), true) = (&self.source.state.head, ready) {
            let (url, branch) = (&self.source.state.url, &self.source.state.branch);
            tracing::debug!(source.url = %url, source.branch = %branch, source.head = %head, "refreshed");
        }
        if target.is_some() {
            self.target.clone_from(&target);
        }
        self.act(Activity::Idle);
        target
    }

    /// Sees that the key for SSH is there, when it is the one in the secret.
    async fn have_key(&mut self) -> bool {
        if self.settings.wants_key().is_none() || self.public_key.is_some() {
            return true;
        }
        match self.identity(false).await {
            Ok(_) => true,
            Err(error) => {
                self.source.fail(error, self.now());
                let state = self.source.state.clone();
                self.status.send_modify(|status| status.source = state);
                false
            }
        }
    }

    /// The public half of the key for SSH; of another one, when it is to be made anew.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub async fn identity(&mut self, regenerate: bool) -> Result<String, String> {
        // Also a repository that is reached without a key has one to show.
        let own = self.settings.remote.as_ref().filter(|remote| super::settings::is_ssh(&remote.url));
        let options = match (&self.settings.ssh_key, own) {
            (None, Some(_)) => return Err("the repository is reached with your own SSH keys".to_owned()),
            (options, _) => options.clone().unwrap_or_default(),
        };
        let folder = self.settings.folder.join("ssh");
        let secret = Secret { objects: &self.api, at: &self.settings.secret };
        let pair = if regenerate {
            secret.regenerate(&options, &folder).await
        } else {
            secret.identity(&options, &folder).await
        };
        let pair = pair.map_err(|error| error.to_string())?;
        if self.settings.wants_key().is_some() {
            let access = super::git::identity::install(&pair, &folder).map_err(|error| error.to_string())?;
            self.source.set_access(access);
        }
        self.public_key = Some(pair.public.clone());
        Ok(pair.public)
    }

    /// The secret with the key is in another namespace from now on.
    pub fn keep_key_in(&mut self, namespace: String) {
        if self.settings.secret.namespace != namespace {
            self.settings.secret.namespace = namespace;
            self.public_key = None;
        }
    }

    /// The commits up to `revision` that are not synced yet, within the paths; up to the newest when none is named.
    ///
    /// # Errors
    /// Why that cannot be told, in words.
    pub async fn unsynced(&mut self, revision: Option<&str>) -> Result<Vec<Commit>, String> {
        let pointer = self.pointer().await?;
        let paths = self.settings.log_paths();
        let mirror = self.mirror()?;
        let revision = match revision {
            Some(name) => mirror.resolve(name).await.map_err(|error| error.to_string())?,
            None => self.target.clone(),
        };
        let revision = revision.ok_or("there is no such commit")?;
        let range = Range { after: pointer.as_deref(), paths: &paths, ..Range::up_to(&revision) };
        mirror.commits(range).await.map_err(|error| error.to_string())
    }

    /// The newest commit that signatures allow.
    async fn verify(&mut self) -> Option<String> {
        let head = self.source.state.head.clone()?;
        let mode = self.settings.verify;
        if mode == VerifyMode::None {
            return Some(head);
        }
        let judged = async {
            let mirror = self.source.mirror().ok_or_else(|| Distrust::Git(GitError::Branch(String::new())))?;
            let tagged = mirror.synced().await?;
            mirror.verify(mode, tagged.as_deref(), &head).await
        };
        let (target, unverified) = match judged.await {
            Ok(verdict) => {
                let stopped = verdict.stopped_by.map(|commit| Unverified {
                    why: format!(
                        "found invalid GPG signature for commit {}: it {}",
                        short(&commit.id),
                        commit.signature.map_or("is not signed", super::git::signature::Signature::words),
                    ),
                    commit: Some(commit.id),
                });
                (verdict.valid, stopped)
            }
            Err(distrust) => (None, Some(Unverified { commit: None, why: distrust.to_string() })),
        };
        if let Some(unverified) = &unverified {
            tracing::warn!(why = %unverified.why, "not everything of the branch may be applied");
        }
        self.status.send_modify(|status| status.unverified = unverified);
        target
    }

    /// Why git did not do something, in words. A broken copy is made again.
    fn git_failed(&mut self, error: &GitError) -> String {
        self.source.mend(error);
        error.to_string()
    }

    /// The commit that the pointer is on.
    async fn pointer(&mut self) -> Result<Option<String>, String> {
        match self.settings.pointer() {
            Pointer::Git => {
                let synced = self.mirror()?.synced().await;
                synced.map_err(|error| self.git_failed(&error))
            }
            Pointer::Local => Ok(self.records.synced().map(str::to_owned)),
            Pointer::Secret => {
                let secret = Secret { objects: &self.api, at: &self.settings.secret };
                secret.pointer().await.map_err(|error| error.to_string())
            }
        }
    }

    async fn move_pointer(&mut self, revision: &str) -> Result<(), String> {
        match self.settings.pointer() {
            Pointer::Git => {
                let moved = self.mirror()?.move_tag(revision, &self.settings.committer).await;
                moved.map_err(|error| self.git_failed(&error))
            }
            // The record of this sync is the pointer.
            Pointer::Local => Ok(()),
            Pointer::Secret => {
                let secret = Secret { objects: &self.api, at: &self.settings.secret };
                secret.set_pointer(revision).await.map_err(|error| error.to_string())
            }
        }
    }

    /// Finds for every file the last commit that touched it, as far as that is new.
    pub(super) async fn trace_commits(&mut self) {
        let (Some(mirror), Some(revision)) = (self.source.mirror(), self.synced.clone()) else { return };
        if self.touched_up_to.as_ref() == Some(&revision) {
            return;
        }
        let after = self.touched_up_to.as_deref();
        let range = Range { after, most: 2000, ..Range::up_to(&revision) };
        match mirror.last_touched(range).await {
            Ok(newer) => {
                self.touched.extend(newer);
                with_commits(&mut self.objects, &self.touched);
                self.publish();
            }
            Err(error) => tracing::debug!(%error, "cannot tell which commits touched which files"),
        }
        // What takes too long is not tried again: only what comes after.
        self.touched_up_to = Some(revision);
    }

    /// Shows what it does.
    pub(super) fn act(&self, activity: Activity) {
        self.status.send_modify(|status| status.activity = activity);
    }

    /// Whether what is known of the objects is newer than what is shown.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Shows what is known of the objects.
    pub(super) fn publish(&mut self) {
        self.stale = false;
        let objects = Arc::new(self.objects.clone());
        self.status.send_modify(|status| status.objects = objects);
    }

    /// The kinds that manifests of Git have, for watching.
    pub(super) fn manifests(&self) -> &[Arc<Manifest>] {
        self.desired.as_ref().map_or(&[], |desired| &desired.loaded.manifests)
    }

    /// The kinds of the cluster, as far as they are known.
    pub(super) fn kinds(&self) -> Option<&Arc<Kinds>> {
        self.kinds.as_ref()
    }
}

/// Removes scratch files of a run that was killed.
fn sweep(settings: &Settings) {
    let folder = settings.folder.join("scratch");
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("scratch-") {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
