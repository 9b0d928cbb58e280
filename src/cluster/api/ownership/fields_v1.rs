//! Sets of fields as `FieldsV1` JSON, `{"f:spec":{"f:replicas":{}}}`: read, printed, and changed as it is.

use std::collections::HashSet;

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
    pub(super) fn touches(&self, fields: &Map) -> bool {
        let mut name = String::new();
        self.nodes().any(|(element, node)| match fields.get(element.name(&mut name)) {
            Some(Value::Object(below)) => node.member || node.below.touches(below),
            _ => false,
        })
    }

    /// Takes the fields of this set out of such JSON. A field that nothing is known below of takes all that is below
    /// it there along: it was divided once and is one by now.
    pub(super) fn take_out_of(&self, fields: &mut Map) {
        let (mut name, mut gone) = (String::new(), HashSet::new());
        for (element, node) in self.nodes() {
            let name = element.name(&mut name);
            let Some(Value::Object(below)) = fields.get_mut(name) else { continue };
            let whole = node.member && node.below.is_empty();
            let member = !node.member && is_member(below);
            node.below.take_out_of(below);
            below.shift_remove(SELF);
            if whole || below.is_empty() && !member {
                gone.insert(name.to_owned());
            } else if member {
                mark(below);
            }
        }
        if !gone.is_empty() {
            fields.retain(|name, _| !gone.contains(name));
        }
    }

    /// Puts the fields of this set into such JSON.
    pub(super) fn put_into(&self, fields: &mut Map) {
        let mut name = String::new();
        let mut grown = false;
        for (element, node) in self.nodes() {
            let name = element.name(&mut name);
            let Some(Value::Object(below)) = fields.get_mut(name) else {
                fields.insert(name.to_owned(), Value::Object(print(&node.below, node.member)));
                grown = true;
                continue;
            };
            let member = node.member || is_member(below);
            below.shift_remove(SELF);
            node.below.put_into(below);
            if member {
                mark(below);
            }
        }
        if grown {
            sort(fields);
        }
    }
}

/// Whether JSON below a name says that the path itself is a member.
fn is_member(below: &Map) -> bool {
    below.is_empty() || below.contains_key(SELF)
}

/// Says that the path itself is a member.
fn mark(below: &mut Map) {
    if !below.is_empty() {
        below.shift_insert(0, SELF.to_owned(), Value::Object(Map::new()));
    }
}

/// Puts names in canonical order.
fn sort(fields: &mut Map) {
    let entries = std::mem::take(fields).into_iter().map(|(name, below)| (Element::parse(&name).ok(), name, below));
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    fields.extend(entries.into_iter().map(|(_, name, below)| (name, below)));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_and_prints() {
        let canonical = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80}": {".": {}, "f:port": {}}, "k:{\"port\":443}": {}}, "f:tags": {"v:\"x\"": {}}},
        });
        let set = Set::parse(&canonical).unwrap();
        assert_eq!(set.to_value().to_string(), canonical.to_string());
        let labels = [Element::field("metadata"), Element::field("labels")];
        assert!(set.has(&labels) && !set.has(&labels[..1]) && !set.has(&[]));
        assert_eq!(Set::parse(&json!({})).unwrap(), Set::default());
        assert_eq!(Set::parse(&json!({"f:b": {}, "f:a": {}, "x:new": {}})).unwrap(), Set::of(&[&["a"], &["b"]]));
        assert_eq!(Set::parse(&json!({"f:a": {"x:new": {}}})).unwrap(), Set::of(&[&["a"]]));
        assert_eq!(Set::parse(&json!({"f:a": null})).unwrap(), Set::of(&[&["a"]]));
        for broken in [json!([]), json!({"f:a": 1}), json!({"a": {}}), json!({"k:[]": {}})] {
            assert!(Set::parse(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn differences() {
        let set = Set::of(&[&["a"], &["a", "b"], &["a", "b", "c"], &["d", "e"]]);
        let a = Set::of(&[&["a"], &["d"]]);
        assert_eq!(set.difference(&a), Set::of(&[&["a", "b"], &["a", "b", "c"], &["d", "e"]]));
        assert_eq!(set.without(&a), Set::default());
        assert_eq!(set.without(&Set::of(&[&["a", "b"]])), Set::of(&[&["a"], &["d", "e"]]));
        assert_eq!(set.leaves(), Set::of(&[&["a", "b", "c"], &["d", "e"]]));
        assert_eq!(set.paths().len(), 4);
    }

    fn any_set() -> impl Strategy<Value = Set> {
        let element = prop_oneof![
            "[a-c.]{1,2}".prop_map(|name| Element::field(&name)),
            ("[a-b<]", 0..2_i64)
                .prop_map(|(name, value): (String, i64)| Element::key(vec![(name.into(), value.into())])),
            prop_oneof![Just(json!(true)), Just(json!("x\"&")), Just(json!(1.5))]
                .prop_map(|value| Element::Value(value.into())),
            (0_i64..3).prop_map(Element::Index),
        ];
        let paths = proptest::collection::vec(proptest::collection::vec(element, 1..4), 0..8);
        paths.prop_map(|paths| {
            let mut set = Set::default();
            paths.iter().for_each(|path| set.insert(path));
            set
        })
    }

    proptest! {
        #[test]
        fn printing_and_reading_gives_the_same_set(set in any_set()) {
            let printed = set.to_value();
            prop_assert_eq!(Set::parse(&printed), Ok(set.clone()));
            let text = printed.to_string();
            let again: Value = serde_json::from_str(&text).unwrap_or_default();
            prop_assert_eq!(Set::parse(&again).unwrap_or_default().to_value().to_string(), text);
            prop_assert_eq!(set.paths().iter().filter(|path| !set.has(path)).count(), 0);
        }

        #[test]
        fn sets_are_a_lattice(a in any_set(), b in any_set(), c in any_set()) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.intersection(&b), b.intersection(&a));
            prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
            prop_assert_eq!(a.intersection(&b).intersection(&c), a.intersection(&b.intersection(&c)));
            prop_assert_eq!(&a.union(&a.intersection(&b)), &a);
            prop_assert_eq!(&a.intersection(&a.union(&b)), &a);
            prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
            prop_assert_eq!(&a.difference(&b).union(&a.intersection(&b)), &a);
            prop_assert!(a.difference(&b).intersection(&b).is_empty());
            prop_assert!(a.without(&b).difference(&a.difference(&b)).is_empty());
            prop_assert_eq!(a.difference(&b).is_empty(), a.paths().iter().all(|path| b.has(path)));
        }

        #[test]
        fn json_can_be_changed_as_it_is(a in any_set(), b in any_set()) {
            let (Value::Object(json), Value::Object(_)) = (a.to_value(), b.to_value()) else { return Ok(()) };
            let shared = !a.intersection(&b).is_empty();
            prop_assert!(!shared || b.touches(&json));
            let mut more = json.clone();
            b.put_into(&mut more);
            prop_assert_eq!(Value::Object(more).to_string(), a.union(&b).to_value().to_string());
            let mut less = json;
            // a leaf of b is all that it is in a
            let wanted = a.difference(&b).without(&b.leaves());
            b.take_out_of(&mut less);
            prop_assert_eq!(Value::Object(less).to_string(), wanted.to_value().to_string());
        }
    }
}
