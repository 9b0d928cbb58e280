//! Members of built-in kinds that Go's types cannot leave out: structs without a pointer, scalars that are always
//! written, lists that are null when empty.
//!
//! For the real server they are there from the start, with their zero value. So nobody comes to own `f:spec` itself,
//! nor a counter that stays 0, by creating an object.

use serde_json::Value;

use crate::cluster::api::schema::Struct;

/// Type and members, sorted by type.
const ALWAYS_THERE: &[(&str, &[&str])] = &[
    ("CSIDriver", &["spec"]),
    ("CSINode", &["spec"]),
    ("CSINodeSpec", &["drivers"]),
    ("CSIStorageCapacity", &["storageClassName"]),
    ("Container", &["name", "resources"]),
    ("ControllerRevision", &["revision"]),
    ("CronJob", &["spec", "status"]),
    ("CronJobSpec", &["jobTemplate", "schedule"]),
    ("CustomResourceDefinition", &["spec", "status"]),
    ("CustomResourceDefinitionSpec", &["group", "names", "scope", "versions"]),
    ("CustomResourceDefinitionStatus", &["acceptedNames", "conditions", "storedVersions"]),
    ("DaemonSet", &["spec", "status"]),
    ("DaemonSetSpec", &["template", "updateStrategy"]),
    ("DaemonSetStatus", &["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"]),
    ("Deployment", &["spec", "status"]),
    ("DeploymentSpec", &["strategy", "template"]),
    ("EndpointSlice", &["addressType"]),
    ("Event", &["deprecatedSource", "reportingComponent", "reportingInstance", "source"]),
    ("HorizontalPodAutoscaler", &["spec", "status"]),
    ("HorizontalPodAutoscalerSpec", &["maxReplicas"]),
    ("HorizontalPodAutoscalerStatus", &["currentReplicas", "desiredReplicas"]),
    ("IPAddress", &["spec"]),
    ("Ingress", &["spec", "status"]),
    ("IngressClass", &["spec"]),
    ("IngressStatus", &["loadBalancer"]),
    ("Job", &["spec", "status"]),
    ("JobSpec", &["template"]),
    ("JobTemplateSpec", &["spec"]),
    ("Lease", &["spec"]),
    ("LimitRange", &["spec"]),
    ("Namespace", &["spec", "status"]),
    ("NetworkPolicy", &["spec"]),
    ("Node", &["spec", "status"]),
    ("NodeDaemonEndpoints", &["kubeletEndpoint"]),
    ("NodeStatus", &["daemonEndpoints", "nodeInfo"]),
    (
        "NodeSystemInfo",
        &[
            "architecture",
            "bootID",
            "containerRuntimeVersion",
            "kernelVersion",
            "kubeProxyVersion",
            "kubeletVersion",
            "machineID",
            "operatingSystem",
            "osImage",
            "systemUUID",
        ],
    ),
    ("PersistentVolume", &["spec", "status"]),
    ("PersistentVolumeClaim", &["spec", "status"]),
    ("PersistentVolumeClaimSpec", &["resources"]),
    ("PersistentVolumeClaimTemplate", &["spec"]),
    ("Pod", &["spec", "status"]),
    ("PodDisruptionBudget", &["spec", "status"]),
    ("PodDisruptionBudgetStatus", &["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"]),
    ("PodSpec", &["containers"]),
    ("PodTemplate", &["template"]),
    ("PodTemplateSpec", &["spec"]),
    ("PriorityClass", &["value"]),
    ("ReplicaSet", &["spec", "status"]),
    ("ReplicaSetSpec", &["template"]),
    ("ReplicaSetStatus", &["replicas"]),
    ("ReplicationController", &["spec", "status"]),
    ("ReplicationControllerStatus", &["replicas"]),
    ("ResourceQuota", &["spec", "status"]),
    ("Scale", &["spec", "status"]),
    ("ScaleStatus", &["replicas"]),
    ("Service", &["spec", "status"]),
    ("ServiceCIDR", &["spec", "status"]),
    ("ServiceStatus", &["loadBalancer"]),
    ("StatefulSet", &["spec", "status"]),
    ("StatefulSetSpec", &["serviceName", "template", "updateStrategy"]),
    ("StatefulSetStatus", &["availableReplicas", "replicas"]),
    ("StorageClass", &["provisioner"]),
    ("VolumeAttachment", &["spec", "status"]),
    ("VolumeAttachmentSpec", &["attacher", "nodeName", "source"]),
    ("VolumeAttachmentStatus", &["attached"]),
    ("VolumeAttributesClass", &["driverName"]),
];

/// The zero value that stands for an absent member; `like` is what the member is elsewhere. `None` when the member can
/// be absent.
pub(super) fn zero(kind: &Struct, member: &str, like: &Value) -> Option<Value> {
    if kind.full_name.is_empty() {
        return None;
    }
    let place = ALWAYS_THERE.binary_search_by_key(&kind.name.as_str(), |(name, _)| name).ok()?;
    let (_, members) = ALWAYS_THERE.get(place)?;
    if !(members.contains(&member) || member == "metadata") {
        return None;
    }
    Some(match like {
        Value::Object(_) => Value::Object(crate::cluster::object::Map::new()),
        Value::String(_) => "".into(),
        Value::Number(_) => 0.into(),
        Value::Bool(_) => false.into(),
        Value::Array(_) | Value::Null => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(ALWAYS_THERE.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(ALWAYS_THERE.iter().all(|(_, members)| members.is_sorted()));
    }

    #[test]
    fn only_built_in_kinds_have_zero_values() {
        let mut kind = Struct { name: "Pod".to_owned(), ..Struct::default() };
        assert_eq!(zero(&kind, "spec", &serde_json::json!({"a": 1})), None);
        kind.full_name = "io.k8s.api.core.v1.Pod".to_owned();
        assert_eq!(zero(&kind, "spec", &serde_json::json!({"a": 1})), Some(serde_json::json!({})));
        assert_eq!(zero(&kind, "other", &serde_json::json!({"a": 1})), None);
    }
}
