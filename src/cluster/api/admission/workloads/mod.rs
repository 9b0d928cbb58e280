//! Pods, their templates, and the kinds that make pods.

mod check;
mod claim;
mod cron_job;
mod cron_schedule;
mod daemon_set;
mod deployment;
mod diff;
mod fill;
mod go_dump;
mod image;
mod job;
mod job_policies;
mod pod;
mod pod_defaults;
mod priority;
mod qos;
mod read;
mod replica_set;
mod same;
mod selector;
mod service_account;
mod stateful_set;
mod strategy;
mod template;
mod warnings;
mod workload_defaults;

use serde_json::Value;

use super::metadata::{validate_metadata, validate_metadata_update};
use super::path::Path;
use super::text::NameRule;
use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::GroupKind;

pub use image::image_pull_policy;
pub use qos::qos_class;
pub use service_account::service_account_name;
pub use strategy::CreateContext;

/// Fills in what a client left out, as Go's `SetDefaults` does. Tells whether the kind is one of these.
pub fn defaults(kind: &GroupKind, object: &mut Value) -> bool {
    let fill = match kind.pair() {
        ("", "Pod") => pod_defaults::pod,
        ("", "PodTemplate") => workload_defaults::pod_template,
        ("", "ReplicationController") => workload_defaults::replication_controller,
        ("apps", "Deployment") => workload_defaults::deployment,
        ("apps", "ReplicaSet") => workload_defaults::replica_set,
        ("apps", "StatefulSet") => workload_defaults::stateful_set,
        ("apps", "DaemonSet") => workload_defaults::daemon_set,
        ("apps", "ControllerRevision") => workload_defaults::controller_revision,
        ("batch", "Job") => workload_defaults::job,
        ("batch", "CronJob") => workload_defaults::cron_job,
        _ => return false,
    };
    fill(fill::object(object));
    true
}

/// Adds what the strategies and the admission plugins of the server add to an object that is created; its defaults are
/// there already. Tells whether the kind is one of these.
pub fn before_create(kind: &GroupKind, object: &mut Value, context: &CreateContext<'_>) -> Result<bool, Refusal> {
    match kind.pair() {
        ("", "Pod") => strategy::create_pod(object, context)?,
        ("apps", "DaemonSet") => strategy::create_daemon_set(object),
        ("batch", "Job") => strategy::create_job(object, context.uid),
        other => return Ok(is_here(other)),
    }
    Ok(true)
}

/// Keeps what a client cannot take away from an object by leaving it out. Tells whether the kind is one of these.
pub fn before_update(kind: &GroupKind, object: &mut Value, old: &Value) -> bool {
    match kind.pair() {
        ("", "Pod") => strategy::update_pod(object, old),
        ("apps", "DaemonSet") => strategy::update_daemon_set(object, old),
        _ => {}
    }
    is_here(kind.pair())
}

/// Checks an object that has its defaults: one that is created, or one that replaces `old`. Tells whether the kind is one
/// of these.
pub fn validate(kind: &GroupKind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) -> bool {
    let check = match kind.pair() {
        ("", "Pod") => validate_pod,
        ("", "PodTemplate") => validate_pod_template,
        ("", "ReplicationController") => replica_set::validate_controller,
        ("apps", "Deployment") => deployment::validate,
        ("apps", "ReplicaSet") => replica_set::validate,
        ("apps", "StatefulSet") => stateful_set::validate,
        ("apps", "DaemonSet") => daemon_set::validate,
        ("apps", "ControllerRevision") => daemon_set::validate_revision,
        ("batch", "Job") => job::validate,
        ("batch", "CronJob") => cron_job::validate,
        _ => return false,
    };
    check(object, old, errors);
    true
}

/// Whether `metadata.generation` goes up; none if the kind is none of these.
pub fn generation_changes(kind: &GroupKind, new: &Value, old: &Value) -> Option<bool> {
    is_here(kind.pair()).then(|| strategy::wants_something_else(kind.pair(), new, old))
}

/// What the server warns of in an object that is created, or that replaces `old`.
pub fn warnings(kind: &GroupKind, object: &Value, old: Option<&Value>) -> Vec<String> {
    if is_here(kind.pair()) { warnings::of(kind.pair(), object, old) } else { Vec::new() }
}

fn is_here(kind: (&str, &str)) -> bool {
    matches!(
        kind,
        ("", "Pod" | "PodTemplate" | "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ControllerRevision")
            | ("batch", "Job" | "CronJob")
    )
}

fn validate_pod(pod: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    match old {
        None => pod::validate_create(pod, errors),
        Some(old) => pod::validate_update(pod, old, errors),
    }
}

fn validate_pod_template(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    match old {
        None => validate_metadata(object, true, NameRule::Subdomain, errors),
        Some(old) => validate_metadata_update(object, old, true, errors),
    }
    pod::validate_template(object.get("template").unwrap_or(&Value::Null), &Path::new("template"), errors);
}

#[cfg(test)]
mod testing;

#[cfg(test)]
#[path = "validation_tests.rs"]
mod validation_tests;

#[cfg(test)]
#[path = "admission_tests.rs"]
mod admission_tests;

#[cfg(test)]
#[path = "laws_tests.rs"]
mod laws_tests;
