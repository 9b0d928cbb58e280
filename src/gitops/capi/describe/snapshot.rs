//! What is shown of a cluster's objects.

use serde_json::Value;

use super::{Item, Machine, Replicas, Said, Snapshot};
use crate::cluster::object::{at, int, list, text};
use crate::gitops::capi::kind::Kind;
use crate::gitops::capi::world::{World, controller, is_control_plane, is_going, name, namespace};

/// A cluster as it is.
pub fn snapshot(world: &World<'_>, cluster: &Value) -> Snapshot {
    let space = namespace(cluster);
    let members = |kind| world.members(space, name(cluster), kind);
    let referred = |object: &Value, place: &[&str]| world.referred(space, at(object, place)?).map(item);
    let sets = members(Kind::MachineSet);
    let machines = members(Kind::Machine).into_iter().map(|(_, machine)| {
        let owner = controller(machine).map(|owner| text(owner, &["name"])).unwrap_or_default();
        let set = sets.iter().find(|(id, _)| &*id.name == owner).map(|(_, set)| *set);
        let deployment = set.and_then(controller).map(|owner| text(owner, &["name"]));
        Machine {
            item: item(machine),
            control_plane: is_control_plane(machine),
            owner: deployment.unwrap_or(owner).to_owned(),
            set: if set.is_some() { owner.to_owned() } else { String::new() },
            infrastructure: referred(machine, &["spec", "infrastructureRef"]),
            bootstrap: referred(machine, &["spec", "bootstrap", "configRef"]),
        }
    });
    Snapshot {
        namespace: space.to_owned(),
        cluster: Item { replicas: both(cluster), ..item(cluster) },
        infrastructure: referred(cluster, &["spec", "infrastructureRef"]),
        control_plane: referred(cluster, &["spec", "controlPlaneRef"]),
        deployments: members(Kind::MachineDeployment).iter().map(|(_, object)| item(object)).collect(),
        machines: machines.collect(),
        sets: sets.iter().map(|(_, object)| item(object)).collect(),
    }
}

fn item(object: &Value) -> Item {
    let kind = text(object, &["kind"]);
    let place: &[&str] = match kind {
        "Cluster" => &["spec", "topology", "version"],
        "Machine" | "KubeadmControlPlane" => &["spec", "version"],
        "MachineDeployment" | "MachineSet" => &["spec", "template", "spec", "version"],
        _ => &[],
    };
    let version = if place.is_empty() { String::new() } else { super::super::reference::version(text(object, place)) };
    let conditions = list(object, &["status", "conditions"]).iter().map(|condition| {
        let part = |name: &str| text(condition, &[name]).to_owned();
        let said = Said {
            status: part("status"),
            severity: part("severity"),
            reason: part("reason"),
            message: part("message"),
            since: text(condition, &["lastTransitionTime"]).parse().ok(),
        };
        (part("type"), said)
    });
    let number = |name: &str| int(object, &["status", name]);
    let counted = matches!(kind, "KubeadmControlPlane" | "MachineDeployment" | "MachineSet");
    let replicas = Replicas {
        desired: int(object, &["spec", "replicas"]),
        current: number("replicas"),
        available: number("availableReplicas"),
        ready: number("readyReplicas"),
        up_to_date: number("upToDateReplicas"),
    };
    Item {
        kind: kind.to_owned(),
        name: name(object).to_owned(),
        version,
        owner: controller(object).map(|owner| text(owner, &["name"]).to_owned()).unwrap_or_default(),
        deleting: is_going(object),
        conditions: conditions.collect(),
        replicas: if counted { replicas } else { Replicas::default() },
    }
}

/// The counters of control plane and workers together.
fn both(cluster: &Value) -> Replicas {
    let sum = |name: &str| {
        let part = |side: &str| int(cluster, &["status", side, name]);
        match (part("controlPlane"), part("workers")) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0) + other.unwrap_or(0)),
        }
    };
    Replicas {
        desired: sum("desiredReplicas"),
        current: sum("replicas"),
        available: sum("availableReplicas"),
        ready: sum("readyReplicas"),
        up_to_date: sum("upToDateReplicas"),
    }
}
