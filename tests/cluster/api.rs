//! What the API server answers, request by request: statuses, texts and forms of kube-apiserver 1.36.

use foredeck::cluster::embedded::{Config, Embedded};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::harness::cluster::until;

const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// An embedded cluster, asked without a network.
struct Server {
    client: Client,
    embedded: Embedded,
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn message(&self) -> String {
        self.value()["message"].as_str().unwrap_or(&self.text).to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Server {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let embedded = Embedded::start(Config::default()).await.expect("a cluster starts");
        Self { client: embedded.client(), embedded }
    }

    /// A request with headers and a body.
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(&self.client, method, path, headers, body).await
    }

    async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn patch(&self, path: &str, media: &str, body: &str) -> Answer {
        self.send("PATCH", path, &[("content-type", media)], body).await
    }

    async fn make(&self, name: &str) {
        let made = self.json("POST", MAPS, &json!({"metadata": {"name": name}, "data": {"a": "1"}})).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
}

async fn ask(client: &Client, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.as_bytes().to_vec())).expect("a request");
    let response = client.send(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let text = body.collect().await.expect("a body").to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8_lossy(&text).into_owned() }
}

#[tokio::test]
async fn paths_and_methods() {
    let server = Server::start().await;
    let nothing = "404 page not found\n";
    let unknown = "the server could not find the requested resource";
    let not_allowed = "the server does not allow this method on the requested resource";
    let cases = [
        ("POST", "/nope", 404, nothing),
        ("POST", "/apis/nope", 404, nothing),
        ("POST", "/apis/apps", 405, not_allowed),
        ("PUT", "/version", 405, not_allowed),
        ("POST", "/healthz", 200, "ok"),
        ("GET", "/livez/etcd", 200, "ok"),
        ("GET", "/livez/nope", 404, nothing),
        ("GET", "/api/v1/bindings", 404, unknown),
        ("GET", "/api/v1/namespaces/default/bindings", 405, not_allowed),
        ("GET", "/apis/authentication.k8s.io/v1/tokenreviews/x", 404, unknown),
        ("POST", "/api/v1/pods/x", 404, unknown),
        ("POST", "/api/v1/configmaps", 405, not_allowed),
        ("GET", "/api/v1/namespaces/default/configmaps/a%2Fb", 404, unknown),
        ("GET", "/api/v1/namespaces/default/configmaps/..", 400, "Name parameter invalid: \"..\": may not be '..'"),
        (
            "GET",
            "/api/v1/namespaces/default/configmaps/a%25",
            400,
            "Name parameter invalid: \"a%\": may not contain '%'",
        ),
    ];
    for (method, path, status, message) in cases {
        let answer = server.send(method, path, &[("content-type", "application/json")], "").await;
        assert_eq!((answer.status, answer.message().as_str()), (status, message), "{method} {path}");
    }
    server.embedded.stop().await;
}

#[tokio::test]
async fn answers_take_the_form_that_is_wanted() {
    let server = Server::start().await;
    let missing = format!("{MAPS}/missing");
    let yaml = server.send("GET", &missing, &[("accept", "application/yaml")], "").await;
    assert_eq!((yaml.status, yaml.header("content-type")), (404, "application/yaml"));
    assert!(yaml.text.contains("\nmessage: configmaps \"missing\" not found\n"), "{}", yaml.text);
    for path in [&missing, "/api", "/api/v1/namespaces", "/api/v1/namespaces/default"] {
        let plain = server.get(path).await;
        assert!(!plain.text.contains("\n  "), "{path}");
        let pretty = server.send("GET", path, &[("user-agent", "curl/8.5.0")], "").await;
        assert!(pretty.text.starts_with("{\n  \"kind\""), "{path}: {}", pretty.text);
        assert_eq!(pretty.value(), plain.value());
    }
    assert!(server.get("/version").await.text.starts_with("{\n  \"major\""), "the version is always indented");
    server.embedded.stop().await;
}

#[tokio::test]
async fn bodies_that_do_not_fit() {
    let server = Server::start().await;
    let cases = [
        (
            r#"{"kind":"Foo","apiVersion":"v1"}"#,
            r#"Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30""#,
        ),
        (
            r#"{"kind":"Secret","apiVersion":"v1"}"#,
            r#"Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion"#,
        ),
        (
            r#"{"apiVersion":"a/b/c"}"#,
            r#"the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})"#,
        ),
        (
            r#"{"metadata":1}"#,
            r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.metadata of type v1.ObjectMeta"#,
        ),
    ];
    for (body, message) in cases {
        let answer = server.send("POST", MAPS, &[("content-type", "Application/JSON; charset=utf-8")], body).await;
        assert_eq!((answer.status, answer.message().as_str()), (400, message), "{body}");
    }
    let odd = server.send("POST", MAPS, &[("content-type", ";;")], "{}").await;
    assert_eq!(odd.status, 415);
    server.embedded.stop().await;
}

#[tokio::test]
async fn patches_that_do_not_fit() {
    let server = Server::start().await;
    server.make("a").await;
    let path = format!("{MAPS}/a");
    let strict = format!("{path}?fieldValidation=Strict");
    let cases = [
        (&path, MERGE, r#"{"kind":"Foo"}"#, 422, r#"no kind "Foo" is registered for version "v1""#),
        (&path, STRATEGIC, r#"{"kind":"Foo"}"#, 200, ""),
        (&strict, MERGE, r#"{"data":{"a":"1","a":"2"}}"#, 422, r#"strict decoding error: duplicate field "data.a""#),
        (
            &strict,
            STRATEGIC,
            r#"{"data":{"a":"1","a":"2"}}"#,
            422,
            r#"strict decoding error: duplicate field "data.a""#,
        ),
        (
            &strict,
            JSON_PATCH,
            r#"[{"op":"add","path":"/data/b","value":"1","x":1}]"#,
            422,
            r#"strict decoding error: json patch unknown field "[0].x""#,
        ),
        (
            &path,
            MERGE,
            r#"{"metadata":{"deletionTimestamp":"2001-01-01T00:00:00Z"}}"#,
            422,
            "field is immutable; may only be changed via deletion",
        ),
        (
            &path,
            MERGE,
            r#"{"metadata":{"name":null}}"#,
            400,
            "(a based on URL) was undeterminable: name must be provided",
        ),
    ];
    for (path, media, body, status, part) in cases {
        let answer = server.patch(path, media, body).await;
        let fits = answer.status == status && (status == 200 || answer.message().contains(part));
        assert!(fits, "{body}: {} {}", answer.status, answer.text);
    }
    let warned = server.patch(&path, MERGE, r#"{"data":{"a":"1","a":"3"}}"#).await;
    assert_eq!(warned.header("warning"), r#"299 - "duplicate field \"data.a\"""#);
    let ignored = server.patch(&format!("{path}?fieldValidation=Ignore"), MERGE, r#"{"data":{"a":"1","a":"4"}}"#).await;
    assert_eq!((ignored.header("warning"), &ignored.value()["data"]["a"]), ("", &json!("4")));
    server.embedded.stop().await;
}

#[tokio::test]
async fn an_apply_says_what_it_is() {
    let server = Server::start().await;
    server.make("a").await;
    let path = |name: &str| format!("{MAPS}/{name}?fieldManager=me");
    let cases = [
        ("a", r#"{"apiVersion":"v1","kind":"Secret"}"#, 400, "invalid object type: /v1, Kind=Secret"),
        ("a", "null", 400, "invalid object type: /, Kind="),
        (
            "a",
            "[]",
            400,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of \
             type map[string]interface {}",
        ),
        (
            "new",
            r#"{"apiVersion":"v1","kind":"ConfigMap"}"#,
            400,
            "the name of the object (new based on URL) was undeterminable: name must be provided",
        ),
    ];
    for (name, body, status, message) in cases {
        let answer = server.patch(&path(name), APPLY, body).await;
        assert_eq!((answer.status, answer.message().as_str()), (status, message), "{body}");
    }
    let nameless = server.patch(&path("a"), APPLY, r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"b":"2"}}"#).await;
    assert_eq!(nameless.value()["data"], json!({"a": "1", "b": "2"}));
    server.embedded.stop().await;
}

#[tokio::test]
async fn deletions() {
    let server = Server::start().await;
    server.make("a").await;
    let path = format!("{MAPS}/a");
    let cases = [
        (
            r#"{"propagationPolicy":"Nope"}"#,
            422,
            r#"DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Nope": supported values: "Foreground", "Background", "Orphan", "nil""#,
        ),
        (
            r#"{"propagationPolicy":"Orphan","orphanDependents":true}"#,
            422,
            r#"DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set"#,
        ),
        (
            r#"{"gracePeriodSeconds":"x"}"#,
            400,
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        ),
        (r#"{"kind":"ConfigMap","apiVersion":"v1"}"#, 400, "decoded object cannot be converted to DeleteOptions"),
    ];
    for (body, status, message) in cases {
        let answer = server.send("DELETE", &path, &[("content-type", "application/json")], body).await;
        assert_eq!((answer.status, answer.message().as_str()), (status, message), "{body}");
    }
    let before = server.get(&path).await.value();
    let all = server.send("DELETE", &format!("{MAPS}?fieldSelector=metadata.name%3Da"), &[], "").await.value();
    assert_eq!(all["items"][0]["metadata"], before["metadata"], "the list is that from before");
    assert_eq!(server.get(&path).await.status, 404);
    server.json("POST", "/api/v1/namespaces/default/serviceaccounts", &json!({"metadata": {"name": "bot"}})).await;
    let gone = server.send("DELETE", "/api/v1/namespaces/default/serviceaccounts/bot", &[], "").await.value();
    assert_eq!(gone["kind"], "ServiceAccount");
    server.embedded.stop().await;
}

#[tokio::test]
async fn owners_stand_once() {
    let server = Server::start().await;
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "1"});
    let body = json!({"metadata": {"name": "a", "ownerReferences": [owner, owner]}});
    let made = server.json("POST", MAPS, &body).await;
    assert_eq!(made.value()["metadata"]["ownerReferences"], json!([owner]));
    assert!(made.header("warning").contains("duplicate UID(s) observed: 1"), "{}", made.header("warning"));
    server.embedded.stop().await;
}

#[tokio::test]
async fn tokens_of_service_accounts() {
    let server = Server::start().await;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    server.json("POST", accounts, &json!({"metadata": {"name": "bot"}})).await;
    let made =
        server.json("POST", &format!("{accounts}/bot/token"), &json!({"spec": {"expirationSeconds": 600}})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.value()["status"]["token"].as_str().expect("a token").to_owned();
    let review = json!({"spec": {"token": token}});
    let reviewed = server.json("POST", "/apis/authentication.k8s.io/v1/tokenreviews", &review).await.value();
    assert_eq!(reviewed["status"]["user"]["username"], "system:serviceaccount:default:bot");

    let config = Kubeconfig::from_yaml(&server.embedded.kubeconfig()).expect("a kubeconfig");
    let mut config =
        kube::Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.expect("a configuration");
    config.auth_info.token = Some(token.into());
    let bot = Client::try_from(config).expect("a client");
    let refused = ask(&bot, "GET", "/api/v1/namespaces/default/pods", &[], "").await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (
            403,
            "pods is forbidden: User \"system:serviceaccount:default:bot\" cannot list resource \"pods\" in API group \"\" in \
             the namespace \"default\""
        )
    );
    let binding = json!({
        "metadata": {"name": "bot"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "default"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    assert_eq!(server.json("POST", bindings, &binding).await.status, 201);
    assert_eq!(ask(&bot, "GET", "/api/v1/namespaces/default/pods", &[], "").await.status, 200);
    server.send("DELETE", &format!("{accounts}/bot"), &[], "").await;
    assert_eq!(ask(&bot, "GET", "/api/v1/namespaces/default/pods", &[], "").await.status, 401);
    server.embedded.stop().await;
}

#[tokio::test]
async fn broken_selectors_and_tokens() {
    let server = Server::start().await;
    let cases = [
        ("labelSelector=!", "unable to parse requirement: found '', expected: identifier"),
        ("labelSelector=a%3Db%20c", "found 'c', expected: ',' or 'end of string'"),
        ("labelSelector=a,", "found '', expected: identifier after ','"),
        ("labelSelector=%3D", "found '=', expected: !, identifier, or 'end of string'"),
        (
            "continue=YQ",
            "invalid continue token: continue key is not valid: invalid character 'a' looking for beginning of value",
        ),
    ];
    for (query, message) in cases {
        let answer = server.get(&format!("{MAPS}?{query}")).await;
        assert_eq!((answer.status, answer.message().as_str()), (400, message), "{query}");
    }
    let key = server.get(&format!("{MAPS}?labelSelector=A/B/C")).await.message();
    assert!(key.contains("key: Invalid value: \"A/B/C\": a valid label key must consist of"), "{key}");
    server.embedded.stop().await;
}

#[tokio::test]
async fn custom_resources_say_what_they_are() {
    let server = Server::start().await;
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "toys", "kind": "Toy"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let made = server.json("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let toys = "/apis/example.com/v1/namespaces/default/toys";
    until("the kind", || async { (server.get(toys).await.status == 200).then_some(()) }).await;
    let toy = |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}});
    let cases = [
        (json!({"metadata": {"name": "a"}}), 400, "Object 'Kind' is missing in 'object has no kind field '"),
        (
            toy("example.com/v2", "Toy"),
            400,
            "the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)",
        ),
        (
            toy("example.com/v1", "Car"),
            422,
            "Car.example.com \"a\" is invalid: kind: Invalid value: \"Car\": must be Toy",
        ),
        (toy("example.com/v1", "Toy"), 201, ""),
    ];
    for (body, status, message) in cases {
        let answer = server.json("POST", toys, &body).await;
        let said = if status == 201 { String::new() } else { answer.message() };
        assert_eq!((answer.status, said.as_str()), (status, message), "{body}");
    }
    let blind = server.json("PUT", &format!("{toys}/a"), &toy("example.com/v1", "Toy")).await;
    let wanted = "toys.example.com \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    assert_eq!((blind.status, blind.message().as_str()), (422, wanted));
    server.embedded.stop().await;
}
