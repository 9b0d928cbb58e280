//! The annotation of client-side apply: server-side apply by kubectl goes on from it and keeps it up to date.

use serde_json::Value;

use super::check::check;
use super::compare::Changes;
use super::extract::fields;
use super::set::Set;
use crate::cluster::api::patch::go;
use crate::cluster::api::schema::Struct;
use crate::cluster::object::{self, map, text};

/// Whose applications these are.
pub(super) const WRITER: &str = "kubectl";
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Bytes that all annotations of an object may have.
const MOST_BYTES: usize = 256 << 10;

/// The fields that client-side apply set and nobody changed since: who applies them by kubectl meets no conflict.
pub(super) fn unchanged(kind: &Struct, live: &Value, api_version: &str) -> Option<Set> {
    let last: Value = serde_json::from_str(text(live, &["metadata", "annotations", ANNOTATION])).ok()?;
    if text(&last, &["apiVersion"]) != api_version || check(kind, &last).is_some() {
        return None;
    }
    let changes = Changes::between(kind, &last, live);
    Some(fields(kind, &last).difference(&changes.set).difference(&changes.removed))
}

/// Sets the annotation, when there is one, to what was applied. One that is too long goes.
pub(super) fn renew(object: &mut Value, applied: &Value) {
    if text(object, &["metadata", "annotations", ANNOTATION]).is_empty() {
        return;
    }
    let mut applied = applied.clone();
    object::remove(&mut applied, &["metadata", "annotations", ANNOTATION]);
    let mut last = String::new();
    go::write_json(&applied, &mut last);
    last.push('\n');
    let sizes = map(object, &["metadata", "annotations"]).into_iter().flatten().map(|(name, value)| {
        let length = if name == ANNOTATION { last.len() } else { value.as_str().map_or(0, str::len) };
        name.len() + length
    });
    if sizes.sum::<usize>() > MOST_BYTES {
        object::remove(object, &["metadata", "annotations", ANNOTATION]);
    } else {
        object::set(object, &["metadata", "annotations", ANNOTATION], last);
    }
}
