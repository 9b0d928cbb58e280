//! Many canaries at once.

use std::time::Duration;

use foredeck::gitops::canary::Options;
use foredeck::gitops::canary::status::Phase;
use serde_json::json;

use crate::harness::canary::{CanaryTest, canary, podinfo};
use crate::harness::cluster::PATIENCE;

const MANY: usize = 30;

/// Thirty canaries have their ticks, each on its own, in a few requests.
#[tokio::test]
async fn thirty_canaries_advance() {
    let test = CanaryTest::start(Options::default()).await;
    for number in 0..MANY {
        let name = format!("app-{number}");
        let mut target = podinfo("3.1.0");
        target["metadata"]["name"] = json!(name);
        for path in ["/spec/selector/matchLabels/app", "/spec/template/metadata/labels/app"] {
            *target.pointer_mut(path).expect("a label") = json!(name);
        }
        // Pods are not what is measured here.
        target["spec"]["replicas"] = json!(0);
        test.apply(&target).await;
        let mut object = canary(&name, json!({"interval": "10s", "threshold": 5, "stepWeight": 10}));
        object["spec"]["targetRef"]["name"] = json!(name);
        object["spec"]["skipAnalysis"] = json!(true);
        test.apply(&object).await;
    }
    let begun = std::time::Instant::now();
    for ticks in 1..5 {
        let mut status = test.handle.status();
        let all = status
            .wait_for(|view| view.canaries.len() == MANY && view.canaries.values().all(|shown| shown.ticks >= ticks));
        tokio::time::timeout(PATIENCE, all).await.expect("all have their ticks").expect("the controller runs");
        test.clock.step(Duration::from_secs(10));
    }
    eprintln!("four ticks of {MANY} canaries took {:?}", begun.elapsed());
    let view = test.handle.status().borrow().clone();
    assert!(view.canaries.values().all(|shown| shown.phase == Some(Phase::Initialized)));
    test.finish().await;
}
