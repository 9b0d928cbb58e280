//! The controller: it watches HelmReleases of both kinds and makes passes over them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{BoxStream, FuturesUnordered, SelectAll, StreamExt as _};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use super::chart::Sources;
use super::hands::Hands;
use super::install;
use super::pass::Pass;
use super::wish::{Generation, Wish};
use crate::cluster::clock::Clock;
use crate::cluster::object::{Key, int, list, text};

/// Charts and values in git, config maps and secrets are looked at so often.
const LOOK: Duration = Duration::from_secs(5);
/// How many passes go on at the same time.
const AT_ONCE: usize = 8;
/// How long passes may go on after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long after a failure something is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// The longest wait after failures in a row.
const LONGEST: Duration = Duration::from_secs(30);

type Id = (Generation, Key);
/// How often each release was made.
pub(super) type Revisions = Arc<Mutex<BTreeMap<Id, i64>>>;

/// A release, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// The HelmRelease's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The release.
    pub release: String,
    /// `podinfo-6.5.0`; what is asked for, until there is one.
    pub chart: String,
    /// The version of the chart that is deployed.
    pub version: String,
    /// How often it was made.
    pub revision: i64,
    /// A phase, or why it is not ready.
    pub status: String,
    /// Whether all is well; none while it is being worked on.
    pub good: Option<bool>,
    /// What is said of it.
    pub message: String,
    /// Since when it is so.
    pub updated: String,
}

/// Looks at the controller from outside.
#[derive(Debug, Clone)]
pub struct Handle {
    state: watch::Receiver<Option<Arc<Vec<View>>>>,
}

impl Handle {
    /// All releases, and whenever that changes; none until they were looked at.
    pub fn status(&self) -> watch::Receiver<Option<Arc<Vec<View>>>> {
        self.state.clone()
    }
}

/// Makes releases until it is stopped.
pub struct Releases {
    hands: Hands,
    sources: Arc<Sources>,
    clock: Clock,
    known: BTreeMap<Id, Value>,
    listed: HashMap<Generation, BTreeSet<Id>>,
    ready: BTreeSet<Generation>,
    due: BTreeMap<Id, (Instant, u32)>,
    busy: BTreeSet<Id>,
    again: BTreeSet<Id>,
    revisions: Revisions,
    state: watch::Sender<Option<Arc<Vec<View>>>>,
    blind: bool,
}

impl std::fmt::Debug for Releases {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Releases").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

type Watched = SelectAll<BoxStream<'static, (Generation, Result<Event<DynamicObject>, watcher::Error>)>>;
type Passes = FuturesUnordered<BoxFuture<'static, (Id, Result<bool, String>)>>;

impl Releases {
    /// A controller that begins its work with [`Releases::run`].
    pub fn new(client: kube::Client, clock: Clock, sources: Sources) -> Self {
        Self {
            hands: Hands::new(client),
            sources: Arc::new(sources),
            clock,
            known: BTreeMap::new(),
            listed: HashMap::new(),
            ready: BTreeSet::new(),
            due: BTreeMap::new(),
            busy: BTreeSet::new(),
            again: BTreeSet::new(),
            revisions: Revisions::default(),
            state: watch::Sender::new(None),
            blind: false,
        }
    }

    /// A look at it.
    pub fn handle(&self) -> Handle {
        Handle { state: self.state.subscribe() }
    }

    /// Installs the definitions and works until it is stopped. What broke off can be run again.
    ///
    /// # Errors
    /// When the definitions cannot be made.
    pub async fn run(&mut self, stop: CancellationToken) -> Result<(), String> {
        (self.busy, self.again) = (BTreeSet::new(), BTreeSet::new());
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            done = install::definitions(&self.hands) => done?,
        }
        let mut installed = Instant::now();
        let mut watched = self.watch();
        let mut passes = Passes::new();
        while !stop.is_cancelled() {
            if self.blind && installed.elapsed() >= AGAIN {
                // A cluster that went back to a moment before the definitions were there has lost them.
                tokio::select! {
                    () = stop.cancelled() => break,
                    done = install::definitions(&self.hands) => drop(done),
                }
                (installed, self.blind) = (Instant::now(), false);
            }
            let next = self.start_due(&passes, &stop);
            for (id, pass) in next.0 {
                passes.push(async move { (id, pass.run().await) }.boxed());
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some((id, ended)) = passes.next(), if !passes.is_empty() => self.passed(id, ended),
                Some((generation, event)) = watched.next() => self.take(generation, event),
                () = until(next.1) => {}
            }
        }
        let rest = async { while passes.next().await.is_some() {} };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("passes over Helm releases did not end in time");
        }
        Ok(())
    }

    fn watch(&self) -> Watched {
        let mut all = SelectAll::new();
        for generation in [Generation::Operator, Generation::Toolkit] {
            let (group, version) = generation.api_version().split_once('/').unwrap_or_default();
            let resource = ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version: generation.api_version().to_owned(),
                kind: "HelmRelease".to_owned(),
                plural: "helmreleases".to_owned(),
            };
            let api: Api<DynamicObject> = Api::all_with(self.hands.objects.client().clone(), &resource);
            let events = watcher(api, watcher::Config::default()).default_backoff();
            all.push(events.map(move |event| (generation, event)).boxed());
        }
        all
    }

    fn take(&mut self, generation: Generation, event: Result<Event<DynamicObject>, watcher::Error>) {
        let read = |object: DynamicObject| {
            let mut value = serde_json::to_value(object).unwrap_or_default();
            value["apiVersion"] = generation.api_version().into();
            value
        };
        match event {
            Ok(Event::Init) => drop(self.listed.insert(generation, BTreeSet::new())),
            Ok(Event::InitApply(object)) => {
                let id = self.put(generation, read(object));
                self.listed.entry(generation).or_default().insert(id);
            }
            Ok(Event::Apply(object)) => drop(self.put(generation, read(object))),
            Ok(Event::Delete(object)) => self.drop_release(&(generation, Key::of(&read(object)))),
            Ok(Event::InitDone) => {
                let there = self.listed.remove(&generation).unwrap_or_default();
                let gone: Vec<Id> =
                    self.known.keys().filter(|id| id.0 == generation && !there.contains(*id)).cloned().collect();
                gone.iter().for_each(|id| self.drop_release(id));
                self.ready.insert(generation);
            }
            Err(error) => {
                self.blind = true;
                tracing::debug!(%error, "Helm releases cannot be watched");
            }
        }
        self.publish();
    }

    fn put(&mut self, generation: Generation, object: Value) -> Id {
        let id = (generation, Key::of(&object));
        let news = self.known.get(&id).is_none_or(|known| {
            let version = |object: &Value| {
                (
                    int(object, &["metadata", "generation"]),
                    text(object, &["metadata", "deletionTimestamp"]).to_owned(),
                    text(object, &["metadata", "uid"]).to_owned(),
                )
            };
            version(known) != version(&object)
        });
        self.known.insert(id.clone(), object);
        if news {
            self.due.insert(id.clone(), (Instant::now(), 0));
            if self.busy.contains(&id) {
                self.again.insert(id.clone());
            }
        }
        id
    }

    fn drop_release(&mut self, id: &Id) {
        self.known.remove(id);
        self.due.remove(id);
        self.again.remove(id);
        self.revisions.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn start_due(&mut self, passes: &Passes, stop: &CancellationToken) -> (Vec<(Id, Pass)>, Option<Instant>) {
        let now = Instant::now();
        let room = AT_ONCE.saturating_sub(passes.len());
        let due = self.due.iter().filter(|(id, (at, _))| *at <= now && !self.busy.contains(*id));
        let due: Vec<Id> = due.take(room).map(|(id, _)| id.clone()).collect();
        let started = due.into_iter().map(|id| {
            self.busy.insert(id.clone());
            let pass = Pass {
                hands: self.hands.clone(),
                sources: self.sources.clone(),
                clock: self.clock.clone(),
                stop: stop.clone(),
                generation: id.0,
                key: id.1.clone(),
                revisions: self.revisions.clone(),
            };
            (id, pass)
        });
        let started: Vec<(Id, Pass)> = started.collect();
        let next = self.due.iter().filter(|(id, _)| !self.busy.contains(*id)).map(|(_, (at, _))| *at).min();
        // With no room left, the next pass that ends wakes us.
        (started, next.filter(|next| *next > now))
    }

    fn passed(&mut self, id: Id, ended: Result<bool, String>) {
        self.busy.remove(&id);
        self.publish();
        if !self.known.contains_key(&id) {
            return;
        }
        let failures = self.due.get(&id).map_or(0, |(_, failures)| *failures);
        let (wait, failures) = match &ended {
            _ if self.again.remove(&id) => (Duration::ZERO, 0),
            Ok(false) => (LOOK, 0),
            Ok(true) => (LOOK.saturating_mul(1 << failures.min(3)).min(LONGEST), failures + 1),
            Err(why) => {
                tracing::debug!(release = %id.1, %why, "a pass over a Helm release broke off");
                (AGAIN.saturating_mul(1 << failures.min(6)).min(LONGEST), failures + 1)
            }
        };
        self.due.insert(id, (Instant::now() + wait, failures));
    }

    fn publish(&self) {
        if self.ready.len() < 2 {
            return;
        }
        let revisions = self.revisions.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = |id: &Id| revisions.get(id).copied().unwrap_or(0);
        let all: Vec<View> = self.known.iter().map(|(id, object)| view(id.0, object, revision(id))).collect();
        drop(revisions);
        self.state.send_if_modified(|known| {
            let changed = known.as_deref() != Some(&all);
            if changed {
                *known = Some(Arc::new(all));
            }
            changed
        });
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => tokio::time::sleep_until(next).await,
        None => std::future::pending().await,
    }
}

/// What is shown of a HelmRelease.
fn view(generation: Generation, object: &Value, revision: i64) -> View {
    let wish = Wish::read(object);
    let status = |path: &[&str]| text(object, &[&["status"], path].concat()).to_owned();
    let conditions = list(object, &["status", "conditions"]);
    let name = if generation == Generation::Operator { "Released" } else { "Ready" };
    let main = conditions.iter().find(|it| text(it, &["type"]) == name);
    let latest = conditions.iter().max_by_key(|it| text(it, &["lastUpdateTime"]));
    let said = |it: Option<&Value>, field: &str| it.map(|it| text(it, &[field]).to_owned()).unwrap_or_default();
    let phase = if generation == Generation::Operator { status(&["phase"]) } else { said(main, "reason") };
    let good = match phase.as_str() {
        "Succeeded" | "InstallSucceeded" | "UpgradeSucceeded" => Some(true),
        phase
            if phase.contains("Fail")
                || phase.contains("RolledBack")
                || phase.contains("NotReady")
                || phase == "RollbackSucceeded" =>
        {
            Some(false)
        }
        _ => None,
    };
    let asked = match &wish.chart {
        Some(super::wish::ChartPlace::Repository { name, .. }) => name.clone(),
        Some(super::wish::ChartPlace::Git { path, .. }) => path.clone(),
        Some(super::wish::ChartPlace::Source { chart, name, .. }) => {
            if chart.is_empty() {
                name.clone()
            } else {
                chart.clone()
            }
        }
        None => String::new(),
    };
    View {
        namespace: text(object, &["metadata", "namespace"]).to_owned(),
        name: text(object, &["metadata", "name"]).to_owned(),
        release: wish.release,
        chart: asked,
        version: if generation == Generation::Operator {
            status(&["revision"])
        } else {
            status(&["lastAttemptedRevision"])
        },
        revision,
        status: phase,
        good,
        message: said(if generation == Generation::Operator { latest } else { main }, "message"),
        updated: said(main.or(latest), "lastTransitionTime"),
    }
}
