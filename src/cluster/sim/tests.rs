//! Nodes, namespaces, owners, budgets, autoscalers, quotas and volumes, driven together.

use std::time::Duration;

use serde_json::{Value, json};

use super::autoscaler::Usage;
use super::rig::Rig;
use crate::cluster::object::{Key, list, set, text};

fn key(name: &str) -> Key {
    Key::new("default", name)
}

fn config_map(namespace: &str, name: &str, owners: &[(&str, &str, bool)]) -> Value {
    let owners: Vec<_> = owners
        .iter()
        .map(|(name, uid, blocks)| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": blocks}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": owners},
    })
}

fn uid(rig: &Rig, key: &Key) -> String {
    text(&rig.get("configmaps", key), &["metadata", "uid"]).to_owned()
}

/// A tree: `root` owns `a` and `b`, `a` owns `a1`; `b` is owned by `other` as well.
fn tree() -> Rig {
    let mut rig = Rig::usual();
    let root = rig.create("configmaps", config_map("default", "root", &[]));
    let other = rig.create("configmaps", config_map("default", "other", &[]));
    let (root, other) = (uid(&rig, &root), uid(&rig, &other));
    let a = rig.create("configmaps", config_map("default", "a", &[("root", &root, true)]));
    rig.create("configmaps", config_map("default", "b", &[("root", &root, false), ("other", &other, false)]));
    let a = uid(&rig, &a);
    rig.create("configmaps", config_map("default", "a1", &[("a", &a, true)]));
    rig.run(Duration::from_secs(1));
    rig
}

fn config_maps(rig: &Rig) -> Vec<String> {
    let mut names = rig.names("configmaps", "default");
    names.retain(|name| name != "kube-root-ca.crt");
    names
}

#[test]
fn what_is_owned_goes_with_its_owners() {
    for (propagation, left, owners_of_b) in [
        ("Background", vec!["b", "other"], 1),
        ("Foreground", vec!["b", "other"], 1),
        ("Orphan", vec!["a", "a1", "b", "other"], 1),
    ] {
        let mut rig = tree();
        rig.delete("configmaps", &key("root"), None, propagation);
        rig.run(Duration::from_secs(1));
        assert_eq!(config_maps(&rig), left, "{propagation}");
        let b = rig.get("configmaps", &key("b"));
        assert_eq!(list(&b, &["metadata", "ownerReferences"]).len(), owners_of_b, "{propagation}");
        rig.assert_quiet();
    }
}

#[test]
fn a_foreground_deletion_waits_for_what_blocks_it() {
    let mut rig = tree();
    rig.change("configmaps", &key("a1"), |object| {
        set(object, &["metadata", "finalizers"], json!(["example.com/hold"]));
    });
    rig.delete("configmaps", &key("root"), None, "Foreground");
    rig.run(Duration::from_secs(1));
    assert_eq!(config_maps(&rig), ["a", "a1", "b", "other", "root"]);
    assert_eq!(rig.get("configmaps", &key("a"))["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    rig.assert_quiet();
    rig.change("configmaps", &key("a1"), |object| set(object, &["metadata", "finalizers"], json!([])));
    rig.run(Duration::from_secs(1));
    assert_eq!(config_maps(&rig), ["b", "other"]);
}

#[test]
fn owners_that_never_were_or_are_elsewhere_count_as_gone() {
    let mut rig = Rig::usual();
    rig.create("namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "far"}}));
    let far = rig.create("configmaps", config_map("far", "owner", &[]));
    let far = uid(&rig, &far);
    rig.create(
        "configmaps",
        config_map("default", "stray", &[("gone", "22222222-2222-2222-2222-222222222222", false)]),
    );
    rig.create("configmaps", config_map("default", "abroad", &[("owner", &far, false)]));
    rig.create("configmaps", config_map("far", "misnamed", &[("other-name", &far, false)]));
    let cluster = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": "wide", "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": far}]},
    });
    rig.create("persistentvolumes", cluster);
    rig.run(Duration::from_secs(1));
    assert_eq!(config_maps(&rig), Vec::<String>::new());
    assert_eq!(rig.names("configmaps", "far"), ["kube-root-ca.crt", "owner"]);
    assert_eq!(rig.names("persistentvolumes", ""), ["wide"], "such an owner says nothing");
    let expected = format!(
        "Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: {far}] does not \
         exist in namespace \"default\""
    );
    assert_eq!(rig.told("abroad"), [expected]);
    rig.assert_quiet();
}

#[test]
fn a_namespace_gets_what_it_needs_and_ends_with_all_it_has() {
    let mut rig = Rig::usual();
    let lab = rig.create("namespaces", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}}));
    rig.run(Duration::from_millis(1));
    assert_eq!(rig.names("serviceaccounts", "lab"), ["default"]);
    assert_eq!(rig.get("configmaps", &Key::new("lab", "kube-root-ca.crt"))["data"], json!({"ca.crt": "CERT"}));
    rig.change("configmaps", &Key::new("lab", "kube-root-ca.crt"), |object| {
        object["data"] = json!({"ca.crt": "forged"});
    });
    rig.run(Duration::from_millis(1));
    assert_eq!(rig.get("configmaps", &Key::new("lab", "kube-root-ca.crt"))["data"], json!({"ca.crt": "CERT"}));

    let mut held = config_map("lab", "h", &[]);
    held["metadata"]["finalizers"] = json!(["lab.example.com/hold"]);
    let held = rig.create("configmaps", held);
    rig.create("configmaps", config_map("lab", "a", &[]));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lab"}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}});
    rig.create("pods", pod);
    rig.run(Duration::from_secs(3));
    rig.delete("namespaces", &lab, None, "");
    rig.run(Duration::from_secs(3));
    let namespace = rig.get("namespaces", &lab);
    assert_eq!(text(&namespace, &["status", "phase"]), "Terminating");
    let conditions: Vec<_> = list(&namespace, &["status", "conditions"])
        .iter()
        .map(|one| ["type", "status", "reason", "message"].map(|member| text(one, &[member]).to_owned()).join(" "))
        .collect();
    assert_eq!(
        conditions,
        [
            "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered All resources successfully discovered",
            "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions All legacy kube types successfully parsed",
            "NamespaceDeletionContentFailure False ContentDeleted All content successfully deleted, may be waiting on finalization",
            "NamespaceContentRemaining True SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances",
            "NamespaceFinalizersRemaining True SomeFinalizersRemain Some content in the namespace has finalizers remaining: lab.example.com/hold in 1 resource instances",
        ]
    );
    assert_eq!(rig.names("configmaps", "lab"), ["h"]);
    assert_eq!(rig.names("serviceaccounts", "lab"), Vec::<String>::new());
    rig.assert_quiet();
    rig.change("configmaps", &held, |object| set(object, &["metadata", "finalizers"], json!([])));
    rig.run(Duration::from_millis(1));
    assert!(rig.get("namespaces", &lab).is_null());
}

fn pod(name: &str, cpu: &str) -> Value {
    let requests = json!({"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"cpu": "1"}});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.25", "resources": requests}]},
    })
}

#[test]
fn a_node_renews_its_lease_and_is_registered_once() {
    let mut rig = Rig::usual();
    let renewed = |rig: &Rig| {
        let lease = rig.get("leases.coordination.k8s.io", &Key::new("kube-node-lease", "foredeck-control-plane"));
        text(&lease, &["spec", "renewTime"]).to_owned()
    };
    assert_eq!(renewed(&rig), "2026-01-01T00:00:00.250000Z");
    rig.run(Duration::from_secs(61));
    assert_eq!(renewed(&rig), "2026-01-01T00:01:00.250000Z");
    rig.run(Duration::from_secs(300));
    let node = rig.get("nodes", &Key::new("", "foredeck-control-plane"));
    assert_eq!(text(&node["status"]["conditions"][3], &["lastHeartbeatTime"]), "2026-01-01T00:05:00Z");
    assert_eq!(text(&node["status"]["conditions"][3], &["lastTransitionTime"]), "2026-01-01T00:00:00Z");
    let mut extra = node.clone();
    extra["metadata"] = json!({"name": "extra", "labels": {}});
    rig.create("nodes", extra);
    rig.run(Duration::from_secs(30));
    assert_eq!(rig.told("extra"), ["Normal RegisteredNode Node extra event: Registered Node extra in Controller"]);
    rig.assert_quiet();
}

#[test]
fn pods_leave_a_node_that_fails_when_their_patience_ends() {
    let mut rig = Rig::new(&["control", "worker"]);
    let mut patient = pod("patient", "1m");
    patient["spec"]["tolerations"] = json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]);
    rig.create("pods", patient);
    rig.create("pods", pod("hasty", "1m"));
    rig.run(Duration::from_secs(3));
    let phases = |rig: &Rig| {
        ["patient", "hasty"].map(|name| text(&rig.get("pods", &key(name)), &["status", "phase"]).to_owned())
    };
    assert_eq!(phases(&rig), ["Running", "Running"]);
    let worker = Key::new("", "worker");
    let ready = |rig: &mut Rig, status: &str| {
        rig.change("nodes", &worker, |node| set(&mut node["status"]["conditions"][3], &["status"], status));
    };
    ready(&mut rig, "Unknown");
    rig.run(Duration::from_secs(10));
    let pod = rig.get("pods", &key("patient"));
    let conditions = list(&pod, &["status", "conditions"]).to_vec();
    assert_eq!(text(super::condition::find(&conditions, "Ready").unwrap_or(&Value::Null), &["status"]), "False");
    assert!(!text(&rig.get("pods", &key("hasty")), &["metadata", "deletionTimestamp"]).is_empty(), "nobody stops it");
    assert_eq!(text(&pod, &["metadata", "deletionTimestamp"]), "");
    rig.assert_quiet();
    rig.run(Duration::from_secs(300));
    assert!(!text(&rig.get("pods", &key("patient")), &["metadata", "deletionTimestamp"]).is_empty());
    assert!(
        rig.told("patient")
            .contains(&"Normal TaintManagerEviction Marking for deletion Pod default/patient".to_owned())
    );
    ready(&mut rig, "True");
    rig.run(Duration::from_secs(2));
    assert_eq!(rig.names("pods", ""), Vec::<String>::new(), "the kubelet is back and does what it is told");
    assert_eq!(rig.get("nodes", &worker)["spec"].get("taints"), None);
    rig.assert_quiet();
}

#[test]
fn pods_of_a_node_that_is_gone_go_as_well() {
    let mut rig = Rig::new(&["control", "worker"]);
    rig.create("pods", pod("p", "1m"));
    rig.run(Duration::from_secs(3));
    rig.delete("nodes", &Key::new("", "worker"), None, "");
    let mut lost = pod("lost", "1m");
    lost["spec"]["nodeName"] = "nowhere".into();
    rig.create("pods", lost);
    rig.run(Duration::from_secs(30));
    assert_eq!(rig.names("pods", ""), ["lost", "p"], "the node may come back in a moment");
    rig.run(Duration::from_secs(11));
    assert_eq!(rig.names("pods", ""), Vec::<String>::new());
    assert_eq!(rig.names("leases.coordination.k8s.io", ""), ["control"]);
    rig.assert_quiet();
}

#[test]
fn budgets_count() {
    let cases = [
        (json!({"minAvailable": 1}), (2, 1, 1, 2), "SufficientPods"),
        (json!({"minAvailable": 2}), (2, 2, 0, 2), "InsufficientPods"),
        (json!({"minAvailable": "100%"}), (2, 4, 0, 4), "InsufficientPods"),
        (json!({"minAvailable": "50%"}), (2, 2, 0, 4), "InsufficientPods"),
        (json!({"maxUnavailable": 3}), (2, 1, 1, 4), "SufficientPods"),
        (json!({"maxUnavailable": "25%"}), (2, 3, 0, 4), "InsufficientPods"),
    ];
    for (mut spec, (current, desired, allowed, expected), reason) in cases {
        let mut rig = Rig::usual();
        let set_ = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "rs", "namespace": "default"}, "spec": {"replicas": 4}});
        let owner = rig.create("replicasets.apps", set_);
        let owner = text(&rig.get("replicasets.apps", &owner), &["metadata", "uid"]).to_owned();
        for name in ["a", "b"] {
            let mut pod = pod(name, "1m");
            pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner, "controller": true}]);
            rig.create("pods", pod);
        }
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
        let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "pdb", "namespace": "default", "generation": 1}, "spec": spec});
        let budget = rig.create("poddisruptionbudgets.policy", budget);
        rig.run(Duration::from_secs(3));
        let status = rig.get("poddisruptionbudgets.policy", &budget)["status"].clone();
        let condition = json!([{
            "type": "DisruptionAllowed", "status": if allowed > 0 { "True" } else { "False" }, "reason": reason, "message": "",
            "observedGeneration": 1, "lastTransitionTime": status["conditions"][0]["lastTransitionTime"],
        }]);
        assert_eq!(
            status,
            json!({
                "conditions": condition, "currentHealthy": current, "desiredHealthy": desired,
                "disruptionsAllowed": allowed, "expectedPods": expected, "observedGeneration": 1,
            })
        );
        rig.assert_quiet();
        let mut object = rig.get("poddisruptionbudgets.policy", &budget);
        let granted = super::budget::grant(&mut object, "a", rig.now);
        match allowed {
            0 => assert_eq!(
                granted,
                Err(format!("The disruption budget pdb needs {desired} healthy pods and has 2 currently"))
            ),
            _ => assert_eq!((granted, &object["status"]["disruptionsAllowed"]), (Ok(()), &json!(0))),
        }
    }
}

fn autoscaled(usage: Option<u64>) -> (Rig, Key) {
    let mut rig = Rig::usual();
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
    });
    rig.create("deployments.apps", deployment);
    for name in ["a", "b"] {
        rig.create("pods", pod(name, "100m"));
        if let Some(cpu) = usage {
            rig.usage.insert(name.to_owned(), Usage { cpu, memory: 1 << 20 });
        }
    }
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let spec = json!({
        "minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    });
    let autoscaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"}, "spec": spec});
    let key = rig.create("horizontalpodautoscalers.autoscaling", autoscaler);
    rig.run(Duration::from_secs(20));
    (rig, key)
}

#[test]
fn an_autoscaler_without_metrics_changes_nothing() {
    let (mut rig, key) = autoscaled(None);
    let status = rig.get("horizontalpodautoscalers.autoscaling", &key)["status"].clone();
    assert_eq!(status["conditions"][1]["reason"], "FailedGetResourceMetric");
    assert_eq!(status.get("currentMetrics"), None);
    assert_eq!((&status["currentReplicas"], &status["desiredReplicas"]), (&json!(2), &json!(0)));
    assert_eq!(rig.get("deployments.apps", &key)["spec"]["replicas"], 2);
    let why = "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource \
               metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
    assert_eq!(
        rig.told("web"),
        [
            format!("Warning FailedGetResourceMetric {why}"),
            format!(
                "Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}"
            ),
        ]
    );
    rig.assert_quiet();
}

#[test]
fn an_autoscaler_scales_by_what_pods_use() {
    for (cpu, replicas, utilization) in [(80, 2, 80), (84, 2, 84), (160, 4, 160), (1000, 5, 1000)] {
        let (mut rig, key) = autoscaled(Some(cpu));
        assert_eq!(rig.get("deployments.apps", &key)["spec"]["replicas"], replicas, "{cpu}");
        let status = rig.get("horizontalpodautoscalers.autoscaling", &key)["status"].clone();
        assert_eq!(status["currentMetrics"][0]["resource"]["current"]["averageUtilization"], utilization);
        assert_eq!(status["desiredReplicas"], replicas);
        if replicas > 2 {
            let expected = format!(
                "Normal SuccessfulRescale New size: {replicas}; reason: cpu resource utilization (percentage of request) above target"
            );
            assert_eq!(rig.told("web"), [expected]);
        }
        rig.assert_quiet();
    }
    let (mut rig, key) = autoscaled(Some(10));
    assert_eq!(rig.get("deployments.apps", &key)["spec"]["replicas"], 2, "not so soon");
    rig.run(Duration::from_secs(300));
    assert_eq!(rig.get("deployments.apps", &key)["spec"]["replicas"], 1);
    assert_eq!(rig.told("web"), ["Normal SuccessfulRescale New size: 1; reason: All metrics below target"]);
}

#[test]
fn quotas_are_recounted() {
    let mut rig = Rig::usual();
    let hard = json!({
        "pods": "5", "configmaps": "10", "requests.cpu": "4", "requests.memory": "1Gi", "limits.cpu": "8",
        "count/deployments.apps": "2", "services.nodeports": "1", "strange": "1",
    });
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}});
    let quota = rig.create("resourcequotas", quota);
    let used = |rig: &Rig| rig.get("resourcequotas", &quota)["status"]["used"].clone();
    rig.create("pods", pod("a", "250m"));
    rig.create("pods", pod("b", "1"));
    rig.run(Duration::from_secs(2));
    assert_eq!(
        used(&rig),
        json!({
            "pods": "2", "configmaps": "1", "requests.cpu": "1250m", "requests.memory": "128Mi", "limits.cpu": "2",
            "count/deployments.apps": "0", "services.nodeports": "0",
        })
    );
    rig.delete("pods", &key("b"), Some(0), "");
    rig.run(Duration::from_secs(1));
    assert_eq!((&used(&rig)["pods"], &used(&rig)["requests.cpu"]), (&json!("1"), &json!("250m")));
    rig.assert_quiet();
}

#[test]
fn claims_that_nobody_can_fill_say_so() {
    let claim = |class: Value| {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}},
        })
    };
    for (class, expected) in [
        (json!("none-x"), "Warning ProvisioningFailed storageclass.storage.k8s.io \"none-x\" not found"),
        (json!(""), "Normal FailedBinding no persistent volumes available for this claim and no storage class is set"),
    ] {
        let mut rig = Rig::usual();
        let key = rig.create("persistentvolumeclaims", claim(class));
        rig.run(Duration::from_secs(5));
        assert_eq!(rig.told("data"), [expected]);
        assert_eq!(rig.get("persistentvolumeclaims", &key)["status"], json!({"phase": "Pending"}));
        rig.assert_quiet();
        rig.delete("persistentvolumeclaims", &key, None, "");
        rig.run(Duration::from_secs(1));
        assert!(rig.get("persistentvolumeclaims", &key).is_null());
    }
}

#[test]
fn a_volume_made_by_hand_is_found() {
    let mut rig = Rig::usual();
    let volume = |name: &str, size: &str| {
        json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": "manual",
                "hostPath": {"path": "/data"}, "persistentVolumeReclaimPolicy": "Retain",
            },
        })
    };
    for (name, size) in [("small", "500Mi"), ("large", "10Gi"), ("right", "2Gi")] {
        rig.create("persistentvolumes", volume(name, size));
    }
    rig.run(Duration::from_secs(1));
    let phase = |rig: &Rig, name: &str| {
        text(&rig.get("persistentvolumes", &Key::new("", name)), &["status", "phase"]).to_owned()
    };
    assert_eq!(phase(&rig, "right"), "Available");
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual", "resources": {"requests": {"storage": "1Gi"}}},
    });
    let claim = rig.create("persistentvolumeclaims", claim);
    rig.run(Duration::from_secs(1));
    let object = rig.get("persistentvolumeclaims", &claim);
    assert_eq!((text(&object, &["spec", "volumeName"]), text(&object, &["status", "phase"])), ("right", "Bound"));
    assert_eq!((phase(&rig, "right").as_str(), phase(&rig, "large").as_str()), ("Bound", "Available"));
    rig.assert_quiet();
    rig.delete("persistentvolumeclaims", &claim, None, "");
    rig.run(Duration::from_secs(1));
    assert_eq!(phase(&rig, "right"), "Released");
    rig.assert_quiet();
}

#[test]
fn events_are_kept_for_an_hour() {
    let mut rig = Rig::usual();
    let event = |name: &str, time: &str| json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"}, "lastTimestamp": time});
    let one = rig.create("events", event("one", "2026-01-01T00:00:00Z"));
    rig.create("events", event("two", "2026-01-01T00:30:00Z"));
    rig.run(Duration::from_secs(3590));
    assert_eq!(rig.names("events", "default"), ["one", "two"]);
    rig.run(Duration::from_secs(11));
    assert_eq!(rig.names("events", "default"), ["two"]);
    assert!(rig.get("events", &one).is_null());
    rig.run(Duration::from_secs(1800));
    assert_eq!(rig.names("events", "default"), Vec::<String>::new());
}
