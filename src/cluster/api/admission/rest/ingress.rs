//! Ingress, IngressClass.

use core::net::IpAddr;

use serde_json::Value;

use super::check::{Check, entries, texts};
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, int, list, map, set, set_default, text};

const GROUP: &str = "networking.k8s.io";
/// The annotation that named the class in former times.
const OLD_CLASS: &str = "kubernetes.io/ingress.class";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        kind: "Ingress",
        generation: Generation::Member("spec"),
        status: Status::Separate,
        always: &[(&["spec"], Blank::Object), (&["status", "loadBalancer"], Blank::Object)],
        validate: ingress,
        warnings: |ingress, old, warnings| {
            let class = at(ingress, &["spec", "ingressClassName"]);
            if old.is_none() && class.is_none() && at(ingress, &["metadata", "annotations", OLD_CLASS]).is_some() {
                warnings.push(format!(
                    "annotation \"{OLD_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"
                ));
            }
        },
        ..Kind::NAMESPACED
    },
    Kind {
        group: GROUP,
        kind: "IngressClass",
        generation: Generation::Member("spec"),
        always: &[(&["spec"], Blank::Object)],
        defaults: |class| {
            if at(class, &["spec", "parameters"]).is_some_and(Value::is_object) {
                set_default(class, &["spec", "parameters", "scope"], "Cluster");
            }
        },
        validate: class,
        ..Kind::CLUSTER
    },
];

/// Gives an ingress that names no class the default one among the IngressClasses, newest first.
pub fn default_ingress_class(ingress: &mut Value, classes: &[Value]) {
    let annotated = entries(map(ingress, &["metadata", "annotations"])).any(|(name, _)| name == OLD_CLASS);
    let named = at(ingress, &["spec", "ingressClassName"]).is_some_and(|class| !class.is_null());
    if annotated || named {
        return;
    }
    if let Some(class) = super::storage::default_of(classes, "ingressclass.kubernetes.io/is-default-class") {
        set(ingress, &["spec", "ingressClassName"], class);
    }
}

fn ingress(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
    }
    check.new_metadata(new);
    let backend = at(new, &["spec", "defaultBackend"]).filter(|backend| !backend.is_null());
    if list(new, &["spec", "rules"]).is_empty() && backend.is_none() {
        let rules = at(new, &["spec", "rules"]).cloned().unwrap_or_default();
        check.invalid("spec", rules, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(backend) = backend {
        check.backend("spec.defaultBackend", backend);
    }
    check.items(new, &["spec", "rules"], Check::rule);
    check.items(new, &["spec", "tls"], |check, field, tls| {
        for (index, host) in texts(tls, &["hosts"]).enumerate() {
            check.host(&format!("{field}.hosts[{index}]"), host);
        }
        let secret = text(tls, &["secretName"]);
        if !secret.is_empty() {
            check.sentences(&format!("{field}.secretName"), secret, names::dns_subdomain(secret));
        }
    });
    let class = at(new, &["spec", "ingressClassName"]).and_then(Value::as_str);
    if let Some(class) = class {
        check.sentences("spec.ingressClassName", class, names::dns_subdomain(class));
    }
    let annotated = at(new, &["metadata", "annotations", OLD_CLASS]).and_then(Value::as_str);
    if let (None, Some(class), Some(annotated)) = (old, class, annotated)
        && class != annotated
    {
        let hint = "must match `ingressClassName` when both are specified";
        check.invalid(format!("annotations.{OLD_CLASS}"), annotated, hint);
    }
}

fn class(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.changed_metadata(new, old);
        check.immutable("spec.controller", new, old, &["spec", "controller"]);
    }
    check.new_metadata(new);
    let controller = text(new, &["spec", "controller"]);
    if controller.is_empty() {
        check.required("spec.controller", "");
    } else {
        if controller.len() > 250 {
            check.too_long("spec.controller", 250);
        }
        check.domain_path("spec.controller", controller);
    }
    if let Some(parameters) = at(new, &["spec", "parameters"]).filter(|parameters| !parameters.is_null()) {
        check.class_parameters(parameters);
    }
}

impl Check<'_> {
    fn rule(&mut self, field: &str, rule: &Value) {
        let host = text(rule, &["host"]);
        if !host.is_empty() {
            if host.parse::<IpAddr>().is_ok() {
                self.invalid(format!("{field}.host"), host, "must be a DNS name, not an IP address");
            }
            self.host(&format!("{field}.host"), host);
        }
        let Some(http) = at(rule, &["http"]).filter(|http| !http.is_null()) else { return };
        let paths = list(http, &["paths"]);
        if paths.is_empty() {
            self.required(format!("{field}.http.paths"), "");
        }
        for (index, path) in paths.iter().enumerate() {
            self.http_path(&format!("{field}.http.paths[{index}]"), path);
        }
    }

    fn host(&mut self, field: &str, host: &str) {
        let sentences = if host.contains('*') { names::wildcard_subdomain(host) } else { names::dns_subdomain(host) };
        self.sentences(field, host, sentences);
    }

    fn http_path(&mut self, field: &str, rule: &Value) {
        const TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
        let Some(kind) = at(rule, &["pathType"]).and_then(Value::as_str) else {
            self.required(format!("{field}.pathType"), "pathType must be specified");
            return;
        };
        self.one_of(&format!("{field}.pathType"), kind, &TYPES);
        let path = text(rule, &["path"]);
        let strict = ["Exact", "Prefix"].contains(&kind);
        let absolute = path.starts_with('/') || path.is_empty() && !strict;
        let field_path = format!("{field}.path");
        if TYPES.contains(&kind) && !absolute {
            self.invalid(field_path.as_str(), path, "must be an absolute path");
        }
        if strict {
            for bad in ["//", "/./", "/../", "%2f", "%2F"].into_iter().filter(|bad| path.contains(bad)) {
                self.invalid(field_path.as_str(), path, format!("must not contain '{bad}'"));
            }
            for bad in ["/..", "/."].into_iter().filter(|bad| path.ends_with(bad)) {
                self.invalid(field_path.as_str(), path, format!("cannot end with '{bad}'"));
            }
        }
        self.backend(&format!("{field}.backend"), at(rule, &["backend"]).unwrap_or(&Value::Null));
    }

    fn backend(&mut self, field: &str, backend: &Value) {
        let there = |member| at(backend, &[member]).filter(|value| !value.is_null());
        match (there("resource"), there("service")) {
            (Some(_), Some(_)) => self.invalid(field, "", "cannot set both resource and service backends"),
            (Some(resource), None) => self.object_reference(&format!("{field}.resource"), resource),
            (None, Some(service)) => {
                self.required_name(&format!("{field}.service.name"), text(service, &["name"]), names::dns_label);
                let name = text(service, &["port", "name"]);
                let number = int(service, &["port", "number"]).unwrap_or(0);
                match (name, number) {
                    ("", 0) => self.required(field, "port name or number is required"),
                    ("", number) => self.port(format!("{field}.service.port.number"), number),
                    (name, 0) => self.sentences(&format!("{field}.service.port.name"), name, names::port_name(name)),
                    _ => self.invalid(field, "", "cannot set both port name & port number"),
                }
            }
            (None, None) => self.invalid(field, "", "resource or service backend is required"),
        }
    }

    fn object_reference(&mut self, field: &str, reference: &Value) {
        if let Some(group) = at(reference, &["apiGroup"]).and_then(Value::as_str) {
            self.sentences(&format!("{field}.apiGroup"), group, names::dns_subdomain(group));
        }
        for member in ["kind", "name"] {
            self.required_name(&format!("{field}.{member}"), text(reference, &[member]), names::path_segment);
        }
    }

    fn class_parameters(&mut self, parameters: &Value) {
        const FIELD: &str = "spec.parameters";
        self.object_reference(FIELD, parameters);
        let namespace = at(parameters, &["namespace"]).and_then(Value::as_str);
        let field = format!("{FIELD}.namespace");
        match (at(parameters, &["scope"]).and_then(Value::as_str), namespace) {
            (None, _) => self.required(format!("{FIELD}.scope"), ""),
            (Some("Namespace"), None) => self.required(field, "`parameters.scope` is set to 'Namespace'"),
            (Some("Namespace"), Some(namespace)) => self.sentences(&field, namespace, names::dns_label(namespace)),
            (Some("Cluster"), Some(_)) => self.forbidden(field, "`parameters.scope` is set to 'Cluster'"),
            (Some("Cluster"), None) => {}
            (Some(scope), _) => self.unsupported(format!("{FIELD}.scope"), scope, &["Cluster", "Namespace"]),
        }
    }

    /// A path below a domain, as `acme.io/foo`.
    pub(super) fn domain_path(&mut self, field: &str, value: &str) {
        match value.split_once('/') {
            Some((domain, path)) if !domain.is_empty() && !path.is_empty() => {
                self.sentences(field, domain, names::dns_subdomain(domain));
                let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
                if !path.bytes().all(possible) {
                    let hint = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
                    self.invalid(field, path, hint);
                }
            }
            _ => self.invalid(field, value, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
        }
    }
}
