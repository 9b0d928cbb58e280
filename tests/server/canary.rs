//! Canaries and clusters of the live system behind the slides: their panels, and the speaker's buttons.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, header};
use foredeck::cluster::object::Key;
use foredeck::cluster::yaml;
use foredeck::deck::PanelSpec;
use foredeck::deck::panel::PanelText;
use foredeck::diagnostic::Span;
use foredeck::gitops::canary::CanaryView;
use foredeck::gitops::canary::machine::Wish;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::capi::substitute::{DEMO_VALUES, substitute};
use foredeck::sandbox::Sandbox;
use foredeck::server::role::Role;
use kube::api::{Patch, PatchParams};
use kube::core::request::Request;
use serde_json::{Value, json};

use super::demo::Live;
use crate::harness::canary::{canary, podinfo};
use crate::harness::server::{Answer, DEADLINE, Running, ServerTest};

const PATH: &str = "/api/v1/canary";
const CLUSTER: &str = include_str!("../../workshop/capi/cluster.yaml");

async fn post(server: &Running, role: Role, body: &Value) -> Answer {
    let request = server.request("POST", PATH, role).header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

fn of(more: Value) -> Value {
    let mut all = json!({ "namespace": "prod", "name": "podinfo" });
    let map = all.as_object_mut().expect("an object");
    map.extend(more.as_object().expect("an object").clone());
    all
}

async fn apply(sandbox: &Sandbox, path: &str, object: &Value) {
    let name = object["metadata"]["name"].as_str().expect("a name");
    let request = Request::new(path).patch(name, &PatchParams::apply("speaker").force(), &Patch::Apply(object));
    sandbox.client.request::<Value>(request.expect("a request")).await.expect("it is applied");
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/prod/deployments";

async fn until(sandbox: &Sandbox, what: &str, wanted: impl Fn(&CanaryView) -> bool) -> Arc<CanaryView> {
    let mut status = sandbox.canaries.as_ref().expect("canaries").status();
    let key = Key::new("prod", "podinfo");
    let seen = tokio::time::timeout(DEADLINE, async {
        loop {
            let shown = status.borrow_and_update().canaries.get(&key).cloned();
            if let Some(shown) = shown.filter(|shown| wanted(shown)) {
                return shown;
            }
            status.changed().await.expect("the controller runs");
        }
    });
    seen.await.unwrap_or_else(|_| panic!("{what} did not come"))
}

async fn phase(sandbox: &Sandbox, phase: Phase) -> Arc<CanaryView> {
    until(sandbox, phase.as_str(), |shown| shown.phase == Some(phase)).await
}

/// The text of a panel, when it is as wanted.
async fn panel(server: &Running, words: &str, wanted: impl Fn(&str) -> bool) -> String {
    let spec: PanelSpec = PanelText::read(words, 0).spec(String::new(), None, Span::default()).expect("a panel");
    let mut cell = server.app.panels.sources.open(&spec);
    let seen = tokio::time::timeout(DEADLINE, async {
        loop {
            let text = cell.borrow_and_update().text();
            if wanted(&text) {
                return text;
            }
            cell.changed().await.expect("the panel is fed");
        }
    });
    seen.await.unwrap_or_else(|_| panic!("{words} does not show it"))
}

/// A live system with the definitions of canaries and of clusters.
async fn live() -> (Live, Arc<Sandbox>) {
    let live = Live::of(ServerTest::talk()).await;
    let sandbox = live.sandbox().await;
    sandbox.set_speed(60.0);
    for path in ["/apis/flagger.app/v1beta1/canaries", "/apis/cluster.x-k8s.io/v1alpha3/machinedeployments"] {
        live.eventually(async || {
            let request = Request::new(path).list(&Default::default()).expect("a request");
            sandbox.client.request::<Value>(request).await.is_ok()
        })
        .await;
    }
    (live, sandbox)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_speaker_holds_promotes_and_takes_back() {
    let (live, sandbox) = live().await;
    let server = &live.server;
    let hook = json!({ "name": "qa", "type": "confirm-promotion", "url": "http://127.0.0.1:1/" });
    let analysis =
        json!({ "interval": "10s", "threshold": 1000, "maxWeight": 50, "stepWeight": 10, "webhooks": [hook] });
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "prod" } });
    apply(&sandbox, "/api/v1/namespaces", &namespace).await;
    apply(&sandbox, DEPLOYMENTS, &podinfo("3.1.0")).await;
    apply(&sandbox, "/apis/flagger.app/v1beta1/namespaces/prod/canaries", &canary("podinfo", analysis)).await;
    phase(&sandbox, Phase::Initialized).await;

    let early = post(server, Role::Presenter, &of(json!({ "do": "promote" }))).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{}", early.text);
    assert!(early.text.contains("`podinfo` is Initialized"), "{}", early.text);
    for (body, expected, words) in [
        (of(json!({})), 400, "Exactly one of"),
        (of(json!({ "do": "hold", "faults": {} })), 400, "Exactly one of"),
        (of(json!({ "do": "hold", "gate": "qa" })), 400, "Only `open` and `close`"),
        (of(json!({ "do": "open", "gate": "boss" })), 404, "there are `qa`"),
        (of(json!({ "do": "explode" })), 400, "unknown variant"),
        (of(json!({ "name": "podinfos", "do": "hold" })), 404, "Did you mean `prod/podinfo`?"),
        (of(json!({ "faults": { "success": 101 } })), 400, "from 0 to 100"),
        (of(json!({ "faults": { "latency_ms": 60_001 } })), 400, "from 0 to 60000"),
    ] {
        let answer = post(server, Role::Remote, &body).await;
        assert_eq!(answer.status.as_u16(), expected, "{body}: {}", answer.text);
        assert!(answer.text.contains(words), "{body}: {}", answer.text);
    }
    assert_eq!(post(server, Role::Viewer, &of(json!({ "do": "hold" }))).await.status, StatusCode::FORBIDDEN);

    // Held where it is, made worse, and taken back.
    assert_eq!(post(server, Role::Presenter, &of(json!({ "do": "hold" }))).await.status, StatusCode::OK);
    apply(&sandbox, DEPLOYMENTS, &podinfo("3.1.1")).await;
    phase(&sandbox, Phase::Progressing).await;
    let faults = of(json!({ "faults": { "success": 80, "latency_ms": 500 } }));
    assert_eq!(post(server, Role::Remote, &faults).await.status, StatusCode::OK);
    let seen = until(&sandbox, "faults", |shown| shown.faults.1.success < 100.0).await;
    assert_eq!((seen.faults.1.success, seen.faults.1.latency.as_millis(), seen.wish), (80.0, 500, Some(Wish::Hold)));
    let text = panel(server, "canary name=podinfo namespace=prod", |text| text.contains("Progressing")).await;
    assert!(text.contains("speaker") && text.contains("podinfo:3.1.0 → podinfo:3.1.1"), "{text}");
    assert_eq!(post(server, Role::Presenter, &of(json!({ "do": "rollback" }))).await.status, StatusCode::OK);
    phase(&sandbox, Phase::Failed).await;

    // Well again, and promoted past the gate that nobody answers for.
    let well = of(json!({ "faults": { "success": 100, "latency_ms": 20 } }));
    assert_eq!(post(server, Role::Presenter, &well).await.status, StatusCode::OK);
    assert_eq!(post(server, Role::Presenter, &of(json!({ "do": "open" }))).await.status, StatusCode::OK);
    assert_eq!(post(server, Role::Presenter, &of(json!({ "do": "go" }))).await.status, StatusCode::OK);
    apply(&sandbox, DEPLOYMENTS, &podinfo("3.1.2")).await;
    phase(&sandbox, Phase::Progressing).await;
    let told = post(server, Role::Presenter, &of(json!({ "do": "promote" }))).await;
    // It may have got there by itself meanwhile.
    assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&told.status), "{}", told.text);
    phase(&sandbox, Phase::Succeeded).await;
    panel(server, "canary name=podinfo namespace=prod", |text| text.contains("Succeeded")).await;
    live.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_stands_on_the_slide() {
    let (live, sandbox) = live().await;
    let words = "tree kind=Cluster name=demo";
    panel(&live.server, words, |text| text == "No cluster demo yet.\n").await;
    let value = |name: &str| DEMO_VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let manifests = substitute(CLUSTER, value).expect("all variables have values");
    for object in yaml::documents(&manifests) {
        let object = object.expect("YAML");
        let word = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let plural = format!("{}s", word("kind").to_lowercase());
        apply(&sandbox, &format!("/apis/{}/namespaces/default/{plural}", word("apiVersion")), &object).await;
    }
    let text = panel(&live.server, words, |text| text.contains("Provisioned · 3/3 · Available")).await;
    assert!(text.contains("├─MachineDeployment default/demo-md-0, v1.33.1"), "{text}");
    assert!(text.contains("2 Machines..."), "{text}");
    panel(&live.server, "tree", |text| text.contains("├─MachineDeployment default/demo-md-0")).await;
    live.end().await;
}
