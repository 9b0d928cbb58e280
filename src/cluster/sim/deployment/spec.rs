//! What a deployment asks for.

use serde_json::Value;

use crate::cluster::object::{at, flag, int, text};
use crate::cluster::sim::scaled::{int32, scaled};

/// The numbers of a deployment's spec.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spec {
    pub(super) generation: i64,
    pub(super) replicas: i64,
    pub(super) paused: bool,
    pub(super) recreate: bool,
    /// How many pods there may be more than asked for.
    pub(super) max_surge: i64,
    /// How many of the pods asked for may be unavailable.
    pub(super) max_unavailable: i64,
    /// Seconds without progress after which it has failed; `None` if it never does.
    pub(super) deadline: Option<i64>,
    pub(super) min_ready: i64,
    /// How many old replica sets are kept; `None` if all are.
    pub(super) history_limit: Option<i64>,
    pub(super) collisions: i64,
}

/// The largest number of the API's 32 bits stands for "no limit".
const NO_LIMIT: i64 = i32::MAX as i64;

impl Spec {
    pub(super) fn read(object: &Value) -> Self {
        let limit = |member| int32(object, &["spec", member]).filter(|limit| *limit != NO_LIMIT);
        let replicas = int32(object, &["spec", "replicas"]).unwrap_or(1).max(0);
        let recreate = text(object, &["spec", "strategy", "type"]) == "Recreate";
        let (max_surge, max_unavailable) = if recreate { (0, 0) } else { bounds(object, replicas) };
        Self {
            generation: int(object, &["metadata", "generation"]).unwrap_or(0),
            replicas,
            paused: flag(object, &["spec", "paused"]),
            recreate,
            max_surge,
            max_unavailable,
            deadline: limit("progressDeadlineSeconds"),
            min_ready: int32(object, &["spec", "minReadySeconds"]).unwrap_or(0),
            history_limit: limit("revisionHistoryLimit"),
            collisions: int32(object, &["status", "collisionCount"]).unwrap_or(0),
        }
    }

    /// How many pods have to be available.
    pub(super) fn min_available(&self) -> i64 {
        self.replicas - self.max_unavailable
    }

    /// How many pods there may be.
    pub(super) fn max_total(&self) -> i64 {
        self.replicas.saturating_add(self.max_surge)
    }
}

fn bounds(object: &Value, replicas: i64) -> (i64, i64) {
    let member = |name| at(object, &["spec", "strategy", "rollingUpdate", name]);
    let surge = scaled(member("maxSurge"), replicas, true).max(0);
    let unavailable = scaled(member("maxUnavailable"), replicas, false).max(0);
    // With neither nothing could ever be replaced, as when both are small shares.
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    (surge, unavailable.min(replicas))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn surge_rounds_up_and_unavailability_down() {
        let cases = [
            (10, json!("25%"), json!("25%"), (3, 2)),
            (1, json!("25%"), json!("25%"), (1, 0)),
            (3, json!(0), json!("10%"), (0, 1)),
            (0, json!("25%"), json!("25%"), (0, 0)),
            (2, json!(0), json!(5), (0, 2)),
        ];
        for (replicas, surge, unavailable, expected) in cases {
            let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
            let spec = Spec::read(&json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}}));
            assert_eq!((spec.max_surge, spec.max_unavailable), expected, "{replicas} {rolling}");
        }
    }
}
