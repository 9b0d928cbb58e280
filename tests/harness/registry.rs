//! Registries to test against: one of foredeck's, and ones that lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response};
use foredeck::cluster::registry::Hosted;
use foredeck::net::{self, Patience};
use foredeck::registry::credentials::Keyring;
use foredeck::registry::name::Name;
use foredeck::registry::remote::{Options, Remote};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// What a registry answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// HTTP as it is, with nothing done for anybody.
pub(crate) struct Raw {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: Option<String>,
}

impl Raw {
    pub(crate) fn new(base: String) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), base, authorization: None }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, media: &str, body: impl Into<Bytes>) -> Answer {
        let uri = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri).header("content-type", media);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        let (parts, body) = self.client.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Pushes an image as clients do: ask, be refused, fetch a token with a password, send blobs, send the manifest.
    /// Its digest comes back.
    pub(crate) async fn push(&mut self, hosted: &Hosted, name: &str, tag: &str, created: &str) -> String {
        self.authorization = None;
        let refused = self.ask(Method::GET, "/v2/", "", "").await;
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate");
        let realm = challenge.split('"').nth(1).expect("a realm").to_owned();
        let config: Value = serde_json::from_str(&hosted.docker_config()).expect("a configuration");
        let auth = config["auths"][hosted.address().to_string()]["auth"].as_str().expect("a login").to_owned();
        self.authorization = Some(format!("Basic {auth}"));
        let told = self.ask(Method::GET, &format!("{realm}?scope=repository:{name}:pull,push"), "", "").await;
        self.authorization = Some(format!("Bearer {}", told.json()["token"].as_str().expect("a token")));
        let image = image(created);
        for blob in [&image.config, &image.layer] {
            let begun = self.ask(Method::POST, &format!("/v2/{name}/blobs/uploads/"), "", "").await;
            assert_eq!(begun.status, 202);
            let upload = begun.header("location");
            let (start, rest) = blob.split_at(blob.len() / 2);
            let media = "application/octet-stream";
            assert_eq!(self.ask(Method::PATCH, &upload, media, start.to_owned()).await.status, 202);
            let done =
                self.ask(Method::PUT, &format!("{upload}?digest={}", digest(blob)), media, rest.to_owned()).await;
            assert_eq!(done.status, 201);
        }
        let path = format!("/v2/{name}/manifests/{tag}");
        let put = self.ask(Method::PUT, &path, MANIFEST, image.manifest.clone()).await;
        assert_eq!(put.status, 201, "{:?}", put.body);
        assert_eq!(put.header("docker-content-digest"), digest(&image.manifest));
        digest(&image.manifest)
    }
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A small image.
pub(crate) struct Made {
    pub(crate) config: String,
    pub(crate) layer: String,
    pub(crate) manifest: String,
}

pub(crate) fn image(created: &str) -> Made {
    let config = json!({"created": created, "architecture": "amd64", "os": "linux"}).to_string();
    let layer = format!("layer of {created}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(&config), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(&layer), "size": layer.len()}],
    });
    Made { config, layer, manifest: manifest.to_string() }
}

pub(crate) fn digest(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes.as_ref()).iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// What clients of test servers get.
pub(crate) const QUICK: Patience =
    Patience { head: Duration::from_secs(9), stall: Duration::from_secs(9), buffer: 64 * 1024 };

/// A server that answers whatever it likes.
pub(crate) struct Fake {
    pub(crate) host: String,
    asked: Arc<AtomicUsize>,
    _stop: DropGuard,
}

impl Fake {
    pub(crate) async fn new(answer: impl Fn(&str, Request<Body>) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let (stop, tasks, asked) = (CancellationToken::new(), TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
        let answer = Arc::new(answer);
        let (until, counted, name) = (stop.clone(), asked.clone(), host.clone());
        let serve = move |stream| {
            let (answer, counted, name) = (answer.clone(), counted.clone(), name.clone());
            let answer = move |request: Request<Body>| {
                counted.fetch_add(1, Ordering::Relaxed);
                let response = answer(&name, request);
                async move { response }
            };
            net::serve(stream, QUICK, until.clone(), answer)
        };
        tasks.spawn(net::accept(listener, 64, tasks.clone(), stop.clone(), serve));
        Self { host, asked, _stop: stop.drop_guard() }
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn name(&self, path: &str) -> Name {
        Name::parse(&format!("{}/{path}", self.host)).expect("a name")
    }
}

/// An answer.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a response")
}

/// A client that does not wait long.
pub(crate) fn client() -> Remote {
    let options = Options { limit: Duration::from_secs(5), backoff: Duration::from_millis(1), ..Options::default() };
    Remote::new(options).expect("a client")
}

pub(crate) fn nobody() -> Keyring {
    Keyring::default()
}
