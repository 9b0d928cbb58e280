//! `fluxctl`, called by that name, with a server, a repository, a cluster and a reconciler behind it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use foredeck::sandbox::Sandbox;
use foredeck::server::role::Role;
use jiff::Timestamp;
use serde_json::Value;

use super::demo::{Live, git};
use crate::harness::server::DEADLINE;

const WEB: &str = "\
# the shop window
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: demo
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: team/web:1.0.0 # mine
";

/// A live system with a deployment whose image has the tags 1.0.0 and 1.1.0, and `fluxctl` to ask it.
struct Shop {
    live: Live,
    sandbox: Arc<Sandbox>,
    program: PathBuf,
}

/// What a run gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Shop {
    async fn open() -> Self {
        let live = Live::with(&[("deploy/web.yaml", WEB)]).await;
        let sandbox = live.sandbox().await;
        let folder = live.server.folder.path();
        let program = folder.join("fluxctl");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_foredeck"), &program).expect("it works");
        let shop = Self { live, sandbox, program };
        shop.publish("1.0.0", 1_700_000_000);
        shop.publish("1.1.0", 1_700_001_000);
        shop.until_image("team/web:1.0.0").await;
        shop
    }

    fn publish(&self, tag: &str, second: i64) {
        let images = self.sandbox.embedded().expect("it works").images().clone();
        images.change(|images| images.publish("team/web", tag, Timestamp::from_second(second).expect("it works")));
    }

    /// Runs `fluxctl` as a terminal of the sandbox would.
    async fn flux(&self, args: &[&str]) -> Ran {
        self.run(&self.program, args).await
    }

    async fn run(&self, program: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command.args(args).env_clear().current_dir(self.live.server.folder.path());
        for (name, value) in &self.sandbox.tools.variables {
            command.env(name, value);
        }
        command.env("HOME", self.live.server.folder.path().join("home"));
        command.env("GIT_AUTHOR_NAME", "Ann").env("GIT_AUTHOR_EMAIL", "ann@example.com");
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it works").expect("it works");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    async fn fine(&self, args: &[&str]) -> Ran {
        let ran = self.flux(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran
    }

    async fn deployment(&self) -> Option<Value> {
        let api = kube::Api::<k8s_openapi::api::apps::v1::Deployment>::namespaced(self.sandbox.client.clone(), "demo");
        api.get_opt("web").await.expect("it works").map(|found| serde_json::to_value(found).expect("it works"))
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let found = self.deployment().await;
            if found.as_ref().is_some_and(&wanted) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}: {found:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn until_image(&self, image: &str) {
        let of =
            |web: &Value| web.pointer("/spec/template/spec/containers/0/image").is_some_and(|found| found == image);
        self.until(image, of).await;
        // What is known of images and workloads follows.
        let mut view = self.sandbox.automation.view();
        let seen = view.wait_for(|view| {
            let known = view.scans.get("index.docker.io/team/web").is_some_and(|scan| !scan.knowledge.tags.is_empty());
            let running = view.running.values().any(|side| {
                side.containers.as_ref().is_ok_and(|all| all.iter().any(|one| one.image.to_string() == image))
            });
            known && running
        });
        tokio::time::timeout(DEADLINE, seen).await.expect("it is seen in time").expect("automation works");
    }

    /// The newest commit's message and the file.
    async fn newest(&self) -> (String, String) {
        let work = self.sandbox.work_folder();
        git(work, &["fetch", "-q"]).await.expect("it works");
        let message = git(work, &["log", "-1", "--format=%B", "origin/main"]).await.expect("it works");
        (message, git(work, &["show", "origin/main:deploy/web.yaml"]).await.expect("it works"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_automated_image_is_committed_and_rolled_out() {
    let shop = Shop::open().await;
    let ran = shop.fine(&["automate", "-n", "demo", "-w", "deployment/web"]).await;
    assert_eq!(ran.out, "WORKLOAD             STATUS   UPDATES\ndemo:deployment/web  success  \n");
    assert!(ran.err.starts_with("Commit pushed:\t"), "{ran:?}");
    shop.until_image("team/web:1.1.0").await;
    let began = Instant::now();
    shop.publish("1.2.0", 1_700_002_000);
    shop.until_image("team/web:1.2.0").await;
    eprintln!("new tag → rolled out: {} ms", began.elapsed().as_millis());
    let (message, file) = shop.newest().await;
    assert_eq!(message.trim(), "Auto-release team/web:1.2.0");
    let wanted = WEB
        .replace("1.0.0", "1.2.0")
        .replace("  namespace: demo\n", "  namespace: demo\n  annotations:\n    fluxcd.io/automated: 'true'\n");
    assert_eq!(file, wanted.trim());
    let view = shop.sandbox.automation.view().borrow().clone();
    assert_eq!((view.commits.len(), view.problem.clone()), (2, None));
    let listed = shop.fine(&["list-workloads", "-n", "demo"]).await.out;
    assert!(listed.contains("team/web:1.2.0") && listed.contains("automated"), "{listed}");
    let images = shop.fine(&["list-images", "-n", "demo", "-w", "deployment/web"]).await.out;
    assert!(images.contains("'-> 1.2.0") && images.contains("    1.0.0"), "{images}");
    let metrics = shop.live.server.get("/metrics", Role::Viewer).await.text;
    assert!(metrics.contains("foredeck_images{state=\"scanned\"} 1\n"), "{metrics}");
    assert!(
        metrics.contains("flux_git_ready 1\n") && metrics.contains("foredeck_recent_image_commits 2\n"),
        "{metrics}"
    );
    shop.live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_have_a_user_and_a_message_and_hold() {
    let shop = Shop::open().await;
    shop.fine(&["lock", "-n", "demo", "-w", "deployment/web", "-m", "freeze"]).await;
    let (message, file) = shop.newest().await;
    assert_eq!(message.trim(), "freeze\n\n- Locked: demo:deployment/web\n- Updated policies: demo:deployment/web");
    for line in
        ["fluxcd.io/locked: 'true'", "fluxcd.io/locked_msg: freeze", "fluxcd.io/locked_user: Ann <ann@example.com>"]
    {
        assert!(file.contains(line), "{line}: {file}");
    }
    let release = ["release", "-n", "demo", "--workload=deployment/web", "--update-all-images", "-v"];
    let refused = shop.fine(&release).await;
    assert!(refused.out.contains("demo:deployment/web  skipped  locked"), "{refused:?}");
    let again = shop.fine(&["lock", "-n", "demo", "-w", "deployment/web", "-m", "freeze"]).await;
    assert_eq!(again.err, "Nothing to do\n");
    shop.fine(&["unlock", "-n", "demo", "-w", "deployment/web"]).await;
    assert_eq!(shop.newest().await.1, WEB.trim());
    let unknown = shop.fine(&["automate", "-n", "demo", "-w", "deployment/none"]).await;
    assert!(unknown.err.contains("resource demo:deployment/none not found"), "{unknown:?}");
    let dry = shop.fine(&["release", "-n", "demo", "--all", "--update-all-images", "--dry-run"]).await;
    let wanted = "WORKLOAD             STATUS   UPDATES\ndemo:deployment/web  success  app: team/web:1.0.0 -> 1.1.0\n";
    assert_eq!((dry.out.as_str(), dry.err.as_str()), (wanted, "Submitting dry-run release ...\n"));
    assert_eq!(shop.newest().await.1, WEB.trim(), "a dry run changes nothing");
    let done = shop
        .fine(&["release", "-n", "demo", "--workload=deployment/web", "--update-image=team/web:1.1.0", "--watch"])
        .await;
    assert!(done.err.contains("Commit applied:\t") && done.err.contains("All workloads ready."), "{done:?}");
    shop.until_image("team/web:1.1.0").await;
    let missing = shop.flux(&["release", "--all", "--update-image=team/web:9"]).await;
    assert_eq!((missing.code, missing.err.contains("image \"team/web:9\" does not exist")), (1, true), "{missing:?}");
    shop.live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_applies_again_what_was_deleted_although_head_is_the_same() {
    let shop = Shop::open().await;
    let synced = || shop.sandbox.reconciler.status().borrow().last().map(|record| record.number);
    let before = synced();
    let began = Instant::now();
    let ran = shop.fine(&["sync"]).await;
    eprintln!("fluxctl sync: {} ms", began.elapsed().as_millis());
    let lines: Vec<_> = ran.err.lines().collect();
    assert!(
        lines[0].starts_with("Synchronizing with ") && lines[1].starts_with("Revision of main to apply is "),
        "{lines:?}"
    );
    assert_eq!((lines.len(), lines[3]), (4, "Done."));
    assert!(synced() > before);
    let foredeck = Path::new(env!("CARGO_BIN_EXE_foredeck"));
    let told = shop.run(foredeck, &["reconcile", "status", "--words", "argo"]).await;
    assert!(
        told.out.contains("demo:deployment/web") && told.out.contains("Synced") && told.out.contains("sync in "),
        "{told:?}"
    );
    let json = shop.run(foredeck, &["reconcile", "status", "--json"]).await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let web = json["objects"].as_array().unwrap().iter().find(|object| object["id"] == "demo:deployment/web").unwrap();
    assert_eq!((&web["state"], &web["place"]["file"]), (&"in-sync".into(), &"deploy/web.yaml".into()), "{web}");
    let key = shop.fine(&["identity"]).await.out;
    assert!(key.starts_with("ssh-"), "{key}");
    assert_eq!(shop.fine(&["identity"]).await.out, key);
    let other = shop.fine(&["identity", "--regenerate"]).await.out;
    assert_ne!(other, key);
    assert_eq!(shop.fine(&["identity", "-l"]).await.out.matches(':').count(), 15);
    let saved = shop.fine(&["save", "-o", "saved"]).await.out;
    assert!(saved.contains("Saving Deployment 'web' to saved/demo/web-dep.yaml"), "{saved}");
    let text = std::fs::read_to_string(shop.live.server.folder.path().join("saved/demo/web-dep.yaml")).unwrap();
    assert!(text.contains("team/web:1.0.0") && !text.contains("resourceVersion"), "{text}");
    shop.live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_install_prints_can_be_applied() {
    let shop = Shop::open().await;
    let ran = shop.fine(&["install", "--git-url=git@github.com:me/x", "--git-email=a@b.c", "--namespace=demo"]).await;
    std::fs::write(shop.sandbox.work_folder().join("deploy/flux.yaml"), &ran.out).unwrap();
    let work = shop.sandbox.work_folder();
    for args in [&["add", "-A"][..], &["commit", "-q", "-m", "Install"]] {
        git(work, args).await.unwrap();
    }
    let began = Instant::now();
    git(work, &["push", "-q"]).await.unwrap();
    let mut status = shop.sandbox.reconciler.status();
    let applied = status.wait_for(|status| {
        let there = |id: &str| status.objects.values().any(|object| object.id == id && object.applied.is_some());
        there("demo:deployment/flux") && there("<cluster>:clusterrole/flux") && there("demo:secret/flux-git-deploy")
    });
    tokio::time::timeout(DEADLINE, applied).await.expect("it is applied in time").expect("the reconciler runs");
    eprintln!("push → applied: {} ms", began.elapsed().as_millis());
    shop.live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_with_the_token_are_answered() {
    let shop = Shop::open().await;
    let server = &shop.live.server;
    let ask = async |token: &str, path: &str, body: &str| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri(path).header(header::HOST, server.address.to_string());
        let request = request.header(header::AUTHORIZATION, token).body(Body::from(body.to_owned())).expect("it works");
        server.send(request).await
    };
    for (token, path, body, status) in [
        ("", "/flux/v11/version", "", 401),
        ("Bearer wrong", "/flux/v11/version", "", 401),
        ("Bearer the-token", "/flux/v11/version", "", 200),
        ("Scope-Probe token=the-token", "/flux/api/flux/v11/ping", "", 204),
        ("Bearer the-token", "/flux/v6/nothing", "", 404),
        ("Bearer the-token", "/flux/v6/jobs?id=x", "", 404),
        ("Bearer the-token", "/flux/v9/update-manifests", "{", 422),
        ("Bearer the-token", "/flux/v9/update-manifests", "{\"type\":\"odd\"}", 422),
        ("Bearer the-token", "/flux/v11/notify", "{\"Kind\":\"git\"}", 202),
        ("Bearer the-token", "/flux/foredeck/status", "", 200),
    ] {
        let answer = ask(token, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{token} {path} {body}: {}", answer.text);
    }
    let long = ask("Bearer the-token", "/flux/v9/update-manifests", &"x".repeat(300_000)).await;
    assert_eq!(long.status, 422);
    assert_eq!(server.get("/flux/v11/version", Role::Presenter).await.status, 200);
    assert_eq!(server.get("/flux/v11/version", Role::Remote).await.status, 401);
    let mut refused = Command::new(&shop.program);
    refused.arg("sync").env_clear().current_dir("/").env("PATH", "/usr/bin:/bin");
    let output = tokio::task::spawn_blocking(move || refused.output()).await.expect("it works").expect("it works");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), err.contains("No foredeck runs for this folder")), (Some(1), true), "{err}");
    shop.live.end().await;
}
