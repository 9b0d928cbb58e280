//! The live system behind the slides: its repository over HTTP, and what happens when it breaks.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use foredeck::cluster::folder::Folder;
use foredeck::gitops::schedule::Intervals;
use foredeck::sandbox::keep::{Demo, keep};
use foredeck::sandbox::{ClusterPlan, Plan, RepositoryPlan, Sandbox, repository};
use foredeck::server::role::Role;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::harness::server::{DEADLINE, Running, ServerTest};

/// A server with a demo side that is kept running.
pub(super) struct Live {
    pub(super) server: Running,
    demo: watch::Receiver<Demo>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Live {
    async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more files in the repository.
    pub(super) async fn with(files: &[(&str, &str)]) -> Self {
        let test = ServerTest::talk();
        Self::of(files.iter().fold(test, |test, (path, text)| test.file(&format!("seed/{path}"), text))).await
    }

    /// A server of these decks.
    pub(super) async fn of(test: ServerTest) -> Self {
        Self::on(test, ClusterPlan::Embedded(Box::default())).await
    }

    /// A server of these decks on a cluster.
    async fn on(test: ServerTest, cluster: ClusterPlan) -> Self {
        let (sender, demo) = watch::channel(Demo::Off);
        let given = demo.clone();
        let test = test
            .file("seed/deploy/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: demo\n")
            .with(move |config| config.demo = given);
        let server = test.start().await;
        let root = server.folder.path();
        let address = format!("http://{}", server.address);
        let plan = Plan {
            cluster,
            repository: RepositoryPlan::Demo(repository::Plan {
                name: "demo".to_owned(),
                branch: "main".to_owned(),
                seed: Some(root.join("seed")),
                base: format!("{address}/git"),
                token: "the-token".to_owned(),
                time: 1_700_000_000,
            }),
            paths: vec!["deploy".to_owned()],
            read_only: false,
            intervals: Intervals::default(),
            folder: Folder::of(root),
            home: None,
            program: env!("CARGO_BIN_EXE_foredeck").into(),
            path: std::env::var_os("PATH"),
            server: address,
            fresh: true,
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(plan, sender, stop.clone()));
        Self { server, demo, stop, task }
    }

    pub(super) async fn sandbox(&self) -> Arc<Sandbox> {
        let mut demo = self.demo.clone();
        let ready = tokio::time::timeout(DEADLINE, demo.wait_for(|demo| demo.ready().is_some())).await;
        ready.expect("it starts in time").expect("it is kept").ready().expect("it is ready").clone()
    }

    /// Waits for something in the cluster.
    pub(super) async fn eventually(&self, test: impl AsyncFn() -> bool) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while !test().await {
            assert!(tokio::time::Instant::now() < deadline, "it does not come true");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it ends in time").expect("it ends well");
        assert!(matches!(*self.demo.borrow(), Demo::Off));
        self.server.finish().await;
    }
}

pub(super) async fn git(folder: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ann").env(format!("GIT_{role}_EMAIL"), "ann@example.com");
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it ends").expect("git starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: demo\ndata:\n  a: b\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_is_in_the_cluster_at_once_and_going_back_takes_it_out() {
    let live = Live::start().await;
    let sandbox = live.sandbox().await;
    let work = sandbox.work_folder().to_path_buf();
    let maps = kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(sandbox.client.clone(), "demo");
    let there = async |wanted: bool| {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while maps.get_opt("settings").await.expect("an answer").is_some() != wanted {
            assert!(tokio::time::Instant::now() < deadline, "settings should be there: {wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    sandbox.checkpoint("before").await.unwrap();
    std::fs::write(work.join("deploy/settings.yaml"), CONFIG).unwrap();
    for args in [&["add", "-A"][..], &["commit", "-q", "-m", "Add settings"], &["push", "-q"]] {
        git(&work, args).await.unwrap();
    }
    there(true).await;
    std::fs::write(work.join("notes.txt"), "not committed").unwrap();
    sandbox.restore("before").await.unwrap();
    there(false).await;
    assert!(!work.join("deploy/settings.yaml").exists());
    assert!(git(&work, &["stash", "show", "--include-untracked", "--name-only"]).await.unwrap().contains("notes.txt"));
    assert_eq!(git(&work, &["log", "--format=%s"]).await.unwrap(), "Begin");
    assert!(sandbox.restore("no such").await.is_err());
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_may_clone_but_only_the_token_may_push() {
    let live = Live::start().await;
    let sandbox = live.sandbox().await;
    let url = sandbox.repository.as_ref().unwrap().url.clone();
    let root = live.server.folder.path().to_path_buf();
    git(&root, &["clone", "-q", &url, "theirs"]).await.unwrap();
    let theirs = root.join("theirs");
    git(&theirs, &["commit", "-q", "--allow-empty", "-m", "Mine"]).await.unwrap();
    let refused = git(&theirs, &["push", "-q"]).await.unwrap_err();
    assert!(refused.contains("could not read Username"), "{refused}");
    let wrong = url.replace("://", "://git:wrong@");
    assert!(git(&theirs, &["push", "-q", &wrong, "main"]).await.is_err());
    assert_eq!(sandbox.repository.as_ref().unwrap().demo.head().await.unwrap(), Some(head(&sandbox).await));
    let right = sandbox.repository.as_ref().unwrap().url_with_token();
    git(&theirs, &["push", "-q", &right, "main"]).await.unwrap();
    assert_ne!(head(&sandbox).await, git(&theirs, &["rev-parse", "HEAD~1"]).await.unwrap());
    let other = live.server.get("/git/other.git/info/refs?service=git-upload-pack", Role::Viewer).await;
    assert_eq!(other.status, 404);
    live.end().await;
}

async fn head(sandbox: &Sandbox) -> String {
    git(sandbox.work_folder(), &["ls-remote", "-q", "origin", "refs/heads/main"]).await.expect("the server answers")
        [..40]
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_side_breaks_and_comes_back_while_the_slides_stay() {
    use foredeck::runbook::journal::State;

    let live = Live::of(super::steps::with_steps(vec![
        super::steps::step("add", "kubectl create configmap added -n demo --from-literal=a=b"),
        super::steps::step("long", "sleep 100"),
    ]))
    .await;
    let first = live.sandbox().await;
    let server = &live.server;
    super::steps::trust(server).await;
    let mut events = server.listen("deck=demo", Role::Presenter, None).await;
    let namespaces =
        |sandbox: &Sandbox| kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(sandbox.client.clone());
    let synced = async |sandbox: &Sandbox| namespaces(sandbox).get_opt("demo").await.is_ok_and(|found| found.is_some());
    live.eventually(async || synced(&first).await).await;
    assert_eq!(super::steps::ran(server, &mut events, "add").await["state"], "passed");
    let long = serde_json::json!({ "deck": "demo", "name": "long" });
    assert_eq!(super::steps::post(server, Role::Presenter, "/api/v1/steps/run", &long).await.status, 200);

    // The cluster's controllers and its door are gone, as after a bug in them.
    first.embedded().expect("an embedded cluster").stop().await;
    for path in ["/d/demo/", "/api/v1/state", "/healthz"] {
        assert_eq!(server.get(path, Role::Viewer).await.status, 200, "{path}");
    }
    assert_eq!(server.command(r#"{"do":"next"}"#).await.status, 200, "the slides go on");
    let mut demo = live.demo.clone();
    let another = demo.wait_for(|demo| demo.ready().is_some_and(|now| !Arc::ptr_eq(now, &first)));
    let second = tokio::time::timeout(DEADLINE, another).await.expect("in time").expect("kept").clone();
    let second = second.ready().expect("it is ready").clone();
    // What ran in the old one is over and does not count in the new one, which gets what is in the repository by itself.
    let journal = server.app.desk.runner.journal();
    live.eventually(async || {
        let journal = journal.borrow();
        journal.active.is_none() && journal.state("demo", "add") == State::Ready
    })
    .await;
    live.eventually(async || synced(&second).await).await;
    assert_eq!(super::steps::ran(server, &mut events, "add").await["state"], "passed");
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_side_that_does_not_start_is_tried_until_it_does() {
    let (sender, demo) = watch::channel(Demo::Off);
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = folder.path().join(".foredeck");
    std::fs::write(&blocked, "a file in the folder's place").expect("written");
    let plan = Plan {
        cluster: ClusterPlan::Embedded(Box::default()),
        repository: RepositoryPlan::Demo(repository::Plan {
            name: "demo".to_owned(),
            branch: "main".to_owned(),
            seed: None,
            base: "http://127.0.0.1:1/git".to_owned(),
            token: "the-token".to_owned(),
            time: 1_700_000_000,
        }),
        paths: Vec::new(),
        read_only: false,
        intervals: Intervals::default(),
        folder: Folder::of(folder.path()),
        home: None,
        program: env!("CARGO_BIN_EXE_foredeck").into(),
        path: std::env::var_os("PATH"),
        server: "http://127.0.0.1:1".to_owned(),
        fresh: true,
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(keep(plan, sender, stop.clone()));
    let mut seen = demo.clone();
    let failed = tokio::time::timeout(DEADLINE, seen.wait_for(|demo| matches!(demo, Demo::Failed(_)))).await;
    let why = format!("{:?}", *failed.expect("in time").expect("kept"));
    assert!(why.contains(".foredeck"), "{why}");
    std::fs::remove_file(&blocked).expect("removed");
    let ready = tokio::time::timeout(DEADLINE, seen.wait_for(|demo| demo.ready().is_some())).await;
    drop(ready.expect("in time").expect("kept"));
    stop.cancel();
    tokio::time::timeout(DEADLINE, task).await.expect("it ends in time").expect("it ends well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_goes_away_comes_back_to_the_panels_and_the_reconciler() {
    use foredeck::cluster::embedded::{Config, Embedded};
    use foredeck::runbook::trusted::Trusted;
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use kube::Api;
    use kube::api::{ObjectMeta, PostParams};

    use super::exec::{deck, says, until};

    let kept = tempfile::tempdir().expect("a folder");
    let config = |port| Config { plain_http: true, port, folder: Some(kept.path().into()), ..Config::default() };
    let cluster = Embedded::start(config(0)).await.expect("it starts");
    let (url, port) = (cluster.url(), cluster.address().port());
    let client = kube::Client::try_from(kube::Config::new(url.parse().expect("an address"))).expect("a client");
    let kubeconfig = kept.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).expect("written");
    let plan = ClusterPlan::Existing {
        client: client.clone(),
        name: "elsewhere".to_owned(),
        kubeconfig: kubeconfig.into(),
        ours: false,
    };
    let panel = "resources kind=configmap namespace=default";
    let test = ServerTest::new().deck("demo", Some(deck(&[], &[panel])));
    let state = test.root().join("state");
    let live = Live::on(test.with(|config| config.trusted = Trusted::new(Some(&state))), plan).await;
    let sandbox = live.sandbox().await;
    let mut speaker = live.server.listen("deck=demo", Role::Presenter, None).await;
    let mut audience = live.server.listen("deck=demo", Role::Viewer, None).await;
    until(&mut audience, panel, says("html", "kube-root-ca")).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    live.eventually(async || namespaces.get_opt("demo").await.is_ok_and(|found| found.is_some())).await;

    tokio::time::timeout(DEADLINE, cluster.stop()).await.expect("it ends in time");
    drop(cluster);
    let problem = until(&mut speaker, panel, |data| data["problem"].is_string()).await;
    assert_eq!(problem["stale"], true, "{problem}");
    let old = until(&mut audience, panel, |data| data["stale"] == true).await;
    assert!(old.get("problem").is_none(), "{old}");
    assert_eq!(live.server.get("/d/demo/", Role::Viewer).await.status, 200);
    let mut late = live.server.listen("deck=demo", Role::Viewer, None).await;
    let seen = until(&mut late, panel, says("html", "kube-root-ca")).await;
    assert_eq!(seen["stale"], true, "who comes now sees the last good frame, marked as old");

    let cluster = Embedded::start(config(port)).await.expect("it starts again");
    until(&mut audience, panel, |data| data["stale"] != true).await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    let metadata = ObjectMeta { name: Some("after".to_owned()), ..ObjectMeta::default() };
    let map = ConfigMap { metadata, ..ConfigMap::default() };
    maps.create(&PostParams::default(), &map).await.expect("it is made");
    until(&mut audience, panel, says("html", "after")).await;
    // The reconciler is at work again, too, and the demo side was never started anew.
    let file = sandbox.work_folder().join("deploy/more.yaml");
    std::fs::write(&file, "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: more\n").expect("written");
    git(sandbox.work_folder(), &["add", "deploy"]).await.expect("added");
    git(sandbox.work_folder(), &["commit", "-qm", "More"]).await.expect("committed");
    git(sandbox.work_folder(), &["push", "-q"]).await.expect("pushed");
    live.eventually(async || namespaces.get_opt("more").await.is_ok_and(|found| found.is_some())).await;
    assert!(Arc::ptr_eq(&live.sandbox().await, &sandbox));
    live.end().await;
    cluster.stop().await;
}
