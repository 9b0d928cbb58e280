//! The status of a daemon set.

use serde_json::{Map, Value, json};

use super::placement::{Fit, NodeFit};
use super::{DAEMON_SET, Look};
use crate::cluster::object::{at, int, set};

#[derive(Default)]
struct Counts {
    desired: i64,
    current: i64,
    misscheduled: i64,
    ready: i64,
    available: i64,
    updated: i64,
}

impl Look<'_> {
    fn count(&self) -> Counts {
        let mut counts = Counts::default();
        for NodeFit { name, fit } in &self.nodes {
            let oldest = self.pods.get(*name).and_then(|pods| pods.first());
            if *fit != Fit::Runs {
                counts.misscheduled += i64::from(oldest.is_some());
                continue;
            }
            counts.desired += 1;
            let Some(pod) = oldest else { continue };
            counts.current += 1;
            counts.ready += i64::from(pod.view.ready);
            counts.available += i64::from(self.available(pod));
            counts.updated += i64::from(self.is_updated(pod));
        }
        counts
    }

    /// Writes the status if it has changed.
    pub(super) fn write_status(&mut self) {
        let counts = self.count();
        let mut status = Map::new();
        let always = [
            ("currentNumberScheduled", counts.current),
            ("numberMisscheduled", counts.misscheduled),
            ("desiredNumberScheduled", counts.desired),
            ("numberReady", counts.ready),
            ("observedGeneration", int(&self.object, &["metadata", "generation"]).unwrap_or(0)),
        ];
        let unless_zero = [
            ("updatedNumberScheduled", counts.updated),
            ("numberAvailable", counts.available),
            ("numberUnavailable", counts.desired - counts.available),
        ];
        let shown = always.into_iter().chain(unless_zero.into_iter().filter(|(_, count)| *count != 0));
        status.extend(shown.map(|(name, count)| (name.to_owned(), json!(count))));
        for kept in ["collisionCount", "conditions"] {
            if let Some(value) = at(&self.object, &["status", kept]) {
                status.insert(kept.into(), value.clone());
            }
        }
        let status = Value::Object(status);
        if at(&self.object, &["status"]) != Some(&status) {
            set(&mut self.object, &["status"], status);
            self.decision.write_status(&DAEMON_SET, self.object.clone());
        }
    }
}
