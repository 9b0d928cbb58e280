//! On which nodes a daemon set's pods shall be, and what its pods say about that.

use serde_json::{Value, json};

use crate::cluster::api::store::Store;
use crate::cluster::object::{at, entry, flag, set};
use crate::cluster::sim::affinity::{Node, NodeView, Placement};

/// Whether a pod may be on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// There shall be one.
    Runs,
    /// None is made, but one that is there may stay.
    KeepsRunning,
    /// There shall be none.
    None,
}

/// A node and whether it fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeFit<'a> {
    pub(super) name: &'a str,
    pub(super) fit: Fit,
}

/// Taints that the pods of daemon sets bear. The last is for those on the host's network.
const TOLERATED: [(&str, &str); 7] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ("node.kubernetes.io/network-unavailable", "NoSchedule"),
];

fn tolerated(spec: &Value) -> &'static [(&'static str, &'static str)] {
    let number = if flag(spec, &["hostNetwork"]) { TOLERATED.len() } else { TOLERATED.len() - 1 };
    &TOLERATED[..number]
}

/// All nodes, and whether the set's pods fit on them.
pub(super) fn fits<'a>(store: &'a Store, object: &Value) -> Vec<NodeFit<'a>> {
    let spec = at(object, &["spec", "template", "spec"]).cloned().unwrap_or_else(|| json!({}));
    let taints = tolerated(&spec);
    let Ok(mut placement) = serde_json::from_value::<Placement>(spec) else { return Vec::new() };
    taints.iter().for_each(|(key, effect)| placement.tolerate(key, effect));
    let fit = |node: Node<'_>| {
        if !placement.fits(node) {
            Fit::None
        } else if placement.tolerates(node, &["NoSchedule", "NoExecute"]) {
            Fit::Runs
        } else if placement.tolerates(node, &["NoExecute"]) {
            Fit::KeepsRunning
        } else {
            Fit::None
        }
    };
    let nodes = store.list("nodes", "");
    nodes
        .map(|stored| {
            let view = stored.view::<NodeView>();
            let node = Node::new(stored, &view);
            NodeFit { name: &stored.key.name, fit: fit(node) }
        })
        .collect()
}

/// Adds the tolerations that all pods of daemon sets have.
pub(super) fn add_tolerations(template: &mut Value) {
    let taints = at(template, &["spec"]).map_or(&[][..], tolerated);
    let place = entry(template, &["spec", "tolerations"]);
    if !place.is_array() {
        *place = json!([]);
    }
    let Some(tolerations) = place.as_array_mut() else { return };
    for (key, effect) in taints {
        let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
}

/// Ties a pod to a node, by an affinity that the scheduler honours.
pub(super) fn pin(pod: &mut Value, node: &str) {
    let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    let required = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    set(entry(pod, &required), &["nodeSelectorTerms"], json!([{"matchFields": [field]}]));
}
