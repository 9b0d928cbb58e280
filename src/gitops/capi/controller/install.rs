//! Installing the kinds, and waiting until they are served.

use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::Value;

use super::super::error::Error;
use super::super::kind::definitions;
use super::requests::{MANAGER, resource};
use crate::cluster::object::{list, text};

/// How long a kind may take to be served.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Makes the definitions as they should be. What others added to them stays.
pub(super) async fn install(client: &Client) -> Result<(), Error> {
    let kinds = resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kinds);
    let definitions = definitions().map_err(Error::Definitions)?;
    for definition in &definitions {
        let name = text(definition, &["metadata", "name"]);
        let failed = |source| Error::Install { name: name.to_owned(), source: Box::new(source) };
        api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(definition)).await.map_err(failed)?;
    }
    let end = tokio::time::Instant::now() + PATIENCE;
    for definition in &definitions {
        let name = text(definition, &["metadata", "name"]);
        loop {
            let found = api.get_opt(name).await.ok().flatten().map(|object| object.data).unwrap_or_default();
            if is_established(&found) {
                break;
            }
            if tokio::time::Instant::now() >= end {
                return Err(Error::NotServed { name: name.to_owned(), seconds: PATIENCE.as_secs() });
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

fn is_established(definition: &Value) -> bool {
    list(definition, &["status", "conditions"])
        .iter()
        .any(|condition| text(condition, &["type"]) == "Established" && text(condition, &["status"]) == "True")
}
