//! Annotations of pods that mean something to the server.

use serde_json::Value;

use super::super::check::{Errors, descending};
use super::super::read::Read;
use super::{each_container, spec_of};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::status::FieldError;

const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Checks the annotations of a pod or a template.
pub(super) fn validate(object: &Value, at: &Path<'_>, errors: &mut Errors) {
    let metadata = object.part("metadata");
    if metadata.part("annotations").is_none() {
        return;
    }
    for (key, value) in metadata.texts("annotations") {
        if key == MIRROR && object.part("spec").text("nodeName").is_empty() {
            let hint = "must set spec.nodeName if mirror pod annotation is set";
            errors.push(FieldError::invalid(at.key(key), value, hint));
        } else if key == DELETION_COST && !is_cost(value) {
            errors.push(FieldError::invalid(at.key(key), value, "must be a 32bit integer"));
        } else if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            seccomp(value, &at.child(key), errors);
        } else if let Some(container) = key.strip_prefix(APP_ARMOR) {
            app_armor(object, container, value, &at.key(key), errors);
        }
    }
}

/// A number without a plus sign or zeros before it.
fn is_cost(value: &str) -> bool {
    let first = value.bytes().next().unwrap_or(b' ');
    let fits = value == "0" || first == b'-' || matches!(first, b'1'..=b'9');
    fits && value.parse::<i32>().is_ok()
}

fn seccomp(profile: &str, at: &Path<'_>, errors: &mut Errors) {
    match profile.strip_prefix("localhost/") {
        Some(file) => descending(file, at, errors),
        None if ["runtime/default", "docker/default", "unconfined"].contains(&profile) => {}
        None => errors.push(FieldError::invalid(at, profile, "must be a valid seccomp profile")),
    }
}

fn app_armor(object: &Value, container: &str, profile: &str, at: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    each_container(spec_of(object), &Path::ROOT, |other, _| found |= other.text("name") == container);
    if !found {
        errors.push(FieldError::invalid(at, container, "container not found"));
    }
    if !["", "runtime/default", "unconfined"].contains(&profile) && !profile.starts_with("localhost/") {
        errors.push(FieldError::invalid(at, profile, format!("invalid AppArmor profile name: \"{profile}\"")));
    }
}

/// Where a profile is given twice, both have to be the same.
pub(super) fn match_fields(object: &Value, at: &Path<'_>, errors: &mut Errors) {
    let metadata = object.part("metadata");
    let annotations = metadata.part("annotations");
    if annotations.is_none() {
        return;
    }
    let spec = spec_of(object);
    let profile_of = |holder: &Value, name: &str| holder.part("securityContext").part(name).cloned();
    let annotation = |key: &str| annotations.part(key).and_then(Value::as_str);
    if let (Some(profile), Some(written)) = (profile_of(spec, "seccompProfile"), annotation(SECCOMP_POD)) {
        same(&profile, written, "seccomp", &at.child("securityContext").child("seccompProfile"), errors);
    }
    each_container(spec, at, |container, at| {
        let written = annotation(&format!("{SECCOMP_CONTAINER}{}", container.text("name")));
        if let (Some(profile), Some(written)) = (profile_of(container, "seccompProfile"), written) {
            same(&profile, written, "seccomp", &at.child("securityContext").child("seccompProfile"), errors);
        }
    });
    if spec.part("os").text("name") == "windows" {
        return;
    }
    let of_pod = profile_of(spec, "appArmorProfile");
    each_container(spec, at, |container, at| {
        let written = annotation(&format!("{APP_ARMOR}{}", container.text("name")));
        let profile = profile_of(container, "appArmorProfile").or_else(|| of_pod.clone());
        if let (Some(profile), Some(written)) = (profile, written) {
            same(&profile, written, "apparmor", &at.child("securityContext").child("appArmorProfile"), errors);
        }
    });
}

fn same(profile: &Value, written: &str, what: &str, at: &Path<'_>, errors: &mut Errors) {
    let file = written.strip_prefix("localhost/");
    let same_type = match profile.text("type") {
        "Unconfined" => written == "unconfined",
        "RuntimeDefault" => written == "runtime/default" || what == "seccomp" && written == "docker/default",
        "Localhost" => file.is_some(),
        _ => true,
    };
    if !same_type {
        let hint = format!("{what} type in annotation and field must match");
        errors.push(FieldError::forbidden(at.child("type"), hint));
    } else if profile.text("type") == "Localhost" && file != Some(profile.text("localhostProfile")) {
        let hint = format!("{what} profile in annotation and field must match");
        errors.push(FieldError::forbidden(at.child("localhostProfile"), hint));
    }
}

/// Annotations that may not come, change or go.
pub(super) fn validate_update(pod: &Value, old: &Value, at: &Path<'_>, errors: &mut Errors) {
    let annotations = |object: &Value, key: &str| {
        object.part("metadata").part("annotations").part(key).and_then(Value::as_str).map(str::to_owned)
    };
    let what = |key: &str| {
        if key.starts_with(APP_ARMOR) {
            Some("AppArmor annotations")
        } else {
            (key == MIRROR).then_some("mirror pod annotation")
        }
    };
    for (key, value) in old.part("metadata").texts("annotations") {
        if let Some(what) = what(key).filter(|_| annotations(pod, key).as_deref() != Some(value)) {
            errors.push(FieldError::forbidden(at.key(key), format!("may not remove or update {what}")));
        }
    }
    for (key, _) in pod.part("metadata").texts("annotations") {
        if let Some(what) = what(key).filter(|_| annotations(old, key).is_none()) {
            errors.push(FieldError::forbidden(at.key(key), format!("may not add {what}")));
        }
    }
    validate(pod, at, errors);
}
