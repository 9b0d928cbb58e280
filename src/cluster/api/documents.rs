//! OpenAPI documents of a cluster's resources, made when they are first asked for.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Bytes;

use super::resource::Registry;
use super::schema::openapi::{self, Resource};

/// The documents of one registry.
#[derive(Debug)]
pub struct Documents {
    registry: Arc<Registry>,
    made: Mutex<HashMap<String, Bytes>>,
}

impl Documents {
    /// The documents of a registry, none of them made yet. Clusters without custom resources share theirs.
    pub fn of(registry: Arc<Registry>) -> Arc<Self> {
        static BUILT_IN: LazyLock<Arc<Documents>> = LazyLock::new(|| Documents::new(Registry::built_in().clone()));
        if registry.generation == 0 { BUILT_IN.clone() } else { Self::new(registry) }
    }

    fn new(registry: Arc<Registry>) -> Arc<Self> {
        Arc::new(Self { registry, made: Mutex::new(HashMap::new()) })
    }

    /// The generation of the registry that they describe.
    pub fn generation(&self) -> u64 {
        self.registry.generation
    }

    fn resources(&self) -> Vec<Resource<'_>> {
        let all = self.registry.all();
        all.map(|resource| Resource {
            group: &resource.group,
            version: &resource.version,
            plural: &resource.plural,
            kind: &resource.kind.kind,
            namespaced: resource.namespaced,
            verbs: &resource.verbs,
            schema: resource.custom.as_ref().map(|version| &version.json_schema),
        })
        .collect()
    }

    fn made(&self, name: &str, make: impl FnOnce(&[Resource<'_>]) -> Option<Vec<u8>>) -> Option<Bytes> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = made.get(name) {
            return Some(there.clone());
        }
        let new = Bytes::from(make(&self.resources())?);
        made.insert(name.to_owned(), new.clone());
        Some(new)
    }

    /// `/openapi/v3`: which documents there are.
    pub fn index(&self) -> Bytes {
        self.made("index", |resources| Some(openapi::index(resources))).unwrap_or_default()
    }

    /// `/openapi/v3/PATH` and its hash, as `apis/apps/v1`.
    pub fn group(&self, path: &str) -> Option<(Bytes, String)> {
        let document = self.made(&format!("v3/{path}"), |resources| openapi::v3(path, resources))?;
        Some((document, openapi::hash(path, &self.resources())))
    }

    /// `/openapi/v2` as JSON.
    pub fn v2(&self) -> Bytes {
        self.made("v2", |resources| Some(openapi::v2(resources))).unwrap_or_default()
    }

    /// `/openapi/v2` as old kubectls ask for it.
    pub fn v2_protobuf(&self) -> Bytes {
        self.made("v2.pb", |resources| Some(openapi::v2_protobuf(resources))).unwrap_or_default()
    }
}
