//! The set of fields that a value sets.

use serde_json::Value;

use super::element::Element;
use super::set::{Node, Set};
use super::shape::{DEEPEST, Shape};
use crate::cluster::api::schema::Struct;

/// Every leaf, keyed item and free-form member of an object.
pub(super) fn fields(kind: &Struct, object: &Value) -> Set {
    extract(Shape::Struct(kind), object, 0).below
}

fn extract(shape: Shape<'_>, value: &Value, depth: usize) -> Node {
    let leaf = Node { member: true, below: Set::default() };
    if depth >= DEEPEST {
        return leaf;
    }
    match (shape, value) {
        (Shape::Leaf, _) => leaf,
        (Shape::Keyed(..) | Shape::Items(_), Value::Array(items)) => {
            Node { member: false, below: list(shape, items, depth) }
        }
        (Shape::Keyed(..) | Shape::Items(_), _) => Node::default(),
        (_, Value::Object(members)) => {
            let nodes = members.iter().map(|(name, member)| {
                let (shape, declared) = shape.member(name);
                let mut node = extract(shape, member, depth + 1);
                let empty = member.is_null() || member.as_object().is_some_and(serde_json::Map::is_empty);
                node.member |= empty || !declared;
                (Element::field(name), node)
            });
            Node { member: false, below: Set::from_nodes(nodes.collect()) }
        }
        (Shape::Any, scalar) if !scalar.is_null() => leaf,
        _ => Node::default(),
    }
}

/// Items that are there several times are one field.
fn list(shape: Shape<'_>, items: &[Value], depth: usize) -> Set {
    let mut known: Vec<_> = items.iter().filter_map(|item| Some((shape.identify(item).ok()?, item))).collect();
    known.sort_by(|(a, _), (b, _)| a.cmp(b));
    let groups = known.chunk_by(|(a, _), (b, _)| a == b);
    let nodes = groups.filter_map(|group| {
        let (element, item) = group.first()?;
        let below = if group.len() == 1 { extract(shape.item(), item, depth + 1).below } else { Set::default() };
        Some((element.clone(), Node { member: true, below }))
    });
    Set::from_nodes(nodes.collect())
}

/// A set to go by when fields are taken out of an object: declared members with others below them are in it too, so
/// that none stays behind empty.
pub(super) fn with_named(kind: &Struct, set: &Set) -> Set {
    name(Shape::Struct(kind), set)
}

fn name(shape: Shape<'_>, set: &Set) -> Set {
    let nodes = set.nodes().map(|(element, node)| {
        let (below, declared) = match element {
            Element::Field(name) => shape.member(name),
            _ => (shape.item(), false),
        };
        (element.clone(), Node { member: node.member || declared, below: name(below, &node.below) })
    });
    Set::from_nodes(nodes.collect())
}

/// A set as the kind sees fields now: whoever owns a part of something that is one field by now owns all of it.
pub(super) fn reconciled(kind: &Struct, set: &Set) -> Set {
    reconcile(Shape::Struct(kind), set)
}

fn reconcile(shape: Shape<'_>, set: &Set) -> Set {
    let nodes = set.nodes().map(|(element, node)| {
        let below = match element {
            Element::Field(name) => shape.member(name).0,
            _ => shape.item(),
        };
        let node = match below {
            Shape::Leaf if !node.below.is_empty() => Node { member: true, below: Set::default() },
            _ => Node { member: node.member, below: reconcile(below, &node.below) },
        };
        (element.clone(), node)
    });
    Set::from_nodes(nodes.collect())
}
