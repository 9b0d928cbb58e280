//! Whole rollouts, played through with a test cluster.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cluster::api::store::Store;
use crate::cluster::object::{at, int, list, text};
use crate::cluster::sim::Action;
use crate::cluster::sim::testing::{Cluster, NAMESPACE, deployment_line};

const DEPLOYMENTS: &str = "deployments.apps";
const SETS: &str = "replicasets.apps";

fn deployment(replicas: i64, spec: Value) -> Value {
    let mut object = json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": {"name": "web", "namespace": NAMESPACE, "annotations": {"note": "mine"}},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
        },
    });
    json_patch::merge(&mut object, &json!({"spec": spec}));
    object
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
}

/// A cluster with the deployment `web`, rolled out.
fn rolled_out(replicas: i64, spec: Value) -> Cluster {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, deployment(replicas, spec));
    cluster.run();
    cluster.events.clear();
    cluster
}

/// The sizes of the replica sets by the image of their template.
fn sizes(cluster: &Cluster) -> Vec<(String, i64)> {
    let sets = cluster.list(SETS).into_iter().map(|set| {
        let set = set.value();
        let image = text(&list(&set, &["spec", "template", "spec", "containers"])[0], &["image"]).to_owned();
        (image, int(&set, &["spec", "replicas"]).unwrap())
    });
    let mut sizes: Vec<_> = sets.collect();
    sizes.sort();
    sizes
}

fn condition(cluster: &Cluster, kind: &str) -> String {
    let object = cluster.get(DEPLOYMENTS, "web");
    let condition = list(&object, &["status", "conditions"]).iter().find(|it| it["type"] == kind);
    condition.map_or_else(String::new, |it| {
        let mut parts = text(it, &["message"]).splitn(3, '"');
        let (before, name, after) = (parts.next().unwrap_or(""), parts.next(), parts.next().unwrap_or(""));
        let message = format!("{before}{}{after}", name.map_or("", |_| "\"SET\""));
        format!("{} {} {message}", text(it, &["status"]), text(it, &["reason"]))
    })
}

/// The events of scaling, with the images instead of the names of sets.
fn scalings(cluster: &Cluster) -> Vec<String> {
    let images = |message: &str| {
        let mut message = message.replace("Deployment/web ScalingReplicaSet: Scaled ", "");
        for set in cluster.list(SETS) {
            let object = set.value();
            let image = text(&list(&object, &["spec", "template", "spec", "containers"])[0], &["image"]).to_owned();
            message = message.replace(&format!("replica set {}", set.key.name), &image);
        }
        message
    };
    cluster.events.iter().filter(|event| event.contains("ScalingReplicaSet")).map(|event| images(event)).collect()
}

#[test]
fn a_new_deployment_shows_what_kubectl_shows() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, deployment(1, json!({})));
    cluster.run();
    let lines = cluster.watch(0, DEPLOYMENTS, deployment_line);
    assert_eq!(lines, ["0/1 0 0", "0/1 0 0", "0/1 0 0", "0/1 1 0", "1/1 1 1"]);

    let before = cluster.store.revision();
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": 4}}));
    cluster.run();
    let mut lines = cluster.watch(before, DEPLOYMENTS, deployment_line);
    lines.dedup_by(|line, before| line == before && line != "1/4 1 1");
    assert_eq!(lines, ["1/4 1 1", "1/4 1 1", "1/4 1 1", "1/4 4 1", "4/4 4 4"]);
}

#[test]
fn a_set_is_made_of_the_template() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, deployment(3, json!({"minReadySeconds": 2})));
    let [set] = &cluster.list(SETS)[..] else { panic!("there is one set") };
    let hash = set.label("pod-template-hash").unwrap().to_owned();
    let deployment = cluster.find(DEPLOYMENTS, "web").unwrap();
    let labels = json!({"app": "web", "pod-template-hash": hash});
    let expected = json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": format!("web-{hash}"), "namespace": NAMESPACE, "uid": set.uid, "generation": 1,
            "creationTimestamp": "2026-08-01T10:00:00Z", "resourceVersion": set.revision.to_string(), "labels": labels,
            "annotations": {
                "note": "mine", "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4",
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": deployment.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "replicas": 3, "minReadySeconds": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "one"}]}},
        },
        "status": {"replicas": 3, "fullyLabeledReplicas": 3, "terminatingReplicas": 0, "observedGeneration": 1},
    });
    assert_eq!(set.value(), expected);
    let pods = cluster.names("pods");
    assert!(pods.len() == 3 && pods.iter().all(|name| name.len() == set.key.name.len() + 6), "{pods:?}");
}

#[test]
fn the_status_is_whole() {
    let cluster = rolled_out(2, json!({}));
    let object = cluster.get(DEPLOYMENTS, "web");
    let set = cluster.names(SETS).remove(0);
    let time = "2026-08-01T10:00:00Z";
    let expected = json!({
        "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
        "terminatingReplicas": 0,
        "conditions": [
            {"type": "Available", "status": "True", "lastUpdateTime": time, "lastTransitionTime": time,
                "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."},
            {"type": "Progressing", "status": "True", "lastUpdateTime": time, "lastTransitionTime": time,
                "reason": "NewReplicaSetAvailable", "message": format!("ReplicaSet \"{set}\" has successfully progressed.")},
        ],
    });
    assert_eq!(object["status"], expected);
    assert_eq!(object["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
}

#[test]
fn nothing_to_run_is_complete_at_once() {
    let cluster = rolled_out(0, json!({}));
    assert_eq!(condition(&cluster, "Available"), "True MinimumReplicasAvailable Deployment has minimum availability.");
    let done = "True NewReplicaSetAvailable ReplicaSet \"SET\" has successfully progressed.";
    assert_eq!(condition(&cluster, "Progressing"), done);
    assert_eq!(scalings(&cluster), [""; 0]);
    let status = cluster.get(SETS, &cluster.names(SETS)[0])["status"].clone();
    assert_eq!(status, json!({"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 1}));
}

#[test]
fn a_rolling_update_goes_step_by_step() {
    let mut cluster = rolled_out(4, json!({}));
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    assert_eq!(scalings(&cluster), ["up two from 0 to 1", "down one from 4 to 3", "up two from 1 to 2"]);
    cluster.run();
    assert_eq!(sizes(&cluster), [("one".into(), 0), ("two".into(), 4)]);
    let rest = ["down one from 3 to 1", "up two from 2 to 4", "down one from 1 to 0"];
    assert_eq!(scalings(&cluster)[3..], rest);
    assert_eq!(cluster.names("pods").len(), 4);
}

#[test]
fn going_back_reuses_the_set_and_tells_its_history() {
    let mut cluster = rolled_out(1, json!({}));
    cluster.patch(DEPLOYMENTS, "web", json!({"metadata": {"annotations": {"kubernetes.io/change-cause": "first"}}}));
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    cluster.run();
    cluster.patch(DEPLOYMENTS, "web", json!({"metadata": {"annotations": {"kubernetes.io/change-cause": "second"}}}));
    cluster.patch(DEPLOYMENTS, "web", image("one"));
    cluster.run();
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    cluster.run();
    let mut history: Vec<_> =
        cluster.list(SETS).iter().map(|set| set.value()["metadata"]["annotations"].clone()).collect();
    history.sort_by_key(|annotations| annotations["deployment.kubernetes.io/revision"].to_string());
    let told = |annotations: &Value| {
        ["revision", "revision-history"].map(|name| annotations[format!("deployment.kubernetes.io/{name}")].clone())
    };
    let told: Vec<_> = history.iter().map(told).collect();
    assert_eq!(told, [[json!("3"), json!("1")], [json!("4"), json!("2")]]);
    let object = cluster.get(DEPLOYMENTS, "web");
    assert_eq!(object["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "4");
    assert_eq!(sizes(&cluster), [("one".into(), 0), ("two".into(), 1)]);
}

#[test]
fn recreate_waits_for_the_last_old_pod() {
    let spec = json!({"strategy": {"type": "Recreate", "rollingUpdate": null}});
    let mut cluster = rolled_out(2, spec);
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    assert_eq!(sizes(&cluster), [("one".into(), 0)], "nothing new while old pods end");
    let pods = cluster.list("pods");
    cluster.kill(&pods[0]);
    cluster.settle();
    assert_eq!(sizes(&cluster), [("one".into(), 0)]);
    cluster.kill(&pods[1]);
    cluster.settle();
    assert_eq!(sizes(&cluster), [("one".into(), 0), ("two".into(), 2)]);
    cluster.run();
    assert_eq!(scalings(&cluster), ["down one from 2 to 0", "up two from 0 to 2"]);
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "2/2 2 2");
}

#[test]
fn a_paused_deployment_rolls_nothing_but_scales() {
    let mut cluster = rolled_out(2, json!({}));
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"paused": true}}));
    assert_eq!(condition(&cluster, "Progressing"), "Unknown DeploymentPaused Deployment is paused");
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": 3}}));
    cluster.run();
    assert_eq!(sizes(&cluster), [("one".into(), 3)]);
    let before = cluster.store.revision();
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"paused": null}}));
    let resumed = cluster.watch(before, DEPLOYMENTS, |object| object["status"]["conditions"].to_string());
    assert!(resumed.iter().any(|line| line.contains("DeploymentResumed")));
    cluster.run();
    assert_eq!(sizes(&cluster), [("one".into(), 0), ("two".into(), 3)]);
}

#[test]
fn a_stuck_rollout_misses_its_deadline() {
    let mut cluster = rolled_out(4, json!({"progressDeadlineSeconds": 3}));
    cluster.patch(DEPLOYMENTS, "web", image("bad"));
    cluster.run();
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "3/4 2 3");
    assert_eq!(condition(&cluster, "Progressing"), "True ReplicaSetUpdated ReplicaSet \"SET\" is progressing.");
    cluster.pass(2);
    assert!(condition(&cluster, "Progressing").starts_with("True"));
    cluster.pass(2);
    let timed_out = "False ProgressDeadlineExceeded ReplicaSet \"SET\" has timed out progressing.";
    assert_eq!(condition(&cluster, "Progressing"), timed_out);
    assert!(condition(&cluster, "Available").starts_with("True"));
    assert_eq!(cluster.names("pods").len(), 5);

    cluster.patch(DEPLOYMENTS, "web", image("one"));
    cluster.run();
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "4/4 4 4");
    assert!(condition(&cluster, "Progressing").starts_with("True NewReplicaSetAvailable"));
    assert_eq!(cluster.names("pods").len(), 4);
}

#[test]
fn scaling_in_the_middle_of_a_rollout_keeps_the_proportions() {
    // The example of the Kubernetes documentation: 10 replicas, surge 3, unavailable 2, then 15 replicas.
    let rolling = json!({"strategy": {"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}});
    let mut cluster = rolled_out(10, rolling);
    cluster.patch(DEPLOYMENTS, "web", image("bad"));
    cluster.run();
    assert_eq!(sizes(&cluster), [("bad".into(), 5), ("one".into(), 8)]);
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": 15}}));
    assert_eq!(sizes(&cluster), [("bad".into(), 7), ("one".into(), 11)]);
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": 5}}));
    let total: i64 = sizes(&cluster).iter().map(|(_, size)| size).sum();
    assert_eq!(total, 8);
    cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": 0}}));
    cluster.run();
    assert_eq!(sizes(&cluster), [("bad".into(), 0), ("one".into(), 0)]);
}

#[test]
fn old_sets_are_kept_up_to_the_limit() {
    let mut cluster = rolled_out(1, json!({"revisionHistoryLimit": 2}));
    for name in ["two", "three", "four", "five"] {
        cluster.patch(DEPLOYMENTS, "web", image(name));
        cluster.run();
    }
    let images: Vec<_> = sizes(&cluster).into_iter().map(|(image, _)| image).collect();
    assert_eq!(images, ["five", "four", "three"]);
}

#[test]
fn a_taken_name_makes_another_hash() {
    let mut cluster = rolled_out(1, json!({}));
    let set = cluster.names(SETS).remove(0);
    // The set becomes somebody else's: its name is in the way.
    cluster.patch(SETS, &set, json!({"metadata": {"labels": {"app": "other"}, "ownerReferences": null}}));
    cluster.run();
    assert_eq!(cluster.names(SETS).len(), 2);
    let object = cluster.get(DEPLOYMENTS, "web");
    assert_eq!(int(&object, &["status", "collisionCount"]), Some(1));
    assert_eq!(deployment_line(&object), "1/1 1 1");
}

#[test]
fn orphans_are_taken_in() {
    let mut cluster = rolled_out(2, json!({}));
    let set = cluster.names(SETS).remove(0);
    cluster.patch(SETS, &set, json!({"metadata": {"ownerReferences": null}}));
    let owners = cluster.get(SETS, &set)["metadata"]["ownerReferences"].clone();
    assert_eq!(owners[0]["name"], "web");
    assert_eq!(cluster.names(SETS), [set]);
}

#[test]
fn deleting_a_pod_or_the_set_brings_new_ones() {
    let mut cluster = rolled_out(2, json!({}));
    let pod = cluster.names("pods").remove(0);
    cluster.delete("pods", &pod);
    cluster.run();
    assert!(cluster.names("pods").len() == 2 && !cluster.names("pods").contains(&pod));
    let set = cluster.names(SETS).remove(0);
    cluster.delete(SETS, &set);
    cluster.run();
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "2/2 2 2");
    cluster.delete(DEPLOYMENTS, "web");
    cluster.run();
    assert_eq!((cluster.names(SETS).len(), cluster.names("pods").len()), (0, 0));
}

#[test]
fn availability_takes_time() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, deployment(1, json!({"minReadySeconds": 5})));
    cluster.run();
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "1/1 1 0");
    cluster.pass(4);
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "1/1 1 0");
    cluster.pass(1);
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "1/1 1 1");
}

#[test]
fn refusals_are_told() {
    let mut cluster = Cluster::new();
    let limit = |store: &Store, action: &Action| match action {
        Action::Create { resource, .. } if &**resource == "pods" && store.count("pods") >= 2 => {
            Some("pods \"web-\" is forbidden: exceeded quota: q".to_owned())
        }
        _ => None,
    };
    cluster.refuse = Some(Box::new(limit));
    cluster.create(DEPLOYMENTS, deployment(3, json!({})));
    cluster.run();
    let failure = "True FailedCreate pods \"SET\" is forbidden: exceeded quota: q";
    assert_eq!(condition(&cluster, "ReplicaFailure"), failure);
    let set = cluster.names(SETS).remove(0);
    let event = format!("ReplicaSet/{set} FailedCreate: Error creating: pods \"web-\" is forbidden: exceeded quota: q");
    assert!(cluster.events.contains(&event), "{:?}", cluster.events);
    cluster.refuse = None;
    cluster.pass(70);
    cluster.run();
    assert_eq!(condition(&cluster, "ReplicaFailure"), "");
    assert_eq!(deployment_line(&cluster.get(DEPLOYMENTS, "web")), "3/3 3 3");

    let no_sets = |_: &Store, action: &Action| match action {
        Action::Create { resource, .. } if &**resource == SETS => Some("no more sets".to_owned()),
        _ => None,
    };
    cluster.refuse = Some(Box::new(no_sets));
    cluster.patch(DEPLOYMENTS, "web", image("two"));
    let failed = "False ReplicaSetCreateError Failed to create new replica set \"SET\": no more sets";
    assert_eq!(condition(&cluster, "Progressing"), failed);
    cluster.refuse = None;
    cluster.pass(6);
    cluster.run();
    assert_eq!(sizes(&cluster), [("one".into(), 0), ("two".into(), 3)]);
}

#[test]
fn a_namespace_that_ends_is_no_failure() {
    let mut cluster = Cluster::new();
    cluster.refuse = Some(Box::new(|_, action| match action {
        Action::Create { resource, .. } if &**resource == "pods" => {
            Some("unable to create new content in namespace n because it is being terminated".to_owned())
        }
        _ => None,
    }));
    cluster.create(DEPLOYMENTS, deployment(1, json!({})));
    assert_eq!(condition(&cluster, "ReplicaFailure"), "");
    assert!(cluster.events.iter().all(|event| event.contains("Scaled up")), "{:?}", cluster.events);
}

#[test]
fn an_empty_selector_is_told_once() {
    let mut cluster = Cluster::new();
    cluster.create(DEPLOYMENTS, deployment(1, json!({"selector": {"matchLabels": null}})));
    assert_eq!(cluster.events.len(), 1);
    assert!(cluster.names(SETS).is_empty());
}

/// What may happen to a deployment.
#[derive(Debug, Clone)]
enum Step {
    Scale(i64),
    Image(u8),
    Pause(bool),
    Start(usize, bool),
    Kill(usize),
    Bounds(i64, i64),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..8i64).prop_map(Step::Scale),
        (0..4u8).prop_map(Step::Image),
        any::<bool>().prop_map(Step::Pause),
        (0..20usize, any::<bool>()).prop_map(|(pod, ready)| Step::Start(pod, ready)),
        (0..20usize, Just(true)).prop_map(|(pod, ready)| Step::Start(pod, ready)),
        (0..20usize).prop_map(Step::Kill),
        (0..3i64, 0..3i64).prop_map(|(surge, unavailable)| Step::Bounds(surge, unavailable.max(1 - surge))),
        (0..5i64).prop_map(Step::Pass),
    ]
}

fn play(cluster: &mut Cluster, step: &Step) {
    let pods = cluster.names("pods");
    match step {
        Step::Scale(replicas) => cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"replicas": replicas}})),
        Step::Image(number) => cluster.patch(DEPLOYMENTS, "web", image(&format!("v{number}"))),
        Step::Pause(paused) => cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"paused": paused}})),
        Step::Start(pod, ready) if !pods.is_empty() => cluster.start(&pods[pod % pods.len()], *ready),
        Step::Kill(pod) if !pods.is_empty() => {
            let pod = cluster.find("pods", &pods[pod % pods.len()]).unwrap();
            if pod.deleting {
                cluster.kill(&pod);
            }
        }
        Step::Bounds(surge, unavailable) => {
            let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
            cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"strategy": {"rollingUpdate": rolling}}}));
        }
        Step::Pass(seconds) => cluster.pass(*seconds),
        _ => {}
    }
    cluster.settle();
}

fn available(store: &Store) -> i64 {
    let ready = |pod: &Value| list(pod, &["status", "conditions"]).iter().any(|it| it["status"] == "True");
    let pods = store.list("pods", NAMESPACE).filter(|pod| !pod.deleting).map(|pod| pod.value());
    i64::try_from(pods.filter(ready).count()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_it_ends_as_asked_for(steps in proptest::collection::vec(step(), 1..25), recreate: bool) {
        let spec = if recreate { json!({"strategy": {"type": "Recreate"}}) } else { json!({}) };
        let mut cluster = rolled_out(3, spec);
        for step in &steps {
            play(&mut cluster, step);
        }
        cluster.patch(DEPLOYMENTS, "web", json!({"spec": {"paused": null}}));
        cluster.run();
        let object = cluster.get(DEPLOYMENTS, "web");
        let replicas = int(&object, &["spec", "replicas"]).unwrap();
        let current = text(&list(&object, &["spec", "template", "spec", "containers"])[0], &["image"]).to_owned();
        for (image, size) in sizes(&cluster) {
            prop_assert_eq!(size, if image == current { replicas } else { 0 });
        }
        prop_assert_eq!(cluster.names("pods").len() as i64, replicas);
        prop_assert_eq!(deployment_line(&object), format!("{replicas}/{replicas} {replicas} {replicas}"));
    }

    #[test]
    fn a_rollout_stays_within_its_bounds(
        replicas in 1..12i64, surge in 0..4i64, unavailable in 0..4i64, order in proptest::collection::vec(0..30usize, 60),
    ) {
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
        let rolling = json!({"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
        let mut cluster = rolled_out(replicas, rolling);
        cluster.check = Some(Box::new(move |store| {
            let sets = store.list(SETS, NAMESPACE).map(|set| set.value());
            let total: i64 = sets.filter_map(|set| int(&set, &["spec", "replicas"])).sum();
            assert!(total <= replicas + surge, "{total} pods of {replicas} and {surge}");
            let available = available(store);
            assert!(available >= replicas - unavailable, "{available} available of {replicas} less {unavailable}");
        }));
        cluster.patch(DEPLOYMENTS, "web", image("two"));
        for pod in order {
            let pods = cluster.list("pods");
            let Some(pod) = pods.get(pod % pods.len().max(1)) else { continue };
            let ready = at(&pod.value(), &["status", "conditions"]).is_some();
            if pod.deleting {
                cluster.kill(pod);
            } else if !ready {
                cluster.start(&pod.key.name, true);
            }
            cluster.settle();
        }
        cluster.run();
        prop_assert_eq!(sizes(&cluster), [("one".to_owned(), 0), ("two".to_owned(), replicas)]);
    }
}
