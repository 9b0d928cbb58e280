//! What decisions read of pods and nodes: much cheaper to read than whole objects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::cluster::api::store::Stored;
use crate::cluster::sim::matching::Requirement;

/// Takes `null` for the default.
pub(crate) fn lax<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// A time; anything that is none counts as none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Option<Timestamp>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<String>::deserialize(input)?.and_then(|text| text.parse().ok())))
    }
}

/// An object as one of these views; `None` when it is not made like that.
pub(crate) fn view<'a, T: Deserialize<'a>>(object: &'a Stored) -> Option<T> {
    serde_json::from_slice(&object.json).ok()
}

/// Views by plain tables: every member may be missing or `null`.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Default, Deserialize)]
            #[serde(rename_all = "camelCase", default)]
            pub(crate) struct $name {
                $($(#[$attr])* #[serde(deserialize_with = "lax")] pub(crate) $field: $type,)*
            }
        )*
    };
}

views! {
    /// What everything has.
    Metadata {
        name: String,
        namespace: String,
        uid: String,
        generation: i64,
        creation_timestamp: Moment,
        deletion_grace_period_seconds: Option<i64>,
        annotations: BTreeMap<String, String>,
        labels: BTreeMap<String, String>,
    }
    /// A pod.
    Pod {
        metadata: Metadata,
        spec: PodSpec,
        status: PodStatus,
    }
    /// What a pod shall be.
    PodSpec {
        node_name: String,
        node_selector: BTreeMap<String, String>,
        affinity: Affinity,
        tolerations: Vec<Toleration>,
        scheduling_gates: Vec<Named>,
        scheduler_name: String,
        containers: Vec<Container>,
        init_containers: Vec<Container>,
        ephemeral_containers: Vec<Container>,
        restart_policy: String,
        service_account_name: String,
        termination_grace_period_seconds: Option<i64>,
        active_deadline_seconds: Option<i64>,
        host_network: bool,
        hostname: String,
        subdomain: String,
        volumes: Vec<Volume>,
        readiness_gates: Vec<ReadinessGate>,
        overhead: BTreeMap<String, String>,
        topology_spread_constraints: Vec<SpreadConstraint>,
    }
    /// A pod as services see it.
    Endpoint {
        spec: EndpointSpec,
        status: EndpointStatus,
    }
    /// Where it is and what it listens on.
    EndpointSpec {
        node_name: String,
        hostname: String,
        subdomain: String,
        containers: Vec<Listener>,
    }
    /// The ports of a container.
    Listener {
        ports: Vec<ContainerPort>,
    }
    /// Whether it can be reached.
    EndpointStatus {
        phase: String,
        conditions: Vec<Condition>,
        #[serde(rename = "podIP")]
        pod_ip: String,
    }
    /// Something of which the name matters.
    Named {
        name: String,
    }
    /// A condition that a pod needs besides its containers to be ready.
    ReadinessGate {
        condition_type: String,
    }
    /// A container of any kind.
    Container {
        name: String,
        image: String,
        image_pull_policy: String,
        stdin: bool,
        command: Vec<String>,
        args: Vec<String>,
        env: Vec<EnvVar>,
        env_from: Vec<EnvFrom>,
        ports: Vec<ContainerPort>,
        resources: Resources,
        restart_policy: String,
        readiness_probe: Option<Probe>,
        liveness_probe: Option<Probe>,
        startup_probe: Option<Probe>,
        lifecycle: Lifecycle,
        volume_mounts: Vec<VolumeMount>,
        termination_message_path: String,
        termination_message_policy: String,
    }
    /// Where a volume is in a container.
    VolumeMount {
        name: String,
        mount_path: String,
        sub_path: String,
    }
    /// What happens around a container's life.
    Lifecycle {
        pre_stop: Option<Handler>,
    }
    /// Something to do to a container.
    Handler {
        exec: Option<ExecAction>,
        sleep: Option<SleepAction>,
    }
    /// Waits.
    SleepAction {
        seconds: u64,
    }
    /// An environment variable.
    EnvVar {
        name: String,
        value: String,
        value_from: Option<EnvSource>,
    }
    /// Where a variable's value comes from.
    EnvSource {
        field_ref: Option<FieldRef>,
        config_map_key_ref: Option<KeyRef>,
        secret_key_ref: Option<KeyRef>,
    }
    /// A field of the pod.
    FieldRef {
        field_path: String,
    }
    /// A key of a config map or secret.
    KeyRef {
        name: String,
        key: String,
        optional: bool,
    }
    /// All of a config map or secret as variables.
    EnvFrom {
        config_map_ref: Option<KeyRef>,
        secret_ref: Option<KeyRef>,
    }
    /// A port of a container.
    ContainerPort {
        name: String,
        container_port: u16,
        host_port: u16,
        protocol: String,
    }
    /// What a container asks for.
    Resources {
        requests: BTreeMap<String, String>,
        limits: BTreeMap<String, String>,
    }
    /// A check of a container.
    Probe {
        http_get: Option<HttpGet>,
        exec: Option<ExecAction>,
        initial_delay_seconds: u64,
        period_seconds: u64,
        success_threshold: u32,
        failure_threshold: u32,
        timeout_seconds: u64,
    }
    /// A check by HTTP.
    HttpGet {
        path: String,
        port: serde_json::Value,
    }
    /// A check by a command.
    ExecAction {
        command: Vec<String>,
    }
    /// A volume.
    Volume {
        name: String,
        config_map: Option<ObjectSource>,
        secret: Option<SecretSource>,
        projected: Option<Projected>,
        persistent_volume_claim: Option<ClaimSource>,
    }
    /// A config map to be mounted.
    ObjectSource {
        name: String,
        optional: bool,
        items: Vec<KeyPath>,
    }
    /// A secret to be mounted.
    SecretSource {
        secret_name: String,
        optional: bool,
        items: Vec<KeyPath>,
    }
    /// A key and the file that it becomes.
    KeyPath {
        key: String,
        path: String,
    }
    /// Several sources in one volume.
    Projected {
        sources: Vec<ProjectedSource>,
    }
    /// One of them.
    ProjectedSource {
        config_map: Option<ObjectSource>,
        secret: Option<ObjectSource>,
    }
    /// A claim to be mounted.
    ClaimSource {
        claim_name: String,
    }
    /// What nodes and pods a pod wants to be on and beside.
    Affinity {
        node_affinity: NodeAffinity,
        pod_affinity: PodAffinity,
        pod_anti_affinity: PodAffinity,
    }
    /// Nodes.
    NodeAffinity {
        required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
    }
    /// Terms of which one has to hold.
    NodeSelector {
        node_selector_terms: Vec<NodeSelectorTerm>,
    }
    /// Requirements that all have to hold.
    NodeSelectorTerm {
        match_expressions: Vec<Requirement>,
        match_fields: Vec<Requirement>,
    }
    /// Pods.
    PodAffinity {
        required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm>,
    }
    /// Pods within a topology.
    PodAffinityTerm {
        label_selector: Option<crate::cluster::sim::matching::Selector>,
        namespaces: Vec<String>,
        topology_key: String,
    }
    /// How evenly pods are to be spread.
    SpreadConstraint {
        max_skew: i64,
        topology_key: String,
        when_unsatisfiable: String,
        label_selector: Option<crate::cluster::sim::matching::Selector>,
    }
    /// A taint that a pod can live with.
    Toleration {
        key: String,
        operator: String,
        value: String,
        effect: String,
        toleration_seconds: Option<i64>,
    }
    /// What a pod is.
    PodStatus {
        phase: String,
        reason: String,
        conditions: Vec<Condition>,
        container_statuses: Vec<ContainerStatus>,
        init_container_statuses: Vec<ContainerStatus>,
        ephemeral_container_statuses: Vec<ContainerStatus>,
        #[serde(rename = "podIP")]
        pod_ip: String,
        #[serde(rename = "hostIP")]
        host_ip: String,
        nominated_node_name: String,
        start_time: Moment,
    }
    /// A condition.
    Condition {
        #[serde(rename = "type")]
        kind: String,
        status: String,
        reason: String,
        message: String,
        last_transition_time: Moment,
    }
    /// What a container is.
    ContainerStatus {
        name: String,
        image: String,
        #[serde(rename = "imageID")]
        image_id: String,
        ready: bool,
        started: bool,
        restart_count: u32,
        state: ContainerState,
        last_state: ContainerState,
    }
    /// Only one of them is there.
    ContainerState {
        running: Option<Running>,
        terminated: Option<Terminated>,
        waiting: Option<Waiting>,
    }
    /// Why a container waits.
    Waiting {
        reason: String,
    }
    /// Since when a container runs.
    Running {
        started_at: Moment,
    }
    /// How a container ended.
    Terminated {
        exit_code: i32,
        reason: String,
        message: String,
        started_at: Moment,
        finished_at: Moment,
    }
    /// A node.
    Node {
        metadata: Metadata,
        spec: NodeSpec,
        status: NodeStatus,
    }
    /// What a node shall be.
    NodeSpec {
        unschedulable: bool,
        taints: Vec<Taint>,
        #[serde(rename = "podCIDR")]
        pod_cidr: String,
    }
    /// What a node does not want.
    Taint {
        key: String,
        value: String,
        effect: String,
        time_added: Moment,
    }
    /// What a node is.
    NodeStatus {
        allocatable: BTreeMap<String, String>,
        addresses: Vec<Address>,
        conditions: Vec<Condition>,
    }
    /// An address of a node.
    Address {
        #[serde(rename = "type")]
        kind: String,
        address: String,
    }
}

impl Toleration {
    /// Whether a pod with this toleration can live with a taint.
    pub(crate) fn covers(&self, taint: &Taint) -> bool {
        let same_key = self.key.is_empty() || self.key == taint.key;
        let same_value = self.operator == "Exists" || self.value == taint.value;
        let same_effect = self.effect.is_empty() || self.effect == taint.effect;
        same_effect && same_key && same_value && (!self.key.is_empty() || self.operator == "Exists")
    }
}

impl Pod {
    /// Whether it has ended for good.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether its condition `Ready` is true.
    pub(crate) fn is_ready(&self) -> bool {
        is_true(&self.status.conditions, "Ready")
    }
}

/// Whether a condition is true.
pub(crate) fn is_true(conditions: &[Condition], kind: &str) -> bool {
    conditions.iter().any(|condition| condition.kind == kind && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nulls_and_strange_times_are_read() {
        let pod = json!({
            "metadata": {"name": "a", "annotations": null},
            "spec": {"containers": null, "nodeSelector": null},
            "status": {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "yesterday"}}}]},
        });
        let pod: Option<Pod> = serde_json::from_value(pod).ok();
        let pod = pod.unwrap_or_default();
        assert_eq!(pod.metadata.name, "a");
        assert!(pod.status.container_statuses[0].state.running.as_ref().is_some_and(|run| run.started_at.0.is_none()));
    }

    #[test]
    fn tolerations_cover_taints() {
        let taint = Taint { key: "k".into(), value: "v".into(), effect: "NoSchedule".into(), time_added: Moment(None) };
        let cases = [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "k", "operator": "Exists"}), true),
            (json!({"key": "k", "value": "v"}), true),
            (json!({"key": "k", "operator": "Equal", "value": "w"}), false),
            (json!({"key": "k", "value": "v", "effect": "NoExecute"}), false),
            (json!({"key": "other", "operator": "Exists"}), false),
            (json!({}), false),
        ];
        for (toleration, expected) in cases {
            let text = toleration.to_string();
            let toleration: Toleration = serde_json::from_value(toleration).unwrap_or_default();
            assert_eq!(toleration.covers(&taint), expected, "{text}");
        }
    }
}
