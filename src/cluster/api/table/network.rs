//! Rows of services, endpoints, ingresses, and network policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::selector::{label_selector, labels};
use super::{Cell, created, name, text_or};
use crate::cluster::object::{at, int, list, map, text};

/// Endpoints, ports or hosts that are shown before the rest is only counted.
const SHOWN: usize = 3;

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    Some(match kind {
        "Service" => vec![
            name(object),
            text(object, &["spec", "type"]).into(),
            cluster_ip(object).into(),
            external_ip(object).into(),
            ports(object).into(),
            created(object),
            labels(map(object, &["spec", "selector"])).into(),
        ],
        "Endpoints" => vec![name(object), endpoints(object).into(), created(object)],
        "EndpointSlice" => vec![
            name(object),
            text(object, &["addressType"]).into(),
            slice_ports(object).into(),
            slice_endpoints(object).into(),
            created(object),
        ],
        "Ingress" => vec![
            name(object),
            text_or(text(object, &["spec", "ingressClassName"]), "<none>").into(),
            hosts(object).into(),
            balancers(object).join(",").into(),
            if list(object, &["spec", "tls"]).is_empty() { "80" } else { "80, 443" }.into(),
            created(object),
        ],
        "IngressClass" => vec![
            name(object),
            text(object, &["spec", "controller"]).into(),
            class_parameters(object).into(),
            created(object),
        ],
        "NetworkPolicy" => {
            vec![name(object), label_selector(at(object, &["spec", "podSelector"])).into(), created(object)]
        }
        "IPAddress" => vec![name(object), parent(object).into()],
        "ServiceCIDR" => vec![name(object), texts(object, &["spec", "cidrs"]).join(",").into(), created(object)],
        _ => return None,
    })
}

fn texts<'a>(object: &'a Value, path: &[&str]) -> Vec<&'a str> {
    list(object, path).iter().filter_map(Value::as_str).collect()
}

fn cluster_ip(service: &Value) -> &str {
    let first = list(service, &["spec", "clusterIPs"]).first().and_then(Value::as_str);
    text_or(first.unwrap_or_else(|| text(service, &["spec", "clusterIP"])), "<none>")
}

fn external_ip(service: &Value) -> String {
    let external = texts(service, &["spec", "externalIPs"]);
    match text(service, &["spec", "type"]) {
        "ClusterIP" | "NodePort" => text_or(&external.join(","), "<none>").to_owned(),
        "LoadBalancer" => {
            let mut all: Vec<_> = balancers(service).into_iter().collect();
            all.extend(external);
            text_or(&all.join(","), "<pending>").to_owned()
        }
        "ExternalName" => text(service, &["spec", "externalName"]).to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses or names of the load balancers, sorted.
fn balancers(object: &Value) -> Vec<&str> {
    let all: BTreeSet<_> = list(object, &["status", "loadBalancer", "ingress"])
        .iter()
        .map(|ingress| text_or(text(ingress, &["ip"]), text(ingress, &["hostname"])))
        .filter(|address| !address.is_empty())
        .collect();
    all.into_iter().collect()
}

fn ports(service: &Value) -> String {
    let port = |port: &Value| {
        let (number, protocol) = (int(port, &["port"]).unwrap_or(0), text(port, &["protocol"]));
        match int(port, &["nodePort"]) {
            Some(node) if node > 0 => format!("{number}:{node}/{protocol}"),
            _ => format!("{number}/{protocol}"),
        }
    };
    let ports: Vec<_> = list(service, &["spec", "ports"]).iter().map(port).collect();
    text_or(&ports.join(","), "<none>").to_owned()
}

/// The first ones, and how many there are besides.
fn shortened(shown: &[String], count: usize) -> String {
    let text = shown.join(",");
    if count > SHOWN { format!("{text} + {} more...", count - SHOWN) } else { text }
}

fn endpoints(object: &Value) -> String {
    let subsets = list(object, &["subsets"]);
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut shown = Vec::new();
    let mut count = 0;
    for subset in subsets {
        let addresses = list(subset, &["addresses"]);
        let ports = list(subset, &["ports"]);
        // a headless service may have no ports
        let ports: Vec<_> = if ports.is_empty() { vec![None] } else { ports.iter().map(Some).collect() };
        for port in ports {
            count += addresses.len();
            for address in addresses.iter().take(SHOWN.saturating_sub(shown.len())) {
                let ip = text(address, &["ip"]);
                shown.push(match port.map(|port| int(port, &["port"]).unwrap_or(0)) {
                    None => ip.to_owned(),
                    Some(port) if ip.contains(':') => format!("[{ip}]:{port}"),
                    Some(port) => format!("{ip}:{port}"),
                });
            }
        }
    }
    shortened(&shown, count)
}

fn slice_ports(object: &Value) -> String {
    let ports = list(object, &["ports"]);
    let shown = ports.iter().take(SHOWN).map(|port| match (int(port, &["port"]), at(port, &["name"])) {
        (Some(number), _) => number.to_string(),
        (None, Some(Value::String(name))) => name.clone(),
        (None, _) => "*".to_owned(),
    });
    let shown: Vec<_> = shown.collect();
    text_or(&shortened(&shown, ports.len()), "<unset>").to_owned()
}

fn slice_endpoints(object: &Value) -> String {
    let endpoints = list(object, &["endpoints"]);
    let addresses: Vec<_> = endpoints.iter().flat_map(|endpoint| texts(endpoint, &["addresses"])).collect();
    let shown: Vec<_> = addresses.iter().take(SHOWN).map(|&address| address.to_owned()).collect();
    text_or(&shortened(&shown, addresses.len()), "<unset>").to_owned()
}

fn hosts(ingress: &Value) -> String {
    let rules = list(ingress, &["spec", "rules"]);
    let mut shown = Vec::new();
    let mut more = false;
    for rule in rules {
        // the fourth rule makes it more, with a host or without
        more |= shown.len() == SHOWN;
        let host = text(rule, &["host"]);
        if !more && !host.is_empty() {
            shown.push(host.to_owned());
        }
    }
    match shown.is_empty() {
        true => "*".to_owned(),
        false => shortened(&shown, if more { rules.len() } else { shown.len() }),
    }
}

fn class_parameters(class: &Value) -> String {
    let Some(parameters) = at(class, &["spec", "parameters"]).filter(|value| !value.is_null()) else {
        return "<none>".to_owned();
    };
    let kind = text(parameters, &["kind"]);
    let group = at(parameters, &["apiGroup"]).and_then(Value::as_str);
    let kind = group.map_or(kind.to_owned(), |group| format!("{kind}.{group}"));
    format!("{kind}/{}", text(parameters, &["name"]))
}

fn parent(address: &Value) -> String {
    let Some(parent) = at(address, &["spec", "parentRef"]).filter(|value| !value.is_null()) else {
        return "<none>".to_owned();
    };
    let resource = crate::cluster::api::status::qualified(text(parent, &["resource"]), text(parent, &["group"]));
    let mut parts = vec![resource.to_lowercase()];
    parts.extend([text(parent, &["namespace"])].map(str::to_owned).into_iter().filter(|part| !part.is_empty()));
    parts.push(text(parent, &["name"]).to_owned());
    parts.join("/")
}
