//! The end of a machine: hooks, draining, virtual machine, bootstrap configuration, node, in this order.

use jiff::Timestamp;
use serde_json::Value;

use super::action::{Pass, finalize};
use super::condition::{self, Condition, READY};
use super::kind::Kind;
use super::machine::set_phase;
use super::words;
use super::world::{Id, World, annotation, is_control_plane, is_going, name, namespace};
use crate::cluster::api::micro_stamp;
use crate::cluster::object::{at, map, set, set_default, text};

/// What the deletion of a machine waits for.
struct Step {
    reason: &'static str,
    message: String,
}

impl Step {
    fn new(reason: &'static str, message: impl Into<String>) -> Option<Self> {
        Some(Self { reason, message: message.into() })
    }
}

/// One look at a machine that goes. A machine without cluster goes too: there is nothing to drain.
pub(super) fn reconcile(pass: &mut Pass<'_>, id: &Id, old: &Value, cluster: Option<&Value>) {
    let mut new = old.clone();
    let drains = cluster.is_some_and(|cluster| drains(&pass.world, old, cluster));
    let step = match before_the_end(pass, old, &mut new, drains) {
        Some(step) => Some(step),
        None => the_end(pass, old),
    };
    let (reason, message) = match &step {
        Some(step) => (step.reason, step.message.clone()),
        None => ("DeletionCompleted", "Deletion completed".to_owned()),
    };
    let deleting = Condition::yes(reason).saying(message);
    condition::set(&mut new, "Deleting", &deleting, pass.now);
    let told = deleting.saying(format!("Machine deletion in progress, stage: {reason}"));
    condition::set(&mut new, "Ready", &READY.of(&[("Deleting", told)]), pass.now);
    condition::set(&mut new, "Available", &Condition::no("NotReady", ""), pass.now);
    set_phase(pass, old, &mut new, "Deleting");
    if step.is_none() {
        finalize(&mut new, Kind::Machine, false);
    }
    pass.settle(id, old, new);
}

/// Whether hooks, draining and waiting for volumes have a point.
fn drains(world: &World<'_>, machine: &Value, cluster: &Value) -> bool {
    let node = !text(machine, &["status", "nodeRef", "name"]).is_empty();
    let plane = at(cluster, &["spec", "controlPlaneRef"]);
    let plane_goes = plane.and_then(|plane| world.referred(namespace(cluster), plane)).is_some_and(is_going);
    let others = world.members(namespace(cluster), name(cluster), Kind::Machine);
    let last =
        is_control_plane(machine) && !others.iter().any(|(_, other)| is_control_plane(other) && !is_going(other));
    node && !is_going(cluster) && !plane_goes && !last
}

/// Hooks and draining.
fn before_the_end(pass: &mut Pass<'_>, old: &Value, new: &mut Value, drains: bool) -> Option<Step> {
    if drains && let Some(hook) = hook(old, words::PRE_DRAIN) {
        return Step::new("WaitingForPreDrainHook", format!("Waiting for pre-drain hooks to succeed (hooks: {hook})"));
    }
    if drains && annotation(old, words::NO_DRAIN).is_none() && !is_drained(old) {
        let began: Timestamp = {
            set_default(new, &["status", "deletion", "nodeDrainStartTime"], micro_stamp(pass.now));
            text(new, &["status", "deletion", "nodeDrainStartTime"]).parse().unwrap_or(pass.now)
        };
        if !pass.is_over(began, pass.options.timings.drain) {
            let draining = Condition::no("Draining", "");
            condition::set(new, "DrainingSucceeded", &draining, pass.now);
            return Step::new("DrainingNode", "Drain not completed yet");
        }
        condition::set(new, "DrainingSucceeded", &Condition::yes("Drained"), pass.now);
        set(new, &["status", "deletion", "waitForNodeVolumeDetachStartTime"], micro_stamp(pass.now));
        let node = text(old, &["status", "nodeRef", "name"]).to_owned();
        pass.event(old, "SuccessfulDrainNode", format!("success draining Machine's node \"{node}\""));
        let message = format!("success waiting for node volumes detaching Machine's node \"{node}\"");
        pass.event(old, "NodeVolumesDetached", message);
    }
    if drains && let Some(hook) = hook(old, words::PRE_TERMINATE) {
        let message = format!("Waiting for pre-terminate hooks to succeed (hooks: {hook})");
        return Step::new("WaitingForPreTerminateHook", message);
    }
    None
}

fn is_drained(machine: &Value) -> bool {
    condition::is_true(machine, "DrainingSucceeded")
}

fn hook<'a>(machine: &'a Value, prefix: &str) -> Option<&'a str> {
    let annotations = map(machine, &["metadata", "annotations"])?;
    annotations.keys().map(String::as_str).find(|name| name.starts_with(prefix))
}

/// What belongs to the machine goes, one after the other. The node goes with its virtual machine.
fn the_end(pass: &mut Pass<'_>, machine: &Value) -> Option<Step> {
    let parts: [(&[&str], &'static str); 2] = [
        (&["spec", "infrastructureRef"], "WaitingForInfrastructureDeletion"),
        (&["spec", "bootstrap", "configRef"], "WaitingForBootstrapDeletion"),
    ];
    for (place, reason) in parts {
        let Some(reference) = at(machine, place) else { continue };
        let kind = Kind::of(text(reference, &["kind"]));
        let Some((kind, object)) = kind.zip(pass.world.referred(namespace(machine), reference)) else { continue };
        if !belongs(object, machine) {
            continue;
        }
        pass.delete(&Id::of(kind, object), object);
        return Step::new(reason, format!("Waiting for {kind} to be deleted"));
    }
    None
}

/// What another machine owns stays.
fn belongs(object: &Value, machine: &Value) -> bool {
    super::world::controller(object).is_none_or(|owner| {
        text(owner, &["uid"]) == text(machine, &["metadata", "uid"]) || text(owner, &["kind"]) != "Machine"
    })
}
