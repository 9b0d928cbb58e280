//! What canaries and clusters of Cluster API cost: `cargo bench --bench delivery`. Prints a figure a line; asserts nothing.
//!
//! The embedded cluster, its pods and its controllers share the process; processor time is that of all of them.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use foredeck::cluster::clock::Clock;
use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::yaml;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{self, Canaries, View};
use foredeck::gitops::capi::action::Pass;
use foredeck::gitops::capi::decide::decide;
use foredeck::gitops::capi::kind::Kind;
use foredeck::gitops::capi::name::Names;
use foredeck::gitops::capi::substitute::{DEMO_VALUES, substitute};
use foredeck::gitops::capi::world::{Id, Objects, World};
use foredeck::gitops::capi::{ClusterApi, Options, Timings};
use kube::Client;
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::request::Request;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const CANARIES: usize = 100;
const MACHINES: usize = 1_000;
const CLUSTER: &str = include_str!("../../workshop/capi/cluster.yaml");

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    canaries().await;
    machines().await;
}

/// Processor time of this process so far, in seconds.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

async fn apply(client: &Client, path: &str, object: &Value) {
    let name = object["metadata"]["name"].as_str().expect("a name");
    let request = Request::new(path).patch(name, &PatchParams::apply("bench").force(), &Patch::Apply(object));
    client.request::<Value>(request.expect("a request")).await.expect("it is applied");
}

async fn served(client: &Client, path: &str) {
    loop {
        let request = Request::new(path).list(&ListParams::default()).expect("a request");
        if client.request::<Value>(request).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn target(name: &str, version: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "podinfo", "image": format!("stefanprodan/podinfo:{version}")}]}}}})
}

async fn canaries() {
    let clock = Clock::paused_at("2026-06-01T10:00:00Z".parse().expect("a time"));
    let cluster = Embedded::start(Config { clock: clock.clone(), ..Config::default() }).await.expect("it starts");
    let client = cluster.client();
    let options = canary::Options::default();
    let (mut controller, handle) =
        Canaries::new(client.clone(), clock.clone(), options, cluster.images().clone()).expect("a controller");
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { controller.run(stop).await }
    });
    served(&client, "/apis/flagger.app/v1beta1/canaries").await;
    let _hurry = cluster.hurry();
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"},
        {"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "1m"}]);
    for number in 0..CANARIES {
        let name = format!("app-{number}");
        apply(&client, deployments, &target(&name, "6.5.0")).await;
        let canary = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "service": {"port": 9898},
                "analysis": {"interval": "10s", "threshold": 5, "stepWeight": 5, "metrics": metrics}}});
        apply(&client, "/apis/flagger.app/v1beta1/namespaces/default/canaries", &canary).await;
    }
    let all = |view: &View, phase: Phase| {
        view.canaries.len() == CANARIES && view.canaries.values().all(|shown| shown.phase == Some(phase))
    };
    let mut status = handle.status();
    let mut tick = async |clock: &Clock| {
        let before: u64 = status.borrow().canaries.values().map(|shown| shown.ticks).sum();
        let wanted = before + CANARIES as u64;
        clock.step(Duration::from_secs(10));
        let done = status.wait_for(|view| view.canaries.values().map(|shown| shown.ticks).sum::<u64>() >= wanted);
        done.await.expect("the controller runs").clone()
    };
    while !all(&tick(&clock).await, Phase::Initialized) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for number in 0..CANARIES {
        apply(&client, deployments, &target(&format!("app-{number}"), "6.5.1")).await;
    }
    let (mut walls, mut costs) = (Vec::new(), Vec::new());
    loop {
        let (began, before) = (Instant::now(), processor());
        let view = tick(&clock).await;
        walls.push(began.elapsed().as_secs_f64() * 1000.0);
        costs.push(processor() - before);
        if all(&view, Phase::Succeeded) || walls.len() > 60 {
            break;
        }
        // Pods follow between two ticks; they are not what is measured.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!(
        "{CANARIES} canaries, a tick of all: {:.0} ms, {:.0} ms of a processor: {:.2} % of one at 10 s ({} ticks)",
        median(walls.clone()),
        median(costs.clone()) * 1000.0,
        median(costs) * 10.0,
        walls.len()
    );
    stop.cancel();
    task.await.expect("it ends");
    cluster.stop().await;
}

async fn machines() {
    let clock = Clock::paused_at("2026-08-01T10:00:00Z".parse().expect("a time"));
    let cluster = Embedded::start(Config { clock: clock.clone(), ..Config::default() }).await.expect("it starts");
    let client = cluster.client();
    let options = Options { timings: Timings { jitter: 0.0, ..Timings::default() }, ..Options::default() };
    let mut controllers = ClusterApi::new(client.clone(), clock.clone(), options.clone());
    let (handle, stop) = (controllers.handle(), CancellationToken::new());
    let task = tokio::spawn({
        let stop = stop.clone();
        async move { controllers.run(stop).await.expect("the controllers run") }
    });
    let mut status = handle.status();
    status.wait_for(|state| state.running).await.expect("they run");
    let value = |name: &str| DEMO_VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let manifests = substitute(CLUSTER, value).expect("all variables have values");
    let (began, before) = (Instant::now(), processor());
    for object in yaml::documents(&manifests) {
        let mut object = object.expect("YAML");
        if object["kind"] == "MachineDeployment" {
            object["spec"]["replicas"] = json!(MACHINES - 1);
        }
        let word = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let path = format!("/apis/{}/namespaces/default/{}s", word("apiVersion"), word("kind").to_lowercase());
        apply(&client, &path, &object).await;
    }
    loop {
        let state = status.wait_for(|state| state.settled).await.expect("they run").clone();
        let there =
            state.clusters.first().is_some_and(|cluster| cluster.rows.first().is_some_and(|row| row.status == "True"));
        match state.due {
            _ if there => break,
            Some(due) => {
                let left = Duration::try_from(due.duration_since(clock.now())).unwrap_or_default();
                clock.step(left);
                let moved = status.wait_for(|now| !now.settled || now.due != Some(due));
                moved.await.expect("they run");
            }
            None => {
                status.changed().await.expect("they run");
            }
        }
    }
    println!(
        "a cluster of {MACHINES} machines, until it is available: {:.1} s, {:.1} s of a processor",
        began.elapsed().as_secs_f64(),
        processor() - before
    );
    let objects = objects(&client).await;
    let mut times = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        let mut names = Names::new(options.seed);
        let mut pass = Pass::new(World::new(&objects), clock.now(), &options, &mut names);
        decide(&mut pass);
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    println!("{} objects, a pass of the controllers over all: {:.1} ms", objects.len(), median(times));
    let before = processor();
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("the same at rest: {:.2} % of a processor", (processor() - before) * 20.0);
    stop.cancel();
    task.await.expect("it ends");
    cluster.stop().await;
}

async fn objects(client: &Client) -> Objects {
    let mut objects = Objects::new();
    for kind in Kind::ALL {
        let root = if kind.group().is_empty() { "api" } else { "apis" };
        let path = format!("/{root}/{}/{}", kind.api_version(), kind.plural());
        let request = Request::new(path).list(&ListParams::default()).expect("a request");
        let list: Value = client.request(request).await.expect("a list");
        for object in list["items"].as_array().into_iter().flatten() {
            let mut object = object.clone();
            (object["apiVersion"], object["kind"]) = (kind.api_version().into(), kind.name().into());
            objects.insert(Id::of(kind, &object), Arc::new(object));
        }
    }
    objects
}
