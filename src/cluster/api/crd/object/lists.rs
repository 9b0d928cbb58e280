//! Items of a list that is a set or a map have to differ.

use std::collections::HashMap;

use serde_json::Value;

use super::super::schema::{List, Schema, key_of};
use crate::cluster::api::status::FieldError;
use crate::cluster::api::table::go_json;

/// Items that are there twice.
pub(super) fn errors(schema: &Schema, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(schema, object, "", &mut errors);
    errors
}

fn walk(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(schema) = schema.properties.get(name) {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    walk(schema, value, &path, errors);
                } else if let Some(schema) = schema.additional() {
                    walk(schema, value, &format!("{path}[{name}]"), errors);
                }
            }
        }
        Value::Array(items) => {
            match &schema.list {
                List::Atomic => {}
                List::Set => repeated(items.iter().cloned(), path, errors),
                List::Map(keys) => match items.iter().position(|item| !item.is_object() && !item.is_null()) {
                    Some(index) => {
                        let value = items.get(index).cloned().unwrap_or_default();
                        let hint = "must be an object for an array of list-type map";
                        errors.push(FieldError::invalid(format!("{path}[{index}]"), value, hint));
                    }
                    None => repeated(items.iter().map(|item| Value::Object(key_of(item, keys))), path, errors),
                },
            }
            if let Some(schema) = &schema.items {
                for (index, item) in items.iter().enumerate() {
                    walk(schema, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        _ => {}
    }
}

/// Tells of the second of equal values, once.
fn repeated(values: impl Iterator<Item = Value>, path: &str, errors: &mut Vec<FieldError>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, value) in values.enumerate() {
        let times = seen.entry(go_json(&value)).or_default();
        *times += 1;
        if *times == 2 {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), value));
        }
    }
}
