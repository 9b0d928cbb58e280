//! A look at a cluster's objects from outside, through the API alone.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::api::ListParams;
use kube::core::request::Request;
use serde_json::Value;

use super::describe::{self, Row};
use super::kind::Kind;
use super::world::{Id, Objects, World};
use crate::cluster::object::list;

/// How long a list may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The tree of a cluster.
///
/// # Errors
/// When there is none of this name, or the API server does not tell; in words for people.
pub async fn cluster(
    client: &Client,
    namespace: &str,
    name: &str,
    options: &describe::Options,
) -> Result<Vec<Row>, String> {
    let mut objects = Objects::new();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Secret) {
        let path = format!("/apis/{}/namespaces/{namespace}/{}", kind.api_version(), kind.plural());
        let request = Request::new(path).list(&ListParams::default()).map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(LIMIT, client.request::<Value>(request)).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", LIMIT.as_secs()))?;
        let found = match answer {
            Ok(found) => found,
            // A provider that is not installed has no objects.
            Err(kube::Error::Api(status)) if status.code == 404 && kind != Kind::Cluster => continue,
            Err(kube::Error::Api(status)) if status.code == 404 => {
                return Err("there is no Cluster API on this cluster".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        };
        for object in list(&found, &["items"]) {
            let mut object = object.clone();
            (object["apiVersion"], object["kind"]) = (kind.api_version().into(), kind.name().into());
            objects.insert(Id::of(kind, &object), Arc::new(object));
        }
    }
    let world = World::new(&objects);
    let found = world.get(Kind::Cluster, namespace, name);
    let found = found.ok_or_else(|| format!("clusters.cluster.x-k8s.io \"{name}\" not found"))?;
    Ok(describe::rows(&describe::snapshot(&world, found), options))
}
