//! What a write leaves as it was: fields of the server, parts that are not written.

use serde_json::Value;

use super::Part;
use crate::cluster::api::resource::Resource;
use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::{GroupKind, at, entry, list, remove, set, text};

/// Metadata that only the server writes.
pub(super) fn keep_server_fields(object: &mut Value, before: &Value) {
    const KEPT: [&str; 6] = [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ];
    let old = before.get("metadata");
    let metadata = entry(object, &["metadata"]);
    for field in KEPT {
        match old.and_then(|old| old.get(field)) {
            Some(value) => set(metadata, &[field], value.clone()),
            None => {
                remove(metadata, &[field]);
            }
        }
    }
    remove(metadata, &["selfLink"]);
}

/// A write of the object leaves its status alone, a write of the status everything else.
pub(super) fn keep_other_parts(kind: &GroupKind, resource: &Resource, part: Part, object: &mut Value, before: &Value) {
    match part {
        Part::Main if resource.has_status() => match before.get("status") {
            Some(status) => set(object, &["status"], status.clone()),
            None => {
                remove(object, &["status"]);
            }
        },
        Part::Status => {
            let status = remove(object, &["status"]);
            let metadata = remove(object, &["metadata"]).unwrap_or_default();
            *object = before.clone();
            let taken: &[&str] = if resource.custom.is_some() {
                &["managedFields"]
            } else if kind.pair() == ("apps", "Deployment") {
                &["annotations", "finalizers", "ownerReferences", "managedFields"]
            } else {
                &["annotations", "labels", "finalizers", "ownerReferences", "managedFields"]
            };
            for field in taken {
                match metadata.get(*field) {
                    Some(value) => set(object, &["metadata", field], value.clone()),
                    None => {
                        remove(object, &["metadata", field]);
                    }
                }
            }
            match status {
                Some(status) => set(object, &["status"], status),
                None => {
                    remove(object, &["status"]);
                }
            }
        }
        _ => {}
    }
}

/// An update neither begins a deletion nor gives it another time.
pub(super) fn check_deletion(kind: &GroupKind, object: &Value, before: &Value) -> Result<(), Refusal> {
    const HINT: &str = "field is immutable; may only be changed via deletion";
    let deleting = at(before, &["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null());
    let mut errors = Vec::new();
    for field in ["deletionGracePeriodSeconds", "deletionTimestamp"] {
        let of = |object: &Value| at(object, &["metadata", field]).filter(|value| !value.is_null()).cloned();
        let (new, old) = (of(object), of(before));
        // The time of a deletion that has begun stays whatever is sent.
        let ignored = field == "deletionTimestamp" && deleting;
        if let Some(new) = new.filter(|new| !ignored && Some(new) != old.as_ref()) {
            errors.push(FieldError::invalid(format!("metadata.{field}"), new, HINT));
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(kind, text(before, &["metadata", "name"]), &errors))
}

pub(super) fn check_finalizers(resource: &Resource, object: &Value, before: &Value) -> Result<(), Refusal> {
    if text(before, &["metadata", "deletionTimestamp"]).is_empty() {
        return Ok(());
    }
    let old = list(before, &["metadata", "finalizers"]);
    let added: Vec<String> = list(object, &["metadata", "finalizers"])
        .iter()
        .filter(|finalizer| !old.contains(finalizer))
        .map(ToString::to_string)
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let hint = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    let error = FieldError::forbidden("metadata.finalizers", hint);
    Err(Refusal::invalid(&resource.kind, text(before, &["metadata", "name"]), &[error]))
}
