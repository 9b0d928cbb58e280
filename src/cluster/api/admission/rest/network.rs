//! NetworkPolicy, IPAddress, ServiceCIDR.

use core::net::IpAddr;

use serde_json::Value;

use super::address::{contains, family, network};
use super::check::{Check, texts};
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, entry, int, list, set_default, text};

const GROUP: &str = "networking.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        kind: "NetworkPolicy",
        generation: Generation::Member("spec"),
        always: &[(&["spec", "podSelector"], Blank::Object)],
        defaults: policy_defaults,
        validate: policy,
        ..Kind::NAMESPACED
    },
    Kind { group: GROUP, kind: "IPAddress", names: address_name, validate: address, ..Kind::CLUSTER },
    Kind {
        group: GROUP,
        kind: "ServiceCIDR",
        status: Status::Separate,
        always: &[(&["spec", "cidrs"], Blank::Null), (&["status"], Blank::Object)],
        validate: service_range,
        ..Kind::CLUSTER
    },
];

fn policy_defaults(policy: &mut Value) {
    for direction in ["ingress", "egress"] {
        let rules = policy.get_mut("spec").and_then(|spec| spec.get_mut(direction)).and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten() {
            for port in rule.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                set_default(port, &["protocol"], "TCP");
            }
        }
    }
    if list(policy, &["spec", "policyTypes"]).is_empty() {
        let mut types = vec![Value::from("Ingress")];
        if !list(policy, &["spec", "egress"]).is_empty() {
            types.push("Egress".into());
        }
        *entry(policy, &["spec", "policyTypes"]) = types.into();
    }
}

fn policy(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    check.selector("spec.podSelector", at(new, &["spec", "podSelector"]));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        check.items(new, &["spec", direction], |check, field, rule| {
            for (index, port) in list(rule, &["ports"]).iter().enumerate() {
                check.policy_port(&format!("{field}.ports[{index}]"), port);
            }
            for (index, peer) in list(rule, &[peers]).iter().enumerate() {
                check.peer(&format!("{field}.{peers}[{index}]"), peer);
            }
        });
    }
    let types = list(new, &["spec", "policyTypes"]);
    if types.len() > 2 {
        let hint = "may not specify more than two policyTypes";
        check.invalid("spec.policyTypes", types.to_vec(), hint);
        return;
    }
    for (index, kind) in texts(new, &["spec", "policyTypes"]).enumerate() {
        check.one_of(&format!("spec.policyTypes[{index}]"), kind, &["Ingress", "Egress"]);
    }
}

fn address_name(name: &str, _: bool) -> Vec<String> {
    match name.parse::<IpAddr>() {
        Err(_) => vec!["not a valid ip address".to_owned()],
        Ok(address) if address.to_string() != name => vec!["must be a canonical form IP address".to_owned()],
        Ok(_) => Vec::new(),
    }
}

fn address(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if let Some(old) = old {
        check.immutable("spec.parentRef", new, old, &["spec", "parentRef"]);
        return;
    }
    let Some(parent) = at(new, &["spec", "parentRef"]).filter(|parent| !parent.is_null()) else {
        check.required("spec.parentRef", "");
        return;
    };
    let group = text(parent, &["group"]);
    if !group.is_empty() {
        check.sentences("spec.parentRef.group", group, names::dns_subdomain(group));
    }
    check.required_name("spec.parentRef.resource", text(parent, &["resource"]), names::path_segment);
    check.required_name("spec.parentRef.name", text(parent, &["name"]), names::path_segment);
    let namespace = text(parent, &["namespace"]);
    if !namespace.is_empty() {
        check.sentences("spec.parentRef.namespace", namespace, names::path_segment(namespace));
    }
}

fn service_range(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if let Some(old) = old {
        check.immutable("spec.cidrs", new, old, &["spec", "cidrs"]);
        return;
    }
    let all = list(new, &["spec", "cidrs"]);
    match all.len() {
        0 => check.required("spec.cidrs", "at least one CIDR required"),
        1 | 2 => {}
        _ => {
            let hint = "may only hold up to 2 values";
            check.invalid("spec", at(new, &["spec"]).cloned().unwrap_or_default(), hint);
        }
    }
    let mut families = Vec::new();
    for (index, value) in texts(new, &["spec", "cidrs"]).enumerate() {
        let field = format!("spec.cidrs[{index}]");
        let Some(range) = check.cidr(&field, value) else { continue };
        let canonical = network(range);
        if canonical != value {
            check.invalid(field, value, format!("CIDR value must be in canonical form (\"{canonical}\")"));
        }
        families.push(family(range.0));
    }
    if let [one, other] = families.as_slice()
        && one == other
    {
        let hint = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96";
        check.invalid("spec.cidrs", all.to_vec(), hint);
    }
}

impl Check<'_> {
    fn policy_port(&mut self, field: &str, port: &Value) {
        if let Some(protocol) = at(port, &["protocol"]).and_then(Value::as_str) {
            self.one_of(&format!("{field}.protocol"), protocol, &["TCP", "UDP", "SCTP"]);
        }
        let end = int(port, &["endPort"]);
        let end_field = format!("{field}.endPort");
        match at(port, &["port"]).filter(|port| !port.is_null()) {
            Some(Value::String(name)) => {
                if let Some(end) = end {
                    self.invalid(end_field, end, "may not be specified when `port` is non-numeric");
                }
                self.sentences(&format!("{field}.port"), name, names::port_name(name));
            }
            Some(number) => {
                let number = number.as_i64().unwrap_or(0);
                self.port(format!("{field}.port"), number);
                if let Some(end) = end {
                    if end < number {
                        self.invalid(end_field.as_str(), end, "must be greater than or equal to `port`");
                    }
                    self.port(end_field, end);
                }
            }
            None => {
                if let Some(end) = end {
                    self.invalid(end_field, end, "may not be specified when `port` is not specified");
                }
            }
        }
    }

    fn peer(&mut self, field: &str, peer: &Value) {
        let there = |member| at(peer, &[member]).filter(|value| !value.is_null());
        let selectors = ["podSelector", "namespaceSelector"];
        for member in selectors {
            self.selector(&format!("{field}.{member}"), there(member));
        }
        let selects = selectors.into_iter().any(|member| there(member).is_some());
        match (there("ipBlock"), selects) {
            (Some(block), selects) => {
                self.ip_block(&format!("{field}.ipBlock"), block);
                if selects {
                    self.forbidden(field, "may not specify both ipBlock and another peer");
                }
            }
            (None, false) => self.required(field, "must specify a peer"),
            (None, true) => {}
        }
    }

    fn ip_block(&mut self, field: &str, block: &Value) {
        let value = text(block, &["cidr"]);
        if value.is_empty() {
            self.required(format!("{field}.cidr"), "");
            return;
        }
        let Some(range) = self.cidr(&format!("{field}.cidr"), value) else { return };
        for (index, except) in texts(block, &["except"]).enumerate() {
            let field = format!("{field}.except[{index}]");
            if let Some(inner) = self.cidr(&field, except)
                && (!contains(range, inner.0) || range.1 >= inner.1)
            {
                self.invalid(field, except, "must be a strict subset of `cidr`");
            }
        }
    }
}
