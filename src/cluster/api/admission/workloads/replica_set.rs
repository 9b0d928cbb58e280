//! Replica sets and the replication controllers they came from.

use serde_json::Value;

use super::check::{Errors, not_negative};
use super::go_dump::{go_map, go_selector};
use super::read::Read;
use super::{selector, template};
use crate::cluster::api::admission::metadata::{validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::NameRule;
use crate::cluster::api::status::FieldError;

pub(super) fn validate(set: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = set.part("spec").unwrap_or(&Value::Null);
    validate_metadata(set, true, NameRule::Subdomain, errors);
    validate_spec(spec, errors);
    if let Some(old) = old {
        validate_metadata_update(set, old, true, errors);
        template::keep_selector(set, old, errors);
    }
}

fn validate_spec(spec: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    not_negative(spec, &["replicas", "minReadySeconds"], &at, errors);
    // The server says so of a replica set too.
    template::validate_selector(spec, "deployment", &at, errors);
    validate_pods(spec, &at, errors);
}

/// The template, unless the selector cannot be used.
pub(super) fn validate_pods(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let selector = spec.part("selector");
    if !selector::is_usable(selector) {
        errors.push(FieldError::invalid(at.child("selector"), go_selector(selector), "invalid label selector"));
        return;
    }
    template::selects(spec, at, errors);
    template::validate_template(spec, at, errors);
    template::always_restarted(spec, "ReplicaSet", at, errors);
}

pub(super) fn validate_controller(controller: &Value, old: Option<&Value>, errors: &mut Errors) {
    validate_metadata(controller, true, NameRule::Subdomain, errors);
    controller_spec(controller.part("spec").unwrap_or(&Value::Null), errors);
    if let Some(old) = old {
        validate_metadata_update(controller, old, true, errors);
    }
}

fn controller_spec(spec: &Value, errors: &mut Errors) {
    let at = Path::new("spec");
    not_negative(spec, &["minReadySeconds"], &at, errors);
    let selector = spec.members("selector").filter(|selector| !selector.is_empty());
    if selector.is_none() {
        errors.push(FieldError::required(at.child("selector"), ""));
    }
    not_negative(spec, &["replicas"], &at, errors);
    let Some(found) = spec.part("template") else {
        errors.push(FieldError::required(at.child("template"), ""));
        return;
    };
    let labels = go_map(found.part("metadata").part("labels"));
    if spec.texts("selector").any(|(key, value)| labels.get(key).and_then(Value::as_str) != Some(value)) {
        template::mismatch(Some(found), &at, errors);
    }
    template::validate_template(spec, &at, errors);
    template::always_restarted(spec, "ReplicationController", &at, errors);
}
