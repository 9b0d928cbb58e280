//! What is odd, though not wrong, about definitions and custom objects.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::schema::format::Format;
use super::structural::below;
use crate::cluster::object::{at, flag, list, text};

/// Warnings about a definition: formats that nothing checks. `old` is what an update replaces; what was odd before is
/// not told again.
pub fn definition_warnings(definition: &Value, old: Option<&Value>) -> Vec<String> {
    let known = old.map(unknown_formats).unwrap_or_default();
    let formats = unknown_formats(definition).into_iter().filter(|format| !known.contains(format));
    formats.map(|format| format!("unrecognized format \"{format}\"")).collect()
}

fn unknown_formats(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for version in list(definition, &["spec", "versions"]) {
        if let Some(schema) = at(version, &["schema", "openAPIV3Schema"]) {
            collect(schema, &mut found);
        }
    }
    found
}

fn collect(schema: &Value, found: &mut Vec<String>) {
    let format = text(schema, &["format"]);
    let kind = if flag(schema, &["x-kubernetes-int-or-string"]) { "" } else { text(schema, &["type"]) };
    if !format.is_empty() && Format::of(format, kind).is_none() && !found.iter().any(|known| known == format) {
        found.push(format.to_owned());
    }
    below(schema).into_iter().for_each(|(_, schema)| collect(schema, found));
}

/// Warnings about a custom object: new finalizers without a domain.
pub fn object_warnings(object: &Value, old: Option<&Value>) -> Vec<String> {
    const STANDARD: [&str; 3] = ["orphan", "foregroundDeletion", "kubernetes"];
    let finalizers = |object: &Value| -> BTreeSet<String> {
        let finalizers = list(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str);
        finalizers.map(str::to_owned).collect()
    };
    let known = old.map(finalizers).unwrap_or_default();
    let new = finalizers(object).into_iter().filter(|name| !known.contains(name));
    let plain = new.filter(|name| !name.contains('/') && !STANDARD.contains(&name.as_str()));
    plain
        .map(|name| {
            let path = if name.contains('.') { " including a path (/)" } else { "" };
            format!(
                "metadata.finalizers: \"{name}\": prefer a domain-qualified finalizer name{path} to avoid accidental \
                 conflicts with other finalizer writers"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn formats_and_finalizers() {
        let definition = |format: &str| {
            json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "a": {"type": "string", "format": format}, "b": {"type": "number", "format": "int32"},
                "c": {"type": "string", "format": "date-time"}
            }}}}]}})
        };
        let warnings = definition_warnings(&definition("odd"), None);
        assert_eq!(warnings, ["unrecognized format \"odd\"", "unrecognized format \"int32\""]);
        let warnings = definition_warnings(&definition("odder"), Some(&definition("odd")));
        assert_eq!(warnings, ["unrecognized format \"odder\""]);

        let object = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
        let new = object(json!(["hold", "a.example.com", "a.example.com/hold", "orphan", "old"]));
        assert_eq!(
            object_warnings(&new, Some(&object(json!(["old"])))),
            [
                "metadata.finalizers: \"a.example.com\": prefer a domain-qualified finalizer name including a path (/) to \
                 avoid accidental conflicts with other finalizer writers",
                "metadata.finalizers: \"hold\": prefer a domain-qualified finalizer name to avoid accidental conflicts with \
                 other finalizer writers",
            ]
        );
    }
}
