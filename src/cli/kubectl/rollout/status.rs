//! How far a rollout is, in kubectl's words.

use serde_json::Value;

use crate::cluster::object;

/// The line about a workload, and whether its rollout is done.
///
/// # Errors
/// When it cannot get done any more, or is never told.
pub(super) fn of(workload: &Value, revision: i64) -> Result<(String, bool), String> {
    match object::text(workload, &["kind"]) {
        "Deployment" => deployment(workload, revision),
        "DaemonSet" => daemon_set(workload),
        _ => stateful_set(workload),
    }
}

fn name(workload: &Value) -> &str {
    object::text(workload, &["metadata", "name"])
}

fn number(workload: &Value, path: &[&str]) -> i64 {
    object::int(workload, path).unwrap_or(0)
}

/// Whether the controller has seen the newest specification.
fn is_observed(workload: &Value) -> bool {
    number(workload, &["metadata", "generation"]) <= number(workload, &["status", "observedGeneration"])
}

fn deployment(workload: &Value, revision: i64) -> Result<(String, bool), String> {
    let name = name(workload);
    if revision > 0 {
        let there = object::text(workload, &["metadata", "annotations", "deployment.kubernetes.io/revision"]);
        if there.parse() != Ok(revision) {
            return Err(format!("desired revision ({revision}) is different from the running revision ({there})"));
        }
    }
    if !is_observed(workload) {
        return Ok(("Waiting for deployment spec update to be observed...".to_owned(), false));
    }
    let stuck = object::list(workload, &["status", "conditions"]).iter().any(|condition| {
        object::text(condition, &["type"]) == "Progressing"
            && object::text(condition, &["reason"]) == "ProgressDeadlineExceeded"
    });
    if stuck {
        return Err(format!("deployment {name:?} exceeded its progress deadline"));
    }
    let status = |member: &str| number(workload, &["status", member]);
    let (updated, replicas, available) = (status("updatedReplicas"), status("replicas"), status("availableReplicas"));
    let waiting = |what: String| Ok((format!("Waiting for deployment {name:?} rollout to finish: {what}..."), false));
    if let Some(wanted) = object::int(workload, &["spec", "replicas"]).filter(|wanted| updated < *wanted) {
        return waiting(format!("{updated} out of {wanted} new replicas have been updated"));
    }
    if replicas > updated {
        return waiting(format!("{} old replicas are pending termination", replicas - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok((format!("deployment {name:?} successfully rolled out"), true))
}

fn daemon_set(workload: &Value) -> Result<(String, bool), String> {
    let name = name(workload);
    if object::text(workload, &["spec", "updateStrategy", "type"]) != "RollingUpdate" {
        return Err("rollout status is only available for RollingUpdate strategy type".to_owned());
    }
    if !is_observed(workload) {
        return Ok(("Waiting for daemon set spec update to be observed...".to_owned(), false));
    }
    let status = |member: &str| number(workload, &["status", member]);
    let (updated, wanted, available) =
        (status("updatedNumberScheduled"), status("desiredNumberScheduled"), status("numberAvailable"));
    let waiting = |what: String| Ok((format!("Waiting for daemon set {name:?} rollout to finish: {what}..."), false));
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new pods have been updated"));
    }
    if available < wanted {
        return waiting(format!("{available} of {wanted} updated pods are available"));
    }
    Ok((format!("daemon set {name:?} successfully rolled out"), true))
}

fn stateful_set(workload: &Value) -> Result<(String, bool), String> {
    if object::text(workload, &["spec", "updateStrategy", "type"]) != "RollingUpdate" {
        return Err("rollout status is only available for RollingUpdate strategy type".to_owned());
    }
    let status = |member: &str| number(workload, &["status", member]);
    if status("observedGeneration") == 0 || !is_observed(workload) {
        return Ok(("Waiting for statefulset spec update to be observed...".to_owned(), false));
    }
    let wanted = object::int(workload, &["spec", "replicas"]);
    let (ready, updated) = (status("readyReplicas"), status("updatedReplicas"));
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return Ok((format!("Waiting for {} pods to be ready...", wanted - ready), false));
    }
    let rolling = object::map(workload, &["spec", "updateStrategy", "rollingUpdate"]);
    if rolling.is_some() {
        let partition = object::int(workload, &["spec", "updateStrategy", "rollingUpdate", "partition"]);
        if let Some(wanted) = wanted.zip(partition).map(|(wanted, partition)| wanted - partition)
            && updated < wanted
        {
            let what = format!("{updated} out of {wanted} new pods have been updated");
            return Ok((format!("Waiting for partitioned roll out to finish: {what}..."), false));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated..."), true));
    }
    let text = |member: &str| object::text(workload, &["status", member]);
    let (new, current) = (text("updateRevision"), text("currentRevision"));
    if new != current {
        return Ok((
            format!("waiting for statefulset rolling update to complete {updated} pods at revision {new}..."),
            false,
        ));
    }
    let replicas = status("currentReplicas");
    Ok((format!("statefulset rolling update complete {replicas} pods at revision {current}..."), true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(kind: &str, spec: Value, status: Value) -> Value {
        json!({ "kind": kind, "metadata": { "name": "web", "generation": 2 }, "spec": spec, "status": status })
    }

    fn line(workload: &Value) -> Result<(String, bool), String> {
        of(workload, 0)
    }

    #[test]
    fn deployments() {
        let of = |status: Value| line(&workload("Deployment", json!({ "replicas": 3 }), status));
        let waiting = |what: &str| Ok((format!("Waiting for deployment \"web\" rollout to finish: {what}..."), false));
        assert_eq!(
            of(json!({ "observedGeneration": 1 })),
            Ok(("Waiting for deployment spec update to be observed...".into(), false))
        );
        assert_eq!(
            of(json!({ "observedGeneration": 2, "updatedReplicas": 1, "replicas": 4 })),
            waiting("1 out of 3 new replicas have been updated")
        );
        assert_eq!(
            of(json!({ "observedGeneration": 2, "updatedReplicas": 3, "replicas": 4 })),
            waiting("1 old replicas are pending termination")
        );
        assert_eq!(
            of(json!({ "observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2 })),
            waiting("2 of 3 updated replicas are available")
        );
        assert_eq!(
            of(json!({ "observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 3 })),
            Ok(("deployment \"web\" successfully rolled out".into(), true))
        );
        let stuck = json!([{ "type": "Progressing", "reason": "ProgressDeadlineExceeded" }]);
        assert_eq!(
            of(json!({ "observedGeneration": 2, "conditions": stuck })),
            Err("deployment \"web\" exceeded its progress deadline".into())
        );
        let other = super::of(&workload("Deployment", json!({}), json!({})), 4);
        assert_eq!(other, Err("desired revision (4) is different from the running revision ()".into()));
    }

    #[test]
    fn daemon_sets_and_stateful_sets() {
        let strategy = json!({ "updateStrategy": { "type": "RollingUpdate" } });
        let daemon = |status: Value| line(&workload("DaemonSet", strategy.clone(), status));
        assert_eq!(
            daemon(json!({ "observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1 })),
            Ok((
                "Waiting for daemon set \"web\" rollout to finish: 1 out of 2 new pods have been updated...".into(),
                false
            ))
        );
        assert_eq!(
            daemon(json!({ "observedGeneration": 2 })),
            Ok(("daemon set \"web\" successfully rolled out".into(), true))
        );
        assert!(line(&workload("DaemonSet", json!({}), json!({}))).is_err());
        let partitioned = json!({ "replicas": 2, "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } } });
        let set = |status: Value| line(&workload("StatefulSet", partitioned.clone(), status));
        assert_eq!(
            set(json!({ "observedGeneration": 2, "readyReplicas": 1 })),
            Ok(("Waiting for 1 pods to be ready...".into(), false))
        );
        assert_eq!(
            set(json!({ "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1 })),
            Ok(("Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...".into(), false))
        );
        assert_eq!(
            set(json!({ "observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2 })),
            Ok(("partitioned roll out complete: 2 new pods have been updated...".into(), true))
        );
        let plain = |status: Value| line(&workload("StatefulSet", strategy.clone(), status));
        assert_eq!(
            plain(
                json!({ "observedGeneration": 2, "updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1 })
            ),
            Ok(("waiting for statefulset rolling update to complete 1 pods at revision b...".into(), false))
        );
        assert_eq!(
            plain(
                json!({ "observedGeneration": 2, "updateRevision": "b", "currentRevision": "b", "currentReplicas": 2 })
            ),
            Ok(("statefulset rolling update complete 2 pods at revision b...".into(), true))
        );
    }
}
