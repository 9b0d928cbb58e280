//! Who is told of a release: providers of alerts, and hooks that want every event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::post;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{Backend, Faults, Options};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::faults::Fake;
use crate::harness::canary::{CanaryTest, canary, podinfo};

/// What was heard, by the path that heard it.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

async fn hear(heard: State<Heard>, uri: axum::http::Uri, body: axum::Json<Value>) {
    heard.lock().await.push((uri.path().to_owned(), body.0));
}

async fn ears() -> (Fake, Heard) {
    let heard = Heard::default();
    let router = axum::Router::new()
        .route("/hang", post(|| async { std::future::pending::<()>().await }))
        .route("/{*path}", post(hear))
        .with_state(heard.clone());
    (Fake::start(router).await, heard)
}

fn provider(name: &str, kind: &str, address: &str) -> Value {
    json!({"apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": name, "namespace": "prod"},
        "spec": {"type": kind, "channel": "releases", "address": address}})
}

async fn said(heard: &Heard, path: &str, place: &str) -> Vec<String> {
    let all = heard.lock().await;
    let mine = all.iter().filter(|(at, _)| at == path);
    mine.filter_map(|(_, body)| body.pointer(place)?.as_str().map(str::to_owned)).collect()
}

/// Each provider hears what is as bad as it asked for; one that hangs holds nobody up for long.
#[tokio::test]
async fn providers_hear_what_they_asked_for() {
    let (fake, heard) = ears().await;
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    for (name, kind, path) in
        [("all", "slack", "/all"), ("bad", "msteams", "/bad"), ("deaf", "gchat", "/hang"), ("gone", "slack", "")]
    {
        let address = if path.is_empty() { "http://127.0.0.1:1/".to_owned() } else { format!("{}{path}", fake.url) };
        test.apply(&provider(name, kind, &address)).await;
    }
    let alert = |name: &str, severity: &str| json!({"name": name, "severity": severity, "providerRef": {"name": name}});
    let alerts = json!([
        alert("all", "info"),
        alert("bad", "error"),
        alert("deaf", "error"),
        alert("gone", "info"),
        alert("none", "info")
    ]);
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "10s"}]);
    let hooks = json!([{"name": "muted", "type": "confirm-traffic-increase", "muteAlert": true, "url": "http://load-tester.prod/gate/check"},
        {"name": "go", "type": "confirm-rollout", "url": "http://load-tester.prod/gate/check"}]);
    let analysis = json!({"interval": "10s", "threshold": 1, "stepWeight": 10, "metrics": metrics, "alerts": alerts,
        "webhooks": hooks});
    test.apply(&canary("podinfo", analysis)).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test.handle.set_faults("prod", "podinfo", Backend::Canary, Faults { success: 50.0, ..Faults::default() });
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Waiting).await;
    test.handle.open_gate("prod", "podinfo", "go");
    test.tick_until("podinfo", Phase::Progressing).await;
    test.tick("podinfo").await;
    test.handle.open_gate("prod", "podinfo", "muted");
    let begun = Instant::now();
    test.tick_until("podinfo", Phase::Failed).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let told = said(&heard, "/all", "/attachments/0/text").await;
    let expected = [
        "New Deployment detected, initialization completed.",
        "Canary is waiting for approval.",
        "New revision detected, progressing canary analysis.",
        "Failed checks threshold reached 1",
    ];
    assert_eq!(told, expected);
    assert_eq!(said(&heard, "/all", "/channel").await[0], "releases");
    assert_eq!(said(&heard, "/bad", "/sections/0/activityTitle").await, ["Failed checks threshold reached 1"]);
    test.finish().await;
}

/// A hook for events hears each of them, with the phase and when it was.
#[tokio::test]
async fn hooks_hear_every_event() {
    let (fake, heard) = ears().await;
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    let hooks = json!([
        {"name": "ear", "type": "event", "url": format!("{}/events", fake.url), "metadata": {"team": "web"}},
        {"name": "over", "type": "post-rollout", "url": format!("{}/over", fake.url)},
    ]);
    test.apply(&canary("podinfo", json!({"interval": "10s", "threshold": 1, "stepWeight": 100, "webhooks": hooks})))
        .await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Succeeded).await;
    let told = said(&heard, "/events", "/metadata/eventMessage").await;
    assert_eq!(told, test.events("podinfo").await);
    assert!(told.contains(&"Post-rollout check over passed".to_owned()), "{told:#?}");
    assert_eq!(said(&heard, "/events", "/metadata/team").await.len(), told.len());
    assert_eq!(said(&heard, "/over", "/phase").await, ["Succeeded"]);
    test.finish().await;
}

/// A real gate is asked again and again, and its words are heeded.
#[tokio::test]
async fn a_gate_of_somebody_else_opens() {
    let open = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let state = open.clone();
    let gate = move || {
        let open = state.load(std::sync::atomic::Ordering::Relaxed);
        async move { if open { axum::http::StatusCode::OK } else { axum::http::StatusCode::FORBIDDEN } }
    };
    let fake = Fake::start(axum::Router::new().route("/gate", post(gate))).await;
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    let hooks = json!([{"name": "qa", "type": "confirm-promotion", "url": format!("{}/gate", fake.url)}]);
    let analysis = json!({"interval": "10s", "threshold": 1, "stepWeight": 50, "maxWeight": 50, "webhooks": hooks});
    test.apply(&canary("podinfo", analysis)).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::WaitingPromotion).await;
    for _ in 0..2 {
        let waiting = test.tick("podinfo").await;
        assert_eq!((waiting.phase, waiting.failed_checks.0), (Some(Phase::WaitingPromotion), 0));
    }
    open.store(true, std::sync::atomic::Ordering::Relaxed);
    test.tick_until("podinfo", Phase::Succeeded).await;
    test.finish().await;
}
