//! Git away, the API away, killed anywhere: the end is the same as without the fault.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt as _;
use http_body_util::{BodyStream, StreamBody};

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::gitops::explain::State;
use foredeck::gitops::reconciler::Reconciler;
use foredeck::gitops::record::Ending;
use foredeck::gitops::settings::Settings;
use foredeck::gitops::source::Phase;
use foredeck::gitops::status::Status;
use kube::client::Body;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::gitops::{Forge, GitopsTest, PATIENCE, api, config, get, settings};

/// A client of an API server that goes away and comes back.
#[derive(Clone)]
struct Weather {
    away: Arc<AtomicBool>,
    /// After so many changes it goes away; never when negative.
    changes: Arc<AtomicI64>,
    gone: Arc<tokio::sync::Notify>,
}

impl Default for Weather {
    fn default() -> Self {
        Self { away: Arc::default(), changes: Arc::new(AtomicI64::new(-1)), gone: Arc::default() }
    }
}

impl Weather {
    fn client(&self, client: kube::Client) -> kube::Client {
        let weather = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (weather, client) = (weather.clone(), client.clone());
            async move {
                // Every request is a step at which a reconciler may be killed.
                tokio::task::yield_now().await;
                let change = !matches!(*request.method(), http::Method::GET);
                if change && weather.changes.fetch_sub(1, Ordering::SeqCst) == 0 {
                    weather.away.store(true, Ordering::SeqCst);
                }
                if weather.away.load(Ordering::SeqCst) {
                    return Err(kube::Error::ReadEvents(std::io::ErrorKind::ConnectionRefused.into()));
                }
                let answer = client.send(request).await?;
                tokio::task::yield_now().await;
                // What streams breaks off when the server goes away.
                let gone = weather.gone.clone();
                let frames = BodyStream::new(answer.into_body()).take_until(async move { gone.notified().await });
                Ok(http::Response::new(StreamBody::new(frames)))
            }
        });
        kube::Client::new(service, "default")
    }
}

/// A reconciler that runs until it is dropped.
struct Running {
    status: tokio::sync::watch::Receiver<Status>,
    handle: foredeck::gitops::reconciler::Handle,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn run(settings: Settings, client: kube::Client) -> Running {
    let (reconciler, handle) = Reconciler::new(settings, client).expect("the settings are right");
    let stop = CancellationToken::new();
    let task = tokio::spawn(reconciler.run(stop.clone()));
    Running { status: handle.status(), handle, stop, task }
}

impl Running {
    async fn until(&mut self, what: &str, wanted: impl FnMut(&Status) -> bool) -> Status {
        let found = tokio::time::timeout(PATIENCE, self.status.wait_for(wanted)).await;
        found.unwrap_or_else(|_| panic!("waited in vain until {what}")).expect("it runs").clone()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("it ends well");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_goes_away_is_waited_for() {
    let test = GitopsTest::with(Forge::new(), |settings| settings.intervals.reach = Duration::from_millis(50)).await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    std::fs::rename(test.forge.remote(), test.forge.path("away")).unwrap();
    test.handle.pushed();
    let status = test.until("the repository is away", |status| status.source.phase == Phase::New).await;
    assert!(status.source.error.as_deref().unwrap().contains("does not appear to be a git repository"), "{status:?}");
    // What is known is still kept up.
    test.delete("v1", "ConfigMap", "a").await;
    test.until_object("v1", "ConfigMap", "a", |found| found.is_some()).await;
    test.until("it is tried again and again", |status| status.source.attempts > 3).await;
    std::fs::rename(test.forge.path("away"), test.forge.remote()).unwrap();
    test.until("it is ready again", |status| status.source.phase == Phase::Ready).await;
    test.forge.write("a.yaml", &config("a", "2"));
    assert_eq!(test.push().await.ending, Ending::Good);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_that_hangs_holds_nothing_up() {
    let forge = Forge::new();
    let (script, hang) = (forge.path("slow-git"), forge.path("hang"));
    let text = format!(
        "#!/bin/sh\nif [ -e '{}' ]; then case \"$*\" in *fetch*) exec sleep 60;; esac; fi\nexec git \"$@\"\n",
        hang.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let test = GitopsTest::with(forge, |settings| {
        settings.program.path = script;
        settings.program.limit = Duration::from_secs(3);
        settings.intervals.reach = Duration::from_millis(50);
    })
    .await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    std::fs::write(&hang, "").unwrap();
    test.handle.pushed();
    test.until("it fetches", |status| status.activity == foredeck::gitops::status::Activity::Fetching).await;
    let begun = std::time::Instant::now();
    test.delete("v1", "ConfigMap", "a").await;
    test.until_object("v1", "ConfigMap", "a", |found| found.is_some()).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let status = test.until("it is given up", |status| status.source.error.is_some()).await;
    assert_eq!(status.source.error.as_deref(), Some("git fetch did not end within 3 s"));
    std::fs::remove_file(&hang).unwrap();
    test.forge.write("a.yaml", &config("a", "2"));
    assert_eq!(test.push().await.ending, Ending::Good);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_is_missing_is_waited_for() {
    let forge = Forge::new();
    let test = GitopsTest::with(forge, |settings| {
        settings.remote.as_mut().unwrap().branch = "later".to_owned();
        settings.intervals.reach = Duration::from_millis(50);
    })
    .await;
    let status = test.until("the branch is missing", |status| status.source.error.is_some()).await;
    assert_eq!(status.source.error.as_deref(), Some("configured branch 'later' does not exist"));
    let refused = test.handle.sync().await.unwrap_err();
    assert!(refused.to_string().starts_with("git repo not ready: "), "{refused}");
    test.forge.write("a.yaml", &config("a", "1"));
    test.forge.push();
    test.forge.git(&test.forge.work(), &["push", "-q", "origin", "HEAD:later"]);
    test.until_object("v1", "ConfigMap", "a", |found| found.is_some()).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_restarts_in_the_middle_is_waited_for() {
    let forge = Forge::new();
    for name in ["a", "b", "c", "d", "e"] {
        forge.write(&format!("{name}.yaml"), &config(name, "1"));
    }
    let commit = forge.push();
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let weather = Weather::default();
    weather.changes.store(2, Ordering::SeqCst);
    let mut running = run(settings(&forge), weather.client(cluster.client()));
    running.until("some objects are applied", |status| !status.objects.is_empty()).await;
    let count = async || {
        let mut count = 0;
        for name in ["a", "b", "c", "d", "e"] {
            count += usize::from(get(&cluster.client(), "v1", "ConfigMap", name).await.is_some());
        }
        count
    };
    while !weather.away.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    assert!(count().await < 5);
    assert_eq!(forge.tag(), None, "the tag does not move before everything is tried");
    weather.away.store(false, Ordering::SeqCst);
    let status = running.until("all is synced", |status| status.synced.is_some()).await;
    assert_eq!(count().await, 5);
    assert_eq!(status.history.back().unwrap().ending, Ending::Good);
    assert_eq!(forge.tag(), Some(commit));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_that_break_off_miss_nothing() {
    let forge = Forge::new();
    forge.write("a.yaml", &config("a", "1"));
    forge.write("b.yaml", &config("b", "1"));
    forge.push();
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let weather = Weather::default();
    let mut running = run(settings(&forge), weather.client(cluster.client()));
    running.until("all is synced", |status| status.synced.is_some()).await;
    let delete = async |name: &str| {
        let api = api(&cluster.client(), "v1", "ConfigMap");
        api.delete(name, &Default::default()).await.unwrap();
    };
    let is_back = async |name: &str| {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while get(&cluster.client(), "v1", "ConfigMap", name).await.is_none() {
            assert!(tokio::time::Instant::now() < deadline, "{name} does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    delete("a").await;
    is_back("a").await;
    weather.away.store(true, Ordering::SeqCst);
    weather.gone.notify_waiters();
    delete("b").await;
    weather.away.store(false, Ordering::SeqCst);
    is_back("b").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_stays_away_breaks_the_sync_off() {
    let forge = Forge::new();
    forge.write("a.yaml", &config("a", "1"));
    forge.write("b.yaml", &config("b", "1"));
    forge.push();
    let cluster = Embedded::start(Config::default()).await.unwrap();
    let weather = Weather::default();
    weather.changes.store(1, Ordering::SeqCst);
    let mut settings = settings(&forge);
    settings.sync_limit = Duration::from_millis(400);
    settings.intervals.retry = Duration::from_millis(50);
    let mut running = run(settings, weather.client(cluster.client()));
    let failed = |status: &Status| status.history.back().is_some_and(|record| record.ending == Ending::Failed);
    let status = running.until("the sync is broken off", failed).await;
    let error = status.history.back().unwrap().error.clone().unwrap();
    assert!(error.starts_with("the API server does not answer: "), "{error}");
    assert_eq!(forge.tag(), None);
    weather.away.store(false, Ordering::SeqCst);
    running.until("all is synced", |status| status.synced.is_some()).await;
    assert!(get(&cluster.client(), "v1", "ConfigMap", "b").await.is_some());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_is_refused_leaves_the_tag_for_later() {
    let test = GitopsTest::with(Forge::new(), |settings| settings.intervals.retry = Duration::from_millis(50)).await;
    test.forge.write("a.yaml", &config("a", "1"));
    let first = test.push().await;
    // A tag's name that is a folder at the remote cannot be pushed.
    test.forge.git(&test.forge.remote(), &["update-ref", "-d", "refs/tags/flux-sync"]);
    test.forge.git(&test.forge.remote(), &["update-ref", "refs/tags/flux-sync/x", first.revision.as_deref().unwrap()]);
    test.forge.write("a.yaml", &config("a", "2"));
    let second = test.push().await;
    assert_eq!(second.ending, Ending::Partly);
    assert!(
        second.error.as_deref().unwrap().starts_with("everything is applied, but the sync pointer was not moved: ")
    );
    assert_eq!(test.get("v1", "ConfigMap", "a").await.unwrap().pointer("/data/x"), Some(&json!("2")));
    test.forge.git(&test.forge.remote(), &["update-ref", "-d", "refs/tags/flux-sync/x"]);
    let good = |status: &Status| status.history.back().is_some_and(|record| record.ending == Ending::Good);
    test.until("the tag is moved later", good).await;
    assert_eq!(test.forge.tag(), second.revision);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_of_one_field_do_not_race() {
    let test = GitopsTest::start().await;
    test.forge.write("a.yaml", &config("a", "1"));
    test.push().await;
    let mut rounds = 0;
    loop {
        test.patch("v1", "ConfigMap", "a", json!({"data": {"x": format!("other {rounds}")}})).await;
        rounds += 1;
        let settled = |status: &Status| {
            let object = status.objects.values().next().unwrap();
            object.state == State::OutOfSync
                && object.reason.as_deref().is_some_and(|why| why.contains("again and again"))
        };
        if rounds > 6 {
            let status = test.until("the fight is told", settled).await;
            let object = status.objects.values().next().unwrap();
            let words = "kubectl-edit changes data.x back again and again, so it is repaired more rarely";
            assert_eq!(object.reason.as_deref(), Some(words));
            break;
        }
        let back = |found: Option<&Value>| found.is_some_and(|o| o.pointer("/data/x") == Some(&json!("1")));
        test.until_object("v1", "ConfigMap", "a", back).await;
    }
    test.stop().await;
}

/// A future that is dropped after so many polls.
struct Mortal<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Mortal<F> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        if self.polls == 0 {
            return Poll::Ready(false);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(|_| true)
    }
}

/// A repository and a cluster with a commit that is synced and another that is not.
async fn two_commits() -> (Forge, Embedded, String) {
    let forge = Forge::new();
    for name in ["a", "b", "c"] {
        forge.write(&format!("{name}.yaml"), &config(name, "1"));
    }
    forge.push();
    let cluster = Embedded::start(Config::default()).await.expect("a cluster starts");
    let mut running = run(settings(&forge), cluster.client());
    running.until("the first commit is synced", |status| status.synced.is_some()).await;
    running.stop().await;
    forge.write("a.yaml", &config("a", "2"));
    forge.remove("b.yaml");
    forge.write(
        "d.yaml",
        &format!("{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: demo}}\n", config("d", "1")),
    );
    let commit = forge.push();
    (forge, cluster, commit)
}

/// What counts in the end: the objects' content, which ones were never touched, and the tag.
async fn end_state(forge: &Forge, cluster: &Embedded) -> Value {
    let client = cluster.client();
    let mut state = serde_json::Map::new();
    for (kind, name) in
        [("ConfigMap", "a"), ("ConfigMap", "b"), ("ConfigMap", "c"), ("ConfigMap", "d"), ("Namespace", "demo")]
    {
        let found = get(&client, "v1", kind, name).await;
        let shown = found.map(|object| {
            let annotations = object.pointer("/metadata/annotations").cloned();
            json!({"data": object.get("data"), "labels": object.pointer("/metadata/labels"), "annotations": annotations})
        });
        state.insert(name.to_owned(), json!(shown));
    }
    json!({"objects": state, "tag": forge.tag()})
}

/// Kills a reconciler after `polls` steps and starts another. True when it was killed before its end.
async fn killed_after(polls: usize) -> bool {
    let (forge, cluster, commit) = two_commits().await;
    let client = cluster.client();
    let untouched = get(&client, "v1", "ConfigMap", "c").await;
    let (reconciler, handle) =
        Reconciler::new(settings(&forge), Weather::default().client(client.clone())).expect("the settings are right");
    let mut status = handle.status();
    let stop = CancellationToken::new();
    let mortal = Mortal { inner: Box::pin(reconciler.run(stop)), polls };
    let alive = tokio::select! {
        alive = mortal => alive,
        _ = status.wait_for(|status| status.synced.is_some()) => true,
    };
    let mut patient = settings(&forge);
    patient.intervals.retry = Duration::from_millis(50);
    let mut running = run(patient, client.clone());
    let good = |status: &Status| {
        status.history.back().is_some_and(|last| last.ending == Ending::Good && last.revision.as_ref() == Some(&commit))
    };
    running.until("the second commit is synced", good).await;
    running.handle.sync().await.expect("it syncs");
    let state = end_state(&forge, &cluster).await;
    let data = |name: &str| state.pointer(&format!("/objects/{name}/data/x")).cloned();
    let shown = (data("a"), data("b"), data("c"), data("d"), state.pointer("/objects/demo/labels").is_some());
    assert_eq!(shown, (Some(json!("2")), None, Some(json!("1")), Some(json!("1")), true), "after {polls} steps");
    assert_eq!(state.get("tag"), Some(&json!(commit)), "after {polls} steps");
    assert_eq!(get(&client, "v1", "ConfigMap", "c").await, untouched, "what is right is never touched");
    running.stop().await;
    cluster.stop().await;
    !alive
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn being_killed_anywhere_changes_nothing_in_the_end() {
    // Every seventh step, in order to be quick; the test below takes them all.
    let mut polls = 1;
    while killed_after(polls).await {
        polls += 7;
    }
    assert!(polls > 30, "it was killed only up to step {polls}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute: cargo test --test suite killed_at_every_step -- --ignored"]
async fn being_killed_at_every_step_changes_nothing_in_the_end() {
    let mut polls = 1;
    while killed_after(polls).await {
        polls += 1;
    }
    eprintln!("killed at {polls} steps");
}
