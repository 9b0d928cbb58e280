//! Sets of fields as `FieldsV1` JSON: `{"f:spec":{"f:replicas":{}}}`.

use serde_json::Value;

use super::element::{Element, Unreadable};
use super::set::{Node, Set};
use crate::cluster::object::Map;

/// The name that says that a path with others below it is a member itself.
const SELF: &str = ".";

impl Set {
    /// Reads a set; what a newer server may have written is left out.
    pub fn parse(fields: &Value) -> Result<Self, String> {
        parse(fields).map(|node| node.below)
    }

    /// The set as JSON, in canonical order.
    pub fn to_value(&self) -> Value {
        Value::Object(print(self, false))
    }

    /// Whether JSON that was made by [`Set::to_value`] has any path of this set, be it as a member or not.
    pub(super) fn touches(&self, fields: &Value) -> bool {
        let Value::Object(members) = fields else { return false };
        let mut name = String::new();
        self.nodes().any(|(element, node)| {
            name.clear();
            element.print(&mut name);
            members.get(&name).is_some_and(|below| node.member || node.below.touches(below))
        })
    }

    /// The same for another set.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.nodes().any(|(element, node)| {
            let there = other.node(element);
            !there.is_empty() && (node.member || node.below.meets(&there.below))
        })
    }
}

fn parse(fields: &Value) -> Result<Node, String> {
    let members = match fields {
        Value::Object(members) => members,
        Value::Null => return Ok(Node { member: true, below: Set::default() }),
        other => return Err(format!("expect {{ or n, but found {other}")),
    };
    let mut nodes = Vec::with_capacity(members.len());
    for (name, below) in members.iter().filter(|(name, _)| *name != SELF) {
        match Element::parse(name) {
            Ok(element) => nodes.push((element, parse(below)?)),
            Err(Unreadable::Unknown) => {}
            Err(Unreadable::Broken(why)) => return Err(why),
        }
    }
    let member = nodes.is_empty() || members.contains_key(SELF);
    Ok(Node { member, below: Set::from_nodes(nodes) })
}

fn print(set: &Set, member: bool) -> Map {
    let mut members = Map::new();
    if member && !set.is_empty() {
        members.insert(SELF.to_owned(), Value::Object(Map::new()));
    }
    for (element, node) in set.nodes() {
        let mut name = String::new();
        element.print(&mut name);
        members.insert(name, Value::Object(print(&node.below, node.member)));
    }
    members
}
