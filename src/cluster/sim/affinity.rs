//! Which nodes a pod may be on: node selector, required node affinity, taints and tolerations.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cluster::api::store::Stored;
use crate::cluster::sim::selector::{self, Requirement};
use crate::cluster::sim::views::or_default;

/// A node as pods see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    name: &'a str,
    labels: &'a [(Box<str>, Box<str>)],
    taints: &'a [Taint],
}

/// What is asked of a node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct NodeView {
    #[serde(deserialize_with = "or_default")]
    spec: NodeSpec,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct NodeSpec {
    #[serde(deserialize_with = "or_default")]
    taints: Vec<Taint>,
}

impl<'a> Node<'a> {
    /// A node of the store, with what is asked of it.
    pub(crate) fn new(stored: &'a Stored, view: &'a NodeView) -> Self {
        Self { name: &stored.key.name, labels: &stored.labels, taints: &view.spec.taints }
    }
}

/// What keeps pods away from a node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Taint {
    key: Box<str>,
    value: Box<str>,
    effect: Box<str>,
}

/// What lets a pod bear a taint.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Toleration {
    key: Box<str>,
    operator: Box<str>,
    value: Box<str>,
    effect: Box<str>,
}

/// What a pod asks of its node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Placement {
    node_name: Option<Box<str>>,
    node_selector: Option<BTreeMap<Box<str>, Box<str>>>,
    affinity: Option<Affinity>,
    tolerations: Option<Vec<Toleration>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Affinity {
    node_affinity: Option<NodeAffinity>,
}

/// The node affinity of a pod, as far as it is binding.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<NodeSelector>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeSelector {
    #[serde(deserialize_with = "or_default")]
    node_selector_terms: Vec<Term>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Term {
    #[serde(deserialize_with = "or_default")]
    match_expressions: Vec<Requirement>,
    #[serde(deserialize_with = "or_default")]
    match_fields: Vec<Requirement>,
}

impl NodeAffinity {
    /// The one node that it names, as the pods of a daemon set do.
    pub(crate) fn node_name(&self) -> Option<Box<str>> {
        let terms = &self.required.as_ref()?.node_selector_terms;
        let mut fields = terms.iter().flat_map(|term| &term.match_fields);
        let field = fields.find(|field| field.key() == "metadata.name")?;
        field.values().first().cloned()
    }

    fn allows(&self, node: Node<'_>) -> bool {
        self.required.as_ref().is_none_or(|required| required.node_selector_terms.iter().any(|term| term.allows(node)))
    }
}

impl Term {
    /// All of its requirements hold; an empty term holds nowhere.
    fn allows(&self, node: Node<'_>) -> bool {
        let named = |field: &Requirement| field.key() == "metadata.name" && field.allows(Some(node.name));
        (!self.match_expressions.is_empty() || !self.match_fields.is_empty())
            && self.match_expressions.iter().all(|label| label.allows(selector::find(node.labels, label.key())))
            && self.match_fields.iter().all(named)
    }
}

impl Placement {
    /// Adds a toleration of a taint, whatever its value.
    pub(crate) fn tolerate(&mut self, key: &str, effect: &str) {
        let (key, operator, effect) = (key.into(), "Exists".into(), effect.into());
        self.tolerations.get_or_insert_default().push(Toleration { key, operator, value: "".into(), effect });
    }

    /// Whether its node name, node selector and affinity allow a node.
    pub(crate) fn fits(&self, node: Node<'_>) -> bool {
        let mut wanted = self.node_selector.iter().flatten();
        let affinity = self.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
        self.node_name.as_ref().is_none_or(|name| name.is_empty() || **name == *node.name)
            && wanted.all(|(label, value)| selector::find(node.labels, label) == Some(value))
            && affinity.is_none_or(|affinity| affinity.allows(node))
    }

    /// Whether it tolerates all taints of a node that have one of these effects.
    pub(crate) fn tolerates(&self, node: Node<'_>, effects: &[&str]) -> bool {
        let mut taints = node.taints.iter().filter(|taint| effects.contains(&&*taint.effect));
        taints.all(|taint| self.tolerations.iter().flatten().any(|toleration| toleration.covers(taint)))
    }
}

impl Toleration {
    fn covers(&self, taint: &Taint) -> bool {
        let same_key = self.key.is_empty() || self.key == taint.key;
        let same_value = match &*self.operator {
            "Exists" => true,
            "" | "Equal" => self.value == taint.value,
            _ => false,
        };
        (self.effect.is_empty() || self.effect == taint.effect) && same_key && same_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn with_node<T>(look: impl Fn(Node<'_>) -> T) -> T {
        let taints =
            json!([{"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "old", "effect": "NoExecute"}]);
        let metadata = json!({"name": "n1", "labels": {"zone": "a", "cores": "8"}});
        let stored = Stored::new("nodes".into(), json!({"metadata": metadata, "spec": {"taints": taints}}), 1);
        let view = stored.view::<NodeView>();
        look(Node::new(&stored, &view))
    }

    #[test]
    fn nodes_are_chosen() {
        let term = |term: Value| {
            json!({"affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}})
        };
        let cases = [
            (json!({}), true),
            (json!({"nodeName": "n1"}), true),
            (json!({"nodeName": "n2"}), false),
            (json!({"nodeSelector": {"zone": "a"}}), true),
            (json!({"nodeSelector": {"zone": "b"}}), false),
            (json!({"affinity": {"podAffinity": {}}}), true),
            (term(json!({})), false),
            (term(json!({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}]})), true),
            (term(json!({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]})), false),
            (term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]})), true),
            (term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]})), false),
        ];
        for (spec, expected) in cases {
            let placement: Placement = serde_json::from_value(spec.clone()).unwrap();
            assert_eq!(with_node(|node| placement.fits(node)), expected, "{spec}");
        }
    }

    #[test]
    fn taints_are_tolerated() {
        let cases = [
            (json!([]), false),
            (json!([{"operator": "Exists"}]), true),
            (
                json!([{"key": "gpu", "value": "yes"}, {"key": "old", "operator": "Exists", "effect": "NoExecute"}]),
                true,
            ),
            (json!([{"key": "gpu", "value": "no"}, {"key": "old", "operator": "Exists"}]), false),
            (json!([{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]), false),
        ];
        for (tolerations, expected) in cases {
            let placement: Placement = serde_json::from_value(json!({"tolerations": tolerations})).unwrap();
            assert_eq!(
                with_node(|node| placement.tolerates(node, &["NoSchedule", "NoExecute"])),
                expected,
                "{placement:?}"
            );
        }
        let mut placement = Placement::default();
        placement.tolerate("old", "NoExecute");
        assert!(with_node(|node| placement.tolerates(node, &["NoExecute"])));
        assert!(!with_node(|node| placement.tolerates(node, &["NoExecute", "NoSchedule"])));
    }
}
