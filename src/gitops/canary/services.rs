//! The services of a canary, and the primary's autoscaler.

use serde_json::{Value, json};

use super::spec::Canary;
use super::workload::owner;
use crate::cluster::object::{at, flag, int, list, map, text};

/// Which of the three services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that clients use.
    Apex,
    /// The primary's.
    Primary,
    /// The canary's.
    Canary,
}

/// The name of a service.
pub fn name(canary: &Canary, role: Role) -> String {
    let apex = canary.apex();
    match role {
        Role::Apex => apex.to_owned(),
        Role::Primary => format!("{apex}-primary"),
        Role::Canary => format!("{apex}-canary"),
    }
}

/// A service as it is to be: pods by this label and value. One that belongs to somebody else stays theirs.
pub fn service(canary: &Canary, role: Role, selector: (&str, &str), target: &Value, owned: bool) -> Value {
    let block = &canary.spec.service;
    let (label, value) = selector;
    let value = if role == Role::Canary { value.to_owned() } else { format!("{value}-primary") };
    let own = match role {
        Role::Apex => "apex",
        Role::Primary => "primary",
        Role::Canary => "canary",
    };
    let name = name(canary, role);
    let mut labels = map(block, &[own, "labels"]).cloned().unwrap_or_default();
    labels.entry(label.to_owned()).or_insert_with(|| name.clone().into());
    let mut metadata = json!({"name": name, "namespace": canary.key.namespace, "labels": labels});
    if let Some(annotations) = map(block, &[own, "annotations"]) {
        metadata["annotations"] = Value::Object(annotations.clone());
    }
    if owned {
        metadata["ownerReferences"] = json!([owner(canary)]);
    }
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {label: value}, "ports": ports(canary, target)},
    });
    if owned {
        object["spec"]["type"] = "ClusterIP".into();
        if flag(block, &["headless"]) {
            object["spec"]["clusterIP"] = "None".into();
        }
        if let Some(distribution) = block.get("trafficDistribution").filter(|it| it.is_string()) {
            object["spec"]["trafficDistribution"] = distribution.clone();
        }
    }
    object
}

fn ports(canary: &Canary, target: &Value) -> Vec<Value> {
    let block = &canary.spec.service;
    let number = int(block, &["port"]).unwrap_or(0);
    let port_name = Some(text(block, &["portName"])).filter(|name| !name.is_empty()).unwrap_or("http");
    let to = block.get("targetPort").filter(|port| port.is_i64() || port.is_string());
    let to = to.filter(|port| port.as_i64() != Some(0)).cloned().unwrap_or_else(|| number.into());
    let mut first = json!({"name": port_name, "protocol": "TCP", "port": number, "targetPort": to.clone()});
    if let Some(protocol) = block.get("appProtocol").filter(|it| it.is_string()) {
        first["appProtocol"] = protocol.clone();
    }
    let mut ports = vec![first];
    if flag(block, &["portDiscovery"]) {
        let containers = list(target, &["spec", "template", "spec", "containers"]);
        for port in containers.iter().flat_map(|container| list(container, &["ports"])) {
            let (other, other_name) = (int(port, &["containerPort"]).unwrap_or(0), text(port, &["name"]));
            let known = other == number || Some(other) == to.as_i64() || to.as_str() == Some(other_name);
            if known || other_name == port_name || other == 0 {
                continue;
            }
            let other_name = if other_name.is_empty() { format!("tcp-{other}") } else { other_name.to_owned() };
            ports.push(json!({"name": other_name, "protocol": "TCP", "port": other, "targetPort": other}));
        }
    }
    ports
}

/// The primary's autoscaler after the target's.
pub fn autoscaler(canary: &Canary, scaler: &Value) -> Value {
    let mut spec = scaler.get("spec").cloned().unwrap_or_default();
    spec["scaleTargetRef"]["name"] = canary.primary().into();
    let bounds = canary.spec.scaler_replicas.clone().unwrap_or_default();
    for (from, to) in [("minReplicas", "minReplicas"), ("maxReplicas", "maxReplicas")] {
        if let Some(bound) = at(&bounds, &[from]).filter(|bound| bound.is_i64()) {
            spec[to] = bound.clone();
        }
    }
    json!({
        "apiVersion": text(scaler, &["apiVersion"]),
        "kind": text(scaler, &["kind"]),
        "metadata": {
            "name": format!("{}-primary", text(scaler, &["metadata", "name"])),
            "namespace": canary.key.namespace,
            "labels": super::workload::without_sync(at(scaler, &["metadata", "labels"])),
            "ownerReferences": [owner(canary)],
        },
        "spec": spec,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(service: &Value) -> Canary {
        Canary::read(&json!({"metadata": {"name": "podinfo", "namespace": "prod", "uid": "u"},
            "spec": {"targetRef": {"kind": "Deployment", "name": "podinfo"}, "service": service}}))
    }

    #[test]
    fn services_have_their_names() {
        let canary = canary(&json!({"name": "web", "port": 80}));
        let names = [Role::Apex, Role::Primary, Role::Canary].map(|role| name(&canary, role));
        assert_eq!(names, ["web", "web-primary", "web-canary"]);
    }

    #[test]
    fn the_apex_leads_to_the_primary() {
        let canary = canary(&json!({"port": 9898, "apex": {"labels": {"x": "y"}}}));
        let adopted = service(&canary, Role::Apex, ("app", "podinfo"), &Value::Null, false);
        let expected = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "podinfo", "namespace": "prod", "labels": {"x": "y", "app": "podinfo"}},
            "spec": {"selector": {"app": "podinfo-primary"},
                "ports": [{"name": "http", "protocol": "TCP", "port": 9898, "targetPort": 9898}]}});
        assert_eq!(adopted, expected);
        let own = service(&canary, Role::Canary, ("app", "podinfo"), &Value::Null, true);
        assert_eq!(own["spec"]["selector"], json!({"app": "podinfo"}));
        assert_eq!(own["spec"]["type"], json!("ClusterIP"));
    }

    #[test]
    fn other_ports_are_found() {
        let canary = canary(&json!({"port": 80, "targetPort": "http", "portName": "http", "portDiscovery": true}));
        let target = json!({"spec": {"template": {"spec": {"containers": [{"ports": [
            {"name": "http", "containerPort": 8080}, {"name": "grpc", "containerPort": 9999}, {"containerPort": 1}]}]}}}});
        let ports = ports(&canary, &target);
        let names: Vec<&str> = ports.iter().map(|port| text(port, &["name"])).collect();
        assert_eq!(names, ["http", "grpc", "tcp-1"]);
        assert_eq!(ports[0]["targetPort"], json!("http"));
    }

    #[test]
    fn the_primary_scales_between_its_own_bounds() {
        let mut canary = canary(&json!({"port": 80}));
        canary.spec.scaler_replicas = Some(json!({"minReplicas": 3}));
        let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "podinfo"}, "spec": {"minReplicas": 1, "maxReplicas": 5,
                "scaleTargetRef": {"kind": "Deployment", "name": "podinfo"}}});
        let primary = autoscaler(&canary, &scaler);
        assert_eq!(primary["metadata"]["name"], json!("podinfo-primary"));
        assert_eq!(
            primary["spec"],
            json!({"minReplicas": 3, "maxReplicas": 5,
            "scaleTargetRef": {"kind": "Deployment", "name": "podinfo-primary"}})
        );
    }
}
