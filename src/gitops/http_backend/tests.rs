//! Real git against a server on this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as AxumBody;
use axum::extract::{Request as AxumRequest, State};
use axum::response::Response;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::{Backend, Request};
use crate::gitops::git::Program;
use crate::gitops::git::testing::Forge;

struct Served {
    address: String,
    pushed: mpsc::UnboundedReceiver<String>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn handle(
    State((backend, sender)): State<(Arc<Backend>, mpsc::UnboundedSender<String>)>,
    request: AxumRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let headers: Vec<(&str, &str)> =
        parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request = Request {
        method: parts.method.as_str(),
        path: parts.uri.path().strip_prefix("/git").unwrap_or(""),
        query: parts.uri.query().unwrap_or(""),
        headers: &headers,
    };
    let body = body.into_data_stream().map(|chunk| chunk.map_err(std::io::Error::other));
    let answer = backend.serve(request, body, move |repo| drop(sender.send(repo.to_owned()))).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(AxumBody::from_stream(answer.body)).unwrap()
}

async fn serve(forge: &Forge, change: impl FnOnce(&mut Backend)) -> Served {
    let repos = BTreeMap::from([("demo".to_owned(), forge.remote())]);
    let mut backend = Backend::new(Program::default(), repos, Some("secret".to_owned()));
    change(&mut backend);
    let (sender, pushed) = mpsc::unbounded_channel();
    let state = (Arc::new(backend), sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let state = state.clone();
            let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (state, request) = (State(state.clone()), request.map(AxumBody::new));
                async move { Ok::<_, std::convert::Infallible>(handle(state, request).await) }
            });
            let stream = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(stream, service));
        }
    });
    Served { address, pushed, task }
}

async fn git(dir: &Path, args: &[&str]) -> Output {
    let (dir, args) = (dir.to_path_buf(), args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>());
    let run = move || {
        let mut command = Command::new("git");
        command.current_dir(dir).args(["-c", "user.name=Ann", "-c", "user.email=a@b"]).args(args);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0").output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn good(dir: &Path, args: &[&str]) {
    let output = git(dir, args).await;
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn bad(dir: &Path, args: &[&str]) -> String {
    let output = git(dir, args).await;
    assert!(!output.status.success(), "git {args:?} went well");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn learners_clone_and_push() {
    let forge = Forge::new();
    let first = forge.push("a.yaml", "a: 1\n");
    let mut served = serve(&forge, |_| {}).await;
    let url = format!("http://{}/git/demo.git", served.address);
    let clone = forge.path("clone");
    good(&forge.path(""), &["clone", "-q", &url, "clone"]).await;
    std::fs::write(clone.join("b.yaml"), "b: 1\n").unwrap();
    good(&clone, &["add", "-A"]).await;
    good(&clone, &["commit", "-q", "-m", "more"]).await;
    let refused = bad(&clone, &["push", "-q"]).await;
    assert!(refused.contains("could not read Username"), "{refused}");
    let wrong = url.replace("http://", "http://x:wrong@");
    let refused = bad(&clone, &["push", "-q", &wrong, "HEAD:master"]).await;
    assert!(refused.contains("Authentication failed"), "{refused}");
    assert_eq!(forge.git(&forge.remote(), &["rev-parse", "master"]), first);
    assert!(served.pushed.try_recv().is_err());
    let with_token = url.replace("http://", "http://x:secret@");
    good(&clone, &["push", "-q", &with_token, "HEAD:master"]).await;
    assert_eq!(served.pushed.recv().await.as_deref(), Some("demo"));
    assert_ne!(forge.git(&forge.remote(), &["rev-parse", "master"]), first);
    good(&forge.path(""), &["clone", "-q", &url, "again"]).await;
    assert!(forge.path("again/b.yaml").is_file());
    let missing = bad(&forge.path(""), &["clone", "-q", &url.replace("demo", "other"), "no"]).await;
    assert!(missing.contains("not found"), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_are_bounded() {
    let forge = Forge::new();
    forge.push("a.yaml", "a: 1\n");
    let served = serve(&forge, |backend| backend.most = 100_000).await;
    let url = format!("http://x:secret@{}/git/demo.git", served.address);
    let mut noise = vec![0; 300_000];
    getrandom::fill(&mut noise).unwrap();
    std::fs::write(forge.work().join("noise.bin"), noise).unwrap();
    forge.commit("noise", &[]);
    bad(&forge.work(), &["push", "-q", &url, "HEAD:master"]).await;
    assert_eq!(forge.git(&forge.remote(), &["log", "--oneline", "master"]).lines().count(), 1);
    // Without a token nobody pushes at all.
    let closed = serve(&forge, |backend| backend.token = None).await;
    let url = format!("http://{}/git/demo.git", closed.address);
    let refused = bad(&forge.work(), &["push", "-q", &url, "HEAD:master"]).await;
    assert!(refused.contains("403"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_hangs_is_ended() {
    let forge = Forge::new();
    forge.push("a.yaml", "a: 1\n");
    let repos = BTreeMap::from([("demo".to_owned(), forge.remote())]);
    let mut backend = Backend::new(Program::default(), repos, None);
    backend.limit = Duration::from_millis(300);
    let request = Request {
        method: "POST",
        path: "/demo.git/git-upload-pack",
        query: "",
        headers: &[("content-type", "application/x-git-upload-pack-request")],
    };
    let answer = backend.serve(request, futures::stream::pending(), |_| {}).await;
    let chunks: Vec<_> = answer.body.collect().await;
    let last = chunks.last().and_then(|chunk| chunk.as_ref().err()).map(std::io::Error::kind);
    assert_eq!(last, Some(std::io::ErrorKind::TimedOut));
}
