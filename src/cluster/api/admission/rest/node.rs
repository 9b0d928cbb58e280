//! Node, Binding.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::address::family;
use super::check::{Check, texts};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, list, map, set, text};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        kind: "Node",
        status: Status::SeparateLater,
        always: &[
            (&["spec"], Blank::Object),
            (&["status", "daemonEndpoints", "kubeletEndpoint", "Port"], Blank::Zero),
            (&["status", "nodeInfo", "machineID"], Blank::Text),
            (&["status", "nodeInfo", "systemUUID"], Blank::Text),
            (&["status", "nodeInfo", "bootID"], Blank::Text),
            (&["status", "nodeInfo", "kernelVersion"], Blank::Text),
            (&["status", "nodeInfo", "osImage"], Blank::Text),
            (&["status", "nodeInfo", "containerRuntimeVersion"], Blank::Text),
            (&["status", "nodeInfo", "kubeletVersion"], Blank::Text),
            (&["status", "nodeInfo", "kubeProxyVersion"], Blank::Text),
            (&["status", "nodeInfo", "operatingSystem"], Blank::Text),
            (&["status", "nodeInfo", "architecture"], Blank::Text),
        ],
        defaults: |node| {
            if at(node, &["status", "allocatable"]).is_none()
                && let Some(capacity) = at(node, &["status", "capacity"])
            {
                set(node, &["status", "allocatable"], capacity.clone());
            }
        },
        validate: node,
        ..Kind::CLUSTER
    },
    Kind {
        kind: "Binding",
        validate: |check, binding, _| {
            let kind = text(binding, &["target", "kind"]);
            if !kind.is_empty() {
                check.one_of("target.kind", kind, &["Node", "<empty>"]);
            }
            if text(binding, &["target", "name"]).is_empty() {
                check.required("target.name", "");
            }
        },
        ..Kind::NAMESPACED
    },
];

/// What a taint does to pods.
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

fn node(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    check.metadata(new, old);
    if old.is_none() {
        check.taints(new);
    }
    for member in ["capacity", "allocatable"] {
        for (name, amount) in map(new, &["status", member]).into_iter().flatten() {
            let counted = matches!(name.as_str(), "pods") || name.contains('/');
            check.quantity(&format!("status.{member}.{name}"), amount, counted);
        }
    }
    match old {
        None => check.pod_ranges(new),
        Some(old) => {
            let mut seen: Vec<&Value> = Vec::new();
            check.items(new, &["status", "addresses"], |check, field, address| {
                if seen.contains(&address) {
                    check.duplicate(field, address.clone());
                }
                seen.push(address);
            });
            check.kept_node(new, old);
            check.taints(new);
        }
    }
}

impl Check<'_> {
    fn pod_ranges(&mut self, node: &Value) {
        let mut families = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, range) in texts(node, &["spec", "podCIDRs"]).enumerate() {
            let field = format!("spec.podCIDRs[{index}]");
            families.extend(self.cidr(&field, range).map(|(start, _)| family(start)));
            if !seen.insert(range) {
                self.duplicate(field, range);
            }
        }
        let kinds: BTreeSet<_> = families.iter().collect();
        if families.len() > kinds.len() {
            let all = at(node, &["spec", "podCIDRs"]).cloned().unwrap_or_default();
            self.invalid("spec.podCIDRs", all, "may specify no more than one CIDR for each IP family");
        }
    }

    fn kept_node(&mut self, new: &Value, old: &Value) {
        let (ranges, before) = (list(new, &["spec", "podCIDRs"]), list(old, &["spec", "podCIDRs"]));
        if !before.is_empty() && ranges != before {
            self.forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid");
        }
        let (id, before) = (text(new, &["spec", "providerID"]), text(old, &["spec", "providerID"]));
        if !before.is_empty() && id != before {
            self.forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid");
        }
    }

    fn taints(&mut self, node: &Value) {
        let mut seen = BTreeSet::new();
        for (index, taint) in list(node, &["spec", "taints"]).iter().enumerate() {
            // the server itself reports them below metadata
            let field = format!("metadata.taints[{index}]");
            let (key, value, effect) = (text(taint, &["key"]), text(taint, &["value"]), text(taint, &["effect"]));
            self.sentences(&format!("{field}.key"), key, names::qualified_name(key));
            self.sentences(&format!("{field}.value"), value, names::label_value(value));
            self.required_one_of(&format!("{field}.effect"), effect, &EFFECTS);
            if !seen.insert((effect, key)) {
                let added = at(taint, &["timeAdded"]).cloned().unwrap_or_default();
                let shown = json!({"Key": key, "Value": value, "Effect": effect, "TimeAdded": added});
                self.duplicate(field, shown);
            }
        }
    }
}
