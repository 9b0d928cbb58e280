//! How long things take. `cargo test --release --test suite measure -- --ignored --nocapture --test-threads 1`

use std::time::{Duration, Instant};

use foredeck::gitops::record::Ending;
use serde_json::{Value, json};

use crate::harness::gitops::{Forge, GitopsTest, config, deployment};

/// The median of some measurements, in milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite measure -- --ignored --nocapture --test-threads 1"]
async fn measure_push_to_applied_and_drift_to_repaired() {
    let test = GitopsTest::start().await;
    for n in 0..20 {
        test.forge.write(&format!("other/{n}.yaml"), &deployment(&format!("other-{n}"), 1));
    }
    test.forge.write("a.yaml", &config("a", "0"));
    test.push().await;
    let mut pushes = Vec::new();
    for n in 1..=20 {
        test.forge.write("a.yaml", &config("a", &n.to_string()));
        test.forge.push();
        let begun = Instant::now();
        test.handle.pushed();
        let wanted = json!(n.to_string());
        test.until_object("v1", "ConfigMap", "a", |o| o.is_some_and(|o| o.pointer("/data/x") == Some(&wanted))).await;
        pushes.push(begun.elapsed());
        test.until("it is over", |status| status.synced.is_some() && status.activity == Default::default()).await;
    }
    let mut repairs = Vec::new();
    for n in 0..20 {
        let name = format!("other-{n}");
        let uid = |o: &Value| o.pointer("/metadata/uid").cloned();
        let before = test.get("apps/v1", "Deployment", &name).await.and_then(|o| uid(&o));
        let begun = Instant::now();
        test.delete("apps/v1", "Deployment", &name).await;
        test.until_object("apps/v1", "Deployment", &name, |o| o.is_some_and(|o| uid(o) != before)).await;
        repairs.push(begun.elapsed());
    }
    eprintln!("push to applied: {:.1} ms; deleted to back: {:.1} ms (medians of 20)", median(pushes), median(repairs));
    let status = test.handle.status().borrow().clone();
    eprintln!(
        "the last sync by a push: {:?}",
        status.history.iter().rev().find(|r| r.event.is_some()).map(|r| r.durations)
    );
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --release --test suite measure -- --ignored --nocapture --test-threads 1"]
async fn measure_many_objects() {
    for count in [1_000, 10_000] {
        let forge = Forge::new();
        for file in 0..count / 100 {
            let objects: Vec<String> = (0..100).map(|n| config(&format!("config-{file}-{n}"), "1")).collect();
            forge.write(&format!("deploy/{file}.yaml"), &objects.join("---\n"));
        }
        let commit = forge.push();
        let test = GitopsTest::with(forge, |settings| settings.sync_limit = Duration::from_secs(600)).await;
        let begun = Instant::now();
        let first = test.synced(&commit).await;
        assert_eq!((first.ending, first.counts.created), (Ending::Good, count));
        let made = begun.elapsed();
        let mut passes = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let record = test.handle.sync().await.expect("it syncs");
            assert_eq!(record.counts.unchanged, count);
            passes.push(begun.elapsed());
            eprintln!("  {:?}", record.durations);
        }
        eprintln!(
            "{count} objects: made in {:.2} s, a pass without changes {:.0} ms",
            made.as_secs_f64(),
            median(passes)
        );
        test.stop().await;
    }
}
