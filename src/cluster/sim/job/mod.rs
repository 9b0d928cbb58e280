//! Jobs: pods that run until enough of them have ended well, or too many badly.

mod backoff;
mod conditions;
mod indexes;
mod manage;
mod pods;
mod policy;
mod spec;
mod status;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, list, text};
use crate::cluster::sim::actions::{self, Kind};
use crate::cluster::sim::scaled::int32;
use crate::cluster::sim::{Action, Decision, World, ownership, times};

use indexes::Indexes;
use pods::JobPod;
use spec::Spec;
use verdict::Verdict;

const JOB: Kind = Kind { resource: "jobs.batch", api_version: "batch/v1", kind: "Job", source: "job-controller" };
const OWN_MANAGER: &str = "kubernetes.io/job-controller";

/// What is to be done for a job.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(JOB.resource, key) else { return pods::release_orphans(world, key) };
    let selector = ownership::selector(stored);
    let object = stored.value();
    let manager = text(&object, &["spec", "managedBy"]);
    if selector.is_empty() || !manager.is_empty() && manager != OWN_MANAGER {
        return Decision::default();
    }
    let mut decision = Decision::default();
    let matches = |pod: &Stored| selector.matches(&pod.labels);
    let claimed = JOB.claim(world, stored, "pods", &matches, &mut decision);
    let pods = claimed.into_iter().map(JobPod::read).collect();
    let mut look = Look::new(world, stored, object, pods, decision);
    match finish_time(&look.object) {
        Some(finished) => {
            look.release_all();
            look.expire(finished);
        }
        None if stored.deleting => look.release_all(),
        None => look.sync(),
    }
    look.decision
}

/// The jobs to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let mut keys = JOB.itself(change);
    keys.extend(JOB.owners_concerned(change, store, "pods", &ownership::selects));
    keys
}

/// When a job was over, if it is.
pub(crate) fn finish_time(job: &Value) -> Option<Timestamp> {
    let ends = |condition: &&Value| {
        matches!(text(condition, &["type"]), "Complete" | "Failed") && text(condition, &["status"]) == "True"
    };
    let condition = list(job, &["status", "conditions"]).iter().find(ends)?;
    Some(times::read(text(condition, &["lastTransitionTime"])).unwrap_or(Timestamp::MIN))
}

/// Pods that have ended and hold a place in the status until they are counted: their finalizer goes first, so that
/// none is counted twice or never.
#[derive(Debug, Default, PartialEq)]
struct Uncounted {
    succeeded: Vec<Box<str>>,
    failed: Vec<Box<str>>,
}

impl Uncounted {
    fn read(object: &Value) -> Self {
        let uids = |which| {
            let uids = list(object, &["status", "uncountedTerminatedPods", which]).iter();
            uids.filter_map(|uid| Some(uid.as_str()?.into())).collect()
        };
        Self { succeeded: uids("succeeded"), failed: uids("failed") }
    }

    fn is_empty(&self) -> bool {
        self.succeeded.is_empty() && self.failed.is_empty()
    }
}

/// One look at a job.
struct Look<'a> {
    world: &'a World<'a>,
    stored: &'a Arc<Stored>,
    object: Value,
    spec: Spec,
    pods: Vec<JobPod<'a>>,
    /// What is counted already.
    counted: Counted,
    uncounted: Uncounted,
    conditions: Vec<Value>,
    start: Option<Timestamp>,
    completion: Option<Timestamp>,
    /// Indexes whose pods have ended well, with those that are not counted yet.
    succeeded: Indexes,
    /// Indexes that are given up.
    failed: Indexes,
    decision: Decision,
}

/// Pods that have ended and are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counted {
    succeeded: i64,
    failed: i64,
}

/// Pods that live.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Living {
    active: i64,
    ready: i64,
    terminating: i64,
}

impl<'a> Look<'a> {
    fn new(
        world: &'a World<'a>,
        stored: &'a Arc<Stored>,
        object: Value,
        pods: Vec<JobPod<'a>>,
        decision: Decision,
    ) -> Self {
        let count = |name| int32(&object, &["status", name]).unwrap_or(0);
        let spec = Spec::read(&object);
        let indexes = |name| Indexes::parse(text(&object, &["status", name]), spec.completions.unwrap_or(0));
        Self {
            world,
            stored,
            counted: Counted { succeeded: count("succeeded"), failed: count("failed") },
            uncounted: Uncounted::read(&object),
            conditions: list(&object, &["status", "conditions"]).to_vec(),
            start: times::read(text(&object, &["status", "startTime"])),
            completion: None,
            succeeded: indexes("completedIndexes"),
            failed: indexes("failedIndexes"),
            spec,
            object,
            pods,
            decision,
        }
    }

    fn sync(&mut self) {
        self.count_released();
        self.find_indexes();
        if self.start.is_none() && !self.spec.suspended {
            self.start = Some(self.world.now);
        }
        let succeeded = self.total_succeeded();
        let mut living = self.living();
        let mut verdict = self.verdict();
        if verdict.is_some() {
            self.end_active(&mut living);
        } else {
            self.manage(succeeded, &mut living);
            if self.spec.is_reached(succeeded) && living.active == 0 {
                verdict = Some(Verdict::complete());
            } else {
                self.note_suspension();
            }
        }
        let released = self.track(verdict.as_ref());
        self.conclude(verdict, &living);
        self.write_status(&living);
        self.decision.actions.extend(released);
    }

    fn living(&self) -> Living {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let active = || self.pods.iter().filter(|pod| pod.active());
        Living {
            active: number(active().count()),
            ready: number(active().filter(|pod| pod.view.ready).count()),
            terminating: number(self.pods.iter().filter(|pod| pod.terminating()).count()),
        }
    }

    /// Successes, with those that are not counted yet. Of each index one counts.
    fn total_succeeded(&self) -> i64 {
        if self.spec.indexed {
            return self.succeeded.len();
        }
        let new = self.pods.iter().filter(|pod| self.is_new_success(pod)).count();
        self.counted.succeeded + i64::try_from(new + self.uncounted.succeeded.len()).unwrap_or(0)
    }

    /// Failures, with those that are not counted yet.
    fn total_failed(&self) -> i64 {
        let new = self.pods.iter().filter(|pod| self.is_new_failure(pod)).count();
        self.counted.failed + i64::try_from(new + self.uncounted.failed.len()).unwrap_or(0)
    }

    /// Deletes a job that has been over for long enough.
    fn expire(&mut self, finished: Timestamp) {
        let Some(seconds) = self.spec.ttl.filter(|_| !self.stored.deleting) else { return };
        let end = times::plus(finished, seconds);
        if end > self.world.now {
            self.decision.look_again(times::until(self.world.now, end));
            return;
        }
        if let Action::Delete { resource, key, uid, grace, .. } = actions::delete(self.stored) {
            self.decision.push(Action::Delete { resource, key, uid, grace, propagation: "Foreground" });
        }
    }
}
