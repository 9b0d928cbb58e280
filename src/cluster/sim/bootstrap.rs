//! What is in a cluster before anybody has made anything.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::store::ResourceName;
use crate::cluster::object::set;
use crate::cluster::sim::node::ready_conditions;
use crate::cluster::sim::service_account::{default_account, root_certificates};
use crate::cluster::sim::tools::{resource, stamp};

/// The name of the only node, unless others are asked for.
pub const CONTROL_PLANE: &str = "foredeck-control-plane";

/// The namespaces that are always there.
pub const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The storage class that claims get which do not name one.
pub const STORAGE_CLASS: &str = "standard";

/// The address of the API inside of the cluster.
pub const API_ADDRESS: &str = "10.96.0.1";

/// The objects to begin with; uids and versions are for the server to give. The first node is the control plane,
/// which takes ordinary pods only when it is the only one.
pub fn bootstrap(now: Timestamp, nodes: &[&str], version: &str, root_certificate: &str) -> Vec<(ResourceName, Value)> {
    let mut objects = Vec::new();
    let mut add = |name: &str, object: Value| objects.push((resource(name), object));
    for name in NAMESPACES {
        add("namespaces", namespace(name));
    }
    for (number, name) in (0u8..).zip(nodes) {
        let mut node = node(name, number, version, now);
        if number == 0 && nodes.len() > 1 {
            let taint = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
            set(&mut node, &["spec", "taints"], taint);
        }
        add("nodes", node);
    }
    for name in NAMESPACES {
        add("serviceaccounts", default_account(name));
        add("configmaps", root_certificates(name, root_certificate));
    }
    add("services", api_service());
    add("endpoints", api_endpoints());
    add("endpointslices.discovery.k8s.io", api_endpoint_slice());
    for (name, value, what) in
        [("system-cluster-critical", 2_000_000_000, "cluster"), ("system-node-critical", 2_000_001_000, "node")]
    {
        add("priorityclasses.scheduling.k8s.io", priority_class(name, value, what));
    }
    add("storageclasses.storage.k8s.io", storage_class());
    objects
}

fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// A node that is ready; the first one is the control plane.
pub fn node(name: &str, number: u8, version: &str, now: Timestamp) -> Value {
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    });
    if number == 0 {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "".into();
    }
    let resources = json!({
        "cpu": "64", "ephemeral-storage": "1000Gi", "memory": "256Gi", "pods": "1000",
    });
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": {
            "podCIDR": format!("10.244.{number}.0/24"),
            "podCIDRs": [format!("10.244.{number}.0/24")],
            "providerID": format!("foredeck://{name}"),
        },
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "conditions": ready_conditions(now),
            "addresses": [
                {"type": "InternalIP", "address": format!("172.18.0.{}", number.saturating_add(2))},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": machine_id(name, 0),
                "systemUUID": machine_uuid(name),
                "bootID": machine_uuid(&format!("boot of {name} at {}", stamp(now))),
                "kernelVersion": "6.12.0",
                "osImage": "foredeck (simulated)",
                "containerRuntimeVersion": "containerd://2.2.0",
                "kubeletVersion": version,
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
                "swap": {"capacity": 0},
            },
            "images": [],
        },
    })
}

fn machine_id(name: &str, start: usize) -> String {
    crate::cluster::sim::image::manifest::hex(name.as_bytes()).chars().skip(start).take(32).collect()
}

fn machine_uuid(name: &str) -> String {
    let hex = machine_id(name, 16);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("");
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn api_labels() -> Value {
    json!({"component": "apiserver", "provider": "kubernetes"})
}

fn api_service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": api_labels()},
        "spec": {
            "clusterIP": API_ADDRESS,
            "clusterIPs": [API_ADDRESS],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    })
}

fn api_endpoints() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{
            "addresses": [{"ip": "172.18.0.2"}],
            "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        }],
    })
}

fn api_endpoint_slice() -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["172.18.0.2"], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    })
}

fn priority_class(name: &str, value: i64, what: &str) -> Value {
    json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": format!("Used for system critical pods that must not be moved from their current {what}."),
        "preemptionPolicy": "PreemptLowerPriority",
    })
}

fn storage_class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "rancher.io/local-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::object::{Key, text};

    #[test]
    fn a_cluster_begins_with_what_kind_has() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap_or_default();
        let objects = bootstrap(now, &[CONTROL_PLANE, "worker"], "v1.36.2", "-----BEGIN CERTIFICATE-----\n");
        let names = |wanted: &str| -> Vec<String> {
            let found = objects.iter().filter(|(name, _)| &**name == wanted);
            found.map(|(_, object)| Key::of(object).to_string()).collect()
        };
        assert_eq!(names("namespaces"), NAMESPACES);
        assert_eq!(names("nodes"), [CONTROL_PLANE, "worker"]);
        assert_eq!(names("services"), ["default/kubernetes"]);
        assert_eq!(names("serviceaccounts").len(), 4);
        assert_eq!(names("configmaps")[0], "default/kube-root-ca.crt");
        let worker = objects.iter().find(|(_, object)| Key::of(object).name.as_ref() == "worker");
        let worker = worker.map(|(_, object)| object).unwrap_or(&Value::Null);
        assert_eq!(text(worker, &["spec", "podCIDR"]), "10.244.1.0/24");
        assert_eq!(text(worker, &["status", "nodeInfo", "kubeletVersion"]), "v1.36.2");
        assert_eq!(worker["metadata"]["labels"]["node-role.kubernetes.io/control-plane"], Value::Null);
        assert!(objects.iter().all(|(_, object)| !text(object, &["kind"]).is_empty()));
    }
}
