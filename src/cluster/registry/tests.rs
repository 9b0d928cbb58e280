//! Conversations with a registry, request by request.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::shelf::{DOCKER_TYPE, INDEX_TYPE, LIST_TYPE};
use super::*;
use crate::cluster::embedded::identity::Token;
use crate::cluster::sim::image::manifest::{MANIFEST_TYPE, digest};
use crate::cluster::sim::image::reference::Reference;
use crate::cluster::sim::image::{Images, Pull};

const CONFIG: &str = r#"{"created":"2031-05-06T07:08:09Z","architecture":"amd64","os":"linux"}"#;

struct Talk {
    registry: Registry,
    basic: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status and the code of the error.
    fn error(&self) -> (u16, String) {
        (self.status, self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Talk {
    fn new(pulls: Pulls, limit: Option<Limit>) -> Self {
        let login = Login { user: "foredeck".into(), password: Token::random().unwrap() };
        let basic = format!("Basic {}", STANDARD.encode(format!("foredeck:{}", login.password.text())));
        let images = SharedImages::new(Images::builtin());
        images.change(|images| images.serve_at(["127.0.0.1:5000".to_owned()]));
        let registry = Registry {
            images,
            clock: Clock::default(),
            access: Access::new(pulls, login, limit, Instant::now()),
            shelves: Mutex::default(),
            store: Mutex::default(),
        };
        Self { registry, basic }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:5000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.registry.answer(request.body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Body::empty()).await
    }

    async fn write(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(method, path, &[("authorization", &self.basic)], body).await
    }

    async fn blob(&self, name: &str, bytes: &'static [u8]) -> String {
        let digest = digest(bytes);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        assert_eq!(self.write(Method::POST, &path, bytes).await.status, 201);
        digest
    }

    async fn manifest(&self, path: &str, media: &str, body: String) -> Answer {
        let headers = [("authorization", self.basic.as_str()), ("content-type", media)];
        self.ask(Method::PUT, path, &headers, body).await
    }

    fn comes(&self, image: &str) -> bool {
        matches!(self.registry.images.look().pull(&Reference::parse(image).unwrap()), Pull::Comes(_))
    }
}

fn manifest(config: &str, layer: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": CONFIG.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5}],
    })
    .to_string()
}

#[tokio::test]
async fn names_and_tags_are_listed_in_pages() {
    let talk = Talk::new(Pulls::Open, None);
    let all = talk.get("/v2/_catalog").await.json();
    let names: Vec<_> = all["repositories"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"stefanprodan/podinfo") && names.contains(&"quay.io/weaveworks/flux"));
    for name in names {
        assert_eq!(talk.get(&format!("/v2/{name}/tags/list")).await.status, 200, "{name}");
    }
    let (mut path, mut seen) = ("/v2/stefanprodan/podinfo/tags/list?n=40".to_owned(), Vec::new());
    loop {
        let answer = talk.get(&path).await;
        assert_eq!(answer.json()["name"], "stefanprodan/podinfo");
        seen.extend(answer.json()["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()));
        let Some(next) = answer.header("link").strip_suffix(">; rel=\"next\"") else { break };
        path = next.trim_start_matches('<').to_owned();
    }
    let images = Images::builtin();
    assert_eq!(seen.len(), images.tags("stefanprodan/podinfo").len());
    assert!(seen.is_sorted());
    for (path, status, code) in [
        ("/v2/no/such/tags/list", 404, "NAME_UNKNOWN"),
        ("/v2/no/such/manifests/1", 404, "NAME_UNKNOWN"),
        ("/v2/nginx/manifests/none", 404, "MANIFEST_UNKNOWN"),
        ("/v2/nginx/manifests/sha256:0", 404, "MANIFEST_UNKNOWN"),
        ("/v2/nginx/blobs/sha256:0", 404, "BLOB_UNKNOWN"),
        ("/v2/NGINX/tags/list", 400, "NAME_INVALID"),
        ("/v2/nginx/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID"),
        ("/other", 404, "UNSUPPORTED"),
    ] {
        assert_eq!(talk.get(path).await.error(), (status, code.to_owned()), "{path}");
    }
    assert_eq!(talk.write(Method::DELETE, "/v2/nginx/manifests/latest", "").await.error().0, 405);
}

#[tokio::test]
async fn manifests_are_of_the_type_that_is_taken() {
    let talk = Talk::new(Pulls::Open, None);
    let path = "/v2/stefanprodan/podinfo/manifests/6.1.0";
    for (accept, media) in [
        ("*/*", MANIFEST_TYPE),
        ("application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json", MANIFEST_TYPE),
        (INDEX_TYPE, INDEX_TYPE),
        (DOCKER_TYPE, DOCKER_TYPE),
        (LIST_TYPE, LIST_TYPE),
    ] {
        let answer = talk.ask(Method::GET, path, &[("accept", accept)], "").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, media), "{accept}");
        let digest = digest(&answer.body);
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        let again = talk.get(&format!("/v2/stefanprodan/podinfo/manifests/{digest}")).await;
        assert_eq!((&again.body, again.header("content-type")), (&answer.body, media));
        let etag = answer.header("etag");
        let known = talk.ask(Method::GET, path, &[("accept", accept), ("if-none-match", etag)], "").await;
        assert_eq!((known.status, known.body.len()), (304, 0));
    }
    let refused = talk.ask(Method::GET, path, &[("accept", "application/x")], "").await;
    assert_eq!(refused.error(), (404, "MANIFEST_UNKNOWN".to_owned()));
    let images = Images::builtin();
    let id = images.image_id(&Reference::parse("stefanprodan/podinfo:6.1.0").unwrap());
    assert!(id.ends_with(talk.get(path).await.header("docker-content-digest")), "pods name what the registry serves");
}

#[tokio::test]
async fn a_browser_on_another_page_gets_nothing() {
    let talk = Talk::new(Pulls::Open, None);
    for (host, status) in [
        ("localhost:5000", 200),
        ("[::1]:5000", 200),
        ("127.0.0.1", 200),
        ("evil.example", 403),
        ("evil.example:5000", 403),
    ] {
        let request = Request::builder().uri("/v2/_catalog").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(talk.registry.answer(request).await.status().as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn an_image_is_pushed_in_pieces() {
    let talk = Talk::new(Pulls::Open, None);
    let mut changes = talk.registry.images.follow();
    changes.borrow_and_update();
    assert!(!talk.comes("127.0.0.1:5000/team/app:v1"));
    let layer = digest(b"layer");
    let begun = talk.write(Method::POST, "/v2/team/app/blobs/uploads/", "").await;
    assert_eq!((begun.status, begun.header("range")), (202, "0-0"));
    let upload = begun.header("location").to_owned();
    let piece = talk.write(Method::PATCH, &upload, "lay").await;
    assert_eq!((piece.status, piece.header("range")), (202, "0-2"));
    let headers = [("authorization", talk.basic.as_str()), ("content-range", "9-11")];
    assert_eq!(talk.ask(Method::PATCH, &upload, &headers, "er").await.error().0, 416);
    assert_eq!(talk.write(Method::GET, &upload, "").await.header("range"), "0-2");
    let done = talk.write(Method::PUT, &format!("{upload}?digest={layer}"), "er").await;
    assert_eq!((done.status, done.header("docker-content-digest")), (201, layer.as_str()));
    assert_eq!(talk.get(done.header("location")).await.body, "layer");
    assert_eq!(talk.write(Method::PUT, &format!("{upload}?digest={layer}"), "").await.error().1, "BLOB_UPLOAD_UNKNOWN");

    let config = digest(CONFIG.as_bytes());
    let early = talk.manifest("/v2/team/app/manifests/v1", MANIFEST_TYPE, manifest(&config, &layer)).await;
    assert_eq!(early.error(), (400, "MANIFEST_BLOB_UNKNOWN".to_owned()));
    talk.blob("team/app", CONFIG.as_bytes()).await;
    let put = talk.manifest("/v2/team/app/manifests/v1", MANIFEST_TYPE, manifest(&config, &layer)).await;
    assert_eq!(put.status, 201, "{:?}", put.body);

    assert!(changes.has_changed().unwrap());
    assert!(talk.comes("127.0.0.1:5000/team/app:v1") && talk.comes("team/app:v1"));
    assert!(!talk.comes("127.0.0.1:5000/team/app:v2"));
    let images = talk.registry.images.look();
    let created: jiff::Timestamp = "2031-05-06T07:08:09Z".parse().unwrap();
    assert_eq!(images.tags("team/app").iter().map(|tag| tag.created).collect::<Vec<_>>(), [created]);
    let id = images.image_id(&Reference::parse("team/app:v1").unwrap());
    drop(images);
    assert!(id.ends_with(put.header("docker-content-digest")), "{id}");
    let got = talk.get("/v2/team/app/manifests/v1").await;
    assert_eq!(got.body, manifest(&config, &layer));
    assert_eq!(talk.get("/v2/team/app/tags/list").await.json(), json!({"name": "team/app", "tags": ["v1"]}));

    let index = json!({
        "schemaVersion": 2,
        "manifests": [{"mediaType": MANIFEST_TYPE, "digest": put.header("docker-content-digest"), "size": got.body.len()}],
    });
    let put = talk.manifest("/v2/team/app/manifests/many", INDEX_TYPE, index.to_string()).await;
    assert_eq!(put.status, 201);
    assert_eq!(talk.registry.images.look().tags("team/app").last().map(|tag| tag.created), Some(created));
    let unfit = talk.ask(Method::GET, "/v2/team/app/manifests/many", &[("accept", MANIFEST_TYPE)], "").await;
    assert_eq!(unfit.error(), (404, "MANIFEST_UNKNOWN".to_owned()));

    // The presenter builds the same tag anew: what was pushed is behind it from now on.
    talk.registry.images.change(|images| images.publish("team/app", "v1", created));
    assert_ne!(talk.get("/v2/team/app/manifests/v1").await.body, got.body);
}

#[tokio::test]
async fn what_is_no_image_is_not_taken() {
    let talk = Talk::new(Pulls::Open, None);
    let (config, layer) = (talk.blob("a", CONFIG.as_bytes()).await, talk.blob("a", b"layer").await);
    let whole = manifest(&config, &layer);
    for (path, media, body, code) in [
        ("v1", "text/plain", whole.clone(), "MANIFEST_INVALID"),
        ("v1", DOCKER_TYPE, whole.clone(), "MANIFEST_INVALID"),
        ("v1", MANIFEST_TYPE, "{".to_owned(), "MANIFEST_INVALID"),
        ("v1", MANIFEST_TYPE, "[]".to_owned(), "MANIFEST_INVALID"),
        ("v1", MANIFEST_TYPE, whole.replace('2', "1"), "MANIFEST_INVALID"),
        ("-v1", MANIFEST_TYPE, whole.clone(), "TAG_INVALID"),
        ("sha256:0", MANIFEST_TYPE, whole.clone(), "DIGEST_INVALID"),
        ("v1", MANIFEST_TYPE, manifest(&config, "x"), "MANIFEST_BLOB_UNKNOWN"),
        ("v1", MANIFEST_TYPE, " ".repeat(5 << 20), "SIZE_INVALID"),
    ] {
        let answer = talk.manifest(&format!("/v2/a/manifests/{path}"), media, body).await;
        assert_eq!(answer.error().1, code, "{path} {media}");
    }
    let wrong = talk.write(Method::POST, "/v2/a/blobs/uploads/?digest=sha256:0", "x").await;
    assert_eq!(wrong.error(), (400, "DIGEST_INVALID".to_owned()));
    let begun = talk.write(Method::POST, "/v2/a/blobs/uploads/", "").await;
    assert_eq!(talk.write(Method::PUT, begun.header("location"), "").await.error().1, "DIGEST_INVALID");
    let elsewhere = begun.header("location").replace("/a/", "/b/");
    assert_eq!(talk.write(Method::PATCH, &elsewhere, "x").await.error().1, "BLOB_UPLOAD_UNKNOWN");
    assert!(!talk.comes("127.0.0.1:5000/a:v1"));
}

#[tokio::test]
async fn blobs_are_mounted() {
    let talk = Talk::new(Pulls::Open, None);
    let manifest = talk.get("/v2/stefanprodan/podinfo/manifests/6.1.0").await.json();
    let base = manifest["layers"][0]["digest"].as_str().unwrap();
    let path = |from: &str, what: &str| format!("/v2/mine/app/blobs/uploads/?mount={what}&from={from}");
    let mounted = talk.write(Method::POST, &path("stefanprodan/podinfo", base), "").await;
    assert_eq!((mounted.status, mounted.header("docker-content-digest")), (201, base));
    assert_eq!(talk.get(mounted.header("location")).await.status, 200);
    assert_eq!(talk.write(Method::POST, &path("nginx", &digest(b"none")), "").await.status, 202);
}

#[tokio::test]
async fn tokens_are_asked_for() {
    let talk = Talk::new(Pulls::Token, None);
    let refused = talk.get("/v2/nginx/tags/list").await;
    assert_eq!(refused.error(), (401, "UNAUTHORIZED".to_owned()));
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer realm=\"http://127.0.0.1:5000/token\",service=\"foredeck\",scope=\"repository:nginx:pull\""
    );
    let told = talk.get("/token?service=foredeck&scope=repository:nginx:pull,push").await.json();
    let bearer = format!("Bearer {}", told["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(talk.ask(Method::GET, "/v2/nginx/tags/list", &headers, "").await.status, 200);
    assert_eq!(talk.ask(Method::GET, "/v2/", &headers, "").await.status, 200);
    let push = talk.ask(Method::POST, "/v2/nginx/blobs/uploads/", &headers, "").await;
    assert!(push.header("www-authenticate").ends_with("error=\"insufficient_scope\""));

    let open = Talk::new(Pulls::Open, None);
    assert_eq!(open.get("/v2/nginx/tags/list").await.status, 200);
    assert_eq!(open.get("/v2/").await.status, 401, "clients learn here where tokens are");
    assert_eq!(open.ask(Method::POST, "/v2/nginx/blobs/uploads/", &[], "").await.status, 401);
    let path = "/token?scope=repository:nginx:pull,push";
    let wrong = open.ask(Method::GET, path, &[("authorization", "Basic eDp5")], "").await;
    assert_eq!(wrong.error(), (401, "UNAUTHORIZED".to_owned()));
    let told = open.ask(Method::GET, path, &[("authorization", &open.basic)], "").await.json();
    let bearer = format!("Bearer {}", told["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(open.ask(Method::POST, "/v2/nginx/blobs/uploads/", &headers, "").await.status, 202);
}

#[tokio::test]
async fn too_many_requests_have_to_wait() {
    let limit = Limit { requests: 1, every: Duration::from_secs(3600) };
    let talk = Talk::new(Pulls::Open, Some(limit));
    assert_eq!(talk.get("/v2/nginx/tags/list").await.status, 200);
    let refused = talk.get("/v2/nginx/tags/list").await;
    assert_eq!(refused.error(), (429, "TOOMANYREQUESTS".to_owned()));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((3590..=3600).contains(&wait), "{wait}");
    assert_ne!(talk.get("/token").await.status, 429);
}
