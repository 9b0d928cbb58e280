//! Events are kept for an hour.

use std::time::Duration;

use serde::Deserialize;

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::Key;
use crate::cluster::sim::tools::{delete, since, time_of};
use crate::cluster::sim::view::{lax, view};
use crate::cluster::sim::{Decision, World};

/// How long events are kept after they last happened.
const KEPT: Duration = Duration::from_secs(3600);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    #[serde(deserialize_with = "lax")]
    last_timestamp: String,
    #[serde(deserialize_with = "lax")]
    event_time: String,
    #[serde(deserialize_with = "lax")]
    metadata: Metadata,
    #[serde(deserialize_with = "lax")]
    series: Series,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    #[serde(deserialize_with = "lax")]
    creation_timestamp: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    #[serde(deserialize_with = "lax")]
    last_observed_time: String,
}

/// Deletes an event when its time has come.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    match world.store.get("events", key) {
        Some(stored) if !stored.deleting => {
            let age = age(world, stored);
            if age < KEPT { Decision::wait(KEPT - age) } else { Decision::one(delete(stored, "")) }
        }
        _ => Decision::default(),
    }
}

/// The events to look at after a change.
pub fn wake(change: &Change, _store: &Store) -> Vec<Key> {
    let new = &*change.object.resource == "events" && change.kind == ChangeKind::Added;
    if new { vec![change.object.key.clone()] } else { Vec::new() }
}

fn age(world: &World<'_>, stored: &Stored) -> Duration {
    let event: Event = view(stored).unwrap_or_default();
    let times =
        [event.last_timestamp, event.event_time, event.series.last_observed_time, event.metadata.creation_timestamp];
    let last = times.iter().filter_map(|time| time_of(time)).max();
    // One that says nothing of time is as old as it can be.
    last.map_or(KEPT, |last| since(world.now, last))
}
