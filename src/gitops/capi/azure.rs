//! The infrastructure: clusters and machines of Azure that exist in memory alone, and take their time to start.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::action::{Pass, finalize, status};
use super::condition::{self, Condition, READY};
use super::kind::Kind;
use super::name::{hash, jittered};
use super::words;
use super::workload;
use super::world::{Id, annotation, cluster_name, controller, is_control_plane, is_going, is_paused, name, namespace};
use crate::cluster::api::micro_stamp;
use crate::cluster::object::{entry, flag, set, set_default, text};

/// The port of API servers.
const PORT: u16 = 6443;
/// The subscription of clusters that name none.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// Network and load balancer of a cluster.
pub(super) fn cluster<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let mut new = old.clone();
    if is_going(old) {
        finalize(&mut new, Kind::AzureCluster, false);
        return pass.settle(id, old, new);
    }
    let owner = pass.world.cluster_of(Kind::AzureCluster, old);
    let Some(owner) = owner.filter(|_| controller(old).is_some()) else { return };
    if is_paused(old, Some(owner)) {
        return;
    }
    finalize(&mut new, Kind::AzureCluster, true);
    network_defaults(&mut new, name(owner));
    let began = stage(&mut new, "network", pass.now);
    let parts = [namespace(old), name(old), "network"];
    let takes = jittered(pass.options.timings.network, pass.options.timings.jitter, pass.options.seed, &parts);
    let up = flag(old, &["status", "ready"]) || pass.is_over(began, takes);
    if up {
        if text(old, &["spec", "controlPlaneEndpoint", "host"]).is_empty() {
            let number = hash(pass.options.seed, &[namespace(old), name(old), "endpoint"]);
            let place = Some(text(old, &["spec", "location"])).filter(|place| !place.is_empty()).unwrap_or("local");
            // a name that no name server knows: there is nothing behind it
            let host = format!("{}-{:08x}.{place}.cloudapp.invalid", name(owner), number as u32);
            set(&mut new, &["spec", "controlPlaneEndpoint"], json!({"host": host, "port": PORT}));
        }
        set(&mut new, &["status", "ready"], true);
        set(&mut new, &["status", "initialization", "provisioned"], true);
    }
    let network = if up {
        Condition::yes("Provisioned")
    } else {
        Condition::no("LoadBalancerProvisioning", "The load balancer is being made")
    };
    condition::set(&mut new, "NetworkInfrastructureReady", &network, pass.now);
    let ready = if up { Condition::yes("Ready") } else { Condition::no("NotProvisioned", network.message) };
    condition::set(&mut new, "Ready", &ready, pass.now);
    if up && !flag(old, &["status", "ready"]) {
        pass.event(old, "ClusterProvisioned", format!("Network and load balancer of {} are there", name(old)));
    }
    pass.settle(id, old, new);
}

/// What Azure's provider fills in.
fn network_defaults(object: &mut Value, cluster: &str) {
    let spec = entry(object, &["spec"]);
    set_default(spec, &["resourceGroup"], cluster);
    let group = text(spec, &["resourceGroup"]).to_owned();
    let network = entry(spec, &["networkSpec"]);
    set_default(network, &["vnet", "name"], format!("{cluster}-vnet"));
    set_default(network, &["vnet", "resourceGroup"], group);
    set_default(network, &["vnet", "cidrBlocks"], json!(["10.0.0.0/8"]));
    set_default(network, &["apiServerLB", "name"], format!("{cluster}-public-lb"));
    let subnet = |role: &str, short: &str, block: &str| {
        json!({
            "name": format!("{cluster}-{short}-subnet"), "role": role, "cidrBlocks": [block],
            "securityGroup": {"name": format!("{cluster}-{short}-nsg")},
            "routeTable": {"name": format!("{cluster}-node-routetable")},
        })
    };
    let subnets = [subnet("control-plane", "controlplane", "10.0.0.0/16"), subnet("node", "node", "10.1.0.0/16")];
    set_default(network, &["subnets"], json!(subnets));
}

/// A virtual machine and, once it is up, what runs in it.
pub(super) fn machine<'a>(pass: &mut Pass<'a>, id: &'a Id, old: &'a Value) {
    let mut new = old.clone();
    if is_going(old) {
        return deleted(pass, id, old, new);
    }
    let owner = controller(old).filter(|owner| text(owner, &["kind"]) == "Machine");
    let owner = owner.and_then(|owner| pass.world.get(Kind::Machine, namespace(old), text(owner, &["name"])));
    let (Some(owner), Some(cluster)) = (owner, pass.world.cluster_of(Kind::AzureMachine, old)) else { return };
    if is_paused(old, Some(cluster)) {
        return;
    }
    finalize(&mut new, Kind::AzureMachine, true);
    let mut stages = Stages { new: &mut new, old, serves: is_control_plane(owner), conditions: Vec::new() };
    match waits_for(owner, cluster) {
        Some((simulated, azure)) if !stages.is_done("vm") => stages.waiting(simulated, azure),
        _ => stages.advance(pass),
    }
    let conditions = std::mem::take(&mut stages.conditions);
    let up = is_done(&new, "vm");
    if up {
        machine_is_up(pass, owner, cluster, &mut new);
    }
    for (kind, condition) in &conditions {
        condition::set(&mut new, kind, condition, pass.now);
    }
    // what Azure's provider says is the same once more
    let own = conditions.iter().filter(|(kind, _)| *kind != "VMRunning").map(|(kind, found)| (*kind, found.clone()));
    let mut ready = READY.of(&own.collect::<Vec<_>>());
    if !ready.holds() {
        "NotProvisioned".clone_into(&mut ready.reason);
    } else if annotation(old, words::BOOTSTRAPPED).is_none() {
        set(&mut new, &["metadata", "annotations", words::BOOTSTRAPPED], "true");
    }
    condition::set(&mut new, "Ready", &ready, pass.now);
    if up && !is_done(old, "vm") {
        pass.event(old, "VMProvisioned", format!("The virtual machine {} is up", name(old)));
    }
    pass.settle(id, old, new);
}

/// What the start of a machine waits for, in the words of the in-memory provider and of Azure's.
fn waits_for(owner: &Value, cluster: &Value) -> Option<(&'static str, &'static str)> {
    if !flag(cluster, &["status", "initialization", "infrastructureProvisioned"]) {
        Some(("WaitingForClusterInfrastructureReady", "WaitingForClusterInfrastructure"))
    } else if text(owner, &["spec", "bootstrap", "dataSecretName"]).is_empty() {
        let initialized = workload::is_initialized(cluster) || is_control_plane(owner);
        let simulated = if initialized { "WaitingForBootstrapData" } else { "WaitingForControlPlaneInitialized" };
        Some((simulated, "WaitingForBootstrapData"))
    } else if !is_control_plane(owner) && !workload::is_initialized(cluster) {
        Some(("WaitingForControlPlaneInitialized", "WaitingForBootstrapData"))
    } else {
        None
    }
}

/// The start of a machine, stage by stage.
struct Stages<'a> {
    new: &'a mut Value,
    old: &'a Value,
    /// Whether it runs etcd and an API server.
    serves: bool,
    conditions: Vec<(&'static str, Condition)>,
}

impl Stages<'_> {
    fn is_done(&self, stage: &str) -> bool {
        is_done(self.new, stage)
    }

    fn waiting(&mut self, simulated: &str, azure: &str) {
        self.conditions.push(("VMProvisioned", Condition::no(simulated, words_for(simulated))));
        self.conditions.push(("VMRunning", Condition::no(azure, words_for(simulated))));
        self.later("NodeProvisioned", "WaitingForVMProvisioned");
        if self.serves {
            self.later("EtcdProvisioned", "WaitingForVMProvisioned");
            self.later("APIServerProvisioned", "WaitingForVMProvisioned");
        }
    }

    fn later(&mut self, kind: &'static str, reason: &str) {
        self.conditions.push((kind, Condition::no(reason, words_for(reason))));
    }

    fn advance(&mut self, pass: &mut Pass<'_>) {
        let timings = pass.options.timings;
        let fault = annotation(self.old, words::FAULT).unwrap_or_default().to_owned();
        if fault == "vm" && !self.is_done("vm") {
            let failed = Condition::no("VMProvisionFailed", "The virtual machine does not start").severe("Error");
            self.conditions.push(("VMProvisioned", failed.clone()));
            self.conditions.push(("VMRunning", failed));
            set(self.new, &["status", "vmState"], "Failed");
            return;
        }
        let created = stage(self.new, "created", pass.now);
        set(self.new, &["status", "vmState"], if self.is_done("vm") { "Succeeded" } else { "Creating" });
        let Some(vm) = self.stage(pass, "vm", created, timings.vm, "VMProvisioned") else {
            self.conditions.push(("VMRunning", Condition::no("VMCreating", words_for("WaitingForStartupTimeout"))));
            self.later("NodeProvisioned", "WaitingForVMProvisioned");
            return;
        };
        set(self.new, &["status", "vmState"], "Succeeded");
        self.conditions.push(("VMRunning", Condition::yes("Provisioned")));
        if fault == "node" && !self.is_done("node") {
            let failed = Condition::no("WaitingForStartupTimeout", "The machine does not become a node");
            return self.conditions.push(("NodeProvisioned", failed.severe("Warning")));
        }
        let Some(node) = self.stage(pass, "node", vm, timings.node, "NodeProvisioned") else { return };
        if self.serves {
            self.stage(pass, "etcd", node, timings.etcd, "EtcdProvisioned");
            self.stage(pass, "apiServer", node, timings.api_server, "APIServerProvisioned");
        }
    }

    /// When a stage was done; none while it is under way.
    fn stage(
        &mut self,
        pass: &mut Pass<'_>,
        stage: &'static str,
        began: Timestamp,
        takes: Duration,
        kind: &'static str,
    ) -> Option<Timestamp> {
        let known = text(self.new, &["status", "simulation", stage]).parse().ok();
        let done = known.or_else(|| {
            let parts = [namespace(self.old), name(self.old), stage];
            let takes = jittered(takes, pass.options.timings.jitter, pass.options.seed, &parts);
            pass.is_over(began, takes)
                .then(|| self::stage(self.new, stage, began.checked_add(takes).unwrap_or(pass.now)))
        });
        let condition = match done {
            Some(_) => Condition::yes("Provisioned"),
            None => Condition::no("WaitingForStartupTimeout", words_for("WaitingForStartupTimeout")),
        };
        self.conditions.push((kind, condition));
        done
    }
}

fn words_for(reason: &str) -> &'static str {
    match reason {
        "WaitingForClusterInfrastructureReady" => "Waiting for the cluster's infrastructure",
        "WaitingForControlPlaneInitialized" => "Waiting for the control plane to be initialized",
        "WaitingForBootstrapData" => "Waiting for the bootstrap data",
        "WaitingForVMProvisioned" => "Waiting for the virtual machine",
        _ => "Starting",
    }
}

/// The time of a stage; now, when it has none yet.
fn stage(object: &mut Value, stage: &str, now: Timestamp) -> Timestamp {
    set_default(status(object), &["simulation", stage], micro_stamp(now));
    text(object, &["status", "simulation", stage]).parse().unwrap_or(now)
}

fn is_done(object: &Value, stage: &str) -> bool {
    !text(object, &["status", "simulation", stage]).is_empty()
}

fn machine_is_up(pass: &Pass<'_>, owner: &Value, cluster: &Value, new: &mut Value) {
    let azure =
        pass.world.get(Kind::AzureCluster, namespace(cluster), text(cluster, &["spec", "infrastructureRef", "name"]));
    let part = |member: &str, otherwise: &str| {
        let found = azure.map(|azure| text(azure, &["spec", member])).filter(|found| !found.is_empty());
        found.unwrap_or(otherwise).to_owned()
    };
    let (subscription, group) = (part("subscriptionID", SUBSCRIPTION), part("resourceGroup", name(cluster)));
    let vm = name(new).to_owned();
    let provider = format!(
        "azure:///subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{vm}"
    );
    set_default(new, &["spec", "providerID"], provider);
    set(new, &["status", "ready"], true);
    set(new, &["status", "initialization", "provisioned"], true);
    let number = hash(pass.options.seed, &[namespace(cluster), &vm, "address"]);
    let net = if is_control_plane(owner) { 0 } else { 1 };
    let address = format!("10.{net}.{}.{}", number % 256, 4 + number / 256 % 250);
    set(
        new,
        &["status", "addresses"],
        json!([{"type": "InternalDNS", "address": vm}, {"type": "InternalIP", "address": address}]),
    );
}

fn deleted(pass: &mut Pass<'_>, id: &Id, old: &Value, mut new: Value) {
    let began = text(old, &["metadata", "deletionTimestamp"]).parse().unwrap_or(pass.now);
    let takes = if is_done(old, "created") { pass.options.timings.delete } else { Duration::ZERO };
    if pass.is_over(began, takes) {
        finalize(&mut new, Kind::AzureMachine, false);
    } else {
        set(&mut new, &["status", "vmState"], "Deleting");
        let going = Condition::no("VMDeleting", "The virtual machine is being deleted");
        condition::set(&mut new, "VMRunning", &going, pass.now);
        condition::set(&mut new, "Ready", &Condition::no("Deleting", going.message), pass.now);
    }
    pass.settle(id, old, new);
}

/// Whether a virtual machine is one of a cluster and has come as far as a condition says.
pub(super) fn has_come_to(machine: &Value, cluster: &str, kind: &str) -> bool {
    cluster_name(Kind::AzureMachine, machine) == cluster && condition::is_true(machine, kind)
}
