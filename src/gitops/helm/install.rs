//! The definitions of HelmRelease and the sources that it names.

use std::time::Duration;

use serde_json::Value;

use super::hands::Hands;
use crate::cluster::object::{Key, list, text};
use crate::cluster::yaml;

/// The definitions.
const DEFINITIONS: &str = include_str!("crds.yaml");
/// How often it is looked whether a definition is served.
const LOOKS: u32 = 200;
const BETWEEN: Duration = Duration::from_millis(50);

/// Makes the definitions that are missing and waits until they are served. Those that are there stay as they are.
pub(super) async fn definitions(hands: &Hands) -> Result<(), String> {
    let (version, kind) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    for definition in yaml::documents(DEFINITIONS) {
        let definition = definition.map_err(|error| error.to_string())?;
        let at = Key::of(&definition);
        if hands.get(version, kind, &at).await?.is_none() {
            hands.apply(&definition, "").await?;
        }
        let mut looks = 0;
        while !hands.get(version, kind, &at).await?.is_some_and(|there| is_established(&there)) {
            looks += 1;
            if looks > LOOKS {
                return Err(format!("the definition {at} is not served"));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
    hands.refresh().await
}

fn is_established(definition: &Value) -> bool {
    let fine = |it: &Value| text(it, &["type"]) == "Established" && text(it, &["status"]) == "True";
    list(definition, &["status", "conditions"]).iter().any(fine)
}
