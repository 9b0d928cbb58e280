//! Objects of any kind, in the name of the Helm operator.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use kube::Client;
use serde_json::Value;

use crate::cluster::object::{Key, set, text};
use crate::gitops::api::{Error, Objects};
use crate::gitops::kinds::{Kinds, Lookup, Served};
use crate::helm::Capabilities;

/// The name under which fields are ours.
const MANAGER: &str = "helm-operator";
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Reads and writes objects.
#[derive(Clone)]
pub(super) struct Hands {
    pub(super) objects: Objects,
    kinds: Arc<RwLock<Arc<Kinds>>>,
}

impl Hands {
    pub(super) fn new(client: Client) -> Self {
        let objects = Objects::new(client, LIMIT).in_the_name_of(MANAGER);
        Self { objects, kinds: Arc::default() }
    }

    fn known(&self, version: &str, kind: &str) -> Option<Served> {
        let kinds = self.kinds.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        match kinds.look_up(version, kind) {
            Lookup::Served(served) => Some(served.clone()),
            _ => None,
        }
    }

    /// Asks anew which kinds there are.
    pub(super) async fn refresh(&self) -> Result<(), String> {
        let kinds = Arc::new(self.objects.kinds().await.map_err(|error| error.to_string())?);
        *self.kinds.write().unwrap_or_else(std::sync::PoisonError::into_inner) = kinds;
        Ok(())
    }

    /// Where objects of a kind are.
    pub(super) async fn served(&self, version: &str, kind: &str) -> Result<Served, String> {
        if let Some(served) = self.known(version, kind) {
            return Ok(served);
        }
        self.refresh().await?;
        self.known(version, kind).ok_or_else(|| format!("no matches for kind {kind:?} in version {version:?}"))
    }

    pub(super) async fn get(&self, version: &str, kind: &str, at: &Key) -> Result<Option<Value>, String> {
        let served = self.served(version, kind).await?;
        self.objects.get(&served, at).await.map_err(|error| error.to_string())
    }

    /// All of a kind in a namespace.
    pub(super) async fn list(&self, kind: &str, namespace: &str, labels: &str) -> Result<Vec<Value>, String> {
        let served = self.served("v1", kind).await?;
        self.objects.list(&served, Some(namespace), Some(labels)).await.map_err(|error| error.to_string())
    }

    /// Makes an object as it is wanted, in a namespace when it names none.
    pub(super) async fn apply(&self, object: &Value, namespace: &str) -> Result<Value, String> {
        let served = self.of(object).await?;
        let object = placed(object, &served, namespace);
        let done = self.objects.apply(&served, &Key::of(&object), &object, false).await;
        done.map_err(|error| named(&object, &error))
    }

    /// The object as it is in the cluster.
    pub(super) async fn live(&self, object: &Value, namespace: &str) -> Result<Option<Value>, String> {
        let served = self.of(object).await?;
        let at = Key::of(&placed(object, &served, namespace));
        self.objects.get(&served, &at).await.map_err(|error| error.to_string())
    }

    /// Deletes an object, if it is there.
    pub(super) async fn delete(&self, object: &Value, namespace: &str) -> Result<(), String> {
        // A kind that is gone has no objects any more.
        let Ok(served) = self.of(object).await else { return Ok(()) };
        let at = Key::of(&placed(object, &served, namespace));
        match self.objects.get(&served, &at).await {
            Ok(Some(live)) => {
                self.objects.delete(&served, &live, false).await.map(drop).map_err(|error| named(&live, &error))
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn of(&self, object: &Value) -> Result<Served, String> {
        self.served(text(object, &["apiVersion"]), text(object, &["kind"])).await
    }

    /// What charts are told of the cluster.
    pub(super) async fn capabilities(&self) -> Result<Capabilities, String> {
        self.refresh().await?;
        let kinds = self.kinds.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut api_versions: Vec<String> = Vec::new();
        for served in kinds.all() {
            let version = served.api_version();
            api_versions.push(format!("{version}/{}", served.kind));
            api_versions.push(version);
        }
        api_versions.sort();
        api_versions.dedup();
        let request = http::Request::get("/version").body(Vec::new()).map_err(|error| error.to_string())?;
        let asked = tokio::time::timeout(LIMIT, self.objects.client().request::<Value>(request)).await;
        let version =
            asked.map_err(|_| "the API server does not answer".to_owned())?.map_err(|error| error.to_string())?;
        Ok(Capabilities { version: text(&version, &["gitVersion"]).to_owned(), api_versions })
    }
}

fn named(object: &Value, error: &Error) -> String {
    format!("{} {:?}: {error}", text(object, &["kind"]), text(object, &["metadata", "name"]))
}

fn placed(object: &Value, served: &Served, namespace: &str) -> Value {
    let mut object = object.clone();
    if served.namespaced && text(&object, &["metadata", "namespace"]).is_empty() {
        set(&mut object, &["metadata", "namespace"], namespace);
    }
    object
}
