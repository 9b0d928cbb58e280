//! Releases that go well, and the objects around them.

use std::time::Duration;

use foredeck::gitops::canary::effect::Routes;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{Backend, Faults, Options};
use serde_json::{Value, json};

use crate::harness::canary::{CanaryTest, TALK, canary, podinfo};
use crate::harness::cluster::until;

fn routes(primary: i64, canary: i64) -> Routes {
    Routes { primary, canary, mirror: false }
}

async fn with_talk(options: Options) -> CanaryTest {
    let test = CanaryTest::start(options).await;
    let mut first = podinfo("3.1.0");
    first["spec"]["replicas"] = json!(2);
    test.apply(&first).await;
    test.apply_text(TALK).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test
}

/// The deck's own manifest: 20 steps of 5 percent, promoted 230 seconds after it was noticed.
#[tokio::test]
async fn the_canary_of_the_talk_succeeds() {
    let test = with_talk(Options::default()).await;
    let at_rest = test.shown("podinfo").expect("it is shown");
    assert_eq!(at_rest.pods, (0, 2), "the target has no pods at rest");
    let apex = test.get("v1", "Service", "podinfo").await.expect("the service");
    assert_eq!(apex["spec"]["selector"], json!({"app": "podinfo-primary"}));
    test.release("3.1.1").await;
    let noticed = test.tick_until("podinfo", Phase::Progressing).await;
    let noticed = noticed.phases.back().expect("a phase").0;
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    let steps: Vec<Routes> = (0..=20).map(|step| routes(100 - step * 5, step * 5)).chain([routes(100, 0)]).collect();
    let weights: Vec<Routes> = end.weights.iter().map(|(_, routes)| *routes).collect();
    assert_eq!(weights, steps);
    let phases: Vec<Phase> = end.phases.iter().map(|(_, phase)| *phase).skip(1).collect();
    let expected = [Phase::Initialized, Phase::Progressing, Phase::Promoting, Phase::Finalising, Phase::Succeeded];
    assert!(expected.ends_with(&phases[1..]) && phases.ends_with(&expected[1..]), "{phases:?}");
    let seconds = end.phases.back().expect("a phase").0.duration_since(noticed).as_secs();
    assert_eq!(seconds, 230);
    assert_eq!((end.failed_checks, end.status_weight, end.pods), ((0, 5), 0, (0, 2)));
    assert_eq!(end.images.1, "stefanprodan/podinfo:3.1.1");
    assert!(end.metrics.iter().all(|metric| metric.points.iter().filter(|(_, value)| value.is_some()).count() > 15));
    let advances = (1..=20).map(|step| format!("Advance podinfo.prod canary weight {}", step * 5));
    let expected: Vec<String> =
        ["New revision detected! Scaling up podinfo.prod", "Starting canary analysis for podinfo.prod"]
            .map(str::to_owned)
            .into_iter()
            .chain(advances)
            .chain(
                [
                    "Copying podinfo.prod template spec to podinfo-primary.prod",
                    "Routing all traffic to primary",
                    "Promotion completed! Scaling down podinfo.prod",
                ]
                .map(str::to_owned),
            )
            .collect();
    let events = test.events("podinfo").await;
    assert!(events.ends_with(&expected), "{events:#?}");
    test.finish().await;
}

/// `kubectl get canaries` in both versions, and the route as the Gateway API has it.
#[tokio::test]
async fn a_canary_looks_right() {
    let test = with_talk(Options::default()).await;
    for (version, wide) in [("v1beta1", 11), ("v1alpha3", 9)] {
        let request = http::Request::get(format!("/apis/flagger.app/{version}/namespaces/prod/canaries"))
            .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
            .body(Vec::new())
            .expect("a request");
        let table: Value = test.client.request(request).await.expect("a table");
        let columns = table["columnDefinitions"].as_array().expect("columns");
        let narrow: Vec<&str> =
            columns.iter().filter(|it| it["priority"] == 0).filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(narrow, ["Name", "Status", "Weight", "LastTransitionTime"]);
        assert_eq!(columns.len(), wide);
        assert_eq!(table["rows"][0]["cells"][1], json!("Initialized"));
    }
    let route = test.get("gateway.networking.k8s.io/v1", "HTTPRoute", "podinfo").await.expect("a route");
    let backend =
        |name: &str, weight: i64| json!({"group": "", "kind": "Service", "name": name, "port": 9898, "weight": weight});
    let backends = json!([backend("podinfo-primary", 100), backend("podinfo-canary", 0)]);
    assert_eq!(route["spec"]["rules"][0]["backendRefs"], backends);
    let written = test.get("flagger.app/v1alpha3", "Canary", "podinfo").await.expect("the canary");
    assert_eq!(written["spec"]["canaryAnalysis"]["stepWeight"], json!(5), "it stands as it was written");
    test.finish().await;
}

/// Steps and the image are changed while the analysis goes on.
#[tokio::test]
async fn an_analysis_is_edited() {
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    test.apply(&canary("podinfo", json!({"interval": "10s", "threshold": 5, "stepWeight": 10}))).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    assert_eq!(test.tick("podinfo").await.routes, Some(routes(90, 10)));
    let edit = json!({"spec": {"analysis": {"stepWeight": 30, "maxWeight": 60}}});
    test.patch("flagger.app/v1beta1", "Canary", "podinfo", edit).await;
    assert_eq!(test.tick("podinfo").await.routes, Some(routes(60, 40)));
    test.release("3.1.2").await;
    let restarted = test.tick("podinfo").await;
    assert_eq!((restarted.routes, restarted.phase), (Some(routes(100, 0)), Some(Phase::Progressing)));
    assert_eq!(
        restarted.events.back().expect("an event").text,
        "New revision detected! Restarting analysis for podinfo.prod"
    );
    let end = test.tick_until("podinfo", Phase::Succeeded).await;
    assert_eq!(end.images.1, "stefanprodan/podinfo:3.1.2");
    test.finish().await;
}

/// A revision that is taken back is not judged against itself.
#[tokio::test]
async fn a_revision_is_taken_back() {
    let test = with_talk(Options::default()).await;
    test.release("3.1.1").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.tick("podinfo").await;
    test.release("3.1.0").await;
    let back = test.tick("podinfo").await;
    assert_eq!((back.phase, back.routes), (Some(Phase::Initialized), Some(routes(100, 0))));
    let after = test.tick("podinfo").await;
    assert_eq!((after.phase, after.pods), (Some(Phase::Initialized), (0, 2)));
    test.finish().await;
}

/// Configs are copied for the primary, and a change of one is a revision.
#[tokio::test]
async fn a_config_is_released() {
    let test = CanaryTest::start(Options::default()).await;
    let config = |value: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "prod"}, "data": {"colour": value}})
    };
    test.apply(&config("blue")).await;
    let mut target = podinfo("3.1.0");
    target["spec"]["template"]["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "settings"}}]);
    test.apply(&target).await;
    test.apply(&canary("podinfo", json!({"interval": "10s", "threshold": 5, "stepWeight": 100}))).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    let primary = test.get("apps/v1", "Deployment", "podinfo-primary").await.expect("the primary");
    let from = &primary["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"];
    assert_eq!(from, "settings-primary");
    test.apply(&config("green")).await;
    let copy = || test.get("v1", "ConfigMap", "settings-primary");
    test.tick_until("podinfo", Phase::Progressing).await;
    assert_eq!(copy().await.expect("a copy")["data"]["colour"], "blue");
    test.tick_until("podinfo", Phase::Succeeded).await;
    assert_eq!(copy().await.expect("a copy")["data"]["colour"], "green");
    test.finish().await;
}

/// A deleted canary leaves a target that serves.
#[tokio::test]
async fn a_canary_is_deleted() {
    for revert in [false, true] {
        let test = CanaryTest::start(Options::default()).await;
        let mut first = podinfo("3.1.0");
        first["spec"]["replicas"] = json!(2);
        test.apply(&first).await;
        test.apply(
            &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "podinfo", "namespace": "prod"},
            "spec": {"selector": {"app": "podinfo"}, "ports": [{"name": "http", "port": 9898}]}}),
        )
        .await;
        let mut object = canary("podinfo", json!({"interval": "10s", "threshold": 5, "stepWeight": 50}));
        object["spec"]["revertOnDeletion"] = json!(revert);
        test.apply(&object).await;
        test.tick_until("podinfo", Phase::Initialized).await;
        test.delete("flagger.app/v1beta1", "Canary", "podinfo").await;
        until("the target", || async {
            let target = test.get("apps/v1", "Deployment", "podinfo").await?;
            let service = test.get("v1", "Service", "podinfo").await?;
            let gone = test.get("flagger.app/v1beta1", "Canary", "podinfo").await.is_none();
            let serves = service["spec"]["selector"] == json!({"app": "podinfo"});
            (gone && serves && target["spec"]["replicas"] == json!(2)).then_some(())
        })
        .await;
        let ended = test.events("podinfo").await.contains(&"Terminated canary podinfo.prod".to_owned());
        assert_eq!(ended, revert);
        test.finish().await;
    }
}

/// Two runs from one seed are the same to the last measured value; another seed gives others.
#[tokio::test]
async fn runs_from_one_seed_are_the_same() {
    let run = |seed: u64| async move {
        let test = with_talk(Options { seed, ..Options::default() }).await;
        let faults = Faults { success: 99.3, latency: Duration::from_millis(300) };
        test.handle.set_faults("prod", "podinfo", Backend::Canary, faults);
        test.release("3.1.1").await;
        test.tick_until("podinfo", Phase::Progressing).await;
        for _ in 0..8 {
            test.tick("podinfo").await;
        }
        let shown = test.shown("podinfo").expect("it is shown");
        test.finish().await;
        let texts: Vec<String> = shown.events.iter().map(|event| event.text.clone()).collect();
        let points: Vec<Vec<Option<u64>>> = shown
            .metrics
            .iter()
            .map(|metric| metric.points.iter().map(|(_, value)| value.map(f64::to_bits)).collect())
            .collect();
        (texts, points)
    };
    let (one, same, other) = (run(3).await, run(3).await, run(4).await);
    assert_eq!(one, same);
    assert_ne!(one.1, other.1);
}
