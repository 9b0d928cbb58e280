//! Deployments: a replica set per pod template, and the way from one to the next.

mod annotations;
mod history;
mod newest;
mod recreate;
mod rolling;
mod scale;
mod spec;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, int, list};
use crate::cluster::sim::actions::Kind;
use crate::cluster::sim::views::{OwnerView, SetView};
use crate::cluster::sim::{Decision, World, ownership};

use spec::Spec;

const DEPLOYMENT: Kind =
    Kind { resource: "deployments.apps", api_version: "apps/v1", kind: "Deployment", source: "deployment-controller" };
const REPLICA_SETS: &str = "replicasets.apps";

/// What is to be done for a deployment.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(DEPLOYMENT.resource, key) else { return Decision::default() };
    let mut rollout = Rollout::read(world, stored);
    if rollout.selects_everything() {
        rollout.refuse_empty_selector();
        return rollout.decision;
    }
    rollout.find_sets();
    if stored.deleting {
        rollout.write_status();
        return rollout.decision;
    }
    rollout.note_pause();
    rollout.sync_newest();
    if rollout.spec.paused || rollout.is_being_scaled() {
        rollout.scale();
    } else if rollout.spec.recreate {
        rollout.recreate();
    } else {
        rollout.roll();
    }
    rollout.decision
}

/// The deployments to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        "deployments.apps" => DEPLOYMENT.itself(change),
        REPLICA_SETS => DEPLOYMENT.owners_concerned(change, store, REPLICA_SETS, &ownership::selects),
        // Recreate waits until the last old pod is gone.
        "pods" if change.kind == ChangeKind::Deleted => waits_for_pod(object, store).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn waits_for_pod(pod: &Stored, store: &Store) -> Option<Key> {
    let set = store.by_uid(&pod.controller()?.uid)?;
    let deployment = store.by_uid(&set.controller()?.uid)?;
    let view = deployment.view::<OwnerView>();
    let recreates = view.spec.strategy.as_ref().is_some_and(|strategy| strategy.r#type.as_deref() == Some("Recreate"));
    (*deployment.resource == *DEPLOYMENT.resource && recreates).then(|| deployment.key.clone())
}

/// A deployment's replica set.
#[derive(Debug, Clone)]
struct Set<'a> {
    stored: &'a Arc<Stored>,
    view: Arc<SetView>,
}

impl Set<'_> {
    /// How many pods it shall have.
    fn replicas(&self) -> i64 {
        self.view.replicas
    }

    /// How many are available of those it shall have. Its status may be older than its spec: what is too much is
    /// taken from the unavailable ones first.
    fn available(&self) -> i64 {
        self.view.status.available_replicas.min(self.replicas()).max(0)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.view.annotations.get(name).map(|value| &**value)
    }

    fn number(&self, annotation: &str) -> Option<i64> {
        self.annotation(annotation)?.parse().ok()
    }

    /// Oldest first; the name decides among those of the same second.
    fn age(&self) -> (Option<Timestamp>, &Key) {
        (self.view.created, &self.stored.key)
    }
}

/// The set of the current template.
#[derive(Debug, Clone)]
enum Newest<'a> {
    /// There is none.
    Missing,
    /// There is one.
    There(Set<'a>),
    /// This decision makes it, with so many replicas.
    Made {
        /// Its name.
        name: String,
        /// How many pods it shall have.
        replicas: i64,
    },
}

impl Newest<'_> {
    fn set(&self) -> Option<&Set<'_>> {
        if let Self::There(set) = self { Some(set) } else { None }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Missing => None,
            Self::There(set) => Some(&set.stored.key.name),
            Self::Made { name, .. } => Some(name),
        }
    }

    fn replicas(&self) -> i64 {
        match self {
            Self::Missing => 0,
            Self::There(set) => set.replicas(),
            Self::Made { replicas, .. } => *replicas,
        }
    }
}

/// One look at a deployment: what it is like, and what comes of it.
struct Rollout<'a> {
    world: World<'a>,
    stored: &'a Arc<Stored>,
    /// The deployment; its status and annotations change as the look goes on.
    object: Value,
    spec: Spec,
    newest: Newest<'a>,
    /// The sets of other templates.
    old: Vec<Set<'a>>,
    /// Whether its status is written already: what more there is to say waits for the next look.
    written: bool,
    decision: Decision,
}

impl<'a> Rollout<'a> {
    fn read(world: &World<'a>, stored: &'a Arc<Stored>) -> Self {
        let object = stored.value();
        Self {
            world: *world,
            stored,
            spec: Spec::read(&object),
            object,
            newest: Newest::Missing,
            old: Vec::new(),
            written: false,
            decision: Decision::default(),
        }
    }

    fn selects_everything(&self) -> bool {
        ownership::selector(self.stored).is_empty()
    }

    fn refuse_empty_selector(&mut self) {
        if int(&self.object, &["status", "observedGeneration"]) >= Some(self.spec.generation) {
            return;
        }
        let message = "This deployment is selecting all pods. A non-empty selector is required.".to_owned();
        self.decision.push(DEPLOYMENT.warning(self.stored, "SelectingAll", message));
        crate::cluster::object::set(&mut self.object, &["status", "observedGeneration"], self.spec.generation);
        self.write();
    }

    /// Finds the replica sets that belong to it, and which of them is the current template's.
    fn find_sets(&mut self) {
        let selector = ownership::selector(self.stored);
        let matches = |set: &Stored| selector.matches(&set.labels);
        let claimed = DEPLOYMENT.claim(&self.world, self.stored, REPLICA_SETS, &matches, &mut self.decision);
        let mut sets: Vec<_> = claimed.into_iter().map(|stored| Set { stored, view: stored.view() }).collect();
        sets.sort_by(|one, other| one.age().cmp(&other.age()));
        if let Some(at) = self.find_newest(&sets) {
            self.newest = Newest::There(sets.remove(at));
        }
        self.old = sets;
    }

    /// The sets that are there, the newest last.
    fn sets(&self) -> impl Iterator<Item = &Set<'_>> {
        self.old.iter().chain(self.newest.set())
    }

    /// The sets that shall have pods, the newest last.
    fn active(&self) -> Vec<Set<'a>> {
        let mut active = self.active_old();
        if let Newest::There(newest) = &self.newest
            && newest.replicas() > 0
        {
            active.push(newest.clone());
        }
        active
    }

    /// The sets of other templates that shall have pods.
    fn active_old(&self) -> Vec<Set<'a>> {
        self.old.iter().filter(|set| set.replicas() > 0).cloned().collect()
    }

    /// How many pods its sets shall have.
    fn total(&self) -> i64 {
        self.old.iter().map(Set::replicas).sum::<i64>() + self.newest.replicas()
    }

    fn conditions(&self) -> Vec<Value> {
        list(&self.object, &["status", "conditions"]).to_vec()
    }

    /// Writes the deployment's status as it is by now, once.
    fn write(&mut self) {
        if !self.written {
            self.written = true;
            self.decision.write_status(&DEPLOYMENT, self.object.clone());
        }
    }
}
