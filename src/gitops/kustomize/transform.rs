//! Kustomize's plain transformations: namespace, names, labels, annotations, replicas, images.

use serde_json::Value;

use super::plain::Built;
use crate::cluster::object::{Map, at, list, map, set, text};

/// Kinds that live in no namespace.
const CLUSTER_WIDE: [&str; 17] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];
/// Kinds that keep their name.
const NAMED: [&str; 3] = ["APIService", "CustomResourceDefinition", "Namespace"];
/// Kinds with a template of pods.
const WORKLOADS: [&str; 6] = ["DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// All but what comes behind the old JSON patches.
pub(super) fn all(all: &mut [Built], config: &Value) -> Result<(), String> {
    if let Some(namespace) = config.get("namespace").and_then(Value::as_str) {
        let accounts = all.iter().filter(|built| text(&built.object, &["kind"]) == "ServiceAccount");
        let accounts: Vec<String> = accounts.map(|b| text(&b.object, &["metadata", "name"]).to_owned()).collect();
        all.iter_mut().for_each(|built| into_namespace(&mut built.object, namespace, &accounts));
    }
    let (prefix, suffix) = (text(config, &["namePrefix"]), text(config, &["nameSuffix"]));
    if !prefix.is_empty() || !suffix.is_empty() {
        rename(all, prefix, suffix);
    }
    if let Some(labels) = map(config, &["commonLabels"]) {
        all.iter_mut().for_each(|built| label(&mut built.object, labels, true, true));
    }
    for entry in list(config, &["labels"]) {
        if entry.get("fields").is_some() {
            return Err("the fields of labels take kubectl, which is not on the PATH".to_owned());
        }
        let Some(pairs) = map(entry, &["pairs"]) else { continue };
        let on = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
        let (selectors, templates) = (on("includeSelectors"), on("includeTemplates"));
        all.iter_mut().for_each(|built| label(&mut built.object, pairs, selectors, selectors || templates));
    }
    if let Some(annotations) = map(config, &["commonAnnotations"]) {
        all.iter_mut().for_each(|built| annotate(&mut built.object, annotations));
    }
    Ok(())
}

fn into_namespace(object: &mut Value, namespace: &str, accounts: &[String]) {
    let kind = text(object, &["kind"]).to_owned();
    if kind == "Namespace" {
        set(object, &["metadata", "name"], namespace);
    } else if !CLUSTER_WIDE.contains(&kind.as_str()) {
        set(object, &["metadata", "namespace"], namespace);
    }
    if matches!(kind.as_str(), "RoleBinding" | "ClusterRoleBinding") {
        let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            let name = text(subject, &["name"]);
            let ours = name == "default" || accounts.iter().any(|account| account == name);
            if ours && text(subject, &["kind"]) == "ServiceAccount" {
                set(subject, &["namespace"], namespace);
            }
        }
    }
}

/// Gives objects other names, and changes the places that name them.
fn rename(all: &mut [Built], prefix: &str, suffix: &str) {
    let mut renamed: Vec<(String, String, String)> = Vec::new();
    for built in all.iter_mut() {
        let (kind, old) =
            (text(&built.object, &["kind"]).to_owned(), text(&built.object, &["metadata", "name"]).to_owned());
        if NAMED.contains(&kind.as_str()) {
            continue;
        }
        let new = format!("{prefix}{old}{suffix}");
        set(&mut built.object, &["metadata", "name"], new.clone());
        built.names.push(old.clone());
        renamed.push((kind, old, new));
    }
    let new_name = |kind: &str, name: &str| {
        let found = renamed.iter().find(|(other, old, _)| other == kind && old == name);
        found.map(|(_, _, new)| new.clone())
    };
    for built in all.iter_mut() {
        refer(&mut built.object, "", &new_name);
    }
}

/// Members that name an object: below which member, called how, and of which kind it is.
const REFERENCES: [(&str, &str, &str); 15] = [
    ("configMapRef", "name", "ConfigMap"),
    ("configMapKeyRef", "name", "ConfigMap"),
    ("configMap", "name", "ConfigMap"),
    ("secretRef", "name", "Secret"),
    ("secretKeyRef", "name", "Secret"),
    ("secret", "name", "Secret"),
    ("secret", "secretName", "Secret"),
    ("imagePullSecrets", "name", "Secret"),
    ("secrets", "name", "Secret"),
    ("tls", "secretName", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    ("service", "name", "Service"),
    ("backend", "serviceName", "Service"),
    ("defaultBackend", "serviceName", "Service"),
    ("", "serviceAccountName", "ServiceAccount"),
];
/// Members that name an object and say its kind.
const KINDED: [&str; 4] = ["roleRef", "scaleTargetRef", "subjects", "targetRef"];

fn refer(value: &mut Value, within: &str, new_name: &dyn Fn(&str, &str) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, within, new_name)),
        Value::Object(members) => {
            let kind = members.get("kind").and_then(Value::as_str).unwrap_or("").to_owned();
            for (name, member) in members.iter_mut() {
                if let Value::String(old) = member {
                    let by_place = REFERENCES
                        .iter()
                        .filter(|(parent, field, _)| (parent.is_empty() || *parent == within) && field == name)
                        .find_map(|(_, _, kind)| new_name(kind, old));
                    let by_kind = (name == "name" && KINDED.contains(&within)).then(|| new_name(&kind, old)).flatten();
                    let of_set =
                        (name == "serviceName" && within == "spec").then(|| new_name("Service", old)).flatten();
                    if let Some(new) = by_place.or(by_kind).or(of_set) {
                        *old = new;
                    }
                } else {
                    refer(member, name, new_name);
                }
            }
        }
        _ => {}
    }
}

/// Sets members of the map at a path; makes the map only where it may.
fn put(object: &mut Value, path: &[&str], members: &Map, create: bool) {
    if !create && at(object, path).is_none() {
        return;
    }
    for (name, value) in members {
        let path: Vec<&str> = path.iter().copied().chain(Some(name.as_str())).collect();
        set(object, &path, value.clone());
    }
}

fn label(object: &mut Value, labels: &Map, selectors: bool, templates: bool) {
    let kind = text(object, &["kind"]).to_owned();
    put(object, &["metadata", "labels"], labels, true);
    if templates {
        if WORKLOADS.contains(&kind.as_str()) {
            put(object, &["spec", "template", "metadata", "labels"], labels, true);
        }
        if kind == "CronJob" {
            put(object, &["spec", "jobTemplate", "metadata", "labels"], labels, true);
            put(object, &["spec", "jobTemplate", "spec", "template", "metadata", "labels"], labels, true);
        }
        if kind == "StatefulSet"
            && let Some(claims) = object.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut)
        {
            claims.iter_mut().for_each(|claim| put(claim, &["metadata", "labels"], labels, true));
        }
    }
    if !selectors {
        return;
    }
    match kind.as_str() {
        "Service" => put(object, &["spec", "selector"], labels, true),
        "ReplicationController" => put(object, &["spec", "selector"], labels, true),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => {
            put(object, &["spec", "selector", "matchLabels"], labels, true);
        }
        "Job" | "PodDisruptionBudget" => put(object, &["spec", "selector", "matchLabels"], labels, false),
        "CronJob" => put(object, &["spec", "jobTemplate", "spec", "selector", "matchLabels"], labels, false),
        "NetworkPolicy" => put(object, &["spec", "podSelector", "matchLabels"], labels, false),
        _ => {}
    }
}

fn annotate(object: &mut Value, annotations: &Map) {
    let kind = text(object, &["kind"]).to_owned();
    put(object, &["metadata", "annotations"], annotations, true);
    if WORKLOADS.contains(&kind.as_str()) {
        put(object, &["spec", "template", "metadata", "annotations"], annotations, true);
    }
    if kind == "CronJob" {
        put(object, &["spec", "jobTemplate", "metadata", "annotations"], annotations, true);
        put(object, &["spec", "jobTemplate", "spec", "template", "metadata", "annotations"], annotations, true);
    }
}

/// Sets numbers of replicas.
pub(super) fn replicas(all: &mut [Built], config: &Value) -> Result<(), String> {
    const SCALED: [&str; 4] = ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"];
    for entry in list(config, &["replicas"]) {
        let (name, count) = (text(entry, &["name"]), entry.get("count").cloned().unwrap_or_default());
        let meant = |built: &&mut Built| {
            let own = text(&built.object, &["metadata", "name"]) == name;
            SCALED.contains(&text(&built.object, &["kind"])) && (own || built.names.iter().any(|old| old == name))
        };
        let mut any = false;
        for built in all.iter_mut().filter(meant) {
            set(&mut built.object, &["spec", "replicas"], count.clone());
            any = true;
        }
        if !any {
            return Err(format!("there is nothing called {name} to scale"));
        }
    }
    Ok(())
}

/// Puts other names, tags and digests to images.
pub(super) fn images(all: &mut [Built], config: &Value) {
    for entry in list(config, &["images"]) {
        all.iter_mut().for_each(|built| change_images(&mut built.object, entry));
    }
}

fn change_images(value: &mut Value, entry: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change_images(item, entry)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let containers = matches!(name.as_str(), "containers" | "initContainers");
                for container in member.as_array_mut().into_iter().flatten().filter(|_| containers) {
                    if let Some(Value::String(image)) = container.get_mut("image") {
                        *image = changed(image, entry);
                    }
                }
                change_images(member, entry);
            }
        }
        _ => {}
    }
}

fn changed(image: &str, entry: &Value) -> String {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    let slash = rest.rfind('/').map_or(0, |slash| slash + 1);
    let colon = rest.get(slash..).and_then(|last| last.find(':')).map(|colon| slash + colon);
    let (name, tag) = match colon {
        Some(colon) => (rest.get(..colon).unwrap_or(rest), rest.get(colon + 1..)),
        None => (rest, None),
    };
    if name != text(entry, &["name"]) {
        return image.to_owned();
    }
    let given = |field: &str| match entry.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let name = given("newName").unwrap_or_else(|| name.to_owned());
    match (given("newTag"), given("digest")) {
        (_, Some(digest)) => format!("{name}@{digest}"),
        (Some(tag), None) => format!("{name}:{tag}"),
        (None, None) => match (tag, digest) {
            (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
            (Some(tag), None) => format!("{name}:{tag}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => name,
        },
    }
}
