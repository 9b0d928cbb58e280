//! What runs in the cluster as manifests, without what the cluster adds by itself.

use serde_json::Value;

use super::error;
use crate::cluster::{object, yaml};
use crate::gitops::api::{Error, Objects};
use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};
use crate::gitops::kinds::Lookup;
use crate::gitops::object::is_owned;
use crate::gitops::workloads::is_addon;
use crate::sandbox::automation::gathered;

/// What the cluster writes into `metadata`.
const METADATA: [&str; 7] =
    ["creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];
/// Annotations that programs leave behind.
const ANNOTATIONS: [&str; 3] = [
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
    "fluxcd.io/sync-checksum",
];

/// Namespaces and workloads as YAML, each behind `---`.
pub(super) async fn export(objects: &Objects) -> Result<String, ApiError> {
    let all = async {
        let (workloads, kinds) = gathered(objects, None).await?;
        let mut all = match kinds.look_up("v1", "Namespace") {
            Lookup::Served(served) => objects.list(served, None, None).await?,
            _ => Vec::new(),
        };
        all.retain(|namespace| !object::text(namespace, &["metadata", "name"]).starts_with("kube-"));
        let own = |value: &Value| !is_addon(value) && !is_owned(value);
        all.extend(workloads.into_iter().filter(own));
        Ok::<_, Error>(all)
    };
    let all = all.await.map_err(|away| error(ApiErrorKind::Server, away.to_string()))?;
    Ok(all.into_iter().map(|value| format!("---\n{}", yaml::text(&stripped(value)))).collect())
}

fn stripped(mut value: Value) -> Value {
    object::remove(&mut value, &["status"]);
    for member in METADATA {
        object::remove(&mut value, &["metadata", member]);
    }
    for annotation in ANNOTATIONS {
        object::remove(&mut value, &["metadata", "annotations", annotation]);
    }
    object::remove(&mut value, &["metadata", "labels", "fluxcd.io/sync-gc-mark"]);
    for map in ["annotations", "labels"] {
        if object::map(&value, &["metadata", map]).is_some_and(|members| members.is_empty()) {
            object::remove(&mut value, &["metadata", map]);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_people_wrote_is_saved() {
        let value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", "uid": "1",
            "labels": {"fluxcd.io/sync-gc-mark": "x"}, "annotations": {"fluxcd.io/sync-checksum": "y", "mine": "z"}},
            "status": {"phase": "Active"}});
        let wanted = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", "annotations": {"mine": "z"}}});
        assert_eq!(stripped(value), wanted);
    }
}
