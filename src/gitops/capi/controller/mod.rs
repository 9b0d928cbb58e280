//! The controllers at work: they look, decide, carry out, and look again when something changed or the time has come.

mod install;
mod news;
mod requests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::action::{Action, Pass};
use super::cache::Cache;
use super::decide::decide;
use super::describe::{self, Row, Snapshot};
use super::error::Error;
use super::kind::Kind;
use super::name::Names;
use super::options::Options;
use super::workload;
use super::world::{Id, World, name, namespace};
use crate::cluster::clock::Clock;
use crate::cluster::object::text;
use news::News;
use requests::{Outcome, Requests};

/// How long an object is left alone that the API server refused to change.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing is tried when the API server does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How many decisions in a row are carried out without news from outside: a fault would go on for ever.
const STREAK: u32 = 2000;

/// What is known of all clusters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Whether the kinds are installed and all objects were seen.
    pub running: bool,
    /// The clusters, by namespace and name.
    pub clusters: Vec<ClusterState>,
    /// What cannot go on, in the words of a controller's log.
    pub problems: Vec<String>,
    /// Whether nothing is left to do at this moment.
    pub settled: bool,
    /// When something is due; none while nothing is. Stepping the clock to it goes to the next change.
    pub due: Option<Timestamp>,
}

/// What is known of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterState {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its phase. A cluster is `Provisioned` when its infrastructure is; that says nothing of its control plane.
    pub phase: String,
    /// Host and port of its API server; empty while there is none.
    pub endpoint: String,
    /// Whether its control plane has answered.
    pub initialized: bool,
    /// Its tree, as `clusterctl describe cluster` shows it.
    pub rows: Vec<Row>,
    /// What the tree is made from, to show it otherwise.
    pub snapshot: Snapshot,
}

/// Looks at the controllers from outside.
#[derive(Debug, Clone)]
pub struct Handle {
    state: watch::Receiver<Arc<State>>,
}

impl Handle {
    /// What is known of all clusters, and whenever that changes.
    pub fn status(&self) -> watch::Receiver<Arc<State>> {
        self.state.clone()
    }
}

/// The controllers of Cluster API with simulated infrastructure.
#[derive(Debug)]
pub struct ClusterApi {
    requests: Requests,
    clock: Clock,
    options: Options,
    state: watch::Sender<Arc<State>>,
    cache: Cache,
    names: Names,
    /// Objects that are left alone until a time.
    refused: HashMap<Id, (Instant, String)>,
}

impl ClusterApi {
    /// Controllers for the clusters behind a client, in a clock's time.
    pub fn new(client: kube::Client, clock: Clock, options: Options) -> Self {
        Self {
            requests: Requests::new(client, options.seed),
            clock,
            names: Names::new(options.seed),
            options,
            state: watch::Sender::new(Arc::default()),
            cache: Cache::default(),
            refused: HashMap::new(),
        }
    }

    /// A look at them.
    pub fn handle(&self) -> Handle {
        Handle { state: self.state.subscribe() }
    }

    /// Installs the kinds and works until stopped. A stop waits for the request under way, no longer. What broke off can
    /// be run again.
    ///
    /// # Errors
    /// When the kinds cannot be installed.
    pub async fn run(&mut self, stop: CancellationToken) -> Result<(), Error> {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            installed = install::install(self.requests.client()) => installed?,
        }
        let mut news = News::follow(self.requests.client());
        let mut streak = 0;
        let mut installed = Instant::now();
        while !stop.is_cancelled() {
            if news.was_blind() && installed.elapsed() >= PATIENCE {
                // a cluster that went back to a moment before the kinds were there has lost them
                tokio::select! {
                    () = stop.cancelled() => break,
                    done = install::install(self.requests.client()) => drop(done),
                }
                installed = Instant::now();
            }
            if !news.is_complete() {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = news.next(&mut self.cache) => {}
                }
                continue;
            }
            while let Some(fresh) = news.now(&mut self.cache) {
                streak = if fresh { 0 } else { streak };
            }
            let (actions, due) = self.decide();
            let going_on = !actions.is_empty() && streak < STREAK;
            if going_on {
                streak += 1;
                if self.carry_out(actions, &stop).await {
                    continue;
                }
            } else if streak >= STREAK {
                tracing::warn!(actions = actions.len(), "the controllers come to no end; they wait for news");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                fresh = news.next(&mut self.cache) => streak = if fresh { 0 } else { streak },
                () = until(&self.clock, due) => streak = 0,
                () = retry(&self.refused, going_on) => {}
            }
        }
        Ok(())
    }

    /// What is to be done now; publishes what is known.
    fn decide(&mut self) -> (Vec<Action>, Option<Timestamp>) {
        let now = self.clock.now();
        let world = World::new(self.cache.objects());
        let mut pass = Pass::new(world, now, &self.options, &mut self.names);
        decide(&mut pass);
        let Pass { world, mut actions, again, mut problems, .. } = pass;
        let at = Instant::now();
        self.refused.retain(|_, (until, _)| *until > at);
        actions.retain(|action| subject(action).is_none_or(|id| !self.refused.contains_key(&id)));
        if actions.iter().all(|action| matches!(action, Action::Event { .. })) {
            // events without the change that they tell of would be told again and again
            actions.clear();
        }
        problems.extend(self.refused.iter().map(|(id, (_, why))| format!("{id}: {why}")));
        problems.sort();
        problems.dedup();
        let clusters = world.all(Kind::Cluster).map(|(_, cluster)| state_of(&world, cluster)).collect();
        let state = State { running: true, clusters, problems, settled: actions.is_empty(), due: again };
        self.state.send_if_modified(|known| {
            let changed = **known != state;
            if changed {
                *known = Arc::new(state);
            }
            changed
        });
        (actions, again)
    }

    /// Does what was decided. False when the API server does not answer.
    async fn carry_out(&mut self, actions: Vec<Action>, stop: &CancellationToken) -> bool {
        for action in actions {
            if stop.is_cancelled() {
                return true;
            }
            let id = subject(&action);
            let outcome = self.requests.carry_out(action, self.clock.now()).await;
            match (outcome, id) {
                (Outcome::Is(object), Some(id)) => {
                    self.cache.put(id.kind, object);
                }
                (Outcome::Gone, Some(id)) => self.cache.vanished(&id),
                (Outcome::Refused(why), Some(id)) => {
                    tracing::warn!(object = %id, %why, "the API server refuses a change");
                    self.refused.insert(id, (Instant::now() + PATIENCE, why));
                }
                (Outcome::Away(why), id) => {
                    tracing::debug!(?id, %why, "the API server does not answer");
                    return false;
                }
                (_, _) => {}
            }
        }
        true
    }
}

/// The object that an action is about.
fn subject(action: &Action) -> Option<Id> {
    match action {
        Action::Create { id, .. }
        | Action::Patch { id, .. }
        | Action::PatchStatus { id, .. }
        | Action::Delete { id, .. } => Some(id.clone()),
        Action::Event { about, .. } => {
            Some(Id::new(Kind::of(text(about, &["kind"]))?, text(about, &["namespace"]), text(about, &["name"])))
        }
    }
}

async fn until(clock: &Clock, due: Option<Timestamp>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Waits until what was refused, or could not be asked for, is tried again.
async fn retry(refused: &HashMap<Id, (Instant, String)>, failed: bool) {
    match (refused.values().map(|(until, _)| *until).min(), failed) {
        (_, true) => tokio::time::sleep(PAUSE).await,
        (Some(time), false) => tokio::time::sleep_until(time).await,
        (None, false) => std::future::pending().await,
    }
}

fn state_of(world: &World<'_>, cluster: &serde_json::Value) -> ClusterState {
    let snapshot = describe::snapshot(world, cluster);
    let host = text(cluster, &["spec", "controlPlaneEndpoint", "host"]);
    let port = crate::cluster::object::int(cluster, &["spec", "controlPlaneEndpoint", "port"]).unwrap_or(0);
    ClusterState {
        namespace: namespace(cluster).to_owned(),
        name: name(cluster).to_owned(),
        phase: text(cluster, &["status", "phase"]).to_owned(),
        endpoint: if host.is_empty() { String::new() } else { format!("{host}:{port}") },
        initialized: workload::is_initialized(cluster),
        rows: describe::rows(&snapshot, &describe::Options::default()),
        snapshot,
    }
}
