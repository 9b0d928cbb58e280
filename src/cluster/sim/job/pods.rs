//! A job's pods: what is asked of them, and the finalizer that keeps them until they are counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Look;
use super::policy::Action;
use super::verdict::Verdict;
use crate::cluster::api::store::Stored;
use crate::cluster::object::{Key, list};
use crate::cluster::sim::views::{Phase, or_default};
use crate::cluster::sim::{self, Decision, World, actions, times};

/// The finalizer.
pub(super) const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// The annotation, and label, of the number of a pod.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// The annotation that tells how often pods of that number have failed before.
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";

/// A job's pod in the store.
#[derive(Debug, Clone)]
pub(super) struct JobPod<'a> {
    pub(super) stored: &'a Arc<Stored>,
    pub(super) view: Arc<JobPodView>,
}

impl<'a> JobPod<'a> {
    pub(super) fn read(stored: &'a Arc<Stored>) -> Self {
        Self { stored, view: stored.view() }
    }

    pub(super) fn active(&self) -> bool {
        !self.stored.deleting && !self.view.phase.ended()
    }

    pub(super) fn terminating(&self) -> bool {
        self.stored.deleting && !self.view.phase.ended()
    }

    /// The patch that lets it go.
    pub(super) fn release(&self) -> sim::Action {
        release(self.stored)
    }
}

fn release(pod: &Stored) -> sim::Action {
    let mut finalizers = list(&pod.value(), &["metadata", "finalizers"]).to_vec();
    finalizers.retain(|finalizer| finalizer != TRACKING);
    let finalizers = if finalizers.is_empty() { Value::Null } else { finalizers.into() };
    actions::patch(pod, json!({"metadata": {"finalizers": finalizers}}))
}

/// Lets the pods go whose job of this name is gone.
pub(super) fn release_orphans(world: &World<'_>, key: &Key) -> Decision {
    let mut decision = Decision::default();
    for pod in world.store.list("pods", &key.namespace).filter(|pod| pod.finalized) {
        let owner = pod.controller().filter(|owner| &*owner.kind == "Job" && owner.name == key.name);
        let orphan = owner.is_some_and(|owner| world.store.by_uid(&owner.uid).is_none());
        if orphan && pod.view::<JobPodView>().tracked {
            decision.push(release(pod));
        }
    }
    decision
}

/// What is asked of a job's pod.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "RawPod")]
pub(super) struct JobPodView {
    pub(super) phase: Phase,
    pub(super) ready: bool,
    /// Whether it still has the finalizer.
    pub(super) tracked: bool,
    pub(super) index: Option<i64>,
    /// How often pods of its index failed before it.
    pub(super) failures: i64,
    /// When it ended, or was to end, or at least began.
    pub(super) finished: Option<Timestamp>,
    /// The restarts of all its containers.
    pub(super) restarts: i64,
    /// Containers that ended badly, with their exit codes.
    pub(super) exits: Vec<(Box<str>, i64)>,
    /// Its conditions, type and status.
    pub(super) conditions: Vec<(Box<str>, Box<str>)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPod {
    #[serde(deserialize_with = "or_default")]
    metadata: RawMeta,
    #[serde(deserialize_with = "or_default")]
    status: RawStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMeta {
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
    deletion_grace_period_seconds: Option<i64>,
    annotations: Option<BTreeMap<Box<str>, Box<str>>>,
    finalizers: Option<Vec<Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawStatus {
    phase: Option<Phase>,
    conditions: Option<Vec<RawCondition>>,
    container_statuses: Option<Vec<RawContainer>>,
    init_container_statuses: Option<Vec<RawContainer>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawCondition {
    r#type: Box<str>,
    status: Box<str>,
    last_transition_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawContainer {
    name: Box<str>,
    restart_count: Option<i64>,
    state: Option<RawState>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawState {
    terminated: Option<RawEnd>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawEnd {
    exit_code: i64,
    finished_at: Option<Timestamp>,
}

impl RawContainer {
    fn end(&self) -> Option<&RawEnd> {
        self.state.as_ref()?.terminated.as_ref()
    }
}

impl From<RawPod> for JobPodView {
    fn from(raw: RawPod) -> Self {
        let containers = raw.status.container_statuses.unwrap_or_default();
        let init = raw.status.init_container_statuses.unwrap_or_default();
        let conditions = raw.status.conditions.unwrap_or_default();
        let annotations = raw.metadata.annotations.unwrap_or_default();
        let number = |name| annotations.get(name).and_then(|value| value.parse().ok());
        let ready = conditions.iter().find(|condition| &*condition.r#type == "Ready");
        let unready = ready.filter(|condition| &*condition.status != "True");
        let all_ended = !containers.is_empty() && containers.iter().all(|container| container.end().is_some());
        let ends = containers.iter().filter(|_| all_ended).filter_map(|container| container.end()?.finished_at);
        let finished = ends.max().or_else(|| unready.and_then(|condition| condition.last_transition_time));
        let grace = raw.metadata.deletion_grace_period_seconds.unwrap_or(0);
        let deleted = raw.metadata.deletion_timestamp.map(|end| times::plus(end, grace.saturating_neg()));
        let finished = finished.or(deleted).or(raw.metadata.creation_timestamp);
        let all = || containers.iter().chain(&init);
        let bad = |container: &RawContainer| {
            let code = container.end().map_or(0, |end| end.exit_code);
            (code != 0).then(|| (container.name.clone(), code))
        };
        Self {
            phase: raw.status.phase.unwrap_or_default(),
            ready: ready.is_some_and(|condition| &*condition.status == "True"),
            tracked: raw.metadata.finalizers.is_some_and(|all| all.iter().any(|finalizer| &**finalizer == TRACKING)),
            index: number(INDEX),
            failures: number(FAILURES).unwrap_or(0),
            finished,
            restarts: all().filter_map(|container| container.restart_count).sum(),
            exits: all().filter_map(bad).collect(),
            conditions: conditions.into_iter().map(|condition| (condition.r#type, condition.status)).collect(),
        }
    }
}

impl<'a> Look<'a> {
    /// Whether a pod has failed; one that is being deleted will not succeed any more.
    pub(super) fn has_failed(&self, pod: &JobPod<'_>) -> bool {
        let given_up = pod.stored.deleting && pod.view.phase != Phase::Succeeded && !self.spec.replaces_failed_only;
        pod.view.phase == Phase::Failed || given_up
    }

    /// What the failure policy does with a failed pod.
    pub(super) fn policy_action(&self, pod: &JobPod<'_>) -> Option<Action> {
        let policy = self.spec.failure_policy.as_ref()?;
        policy.find(&pod.view).map(|found| found.action)
    }

    fn counts_as_failure(&self, pod: &JobPod<'_>) -> bool {
        let has_index = !self.spec.indexed || pod.view.index.is_some_and(|index| self.spec.has_index(index));
        has_index && self.policy_action(pod) != Some(Action::Ignore)
    }

    pub(super) fn is_new_success(&self, pod: &JobPod<'_>) -> bool {
        pod.view.tracked && pod.view.phase == Phase::Succeeded && !self.is_held(pod)
    }

    pub(super) fn is_new_failure(&self, pod: &JobPod<'_>) -> bool {
        pod.view.tracked && self.has_failed(pod) && !self.is_held(pod) && self.counts_as_failure(pod)
    }

    fn is_held(&self, pod: &JobPod<'_>) -> bool {
        let uid = &pod.stored.uid;
        self.uncounted.succeeded.contains(uid) || self.uncounted.failed.contains(uid)
    }

    /// Counts the pods that have been let go since they were noted.
    pub(super) fn count_released(&mut self) {
        let tracked: Vec<_> = self.pods.iter().filter(|pod| pod.view.tracked).map(|pod| &pod.stored.uid).collect();
        let count = |uids: &mut Vec<Box<str>>| {
            let before = uids.len();
            uids.retain(|uid| tracked.contains(&uid));
            i64::try_from(before - uids.len()).unwrap_or(0)
        };
        self.counted.succeeded += count(&mut self.uncounted.succeeded);
        self.counted.failed += count(&mut self.uncounted.failed);
    }

    /// Notes pods that have ended as to be counted, and says how they are let go after that.
    pub(super) fn track(&mut self, verdict: Option<&Verdict>) -> Vec<sim::Action> {
        let mut released = Vec::new();
        let waiting = self.waiting_failures();
        for pod in self.pods.clone().iter().filter(|pod| pod.view.tracked) {
            let succeeded = pod.view.phase == Phase::Succeeded;
            let failed = self.has_failed(pod);
            let waits = waiting.iter().any(|other| other.stored.uid == pod.stored.uid);
            if verdict.is_none() && !succeeded && (!failed || waits) {
                continue;
            }
            // A pod that success policies have no use for has not failed; else what did not succeed in time has.
            let given_up = verdict.is_some_and(|verdict| verdict.is_failure());
            if succeeded {
                if !self.spec.indexed && !self.is_held(pod) {
                    self.uncounted.succeeded.push(pod.stored.uid.clone());
                }
            } else if (failed || given_up) && !self.is_held(pod) && self.counts_as_failure(pod) {
                self.uncounted.failed.push(pod.stored.uid.clone());
            }
            released.push(pod.release());
        }
        released
    }

    /// Lets all pods go: nobody counts any more.
    pub(super) fn release_all(&mut self) {
        let released = self.pods.iter().filter(|pod| pod.view.tracked).map(JobPod::release);
        self.decision.actions.extend(released);
    }

    /// The failed pods that keep the memory of their index until it is tried again.
    pub(super) fn waiting_failures(&self) -> Vec<JobPod<'a>> {
        if self.spec.backoff_limit_per_index.is_none() {
            return Vec::new();
        }
        let mut last: BTreeMap<i64, &JobPod<'a>> = BTreeMap::new();
        for pod in &self.pods {
            let Some(index) = pod.view.index.filter(|index| self.spec.has_index(*index)) else { continue };
            let later = last.get(&index).is_none_or(|other| {
                (pod.view.failures, pod.active(), &pod.stored.uid)
                    > (other.view.failures, other.active(), &other.stored.uid)
            });
            if later {
                last.insert(index, pod);
            }
        }
        let settled = |index: i64| self.failed.contains(index) || self.succeeded.contains(index);
        let waiting = last.into_iter().filter(|(index, pod)| self.has_failed(pod) && !settled(*index));
        waiting.map(|(_, pod)| pod.clone()).collect()
    }
}
