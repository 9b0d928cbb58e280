//! Rows of what runs and scales pods, and of pods.

use serde_json::{Value, json};

use super::{NOW, check, row};

fn containers() -> Value {
    json!([{"name": "web", "image": "nginx:1"}, {"name": "side", "image": "busybox"}])
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": containers(), "nodeSelector": {"disk": "ssd"}}});
    let selector = json!({"matchLabels": {"app": "web"}});
    check(
        "apps",
        &[
            (
                "Deployment",
                json!({"spec": {"replicas": 3, "template": template, "selector": selector},
                    "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}}),
                json!(["a", "2/3", 3, 1, "5m", "web,side", "nginx:1,busybox", "app=web"]),
            ),
            (
                "Deployment",
                json!({"spec": {"replicas": 0, "selector": {"matchExpressions": [{"key": "a", "operator": "?"}]}}}),
                json!(["a", "0/0", 0, 0, "5m", "", "", "<invalid>"]),
            ),
            (
                "ReplicaSet",
                json!({"spec": {"replicas": 3, "template": template, "selector": selector},
                    "status": {"replicas": 2, "readyReplicas": 1}}),
                json!(["a", 3, 2, 1, "5m", "web,side", "nginx:1,busybox", "app=web"]),
            ),
            (
                "StatefulSet",
                json!({"spec": {"replicas": 3, "template": template}, "status": {"readyReplicas": 3}}),
                json!(["a", "3/3", "5m", "web,side", "nginx:1,busybox"]),
            ),
            (
                "DaemonSet",
                json!({"spec": {"template": template, "selector": selector}, "status": {"desiredNumberScheduled": 5,
                    "currentNumberScheduled": 4, "numberReady": 3, "updatedNumberScheduled": 2, "numberAvailable": 1}}),
                json!(["a", 5, 4, 3, 2, 1, "disk=ssd", "5m", "web,side", "nginx:1,busybox", "app=web"]),
            ),
            (
                "ControllerRevision",
                json!({"revision": 4, "metadata": {"ownerReferences": [
                    {"kind": "Other", "name": "x"},
                    {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "logs", "controller": true}]}}),
                json!(["a", "daemonset.apps/logs", 4, "5m"]),
            ),
            ("ControllerRevision", json!({"revision": 1}), json!(["a", "<none>", 1, "5m"])),
        ],
    );
    check(
        "",
        &[
            (
                "ReplicationController",
                json!({"spec": {"replicas": 1, "template": template, "selector": {"b": "2", "a": "1"}}}),
                json!(["a", 1, 0, 0, "5m", "web,side", "nginx:1,busybox", "a=1,b=2"]),
            ),
            (
                "PodTemplate",
                json!({"template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": containers()}}}),
                json!(["a", "web,side", "nginx:1,busybox", "app=x"]),
            ),
        ],
    );
}

#[test]
fn jobs() {
    let condition = |kind: &str| json!([{"type": kind, "status": "True"}]);
    let started = "2026-01-01T00:56:53Z";
    check(
        "batch",
        &[
            (
                "Job",
                json!({"spec": {"completions": 2, "selector": {"matchLabels": {"j": "1"}}, "template": {"spec":
                    {"containers": containers()}}}, "status": {"succeeded": 2, "startTime": started,
                    "completionTime": "2026-01-01T00:57:00Z", "conditions": condition("Complete")}}),
                json!(["a", "Complete", "2/2", "7s", "5m", "web,side", "nginx:1,busybox", "j=1"]),
            ),
            (
                "Job",
                json!({"spec": {"parallelism": 3}, "status": {"startTime": started}}),
                json!(["a", "Running", "0/1 of 3", "3m7s", "5m", "", "", "<none>"]),
            ),
            (
                "Job",
                json!({"metadata": {"deletionTimestamp": NOW}, "status": {"conditions": condition("Suspended")}}),
                json!(["a", "Terminating", "0/1", "", "5m", "", "", "<none>"]),
            ),
            (
                "Job",
                json!({"spec": {"completions": 1}, "status": {"conditions": condition("SuccessCriteriaMet")}}),
                json!(["a", "SuccessCriteriaMet", "0/1", "", "5m", "", "", "<none>"]),
            ),
            (
                "CronJob",
                json!({"spec": {"schedule": "*/5 * * * *", "suspend": false, "timeZone": "Europe/Berlin",
                    "jobTemplate": {"spec": {"template": {"spec": {"containers": containers()}}}}},
                    "status": {"active": [{}], "lastScheduleTime": "2026-01-01T00:59:30Z"}}),
                json!([
                    "a",
                    "*/5 * * * *",
                    "Europe/Berlin",
                    "False",
                    1,
                    "30s",
                    "5m",
                    "web,side",
                    "nginx:1,busybox",
                    "<none>"
                ]),
            ),
            (
                "CronJob",
                json!({"spec": {"schedule": "@daily", "suspend": true}}),
                json!(["a", "@daily", "<none>", "True", 0, "<none>", "5m", "", "", "<none>"]),
            ),
        ],
    );
    for (kind, shown) in [("Failed", "Failed"), ("FailureTarget", "FailureTarget"), ("Suspended", "Suspended")] {
        assert_eq!(row("batch", "Job", json!({"status": {"conditions": condition(kind)}}))[1], shown);
    }
}

/// Ready, status and restarts of a pod.
fn pod_status(pod: Value) -> String {
    let row = row("", "Pod", pod);
    [1, 2, 3].map(|cell| row[cell].as_str().unwrap().to_owned()).join(" ")
}

#[test]
fn pods() {
    let running = json!({"name": "c", "ready": true, "restartCount": 0, "state": {"running": {}}});
    check(
        "",
        &[
            (
                "Pod",
                json!({"spec": {"containers": [{}], "nodeName": "n1"},
                    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}], "containerStatuses": [running]}}),
                json!(["a", "1/1", "Running", "0", "5m", "10.0.0.1", "n1", "<none>", "<none>"]),
            ),
            (
                "Pod",
                json!({"spec": {"containers": [{}], "readinessGates": [{"conditionType": "x"}, {"conditionType": "y"}]},
                    "status": {"phase": "Pending", "nominatedNodeName": "n2",
                        "conditions": [{"type": "y", "status": "True"}]}}),
                json!(["a", "0/1", "Pending", "0", "5m", "<none>", "<none>", "n2", "1/2"]),
            ),
        ],
    );
    let with = |statuses: Value| {
        pod_status(
            json!({"spec": {"containers": [{}, {}]}, "status": {"phase": "Running", "containerStatuses": statuses}}),
        )
    };
    let ended = |state: Value| json!({"ready": false, "restartCount": 0, "state": {"terminated": state}});
    let waiting = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"finishedAt": "2026-01-01T00:59:55Z"}}});
    assert_eq!(with(json!([running, waiting])), "1/2 CrashLoopBackOff 3 (5s ago)");
    assert_eq!(with(json!([running, ended(json!({"exitCode": 3}))])), "1/2 ExitCode:3 0");
    assert_eq!(with(json!([ended(json!({"exitCode": 1, "signal": 9}))])), "0/2 Signal:9 0");
    assert_eq!(with(json!([ended(json!({"reason": "Error"})), running])), "1/2 Error 0");
    assert_eq!(with(json!([running, ended(json!({"reason": "Completed"}))])), "1/2 NotReady 0");
    assert_eq!(with(json!([ended(json!({"reason": "Completed"})), running])), "1/2 NotReady 0");
}

#[test]
fn pods_that_begin_or_end() {
    let status = |status: Value| pod_status(json!({"spec": {"containers": [{}]}, "status": status}));
    let gated = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
    assert_eq!(status(json!({"phase": "Pending", "conditions": gated})), "0/1 SchedulingGated 0");
    assert_eq!(status(json!({"phase": "Failed", "reason": "Evicted"})), "0/1 Evicted 0");
    let completed = json!([
        {"state": {"terminated": {"reason": "Completed"}}},
        {"ready": true, "state": {"running": {}}}
    ]);
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let both = json!({"phase": "Running", "containerStatuses": completed, "conditions": ready});
    assert_eq!(status(both), "1/1 Running 0");

    let leaving = |status: Value| {
        pod_status(json!({"metadata": {"deletionTimestamp": NOW}, "spec": {"containers": [{}]}, "status": status}))
    };
    assert_eq!(leaving(json!({"phase": "Running"})), "0/1 Terminating 0");
    assert_eq!(leaving(json!({"phase": "Running", "reason": "NodeLost"})), "0/1 Unknown 0");
    let done = json!([{"state": {"terminated": {"reason": "Completed"}}}]);
    assert_eq!(leaving(json!({"phase": "Succeeded", "containerStatuses": done})), "0/1 Completed 0");
}

#[test]
fn pods_that_initialize() {
    let of = |statuses: Value, conditions: Value| {
        pod_status(json!({
            "spec": {"containers": [{}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]},
            "status": {"phase": "Pending", "initContainerStatuses": statuses, "conditions": conditions,
                "containerStatuses": [{"restartCount": 1, "state": {"waiting": {"reason": "PodInitializing"}}}]}
        }))
    };
    let done = json!({"name": "i", "restartCount": 2, "state": {"terminated": {"exitCode": 0}}});
    let sidecar = json!({"name": "s", "restartCount": 4, "started": true, "ready": true, "state": {"running": {}},
        "lastState": {"terminated": {"finishedAt": "2026-01-01T00:58:00Z"}}});
    let none = json!([]);
    let waits = |reason: &str| json!([{"name": "i", "state": {"waiting": {"reason": reason}}}]);
    assert_eq!(of(waits("PodInitializing"), none.clone()), "0/2 Init:0/2 0");
    assert_eq!(of(waits("ErrImagePull"), none.clone()), "0/2 Init:ErrImagePull 0");
    let failed = |state: Value| json!([{"name": "i", "restartCount": 5, "state": {"terminated": state}}]);
    assert_eq!(of(failed(json!({"exitCode": 2})), none.clone()), "0/2 Init:ExitCode:2 5");
    assert_eq!(of(failed(json!({"exitCode": 2, "signal": 6})), none.clone()), "0/2 Init:Signal:6 5");
    assert_eq!(of(failed(json!({"exitCode": 2, "reason": "Error"})), none.clone()), "0/2 Init:Error 5");
    assert_eq!(of(json!([done, {"name": "s", "state": {}}]), none.clone()), "0/2 Init:1/2 2");
    // sidecars count beside the containers, finished init containers no longer do
    assert_eq!(of(json!([done, sidecar]), none), "1/2 PodInitializing 5 (2m ago)");
    let initialized = json!([{"type": "Initialized", "status": "True"}]);
    assert_eq!(of(waits("X"), initialized), "0/2 PodInitializing 1");
}

#[test]
fn scaling() {
    let target = json!({"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 5});
    let hpa = |metrics: Value, current: Value| {
        let mut spec = target.clone();
        spec["metrics"] = metrics;
        row(
            "autoscaling",
            "HorizontalPodAutoscaler",
            json!({"spec": spec, "status": {"currentReplicas": 2, "currentMetrics": current}}),
        )
    };
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    assert_eq!(hpa(json!([cpu]), json!(null)), json!(["a", "Deployment/web", "cpu: <unknown>/80%", "1", 5, 2, "5m"]));
    let now = json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}]);
    assert_eq!(hpa(json!([cpu, cpu, cpu]), now)[2], "cpu: 12%/80%, cpu: <unknown>/80% + 1 more...");
    for (metric, current, shown) in [
        (json!({"type": "Pods", "pods": {"target": {"averageValue": "1k"}}}), json!({}), "<unknown>/1k"),
        (
            json!({"type": "External", "external": {"target": {"averageValue": "5"}}}),
            json!({"external": {"current": {"averageValue": "3"}}}),
            "3/5 (avg)",
        ),
        (
            json!({"type": "Object", "object": {"target": {"value": "7"}}}),
            json!({"object": {"current": {"value": "6"}}}),
            "6/7",
        ),
        (
            json!({"type": "ContainerResource", "containerResource": {"name": "memory", "target": {"averageValue": "1Gi"}}}),
            json!({"containerResource": {"current": {"averageValue": "1Mi"}}}),
            "memory: 1Mi/1Gi",
        ),
        (json!({"type": "Resource", "resource": {"name": "cpu", "target": {}}}), json!({}), "cpu: <unknown>/<auto>"),
        (json!({"type": "New"}), json!({}), "<unknown type>"),
    ] {
        assert_eq!(hpa(json!([metric]), json!([current]))[2], shown);
    }
    check(
        "autoscaling",
        &[
            (
                "HorizontalPodAutoscaler",
                json!({"spec": {"scaleTargetRef": {"kind": "K", "name": "n"}, "maxReplicas": 3,
                    "targetCPUUtilizationPercentage": 50}, "status": {"currentCPUUtilizationPercentage": 10}}),
                json!(["a", "K/n", "cpu: 10%/50%", "<unset>", 3, 0, "5m"]),
            ),
            ("Scale", json!({"spec": {"replicas": 3}, "status": {"replicas": 2}}), json!(["a", 3, 2, "5m"])),
        ],
    );
    check(
        "policy",
        &[
            (
                "PodDisruptionBudget",
                json!({"spec": {"minAvailable": 1}, "status": {"disruptionsAllowed": 2}}),
                json!(["a", "1", "N/A", 2, "5m"]),
            ),
            ("PodDisruptionBudget", json!({"spec": {"maxUnavailable": "20%"}}), json!(["a", "N/A", "20%", 0, "5m"])),
        ],
    );
    check(
        "scheduling.k8s.io",
        &[(
            "PriorityClass",
            json!({"value": 1000, "globalDefault": true, "preemptionPolicy": "Never"}),
            json!(["a", 1000, true, "5m", "Never"]),
        )],
    );
    check("node.k8s.io", &[("RuntimeClass", json!({"handler": "runc"}), json!(["a", "runc", "5m"]))]);
}
