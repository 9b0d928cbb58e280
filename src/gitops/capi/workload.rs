//! The cluster that is being made, as far as it is simulated: whether it answers, and which nodes it has.

use serde_json::Value;

use super::azure::has_come_to;
use super::condition;
use super::kind::Kind;
use super::world::{World, is_going, name, namespace};
use crate::cluster::object::{flag, text};

/// Whether a control plane answered once: that never becomes untrue.
pub(super) fn is_initialized(cluster: &Value) -> bool {
    flag(cluster, &["status", "initialization", "controlPlaneInitialized"])
}

/// Whether an API server answers: a machine of the control plane has come so far, with its etcd.
pub(super) fn answers(world: &World<'_>, cluster: &Value) -> bool {
    let machines = world.members(namespace(cluster), name(cluster), Kind::AzureMachine);
    machines.iter().any(|(_, machine)| {
        ["APIServerProvisioned", "EtcdProvisioned"].iter().all(|kind| has_come_to(machine, name(cluster), kind))
            && !is_going(machine)
    })
}

/// The node with a provider id, as a cluster that answers would list it: its name.
pub(super) fn node<'a>(infrastructure: &'a Value, machine: &'a Value) -> Option<&'a str> {
    let there = condition::is_true(infrastructure, "NodeProvisioned");
    let known = !text(infrastructure, &["spec", "providerID"]).is_empty();
    (there && known).then(|| name(machine))
}
