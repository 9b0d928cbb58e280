//! Daemon sets on clusters of several nodes, played through with a test cluster.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cluster::object::{int, list, text};
use crate::cluster::sim::Action;
use crate::cluster::sim::testing::{Cluster, NAMESPACE};

const SETS: &str = "daemonsets.apps";

fn set(spec: Value) -> Value {
    let mut object = json!({
        "kind": "DaemonSet", "apiVersion": "apps/v1",
        "metadata": {"name": "agent", "namespace": NAMESPACE,
            "annotations": {"deprecated.daemonset.template.generation": "1"}},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}}, "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "template": {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
        },
    });
    json_patch::merge(&mut object, &json!({"spec": spec}));
    object
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
}

fn node(cluster: &mut Cluster, name: &str, spec: Value) {
    let metadata = json!({"name": name, "namespace": "", "labels": {"zone": &name[..1]}});
    cluster.create("nodes", json!({"kind": "Node", "apiVersion": "v1", "metadata": metadata, "spec": spec}));
}

fn nodes(names: &[&str]) -> Cluster {
    let mut cluster = Cluster::new();
    names.iter().for_each(|name| node(&mut cluster, name, json!({})));
    cluster
}

/// The node that a pod is tied to.
fn node_of(pod: &Value) -> String {
    let path =
        ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
    let field = &list(pod, &path)[0]["matchFields"][0];
    text(field, &["key"]).replace("metadata.name", field["values"][0].as_str().unwrap_or("?"))
}

/// Where the pods are, and of which image.
fn places(cluster: &Cluster) -> Vec<(String, String)> {
    let place = |pod: Value| (node_of(&pod), text(&list(&pod, &["spec", "containers"])[0], &["image"]).to_owned());
    let mut places: Vec<_> = cluster.list("pods").iter().map(|pod| place(pod.value())).collect();
    places.sort();
    places
}

fn on(places: &[(&str, &str)]) -> Vec<(String, String)> {
    places.iter().map(|(node, image)| ((*node).to_owned(), (*image).to_owned())).collect()
}

#[test]
fn each_node_gets_a_pod() {
    let mut cluster = nodes(&["a1", "a2"]);
    cluster.create(SETS, set(json!({})));
    cluster.run();
    assert_eq!(places(&cluster), on(&[("a1", "one"), ("a2", "one")]));
    let pod = cluster.list("pods").remove(0).value();
    let revision = cluster.list("controllerrevisions.apps").remove(0);
    let hash = revision.label("controller-revision-hash").unwrap();
    assert_eq!(*revision.key.name, format!("agent-{hash}"));
    let labels = json!({"app": "agent", "pod-template-generation": "1", "controller-revision-hash": hash});
    assert_eq!(pod["metadata"]["labels"], labels);
    let tolerated: Vec<_> = list(&pod, &["spec", "tolerations"]).iter().map(|it| text(it, &["key"])).collect();
    assert_eq!(tolerated.len(), 6);
    let status = json!({
        "currentNumberScheduled": 2, "numberMisscheduled": 0, "desiredNumberScheduled": 2, "numberReady": 2,
        "observedGeneration": 1, "updatedNumberScheduled": 2, "numberAvailable": 2,
    });
    assert_eq!(cluster.get(SETS, "agent")["status"], status);
    assert!(cluster.events[0].starts_with("DaemonSet/agent SuccessfulCreate: Created pod: agent-"));

    node(&mut cluster, "a3", json!({}));
    cluster.run();
    assert_eq!(places(&cluster).len(), 3);
}

#[test]
fn only_nodes_that_fit() {
    let taint = |key: &str, effect: &str| json!({"taints": [{"key": key, "effect": effect}]});
    let mut cluster = nodes(&["a1", "b1"]);
    node(&mut cluster, "b2", taint("gpu", "NoSchedule"));
    node(&mut cluster, "b3", taint("node.kubernetes.io/unschedulable", "NoSchedule"));
    cluster.create(SETS, set(json!({"template": {"spec": {"nodeSelector": {"zone": "b"}}}})));
    cluster.run();
    assert_eq!(places(&cluster), on(&[("b1", "one"), ("b3", "one")]));

    cluster.patch("nodes", "b1", json!({"spec": taint("gpu", "NoSchedule")}));
    cluster.run();
    assert_eq!(places(&cluster).len(), 2, "what is there may stay");
    let status = cluster.get(SETS, "agent")["status"].clone();
    assert_eq!((&status["desiredNumberScheduled"], &status["numberMisscheduled"]), (&json!(1), &json!(1)));
    cluster.patch("nodes", "b1", json!({"spec": taint("gpu", "NoExecute")}));
    cluster.run();
    assert_eq!(places(&cluster), on(&[("b3", "one")]));

    cluster.patch(SETS, "agent", json!({"spec": {"template": {"spec": {"nodeSelector": {"zone": "c"}}}}}));
    cluster.run();
    assert_eq!(places(&cluster), on(&[]));
    assert_eq!(cluster.get(SETS, "agent")["status"]["desiredNumberScheduled"], 0);
}

#[test]
fn updates_replace_node_by_node() {
    let mut cluster = nodes(&["a1", "a2", "a3"]);
    cluster.create(SETS, set(json!({})));
    cluster.run();
    cluster.events.clear();
    cluster.patch(SETS, "agent", image("two"));
    assert_eq!(cluster.list("pods").iter().filter(|pod| pod.deleting).count(), 1);
    cluster.run();
    assert_eq!(places(&cluster), on(&[("a1", "two"), ("a2", "two"), ("a3", "two")]));
    let revision = |cluster: &Cluster| {
        let numbers = cluster.list("controllerrevisions.apps").into_iter().map(|it| int(&it.value(), &["revision"]));
        let mut numbers: Vec<_> = numbers.flatten().collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(revision(&cluster), [1, 2]);
    cluster.patch(SETS, "agent", image("one"));
    cluster.run();
    assert_eq!(revision(&cluster), [2, 3], "going back gives the old revision the next number");
    assert_eq!(places(&cluster), on(&[("a1", "one"), ("a2", "one"), ("a3", "one")]));
}

#[test]
fn a_surge_puts_the_new_pod_beside_the_old_one() {
    let mut cluster = nodes(&["a1", "a2"]);
    cluster.create(SETS, set(json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}})));
    cluster.run();
    cluster.patch(SETS, "agent", image("two"));
    assert_eq!(places(&cluster), on(&[("a1", "one"), ("a1", "two"), ("a2", "one")]));
    cluster.run();
    assert_eq!(places(&cluster), on(&[("a1", "two"), ("a2", "two")]));
}

#[test]
fn on_delete_waits_for_somebody_to_delete() {
    let mut cluster = nodes(&["a1"]);
    cluster.create(SETS, set(json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}})));
    cluster.run();
    cluster.patch(SETS, "agent", image("two"));
    cluster.run();
    assert_eq!(places(&cluster), on(&[("a1", "one")]));
    let pod = cluster.names("pods").remove(0);
    cluster.delete("pods", &pod);
    cluster.run();
    assert_eq!(places(&cluster), on(&[("a1", "two")]));
}

#[test]
fn failed_pods_are_replaced() {
    let mut cluster = nodes(&["a1"]);
    cluster.create(SETS, set(json!({})));
    cluster.run();
    let pod = cluster.names("pods").remove(0);
    cluster.set_status("pods", &pod, json!({"phase": "Failed", "conditions": null}));
    cluster.run();
    assert_eq!(cluster.get(SETS, "agent")["status"]["numberReady"], 1);
    let event =
        format!("DaemonSet/agent FailedDaemonPod: Found failed daemon pod n/{pod} on node a1, will try to kill it");
    assert!(cluster.events.contains(&event), "{:?}", cluster.events);
}

#[test]
fn refusals_are_told_and_tried_again() {
    let mut cluster = nodes(&["a1"]);
    cluster.refuse = Some(Box::new(|_, action| match action {
        Action::Create { resource, .. } if &**resource == "pods" => Some("no".to_owned()),
        _ => None,
    }));
    cluster.create(SETS, set(json!({})));
    assert!(cluster.events.contains(&"DaemonSet/agent FailedCreate: Error creating: no".to_owned()));
    cluster.refuse = None;
    cluster.pass(6);
    assert_eq!(cluster.names("pods").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_ends_as_asked_for(steps in proptest::collection::vec((0..6u8, 0..4usize), 1..20), surge in 0..2i64) {
        let bounds = json!({"maxSurge": surge, "maxUnavailable": 1 - surge});
        let mut cluster = nodes(&["a0", "a1"]);
        cluster.create(SETS, set(json!({"updateStrategy": {"rollingUpdate": bounds}})));
        for (step, number) in steps {
            let pods = cluster.names("pods");
            let name = format!("a{number}");
            match step {
                0 if cluster.find("nodes", &name).is_none() => node(&mut cluster, &name, json!({})),
                1 if cluster.find("nodes", &name).is_some() => cluster.delete("nodes", &name),
                2 => cluster.patch(SETS, "agent", image(&name)),
                3 if !pods.is_empty() => cluster.delete("pods", &pods[number % pods.len()]),
                _ => drop(cluster.run_pods()),
            }
            cluster.settle();
        }
        // What is on a node that is gone is somebody else's to take away.
        for pod in cluster.list("pods") {
            if cluster.find("nodes", &node_of(&pod.value())).is_none() {
                cluster.kill(&pod);
                if cluster.find("pods", &pod.key.name).is_some() {
                    cluster.delete("pods", &pod.key.name);
                }
                cluster.settle();
            }
        }
        cluster.run();
        let image = text(&list(&cluster.get(SETS, "agent"), &["spec", "template", "spec", "containers"])[0], &["image"]).to_owned();
        let expected: Vec<_> = cluster.names("nodes").into_iter().map(|node| (node, image.clone())).collect();
        prop_assert_eq!(places(&cluster), expected);
    }
}
