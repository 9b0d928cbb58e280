//! What the controllers and the kubelet do, as clients see it.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, ResourceQuota};
use kube::Api;
use kube::api::{AttachParams, ListParams, PostParams};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::cluster::{ClusterTest, until};

fn object<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("an object")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_into_a_shell_ends_its_container() {
    let test = ClusterTest::start().await;
    let pods: Api<Pod> = test.api();
    let shell = json!({"metadata": {"name": "shell"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "main", "image": "busybox:1.36", "command": ["sh"], "stdin": true, "stdinOnce": true},
    ]}});
    pods.create(&PostParams::default(), &object(shell)).await.unwrap();
    let phase = |wanted: &'static str| {
        let pods = pods.clone();
        move || {
            let pods = pods.clone();
            async move { pods.get("shell").await.ok()?.status.filter(|status| status.phase.as_deref() == Some(wanted)) }
        }
    };
    until("the shell", phase("Running")).await;
    let mut attached = pods.attach("shell", &AttachParams::default().stdin(true).stderr(false)).await.unwrap();
    let mut input = attached.stdin().unwrap();
    input.write_all(b"echo typed\nexit 3\n").await.unwrap();
    let mut out = String::new();
    attached.stdout().unwrap().read_to_string(&mut out).await.unwrap();
    assert_eq!(out, "typed\n");
    let status = until("its end", phase("Failed")).await;
    let state = status.container_statuses.unwrap_or_default().remove(0).state.unwrap_or_default();
    assert_eq!(state.terminated.map(|end| end.exit_code), Some(3));
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_that_are_alike_share_one() {
    let test = ClusterTest::start().await;
    let sets: Api<ReplicaSet> = test.api();
    let template = json!({"metadata": {"labels": {"app": "many"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}});
    let set = json!({"metadata": {"name": "many"},
        "spec": {"replicas": 12, "selector": {"matchLabels": {"app": "many"}}, "template": template}});
    sets.create(&PostParams::default(), &object(set)).await.unwrap();
    let events: Api<Event> = test.api();
    let about = ListParams::default().fields("involvedObject.kind=ReplicaSet,reason=SuccessfulCreate");
    let mut told = until("all of the events", || async {
        let told = events.list(&about).await.ok()?.items;
        let counted: i32 = told.iter().filter_map(|event| event.count).sum();
        (counted == 12).then_some(told)
    })
    .await;
    told.retain(|event| event.count != Some(1));
    let [combined] = told.as_slice() else { panic!("{told:?}") };
    let message = combined.message.as_deref().unwrap_or_default();
    assert!(message.starts_with("(combined from similar events): Created pod: many-"), "{message}");
    assert_eq!(combined.count, Some(3));
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_charged_though_the_name_is_taken() {
    let test = ClusterTest::start().await;
    let maps: Api<ConfigMap> = test.api();
    until("the root certificate", || async { maps.get_opt("kube-root-ca.crt").await.ok().flatten() }).await;
    let quotas: Api<ResourceQuota> = test.api();
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "3"}}});
    quotas.create(&PostParams::default(), &object(quota)).await.unwrap();
    let used = |wanted: &'static str| {
        let quotas = quotas.clone();
        move || {
            let quotas = quotas.clone();
            async move {
                let used = quotas.get("q").await.ok()?.status?.used?;
                used.get("configmaps").filter(|used| used.0 == wanted).map(|_| ())
            }
        }
    };
    until("the first count", used("1")).await;
    let map: ConfigMap = object(json!({"metadata": {"name": "a"}}));
    maps.create(&PostParams::default(), &map).await.unwrap();
    let refused = |error: kube::Error| match error {
        kube::Error::Api(status) => (status.code, status.reason.clone()),
        other => panic!("{other}"),
    };
    let again = maps.create(&PostParams::default(), &map).await.map_err(refused);
    assert_eq!(again.unwrap_err(), (409, "AlreadyExists".to_owned()));
    until("the charge", used("3")).await;
    let full = maps.create(&PostParams::default(), &map).await.map_err(refused);
    assert_eq!(full.unwrap_err(), (403, "Forbidden".to_owned()));
    test.finish().await;
}
