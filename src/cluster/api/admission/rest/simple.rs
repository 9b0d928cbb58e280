//! Small kinds: PriorityClass, Lease, RuntimeClass, and those that only their metadata is checked of.

use serde_json::Value;

use super::check::{Check, same};
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, flag, int, set_default, text};

const LEASES: &str = "coordination.k8s.io";
const DEVICES: &str = "resource.k8s.io";
const FLOWS: &str = "flowcontrol.apiserver.k8s.io";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "scheduling.k8s.io",
        kind: "PriorityClass",
        generation: Generation::Fixed,
        always: &[(&["value"], Blank::Zero)],
        defaults: |class| set_default(class, &["preemptionPolicy"], "PreemptLowerPriority"),
        validate: priority_class,
        ..Kind::CLUSTER
    },
    Kind {
        group: LEASES,
        kind: "Lease",
        create_on_update: true,
        versioned: true,
        always: &[(&["spec"], Blank::Object)],
        validate: lease,
        ..Kind::NAMESPACED
    },
    Kind {
        group: "node.k8s.io",
        kind: "RuntimeClass",
        create_on_update: true,
        always: &[(&["handler"], Blank::Text)],
        validate: runtime_class,
        ..Kind::CLUSTER
    },
    Kind { group: DEVICES, kind: "DeviceClass", generation: Generation::Member("spec"), ..Kind::CLUSTER },
    Kind { group: DEVICES, kind: "ResourceClaim", status: Status::Separate, ..Kind::NAMESPACED },
    Kind { group: DEVICES, kind: "ResourceClaimTemplate", ..Kind::NAMESPACED },
    Kind { group: DEVICES, kind: "ResourceSlice", generation: Generation::Member("spec"), ..Kind::CLUSTER },
    Kind {
        group: FLOWS,
        kind: "FlowSchema",
        generation: Generation::Member("spec"),
        status: Status::Separate,
        ..Kind::CLUSTER
    },
    Kind {
        group: FLOWS,
        kind: "PriorityLevelConfiguration",
        generation: Generation::Member("spec"),
        status: Status::Separate,
        ..Kind::CLUSTER
    },
];

/// The highest priority that is not the system's own.
const HIGHEST: i64 = 1_000_000_000;
/// The classes that Kubernetes itself has.
const SYSTEM: [(&str, i64); 2] = [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

fn priority_class(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let value = int(new, &["value"]).unwrap_or(0);
    if let Some(old) = old {
        if value != int(old, &["value"]).unwrap_or(0) {
            check.forbidden("value", "may not be changed in an update.");
        }
        check.immutable("preemptionPolicy", new, old, &["preemptionPolicy"]);
        return;
    }
    let name = text(new, &["metadata", "name"]);
    if name.starts_with("system-") {
        let known = SYSTEM.contains(&(name, value)) && !flag(new, &["globalDefault"]);
        if !known {
            let hint = "priority class names with 'system-' prefix are reserved for system use only. error: ";
            let why = match SYSTEM.iter().find(|(system, _)| *system == name) {
                Some((_, expected)) if *expected != value => {
                    format!("value of {name} PriorityClass must be {expected}")
                }
                Some(_) => format!("globalDefault of {name} PriorityClass must be false"),
                None => format!("{name} is not a known system priority class"),
            };
            check.forbidden("metadata.name", format!("{hint}{why}"));
        }
    } else if value > HIGHEST {
        let hint = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        check.forbidden("value", hint);
    }
    match text(new, &["preemptionPolicy"]) {
        "" => check.required("preemptionPolicy", ""),
        policy => check.one_of("preemptionPolicy", policy, &["Never", "PreemptLowerPriority"]),
    }
}

fn lease(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let positive = "must be greater than 0";
    if let Some(seconds) = int(new, &["spec", "leaseDurationSeconds"]).filter(|seconds| *seconds <= 0) {
        check.invalid("spec.leaseDurationSeconds", seconds, positive);
    }
    if let Some(count) = int(new, &["spec", "leaseTransitions"]).filter(|count| *count < 0) {
        check.invalid("spec.leaseTransitions", count, "must be greater than or equal to 0");
    }
    let strategy = at(new, &["spec", "strategy"]).and_then(Value::as_str);
    if let Some(strategy) = strategy.filter(|strategy| !strategy.is_empty()) {
        if strategy.contains('/') {
            check.sentences("spec.strategy", strategy, names::qualified_name(strategy));
        } else {
            check.one_of("spec.strategy", strategy, &["OldestEmulationVersion"]);
        }
    }
    let preferred = text(new, &["spec", "preferredHolder"]);
    if !preferred.is_empty() && strategy.is_none_or(str::is_empty) {
        let hint = "may only be specified when `strategy` is defined";
        check.forbidden("spec.preferredHolder", hint);
    }
}

fn runtime_class(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    let handler = text(new, &["handler"]);
    if let Some(old) = old {
        if !same(new.get("handler"), old.get("handler")) {
            check.invalid("handler", handler, super::check::IMMUTABLE);
        }
        return;
    }
    check.sentences("handler", handler, names::dns_label(handler));
}
