//! A machine: bootstrap data, virtual machine, node, in this order.

use serde_json::{Value, json};

use super::action::{Pass, finalize, own, set_label};
use super::condition::{self, AVAILABLE, Condition, READY};
use super::health_check;
use super::kind::Kind;
use super::machine_deletion;
use super::phase::{self, MachineFacts};
use super::reference;
use super::words;
use super::workload;
use super::world::{Id, annotation, controller, is_going, is_paused, label, name, namespace};
use crate::cluster::api::stamp;
use crate::cluster::object::{at, flag, set, text};

/// What a provider's object says about its part.
pub(super) struct Part<'a> {
    /// Its kind.
    pub(super) kind: &'a str,
    /// The object, when it is there.
    pub(super) object: Option<&'a Value>,
    /// Whether it was ready before.
    pub(super) was_ready: bool,
    /// Whether it is ready now.
    pub(super) ready: bool,
}

impl Part<'_> {
    /// The condition that mirrors the object's own, with words of its own where the object has none.
    pub(super) fn condition(&self, waits: &str, parent: &str) -> Condition {
        match self.object {
            None if self.was_ready => Condition::no(
                "ObjectDeleted",
                format!("{} has been deleted while the {parent} still exists", self.kind),
            ),
            None => Condition::no("ObjectDoesNotExist", format!("{} does not exist", self.kind)),
            Some(object) => match condition::read(object, "Ready") {
                Some(found) if !found.message.is_empty() || found.holds() == self.ready => {
                    let fallback = if found.message.is_empty() && !found.holds() { waits } else { "" };
                    let message = if fallback.is_empty() { found.message.clone() } else { fallback.to_owned() };
                    let severity = if found.holds() { "" } else { "Info" };
                    found.saying(message).severe(severity)
                }
                _ if self.ready => Condition::yes("Ready"),
                _ => Condition::no("NotReady", waits),
            },
        }
    }
}

/// A machine.
pub(super) fn reconcile<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let cluster = pass.world.cluster_of(Kind::Machine, old);
    if is_paused(old, cluster) {
        return paused(pass, id, old);
    }
    if is_going(old) {
        return machine_deletion::reconcile(pass, id, old, cluster);
    }
    let mut new = old.clone();
    finalize(&mut new, Kind::Machine, true);
    let Some(cluster) = cluster else {
        let cluster = text(old, &["spec", "clusterName"]);
        pass.problems.push(format!("{id}: failed to get Cluster \"{cluster}\": it does not exist"));
        return pass.settle(id, old, new);
    };
    set_label(&mut new, words::CLUSTER, name(cluster));
    if controller(old).is_none() {
        own(&mut new, cluster, false);
    }
    let config = at(old, &["spec", "bootstrap", "configRef"]);
    let bootstrap = bootstrap(pass, old, config, cluster, &mut new);
    let infrastructure = infrastructure(pass, old, cluster, &mut new);
    let node = node(pass, old, cluster, &infrastructure, &mut new);
    conditions(pass, old, cluster, &mut new, &bootstrap, &infrastructure, node);
    let rules = reference::rules(at(old, &["spec"]).unwrap_or(&Value::Null));
    let facts = MachineFacts {
        bootstrap_ready: bootstrap.ready,
        infrastructure_ready: infrastructure.ready,
        provider_id: !text(&new, &["spec", "providerID"]).is_empty(),
        node_ref: node,
        updating: false,
        failed: false,
        deleting: false,
    };
    set_phase(pass, old, &mut new, phase::machine(rules, text(old, &["status", "phase"]), facts));
    pass.settle(id, old, new);
}

/// Sets a machine's phase, and when that was.
pub(super) fn set_phase(pass: &Pass<'_>, old: &Value, new: &mut Value, phase: &str) {
    if text(old, &["status", "phase"]) != phase {
        set(new, &["status", "phase"], phase);
        set(new, &["status", "lastUpdated"], stamp(pass.now));
    }
}

fn paused(pass: &mut Pass<'_>, id: &Id, old: &Value) {
    let mut new = old.clone();
    condition::set(&mut new, "Paused", &Condition::yes("Paused"), pass.now);
    pass.settle(id, old, new);
}

fn bootstrap<'a>(
    pass: &mut Pass<'a>,
    old: &Value,
    config: Option<&'a Value>,
    cluster: &Value,
    new: &mut Value,
) -> Part<'a> {
    let was_ready = flag(old, &["status", "initialization", "bootstrapDataSecretCreated"]);
    let Some(config) = config else {
        let ready = !text(old, &["spec", "bootstrap", "dataSecretName"]).is_empty();
        set_ready(new, ready, "bootstrapReady", "bootstrapDataSecretCreated");
        return Part { kind: "Secret", object: None, was_ready, ready };
    };
    let object = adopted(pass, old, config, cluster);
    let made = object.is_some_and(|object| flag(object, &["status", "ready"]));
    if let Some(secret) = object.map(|object| text(object, &["status", "dataSecretName"])).filter(|_| made)
        && text(old, &["spec", "bootstrap", "dataSecretName"]) != secret
    {
        set(new, &["spec", "bootstrap", "dataSecretName"], secret);
    }
    let ready = made || was_ready;
    set_ready(new, ready, "bootstrapReady", "bootstrapDataSecretCreated");
    Part { kind: text(config, &["kind"]), object, was_ready, ready }
}

fn infrastructure<'a>(pass: &mut Pass<'a>, old: &'a Value, cluster: &Value, new: &mut Value) -> Part<'a> {
    let was_ready = flag(old, &["status", "initialization", "infrastructureProvisioned"]);
    let reference = at(old, &["spec", "infrastructureRef"]).unwrap_or(&Value::Null);
    let object = adopted(pass, old, reference, cluster);
    let up = object.filter(|object| flag(object, &["status", "ready"]));
    if let Some(up) = up {
        for (from, to) in [
            (&["spec", "providerID"], &["spec", "providerID"]),
            (&["status", "addresses"], &["status", "addresses"]),
            (&["status", "failureDomain"], &["status", "failureDomain"]),
        ] {
            if let Some(value) = at(up, from).filter(|value| at(old, to) != Some(*value)) {
                set(new, to, value.clone());
            }
        }
    }
    let ready = up.is_some() || was_ready;
    set_ready(new, ready, "infrastructureReady", "infrastructureProvisioned");
    Part { kind: text(reference, &["kind"]), object, was_ready, ready }
}

/// The object that a machine names, once it is the machine's. One that belongs to another machine is not there for it.
fn adopted<'a>(pass: &mut Pass<'a>, machine: &Value, reference: &Value, cluster: &Value) -> Option<&'a Value> {
    let object = pass.world.referred(namespace(machine), reference)?;
    let id = Id::of(Kind::of(text(reference, &["kind"]))?, object);
    let other = controller(object).is_some_and(|owner| {
        text(owner, &["kind"]) == "Machine" && text(owner, &["uid"]) != text(machine, &["metadata", "uid"])
    });
    if other {
        pass.problems.push(format!("{id} belongs to another Machine than {}", name(machine)));
        return None;
    }
    if !is_going(object) {
        pass.adopt(&id, object, machine, true, name(cluster));
    }
    Some(object)
}

fn set_ready(new: &mut Value, ready: bool, old_name: &str, new_name: &str) {
    if ready {
        set(new, &["status", old_name], true);
        set(new, &["status", "initialization", new_name], true);
    }
}

/// Finds the machine's node. True when it is known.
fn node(pass: &mut Pass<'_>, old: &Value, cluster: &Value, machine: &Part<'_>, new: &mut Value) -> bool {
    if !text(old, &["status", "nodeRef", "name"]).is_empty() {
        return true;
    }
    let Some(infrastructure) = machine.object.filter(|_| machine.ready) else { return false };
    let Some(node) = workload::node(infrastructure, old).filter(|_| workload::answers(&pass.world, cluster)) else {
        return false;
    };
    set(new, &["status", "nodeRef"], json!({"apiVersion": "v1", "kind": "Node", "name": node}));
    let version = reference::version(text(old, &["spec", "version"]));
    let info = json!({
        "kubeletVersion": version, "kubeProxyVersion": version, "osImage": "Ubuntu 24.04 LTS", "architecture": "amd64",
        "operatingSystem": "linux", "containerRuntimeVersion": "containerd://2.1.4",
    });
    set(new, &["status", "nodeInfo"], info);
    pass.event(old, "SuccessfulSetNodeRef", node);
    true
}

fn conditions(
    pass: &mut Pass<'_>,
    old: &Value,
    cluster: &Value,
    new: &mut Value,
    bootstrap: &Part<'_>,
    infrastructure: &Part<'_>,
    node: bool,
) {
    let now = pass.now;
    let data = if bootstrap.object.is_none() && bootstrap.kind == "Secret" {
        Condition::either(bootstrap.ready, "DataSecretProvided", "NotReady")
    } else {
        let waits = format!("{} status.initialization.dataSecretCreated is false", bootstrap.kind);
        bootstrap.condition(&waits, "Machine")
    };
    let waits = format!("{} status.initialization.provisioned is false", infrastructure.kind);
    let vm = infrastructure.condition(&waits, "Machine");
    let healthy = healthy(new, cluster, infrastructure, node);
    let checked = health_check::conditions(pass, old);
    let (data, vm) = (old_reason(data, "WaitingForDataSecret"), old_reason(vm, "WaitingForInfrastructure"));
    let mut inputs = vec![
        ("Deleting", Condition::no("NotDeleting", "")),
        ("BootstrapConfigReady", data.clone()),
        ("InfrastructureReady", vm),
        ("NodeHealthy", healthy.clone()),
    ];
    if let Some((checked, remedy)) = checked {
        inputs.push(("HealthCheckSucceeded", checked));
        if let Some(remedy) = remedy {
            condition::set(new, "OwnerRemediated", &remedy, now);
        }
    }
    let ready = READY.of(&inputs);
    for (kind, found) in &inputs {
        condition::set(new, kind, found, now);
    }
    condition::set(new, "NodeReady", &Condition { reason: node_reason(&healthy), ..healthy }, now);
    // the name that the condition had before
    condition::set(new, "BootstrapReady", &data, now);
    condition::set(new, "Ready", &ready, now);
    let available = available(pass, old, new, &ready);
    condition::set(new, "Available", &available, now);
    if let Some(up_to_date) = up_to_date(pass, old) {
        condition::set(new, "UpToDate", &up_to_date, now);
    }
    condition::set(new, "Paused", &Condition::no("NotPaused", ""), now);
}

/// A provider's reason where it has one; the core's where it says nothing of its own.
fn old_reason(condition: Condition, otherwise: &str) -> Condition {
    if condition.reason == "NotReady" && !condition.message.starts_with("* ") {
        return Condition { reason: otherwise.to_owned(), ..condition };
    }
    condition
}

fn node_reason(healthy: &Condition) -> String {
    if healthy.holds() { "NodeReady".to_owned() } else { healthy.reason.clone() }
}

fn healthy(new: &Value, cluster: &Value, infrastructure: &Part<'_>, node: bool) -> Condition {
    if node {
        let lost = infrastructure.object.and_then(|object| annotation(object, words::FAULT)) == Some("node");
        return match lost {
            true => Condition::unknown("NodeHealthUnknown", "* Node.Ready: Kubelet stopped posting node status."),
            false => Condition::yes("NodeHealthy"),
        };
    }
    let provider = text(new, &["spec", "providerID"]);
    let message = if !flag(cluster, &["status", "initialization", "infrastructureProvisioned"]) {
        "Waiting for Cluster status.initialization.infrastructureProvisioned to be true".to_owned()
    } else if !workload::is_initialized(cluster) && label(new, words::CONTROL_PLANE).is_none() {
        "Waiting for Cluster control plane to be initialized".to_owned()
    } else if provider.is_empty() {
        format!("Waiting for {} to report spec.providerID", infrastructure.kind)
    } else {
        format!("Waiting for a Node with spec.providerID {provider} to exist")
    };
    Condition::unknown("InspectionFailed", message)
}

fn available(pass: &mut Pass<'_>, old: &Value, new: &Value, ready: &Condition) -> Condition {
    if !ready.holds() {
        return Condition::no("NotReady", "").severe("Info");
    }
    let seconds = reference::min_ready_seconds(old);
    let began = condition::since(new, "Ready").unwrap_or(pass.now);
    let takes = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    if pass.is_over(began, takes) { AVAILABLE.of(&[]) } else { Condition::no("WaitingForMinReadySeconds", "") }
}

/// Whether a machine is as its owner wants machines now; machines without owner are not judged.
fn up_to_date(pass: &Pass<'_>, machine: &Value) -> Option<Condition> {
    let owner = controller(machine)?;
    let wanted = match text(owner, &["kind"]) {
        "MachineSet" => {
            let set = pass.world.get(Kind::MachineSet, namespace(machine), text(owner, &["name"]))?;
            let deployment = controller(set).map(|owner| text(owner, &["name"]));
            let deployment =
                deployment.and_then(|name| pass.world.get(Kind::MachineDeployment, namespace(machine), name));
            let Some(deployment) = deployment else { return Some(Condition::yes("UpToDate")) };
            (super::machine_deployment::template_hash(deployment), label(machine, words::TEMPLATE_HASH), deployment)
        }
        "KubeadmControlPlane" => {
            let plane = pass.world.get(Kind::KubeadmControlPlane, namespace(machine), text(owner, &["name"]))?;
            (super::control_plane::wanted_hash(plane), annotation(machine, words::CONFIG_HASH), plane)
        }
        _ => return None,
    };
    if Some(wanted.0.as_str()) == wanted.1 {
        return Some(Condition::yes("UpToDate"));
    }
    let asked = match text(owner, &["kind"]) {
        "MachineSet" => text(wanted.2, &["spec", "template", "spec", "version"]),
        _ => text(wanted.2, &["spec", "version"]),
    };
    let (asked, has) = (reference::version(asked), text(machine, &["spec", "version"]));
    let message = if asked == has {
        "* The template has changed".to_owned()
    } else {
        format!("* Version {has}, {asked} required")
    };
    Some(Condition::no("NotUpToDate", message))
}
