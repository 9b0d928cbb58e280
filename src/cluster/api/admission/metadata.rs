//! What has to hold for the metadata of any object, as `k8s.io/apimachinery/pkg/api/validation` 1.36 asks for it.

use serde_json::Value;

use super::path::Path;
use super::text::{self, NameRule};
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{self, Map, flag, int, list};

/// Annotations of one object, keys and values together.
const ANNOTATIONS_MOST: usize = 256 << 10;

/// Checks the metadata of an object of a built-in kind that is created: `metadata.…`.
pub fn validate_metadata(object: &Value, namespaced: bool, names: NameRule, errors: &mut Vec<FieldError>) {
    validate_any_metadata(object, namespaced, names, errors);
    kube_finalizers(object, errors);
}

/// Checks the metadata of an object of any kind that is created. Finalizers of custom resources need no path:
/// `machine.cluster.x-k8s.io` is one.
pub fn validate_any_metadata(object: &Value, namespaced: bool, names: NameRule, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    let generate_name = object::text(object, &["metadata", "generateName"]);
    if !generate_name.is_empty() {
        invalid(&at.child("generateName"), generate_name, names.check(generate_name, true), errors);
    }
    let name = object::text(object, &["metadata", "name"]);
    if name.is_empty() {
        errors.push(FieldError::required(at.child("name"), "name or generateName is required"));
    } else {
        invalid(&at.child("name"), name, names.check(name, false), errors);
    }
    namespace(object, namespaced, errors);
    if let Some(generation) = int(object, &["metadata", "generation"]).filter(|&generation| generation < 0) {
        errors.push(FieldError::invalid(at.child("generation"), generation, "must be greater than or equal to 0"));
    }
    common(object, errors);
    finalizers(object, errors);
}

/// Checks the metadata of an object of a built-in kind against what it was. An empty `resourceVersion` is an error
/// unless the kind can be updated without one.
pub fn validate_metadata_update(object: &Value, old: &Value, unconditional: bool, errors: &mut Vec<FieldError>) {
    validate_any_metadata_update(object, old, unconditional, errors);
    kube_finalizers(object, errors);
}

/// The same of any kind, whose finalizers need no path.
pub fn validate_any_metadata_update(object: &Value, old: &Value, unconditional: bool, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    if object::at(old, &["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null()) {
        no_new_finalizers(object, old, errors);
    }
    if !unconditional && object::text(object, &["metadata", "resourceVersion"]).is_empty() {
        errors.push(FieldError::invalid(at.child("resourceVersion"), "", "must be specified for an update"));
    }
    let generation = |object| int(object, &["metadata", "generation"]).unwrap_or(0);
    if generation(object) < generation(old) {
        errors.push(FieldError::invalid(at.child("generation"), generation(object), "must not be decremented"));
    }
    for field in ["name", "namespace", "uid"] {
        let (new, old) = (object::text(object, &["metadata", field]), object::text(old, &["metadata", field]));
        if new != old {
            errors.push(FieldError::invalid(at.child(field), new, IMMUTABLE));
        }
    }
    for field in ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let of = |object| object::at(object, &["metadata", field]).cloned().unwrap_or(Value::Null);
        if of(object) != of(old) {
            errors.push(FieldError::invalid(at.child(field), of(object), IMMUTABLE));
        }
    }
    common(object, errors);
}

/// The sentence about a field that may not change.
pub const IMMUTABLE: &str = "field is immutable";

/// Checks keys and values of labels; everything is told at `at`.
pub fn validate_labels(labels: Option<&Map>, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    for (key, value) in labels.into_iter().flatten() {
        invalid(at, key, text::label_key(key), errors);
        if let Some(value) = value.as_str() {
            invalid(at, value, text::label_value(value), errors);
        }
    }
}

/// Checks keys and total size of annotations.
pub fn validate_annotations(annotations: Option<&Map>, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        let faults = if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            text::label_key(&key.to_lowercase())
        } else {
            text::label_key(key)
        };
        invalid(at, key, faults, errors);
    }
    if size > ANNOTATIONS_MOST {
        let rest = format!("may not be more than {ANNOTATIONS_MOST} bytes");
        errors.push(FieldError { field: at.into(), fault: Fault::TooLong(rest) });
    }
}

/// One error for each thing that is wrong with a value.
pub fn invalid(at: &Path<'_>, value: &str, faults: text::Faults, errors: &mut Vec<FieldError>) {
    errors.extend(faults.into_iter().map(|fault| FieldError::invalid(at, value, fault)));
}

fn namespace(object: &Value, namespaced: bool, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    let at = at.child("namespace");
    let namespace = object::text(object, &["metadata", "namespace"]);
    match (namespaced, namespace.is_empty()) {
        (true, true) => errors.push(FieldError::required(at, "")),
        (true, false) => invalid(&at, namespace, text::dns1123_label(namespace), errors),
        (false, true) => {}
        (false, false) => errors.push(FieldError::forbidden(at, "not allowed on this type")),
    }
}

/// What is checked alike on create and on update.
fn common(object: &Value, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    validate_labels(object::map(object, &["metadata", "labels"]), &at.child("labels"), errors);
    validate_annotations(object::map(object, &["metadata", "annotations"]), &at.child("annotations"), errors);
    owners(list(object, &["metadata", "ownerReferences"]), &at.child("ownerReferences"), errors);
}

fn owners(references: &[Value], at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut first_controller: Option<String> = None;
    for reference in references {
        let (api_version, kind) = (object::text(reference, &["apiVersion"]), object::text(reference, &["kind"]));
        // `a/b/c` is no group and version.
        let version =
            if api_version.matches('/').count() > 1 { "" } else { api_version.rsplit('/').next().unwrap_or("") };
        if version.is_empty() {
            errors.push(FieldError::invalid(at.child("apiVersion"), api_version, "version must not be empty"));
        }
        for member in ["kind", "name", "uid"] {
            if object::text(reference, &[member]).is_empty() {
                errors.push(FieldError::invalid(at.child(member), "", "must not be empty"));
            }
        }
        if (api_version, kind) == ("v1", "Event") {
            let hint = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(at, reference_as_go_shows_it(reference), hint));
        }
        if !flag(reference, &["controller"]) {
            continue;
        }
        let name = format!("{kind}/{}", object::text(reference, &["name"]));
        match &first_controller {
            None => first_controller = Some(name),
            Some(first) => {
                let hint = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}"
                );
                let shown: Vec<Value> = references.iter().map(reference_as_go_shows_it).collect();
                errors.push(FieldError::invalid(at, shown, hint));
            }
        }
    }
}

fn reference_as_go_shows_it(reference: &Value) -> Value {
    let members = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let member = |name: &&str| Some(((*name).to_owned(), reference.get(*name)?.clone()));
    members.iter().filter_map(member).collect::<Map>().into()
}

fn finalizers(object: &Value, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    let at = at.child("finalizers");
    let names = list(object, &["metadata", "finalizers"]);
    for name in names.iter().filter_map(Value::as_str) {
        invalid(&at, name, text::label_key(name), errors);
    }
    let has = |name: &str| names.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let hint = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(at, names.to_vec(), hint));
    }
}

/// Built-in kinds take only qualified finalizers and the three that are older than that rule.
fn kube_finalizers(object: &Value, errors: &mut Vec<FieldError>) {
    let at = Path::new("metadata");
    let at = at.child("finalizers");
    for (index, name) in list(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str).enumerate() {
        if !name.contains('/') && !["kubernetes", "orphan", "foregroundDeletion"].contains(&name) {
            let hint = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(at.index(index), name, hint));
        }
    }
}

fn no_new_finalizers(object: &Value, old: &Value, errors: &mut Vec<FieldError>) {
    let old = list(old, &["metadata", "finalizers"]);
    let finalizers = list(object, &["metadata", "finalizers"]).iter();
    let mut new: Vec<_> = finalizers.filter(|name| !old.contains(name)).filter_map(Value::as_str).collect();
    if new.is_empty() {
        return;
    }
    new.sort_unstable();
    new.dedup();
    let quoted: Vec<_> = new.iter().map(|name| format!("\"{name}\"")).collect();
    let hint = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        quoted.join(", ")
    );
    errors.push(FieldError::forbidden("metadata.finalizers", hint));
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
