//! How far the newest version of a workload is, and the table that `fluxctl release --watch` shows of it.

use serde_json::{Value, json};

use super::align;
use super::workloads::{WorkloadStatus, rows};
use crate::cluster::object;
use crate::gitops::containers::Kind;

/// A workload's replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollout {
    /// How many there should be.
    pub desired: i64,
    /// How many are of the newest version.
    pub updated: i64,
    /// How many answer.
    pub ready: i64,
    /// How many have answered for a while.
    pub available: i64,
    /// How many are of older versions.
    pub outdated: i64,
    /// Why it does not go on.
    pub messages: Vec<String>,
}

impl Rollout {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "Desired": self.desired,
            "Updated": self.updated,
            "Ready": self.ready,
            "Available": self.available,
            "Outdated": self.outdated,
            "Messages": if self.messages.is_empty() { Value::Null } else { json!(self.messages) },
        })
    }
}

/// The word for how far a workload is, and its replicas. Blank for objects that roll nothing out.
pub fn rollout(workload: &Value) -> (String, Rollout) {
    match Kind::of(object::text(workload, &["kind"])) {
        Some(Kind::Deployment) => judged(workload, of_deployment(workload)),
        Some(Kind::DaemonSet) => judged(workload, of_daemon_set(workload)),
        Some(Kind::StatefulSet) => judged(workload, of_stateful_set(workload)),
        Some(Kind::CronJob) => ("ready".to_owned(), Rollout::default()),
        Some(Kind::HelmRelease) => {
            (object::text(workload, &["status", "releaseStatus"]).to_owned(), Rollout::default())
        }
        None => (String::new(), Rollout::default()),
    }
}

/// The replicas, and whether they are as wanted.
type Seen = (Rollout, bool);

fn judged(workload: &Value, (rollout, done): Seen) -> (String, Rollout) {
    let generation = object::int(workload, &["metadata", "generation"]).unwrap_or(0);
    let word = match () {
        () if status(workload, "observedGeneration") < generation => "started",
        () if !rollout.messages.is_empty() => "error",
        () if done => "ready",
        () => "updating",
    };
    (word.to_owned(), rollout)
}

fn status(workload: &Value, field: &str) -> i64 {
    object::int(workload, &["status", field]).unwrap_or(0)
}

fn replicas(workload: &Value) -> i64 {
    object::int(workload, &["spec", "replicas"]).unwrap_or(1)
}

fn of_deployment(workload: &Value) -> Seen {
    let updated = status(workload, "updatedReplicas");
    let stuck = object::list(workload, &["status", "conditions"]).iter().filter(|condition| {
        let is =
            |kind, value| object::text(condition, &["type"]) == kind && object::text(condition, &["status"]) == value;
        is("Progressing", "False") || is("ReplicaFailure", "True")
    });
    let rollout = Rollout {
        desired: replicas(workload),
        updated,
        ready: status(workload, "readyReplicas"),
        available: status(workload, "availableReplicas"),
        outdated: status(workload, "replicas").saturating_sub(updated),
        messages: stuck.map(|condition| object::text(condition, &["message"]).to_owned()).collect(),
    };
    let done = rollout.updated == rollout.desired && rollout.available == rollout.desired && rollout.outdated == 0;
    (rollout, done)
}

fn of_daemon_set(workload: &Value) -> Seen {
    let updated = status(workload, "updatedNumberScheduled");
    let rollout = Rollout {
        desired: status(workload, "desiredNumberScheduled"),
        updated,
        ready: status(workload, "numberReady"),
        available: status(workload, "numberAvailable"),
        outdated: status(workload, "currentNumberScheduled").saturating_sub(updated),
        messages: Vec::new(),
    };
    let done = rollout.updated == rollout.desired && rollout.available == rollout.desired && rollout.outdated == 0;
    (rollout, done)
}

fn of_stateful_set(workload: &Value) -> Seen {
    let all = replicas(workload);
    // Below the partition nothing is updated.
    let partition = object::int(workload, &["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or(0);
    let desired = all.saturating_sub(partition).max(0);
    let revision = |field| object::text(workload, &["status", field]);
    let whole = revision("currentRevision") == revision("updateRevision");
    let updated = status(workload, if whole { "currentReplicas" } else { "updatedReplicas" });
    let ready = status(workload, "readyReplicas");
    let outdated = desired.saturating_sub(updated);
    let rollout = Rollout { desired, updated, ready, available: ready, outdated, messages: Vec::new() };
    let done = updated == desired && ready == all && outdated == 0;
    (rollout, done)
}

/// The table of one workload while it is rolled out.
pub fn table(workload: &WorkloadStatus, verbose: bool) -> String {
    let rollout = &workload.rollout;
    let more =
        if verbose { format!(" ({} outdated, {} ready)", rollout.outdated, rollout.ready) } else { String::new() };
    let last = format!("{}\t{}/{}{more}", workload.status, rollout.updated, rollout.desired);
    align(&format!("WORKLOAD\tCONTAINER\tIMAGE\tRELEASE\tREPLICAS\n{}\n", rows(workload, &last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::containers::Container;
    use crate::gitops::id::ResourceId;
    use crate::gitops::image::reference::ImageRef;

    fn word(object: &Value) -> String {
        rollout(object).0
    }

    #[test]
    fn deployments_go_from_started_to_ready() {
        let of = |observed: i64, replicas: i64, updated: i64, available: i64| {
            json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {
                "observedGeneration": observed, "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}})
        };
        for (object, wanted) in [
            (of(1, 2, 2, 2), "started"),
            (of(2, 3, 1, 2), "updating"),
            (of(2, 3, 2, 2), "updating"),
            (of(2, 2, 2, 2), "ready"),
        ] {
            assert_eq!(word(&object), wanted, "{object}");
        }
        let mut stuck = of(2, 2, 2, 2);
        stuck["status"]["conditions"] = json!([{"type": "Progressing", "status": "False", "message": "too slow"}]);
        assert_eq!(rollout(&stuck).1.messages, ["too slow"]);
        assert_eq!(word(&stuck), "error");
    }

    #[test]
    fn other_kinds_have_their_own_signs() {
        let set = |ready: i64| {
            json!({"kind": "StatefulSet", "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
            "status": {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 2, "readyReplicas": ready}})
        };
        assert_eq!((word(&set(3)), word(&set(2))), ("ready".to_owned(), "updating".to_owned()));
        let daemon = json!({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1,
            "numberAvailable": 1, "currentNumberScheduled": 1}});
        assert_eq!(word(&daemon), "ready");
        assert_eq!(word(&json!({"kind": "CronJob"})), "ready");
        assert_eq!(word(&json!({"kind": "HelmRelease", "status": {"releaseStatus": "failed"}})), "failed");
        assert_eq!(word(&json!({"kind": "HelmRelease"})), "");
        assert_eq!(rollout(&json!({"kind": "Deployment", "status": 3})).0, "updating");
    }

    #[test]
    fn a_rollout_is_a_table() {
        let container = |name: &str, image| Container { name: name.to_owned(), image: ImageRef::parse(image).unwrap() };
        let id = ResourceId::new("demo", "Deployment", "web");
        let mut web = WorkloadStatus::new(id, vec![container("app", "web:1"), container("side", "side:2")], "updating");
        web.rollout = Rollout { desired: 3, updated: 1, ready: 2, outdated: 2, ..Rollout::default() };
        let wanted = [
            "WORKLOAD             CONTAINER  IMAGE   RELEASE   REPLICAS\n",
            "demo:deployment/web  app        web:1   updating  1/3\n",
            "                     side       side:2            \n",
            "\n",
        ];
        assert_eq!(table(&web, false), wanted.concat());
        web.containers.clear();
        let wanted = [
            "WORKLOAD             CONTAINER  IMAGE  RELEASE   REPLICAS\n",
            "demo:deployment/web                    updating  1/3 (2 outdated, 2 ready)\n",
            "\n",
        ];
        assert_eq!(table(&web, true), wanted.concat());
    }
}
