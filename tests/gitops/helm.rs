//! Helm releases on the embedded cluster: the talk's example, and what goes wrong.

use std::sync::Arc;

use foredeck::cluster::clock::Clock;
use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::gitops::helm::{Handle, Releases, Sources, View};
use foredeck::helm::record::Record;
use foredeck::sandbox::charts;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams};
use kube::core::request::Request;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::harness::cluster::{PATIENCE, until};

/// The HelmRelease of the talk, as it stands there.
const TALK: &str = r#"
apiVersion: helm.fluxcd.io/v1
kind: HelmRelease
metadata:
  name: nginx-ingress
  namespace: ingress-nginx
  annotations:
    fluxcd.io/ignore: "false"
spec:
  releaseName: nginx-ingress
  chart:
    repository: https://kubernetes-charts.storage.googleapis.com/
    name: nginx-ingress
    version: 1.25.0
  values:
    controller:
      service:
        type: LoadBalancer
      metrics:
        enabled: true
"#;

pub(super) const OPERATOR: &str = "/apis/helm.fluxcd.io/v1";
pub(super) const TOOLKIT: &str = "/apis/helm.toolkit.fluxcd.io/v2";

pub(super) struct HelmTest {
    cluster: Embedded,
    client: kube::Client,
    handle: Handle,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl HelmTest {
    pub(super) async fn start(namespace: &str) -> Self {
        Self::with(namespace, Sources { shelf: charts::shelf(), ..Sources::default() }).await
    }

    pub(super) async fn with(namespace: &str, sources: Sources) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::default();
        let cluster = Embedded::start(Config { clock: clock.clone(), ..Config::default() }).await.expect("a cluster");
        let client = cluster.client();
        let mut releases = Releases::new(client.clone(), clock, sources);
        let handle = releases.handle();
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move { releases.run(until).await });
        let test = Self { cluster, client, handle, stop, task };
        test.apply(
            "/api/v1/namespaces",
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        )
        .await;
        let mut state = test.handle.status();
        tokio::time::timeout(PATIENCE, state.wait_for(Option::is_some)).await.expect("in time").expect("it runs");
        test
    }

    pub(super) async fn apply(&self, path: &str, object: &Value) {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let request = Request::new(path).patch(name, &PatchParams::apply("test").force(), &Patch::Apply(object));
        self.client.request::<Value>(request.expect("a request")).await.expect("it is applied");
    }

    pub(super) async fn get(&self, path: &str, name: &str) -> Option<Value> {
        let request = Request::new(path).get(name, &GetParams::default()).expect("a request");
        self.client.request(request).await.ok()
    }

    pub(super) async fn list(&self, path: &str) -> Vec<Value> {
        let request = Request::new(path).list(&ListParams::default()).expect("a request");
        let list: Value = self.client.request(request).await.expect("a list");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    pub(super) async fn delete(&self, path: &str, name: &str) {
        let request = Request::new(path).delete(name, &DeleteParams::background()).expect("a request");
        self.client.request::<Value>(request).await.expect("it is deleted");
    }

    /// Waits until a release is shown as wanted.
    pub(super) async fn shown(&self, name: &str, what: &str, wanted: impl Fn(&View) -> bool) -> View {
        let mut state = self.handle.status();
        let find = |all: &Option<Arc<Vec<View>>>| {
            all.as_ref().and_then(|all| all.iter().find(|view| view.name == name && wanted(view)).cloned())
        };
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(view) = find(&state.borrow_and_update().clone()) {
                    return view;
                }
                state.changed().await.expect("it runs");
            }
        });
        seen.await.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", self.handle.status().borrow()))
    }

    pub(super) async fn history(&self, namespace: &str) -> Vec<(i64, String)> {
        let secrets = self.list(&format!("/api/v1/namespaces/{namespace}/secrets")).await;
        let mut all: Vec<_> = secrets
            .iter()
            .filter_map(Record::of)
            .map(|record| (record.revision(), record.status().to_owned()))
            .collect();
        all.sort();
        all
    }

    pub(super) async fn finish(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("it ends").expect("it did not panic").expect("it went well");
        self.cluster.stop().await;
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn podinfo(name: &str, spec: Value) -> Value {
    let mut all = json!({"releaseName": name, "chart": {"repository": "https://stefanprodan.github.io/podinfo",
        "name": "podinfo", "version": "6.5.0"}});
    for (key, value) in spec.as_object().expect("an object") {
        all[key] = value.clone();
    }
    json!({"apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease", "metadata": {"name": name, "namespace": "demo"}, "spec": all})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_of_the_talk_is_deployed_upgraded_and_taken_away() {
    let test = HelmTest::start("ingress-nginx").await;
    let talk: Value = serde_saphyr::from_str(TALK).expect("YAML");
    let path = format!("{OPERATOR}/namespaces/ingress-nginx/helmreleases");
    test.apply(&path, &talk).await;
    let view = test.shown("nginx-ingress", "the release", |view| view.good == Some(true)).await;
    assert_eq!((view.release.as_str(), view.version.as_str(), view.revision), ("nginx-ingress", "1.25.0", 1));
    let release = test.get(&path, "nginx-ingress").await.expect("the HelmRelease");
    let status = &release["status"];
    assert_eq!((text(&status["phase"]), text(&status["releaseStatus"])), ("Succeeded", "deployed"));
    assert_eq!((text(&status["releaseName"]), text(&status["revision"])), ("nginx-ingress", "1.25.0"));
    assert_eq!(status["observedGeneration"], release["metadata"]["generation"]);
    let conditions: Vec<(&str, &str)> = status["conditions"]
        .as_array()
        .expect("conditions")
        .iter()
        .map(|it| (text(&it["type"]), text(&it["status"])))
        .collect();
    assert_eq!(conditions, [("ChartFetched", "True"), ("Released", "True"), ("Deployed", "True")]);
    let services = "/api/v1/namespaces/ingress-nginx/services";
    let service = test.get(services, "nginx-ingress-controller").await.expect("the service");
    assert_eq!(text(&service["spec"]["type"]), "LoadBalancer");
    assert!(test.get(services, "nginx-ingress-controller-metrics").await.is_some());
    assert_eq!(test.history("ingress-nginx").await, [(1, "deployed".to_owned())]);
    let events = test.list("/api/v1/namespaces/ingress-nginx/events").await;
    let told: Vec<&str> =
        events.iter().filter(|event| event["reason"] == "ReleaseSynced").map(|event| text(&event["message"])).collect();
    assert_eq!(told, ["managed release 'nginx-ingress' in namespace 'ingress-nginx' synchronized"]);

    // Other values are another revision, and what is not in it goes.
    let mut changed = talk.clone();
    changed["spec"]["values"]["controller"]["metrics"]["enabled"] = json!(false);
    test.apply(&path, &changed).await;
    test.shown("nginx-ingress", "the upgrade", |view| view.revision == 2 && view.good == Some(true)).await;
    assert!(test.get(services, "nginx-ingress-controller-metrics").await.is_none());
    let expected = [(1, "superseded".to_owned()), (2, "deployed".to_owned())];
    assert_eq!(test.history("ingress-nginx").await, expected);

    test.delete(&path, "nginx-ingress").await;
    until("the release to be gone", || async { test.get(&path, "nginx-ingress").await.is_none().then_some(()) }).await;
    assert!(test.get(services, "nginx-ingress-controller").await.is_none());
    assert_eq!(test.history("ingress-nginx").await, []);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_release_is_said_and_can_be_mended() {
    let test = HelmTest::start("demo").await;
    let path = format!("{OPERATOR}/namespaces/demo/helmreleases");
    let wrong = [
        (
            "nochart",
            json!({"chart": {"repository": "https://charts.helm.sh/stable", "name": "nothing"}}),
            "ChartFetchFailed",
            "chart \"nothing\" not found",
        ),
        (
            "nohost",
            json!({"chart": {"repository": "https://charts.example.com", "name": "podinfo"}}),
            "ChartFetchFailed",
            "cannot be reached",
        ),
        (
            "noversion",
            json!({"chart": {"repository": "https://charts.helm.sh/stable", "name": "podinfo", "version": "9.9.9"}}),
            "ChartFetchFailed",
            "6.7.0",
        ),
        (
            "novalues",
            json!({"valuesFrom": [{"configMapKeyRef": {"name": "none"}}]}),
            "Failed",
            "configmaps \"none\" not found",
        ),
        ("schema", json!({"values": {"replicaCount": "two"}}), "Failed", "Expected: integer"),
        ("template", json!({"values": {"env": {"a": "{{ nope }}"}}}), "Failed", "function \"nope\" not defined"),
    ];
    for (name, spec, phase, why) in &wrong {
        test.apply(&path, &podinfo(name, spec.clone())).await;
        let view = test.shown(name, phase, |view| view.status == *phase && view.good == Some(false)).await;
        assert!(view.message.contains(why), "{name}: {}", view.message);
    }
    assert_eq!(test.history("demo").await, []);
    // What was wrong is mended, and it goes on; values come from several places, the release's own on top.
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "none", "namespace": "demo"},
        "data": {"values.yaml": "replicaCount: 3\nui: {message: from the map}\n"}});
    test.apply("/api/v1/namespaces/demo/configmaps", &map).await;
    let mended = json!({"valuesFrom": [{"configMapKeyRef": {"name": "none"}}], "values": {"replicaCount": 2}});
    test.apply(&path, &podinfo("novalues", mended)).await;
    test.shown("novalues", "the release", |view| view.good == Some(true)).await;
    let made = test.get("/apis/apps/v1/namespaces/demo/deployments", "novalues-podinfo").await.expect("the deployment");
    assert_eq!(made["spec"]["replicas"], 2);
    assert!(made["spec"]["template"].to_string().contains("from the map"));
    for (name, ..) in &wrong {
        test.delete(&path, name).await;
    }
    until("all to be gone", || async { test.list(&path).await.is_empty().then_some(()) }).await;
    assert_eq!(test.history("demo").await, []);
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upgrade_is_rolled_back() {
    let test = HelmTest::start("demo").await;
    let path = format!("{OPERATOR}/namespaces/demo/helmreleases");
    test.apply(&path, &podinfo("web", json!({"rollback": {"enable": true}}))).await;
    test.shown("web", "the release", |view| view.good == Some(true)).await;
    // The API server refuses such a port.
    let wrong = json!({"rollback": {"enable": true}, "values": {"service": {"port": 99999}}});
    test.apply(&path, &podinfo("web", wrong)).await;
    let view = test.shown("web", "the roll-back", |view| view.status == "RolledBack").await;
    assert_eq!(view.revision, 3);
    let history = test.history("demo").await;
    let expected = [(1, "superseded"), (2, "failed"), (3, "deployed")].map(|(n, status)| (n, status.to_owned()));
    assert_eq!(history, expected);
    let release = test.get(&path, "web").await.expect("the HelmRelease");
    assert_eq!(release["status"]["rollbackCount"], 1);
    test.apply(&path, &podinfo("web", json!({"values": {"replicaCount": 2}}))).await;
    test.shown("web", "the next release", |view| view.revision == 4 && view.good == Some(true)).await;
    test.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flux_2_names_a_source_and_waits_for_pods() {
    let test = HelmTest::start("demo").await;
    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "podinfo", "namespace": "demo"}, "spec": {"interval": "10m", "chart": {"spec": {
        "chart": "podinfo", "version": "6.x", "sourceRef": {"kind": "HelmRepository", "name": "podinfo"}}},
        "values": {"replicaCount": 2}}});
    let path = format!("{TOOLKIT}/namespaces/demo/helmreleases");
    test.apply(&path, &release).await;
    let view = test.shown("podinfo", "the missing source", |view| view.status == "SourceNotReady").await;
    assert!(view.message.contains("HelmRepository demo/podinfo not found"), "{}", view.message);
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "podinfo", "namespace": "demo"}, "spec": {"interval": "1h", "url": "https://stefanprodan.github.io/podinfo"}});
    test.apply("/apis/source.toolkit.fluxcd.io/v1/namespaces/demo/helmrepositories", &source).await;
    test.shown("podinfo", "the release", |view| view.status == "InstallSucceeded").await;
    let made = test.get(&path, "podinfo").await.expect("the HelmRelease");
    assert_eq!(text(&made["status"]["history"][0]["chartVersion"]), "6.7.0");
    let message = "Helm install succeeded for release demo/podinfo.v1 with chart podinfo@6.7.0";
    assert_eq!(text(&made["status"]["conditions"][0]["message"]), message);
    let deployment = test.get("/apis/apps/v1/namespaces/demo/deployments", "podinfo").await.expect("the deployment");
    assert_eq!(deployment["status"]["availableReplicas"], 2);
    test.finish().await;
}

/// A release whose pods never start does not get stuck when it is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn deletion_ends_an_installation_that_is_waiting() {
    let test = HelmTest::start("demo").await;
    let path = format!("{OPERATOR}/namespaces/demo/helmreleases");
    test.apply(&path, &podinfo("web", json!({"wait": true, "values": {"image": {"tag": "0.0.1"}}}))).await;
    test.shown("web", "the beginning", |view| view.status == "Installing").await;
    test.delete(&path, "web").await;
    until("the release to be gone", || async { test.get(&path, "web").await.is_none().then_some(()) }).await;
    assert_eq!(test.history("demo").await, []);
    test.finish().await;
}
