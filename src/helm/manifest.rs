//! What templates made, taken apart: objects in the order in which they are made, and hooks.

use serde_json::Value as Json;

use super::Error;
use crate::cluster::object::{at, text};
use crate::cluster::yaml;

/// The order in which Helm makes kinds; others come after.
const ORDER: [&str; 35] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
];

/// The annotation of hooks.
const HOOK: &str = "helm.sh/hook";

/// One thing that a template made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The template: `podinfo/templates/service.yaml`.
    pub file: String,
    /// The text, without marks between documents.
    pub text: String,
    /// The object.
    pub object: Json,
}

/// An object that is made at a moment, and is no part of the release.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// What is made.
    pub made: Made,
    /// When: `pre-install`, `test`.
    pub events: Vec<String>,
    /// Lower ones first.
    pub weight: i64,
}

impl Hook {
    /// Whether it is for this moment.
    pub fn is_for(&self, event: &str) -> bool {
        self.events.iter().any(|it| it == event || (event == "test" && it == "test-success"))
    }
}

/// Takes what a template made apart.
///
/// # Errors
/// When it made something that is no object.
pub(super) fn take_apart(file: &str, text: &str, made: &mut Vec<Made>, hooks: &mut Vec<Hook>) -> Result<(), Error> {
    for part in parts(text) {
        if part.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            continue;
        }
        let wrong = |message: String| Error::Chart(format!("YAML parse error on {file}: {message}"));
        let object =
            yaml::value(&part).map_err(|error| wrong(format!("error converting YAML to JSON: yaml: {error}")))?;
        if object.is_null() {
            continue;
        }
        if object_text(&object, "kind").is_empty() || object_text(&object, "apiVersion").is_empty() {
            return Err(wrong("apiVersion or kind is not set".to_owned()));
        }
        let one = Made { file: file.to_owned(), text: part.trim().to_owned(), object };
        let hook = at(&one.object, &["metadata", "annotations", HOOK]).and_then(Json::as_str);
        match hook.map(|events| events.split(',').map(|event| event.trim().to_owned()).collect()) {
            Some(events) => {
                let weight =
                    crate::cluster::object::text(&one.object, &["metadata", "annotations", "helm.sh/hook-weight"]);
                hooks.push(Hook { weight: weight.parse().unwrap_or(0), made: one, events });
            }
            None => made.push(one),
        }
    }
    Ok(())
}

fn object_text<'a>(object: &'a Json, field: &str) -> &'a str {
    text(object, &[field])
}

fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("---") && line[3..].trim_start().is_empty() {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    parts
}

/// Sorts as Helm makes them; of one kind they stay in the order of their files.
pub(super) fn sort(made: &mut [Made]) {
    let rank = |kind: &str| ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len());
    made.sort_by_cached_key(|made| {
        let kind = object_text(&made.object, "kind").to_owned();
        let rank = rank(&kind);
        (rank, if rank == ORDER.len() { kind } else { String::new() })
    });
}

/// One text of all, with the names of the templates.
pub(super) fn whole(made: &[Made]) -> String {
    made.iter().map(|made| format!("---\n# Source: {}\n{}\n", made.file, made.text)).collect()
}
