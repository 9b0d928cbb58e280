//! What a deployment tells of itself: counters, availability, progress.

use serde_json::{Map, Value, json};

use super::{Newest, Rollout, Set};
use crate::cluster::object::{at, int, set, text};
use crate::cluster::sim::conditions::{self, Condition};
use crate::cluster::sim::scaled::int32;
use crate::cluster::sim::times;
use crate::cluster::sim::views::SetCondition;

const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// The counters of a status.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
    unavailable: i64,
    terminating: Option<i64>,
}

impl Counts {
    fn of_status(object: &Value) -> Self {
        let count = |name| int32(object, &["status", name]).unwrap_or(0);
        Self {
            replicas: count("replicas"),
            updated: count("updatedReplicas"),
            ready: count("readyReplicas"),
            available: count("availableReplicas"),
            unavailable: count("unavailableReplicas"),
            terminating: int32(object, &["status", "terminatingReplicas"]),
        }
    }

    /// Old pods that still have to go.
    fn old(&self) -> i64 {
        self.replicas - self.updated
    }

    fn is_progress_from(&self, before: &Self) -> bool {
        self.updated > before.updated
            || self.old() < before.old()
            || self.ready > before.ready
            || self.available > before.available
    }
}

impl Rollout<'_> {
    /// Notes in the Progressing condition that the deployment was paused or resumed.
    pub(super) fn note_pause(&mut self) {
        let conditions = self.conditions();
        let reason = conditions::find(&conditions, "Progressing").map_or("", |condition| text(condition, &["reason"]));
        if self.spec.deadline.is_none() || reason == TIMED_OUT {
            return;
        }
        let condition = match (self.spec.paused, reason == "DeploymentPaused") {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return,
        };
        self.set_condition(&Condition::new("Progressing", "Unknown", condition.0, condition.1));
        self.write();
    }

    /// Whether the status says that all pods are of the current template and available.
    pub(super) fn is_complete(&self) -> bool {
        let observed = int(&self.object, &["status", "observedGeneration"]).unwrap_or(0);
        observed >= self.spec.generation && self.all_updated(&Counts::of_status(&self.object))
    }

    fn all_updated(&self, counts: &Counts) -> bool {
        [counts.updated, counts.replicas, counts.available].iter().all(|count| *count == self.spec.replicas)
    }

    /// Writes the status of a rollout: what there is, and whether it gets on.
    pub(super) fn write_status(&mut self) {
        if self.written {
            return;
        }
        let before = Counts::of_status(&self.object);
        let counts = self.count();
        let mut conditions = self.with_availability(&counts);
        if self.spec.deadline.is_none() {
            conditions::remove(&mut conditions, "Progressing");
        } else {
            self.note_progress(&before, &counts, &mut conditions);
        }
        conditions::remove(&mut conditions, "ReplicaFailure");
        conditions.extend(self.replica_failure());
        if !self.write_new_status(&counts, conditions) {
            self.watch_deadline(&counts);
        }
    }

    /// Writes the status without a look at the progress.
    pub(super) fn write_plain_status(&mut self) {
        if !self.written {
            let counts = self.count();
            let conditions = self.with_availability(&counts);
            self.write_new_status(&counts, conditions);
        }
    }

    fn count(&self) -> Counts {
        let sum = |count: fn(&Set<'_>) -> i64| self.sets().map(count).sum::<i64>();
        let available = sum(|set| set.view.status.available_replicas);
        let made = matches!(self.newest, Newest::Made { .. });
        let terminating = self.sets().map(|set| set.view.status.terminating_replicas).sum::<Option<i64>>();
        Counts {
            replicas: sum(|set| set.view.status.replicas),
            updated: self.newest.set().map_or(0, |set| set.view.status.replicas),
            ready: sum(|set| set.view.status.ready_replicas),
            available,
            unavailable: (self.total() - available).max(0),
            terminating: terminating.filter(|_| !made),
        }
    }

    fn with_availability(&self, counts: &Counts) -> Vec<Value> {
        let condition = if counts.available >= self.spec.min_available() {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        let mut conditions = self.conditions();
        let condition = Condition::new("Available", condition.0, condition.1, condition.2);
        conditions::set(&mut conditions, &condition, Some("lastUpdateTime"), self.world.now);
        conditions
    }

    fn note_progress(&self, before: &Counts, counts: &Counts, conditions: &mut Vec<Value>) {
        let now = self.world.now;
        let reason = conditions::find(conditions, "Progressing").map_or("", |condition| text(condition, &["reason"]));
        // All pods are current and once were available: that some are not just now is no rollout.
        if counts.replicas == counts.updated && reason == COMPLETE {
            return;
        }
        let told = |what: &str| match self.newest.name() {
            Some(name) => format!("ReplicaSet \"{name}\" {what}"),
            None => format!("Deployment \"{}\" {what}", self.stored.key.name),
        };
        let extra = Some("lastUpdateTime");
        if self.all_updated(counts) {
            let condition = Condition::new("Progressing", "True", COMPLETE, told("has successfully progressed."));
            conditions::set(conditions, &condition, extra, now);
        } else if counts.is_progress_from(before) {
            let condition = Condition::new("Progressing", "True", "ReplicaSetUpdated", told("is progressing."));
            set_anew(conditions, &condition, now);
        } else if self.has_timed_out(conditions) {
            let condition = Condition::new("Progressing", "False", TIMED_OUT, told("has timed out progressing."));
            conditions::set(conditions, &condition, extra, now);
        }
    }

    fn deadline_of(&self, conditions: &[Value]) -> Option<jiff::Timestamp> {
        let condition = conditions::find(conditions, "Progressing")?;
        let since = conditions::time(condition, "lastUpdateTime")?;
        Some(times::plus(since, self.spec.deadline?))
    }

    fn has_timed_out(&self, conditions: &[Value]) -> bool {
        match conditions::find(conditions, "Progressing").map_or("", |condition| text(condition, &["reason"])) {
            "" | COMPLETE => false,
            TIMED_OUT => true,
            _ => self.deadline_of(conditions).is_some_and(|deadline| deadline < self.world.now),
        }
    }

    /// Looks again when the time for progress is over.
    fn watch_deadline(&mut self, counts: &Counts) {
        let conditions = self.conditions();
        let reason = conditions::find(&conditions, "Progressing").map_or("", |condition| text(condition, &["reason"]));
        if [COMPLETE, TIMED_OUT].contains(&reason) || self.all_updated(counts) {
            return;
        }
        if let Some(deadline) = self.deadline_of(&conditions) {
            // The deadline has to have passed, not just to be reached.
            let just_after = std::time::Duration::from_millis(1);
            self.decision.look_again(times::until(self.world.now, deadline) + just_after);
        }
    }

    /// The failure that a set reports, that of the current one before others.
    fn replica_failure(&self) -> Option<Value> {
        let failure = |set: &Set<'_>| {
            let failure = set.view.status.conditions.iter().find(|condition| &*condition.r#type == "ReplicaFailure");
            failure.map(as_deployment_condition)
        };
        self.newest.set().and_then(failure).or_else(|| self.old.iter().find_map(failure))
    }

    /// Whether the status differs from what it was, and is written therefore.
    fn write_new_status(&mut self, counts: &Counts, conditions: Vec<Value>) -> bool {
        let mut status = Map::new();
        let mut put = |name: &str, count: i64| {
            if count != 0 {
                status.insert(name.into(), json!(count));
            }
        };
        put("observedGeneration", self.spec.generation);
        put("replicas", counts.replicas);
        put("updatedReplicas", counts.updated);
        put("readyReplicas", counts.ready);
        put("availableReplicas", counts.available);
        put("unavailableReplicas", counts.unavailable);
        if let Some(terminating) = counts.terminating {
            status.insert("terminatingReplicas".into(), json!(terminating));
        }
        status.insert("conditions".into(), conditions.into());
        if let Some(collisions) = at(&self.object, &["status", "collisionCount"]) {
            status.insert("collisionCount".into(), collisions.clone());
        }
        let status = Value::Object(status);
        if at(&self.object, &["status"]) == Some(&status) {
            return false;
        }
        set(&mut self.object, &["status"], status);
        self.write();
        true
    }
}

/// Sets a condition that is written even if it says the same as before: its update time tells of new progress.
fn set_anew(conditions: &mut Vec<Value>, condition: &Condition, now: jiff::Timestamp) {
    let since = conditions::find(conditions, condition.kind)
        .filter(|current| text(current, &["status"]) == condition.status)
        .map(|current| text(current, &["lastTransitionTime"]).to_owned());
    conditions::remove(conditions, condition.kind);
    conditions::set(conditions, condition, Some("lastUpdateTime"), now);
    if let (Some(since), Some(last)) = (since, conditions.last_mut()) {
        set(last, &["lastTransitionTime"], since);
    }
}

fn as_deployment_condition(condition: &SetCondition) -> Value {
    let since = condition.last_transition_time.map(times::text);
    json!({
        "type": condition.r#type,
        "status": condition.status,
        "lastUpdateTime": since,
        "lastTransitionTime": since,
        "reason": condition.reason,
        "message": condition.message,
    })
}
