//! A cluster: its infrastructure, its control plane, its workers, and their end in order.

use serde_json::{Value, json};

use super::action::{Pass, finalize, set_label};
use super::bootstrap;
use super::cluster_conditions;
use super::condition::{self, Condition};
use super::control_plane;
use super::kind::Kind;
use super::machine::Part;
use super::phase::{self, ClusterFacts};
use super::reference;
use super::tally::Tally;
use super::words;
use super::workload;
use super::world::{Id, controller, is_control_plane, is_going, is_paused, name, namespace};
use crate::cluster::object::{at, flag, int, set, text};

/// A cluster.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let mut new = old.clone();
    if is_paused(old, Some(old)) {
        condition::set(&mut new, "Paused", &Condition::yes("Paused"), pass.now);
        return pass.settle(id, old, new);
    }
    let deleting = is_going(old);
    if !deleting {
        finalize(&mut new, Kind::Cluster, true);
        set_label(&mut new, words::CLUSTER, name(old));
    }
    let infrastructure = infrastructure(pass, old, &mut new);
    let plane = at(old, &["spec", "controlPlaneRef"]).map(|reference| control_plane_part(pass, old, reference));
    initialize(pass, old, &mut new, plane.as_ref());
    if plane.is_none() && !deleting && flag(&new, &["status", "infrastructureReady"]) {
        bootstrap::kubeconfig(pass, &new, old);
    }
    let end = deleting.then(|| end(pass, old));
    count(pass, old, &mut new, plane.as_ref());
    cluster_conditions::write(pass, &mut new, &infrastructure, plane.as_ref(), end);
    let endpoint = !text(&new, &["spec", "controlPlaneEndpoint", "host"]).is_empty()
        && int(&new, &["spec", "controlPlaneEndpoint", "port"]).is_some_and(|port| port > 0);
    let facts = ClusterFacts {
        infrastructure_ref: at(old, &["spec", "infrastructureRef"]).is_some(),
        control_plane_ref: plane.is_some(),
        infrastructure_provisioned: infrastructure.ready,
        endpoint,
        failed: false,
        deleting,
    };
    let rules = reference::rules(at(old, &["spec"]).unwrap_or(&Value::Null));
    let before = text(old, &["status", "phase"]);
    let phase = phase::cluster(rules, before, facts).to_owned();
    if phase != before {
        set(&mut new, &["status", "phase"], phase.clone());
        pass.event(old, &phase, format!("Cluster {} is {phase}", name(old)));
    }
    if end == Some("DeletionCompleted") {
        finalize(&mut new, Kind::Cluster, false);
        pass.event(old, "Deleted", format!("Cluster {} has been deleted", name(old)));
    }
    pass.settle(id, old, new);
}

fn infrastructure<'a>(pass: &mut Pass<'a>, old: &'a Value, new: &mut Value) -> Part<'a> {
    let was_ready = flag(old, &["status", "initialization", "infrastructureProvisioned"]);
    let Some(reference) = at(old, &["spec", "infrastructureRef"]) else {
        // nothing to wait for
        set(new, &["status", "infrastructureReady"], true);
        set(new, &["status", "initialization", "infrastructureProvisioned"], true);
        return Part { kind: "", object: None, was_ready: true, ready: true };
    };
    let object = pass.world.referred(namespace(old), reference);
    if let Some((kind, object)) = Kind::of(text(reference, &["kind"])).zip(object)
        && !is_going(old)
    {
        pass.adopt(&Id::of(kind, object), object, old, true, name(old));
    }
    let up = object.filter(|object| flag(object, &["status", "ready"]));
    if let Some(up) = up {
        let endpoint = at(up, &["spec", "controlPlaneEndpoint"]);
        if let Some(endpoint) = endpoint.filter(|_| text(old, &["spec", "controlPlaneEndpoint", "host"]).is_empty()) {
            set(new, &["spec", "controlPlaneEndpoint"], endpoint.clone());
        }
        if let Some(domains) = at(up, &["status", "failureDomains"]) {
            set(new, &["status", "failureDomains"], domains.clone());
        }
    }
    let ready = up.is_some() || was_ready;
    if ready {
        set(new, &["status", "infrastructureReady"], true);
        set(new, &["status", "initialization", "infrastructureProvisioned"], true);
    }
    if ready && !was_ready {
        let message = format!("Cluster {} InfrastructureProvisioned is now True", name(old));
        pass.event(old, "InfrastructureReady", message);
    }
    Part { kind: text(reference, &["kind"]), object, was_ready, ready }
}

fn control_plane_part<'a>(pass: &mut Pass<'a>, cluster: &'a Value, reference: &'a Value) -> Part<'a> {
    let object = pass.world.referred(namespace(cluster), reference);
    if let Some(plane) = object.filter(|_| !is_going(cluster)) {
        control_plane::adopt(pass, cluster, plane);
    }
    let ready = object.is_some_and(|plane| flag(plane, &["status", "initialization", "controlPlaneInitialized"]));
    Part { kind: text(reference, &["kind"]), object, was_ready: workload::is_initialized(cluster), ready }
}

/// A control plane is initialized when it says so; one of single machines when one of them has a node.
fn initialize(pass: &mut Pass<'_>, old: &Value, new: &mut Value, plane: Option<&Part<'_>>) {
    let now = match plane {
        Some(plane) => plane.ready,
        None => {
            let machines = pass.world.members(namespace(old), name(old), Kind::Machine);
            machines.iter().any(|(_, machine)| {
                is_control_plane(machine) && !text(machine, &["status", "nodeRef", "name"]).is_empty()
            })
        }
    };
    let was = workload::is_initialized(old);
    if !now && !was {
        return;
    }
    set(new, &["status", "controlPlaneInitialized"], true);
    set(new, &["status", "controlPlaneReady"], now);
    set(new, &["status", "initialization", "controlPlaneInitialized"], true);
    if !was && plane.is_some() {
        let message = format!("Cluster {} ControlPlaneInitialized is now True", name(old));
        pass.event(old, "ControlPlaneInitialized", message);
    }
}

/// What a cluster's end waits for, after asking for the next part of it.
fn end(pass: &mut Pass<'_>, cluster: &Value) -> &'static str {
    let mut workers = 0;
    for kind in [Kind::MachineDeployment, Kind::MachineSet, Kind::Machine] {
        for (id, object) in pass.world.members(namespace(cluster), name(cluster), kind) {
            let managed = controller(object);
            let plane = managed.is_some_and(|owner| text(owner, &["kind"]) == Kind::KubeadmControlPlane.name());
            if plane {
                continue;
            }
            workers += 1;
            // what has a controller goes with it
            if managed.is_none() {
                pass.delete(id, object);
            }
        }
    }
    if workers > 0 {
        return "WaitingForWorkersDeletion";
    }
    let parts = [
        ("controlPlaneRef", "WaitingForControlPlaneDeletion"),
        ("infrastructureRef", "WaitingForInfrastructureDeletion"),
    ];
    for (member, reason) in parts {
        let Some(reference) = at(cluster, &["spec", member]) else { continue };
        let kind = Kind::of(text(reference, &["kind"]));
        if let Some((kind, object)) = kind.zip(pass.world.referred(namespace(cluster), reference)) {
            pass.delete(&Id::of(kind, object), object);
            return reason;
        }
    }
    "DeletionCompleted"
}

/// The counters of control plane and workers.
fn count(pass: &Pass<'_>, old: &Value, new: &mut Value, plane: Option<&Part<'_>>) {
    let (space, own) = (namespace(old), name(old));
    let counters = |wanted: i64, tally: Tally, up_to_date: bool| {
        let mut counters = json!({
            "desiredReplicas": wanted, "replicas": tally.replicas, "readyReplicas": tally.ready,
            "availableReplicas": tally.available,
        });
        if up_to_date {
            counters["upToDateReplicas"] = json!(tally.up_to_date);
        }
        counters
    };
    let machines = pass.world.members(space, own, Kind::Machine);
    let standalone: Vec<_> = machines.iter().copied().filter(|(_, machine)| controller(machine).is_none()).collect();
    let (planes, loose): (Vec<_>, Vec<_>) = standalone.into_iter().partition(|(_, machine)| is_control_plane(machine));
    match plane {
        Some(Part { object: Some(plane), .. }) => {
            let wanted = int(plane, &["spec", "replicas"]).unwrap_or(1);
            set(new, &["status", "controlPlane"], counters(wanted, Tally::read(plane), true));
        }
        Some(_) => {}
        None if planes.is_empty() => {}
        None => {
            let tally = Tally::of(&planes);
            set(new, &["status", "controlPlane"], counters(tally.replicas, tally, false));
        }
    }
    let deployments = pass.world.members(space, own, Kind::MachineDeployment);
    let sets = pass.world.members(space, own, Kind::MachineSet);
    let owners: Vec<_> =
        deployments.iter().copied().chain(sets.into_iter().filter(|(_, set)| controller(set).is_none())).collect();
    if owners.is_empty() && loose.is_empty() {
        set(new, &["status", "workers"], Value::Null);
        return;
    }
    let loose = Tally::of(&loose);
    let wanted: i64 = owners.iter().map(|(_, owner)| int(owner, &["spec", "replicas"]).unwrap_or(1)).sum();
    let tally = owners.iter().map(|(_, owner)| Tally::read(owner)).fold(loose, Tally::plus);
    set(new, &["status", "workers"], counters(wanted + loose.replicas, tally, true));
}
