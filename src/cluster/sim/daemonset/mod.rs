//! Daemon sets: one pod on every node that fits.

mod placement;
mod status;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, at, set, text};
use crate::cluster::sim::actions::{self, BURST, Kind};
use crate::cluster::sim::affinity::NodeView;
use crate::cluster::sim::revision::{History, Owner, POD_REVISION};
use crate::cluster::sim::scaled::{int32, scaled};
use crate::cluster::sim::views::{Phase, Pod};
use crate::cluster::sim::{Decision, World, ownership, template};

use placement::{Fit, NodeFit};

const DAEMON_SET: Kind =
    Kind { resource: "daemonsets.apps", api_version: "apps/v1", kind: "DaemonSet", source: "daemonset-controller" };

/// What is to be done for a daemon set.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(DAEMON_SET.resource, key) else { return Decision::default() };
    let selector = ownership::selector(stored);
    let mut decision = Decision::default();
    if selector.is_empty() || stored.deleting {
        return decision;
    }
    let object = stored.value();
    let collisions = int32(&object, &["status", "collisionCount"]).unwrap_or(0);
    let owner = Owner { kind: &DAEMON_SET, stored, object: &object, hash_label: POD_REVISION, collisions };
    let history = History::read(world, &owner, &selector, &mut decision);
    let Some(latest) = history.latest(world, &owner, &mut decision) else {
        let mut object = object;
        set(&mut object, &["status", "collisionCount"], collisions + 1);
        decision.write_status(&DAEMON_SET, object);
        return decision;
    };
    let matches = |pod: &Stored| selector.matches(&pod.labels);
    let claimed = DAEMON_SET.claim(world, stored, "pods", &matches, &mut decision);
    let pods: Vec<_> = claimed.into_iter().map(Pod::read).collect();
    let mut look = Look::new(world, stored, object, latest.hash, decision);
    look.place(pods);
    if !look.manage() && !look.spec.on_delete {
        look.update();
    }
    look.write_status();
    let current = latest.name;
    let old = |it: &Stored| *it.key.name != *current;
    let mut decision = std::mem::take(&mut look.decision);
    let live = |it: &Stored| it.label(POD_REVISION).is_some_and(|hash| look.runs(hash));
    history.truncate(look.spec.history_limit, &old, &live, &mut decision);
    look.watch_availability(&mut decision);
    decision
}

/// The daemon sets to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == "nodes" {
        let before = change.previous.as_ref().filter(|_| change.kind == ChangeKind::Modified);
        let same = |before: &Arc<Stored>| {
            before.labels == object.labels && before.view::<NodeView>() == object.view::<NodeView>()
        };
        if before.is_some_and(same) {
            return Vec::new();
        }
        return store.list(DAEMON_SET.resource, "").map(|set| set.key.clone()).collect();
    }
    let mut keys = DAEMON_SET.itself(change);
    keys.extend(DAEMON_SET.owners_concerned(change, store, "pods", &ownership::selects));
    keys
}

/// What a daemon set asks for.
struct Spec {
    /// Pods are replaced only when somebody deletes them.
    on_delete: bool,
    max_surge: Option<Value>,
    max_unavailable: Option<Value>,
    min_ready: i64,
    history_limit: i64,
}

impl Spec {
    fn read(object: &Value) -> Self {
        let rolling = |name| at(object, &["spec", "updateStrategy", "rollingUpdate", name]).cloned();
        Self {
            on_delete: text(object, &["spec", "updateStrategy", "type"]) == "OnDelete",
            max_surge: rolling("maxSurge"),
            max_unavailable: rolling("maxUnavailable"),
            min_ready: int32(object, &["spec", "minReadySeconds"]).unwrap_or(0),
            history_limit: int32(object, &["spec", "revisionHistoryLimit"]).unwrap_or(10),
        }
    }

    /// How many nodes may have two pods, and how many may have none that is available.
    fn bounds(&self, nodes: i64) -> (i64, i64) {
        let surge = scaled(self.max_surge.as_ref(), nodes, true).max(0);
        let unavailable = scaled(self.max_unavailable.as_ref(), nodes, true).max(0);
        (surge, if surge == 0 && unavailable == 0 { 1 } else { unavailable })
    }

    fn surges(&self) -> bool {
        scaled(self.max_surge.as_ref(), 100, true) > 0
    }
}

/// One look at a daemon set.
struct Look<'a> {
    world: &'a World<'a>,
    stored: &'a Arc<Stored>,
    object: Value,
    spec: Spec,
    /// The hash of the current template.
    hash: String,
    /// Whether its pods may be on a node.
    nodes: Vec<NodeFit<'a>>,
    /// Its pods by the nodes that they are on or are meant for, the oldest first.
    pods: BTreeMap<Box<str>, Vec<Pod<'a>>>,
    made: usize,
    decision: Decision,
}

impl<'a> Look<'a> {
    fn new(world: &'a World<'a>, stored: &'a Arc<Stored>, object: Value, hash: String, decision: Decision) -> Self {
        let nodes = placement::fits(world.store, &object);
        let spec = Spec::read(&object);
        Self { world, stored, object, spec, hash, nodes, pods: BTreeMap::new(), made: 0, decision }
    }

    fn place(&mut self, pods: Vec<Pod<'a>>) {
        for pod in pods.into_iter().filter(|pod| !(pod.stored.deleting && pod.view.phase.ended())) {
            let node = if pod.view.node.is_empty() { &pod.view.wanted_node } else { &pod.view.node };
            self.pods.entry(node.clone()).or_default().push(pod);
        }
        for pods in self.pods.values_mut() {
            pods.sort_by_key(|pod| (pod.view.node.is_empty(), pod.view.created, pod.stored.key.clone()));
        }
    }

    fn pods_on(&self, node: &str) -> Vec<Pod<'a>> {
        self.pods.get(node).cloned().unwrap_or_default()
    }

    fn is_updated(&self, pod: &Pod<'_>) -> bool {
        pod.stored.label(POD_REVISION) == Some(&self.hash)
    }

    fn runs(&self, hash: &str) -> bool {
        self.pods.values().flatten().any(|pod| pod.stored.label(POD_REVISION) == Some(hash))
    }

    fn available(&self, pod: &Pod<'_>) -> bool {
        pod.view.available(self.spec.min_ready, self.world.now)
    }

    /// Makes the pods that nodes lack and deletes those that are wrong where they are. Whether there was any of this.
    fn manage(&mut self) -> bool {
        let mut wanting = Vec::new();
        let mut wrong = Vec::new();
        for NodeFit { name, fit } in self.nodes.clone() {
            let pods = self.pods_on(name);
            match fit {
                Fit::Runs if pods.is_empty() => wanting.push(name),
                Fit::Runs | Fit::KeepsRunning => wrong.extend(self.surplus_on(name, pods)),
                Fit::None => wrong.extend(pods.into_iter().filter(|pod| !pod.stored.deleting)),
            }
        }
        // Pods that wait for a node that is gone will never run.
        for (node, pods) in &self.pods {
            let known = self.nodes.iter().any(|fit| *fit.name == **node);
            let lost = pods.iter().filter(|pod| !known && pod.view.node.is_empty() && !pod.stored.deleting);
            wrong.extend(lost.cloned());
        }
        let before = self.decision.actions.len();
        wrong.iter().take(BURST).for_each(|pod| self.unmake(pod));
        self.make_on(&wanting);
        self.decision.actions.len() > before
    }

    /// The pods on a node that are over, or more than there shall be on one node.
    fn surplus_on(&mut self, node: &str, pods: Vec<Pod<'a>>) -> Vec<Pod<'a>> {
        let (over, running): (Vec<_>, Vec<_>) =
            pods.into_iter().filter(|pod| !pod.stored.deleting).partition(|pod| pod.view.phase.ended());
        for pod in &over {
            let about = format!("daemon pod {}/{} on node {node}", pod.stored.key.namespace, pod.stored.key.name);
            let event = if pod.view.phase == Phase::Failed {
                let message = format!("Found failed {about}, will try to kill it");
                DAEMON_SET.warning(self.stored, "FailedDaemonPod", message)
            } else {
                let message = format!("Found succeeded {about}, will try to delete it");
                DAEMON_SET.normal(self.stored, "SucceededDaemonPod", message)
            };
            self.decision.push(event);
        }
        let mut surplus = over;
        if !self.spec.surges() {
            surplus.extend(running.into_iter().skip(1));
            return surplus;
        }
        // A node may have one old and one new pod, as long as the old one serves and the new one does not yet.
        let (new, old): (Vec<_>, Vec<_>) = running.into_iter().partition(|pod| self.is_updated(pod));
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!old.view.ready || self.available(new))
        {
            surplus.push(old.clone());
        }
        surplus.extend(new.into_iter().skip(1).chain(old.into_iter().skip(1)));
        surplus
    }

    fn unmake(&mut self, pod: &Pod<'_>) {
        self.decision.push(actions::delete(pod.stored));
        let message = format!("Deleted pod: {}", pod.stored.key.name);
        self.decision.push(DAEMON_SET.normal(self.stored, "SuccessfulDelete", message));
    }

    fn make_on(&mut self, nodes: &[&str]) {
        if let Some(why) = self.world.refusal().filter(|_| !nodes.is_empty()) {
            let message = format!("Error creating: {why}");
            return self.decision.note_refusal(&DAEMON_SET, self.stored, "FailedCreate", message);
        }
        if nodes.is_empty() {
            return;
        }
        let template = self.template();
        let prefix = format!("{}-", self.stored.key.name);
        for node in nodes.iter().take(BURST) {
            let name = template::free_name(self.world, "pods", self.stored, &prefix, self.made);
            self.made += 1;
            let mut pod = template::pod(&DAEMON_SET, self.stored, &template, &prefix, &name);
            placement::pin(&mut pod, node);
            self.decision.push(actions::create("pods", pod));
            self.decision.push(DAEMON_SET.normal(self.stored, "SuccessfulCreate", format!("Created pod: {name}")));
        }
    }

    /// The template with what all pods of daemon sets carry.
    fn template(&self) -> Value {
        let mut template = at(&self.object, &["spec", "template"]).cloned().unwrap_or_else(|| json!({}));
        let generation = text(&self.object, &["metadata", "annotations", "deprecated.daemonset.template.generation"]);
        if !generation.is_empty() {
            template::set_label(&mut template, "pod-template-generation", generation);
        }
        template::set_label(&mut template, POD_REVISION, &self.hash);
        placement::add_tolerations(&mut template);
        template
    }

    fn watch_availability(&self, decision: &mut Decision) {
        let pods = self.pods.values().flatten();
        if let Some(wait) = pods.filter_map(|pod| pod.view.available_in(self.spec.min_ready, self.world.now)).min() {
            decision.look_again(wait);
        }
    }
}
