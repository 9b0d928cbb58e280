//! Clusters that come, grow, roll out and go as they should.

use serde_json::json;

use super::rig::Rig;
use crate::cluster::object::{list, text};
use crate::gitops::capi::condition;
use crate::gitops::capi::kind::Kind;

#[test]
fn the_talks_cluster_comes_up() {
    let mut rig = Rig::seed();
    rig.settle();
    assert_eq!(rig.phase(Kind::Cluster, "demo"), "Provisioned");
    assert_eq!(rig.phase(Kind::Machine, "demo-controlplane-0"), "Provisioning");
    assert_eq!(
        rig.tree(),
        [
            "Cluster default/demo 3/3 False",
            "├─AzureCluster default/demo  True",
            "└─Workers  ",
            "  ├─MachineDeployment default/demo-md-0, v1.33.1 2/2 False",
            "  │ └─2 Machines...  False",
            "  └─Other  ",
            "    └─Machine default/demo-controlplane-0, v1.33.1 1 False",
            "      └─AzureMachine default/demo-controlplane-0  False",
        ]
    );
    let took = rig.finish().as_secs_f64();
    // virtual machine, node, then etcd and API server beside each other; then virtual machine and node of the workers
    assert!((26.0..=31.3).contains(&took), "{took}");
    assert_eq!(rig.problems, Vec::<String>::new());
    assert_eq!(
        rig.tree(),
        [
            "Cluster default/demo 3/3 True",
            "├─AzureCluster default/demo  True",
            "└─Workers  ",
            "  ├─MachineDeployment default/demo-md-0, v1.33.1 2/2 True",
            "  │ └─2 Machines...  True",
            "  └─Other  ",
            "    └─Machine default/demo-controlplane-0, v1.33.1 1 True",
        ]
    );
    for machine in rig.names(Kind::Machine) {
        assert_eq!(rig.phase(Kind::Machine, &machine), "Running");
        assert_eq!(text(rig.get(Kind::Machine, &machine), &["status", "nodeRef", "kind"]), "Node");
    }
    assert_eq!(rig.phase(Kind::MachineDeployment, "demo-md-0"), "Running");
    let cluster = rig.get(Kind::Cluster, "demo");
    let counters =
        json!({"desiredReplicas": 2, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "upToDateReplicas": 2});
    assert_eq!(cluster["status"]["workers"], counters);
    assert_eq!(cluster["status"]["controlPlaneInitialized"], true);
    assert_eq!(cluster["status"]["initialization"]["controlPlaneInitialized"], true);
    assert!(condition::is_true(cluster, "Ready") && condition::is_true(cluster, "Available"));
    let mut secrets = rig.names(Kind::Secret);
    secrets.retain(|name| !name.starts_with("demo-md-0-"));
    assert_eq!(secrets, ["demo-ca", "demo-controlplane-0", "demo-etcd", "demo-kubeconfig", "demo-proxy", "demo-sa"]);
    for event in [
        "InfrastructureReady: Cluster demo InfrastructureProvisioned is now True",
        "Provisioned: Cluster demo is Provisioned",
        "SuccessfulSetNodeRef: demo-controlplane-0",
    ] {
        assert!(rig.events.iter().any(|told| told == event), "{event} in {:#?}", rig.events);
    }
}

#[test]
fn the_same_seed_gives_the_same_life() {
    let life = || {
        let mut rig = Rig::seed();
        let took = rig.finish();
        (took, rig.objects.clone(), rig.events.clone())
    };
    assert_eq!(life(), life());
}

#[test]
fn everything_belongs_to_the_cluster() {
    let mut rig = Rig::seed();
    rig.finish();
    let owner = |kind, name: &str| {
        let owners = list(rig.get(kind, name), &["metadata", "ownerReferences"]);
        let told = owners.iter().map(|owner| {
            format!(
                "{}/{}{}",
                text(owner, &["kind"]),
                text(owner, &["name"]),
                if owner["controller"] == true { "!" } else { "" }
            )
        });
        told.collect::<Vec<_>>().join(" ")
    };
    let set = rig.names(Kind::MachineSet)[0].clone();
    let worker = rig.names(Kind::Machine)[1].clone();
    let bootstrap = text(rig.get(Kind::Machine, &worker), &["spec", "bootstrap", "configRef", "name"]).to_owned();
    let vm = text(rig.get(Kind::Machine, &worker), &["spec", "infrastructureRef", "name"]).to_owned();
    for (kind, name, expected) in [
        (Kind::AzureCluster, "demo", "Cluster/demo!".to_owned()),
        (Kind::MachineDeployment, "demo-md-0", "Cluster/demo".to_owned()),
        (Kind::MachineSet, &set, "MachineDeployment/demo-md-0!".to_owned()),
        (Kind::Machine, &worker, format!("MachineSet/{set}!")),
        (Kind::Machine, "demo-controlplane-0", "Cluster/demo".to_owned()),
        (Kind::AzureMachine, "demo-controlplane-0", "Machine/demo-controlplane-0!".to_owned()),
        (Kind::KubeadmConfig, &bootstrap, format!("Machine/{worker}!")),
        (Kind::AzureMachine, &vm, format!("Machine/{worker}!")),
        (Kind::Secret, &bootstrap, format!("KubeadmConfig/{bootstrap}!")),
        (Kind::Secret, "demo-kubeconfig", "Cluster/demo!".to_owned()),
        (Kind::AzureMachineTemplate, "demo-md-0", "Cluster/demo".to_owned()),
        (Kind::KubeadmConfigTemplate, "demo-md-0", "Cluster/demo".to_owned()),
    ] {
        assert_eq!(owner(kind, name), expected, "{kind} {name}");
    }
    assert!(set.starts_with("demo-md-0-") && worker.starts_with(&set), "{set} {worker}");
    assert!(vm.starts_with("demo-md-0-") && vm != worker, "v1alpha3 names clones by their template: {vm}");
    let provider = text(rig.get(Kind::Machine, &worker), &["spec", "providerID"]);
    assert!(provider.starts_with("azure:///subscriptions/") && provider.ends_with(&vm), "{provider}");
}

#[test]
fn workers_are_scaled_and_drained() {
    let mut rig = Rig::seed();
    rig.finish();
    let deployment = Rig::id(Kind::MachineDeployment, "demo-md-0");
    rig.patch(&deployment, &json!({"spec": {"replicas": 4}}));
    rig.settle();
    // the machines are counted, not how they are
    assert_eq!(rig.phase(Kind::MachineDeployment, "demo-md-0"), "Running");
    let status = rig.get(Kind::MachineDeployment, "demo-md-0")["status"].clone();
    assert_eq!((&status["replicas"], &status["readyReplicas"]), (&json!(4), &json!(2)));
    rig.finish();
    assert_eq!(rig.names(Kind::Machine).len(), 5);
    rig.patch(&deployment, &json!({"spec": {"replicas": 1}}));
    rig.settle();
    let going = rig.names(Kind::Machine).into_iter().find(|name| rig.phase(Kind::Machine, name) == "Deleting").unwrap();
    let machine = rig.get(Kind::Machine, &going);
    assert_eq!(condition::read(machine, "Deleting").unwrap().reason, "DrainingNode");
    let ready = condition::read(machine, "Ready").unwrap();
    assert_eq!(ready.message, "* Deleting: Machine deletion in progress, stage: DrainingNode");
    rig.finish();
    assert_eq!(rig.names(Kind::Machine).len(), 2);
    assert_eq!(rig.names(Kind::AzureMachine).len(), 2);
    assert!(rig.events.iter().any(|event| event.starts_with("SuccessfulDrainNode: success draining Machine's node ")));
}

/// What the rollout of two machines with one to spare goes through.
#[test]
fn a_rollout_goes_in_the_order_of_the_book() {
    let mut rig = Rig::seed();
    rig.finish();
    let old = rig.names(Kind::MachineSet)[0].clone();
    let deployment = Rig::id(Kind::MachineDeployment, "demo-md-0");
    rig.patch(&deployment, &json!({"spec": {"template": {"spec": {"version": "v1.34.0"}}}}));
    let mut seen: Vec<String> = Vec::new();
    loop {
        let more = rig.step();
        let size = |set: &str| text_of(rig.get(Kind::MachineSet, set), "replicas");
        let new = rig.names(Kind::MachineSet).into_iter().find(|set| *set != old);
        let state = format!("{} {}", size(&old), new.as_deref().map_or_else(String::new, size));
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        if !more {
            break;
        }
    }
    assert_eq!(seen, ["2 1", "1 2", "0 2"]);
    assert_eq!(rig.names(Kind::Machine).len(), 3);
    let deployment = rig.get(Kind::MachineDeployment, "demo-md-0");
    assert_eq!(deployment["status"]["upToDateReplicas"], 2);
    let scaled: Vec<&String> = rig.events.iter().filter(|event| event.starts_with("SuccessfulScale")).collect();
    assert_eq!(scaled.len(), 3, "{scaled:?}");
    // one old set is kept to go back to
    assert_eq!(rig.names(Kind::MachineSet).len(), 2);
}

fn text_of(set: &serde_json::Value, member: &str) -> String {
    set["spec"][member].to_string()
}

#[test]
fn a_cluster_goes_in_order() {
    let mut rig = Rig::seed();
    rig.finish();
    rig.delete(&Rig::id(Kind::Cluster, "demo"));
    rig.finish();
    assert_eq!(rig.objects.keys().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(rig.events.iter().any(|event| event == "Deleted: Cluster demo has been deleted"), "{:#?}", rig.events);
}

const PLANE: &str = r#"
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: demo}
spec:
  infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureCluster, name: demo}
  controlPlaneRef: {apiGroup: controlplane.cluster.x-k8s.io, kind: KubeadmControlPlane, name: demo-cp}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: AzureCluster
metadata: {name: demo}
spec: {location: westeurope}
---
apiVersion: controlplane.cluster.x-k8s.io/v1beta2
kind: KubeadmControlPlane
metadata: {name: demo-cp}
spec:
  replicas: 3
  version: v1.33.1
  kubeadmConfigSpec: {clusterConfiguration: {}}
  machineTemplate:
    spec:
      infrastructureRef: {apiGroup: infrastructure.cluster.x-k8s.io, kind: AzureMachineTemplate, name: demo-cp}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1beta1
kind: AzureMachineTemplate
metadata: {name: demo-cp}
spec: {template: {spec: {vmSize: small}}}
"#;

#[test]
fn a_managed_control_plane_grows_and_is_replaced_one_by_one() {
    let mut rig = Rig::new(crate::gitops::capi::Options::default());
    rig.apply(PLANE);
    rig.settle();
    assert_eq!(rig.names(Kind::Machine).len(), 1);
    let took = rig.finish().as_secs();
    assert!((36..=46).contains(&took), "three after each other: {took}");
    assert_eq!(
        rig.tree(),
        [
            "Cluster default/demo 3/3 True",
            "├─AzureCluster default/demo  True",
            "└─KubeadmControlPlane default/demo-cp, v1.33.1 3/3 True",
            "  └─3 Machines...  True",
        ]
    );
    let plane = Rig::id(Kind::KubeadmControlPlane, "demo-cp");
    rig.patch(&plane, &json!({"spec": {"version": "v1.34.0"}}));
    let (mut most, mut least) = (0, usize::MAX);
    while rig.step() {
        let count = rig.names(Kind::Machine).len();
        (most, least) = (most.max(count), least.min(count));
    }
    assert_eq!((most, least), (4, 3));
    for machine in rig.names(Kind::Machine) {
        assert_eq!(text(rig.get(Kind::Machine, &machine), &["spec", "version"]), "v1.34.0");
        // the new way of naming: all of a machine has its name
        assert!(rig.names(Kind::AzureMachine).contains(&machine));
    }
    rig.patch(&plane, &json!({"spec": {"replicas": 1}}));
    rig.finish();
    assert_eq!(rig.names(Kind::Machine).len(), 1);
    rig.delete(&Rig::id(Kind::Cluster, "demo"));
    rig.finish();
    assert!(rig.objects.is_empty(), "{:?}", rig.objects.keys());
}
