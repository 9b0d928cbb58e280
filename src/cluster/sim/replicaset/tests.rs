//! Replica sets and replication controllers on their own.

use serde_json::{Value, json};

use crate::cluster::sim::testing::{Cluster, NAMESPACE};

const SETS: &str = "replicasets.apps";

fn set(replicas: i64) -> Value {
    json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": {"name": "solo", "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "solo"}},
            "template": {
                "metadata": {"labels": {"app": "solo", "tier": "x"}, "annotations": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "one"}]},
            },
        },
    })
}

fn pod(name: &str, app: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "labels": {"app": app}}, "spec": {}})
}

#[test]
fn pods_are_made_of_the_template() {
    let mut object = set(1);
    object["spec"]["template"]["metadata"]["finalizers"] = json!(["x/y"]);
    let mut cluster = Cluster::new();
    cluster.create(SETS, object);
    let owner = cluster.find(SETS, "solo").unwrap();
    let [pod] = &cluster.list("pods")[..] else { panic!("there is one pod") };
    let expected = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": pod.key.name, "generateName": "solo-", "namespace": NAMESPACE, "uid": pod.uid, "generation": 1,
            "resourceVersion": pod.revision.to_string(), "creationTimestamp": "2026-08-01T10:00:00Z",
            "labels": {"app": "solo", "tier": "x"}, "annotations": {"a": "b"}, "finalizers": ["x/y"],
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "solo", "uid": owner.uid,
                "controller": true, "blockOwnerDeletion": true}],
        },
        "spec": {"containers": [{"name": "c", "image": "one"}]},
        "status": {"phase": "Pending"},
    });
    assert_eq!(pod.value(), expected);
    assert_eq!(cluster.events, [format!("ReplicaSet/solo SuccessfulCreate: Created pod: {}", pod.key.name)]);
}

#[test]
fn orphans_count_and_strays_are_let_go() {
    let mut cluster = Cluster::new();
    cluster.create("pods", pod("orphan", "solo"));
    cluster.create("pods", pod("ended", "solo"));
    cluster.set_status("pods", "ended", json!({"phase": "Failed"}));
    cluster.create(SETS, set(2));
    cluster.run();
    assert_eq!(cluster.get("pods", "orphan")["metadata"]["ownerReferences"][0]["name"], "solo");
    assert_eq!(cluster.get("pods", "ended")["metadata"]["ownerReferences"], Value::Null);
    assert_eq!(cluster.names("pods").len(), 3);
    let status = json!({"replicas": 2, "fullyLabeledReplicas": 1, "readyReplicas": 2, "availableReplicas": 2,
        "terminatingReplicas": 0, "observedGeneration": 1});
    assert_eq!(cluster.get(SETS, "solo")["status"], status);

    cluster.patch("pods", "orphan", json!({"metadata": {"labels": {"app": "other"}}}));
    cluster.run();
    assert_eq!(cluster.get("pods", "orphan")["metadata"]["ownerReferences"], Value::Null);
    assert_eq!(cluster.names("pods").len(), 4);
}

#[test]
fn scaling_down_tells_of_the_pods_that_end() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3));
    cluster.run();
    cluster.events.clear();
    cluster.patch(SETS, "solo", json!({"spec": {"replicas": 1}}));
    let status = |replicas: i64, terminating: i64| {
        json!({"replicas": replicas, "fullyLabeledReplicas": replicas, "readyReplicas": replicas,
            "availableReplicas": replicas, "terminatingReplicas": terminating, "observedGeneration": 2})
    };
    assert_eq!(cluster.get(SETS, "solo")["status"], status(1, 2));
    assert!(cluster.events.len() == 2 && cluster.events[0].contains("SuccessfulDelete: Deleted pod: solo-"));
    cluster.run();
    assert_eq!(cluster.get(SETS, "solo")["status"], status(1, 0));
    assert_eq!(cluster.names("pods").len(), 1);
}

#[test]
fn pods_that_end_are_replaced() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(1));
    cluster.run();
    let pod = cluster.names("pods").remove(0);
    cluster.set_status("pods", &pod, json!({"phase": "Failed", "conditions": null}));
    cluster.run();
    assert_eq!(cluster.names("pods").len(), 2);
    assert_eq!(cluster.get(SETS, "solo")["status"]["readyReplicas"], 1);
}

#[test]
fn a_replication_controller_is_one_too() {
    let mut cluster = Cluster::new();
    let object = json!({
        "kind": "ReplicationController", "apiVersion": "v1", "metadata": {"name": "old", "namespace": NAMESPACE},
        "spec": {"replicas": 2, "selector": {"app": "old"},
            "template": {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": []}}},
    });
    cluster.create("replicationcontrollers", object);
    cluster.run();
    let status = json!({"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
        "observedGeneration": 1});
    assert_eq!(cluster.get("replicationcontrollers", "old")["status"], status);
    assert!(cluster.events[0].starts_with("ReplicationController/old SuccessfulCreate: "));
}

#[test]
fn nothing_happens_without_a_set() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(2));
    cluster.run();
    cluster.delete(SETS, "solo");
    cluster.run();
    assert_eq!(cluster.list("pods").iter().filter(|pod| !pod.deleting).count(), 0);
}

#[test]
fn many_pods_are_made_in_portions() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(1200));
    assert_eq!(cluster.names("pods").len(), 1200);
}
