//! An embedded cluster whose time stands still, with the controllers of Cluster API at work.

use std::time::Duration;

use foredeck::cluster::clock::Clock;
use foredeck::cluster::embedded::{Config, Embedded};
use foredeck::cluster::yaml;
use foredeck::gitops::capi::kind::Kind;
use foredeck::gitops::capi::substitute::{DEMO_VALUES, substitute};
use foredeck::gitops::capi::{ClusterApi, ClusterState, Handle, Options, State};
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::core::gvk::ParseGroupVersionError;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::cluster::PATIENCE;

/// A cluster with controllers.
pub(crate) struct CapiTest {
    pub(crate) cluster: Embedded,
    pub(crate) clock: Clock,
    pub(crate) handle: Handle,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl CapiTest {
    pub(crate) async fn start(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Clock::paused_at("2026-08-01T10:00:00Z".parse().expect("a time"));
        let cluster =
            Embedded::start(Config { clock: clock.clone(), ..Config::default() }).await.expect("a cluster starts");
        Self::work(cluster, clock, options).await
    }

    /// Ends the controllers and starts others.
    pub(crate) async fn restart(self, options: Options) -> Self {
        self.stop.cancel();
        self.task.await.expect("they end");
        Self::work(self.cluster, self.clock, options).await
    }

    async fn work(cluster: Embedded, clock: Clock, options: Options) -> Self {
        let mut controllers = ClusterApi::new(cluster.client(), clock.clone(), options);
        let (handle, stop) = (controllers.handle(), CancellationToken::new());
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { controllers.run(stop).await.expect("the controllers run") }
        });
        let test = Self { cluster, clock, handle, stop, task };
        test.until("the controllers", |state| state.running).await;
        test
    }

    /// Applies manifests after substitution, each in the version that it names.
    pub(crate) async fn apply(&self, manifests: &str) {
        let value = |name: &str| DEMO_VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let text = substitute(manifests, value).expect("all variables have values");
        for object in yaml::documents(&text) {
            let object = object.expect("YAML");
            let (version, kind) = (object["apiVersion"].as_str().unwrap_or(""), object["kind"].as_str().unwrap_or(""));
            let name = object["metadata"]["name"].as_str().unwrap_or("").to_owned();
            let params = PatchParams::apply("speaker").force();
            self.api(version, kind).patch(&name, &params, &Patch::Apply(&object)).await.expect("it is applied");
        }
    }

    /// The objects of a kind in the default namespace, in a version.
    pub(crate) fn api(&self, api_version: &str, kind: &str) -> Api<DynamicObject> {
        let parsed: Result<_, ParseGroupVersionError> = api_version.parse::<kube::core::GroupVersion>();
        let found = parsed.expect("group and version");
        let plural = Kind::of(kind).expect("one of our kinds").plural();
        let kind = GroupVersionKind::gvk(&found.group, &found.version, kind);
        Api::namespaced_with(self.cluster.client(), "default", &ApiResource::from_gvk_with_plural(&kind, plural))
    }

    /// An object of a kind, in the version that it is stored in.
    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Option<Value> {
        let found = self.api(&kind.api_version(), kind.name()).get_opt(name).await.expect("an answer");
        found.map(|object| serde_json::to_value(object).expect("an object is data"))
    }

    pub(crate) async fn names(&self, kind: Kind) -> Vec<String> {
        let all = self.api(&kind.api_version(), kind.name()).list(&Default::default()).await.expect("a list");
        all.items.into_iter().filter_map(|object| object.metadata.name).collect()
    }

    pub(crate) async fn patch(&self, kind: Kind, name: &str, patch: Value) {
        let api = self.api(&kind.api_version(), kind.name());
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("it is patched");
    }

    pub(crate) async fn delete(&self, kind: Kind, name: &str) {
        let api = self.api(&kind.api_version(), kind.name());
        api.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// Waits for a state, while the time stands.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let mut state = self.handle.status();
        let waited = tokio::time::timeout(PATIENCE, state.wait_for(|state| holds(state))).await;
        assert!(waited.is_ok_and(|found| found.is_ok()), "{what} did not come: {:#?}", self.handle.status().borrow());
    }

    /// Moves the time from one thing that is due to the next, until a state holds. Gives the seconds that passed.
    pub(crate) async fn pass_until(&self, what: &str, holds: impl Fn(&State) -> bool) -> f64 {
        let began = self.clock.now();
        for _ in 0..10_000 {
            self.until(what, |state| holds(state) || (state.settled && state.due.is_some())).await;
            let state = self.handle.status().borrow().clone();
            if holds(&state) {
                return Duration::try_from(self.clock.now().duration_since(began)).expect("time passes").as_secs_f64();
            }
            let Some(due) = state.due else { continue };
            let left = Duration::try_from(due.duration_since(self.clock.now())).unwrap_or_default();
            self.clock.step(left);
            self.until("the step", |now| !now.settled || now.due != Some(due)).await;
        }
        panic!("{what} did not come");
    }

    pub(crate) async fn finish(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok()), "the controllers end when they are told to");
        self.cluster.stop().await;
    }
}

/// The cluster `demo`.
pub(crate) fn demo(state: &State) -> Option<&ClusterState> {
    state.clusters.iter().find(|cluster| cluster.name == "demo")
}

/// The tree of `demo`: names, counters, status.
pub(crate) fn tree(state: &State) -> Vec<String> {
    let rows = demo(state).map(|cluster| cluster.rows.as_slice()).unwrap_or_default();
    rows.iter().map(|row| format!("{}{} {} {}", row.prefix, row.name, row.replicas, row.status)).collect()
}
