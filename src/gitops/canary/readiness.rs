//! Whether a workload is ready, and whether waiting may help.

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::object::{at, int, list, text};

/// Why a workload is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// In words.
    pub text: String,
    /// Whether waiting may help.
    pub retriable: bool,
}

impl NotReady {
    /// What a workload says that has just been made.
    pub fn just_made(kind: &str, replicas: i64) -> Self {
        let things = things(kind);
        let text = format!("waiting for rollout to finish: 0 out of {replicas} new {things} have been updated");
        Self { text, retriable: true }
    }
}

fn things(kind: &str) -> &'static str {
    if kind == "DaemonSet" { "pods" } else { "replicas" }
}

/// What counts as ready.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Percent of the updated pods that have to be available.
    pub percent: i64,
    /// Seconds that a workload may be unavailable.
    pub deadline: i64,
    /// The time.
    pub now: Timestamp,
}

/// Whether a Deployment or DaemonSet is ready.
///
/// # Errors
/// When it is not.
pub fn of(workload: &Value, demand: Demand) -> Result<(), NotReady> {
    let status = |name: &str| int(workload, &["status", name]).unwrap_or(0);
    if int(workload, &["metadata", "generation"]).unwrap_or(0) > status("observedGeneration") {
        let text = "waiting for rollout to finish: observed deployment generation less than desired generation";
        return Err(NotReady { text: text.to_owned(), retriable: true });
    }
    if text(workload, &["kind"]) == "DaemonSet" {
        return daemon_set(workload, demand);
    }
    let progressing = condition(workload, "Progressing");
    if progressing.is_some_and(|it| text(it, &["reason"]) == "ProgressDeadlineExceeded") {
        let text = format!("deployment {:?} exceeded its progress deadline", text(workload, &["metadata", "name"]));
        return Err(NotReady { text, retriable: false });
    }
    let not_ready = |text: String| {
        let retriable = progressing.is_none() || !is_overdue(workload, demand);
        Err(NotReady { text: format!("waiting for rollout to finish: {text}"), retriable })
    };
    let wanted = int(workload, &["spec", "replicas"]);
    let (updated, replicas, available) = (status("updatedReplicas"), status("replicas"), status("availableReplicas"));
    if let Some(wanted) = wanted.filter(|wanted| updated < *wanted) {
        return not_ready(format!("{updated} out of {wanted} new replicas have been updated"));
    }
    if replicas > updated {
        return not_ready(format!("{} old replicas are pending termination", replicas - updated));
    }
    let enough = share(updated, demand.percent);
    if available < enough {
        let percent = demand.percent;
        return not_ready(format!(
            "{available} of {enough} (readyThreshold {percent}%) updated replicas are available"
        ));
    }
    Ok(())
}

fn daemon_set(workload: &Value, demand: Demand) -> Result<(), NotReady> {
    let status = |name: &str| int(workload, &["status", name]).unwrap_or(0);
    let (desired, updated, available) =
        (status("desiredNumberScheduled"), status("updatedNumberScheduled"), status("numberAvailable"));
    let enough = share(desired, demand.percent);
    let text = if updated < desired {
        format!("{updated} out of {desired} new pods have been updated")
    } else if available < enough {
        let percent = demand.percent;
        format!("{available} of {enough} (readyThreshold {percent}%) updated pods are available")
    } else {
        return Ok(());
    };
    Err(NotReady { text: format!("waiting for rollout to finish: {text}"), retriable: true })
}

fn share(of: i64, percent: i64) -> i64 {
    of.saturating_mul(percent) / 100
}

fn condition<'a>(workload: &'a Value, name: &str) -> Option<&'a Value> {
    list(workload, &["status", "conditions"]).iter().find(|it| text(it, &["type"]) == name)
}

/// Whether it has been unavailable for longer than it may.
fn is_overdue(workload: &Value, demand: Demand) -> bool {
    let Some(available) = condition(workload, "Available") else { return false };
    if text(available, &["status"]) != "False" || text(available, &["reason"]) != "MinimumReplicasUnavailable" {
        return false;
    }
    let since = at(available, &["lastUpdateTime"]).and_then(Value::as_str);
    let since = since.and_then(|since| since.parse::<Timestamp>().ok());
    since.is_some_and(|since| demand.now.as_second() - since.as_second() > demand.deadline)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn demand(percent: i64) -> Demand {
        Demand { percent, deadline: 600, now: Timestamp::from_second(1000).unwrap() }
    }

    fn deployment(replicas: i64, updated: i64, available: i64) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": "x", "generation": 2}, "spec": {"replicas": 2},
            "status": {"observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated,
                "availableReplicas": available, "conditions": [
                    {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"},
                    {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                        "lastUpdateTime": "1970-01-01T00:00:00Z"}]}})
    }

    #[test]
    fn a_deployment_says_what_it_waits_for() {
        for (object, percent, text) in [
            (deployment(2, 1, 0), 100, "1 out of 2 new replicas have been updated"),
            (deployment(3, 2, 2), 100, "1 old replicas are pending termination"),
            (deployment(2, 2, 1), 100, "1 of 2 (readyThreshold 100%) updated replicas are available"),
        ] {
            let text = format!("waiting for rollout to finish: {text}");
            // Unavailable since 1000 s.
            assert_eq!(of(&object, demand(percent)), Err(NotReady { text, retriable: false }));
        }
        assert_eq!(of(&deployment(2, 2, 1), demand(50)), Ok(()));
    }

    #[test]
    fn time_runs_out() {
        let mut object = deployment(2, 2, 0);
        object["status"]["conditions"][1]["lastUpdateTime"] = json!("1970-01-01T00:07:00Z");
        assert!(of(&object, demand(100)).unwrap_err().retriable);
        object["status"]["conditions"][0]["reason"] = json!("ProgressDeadlineExceeded");
        let text = "deployment \"x\" exceeded its progress deadline".to_owned();
        assert_eq!(of(&object, demand(100)), Err(NotReady { text, retriable: false }));
    }

    #[test]
    fn an_unseen_generation_is_waited_for() {
        let object = json!({"metadata": {"generation": 1}});
        assert!(of(&object, demand(100)).unwrap_err().text.contains("observed deployment generation"));
    }
}
