//! Merging an applied object into a live one, and taking fields out of an object.

use std::collections::BTreeMap;

use serde_json::Value;

use super::element::Element;
use super::set::Set;
use super::shape::{DEEPEST, Shape};
use crate::cluster::api::schema::Struct;
use crate::cluster::object::Map;

/// The live object with everything that is applied. Nothing goes.
pub(super) fn merged(kind: &Struct, live: &Value, applied: &Value) -> Value {
    merge(Shape::Struct(kind), live, applied, 0)
}

fn merge(shape: Shape<'_>, live: &Value, applied: &Value, depth: usize) -> Value {
    if depth >= DEEPEST {
        return applied.clone();
    }
    match (shape, live, applied) {
        (Shape::Leaf, ..) => applied.clone(),
        (Shape::Keyed(..) | Shape::Items(_), Value::Array(live), Value::Array(applied)) => {
            merge_list(shape, live, applied, depth).into()
        }
        (Shape::Keyed(..) | Shape::Items(_), Value::Array(items), Value::Null) if !items.is_empty() => live.clone(),
        (_, Value::Object(members), Value::Null) if !members.is_empty() => live.clone(),
        (_, Value::Object(live), Value::Object(applied)) => merge_map(shape, live, applied, depth).into(),
        _ => applied.clone(),
    }
}

fn merge_map(shape: Shape<'_>, live: &Map, applied: &Map, depth: usize) -> Map {
    let mut out = Map::with_capacity(live.len().max(applied.len()));
    for (name, value) in live {
        let value = match applied.get(name) {
            Some(applied) => merge(shape.member(name).0, value, applied, depth + 1),
            None => value.clone(),
        };
        out.insert(name.clone(), value);
    }
    for (name, value) in applied {
        if !live.contains_key(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    out
}

/// Applied items come in their order. An item that is only in the live list stays where it was: before the first
/// applied one that stood behind it.
fn merge_list(shape: Shape<'_>, live: &[Value], applied: &[Value], depth: usize) -> Vec<Value> {
    let identified = |items: &'_ [Value]| -> Vec<Element> {
        // an item that nothing identifies is told apart by its place
        let place = |place| Element::Index(i64::try_from(place).unwrap_or(i64::MAX));
        items.iter().enumerate().map(|(at, item)| shape.identify(item).unwrap_or(place(at))).collect()
    };
    let (live_keys, applied_keys) = (identified(live), identified(applied));
    let live_places = places(&live_keys);
    let applied_places = places(&applied_keys);
    let item = |at: usize| {
        let value = applied.get(at)?;
        let twins = applied_keys.get(at).and_then(|key| live_places.get(key)).map(Vec::as_slice);
        Some(match twins.map(|twins| (twins, twins.first().and_then(|twin| live.get(*twin)))) {
            Some(([_], Some(twin))) => merge(shape.item(), twin, value, depth + 1),
            _ => value.clone(),
        })
    };
    let mut shared = applied_keys.iter().filter(|key| live_places.contains_key(key)).peekable();
    let mut out = Vec::with_capacity(live.len().max(applied.len()));
    let (mut at_live, mut at_applied) = (0, 0);
    while at_live < live.len() || at_applied < applied.len() {
        let (here, next) = (live_keys.get(at_live), applied_keys.get(at_applied));
        if let Some(key) = here {
            let Some(twins) = applied_places.get(key) else {
                out.extend(live.get(at_live).cloned());
                at_live += 1;
                continue;
            };
            let waits = shared.peek().is_some_and(|turn| *turn != key);
            if next.is_some() && next != here && waits {
                at_live += 1;
                continue;
            }
            if next == here || twins.iter().all(|twin| *twin < at_applied) {
                at_live += 1;
            }
        }
        if next.is_some() {
            out.extend(item(at_applied));
            if shared.peek().copied() == next {
                shared.next();
            }
            at_applied += 1;
        }
    }
    out
}

fn places(keys: &[Element]) -> BTreeMap<&Element, Vec<usize>> {
    let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (place, key) in keys.iter().enumerate() {
        places.entry(key).or_default().push(place);
    }
    places
}

/// Takes the fields of a set out of an object. What becomes empty by that goes too.
pub(super) fn remove(kind: &Struct, object: &mut Value, set: &Set) {
    take_out(Shape::Struct(kind), object, set);
}

/// The same in a value; whether anything of it is left.
fn take_out(shape: Shape<'_>, value: &mut Value, set: &Set) -> bool {
    match value {
        Value::Object(members) if !members.is_empty() && !matches!(shape, Shape::Leaf) => {
            members.retain(|name, member| {
                let node = set.node(&Element::field(name));
                !node.member && (node.below.is_empty() || take_out(shape.member(name).0, member, &node.below))
            });
            !members.is_empty()
        }
        Value::Array(items) if !items.is_empty() && shape.is_list() => {
            items.retain_mut(|item| {
                let Ok(element) = shape.identify(item) else { return true };
                let node = set.node(&element);
                !node.member && (node.below.is_empty() || take_out(shape.item(), item, &node.below))
            });
            !items.is_empty()
        }
        _ => true,
    }
}
