//! Fields of a pod and resources of a container, shown to the container in variables and files.

use serde_json::Value;

use super::super::check::Errors;
use super::super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;
use crate::cluster::quantity::Quantity;

/// Fields that files can show.
pub(super) const FILE_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// Fields that variables can show.
pub(super) const VARIABLE_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields that a pod has at all.
const FIELDS: [&str; 14] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const UNITS: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/// A field of the pod.
pub(super) fn field_ref(reference: &Value, known: &[&str], at: &Path<'_>, errors: &mut Errors) {
    for member in ["apiVersion", "fieldPath"] {
        if reference.text(member).is_empty() {
            errors.push(FieldError::required(at.child(member), ""));
            return;
        }
    }
    let (version, field) = (reference.text("apiVersion"), reference.text("fieldPath"));
    let (path, key) = split(field);
    if let Some(why) = unknown(version, field, path, key) {
        let hint = format!("error converting fieldPath: {why}");
        errors.push(FieldError::invalid(at.child("fieldPath"), field, hint));
        return;
    }
    // `spec.host` is an old name of the node.
    let path = if path == "spec.host" { "spec.nodeName" } else { path };
    match (path, key) {
        ("metadata.annotations", Some(key)) => {
            let key = key.to_lowercase();
            invalid(at, &key, text::label_key(&key), errors);
        }
        (_, Some(key)) => invalid(at, key, text::label_key(key), errors),
        (path, None) if !known.contains(&path) => {
            errors.push(FieldError::not_supported(at.child("fieldPath"), path, known));
        }
        _ => {}
    }
}

/// `metadata.labels['a']` is `metadata.labels` and `a`.
fn split(field: &str) -> (&str, Option<&str>) {
    let parts = field.strip_suffix("']").and_then(|start| start.split_once("['"));
    match parts {
        Some((path, key)) if !path.is_empty() => (path, Some(key)),
        _ => (field, None),
    }
}

fn unknown(version: &str, field: &str, path: &str, key: Option<&str>) -> Option<String> {
    if version != "v1" {
        return Some(format!("unsupported pod version: {version}"));
    }
    let fits = match key {
        Some(_) => ["metadata.annotations", "metadata.labels"].contains(&path),
        None => FIELDS.contains(&path) || path == "spec.host",
    };
    match key {
        _ if fits => None,
        Some(_) => Some(format!("field label does not support subscript: {field}")),
        None => Some(format!("field label not supported: {field}")),
    }
}

/// A resource of a container; files have to name the container.
pub(super) fn resource_ref(reference: &Value, in_file: bool, at: &Path<'_>, errors: &mut Errors) {
    let resource = reference.text("resource");
    let huge_page = ["limits.hugepages-", "requests.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
    if in_file && reference.text("containerName").is_empty() {
        errors.push(FieldError::required(at.child("containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(at.child("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !huge_page {
        errors.push(FieldError::not_supported(at.child("resource"), resource, &RESOURCES));
    }
    divisor(resource, huge_page, reference.text("divisor"), at, errors);
}

fn divisor(resource: &str, huge_page: bool, divisor: &str, at: &Path<'_>, errors: &mut Errors) {
    let Some(value) = divisor.parse::<Quantity>().ok().filter(|value| value.sign().is_ne()) else { return };
    let is_one_of = |units: &[&str]| units.iter().any(|unit| unit.parse() == Ok(value));
    let name = resource.split_once('.').map_or(resource, |(_, name)| name);
    let hint = match name {
        "cpu" if is_one_of(&["1m", "1"]) => return,
        "cpu" => "only divisor's values 1m and 1 are supported with the cpu resource".to_owned(),
        _ if is_one_of(&UNITS) => return,
        _ => {
            let what = match name {
                "memory" => "memory",
                "ephemeral-storage" => "local ephemeral storage",
                _ if huge_page => "hugepages",
                _ => return,
            };
            format!("only divisor's values {} are supported with the {what} resource", UNITS.join(", "))
        }
    };
    errors.push(FieldError::invalid(at.child("divisor"), resource, hint));
}
