//! The row of a node.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Cell, created, name, text_or};
use crate::cluster::object::{flag, list, map, text};

pub(super) fn cells(node: &Value) -> Vec<Cell> {
    let info = |member| text(node, &["status", "nodeInfo", member]);
    let known = |member| text_or(info(member), "<unknown>");
    let kernel = match (info("kernelVersion"), info("architecture")) {
        ("", _) => "<unknown>".to_owned(),
        (kernel, "") => kernel.to_owned(),
        (kernel, architecture) => format!("{kernel} ({architecture})"),
    };
    vec![
        name(node),
        status(node).into(),
        roles(node).into(),
        created(node),
        info("kubeletVersion").into(),
        address(node, "InternalIP").into(),
        address(node, "ExternalIP").into(),
        known("osImage").into(),
        kernel.into(),
        known("containerRuntimeVersion").into(),
    ]
}

fn status(node: &Value) -> String {
    // the last one of a type counts
    let ready = list(node, &["status", "conditions"]).iter().rfind(|one| text(one, &["type"]) == "Ready");
    let ready = match ready.map(|condition| text(condition, &["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if flag(node, &["spec", "unschedulable"]) { ",SchedulingDisabled" } else { "" };
    format!("{ready}{cordoned}")
}

fn roles(node: &Value) -> String {
    let roles: BTreeSet<_> = map(node, &["metadata", "labels"])
        .into_iter()
        .flatten()
        .filter_map(|(label, value)| match label.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if label == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    let roles: Vec<_> = roles.into_iter().collect();
    text_or(&roles.join(","), "<none>").to_owned()
}

fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let addresses = list(node, &["status", "addresses"]).iter();
    addresses.into_iter().find(|one| text(one, &["type"]) == kind).map_or("<none>", |one| text(one, &["address"]))
}
