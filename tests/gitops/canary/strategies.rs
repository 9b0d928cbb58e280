//! Ways of releasing besides plain steps: lists of steps, blue/green without a mesh, mirrored requests, autoscalers.

use foredeck::gitops::canary::effect::Routes;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{CanaryView, Options};
use serde_json::{Value, json};

use crate::harness::canary::{CanaryTest, canary, podinfo};

async fn with(options: Options, object: &Value) -> CanaryTest {
    let test = CanaryTest::start(options).await;
    test.apply(&podinfo("3.1.0")).await;
    test.apply(object).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test
}

fn texts(shown: &CanaryView) -> Vec<&str> {
    shown.events.iter().map(|event| &*event.text).collect()
}

/// The weights are those of the list, and traffic goes back in steps, too.
#[tokio::test]
async fn a_list_of_steps_is_walked() {
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeights": [1, 10, 60], "stepWeightPromotion": 30});
    let test = with(Options::default(), &canary("podinfo", analysis)).await;
    test.release("3.1.1").await;
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    let weights: Vec<i64> = end.weights.iter().map(|(_, routes)| routes.canary).collect();
    assert_eq!(weights, [0, 1, 10, 60, 30, 0]);
    test.finish().await;
}

/// Without a mesh there are no weights: checks are counted, then the primary is replaced.
#[tokio::test]
async fn blue_and_green_need_no_mesh() {
    let options = Options { provider: "kubernetes".to_owned(), ..Options::default() };
    let test = with(options, &canary("podinfo", json!({"interval": "10s", "threshold": 2, "iterations": 3}))).await;
    assert_eq!(test.get("gateway.networking.k8s.io/v1", "HTTPRoute", "podinfo").await, None);
    test.release("3.1.1").await;
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    let advances: Vec<&str> = texts(&end).into_iter().filter(|text| text.starts_with("Advance ")).collect();
    let expected = [1, 2, 3].map(|number| format!("Advance podinfo.prod canary iteration {number}/3"));
    assert_eq!(advances, expected);
    assert_eq!((&*end.images.1, end.pods.0), ("stefanprodan/podinfo:3.1.1", 0));
    let apex = test.get("v1", "Service", "podinfo").await.expect("the service");
    assert_eq!(apex["spec"]["selector"], json!({"app": "podinfo-primary"}), "it never led to the canary");
    test.finish().await;
}

/// Copies of requests come first, then the first step.
#[tokio::test]
async fn requests_are_mirrored_first() {
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "30s"}]);
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 50, "mirror": true, "metrics": metrics});
    let test = with(Options::default(), &canary("podinfo", analysis)).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    let mirrored = test.tick("podinfo").await;
    assert_eq!(mirrored.routes, Some(Routes { mirror: true, ..Routes::PRIMARY }));
    let stepped = test.tick("podinfo").await;
    assert_eq!(stepped.routes, Some(Routes { primary: 50, canary: 50, mirror: false }));
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    assert_eq!(end.failed_checks.0, 0, "what is mirrored is measured");
    test.finish().await;
}

/// The primary has an autoscaler of its own, after the target's.
#[tokio::test]
async fn an_autoscaler_is_copied() {
    let scaler = |max: i64| {
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "podinfo", "namespace": "prod"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
                "minReplicas": 2, "maxReplicas": max, "metrics": [{"type": "Resource", "resource":
                    {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 99}}}]}})
    };
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    test.apply(&scaler(4)).await;
    let mut object = canary("podinfo", json!({"interval": "10s", "threshold": 2, "stepWeight": 100}));
    object["spec"]["autoscalerRef"] =
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "podinfo"});
    test.apply(&object).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    let copy = || test.get("autoscaling/v2", "HorizontalPodAutoscaler", "podinfo-primary");
    let made = copy().await.expect("a copy");
    assert_eq!(made["spec"]["scaleTargetRef"]["name"], "podinfo-primary");
    assert_eq!((&made["spec"]["minReplicas"], &made["spec"]["maxReplicas"]), (&json!(2), &json!(4)));
    test.apply(&scaler(6)).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Succeeded).await;
    assert_eq!(copy().await.expect("a copy")["spec"]["maxReplicas"], json!(6));
    test.finish().await;
}

/// While it is suspended nothing is done; a release goes on from where it was.
#[tokio::test]
async fn a_suspended_canary_stands_still() {
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 20});
    let test = with(Options::default(), &canary("podinfo", analysis)).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    let before = test.tick("podinfo").await.routes;
    let suspend = |suspend: bool| json!({"spec": {"suspend": suspend}});
    test.patch("flagger.app/v1beta1", "Canary", "podinfo", suspend(true)).await;
    for _ in 0..2 {
        let still = test.tick("podinfo").await;
        assert_eq!((still.routes, still.phase), (before, Some(Phase::Progressing)));
        assert_eq!(texts(&still).last(), Some(&"skipping canary run as object is suspended"));
    }
    test.patch("flagger.app/v1beta1", "Canary", "podinfo", suspend(false)).await;
    assert_eq!(test.tick("podinfo").await.routes, Some(Routes { primary: 60, canary: 40, mirror: false }));
    test.finish().await;
}

/// A program that is told to fail does so without anybody's doing.
#[tokio::test]
async fn a_version_fails_by_its_own_arguments() {
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "10s"}]);
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 10, "metrics": metrics});
    let test = with(Options::default(), &canary("podinfo", analysis)).await;
    let mut bad = podinfo("3.1.1");
    bad["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["./podinfo", "--random-error"]);
    test.apply(&bad).await;
    let failed = test.tick_until("podinfo", Phase::Failed).await;
    assert_eq!(failed.weights.iter().map(|(_, routes)| routes.canary).max(), Some(10));
    let rate = failed.metrics[0].points.iter().rev().find_map(|(_, value)| *value).expect("a value");
    assert!((50.0..80.0).contains(&rate), "{rate}");
    test.finish().await;
}

/// Twenty minutes in seconds: every check is made at its time, however fast that passes.
#[tokio::test]
async fn a_long_release_is_sped_up() {
    let metrics = json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}, "interval": "1m"}]);
    let analysis = json!({"interval": "1m", "threshold": 5, "stepWeight": 5, "metrics": metrics});
    let test = with(Options::default(), &canary("podinfo", analysis)).await;
    test.release("3.1.1").await;
    test.clock.set_speed(300.0);
    let end = test.until("podinfo", "the end", |shown| shown.phase == Some(Phase::Succeeded)).await;
    let weights: Vec<i64> = end.weights.iter().map(|(_, routes)| routes.canary).collect();
    let expected: Vec<i64> = (0..=20).map(|step| step * 5).chain([0]).collect();
    assert_eq!((weights, end.failed_checks.0), (expected, 0));
    let times: Vec<i64> = end.weights.iter().skip(1).map(|(at, _)| at.as_second()).collect();
    let apart: Vec<i64> = times.windows(2).take(19).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(apart, [60; 19]);
    test.finish().await;
}
