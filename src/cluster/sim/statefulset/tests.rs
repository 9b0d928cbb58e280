//! Whole lives of stateful sets, played through with a test cluster.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cluster::object::int;
use crate::cluster::sim::Action;
use crate::cluster::sim::testing::{Cluster, NAMESPACE};

const SETS: &str = "statefulsets.apps";

fn set(replicas: i64, spec: Value) -> Value {
    let mut object = json!({
        "kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": {"name": "db", "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas, "serviceName": "svc", "selector": {"matchLabels": {"app": "db"}},
            "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
        },
    });
    json_patch::merge(&mut object, &json!({"spec": spec}));
    object
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
}

fn images(cluster: &Cluster) -> Vec<String> {
    let image = |pod: Value| pod["spec"]["containers"][0]["image"].as_str().unwrap_or("").to_owned();
    cluster.list("pods").iter().map(|pod| image(pod.value())).collect()
}

fn told(cluster: &Cluster) -> Vec<String> {
    let short = |event: &String| {
        let message = event.split(": ").nth(1).unwrap_or("").replace(" in StatefulSet db", "");
        message.replace(" successful", "").replace("Create Pod ", "+").replace("Delete Pod ", "-")
    };
    cluster.events.iter().map(short).collect()
}

#[test]
fn pods_come_in_order_and_know_who_they_are() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3, json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"x": 1}}]})));
    assert_eq!(cluster.names("pods"), ["db-0"]);
    cluster.start("db-0", false);
    cluster.settle();
    assert_eq!(cluster.names("pods"), ["db-0"], "it is not ready");
    cluster.start("db-0", true);
    cluster.settle();
    assert_eq!(cluster.names("pods"), ["db-0", "db-1"]);
    cluster.run();
    assert_eq!(cluster.names("pods"), ["db-0", "db-1", "db-2"]);

    let pod = cluster.get("pods", "db-1");
    let revision = cluster.names("controllerrevisions.apps").remove(0);
    let labels = json!({"app": "db", "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": "db-1", "apps.kubernetes.io/pod-index": "1"});
    assert_eq!(pod["metadata"]["labels"], labels);
    assert_eq!(pod["metadata"]["generateName"], "db-");
    let spec = json!({"containers": [{"name": "c", "image": "one"}], "hostname": "db-1", "subdomain": "svc",
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}], "nodeName": "n1"});
    assert_eq!(pod["spec"], spec);
    assert_eq!(cluster.names("persistentvolumeclaims"), ["data-db-0", "data-db-1", "data-db-2"]);
    let claim = cluster.get("persistentvolumeclaims", "data-db-0");
    assert_eq!((&claim["metadata"]["labels"], &claim["spec"]), (&json!({"app": "db"}), &json!({"x": 1})));
    let events = [
        "Create Claim data-db-0 Pod db-0 success",
        "+db-0",
        "Create Claim data-db-1 Pod db-1 success",
        "+db-1",
        "Create Claim data-db-2 Pod db-2 success",
        "+db-2",
    ];
    assert_eq!(told(&cluster), events);
    let status = json!({
        "observedGeneration": 1, "replicas": 3, "readyReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3,
        "currentRevision": revision, "updateRevision": revision, "collisionCount": 0, "availableReplicas": 3,
    });
    assert_eq!(cluster.get(SETS, "db")["status"], status);
}

#[test]
fn it_shrinks_from_the_top() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3, json!({})));
    cluster.run();
    cluster.events.clear();
    cluster.patch(SETS, "db", json!({"spec": {"replicas": 1}}));
    assert_eq!(told(&cluster), ["-db-2"], "one at a time");
    cluster.run();
    assert_eq!(told(&cluster), ["-db-2", "-db-1"]);
    assert_eq!(cluster.names("pods"), ["db-0"]);
    cluster.patch(SETS, "db", json!({"spec": {"replicas": 0}}));
    cluster.run();
    let status = cluster.get(SETS, "db")["status"].clone();
    assert_eq!((&status["replicas"], &status["readyReplicas"]), (&json!(0), &Value::Null));
}

#[test]
fn in_parallel_there_is_no_order() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3, json!({"podManagementPolicy": "Parallel", "ordinals": {"start": 5}})));
    assert_eq!(cluster.names("pods"), ["db-5", "db-6", "db-7"]);
    cluster.patch(SETS, "db", json!({"spec": {"replicas": 1}}));
    cluster.run();
    assert_eq!(cluster.names("pods"), ["db-5"]);
}

#[test]
fn updates_go_from_the_top_down() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3, json!({})));
    cluster.run();
    cluster.events.clear();
    cluster.patch(SETS, "db", image("two"));
    assert_eq!(told(&cluster), ["-db-2"]);
    let status = cluster.get(SETS, "db")["status"].clone();
    assert_ne!(status["currentRevision"], status["updateRevision"]);
    assert_eq!((int(&status, &["currentReplicas"]), int(&status, &["updatedReplicas"])), (Some(2), None));
    cluster.run();
    assert_eq!(told(&cluster), ["-db-2", "+db-2", "-db-1", "+db-1", "-db-0", "+db-0"]);
    assert_eq!(images(&cluster), ["two", "two", "two"]);
    let status = cluster.get(SETS, "db")["status"].clone();
    assert_eq!(status["currentRevision"], status["updateRevision"]);
    assert_eq!(int(&status, &["currentReplicas"]), Some(3));
    assert_eq!(cluster.names("controllerrevisions.apps").len(), 2);
}

#[test]
fn a_partition_keeps_the_lower_pods_old() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(3, json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}})));
    cluster.run();
    cluster.patch(SETS, "db", image("two"));
    cluster.run();
    assert_eq!(images(&cluster), ["one", "one", "two"]);
    cluster.delete("pods", "db-0");
    cluster.run();
    assert_eq!(images(&cluster), ["one", "one", "two"], "a lost one comes back as it was");
    cluster.patch(SETS, "db", json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}));
    cluster.run();
    assert_eq!(images(&cluster), ["two", "two", "two"]);
}

#[test]
fn several_may_be_unavailable_at_once() {
    let mut cluster = Cluster::new();
    let strategy =
        json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}, "podManagementPolicy": "Parallel"});
    cluster.create(SETS, set(4, strategy));
    cluster.run();
    cluster.events.clear();
    cluster.patch(SETS, "db", image("two"));
    assert_eq!(told(&cluster), ["-db-3", "-db-2"]);
    cluster.run();
    assert_eq!(images(&cluster), ["two"; 4]);
}

#[test]
fn on_delete_waits_for_somebody_to_delete() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(2, json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}})));
    cluster.run();
    cluster.patch(SETS, "db", image("two"));
    cluster.run();
    assert_eq!(images(&cluster), ["one", "one"]);
    cluster.delete("pods", "db-0");
    cluster.run();
    assert_eq!(images(&cluster), ["two", "one"]);
}

#[test]
fn failed_pods_are_replaced() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(1, json!({})));
    cluster.run();
    cluster.events.clear();
    cluster.set_status("pods", "db-0", json!({"phase": "Failed", "conditions": null}));
    cluster.run();
    assert_eq!(told(&cluster), ["StatefulSet n/db is recreating failed Pod db-0", "-db-0", "+db-0"]);
}

#[test]
fn claims_go_when_the_policy_says_so() {
    let claims = json!([{"metadata": {"name": "data"}, "spec": {}}]);
    for (scaled, deleted, after_scaling, after_deletion) in
        [("Retain", "Retain", 2, 2), ("Delete", "Retain", 1, 1), ("Retain", "Delete", 2, 0), ("Delete", "Delete", 1, 0)]
    {
        let mut cluster = Cluster::new();
        let policy = json!({"whenScaled": scaled, "whenDeleted": deleted});
        let spec = json!({"volumeClaimTemplates": claims, "persistentVolumeClaimRetentionPolicy": policy});
        cluster.create(SETS, set(2, spec));
        cluster.run();
        cluster.patch(SETS, "db", json!({"spec": {"replicas": 1}}));
        cluster.run();
        assert_eq!(cluster.names("persistentvolumeclaims").len(), after_scaling, "{policy}");
        cluster.delete(SETS, "db");
        cluster.run();
        assert_eq!(cluster.names("persistentvolumeclaims").len(), after_deletion, "{policy}");
    }
}

#[test]
fn refusals_are_told_and_tried_again() {
    let mut cluster = Cluster::new();
    cluster.refuse = Some(Box::new(|_, action| match action {
        Action::Create { resource, .. } if &**resource == "pods" => Some("no".to_owned()),
        _ => None,
    }));
    cluster.create(SETS, set(1, json!({})));
    assert!(told(&cluster).contains(&"+db-0 failed error".to_owned()), "{:?}", cluster.events);
    cluster.refuse = None;
    cluster.pass(6);
    assert_eq!(cluster.names("pods"), ["db-0"]);
}

#[test]
fn availability_takes_time() {
    let mut cluster = Cluster::new();
    cluster.create(SETS, set(2, json!({"minReadySeconds": 5})));
    cluster.run();
    assert_eq!(cluster.names("pods"), ["db-0"]);
    cluster.pass(5);
    assert_eq!(cluster.names("pods"), ["db-0", "db-1"]);
    assert_eq!(int(&cluster.get(SETS, "db"), &["status", "availableReplicas"]), Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_ends_as_asked_for(
        steps in proptest::collection::vec((0..5u8, 0..6usize), 1..20), parallel: bool, limit in 0..3i64,
    ) {
        let policy = if parallel { "Parallel" } else { "OrderedReady" };
        let mut cluster = Cluster::new();
        cluster.create(SETS, set(2, json!({"podManagementPolicy": policy, "revisionHistoryLimit": limit})));
        for (step, number) in steps {
            let pods = cluster.names("pods");
            match step {
                0 => cluster.patch(SETS, "db", json!({"spec": {"replicas": number}})),
                1 => cluster.patch(SETS, "db", image(&format!("v{number}"))),
                2 if !pods.is_empty() => cluster.start(&pods[number % pods.len()], number % 2 == 0),
                3 if !pods.is_empty() => cluster.delete("pods", &pods[number % pods.len()]),
                _ => drop(cluster.run_pods()),
            }
            cluster.settle();
        }
        cluster.run();
        let object = cluster.get(SETS, "db");
        let replicas = int(&object, &["spec", "replicas"]).unwrap();
        let expected: Vec<_> = (0..replicas).map(|number| format!("db-{number}")).collect();
        prop_assert_eq!(cluster.names("pods"), expected);
        let image = object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        prop_assert!(images(&cluster).iter().all(|other| *other == image));
        prop_assert!(cluster.names("controllerrevisions.apps").len() as i64 <= limit + 1);
    }
}
