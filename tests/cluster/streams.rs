//! Streams to pods through the `kube` crate: logs that are followed, commands, forwarded ports.

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{AttachParams, LogParams, PostParams};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::cluster::{ClusterTest, PATIENCE};

fn pod(name: &str, image: &str, script: Option<&str>) -> Pod {
    let mut container = json!({"name": "main", "image": image});
    if let Some(script) = script {
        container["command"] = json!(["sh", "-c", script]);
    }
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"containers": [container]}})).expect("a pod")
}

async fn running(test: &ClusterTest, pod: &Pod) -> Api<Pod> {
    let pods: Api<Pod> = test.api();
    pods.create(&PostParams::default(), pod).await.expect("a pod is made");
    let name = pod.metadata.name.clone().unwrap_or_default();
    let ready = kube::runtime::wait::await_condition(pods.clone(), &name, kube::runtime::conditions::is_pod_running());
    let running = tokio::time::timeout(PATIENCE, ready).await.expect("the pod runs in time");
    running.expect("the pod runs");
    pods
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_to_the_end() {
    let test = ClusterTest::start().await;
    let pods =
        running(&test, &pod("talker", "busybox", Some("for i in 1 2 3; do echo line $i; sleep 0.2; done; sleep 3600")))
            .await;
    let params = LogParams { follow: true, ..LogParams::default() };
    let mut lines = pods.log_stream("talker", &params).await.unwrap().lines();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let line = tokio::time::timeout(PATIENCE, lines.try_next()).await.unwrap().unwrap();
        seen.push(line.expect("the log goes on"));
    }
    assert_eq!(seen, ["line 1", "line 2", "line 3"]);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_get_input_and_give_output() {
    let test = ClusterTest::start().await;
    let pods = running(&test, &pod("box", "busybox", Some("sleep 3600"))).await;
    let mut echo = pods.exec("box", ["echo", "hello"], &AttachParams::default()).await.unwrap();
    let mut out = String::new();
    echo.stdout().unwrap().read_to_string(&mut out).await.unwrap();
    assert_eq!(out, "hello\n");
    let status = echo.take_status().unwrap().await.unwrap();
    assert_eq!(status.status.as_deref(), Some("Success"));

    let mut cat = pods.exec("box", ["cat"], &AttachParams::default().stdin(true)).await.unwrap();
    let mut input = cat.stdin().unwrap();
    input.write_all(b"through the pipe").await.unwrap();
    input.shutdown().await.unwrap();
    drop(input);
    let mut out = String::new();
    cat.stdout().unwrap().read_to_string(&mut out).await.unwrap();
    assert_eq!(out, "through the pipe");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_forwarded() {
    let test = ClusterTest::start().await;
    let pods = running(&test, &pod("podinfo", "stefanprodan/podinfo:1.4.0", None)).await;
    let mut forwarded = pods.portforward("podinfo", &[9898]).await.unwrap();
    let mut stream = forwarded.take_stream(9898).unwrap();
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: podinfo\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("1.4.0"), "{answer}");
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_answer_through_the_server() {
    let test = ClusterTest::start().await;
    let mut podinfo = pod("podinfo", "stefanprodan/podinfo:1.4.0", None);
    podinfo.metadata.labels = Some([("app".to_owned(), "podinfo".to_owned())].into());
    running(&test, &podinfo).await;
    let services: Api<k8s_openapi::api::core::v1::Service> = test.api();
    let service = serde_json::from_value(json!({
        "metadata": {"name": "podinfo"},
        "spec": {"selector": {"app": "podinfo"}, "ports": [{"port": 80, "targetPort": 9898}]},
    }))
    .unwrap();
    services.create(&PostParams::default(), &service).await.unwrap();
    let path = format!("/api/v1/namespaces/{}/services/podinfo:80/proxy/version", test.namespace);
    let answer = crate::harness::cluster::until("the service", || async {
        let request = http::Request::get(&path).body(Vec::new()).expect("a request");
        test.client.request_text(request).await.ok()
    })
    .await;
    assert!(answer.contains("1.4.0"), "{answer}");
    test.finish().await;
}
