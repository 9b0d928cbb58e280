//! The status of a stateful set.

use serde_json::{Map, Value, json};

use super::{Look, STATEFUL_SET};
use crate::cluster::object::{at, int, set};
use crate::cluster::sim::revision::POD_REVISION;
use crate::cluster::sim::scaled::int32;
use crate::cluster::sim::views::Phase;

/// How many pods there are of each sort.
#[derive(Default)]
struct Counts {
    replicas: i64,
    ready: i64,
    available: i64,
    current: i64,
    updated: i64,
}

impl Look<'_> {
    fn count(&self) -> Counts {
        let mut counts = Counts::default();
        let condemned = self.condemned.iter().map(|(_, pod)| pod);
        for pod in self.replicas.iter().flatten().chain(condemned) {
            let ready = pod.view.phase == Phase::Running && pod.view.ready;
            let revision = pod.stored.label(POD_REVISION).filter(|_| !pod.stored.deleting);
            counts.replicas += 1;
            counts.ready += i64::from(ready);
            counts.available += i64::from(ready && self.available(pod));
            counts.current += i64::from(revision == Some(&self.current.0));
            counts.updated += i64::from(revision == Some(&self.latest.name));
        }
        counts.current -= self.replaced;
        counts
    }

    /// Writes the status if it has changed. When all pods are of the latest revision, that is the current one.
    pub(super) fn write_status(&mut self) {
        let mut counts = self.count();
        let all = [counts.updated, counts.ready, counts.replicas].iter().all(|count| *count == self.spec.replicas);
        let mut current = self.current.0.as_str();
        if !self.spec.on_delete && all {
            counts.current = counts.updated;
            current = &self.latest.name;
        }
        let mut status = Map::new();
        let generation = int(&self.object, &["metadata", "generation"]).unwrap_or(0);
        status.insert("observedGeneration".into(), json!(generation));
        status.insert("replicas".into(), json!(counts.replicas));
        let optional =
            [("readyReplicas", counts.ready), ("currentReplicas", counts.current), ("updatedReplicas", counts.updated)];
        for (name, count) in optional.into_iter().filter(|(_, count)| *count > 0) {
            status.insert(name.into(), json!(count));
        }
        status.insert("currentRevision".into(), json!(current));
        status.insert("updateRevision".into(), json!(self.latest.name));
        status.insert("collisionCount".into(), json!(int32(&self.object, &["status", "collisionCount"]).unwrap_or(0)));
        if let Some(conditions) = at(&self.object, &["status", "conditions"]) {
            status.insert("conditions".into(), conditions.clone());
        }
        status.insert("availableReplicas".into(), json!(counts.available));
        let status = Value::Object(status);
        if at(&self.object, &["status"]) != Some(&status) {
            set(&mut self.object, &["status"], status);
            self.decision.write_status(&STATEFUL_SET, self.object.clone());
        }
    }
}
