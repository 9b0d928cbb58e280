//! Where a container finds its volumes.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::super::check::{Errors, descending, one_of_if_set};
use super::super::read::Read;
use super::not_found;
use super::volume::Volumes;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::status::FieldError;

/// Checks `volumeMounts` and `volumeDevices`.
pub(super) fn validate(container: &Value, volumes: &Volumes<'_>, at: &Path<'_>, errors: &mut Errors) {
    mounts(container, volumes, &at.child("volumeMounts"), errors);
    if !container.items("volumeDevices").is_empty() {
        devices(container, volumes, &at.child("volumeDevices"), errors);
    }
}

/// The last path of each name.
fn paths<'a>(container: &'a Value, list: &str, path: &str) -> HashMap<&'a str, &'a str> {
    container.items(list).iter().map(|item| (item.text("name"), item.text(path))).collect()
}

fn mounts(container: &Value, volumes: &Volumes<'_>, at_list: &Path<'_>, errors: &mut Errors) {
    let devices = paths(container, "volumeDevices", "devicePath");
    let device_paths: HashSet<_> = devices.values().collect();
    let mut seen = HashSet::new();
    for (index, mount) in container.items("volumeMounts").iter().enumerate() {
        let at = at_list.index(index);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        let volume = volumes.get(name);
        if name.is_empty() {
            errors.push(FieldError::required(at.child("name"), ""));
        }
        if volume.is_none() {
            errors.push(not_found(&at.child("name"), name));
        }
        if path.is_empty() {
            errors.push(FieldError::required(at.child("mountPath"), ""));
        }
        if !seen.insert(path) {
            errors.push(FieldError::invalid(at.child("mountPath"), path, "must be unique"));
        }
        if devices.contains_key(name) {
            errors.push(FieldError::invalid(at.child("name"), name, "must not already exist in volumeDevices"));
        }
        if device_paths.contains(&path) {
            let hint = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(at.child("mountPath"), path, hint));
        }
        let of_image = volume.is_some_and(|volume| volume.part("image").is_some());
        sub_paths(mount, of_image, at_list, &at, errors);
        // From here on the server names the list and not the item.
        propagation(mount, container, at_list, errors);
        recursive_read_only(mount, at_list, errors);
    }
}

fn sub_paths(mount: &Value, of_image: bool, at_list: &Path<'_>, at: &Path<'_>, errors: &mut Errors) {
    for member in ["subPath", "subPathExpr"] {
        if of_image && !mount.text(member).is_empty() {
            let hint = "not allowed in image volume sources";
            errors.push(FieldError::invalid(at.child(member), mount.text(member), hint));
        }
    }
    let (path, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
    descending(path, &at_list.child("subPath"), errors);
    if !expression.is_empty() && !path.is_empty() {
        let hint = "subPathExpr and subPath are mutually exclusive";
        errors.push(FieldError::invalid(at.child("subPathExpr"), expression, hint));
    }
    descending(expression, &at_list.child("subPathExpr"), errors);
}

fn propagation(mount: &Value, container: &Value, at: &Path<'_>, errors: &mut Errors) {
    one_of_if_set(mount, "mountPropagation", &["Bidirectional", "HostToContainer", "None"], at, errors);
    let privileged = container.part("securityContext").is_on("privileged");
    if mount.text("mountPropagation") == "Bidirectional" && !privileged {
        let hint = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(at.child("mountPropagation"), hint));
    }
}

fn recursive_read_only(mount: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("recursiveReadOnly");
    match mount.part("recursiveReadOnly").and_then(Value::as_str) {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.is_on("readOnly") {
                errors.push(FieldError::forbidden(at, "may only be specified when readOnly is true"));
            }
            if !["", "None"].contains(&mount.text("mountPropagation")) {
                let hint = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(at, hint));
            }
        }
        Some(other) => {
            errors.push(FieldError::not_supported(at, other, &["Disabled", "Enabled", "IfPossible"]));
        }
    }
}

fn devices(container: &Value, volumes: &Volumes<'_>, at_list: &Path<'_>, errors: &mut Errors) {
    let mounts = paths(container, "volumeMounts", "mountPath");
    let mount_paths: HashSet<_> = mounts.values().collect();
    let (mut names, mut seen) = (HashSet::new(), HashSet::new());
    for (index, device) in container.items("volumeDevices").iter().enumerate() {
        let at = at_list.index(index);
        let (name, path) = (device.text("name"), device.text("devicePath"));
        let mut wrong = |member: &str, value: &str, hint: &str| {
            errors.push(FieldError::invalid(at.child(member), value, hint));
        };
        let at_name = at.child("name");
        if name.is_empty() {
            errors.push(FieldError::required(at_name, ""));
        } else if !names.insert(name) {
            wrong("name", name, "must be unique");
        }
        match volumes.get(name) {
            None => errors.push(not_found(&at_name, name)),
            Some(volume) if volume.part("persistentVolumeClaim").or(volume.part("ephemeral")).is_none() => {
                let hint = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(FieldError::invalid(at_name, name, hint));
            }
            Some(_) => {}
        }
        if path.is_empty() {
            errors.push(FieldError::required(at.child("devicePath"), ""));
        }
        let mut wrong = |member: &str, value: &str, hint: &str| {
            errors.push(FieldError::invalid(at.child(member), value, hint));
        };
        if seen.contains(path) {
            wrong("devicePath", path, "must be unique");
        }
        if path.split('/').any(|step| step == "..") {
            wrong("devicePath", path, "can not contain backsteps ('..')");
        } else {
            seen.insert(path);
        }
        if mounts.contains_key(name) {
            wrong("name", name, "must not already exist in volumeMounts");
        }
        if mount_paths.contains(&path) {
            wrong("devicePath", path, "must not already exist as a path in volumeMounts");
        }
    }
}
