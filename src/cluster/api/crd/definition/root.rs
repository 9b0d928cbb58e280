//! The `openAPIV3Schema` of a version as a whole.

use serde_json::Value;

use super::super::schema::Schema;
use super::{default_values, openapi, structural};
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{flag, text};

/// What may stand at the root when there is a status subresource, with the names that Kubernetes shows.
const AT_ROOT: [(&str, &str); 22] = [
    ("description", "Description"),
    ("type", "Type"),
    ("format", "Format"),
    ("title", "Title"),
    ("maximum", "Maximum"),
    ("exclusiveMaximum", "ExclusiveMaximum"),
    ("minimum", "Minimum"),
    ("exclusiveMinimum", "ExclusiveMinimum"),
    ("maxLength", "MaxLength"),
    ("minLength", "MinLength"),
    ("pattern", "Pattern"),
    ("maxItems", "MaxItems"),
    ("minItems", "MinItems"),
    ("uniqueItems", "UniqueItems"),
    ("multipleOf", "MultipleOf"),
    ("required", "Required"),
    ("items", "Items"),
    ("properties", "Properties"),
    ("externalDocs", "ExternalDocs"),
    ("example", "Example"),
    ("x-kubernetes-preserve-unknown-fields", "XPreserveUnknownFields"),
    ("x-kubernetes-validations", "XValidations"),
];

/// What is wrong with a version's `schema`.
pub(super) fn errors(validation: Option<&Value>, status: bool, path: &str) -> Vec<FieldError> {
    let Some(schema) = validation.and_then(|validation| validation.get("openAPIV3Schema")).filter(|it| !it.is_null())
    else {
        return Vec::new();
    };
    let path = format!("{path}.openAPIV3Schema");
    let mut errors = Vec::new();
    if status {
        errors.extend(status_error(schema, &path));
    }
    if flag(schema, &["nullable"]) {
        errors.push(FieldError::forbidden(format!("{path}.nullable"), "nullable cannot be true at the root"));
    }
    let unsupported = structural::unsupported(schema);
    let compiled = Schema::of(schema);
    let mut sound = false;
    if unsupported.is_none() {
        let found = structural::errors(schema, &path);
        let found = if found.is_empty() { default_values::errors(&compiled, &path) } else { found };
        sound = found.is_empty();
        errors.extend(found);
    }
    // rules are compiled only for schemas that make sense
    errors.extend(openapi::errors(schema, sound.then_some(&compiled), &path));
    if errors.is_empty()
        && let Some(why) = unsupported
    {
        errors.push(FieldError::invalid(path, "", why));
    }
    errors
}

/// The status is checked by itself, so nothing at the root may be about it.
fn status_error(schema: &Value, path: &str) -> Option<FieldError> {
    let kind = text(schema, &["type"]);
    for (member, value) in schema.as_object()? {
        let says_nothing = match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if says_nothing {
            continue;
        }
        if member == "type" && kind != "object" {
            let hint =
                "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
            return Some(FieldError::invalid(format!("{path}.type"), kind, hint));
        }
        if !AT_ROOT.iter().any(|(known, _)| known == member) {
            let names = AT_ROOT.map(|(_, name)| name).join(" ");
            let hint = format!(
                "only [{names}] fields are allowed at the root of the schema if the status subresource is enabled"
            );
            return Some(FieldError { field: path.to_owned(), fault: Fault::Invalid(schema.clone(), hint) });
        }
    }
    None
}
