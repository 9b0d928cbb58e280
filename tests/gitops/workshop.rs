//! The workshop's path: clone, push, see it applied, delete and change things with `kubectl`, see them come back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::gitops::demo_repo::{DemoRepo, Seed};
use foredeck::gitops::git::identity::KeyOptions;
use foredeck::gitops::git::{Person, Program, Remote};
use foredeck::gitops::http_backend::{Backend, Request};
use foredeck::gitops::reconciler::{Handle, Reconciler};
use foredeck::gitops::settings::Settings;
use foredeck::gitops::source::Phase;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::harness::gitops::{Forge, GitopsTest, PATIENCE, config, deployment};

/// Serves a repository over HTTP, as the presentation server does.
async fn serve(backend: Backend, handle: Handle) -> (String, tokio::task::JoinHandle<()>) {
    let backend = Arc::new(backend);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (backend, handle) = (backend.clone(), handle.clone());
            let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (backend, handle) = (backend.clone(), handle.clone());
                async move { Ok::<_, std::convert::Infallible>(answer(&backend, handle, request).await) }
            });
            let stream = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(stream, service));
        }
    });
    (address, task)
}

async fn answer(
    backend: &Backend,
    handle: Handle,
    request: hyper::Request<hyper::body::Incoming>,
) -> hyper::Response<axum::body::Body> {
    let (parts, body) = request.into_parts();
    let headers: Vec<(&str, &str)> =
        parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request = Request {
        method: parts.method.as_str(),
        path: parts.uri.path().strip_prefix("/git").unwrap_or(""),
        query: parts.uri.query().unwrap_or(""),
        headers: &headers,
    };
    let body = axum::body::Body::new(body).into_data_stream().map(|chunk| chunk.map_err(std::io::Error::other));
    let answer = backend.serve(request, body, move |_| handle.pushed()).await;
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(axum::body::Body::from_stream(answer.body)).expect("a response")
}

async fn run(program: &str, dir: &Path, args: &[&str], kubeconfig: &Path) -> String {
    let mut command = Command::new(program);
    command.current_dir(dir).args(args).env("KUBECONFIG", kubeconfig);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Ann").env(format!("GIT_{role}_EMAIL"), "ann@example.com");
    }
    let line = format!("{program} {args:?}");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it ends").expect("it starts");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_walks_the_path() {
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        eprintln!("skipped: there is no kubectl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (root, kubeconfig) = (folder.path(), folder.path().join("kubeconfig"));
    let cluster = Embedded::start(Config::default()).await.unwrap();
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    std::fs::create_dir_all(root.join("seed/deploy")).unwrap();
    std::fs::write(root.join("seed/deploy/web.yaml"), deployment("web", 1)).unwrap();
    let (seeder, seed) = (Person::parse("Foredeck <foredeck@example.com>"), root.join("seed"));
    let seed = Seed { folder: Some(&seed), author: &seeder, time: 1_700_000_000 };
    let repo = DemoRepo::open(Program::default(), &root.join("repo.git"), "master", seed).await.unwrap();
    let remote = Remote::new(&repo.dir().display().to_string(), "master");
    let mut settings = Settings::new(Some(remote), root.join("foredeck"));
    settings.paths = vec!["deploy".to_owned()];
    let (reconciler, handle) = Reconciler::new(settings, cluster.client()).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(reconciler.run(stop.clone()));
    let repos = BTreeMap::from([("demo".to_owned(), repo.dir().to_path_buf())]);
    let backend = Backend::new(Program::default(), repos, Some("secret".to_owned()));
    let (address, server) = serve(backend, handle.clone()).await;
    let work = root.join("work");
    run("git", root, &["clone", "-q", &format!("http://me:secret@{address}/git/demo.git"), "work"], &kubeconfig).await;
    std::fs::write(work.join("deploy/podinfo.yaml"), deployment("podinfo", 1)).unwrap();
    run("git", &work, &["add", "-A"], &kubeconfig).await;
    run("git", &work, &["commit", "-q", "-m", "Add podinfo"], &kubeconfig).await;
    run("git", &work, &["push", "-q"], &kubeconfig).await;
    let kubectl = async |args: &[&str]| run("kubectl", root, args, &kubeconfig).await;
    let until = async |args: &[&str], wanted: &str| {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = kubectl(args).await;
            if found == wanted {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{args:?} gives {found} instead of {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let names = &["get", "deployments", "-o", "name"];
    until(names, "deployment.apps/podinfo\ndeployment.apps/web").await;
    kubectl(&["delete", "deployment", "podinfo"]).await;
    until(names, "deployment.apps/podinfo\ndeployment.apps/web").await;
    kubectl(&["scale", "deployment", "podinfo", "--replicas", "5"]).await;
    let replicas = &["get", "deployment", "podinfo", "-o", "jsonpath={.spec.replicas}"];
    until(replicas, "1").await;
    std::fs::write(work.join("deploy/podinfo.yaml"), deployment("podinfo", 4)).unwrap();
    run("git", &work, &["commit", "-q", "-a", "-m", "More"], &kubeconfig).await;
    run("git", &work, &["push", "-q"], &kubeconfig).await;
    until(replicas, "4").await;
    let status = handle.status().borrow().clone();
    let state = status.objects.values().find(|state| state.name == "podinfo").unwrap();
    assert_eq!(state.place.as_ref().unwrap().to_string(), "deploy/podinfo.yaml:1");
    run("git", &work, &["fetch", "-q", "--tags"], &kubeconfig).await;
    let head = run("git", &work, &["rev-parse", "HEAD"], &kubeconfig).await;
    assert_eq!(handle.unsynced(Some(head)).await.unwrap(), []);
    stop.cancel();
    task.await.unwrap();
    server.abort();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ssh_key_is_in_the_secret() {
    let test = GitopsTest::with(Forge::new(), |settings| {
        settings.remote = Some(Remote::new("git@name.invalid:demo/config.git", "master"));
        settings.ssh_key = Some(KeyOptions { kind: Some("ed25519".to_owned()), ..KeyOptions::default() });
    })
    .await;
    test.until("the host is not found", |status| status.source.phase == Phase::Unreachable).await;
    let public = test.handle.identity(false).await.unwrap();
    let secret = test.get("v1", "Secret", "flux-git-deploy").await.unwrap();
    let kept =
        secret.pointer("/data").and_then(|data| data.get("identity.pub")).and_then(|text| text.as_str()).unwrap();
    use base64::Engine as _;
    let kept = base64::prelude::BASE64_STANDARD.decode(kept).unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), public);
    assert_ne!(test.handle.identity(true).await.unwrap(), public);
    test.stop().await;
    // A repository without SSH has one, too: it is what a learner gives to a forge.
    let test = GitopsTest::with(Forge::new(), |settings| settings.ssh_key = Some(KeyOptions::default())).await;
    assert!(test.handle.identity(false).await.unwrap().starts_with("ssh-"));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_want_to_do_harm_do_none() {
    let test = GitopsTest::start().await;
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        let repeated = vec![format!("*{before}"); 9].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{repeated}]\n"));
    }
    test.forge.write("bomb.yaml", &bomb);
    test.forge.write("deep.yaml", &format!("a: {}{}\n", "[".repeat(5000), "]".repeat(5000)));
    std::fs::write(test.forge.work().join("binary.yaml"), b"\x00\xff\xfe\x01").unwrap();
    test.forge.write("huge.yaml", &format!("a: \"{}\"\n", "x".repeat(9 << 20)));
    std::os::unix::fs::symlink("/etc/hostname", test.forge.work().join("out.yaml")).unwrap();
    test.forge.write("good.yaml", &config("good", "1"));
    let record = test.push().await;
    let paths: Vec<&str> = record.errors.iter().map(|error| error.path.split(':').next().unwrap()).collect();
    assert_eq!(paths, ["out.yaml", "binary.yaml", "bomb.yaml", "deep.yaml", "huge.yaml"]);
    assert_eq!(record.counts.created, 1, "{record:?}");
    test.stop().await;
}
