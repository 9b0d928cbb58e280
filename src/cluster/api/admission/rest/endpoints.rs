//! Endpoints, EndpointSlice.

use std::collections::BTreeSet;

use core::net::IpAddr;

use serde_json::Value;

use super::address::family;
use super::check::{Check, IMMUTABLE, PROTOCOLS};
use super::kind::{Blank, Generation, Kind};
use crate::cluster::api::admission::names;
use crate::cluster::api::status::{Fault, FieldError};
use crate::cluster::object::{at, int, list, map, set_default, text};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        kind: "Endpoints",
        create_on_update: true,
        defaults: |endpoints| {
            for subset in endpoints.get_mut("subsets").and_then(Value::as_array_mut).into_iter().flatten() {
                for port in subset.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                    set_default(port, &["protocol"], "TCP");
                }
            }
        },
        validate: endpoints,
        ..Kind::NAMESPACED
    },
    Kind {
        group: "discovery.k8s.io",
        kind: "EndpointSlice",
        generation: Generation::Content,
        always: &[(&["endpoints"], Blank::Null), (&["ports"], Blank::Null)],
        defaults: |slice| {
            for port in slice.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                set_default(port, &["name"], "");
                set_default(port, &["protocol"], "TCP");
            }
        },
        validate: slice,
        ..Kind::NAMESPACED
    },
];

/// The most endpoints, and the most ports, that a slice may have.
const MOST_ENDPOINTS: usize = 1000;
const MOST_PORTS: usize = 20_000;
/// The most addresses of an endpoint.
const MOST_ADDRESSES: usize = 100;
/// The most zones or nodes that an endpoint may be meant for.
const MOST_HINTS: usize = 8;

fn endpoints(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
    }
    check.new_metadata(new);
    check.items(new, &["subsets"], |check, field, subset| {
        let parts = ["addresses", "notReadyAddresses"];
        if parts.iter().all(|part| list(subset, &[part]).is_empty()) {
            check.required(field, "must specify `addresses` or `notReadyAddresses`");
        }
        for part in parts {
            for (index, address) in list(subset, &[part]).iter().enumerate() {
                check.endpoint_address(&format!("{field}.{part}[{index}]"), address);
            }
        }
        let ports = list(subset, &["ports"]);
        for (index, port) in ports.iter().enumerate() {
            let field = format!("{field}.ports[{index}]");
            let name = text(port, &["name"]);
            if !name.is_empty() || ports.len() > 1 {
                check.required_name(&format!("{field}.name"), name, names::dns_label);
            }
            check.port(format!("{field}.port"), int(port, &["port"]).unwrap_or(0));
            check.protocols(&field, port);
        }
    });
}

fn slice(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.new_metadata(new);
    check.address_type(new);
    let count = list(new, &["endpoints"]).len();
    if count > MOST_ENDPOINTS {
        check.too_many("endpoints", count, MOST_ENDPOINTS);
    } else {
        let kind = text(new, &["addressType"]);
        check.items(new, &["endpoints"], |check, field, endpoint| check.endpoint(field, endpoint, kind));
    }
    check.slice_ports(new);
    if let Some(old) = old {
        let (kind, before) = (text(new, &["addressType"]), text(old, &["addressType"]));
        if kind != before {
            check.invalid("addressType", kind, IMMUTABLE);
        }
    }
}

impl Check<'_> {
    fn too_many(&mut self, field: impl Into<String>, there: usize, most: usize) {
        self.errors.push(FieldError { field: field.into(), fault: Fault::TooMany(there, most) });
    }

    fn endpoint_address(&mut self, field: &str, address: &Value) {
        let ip = text(address, &["ip"]);
        let parsed = self.ip(&format!("{field}.ip"), ip);
        let host = text(address, &["hostname"]);
        if !host.is_empty() {
            self.sentences(&format!("{field}.hostname"), host, names::dns_label(host));
        }
        if let Some(node) = at(address, &["nodeName"]).and_then(Value::as_str) {
            self.sentences(&format!("{field}.nodeName"), node, names::dns_subdomain(node));
        }
        match parsed {
            Some(_) => self.not_special(&format!("{field}.ip"), ip),
            None => self.invalid(format!("{field}.ip"), ip, "must be a valid IP address"),
        }
    }

    fn protocols(&mut self, field: &str, port: &Value) {
        self.required_one_of(&format!("{field}.protocol"), text(port, &["protocol"]), &PROTOCOLS);
        if let Some(protocol) = at(port, &["appProtocol"]).and_then(Value::as_str) {
            self.sentences(&format!("{field}.appProtocol"), protocol, names::qualified_name(protocol));
        }
    }

    fn address_type(&mut self, slice: &Value) {
        self.required_one_of("addressType", text(slice, &["addressType"]), &["FQDN", "IPv4", "IPv6"]);
    }

    fn endpoint(&mut self, field: &str, endpoint: &Value, kind: &str) {
        let addresses = list(endpoint, &["addresses"]);
        let all = format!("{field}.addresses");
        match addresses.len() {
            0 => self.required(all.as_str(), "must contain at least 1 address"),
            count if count > MOST_ADDRESSES => self.too_many(all.as_str(), count, MOST_ADDRESSES),
            _ => {}
        }
        for (index, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
            let field = format!("{all}[{index}]");
            match (kind, address.parse::<IpAddr>()) {
                ("FQDN", _) => self.sentences(&field, address, names::dns_subdomain(address)),
                ("IPv4" | "IPv6", Ok(ip)) if family(ip) == kind => self.not_special(&field, address),
                ("IPv4" | "IPv6", _) => self.invalid(field, address, format!("must be a valid {kind} address")),
                _ => {}
            }
        }
        if let Some(node) = at(endpoint, &["nodeName"]).and_then(Value::as_str) {
            self.sentences(&format!("{field}.nodeName"), node, names::dns_subdomain(node));
        }
        self.labels(&format!("{field}.deprecatedTopology"), map(endpoint, &["deprecatedTopology"]));
        if let Some(host) = at(endpoint, &["hostname"]).and_then(Value::as_str) {
            self.sentences(&format!("{field}.hostname"), host, names::dns_label(host));
        }
        for (member, name) in [("forZones", "name"), ("forNodes", "name")] {
            let hints = list(endpoint, &["hints", member]);
            if hints.len() > MOST_HINTS {
                self.too_many(format!("{field}.hints.{member}"), hints.len(), MOST_HINTS);
            }
            for (index, hint) in hints.iter().enumerate() {
                let target = text(hint, &[name]);
                let field = format!("{field}.hints.{member}[{index}].{name}");
                self.sentences(&field, target, names::qualified_name(target));
            }
        }
    }

    fn slice_ports(&mut self, slice: &Value) {
        let count = list(slice, &["ports"]).len();
        if count > MOST_PORTS {
            self.too_many("ports", count, MOST_PORTS);
            return;
        }
        let mut seen = BTreeSet::new();
        self.items(slice, &["ports"], |check, field, port| {
            let name = text(port, &["name"]);
            if !name.is_empty() {
                check.sentences(&format!("{field}.name"), name, names::dns_label(name));
            }
            if !seen.insert(name) {
                check.duplicate(format!("{field}.name"), name);
            }
            check.protocols(field, port);
        });
    }
}
