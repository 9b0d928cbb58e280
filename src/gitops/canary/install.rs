//! The definitions of Canary, MetricTemplate, AlertProvider and, where nobody has it, HTTPRoute.

use std::time::Duration;

use serde_json::Value;

use super::objects::{Error, Kind, Objects};
use crate::cluster::object::{Key, list, text};

/// The definitions.
const DEFINITIONS: &str = include_str!("crds.yaml");
/// How often it is looked whether a definition is served.
const LOOKS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(50);

/// The definitions of Canary and what belongs to it; none should they be wrong, which tests see.
#[must_use]
pub fn all() -> Vec<Value> {
    serde_saphyr::from_multiple(DEFINITIONS).unwrap_or_default()
}

/// Makes the definitions that are missing and waits until they are served. Those that are there stay as they are.
pub(super) async fn definitions(objects: &Objects) -> Result<(), Error> {
    let all: Vec<Value> = serde_saphyr::from_multiple(DEFINITIONS).map_err(|error| Error::Other(error.to_string()))?;
    let Some(kind) = Kind::named("CustomResourceDefinition") else { return Ok(()) };
    for definition in &all {
        let key = Key::of(definition);
        if objects.get(kind, &key).await?.is_none() {
            match objects.create(definition).await {
                Ok(_) | Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        established(objects, kind, &key).await?;
    }
    Ok(())
}

async fn established(objects: &Objects, kind: Kind, key: &Key) -> Result<(), Error> {
    for _ in 0..LOOKS {
        let there = objects.get(kind, key).await?.unwrap_or_default();
        let conditions = list(&there, &["status", "conditions"]);
        let fine = |it: &&Value| text(it, &["type"]) == "Established" && text(it, &["status"]) == "True";
        if conditions.iter().any(|condition| fine(&condition)) {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Err(Error::Other(format!("the definition {key} is not served")))
}
