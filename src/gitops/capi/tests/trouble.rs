//! What goes wrong is told as the real controllers tell it, and nothing is stuck for ever.

use proptest::prelude::*;
use serde_json::json;

use super::rig::Rig;
use crate::cluster::object::text;
use crate::gitops::capi::condition;
use crate::gitops::capi::kind::Kind;
use crate::gitops::capi::{Options, Timings, words};

#[test]
fn a_machine_without_cluster_waits_and_can_go() {
    let mut rig = Rig::seed();
    rig.objects.remove(&Rig::id(Kind::Cluster, "demo"));
    rig.finish();
    let machine = rig.get(Kind::Machine, "demo-controlplane-0");
    assert_eq!(text(machine, &["status", "phase"]), "");
    let told = "Machine default/demo-controlplane-0: failed to get Cluster \"demo\": it does not exist";
    assert!(rig.problems.iter().any(|problem| problem == told), "{:?}", rig.problems);
    let machine = Rig::id(Kind::Machine, "demo-controlplane-0");
    rig.delete(&machine);
    rig.finish();
    assert!(!rig.objects.contains_key(&machine));
}

#[test]
fn a_missing_template_blocks_and_does_not_block_for_ever() {
    let mut rig = Rig::seed();
    let template = Rig::id(Kind::AzureMachineTemplate, "demo-md-0");
    let kept = rig.objects.remove(&template).unwrap();
    rig.finish();
    let deployment = rig.get(Kind::MachineDeployment, "demo-md-0");
    let up = condition::read(deployment, "ScalingUp").unwrap();
    assert_eq!(up.message, "Scaling up from 0 to 2 replicas is blocked because AzureMachineTemplate does not exist");
    let warned = "FailedCreate: Failed to create Machine: AzureMachineTemplate does not exist";
    assert_eq!(rig.events.iter().filter(|event| *event == warned).count(), 1);
    rig.objects.insert(template, kept);
    rig.finish();
    assert_eq!(rig.phase(Kind::MachineDeployment, "demo-md-0"), "Running");
}

#[test]
fn missing_parts_are_named() {
    let mut rig = Rig::seed();
    rig.objects.remove(&Rig::id(Kind::AzureMachine, "demo-controlplane-0"));
    rig.objects.remove(&Rig::id(Kind::AzureCluster, "demo"));
    rig.finish();
    let message = |kind, name, condition| condition::read(rig.get(kind, name), condition).unwrap().message;
    let machine = message(Kind::Machine, "demo-controlplane-0", "InfrastructureReady");
    assert_eq!(machine, "AzureMachine does not exist");
    assert_eq!(message(Kind::Cluster, "demo", "InfrastructureReady"), "AzureCluster does not exist");
    assert_eq!(rig.phase(Kind::Cluster, "demo"), "Provisioning");
}

#[test]
fn a_paused_cluster_stands_still() {
    let mut rig = Rig::seed();
    let cluster = Rig::id(Kind::Cluster, "demo");
    rig.patch(&cluster, &json!({"spec": {"paused": true}}));
    rig.finish();
    assert!(condition::is_true(rig.get(Kind::Cluster, "demo"), "Paused"));
    assert_eq!(rig.names(Kind::Machine).len(), 1);
    rig.patch(&cluster, &json!({"spec": {"paused": null}}));
    rig.finish();
    assert!(condition::is_true(rig.get(Kind::Cluster, "demo"), "Available"));
}

#[test]
fn a_machine_that_fails_says_so_and_can_go() {
    for (fault, kind, reason) in
        [("vm", "VMRunning", "VMProvisionFailed"), ("node", "NodeProvisioned", "WaitingForStartupTimeout")]
    {
        let mut rig = Rig::seed();
        let machine = Rig::id(Kind::AzureMachine, "demo-controlplane-0");
        rig.patch(&machine, &json!({"metadata": {"annotations": {words::FAULT: fault}}}));
        rig.finish();
        assert_eq!(condition::read(rig.get(Kind::AzureMachine, "demo-controlplane-0"), kind).unwrap().reason, reason);
        assert!(!condition::is_true(rig.get(Kind::Cluster, "demo"), "Available"));
        rig.delete(&Rig::id(Kind::Cluster, "demo"));
        rig.finish();
        assert!(rig.objects.is_empty(), "{:?}", rig.objects.keys());
    }
}

fn with_health_check(spec: serde_json::Value) -> Rig {
    let mut rig = Rig::seed();
    rig.create(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineHealthCheck",
        "metadata": {"name": "workers"}, "spec": spec}));
    rig
}

/// The infrastructure machine of the first worker, once it is there.
fn break_a_worker(rig: &mut Rig) -> String {
    let worker = rig.names(Kind::Machine).into_iter().find(|name| name.contains("md-0")).unwrap();
    let reference = text(rig.get(Kind::Machine, &worker), &["spec", "infrastructureRef", "name"]).to_owned();
    let machine = Rig::id(Kind::AzureMachine, &reference);
    rig.patch(&machine, &json!({"metadata": {"annotations": {words::FAULT: "node"}}}));
    worker
}

#[test]
fn a_machine_that_does_not_become_a_node_is_replaced() {
    let mut rig = with_health_check(json!({"clusterName": "demo", "nodeStartupTimeout": "1m", "maxUnhealthy": "50%",
        "selector": {"matchLabels": {"nodepool": "nodepool-0"}}}));
    rig.settle();
    let worker = break_a_worker(&mut rig);
    rig.finish();
    assert!(!rig.names(Kind::Machine).contains(&worker), "{:?}", rig.names(Kind::Machine));
    assert_eq!(rig.names(Kind::Machine).len(), 3);
    let told = format!("SuccessfulDelete: Deleted Machine \"{worker}\"");
    assert!(rig.events.contains(&told), "{:#?}", rig.events);
    let check = rig.get(Kind::MachineHealthCheck, "workers");
    assert_eq!((&check["status"]["expectedMachines"], &check["status"]["currentHealthy"]), (&json!(2), &json!(2)));
    assert_eq!(rig.phase(Kind::MachineDeployment, "demo-md-0"), "Running");
    rig.delete(&Rig::id(Kind::Cluster, "demo"));
    rig.finish();
    assert!(rig.objects.is_empty(), "{:?}", rig.objects.keys());
}

#[test]
fn a_lost_node_is_replaced_and_too_many_are_not() {
    let spec = |most: &str| {
        json!({"clusterName": "demo", "selector": {"matchLabels": {"nodepool": "nodepool-0"}},
            "checks": {"unhealthyNodeConditions": [{"type": "Ready", "status": "Unknown", "timeoutSeconds": 300}]},
            "remediation": {"triggerIf": {"unhealthyLessThanOrEqualTo": most}}})
    };
    for (most, replaced) in [("50%", true), ("40%", false)] {
        let mut rig = with_health_check(spec(most));
        rig.finish();
        let worker = break_a_worker(&mut rig);
        rig.finish();
        assert_eq!(!rig.names(Kind::Machine).contains(&worker), replaced, "{most}");
        let check = rig.get(Kind::MachineHealthCheck, "workers");
        let allowed = condition::read(check, "RemediationAllowed").unwrap();
        assert_eq!(allowed.reason, if replaced { "RemediationAllowed" } else { "TooManyUnhealthy" });
        if !replaced {
            let ill = condition::read(rig.get(Kind::Machine, &worker), "HealthCheckSucceeded").unwrap();
            let words = "Health check failed: Condition Ready on Node is reporting status Unknown for more than 5m0s";
            assert_eq!((ill.reason.as_str(), ill.message.as_str()), ("UnhealthyNode", words));
            assert!(!condition::is_true(rig.get(Kind::Cluster, "demo"), "Available"));
        }
    }
}

#[test]
fn a_machine_is_replaced_by_annotation() {
    let mut rig = with_health_check(json!({"clusterName": "demo", "selector": {"matchLabels": {}}}));
    rig.finish();
    let worker = rig.names(Kind::Machine).into_iter().find(|name| name.contains("md-0")).unwrap();
    rig.patch(&Rig::id(Kind::Machine, &worker), &json!({"metadata": {"annotations": {words::REMEDIATE: ""}}}));
    rig.finish();
    assert!(!rig.names(Kind::Machine).contains(&worker));
    assert_eq!(rig.names(Kind::Machine).len(), 3);
}

#[test]
fn a_control_plane_is_mended_while_others_are_well() {
    for (replicas, mended) in [(1, false), (3, true)] {
        let mut rig = Rig::new(Options::default());
        rig.apply(include_str!("../../../../workshop/repo/apps/cluster.yaml"));
        rig.create(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "MachineHealthCheck",
            "metadata": {"name": "plane"}, "spec": {"clusterName": "demo",
                "selector": {"matchLabels": {words::CONTROL_PLANE: ""}}}}));
        let plane = Rig::id(Kind::KubeadmControlPlane, "demo-control-plane");
        rig.patch(&plane, &json!({"spec": {"replicas": replicas}}));
        rig.finish();
        assert!(condition::is_true(rig.get(Kind::Cluster, "demo"), "Available"), "{:#?}", rig.tree());
        let of_plane = |rig: &Rig| -> Vec<String> {
            rig.names(Kind::Machine).into_iter().filter(|name| name.starts_with("demo-control-plane")).collect()
        };
        let ill = of_plane(&rig).remove(0);
        rig.patch(&Rig::id(Kind::Machine, &ill), &json!({"metadata": {"annotations": {words::REMEDIATE: ""}}}));
        rig.finish();
        assert_eq!((of_plane(&rig).len(), !of_plane(&rig).contains(&ill)), (replicas, mended));
    }
}

#[test]
fn hooks_hold_a_deletion() {
    let mut rig = Rig::seed();
    rig.finish();
    let worker = rig.names(Kind::Machine)[1].clone();
    let id = Rig::id(Kind::Machine, &worker);
    let hook = format!("{}/wait", words::PRE_DRAIN);
    rig.patch(&id, &json!({"metadata": {"annotations": {hook.as_str(): ""}}}));
    rig.delete(&id);
    rig.finish();
    let reason = |rig: &Rig| condition::read(rig.get(Kind::Machine, &worker), "Deleting").unwrap().reason;
    assert_eq!(reason(&rig), "WaitingForPreDrainHook");
    rig.patch(&id, &json!({"metadata": {"annotations": {hook.as_str(): null}}}));
    rig.finish();
    assert!(!rig.objects.contains_key(&id));
    // another one takes its place
    assert_eq!(rig.names(Kind::Machine).len(), 3);
}

#[test]
fn a_large_cluster_comes_up_in_few_rounds() {
    let timings = Timings { jitter: 0.0, ..Timings::default() };
    let mut rig = Rig::new(Options { timings, ..Options::default() });
    rig.apply(include_str!("../../../../workshop/capi/cluster.yaml"));
    rig.patch(&Rig::id(Kind::MachineDeployment, "demo-md-0"), &json!({"spec": {"replicas": 60}}));
    rig.finish();
    assert_eq!(rig.get(Kind::Cluster, "demo")["status"]["workers"]["availableReplicas"], 60);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whenever a cluster is deleted, nothing of it stays.
    #[test]
    fn a_cluster_can_go_at_any_moment(steps in 0_usize..12, scale in 0_i64..4, roll in any::<bool>()) {
        let mut rig = Rig::seed();
        // one that the controllers have not seen goes alone
        rig.settle();
        for _ in 0..steps {
            rig.step();
        }
        let deployment = Rig::id(Kind::MachineDeployment, "demo-md-0");
        rig.patch(&deployment, &json!({"spec": {"replicas": scale}}));
        if roll {
            rig.patch(&deployment, &json!({"spec": {"template": {"spec": {"version": "v1.40.0"}}}}));
        }
        for _ in 0..steps {
            rig.step();
        }
        rig.delete(&Rig::id(Kind::Cluster, "demo"));
        rig.finish();
        prop_assert!(rig.objects.is_empty(), "{:?}", rig.objects.keys());
    }

    /// Objects of any shape do no harm.
    #[test]
    fn nonsense_does_no_harm(kind in 0_usize..11, spec in any_value(), status in any_value(), owners in any_value()) {
        let mut rig = Rig::seed();
        rig.settle();
        let kind = Kind::ALL[kind];
        rig.create(json!({
            "kind": kind.name(), "metadata": {"name": "nonsense", "ownerReferences": owners.clone(), "labels": status.clone()},
            "spec": spec, "status": status,
        }));
        rig.settle();
        rig.step();
        rig.delete(&Rig::id(kind, "nonsense"));
        rig.finish();
    }
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "[a-z/%0-9]{0,6}".prop_map(|value| json!(value)),
        Just(json!("demo")),
    ];
    let names = prop_oneof![
        Just("clusterName"),
        Just("replicas"),
        Just("template"),
        Just("spec"),
        Just("infrastructureRef"),
        Just("kind"),
        Just("name"),
        Just("metadata"),
        Just("conditions"),
        Just("selector"),
        Just("matchLabels"),
        Just("paused"),
        Just("uid"),
        Just("controller"),
        Just("bootstrap"),
        Just("configRef"),
        Just("strategy"),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|values| json!(values)),
            prop::collection::vec((names.clone(), inner), 0..5)
                .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}
