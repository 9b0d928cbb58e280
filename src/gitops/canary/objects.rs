//! The few requests to the cluster's API that canaries need, each bounded in time.

use std::time::Duration;

use kube::Client;
use kube::api::{GetParams, Patch, PatchParams, PostParams, ValidationDirective};
use kube::core::request::Request;
use serde_json::{Value, json};

use crate::cluster::object::{Key, group_of, text};

/// The name under which fields are ours.
const MANAGER: &str = "flagger";
/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Why a request gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// There is one already, or it has changed.
    #[error("{0}")]
    Conflict(String),
    /// The API server says no, or does not answer.
    #[error("{0}")]
    Other(String),
}

impl Error {
    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 404 => Self::Missing(status.message.clone()),
            kube::Error::Api(status) if status.code == 409 => Self::Conflict(status.message.clone()),
            kube::Error::Api(status) => Self::Other(status.message.clone()),
            error => Self::Other(error.to_string()),
        }
    }
}

/// A kind, and where its objects are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
}

const KINDS: [Kind; 13] = [
    kind("flagger.app/v1beta1", "Canary", "canaries"),
    kind("flagger.app/v1beta1", "MetricTemplate", "metrictemplates"),
    kind("flagger.app/v1beta1", "AlertProvider", "alertproviders"),
    kind("apps/v1", "Deployment", "deployments"),
    kind("apps/v1", "DaemonSet", "daemonsets"),
    kind("v1", "Service", "services"),
    kind("v1", "ConfigMap", "configmaps"),
    kind("v1", "Secret", "secrets"),
    kind("v1", "Event", "events"),
    kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"),
    kind("gateway.networking.k8s.io/v1beta1", "HTTPRoute", "httproutes"),
    kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions"),
];

const fn kind(api_version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind { api_version, kind, plural }
}

impl Kind {
    /// A kind by its name, in the version that we use.
    pub(super) fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.kind == name)
    }

    fn of(object: &Value) -> Result<Self, Error> {
        let (version, name) = (text(object, &["apiVersion"]), text(object, &["kind"]));
        let found = KINDS.into_iter().find(|kind| kind.api_version == version && kind.kind == name);
        found.ok_or_else(|| Error::Other(format!("{name} in {version} is not handled here")))
    }

    fn path(self, namespace: &str) -> String {
        let root = if group_of(self.api_version).is_empty() { "api" } else { "apis" };
        let Self { api_version, plural, .. } = self;
        if namespace.is_empty() {
            format!("/{root}/{api_version}/{plural}")
        } else {
            format!("/{root}/{api_version}/namespaces/{namespace}/{plural}")
        }
    }
}

/// The objects of a cluster.
#[derive(Clone)]
pub(super) struct Objects {
    client: Client,
}

type Asked = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

impl Objects {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    async fn ask(&self, request: Asked) -> Result<Value, Error> {
        let request = request.map_err(|error| Error::Other(error.to_string()))?;
        match tokio::time::timeout(LIMIT, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(Error::of),
            Err(_) => Err(Error::Other(format!("the API server gave no answer for {} s", LIMIT.as_secs()))),
        }
    }

    /// An object, if it is there.
    pub(super) async fn get(&self, kind: Kind, at: &Key) -> Result<Option<Value>, Error> {
        let request = Request::new(kind.path(&at.namespace)).get(&at.name, &GetParams::default());
        match self.ask(request).await {
            Err(Error::Missing(_)) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Makes an object as it is wanted; gives it as it then is.
    pub(super) async fn apply(&self, object: &Value) -> Result<Value, Error> {
        let (kind, at) = (Kind::of(object)?, Key::of(object));
        let params = PatchParams {
            dry_run: false,
            force: true,
            field_manager: Some(MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Warn),
        };
        self.ask(Request::new(kind.path(&at.namespace)).patch(&at.name, &params, &Patch::Apply(object))).await
    }

    /// Makes an object as it is wanted, unless it is so already.
    pub(super) async fn ensure(&self, object: &Value) -> Result<(), Error> {
        let there = self.get(Kind::of(object)?, &Key::of(object)).await?;
        if there.is_some_and(|there| holds(&there, object)) {
            return Ok(());
        }
        self.apply(object).await.map(drop)
    }

    /// Makes a new object.
    pub(super) async fn create(&self, object: &Value) -> Result<Value, Error> {
        let (kind, at) = (Kind::of(object)?, Key::of(object));
        let body = serde_json::to_vec(object).map_err(|error| Error::Other(error.to_string()))?;
        let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
        self.ask(Request::new(kind.path(&at.namespace)).create(&params, body)).await
    }

    /// Merges something into an object.
    pub(super) async fn merge(&self, kind: Kind, at: &Key, patch: &Value) -> Result<Value, Error> {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.ask(Request::new(kind.path(&at.namespace)).patch(&at.name, &params, &Patch::Merge(patch))).await
    }

    /// Replaces an object's status.
    pub(super) async fn set_status(&self, kind: Kind, at: &Key, status: &Value) -> Result<Value, Error> {
        let patch = json!([{"op": "add", "path": "/status", "value": status}]);
        let patch: json_patch::Patch =
            serde_json::from_value(patch).map_err(|error| Error::Other(error.to_string()))?;
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let request = Request::new(kind.path(&at.namespace));
        self.ask(request.patch_subresource("status", &at.name, &params, &Patch::<Value>::Json(patch))).await
    }
}

/// Whether an object has everything that is wanted of it.
fn holds(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| there.get(name).is_some_and(|there| holds(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| holds(there, wanted))
        }
        (there, wanted) => there == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cluster_adds_is_no_difference() {
        let there = json!({"a": 1, "list": [{"x": 1, "y": 2}], "more": true});
        assert!(holds(&there, &json!({"a": 1, "list": [{"x": 1}]})));
        assert!(!holds(&there, &json!({"a": 2})));
        assert!(!holds(&there, &json!({"list": []})));
        assert!(!holds(&there, &json!({"b": null})));
    }

    #[test]
    fn kinds_know_where_they_are() {
        let canary = Kind::named("Canary").unwrap();
        assert_eq!(canary.path("prod"), "/apis/flagger.app/v1beta1/namespaces/prod/canaries");
        assert_eq!(Kind::named("Service").unwrap().path("prod"), "/api/v1/namespaces/prod/services");
        assert!(Kind::of(&json!({"apiVersion": "v1", "kind": "Pod"})).is_err());
    }
}
