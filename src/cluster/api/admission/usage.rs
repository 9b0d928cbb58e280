//! What pods, services and claims use of what is limited.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rest::is_extended;
use crate::cluster::object::{Map, at, flag, int, list, map, text};
use crate::cluster::quantity::Quantity;

/// Amounts by the name of what they are of.
pub(super) type Usage = BTreeMap<String, Quantity>;

/// The amounts of a map.
pub(super) fn amounts(members: Option<&Map>) -> Usage {
    let members = members.into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), Quantity::read(value)?))).collect()
}

/// Whether a pod has ended, so that it needs nothing any more.
pub(super) fn is_over(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&text(pod, &["status", "phase"]))
}

/// All containers of a pod that ask for resources of their own.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, &["spec", "containers"]).iter().chain(list(pod, &["spec", "initContainers"]))
}

/// Whether none of a pod's containers asks for processors or memory.
pub(super) fn is_best_effort(pod: &Value) -> bool {
    let computes = |amounts: Option<&Map>| {
        let read = |name| amounts.and_then(|amounts| amounts.get(name)).and_then(Quantity::read);
        ["cpu", "memory"].into_iter().filter_map(read).any(|amount| amount.sign().is_gt())
    };
    let asks = |container| ["requests", "limits"].iter().any(|part| computes(map(container, &["resources", part])));
    !containers(pod).chain([at(pod, &["spec"]).unwrap_or(&Value::Null)]).any(asks)
}

/// Whether where a pod runs depends on pods of other namespaces.
pub(super) fn reaches_other_namespaces(pod: &Value) -> bool {
    let far = |term: &Value| !list(term, &["namespaces"]).is_empty() || at(term, &["namespaceSelector"]).is_some();
    ["podAffinity", "podAntiAffinity"].iter().any(|part| {
        let path = ["spec", "affinity", part];
        let Some(affinity) = at(pod, &path) else { return false };
        list(affinity, &["requiredDuringSchedulingIgnoredDuringExecution"]).iter().any(far)
            || list(affinity, &["preferredDuringSchedulingIgnoredDuringExecution"])
                .iter()
                .filter_map(|weighted| at(weighted, &["podAffinityTerm"]))
                .any(far)
    })
}

/// What a pod asks for, or may use, in all: its containers together or the greediest of those before them.
pub(super) fn pod_total(pod: &Value, part: &str) -> Usage {
    let of = |container| amounts(map(container, &["resources", part]));
    let mut total = Usage::new();
    for container in list(pod, &["spec", "containers"]) {
        add(&mut total, of(container));
    }
    // helpers that stay run beside everything that starts after them
    let mut helpers = Usage::new();
    let mut before = Usage::new();
    for container in list(pod, &["spec", "initContainers"]) {
        if text(container, &["restartPolicy"]) == "Always" {
            add(&mut total, of(container));
            add(&mut helpers, of(container));
            raise(&mut before, &helpers);
        } else {
            let mut now = helpers.clone();
            add(&mut now, of(container));
            raise(&mut before, &now);
        }
    }
    raise(&mut total, &before);
    for (name, amount) in amounts(map(pod, &["spec", "resources", part])) {
        total.insert(name, amount);
    }
    for (name, amount) in amounts(map(pod, &["spec", "overhead"])) {
        if part == "requests" || total.contains_key(&name) {
            add(&mut total, Usage::from([(name, amount)]));
        }
    }
    total
}

fn add(total: &mut Usage, more: Usage) {
    for (name, amount) in more {
        let sum = total.get(&name).copied().unwrap_or_default() + amount;
        total.insert(name, sum);
    }
}

fn raise(total: &mut Usage, least: &Usage) {
    for (name, amount) in least {
        if total.get(name).is_none_or(|there| there < amount) {
            total.insert(name.clone(), *amount);
        }
    }
}

/// What a pod uses of what a quota can be on.
pub(super) fn pod_usage(pod: &Value) -> Usage {
    let mut usage = Usage::from([("pods".to_owned(), Quantity::count(1))]);
    for (name, amount) in pod_total(pod, "requests") {
        let huge = name.starts_with("hugepages-");
        let compute = ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str());
        if compute || huge || is_extended(&name) {
            usage.insert(format!("requests.{name}"), amount);
        }
        if compute || huge {
            usage.insert(name, amount);
        }
    }
    for (name, amount) in pod_total(pod, "limits") {
        if ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()) {
            usage.insert(format!("limits.{name}"), amount);
        }
    }
    usage
}

/// What a service uses.
pub(super) fn service_usage(service: &Value) -> Usage {
    let ports = list(service, &["spec", "ports"]);
    let named = || ports.iter().filter(|port| int(port, &["nodePort"]).is_some_and(|number| number != 0)).count();
    let always = at(service, &["spec", "allocateLoadBalancerNodePorts"]).is_none()
        || flag(service, &["spec", "allocateLoadBalancerNodePorts"]);
    let (node_ports, balancers) = match text(service, &["spec", "type"]) {
        "NodePort" => (ports.len(), 0),
        "LoadBalancer" => (if always { ports.len() } else { named() }, 1),
        _ => (0, 0),
    };
    let node_ports = i64::try_from(node_ports).unwrap_or(i64::MAX);
    Usage::from([
        ("services.nodeports".to_owned(), Quantity::count(node_ports)),
        ("services.loadbalancers".to_owned(), Quantity::count(balancers)),
    ])
}

/// What a claim uses.
pub(super) fn claim_usage(claim: &Value) -> Usage {
    let asked = |path: &[&str]| at(claim, path).and_then(Quantity::read);
    let mut size = asked(&["spec", "resources", "requests", "storage"]);
    // what was given counts as long as it is more than what is asked for
    if let (Some(now), Some(given)) = (size, asked(&["status", "allocatedResources", "storage"]))
        && given > now
    {
        size = Some(given);
    }
    let mut usage = Usage::new();
    let class = text(claim, &["spec", "storageClassName"]);
    let of_class = |what: &str| format!("{class}.storageclass.storage.k8s.io/{what}");
    if !class.is_empty() {
        usage.insert(of_class("persistentvolumeclaims"), Quantity::count(1));
    }
    if let Some(size) = size {
        usage.insert("requests.storage".to_owned(), size);
        if !class.is_empty() {
            usage.insert(of_class("requests.storage"), size);
        }
    }
    usage
}
