//! Jobs that are over go when their `ttlSecondsAfterFinished` has passed.

use std::time::Duration;

use serde::Deserialize;

use crate::cluster::api::store::{Change, ChangeKind, Store};
use crate::cluster::object::Key;
use crate::cluster::sim::tools::{delete, later, until};
use crate::cluster::sim::view::{Condition, lax, view};
use crate::cluster::sim::{Decision, World};

const JOBS: &str = "jobs.batch";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Job {
    #[serde(deserialize_with = "lax")]
    spec: Spec,
    #[serde(deserialize_with = "lax")]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    ttl_seconds_after_finished: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    #[serde(deserialize_with = "lax")]
    conditions: Vec<Condition>,
}

/// Deletes a job when its time has come.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(JOBS, key).filter(|stored| !stored.deleting) else { return Decision::default() };
    let job: Job = view(stored).unwrap_or_default();
    let over =
        |condition: &&Condition| matches!(condition.kind.as_str(), "Complete" | "Failed") && condition.status == "True";
    let finished = job.status.conditions.iter().find(over).and_then(|condition| condition.last_transition_time.0);
    let Some((seconds, finished)) = job.spec.ttl_seconds_after_finished.zip(finished) else {
        return Decision::default();
    };
    let end = later(finished, Duration::from_secs(seconds));
    if end > world.now { Decision::wait(until(world.now, end)) } else { Decision::one(delete(stored, "Foreground")) }
}

/// The jobs to look at after a change.
pub fn wake(change: &Change, _store: &Store) -> Vec<Key> {
    let job = &*change.object.resource == JOBS && change.kind != ChangeKind::Deleted;
    if job { vec![change.object.key.clone()] } else { Vec::new() }
}
