//! `values.schema.json`, as far as charts use it: types, required, enum, bounds, patterns, items, and properties.
//!
//! `$ref`, `oneOf`, `anyOf`, `allOf`, `not` and `if` are not looked at: what they would refuse passes here.

use regex::Regex;
use serde_json::Value as Json;

use crate::cluster::object::{list, map, text};

/// Deeper schemas are not looked at.
const DEEPEST: usize = 50;

/// What values have that a schema refuses, in the words of Helm.
pub(super) fn findings(schema: &Json, values: &Json) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, values, "", &mut found, 0);
    found
}

fn check(schema: &Json, value: &Json, path: &str, found: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let name = if path.is_empty() { "(root)" } else { path };
    let mut say = |message: String| found.push(format!("{name}: {message}"));
    let wanted: Vec<&str> = match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    if !wanted.is_empty() && !wanted.iter().any(|wanted| is_of(value, wanted)) {
        say(format!("Invalid type. Expected: {}, given: {}", wanted.join("/"), type_of(value)));
        return;
    }
    if let Some(all) = schema.get("enum").and_then(Json::as_array).filter(|all| !all.contains(value)) {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        say(format!("{name} must be one of the following: {}", all.join(", ")));
    }
    if let Some(number) = value.as_f64() {
        if let Some(least) = schema.get("minimum").and_then(Json::as_f64).filter(|least| number < *least) {
            say(format!("Must be greater than or equal to {least}"));
        }
        if let Some(most) = schema.get("maximum").and_then(Json::as_f64).filter(|most| number > *most) {
            say(format!("Must be less than or equal to {most}"));
        }
    }
    if let Some(words) = value.as_str() {
        let pattern = text(schema, &["pattern"]);
        if Regex::new(pattern).is_ok_and(|regex| !regex.is_match(words)) {
            say(format!("Does not match pattern '{pattern}'"));
        }
        let length = u64::try_from(words.chars().count()).unwrap_or(u64::MAX);
        if let Some(least) = schema.get("minLength").and_then(Json::as_u64).filter(|least| length < *least) {
            say(format!("String length must be greater than or equal to {least}"));
        }
    }
    if let Some(members) = value.as_object() {
        for wanted in list(schema, &["required"]).iter().filter_map(Json::as_str) {
            if !members.contains_key(wanted) {
                say(format!("{wanted} is required"));
            }
        }
        let known = map(schema, &["properties"]);
        for (key, member) in members {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match (known.and_then(|known| known.get(key)), schema.get("additionalProperties")) {
                (Some(schema), _) => check(schema, member, &below, found, depth + 1),
                (None, Some(Json::Bool(false))) if key != "global" => {
                    found.push(format!("{name}: Additional property {key} is not allowed"));
                }
                (None, Some(schema @ Json::Object(_))) => check(schema, member, &below, found, depth + 1),
                _ => {}
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (number, item) in items.iter().enumerate() {
            check(schema, item, &format!("{name}.{number}"), found, depth + 1);
        }
    }
}

fn is_of(value: &Json, wanted: &str) -> bool {
    let is = type_of(value);
    is == wanted || (wanted == "number" && is == "integer")
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
