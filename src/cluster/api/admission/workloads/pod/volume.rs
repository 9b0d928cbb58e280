//! Volumes of a pod.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::super::check::{Errors, named, no_backsteps, one_of_if_set, required};
use super::super::claim;
use super::super::read::Read;
use super::files::{check_mode, downward_files, keys_to_paths, projected};
use super::volume_drivers;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;
use crate::cluster::quantity::Quantity;

/// The volumes that are well made, by name.
pub(super) type Volumes<'a> = HashMap<&'a str, &'a Value>;

/// Sources in the order in which the server looks for them, with the name under which it tells of what is wrong in them
/// and the one under which it tells that they are one too many.
const SOURCES: [(&str, &str, &str); 30] = [
    ("emptyDir", "emptyDir", "emptyDir"),
    ("hostPath", "hostPath", "hostPath"),
    ("gitRepo", "gitRepo", "gitRepo"),
    ("gcePersistentDisk", "persistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret", "secret"),
    ("nfs", "nfs", "nfs"),
    ("iscsi", "iscsi", "iscsi"),
    ("glusterfs", "glusterfs", "glusterfs"),
    ("flocker", "flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd", "rbd"),
    ("cinder", "cinder", "cinder"),
    ("cephfs", "cephfs", "cephFS"),
    ("quobyte", "quobyte", "quobyte"),
    ("downwardAPI", "downwardAPI", "downwarAPI"),
    ("fc", "fc", "fc"),
    ("flexVolume", "flexVolume", "flexVolume"),
    ("configMap", "configMap", "configMap"),
    ("azureFile", "azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk", "azureDisk"),
    ("storageos", "storageos", "storageos"),
    ("projected", "projected", "projected"),
    ("scaleIO", "scaleIO", "scaleIO"),
    ("csi", "csi", "csi"),
    ("ephemeral", "ephemeral", "ephemeral"),
    ("image", "image", "image"),
];

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// Checks volumes and tells which of them can be mounted. A template has no name and may leave out the image of a volume.
pub(super) fn validate<'a>(
    volumes: &'a [Value],
    pod_name: Option<&str>,
    at: &Path<'_>,
    errors: &mut Errors,
) -> Volumes<'a> {
    let mut known = Volumes::new();
    let claims = claims_of_ephemeral(volumes, pod_name.unwrap_or(""));
    for (index, volume) in volumes.iter().enumerate() {
        let at = at.index(index);
        let name = volume.text("name");
        let before = errors.len();
        sources(volume, pod_name, &at, errors);
        named(name, text::dns1123_label, &at.child("name"), errors);
        if known.contains_key(name) {
            errors.push(FieldError::duplicate(at.child("name"), name));
        }
        if errors.len() == before {
            known.insert(name, volume);
        }
        let claim = volume.part("persistentVolumeClaim").text("claimName");
        if claims.contains(claim) {
            let hint = "must not reference a PVC that gets created for an ephemeral volume";
            errors.push(FieldError::invalid(at.child("persistentVolumeClaim").child("claimName"), claim, hint));
        }
    }
    known
}

/// The claims that will be made for ephemeral volumes.
fn claims_of_ephemeral(volumes: &[Value], pod_name: &str) -> HashSet<String> {
    let volumes = if pod_name.is_empty() { &[] } else { volumes };
    let ephemeral = volumes.iter().filter(|volume| volume.part("ephemeral").is_some());
    ephemeral.map(|volume| format!("{pod_name}-{}", volume.text("name"))).collect()
}

fn sources(volume: &Value, pod_name: Option<&str>, at: &Path<'_>, errors: &mut Errors) {
    // A volume has one or two members: to look for each of thirty would take longer.
    let members = volume.as_object().into_iter().flatten().filter(|(_, source)| !source.is_null());
    let place = |name: &str| SOURCES.iter().position(|(member, ..)| *member == name);
    let mut found: Vec<_> = members.filter_map(|(name, source)| Some((place(name)?, source))).collect();
    found.sort_by_key(|(place, _)| *place);
    if found.is_empty() {
        errors.push(FieldError::required(at, "must specify a volume type"));
    }
    for (count, (place, source)) in found.into_iter().enumerate() {
        let Some((member, told, one_too_many)) = SOURCES.get(place) else { continue };
        if count > 0 {
            errors.push(FieldError::forbidden(at.child(one_too_many), "may not specify more than 1 volume type"));
        } else {
            validate_source(member, source, volume, pod_name, at, &at.child(told), errors);
        }
        if *member == "iscsi" {
            volume_drivers::iscsi_name(volume.text("name"), source, at, errors);
        }
    }
}

fn validate_source(
    kind: &str,
    source: &Value,
    volume: &Value,
    pod_name: Option<&str>,
    at_volume: &Path<'_>,
    at: &Path<'_>,
    errors: &mut Errors,
) {
    match kind {
        "emptyDir" => empty_dir(source, at, errors),
        "hostPath" => host_path(source, at, errors),
        "secret" => {
            required(source, &["secretName"], at, errors);
            check_mode(source, "defaultMode", at, errors);
            keys_to_paths(source, at, errors);
        }
        "configMap" => {
            required(source, &["name"], at, errors);
            check_mode(source, "defaultMode", at, errors);
            keys_to_paths(source, at, errors);
        }
        "downwardAPI" => {
            check_mode(source, "defaultMode", at, errors);
            downward_files(source, at, errors);
        }
        "projected" => {
            check_mode(source, "defaultMode", at, errors);
            projected(source, at, errors);
        }
        "persistentVolumeClaim" => required(source, &["claimName"], at, errors),
        "ephemeral" => ephemeral(source, volume.text("name"), pod_name, at_volume, at, errors),
        "image" => image(source, pod_name.is_some(), at, errors),
        _ => volume_drivers::validate(kind, source, at, errors),
    }
}

fn empty_dir(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    if source.text("sizeLimit").parse::<Quantity>().is_ok_and(|limit| limit.sign().is_lt()) {
        let hint = "SizeLimit field must be a valid resource quantity";
        errors.push(FieldError::forbidden(at.child("sizeLimit"), hint));
    }
}

fn host_path(source: &Value, at: &Path<'_>, errors: &mut Errors) {
    let path = source.text("path");
    if path.is_empty() {
        errors.push(FieldError::required(at.child("path"), ""));
        return;
    }
    no_backsteps(path, &at.child("path"), errors);
    one_of_if_set(source, "type", &HOST_PATH_TYPES, at, errors);
}

fn ephemeral(
    source: &Value,
    name: &str,
    pod_name: Option<&str>,
    at_volume: &Path<'_>,
    at: &Path<'_>,
    errors: &mut Errors,
) {
    let at_template = at.child("volumeClaimTemplate");
    match source.part("volumeClaimTemplate") {
        Some(template) => claim::validate_template(template, &at_template, errors),
        None => errors.push(FieldError::required(at_template, "")),
    }
    let pod_name = pod_name.unwrap_or("");
    if !pod_name.is_empty() && !name.is_empty() {
        let claim = format!("{pod_name}-{name}");
        let faults = text::dns1123_subdomain(&claim).into_iter();
        let faults = faults.map(|fault| format!("PVC name \"{claim}\": {fault}")).collect();
        invalid(&at_volume.child("name"), name, faults, errors);
    }
}

fn image(source: &Value, in_pod: bool, at: &Path<'_>, errors: &mut Errors) {
    if in_pod {
        required(source, &["reference"], at, errors);
    }
    super::container::pull_policy(source, "pullPolicy", at, errors);
}
