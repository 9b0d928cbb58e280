//! Parts of a definition as Kubernetes shows them in errors: with the names of its Go structs.

use serde_json::{Value, json};

use crate::cluster::object::{flag, text};

/// The versions; of what they have in common (schema, subresources, columns, selectable fields) nothing is shown.
pub(super) fn versions(versions: &[Value], [schema, subresources, columns, selectable]: [bool; 4]) -> Value {
    let part = |version: &Value, member: &str, common: bool| match version.get(member) {
        Some(value) if !common => value.clone(),
        _ => Value::Null,
    };
    let one = |version: &Value| {
        json!({
            "Name": text(version, &["name"]),
            "Served": flag(version, &["served"]),
            "Storage": flag(version, &["storage"]),
            "Deprecated": flag(version, &["deprecated"]),
            "DeprecationWarning": version.get("deprecationWarning").cloned().unwrap_or_default(),
            "Schema": part(version, "schema", schema),
            "Subresources": part(version, "subresources", subresources),
            "AdditionalPrinterColumns": part(version, "additionalPrinterColumns", columns),
            "SelectableFields": part(version, "selectableFields", selectable),
        })
    };
    versions.iter().map(one).collect()
}

/// A rule.
pub(super) fn rule(rule: &Value) -> Value {
    let or_null = |member: &str| rule.get(member).cloned().unwrap_or_default();
    json!({
        "Rule": text(rule, &["rule"]),
        "Message": text(rule, &["message"]),
        "MessageExpression": text(rule, &["messageExpression"]),
        "Reason": or_null("reason"),
        "FieldPath": text(rule, &["fieldPath"]),
        "OptionalOldSelf": or_null("optionalOldSelf"),
    })
}
