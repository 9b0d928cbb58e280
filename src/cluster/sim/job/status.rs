//! The status of a job.

use serde_json::{Map, Value, json};

use super::{JOB, Living, Look};
use crate::cluster::object::{at, set};
use crate::cluster::sim::times;

impl Look<'_> {
    /// Writes the status if it has changed.
    pub(super) fn write_status(&mut self, living: &Living) {
        let mut status = Map::new();
        if !self.conditions.is_empty() {
            status.insert("conditions".into(), json!(self.conditions));
        }
        for (name, time) in [("startTime", self.start), ("completionTime", self.completion)] {
            if let Some(time) = time {
                status.insert(name.into(), json!(times::text(time)));
            }
        }
        let succeeded = if self.spec.indexed { self.succeeded.len() } else { self.counted.succeeded };
        let counters = [("active", living.active), ("succeeded", succeeded), ("failed", self.counted.failed)];
        for (name, count) in counters.into_iter().filter(|(_, count)| *count != 0) {
            status.insert(name.into(), json!(count));
        }
        status.insert("terminating".into(), json!(living.terminating));
        if self.spec.indexed && self.succeeded.len() > 0 {
            status.insert("completedIndexes".into(), json!(self.succeeded.to_string()));
        }
        if self.spec.indexed && self.spec.backoff_limit_per_index.is_some() {
            status.insert("failedIndexes".into(), json!(self.failed.to_string()));
        }
        status.insert("uncountedTerminatedPods".into(), self.uncounted_json());
        status.insert("ready".into(), json!(living.ready));
        let status = Value::Object(status);
        if at(&self.object, &["status"]) != Some(&status) {
            set(&mut self.object, &["status"], status);
            self.decision.write_status(&JOB, self.object.clone());
        }
    }

    fn uncounted_json(&self) -> Value {
        let mut lists = Map::new();
        for (name, uids) in [("succeeded", &self.uncounted.succeeded), ("failed", &self.uncounted.failed)] {
            if !uids.is_empty() {
                lists.insert(name.into(), json!(uids));
            }
        }
        lists.into()
    }
}
