//! ReplicaSets, and ReplicationControllers, which are the same in older clothes: a number of equal pods.

pub(crate) mod rank;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, set};
use crate::cluster::sim::actions::{self, BURST, Kind};
use crate::cluster::sim::views::{Pod, PodView, SetCondition, SetStatus, SetView};
use crate::cluster::sim::{Decision, World, template, times};

const REPLICA_SET: Kind =
    Kind { resource: "replicasets.apps", api_version: "apps/v1", kind: "ReplicaSet", source: "replicaset-controller" };

/// What is to be done for a replica set.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    sync(world, key, &REPLICA_SET)
}

/// The replica sets to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    concerned(change, store, &REPLICA_SET)
}

/// The keys of such sets that a change concerns.
pub(crate) fn concerned(change: &Change, store: &Store, kind: &Kind) -> Vec<Key> {
    let selects = |set: &Stored, pod: &Stored| set.view::<SetView>().selector.matches(&pod.labels);
    let mut keys = kind.itself(change);
    keys.extend(kind.owners_concerned(change, store, "pods", &selects));
    keys
}

/// One look at a set of either kind.
pub(crate) fn sync(world: &World<'_>, key: &Key, kind: &Kind) -> Decision {
    let Some(stored) = world.store.get(kind.resource, key) else { return Decision::default() };
    let view = stored.view::<SetView>();
    let mut decision = Decision::default();
    if view.selector.is_empty() {
        return decision;
    }
    // Nobody takes in a pod that has ended.
    let fits = |pod: &Stored| pod.controller().is_some() || !pod.view::<PodView>().phase.ended();
    let counts = |pod: &Stored| view.selector.matches(&pod.labels) && fits(pod);
    let claimed = kind.claim(world, stored, "pods", &counts, &mut decision);
    let pods: Vec<_> = claimed.into_iter().map(Pod::read).collect();
    let active: Vec<_> = pods.iter().filter(|pod| pod.active()).cloned().collect();

    let mut look = Replicas { world, kind, stored, view: &view, active, object: None, decision };
    let outcome = if stored.deleting { Outcome::Content } else { look.resize() };
    // With pods on their way in or out there is a next look soon: it tells of them.
    if outcome != Outcome::Resized {
        let terminating = pods.iter().filter(|pod| pod.terminating()).count();
        look.write_status(terminating, outcome);
    }
    look.watch_availability();
    look.decision
}

/// One look at a set.
struct Replicas<'a> {
    world: &'a World<'a>,
    kind: &'a Kind,
    stored: &'a Arc<Stored>,
    view: &'a SetView,
    active: Vec<Pod<'a>>,
    /// The whole set, read when it is needed.
    object: Option<Value>,
    decision: Decision,
}

/// What came of comparing the pods there are with those there shall be.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// There is nothing to do.
    Content,
    /// Pods are made or deleted.
    Resized,
    /// The API does not want it.
    Failed { reason: &'static str, message: String },
}

impl Replicas<'_> {
    fn object(&mut self) -> &mut Value {
        self.object.get_or_insert_with(|| self.stored.value())
    }

    /// Makes the pods that are missing, or deletes those that are too many.
    fn resize(&mut self) -> Outcome {
        let wanted = usize::try_from(self.view.replicas).unwrap_or(0);
        let (missing, surplus) = (wanted.saturating_sub(self.active.len()), self.active.len().saturating_sub(wanted));
        if missing == 0 && surplus == 0 {
            return Outcome::Content;
        }
        if let Some(why) = self.world.refusal() {
            let (reason, doing) = if missing > 0 { ("FailedCreate", "creating") } else { ("FailedDelete", "deleting") };
            if actions::is_namespace_ending(why) {
                return Outcome::Content;
            }
            let message = format!("Error {doing}: {why}");
            self.decision.push(self.kind.warning(self.stored, reason, message));
            return Outcome::Failed { reason, message: why.to_owned() };
        }
        if missing > 0 {
            self.grow(missing.min(BURST));
        } else {
            self.shrink(surplus.min(BURST));
        }
        Outcome::Resized
    }

    fn grow(&mut self, missing: usize) {
        let (world, kind, stored) = (self.world, self.kind, self.stored);
        let prefix = format!("{}-", stored.key.name);
        let template = at(self.object(), &["spec", "template"]).cloned().unwrap_or_else(|| json!({}));
        for number in 0..missing {
            let name = template::free_name(world, "pods", stored, &prefix, number);
            let pod = template::pod(kind, stored, &template, &prefix, &name);
            self.decision.push(actions::create("pods", pod));
            self.decision.push(kind.normal(stored, "SuccessfulCreate", format!("Created pod: {name}")));
        }
    }

    fn shrink(&mut self, surplus: usize) {
        let related = related_pods(self.world, self.stored);
        for pod in rank::first_to_go(&self.active, &related, self.world.now, surplus) {
            self.decision.push(actions::delete(pod));
            let message = format!("Deleted pod: {}", pod.key.name);
            self.decision.push(self.kind.normal(self.stored, "SuccessfulDelete", message));
        }
    }

    /// Writes the status if it has changed.
    fn write_status(&mut self, terminating: usize, outcome: Outcome) {
        let before = &self.view.status;
        let mut status = self.count(terminating);
        status.conditions = self.conditions(outcome);
        if status == *before {
            return;
        }
        let conditions = (status.conditions != before.conditions).then(|| json_conditions(&status.conditions));
        let counters = json_status(&status);
        let object = self.object();
        let conditions = conditions.or_else(|| at(object, &["status", "conditions"]).cloned());
        let mut written = counters;
        if let Some(conditions) =
            conditions.filter(|conditions| conditions.as_array().is_some_and(|all| !all.is_empty()))
        {
            written.insert("conditions".into(), conditions);
        }
        set(object, &["status"], written);
        if let Some(object) = self.object.take() {
            self.decision.write_status(self.kind, object);
        }
    }

    fn count(&mut self, terminating: usize) -> SetStatus {
        let (now, min_ready, generation) = (self.world.now, self.view.min_ready, self.view.generation);
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let ready = self.active.iter().filter(|pod| pod.view.ready).count();
        let available = self.active.iter().filter(|pod| pod.view.available(min_ready, now)).count();
        SetStatus {
            replicas: number(self.active.len()),
            fully_labeled_replicas: number(self.fully_labelled()),
            ready_replicas: number(ready),
            available_replicas: number(available),
            terminating_replicas: (self.kind == &REPLICA_SET).then(|| number(terminating)),
            observed_generation: generation,
            conditions: Vec::new(),
        }
    }

    fn fully_labelled(&self) -> usize {
        let labels = &self.view.template_labels;
        let has = |pod: &&Pod<'_>| labels.iter().all(|(name, value)| pod.stored.label(name) == Some(value));
        self.active.iter().filter(has).count()
    }

    /// The conditions with a failure that is new, or without one that is over. One that goes on stays as it was.
    fn conditions(&self, outcome: Outcome) -> Vec<SetCondition> {
        let before = &self.view.status.conditions;
        let is_failure = |condition: &SetCondition| &*condition.r#type == "ReplicaFailure";
        match outcome {
            Outcome::Failed { .. } if before.iter().any(is_failure) => before.clone(),
            Outcome::Failed { reason, message } => {
                let now = times::read(&times::text(self.world.now));
                let mut conditions = before.clone();
                conditions.push(SetCondition {
                    r#type: "ReplicaFailure".into(),
                    status: "True".into(),
                    last_transition_time: now,
                    reason: reason.into(),
                    message: message.into(),
                });
                conditions
            }
            _ => before.iter().filter(|condition| !is_failure(condition)).cloned().collect(),
        }
    }

    /// Looks again when a pod will have been ready for long enough, and after a refusal.
    fn watch_availability(&mut self) {
        let (min_ready, now) = (self.view.min_ready, self.world.now);
        let waits = self.active.iter().filter_map(|pod| pod.view.available_in(min_ready, now)).min();
        if let Some(wait) = waits {
            self.decision.look_again(wait);
        }
        if self.world.refusal().is_some_and(|why| !actions::is_namespace_ending(why)) {
            self.decision.look_again(patience(&self.view.status, now));
        }
    }
}

/// How long to wait after a refusal: as long as it has been going on, within bounds.
fn patience(status: &SetStatus, now: jiff::Timestamp) -> Duration {
    let since = status.conditions.first().and_then(|condition| condition.last_transition_time);
    let so_far = since.map_or(Duration::ZERO, |since| times::since(now, since));
    so_far.clamp(Duration::from_secs(1), Duration::from_secs(60))
}

/// The pods of all sets that belong to the same owner.
fn related_pods<'a>(world: &World<'a>, stored: &Stored) -> Vec<Pod<'a>> {
    let pods_of = |uid: &str| {
        let pods = world.store.owned_by(uid).filter(|object| &*object.resource == "pods");
        pods.map(Pod::read).collect::<Vec<_>>()
    };
    match stored.controller() {
        Some(owner) => {
            let siblings = world.store.owned_by(&owner.uid).filter(|object| object.resource == stored.resource);
            siblings.flat_map(|sibling| pods_of(&sibling.uid)).collect()
        }
        None => pods_of(&stored.uid),
    }
}

fn json_conditions(conditions: &[SetCondition]) -> Value {
    let condition = |condition: &SetCondition| {
        json!({
            "type": condition.r#type,
            "status": condition.status,
            "lastTransitionTime": condition.last_transition_time.map(times::text),
            "reason": condition.reason,
            "message": condition.message,
        })
    };
    conditions.iter().map(condition).collect()
}

fn json_status(status: &SetStatus) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("replicas".into(), json!(status.replicas));
    let counters = [
        ("fullyLabeledReplicas", status.fully_labeled_replicas),
        ("readyReplicas", status.ready_replicas),
        ("availableReplicas", status.available_replicas),
    ];
    for (name, count) in counters.into_iter().filter(|(_, count)| *count != 0) {
        object.insert(name.into(), json!(count));
    }
    if let Some(terminating) = status.terminating_replicas {
        object.insert("terminatingReplicas".into(), json!(terminating));
    }
    object.insert("observedGeneration".into(), json!(status.observed_generation));
    object
}
