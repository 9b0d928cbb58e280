//! Pods, their templates, and the kinds that make pods.

mod diff;
mod fill;
mod go_dump;
mod image;
mod pod_defaults;
mod quantity;
mod read;
mod workload_defaults;

use serde_json::Value;

use crate::cluster::object::GroupKind;

pub use image::image_pull_policy;

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
