//! Containers, init containers and ephemeral containers.

use std::collections::HashSet;

use serde_json::Value;

use super::super::check::{Errors, named, one_of, one_of_if_set};
use super::super::read::Read;
use super::resources::{self, Claims, Of};
use super::volume::Volumes;
use super::{env, mount, not_found, probe, security};
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::{Fault, FieldError};

const NOT_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";
const NOT_INIT: &str = "may not be set for init containers without restartPolicy=Always";

/// What containers refer to in their pod.
pub(super) struct Surroundings<'a> {
    /// The pod's spec.
    pub(super) spec: &'a Value,
    /// Its volumes.
    pub(super) volumes: Volumes<'a>,
    /// Its claims of devices.
    pub(super) claims: Claims<'a>,
}

impl Surroundings<'_> {
    fn grace(&self) -> Option<i64> {
        self.spec.int("terminationGracePeriodSeconds")
    }

    /// Names in the other lists.
    fn names(&self, lists: &[&str]) -> HashSet<&str> {
        lists.iter().flat_map(|list| self.spec.items(list)).map(|container| container.text("name")).collect()
    }
}

/// Checks `containers`.
pub(super) fn containers(around: &Surroundings<'_>, at: &Path<'_>, errors: &mut Errors) {
    let at_list = at.child("containers");
    let containers = around.spec.items("containers");
    if containers.is_empty() {
        errors.push(FieldError::required(at_list, ""));
        return;
    }
    let mut names = HashSet::new();
    for (index, container) in containers.iter().enumerate() {
        let at = at_list.index(index);
        common(container, around, &at, errors);
        if !names.insert(container.text("name")) {
            errors.push(FieldError::duplicate(at.child("name"), container.text("name")));
        }
        probe::validate(container, around.grace(), &at, errors);
        restart_policy(container, &at, errors);
    }
    host_ports(containers.iter().enumerate(), &at_list, errors);
}

/// Checks `initContainers`.
pub(super) fn init_containers(around: &Surroundings<'_>, at: &Path<'_>, errors: &mut Errors) {
    let at_list = at.child("initContainers");
    let mut names = around.names(&["containers"]);
    for (index, container) in around.spec.items("initContainers").iter().enumerate() {
        let at = at_list.index(index);
        common(container, around, &at, errors);
        restart_policy(container, &at, errors);
        let name = container.text("name");
        if names.contains(name) {
            errors.push(FieldError::duplicate(at.child("name"), name));
        } else if !name.is_empty() {
            names.insert(name);
        }
        // They run one after the other, and each is told of as if it were the only one.
        host_ports([(0, container)].into_iter(), &at_list, errors);
        if container.text("restartPolicy") == "Always" {
            probe::validate(container, around.grace(), &at, errors);
        } else {
            for member in probe::ALL.into_iter().filter(|member| container.part(member).is_some()) {
                errors.push(FieldError::forbidden(at.child(member), NOT_INIT));
            }
        }
    }
}

/// Checks `ephemeralContainers`.
pub(super) fn ephemeral_containers(around: &Surroundings<'_>, at: &Path<'_>, errors: &mut Errors) {
    const FORBIDDEN: [&str; 9] = [
        "ports",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "restartPolicyRules",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
    ];
    let at_list = at.child("ephemeralContainers");
    let containers = around.spec.items("ephemeralContainers");
    if containers.is_empty() {
        return;
    }
    let others = around.names(&["containers", "initContainers"]);
    let mut names = others.clone();
    for (index, container) in containers.iter().enumerate() {
        let at = at_list.index(index);
        common(container, around, &at, errors);
        image_without_space(container, &at, errors);
        let (name, target) = (container.text("name"), container.text("targetContainerName"));
        if !names.insert(name) {
            errors.push(FieldError::duplicate(at.child("name"), name));
        }
        if !target.is_empty() && !others.contains(target) {
            errors.push(not_found(&at.child("targetContainerName"), target));
        }
        for member in FORBIDDEN.into_iter().filter(|member| container.part(member).is_some_and(is_set)) {
            errors.push(FieldError::forbidden(at.child(member), NOT_EPHEMERAL));
        }
        let at_mounts = at.child("volumeMounts");
        for (index, mount) in container.items("volumeMounts").iter().enumerate() {
            for member in ["subPath", "subPathExpr"].into_iter().filter(|member| !mount.text(member).is_empty()) {
                errors.push(FieldError::forbidden(at_mounts.index(index).child(member), NOT_EPHEMERAL));
            }
        }
    }
}

/// Whether Go would see something else than a zero.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        value => !value.is_null(),
    }
}

/// Images of pods, but not of templates, may have no space around them.
pub(super) fn image_without_space(container: &Value, at: &Path<'_>, errors: &mut Errors) {
    let image = container.text("image");
    if image.trim() != image {
        errors.push(FieldError::invalid(at.child("image"), image, "must not have leading or trailing whitespace"));
    }
}

/// What all kinds of containers have.
fn common(container: &Value, around: &Surroundings<'_>, at: &Path<'_>, errors: &mut Errors) {
    named(container.text("name"), text::dns1123_label, &at.child("name"), errors);
    if container.text("image").is_empty() {
        errors.push(FieldError::required(at.child("image"), ""));
    }
    one_of(container, "terminationMessagePolicy", &["File", "FallbackToLogsOnError"], at, errors);
    ports(container, at, errors);
    env::variables(container, &around.volumes, at, errors);
    env::sources(container, at, errors);
    mount::validate(container, &around.volumes, at, errors);
    pull_policy(container, "imagePullPolicy", at, errors);
    if let Some(own) = container.part("resources") {
        resources::validate(own, Of::Container, &around.claims, &at.child("resources"), errors);
    }
    resize_policy(container, around.spec.text("restartPolicy"), &at.child("resizePolicy"), errors);
    let host_users = around.spec.flag("hostUsers") != Some(false);
    security::container_context(container, host_users, &at.child("securityContext"), errors);
}

/// When an image is pulled.
pub(super) fn pull_policy(of: &Value, member: &str, at: &Path<'_>, errors: &mut Errors) {
    one_of(of, member, &["Always", "IfNotPresent", "Never"], at, errors);
}

fn ports(container: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("ports");
    let mut names = HashSet::new();
    for (index, port) in container.items("ports").iter().enumerate() {
        let at = at.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            let faults = text::port_name(name);
            if faults.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(at.child("name"), name));
            }
            invalid(&at.child("name"), name, faults, errors);
        }
        let number = |member: &str| port.int(member).unwrap_or(0);
        if number("containerPort") == 0 {
            errors.push(FieldError::required(at.child("containerPort"), ""));
        }
        for member in ["containerPort", "hostPort"] {
            let number = number(member);
            if number != 0 {
                let faults = text::port_number(number).into_iter();
                errors.extend(faults.map(|fault| FieldError::invalid(at.child(member), number, fault)));
            }
        }
        one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &at, errors);
    }
}

/// Two containers cannot have the same port of the node.
fn host_ports<'a>(containers: impl Iterator<Item = (usize, &'a Value)>, at: &Path<'_>, errors: &mut Errors) {
    let mut taken = HashSet::new();
    for (index, container) in containers {
        let at = at.index(index);
        let at = at.child("ports");
        for (index, port) in container.items("ports").iter().enumerate() {
            let number = port.int("hostPort").unwrap_or(0);
            let (protocol, address) = (port.text("protocol"), port.text("hostIP"));
            if number != 0 && !taken.insert((protocol, address, number)) {
                let shown = format!("{protocol}/{address}/{number}");
                errors.push(FieldError::duplicate(at.index(index).child("hostPort"), shown));
            }
        }
    }
}

fn resize_policy(container: &Value, pod_restart: &str, at: &Path<'_>, errors: &mut Errors) {
    let mut names = HashSet::new();
    for (index, policy) in container.items("resizePolicy").iter().enumerate() {
        let (resource, restart) = (policy.text("resourceName"), policy.text("restartPolicy"));
        if !names.insert(resource) {
            errors.push(FieldError::duplicate(at.index(index), resource));
        }
        for (value, known) in [(resource, ["cpu", "memory"]), (restart, ["NotRequired", "RestartContainer"])] {
            if value.is_empty() {
                errors.push(FieldError::required(at, ""));
            } else if !known.contains(&value) {
                errors.push(FieldError::not_supported(at, value, &known));
            }
        }
        if pod_restart == "Never" && restart != "NotRequired" {
            let hint = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(at, restart, hint));
        }
    }
}

/// A container may restart otherwise than its pod.
fn restart_policy(container: &Value, at: &Path<'_>, errors: &mut Errors) {
    let rules = container.items("restartPolicyRules");
    one_of_if_set(container, "restartPolicy", &["Always", "Never", "OnFailure"], at, errors);
    if container.part("restartPolicy").is_none() && !rules.is_empty() {
        let hint = "must specify restartPolicy when restart rules are used";
        errors.push(FieldError::required(at.child("restartPolicy"), hint));
    }
    let at = at.child("restartPolicyRules");
    if rules.len() > 20 {
        errors.push(FieldError { field: (&at).into(), fault: Fault::TooMany(rules.len(), 20) });
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        one_of(rule, "action", &["Restart"], &at, errors);
        match rule.part("exitCodes") {
            None => errors.push(FieldError::required(at.child("exitCodes"), "must be specified")),
            Some(codes) => {
                let at = at.child("exitCodes");
                one_of(codes, "operator", &["In", "NotIn"], &at, errors);
                let count = codes.items("values").len();
                if count > 255 {
                    errors.push(FieldError { field: at.child("values").into(), fault: Fault::TooMany(count, 255) });
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
