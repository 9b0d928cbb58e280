//! The conditions of a cluster, in the words of the new versions and, where they had others, of the old ones.

use serde_json::Value;

use super::action::Pass;
use super::condition::{self, AVAILABLE, Condition, READY};
use super::kind::Kind;
use super::machine::Part;
use super::tally::machines_condition;
use super::workload;
use super::world::{Id, is_control_plane, name, namespace};

/// Writes all of them. `end` is what a deletion waits for.
pub(super) fn write(
    pass: &Pass<'_>,
    cluster: &mut Value,
    infrastructure: &Part<'_>,
    plane: Option<&Part<'_>>,
    end: Option<&'static str>,
) {
    let machines = pass.world.members(namespace(cluster), name(cluster), Kind::Machine);
    let (planes, workers): (Vec<_>, Vec<_>) = machines.into_iter().partition(|(_, machine)| is_control_plane(machine));
    let deleting = match end {
        None => Condition::no("NotDeleting", ""),
        Some(reason) => Condition::yes(reason).saying(words_for(reason)),
    };
    let initialized = workload::is_initialized(cluster);
    let probe = if initialized {
        Condition::yes("ProbeSucceeded")
    } else {
        Condition::no("ProbeFailed", "Remote connection not established yet")
    };
    let built = infrastructure_condition(infrastructure);
    let plane_available = control_plane_available(pass, &planes, plane);
    let workers_available = workers_available(pass, cluster);
    let inputs = [
        ("Deleting", deleting),
        ("RemoteConnectionProbe", probe),
        ("InfrastructureReady", built.clone()),
        ("ControlPlaneAvailable", plane_available),
        ("WorkersAvailable", workers_available),
    ];
    let available = AVAILABLE.of(&inputs);
    let (waits, kind) = ("Waiting for the first control plane machine to have status.nodeRef set", "NotInitialized");
    let message = if plane.is_some() { "Control plane not yet initialized" } else { waits };
    let started = if initialized { Condition::yes("Initialized") } else { Condition::no(kind, message) };
    let controls = if initialized {
        Condition::yes("ControlPlaneReady")
    } else {
        Condition::no("WaitingForControlPlane", message)
    };
    let ready = READY.of(&[("InfrastructureReady", built), ("ControlPlaneReady", controls.clone())]);
    let others = [
        ("Available", available),
        ("ControlPlaneInitialized", started),
        ("ControlPlaneMachinesReady", machines_condition(&planes, "Ready")),
        ("ControlPlaneMachinesUpToDate", machines_condition(&planes, "UpToDate")),
        ("WorkerMachinesReady", machines_condition(&workers, "Ready")),
        ("WorkerMachinesUpToDate", machines_condition(&workers, "UpToDate")),
        ("Remediating", Condition::no("NotRemediating", "")),
        ("Paused", Condition::no("NotPaused", "")),
        // what v1alpha3 has
        ("ControlPlaneReady", controls),
        ("Ready", ready),
    ];
    let moving = ["RollingOut", "ScalingUp", "ScalingDown"].map(|kind| (kind, moving(pass, cluster, plane, kind)));
    for (kind, found) in inputs.iter().chain(&others).chain(&moving) {
        condition::set(cluster, kind, found, pass.now);
    }
}

fn words_for(reason: &str) -> &'static str {
    match reason {
        "WaitingForWorkersDeletion" => "Waiting for MachineDeployments, MachineSets and Machines to be deleted",
        "WaitingForControlPlaneDeletion" => "Waiting for the control plane to be deleted",
        "WaitingForInfrastructureDeletion" => "Waiting for the infrastructure to be deleted",
        _ => "Deletion completed",
    }
}

fn infrastructure_condition(infrastructure: &Part<'_>) -> Condition {
    if infrastructure.kind.is_empty() {
        return Condition::yes("Ready");
    }
    let waits = format!("{} status.initialization.provisioned is false", infrastructure.kind);
    let found = infrastructure.condition(&waits, "cluster");
    match found.reason.as_str() {
        "NotReady" => Condition { reason: "WaitingForInfrastructure".to_owned(), ..found },
        _ => found,
    }
}

fn control_plane_available(pass: &Pass<'_>, planes: &[(&Id, &Value)], plane: Option<&Part<'_>>) -> Condition {
    if let Some(plane) = plane {
        return match plane.object {
            None => Condition::no("ObjectDoesNotExist", format!("{} does not exist", plane.kind)),
            Some(object) => condition::read(object, "Available")
                .unwrap_or_else(|| Condition::unknown("NotYetReported", format!("{} reports nothing yet", plane.kind))),
        };
    }
    if !pass.options.standalone_control_plane {
        return Condition::unknown("InternalError", "Please check controller logs for errors");
    }
    if planes.is_empty() {
        return Condition::no("NotAvailable", "There is no control plane machine");
    }
    let available = planes.iter().any(|(_, machine)| condition::is_true(machine, "Available"));
    if available {
        return Condition::yes("Available");
    }
    Condition::no("NotAvailable", machines_condition(planes, "Ready").message)
}

fn workers_available(pass: &Pass<'_>, cluster: &Value) -> Condition {
    let deployments = pass.world.members(namespace(cluster), name(cluster), Kind::MachineDeployment);
    if deployments.is_empty() {
        return Condition::yes("NoWorkers");
    }
    let missing = deployments.iter().filter(|(_, deployment)| !condition::is_true(deployment, "Available"));
    let lines: Vec<String> = missing
        .map(|(id, deployment)| {
            let message = condition::read(deployment, "Available").map(|found| found.message).unwrap_or_default();
            let message = if message.is_empty() { "Condition Available not yet reported".to_owned() } else { message };
            format!("* MachineDeployment {}: {message}", id.name)
        })
        .collect();
    if lines.is_empty() { Condition::yes("Available") } else { Condition::no("NotAvailable", lines.join("\n")) }
}

/// Whether something of a cluster rolls out, grows or shrinks.
fn moving(pass: &Pass<'_>, cluster: &Value, plane: Option<&Part<'_>>, kind: &str) -> Condition {
    let deployments = pass.world.members(namespace(cluster), name(cluster), Kind::MachineDeployment);
    let planes = plane.and_then(|plane| plane.object).map(|object| (Kind::KubeadmControlPlane, name(object), object));
    let all = planes.into_iter().chain(deployments.iter().map(|(id, object)| (id.kind, &*id.name, *object)));
    let lines: Vec<String> = all
        .filter_map(|(owner, own, object)| {
            let found = condition::read(object, kind).filter(Condition::holds)?;
            Some(format!("* {owner} {own}: {}", found.message))
        })
        .collect();
    if lines.is_empty() {
        Condition::no(format!("Not{kind}"), "")
    } else {
        Condition::yes(kind).saying(lines.join("\n"))
    }
}
