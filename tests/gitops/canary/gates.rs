//! Gates, and what the presenter wants.

use foredeck::gitops::canary::effect::Routes;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{Options, machine::Wish};
use serde_json::{Value, json};

use crate::harness::canary::{CanaryTest, canary, podinfo};

const GATE: &str = "http://flagger-loadtester.test/gate/check";

async fn with_hooks(hooks: Value) -> CanaryTest {
    let test = CanaryTest::start(Options::default()).await;
    test.apply(&podinfo("3.1.0")).await;
    let analysis = json!({"interval": "10s", "threshold": 2, "stepWeight": 50, "maxWeight": 50, "webhooks": hooks});
    test.apply(&canary("podinfo", analysis)).await;
    test.tick_until("podinfo", Phase::Initialized).await;
    test.release("3.1.1").await;
    test
}

/// Every gate of a release is closed until the presenter opens it.
#[tokio::test]
async fn gates_are_opened_by_hand() {
    let gates = [("start", "confirm-rollout"), ("more", "confirm-traffic-increase"), ("all", "confirm-promotion")];
    let hooks: Vec<Value> = gates.iter().map(|(name, kind)| json!({"name": name, "type": kind, "url": GATE})).collect();
    let test = with_hooks(json!(hooks)).await;
    let waiting = test.tick_until("podinfo", Phase::Waiting).await;
    let names: Vec<&str> = waiting.gates.iter().filter(|gate| gate.waiting).map(|gate| &*gate.name).collect();
    assert_eq!(names, ["start"]);
    assert_eq!(test.tick("podinfo").await.phase, Some(Phase::Waiting));
    test.handle.open_gate("prod", "podinfo", "start");
    test.tick_until("podinfo", Phase::Progressing).await;
    let held = test.tick("podinfo").await;
    assert_eq!(held.routes, Some(Routes::PRIMARY));
    assert_eq!(
        held.events.back().expect("an event").text,
        "Halt podinfo.prod advancement waiting for traffic increase approval more"
    );
    test.handle.open_gate("prod", "podinfo", "more");
    assert_eq!(test.tick("podinfo").await.routes, Some(Routes { primary: 50, canary: 50, mirror: false }));
    let waiting = test.tick("podinfo").await;
    assert_eq!((waiting.phase, waiting.status_weight), (Some(Phase::WaitingPromotion), 0));
    assert_eq!(waiting.routes, Some(Routes { primary: 50, canary: 50, mirror: false }), "routes tell the truth");
    test.handle.open_gate("prod", "podinfo", "all");
    test.tick_until("podinfo", Phase::Succeeded).await;
    test.finish().await;
}

/// A rollback hook that says yes ends a release.
#[tokio::test]
async fn a_rollback_hook_takes_back() {
    let hook = json!([{"name": "back", "type": "rollback", "url": "http://load-tester.prod/rollback/check"}]);
    let test = with_hooks(hook).await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.tick("podinfo").await;
    test.handle.open_gate("prod", "podinfo", "back");
    let failed = test.tick("podinfo").await;
    assert_eq!((failed.phase, failed.routes, failed.pods.0), (Some(Phase::Failed), Some(Routes::PRIMARY), 0));
    let texts: Vec<&str> = failed.events.iter().rev().take(3).map(|event| &*event.text).collect();
    let expected = [
        "Canary failed! Scaling down podinfo.prod",
        "Rolling back podinfo.prod manual webhook invoked",
        "Rollback check back passed",
    ];
    assert_eq!(texts, expected);
    test.finish().await;
}

/// Hold, promote and roll back need no gates, and do not wait for the next tick.
#[tokio::test]
async fn the_presenter_decides() {
    let test = with_hooks(json!([])).await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.handle.hold("prod", "podinfo");
    for _ in 0..2 {
        assert_eq!(test.tick("podinfo").await.routes, Some(Routes::PRIMARY));
    }
    test.handle.promote("prod", "podinfo");
    let promoting = test.until("podinfo", "the promotion", |shown| shown.phase == Some(Phase::Promoting)).await;
    assert_eq!(promoting.images.1, "stefanprodan/podinfo:3.1.1");
    test.tick_until("podinfo", Phase::Succeeded).await;
    test.until("podinfo", "the end of the wish", |shown| shown.wish.is_none()).await;
    test.release("3.1.2").await;
    test.tick_until("podinfo", Phase::Progressing).await;
    test.tick("podinfo").await;
    test.handle.roll_back("prod", "podinfo");
    let failed = test.until("podinfo", "the rollback", |shown| shown.phase == Some(Phase::Failed)).await;
    assert_eq!(failed.routes, Some(Routes::PRIMARY));
    assert_ne!(failed.wish, Some(Wish::Promote));
    test.finish().await;
}
