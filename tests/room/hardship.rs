//! What must not hurt anybody else, and nobody for long: a full disk, a flood, a sandbox that is put away, a restart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use foredeck::diagnostic::SourceFile;
use foredeck::server::room::Rules;
use foredeck::workshop::assemble;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{Open, PATIENCE, STEP, has_kubectl, rules, workshop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_to_whom_it_concerns_and_the_rest_goes_on() {
    if !has_kubectl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let open = Open::at(folder.path(), rules(5), workshop()).await;
    let ada = open.join("Ada").await;
    // Nothing can be written where the list of learners is.
    let roster = folder.path().join(".foredeck/room.json.new");
    std::fs::create_dir(&roster).expect("in the way");
    let refused = open.try_join("Bob", &open.code).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("cannot make a place for you now"), "{refused:?}");
    let board = open.board().await;
    let told = board["problem"].as_str().unwrap_or_default();
    assert!(told.starts_with("nothing can be written to the room's folder"), "{told}");
    assert_eq!(board["learners"].as_array().map(Vec::len), Some(1), "Bob has no place");
    std::fs::remove_dir(&roster).expect("out of the way");
    open.join("Bob").await;
    assert_eq!(open.board().await["problem"], Value::Null, "it is over");

    // Nothing can be written where Ada's progress is: she works on, and both are told.
    let progress = folder.path().join(".foredeck/learners/ada/progress");
    std::fs::create_dir_all(progress.parent().expect("a folder")).expect("made");
    std::fs::write(&progress, "in the way").expect("written");
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.status, 200);
    assert_eq!(open.post("/api/v1/workshop/one/start", &ada, json!({})).await.status, 200);
    let ran = open.post("/api/v1/workshop/one/run", &ada, json!({"name": "make"})).await;
    assert_eq!(ran.json()["ok"], json!(true), "{ran:?}");
    assert_eq!(open.get("/api/v1/workshop/one", &ada).await.json()["passed"], json!(true));
    let told = open.get("/api/v1/workshop", &ada).await.json()["problem"].clone();
    assert!(told.as_str().is_some_and(|told| told.starts_with("progress cannot be kept in ")), "{told}");
    let board = open.board().await;
    assert_eq!(board["learners"][0]["problem"], told);
    assert_eq!(board["learners"][1]["problem"], Value::Null, "Bob has no problem");
    assert_eq!(board["learners"][0]["cells"][0]["state"], "passed");
    // As soon as there is room it is kept.
    std::fs::remove_file(&progress).expect("out of the way");
    assert_eq!(open.post("/api/v1/workshop/one/hint", &ada, json!({})).await.status, 200);
    assert_eq!(open.get("/api/v1/workshop", &ada).await.json()["problem"], Value::Null);
    assert!(progress.join("ada.json").is_file());
    open.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_who_floods_is_slowed_down_and_the_others_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = Arc::new(Open::at(folder.path(), rules(5), workshop()).await);
    let (ada, bob) = (open.join("Ada").await, open.join("Bob").await);
    for cookie in [&ada, &bob] {
        assert_eq!(open.ready("/api/v1/workshop/one", cookie).await.status, 200);
    }
    let flood = |path: &'static str, cookie: String| {
        let open = open.clone();
        let asks = (0..1500).map(move |_| {
            let (open, cookie) = (open.clone(), cookie.clone());
            async move { open.get(path, &cookie).await.status }
        });
        futures::stream::iter(asks).buffer_unordered(64).collect::<Vec<u16>>()
    };
    let flooding = tokio::spawn(flood("/api/v1/workshop", ada.clone()));
    // Bob's address is known to everybody; what is behind it is not, and asking there takes nothing away from him.
    let strangers = tokio::spawn(flood("/l/bob/flux/v11/ping", String::new()));
    for _ in 0..5 {
        assert_eq!(open.get("/api/v1/workshop/one", &bob).await.status, 200, "Bob is not concerned");
    }
    let told = flooding.await.expect("all are answered");
    assert!(told.contains(&429) && told.iter().all(|status| [200, 429].contains(status)), "Ada is told to wait");
    let strangers = strangers.await.expect("all are answered");
    assert!(strangers.iter().all(|status| *status == 401), "{strangers:?}");
    assert_eq!(open.get("/api/v1/workshop/one", &bob).await.status, 200);
    let begun = Instant::now();
    while open.get("/api/v1/workshop", &ada).await.status == 429 {
        assert!(begun.elapsed() < PATIENCE, "Ada is let in again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Arc::into_inner(open).expect("nobody asks any more").end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_and_messages_outlive_a_sandbox_and_a_server() {
    if !has_kubectl() {
        return;
    }
    // Something that only a checkpoint takes back.
    let extra = "\n```sh {run name=extra}\nkubectl create configmap extra\n```\n";
    let two = "---\ntitle: Two\nduration: 5m\n---\n# Two\n\n```sh {run name=a}\ntrue\n```\n\n\
        ```verify ConfigMap/extra namespace=default\nIt is there.\n```\n\n```sh {solve}\ntrue\n```\n\n```sh {reset}\ntrue\n```\n";
    let sources =
        vec![SourceFile::new("01-one.md", format!("{STEP}{extra}")), SourceFile::new("02-two.md", two.to_owned())];
    let loaded = assemble("small", sources);
    assert!(!loaded.is_broken(), "{:?}", loaded.findings);
    let workshop = Arc::new(loaded.workshop);
    let folder = tempfile::tempdir().expect("a folder");
    let idle = Rules { idle: Duration::from_secs(2), ..rules(5) };
    let open = Open::at(folder.path(), idle, workshop.clone()).await;
    let ada = open.join("Ada").await;
    assert_eq!(open.ready("/api/v1/workshop/one", &ada).await.status, 200);
    assert_eq!(open.post("/api/v1/workshop/one/start", &ada, json!({})).await.status, 200);
    for name in ["make", "extra"] {
        let ran = open.post("/api/v1/workshop/one/run", &ada, json!({"name": name})).await;
        assert_eq!(ran.json()["ok"], json!(true), "{ran:?}");
    }
    let hint = json!({"do": "hint", "who": "ada", "text": "Look at *this*."});
    assert_eq!(open.post("/api/v1/trainer", &open.trainers(), hint).await.json(), json!({"told": 1}));
    open.until("Ada's is put away", |board| board["learners"][0]["presence"] == "away").await;
    open.hears("/api/v1/notes", &ada, "<em>this</em>").await;
    assert_eq!(open.board().await["learners"][0]["presence"], "away", "listening wakes nothing");
    open.end().await;

    let open = Open::at(folder.path(), rules(5), workshop).await;
    let ada = format!("foredeck-learner-{}={}", open.address.port(), ada.split('=').nth(1).expect("a token"));
    open.hears("/api/v1/notes", &ada, "<em>this</em>").await;
    assert_eq!(open.ready("/api/v1/workshop/two", &ada).await.json()["passed"], json!(true), "what was made is there");
    assert_eq!(open.post("/api/v1/workshop/one/reset", &ada, json!({})).await.status, 200);
    assert_eq!(open.get("/api/v1/workshop/two", &ada).await.json()["passed"], json!(false), "the checkpoint was used");
    open.end().await;
}
