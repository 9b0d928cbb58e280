//! The OpenAPI documents: what kubectl reads for `apply`, `explain` and `diff`, made from the catalogue and CRDs.

mod components;
mod gnostic;
mod paths;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cluster::object::Map;
use components::Components;

/// The version that the documents tell.
const VERSION: &str = "v1.36.2";
/// Documents that tell of no kinds.
const ROOTS: [(&str, &str); 3] = [("api", "/api/"), ("apis", "/apis/"), ("version", "/version/")];

/// A resource that the server has.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The API group; empty for the core.
    pub group: &'a str,
    /// The version.
    pub version: &'a str,
    /// The plural name, as in paths.
    pub plural: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What can be done: `get`, `list`, `create`, `update`, `patch`, `delete`, `deletecollection` …
    pub verbs: &'a [String],
    /// The `openAPIV3Schema` of a custom resource's version; none for built-in kinds.
    pub schema: Option<&'a Value>,
}

impl Resource<'_> {
    /// Where the documents of its group version are: `api/v1` or `apis/apps/v1`.
    pub fn document(&self) -> String {
        if self.group.is_empty() {
            format!("api/{}", self.version)
        } else {
            format!("apis/{}/{}", self.group, self.version)
        }
    }

    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    fn group_version_kind(&self) -> Value {
        json!({"group": self.group, "version": self.version, "kind": self.kind})
    }

    fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

/// Which of the two forms a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    V2,
    V3,
}

/// `/openapi/v3`: all documents of the third version, with the hash that changes when they do.
pub fn index(resources: &[Resource<'_>]) -> Vec<u8> {
    let mut paths = Map::new();
    let documents: BTreeSet<String> = resources.iter().map(Resource::document).collect();
    for path in ROOTS.iter().map(|(path, _)| (*path).to_owned()).chain(documents) {
        let url = format!("/openapi/v3/{path}?hash={}", hash(&path, resources));
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    bytes(json!({"paths": paths}))
}

/// The hash of a document, told by what it is made of: it is known before the document is.
pub fn hash(path: &str, resources: &[Resource<'_>]) -> String {
    let mut digest = Sha256::new();
    digest.update(concat!(env!("CARGO_PKG_VERSION"), "\0"));
    digest.update(path);
    for resource in resources.iter().filter(|resource| resource.document() == path) {
        digest
            .update(format!("{}\0{}\0{}\0{:?}\0", resource.plural, resource.kind, resource.namespaced, resource.verbs));
        if let Some(schema) = resource.schema {
            digest.update(schema.to_string());
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `/openapi/v3/PATH`, as `apis/apps/v1`; `None` when there is nothing of that group version.
pub fn v3(path: &str, resources: &[Resource<'_>]) -> Option<Vec<u8>> {
    let mut document = json!({"openapi": "3.0.0", "info": info(), "paths": {}});
    if let Some((_, url)) = ROOTS.iter().find(|(root, _)| *root == path) {
        document["paths"] = json!({*url: {"get": {"responses": {"200": {"description": "OK"}}}}});
        return Some(bytes(document));
    }
    let resources: Vec<_> = resources.iter().filter(|resource| resource.document() == path).copied().collect();
    if resources.is_empty() {
        return None;
    }
    document["paths"] = Value::Object(paths::paths(&resources, Dialect::V3));
    document["components"] = json!({"schemas": schemas(&resources, Dialect::V3)});
    Some(bytes(document))
}

/// `/openapi/v2` as JSON.
pub fn v2(resources: &[Resource<'_>]) -> Vec<u8> {
    bytes(swagger(resources))
}

/// As the server writes it: members sorted by their names.
fn bytes(mut document: Value) -> Vec<u8> {
    document.sort_all_objects();
    document.to_string().into_bytes()
}

/// `/openapi/v2` as protobuf, which kubectl asks for.
pub fn v2_protobuf(resources: &[Resource<'_>]) -> Vec<u8> {
    gnostic::encode(&swagger(resources))
}

fn swagger(resources: &[Resource<'_>]) -> Value {
    json!({
        "swagger": "2.0",
        "info": info(),
        "paths": paths::paths(resources, Dialect::V2),
        "definitions": schemas(resources, Dialect::V2),
    })
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": VERSION})
}

fn schemas(resources: &[Resource<'_>], dialect: Dialect) -> BTreeMap<String, Value> {
    let mut components = Components::new(dialect);
    for resource in resources {
        components.add(resource);
    }
    components.finish()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
