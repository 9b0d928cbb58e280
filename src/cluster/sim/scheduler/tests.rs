//! Which pods go where, and what is said of those that go nowhere.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::object::{Key, text};
use crate::cluster::sim::rig::Rig;

fn pod(name: &str, mut spec: Value) -> Value {
    crate::cluster::object::set_default(&mut spec, &["containers"], json!([{"name": "c", "image": "nginx:1.25"}]));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
}

fn place(rig: &Rig, name: &str) -> String {
    text(&rig.get("pods", &Key::new("default", name)), &["spec", "nodeName"]).to_owned()
}

/// Why a pod is nowhere.
fn why(rig: &Rig, name: &str) -> String {
    let pod = rig.get("pods", &Key::new("default", name));
    let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let scheduled =
        conditions.iter().find(|condition| condition["type"] == "PodScheduled").cloned().unwrap_or_default();
    format!("{} {}: {}", text(&scheduled, &["status"]), text(&scheduled, &["reason"]), text(&scheduled, &["message"]))
}

fn three() -> Rig {
    Rig::new(&["control", "worker-1", "worker-2"])
}

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

fn sentence(nodes: u32, why: &str, preemption: &str) -> String {
    format!(
        "False Unschedulable: 0/{nodes} nodes are available: {why}. no new claims to deallocate, preemption: 0/{nodes} \
         nodes are available: {preemption}."
    )
}

#[test]
fn the_reasons_are_in_the_schedulers_words() {
    let resources = |name: &str, amount: &str| json!([{"name": "c", "image": "nginx:1.25", "resources": {"requests": {name: amount}}}]);
    let cases = [
        (
            json!({"nodeSelector": {"no": "where"}}),
            sentence(1, "1 node(s) didn't match Pod's node affinity/selector", &format!("1 {NOT_HELPFUL}")),
        ),
        (json!({"containers": resources("cpu", "65")}), sentence(1, "1 Insufficient cpu", &format!("1 {NOT_HELPFUL}"))),
        (
            json!({"containers": resources("memory", "1Ti")}),
            sentence(1, "1 Insufficient memory", &format!("1 {NOT_HELPFUL}")),
        ),
        (
            json!({"containers": resources("nvidia.com/gpu", "1")}),
            sentence(1, "1 Insufficient nvidia.com/gpu", &format!("1 {NOT_HELPFUL}")),
        ),
        (
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "NotIn", "values": ["linux"]}]},
            ]}}}}),
            sentence(1, "1 node(s) didn't match Pod's node affinity/selector", &format!("1 {NOT_HELPFUL}")),
        ),
        (
            json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}),
            sentence(1, "persistentvolumeclaim \"data\" not found", &format!("1 {NOT_HELPFUL}")),
        ),
        (
            json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "nobody"}}},
            ]}}}),
            sentence(1, "1 node(s) didn't match pod affinity rules", &format!("1 {NOT_HELPFUL}")),
        ),
        (
            json!({"schedulingGates": [{"name": "example.com/gate"}]}),
            "False SchedulingGated: Scheduling is blocked due to non-empty scheduling gates".to_owned(),
        ),
    ];
    for (spec, expected) in cases {
        let mut rig = Rig::usual();
        rig.create("pods", pod("p", spec));
        rig.run(Duration::from_secs(2));
        assert_eq!((place(&rig, "p").as_str(), why(&rig, "p")), ("", expected.clone()));
        let told = expected.split_once(": ").map(|(_, message)| format!("Warning FailedScheduling {message}"));
        let gated = expected.contains("SchedulingGated");
        assert_eq!(rig.told("p"), told.filter(|_| !gated).into_iter().collect::<Vec<_>>());
        rig.assert_quiet();
    }
}

#[test]
fn several_nodes_are_counted_by_reason() {
    let mut rig = three();
    rig.change("nodes", &Key::new("", "worker-1"), |node| node["spec"]["unschedulable"] = true.into());
    let asks = json!([{"name": "c", "image": "nginx:1.25", "resources": {"requests": {"cpu": "60"}}}]);
    rig.create("pods", pod("first", json!({"containers": asks})));
    rig.run(Duration::from_secs(1));
    assert_eq!(place(&rig, "first"), "worker-2");
    rig.create("pods", pod("second", json!({"containers": asks})));
    rig.run(Duration::from_secs(1));
    let reasons = "1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable";
    assert_eq!(why(&rig, "second"), sentence(3, reasons, &format!("1 {NO_VICTIMS}, 2 {NOT_HELPFUL}")));

    rig.delete("pods", &Key::new("default", "first"), None, "");
    rig.run(Duration::from_secs(2));
    assert_eq!(place(&rig, "second"), "worker-2", "room was made");
    rig.assert_quiet();
}

#[test]
fn pods_are_spread_and_the_control_plane_is_spared() {
    let mut rig = three();
    for number in 0..6 {
        rig.create("pods", pod(&format!("p{number}"), json!({})));
    }
    rig.run(Duration::from_secs(2));
    let on = |node: &str| (0..6).filter(|number| place(&rig, &format!("p{number}")) == node).count();
    assert_eq!((on("control"), on("worker-1"), on("worker-2")), (0, 3, 3));
    let mut rig = three();
    rig.create(
        "pods",
        pod(
            "p",
            json!({"tolerations": [{"operator": "Exists"}], "nodeSelector": {"kubernetes.io/hostname": "control"}}),
        ),
    );
    rig.run(Duration::from_secs(1));
    assert_eq!(place(&rig, "p"), "control");
}

#[test]
fn a_cordoned_node_takes_nobody_until_it_is_free_again() {
    let mut rig = Rig::usual();
    let node = Key::new("", "foredeck-control-plane");
    rig.change("nodes", &node, |node| node["spec"]["unschedulable"] = true.into());
    rig.run(Duration::ZERO);
    assert_eq!(text(&rig.get("nodes", &node)["spec"]["taints"][0], &["key"]), "node.kubernetes.io/unschedulable");
    rig.create("pods", pod("p", json!({})));
    rig.run(Duration::from_secs(1));
    assert_eq!(why(&rig, "p"), sentence(1, "1 node(s) were unschedulable", &format!("1 {NOT_HELPFUL}")));
    rig.change("nodes", &node, |node| drop(crate::cluster::object::remove(node, &["spec", "unschedulable"])));
    rig.run(Duration::from_secs(1));
    assert_eq!(place(&rig, "p"), "foredeck-control-plane");
    assert_eq!(rig.get("nodes", &node)["spec"].get("taints"), None);
    rig.assert_quiet();
}

#[test]
fn pods_that_reject_each_other_are_apart() {
    let mut rig = three();
    let apart = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}},
    ]}}});
    for name in ["a", "b", "c"] {
        rig.create("pods", pod(name, apart.clone()));
    }
    rig.create("pods", pod("d", json!({})));
    rig.run(Duration::from_secs(1));
    assert_ne!(place(&rig, "a"), place(&rig, "b"));
    let taints = "1 node(s) had untolerated taint(s)";
    let expected = sentence(
        3,
        &format!("{taints}, 2 node(s) didn't match pod anti-affinity rules"),
        &format!("1 {NOT_HELPFUL}, 2 {NO_VICTIMS}"),
    );
    assert_eq!(why(&rig, "c"), expected);
    let expected = sentence(
        3,
        &format!("{taints}, 2 node(s) didn't satisfy existing pods anti-affinity rules"),
        &format!("1 {NOT_HELPFUL}, 2 {NO_VICTIMS}"),
    );
    assert_eq!(why(&rig, "d"), expected);
}

#[test]
fn host_ports_and_spread_constraints_are_kept() {
    let mut rig = three();
    let ports = json!({"containers": [{"name": "c", "image": "nginx:1.25", "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]}]});
    for name in ["a", "b", "c"] {
        rig.create("pods", pod(name, ports.clone()));
    }
    rig.run(Duration::from_secs(1));
    assert!(
        why(&rig, "c").contains("2 node(s) didn't have free ports for the requested pod ports"),
        "{}",
        why(&rig, "c")
    );
    let spread = json!({"topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "s"}},
    }], "nodeSelector": {"kubernetes.io/hostname": "worker-1"}});
    rig.create("pods", pod("s", spread.clone()));
    rig.run(Duration::from_secs(1));
    assert_eq!(place(&rig, "s"), "worker-1");
    let nowhere = json!({"topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {}},
    }]});
    rig.create("pods", pod("z", nowhere));
    rig.run(Duration::from_secs(1));
    let told = rig.told("z");
    let why = "node(s) didn't match pod topology spread constraints (missing required label). no new claims";
    let vain = "Preemption is not helpful for scheduling.";
    assert!(told.iter().any(|told| told.contains(why) && told.ends_with(vain)), "{told:#?}");
}

#[test]
fn a_claim_is_filled_where_its_first_pod_runs() {
    let mut rig = Rig::usual();
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let key = rig.create("persistentvolumeclaims", claim);
    rig.run(Duration::from_secs(1));
    assert_eq!(
        rig.told("data"),
        ["Normal WaitForFirstConsumer waiting for first consumer to be created before binding"]
    );
    assert_eq!(text(&rig.get("persistentvolumeclaims", &key), &["spec", "storageClassName"]), "standard");
    rig.create("pods", pod("p", json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]})));
    rig.run(Duration::from_secs(3));
    let claim = rig.get("persistentvolumeclaims", &key);
    let uid = text(&claim, &["metadata", "uid"]).to_owned();
    assert_eq!(
        claim["status"],
        json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}})
    );
    let volume = rig.find("persistentvolumes", "pvc-");
    assert_eq!(text(&volume, &["metadata", "name"]), format!("pvc-{uid}"));
    assert_eq!(text(&volume, &["status", "phase"]), "Bound");
    assert_eq!(text(&rig.get("pods", &Key::new("default", "p")), &["status", "phase"]), "Running");
    rig.assert_quiet();

    rig.delete("persistentvolumeclaims", &key, None, "");
    rig.run(Duration::from_secs(1));
    assert!(!rig.get("persistentvolumeclaims", &key).is_null(), "it is in use");
    rig.delete("pods", &Key::new("default", "p"), None, "");
    rig.run(Duration::from_secs(2));
    assert!(rig.get("persistentvolumeclaims", &key).is_null());
    assert_eq!(rig.names("persistentvolumes", ""), Vec::<String>::new());
}
