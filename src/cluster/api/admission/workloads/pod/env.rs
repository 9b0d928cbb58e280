//! Environment variables of a container and where they come from.

use serde_json::Value;

use super::super::check::{Errors, descending, named, optional};
use super::super::read::Read;
use super::downward::{VARIABLE_FIELDS, field_ref, resource_ref};
use super::volume::Volumes;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const SEVERAL: &str = "may not have more than one field specified at a time";
const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

/// `env`.
pub(super) fn variables(container: &Value, volumes: &Volumes<'_>, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("env");
    for (index, variable) in container.items("env").iter().enumerate() {
        let at = at.index(index);
        named(variable.text("name"), text::env_name, &at.child("name"), errors);
        if let Some(source) = variable.part("valueFrom") {
            value_from(source, variable.text("value"), volumes, &at.child("valueFrom"), errors);
        }
    }
}

fn value_from(source: &Value, value: &str, volumes: &Volumes<'_>, at: &Path<'_>, errors: &mut Errors) {
    for (kind, source) in SOURCES.iter().filter_map(|kind| Some((*kind, source.part(kind)?))) {
        let at = at.child(kind);
        match kind {
            "fieldRef" => field_ref(source, &VARIABLE_FIELDS, &at, errors),
            "resourceFieldRef" => resource_ref(source, false, &at, errors),
            "fileKeyRef" => file_key(source, volumes, &at, errors),
            _ => {
                let name = source.text("name");
                invalid(&at.child("name"), name, text::dns1123_subdomain(name), errors);
                named(source.text("key"), text::config_map_key, &at.child("key"), errors);
            }
        }
    }
    let hint = match SOURCES.iter().filter(|kind| source.part(kind).is_some()).count() {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => SEVERAL,
    };
    errors.push(FieldError::invalid(at, "", hint));
}

/// A variable in a file that another container writes.
fn file_key(source: &Value, volumes: &Volumes<'_>, at: &Path<'_>, errors: &mut Errors) {
    named(source.text("volumeName"), text::dns1123_label, &at.child("volumeName"), errors);
    let volume = source.text("volumeName");
    if !volume.is_empty() && !volumes.contains_key(volume) {
        errors.push(super::not_found(&at.child("volumeName"), volume));
    }
    match source.text("path") {
        "" => errors.push(FieldError::required(at.child("path"), "")),
        path => descending(path, &at.child("path"), errors),
    }
    named(source.text("key"), text::env_name, &at.child("key"), errors);
}

/// `envFrom`.
pub(super) fn sources(container: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("envFrom");
    for (index, source) in container.items("envFrom").iter().enumerate() {
        let at_source = at.index(index);
        optional(source, "prefix", text::env_name, &at_source, errors);
        let maps = ["configMapRef", "secretRef"].into_iter().filter_map(|kind| Some((kind, source.part(kind)?)));
        let mut count = 0;
        for (kind, map) in maps {
            count += 1;
            let name = map.text("name");
            let at = at_source.child(kind);
            match name {
                "" => errors.push(FieldError::required(at.child("name"), "")),
                _ => invalid(&at.child("name"), name, text::NameRule::Subdomain.check(name, true), errors),
            }
        }
        match count {
            0 => errors.push(FieldError::invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => errors.push(FieldError::invalid(at, "", SEVERAL)),
        }
    }
}
