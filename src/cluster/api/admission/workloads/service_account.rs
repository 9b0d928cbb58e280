//! The account that a pod runs as, and its token inside the containers.

use serde_json::{Value, json};

use super::fill;
use super::read::Read;
use crate::cluster::object::{Map, entry, set, text};

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME: &str = "kube-api-access-";

/// The name of the service account that a pod asks for: `default` unless it says otherwise.
pub fn service_account_name(pod: &Value) -> &str {
    let spec = pod.part("spec");
    let name = if spec.text("serviceAccountName").is_empty() { "serviceAccount" } else { "serviceAccountName" };
    match spec.text(name) {
        "" => "default",
        name => name,
    }
}

/// Gives a pod its account, or tells that there is none.
pub(super) fn admit(pod: &mut Value, account: Option<&Value>, suffix: &str) -> Result<(), String> {
    let name = service_account_name(pod).to_owned();
    let Some(account) = account else {
        let namespace = text(pod, &["metadata", "namespace"]);
        return Err(format!(
            "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
        ));
    };
    for member in ["serviceAccountName", "serviceAccount"] {
        set(pod, &["spec", member], name.as_str());
    }
    let wanted = pod.part("spec").flag("automountServiceAccountToken");
    if wanted.or_else(|| account.flag("automountServiceAccountToken")) != Some(false) {
        mount_token(pod, suffix);
    }
    let secrets: Vec<_> = account.items("imagePullSecrets").to_vec();
    if pod.part("spec").items("imagePullSecrets").is_empty() && !secrets.is_empty() {
        set(pod, &["spec", "imagePullSecrets"], secrets);
    }
    Ok(())
}

fn mount_token(pod: &mut Value, suffix: &str) {
    let volumes = pod.part("spec").items("volumes").iter();
    let found = volumes.map(|volume| volume.text("name")).find(|name| name.starts_with(VOLUME)).map(str::to_owned);
    let name = found.clone().unwrap_or_else(|| format!("{VOLUME}{suffix}"));
    let spec = fill::object(entry(pod, &["spec"]));
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in fill::each(spec, list) {
            mounted |= mount(container, &name);
        }
    }
    if mounted && found.is_none() {
        push(spec, "volumes", token_volume(&name));
    }
}

/// Mounts the token unless something else is there; tells whether it did.
fn mount(container: &mut Map, name: &str) -> bool {
    let taken = fill::each(container, "volumeMounts")
        .any(|mount| mount.get("mountPath").is_some_and(|path| path == MOUNT_PATH));
    if !taken {
        push(container, "volumeMounts", json!({"name": name, "readOnly": true, "mountPath": MOUNT_PATH}));
    }
    !taken
}

fn push(members: &mut Map, list: &str, item: Value) {
    match members.get_mut(list) {
        Some(Value::Array(items)) => items.push(item),
        _ => {
            members.insert(list.to_owned(), vec![item].into());
        }
    }
}

fn token_volume(name: &str) -> Value {
    json!({
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [{
                    "path": "namespace",
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                }]}},
            ],
            "defaultMode": 420,
        },
    })
}
