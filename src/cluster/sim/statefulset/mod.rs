//! Stateful sets: pods with a number each, made and replaced in order.

mod claims;
mod identity;
mod status;
#[cfg(test)]
mod tests;
mod update;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, set, text};
use crate::cluster::sim::actions::{self, BURST, Kind, RETRY};
use crate::cluster::sim::revision::{self, History, Latest, Owner, POD_REVISION};
use crate::cluster::sim::scaled::{int32, scaled};
use crate::cluster::sim::views::{Phase, Pod};
use crate::cluster::sim::{Decision, World, ownership};

const STATEFUL_SET: Kind = Kind {
    resource: "statefulsets.apps",
    api_version: "apps/v1",
    kind: "StatefulSet",
    source: "statefulset-controller",
};

/// What is to be done for a stateful set.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(STATEFUL_SET.resource, key) else { return Decision::default() };
    let selector = ownership::selector(stored);
    let mut decision = Decision::default();
    if selector.is_empty() {
        return decision;
    }
    let object = stored.value();
    let matches = |pod: &Stored| {
        selector.matches(&pod.labels)
            && identity::split(&pod.key.name).is_some_and(|(parent, _)| *parent == *stored.key.name)
    };
    let claimed = STATEFUL_SET.claim(world, stored, "pods", &matches, &mut decision);
    let pods: Vec<_> = claimed.into_iter().map(Pod::read).collect();
    let collisions = int32(&object, &["status", "collisionCount"]).unwrap_or(0);
    let owner =
        Owner { kind: &STATEFUL_SET, stored, object: &object, hash_label: "controller.kubernetes.io/hash", collisions };
    let history = History::read(world, &owner, &selector, &mut decision);
    let Some(latest) = history.latest(world, &owner, &mut decision) else {
        let mut object = object;
        set(&mut object, &["status", "collisionCount"], collisions + 1);
        decision.write_status(&STATEFUL_SET, object);
        return decision;
    };
    let mut look = Look::new(world, stored, object, latest, decision);
    look.find_current(&history);
    look.sort_pods(pods);
    if !stored.deleting {
        look.advance();
    }
    look.write_status();
    look.truncate(&history);
    look.watch_availability();
    look.decision
}

/// The stateful sets to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let mut keys = STATEFUL_SET.itself(change);
    keys.extend(STATEFUL_SET.owners_concerned(change, store, "pods", &ownership::selects));
    keys
}

/// What a stateful set asks for.
struct Spec {
    replicas: i64,
    /// The number of the first pod.
    start: i64,
    /// One pod after the other.
    ordered: bool,
    /// Pods are replaced only when somebody deletes them.
    on_delete: bool,
    /// Pods with smaller numbers keep the old revision.
    partition: i64,
    max_unavailable: i64,
    min_ready: i64,
    history_limit: i64,
}

impl Spec {
    fn read(object: &Value) -> Self {
        let number = |path: &[&str], default| int32(object, path).unwrap_or(default);
        let replicas = number(&["spec", "replicas"], 1).max(0);
        let unavailable = at(object, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
        Self {
            replicas,
            start: number(&["spec", "ordinals", "start"], 0),
            ordered: text(object, &["spec", "podManagementPolicy"]) != "Parallel",
            on_delete: text(object, &["spec", "updateStrategy", "type"]) == "OnDelete",
            partition: number(&["spec", "updateStrategy", "rollingUpdate", "partition"], 0),
            max_unavailable: unavailable.map_or(1, |value| scaled(Some(value), replicas, false).max(1)),
            min_ready: number(&["spec", "minReadySeconds"], 0),
            history_limit: number(&["spec", "revisionHistoryLimit"], 10),
        }
    }
}

/// One look at a stateful set.
struct Look<'a> {
    world: &'a World<'a>,
    stored: &'a Arc<Stored>,
    object: Value,
    spec: Spec,
    /// The revision that pods shall get to.
    latest: Latest,
    /// The revision that they come from, and its template if that is another.
    current: (String, Option<Value>),
    /// The pods by their numbers, from the first number on.
    replicas: Vec<Option<Pod<'a>>>,
    /// Pods that are too many, the highest number first.
    condemned: Vec<(i64, Pod<'a>)>,
    /// How many pods of the current revision this look deletes in order to update them.
    replaced: i64,
    decision: Decision,
}

/// Whether a pod lets those behind it have their turn.
#[derive(PartialEq)]
enum Step {
    GoOn,
    Wait,
}

impl<'a> Look<'a> {
    fn new(world: &'a World<'a>, stored: &'a Arc<Stored>, object: Value, latest: Latest, decision: Decision) -> Self {
        let spec = Spec::read(&object);
        let current = (latest.name.clone(), None);
        let (replicas, condemned) = (Vec::new(), Vec::new());
        Self { world, stored, object, spec, latest, current, replicas, condemned, replaced: 0, decision }
    }

    /// The current revision is the one that the status names, as long as there is one.
    fn find_current(&mut self, history: &History<'_>) {
        let name = text(&self.object, &["status", "currentRevision"]);
        if let Some(revision) = history.find(name).filter(|_| name != self.latest.name) {
            self.current = (name.to_owned(), Some(revision::template_of(revision)));
        }
    }

    fn sort_pods(&mut self, pods: Vec<Pod<'a>>) {
        // More pods than can be asked for would only cost memory.
        self.replicas.resize(usize::try_from(self.spec.replicas.min(100_000)).unwrap_or(0), None);
        for pod in pods {
            let Some((_, number)) = identity::split(&pod.stored.key.name) else { continue };
            let at = usize::try_from(number.saturating_sub(self.spec.start)).ok();
            match at.and_then(|at| self.replicas.get_mut(at)) {
                Some(place) => *place = Some(pod),
                None => self.condemned.push((number, pod)),
            }
        }
        self.condemned.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    }

    /// Makes what is missing, deletes what is too much, replaces what is old: as far as the order allows it now.
    fn advance(&mut self) {
        let mut wait = false;
        for at in 0..self.replicas.len() {
            wait |= self.tend(at) == Step::Wait;
            if wait && self.spec.ordered || self.decision.actions.len() > 2 * BURST {
                return;
            }
        }
        if wait {
            return;
        }
        self.adjust_condemned_claims();
        if self.dismiss() == Step::GoOn && !self.spec.on_delete {
            self.update();
        }
    }

    /// Looks after one of the pods there shall be.
    fn tend(&mut self, at: usize) -> Step {
        let number = self.spec.start + i64::try_from(at).unwrap_or(0);
        let Some(pod) = self.replicas.get(at).cloned().flatten() else {
            let made = self.make(number);
            return if made && !self.spec.ordered { Step::GoOn } else { Step::Wait };
        };
        let name = &pod.stored.key.name;
        if pod.view.phase.ended() {
            if !pod.stored.deleting {
                let about = format!("StatefulSet {}/{}", self.stored.key.namespace, self.stored.key.name);
                let event = if pod.view.phase == Phase::Failed {
                    let message = format!("{about} is recreating failed Pod {name}");
                    STATEFUL_SET.warning(self.stored, "RecreatingFailedPod", message)
                } else {
                    let message = format!("{about} is recreating terminated Pod {name}");
                    STATEFUL_SET.normal(self.stored, "RecreatingTerminatedPod", message)
                };
                self.decision.push(event);
                self.unmake(&pod);
            }
            return Step::Wait;
        }
        if pod.view.phase == Phase::Pending {
            self.make_claims(number, name);
        }
        if self.spec.ordered && !(self.healthy(&pod) && self.available(&pod)) {
            return Step::Wait;
        }
        self.adjust_claims(number, false, None);
        if let Some(patch) = identity::missing_labels(pod.stored, number) {
            self.decision.push(actions::patch(pod.stored, patch));
        }
        Step::GoOn
    }

    /// Running, ready, and to stay.
    fn healthy(&self, pod: &Pod<'_>) -> bool {
        pod.view.phase == Phase::Running && pod.view.ready && !pod.stored.deleting
    }

    fn available(&self, pod: &Pod<'_>) -> bool {
        pod.view.available(self.spec.min_ready, self.world.now)
    }

    /// Makes the pod of a number, and the claims that it needs.
    fn make(&mut self, number: i64) -> bool {
        let name = identity::name(self.stored, number);
        if let Some(why) = self.world.refusal() {
            let message = format!("Create Pod {name} in StatefulSet {} failed error: {why}", self.stored.key.name);
            self.decision.note_refusal(&STATEFUL_SET, self.stored, "FailedCreate", message);
            return false;
        }
        if self.world.store.get("pods", &Key::new(&self.stored.key.namespace, &name)).is_some() {
            // A pod of somebody else has the name; the set can only wait for it to go.
            self.decision.look_again(RETRY);
            return false;
        }
        if self.has_stale_claims(number) {
            self.decision.look_again(RETRY);
            return false;
        }
        self.make_claims(number, &name);
        let keeps_old = !self.spec.on_delete && number < self.spec.start.saturating_add(self.spec.partition);
        let (revision, template) = match &self.current {
            (current, Some(template)) if keeps_old => (current, template.clone()),
            _ => {
                let template = at(&self.object, &["spec", "template"]).cloned();
                (&self.latest.name, template.unwrap_or_else(|| json!({})))
            }
        };
        let pod = identity::pod(&STATEFUL_SET, self.stored, &self.object, &template, number, revision);
        self.decision.push(actions::create("pods", pod));
        self.tell("SuccessfulCreate", format!("Create Pod {name} in StatefulSet {} successful", self.stored.key.name));
        true
    }

    fn unmake(&mut self, pod: &Pod<'_>) {
        let name = &pod.stored.key.name;
        self.decision.push(actions::delete(pod.stored));
        self.tell("SuccessfulDelete", format!("Delete Pod {name} in StatefulSet {} successful", self.stored.key.name));
    }

    fn tell(&mut self, reason: &'static str, message: String) {
        self.decision.push(STATEFUL_SET.normal(self.stored, reason, message));
    }

    /// Deletes the pods that are too many, from the highest number down.
    fn dismiss(&mut self) -> Step {
        let unhealthy_replica = self.replicas.iter().flatten().any(|pod| !self.healthy(pod));
        let lowest_unhealthy = self.condemned.iter().rev().find(|(_, pod)| !self.healthy(pod));
        let first_unhealthy = lowest_unhealthy.filter(|_| !unhealthy_replica).map(|(number, _)| *number);
        let mut step = Step::GoOn;
        for (number, pod) in self.condemned.clone() {
            step = Step::Wait;
            if pod.stored.deleting {
                if self.spec.ordered {
                    return step;
                }
                continue;
            }
            let sound = self.healthy(&pod) && self.available(&pod);
            if self.spec.ordered && !sound && first_unhealthy != Some(number) {
                return step;
            }
            self.unmake(&pod);
            if self.spec.ordered {
                return step;
            }
        }
        step
    }

    /// Old revisions beyond the limit go, unless pods were made of them.
    fn truncate(&mut self, history: &History<'_>) {
        let pods = self.replicas.iter().flatten().chain(self.condemned.iter().map(|(_, pod)| pod));
        let used: Vec<_> = pods.filter_map(|pod| pod.stored.label(POD_REVISION)).collect();
        let names = [self.current.0.as_str(), self.latest.name.as_str()];
        let live = |it: &Stored| names.contains(&&*it.key.name) || used.contains(&&*it.key.name);
        history.truncate(self.spec.history_limit, &|it| !live(it), &|_| false, &mut self.decision);
    }

    fn watch_availability(&mut self) {
        let pods = self.replicas.iter().flatten();
        if let Some(wait) = pods.filter_map(|pod| pod.view.available_in(self.spec.min_ready, self.world.now)).min() {
            self.decision.look_again(wait);
        }
    }
}
