//! What the server fills into the kinds that make pods.

use serde_json::{Value, json};

use super::fill::{absent, child, each, empty, number, text, there};
use super::pod_defaults::{self, claim_spec};
use crate::cluster::object::Map;

pub(super) fn deployment(deployment: &mut Map) {
    let spec = child(deployment, "spec");
    pod_defaults::template(child(spec, "template"));
    absent(spec, "replicas", 1);
    let strategy = child(spec, "strategy");
    text(strategy, "type", "RollingUpdate");
    if rolls(strategy) {
        let rolling = child(strategy, "rollingUpdate");
        absent(rolling, "maxUnavailable", "25%");
        absent(rolling, "maxSurge", "25%");
    }
    absent(spec, "revisionHistoryLimit", 10);
    absent(spec, "progressDeadlineSeconds", 600);
}

pub(super) fn replica_set(replica_set: &mut Map) {
    let spec = child(replica_set, "spec");
    pod_defaults::template(child(spec, "template"));
    absent(spec, "replicas", 1);
}

pub(super) fn replication_controller(controller: &mut Map) {
    let spec = child(controller, "spec");
    absent(spec, "replicas", 1);
    let Some(template) = there(spec, "template") else { return };
    pod_defaults::template(template);
    let Some(labels) = labels_of(template) else { return };
    if spec.get("selector").is_none_or(is_bare) {
        spec.insert("selector".to_owned(), labels.clone());
    }
    label(controller, labels);
}

pub(super) fn stateful_set(set: &mut Map) {
    let spec = child(set, "spec");
    pod_defaults::template(child(spec, "template"));
    text(spec, "podManagementPolicy", "OrderedReady");
    let strategy = child(spec, "updateStrategy");
    text(strategy, "type", "RollingUpdate");
    if rolls(strategy) {
        absent(child(strategy, "rollingUpdate"), "partition", 0);
    }
    let retention = child(spec, "persistentVolumeClaimRetentionPolicy");
    text(retention, "whenDeleted", "Retain");
    text(retention, "whenScaled", "Retain");
    absent(spec, "replicas", 1);
    absent(spec, "revisionHistoryLimit", 10);
    for claim in each(spec, "volumeClaimTemplates") {
        text(claim, "apiVersion", "v1");
        text(claim, "kind", "PersistentVolumeClaim");
        empty(claim, "metadata");
        claim_spec(child(claim, "spec"));
        text(child(claim, "status"), "phase", "Pending");
    }
}

pub(super) fn daemon_set(set: &mut Map) {
    let spec = child(set, "spec");
    pod_defaults::template(child(spec, "template"));
    let strategy = child(spec, "updateStrategy");
    text(strategy, "type", "RollingUpdate");
    if rolls(strategy) {
        let rolling = child(strategy, "rollingUpdate");
        absent(rolling, "maxUnavailable", 1);
        absent(rolling, "maxSurge", 0);
    }
    absent(spec, "revisionHistoryLimit", 10);
}

pub(super) fn job(job: &mut Map) {
    let spec = child(job, "spec");
    let template = child(spec, "template");
    pod_defaults::template(template);
    let labels = labels_of(template);
    failure_policy(spec);
    let is_set = |spec: &Map, name: &str| spec.get(name).is_some_and(|value| !value.is_null());
    // A job that only says how many run at once is done when the first one is.
    if !is_set(spec, "completions") && !is_set(spec, "parallelism") {
        absent(spec, "completions", 1);
    }
    absent(spec, "parallelism", 1);
    let backoff_limit = if is_set(spec, "backoffLimitPerIndex") { i64::from(i32::MAX) } else { 6 };
    absent(spec, "backoffLimit", backoff_limit);
    absent(spec, "completionMode", "NonIndexed");
    absent(spec, "suspend", false);
    absent(spec, "manualSelector", false);
    let replacement = if is_set(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    absent(spec, "podReplacementPolicy", replacement);
    if let Some(labels) = labels {
        label(job, labels);
    }
}

pub(super) fn cron_job(cron_job: &mut Map) {
    let spec = child(cron_job, "spec");
    text(spec, "concurrencyPolicy", "Allow");
    absent(spec, "suspend", false);
    absent(spec, "successfulJobsHistoryLimit", 3);
    absent(spec, "failedJobsHistoryLimit", 1);
    let job = child(spec, "jobTemplate");
    empty(job, "metadata");
    let spec = child(job, "spec");
    pod_defaults::template(child(spec, "template"));
    failure_policy(spec);
}

pub(super) fn pod_template(object: &mut Map) {
    pod_defaults::template(child(object, "template"));
}

pub(super) fn controller_revision(revision: &mut Map) {
    number(revision, "revision", 0);
}

fn failure_policy(job_spec: &mut Map) {
    let Some(policy) = there(job_spec, "podFailurePolicy") else { return };
    for rule in each(policy, "rules") {
        each(rule, "onPodConditions").for_each(|pattern| text(pattern, "status", "True"));
    }
}

fn rolls(strategy: &Map) -> bool {
    strategy.get("type").is_some_and(|kind| kind == "RollingUpdate")
}

fn labels_of(template: &Map) -> Option<Value> {
    let labels = template.get("metadata")?.get("labels")?;
    labels.is_object().then(|| labels.clone())
}

/// Gives an object without labels those of its pods.
fn label(object: &mut Map, labels: Value) {
    if is_bare(&labels) {
        return;
    }
    let metadata = child(object, "metadata");
    if metadata.get("labels").is_none_or(is_bare) {
        metadata.insert("labels".to_owned(), labels);
    }
}

fn is_bare(map: &Value) -> bool {
    map.is_null() || *map == json!({})
}
