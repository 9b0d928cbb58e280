//! ConfigMaps and Secrets that a pod template names: found, summed up, copied and renamed for the primary.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::cluster::object::{at, text};

/// The annotation that keeps a config out.
const TRACKING: &str = "flagger.app/config-tracking";
/// The types of secrets that are looked at.
const SECRETS: [&str; 5] = ["", "Opaque", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls"];

/// What holds a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl Holder {
    /// Its kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    /// Its name in addresses.
    pub fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}

/// A config by name. Sorts as the status lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Config {
    /// What holds it.
    pub holder: Holder,
    /// Its name.
    pub name: String,
}

impl Config {
    /// The key of the status, as `configmap/name`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.holder.kind().to_lowercase(), self.name)
    }
}

/// Every place in a pod's spec where a config is named: what holds it, and the way to the name.
fn places(pod: &mut Value, visit: &mut dyn FnMut(Holder, &mut Value)) {
    use Holder::{ConfigMap, Secret};
    let mut name_at = |value: &mut Value, holder: Holder, path: &[&str]| {
        let place = path.iter().try_fold(value, |value, name| value.get_mut(*name));
        if let Some(place) = place.filter(|place| place.is_string()) {
            visit(holder, place);
        }
    };
    for volume in items(pod, "volumes") {
        name_at(volume, ConfigMap, &["configMap", "name"]);
        name_at(volume, Secret, &["secret", "secretName"]);
        for source in volume.get_mut("projected").into_iter().flat_map(|it| items(it, "sources")) {
            name_at(source, ConfigMap, &["configMap", "name"]);
            name_at(source, Secret, &["secret", "name"]);
        }
    }
    for group in ["containers", "initContainers"] {
        for container in items(pod, group) {
            for variable in items(container, "env") {
                name_at(variable, ConfigMap, &["valueFrom", "configMapKeyRef", "name"]);
                name_at(variable, Secret, &["valueFrom", "secretKeyRef", "name"]);
            }
            for source in items(container, "envFrom") {
                name_at(source, ConfigMap, &["configMapRef", "name"]);
                name_at(source, Secret, &["secretRef", "name"]);
            }
        }
    }
}

fn items<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The configs that a pod template names.
pub fn named(template: &Value) -> BTreeSet<Config> {
    let mut pod = template.get("spec").cloned().unwrap_or_default();
    let mut found = BTreeSet::new();
    places(&mut pod, &mut |holder, place| {
        if let Some(name) = place.as_str().filter(|name| !name.is_empty()) {
            found.insert(Config { holder, name: name.to_owned() });
        }
    });
    found
}

/// Gives the configs of a pod template the primary's names.
pub fn rename(template: &mut Value, tracked: &BTreeSet<Config>) {
    let Some(pod) = template.get_mut("spec") else { return };
    places(pod, &mut |holder, place| {
        let name = place.as_str().unwrap_or_default().to_owned();
        if tracked.contains(&Config { holder, name: name.clone() }) {
            *place = Value::String(format!("{name}-primary"));
        }
    });
}

/// Whether a config is looked at.
pub fn is_tracked(holder: Holder, object: &Value) -> bool {
    let annotation = at(object, &["metadata", "annotations", TRACKING]).and_then(Value::as_str);
    let kind_is_fine = holder == Holder::ConfigMap || SECRETS.contains(&text(object, &["type"]));
    kind_is_fine && annotation != Some("disabled")
}

/// The checksum of a config's data: the first 8 bytes of its SHA-256.
pub fn checksum(object: &Value) -> String {
    let data = object.get("data").and_then(Value::as_object);
    let data: BTreeMap<&String, &Value> = data.into_iter().flatten().collect();
    let bytes = if data.is_empty() { b"null".to_vec() } else { serde_json::to_vec(&data).unwrap_or_default() };
    let sum = Sha256::digest(bytes);
    sum.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The primary's copy of a config.
pub fn copy(holder: Holder, object: &Value, owner: &Value) -> Value {
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    let labels: Map<String, Value> = super::workload::without_sync(metadata.get("labels"));
    let mut copy = json!({
        "apiVersion": "v1",
        "kind": holder.kind(),
        "metadata": {
            "name": format!("{}-primary", text(&metadata, &["name"])),
            "namespace": text(&metadata, &["namespace"]),
            "labels": labels,
            "ownerReferences": [owner],
        },
    });
    for member in ["type", "data", "binaryData"] {
        if let Some(value) = object.get(member) {
            copy[member] = value.clone();
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Value {
        json!({"spec": {
            "volumes": [{"name": "a", "configMap": {"name": "files"}}, {"name": "b", "secret": {"secretName": "keys"}},
                {"name": "c", "projected": {"sources": [{"secret": {"name": "more"}}, {"serviceAccountToken": {}}]}}],
            "initContainers": [{"name": "i", "envFrom": [{"configMapRef": {"name": "settings"}}]}],
            "containers": [{"name": "c", "env": [
                {"name": "x", "value": "1"},
                {"name": "y", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}]}]}})
    }

    #[test]
    fn configs_are_found_everywhere() {
        let keys: Vec<String> = named(&template()).iter().map(Config::key).collect();
        assert_eq!(keys, ["configmap/files", "configmap/settings", "secret/keys", "secret/more"]);
        assert_eq!(named(&Value::Null), BTreeSet::new());
    }

    #[test]
    fn tracked_configs_are_renamed() {
        let mut renamed = template();
        let tracked = BTreeSet::from([Config { holder: Holder::Secret, name: "keys".to_owned() }]);
        rename(&mut renamed, &tracked);
        let keys: Vec<String> = named(&renamed).iter().map(Config::key).collect();
        assert_eq!(keys, ["configmap/files", "configmap/settings", "secret/keys-primary", "secret/more"]);
    }

    #[test]
    fn only_the_data_counts() {
        let one = json!({"metadata": {"resourceVersion": "1"}, "data": {"b": "2", "a": "1"}});
        let two = json!({"metadata": {"resourceVersion": "9"}, "data": {"a": "1", "b": "2"}});
        assert_eq!(checksum(&one), checksum(&two));
        assert_eq!(checksum(&one).len(), 16);
        assert_ne!(checksum(&one), checksum(&json!({"data": {"a": "2"}})));
    }

    #[test]
    fn some_are_left_alone() {
        let off = json!({"metadata": {"annotations": {TRACKING: "disabled"}}});
        assert!(!is_tracked(Holder::ConfigMap, &off));
        assert!(!is_tracked(Holder::Secret, &json!({"type": "kubernetes.io/service-account-token"})));
        assert!(is_tracked(Holder::Secret, &json!({"type": "Opaque"})));
    }
}
