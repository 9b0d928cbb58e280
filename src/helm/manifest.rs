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

/// The moments that there are hooks for.
const EVENTS: [&str; 10] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
    "test-success",
];

/// One thing that a template made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The template: `podinfo/templates/service.yaml`.
    pub file: String,
    /// The text, without marks between documents.
    pub text: String,
    /// The object; null when there is nothing but comments.
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
    parts(text).iter().try_for_each(|part| take(file, part, made, hooks))
}

/// Takes apart what `helm template` prints, which names the template of each object.
///
/// # Errors
/// When something in it is no object.
pub fn read(text: &str) -> Result<(Vec<Made>, Vec<Hook>), Error> {
    let (mut made, mut hooks) = (Vec::new(), Vec::new());
    for part in parts(text) {
        let named = part.strip_prefix("# Source: ").and_then(|rest| rest.split_once('\n'));
        let (file, part) = named.unwrap_or(("", &part));
        take(file, part, &mut made, &mut hooks)?;
    }
    Ok((made, hooks))
}

fn take(file: &str, part: &str, made: &mut Vec<Made>, hooks: &mut Vec<Hook>) -> Result<(), Error> {
    if part.trim().is_empty() {
        return Ok(());
    }
    let wrong = |message: String| Error::Chart(format!("YAML parse error on {file}: {message}"));
    let object = yaml::value(part).map_err(|error| wrong(format!("error converting YAML to JSON: yaml: {error}")))?;
    let is = match &object {
        Json::Array(_) => "array",
        Json::String(_) => "string",
        Json::Number(_) => "number",
        Json::Bool(_) => "bool",
        Json::Object(_) | Json::Null => "",
    };
    if !is.is_empty() {
        return Err(wrong(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {is} into Go value of type \
             releaseutil.SimpleHead"
        )));
    }
    let is_nothing = object.is_null();
    if !is_nothing && (object_text(&object, "kind").is_empty() || object_text(&object, "apiVersion").is_empty()) {
        return Err(wrong("apiVersion or kind is not set".to_owned()));
    }
    let one = Made { file: file.to_owned(), text: part.trim().to_owned(), object };
    let annotation = |name: &str| at(&one.object, &["metadata", "annotations", name]).and_then(Json::as_str);
    let Some(events) = annotation(HOOK) else {
        // Comments alone are kept, too: they are part of what Helm prints, and make nothing.
        made.push(one);
        return Ok(());
    };
    let events: Vec<String> = events.split(',').map(|event| event.trim().to_lowercase()).collect();
    // As in Helm, an object with an event that nobody knows is passed over.
    if events.iter().all(|event| EVENTS.contains(&event.as_str())) {
        let weight = annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0);
        hooks.push(Hook { weight, made: one, events });
    }
    Ok(())
}

fn object_text<'a>(object: &'a Json, field: &str) -> &'a str {
    text(object, &[field])
}

/// The documents of a text. A mark is at the beginning of a line, whatever stands behind it, and blanks around it go.
fn parts(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(mark) = rest.get(from..).and_then(|text| text.find("---")).map(|at| from + at) {
        let begins = if mark == 0 { parts.is_empty() } else { rest[..mark].ends_with('\n') };
        if !begins {
            from = mark + 3;
            continue;
        }
        parts.push(rest[..mark].trim_end().to_owned());
        (rest, from) = (rest[mark + 3..].trim_start(), 0);
    }
    parts.push(rest.to_owned());
    parts
}

/// Sorts as Helm makes them; of one kind they stay in the order of their files.
pub(super) fn sort(made: &mut [Made]) {
    made.sort_by_cached_key(rank);
}

/// Sorts hooks as Helm lists them.
pub(super) fn sort_hooks(hooks: &mut [Hook]) {
    hooks.sort_by_cached_key(|hook| rank(&hook.made));
}

/// Unknown kinds come last, by their names.
fn rank(made: &Made) -> (usize, String) {
    let kind = object_text(&made.object, "kind");
    match ORDER.iter().position(|known| *known == kind) {
        Some(rank) => (rank, String::new()),
        None => (ORDER.len(), kind.to_owned()),
    }
}

/// One text of all, with the names of the templates.
pub(super) fn whole(made: &[Made]) -> String {
    made.iter().map(|made| format!("---\n# Source: {}\n{}\n", made.file, made.text)).collect()
}
