//! The spec of a pod, of a real one or in a template.

use serde_json::{Value, json};

use super::super::check::{Errors, number, one_of, optional};
use super::super::go_dump::go_struct;
use super::super::read::Read;
use super::container::{self, Surroundings};
use super::resources::{self, Claims, Of};
use super::{affinity, scheduling, security, volume, windows};
use crate::cluster::api::admission::metadata::{invalid, validate_labels};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// Checks a spec; `pod_name` is none in a template.
pub(super) fn validate(spec: &Value, pod_name: Option<&str>, at: &Path<'_>, errors: &mut Errors) {
    if spec.part("terminationGracePeriodSeconds").is_none() {
        errors.push(FieldError::required(at.child("terminationGracePeriodSeconds"), ""));
    }
    let volumes = volume::validate(spec.items("volumes"), pod_name, &at.child("volumes"), errors);
    let claims = device_claims(spec, &at.child("resourceClaims"), errors);
    let around = Surroundings { spec, volumes, claims };
    container::containers(&around, at, errors);
    container::init_containers(&around, at, errors);
    container::ephemeral_containers(&around, at, errors);
    if let Some(own) = spec.part("resources") {
        pod_resources(spec, own, &around.claims, &at.child("resources"), errors);
    }
    host_network(spec, pod_name.is_some(), at, errors);
    one_of(spec, "restartPolicy", &["Always", "OnFailure", "Never"], at, errors);
    one_of(spec, "dnsPolicy", &DNS_POLICIES, at, errors);
    validate_labels(spec.members("nodeSelector"), &at.child("nodeSelector"), errors);
    security::pod_context(spec, &at.child("securityContext"), errors);
    if let Some(wanted) = spec.part("affinity") {
        affinity::validate(wanted, &at.child("affinity"), errors);
    }
    dns_config(spec, &at.child("dnsConfig"), errors);
    scheduling::gates(spec, at, errors);
    scheduling::spread(spec, at, errors);
    windows::host_processes(spec, at, errors);
    host_users(spec, at, errors);
    names(spec, at, errors);
    scheduling::tolerations(spec, at, errors);
    host_aliases(spec, &at.child("hostAliases"), errors);
    optional(spec, "priorityClassName", text::dns1123_subdomain, at, errors);
    if spec.has_text("runtimeClassName") {
        let name = spec.text("runtimeClassName");
        invalid(&at.child("runtimeClassName"), name, text::dns1123_subdomain(name), errors);
    }
    if spec.has_text("preemptionPolicy") {
        one_of(spec, "preemptionPolicy", &["PreemptLowerPriority", "Never"], at, errors);
    }
    if let Some(overhead) = spec.part("overhead") {
        let limits = json!({"limits": overhead});
        resources::validate(&limits, Of::Container, &Claims::new(), &at.child("overhead"), errors);
    }
    windows::operating_system(spec, at, errors);
}

fn names(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    optional(spec, "serviceAccountName", text::dns1123_subdomain, at, errors);
    optional(spec, "nodeName", text::dns1123_subdomain, at, errors);
    number(spec, "activeDeadlineSeconds", |value| text::within(value, 1, i64::from(i32::MAX)), at, errors);
    optional(spec, "hostname", text::dns1123_label, at, errors);
    optional(spec, "subdomain", text::dns1123_label, at, errors);
    host_name_override(spec, &at.child("hostnameOverride"), errors);
}

fn host_name_override(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    if !spec.has_text("hostnameOverride") {
        return;
    }
    let name = spec.text("hostnameOverride");
    invalid(at, name, text::dns1123_subdomain(name), errors);
    if name.len() > 64 {
        errors.push(FieldError::invalid(at, name, "must be no more than 64 characters"));
    }
}

fn device_claims<'a>(spec: &'a Value, at: &Path<'_>, errors: &mut Errors) -> Claims<'a> {
    const KINDS: [&str; 2] = ["resourceClaimName", "resourceClaimTemplateName"];
    let mut names = Claims::new();
    for (index, claim) in spec.items("resourceClaims").iter().enumerate() {
        let (at, name) = (at.index(index), claim.text("name"));
        if name.is_empty() {
            errors.push(FieldError::required(at.child("name"), ""));
        } else if !names.insert(name) {
            errors.push(FieldError::duplicate(at.child("name"), name));
        } else {
            invalid(&at.child("name"), name, text::dns1123_label(name), errors);
        }
        let hint = match KINDS.iter().filter(|kind| claim.has_text(kind)).count() {
            0 => Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            1 => None,
            _ => Some("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"),
        };
        errors.extend(hint.map(|hint| FieldError::invalid(at, go_struct("PodResourceClaim", claim), hint)));
        for kind in KINDS.into_iter().filter(|kind| claim.has_text(kind)) {
            let name = claim.text(kind);
            invalid(&at.child(kind), name, text::dns1123_subdomain(name), errors);
        }
    }
    names
}

fn pod_resources(spec: &Value, own: &Value, claims: &Claims<'_>, at: &Path<'_>, errors: &mut Errors) {
    if own.part("claims").is_some() {
        errors.push(FieldError::forbidden(at.child("claims"), "claims cannot be set for Resources at pod-level"));
    }
    resources::validate(own, Of::Pod, claims, at, errors);
    resources::containers_within_pod(spec, own.part("limits"), at, errors);
}

/// In the network of the node a port of a container is that of the node; only templates may leave that open.
fn host_network(spec: &Value, in_pod: bool, at: &Path<'_>, errors: &mut Errors) {
    if !spec.is_on("hostNetwork") {
        return;
    }
    let at = at.child("containers");
    for (index, container) in spec.items("containers").iter().enumerate() {
        let at = at.index(index);
        let at = at.child("ports");
        for (index, port) in container.items("ports").iter().enumerate() {
            let (host, own) = (port.int("hostPort").unwrap_or(0), port.int("containerPort").unwrap_or(0));
            if (in_pod || host != 0) && host != own {
                let hint = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(at.index(index).child("hostPort"), host, hint));
            }
        }
    }
}

fn host_users(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    if spec.flag("hostUsers") != Some(false) {
        return;
    }
    for (member, told) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.is_on(member) {
            errors.push(FieldError::forbidden(at.child(told), "when `pod.Spec.HostUsers` is false"));
        }
    }
}

fn host_aliases(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    for (index, alias) in spec.items("hostAliases").iter().enumerate() {
        let at = at.index(index);
        invalid(&at.child("ip"), alias.text("ip"), text::ip_address(alias.text("ip")), errors);
        let at = at.child("hostnames");
        for (index, name) in alias.strings("hostnames").enumerate() {
            invalid(&at.index(index), name, text::dns1123_subdomain(name), errors);
        }
    }
}

fn dns_config(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let config = spec.part("dnsConfig");
    let servers = config.items("nameservers");
    if spec.text("dnsPolicy") == "None" {
        if config.is_none() {
            errors.push(FieldError::required(at, "must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if servers.is_empty() {
            let hint = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(at.child("nameservers"), hint));
            return;
        }
    }
    let at_servers = at.child("nameservers");
    if servers.len() > 3 {
        errors.push(FieldError::invalid(at_servers, servers.to_vec(), "must not have more than 3 nameservers"));
    }
    for (index, server) in config.strings("nameservers").enumerate() {
        invalid(&at_servers.index(index), server, text::ip_address(server), errors);
    }
    searches(config, &at.child("searches"), errors);
    let at_options = at.child("options");
    for (index, option) in config.items("options").iter().enumerate() {
        if option.text("name").is_empty() {
            errors.push(FieldError::required(at_options.index(index), "must not be empty"));
        }
    }
}

fn searches(config: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let list = config.items("searches");
    if list.len() > 32 {
        errors.push(FieldError::invalid(at, list.to_vec(), "must not have more than 32 search paths"));
    }
    let len = config.strings("searches").map(str::len).sum::<usize>() + list.len().saturating_sub(1);
    if len > 2048 {
        let hint = "must not have more than 2048 characters (including spaces) in the search list";
        errors.push(FieldError::invalid(at, list.to_vec(), hint));
    }
    for (index, search) in config.strings("searches").enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        invalid(&at.index(index), search, text::dns1123_subdomain_with_underscore(search), errors);
    }
}
