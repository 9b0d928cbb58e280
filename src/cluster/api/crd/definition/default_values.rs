//! Defaults in a schema have to fit the schema.

use serde_json::Value;

use super::super::object::errors_at;
use super::super::rules::Rules;
use super::super::schema::{Additional, Kind, Schema};
use crate::cluster::api::status::FieldError;

/// What is wrong with the defaults of a schema.
pub(super) fn errors(schema: &Schema, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(schema, path, &mut errors);
    errors
}

fn walk(schema: &Schema, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(default) = &schema.default {
        let place = format!("{path}.default");
        if !is_known(default, schema) {
            errors.push(FieldError::invalid(place.as_str(), default.clone(), "must not have unknown fields"));
        }
        let mut found = errors_at(schema, default, &place);
        if found.is_empty() {
            found = Rules::of(schema).errors(schema, default, None);
            for error in &mut found {
                error.field = match error.field.as_str() {
                    "<nil>" => place.clone(),
                    field => format!("{place}.{field}"),
                };
            }
        }
        errors.extend(found);
    }
    if let Some(items) = &schema.items {
        walk(items, &format!("{path}.items"), errors);
    }
    for (name, property) in &schema.properties {
        // the metadata of objects is checked as such
        if !(schema.resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata")) {
            walk(property, &format!("{path}.properties[{name}]"), errors);
        }
    }
}

/// Whether nothing would be pruned.
fn is_known(value: &Value, schema: &Schema) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| match schema.properties.get(name) {
            Some(property) => is_known(value, property),
            None => match &schema.additional {
                Additional::Described(values) => is_known(value, values),
                Additional::Anything => true,
                Additional::Unsaid | Additional::Forbidden => {
                    schema.open || schema.kind == Kind::Any || schema.resource && is_identity(name)
                }
            },
        }),
        Value::Array(items) => {
            let known = |items_schema| items.iter().all(|item| is_known(item, items_schema));
            schema.open || schema.items.as_deref().is_none_or(known)
        }
        _ => true,
    }
}

fn is_identity(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}
