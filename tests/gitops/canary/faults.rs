//! Releases that go wrong, and surroundings that do.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Query;
use axum::http::Request;
use axum::routing::{get, post};
use foredeck::gitops::canary::effect::Routes;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{Backend, CanaryView, Faults, Options};
use foredeck::net;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::harness::canary::{CanaryTest, TALK, canary, podinfo};
use crate::harness::cluster::until;
use crate::harness::registry::QUICK;

/// A server that ends with the test.
pub(super) struct Fake {
    pub(super) url: String,
    stop: CancellationToken,
}

impl Fake {
    pub(super) async fn start(router: axum::Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let until = stop.clone();
        let serve = move |stream| {
            let router = router.clone();
            let answer = move |request: Request<Body>| {
                let router = router.clone();
                async move { router.oneshot(request).await.unwrap_or_else(|never| match never {}) }
            };
            net::serve(stream, QUICK, until.clone(), answer)
        };
        tasks.spawn(net::accept(listener, 16, tasks.clone(), stop.clone(), serve));
        Self { url, stop }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn with(analysis: Value, change: impl FnOnce(&mut Value)) -> CanaryTest {
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    let mut object = canary("podinfo", analysis);
    change(&mut object);
    test.apply(&object).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test
}

fn texts(shown: &CanaryView) -> Vec<&str> {
    shown.events.iter().map(|event| &*event.text).collect()
}

/// Four of five requests succeed: five checks fail, and it is back 70 seconds after it was noticed.
#[tokio::test]
async fn a_failing_version_is_rolled_back() {
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    test.apply_text(TALK).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    let faults = Faults { success: 80.0, ..Faults::default() };
    test.handle.set_faults("prod", "podinfo", Backend::Canary, faults);
    test.release("3.1.1").await;
    let noticed = test.tick_until("podinfo", Phase::Progressing).await.phases.back().expect("a phase").0;
    let failed = test.tick_until("podinfo", Phase::Failed).await;
    let weights: Vec<(i64, i64)> = failed.weights.iter().map(|(_, it)| (it.primary, it.canary)).collect();
    assert_eq!(weights, [(100, 0), (95, 5), (100, 0)]);
    assert_eq!(failed.phases.back().expect("a phase").0.duration_since(noticed).as_secs(), 70);
    let halts =
        texts(&failed).iter().filter(|text| text.starts_with("Halt podinfo.prod advancement success rate")).count();
    assert_eq!(halts, 5);
    let ends =
        ["Rolling back podinfo.prod failed checks threshold reached 5", "Canary failed! Scaling down podinfo.prod"];
    assert!(texts(&failed).ends_with(&ends), "{:?}", texts(&failed));
    assert_eq!((failed.pods.0, &*failed.images.1), (0, "stefanprodan/podinfo:3.1.0"));
    // The next revision gets its chance.
    test.handle.set_faults("prod", "podinfo", Backend::Canary, Faults::default());
    test.release("3.1.2").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.finish().await;
}

/// A version that is slow is held at the weight where it got slow.
#[tokio::test]
async fn a_slow_version_is_rolled_back() {
    let metrics = json!([{"name": "request-duration", "thresholdRange": {"max": 500}, "interval": "30s"}]);
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 10, "metrics": metrics});
    let test = with(analysis, |_| {}).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    for weight in [10, 20] {
        assert_eq!(test.tick("podinfo").await.routes.expect("routes").canary, weight);
    }
    let slow = Faults { latency: Duration::from_millis(800), ..Faults::default() };
    test.handle.set_faults("prod", "podinfo", Backend::Canary, slow);
    let failed = test.tick_until("podinfo", Phase::Failed).await;
    assert_eq!(failed.weights.iter().map(|(_, it)| it.canary).max(), Some(20));
    test.finish().await;
}

/// Requests do not go to a target that is gone; when it is back, the analysis starts again.
#[tokio::test]
async fn the_target_is_deleted() {
    let test = with(json!({"interval": "10s", "threshold": 5, "stepWeight": 20}), |_| {}).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.tick("podinfo").await;
    test.delete("apps/v1", "Deployment", "podinfo").await;
    let without = test.tick("podinfo").await;
    assert_eq!((without.phase, without.routes), (Some(Phase::Progressing), Some(Routes::PRIMARY)));
    let text = "deployment podinfo.prod get query error: deployments.apps \"podinfo\" not found";
    assert!(texts(&without).contains(&text), "{:?}", texts(&without));
    test.tick("podinfo").await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Succeeded).await;
    test.finish().await;
}

/// A pod that never gets ready costs no check; the deadline ends it.
#[tokio::test]
async fn a_version_does_not_start() {
    let analysis = json!({"interval": "10s", "threshold": 5, "stepWeight": 20});
    let test = with(analysis, |object| object["spec"]["progressDeadlineSeconds"] = json!(30)).await;
    test.release("0.0.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    let waiting = test.tick("podinfo").await;
    assert_eq!((waiting.failed_checks.0, waiting.routes), (0, Some(Routes::PRIMARY)));
    let failed = test.tick_until("podinfo", Phase::Failed).await;
    assert!(failed.ticks - waiting.ticks < 5, "{:?}", texts(&failed));
    let expected = [
        "canary deployment podinfo.prod not ready: waiting for rollout to finish: 0 of 1 (readyThreshold 100%) updated \
         replicas are available",
        "Canary failed! Scaling down podinfo.prod",
    ];
    assert!(texts(&failed).ends_with(&expected), "{:?}", texts(&failed));
    test.finish().await;
}

/// A hook that hangs, one that is not there, and one that says no.
#[tokio::test]
async fn hooks_misbehave() {
    let router = axum::Router::new()
        .route("/hang", post(|| async { std::future::pending::<()>().await }))
        .route("/no", post(|| async { (axum::http::StatusCode::NO_CONTENT, "") }))
        .route("/lie", post(|| async { (axum::http::StatusCode::INTERNAL_SERVER_ERROR, "all is\nwell") }));
    let fake = Fake::start(router).await;
    let hooks: Vec<(String, &str)> = vec![
        (format!("{}/hang", fake.url), "no answer within 1 s"),
        (format!("{}/no", fake.url), "status 204"),
        (format!("{}/lie", fake.url), "all is well"),
        ("http://127.0.0.1:1/".to_owned(), "Connection refused (os error 111)"),
    ];
    let hook = json!({"name": "h", "type": "pre-rollout", "url": hooks[0].0, "timeout": "1s"});
    let analysis = json!({"interval": "10s", "threshold": 4, "stepWeight": 20, "webhooks": [hook]});
    let test = with(analysis, |_| {}).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    for (count, (url, words)) in hooks.iter().enumerate() {
        let hook = json!([{"name": "h", "type": "pre-rollout", "url": url, "timeout": "1s"}]);
        test.patch("flagger.app/v1beta1", "Canary", "podinfo", json!({"spec": {"analysis": {"webhooks": hook}}})).await;
        let shown = test.tick("podinfo").await;
        assert_eq!(shown.failed_checks.0, i64::try_from(count).expect("a few") + 1);
        let text = format!("Halt podinfo.prod advancement pre-rollout check h failed {words}");
        assert_eq!(texts(&shown).last(), Some(&&*text));
    }
    test.tick_until("podinfo", Phase::Failed).await;
    test.finish().await;
}

/// A Prometheus that answers, and then is gone.
#[tokio::test]
async fn prometheus_goes_away() {
    type Words = std::collections::HashMap<String, String>;
    let router = axum::Router::new().route("/api/v1/query", get(|Query(words): Query<Words>| async move {
        let query = words.get("query").cloned().unwrap_or_default();
        let value = match query.as_str() {
            "vector(1)" => "1",
            own if own.contains("errors_total{app=\"podinfo\"}") => "3",
            builtin if builtin.contains("istio_requests_total") => "99.5",
            _ => "NaN",
        };
        axum::Json(json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, value]}]}}))
    }));
    let fake = Fake::start(router).await;
    let address = fake.url.clone();
    let template = json!({"apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
        "metadata": {"name": "errors", "namespace": "prod"},
        "spec": {"provider": {"type": "prometheus", "address": address}, "query": "sum(errors_total{app=\"{{ target }}\"})"}});
    let metrics = json!([{"name": "request-success-rate", "threshold": 99, "interval": "1m"},
        {"name": "errors", "templateRef": {"name": "errors"}, "thresholdRange": {"max": 5}}]);
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 20, "metrics": metrics});
    let test = with(analysis, |object| object["spec"]["metricsServer"] = json!(address)).await;
    test.apply(&template).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    for weight in [20, 40, 60] {
        let shown = test.tick("podinfo").await;
        assert_eq!(shown.routes.expect("routes").canary, weight, "{:?}", texts(&shown));
    }
    let shown = test.shown("podinfo").expect("it is shown");
    let last: Vec<Option<f64>> =
        shown.metrics.iter().map(|it| it.points.back().and_then(|(_, value)| *value)).collect();
    assert_eq!(last, [Some(99.5), Some(3.0)]);
    drop(fake);
    let failed = test.tick_until("podinfo", Phase::Failed).await;
    assert!(
        texts(&failed)
            .iter()
            .any(|text| text.starts_with("Prometheus query failed: running query failed: request failed: ")),
        "{:?}",
        texts(&failed)
    );
    assert_eq!(failed.weights.iter().map(|(_, it)| it.canary).max(), Some(60));
    test.finish().await;
}

/// The first canary keeps its target; the second says why it does nothing.
#[tokio::test]
async fn two_canaries_want_one_target() {
    let test = with(json!({"interval": "10s", "threshold": 5, "stepWeight": 50}), |_| {}).await;
    test.apply(&canary("rival", json!({"interval": "10s", "threshold": 5, "stepWeight": 10}))).await;
    let text = "Found more than one canary with the same target podinfo.prod: it is released by prod/podinfo";
    test.until("rival", "the refusal", |shown| shown.problem.as_deref() == Some(text)).await;
    assert_eq!(test.events("rival").await, [text]);
    test.release("3.1.1").await;
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    assert_eq!(end.weights.len(), 4);
    test.delete("flagger.app/v1beta1", "Canary", "podinfo").await;
    test.until("rival", "its turn", |_| true).await;
    test.finish().await;
}

/// What cannot be an analysis is refused where it is written.
#[tokio::test]
async fn nonsense_is_refused() {
    let test = CanaryTest::start(Options::default()).await;
    for analysis in
        [json!({"interval": "10s", "threshold": 5}), json!({"interval": "soon", "threshold": 5, "stepWeight": 5})]
    {
        assert!(test.try_apply(&canary("bad", analysis)).await.is_err());
    }
    let mut without = canary("bad", Value::Null);
    without["spec"].as_object_mut().expect("a spec").remove("analysis");
    let refused = test.try_apply(&without).await.expect_err("it is refused").to_string();
    assert!(refused.contains("analysis is required"), "{refused}");
    test.finish().await;
}

/// A cluster that went back to a time before there were definitions, or a learner who deletes one.
#[tokio::test]
async fn definitions_that_are_taken_away_come_back() {
    let test = with(json!({"interval": "10s", "threshold": 5, "stepWeight": 20}), |_| {}).await;
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let delete = kube::core::request::Request::new(path).delete("canaries.flagger.app", &Default::default());
    test.client.request::<Value>(delete.expect("a request")).await.expect("it is deleted");
    until("the canary's end", || async { test.shown("podinfo").is_none().then_some(()) }).await;
    let again = canary("podinfo", json!({"interval": "10s", "threshold": 5, "stepWeight": 20}));
    until("the definition", || async { test.try_apply(&again).await.ok() }).await;
    test.until("podinfo", "the canary", |shown| shown.phase.is_some()).await;
    test.finish().await;
}
