//! Volumes that need a driver of their own.

use serde_json::Value;

use super::super::check::{Errors, descending, one_of_if_set, optional, required};
use super::super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::{Fault, FieldError};

/// Texts that have to be there, by source.
const REQUIRED: [(&str, &[&str]); 16] = [
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("nfs", &["server", "path"]),
    ("glusterfs", &["endpoints", "path"]),
    ("rbd", &["image"]),
    ("cinder", &["volumeID"]),
    ("flexVolume", &["driver"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("iscsi", &["targetPortal"]),
    ("storageos", &["volumeName"]),
];

/// Checks a source of one of these kinds.
pub(super) fn validate(kind: &str, source: &Value, at: &Path<'_>, errors: &mut Errors) {
    if (kind == "rbd" || kind == "cephfs") && source.items("monitors").is_empty() {
        errors.push(FieldError::required(at.child("monitors"), ""));
    }
    if let Some((_, members)) = REQUIRED.iter().find(|(name, _)| *name == kind) {
        required(source, members, at, errors);
    }
    match kind {
        "gitRepo" => descending(source.text("directory"), &at.child("directory"), errors),
        "gcePersistentDisk" | "awsElasticBlockStore" => partition(source, at, errors),
        "nfs" if !source.text("path").starts_with('/') => {
            errors.push(FieldError::invalid(at.child("path"), source.text("path"), "must be an absolute path"));
        }
        "cinder" => secret_name(source, "secretRef", at, errors),
        "iscsi" => iscsi(source, at, errors),
        "flocker" => flocker(source, at, errors),
        "quobyte" => quobyte(source, at, errors),
        "fc" => fibre_channel(source, at, errors),
        "flexVolume" => flex(source, at, errors),
        "azureDisk" => azure_disk(source, at, errors),
        "storageos" => storage_os(source, at, errors),
        "csi" => csi(source, at, errors),
        _ => {}
    }
}

fn partition(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    if let Some(partition) = source.int("partition").filter(|partition| !(0..=255).contains(partition)) {
        errors.push(FieldError::invalid(at.child("partition"), partition, text::range(1, 255)));
    }
}

/// The name of a secret that is referred to.
fn secret_name(source: &Value, member: &str, at: &Path<'_>, errors: &mut Errors) {
    if source.part(member).is_some_and(|secret| secret.text("name").is_empty()) {
        errors.push(FieldError::required(at.child(member).child("name"), ""));
    }
}

fn iscsi(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let name = source.text("iqn");
    if name.is_empty() {
        errors.push(FieldError::required(at.child("iqn"), ""));
    } else {
        iscsi_form(name, &at.child("iqn"), errors);
    }
    if let Some(lun) = source.int("lun").filter(|lun| !(0..=255).contains(lun)) {
        errors.push(FieldError::invalid(at.child("lun"), lun, text::range(0, 255)));
    }
    let authenticated = source.is_on("chapAuthDiscovery") || source.is_on("chapAuthSession");
    if authenticated && source.part("secretRef").is_none() {
        errors.push(FieldError::required(at.child("secretRef"), ""));
    }
    if source.has_text("initiatorName") {
        iscsi_form(source.text("initiatorName"), &at.child("initiatorname"), errors);
    }
}

/// A name as `iqn.2001-04.com.example:x`, `eui.` and sixteen digits, or `naa.` and 32 digits.
fn iscsi_form(name: &str, at: &Path<'_>, errors: &mut Errors) {
    let hint = match name.get(..3) {
        Some("iqn" | "eui" | "naa") if fits_iscsi(name) => return,
        Some("iqn" | "eui" | "naa") => "must be valid format",
        _ => "must be valid format starting with iqn, eui, or naa",
    };
    errors.push(FieldError::invalid(at, name, hint));
}

fn fits_iscsi(name: &str) -> bool {
    let hexadecimal = |digits: &str, len: usize| digits.len() == len && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(digits) = name.strip_prefix("eui.") {
        return hexadecimal(digits, 16);
    }
    if let Some(digits) = name.strip_prefix("naa.") {
        return hexadecimal(digits, 32);
    }
    let Some(rest) = name.strip_prefix("iqn.") else { return false };
    let Some((date, domain)) = rest.split_once('.') else { return false };
    let Some((year, month)) = date.split_once('-') else { return false };
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    let domain = domain.split_once(':').map_or(domain, |(domain, _)| domain);
    digits(year, 4)
        && digits(month, 2)
        && !domain.is_empty()
        && domain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// The name of the volume goes into that of the target.
pub(super) fn iscsi_name(volume: &str, source: &Value, at: &Path<'_>, errors: &mut Errors) {
    if source.has_text("initiatorName") && volume.len() + 1 + source.text("targetPortal").len() > 64 {
        let hint = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                    iscsi.initiatorName is specified.";
        errors.push(FieldError::invalid(at.child("name"), volume, hint));
    }
}

fn flocker(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (name, uuid) = (source.text("datasetName"), source.text("datasetUUID"));
    match (name.is_empty(), uuid.is_empty()) {
        (true, true) => errors.push(FieldError::required(at, "one of datasetName and datasetUUID is required")),
        (false, false) => {
            let hint = "datasetName and datasetUUID can not be specified simultaneously";
            errors.push(FieldError::invalid(at, "resource", hint));
        }
        _ => {}
    }
    if name.contains('/') {
        errors.push(FieldError::invalid(at.child("datasetName"), name, "must not contain '/'"));
    }
}

fn quobyte(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let hint = "must be a host:port pair or multiple pairs separated by commas";
    let registry = source.text("registry");
    if registry.is_empty() {
        errors.push(FieldError::required(at.child("registry"), hint));
    } else if source.text("tenant").len() >= 65 {
        let hint = "must be a UUID and may not exceed a length of 64 characters";
        errors.push(FieldError::required(at.child("tenant"), hint));
    } else {
        for _ in registry.split(',').filter(|pair| pair.matches(':').count() != 1) {
            errors.push(FieldError::invalid(at.child("registry"), registry, hint));
        }
    }
    required(source, &["volume"], at, errors);
}

fn fibre_channel(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (targets, wide) = (source.items("targetWWNs"), source.items("wwids"));
    match (targets.is_empty(), wide.is_empty()) {
        (true, true) => {
            let hint = "must specify either targetWWNs or wwids, but not both";
            errors.push(FieldError::required(at.child("targetWWNs"), hint));
        }
        (false, false) => {
            let hint = "targetWWNs and wwids can not be specified simultaneously";
            errors.push(FieldError::invalid(at.child("targetWWNs"), targets.to_vec(), hint));
        }
        _ => {}
    }
    if targets.is_empty() {
        return;
    }
    match source.int("lun") {
        None => errors.push(FieldError::required(at.child("lun"), "lun is required if targetWWNs is specified")),
        Some(lun) if !(0..=255).contains(&lun) => {
            errors.push(FieldError::invalid(at.child("lun"), lun, text::range(0, 255)));
        }
        Some(_) => {}
    }
}

fn flex(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("options");
    for (key, _) in source.texts("options") {
        let owner = format!(".{}", key.split('/').next().unwrap_or(key).to_lowercase());
        if owner.ends_with(".kubernetes.io") || owner.ends_with(".k8s.io") {
            errors.push(FieldError::invalid(at.key(key), key, "kubernetes.io and k8s.io namespaces are reserved"));
        }
    }
}

fn azure_disk(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    one_of_if_set(source, "cachingMode", &["None", "ReadOnly", "ReadWrite"], at, errors);
    one_of_if_set(source, "kind", &["Dedicated", "Managed", "Shared"], at, errors);
    let (start, form) = match source.text("kind") {
        "" => return,
        "Managed" => (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ),
        _ => ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
    };
    let disk = source.text("diskURI");
    if !disk.starts_with(start) {
        errors.push(FieldError::not_supported(at.child("diskURI"), disk, &[form]));
    }
}

fn storage_os(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    optional(source, "volumeName", text::dns1123_label, at, errors);
    optional(source, "volumeNamespace", text::dns1123_label, at, errors);
    secret_name(source, "secretRef", at, errors);
}

fn csi(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let driver = source.text("driver");
    let at_driver = at.child("driver");
    required(source, &["driver"], at, errors);
    if driver.len() > 63 {
        let fault = Fault::TooLong("may not be more than 63 bytes".to_owned());
        errors.push(FieldError { field: (&at_driver).into(), fault });
    }
    invalid(&at_driver, driver, text::dns1123_subdomain(&driver.to_lowercase()), errors);
    if let Some(secret) = source.part("nodePublishSecretRef") {
        secret_name(source, "nodePublishSecretRef", at, errors);
        optional(secret, "name", text::dns1123_subdomain, at, errors);
    }
}
