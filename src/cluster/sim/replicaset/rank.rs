//! Which pods go first when there are too many.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cluster::api::store::Stored;
use crate::cluster::sim::times;
use crate::cluster::sim::views::{Phase, Pod};

/// The `count` of `pods` that are missed least. `related` are the pods among which a node is said to be crowded.
pub(crate) fn first_to_go<'a>(
    pods: &[Pod<'a>],
    related: &[Pod<'_>],
    now: Timestamp,
    count: usize,
) -> Vec<&'a Arc<Stored>> {
    let mut crowd: HashMap<&str, usize> = HashMap::new();
    for pod in related.iter().filter(|pod| pod.active()) {
        *crowd.entry(&pod.view.node).or_default() += 1;
    }
    let mut pods: Vec<_> = pods.iter().collect();
    if count < pods.len() {
        pods.sort_by(|one, other| {
            let crowd = |pod: &Pod<'_>| crowd.get(&*pod.view.node).copied().unwrap_or(0);
            before(one, other, crowd(one), crowd(other), now)
        });
    }
    pods.into_iter().take(count).map(|pod| pod.stored).collect()
}

/// First those without a node, then pending ones, not ready ones, cheap ones, those on crowded nodes, those that
/// became ready lately, those that restarted most, the young.
fn before(one: &Pod<'_>, other: &Pod<'_>, crowd: usize, other_crowd: usize, now: Timestamp) -> Ordering {
    let (first, second) = (&one.view, &other.view);
    let stage = |phase: Phase| match phase {
        Phase::Pending => 0,
        Phase::Unknown => 1,
        Phase::Running | Phase::Succeeded | Phase::Failed => 2,
    };
    let ready_times = first.ready_since.filter(|_| first.ready).zip(second.ready_since.filter(|_| second.ready));
    let by_ready = || ready_times.map_or(Ordering::Equal, |times| later_first(one, other, times, now));
    let by_age = || match first.created.zip(second.created) {
        Some(times) => later_first(one, other, times, now),
        None => Ordering::Equal,
    };
    (!first.node.is_empty())
        .cmp(&!second.node.is_empty())
        .then_with(|| stage(first.phase).cmp(&stage(second.phase)))
        .then_with(|| first.ready.cmp(&second.ready))
        .then_with(|| first.deletion_cost.cmp(&second.deletion_cost))
        .then_with(|| other_crowd.cmp(&crowd))
        .then_with(by_ready)
        .then_with(|| second.restarts.cmp(&first.restarts))
        .then_with(by_age)
        .then_with(|| one.stored.uid.cmp(&other.stored.uid))
}

/// The later first, but times of the same order of magnitude count as equal, and chance (the uid) decides: otherwise
/// scaling up and down would always hit the same pods.
fn later_first(one: &Pod<'_>, other: &Pod<'_>, times: (Timestamp, Timestamp), now: Timestamp) -> Ordering {
    if times.0 == times.1 {
        return Ordering::Equal;
    }
    let magnitude = |time| times::since(now, time).as_nanos().checked_ilog2().map_or(-1, i64::from);
    magnitude(times.0).cmp(&magnitude(times.1)).then_with(|| one.stored.uid.cmp(&other.stored.uid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    struct Row {
        name: &'static str,
        node: &'static str,
        phase: &'static str,
        ready: Option<&'static str>,
        cost: i64,
        restarts: i64,
        created: &'static str,
    }

    const ROW: Row =
        Row { name: "", node: "n1", phase: "Running", ready: Some("09:00"), cost: 0, restarts: 0, created: "08:00" };

    fn pod(row: &Row) -> Arc<Stored> {
        let time = |time: &str| format!("2026-08-01T{time}:00Z");
        let ready: Value = match row.ready {
            Some(since) => json!([{"type": "Ready", "status": "True", "lastTransitionTime": time(since)}]),
            None => json!([]),
        };
        let object = json!({
            "metadata": {"name": row.name, "uid": row.name, "creationTimestamp": time(row.created),
                "annotations": {"controller.kubernetes.io/pod-deletion-cost": row.cost.to_string()}},
            "spec": {"nodeName": row.node},
            "status": {"phase": row.phase, "conditions": ready, "containerStatuses": [{"restartCount": row.restarts}]},
        });
        Arc::new(Stored::new("pods".into(), object, 1))
    }

    #[test]
    fn the_least_missed_goes_first() {
        // Listed in the order in which they have to go.
        let rows = [
            Row { name: "z-unassigned", node: "", phase: "Pending", ready: None, ..ROW },
            Row { name: "y-pending", phase: "Pending", ready: None, ..ROW },
            Row { name: "x-unknown", phase: "Unknown", ready: None, ..ROW },
            Row { name: "w-not-ready", ready: None, ..ROW },
            Row { name: "v-cheap", cost: -5, ..ROW },
            Row { name: "u-crowded", node: "n2", ..ROW },
            Row { name: "t-just-ready", ready: Some("09:58"), ..ROW },
            Row { name: "s-restarted", restarts: 4, ..ROW },
            Row { name: "r-young", created: "09:50", ..ROW },
            Row { name: "q-old", ..ROW },
            Row { name: "p-dear", cost: 5, ..ROW },
        ];
        let now = times::read("2026-08-01T10:00:00Z").unwrap();
        let stored: Vec<_> = rows.iter().map(pod).collect();
        let mut pods: Vec<_> = stored.iter().map(Pod::read).collect();
        let mut related = pods.clone();
        let neighbours: Vec<_> = (0..20).map(|_| pod(&Row { name: "neighbour", node: "n2", ..ROW })).collect();
        related.extend(neighbours.iter().map(Pod::read));
        pods.reverse();
        let order: Vec<_> = first_to_go(&pods, &related, now, 10).iter().map(|pod| &*pod.key.name).collect();
        let expected: Vec<_> = rows.iter().take(10).map(|row| row.name).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn similar_ages_leave_it_to_chance() {
        let now = times::read("2026-08-01T10:00:00Z").unwrap();
        let rows = [Row { name: "a", ready: Some("09:00"), ..ROW }, Row { name: "b", ready: Some("09:10"), ..ROW }];
        let stored: Vec<_> = rows.iter().map(pod).collect();
        let pods: Vec<_> = stored.iter().map(Pod::read).collect();
        assert_eq!(&*first_to_go(&pods, &pods, now, 1)[0].key.name, "a", "the uid decides, not the younger");
    }
}
