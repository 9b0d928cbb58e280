//! How an object is doing, read from its status.

use serde_json::Value;

use super::object::is_going;
use crate::cluster::object::{at, group_of, int, list, text};

/// How an object is doing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "reason")]
pub enum Health {
    /// It is as it was asked to be.
    Current,
    /// It is on its way.
    InProgress(String),
    /// It will not get there by itself.
    Failed(String),
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
}

/// How an object is doing.
pub fn health(object: &Value) -> Health {
    if is_going(object) {
        return Health::Terminating;
    }
    if let Some(early) = general(object) {
        return early;
    }
    let group = group_of(text(object, &["apiVersion"]));
    match (group, text(object, &["kind"])) {
        ("apps", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => replicas(object, "readyReplicas"),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => replicas(object, "availableReplicas"),
        ("apps", "DaemonSet") => daemon_set(object),
        ("", "Pod") => pod(object),
        ("", "PersistentVolumeClaim") => phase(object, "Bound"),
        ("", "Namespace") => phase(object, "Active"),
        ("", "Service") => service(object),
        ("batch", "Job") => job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("helm.fluxcd.io", "HelmRelease") => helm_release(object),
        _ => ready_condition(object),
    }
}

fn waiting(reason: &str) -> Option<Health> {
    Some(Health::InProgress(reason.to_owned()))
}

/// The condition of a type: its status and its message.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str)> {
    let found = list(object, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == kind)?;
    Some((text(found, &["status"]), text(found, &["message"])))
}

/// What holds for all kinds.
fn general(object: &Value) -> Option<Health> {
    let generation = int(object, &["metadata", "generation"]);
    let observed = int(object, &["status", "observedGeneration"]);
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return waiting("the controller has not seen the newest version yet");
    }
    if let Some(("True", message)) = condition(object, "Stalled") {
        return Some(Health::Failed(message.to_owned()));
    }
    match condition(object, "Reconciling") {
        Some(("True", message)) => waiting(message),
        _ => None,
    }
}

fn number(object: &Value, name: &str) -> i64 {
    int(object, &["status", name]).unwrap_or(0)
}

fn wanted(object: &Value) -> i64 {
    int(object, &["spec", "replicas"]).unwrap_or(1)
}

fn deployment(object: &Value) -> Health {
    let progressing = list(object, &["status", "conditions"]).iter().find(|c| text(c, &["type"]) == "Progressing");
    if progressing.is_some_and(|c| text(c, &["reason"]) == "ProgressDeadlineExceeded") {
        return Health::Failed("its roll-out takes longer than its deadline".to_owned());
    }
    if let Some(("True", message)) = condition(object, "ReplicaFailure") {
        return Health::Failed(message.to_owned());
    }
    if at(object, &["status", "observedGeneration"]).is_none() {
        return Health::InProgress("the controller has not seen it yet".to_owned());
    }
    let (wanted, updated, all) = (wanted(object), number(object, "updatedReplicas"), number(object, "replicas"));
    let available = number(object, "availableReplicas");
    if updated < wanted {
        return Health::InProgress(format!("{updated} of {wanted} replicas are updated"));
    }
    if all > updated {
        return Health::InProgress(format!("{} old replicas are still there", all - updated));
    }
    if available < wanted {
        return Health::InProgress(format!("{available} of {wanted} replicas are available"));
    }
    Health::Current
}

fn replicas(object: &Value, field: &str) -> Health {
    let (wanted, there) = (wanted(object), number(object, field));
    let all = number(object, "replicas");
    if there < wanted {
        return Health::InProgress(format!("{there} of {wanted} replicas are ready"));
    }
    if all > wanted {
        return Health::InProgress(format!("{} replicas are too many", all - wanted));
    }
    let (current, update) = (text(object, &["status", "currentRevision"]), text(object, &["status", "updateRevision"]));
    let by_hand = text(object, &["spec", "updateStrategy", "type"]) == "OnDelete";
    if !update.is_empty() && current != update && !by_hand {
        let updated = number(object, "updatedReplicas");
        return Health::InProgress(format!("{updated} of {wanted} replicas are updated"));
    }
    Health::Current
}

fn daemon_set(object: &Value) -> Health {
    if at(object, &["status", "observedGeneration"]).is_none() {
        return Health::InProgress("the controller has not seen it yet".to_owned());
    }
    let wanted = number(object, "desiredNumberScheduled");
    for (field, word) in
        [("updatedNumberScheduled", "updated"), ("numberAvailable", "available"), ("numberReady", "ready")]
    {
        let there = number(object, field);
        if there < wanted {
            return Health::InProgress(format!("{there} of {wanted} pods are {word}"));
        }
    }
    Health::Current
}

fn pod(object: &Value) -> Health {
    let statuses = || {
        let all = ["initContainerStatuses", "containerStatuses"].into_iter();
        all.flat_map(|field| list(object, &["status", field]))
    };
    let bad = statuses().map(|status| text(status, &["state", "waiting", "reason"])).find(|reason| {
        reason.ends_with("BackOff")
            || reason.starts_with("Err")
            || reason.ends_with("Error")
            || *reason == "InvalidImageName"
    });
    if let Some(reason) = bad {
        return Health::Failed(reason.to_owned());
    }
    match text(object, &["status", "phase"]) {
        "Succeeded" => Health::Current,
        "Failed" => Health::Failed(text(object, &["status", "message"]).to_owned()),
        "Running" if condition(object, "Ready").is_some_and(|(status, _)| status == "True") => Health::Current,
        "Running" => Health::InProgress("it is not ready yet".to_owned()),
        "Pending" => Health::InProgress("it is pending".to_owned()),
        _ => Health::InProgress("nothing is known of it yet".to_owned()),
    }
}

fn phase(object: &Value, good: &str) -> Health {
    match text(object, &["status", "phase"]) {
        phase if phase == good => Health::Current,
        "" => Health::InProgress("nothing is known of it yet".to_owned()),
        "Lost" => Health::Failed("it is lost".to_owned()),
        phase => Health::InProgress(format!("it is {}", phase.to_lowercase())),
    }
}

fn service(object: &Value) -> Health {
    let balanced = text(object, &["spec", "type"]) == "LoadBalancer";
    if balanced && list(object, &["status", "loadBalancer", "ingress"]).is_empty() {
        return Health::InProgress("its load balancer has no address yet".to_owned());
    }
    Health::Current
}

fn job(object: &Value) -> Health {
    if let Some(("True", message)) = condition(object, "Failed") {
        return Health::Failed(message.to_owned());
    }
    if condition(object, "Complete").is_some_and(|(status, _)| status == "True") {
        return Health::Current;
    }
    let wanted = int(object, &["spec", "completions"]).unwrap_or(1);
    Health::InProgress(format!("{} of {wanted} runs are done", number(object, "succeeded")))
}

fn definition(object: &Value) -> Health {
    if let Some(("False", message)) = condition(object, "NamesAccepted") {
        return Health::Failed(message.to_owned());
    }
    match condition(object, "Established") {
        Some(("True", _)) => Health::Current,
        _ => Health::InProgress("it is not established yet".to_owned()),
    }
}

fn helm_release(object: &Value) -> Health {
    match text(object, &["status", "phase"]) {
        "" => Health::InProgress("nothing is known of it yet".to_owned()),
        "Succeeded" | "Deployed" | "Tested" => Health::Current,
        phase if phase.ends_with("Failed") || phase == "RolledBack" => {
            let message = condition(object, "Released").map_or("", |(_, message)| message);
            Health::Failed(if message.is_empty() { phase.to_owned() } else { message.to_owned() })
        }
        phase => Health::InProgress(phase.to_owned()),
    }
}

/// Other kinds tell by their condition `Ready`, or are current by being there.
fn ready_condition(object: &Value) -> Health {
    match condition(object, "Ready") {
        Some(("False" | "Unknown", message)) => Health::InProgress(message.to_owned()),
        _ => Health::Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(version: &str, kind: &str, spec: Value, status: Value) -> Value {
        json!({"apiVersion": version, "kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status})
    }

    #[test]
    fn health_is_read_from_the_status() {
        let progress = |reason: &str| Health::InProgress(reason.to_owned());
        let failed = |reason: &str| Health::Failed(reason.to_owned());
        let conditions = |kind: &str, status: &str, message: &str| json!({"conditions": [{"type": kind, "status": status, "message": message, "reason": "ProgressDeadlineExceeded"}]});
        let deployment = |status: Value| object("apps/v1", "Deployment", json!({"replicas": 2}), status);
        let rolled = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        let with = |name: &str, value: i64| {
            let mut status = rolled.clone();
            crate::cluster::object::set(&mut status, &[name], value);
            deployment(status)
        };
        let cases = [
            (deployment(rolled.clone()), Health::Current),
            (with("observedGeneration", 1), progress("the controller has not seen the newest version yet")),
            (with("updatedReplicas", 1), progress("1 of 2 replicas are updated")),
            (with("replicas", 3), progress("1 old replicas are still there")),
            (with("availableReplicas", 0), progress("0 of 2 replicas are available")),
            (deployment(json!({})), progress("the controller has not seen it yet")),
            (deployment(conditions("Progressing", "False", "")), failed("its roll-out takes longer than its deadline")),
            (object("v1", "ConfigMap", json!({}), json!(null)), Health::Current),
            (
                object(
                    "v1",
                    "Pod",
                    json!({}),
                    json!({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}),
                ),
                failed("ImagePullBackOff"),
            ),
            (
                object("v1", "Service", json!({"type": "LoadBalancer"}), json!({})),
                progress("its load balancer has no address yet"),
            ),
            (object("batch/v1", "Job", json!({}), conditions("Failed", "True", "too often")), failed("too often")),
            (object("x.io/v1", "Widget", json!({}), conditions("Ready", "False", "not yet")), progress("not yet")),
            (object("x.io/v1", "Widget", json!({}), conditions("Stalled", "True", "no")), failed("no")),
            (
                object(
                    "apps/v1",
                    "StatefulSet",
                    json!({"replicas": 1}),
                    json!({"readyReplicas": 1, "replicas": 1, "currentRevision": "a", "updateRevision": "b"}),
                ),
                progress("0 of 1 replicas are updated"),
            ),
            (json!({"metadata": {"deletionTimestamp": "2024-01-01T00:00:00Z"}}), Health::Terminating),
            (json!("nonsense"), Health::Current),
        ];
        for (object, expected) in cases {
            assert_eq!(health(&object), expected, "{object}");
        }
    }
}
