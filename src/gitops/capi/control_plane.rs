//! A managed control plane: started by its first machine, grown, shrunk and replaced one machine at a time.

use serde_json::{Value, json};

use super::action::{Pass, finalize};
use super::bootstrap;
use super::clone::{self, Plan};
use super::condition::{self, Condition};
use super::health_check;
use super::kind::Kind;
use super::machine_set::scaling;
use super::reference;
use super::tally::{Tally, machines_condition};
use super::words;
use super::workload;
use super::world::{Id, annotation, cluster_name, is_control_plane, is_going, is_paused, name, namespace};
use crate::cluster::object::{at, int, set, text};
use crate::cluster::sim::template;

/// What a control plane wants of its machines, as a short text.
pub(super) fn wanted_hash(plane: &Value) -> String {
    let config = at(plane, &["spec", "kubeadmConfigSpec"]).cloned().unwrap_or_default();
    let machine = machine_spec(plane);
    let version = reference::version(text(plane, &["spec", "version"]));
    template::hash(&json!([config, machine, version]), 0)
}

/// The spec of its machines, in whichever way it is written.
fn machine_spec(plane: &Value) -> Value {
    let mut spec = at(plane, &["spec", "machineTemplate", "spec"]).cloned().unwrap_or(json!({}));
    for place in [&["spec", "machineTemplate", "infrastructureRef"][..], &["spec", "infrastructureTemplate"]] {
        if let Some(reference) = at(plane, place) {
            set(&mut spec, &["infrastructureRef"], reference.clone());
        }
    }
    spec
}

/// A control plane.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let mut new = old.clone();
    let machines = pass.world.controlled_by(old, Kind::Machine);
    let cluster = pass.world.cluster_of(Kind::KubeadmControlPlane, old);
    if is_going(old) {
        return deleted(pass, id, old, new, &machines, cluster);
    }
    let Some(cluster) = cluster.filter(|_| super::world::controller(old).is_some()) else {
        // the cluster that names it takes it over
        return;
    };
    finalize(&mut new, Kind::KubeadmControlPlane, true);
    if int(old, &["spec", "replicas"]).is_none() {
        set(&mut new, &["spec", "replicas"], 1);
    }
    let paused = is_paused(old, Some(cluster));
    let mut missing = String::new();
    let ready = crate::cluster::object::flag(cluster, &["status", "initialization", "infrastructureProvisioned"]);
    if !paused && ready {
        bootstrap::certificates(pass, cluster, old);
        bootstrap::kubeconfig(pass, cluster, old);
        missing = move_on(pass, id, old, &machines);
    }
    condition::set(&mut new, "Deleting", &Condition::no("NotDeleting", ""), pass.now);
    condition::set(&mut new, "Paused", &Condition::either(paused, "Paused", "NotPaused"), pass.now);
    report(pass, old, &mut new, &machines, &missing);
    pass.settle(id, old, new);
}

/// Makes or takes one machine; says what keeps it from that.
fn move_on(pass: &mut Pass<'_>, id: &Id, plane: &Value, machines: &[(&Id, &Value)]) -> String {
    let wanted = int(plane, &["spec", "replicas"]).unwrap_or(1).max(1);
    let there = i64::try_from(machines.len()).unwrap_or(i64::MAX);
    if remedy(pass, plane, machines) {
        return String::new();
    }
    let hash = wanted_hash(plane);
    let is_outdated = |machine: &Value| annotation(machine, words::CONFIG_HASH) != Some(hash.as_str());
    let outdated: Vec<&(&Id, &Value)> = machines.iter().filter(|(_, machine)| is_outdated(machine)).collect();
    // one at a time, and only while all are well
    let settled = machines
        .iter()
        .all(|(_, machine)| !is_going(machine) && !text(machine, &["status", "nodeRef", "name"]).is_empty());
    if there > 0 && !settled {
        return String::new();
    }
    let place = &["spec", "rolloutStrategy", "rollingUpdate", "maxSurge"];
    let other = &["spec", "rollout", "strategy", "rollingUpdate", "maxSurge"];
    let surge = int(plane, place).or_else(|| int(plane, other)).unwrap_or(1).clamp(0, 1);
    let most = if outdated.is_empty() { wanted } else { wanted + surge };
    if there < most {
        return grow(pass, id, plane, &hash);
    }
    if there > wanted || !outdated.is_empty() {
        let some = if outdated.is_empty() { machines.iter().collect() } else { outdated };
        let age =
            |machine: &Value| (text(machine, &["metadata", "creationTimestamp"]).to_owned(), name(machine).to_owned());
        if let Some((id, machine)) = some.into_iter().min_by_key(|(_, machine)| age(machine)) {
            pass.delete(id, machine);
            pass.event(plane, "SuccessfulDelete", format!("Deleted Machine \"{}\"", id.name));
        }
    }
    String::new()
}

/// Takes a machine that a health check gave up; true when one goes. The others have to be well, and there have to be some:
/// what is in etcd would be lost.
fn remedy(pass: &mut Pass<'_>, plane: &Value, machines: &[(&Id, &Value)]) -> bool {
    let (ill, others): (Vec<_>, Vec<_>) = machines.iter().partition(|(_, machine)| health_check::is_given_up(machine));
    let well = |machine: &Value| !is_going(machine) && !text(machine, &["status", "nodeRef", "name"]).is_empty();
    let [(id, machine)] = ill.as_slice() else { return false };
    if others.is_empty() || is_going(machine) || !others.iter().all(|(_, machine)| well(machine)) {
        return false;
    }
    pass.delete(id, machine);
    pass.event(plane, "SuccessfulDelete", format!("Deleted Machine \"{}\"", id.name));
    true
}

fn grow(pass: &mut Pass<'_>, id: &Id, plane: &Value, hash: &str) -> String {
    let mut spec = machine_spec(plane);
    set(&mut spec, &["version"], text(plane, &["spec", "version"]));
    let part = |path: &[&str]| at(plane, path).cloned().unwrap_or(json!({}));
    let mut labels = part(&["spec", "machineTemplate", "metadata", "labels"]);
    set(&mut labels, &[words::CONTROL_PLANE], "");
    set(&mut labels, &["cluster.x-k8s.io/control-plane-name"], name(plane));
    let mut annotations = part(&["spec", "machineTemplate", "metadata", "annotations"]);
    set(&mut annotations, &[words::CONFIG_HASH], hash);
    let plan = Plan {
        owner: plane,
        cluster: cluster_name(Kind::KubeadmControlPlane, plane),
        labels,
        annotations,
        rules: reference::rules(&spec),
        spec,
        config: Some(part(&["spec", "kubeadmConfigSpec"])),
    };
    match clone::machine(pass, &plan) {
        Ok(machine) => {
            pass.event(plane, "SuccessfulCreate", format!("Created Machine \"{machine}\""));
            String::new()
        }
        Err(missing) => {
            let missing = reference::do_not_exist(&missing);
            pass.problems.push(format!("{id}: failed to create Machine: {missing}"));
            if !condition::read(plane, "ScalingUp").is_some_and(|found| found.message.contains(&missing)) {
                pass.warn(plane, "FailedCreate", format!("Failed to create Machine: {missing}"));
            }
            missing
        }
    }
}

fn deleted(
    pass: &mut Pass<'_>,
    id: &Id,
    old: &Value,
    mut new: Value,
    machines: &[(&Id, &Value)],
    cluster: Option<&Value>,
) {
    let workers = cluster.map_or(0, |cluster| {
        let all = pass.world.members(namespace(cluster), name(cluster), Kind::Machine);
        all.iter().filter(|(_, machine)| !is_control_plane(machine)).count()
    });
    let reason = if workers > 0 {
        "WaitingForWorkersDeletion"
    } else if machines.is_empty() {
        finalize(&mut new, Kind::KubeadmControlPlane, false);
        "DeletionCompleted"
    } else {
        for (id, machine) in machines {
            pass.delete(id, machine);
        }
        "WaitingForMachineDeletion"
    };
    condition::set(&mut new, "Deleting", &Condition::yes(reason), pass.now);
    report(pass, old, &mut new, machines, "");
    pass.settle(id, old, new);
}

fn report(pass: &Pass<'_>, old: &Value, new: &mut Value, machines: &[(&Id, &Value)], missing: &str) {
    let now = pass.now;
    let tally = Tally::of(machines);
    tally.write(new);
    let cluster = cluster_name(Kind::KubeadmControlPlane, old);
    set(new, &["status", "selector"], format!("{}={cluster},{}", words::CLUSTER, words::CONTROL_PLANE));
    if let Some(generation) = int(old, &["metadata", "generation"]) {
        set(new, &["status", "observedGeneration"], generation);
    }
    let versions = machines.iter().map(|(_, machine)| text(machine, &["spec", "version"])).filter(|v| !v.is_empty());
    if let Some(lowest) = versions.min() {
        set(new, &["status", "version"], lowest);
    }
    let answered = pass
        .world
        .cluster_of(Kind::KubeadmControlPlane, old)
        .is_some_and(|cluster| workload::is_initialized(cluster) || workload::answers(&pass.world, cluster));
    let known = machines.iter().any(|(_, machine)| !text(machine, &["status", "nodeRef", "name"]).is_empty());
    if answered && known {
        set(new, &["status", "initialized"], true);
        set(new, &["status", "initialization", "controlPlaneInitialized"], true);
        set(new, &["status", "ready"], tally.ready > 0);
    }
    let initialized = crate::cluster::object::flag(new, &["status", "initialized"]);
    let wanted = if is_going(old) { 0 } else { int(old, &["spec", "replicas"]).unwrap_or(1) };
    for (kind, found) in scaling(tally.replicas, wanted, missing) {
        condition::set(new, kind, &found, now);
    }
    let outdated = tally.replicas - tally.up_to_date;
    let rolling = if outdated > 0 && !is_going(old) {
        Condition::yes("RollingOut").saying(format!("Rolling out {outdated} not up-to-date replicas"))
    } else {
        Condition::no("NotRollingOut", "")
    };
    condition::set(new, "RollingOut", &rolling, now);
    condition::set(new, "MachinesReady", &machines_condition(machines, "Ready"), now);
    condition::set(new, "MachinesUpToDate", &machines_condition(machines, "UpToDate"), now);
    condition::set(new, "Remediating", &Condition::no("NotRemediating", ""), now);
    let started = if initialized {
        Condition::yes("Initialized")
    } else {
        Condition::no("NotInitialized", "Control plane not yet initialized")
    };
    condition::set(new, "Initialized", &started, now);
    let available = if initialized && tally.available > 0 && !is_going(old) {
        Condition::yes("Available")
    } else if is_going(old) {
        Condition::no("NotAvailable", "Deletion in progress")
    } else if initialized {
        Condition::no("NotAvailable", "* No control plane machine is available")
    } else {
        Condition::no("NotAvailable", "Control plane not yet initialized")
    };
    condition::set(new, "Available", &available, now);
    let ready = if available.holds() { Condition::yes("Ready") } else { Condition::no("NotReady", available.message) };
    condition::set(new, "Ready", &ready, now);
}

/// Makes a control plane the cluster's own.
pub(super) fn adopt(pass: &mut Pass<'_>, cluster: &Value, plane: &Value) {
    if !is_going(plane) {
        pass.adopt(&Id::of(Kind::KubeadmControlPlane, plane), plane, cluster, true, name(cluster));
    }
    reference::adopt_templates(pass, cluster, &[machine_spec(plane)]);
}
