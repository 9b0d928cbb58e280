//! What changed from one object to another, as sets of fields: one walk over both.

use serde_json::Value;

use super::element::{Element, same};
use super::set::{Node, Set};
use super::shape::{DEEPEST, Shape};
use super::zero::zero;
use crate::cluster::api::schema::Struct;
use crate::cluster::object::Map;

/// What changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Fields that are new or have another value.
    pub(super) set: Set,
    /// Fields that are gone.
    pub(super) removed: Set,
}

impl Changes {
    /// From `old` to `new`, both whole objects of a kind.
    pub(super) fn between(kind: &Struct, old: &Value, new: &Value) -> Self {
        let mut changed = Changed::default();
        changed.walk(Shape::Struct(kind), Some(old), Some(new), 0);
        Self { set: changed.set.below, removed: changed.removed.below }
    }

    /// The same without some fields and all below them.
    pub(super) fn without(mut self, ignored: &Set) -> Self {
        self.set.remove(ignored, true);
        self.removed.remove(ignored, true);
        self
    }
}

/// What changed at one path and below.
#[derive(Default)]
struct Changed {
    set: Node,
    removed: Node,
}

impl Changed {
    fn walk(&mut self, shape: Shape<'_>, old: Option<&Value>, new: Option<&Value>, depth: usize) {
        if depth >= DEEPEST {
            return self.leaf(old, new);
        }
        let members = |value: Option<&Value>| value.is_some_and(Value::is_object);
        let valued = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
        match shape {
            Shape::Leaf => return self.leaf(old, new),
            Shape::Any if !members(old) && !members(new) => return self.leaf(old, new),
            Shape::Any if valued(old) && valued(new) && members(old) != members(new) => {
                self.set.member = true;
                return self.visit_map(shape, old, new, depth);
            }
            Shape::Keyed(..) | Shape::Items(_) => {
                if items(old).is_empty() && items(new).is_empty() {
                    return self.leaf(old, new);
                }
                self.visit_list(shape, items(old), items(new), depth);
            }
            Shape::Any | Shape::Struct(_) | Shape::Map(_) => {
                let empty = |value: Option<&Value>| value.and_then(Value::as_object).is_none_or(Map::is_empty);
                if empty(old) && empty(new) {
                    return self.leaf(old, new);
                }
                self.visit_map(shape, old, new, depth);
            }
        }
        self.set.member |= old.is_none();
        self.removed.member |= new.is_none();
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(_), None) => self.removed.member = true,
            (Some(old), Some(new)) if same(old, new) => {}
            _ => self.set.member = true,
        }
    }

    fn visit_map(&mut self, shape: Shape<'_>, old: Option<&Value>, new: Option<&Value>, depth: usize) {
        let nothing = Map::new();
        let (there, here) = (old.is_some(), new.is_some());
        let old = old.and_then(Value::as_object).unwrap_or(&nothing);
        let new = new.and_then(Value::as_object).unwrap_or(&nothing);
        let mut below = Below::default();
        let mut in_step = old.iter();
        for (name, value) in new {
            // mostly both have the same members in the same order
            let before = match in_step.next() {
                Some((step, before)) if step == name => Some(before),
                _ => old.get(name),
            };
            if let (Some(before), false) = (before, value.is_object() || value.is_array())
                && before == value
            {
                continue;
            }
            let default = if before.is_none() && there { absent(shape, name, value) } else { None };
            below.visit(shape.member(name).0, Element::field(name), before.or(default.as_ref()), Some(value), depth);
        }
        if new.len() == old.len() && old.keys().eq(new.keys()) {
            return self.take(below);
        }
        for (name, before) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
            let default = if here { absent(shape, name, before) } else { None };
            below.visit(shape.member(name).0, Element::field(name), Some(before), default.as_ref(), depth);
        }
        self.take(below);
    }

    fn visit_list(&mut self, shape: Shape<'_>, old: &[Value], new: &[Value], depth: usize) {
        if old == new {
            return;
        }
        let (old, new) = (identified(shape, old), identified(shape, new));
        let (mut old, mut new) = (old.as_slice(), new.as_slice());
        let mut below = Below::default();
        while let Some((element, _)) = match (old.first(), new.first()) {
            (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
            (a, b) => a.or(b),
        } {
            let (before, old_rest) = old.split_at(equal(old, element));
            let (after, new_rest) = new.split_at(equal(new, element));
            (old, new) = (old_rest, new_rest);
            below.visit_item(shape.item(), element, before, after, depth);
        }
        self.take(below);
    }

    fn take(&mut self, below: Below) {
        self.set.below = Set::from_nodes(below.set);
        self.removed.below = Set::from_nodes(below.removed);
    }
}

/// What changed in the members or items of a value.
#[derive(Default)]
struct Below {
    set: Vec<(Element, Node)>,
    removed: Vec<(Element, Node)>,
}

impl Below {
    fn visit(&mut self, shape: Shape<'_>, element: Element, old: Option<&Value>, new: Option<&Value>, depth: usize) {
        let mut changed = Changed::default();
        changed.walk(shape, old, new, depth + 1);
        self.push(element, changed);
    }

    fn push(&mut self, element: Element, changed: Changed) {
        if changed.removed.is_empty() {
            if !changed.set.is_empty() {
                self.set.push((element, changed.set));
            }
            return;
        }
        if !changed.set.is_empty() {
            self.set.push((element.clone(), changed.set));
        }
        self.removed.push((element, changed.removed));
    }

    /// An item that may be there several times: then its list is one field, all of equal key.
    fn visit_item(
        &mut self,
        shape: Shape<'_>,
        element: &Element,
        old: &[(Element, &Value)],
        new: &[(Element, &Value)],
        depth: usize,
    ) {
        let mut changed = Changed::default();
        match (old.len(), new.len()) {
            (0 | 1, 0 | 1) => {
                let (old, new) = (old.first().map(|(_, item)| *item), new.first().map(|(_, item)| *item));
                changed.walk(shape, old, new, depth + 1);
            }
            (2.., 2..) => {
                let equal = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| same(a.1, b.1));
                changed.set.member = !equal;
            }
            (2.., _) => {
                if let [(_, item)] = new {
                    changed.walk(shape, None, Some(item), depth + 1);
                }
                changed.removed.member = true;
            }
            (_, _) => {
                if let [(_, item)] = old {
                    changed.walk(shape, Some(item), None, depth + 1);
                }
                changed.set.member = true;
            }
        }
        self.push(element.clone(), changed);
    }
}

/// What stands for an absent member of an object that is there: its zero value, or null for null.
fn absent(shape: Shape<'_>, name: &str, like: &Value) -> Option<Value> {
    if let Shape::Struct(kind) = shape {
        if like.is_null() && kind.field(name).is_some_and(|field| !field.nullable) {
            return Some(Value::Null);
        }
        return zero(kind, name, like);
    }
    None
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The items of a list with what identifies them, sorted by that; items that nothing identifies are left out.
fn identified<'a>(shape: Shape<'_>, items: &'a [Value]) -> Vec<(Element, &'a Value)> {
    let known = items.iter().filter_map(|item| Some((shape.identify(item).ok()?, item)));
    let mut known: Vec<_> = known.collect();
    known.sort_by(|(a, _), (b, _)| a.cmp(b));
    known
}

/// How many items at the start of a list are identified by an element.
fn equal(items: &[(Element, &Value)], element: &Element) -> usize {
    items.iter().take_while(|(there, _)| there == element).count()
}
