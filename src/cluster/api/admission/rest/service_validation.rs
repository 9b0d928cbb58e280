//! Service: what it may say, and what of it may change.

use core::net::IpAddr;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::address::family;
use super::check::{Check, PROTOCOLS, same, texts};
use super::service::{is_external, is_headless, kind, needs_cluster_ip, needs_health_check};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, int, list, map, text};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";
const ONCE: &str = "may not change once set";

pub(super) fn service(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
        check.kept_addresses(new, old);
        let both_balance = kind(new) == "LoadBalancer" && kind(old) == "LoadBalancer";
        if both_balance && !same(at(new, &["spec", "loadBalancerClass"]), at(old, &["spec", "loadBalancerClass"])) {
            let class = at(new, &["spec", "loadBalancerClass"]).cloned().unwrap_or_default();
            check.invalid("spec.loadBalancerClass", class, ONCE);
        }
        check.load_balancer_class(new);
        let port = |service| int(service, &["spec", "healthCheckNodePort"]);
        if needs_health_check(new) && needs_health_check(old) && port(new) != port(old) {
            check.forbidden("spec.healthCheckNodePort", super::check::IMMUTABLE);
        }
    }
    check.new_metadata(new);
    check.topology(new);
    check.form(new);
    check.service_ports(new);
    check.labels("spec.selector", map(new, &["spec", "selector"]));
    check.affinity(new);
    check.cluster_ips(new);
    check.items(new, &["spec", "externalIPs"], |check, field, value| {
        let value = value.as_str().unwrap_or("");
        if check.ip(field, value).is_some() {
            check.not_special(field, value);
        }
    });
    check.required_one_of("spec.type", kind(new), &TYPES);
    check.port_conflicts(new);
    check.source_ranges(new);
    check.load_balancer_class(new);
    check.traffic(new);
}

impl Check<'_> {
    fn topology(&mut self, service: &Value) {
        const MODE: &str = "service.kubernetes.io/topology-mode";
        const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
        let annotation = |name| at(service, &["metadata", "annotations", name]);
        if let (Some(mode), Some(hints)) = (annotation(MODE), annotation(HINTS))
            && mode != hints
        {
            let hint = format!("must match annotations[{HINTS}] when both are specified");
            self.invalid(format!("metadata.annotations[{MODE}]"), mode.clone(), hint);
        }
    }

    /// What each type has to have, and may not have.
    fn form(&mut self, service: &Value) {
        let headless = is_headless(service);
        if list(service, &["spec", "ports"]).is_empty() && !headless && kind(service) != "ExternalName" {
            self.required("spec.ports", "");
        }
        match kind(service) {
            balanced @ ("LoadBalancer" | "NodePort") if headless => {
                let hint = format!("may not be set to 'None' for {balanced} services");
                self.invalid("spec.clusterIPs[0]", "None", hint);
            }
            "ExternalName" => self.external_name(service),
            _ => {}
        }
    }

    fn external_name(&mut self, service: &Value) {
        for member in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if !same(at(service, &["spec", member]), None) {
                self.forbidden(format!("spec.{member}"), "may not be set for ExternalName services");
            }
        }
        let name = text(service, &["spec", "externalName"]);
        // a dot at the end says that the name is complete
        self.required_name("spec.externalName", name.strip_suffix('.').unwrap_or(name), names::dns_subdomain);
    }

    fn service_ports(&mut self, service: &Value) {
        let several = list(service, &["spec", "ports"]).len() > 1;
        let mut seen = BTreeSet::new();
        self.items(service, &["spec", "ports"], |check, field, port| {
            let name = text(port, &["name"]);
            if !name.is_empty() || several {
                check.required_name(&format!("{field}.name"), name, names::dns_label);
            }
            if !name.is_empty() && !seen.insert(name) {
                check.duplicate(format!("{field}.name"), name);
            }
            check.port(format!("{field}.port"), int(port, &["port"]).unwrap_or(0));
            check.required_one_of(&format!("{field}.protocol"), text(port, &["protocol"]), &PROTOCOLS);
            check.port_or_name(&format!("{field}.targetPort"), at(port, &["targetPort"]));
            if let Some(protocol) = at(port, &["appProtocol"]).and_then(Value::as_str) {
                check.sentences(&format!("{field}.appProtocol"), protocol, names::qualified_name(protocol));
            }
        });
    }

    /// A port by number or name.
    pub(super) fn port_or_name(&mut self, field: &str, port: Option<&Value>) {
        match port {
            Some(Value::String(name)) => self.sentences(field, name, names::port_name(name)),
            other => self.port(field, other.and_then(Value::as_i64).unwrap_or(0)),
        }
    }

    fn affinity(&mut self, service: &Value) {
        const CONFIG: &str = "spec.sessionAffinityConfig";
        let affinity = text(service, &["spec", "sessionAffinity"]);
        self.required_one_of("spec.sessionAffinity", affinity, &["ClientIP", "None"]);
        let config = at(service, &["spec", "sessionAffinityConfig"]).filter(|config| !config.is_null());
        match (affinity, config) {
            ("ClientIP", None) => {
                self.required(CONFIG, "when session affinity type is ClientIP");
            }
            ("ClientIP", Some(config)) => match int(config, &["clientIP", "timeoutSeconds"]) {
                None => self.required(format!("{CONFIG}.clientIP"), "when session affinity type is ClientIP"),
                Some(seconds) if !(1..=86400).contains(&seconds) => {
                    let hint = "must be greater than 0 and less than 86400";
                    self.invalid(format!("{CONFIG}.clientIP.timeoutSeconds"), seconds, hint);
                }
                Some(_) => {}
            },
            ("None", Some(_)) => self.forbidden(CONFIG, "must not be set when session affinity is None"),
            _ => {}
        }
    }

    /// Cluster IPs and IP families, which have to go together.
    pub(super) fn cluster_ips(&mut self, service: &Value) {
        if kind(service) == "ExternalName" {
            return;
        }
        const FIELD: &str = "spec.clusterIPs";
        let all = || at(service, &["spec", "clusterIPs"]).cloned().unwrap_or_default();
        let single = text(service, &["spec", "clusterIP"]);
        let addresses: Vec<&str> = texts(service, &["spec", "clusterIPs"]).collect();
        match addresses.first() {
            None if !single.is_empty() => self.required(FIELD, ""),
            Some(_) if single.is_empty() => {
                self.invalid(FIELD, all(), "must be empty when `clusterIP` is not specified");
            }
            Some(first) if *first != single => self.invalid(FIELD, all(), "first value must match `clusterIP`"),
            _ => {}
        }
        let families: Vec<&str> = texts(service, &["spec", "ipFamilies"]).collect();
        for (index, name) in families.iter().enumerate() {
            self.one_of(&format!("spec.ipFamilies[{index}]"), name, &["IPv4", "IPv6"]);
            if families.iter().take(index).any(|before| before == name) {
                self.duplicate(format!("spec.ipFamilies[{index}]"), *name);
            }
        }
        if let Some(policy) = at(service, &["spec", "ipFamilyPolicy"]).and_then(Value::as_str) {
            self.one_of("spec.ipFamilyPolicy", policy, &["PreferDualStack", "RequireDualStack", "SingleStack"]);
        }
        let mut parsed = Vec::new();
        let before = self.errors.len();
        for (index, address) in addresses.iter().enumerate() {
            if index == 0 && *address == "None" {
                if addresses.len() > 1 {
                    self.invalid(FIELD, all(), "'None' must be the first and only value");
                }
            } else {
                parsed.extend(self.ip(&format!("{FIELD}[{index}]"), address));
            }
        }
        let broken = self.errors.len() > before;
        if addresses.len() > 2 {
            self.invalid(FIELD, all(), "may only hold up to 2 values");
        }
        if !broken {
            self.address_families(service, &parsed, &families);
        }
    }

    fn address_families(&mut self, service: &Value, addresses: &[IpAddr], families: &[&str]) {
        let used: BTreeSet<_> = addresses.iter().map(|address| family(*address)).collect();
        if addresses.len() > 1 && used.len() < 2 {
            let all = at(service, &["spec", "clusterIPs"]).cloned().unwrap_or_default();
            self.invalid("spec.clusterIPs", all, "may specify no more than one IP for each IP family");
        }
        for (index, (address, wanted)) in addresses.iter().zip(families).enumerate() {
            if family(*address) != *wanted && ["IPv4", "IPv6"].contains(wanted) {
                let hint = format!("expected an {wanted} value as indicated by `ipFamilies[{index}]`");
                self.invalid(format!("spec.clusterIPs[{index}]"), address.to_string(), hint);
            }
        }
    }

    /// The first address and family stay; a second may come and, when the policy says so, go.
    fn kept_addresses(&mut self, new: &Value, old: &Value) {
        if !needs_cluster_ip(new) || !needs_cluster_ip(old) {
            return;
        }
        let (headless, was_headless) = (is_headless(new), is_headless(old));
        let parts = [
            (
                "clusterIPs",
                "primary clusterIP can not be unset",
                "the secondary clusterIP",
                !(headless && was_headless),
            ),
            ("ipFamilies", "primary ipFamily can not be unset", "the secondary ipFamily", !headless && !was_headless),
        ];
        for (member, unset, secondary, bound) in parts {
            if !bound {
                continue;
            }
            let path = ["spec", member];
            let (after, before) = (list(new, &path), list(old, &path));
            let all = || at(new, &path).cloned().unwrap_or_default();
            let same_length = after.len() == before.len();
            for (index, (now, then)) in after.iter().zip(before).enumerate() {
                if now != then && (index == 0 || same_length) {
                    let index = if member == "clusterIPs" { index } else { 0 };
                    self.invalid(format!("spec.{member}[{index}]"), all(), ONCE);
                }
            }
            if after.is_empty() && !before.is_empty() {
                self.invalid(format!("spec.{member}[0]"), all(), unset);
            }
            let policy = at(new, &["spec", "ipFamilyPolicy"]).cloned().unwrap_or_default();
            if before.len() > after.len() && after.len() == 1 && policy != "SingleStack" {
                let hint = format!("must be set to 'SingleStack' when releasing {secondary}");
                self.invalid("spec.ipFamilyPolicy", policy, hint);
            }
        }
    }

    fn port_conflicts(&mut self, service: &Value) {
        let ports = list(service, &["spec", "ports"]);
        let node_port = |port| int(port, &["nodePort"]).filter(|number| *number != 0);
        for (index, port) in ports.iter().enumerate() {
            if kind(service) == "ClusterIP" && node_port(port).is_some() {
                let hint = "may not be used when `type` is 'ClusterIP'";
                self.forbidden(format!("spec.ports[{index}].nodePort"), hint);
            }
        }
        let protocol = |port| text(port, &["protocol"]);
        let mut seen = BTreeSet::new();
        for (index, port) in ports.iter().enumerate() {
            if let Some(number) = node_port(port)
                && !seen.insert((protocol(port), number))
            {
                self.duplicate(format!("spec.ports[{index}].nodePort"), number);
            }
        }
        seen.clear();
        for (index, port) in ports.iter().enumerate() {
            let number = int(port, &["port"]).unwrap_or(0);
            if !seen.insert((protocol(port), number)) {
                // the server shows a port with only these two, under the names of its own types
                let shown = json!({
                    "Name": "", "Protocol": protocol(port), "AppProtocol": null, "Port": number, "TargetPort": 0,
                    "NodePort": 0,
                });
                self.duplicate(format!("spec.ports[{index}]"), shown);
            }
        }
    }

    /// Who may reach a load balancer, as a list or in an annotation.
    fn source_ranges(&mut self, service: &Value) {
        const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
        let balanced = kind(service) == "LoadBalancer";
        let ranges = list(service, &["spec", "loadBalancerSourceRanges"]);
        if !ranges.is_empty() {
            if !balanced {
                self.forbidden("spec.LoadBalancerSourceRanges", ONLY_LOAD_BALANCER);
            }
            for (index, range) in ranges.iter().filter_map(Value::as_str).enumerate() {
                self.cidr(&format!("spec.LoadBalancerSourceRanges[{index}]"), range.trim());
            }
        } else if let Some(value) = at(service, &["metadata", "annotations", ANNOTATION]).and_then(Value::as_str) {
            let field = format!("metadata.annotations[{ANNOTATION}]");
            if !balanced {
                self.forbidden(field.as_str(), ONLY_LOAD_BALANCER);
            }
            for range in value.split(',').map(str::trim).filter(|_| !value.trim().is_empty()) {
                self.cidr(&field, range);
            }
        }
        let allocates = at(service, &["spec", "allocateLoadBalancerNodePorts"]).filter(|value| !value.is_null());
        match (balanced, allocates) {
            (false, Some(_)) => self.forbidden("spec.allocateLoadBalancerNodePorts", ONLY_LOAD_BALANCER),
            (true, None) => self.required("allocateLoadBalancerNodePorts", ""),
            _ => {}
        }
    }

    fn load_balancer_class(&mut self, service: &Value) {
        let Some(class) = at(service, &["spec", "loadBalancerClass"]).and_then(Value::as_str) else { return };
        if kind(service) == "LoadBalancer" {
            self.sentences("spec.loadBalancerClass", class, names::qualified_name(class));
        } else {
            self.forbidden("spec.loadBalancerClass", ONLY_LOAD_BALANCER);
        }
    }

    fn traffic(&mut self, service: &Value) {
        let external = text(service, &["spec", "externalTrafficPolicy"]);
        if is_external(service) {
            self.required_one_of("spec.externalTrafficPolicy", external, &["Cluster", "Local"]);
        } else if !external.is_empty() {
            let hint = "may only be set for externally-accessible services";
            self.invalid("spec.externalTrafficPolicy", external, hint);
        }
        let health = int(service, &["spec", "healthCheckNodePort"]).unwrap_or(0);
        match (needs_health_check(service), health) {
            (true, 0) => self.required("spec.healthCheckNodePort", ""),
            (true, port) => self.port("spec.healthCheckNodePort", port),
            (false, 0) => {}
            (false, port) => {
                let hint = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
                self.invalid("spec.healthCheckNodePort", port, hint);
            }
        }
        match at(service, &["spec", "internalTrafficPolicy"]).and_then(Value::as_str) {
            None if needs_cluster_ip(service) => self.required("spec.internalTrafficPolicy", ""),
            None => {}
            Some(internal) => self.one_of("spec.internalTrafficPolicy", internal, &["Cluster", "Local"]),
        }
        if let Some(distribution) = at(service, &["spec", "trafficDistribution"]).and_then(Value::as_str) {
            let supported = ["PreferClose", "PreferSameNode", "PreferSameZone"];
            self.one_of("spec.trafficDistribution", distribution, &supported);
        }
    }
}
