//! Canaries on an embedded cluster whose time is stepped.

use std::sync::Arc;
use std::time::Duration;

use foredeck::cluster::clock::Clock;
use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::object::Key;
use foredeck::gitops::canary::status::Phase;
use foredeck::gitops::canary::{Canaries, CanaryView, Handle, Options};
use jiff::Timestamp;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams};
use kube::core::request::Request;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::cluster::PATIENCE;

/// The Canary of the talk, as it stands there.
pub(crate) const TALK: &str = r#"
apiVersion: flagger.app/v1alpha3
kind: Canary
metadata:
  name: podinfo
  namespace: prod
  annotations:
    fluxcd.io/ignore: "false"
spec:
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: podinfo
  service:
    port: 9898
  canaryAnalysis:
    interval: 10s
    stepWeight: 5
    threshold: 5
    metrics:
    - name: request-success-rate
      threshold: 99
      interval: 1m
    - name: request-duration
      threshold: 500
      interval: 1m
    webhooks:
      - name: load-test
        url: http://load-tester.prod/
        metadata:
          cmd: "hey -z 2m -q 10 -c 2 http://podinfo:9898/"
"#;

/// The steps in which pods are given time.
const MOMENT: Duration = Duration::from_millis(250);

/// A cluster, its clock, and the controller.
pub(crate) struct CanaryTest {
    pub(crate) cluster: Embedded,
    pub(crate) client: kube::Client,
    pub(crate) clock: Clock,
    pub(crate) handle: Handle,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// A Canary of the newer version with this analysis.
pub(crate) fn canary(name: &str, analysis: Value) -> Value {
    json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": name, "namespace": "prod"},
        "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "service": {"port": 9898}, "analysis": analysis}})
}

/// The deployment that is released.
pub(crate) fn podinfo(version: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "podinfo", "namespace": "prod"},
        "spec": {"selector": {"matchLabels": {"app": "podinfo"}}, "template": {
            "metadata": {"labels": {"app": "podinfo"}}, "spec": {"containers": [
                {"name": "podinfo", "image": format!("stefanprodan/podinfo:{version}")}]}}}})
}

fn path(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]).to_lowercase());
    let plural = if kind == "canary" { "canaries".to_owned() } else { format!("{kind}s") };
    let root = if version.contains('/') { "apis" } else { "api" };
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{version}/{plural}"),
    }
}

fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "prod"}})
}

impl CanaryTest {
    /// A cluster with the namespace `prod` and a controller.
    pub(crate) async fn start(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::paused_at("2026-06-01T10:00:00Z".parse().expect("a time"));
        let config = Config { clock: clock.clone(), ..Config::default() };
        let cluster = Embedded::start(config).await.expect("a cluster starts");
        let client = cluster.client();
        let (mut canaries, handle) =
            Canaries::new(client.clone(), clock.clone(), options, cluster.images().clone()).expect("a controller");
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move { canaries.run(until).await });
        let test = Self { cluster, client, clock, handle, stop, task };
        test.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod"}})).await;
        test.defined().await;
        test
    }

    async fn defined(&self) {
        let request = || Request::new("/apis/flagger.app/v1beta1/canaries").list(&ListParams::default());
        super::cluster::until("the definitions", || async {
            self.client.request::<Value>(request().expect("a request")).await.ok()
        })
        .await;
    }

    /// Applies an object.
    pub(crate) async fn apply(&self, object: &Value) -> Value {
        self.try_apply(object).await.expect("it is applied")
    }

    /// Applies an object, which may be refused.
    pub(crate) async fn try_apply(&self, object: &Value) -> Result<Value, kube::Error> {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let params = PatchParams::apply("test").force();
        let request = Request::new(path(object)).patch(name, &params, &Patch::Apply(object)).expect("a request");
        self.client.request(request).await
    }

    /// Applies YAML.
    pub(crate) async fn apply_text(&self, text: &str) {
        let object: Value = serde_saphyr::from_str(text).expect("YAML");
        self.apply(&object).await;
    }

    /// An object in `prod`.
    pub(crate) async fn get(&self, version: &str, kind: &str, name: &str) -> Option<Value> {
        let request = Request::new(path(&object(version, kind, name))).get(name, &GetParams::default());
        self.client.request(request.expect("a request")).await.ok()
    }

    /// Merges something into an object in `prod`.
    pub(crate) async fn patch(&self, version: &str, kind: &str, name: &str, patch: Value) {
        let request = Request::new(path(&object(version, kind, name)))
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .expect("a request");
        self.client.request::<Value>(request).await.expect("it is patched");
    }

    /// Deletes an object in `prod`.
    pub(crate) async fn delete(&self, version: &str, kind: &str, name: &str) {
        let request = Request::new(path(&object(version, kind, name))).delete(name, &DeleteParams::background());
        self.client.request::<Value>(request.expect("a request")).await.expect("it is deleted");
    }

    /// Releases another version of podinfo.
    pub(crate) async fn release(&self, version: &str) {
        self.apply(&podinfo(version)).await;
    }

    /// What is shown of a canary.
    pub(crate) fn shown(&self, name: &str) -> Option<Arc<CanaryView>> {
        self.handle.status().borrow().canaries.get(&Key::new("prod", name)).cloned()
    }

    /// Waits until a canary is shown as wanted.
    pub(crate) async fn until(&self, name: &str, what: &str, wanted: impl Fn(&CanaryView) -> bool) -> Arc<CanaryView> {
        let mut status = self.handle.status();
        let key = Key::new("prod", name);
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                let shown = status.borrow_and_update().canaries.get(&key).cloned();
                if let Some(shown) = shown.filter(|shown| wanted(shown)) {
                    return shown;
                }
                status.changed().await.expect("the controller runs");
            }
        });
        seen.await.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", self.shown(name)))
    }

    /// Gives the pods time, as far as the next tick allows.
    async fn settle(&self, next: Timestamp) {
        for _ in 0..200 {
            let settled = self.settled("podinfo").await && self.settled("podinfo-primary").await;
            if settled {
                return;
            }
            let left = Duration::try_from(next.duration_since(self.clock.now())).unwrap_or_default();
            if left > MOMENT * 2 {
                self.clock.step(MOMENT);
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    async fn settled(&self, name: &str) -> bool {
        let Some(it) = self.get("apps/v1", "Deployment", name).await else { return true };
        let (spec, status) = (&it["spec"], &it["status"]);
        let number = |value: &Value| value.as_i64().unwrap_or(0);
        let wanted = number(&spec["replicas"]);
        let broken = spec["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default().contains(":0.0");
        number(&status["observedGeneration"]) == number(&it["metadata"]["generation"])
            && (broken
                || [&status["replicas"], &status["updatedReplicas"], &status["availableReplicas"]]
                    .iter()
                    .all(|count| number(count) == wanted))
    }

    /// The next tick of a canary, when the pods had time to follow the last one.
    pub(crate) async fn tick(&self, name: &str) -> Arc<CanaryView> {
        let before = self.until(name, "the first tick", |shown| shown.ticks > 0 && shown.next.is_some()).await;
        let next = before.next.expect("a next tick");
        self.settle(next).await;
        let left = Duration::try_from(next.duration_since(self.clock.now())).unwrap_or_default();
        self.clock.step(left);
        self.until(name, "the next tick", |shown| shown.ticks > before.ticks && shown.next > before.next).await
    }

    /// Ticks until a canary is in a phase.
    pub(crate) async fn tick_until(&self, name: &str, phase: Phase) -> Arc<CanaryView> {
        for _ in 0..60 {
            let shown = self.tick(name).await;
            if shown.phase == Some(phase) {
                return shown;
            }
        }
        panic!("{name} did not get to {phase}: {:#?}", self.shown(name))
    }

    /// The texts of the Event objects of a canary, oldest first, as the cluster has them.
    pub(crate) async fn events(&self, name: &str) -> Vec<String> {
        let request = Request::new("/api/v1/namespaces/prod/events").list(&ListParams::default());
        let list: Value = self.client.request(request.expect("a request")).await.expect("a list");
        let mut events: Vec<&Value> = list["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|event| event["involvedObject"]["kind"] == "Canary" && event["involvedObject"]["name"] == name)
            .collect();
        events.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse::<u64>().ok()));
        let mut texts: Vec<(String, String)> = Vec::new();
        for event in events {
            let text = event["message"].as_str().unwrap_or_default();
            texts.push((event["firstTimestamp"].to_string(), text.to_owned()));
        }
        texts.into_iter().map(|(_, text)| text).collect()
    }

    /// Ends the test: no task stays.
    pub(crate) async fn finish(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("the controller ends").expect("it did not panic");
        self.cluster.stop().await;
    }
}
