//! Chooses a node for every pod that has none.

mod filter;
mod seats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, set, text};
use crate::cluster::sim::condition::{self, New};
use crate::cluster::sim::node::node_of;
use crate::cluster::sim::tools::{event, patch_metadata, reference_to, resource};
use crate::cluster::sim::view::{Pod, view};
use crate::cluster::sim::volume::{Claim, SELECTED_NODE, claim_of};
use crate::cluster::sim::{Action, Decision, World};

use filter::{Asked, Verdict};
use seats::Seats;

/// Its name, which pods ask for and events carry.
pub const NAME: &str = "default-scheduler";

/// What the scheduler remembers; it can be lost at any time.
#[derive(Debug, Default)]
pub struct Memory {
    seats: Seats,
    /// Pods that found no node.
    pending: BTreeSet<Key>,
}

/// Stands for all pods that found no node.
fn everybody() -> Key {
    Key::new("", "")
}

/// Puts a pod on a node, or says why there is none for it.
pub fn reconcile(world: &World<'_>, key: &Key, memory: &mut Memory) -> Decision {
    memory.seats.refresh(world.store);
    let mut decision = Decision::default();
    if *key == everybody() {
        for key in memory.pending.clone() {
            one(world, &key, memory, &mut decision);
        }
    } else {
        one(world, key, memory, &mut decision);
    }
    decision
}

/// The pods to look at after a change.
pub fn wake(change: &Change, _store: &Store) -> Vec<Key> {
    let object = &change.object;
    let frees = || change.previous.as_ref().is_some_and(|pod| !node_of(pod).is_empty());
    match (&*object.resource, change.kind) {
        ("pods", ChangeKind::Deleted) if frees() => vec![everybody()],
        ("pods", ChangeKind::Added | ChangeKind::Modified) => match view::<Pod>(object) {
            Some(pod) if pod.spec.node_name.is_empty() => vec![object.key.clone()],
            Some(pod) if pod.is_over() => vec![everybody()],
            _ => Vec::new(),
        },
        ("nodes" | "persistentvolumeclaims" | "persistentvolumes" | "storageclasses.storage.k8s.io", _) => {
            vec![everybody()]
        }
        _ => Vec::new(),
    }
}

/// Makes a pod one that is bound to a node, as `POST …/binding` does.
pub fn bind(pod: &mut Value, node: &str, now: Timestamp) {
    set(pod, &["spec", "nodeName"], node);
    let scheduled = New { kind: "PodScheduled", holds: true, probed: true, ..New::default() };
    condition::put(pod, &scheduled, now);
}

/// The `action` of the scheduler's events, which are in the style of events.k8s.io.
pub fn event_action(reason: &str) -> &'static str {
    if reason == "Scheduled" { "Binding" } else { "Scheduling" }
}

fn one(world: &World<'_>, key: &Key, memory: &mut Memory, decision: &mut Decision) {
    let found = world.store.get("pods", key).and_then(|stored| Some((stored, view::<Pod>(stored)?)));
    let Some((stored, pod)) = found.filter(|(stored, pod)| waits(stored, pod)) else {
        memory.pending.remove(key);
        return;
    };
    if !pod.spec.scheduling_gates.is_empty() {
        memory.pending.remove(key);
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        decision.actions.extend(refused(stored, &pod, "SchedulingGated", message, world.now));
        return;
    }
    let asked = match claims(world, stored, &pod) {
        Ok(waiting) => Asked::new(stored, &pod, waiting),
        Err(why) => {
            unschedulable(world, stored, &pod, &why, memory, decision);
            return;
        }
    };
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut hopeless = 0;
    let mut best: Option<(Vec<i128>, &str)> = None;
    for (name, node) in memory.seats.nodes() {
        match asked.fits(node, &memory.seats) {
            Verdict::Fits => {
                let score = memory.seats.score(node, stored);
                if best.as_ref().is_none_or(|best| (&score, name) < (&best.0, best.1)) {
                    best = Some((score, name));
                }
            }
            Verdict::Fails { why, final_ } => {
                why.into_iter().for_each(|why| *reasons.entry(why).or_default() += 1);
                hopeless += usize::from(final_);
            }
        }
    }
    let Some((_, node)) = best else {
        let why = message(memory.seats.nodes().count(), &reasons, hopeless);
        unschedulable(world, stored, &pod, &why, memory, decision);
        return;
    };
    let node = node.to_owned();
    if select_node(world, &asked.waiting, &node, decision) {
        memory.pending.insert(key.clone());
        return;
    }
    memory.pending.remove(key);
    memory.seats.take(stored, &pod, &node);
    decision.actions.push(Action::Bind { pod: key.clone(), uid: stored.uid.clone(), node: node.as_str().into() });
    let message = format!("Successfully assigned {key} to {node}");
    let about = reference_to("v1", "Pod", stored);
    decision.actions.push(event(&about, NAME, "Normal", "Scheduled", message));
}

/// Whether a pod is for this scheduler to place.
fn waits(stored: &Stored, pod: &Pod) -> bool {
    let ours = pod.spec.scheduler_name.is_empty() || pod.spec.scheduler_name == NAME;
    pod.spec.node_name.is_empty() && ours && !stored.deleting && !pod.is_over()
}

/// The pod's claims that are to be filled on the node that is chosen; or why there can be none.
fn claims(world: &World<'_>, stored: &Stored, pod: &Pod) -> Result<Vec<Key>, String> {
    let mut waiting = Vec::new();
    let volumes = pod.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
    for volume in volumes {
        let key = Key::new(&stored.key.namespace, &volume.claim_name);
        let nobody = |why: String| {
            let nodes = world.store.count("nodes");
            format!(
                "0/{nodes} nodes are available: {why}. no new claims to deallocate, preemption: 0/{nodes} nodes are \
                 available: {nodes} Preemption is not helpful for scheduling."
            )
        };
        match claim_of(world.store, &key) {
            Claim::Missing => {
                return Err(nobody(format!("persistentvolumeclaim \"{}\" not found", volume.claim_name)));
            }
            Claim::Unbound => return Err(nobody("pod has unbound immediate PersistentVolumeClaims".to_owned())),
            Claim::Waits => waiting.push(key),
            Claim::Bound => {}
        }
    }
    Ok(waiting)
}

/// Tells the provisioner of claims where the pod will run. Says whether the pod has to wait for it.
fn select_node(world: &World<'_>, claims: &[Key], node: &str, decision: &mut Decision) -> bool {
    for claim in claims.iter().filter_map(|key| world.store.get("persistentvolumeclaims", key)) {
        if text(&claim.value(), &["metadata", "annotations", SELECTED_NODE]).is_empty() {
            decision.actions.push(patch_metadata(claim, json!({"annotations": {SELECTED_NODE: node}})));
        }
    }
    !claims.is_empty()
}

/// The sentence about nodes that are all unfit.
fn message(nodes: usize, reasons: &BTreeMap<String, usize>, hopeless: usize) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let mut counted: Vec<_> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
    counted.sort();
    let preemption = [
        (nodes - hopeless, "No preemption victims found for incoming pod"),
        (hopeless, "Preemption is not helpful for scheduling"),
    ];
    let mut after: Vec<_> =
        preemption.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    after.sort();
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {}.",
        counted.join(", "),
        after.join(", ")
    )
}

fn unschedulable(
    world: &World<'_>,
    stored: &Stored,
    pod: &Pod,
    why: &str,
    memory: &mut Memory,
    decision: &mut Decision,
) {
    memory.pending.insert(stored.key.clone());
    let refused = refused(stored, pod, "Unschedulable", why, world.now);
    if refused.is_some() {
        let about = reference_to("v1", "Pod", stored);
        decision.actions.push(event(&about, NAME, "Warning", "FailedScheduling", why.to_owned()));
    }
    decision.actions.extend(refused);
}

/// Writes into a pod why it is not scheduled, unless that is there already.
fn refused(stored: &Stored, pod: &Pod, reason: &str, message: &str, now: Timestamp) -> Option<Action> {
    let there = pod.status.conditions.iter().any(|condition| {
        condition.kind == "PodScheduled"
            && condition.status == "False"
            && condition.reason == reason
            && condition.message == message
    });
    if there {
        return None;
    }
    let mut object = stored.value();
    let generation = (reason == "Unschedulable" && pod.metadata.generation > 0).then_some(pod.metadata.generation);
    let new = New { kind: "PodScheduled", reason, message, probed: true, generation, ..New::default() };
    condition::put(&mut object, &new, now).then(|| Action::UpdateStatus { resource: resource("pods"), object })
}
