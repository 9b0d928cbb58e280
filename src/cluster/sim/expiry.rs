//! Events live for an hour.

use std::time::Duration;

use super::tools::{self, later, time_of, until};
use super::{Decision, World};
use crate::cluster::api::store::{Change, ChangeKind, Store};
use crate::cluster::object::{Key, text};

const EVENTS: &str = "events";
/// How long.
const LIFE: Duration = Duration::from_secs(3600);

/// Every event, once.
pub fn wake(change: &Change, _: &Store) -> Vec<Key> {
    let is_new = &*change.object.resource == EVENTS && change.kind == ChangeKind::Added;
    if is_new { vec![change.object.key.clone()] } else { Vec::new() }
}

/// Deletes an event whose hour is over; looks at it again when it will be.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(EVENTS, key) else { return Decision::default() };
    let event = stored.value();
    let told = ["lastTimestamp", "eventTime"].iter().find_map(|field| time_of(text(&event, &[field])));
    let told = told.or_else(|| time_of(text(&event, &["metadata", "creationTimestamp"]))).unwrap_or(world.now);
    let end = later(told, LIFE);
    if end <= world.now { Decision::one(tools::delete(stored, "")) } else { Decision::wait(until(world.now, end)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::{Action, fixtures};
    use serde_json::json;

    #[test]
    fn an_hour_after_it_was_last_told() {
        let mut store = Store::default();
        let now = fixtures::NOW;
        let event = |name: &str, ago: u64| {
            let told = now.checked_sub(Duration::from_secs(ago)).map(tools::stamp).unwrap_or_default();
            json!({"kind": "Event", "metadata": {"name": name, "namespace": "n", "uid": name}, "lastTimestamp": told})
        };
        store.put(&EVENTS.into(), event("old", 3601));
        store.put(&EVENTS.into(), event("young", 600));
        let decided = |name: &str| fixtures::with_world(&store, |world| reconcile(world, &Key::new("n", name)));
        assert!(matches!(decided("old").actions.as_slice(), [Action::Delete { .. }]));
        assert_eq!(decided("young"), Decision::wait(Duration::from_secs(3000)));
    }
}
