//! Whether a schema is structural: every field has a type, and combinations only restrict what is there anyway.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::schema::pattern::compile;
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{flag, list, map, text};

/// Where in the schema: some things are asked of the root only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Members that a schema cannot have.
const UNSUPPORTED: [&str; 7] =
    ["id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"];

/// What keeps a schema from being looked at at all, if anything does.
pub(super) fn unsupported(schema: &Value) -> Option<String> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let member = UNSUPPORTED.iter().find(|member| schema.get(**member).is_some_and(says));
    let own = member.map(|member| format!("OpenAPIV3Schema '{}' is not supported", member.trim_start_matches("$s")));
    let own = own.or_else(|| {
        let array = schema.get("items").is_some_and(Value::is_array);
        array.then(|| "OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned())
    });
    let own = own.or_else(|| {
        let off = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&false.into());
        off.then(|| "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined".to_owned())
    });
    own.or_else(|| below(schema).into_iter().find_map(|(_, schema)| unsupported(schema)))
}

/// All schemas right below one, with the rest of their paths.
pub(super) fn below(schema: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for member in ["items", "additionalProperties", "not"] {
        found.extend(schema.get(member).filter(|value| value.is_object()).map(|schema| (format!(".{member}"), schema)));
    }
    let properties = map(schema, &["properties"]).into_iter().flatten();
    found.extend(properties.map(|(name, schema)| (format!(".properties[{name}]"), schema)));
    for member in ["allOf", "anyOf", "oneOf"] {
        let all = list(schema, &[member]).iter().enumerate();
        found.extend(all.map(|(index, schema)| (format!(".{member}[{index}]"), schema)));
    }
    found
}

/// What keeps a schema from being structural, sorted by text as Kubernetes does.
pub(super) fn errors(schema: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    invariants(schema, Level::Root, path, &mut errors);
    patterns(schema, path, &mut HashMap::new(), &mut errors);
    incomplete(schema, Some(schema), path, path, &mut errors);
    errors.sort_by_cached_key(|error| format!("{}: {}", error.field, error.message()));
    errors
}

/// Regular expressions have to be some. `known` has those looked at, as schemas repeat them, with their faults.
fn patterns<'s>(
    schema: &'s Value,
    path: &str,
    known: &mut HashMap<&'s str, Option<String>>,
    errors: &mut Vec<FieldError>,
) {
    let pattern = text(schema, &["pattern"]);
    if !pattern.is_empty()
        && let Some(why) = known.entry(pattern).or_insert_with(|| compile(pattern).err())
    {
        let hint = format!("must be a valid regular expression, but isn't: {why}");
        errors.push(FieldError::invalid(format!("{path}.pattern"), pattern, hint));
    }
    for (rest, nested) in below(schema) {
        patterns(nested, &format!("{path}{rest}"), known, errors);
    }
}

fn has(schema: &Value, member: &str) -> bool {
    flag(schema, &[member])
}

fn invariants(schema: &Value, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let kind = text(schema, &["type"]);
    let items = schema.get("items").filter(|items| items.is_object());
    if kind == "array" && items.is_none() {
        errors.push(FieldError::required(format!("{path}.items"), "must be specified"));
    }
    if let Some(items) = items {
        invariants(items, Level::Item, &format!("{path}.items"), errors);
    }
    for (name, property) in map(schema, &["properties"]).into_iter().flatten() {
        invariants(property, Level::Field, &format!("{path}.properties[{name}]"), errors);
    }
    let additional = schema.get("additionalProperties").filter(|additional| !additional.is_null());
    if let Some(additional) = additional {
        if level == Level::Root {
            errors.push(FieldError::forbidden(format!("{path}.additionalProperties"), "must not be used at the root"));
        }
        if additional.is_object() {
            invariants(additional, Level::Field, &format!("{path}.additionalProperties"), errors);
        }
    }
    extensions(schema, path, errors);
    let both = json!([{"type": "integer"}, {"type": "string"}]);
    let skip_any = schema.get("anyOf") == Some(&both);
    let skip_first_all = schema.pointer("/allOf/0/anyOf") == Some(&both);
    combinations(schema, skip_any, skip_first_all, path, errors);
    types(schema, kind, level, path, errors);
    metadata(schema, level, path, errors);
    let embedded = has(schema, "x-kubernetes-embedded-resource");
    if embedded && additional.is_some() {
        let hint = "must not be used if x-kubernetes-embedded-resource is set";
        errors.push(FieldError::forbidden(format!("{path}.additionalProperties"), hint));
    }
    let open = has(schema, "x-kubernetes-preserve-unknown-fields");
    if embedded && !open && map(schema, &["properties"]).is_none_or(|properties| properties.is_empty()) {
        let hint = "must not be empty if x-kubernetes-embedded-resource is true without \
                    x-kubernetes-preserve-unknown-fields";
        errors.push(FieldError::required(format!("{path}.properties"), hint));
    }
}

fn extensions(schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if has(schema, "x-kubernetes-int-or-string") {
        for member in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
            if has(schema, member) {
                let hint = "must be false if x-kubernetes-int-or-string is true";
                errors.push(FieldError::invalid(format!("{path}.{member}"), true, hint));
            }
        }
    }
}

fn types(schema: &Value, kind: &str, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let field = format!("{path}.type");
    let untyped = has(schema, "x-kubernetes-int-or-string") || has(schema, "x-kubernetes-preserve-unknown-fields");
    if has(schema, "x-kubernetes-embedded-resource") && kind != "object" {
        let hint = "must be object if x-kubernetes-embedded-resource is true";
        errors.push(if kind.is_empty() {
            FieldError::required(field.as_str(), hint)
        } else {
            FieldError::invalid(field.as_str(), kind, hint)
        });
    } else if kind.is_empty() && !untyped {
        let hint = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.push(FieldError::required(field.as_str(), hint));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        errors.push(FieldError::invalid(field, kind, "must be object at the root"));
    }
}

/// Kind, API version and metadata of objects are what they are.
fn metadata(schema: &Value, level: Level, path: &str, errors: &mut Vec<FieldError>) {
    let whole = level == Level::Root || has(schema, "x-kubernetes-embedded-resource");
    let property = |name: &str| map(schema, &["properties"]).and_then(|properties| properties.get(name));
    for name in ["kind", "apiVersion"] {
        if let Some(kind) = property(name).map(|property| text(property, &["type"])).filter(|_| whole)
            && kind != "string"
        {
            errors.push(FieldError::invalid(format!("{path}.properties[{name}].type"), kind, "must be string"));
        }
    }
    let Some(metadata) = property("metadata") else { return };
    let field = format!("{path}.properties[metadata]");
    if whole && text(metadata, &["type"]) != "object" {
        errors.push(FieldError::invalid(format!("{field}.type"), text(metadata, &["type"]), "must be object"));
    }
    let plain = |(member, value): (&String, &Value)| match member.as_str() {
        "type" | "default" => true,
        "properties" => value
            .as_object()
            .is_none_or(|names| names.keys().all(|name| matches!(name.as_str(), "name" | "generateName"))),
        _ => value.is_null() || value == &Value::from(false) || value == &Value::from(""),
    };
    if level == Level::Root && !metadata.as_object().is_none_or(|members| members.iter().all(plain)) {
        let hint = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(field, hint));
    }
}

/// Combinations may not say what only the schema itself may.
fn combinations(schema: &Value, skip_any: bool, skip_first_all: bool, path: &str, errors: &mut Vec<FieldError>) {
    let all = |member: &str| list(schema, &[member]).iter().enumerate();
    if !skip_any {
        all("anyOf").for_each(|(index, nested)| restriction(nested, false, &format!("{path}.anyOf[{index}]"), errors));
    }
    for (index, nested) in all("allOf") {
        restriction(nested, skip_first_all && index == 0, &format!("{path}.allOf[{index}]"), errors);
    }
    all("oneOf").for_each(|(index, nested)| restriction(nested, false, &format!("{path}.oneOf[{index}]"), errors));
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        restriction(not, false, &format!("{path}.not"), errors);
    }
}

/// What a schema in a combination may not have, and why.
const FORBIDDEN: [(&str, &str); 12] = [
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
];

fn restriction(nested: &Value, skip_any: bool, path: &str, errors: &mut Vec<FieldError>) {
    combinations(nested, skip_any, false, path, errors);
    if let Some(items) = nested.get("items").filter(|items| items.is_object()) {
        restriction(items, false, &format!("{path}.items"), errors);
    }
    for (name, property) in map(nested, &["properties"]).into_iter().flatten() {
        restriction(property, false, &format!("{path}.properties[{name}]"), errors);
    }
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    for (member, hint) in FORBIDDEN {
        if nested.get(member).is_some_and(says) {
            errors.push(FieldError::forbidden(format!("{path}.{member}"), hint));
        }
    }
    if nested.get("x-kubernetes-validations").is_some_and(says) {
        let hint = "must be empty to be structural";
        errors.push(FieldError::forbidden(format!("{path}.x-kubernetes-validations"), hint));
    }
    if nested.pointer("/properties/metadata").is_some() {
        let hint = "must not be specified in a nested context";
        errors.push(FieldError::forbidden(format!("{path}.properties[metadata]"), hint));
    }
}

/// What combinations restrict has to be in the schema itself. `path` is in the schema, `from` in the combination.
fn incomplete(nested: &Value, schema: Option<&Value>, path: &str, from: &str, errors: &mut Vec<FieldError>) {
    let combined =
        below(nested).into_iter().filter(|(rest, _)| !rest.starts_with(".properties") && !is_structure(rest));
    for (rest, one) in combined {
        covered(one, schema, path, &format!("{from}{rest}"), errors);
    }
}

fn is_structure(rest: &str) -> bool {
    matches!(rest, ".items" | ".additionalProperties")
}

fn covered(nested: &Value, schema: Option<&Value>, path: &str, from: &str, errors: &mut Vec<FieldError>) {
    let Some(schema) = schema else {
        errors.push(FieldError::required(path, format!("because it is defined in {from}")));
        return;
    };
    incomplete(nested, Some(schema), path, from, errors);
    if let Some(items) = nested.get("items").filter(|items| items.is_object()) {
        let own = schema.get("items").filter(|items| items.is_object());
        covered(items, own, &format!("{path}.items"), &format!("{from}.items"), errors);
    }
    for (name, property) in map(nested, &["properties"]).into_iter().flatten() {
        let rest = format!(".properties[{name}]");
        let own = map(schema, &["properties"]).and_then(|properties| properties.get(name));
        covered(property, own, &format!("{path}{rest}"), &format!("{from}{rest}"), errors);
    }
}
