//! Every part of a schema by itself: types, list and map types, defaults, and rules.

use serde_json::Value;

use super::super::paths::field_path;
use super::super::rules::Rule;
use super::super::schema::Schema;
use super::shown;
use crate::cluster::api::status::FieldError;
use crate::cluster::object::{flag, list, map, text};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What surrounds a part.
#[derive(Clone)]
struct Context {
    root: bool,
    /// Why there may be no default.
    no_default: Option<String>,
    in_metadata: bool,
    /// What `oldSelf` cannot be found below.
    uncorrelated: Option<String>,
}

/// What is wrong with a schema; rules are compiled for `compiled`, the same schema, if there is one.
pub(super) fn errors(schema: &Value, compiled: Option<&Schema>, path: &str) -> Vec<FieldError> {
    let context = Context { root: true, no_default: None, in_metadata: false, uncorrelated: None };
    let mut found = Found::default();
    found.visit(schema, compiled, path, &context);
    found.errors.extend(found.rules);
    found.errors
}

/// Errors of schemas, and of rules, which are told after them.
#[derive(Default)]
struct Found {
    errors: Vec<FieldError>,
    rules: Vec<FieldError>,
}

impl Found {
    fn visit(&mut self, schema: &Value, compiled: Option<&Schema>, path: &str, context: &Context) {
        let before = self.errors.len();
        self.plain(schema, path, context);
        self.descend(schema, compiled, path, context);
        self.errors.extend(topology(schema, path));
        self.validations(schema, path);
        // a rule over a broken schema would only confuse
        if let Some(compiled) = compiled.filter(|_| self.errors.len() == before) {
            self.compile(compiled, path, context);
        }
    }

    fn plain(&mut self, schema: &Value, path: &str, context: &Context) {
        let kind = text(schema, &["type"]);
        if !kind.is_empty() && !TYPES.contains(&kind) {
            self.errors.push(FieldError::not_supported(format!("{path}.type"), kind, &TYPES));
        }
        if schema.get("default").is_some_and(|default| !default.is_null())
            && let Some(why) = &context.no_default
        {
            self.errors.push(FieldError::forbidden(format!("{path}.default"), format!("must not be set {why}")));
        }
        for member in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
            if schema.get(member).is_some_and(|value| !value.is_null() && value != "") {
                self.errors
                    .push(FieldError::forbidden(format!("{path}.{member}"), format!("{member} is not supported")));
            }
        }
        if kind == "null" {
            let hint = "type cannot be set to null, use nullable as an alternative";
            self.errors.push(FieldError::forbidden(format!("{path}.type"), hint));
        }
        if schema.get("items").is_some_and(Value::is_array) {
            let hint = "items must be a schema object and not an array";
            self.errors.push(FieldError::forbidden(format!("{path}.items"), hint));
        }
        if context.in_metadata && flag(schema, &["x-kubernetes-embedded-resource"]) {
            let hint = "must not be used inside of resource meta";
            self.errors.push(FieldError::forbidden(format!("{path}.x-kubernetes-embedded-resource"), hint));
        }
        if flag(schema, &["uniqueItems"]) {
            let hint = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.errors.push(FieldError::forbidden(format!("{path}.uniqueItems"), hint));
        }
    }

    fn descend(&mut self, schema: &Value, compiled: Option<&Schema>, path: &str, context: &Context) {
        let below = Context { root: false, ..context.clone() };
        let properties = map(schema, &["properties"]).filter(|properties| !properties.is_empty());
        if let Some(additional) = schema.get("additionalProperties").filter(|value| !value.is_null()) {
            let place = format!("{path}.additionalProperties");
            if properties.is_some() && *additional != Value::Bool(true) {
                let hint = "additionalProperties and properties are mutual exclusive";
                self.errors.push(FieldError::forbidden(place.as_str(), hint));
            }
            if additional.is_object() {
                let why = "inside additionalProperties applying to object metadata".to_owned();
                let no_default = if context.in_metadata { Some(why) } else { context.no_default.clone() };
                let values = compiled.and_then(Schema::additional);
                self.visit(additional, values, &place, &Context { no_default, ..below.clone() });
            }
        }
        let whole = context.root || flag(schema, &["x-kubernetes-embedded-resource"]);
        for (name, property) in properties.into_iter().flatten() {
            let in_metadata = whole && matches!(name.as_str(), "metadata" | "kind" | "apiVersion");
            let mut below = below.clone();
            below.in_metadata |= in_metadata;
            if context.root && in_metadata {
                below.no_default = Some(format!("in top-level {name}"));
            }
            let compiled = compiled.and_then(|compiled| compiled.properties.get(name));
            self.visit(property, compiled, &format!("{path}.properties[{name}]"), &below);
        }
        if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
            self.visit(not, None, &format!("{path}.not"), &below);
        }
        for member in ["allOf", "oneOf", "anyOf"] {
            for (index, nested) in list(schema, &[member]).iter().enumerate() {
                self.visit(nested, None, &format!("{path}.{member}[{index}]"), &below);
            }
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            let mut below = below;
            if text(schema, &["x-kubernetes-list-type"]) != "map" {
                below.uncorrelated.get_or_insert(path.to_owned());
            }
            let compiled = compiled.and_then(|compiled| compiled.items.as_deref());
            self.visit(items, compiled, &format!("{path}.items"), &below);
        }
    }

    /// What is wrong with the form of rules.
    fn validations(&mut self, schema: &Value, path: &str) {
        let compiled = std::cell::LazyCell::new(|| Schema::of(schema));
        for (index, rule) in list(schema, &["x-kubernetes-validations"]).iter().enumerate() {
            let place = format!("{path}.x-kubernetes-validations[{index}]");
            let one = |member| text(rule, &[member]);
            let breaks = |text: &str| text.contains(['\n', '\r']);
            let message = one("message");
            if one("rule").trim().is_empty() {
                self.errors.push(FieldError::required(format!("{place}.rule"), "rule is not specified"));
            } else if !message.is_empty() && message.trim().is_empty() {
                self.errors.push(FieldError::invalid(
                    format!("{place}.message"),
                    message,
                    "must be non-empty if specified",
                ));
            } else if breaks(message.trim()) {
                self.errors.push(FieldError::invalid(
                    format!("{place}.message"),
                    message,
                    "must not contain line breaks",
                ));
            } else if breaks(one("rule").trim()) && message.trim().is_empty() {
                let hint = "message must be specified if rule contains line breaks";
                self.errors.push(FieldError::required(format!("{place}.message"), hint));
            }
            if !one("messageExpression").is_empty() && one("messageExpression").trim().is_empty() {
                let hint = "messageExpression must be non-empty if specified";
                self.errors.push(FieldError::required(format!("{place}.messageExpression"), hint));
            }
            let reason = one("reason");
            if rule.get("reason").is_some_and(Value::is_string) && !REASONS.contains(&reason) {
                self.errors.push(FieldError::not_supported(format!("{place}.reason"), reason, &REASONS));
            }
            let field = one("fieldPath");
            let mut wrong_path = |hint: &str| {
                self.errors.push(FieldError::invalid(format!("{place}.fieldPath"), field, hint));
            };
            if !field.is_empty() && field.trim().is_empty() {
                wrong_path("must be non-empty if specified");
            }
            if breaks(field) {
                wrong_path("must not contain line breaks");
            }
            if !field.is_empty() && field_path(field, &compiled, true).is_err() {
                wrong_path("must be a valid path");
            }
        }
    }

    /// What is wrong with what rules say.
    fn compile(&mut self, schema: &Schema, path: &str, context: &Context) {
        for (index, raw) in schema.rules.iter().enumerate() {
            let place = format!("{path}.x-kubernetes-validations[{index}]");
            let rule = Rule::of(raw, schema);
            let uses_old = match &rule.program {
                Ok(program) => program.uses_old(),
                Err(why) => {
                    self.rules.push(FieldError::invalid(format!("{place}.rule"), shown::rule(raw), why.as_str()));
                    false
                }
            };
            if let Some(Err(why)) = rule.message_program.as_ref().filter(|_| rule.program.is_ok()) {
                let field = format!("{place}.messageExpression");
                self.rules.push(FieldError::invalid(field, shown::rule(raw), why.as_str()));
            }
            if uses_old {
                if let Some(uncorrelated) = &context.uncorrelated {
                    let hint = format!(
                        "oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelated}"
                    );
                    self.rules.push(FieldError::invalid(format!("{place}.rule"), text(raw, &["rule"]), hint));
                }
            } else if let Some(optional) = raw.get("optionalOldSelf").filter(|value| value.is_boolean()) {
                let hint = "may not be set if oldSelf is not used in rule";
                self.rules.push(FieldError::invalid(format!("{place}.optionalOldSelf"), optional.clone(), hint));
            }
        }
    }
}

/// What is wrong with how lists and maps are said to merge.
fn topology(schema: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let kind = text(schema, &["type"]);
    let said = |member: &str| schema.get(member).and_then(Value::as_str);
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&false.into()) {
        let field = format!("{path}.x-kubernetes-preserve-unknown-fields");
        errors.push(FieldError::invalid(field, false, "must be true or undefined"));
    }
    let wrong_type = |wanted: &str, member: &str| {
        let (field, hint) = (format!("{path}.type"), format!("must be {wanted} if {member} is specified"));
        if kind.is_empty() { FieldError::required(field, hint) } else { FieldError::invalid(field, kind, hint) }
    };
    let (map_type, list_type) = (said("x-kubernetes-map-type"), said("x-kubernetes-list-type"));
    if let Some(found) = map_type {
        if kind != "object" {
            errors.push(wrong_type("object", "x-kubernetes-map-type"));
        }
        if !matches!(found, "atomic" | "granular") {
            let field = format!("{path}.x-kubernetes-map-type");
            errors.push(FieldError::not_supported(field, found, &["atomic", "granular"]));
        }
    }
    let items = schema.get("items").filter(|items| items.is_object());
    if list_type.is_some() && kind != "array" {
        errors.push(wrong_type("array", "x-kubernetes-list-type"));
    } else if list_type == Some("set") {
        errors.extend(items.and_then(|items| set_item_error(items, path)));
    }
    if let Some(found) = list_type.filter(|found| !matches!(*found, "atomic" | "set" | "map")) {
        let field = format!("{path}.x-kubernetes-list-type");
        errors.push(FieldError::not_supported(field, found, &["atomic", "set", "map"]));
    }
    let keys: Vec<_> = list(schema, &["x-kubernetes-list-map-keys"]).iter().filter_map(Value::as_str).collect();
    if !keys.is_empty() && list_type != Some("map") {
        let (field, hint) =
            (format!("{path}.x-kubernetes-list-type"), "must be map if x-kubernetes-list-map-keys is non-empty");
        errors.push(match list_type {
            None => FieldError::required(field, hint),
            Some(found) => FieldError::invalid(field, found, hint),
        });
    }
    if list_type == Some("map") {
        errors.extend(list_map_errors(items, &keys, path));
    }
    if let (Some(items), Some(list_type @ ("set" | "map"))) = (items, list_type) {
        errors.extend(key_errors(items, if list_type == "map" { &keys } else { &[] }, list_type, path));
    }
    errors
}

/// Items of a set are compared as wholes.
fn set_item_error(items: &Value, path: &str) -> Option<FieldError> {
    let hint = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let said = |member: &str| items.get(member).cloned().unwrap_or_default();
    let list_type = said("x-kubernetes-list-type");
    match text(items, &["type"]) {
        "array" if !list_type.is_null() && list_type != "atomic" => {
            Some(FieldError::invalid(format!("{path}.items.x-kubernetes-list-type"), list_type, hint))
        }
        "object" if said("x-kubernetes-map-type") != "atomic" => {
            Some(FieldError::invalid(format!("{path}.items.x-kubernetes-map-type"), list_type, hint))
        }
        _ => None,
    }
}

fn list_map_errors(items: Option<&Value>, keys: &[&str], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let keys_field = format!("{path}.x-kubernetes-list-map-keys");
    if keys.is_empty() {
        errors.push(FieldError::required(keys_field.as_str(), "must not be empty if x-kubernetes-list-type is map"));
    }
    let Some(items) = items else {
        let hint = "must have a schema if x-kubernetes-list-type is map";
        errors.push(FieldError::required(format!("{path}.items"), hint));
        return errors;
    };
    let kind = text(items, &["type"]);
    if kind != "object" {
        let hint = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(format!("{path}.items.type"), kind, hint));
        return errors;
    }
    let mut seen: Vec<&str> = Vec::new();
    for key in keys {
        match items.pointer("/properties").and_then(|properties| properties.get(*key)) {
            None => {
                let hint = "entries must all be names of item properties";
                errors.push(FieldError::invalid(keys_field.as_str(), keys.to_vec(), hint));
            }
            Some(property) if matches!(text(property, &["type"]), "array" | "object") => {
                let hint = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.push(FieldError::invalid(format!("{path}.items.properties[{key}].type"), kind, hint));
            }
            Some(_) => {}
        }
        if seen.contains(key) {
            errors.push(FieldError::invalid(keys_field.as_str(), keys.to_vec(), "must not contain duplicate entries"));
        }
        seen.push(key);
    }
    errors
}

/// Items have to be there, and their keys too.
fn key_errors(items: &Value, keys: &[&str], list_type: &str, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if flag(items, &["nullable"]) {
        let hint = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        errors.push(FieldError::forbidden(format!("{path}.items.nullable"), hint));
    }
    let required = list(items, &["required"]);
    for key in keys {
        let Some(property) = items.pointer("/properties").and_then(|properties| properties.get(*key)) else { continue };
        let place = format!("{path}.items.properties[{key}]");
        let is_required = required.iter().any(|name| name.as_str() == Some(key));
        if !is_required && property.get("default").is_none_or(Value::is_null) {
            let hint =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.push(FieldError::required(format!("{place}.default"), hint));
        }
        if flag(property, &["nullable"]) {
            let hint = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(format!("{place}.nullable"), hint));
        }
    }
    errors
}
