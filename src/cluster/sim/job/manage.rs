//! As many pods as the job wants at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::pods::{FAILURES, INDEX, JobPod, TRACKING};
use super::policy::Action as PolicyAction;
use super::{JOB, Living, Look, backoff};
use crate::cluster::object::{at, entry, list, text};
use crate::cluster::sim::actions::{self, BURST};
use crate::cluster::sim::replicaset::rank;
use crate::cluster::sim::template;
use crate::cluster::sim::views::{Phase, Pod};

impl<'a> Look<'a> {
    /// Finds the indexes that have succeeded, and those that failed for good.
    pub(super) fn find_indexes(&mut self) {
        if !self.spec.indexed {
            return;
        }
        for pod in self.pods.clone() {
            let Some(index) = pod.view.index.filter(|index| self.spec.has_index(*index)) else { continue };
            if pod.view.tracked && pod.view.phase == Phase::Succeeded {
                self.succeeded.insert(index);
            } else if pod.view.tracked && self.has_failed(&pod) {
                let action = self.policy_action(&pod);
                let too_often = self.spec.backoff_limit_per_index.is_some_and(|limit| {
                    action == Some(PolicyAction::FailIndex)
                        || action != Some(PolicyAction::Ignore) && pod.view.failures >= limit
                });
                if too_often && !self.succeeded.contains(index) {
                    self.failed.insert(index);
                }
            }
        }
    }

    /// Deletes all active pods: the job is over.
    pub(super) fn end_active(&mut self, living: &mut Living) {
        let active: Vec<_> = self.pods.iter().filter(|pod| pod.active()).cloned().collect();
        for pod in active {
            self.unmake(&pod, living);
        }
    }

    fn unmake(&mut self, pod: &JobPod<'_>, living: &mut Living) {
        self.decision.push(actions::delete(pod.stored));
        let message = format!("Deleted pod: {}", pod.stored.key.name);
        self.decision.push(JOB.normal(self.stored, "SuccessfulDelete", message));
        living.active -= 1;
        living.ready -= i64::from(pod.view.ready);
        living.terminating += 1;
    }

    /// Deletes pods that are too many, or makes those that are missing.
    pub(super) fn manage(&mut self, succeeded: i64, living: &mut Living) {
        let wanted = self.wanted(succeeded, living.active);
        let surplus = self.surplus(usize::try_from(living.active - wanted).unwrap_or(0));
        if !surplus.is_empty() {
            for pod in surplus.into_iter().take(BURST) {
                // It has not failed, so it is not to be counted.
                let release = self.forget(&pod);
                self.decision.actions.extend(release);
                self.unmake(&pod, living);
            }
            return;
        }
        let leaving = if self.spec.replaces_failed_only { living.terminating } else { 0 };
        let missing = usize::try_from(wanted - leaving - living.active).unwrap_or(0).min(BURST);
        if missing > 0 {
            self.make(missing, living);
        }
    }

    fn wanted(&self, succeeded: i64, active: i64) -> i64 {
        match self.spec.completions {
            _ if self.spec.suspended => 0,
            Some(completions) => {
                let failed = if self.spec.backoff_limit_per_index.is_some() { self.failed.len() } else { 0 };
                (completions - succeeded - failed).clamp(0, self.spec.parallelism)
            }
            // One success says that the work is done: what runs may end, but nothing new begins.
            None if succeeded > 0 => active,
            None => self.spec.parallelism,
        }
    }

    /// Active pods that are to go: those whose index is taken or unknown, and others up to a number.
    fn surplus(&self, at_least: usize) -> Vec<JobPod<'a>> {
        let mut active: Vec<_> = self.pods.iter().filter(|pod| pod.active()).cloned().collect();
        let mut gone = Vec::new();
        if self.spec.suspended {
            return active;
        }
        if self.spec.indexed {
            let mut seen = BTreeSet::new();
            active.sort_by_key(|pod| (!pod.view.ready, pod.stored.uid.clone()));
            let (first, others): (Vec<_>, Vec<_>) = active.into_iter().partition(|pod| {
                let index = pod.view.index.filter(|index| self.spec.has_index(*index) && !seen.contains(index));
                seen.extend(index);
                index.is_some()
            });
            active = first;
            gone = others;
        }
        let more = at_least.saturating_sub(gone.len());
        let pods: Vec<_> = active.iter().map(|pod| Pod::read(pod.stored)).collect();
        gone.extend(rank::first_to_go(&pods, &[], self.world.now, more).into_iter().map(JobPod::read));
        gone
    }

    fn forget(&mut self, pod: &JobPod<'a>) -> Option<crate::cluster::sim::Action> {
        let at = self.pods.iter().position(|other| other.stored.uid == pod.stored.uid)?;
        let pod = self.pods.remove(at);
        pod.view.tracked.then(|| pod.release())
    }

    fn make(&mut self, missing: usize, living: &mut Living) {
        if let Some(why) = self.world.refusal() {
            let message = format!("Error creating: {why}");
            return self.decision.note_refusal(&JOB, self.stored, "FailedCreate", message);
        }
        let per_index = self.spec.backoff_limit_per_index.is_some();
        let wait = if per_index { Duration::ZERO } else { self.backoff() };
        if !wait.is_zero() {
            self.decision.look_again(wait);
            return;
        }
        let template = self.template();
        let indexes = if self.spec.indexed { self.pending_indexes(missing) } else { Vec::new() };
        let count = if self.spec.indexed { indexes.len() } else { missing };
        for number in 0..count {
            let index = indexes.get(number).copied();
            let name = &self.stored.key.name;
            let prefix = index.map_or_else(|| format!("{name}-"), |(index, _)| format!("{name}-{index}-"));
            let name = template::free_name(self.world, "pods", self.stored, &prefix, number);
            let mut pod = template::pod(&JOB, self.stored, &template, &prefix, &name);
            if let Some((index, failures)) = index {
                self.number(&mut pod, index, failures.filter(|_| per_index));
            }
            self.decision.push(actions::create("pods", pod));
            self.decision.push(JOB.normal(self.stored, "SuccessfulCreate", format!("Created pod: {name}")));
            living.active += 1;
        }
    }

    /// The lowest indexes that have neither a pod nor an end, and how often each has failed.
    fn pending_indexes(&mut self, count: usize) -> Vec<(i64, Option<i64>)> {
        let waiting = self.waiting_failures();
        let busy = |pod: &&JobPod<'_>| pod.active() || self.spec.replaces_failed_only && pod.terminating();
        let busy: BTreeSet<_> = self.pods.iter().filter(busy).filter_map(|pod| pod.view.index).collect();
        let mut pending = Vec::new();
        let mut soonest: Option<Duration> = None;
        for index in 0..self.spec.completions.unwrap_or(0) {
            if pending.len() >= count {
                break;
            }
            if busy.contains(&index) || self.succeeded.contains(index) || self.failed.contains(index) {
                continue;
            }
            let last = waiting.iter().find(|pod| pod.view.index == Some(index));
            let ignored = last.is_some_and(|pod| self.policy_action(pod) == Some(PolicyAction::Ignore));
            let failures = last.map_or(0, |pod| pod.view.failures.saturating_add(i64::from(!ignored)));
            let finished = last.and_then(|pod| pod.view.finished);
            let wait = backoff::remaining(usize::try_from(failures).unwrap_or(0), finished, self.world.now);
            if wait.is_zero() {
                pending.push((index, Some(failures)));
            } else {
                soonest = Some(soonest.map_or(wait, |before| before.min(wait)));
            }
        }
        if let Some(wait) = soonest {
            self.decision.look_again(wait);
        }
        pending
    }

    /// Gives a pod its number.
    fn number(&self, pod: &mut Value, index: i64, failures: Option<i64>) {
        let index = index.to_string();
        template::set_annotation(pod, INDEX, &index);
        template::set_label(pod, INDEX, &index);
        if let Some(failures) = failures {
            template::set_annotation(pod, FAILURES, &failures.to_string());
        }
        let host = format!("{}-{index}", self.stored.key.name);
        crate::cluster::object::set(pod, &["spec", "hostname"], host);
    }

    /// The template with the finalizer, and the index in the environment.
    fn template(&self) -> Value {
        let mut template = at(&self.object, &["spec", "template"]).cloned().unwrap_or_else(|| json!({}));
        push_missing(entry(&mut template, &["metadata", "finalizers"]), &json!(TRACKING), |one| one == TRACKING);
        if self.spec.indexed {
            let source = json!({"fieldRef": {"fieldPath": format!("metadata.labels['{INDEX}']")}});
            let variable = json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": source});
            for part in ["containers", "initContainers"] {
                let number = list(&template, &["spec", part]).len();
                let Some(containers) = entry(&mut template, &["spec"]).get_mut(part) else { continue };
                for container in containers.as_array_mut().into_iter().flatten().take(number) {
                    let same = |one: &Value| text(one, &["name"]) == "JOB_COMPLETION_INDEX";
                    push_missing(entry(container, &["env"]), &variable, same);
                }
            }
        }
        template
    }
}

/// Adds an item to a list that may be missing, unless there is such a one.
fn push_missing(place: &mut Value, item: &Value, same: impl Fn(&Value) -> bool) {
    if !place.is_array() {
        *place = json!([]);
    }
    if let Some(items) = place.as_array_mut()
        && !items.iter().any(same)
    {
        items.push(item.clone());
    }
}
