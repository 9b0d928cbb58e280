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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cluster::api::ownership::testing::custom;

    fn tags(live: &[&str], applied: &[&str]) -> Value {
        let object = |tags: &[&str]| json!({"spec": {"tags": tags}});
        merged(&custom(), &object(live), &object(applied))["spec"]["tags"].take()
    }

    #[test]
    fn items_come_in_the_order_of_who_applies() {
        let cases: [(&[&str], &[&str], &[&str]); 10] = [
            (&["main"], &["side", "main"], &["side", "main"]),
            (&["x"], &["y"], &["x", "y"]),
            (&["a", "b", "c"], &["c", "a"], &["b", "c", "a"]),
            (&["a", "b", "c"], &["a", "c"], &["a", "b", "c"]),
            (&["a", "b"], &["b", "a"], &["b", "a"]),
            (&["a", "b", "c"], &["new", "b"], &["a", "new", "b", "c"]),
            (&["c", "a", "z"], &["a", "c", "n"], &["a", "z", "c", "n"]),
            (&[], &["a", "b"], &["a", "b"]),
            (&["a", "b"], &[], &["a", "b"]),
            (&["a", "a", "z"], &["a", "n"], &["a", "n", "z"]),
        ];
        for (live, applied, both) in cases {
            assert_eq!(tags(live, applied), json!(both), "{live:?} + {applied:?}");
        }
    }

    #[test]
    fn values_merge_by_their_kind() {
        let cases = [
            (json!({"unit": {"a": "1"}}), json!({"unit": {"b": "2"}}), json!({"unit": {"b": "2"}})),
            (json!({"labels": {"a": "1"}}), json!({"labels": {"b": "2"}}), json!({"labels": {"a": "1", "b": "2"}})),
            (json!({"args": ["a"]}), json!({"args": ["b"]}), json!({"args": ["b"]})),
            (json!({"free": {"a": [1]}}), json!({"free": {"a": [2], "b": 1}}), json!({"free": {"a": [2], "b": 1}})),
            (json!({"free": {"a": 1}}), json!({"free": 1}), json!({"free": 1})),
            (json!({"free": 1}), json!({"free": {"a": 1}}), json!({"free": {"a": 1}})),
            (json!({"labels": {"a": "1"}}), json!({"labels": null}), json!({"labels": {"a": "1"}})),
            (json!({"labels": {}}), json!({"labels": null}), json!({"labels": null})),
            (json!({"tags": ["a"]}), json!({"tags": null}), json!({"tags": ["a"]})),
            (json!({"size": 1}), json!({"size": null}), json!({"size": null})),
            (
                json!({"items": [{"id": "a", "v": 1, "w": 1}]}),
                json!({"items": [{"id": "b"}, {"id": "a", "v": 2}]}),
                json!({"items": [{"id": "b"}, {"id": "a", "v": 2, "w": 1}]}),
            ),
        ];
        for (live, applied, both) in cases {
            let (live, applied, both) = (json!({"spec": live}), json!({"spec": applied}), json!({"spec": both}));
            assert_eq!(merged(&custom(), &live, &applied), both);
        }
    }

    #[test]
    fn taking_fields_out() {
        let object = json!({"spec": {"size": 1, "tags": ["a", "b"], "items": [{"id": "x", "v": 1}, {"id": "y"}], "labels": {"a": "1"}}});
        let cases = [
            (
                json!({"f:spec": {"f:size": {}}}),
                json!({"spec": {
                    "tags": ["a", "b"], "items": [{"id": "x", "v": 1}, {"id": "y"}], "labels": {"a": "1"},
                }}),
            ),
            (
                json!({"f:spec": {"f:tags": {"v:\"a\"": {}}, "f:labels": {"f:a": {}}}}),
                json!({"spec": {
                    "size": 1, "tags": ["b"], "items": [{"id": "x", "v": 1}, {"id": "y"}],
                }}),
            ),
            (
                json!({"f:spec": {"f:items": {"k:{\"id\":\"x\"}": {"f:v": {}}, "k:{\"id\":\"y\"}": {}}}}),
                json!({"spec": {
                    "size": 1, "tags": ["a", "b"], "items": [{"id": "x"}], "labels": {"a": "1"},
                }}),
            ),
            (json!({"f:spec": {}}), json!({})),
        ];
        for (set, left) in cases {
            let mut rest = object.clone();
            remove(&custom(), &mut rest, &Set::parse(&set).unwrap());
            assert_eq!(rest, left);
        }
    }

    proptest! {
        #[test]
        fn merging_lists_keeps_every_item_once(
            live in proptest::collection::btree_set("[a-f]", 0..6).prop_map(Vec::from_iter).prop_shuffle(),
            applied in proptest::collection::btree_set("[a-f]", 0..6).prop_map(Vec::from_iter).prop_shuffle(),
        ) {
            let texts = |items: &[String]| items.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            let (live, applied): (Vec<_>, Vec<_>) =
                (live.iter().map(String::as_str).collect(), applied.iter().map(String::as_str).collect());
            let out = tags(&live, &applied);
            let out: Vec<_> = out.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
            let mut sorted = out.clone();
            sorted.sort();
            let mut all: Vec<_> = live.iter().chain(&applied).map(|text| (*text).to_owned()).collect();
            all.sort();
            all.dedup();
            prop_assert_eq!(sorted, all);
            let kept: Vec<_> = out.iter().filter(|item| applied.contains(&item.as_str())).cloned().collect();
            prop_assert_eq!(texts(&kept), applied.join(" "));
        }
    }
}
