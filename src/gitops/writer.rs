//! Who wrote a field: read from what the cluster remembers of field managers.

use serde_json::Value;

use super::api::MANAGER;
use crate::cluster::object::{list, text};

/// The manager, other than us, that wrote a field last, as in `kubectl-scale`. The path is a difference's.
pub fn writer(object: &Value, path: &str) -> Option<String> {
    let steps = steps(path);
    let entries = list(object, &["metadata", "managedFields"]);
    let others = entries.iter().filter(|entry| text(entry, &["manager"]) != MANAGER);
    let owners = others.filter(|entry| entry.get("fieldsV1").is_some_and(|fields| owns(fields, &steps)));
    let newest = owners.max_by_key(|entry| text(entry, &["time"]))?;
    Some(text(newest, &["manager"]).to_owned())
}

/// Whether a set of fields has a field, or one above it as a whole.
fn owns(fields: &Value, steps: &[Step]) -> bool {
    let Some((first, rest)) = steps.split_first() else { return true };
    let Some(members) = fields.as_object() else { return false };
    if members.is_empty() {
        return true;
    }
    members
        .iter()
        .any(|(name, below)| first.is(name) && (below.as_object().is_some_and(|b| b.is_empty()) || owns(below, rest)))
}

enum Step {
    Member(String),
    Element(String),
}

impl Step {
    /// Whether it is what `f:name` or `k:{…}` means.
    fn is(&self, field: &str) -> bool {
        match self {
            Self::Member(name) => field.strip_prefix("f:") == Some(name),
            Self::Element(key) => {
                let Some(json) = field.strip_prefix("k:") else { return false };
                let Ok(Value::Object(members)) = serde_json::from_str(json) else { return false };
                key.split(',').filter_map(|pair| pair.split_once('=')).all(|(name, value)| {
                    members.get(name).is_some_and(|found| match found {
                        Value::String(text) => text == value,
                        Value::Number(number) => number.to_string() == value,
                        _ => false,
                    })
                })
            }
        }
    }
}

/// Takes a path such as `spec.containers[name=web].'a.b/c'` apart.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (name, after) = quoted.split_once('\'').unwrap_or((quoted, ""));
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        } else if let Some(keyed) = rest.strip_prefix('[') {
            let (key, after) = keyed.split_once(']').unwrap_or((keyed, ""));
            steps.push(Step::Element(key.to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            steps.push(Step::Member(name.to_owned()));
            rest = after;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_writer_of_a_field_is_found() {
        let entry =
            |manager: &str, time: &str, fields: Value| json!({"manager": manager, "time": time, "fieldsV1": fields});
        let object = json!({"metadata": {"managedFields": [
            entry("flux", "3", json!({"f:spec": {"f:replicas": {}}})),
            entry("kubectl-scale", "1", json!({"f:spec": {"f:replicas": {}}})),
            entry("kubectl-edit", "2", json!({
                "f:metadata": {"f:labels": {"f:a.b/c": {}}},
                "f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"web\"}": {"f:image": {}}}},
            })),
        ]}});
        let cases = [
            ("spec.replicas", Some("kubectl-edit")),
            ("spec.containers[name=web].image", Some("kubectl-edit")),
            ("spec.containers[name=other].image", None),
            ("metadata.labels.'a.b/c'", Some("kubectl-edit")),
            ("spec.paused", None),
        ];
        for (path, manager) in cases {
            assert_eq!(writer(&object, path).as_deref(), manager, "{path}");
        }
        assert_eq!(writer(&json!({}), "spec['"), None);
    }
}
