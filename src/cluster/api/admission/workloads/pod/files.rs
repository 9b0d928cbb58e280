//! Files that volumes make: keys of maps, fields of the pod, tokens.

use std::collections::HashSet;

use serde_json::Value;

use super::super::check::{Errors, descending, required};
use super::super::read::Read;
use super::super::selector;
use super::downward::{self, field_ref, resource_ref};
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

/// The bits of a file's mode.
pub(super) fn check_mode(source: &Value, member: &str, at: &Path<'_>, errors: &mut Errors) {
    if let Some(mode) = source.int(member).filter(|mode| !(0..=0o777).contains(mode)) {
        let hint = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(FieldError::invalid(at.child(member), mode, hint));
    }
}

/// `items` of a config map or a secret.
pub(super) fn keys_to_paths(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("items");
    for (index, item) in source.items("items").iter().enumerate() {
        key_to_path(item, &at.index(index), errors);
    }
}

fn key_to_path(item: &Value, at: &Path<'_>, errors: &mut Errors) {
    required(item, &["key", "path"], at, errors);
    inner_path(item.text("path"), &at.child("path"), errors);
    check_mode(item, "mode", at, errors);
}

/// A path inside a volume that hides nothing of the volume's own.
fn inner_path(path: &str, at: &Path<'_>, errors: &mut Errors) {
    descending(path, at, errors);
    if path.starts_with("..") && !path.starts_with("../") {
        errors.push(FieldError::invalid(at, path, "must not start with '..'"));
    }
}

/// `items` of the downward API; the server names no index.
pub(super) fn downward_files(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    source.items("items").iter().for_each(|file| downward_file(file, at, errors));
}

fn downward_file(file: &Value, at: &Path<'_>, errors: &mut Errors) {
    required(file, &["path"], at, errors);
    inner_path(file.text("path"), &at.child("path"), errors);
    match (file.part("fieldRef"), file.part("resourceFieldRef")) {
        (Some(field), resource) => {
            field_ref(field, &downward::FILE_FIELDS, &at.child("fieldRef"), errors);
            if resource.is_some() {
                let hint = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(at, "resource", hint));
            }
        }
        (None, Some(resource)) => resource_ref(resource, true, &at.child("resourceFieldRef"), errors),
        (None, None) => errors.push(FieldError::required(at, "one of fieldRef and resourceFieldRef is required")),
    }
    check_mode(file, "mode", at, errors);
}

/// Several sources in one volume.
pub(super) fn projected(volume: &Value, at: &Path<'_>, errors: &mut Errors) {
    let mut paths = HashSet::new();
    for (index, source) in volume.items("sources").iter().enumerate() {
        let at_sources = at.child("sources");
        let at_source = at_sources.index(index);
        for name in ["secret", "configMap"] {
            if let Some(map) = source.part(name) {
                let at_map = at_source.child(name);
                required(map, &["name"], &at_map, errors);
                let at_items = at_map.child("items");
                for (index, item) in map.items("items").iter().enumerate() {
                    key_to_path(item, &at_items.index(index), errors);
                    take_path(item.text("path"), map.text("name"), &mut paths, at, errors);
                }
            }
        }
        if let Some(fields) = source.part("downwardAPI") {
            for file in fields.items("items") {
                downward_file(file, &at_source.child("downwardAPI"), errors);
                take_path(file.text("path"), file.text("path"), &mut paths, at, errors);
            }
        }
        if let Some(token) = source.part("serviceAccountToken") {
            service_account_token(token, at, &at_source.child("serviceAccountToken"), errors);
        }
        if let Some(bundle) = source.part("clusterTrustBundle") {
            trust_bundle(bundle, &at_source.child("clusterTrustBundle"), errors);
            take_path(bundle.text("path"), bundle.text("path"), &mut paths, at, errors);
        }
        if let Some(certificate) = source.part("podCertificate") {
            pod_certificate(certificate, &at_source.child("podCertificate"), errors);
        }
        let kinds =
            ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"];
        if kinds.iter().filter(|kind| source.part(kind).is_some()).count() > 1 {
            errors.push(FieldError::forbidden(at_source, "may not specify more than 1 volume type per source"));
        }
    }
}

fn take_path<'a>(path: &'a str, shown: &str, paths: &mut HashSet<&'a str>, at: &Path<'_>, errors: &mut Errors) {
    if !path.is_empty() && !paths.insert(path) {
        errors.push(FieldError::invalid(at, shown, "conflicting duplicate paths"));
    }
}

fn service_account_token(token: &Value, at_volume: &Path<'_>, at: &Path<'_>, errors: &mut Errors) {
    let seconds = token.int("expirationSeconds").unwrap_or(0);
    let hint = match seconds {
        _ if seconds < 600 => Some("may not specify a duration less than 10 minutes"),
        _ if seconds > 1 << 32 => Some("may not specify a duration larger than 2^32 seconds"),
        _ => None,
    };
    errors.extend(hint.map(|hint| FieldError::invalid(at.child("expirationSeconds"), seconds, hint)));
    match token.text("path") {
        "" => errors.push(FieldError::required(at_volume.child("path"), "")),
        path => inner_path(path, &at_volume.child("path"), errors),
    }
}

fn trust_bundle(bundle: &Value, at: &Path<'_>, errors: &mut Errors) {
    match (bundle.has_text("name"), bundle.has_text("signerName")) {
        (true, true) => {
            errors.push(FieldError::invalid(at, bundle.clone(), "only one of name and signerName may be used"));
        }
        (true, false) => {
            let name = bundle.text("name");
            if name.is_empty() {
                errors.push(FieldError::required(at.child("name"), "must be a valid object name"));
            }
            let faults = text::dns1123_subdomain(name.rsplit(':').next().unwrap_or(name)).into_iter();
            let faults = faults.map(|fault| format!("not a valid clustertrustbundlename: {fault}")).collect();
            invalid(&at.child("name"), name, faults, errors);
            if let Some(selector) = bundle.part("labelSelector") {
                let hint = "labelSelector must be unset if name is specified";
                errors.push(FieldError::invalid(at.child("labelSelector"), selector.clone(), hint));
            }
        }
        (false, true) => {
            if bundle.text("signerName").is_empty() {
                errors.push(FieldError::required(at.child("signerName"), "must be a valid signer name"));
            }
            selector::validate(bundle.part("labelSelector"), &at.child("labelSelector"), errors);
        }
        (false, false) => errors.push(FieldError::required(at, "either name or signerName must be specified")),
    }
    required(bundle, &["path"], at, errors);
    inner_path(bundle.text("path"), &at.child("path"), errors);
}

fn pod_certificate(certificate: &Value, at: &Path<'_>, errors: &mut Errors) {
    required(certificate, &["signerName", "keyType"], at, errors);
    for member in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        inner_path(certificate.text(member), &at.child(member), errors);
    }
}
