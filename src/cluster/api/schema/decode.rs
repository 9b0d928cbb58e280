//! What a body says: its kind, its findings, and the texts of refusals.

use serde_json::Value;

use super::conform::{MAX_UNKNOWN, name_of};
use super::place::Place;
use super::{Field, Struct, Type};
use crate::cluster::gojson::without_fraction;

pub use super::conform::{conform, restore};
pub use super::json::parse_json;

/// Takes away and names the fields that a custom resource's schema has not, sorted. Wrong types stay: they are found
/// by validation.
pub fn prune(kind: &Struct, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    prune_struct(kind, object, &Place::Root, &mut unknown);
    unknown.sort_unstable();
    unknown
}

/// What a client is told of the findings of reading: of both lists, less the fields below fields that went as a whole.
pub fn findings(duplicates: Vec<String>, unknown: Vec<String>) -> Vec<String> {
    let path =
        |finding: &str| finding.split_once(" field \"").map_or("", |(_, path)| path).trim_end_matches('"').to_owned();
    let gone: Vec<String> = unknown.iter().map(|finding| path(finding)).collect();
    let is_below = |finding: &str, gone: &String| {
        path(finding).strip_prefix(gone.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut told: Vec<String> = Vec::new();
    let kept = duplicates.into_iter().filter(|finding| !gone.iter().any(|gone| is_below(finding, gone)));
    for finding in kept.chain(unknown) {
        if told.len() < MAX_UNKNOWN && !told.contains(&finding) {
            told.push(finding);
        }
    }
    told
}

/// The text of a refusal under `fieldValidation=Strict`.
pub fn strict(findings: &[String]) -> String {
    format!("strict decoding error: {}", findings.join(", "))
}

/// `apiVersion` and `kind` of a document; empty when they are not there.
///
/// # Errors
/// Go's text of what has a wrong type.
pub fn type_meta(object: &Value) -> Result<(&str, &str), String> {
    let members = match object {
        Value::Null => return Ok(("", "")),
        Value::Object(members) => members,
        _ => {
            let go_type = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
            return Err(format!("json: cannot unmarshal {} into Go value of type {go_type}", name_of(object)));
        }
    };
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => {
            Err(format!("json: cannot unmarshal {} into Go struct field .{name} of type string", name_of(other)))
        }
    };
    Ok((text("apiVersion")?, text("kind")?))
}

/// The whole text of a refusal of a body that is no JSON, or whose `kind` and `apiVersion` are no texts.
pub fn unrecognized(expected_kind: &str, error: &str, body: &[u8]) -> String {
    unreadable(expected_kind, &format!("couldn't get version/kind; json parse error: {error}"), body)
}

/// The whole text of a refusal of a body of which not even the kind is known.
pub fn unreadable(expected_kind: &str, why: &str, body: &[u8]) -> String {
    let begin = body.get(..30).unwrap_or(body);
    let dots = if begin.len() < body.len() { " ..." } else { "" };
    let shown = match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(begin).into_owned(),
        Some(_) => begin.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!("the object provided is unrecognized (must be of type {expected_kind}): {why} ({shown}{dots})")
}

/// The whole text of a refusal of a body whose kind is known.
pub fn cannot_be_handled(api_version: &str, kind: &str, expected_kind: &str, error: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    format!("{kind} in version \"{version}\" cannot be handled as a {expected_kind}: {error}")
}

fn prune_struct(kind: &Struct, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) {
    let Value::Object(members) = value else { return normalize_numbers(value) };
    members.retain(|name, value| {
        match kind.field(name) {
            Some(field) => prune_value(field, value, &Place::Key(place, name), unknown),
            None if kind.open => normalize_numbers(value),
            None => {
                if unknown.len() < MAX_UNKNOWN {
                    unknown.push(place.unknown(name));
                }
                return false;
            }
        }
        true
    });
}

fn prune_value(field: &Field, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) {
    match (&field.shape, value) {
        (Type::Struct(kind), value) => prune_struct(kind, value, place, unknown),
        (Type::Map(of), Value::Object(members)) => {
            for (name, value) in members {
                prune_value(of, value, &Place::Key(place, name), unknown);
            }
        }
        (Type::List(of), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune_value(of, item, &Place::Item(place, index), unknown);
            }
        }
        (_, value) => normalize_numbers(value),
    }
}

/// Writes numbers as Go does.
pub(super) fn normalize_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *number = without_fraction(number),
        Value::Array(items) => items.iter_mut().for_each(normalize_numbers),
        Value::Object(members) => members.values_mut().for_each(normalize_numbers),
        _ => {}
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
