//! The few facts that controllers keep asking of pods, of their owners and of nodes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::cluster::api::store::Stored;
use crate::cluster::sim::scaled::to_int32;
use crate::cluster::sim::selector::Selector;
use crate::cluster::sim::times;

/// Reads a `null` as if the member were missing.
pub(crate) fn or_default<'a, D: Deserializer<'a>, T: Deserialize<'a> + Default>(reader: D) -> Result<T, D::Error> {
    Option::deserialize(reader).map(Option::unwrap_or_default)
}

/// Reads a number of pods.
fn count<'a, D: Deserializer<'a>>(reader: D) -> Result<i64, D::Error> {
    some_count(reader).map(|count| count.unwrap_or(0))
}

/// Reads a number of pods that may be unknown.
fn some_count<'a, D: Deserializer<'a>>(reader: D) -> Result<Option<i64>, D::Error> {
    Option::<i64>::deserialize(reader).map(|count| count.map(|count| to_int32(count).max(0)))
}

/// Where a pod is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Phase {
    /// Not running yet.
    #[default]
    Pending,
    /// Running.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Nobody knows.
    #[serde(other)]
    Unknown,
}

impl Phase {
    /// Whether it is over.
    pub(crate) fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// What is asked of a pod.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(from = "RawPod")]
pub(crate) struct PodView {
    /// When it was made.
    pub(crate) created: Option<Timestamp>,
    /// Its node; empty until it is bound.
    pub(crate) node: Box<str>,
    /// The node that its affinity names, for the pods of a daemon set.
    pub(crate) wanted_node: Box<str>,
    /// Its phase.
    pub(crate) phase: Phase,
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// Since when it is as ready as it is.
    pub(crate) ready_since: Option<Timestamp>,
    /// The restarts of the container that restarted most.
    pub(crate) restarts: i64,
    /// What it costs to delete it.
    pub(crate) deletion_cost: i64,
}

impl PodView {
    /// Whether it has been ready long enough.
    pub(crate) fn available(&self, min_ready: i64, now: Timestamp) -> bool {
        self.ready && (min_ready <= 0 || self.ready_since.is_some_and(|since| times::plus(since, min_ready) <= now))
    }

    /// How long it takes until a ready pod is available; `None` if it is already, or is not ready.
    pub(crate) fn available_in(&self, min_ready: i64, now: Timestamp) -> Option<Duration> {
        let waits = self.ready && !self.available(min_ready, now);
        waits.then(|| times::until(now, times::plus(self.ready_since.unwrap_or(now), min_ready)))
    }
}

/// A pod in the store with what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Pod<'a> {
    /// The object.
    pub(crate) stored: &'a Arc<Stored>,
    /// What it says.
    pub(crate) view: Arc<PodView>,
}

impl<'a> Pod<'a> {
    /// Reads a pod.
    pub(crate) fn read(stored: &'a Arc<Stored>) -> Self {
        Self { stored, view: stored.view() }
    }

    /// Whether it counts: neither ended nor being deleted.
    pub(crate) fn active(&self) -> bool {
        !self.stored.deleting && !self.view.phase.ended()
    }

    /// Whether it is on its way out.
    pub(crate) fn terminating(&self) -> bool {
        self.stored.deleting && !self.view.phase.ended()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPod {
    #[serde(deserialize_with = "or_default")]
    metadata: RawMeta,
    #[serde(deserialize_with = "or_default")]
    spec: RawPodSpec,
    #[serde(deserialize_with = "or_default")]
    status: RawPodStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMeta {
    creation_timestamp: Option<Timestamp>,
    generation: Option<i64>,
    annotations: Option<BTreeMap<Box<str>, Box<str>>>,
    labels: Option<BTreeMap<Box<str>, Box<str>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPodSpec {
    node_name: Option<Box<str>>,
    affinity: Option<RawAffinity>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAffinity {
    node_affinity: Option<super::affinity::NodeAffinity>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPodStatus {
    phase: Option<Phase>,
    conditions: Option<Vec<RawCondition>>,
    container_statuses: Option<Vec<RawContainer>>,
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
    restart_count: Option<i64>,
}

impl From<RawPod> for PodView {
    fn from(raw: RawPod) -> Self {
        let conditions = raw.status.conditions.unwrap_or_default();
        let ready = conditions.iter().find(|condition| &*condition.r#type == "Ready");
        let containers = raw.status.container_statuses.unwrap_or_default();
        let annotations = raw.metadata.annotations.unwrap_or_default();
        let cost = annotations.get("controller.kubernetes.io/pod-deletion-cost");
        let affinity = raw.spec.affinity.and_then(|affinity| affinity.node_affinity);
        Self {
            created: raw.metadata.creation_timestamp,
            node: raw.spec.node_name.unwrap_or_default(),
            wanted_node: affinity.and_then(|affinity| affinity.node_name()).unwrap_or_default(),
            phase: raw.status.phase.unwrap_or_default(),
            ready: ready.is_some_and(|condition| &*condition.status == "True"),
            ready_since: ready.and_then(|condition| condition.last_transition_time),
            restarts: containers.iter().filter_map(|container| container.restart_count).max().unwrap_or(0),
            deletion_cost: cost.and_then(|cost| cost.parse().ok()).unwrap_or(0),
        }
    }
}

/// What is asked of a ReplicaSet or a ReplicationController.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(from = "RawSet")]
pub(crate) struct SetView {
    /// When it was made.
    pub(crate) created: Option<Timestamp>,
    /// The generation of its spec.
    pub(crate) generation: i64,
    /// All annotations.
    pub(crate) annotations: BTreeMap<Box<str>, Box<str>>,
    /// How many pods it shall have.
    pub(crate) replicas: i64,
    /// Seconds until a ready pod is available.
    pub(crate) min_ready: i64,
    /// Which pods are its own.
    pub(crate) selector: Selector,
    /// The labels of its pods.
    pub(crate) template_labels: BTreeMap<Box<str>, Box<str>>,
    /// What it has.
    pub(crate) status: SetStatus,
}

/// The status of a ReplicaSet or a ReplicationController.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SetStatus {
    /// Active pods.
    #[serde(deserialize_with = "count")]
    pub(crate) replicas: i64,
    /// Active pods with all labels of the template.
    #[serde(deserialize_with = "count")]
    pub(crate) fully_labeled_replicas: i64,
    /// Ready pods.
    #[serde(deserialize_with = "count")]
    pub(crate) ready_replicas: i64,
    /// Available pods.
    #[serde(deserialize_with = "count")]
    pub(crate) available_replicas: i64,
    /// Pods on their way out.
    #[serde(deserialize_with = "some_count")]
    pub(crate) terminating_replicas: Option<i64>,
    /// The generation that this is the status of.
    pub(crate) observed_generation: i64,
    /// What is wrong.
    #[serde(deserialize_with = "or_default")]
    pub(crate) conditions: Vec<SetCondition>,
}

/// A condition of a ReplicaSet; there is only `ReplicaFailure`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SetCondition {
    /// The type.
    pub(crate) r#type: Box<str>,
    /// The status.
    pub(crate) status: Box<str>,
    /// When the status came to be.
    pub(crate) last_transition_time: Option<Timestamp>,
    /// The reason.
    pub(crate) reason: Box<str>,
    /// The message.
    pub(crate) message: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSet {
    metadata: RawMeta,
    spec: RawSetSpec,
    status: Option<SetStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSetSpec {
    replicas: Option<i64>,
    min_ready_seconds: Option<i64>,
    selector: Option<Selector>,
    template: Option<RawTemplate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawTemplate {
    metadata: Option<RawMeta>,
}

impl From<RawSet> for SetView {
    fn from(raw: RawSet) -> Self {
        Self {
            created: raw.metadata.creation_timestamp,
            generation: raw.metadata.generation.unwrap_or(0),
            annotations: raw.metadata.annotations.unwrap_or_default(),
            replicas: to_int32(raw.spec.replicas.unwrap_or(1)).max(0),
            min_ready: to_int32(raw.spec.min_ready_seconds.unwrap_or(0)),
            selector: raw.spec.selector.unwrap_or_default(),
            template_labels: raw.spec.template.and_then(|it| it.metadata?.labels).unwrap_or_default(),
            status: raw.status.unwrap_or_default(),
        }
    }
}

/// What is asked of any other owner of pods before it is read as a whole: which objects it selects, and how it
/// replaces them.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct OwnerView {
    /// The spec.
    pub(crate) spec: OwnerSpec,
}

/// See [`OwnerView`].
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OwnerSpec {
    /// Which objects are its own.
    pub(crate) selector: Option<Selector>,
    /// How a deployment replaces its pods.
    pub(crate) strategy: Option<OwnerStrategy>,
}

/// See [`OwnerView`].
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct OwnerStrategy {
    /// `RollingUpdate` or `Recreate`.
    pub(crate) r#type: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pods_are_read() {
        let object = json!({
            "metadata": {
                "name": "p", "creationTimestamp": "2026-08-01T10:00:00Z",
                "annotations": {"controller.kubernetes.io/pod-deletion-cost": "7"},
            },
            "spec": {
                "nodeName": "n1", "containers": [{"name": "a"}],
                "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]},
                ]}}},
            },
            "status": {
                "phase": "Running",
                "conditions": [
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "Ready", "status": "True", "lastTransitionTime": "2026-08-01T10:00:05Z"},
                ],
                "containerStatuses": [{"restartCount": 1}, {"restartCount": 3}],
            },
        });
        let stored = Arc::new(Stored::new("pods".into(), object, 1));
        let view = Pod::read(&stored).view;
        let expected = PodView {
            created: times::read("2026-08-01T10:00:00Z"),
            node: "n1".into(),
            wanted_node: "n2".into(),
            phase: Phase::Running,
            ready: true,
            ready_since: times::read("2026-08-01T10:00:05Z"),
            restarts: 3,
            deletion_cost: 7,
        };
        assert_eq!(*view, expected);
        let now = times::read("2026-08-01T10:00:09Z").unwrap();
        assert!(view.available(4, now) && !view.available(5, now));
        assert_eq!(view.available_in(5, now), Some(Duration::from_secs(1)));
        assert!(Arc::ptr_eq(&view, &stored.view()), "it is read once");
    }

    #[test]
    fn anything_else_reads_as_nothing_special() {
        for object in
            [json!({}), json!({"status": null}), json!({"spec": {"nodeName": null}, "status": {"phase": "X"}})]
        {
            let stored = Arc::new(Stored::new("pods".into(), object, 1));
            assert!(!Pod::read(&stored).view.ready);
        }
    }
}
