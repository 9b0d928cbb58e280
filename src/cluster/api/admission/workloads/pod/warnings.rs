//! What is allowed in pods and templates but hardly meant.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::super::read::Read;
use super::{each_container, overlaps, spec_of};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::quantity::Quantity;

const NO_POD: &str = "a null labelSelector results in matching no pod";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

const LABELS: [(&str, &str); 5] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    ("failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"),
    ("beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"),
];

const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];

/// Members of volumes, the names under which they are told of, and what became of them.
const VOLUMES: [(&str, &str, &str); 9] = [
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// Warnings about a pod, or about a template at `at`.
pub(super) fn of(object: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    let spec = spec_of(object);
    let at_spec = at.child("spec");
    for (key, _) in spec.texts("nodeSelector") {
        if let Some(why) = old_label(key) {
            warnings.push(format!("{}: {why}", at_spec.child("nodeSelector").key(key)));
        }
    }
    node_affinity(spec, &at_spec, warnings);
    spread(spec, &at_spec.child("topologySpreadConstraints"), warnings);
    let annotations = object.part("metadata").part("annotations");
    let at_metadata = at.child("metadata");
    let at_annotations = at_metadata.child("annotations");
    for (key, why) in ANNOTATIONS.iter().filter(|(key, _)| annotations.has_text(key)) {
        warnings.push(format!("{}: {why}", at_annotations.key(key)));
    }
    volumes(spec, &at_spec.child("volumes"), warnings);
    overlaps::warnings(spec.items("volumes"), warnings);
    twice(spec, "hostAliases", "ip", &at_spec, warnings);
    twice(spec, "imagePullSecrets", "name", &at_spec, warnings);
    let at_secrets = at_spec.child("imagePullSecrets");
    for (index, _) in spec.items("imagePullSecrets").iter().enumerate().filter(|(_, item)| item.text("name").is_empty())
    {
        warnings.push(format!("{}: invalid empty name \"\"", at_secrets.index(index).child("name")));
    }
    fractions(spec.part("overhead"), &at_spec.child("overhead"), &["memory", "ephemeral-storage"], warnings);
    profiles(object, &at_annotations, at.to_string().is_empty(), warnings);
    each_container(spec, &at_spec, |container, at| own(container, at, warnings));
    ports(spec, &at_spec, warnings);
    if spec.int("terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        let at = at_spec.child("terminationGracePeriodSeconds");
        warnings.push(format!("{at}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(spec, &at_spec.child("affinity"), warnings);
}

fn old_label(key: &str) -> Option<&'static str> {
    LABELS.iter().find(|(label, _)| *label == key).map(|(_, why)| *why)
}

fn node_affinity(spec: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    let affinity = spec.part("affinity").part("nodeAffinity");
    let at = at.child("affinity");
    let at = at.child("nodeAffinity");
    let at_required = at.child(REQUIRED);
    let at_terms = at_required.child("nodeSelectorTerms");
    for (index, term) in affinity.part(REQUIRED).items("nodeSelectorTerms").iter().enumerate() {
        node_term(Some(term), false, &at_terms.index(index), warnings);
    }
    let at_preferred = at.child(PREFERRED);
    for (index, term) in affinity.items(PREFERRED).iter().enumerate() {
        node_term(term.part("preference"), true, &at_preferred.index(index).child("preference"), warnings);
    }
}

fn node_term(term: Option<&Value>, check_values: bool, at: &Path<'_>, warnings: &mut Vec<String>) {
    let at = at.child("matchExpressions");
    for (index, expression) in term.items("matchExpressions").iter().enumerate() {
        let at = at.index(index);
        let key = expression.text("key");
        if let Some(why) = old_label(key) {
            warnings.push(format!("{}: {key} is {why}", at.child("key")));
        }
        let at = at.child("values");
        for (index, value) in expression.strings("values").enumerate().filter(|_| check_values) {
            let faults = text::label_value(value).into_iter();
            warnings.extend(faults.map(|fault| format!("{}: {value} is invalid, {fault}", at.index(index))));
        }
    }
}

fn spread(spec: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    for (index, constraint) in spec.items("topologySpreadConstraints").iter().enumerate() {
        let at = at.index(index);
        let key = constraint.text("topologyKey");
        if let Some(why) = old_label(key) {
            warnings.push(format!("{}: {key} is {why}", at.child("topologyKey")));
        }
        if constraint.part("labelSelector").is_none() {
            warnings.push(format!("{}: {NO_POD}", at.child("labelSelector")));
        }
    }
}

fn pod_affinity(spec: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let affinity = spec.part("affinity").part(kind);
        let at = at.child(kind);
        let at_required = at.child(REQUIRED);
        for (index, term) in affinity.items(REQUIRED).iter().enumerate() {
            if term.part("labelSelector").is_none() {
                warnings.push(format!("{}: {NO_POD}", at_required.index(index).child("labelSelector")));
            }
        }
        let at_preferred = at.child(PREFERRED);
        for (index, term) in affinity.items(PREFERRED).iter().enumerate() {
            if term.part("podAffinityTerm").part("labelSelector").is_none() {
                let at = at_preferred.index(index);
                warnings.push(format!("{}: {NO_POD}", at.child("podAffinityTerm").child("labelSelector")));
            }
        }
    }
}

fn volumes(spec: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    for (index, volume) in spec.items("volumes").iter().enumerate() {
        let at = at.index(index);
        for (_, told, why) in VOLUMES.iter().filter(|(member, ..)| volume.part(member).is_some()) {
            warnings.push(format!("{}: {why}", at.child(told)));
        }
        let claim = volume.part("ephemeral").part("volumeClaimTemplate").part("spec");
        let at = at.child("ephemeral");
        let at = at.child("volumeClaimTemplate");
        claim_spec(claim, &at.child("spec"), warnings);
    }
}

/// Warnings about what a claim asks for.
pub(super) fn claim_spec(spec: Option<&Value>, at: &Path<'_>, warnings: &mut Vec<String>) {
    let at = at.child("resources");
    fractions(spec.part("resources").part("requests"), &at.child("requests"), &["storage"], warnings);
}

fn twice(spec: &Value, list: &str, member: &str, at: &Path<'_>, warnings: &mut Vec<String>) {
    let at = at.child(list);
    let mut seen = HashSet::new();
    for (index, item) in spec.items(list).iter().enumerate() {
        let value = item.text(member);
        if !seen.insert(value) {
            warnings.push(format!("{}: duplicate {member} \"{value}\"", at.index(index).child(member)));
        }
    }
}

/// There are no parts of a byte.
fn fractions(list: Option<&Value>, at: &Path<'_>, names: &[&str], warnings: &mut Vec<String>) {
    for name in names {
        let value = list.text(name);
        if value.parse::<Quantity>().is_ok_and(|value| !value.is_whole()) {
            warnings
                .push(format!("{}: fractional byte value \"{value}\" is invalid, must be an integer", at.key(name)));
        }
    }
}

/// Profiles in annotations that no field goes with.
fn profiles(object: &Value, at: &Path<'_>, is_pod: bool, warnings: &mut Vec<String>) {
    const SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
    const APP_ARMOR: &str = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
    let annotations = object.part("metadata").part("annotations");
    if annotations.is_none() {
        return;
    }
    let has = |holder: &Value, profile: &str| holder.part("securityContext").part(profile).is_some();
    let mut warn = |key: &str, why: &str| {
        if annotations.has_text(key) {
            warnings.push(format!("{}: {why}", at.key(key)));
        }
    };
    let spec = spec_of(object);
    if !has(spec, "seccompProfile") {
        warn("seccomp.security.alpha.kubernetes.io/pod", SECCOMP);
    }
    each_container(spec, &Path::ROOT, |container, _| {
        let name = container.text("name");
        if !has(container, "seccompProfile") {
            warn(&format!("container.seccomp.security.alpha.kubernetes.io/{name}"), SECCOMP);
        }
        if !is_pod && !has(spec, "appArmorProfile") && !has(container, "appArmorProfile") {
            warn(&format!("container.apparmor.security.beta.kubernetes.io/{name}"), APP_ARMOR);
        }
    });
}

fn own(container: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    let at_resources = at.child("resources");
    for name in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            fractions(container.part("resources").part(list), &at_resources.child(list), &[name], warnings);
        }
    }
    let at_env = at.child("env");
    let mut seen = HashSet::new();
    for (index, variable) in container.items("env").iter().enumerate() {
        let (name, value) = (variable.text("name"), variable.text("value"));
        if seen.insert(name) {
            continue;
        }
        let reference = format!("$({name})");
        if variable.part("valueFrom").is_some() || value == reference || !value.contains(&reference) {
            let at = at_env.index(index);
            warnings
                .push(format!("{at}: hides previous definition of \"{name}\", which may be dropped when using apply"));
        }
    }
}

fn ports(spec: &Value, at: &Path<'_>, warnings: &mut Vec<String>) {
    let mut all: HashMap<(i64, &str), Vec<(&Value, String)>> = HashMap::new();
    for list in super::LISTS {
        let at = at.child(list);
        for (index, container) in spec.items(list).iter().enumerate() {
            let at = at.index(index);
            let at = at.child("ports");
            for (index, port) in container.items("ports").iter().enumerate() {
                let at = at.index(index);
                let number = |member: &str| port.int(member).unwrap_or(0);
                let address = port.text("hostIP");
                if !address.is_empty() && number("hostPort") == 0 {
                    warnings.push(format!(
                        "{at}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{address}}}",
                        port.text("name"),
                        number("containerPort"),
                        port.text("protocol"),
                    ));
                }
                let others = all.entry((number("containerPort"), port.text("protocol"))).or_default();
                for (other, where_) in others.iter() {
                    if let Some(how) = clash(port, other) {
                        warnings.push(format!("{at}: {how} port definition with {where_}"));
                    }
                }
                others.push((port, at.to_string()));
            }
        }
    }
}

fn clash(port: &Value, other: &Value) -> Option<&'static str> {
    let number = |port: &Value| port.int("hostPort").unwrap_or(0);
    let (a, b) = (port.text("hostIP"), other.text("hostIP"));
    if a == b && number(port) == number(other) {
        return Some("duplicate");
    }
    if number(port) == 0 || number(other) == 0 {
        return Some("overlapping");
    }
    (number(port) == number(other) && a.is_empty() != b.is_empty()).then_some("dangerously ambiguous")
}
