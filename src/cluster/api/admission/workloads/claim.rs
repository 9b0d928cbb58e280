//! Claims of storage that templates hold.

use serde_json::{Value, json};

use super::check::{Errors, NOT_POSITIVE, one_of_if_set, optional, required};
use super::read::Read;
use super::selector;
use crate::cluster::api::admission::metadata::{validate_annotations, validate_labels};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;
use crate::cluster::quantity::Quantity;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// The claim of an ephemeral volume: of its metadata only labels and annotations count.
pub(super) fn validate_template(template: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_metadata = at.child("metadata");
    let metadata = template.part("metadata");
    validate_annotations(metadata.members("annotations"), &at_metadata.child("annotations"), errors);
    validate_labels(metadata.members("labels"), &at_metadata.child("labels"), errors);
    for (name, value) in metadata.and_then(Value::as_object).into_iter().flatten() {
        let is_set = !value.is_null() && *value != json!("") && *value != json!([]);
        if is_set && name != "labels" && name != "annotations" {
            errors.push(FieldError::forbidden(at_metadata.child(name), "cannot be set"));
        }
    }
    validate_spec(template.part("spec"), &at.child("spec"), errors);
}

/// What a claim asks for.
pub(super) fn validate_spec(spec: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    if spec.items("accessModes").is_empty() {
        errors.push(FieldError::required(at.child("accessModes"), "at least 1 access mode is required"));
    }
    selector::validate(spec.part("selector"), &at.child("selector"), errors);
    access_modes(spec, at, errors);
    storage(spec, at, errors);
    optional(spec, "storageClassName", text::dns1123_subdomain, at, errors);
    one_of_if_set(spec, "volumeMode", &["Block", "Filesystem"], at, errors);
    for name in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.part(name) {
            data_source(source, &at.child(name), errors);
        }
    }
    two_sources(spec, at, errors);
    optional(spec, "volumeAttributesClassName", text::dns1123_subdomain, at, errors);
}

fn access_modes(spec: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("accessModes");
    let (mut alone, mut others) = (false, false);
    for mode in spec.strings("accessModes") {
        if !ACCESS_MODES.contains(&mode) {
            errors.push(FieldError::not_supported(at, mode, &ACCESS_MODES));
        } else if mode == "ReadWriteOncePod" {
            alone = true;
        } else {
            others = true;
        }
    }
    if alone && others {
        errors.push(FieldError::forbidden(at, "may not use ReadWriteOncePod with other access modes"));
    }
}

fn storage(spec: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("resources");
    let at = at.key("storage");
    let asked = spec.part("resources").part("requests").part("storage").and_then(Value::as_str);
    match asked.and_then(|asked| Some((asked, asked.parse::<Quantity>().ok()?))) {
        None => errors.push(FieldError::required(at, "")),
        Some((asked, amount)) if !amount.sign().is_gt() => errors.push(FieldError::invalid(at, asked, NOT_POSITIVE)),
        Some(_) => {}
    }
}

fn data_source(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    required(source, &["name", "kind"], at, errors);
    let (group, kind) = (source.text("apiGroup"), source.text("kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let hint = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(FieldError::invalid(at, kind, hint));
    }
    optional(source, "apiGroup", text::dns1123_subdomain, at, errors);
    optional(source, "namespace", text::dns1123_label, at, errors);
}

fn two_sources(spec: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let (Some(source), Some(reference)) = (spec.part("dataSource"), spec.part("dataSourceRef")) else { return };
    let same = ["apiGroup", "kind", "name"].iter().all(|name| source.text(name) == reference.text(name));
    let hint = match reference.text("namespace") {
        "" if same => return,
        "" => "must match dataSourceRef",
        _ => "may not be specified when dataSourceRef.namespace is specified",
    };
    // The server names the field where it should show a value, and shows the path as an empty object.
    errors.push(FieldError::invalid(at, json!({}), hint));
}
