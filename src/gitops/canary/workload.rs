//! The target's revision, and the primary that is made after it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::configs::{self, Config};
use super::spec::{Canary, Reference};
use crate::cluster::object::{at, int, list, map, set, text};

/// The labels by which pods are told apart, in this order.
pub const SELECTOR_LABELS: [&str; 3] = ["app", "name", "app.kubernetes.io/name"];
/// The annotation that makes the primary roll out anew.
const ID: &str = "flagger-id";
/// The annotations that belong to whoever wrote the object.
const OTHERS: [&str; 2] = ["kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"];
/// The node selector of daemon sets that are to have no pods.
pub const SCALE_TO_ZERO: &str = "flagger.app/scale-to-zero";

/// The kinds that can be released.
pub fn is_supported(target: &Reference) -> bool {
    target.api_version == "apps/v1" && matches!(&*target.kind, "Deployment" | "DaemonSet")
}

/// The label and value by which a workload finds its pods.
///
/// # Errors
/// When it has none that can be used.
pub fn label(workload: &Value) -> Result<(&'static str, String), String> {
    let value = |name| at(workload, &["spec", "selector", "matchLabels", name]).and_then(Value::as_str);
    let found = SELECTOR_LABELS.iter().find_map(|name| Some((*name, value(name)?.to_owned())));
    found.ok_or_else(|| {
        let (kind, name) = (text(workload, &["kind"]).to_lowercase(), text(workload, &["metadata", "name"]));
        let (namespace, names) = (text(workload, &["metadata", "namespace"]), SELECTOR_LABELS.join(" "));
        format!("{kind} {name}.{namespace} spec.selector.matchLabels must contain one of [{names}]")
    })
}

/// What a workload's pods are made of, in short.
pub fn revision(workload: &Value) -> String {
    let mut template = at(workload, &["spec", "template"]).cloned().unwrap_or_default();
    // Scaling a daemon set to zero is no new revision.
    if let Some(selector) = at_mut(&mut template, &["spec", "nodeSelector"]).and_then(Value::as_object_mut) {
        selector.shift_remove(SCALE_TO_ZERO);
        if selector.is_empty()
            && let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut)
        {
            spec.shift_remove("nodeSelector");
        }
    }
    let hash = canonical(&template)
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string()
}

/// JSON with sorted members.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members = sorted.iter().map(|(name, value)| format!("{name:?}:{}", canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn at_mut<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, name| value.get_mut(*name))
}

/// Labels or annotations without those by which a sync knows its objects.
pub(super) fn without_sync(members: Option<&Value>) -> Map<String, Value> {
    let members = members.and_then(Value::as_object).into_iter().flatten();
    let kept = members.filter(|(name, _)| !name.contains("fluxcd.io/") && !OTHERS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A Canary as the owner of what is made for it.
pub fn owner(canary: &Canary) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "name": canary.key.name,
        "uid": canary.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The primary after the target: of so many pods, or of as many as its autoscaler says.
pub fn primary(
    canary: &Canary,
    target: &Value,
    tracked: &BTreeSet<Config>,
    replicas: Option<i64>,
    id: &str,
) -> Result<Value, String> {
    let (label, value) = label(target)?;
    let value = format!("{value}-primary");
    let mut template = at(target, &["spec", "template"]).cloned().unwrap_or_default();
    configs::rename(&mut template, tracked);
    let mut annotations = without_sync(at(&template, &["metadata", "annotations"]));
    annotations.insert(ID.to_owned(), id.into());
    let mut labels = without_sync(at(&template, &["metadata", "labels"]));
    labels.insert(label.to_owned(), value.clone().into());
    set(&mut template, &["metadata"], json!({"annotations": annotations, "labels": labels}));
    if let Some(selector) = at_mut(&mut template, &["spec", "nodeSelector"]).and_then(Value::as_object_mut) {
        selector.shift_remove(SCALE_TO_ZERO);
    }
    let mut own_labels = without_sync(at(target, &["metadata", "labels"]));
    own_labels.insert(label.to_owned(), value.clone().into());
    let mut object = json!({
        "apiVersion": text(target, &["apiVersion"]),
        "kind": text(target, &["kind"]),
        "metadata": {
            "name": canary.primary(),
            "namespace": canary.key.namespace,
            "labels": own_labels,
            "annotations": without_sync(at(target, &["metadata", "annotations"])),
            "ownerReferences": [owner(canary)],
        },
        "spec": {"selector": {"matchLabels": {label: value}}, "template": template},
    });
    let copied: &[&str] =
        &["strategy", "updateStrategy", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"];
    for member in copied {
        if let Some(value) = at(target, &["spec", member]) {
            object["spec"][*member] = value.clone();
        }
    }
    if let Some(replicas) = replicas.filter(|_| text(target, &["kind"]) == "Deployment") {
        object["spec"]["replicas"] = replicas.into();
    }
    Ok(object)
}

/// How many pods a workload is to have.
pub fn replicas(workload: &Value) -> i64 {
    if text(workload, &["kind"]) == "DaemonSet" {
        let zero = map(workload, &["spec", "template", "spec", "nodeSelector"]);
        return i64::from(!zero.is_some_and(|selector| selector.contains_key(SCALE_TO_ZERO)));
    }
    int(workload, &["spec", "replicas"]).unwrap_or(1)
}

/// The patch that gives a workload so many pods.
pub fn scale(target: &Reference, replicas: i64) -> Value {
    if target.kind == "DaemonSet" {
        let zero = if replicas == 0 { json!("true") } else { Value::Null };
        return json!({"spec": {"template": {"spec": {"nodeSelector": {SCALE_TO_ZERO: zero}}}}});
    }
    json!({"spec": {"replicas": replicas}})
}

/// The first image of a workload, for people.
pub fn image(workload: &Value) -> String {
    let containers = list(workload, &["spec", "template", "spec", "containers"]);
    containers.first().map(|container| text(container, &["image"]).to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "podinfo", "namespace": "prod",
                "labels": {"app": "podinfo", "fluxcd.io/sync-gc-mark": "x"}, "annotations": {"team": "web"}},
            "spec": {"replicas": 0, "minReadySeconds": 3, "selector": {"matchLabels": {"app": "podinfo"}},
                "template": {"metadata": {"labels": {"app": "podinfo", "tier": "front"}},
                    "spec": {"containers": [{"name": "c", "image": "podinfo:1"}]}}}})
    }

    fn canary() -> Canary {
        Canary::read(&json!({"metadata": {"name": "podinfo", "namespace": "prod", "uid": "u"},
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}}}))
    }

    #[test]
    fn the_primary_is_the_target_with_other_labels() {
        let object = primary(&canary(), &target(), &BTreeSet::new(), Some(2), "id").unwrap();
        let owner = json!({"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo", "uid": "u",
            "controller": true, "blockOwnerDeletion": true});
        let expected = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "podinfo-primary", "namespace": "prod", "labels": {"app": "podinfo-primary"},
                "annotations": {"team": "web"}, "ownerReferences": [owner]},
            "spec": {"selector": {"matchLabels": {"app": "podinfo-primary"}}, "minReadySeconds": 3, "replicas": 2,
                "template": {"metadata": {"annotations": {"flagger-id": "id"},
                        "labels": {"app": "podinfo-primary", "tier": "front"}},
                    "spec": {"containers": [{"name": "c", "image": "podinfo:1"}]}}}});
        assert_eq!(object, expected);
    }

    #[test]
    fn a_revision_is_what_pods_are_made_of() {
        let one = target();
        let mut two = target();
        two["spec"]["replicas"] = json!(4);
        two["metadata"]["labels"]["x"] = json!("y");
        assert_eq!(revision(&one), revision(&two));
        two["spec"]["template"]["spec"]["containers"][0]["image"] = json!("podinfo:2");
        assert_ne!(revision(&one), revision(&two));
        let mut paused = target();
        paused["spec"]["template"]["spec"]["nodeSelector"] = json!({SCALE_TO_ZERO: "true"});
        assert_eq!(revision(&one), revision(&paused));
    }

    #[test]
    fn a_workload_without_a_usable_label_is_refused() {
        let mut other = target();
        other["spec"]["selector"]["matchLabels"] = json!({"tier": "x"});
        let text = "deployment podinfo.prod spec.selector.matchLabels must contain one of \
                    [app name app.kubernetes.io/name]";
        assert_eq!(label(&other), Err(text.to_owned()));
        assert!(primary(&canary(), &Value::Null, &BTreeSet::new(), None, "").is_err());
    }
}
