//! Printer columns, subresources and selectable fields of a version.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::paths::field_path;
use super::super::schema::{Kind, Schema};
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{at, list, text};

const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// Fields that selectors may ask for.
const MOST_SELECTABLE: usize = 8;

/// What is wrong with the printer columns.
pub(super) fn column_errors(version: &Value, path: &str) -> Vec<FieldError> {
    let columns = list(version, &["additionalPrinterColumns"]);
    columns.iter().enumerate().flat_map(|(index, column)| one_column(column, &format!("{path}[{index}]"))).collect()
}

fn one_column(column: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let one = |member| text(column, &[member]);
    let hint = |known: &[&str]| format!("must be one of {}", known.join(","));
    if one("name").is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    match one("type") {
        "" => errors.push(FieldError::required(format!("{path}.type"), hint(&TYPES))),
        kind if !TYPES.contains(&kind) => {
            errors.push(FieldError::invalid(format!("{path}.type"), kind, hint(&TYPES)));
        }
        _ => {}
    }
    let format = one("format");
    if !format.is_empty() && !FORMATS.contains(&format) {
        errors.push(FieldError::invalid(format!("{path}.format"), format, hint(&FORMATS)));
    }
    let field = format!("{path}.JSONPath");
    match one("jsonPath") {
        "" => errors.push(FieldError::required(field, "")),
        json_path => errors.extend(path_error(json_path, field)),
    }
    errors
}

fn path_error(path: &str, field: String) -> Option<FieldError> {
    let begins = path.starts_with('.');
    (!begins).then(|| FieldError::invalid(field, path, "must be a simple json path starting with ."))
}

/// What is wrong with the scale subresource.
pub(super) fn subresource_errors(version: &Value, path: &str) -> Vec<FieldError> {
    let Some(scale) = at(version, &["subresources", "scale"]).filter(|scale| !scale.is_null()) else {
        return Vec::new();
    };
    let mut errors = Vec::new();
    for (member, prefix, hint) in [
        ("specReplicasPath", ".spec.", "should be a json path under .spec"),
        ("statusReplicasPath", ".status.", "should be a json path under .status"),
    ] {
        let field = format!("{path}.scale.{member}");
        match text(scale, &[member]) {
            "" => errors.push(FieldError::required(field, "")),
            json_path => match path_error(json_path, field.clone()) {
                Some(error) => errors.push(error),
                None if !json_path.starts_with(prefix) => errors.push(FieldError::invalid(field, json_path, hint)),
                None => {}
            },
        }
    }
    let selector = text(scale, &["labelSelectorPath"]);
    if !selector.is_empty() {
        let field = format!("{path}.scale.labelSelectorPath");
        match path_error(selector, field.clone()) {
            Some(error) => errors.push(error),
            None if selector.starts_with(".spec.") || selector.starts_with(".status.") => {}
            None => {
                errors.push(FieldError::invalid(
                    field,
                    selector,
                    "should be a json path under either .spec or .status",
                ));
            }
        }
    }
    errors
}

/// What is wrong with the selectable fields.
pub(super) fn selectable_errors(fields: &[Value], schema: &Schema, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, field) in fields.iter().enumerate() {
        let place = format!("{path}[{index}].jsonPath");
        let json_path = text(field, &["jsonPath"]);
        if json_path.is_empty() {
            errors.push(FieldError::required(place, ""));
            continue;
        }
        let (shown, found) = match field_path(json_path, schema, false) {
            Ok(found) => found,
            Err(why) => {
                errors.push(FieldError::invalid(place, json_path, format!("is an invalid path: {why}")));
                continue;
            }
        };
        if shown.split('.').next() == Some("metadata") {
            errors.push(FieldError::invalid(place.clone(), json_path, "must not point to fields in metadata"));
        }
        if !matches!(found.kind, Kind::String | Kind::Boolean | Kind::Integer) {
            let hint = "must point to a field of type string, boolean or integer. Enum string fields and strings with \
                        formats are allowed.";
            errors.push(FieldError::invalid(place.clone(), json_path, hint));
        }
        if !seen.insert(shown) {
            errors.push(FieldError::duplicate(place, json_path));
        }
    }
    if seen.len() > MOST_SELECTABLE {
        errors.push(FieldError { field: path.to_owned(), fault: Fault::TooMany(seen.len(), MOST_SELECTABLE) });
    }
    errors
}
