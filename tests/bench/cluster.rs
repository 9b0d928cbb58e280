//! What the embedded cluster costs: `cargo bench --bench cluster`. Prints a figure a line; asserts nothing.
//!
//! Requests go over TLS on loopback, as kubectl's do. Client and server share the process and its processors.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::time::{Duration, Instant};

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::sim::driver::Simulation;
use foredeck::cluster::sim::kubelet::Timings;
use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("{:<58} {:>12} {:>12} {:>12}", "", "fastest", "median", "p95");
    start_up().await;
    requests().await;
    fan_out().await;
    rollout().await;
    sizes().await;
    many().await;
}

async fn client(cluster: &Embedded) -> Client {
    let config = Kubeconfig::from_yaml(&cluster.kubeconfig()).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a config");
    Client::try_from(config).expect("a client")
}

fn request(method: &str, path: &str, kind: &str, accept: &str, body: &Value) -> http::Request<Vec<u8>> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .header("accept", accept)
        .body(body)
        .expect("a request")
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    client.request_text(request(method, path, kind, "application/json", body)).await.expect("it is done");
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    let shown = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1000.0);
    println!("{what:<58} {:>12} {:>12} {:>12}", shown(at(0)), shown(at(50)), shown(at(95)));
}

/// Resident memory of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "bench"}},
        "spec": {"nodeSelector": {"no": "node"}, "containers": [{"name": "c", "image": "nginx:1.25", "resources": {"requests": {"cpu": "10m"}}}]}})
}

async fn usable(client: &Client) {
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    while client.request_text(request("GET", account, "", "application/json", &Value::Null)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn start_up() {
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let cluster = Embedded::start(Config::default()).await.expect("it starts");
        usable(&client(&cluster).await).await;
        times.push(start.elapsed());
        cluster.stop().await;
    }
    show("start until a client can make pods", times);
}

async fn timed(count: usize, mut act: impl AsyncFnMut(usize)) -> Vec<Duration> {
    let mut times = Vec::with_capacity(count);
    for index in 0..count {
        let start = Instant::now();
        act(index).await;
        times.push(start.elapsed());
    }
    times
}

async fn requests() {
    let cluster = Embedded::start(Config::default()).await.expect("it starts");
    let client = client(&cluster).await;
    usable(&client).await;
    let before = resident();
    let pods = "/api/v1/namespaces/default/pods";
    show(
        "create 1,000 pods",
        timed(1000, async |index| send(&client, "POST", pods, &pod(&format!("p{index:04}"))).await).await,
    );
    println!("{:<58} {:>8.1} MiB", "resident memory of 1,000 pods", resident() - before);
    let get = async |path: &str, accept: &str| {
        client.request_text(request("GET", path, "", accept, &Value::Null)).await.expect("a list").len()
    };
    show(
        "get one pod",
        timed(1000, async |index| _ = get(&format!("{pods}/p{index:04}"), "application/json").await).await,
    );
    let label = |index: usize| json!({"metadata": {"labels": {"t": index.to_string()}}});
    show(
        "patch a label",
        timed(500, async |index| send(&client, "PATCH", &format!("{pods}/p{index:04}"), &label(index)).await).await,
    );
    show("list 1,000 pods as a Table", timed(30, async |_| _ = get(pods, TABLE).await).await);
    show("list 1,000 pods as JSON", timed(30, async |_| _ = get(pods, "application/json").await).await);
    cluster.stop().await;
}

async fn fan_out() {
    let cluster = Embedded::start(Config::default()).await.expect("it starts");
    let writer = client(&cluster).await;
    usable(&writer).await;
    let maps = "/api/v1/namespaces/default/configmaps";
    send(&writer, "POST", maps, &json!({"metadata": {"name": "beat"}, "data": {"t": "0"}})).await;
    let (told, mut times) = tokio::sync::mpsc::unbounded_channel();
    let mut watchers = tokio::task::JoinSet::new();
    let start = Instant::now();
    for _ in 0..200 {
        let (client, told) = (client(&cluster).await, told.clone());
        watchers.spawn(async move {
            let path = format!("{maps}?watch=1&fieldSelector=metadata.name%3Dbeat");
            let stream = client.request_stream(request("GET", &path, "", "application/json", &Value::Null)).await;
            let mut lines = stream.expect("a watch").lines();
            while let Ok(Some(line)) = lines.try_next().await {
                let now = start.elapsed();
                let sent = line.split("\"t\":\"").nth(1).and_then(|rest| rest.split('"').next()?.parse::<u64>().ok());
                if told.send((sent.unwrap_or(0), now)).is_err() {
                    return;
                }
            }
        });
    }
    for _ in 0..200 {
        times.recv().await;
    }
    let mut all = Vec::new();
    for _ in 0..60 {
        let sent = start.elapsed();
        let body = json!({"data": {"t": sent.as_nanos().to_string()}});
        send(&writer, "PATCH", &format!("{maps}/beat"), &body).await;
        for _ in 0..200 {
            if let Some((_, seen)) = times.recv().await {
                all.push(seen.saturating_sub(sent));
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    show("a patch until each of 200 watchers has its line", all);
    watchers.shutdown().await;
    cluster.stop().await;
}

async fn rollout() {
    let mut times = Vec::new();
    for _ in 0..5 {
        let simulation = Simulation { timings: Timings::instant(), ..Simulation::default() };
        let cluster = Embedded::start(Config { simulation, ..Config::default() }).await.expect("it starts");
        let client = client(&cluster).await;
        usable(&client).await;
        let deployment = json!({"metadata": {"name": "web"}, "spec": {"replicas": 100, "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.25"}]}}}});
        let path = "/apis/apps/v1/namespaces/default/deployments";
        let start = Instant::now();
        send(&client, "POST", path, &deployment).await;
        loop {
            let text =
                client.request_text(request("GET", &format!("{path}/web"), "", "application/json", &Value::Null)).await;
            if text.is_ok_and(|text| text.contains("\"availableReplicas\":100")) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times.push(start.elapsed());
        cluster.stop().await;
    }
    show("a deployment of 100, until all are available", times);
}

async fn sizes() {
    for count in [1_000, 10_000, 50_000] {
        let cluster = Embedded::start(Config::default()).await.expect("it starts");
        let client = client(&cluster).await;
        usable(&client).await;
        let before = resident();
        for index in 0..count {
            let object = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": format!("m{index:05}"), "namespace": "default"}, "data": {"k": "v"}});
            cluster.api().install(&"configmaps".into(), object).expect("room");
        }
        let grown = resident() - before;
        let maps = "/api/v1/namespaces/default/configmaps";
        let times = timed(5, async |_| {
            client.request_text(request("GET", maps, "", "application/json", &Value::Null)).await.expect("a list");
        });
        show(&format!("list {count} config maps as JSON ({grown:.0} MiB)"), times.await);
        let path = format!("{maps}?watch=1&timeoutSeconds=60");
        let start = Instant::now();
        let stream = client.request_stream(request("GET", &path, "", "application/json", &Value::Null)).await;
        let mut lines = stream.expect("a watch").lines();
        for _ in 0..count {
            lines.try_next().await.expect("a line");
        }
        show(&format!("a watch of {count} config maps, until all are told"), vec![start.elapsed()]);
        cluster.stop().await;
    }
}

async fn many() {
    let before = resident();
    let start = Instant::now();
    let mut clusters = Vec::new();
    for _ in 0..200 {
        clusters.push(Embedded::start(Config::default()).await.expect("it starts"));
    }
    let took = start.elapsed();
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!(
        "{:<58} {:>8.0} ms   {:.2} MiB each",
        "start 200 clusters",
        took.as_secs_f64() * 1000.0,
        (resident() - before) / 200.0
    );
    for cluster in clusters {
        cluster.stop().await;
    }
}
