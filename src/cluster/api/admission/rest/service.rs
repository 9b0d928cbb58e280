//! Service: defaults, and what an update carries over or drops. Its checks and its addresses have files of their own.

use serde_json::Value;

use super::check::same;
use super::kind::{Blank, Kind, Status};
use super::service_validation;
use crate::cluster::api::admission::names;
use crate::cluster::object::{self, at, int, list, set, set_default, text};

pub(super) const KINDS: &[Kind] = &[Kind {
    kind: "Service",
    names: names::label_names,
    status: Status::Separate,
    create_on_update: true,
    always: &[(&["spec"], Blank::Object), (&["status", "loadBalancer"], Blank::Object)],
    defaults,
    update: drop_unneeded,
    validate: service_validation::service,
    warnings,
    ..Kind::NAMESPACED
}];

/// The type of a service.
pub(super) fn kind(service: &Value) -> &str {
    text(service, &["spec", "type"])
}

/// Whether it has a node port for each of its ports.
pub(super) fn needs_node_ports(service: &Value) -> bool {
    match kind(service) {
        "NodePort" => true,
        "LoadBalancer" => at(service, &["spec", "allocateLoadBalancerNodePorts"]) != Some(&Value::Bool(false)),
        _ => false,
    }
}

/// Whether it has a cluster IP, or says that it has none.
pub(super) fn needs_cluster_ip(service: &Value) -> bool {
    matches!(kind(service), "ClusterIP" | "NodePort" | "LoadBalancer")
}

/// Whether load balancers have to ask the nodes for its health.
pub(super) fn needs_health_check(service: &Value) -> bool {
    kind(service) == "LoadBalancer" && text(service, &["spec", "externalTrafficPolicy"]) == "Local"
}

/// Whether traffic from outside the cluster can reach it.
pub(super) fn is_external(service: &Value) -> bool {
    match kind(service) {
        "NodePort" | "LoadBalancer" => true,
        "ClusterIP" => !list(service, &["spec", "externalIPs"]).is_empty(),
        _ => false,
    }
}

/// Whether it has no address of its own on purpose.
pub(super) fn is_headless(service: &Value) -> bool {
    matches!(list(service, &["spec", "clusterIPs"]), [only] if only == "None")
}

fn defaults(service: &mut Value) {
    set_default(service, &["spec", "sessionAffinity"], "None");
    match text(service, &["spec", "sessionAffinity"]) {
        "None" => drop(object::remove(service, &["spec", "sessionAffinityConfig"])),
        "ClientIP" => set_default(service, &["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], 10800),
        _ => {}
    }
    set_default(service, &["spec", "type"], "ClusterIP");
    if let Some(ports) = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut) {
        for port in ports {
            set_default(port, &["protocol"], "TCP");
            let target = at(port, &["targetPort"]).filter(|target| **target != 0 && *target != "");
            if target.is_none() {
                let number = int(port, &["port"]).unwrap_or(0);
                set(port, &["targetPort"], number);
            }
        }
    }
    if is_external(service) {
        set_default(service, &["spec", "externalTrafficPolicy"], "Cluster");
    }
    if needs_cluster_ip(service) {
        set_default(service, &["spec", "internalTrafficPolicy"], "Cluster");
    }
    if kind(service) == "LoadBalancer" {
        set_default(service, &["spec", "allocateLoadBalancerNodePorts"], true);
    }
    if let Some(points) = service.pointer_mut("/status/loadBalancer/ingress").and_then(Value::as_array_mut) {
        for point in points.iter_mut().filter(|point| !text(point, &["ip"]).is_empty()) {
            set_default(point, &["ipMode"], "VIP");
        }
    }
}

/// The node ports of a service in the order of its ports; 0 for none.
pub(super) fn node_ports(service: &Value) -> impl Iterator<Item = i64> {
    list(service, &["spec", "ports"]).iter().map(|port| int(port, &["nodePort"]).unwrap_or(0))
}

/// Whether a service needs something.
type Needs = fn(&Value) -> bool;

/// What only some services have use for.
const USES: [(Needs, &[&[&str]]); 4] = [
    (
        needs_cluster_ip,
        &[&["spec", "clusterIP"], &["spec", "clusterIPs"], &["spec", "ipFamilies"], &["spec", "ipFamilyPolicy"]],
    ),
    (needs_health_check, &[&["spec", "healthCheckNodePort"]]),
    (
        |service| kind(service) == "LoadBalancer",
        &[&["spec", "allocateLoadBalancerNodePorts"], &["spec", "loadBalancerClass"]],
    ),
    (is_external, &[&["spec", "externalTrafficPolicy"]]),
];

/// Drops what the new type has no use for, unless the writer changed it.
fn drop_unneeded(new: &mut Value, old: &Value) {
    for (needs, paths) in USES {
        if needs(old) && !needs(new) {
            for path in paths {
                if same(at(new, path), at(old, path)) {
                    object::remove(new, path);
                }
            }
        }
    }
    if needs_node_ports(old) && !needs_node_ports(new) && node_ports(new).eq(node_ports(old)) {
        for port in new.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
            object::remove(port, &["nodePort"]);
        }
    }
}

fn warnings(service: &Value, _: Option<&Value>, warnings: &mut Vec<String>) {
    let mut warn = |text: &str| warnings.push(text.to_owned());
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    if at(service, &["metadata", "annotations", HINTS]).is_some() {
        warn(&format!("annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"));
    }
    let external_name = kind(service) == "ExternalName";
    if external_name && !list(service, &["spec", "externalIPs"]).is_empty() {
        warn("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    }
    if !external_name && !text(service, &["spec", "externalName"]).is_empty() {
        warn("spec.externalName is ignored when spec.type is not \"ExternalName\"");
    }
    let sticky = !["", "None"].contains(&text(service, &["spec", "sessionAffinity"]));
    if text(service, &["spec", "clusterIP"]) == "None" && sticky {
        warn("spec.SessionAffinity is ignored for headless services");
    }
}
