//! Whole lives of pods, played with a virtual clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::cluster::object::{list, text};
use crate::cluster::sim::rig::Rig;

fn key(name: &str) -> Key {
    Key::new("default", name)
}

fn pod(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec})
}

fn one(image: &str, script: &str) -> Value {
    json!([{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]}])
}

fn phase(rig: &Rig, name: &str) -> String {
    text(&rig.get("pods", &key(name)), &["status", "phase"]).to_owned()
}

/// The state of a pod's first container: `waiting CrashLoopBackOff`, `running`, `terminated Error 1`.
fn state(rig: &Rig, name: &str) -> String {
    let pod = rig.get("pods", &key(name));
    let status = list(&pod, &["status", "containerStatuses"]).first().cloned().unwrap_or_default();
    let state = &status["state"];
    if let Some(waiting) = state.get("waiting") {
        return format!("waiting {}", text(waiting, &["reason"]));
    }
    if let Some(terminated) = state.get("terminated") {
        return format!("terminated {} {}", text(terminated, &["reason"]), terminated["exitCode"]);
    }
    if state.get("running").is_some() { "running".to_owned() } else { String::new() }
}

fn status(rig: &Rig, name: &str) -> Value {
    rig.get("pods", &key(name))["status"].clone()
}

fn conditions(rig: &Rig, name: &str) -> Vec<String> {
    let status = status(rig, name);
    let line = |condition: &Value| {
        let (kind, holds) = (text(condition, &["type"]), text(condition, &["status"]));
        let (reason, message) = (text(condition, &["reason"]), text(condition, &["message"]));
        format!("{kind}={holds} {reason} {message}").trim_end().to_owned()
    };
    list(&status, &["conditions"]).iter().map(line).collect()
}

#[test]
fn a_bare_pod_comes_up_as_on_a_real_node() {
    let mut rig = Rig::usual();
    let before = rig.writes;
    rig.create(
        "pods",
        pod("web", json!({"containers": [{"name": "web", "image": "nginx", "imagePullPolicy": "Always"}]})),
    );
    rig.run(Duration::from_millis(10));
    assert_eq!((phase(&rig, "web").as_str(), state(&rig, "web").as_str()), ("Pending", "waiting ContainerCreating"));
    assert_eq!(
        conditions(&rig, "web"),
        [
            "PodReadyToStartContainers=False",
            "Initialized=True",
            "Ready=False ContainersNotReady containers with unready status: [web]",
            "ContainersReady=False ContainersNotReady containers with unready status: [web]",
            "PodScheduled=True",
        ]
    );
    rig.run(Duration::from_secs(2));
    let status = status(&rig, "web");
    let id = text(&status["containerStatuses"][0], &["containerID"]).to_owned();
    assert!(id.starts_with("containerd://") && id.len() == 77, "{id}");
    let image_id = text(&status["containerStatuses"][0], &["imageID"]).to_owned();
    assert!(image_id.starts_with("docker.io/lab/image@sha256:"), "{image_id}");
    let condition = |kind: &str| {
        json!({
            "type": kind, "status": "True", "lastProbeTime": null, "observedGeneration": 1,
            "lastTransitionTime": if kind == "Initialized" { "2026-01-01T00:00:00Z" } else { "2026-01-01T00:00:01Z" },
        })
    };
    assert_eq!(
        status,
        json!({
            "phase": "Running",
            "qosClass": "BestEffort",
            "conditions": [
                condition("PodReadyToStartContainers"),
                condition("Initialized"),
                condition("Ready"),
                condition("ContainersReady"),
                {"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-01-01T00:00:00Z"},
            ],
            "containerStatuses": [{
                "containerID": id, "image": "nginx", "imageID": image_id, "lastState": {}, "name": "web", "ready": true,
                "restartCount": 0, "started": true, "state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}},
            }],
            "hostIP": "172.18.0.2",
            "hostIPs": [{"ip": "172.18.0.2"}],
            "observedGeneration": 1,
            "podIP": "10.244.0.2",
            "podIPs": [{"ip": "10.244.0.2"}],
            "startTime": "2026-01-01T00:00:00Z",
        })
    );
    assert_eq!(
        rig.told("web"),
        [
            "Normal Scheduled Successfully assigned default/web to foredeck-control-plane",
            "Normal Pulling Pulling image \"nginx\"",
            "Normal Pulled Successfully pulled image \"nginx\" in 666ms (666ms including waiting). Image size: 68174650 bytes.",
            "Normal Created Container created",
            "Normal Started Container started",
        ]
    );
    assert_eq!(rig.writes - before, 4, "created, bound, creating, running");
    rig.assert_quiet();
}

#[test]
fn a_deleted_pod_stops_and_goes() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("web", json!({"containers": [{"name": "web", "image": "nginx:1.25"}]})));
    rig.until("running", |rig| phase(rig, "web") == "Running");
    assert_eq!(
        rig.told("web")[1],
        "Normal Pulled Container image \"nginx:1.25\" already present on machine and can be accessed by the pod"
    );
    let before = rig.writes;
    rig.delete("pods", &key("web"), None, "");
    rig.run(Duration::from_millis(400));
    assert_eq!((phase(&rig, "web").as_str(), state(&rig, "web").as_str()), ("Running", "running"));
    assert!(rig.told("web").contains(&"Normal Killing Stopping container web".to_owned()));
    rig.run(Duration::from_millis(200));
    assert_eq!(rig.get("pods", &key("web")), Value::Null);
    assert_eq!(rig.writes - before, 3, "terminating, completed, gone");

    rig.create("pods", pod("held", json!({"containers": [{"name": "web", "image": "nginx:1.25"}]})));
    rig.change("pods", &key("held"), |pod| pod["metadata"]["finalizers"] = json!(["example.com/hold"]));
    rig.until("running", |rig| phase(rig, "held") == "Running");
    rig.delete("pods", &key("held"), None, "");
    rig.run(Duration::from_secs(5));
    assert_eq!((phase(&rig, "held").as_str(), state(&rig, "held").as_str()), ("Succeeded", "terminated Completed 0"));
    rig.assert_quiet();
    rig.change("pods", &key("held"), |pod| pod["metadata"]["finalizers"] = json!([]));
    assert_eq!(rig.get("pods", &key("held")), Value::Null);
}

#[test]
fn a_crashing_container_backs_off() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("crasher", json!({"containers": one("busybox:1.36", "echo dying; exit 1")})));
    rig.until("back-off", |rig| state(rig, "crasher") == "waiting CrashLoopBackOff");
    let seen = status(&rig, "crasher");
    assert_eq!(phase(&rig, "crasher"), "Running");
    assert_eq!(seen["containerStatuses"][0]["restartCount"], 1);
    assert_eq!(text(&seen["containerStatuses"][0], &["lastState", "terminated", "reason"]), "Error");
    let uid = text(&rig.get("pods", &key("crasher")), &["metadata", "uid"]).to_owned();
    assert_eq!(
        text(&seen["containerStatuses"][0], &["state", "waiting", "message"]),
        format!("back-off 10s restarting failed container=c pod=crasher_default({uid})")
    );
    assert!(
        rig.told("crasher")
            .contains(&format!("Warning BackOff Back-off restarting failed container c in pod crasher_default({uid})"))
    );
    let restarts = |rig: &Rig| status(rig, "crasher")["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0);
    rig.run(Duration::from_secs(9));
    assert_eq!(restarts(&rig), 1);
    rig.run(Duration::from_secs(3));
    assert_eq!((restarts(&rig), state(&rig, "crasher").as_str()), (2, "waiting CrashLoopBackOff"));
    rig.run(Duration::from_secs(20));
    assert_eq!(restarts(&rig), 3);
    rig.run(Duration::from_secs(3600));
    assert_eq!(restarts(&rig), 17, "10 + 20 + 40 + 80 + 160 s, then every five minutes");
    rig.assert_quiet();
}

#[test]
fn pods_end_by_their_exit_codes() {
    for (policy, script, expected) in [
        ("Never", "echo bye", ("Succeeded", "terminated Completed 0")),
        ("Never", "exit 2", ("Failed", "terminated Error 2")),
        ("OnFailure", "echo bye", ("Succeeded", "terminated Completed 0")),
        ("OnFailure", "exit 2", ("Running", "waiting CrashLoopBackOff")),
        ("Always", "echo bye", ("Running", "waiting CrashLoopBackOff")),
        ("Never", "sleep 100", ("Running", "running")),
    ] {
        let mut rig = Rig::usual();
        rig.create("pods", pod("p", json!({"restartPolicy": policy, "containers": one("busybox:1.36", script)})));
        rig.run(Duration::from_secs(6));
        assert_eq!((phase(&rig, "p").as_str(), state(&rig, "p").as_str()), expected, "{policy} {script}");
        rig.assert_quiet();
    }
    let mut rig = Rig::usual();
    rig.create("pods", pod("p", json!({"restartPolicy": "Never", "containers": one("busybox:1.36", "exit 0")})));
    rig.run(Duration::from_secs(6));
    assert_eq!(
        conditions(&rig, "p"),
        [
            "PodReadyToStartContainers=False",
            "Initialized=True PodCompleted",
            "Ready=False PodCompleted",
            "ContainersReady=False PodCompleted",
            "PodScheduled=True",
        ]
    );
    rig.delete("pods", &key("p"), None, "");
    assert_eq!(rig.get("pods", &key("p")), Value::Null);
}

#[test]
fn images_that_are_not_there_back_off_and_can_come_later() {
    let mut rig = Rig::usual();
    let image = "stefanprodan/podinfo:99.0.0";
    rig.create(
        "pods",
        pod("p", json!({"containers": [{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent"}]})),
    );
    rig.until("an error", |rig| state(rig, "p") == "waiting ErrImagePull");
    rig.until("back-off", |rig| state(rig, "p") == "waiting ImagePullBackOff");
    assert_eq!(phase(&rig, "p"), "Pending");
    let message = "rpc error: code = NotFound desc = failed to pull and unpack image \
                   \"docker.io/stefanprodan/podinfo:99.0.0\": failed to resolve reference \
                   \"docker.io/stefanprodan/podinfo:99.0.0\": docker.io/stefanprodan/podinfo:99.0.0: not found";
    assert_eq!(
        text(&status(&rig, "p")["containerStatuses"][0], &["state", "waiting", "message"]),
        format!("Back-off pulling image \"{image}\": ErrImagePull: {message}")
    );
    assert_eq!(
        rig.told("p")[1..],
        [
            format!("Normal Pulling Pulling image \"{image}\""),
            format!("Warning Failed Failed to pull image \"{image}\": {message}"),
            "Warning Failed Error: ErrImagePull".to_owned(),
            format!("Normal BackOff Back-off pulling image \"{image}\""),
            "Warning Failed Error: ImagePullBackOff".to_owned(),
        ]
    );
    rig.assert_quiet();
    rig.images.publish("stefanprodan/podinfo", "99.0.0", rig.now);
    rig.until("running", |rig| phase(rig, "p") == "Running");
    assert!(rig.now.as_second() > 1_767_225_600 + 10);
    rig.assert_quiet();
}

#[test]
fn images_can_be_wrong_in_other_ways() {
    for (image, policy, expected) in [
        ("Not An Image", "IfNotPresent", "waiting InvalidImageName"),
        ("stefanprodan/podinfo:99.0.0", "Never", "waiting ErrImageNeverPull"),
        ("registry.example/doesnotexist:1", "Always", "waiting ImagePullBackOff"),
    ] {
        let mut rig = Rig::usual();
        rig.create("pods", pod("p", json!({"containers": [{"name": "c", "image": image, "imagePullPolicy": policy}]})));
        rig.run(Duration::from_secs(3));
        assert_eq!((state(&rig, "p").as_str(), phase(&rig, "p").as_str()), (expected, "Pending"), "{image}");
        rig.assert_quiet();
        rig.change("pods", &key("p"), |pod| pod["spec"]["containers"][0]["image"] = "nginx:1.25".into());
        rig.until("running", |rig| phase(rig, "p") == "Running");
        rig.assert_quiet();
    }
}

#[test]
fn init_containers_come_first() {
    let mut rig = Rig::usual();
    let init = json!([
        {"name": "i", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", "sleep 2"]},
        {"name": "side", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "restartPolicy": "Always"},
        {"name": "j", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", "sleep 1"]},
    ]);
    let main = one("busybox:1.36", "sleep 3");
    rig.create("pods", pod("p", json!({"restartPolicy": "Never", "initContainers": init, "containers": main})));
    rig.run(Duration::from_millis(10));
    assert_eq!(status(&rig, "p")["initContainerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
    rig.until("the first", |rig| {
        !text(&status(rig, "p")["initContainerStatuses"][0], &["state", "running", "startedAt"]).is_empty()
    });
    assert_eq!(phase(&rig, "p"), "Pending");
    assert_eq!(state(&rig, "p"), "waiting PodInitializing");
    assert_eq!(
        conditions(&rig, "p")[..2],
        [
            "PodReadyToStartContainers=True",
            "Initialized=False ContainersNotInitialized containers with incomplete status: [i side j]",
        ]
    );
    rig.until("running", |rig| phase(rig, "p") == "Running");
    let seen = status(&rig, "p");
    let reasons: Vec<_> = list(&seen, &["initContainerStatuses"])
        .iter()
        .map(|one| (text(one, &["state", "terminated", "reason"]).to_owned(), one["ready"] == true))
        .collect();
    assert_eq!(reasons, [("Completed".to_owned(), true), (String::new(), true), ("Completed".to_owned(), true)]);
    rig.run(Duration::from_secs(6));
    assert_eq!(phase(&rig, "p"), "Succeeded", "the sidecar ends when the rest has");
    assert!(rig.told("p").contains(&"Normal Killing Stopping container side".to_owned()));
    rig.assert_quiet();

    let init = json!([{"name": "i", "image": "busybox:1.36", "command": ["sh", "-c", "exit 4"]}]);
    rig.create(
        "pods",
        pod(
            "bad",
            json!({"restartPolicy": "Never", "initContainers": init, "containers": one("busybox:1.36", "sleep 3")}),
        ),
    );
    rig.run(Duration::from_secs(4));
    assert_eq!(phase(&rig, "bad"), "Failed");
    let init = json!([{"name": "i", "image": "busybox:1.36", "command": ["sh", "-c", "exit 4"]}]);
    rig.create("pods", pod("again", json!({"initContainers": init, "containers": one("busybox:1.36", "sleep 3")})));
    rig.run(Duration::from_secs(5));
    assert_eq!(phase(&rig, "again"), "Pending");
    let seen = status(&rig, "again");
    assert_eq!(text(&seen["initContainerStatuses"][0], &["state", "waiting", "reason"]), "CrashLoopBackOff");
    rig.assert_quiet();
}

#[test]
fn a_shell_ends_when_that_stands_in_the_status() {
    let mut rig = Rig::usual();
    let container = json!([{"name": "c", "image": "busybox:1.36", "stdin": true, "command": ["sh"]}]);
    rig.create("pods", pod("p", json!({"restartPolicy": "Never", "containers": container})));
    rig.until("running", |rig| phase(rig, "p") == "Running");
    rig.change("pods", &key("p"), |pod| {
        let state = &mut pod["status"]["containerStatuses"][0]["state"];
        let started = state["running"]["startedAt"].clone();
        let finished = "2030-01-01T00:00:00Z";
        *state =
            json!({"terminated": {"exitCode": 3, "reason": "Error", "startedAt": started, "finishedAt": finished}});
    });
    rig.run(Duration::from_secs(1));
    assert_eq!(phase(&rig, "p"), "Running", "its end is yet to come");
    rig.change("pods", &key("p"), |pod| {
        let state = &mut pod["status"]["containerStatuses"][0]["state"];
        let started = state["running"]["startedAt"].clone();
        *state = json!({"terminated": {"exitCode": 3, "reason": "Error", "startedAt": started, "finishedAt": started}});
    });
    rig.run(Duration::from_secs(2));
    assert_eq!((phase(&rig, "p").as_str(), state(&rig, "p").as_str()), ("Failed", "terminated Error 3"));
}

#[test]
fn probes_decide_when_a_pod_is_ready() {
    let mut rig = Rig::usual();
    let probe = json!({"httpGet": {"path": "/readyz", "port": 9898}, "initialDelaySeconds": 2, "periodSeconds": 5});
    let image = "stefanprodan/podinfo:6.1.0";
    let container = json!([{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent", "readinessProbe": probe}]);
    rig.create("pods", pod("p", json!({"containers": container})));
    rig.until("running", |rig| phase(rig, "p") == "Running");
    let ready = |rig: &Rig| status(rig, "p")["containerStatuses"][0]["ready"] == true;
    rig.run(Duration::from_millis(2300));
    assert!(!ready(&rig));
    rig.run(Duration::from_millis(300));
    assert!(ready(&rig));
    rig.assert_quiet();

    rig.images.behave("stefanprodan/podinfo", Some("6.1.0"), |behaviour| behaviour.faults.unready = true);
    rig.change("pods", &key("p"), |_| {});
    rig.run(Duration::from_secs(20));
    assert!(!ready(&rig));
    assert!(
        rig.told("p")
            .contains(&"Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned())
    );
    assert_eq!(conditions(&rig, "p")[2], "Ready=False ContainersNotReady containers with unready status: [c]");
    rig.images.behave("stefanprodan/podinfo", Some("6.1.0"), |behaviour| behaviour.faults.unready = false);
    rig.run(Duration::from_secs(10));
    assert!(ready(&rig));
}

#[test]
fn a_failing_liveness_probe_restarts_a_container() {
    // The example of the Kubernetes documentation.
    let mut rig = Rig::usual();
    let script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
    let mut container = one("busybox:1.36", script);
    container[0]["livenessProbe"] = json!({
        "exec": {"command": ["cat", "/tmp/healthy"]}, "initialDelaySeconds": 5, "periodSeconds": 5,
    });
    rig.create("pods", pod("p", json!({"containers": container})));
    rig.run(Duration::from_secs(30));
    assert_eq!(status(&rig, "p")["containerStatuses"][0]["restartCount"], 0);
    rig.run(Duration::from_secs(20));
    let seen = status(&rig, "p");
    assert_eq!(seen["containerStatuses"][0]["restartCount"], 1);
    assert_eq!(state(&rig, "p"), "running");
    assert_eq!(seen["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 137);
    let told = rig.told("p");
    assert!(
        told.contains(
            &"Warning Unhealthy Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory"
                .to_owned()
        ),
        "{told:#?}"
    );
    assert!(told.contains(&"Normal Killing Container c failed liveness probe, will be restarted".to_owned()));
}

#[test]
fn a_startup_probe_holds_the_others_back() {
    let mut rig = Rig::usual();
    let mut container = one("busybox:1.36", "sleep 7; touch /ready; sleep 900");
    container[0]["startupProbe"] =
        json!({"exec": {"command": ["cat", "/ready"]}, "periodSeconds": 2, "failureThreshold": 30});
    container[0]["readinessProbe"] = json!({"exec": {"command": ["cat", "/ready"]}, "periodSeconds": 1});
    rig.create("pods", pod("p", json!({"containers": container})));
    rig.run(Duration::from_secs(5));
    let seen = status(&rig, "p")["containerStatuses"][0].clone();
    assert_eq!((&seen["started"], &seen["ready"]), (&json!(false), &json!(false)));
    rig.run(Duration::from_secs(6));
    let seen = status(&rig, "p")["containerStatuses"][0].clone();
    assert_eq!((&seen["started"], &seen["ready"]), (&json!(true), &json!(true)));
}

#[test]
fn what_a_container_needs_can_come_later() {
    let mut rig = Rig::usual();
    let mut container = one("busybox:1.36", "echo $GREETING > /dev/termination-log; exit 3");
    container[0]["env"] =
        json!([{"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "hello"}}}]);
    rig.create("pods", pod("p", json!({"restartPolicy": "Never", "containers": container})));
    rig.run(Duration::from_secs(3));
    assert_eq!(state(&rig, "p"), "waiting CreateContainerConfigError");
    assert!(rig.told("p").contains(&"Warning Failed Error: configmap \"words\" not found".to_owned()));
    rig.assert_quiet();
    let config = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words", "namespace": "default"}, "data": data});
    rig.create("configmaps", config(json!({"hello": "good day"})));
    rig.run(Duration::from_secs(3));
    assert_eq!(state(&rig, "p"), "terminated Error 3");
    assert_eq!(text(&status(&rig, "p")["containerStatuses"][0], &["state", "terminated", "message"]), "good day\n");

    let volumes = json!([{"name": "v", "secret": {"secretName": "s"}}]);
    rig.create("pods", pod("m", json!({"volumes": volumes, "containers": one("busybox:1.36", "sleep 99")})));
    rig.run(Duration::from_secs(3));
    assert_eq!(state(&rig, "m"), "waiting ContainerCreating");
    assert_eq!(
        rig.told("m")[1..],
        ["Warning FailedMount MountVolume.SetUp failed for volume \"v\" : secret \"s\" not found"]
    );
    rig.create(
        "secrets",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}),
    );
    rig.run(Duration::from_secs(1));
    assert_eq!(state(&rig, "m"), "running");
}

#[test]
fn a_changed_image_restarts_its_container() {
    let mut rig = Rig::usual();
    rig.create(
        "pods",
        pod("p", json!({"containers": [{"name": "c", "image": "nginx:1.25", "imagePullPolicy": "IfNotPresent"}]})),
    );
    rig.until("running", |rig| phase(rig, "p") == "Running");
    rig.change("pods", &key("p"), |pod| pod["spec"]["containers"][0]["image"] = "nginx:1.26".into());
    rig.run(Duration::from_secs(3));
    let seen = status(&rig, "p")["containerStatuses"][0].clone();
    assert_eq!(
        (text(&seen, &["image"]), &seen["restartCount"], &seen["ready"]),
        ("nginx:1.26", &json!(1), &json!(true))
    );
    assert!(rig.told("p").contains(&"Normal Killing Container c definition changed, will be restarted".to_owned()));
    assert_eq!(status(&rig, "p")["observedGeneration"], 2);
    rig.assert_quiet();
}

#[test]
fn a_pod_may_be_active_only_so_long() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("p", json!({"activeDeadlineSeconds": 5, "containers": one("busybox:1.36", "sleep 99")})));
    rig.run(Duration::from_secs(4));
    assert_eq!(phase(&rig, "p"), "Running");
    rig.run(Duration::from_secs(3));
    let seen = status(&rig, "p");
    assert_eq!((text(&seen, &["phase"]), text(&seen, &["reason"])), ("Failed", "DeadlineExceeded"));
    assert_eq!(state(&rig, "p"), "terminated Error 137");
    rig.assert_quiet();
}

#[test]
fn ephemeral_containers_join() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("p", json!({"containers": one("busybox:1.36", "sleep 99")})));
    rig.until("running", |rig| phase(rig, "p") == "Running");
    rig.change("pods", &key("p"), |pod| {
        pod["spec"]["ephemeralContainers"] =
            json!([{"name": "debug", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 1; exit 1"]}]);
    });
    rig.run(Duration::from_secs(1));
    assert!(status(&rig, "p")["ephemeralContainerStatuses"][0]["state"].get("running").is_some());
    rig.run(Duration::from_secs(2));
    assert_eq!(status(&rig, "p")["ephemeralContainerStatuses"][0]["state"]["terminated"]["exitCode"], 1);
    assert_eq!(phase(&rig, "p"), "Running");
}

#[test]
fn a_kubelet_that_forgets_goes_on_where_it_was() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("steady", json!({"containers": [{"name": "c", "image": "nginx:1.25"}]})));
    rig.create("pods", pod("crasher", json!({"containers": one("busybox:1.36", "exit 1")})));
    rig.create(
        "pods",
        pod("ends", json!({"restartPolicy": "Never", "containers": one("busybox:1.36", "sleep 20; exit 5")})),
    );
    rig.run(Duration::from_secs(8));
    let before = (status(&rig, "steady"), status(&rig, "crasher"), status(&rig, "ends"));
    rig.kubelet = Memory::default();
    for name in ["steady", "crasher", "ends"] {
        rig.change("pods", &key(name), |pod| pod["metadata"]["labels"] = json!({"touched": "yes"}));
    }
    rig.run(Duration::from_millis(1));
    let strip = |mut status: Value| {
        crate::cluster::object::remove(&mut status, &["observedGeneration"]);
        crate::cluster::object::remove(&mut status, &["conditions"]);
        status
    };
    assert_eq!(strip(status(&rig, "steady")), strip(before.0));
    assert_eq!(state(&rig, "crasher"), "waiting CrashLoopBackOff");
    assert_eq!(before.1["containerStatuses"][0]["restartCount"], 1);
    rig.run(Duration::from_secs(20));
    assert_eq!(state(&rig, "ends"), "terminated Error 5");
    assert_eq!(status(&rig, "crasher")["containerStatuses"][0]["restartCount"], 2);
    rig.create("pods", pod("new", json!({"containers": [{"name": "c", "image": "nginx:1.25"}]})));
    rig.until("running", |rig| phase(rig, "new") == "Running");
    assert_ne!(status(&rig, "new")["podIP"], status(&rig, "steady")["podIP"]);
}

#[test]
fn what_pods_use_hangs_on_their_images() {
    let mut rig = Rig::usual();
    rig.create("pods", pod("p", json!({"containers": [{"name": "c", "image": "stefanprodan/podinfo:6.1.0"}]})));
    let used = |rig: &Rig| rig.store.get("pods", &key("p")).and_then(|pod| usage(pod, &rig.images, rig.now));
    rig.run(Duration::from_millis(1));
    assert_eq!(used(&rig), None);
    assert_eq!(everyone(&rig.store), [key("p")]);
    rig.run(Duration::from_secs(3));
    assert!(
        used(&rig).is_some_and(|used| (9..=11).contains(&used.cpu) && used.memory > 28_000_000),
        "{:?}",
        used(&rig)
    );
}

#[test]
fn at_once_means_at_once() {
    let mut rig = Rig::usual();
    rig.timings = Timings::instant();
    for number in 0..50 {
        rig.create("pods", pod(&format!("p{number}"), json!({"containers": [{"name": "c", "image": "nginx:1.25"}]})));
    }
    rig.run(Duration::from_millis(1));
    assert!((0..50).all(|number| phase(&rig, &format!("p{number}")) == "Running"));
    let addresses: std::collections::HashSet<_> =
        (0..50).map(|number| status(&rig, &format!("p{number}"))["podIP"].to_string()).collect();
    assert_eq!(addresses.len(), 50);
    rig.assert_quiet();
}

#[test]
fn two_containers_are_shown_when_both_have_started() {
    let mut rig = Rig::usual();
    let before = rig.writes;
    let containers = json!([{"name": "d", "image": "nginx:1.25"}, {"name": "c", "image": "nginx:1.25"}]);
    rig.create("pods", pod("p", json!({"containers": containers})));
    rig.run(Duration::from_secs(3));
    assert_eq!(rig.writes - before, 4);
    let seen = status(&rig, "p");
    let names: Vec<_> = list(&seen, &["containerStatuses"]).iter().map(|one| text(one, &["name"])).collect();
    assert_eq!(names, ["c", "d"]);
}
