//! What has to hold for pods and pod templates.

mod affinity;
mod annotations;
mod container;
mod downward;
mod env;
mod files;
mod mount;
mod overlaps;
mod probe;
mod resources;
mod scheduling;
mod security;
mod spec;
mod update;
mod volume;
mod volume_drivers;
mod warnings;
mod windows;

use serde_json::Value;

use super::check::Errors;
use super::read::Read;
use crate::cluster::api::admission::metadata::{validate_annotations, validate_labels, validate_metadata};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::NameRule;
use crate::cluster::api::status::{Fault, FieldError};

/// Lists of containers.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Checks a pod that is created.
pub(super) fn validate_create(pod: &Value, errors: &mut Errors) {
    metadata_and_spec(pod, errors);
    let at = Path::new("spec");
    let spec = pod.part("spec");
    if !spec.items("ephemeralContainers").is_empty() {
        errors.push(FieldError::forbidden(at.child("ephemeralContainers"), "cannot be set on create"));
    }
    if !spec.text("nodeName").is_empty() && !spec.items("schedulingGates").is_empty() {
        let hint = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden(at.child("nodeName"), hint));
    }
    annotations::match_fields(pod, &at, errors);
}

/// Checks a pod against what it was.
pub(super) fn validate_update(pod: &Value, old: &Value, errors: &mut Errors) {
    update::validate(pod, old, errors);
}

/// Checks a template; `at` is where it is.
pub(super) fn validate_template(template: &Value, at: &Path<'_>, errors: &mut Errors) {
    let metadata = template.part("metadata");
    validate_labels(metadata.members("labels"), &at.child("labels"), errors);
    let at_annotations = at.child("annotations");
    validate_annotations(metadata.members("annotations"), &at_annotations, errors);
    annotations::validate(template, &at_annotations, errors);
    let at_spec = at.child("spec");
    spec::validate(spec_of(template), None, &at_spec, errors);
    annotations::match_fields(template, &at_spec, errors);
    if !template.part("spec").items("ephemeralContainers").is_empty() {
        let hint = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(at_spec.child("ephemeralContainers"), hint));
    }
}

/// Warnings about a pod, or about a template at `at`.
pub(super) fn warnings(object: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    warnings::of(object, at, warnings);
}

/// Warnings about what a claim asks for.
pub(super) fn claim_warnings(spec: Option<&Value>, at: &Path<'_>, warnings: &mut Vec<String>) {
    warnings::claim_spec(spec, at, warnings);
}

/// What is checked alike on create and on update.
fn metadata_and_spec(pod: &Value, errors: &mut Errors) {
    validate_metadata(pod, true, NameRule::Subdomain, errors);
    annotations::validate(pod, &Path::new("metadata").child("annotations"), errors);
    let at = Path::new("spec");
    let spec = spec_of(pod);
    spec::validate(spec, Some(pod.part("metadata").text("name")), &at, errors);
    if spec.text("serviceAccountName").is_empty() {
        tokens_without_account(spec, &at, errors);
    }
    for list in ["containers", "initContainers"] {
        let at = at.child(list);
        for (index, container) in spec.items(list).iter().enumerate() {
            container::image_without_space(container, &at.index(index), errors);
        }
    }
}

fn tokens_without_account(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("volumes");
    for (index, volume) in spec.items("volumes").iter().enumerate() {
        let at = at.index(index);
        let at = at.child("projected");
        let at = at.child("sources");
        for (index, source) in volume.part("projected").items("sources").iter().enumerate() {
            if source.part("serviceAccountToken").is_some() {
                let hint = "must not be specified when serviceAccountName is not set";
                errors.push(FieldError::forbidden(at.index(index).child("serviceAccountToken"), hint));
            }
        }
    }
}

/// The spec of a pod or a template; one without is like an empty one.
fn spec_of(object: &Value) -> &Value {
    object.part("spec").unwrap_or(&Value::Null)
}

/// Visits all containers in the order of the server.
fn each_container(spec: &Value, at: &Path<'_>, mut visit: impl FnMut(&Value, &Path<'_>)) {
    for list in LISTS {
        let at = at.child(list);
        for (index, container) in spec.items(list).iter().enumerate() {
            visit(container, &at.index(index));
        }
    }
}

fn not_found(at: &Path<'_>, name: &str) -> FieldError {
    FieldError { field: at.into(), fault: Fault::NotFound(name.into()) }
}

#[cfg(test)]
#[path = "pod_tests.rs"]
mod tests;
