//! Objects inside an object (`x-kubernetes-embedded-resource`) have a kind and metadata of their own.

use serde_json::Value;

use super::super::names::label_fault;
use super::super::schema::Schema;
use crate::cluster::api::status::FieldError;

/// What is wrong with the kinds of embedded objects.
pub(super) fn errors(schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    below(schema, object, "", &mut errors);
    errors
}

fn below(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(schema) = schema.properties.get(name) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    visit(schema, value, &path, errors);
                } else if let Some(schema) = schema.additional() {
                    visit(schema, value, &format!("{path}[{name}]"), errors);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    visit(schema, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        _ => {}
    }
}

fn visit(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if schema.resource && value.is_object() {
        for name in ["apiVersion", "kind"] {
            errors.extend(identity_error(name, value.get(name), format!("{path}.{name}")));
        }
        if let Some(metadata) = value.get("metadata").filter(|metadata| !metadata.is_object() && !metadata.is_null()) {
            let hint = "must be an object";
            errors.push(FieldError::invalid(format!("{path}.metadata"), metadata.clone(), hint));
        }
    }
    below(schema, value, path, errors);
}

fn identity_error(name: &str, value: Option<&Value>, path: String) -> Option<FieldError> {
    let Some(value) = value else { return Some(FieldError::required(path, "")) };
    let Some(text) = value.as_str() else { return Some(FieldError::invalid(path, value.clone(), "must be a string")) };
    if text.is_empty() {
        return Some(FieldError::invalid(path, text, "must not be empty"));
    }
    let hint = match name {
        "apiVersion" if text.matches('/').count() > 1 => format!("unexpected GroupVersion string: {text}"),
        "kind" => {
            let fault = label_fault(&text.to_lowercase())?;
            format!("may have mixed case, but should otherwise match: {fault}")
        }
        _ => return None,
    };
    Some(FieldError::invalid(path, text, hint))
}
