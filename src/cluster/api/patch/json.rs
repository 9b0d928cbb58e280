//! JSON patch (RFC 6902), as lenient as the library of the real server.
//!
//! What differs from the RFC: `replace` of a member that is not there adds it, `copy` of one that is not there gives
//! null, `test` against null passes for one that is not there, and places in a list may count from its end (`-1`).

use std::borrow::Cow;

use serde_json::Value;

use super::super::status::Refusal;
use super::{go, unprocessable, wrong_body};

/// Operations that one patch may have.
const MOST_OPERATIONS: usize = 10_000;
/// Bytes that the copies of one patch may add.
const MOST_COPIED: usize = 3 << 20;
/// How deep the outcome may nest.
const DEEPEST: usize = 110;
/// How many values may be looked at or moved aside.
const MOST_WORK: usize = 4_000_000;

/// The object after a JSON patch.
pub fn json(current: &Value, body: &Value) -> Result<Value, Refusal> {
    let operations = match body {
        Value::Null => &[],
        Value::Array(operations) => operations.as_slice(),
        other => return Err(unreadable(&wrong_body(other, "[]handlers.jsonPatchOp"))),
    };
    if let Some(why) = operations.iter().find_map(wrong_type) {
        return Err(unreadable(&why));
    }
    if operations.len() > MOST_OPERATIONS {
        let count = operations.len();
        let why = format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {count}");
        return Err(Refusal::new(413, "RequestEntityTooLarge", format!("Request entity too large: {why}")));
    }
    let mut patching = Patching { object: current.clone(), copied: 0, work: 0 };
    operations.iter().try_for_each(|operation| patching.step(operation)).ok_or_else(unprocessable)?;
    Ok(patching.object)
}

/// What strict reading finds in a JSON patch: members that no operation has.
pub fn unknown_members(body: &Value) -> Vec<String> {
    let operations = body.as_array().into_iter().flatten().enumerate();
    let members = operations.flat_map(|(place, operation)| {
        operation.as_object().into_iter().flat_map(|members| members.keys()).map(move |name| (place, name))
    });
    members
        .filter(|(_, name)| !matches!(name.as_str(), "op" | "path" | "from" | "value"))
        .map(|(place, name)| format!("json patch unknown field \"[{place}].{name}\""))
        .collect()
}

fn unreadable(why: &str) -> Refusal {
    Refusal::bad_request(format!("error decoding patch: {why}"))
}

/// What Go's decoder says of an operation whose members have wrong types.
fn wrong_type(operation: &Value) -> Option<String> {
    let Value::Object(members) = operation else {
        return (!operation.is_null()).then(|| wrong_body(operation, "handlers.jsonPatchOp"));
    };
    let texts = members.iter().filter(|(name, _)| matches!(name.as_str(), "op" | "path" | "from"));
    let wrong = texts.into_iter().find(|(_, value)| !value.is_string() && !value.is_null());
    wrong.map(|(name, value)| {
        let word = go::json_word(value);
        format!("json: cannot unmarshal {word} into Go struct field jsonPatchOp.{name} of type string")
    })
}

/// A patch under way. Its steps give `None` when the patch fails; nobody is told why.
struct Patching {
    object: Value,
    copied: usize,
    work: usize,
}

/// Where a path leads: what holds the place, the place's name there, and how deep that is.
struct Place<'a> {
    holder: &'a mut Value,
    name: Cow<'a, str>,
    depth: usize,
}

impl Patching {
    fn step(&mut self, operation: &Value) -> Option<()> {
        let member = |name| operation.get(name).and_then(Value::as_str);
        let value = operation.get("value");
        match member("op")? {
            "add" => {
                let value = value.cloned().unwrap_or_default();
                self.add(member("path")?, value)
            }
            "remove" => self.remove(member("path")?).map(drop),
            "replace" => self.replace(member("path")?, value),
            "move" => {
                let moved = self.remove(member("from")?)?;
                self.add(member("path")?, moved)
            }
            "copy" => {
                let copy = Place::of(&mut self.object, member("from")?)?.get()?.cloned().unwrap_or_default();
                self.copied = self.copied.saturating_add(copy.to_string().len());
                (self.copied <= MOST_COPIED).then_some(())?;
                self.add(member("path")?, copy)
            }
            "test" => {
                let path = member("path")?;
                let wanted = value.unwrap_or(&Value::Null);
                let passes = if path.is_empty() {
                    self.object == *wanted
                } else {
                    Place::of(&mut self.object, path)?.get()?.unwrap_or(&Value::Null) == wanted
                };
                passes.then_some(())
            }
            _ => None,
        }
    }

    fn add(&mut self, path: &str, value: Value) -> Option<()> {
        let place = Place::of(&mut self.object, path)?;
        self.work += place.neighbours() / 8;
        fits(&value, DEEPEST.checked_sub(place.depth)?, &mut self.work).then_some(())?;
        place.add(value)
    }

    fn remove(&mut self, path: &str) -> Option<Value> {
        let place = Place::of(&mut self.object, path)?;
        self.work += place.neighbours() / 8;
        (self.work <= MOST_WORK).then_some(())?;
        place.remove()
    }

    fn replace(&mut self, path: &str, value: Option<&Value>) -> Option<()> {
        if path.is_empty() {
            self.object = value.filter(|value| value.is_object() || value.is_array())?.clone();
            return Some(());
        }
        let place = Place::of(&mut self.object, path)?;
        let value = value.unwrap_or(&Value::Null);
        fits(value, DEEPEST.checked_sub(place.depth)?, &mut self.work).then_some(())?;
        place.replace(value.clone())
    }
}

impl<'a> Place<'a> {
    /// The last place of a path; the way there has to exist. What stands before the first slash is not looked at.
    fn of(object: &'a mut Value, path: &'a str) -> Option<Self> {
        let (_, below) = path.split_once('/')?;
        let (way, name) = below.rsplit_once('/').map_or((None, below), |(way, name)| (Some(way), name));
        let mut holder = object;
        let mut depth = 1;
        for step in way.into_iter().flat_map(|way| way.split('/')) {
            let step = unescaped(step);
            holder = match holder {
                Value::Object(members) => members.get_mut(&*step)?,
                Value::Array(items) => {
                    let index = index(&step, items.len())?;
                    items.get_mut(index)?
                }
                _ => return None,
            };
            depth += 1;
        }
        (holder.is_object() || holder.is_array()).then(|| Self { holder, name: unescaped(name), depth })
    }

    /// How many values stand beside it.
    fn neighbours(&self) -> usize {
        match &self.holder {
            Value::Object(members) => members.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        }
    }

    /// What is there. Nothing at all (`None`) is wrong, an absent member (`Some(None)`) may be right.
    fn get(self) -> Option<Option<&'a Value>> {
        match self.holder {
            Value::Object(members) => Some(members.get(&*self.name)),
            Value::Array(items) => items.get(index(&self.name, items.len())?).map(Some),
            _ => None,
        }
    }

    fn remove(self) -> Option<Value> {
        match self.holder {
            Value::Object(members) => members.shift_remove(&*self.name),
            Value::Array(items) => {
                let index = index(&self.name, items.len()).filter(|index| *index < items.len())?;
                Some(items.remove(index))
            }
            _ => None,
        }
    }

    fn replace(self, value: Value) -> Option<()> {
        match self.holder {
            Value::Object(members) => {
                members.insert(self.name.into_owned(), value);
            }
            Value::Array(items) => {
                let index = index(&self.name, items.len())?;
                *items.get_mut(index)? = value;
            }
            _ => return None,
        }
        Some(())
    }

    fn add(self, value: Value) -> Option<()> {
        match self.holder {
            Value::Object(members) => {
                members.insert(self.name.into_owned(), value);
            }
            Value::Array(items) if self.name == "-" => items.push(value),
            Value::Array(items) => {
                let index = index(&self.name, items.len() + 1).filter(|index| *index <= items.len())?;
                items.insert(index, value);
            }
            _ => return None,
        }
        Some(())
    }
}

/// A place in a list of `length`; negative ones count from its end.
fn index(text: &str, length: usize) -> Option<usize> {
    let index: i64 = text.parse().ok()?;
    if index < 0 {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    } else {
        usize::try_from(index).ok()
    }
}

/// A step of a path: `~1` is a slash and `~0` a tilde.
fn unescaped(step: &str) -> Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}

/// Whether a value nests at most `room` levels, looking at a bounded number of values over a whole patch.
fn fits(value: &Value, room: usize, work: &mut usize) -> bool {
    *work += 1;
    if *work > MOST_WORK {
        return false;
    }
    match value {
        Value::Array(items) => room > 0 && items.iter().all(|item| fits(item, room - 1, work)),
        Value::Object(members) => room > 0 && members.values().all(|member| fits(member, room - 1, work)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json as value;

    use crate::cluster::api::ownership::testing::any_value;

    fn patched(current: &Value, operations: Value) -> Option<Value> {
        match json(current, &operations) {
            Ok(patched) => Some(patched),
            Err(refusal) => {
                assert_eq!(refusal, unprocessable());
                None
            }
        }
    }

    #[test]
    fn operations() {
        let current = value!({"data": {"a": "1", "x~y/z": "q"}, "list": [1, 2], "none": null});
        let cases = [
            (value!([{"op": "replace", "path": "/data/a", "value": "2"}]), "/data/a", Some(value!("2"))),
            (value!([{"op": "replace", "path": "/data/new", "value": 1}]), "/data/new", Some(value!(1))),
            (value!([{"op": "replace", "path": "/nothing/new", "value": 1}]), "", None),
            (value!([{"op": "replace", "path": "/list/2", "value": 1}]), "", None),
            (value!([{"op": "replace", "path": "", "value": {"b": 1}}]), "", Some(value!({"b": 1}))),
            (value!([{"op": "replace", "path": "", "value": 1}]), "", None),
            (value!([{"op": "add", "path": "/list/-", "value": 3}]), "/list", Some(value!([1, 2, 3]))),
            (value!([{"op": "add", "path": "/list/0", "value": 0}]), "/list", Some(value!([0, 1, 2]))),
            (value!([{"op": "add", "path": "/list/-1", "value": 3}]), "/list", Some(value!([1, 2, 3]))),
            (value!([{"op": "add", "path": "/list/3", "value": 3}]), "", None),
            (value!([{"op": "add", "path": "", "value": {}}]), "", None),
            (value!([{"op": "add", "path": "/deep/er", "value": 1}]), "", None),
            (value!([{"op": "remove", "path": "/list/-1"}]), "/list", Some(value!([1]))),
            (value!([{"op": "remove", "path": "/data/x~0y~1z"}]), "/data", Some(value!({"a": "1"}))),
            (value!([{"op": "remove", "path": "/data/zzz"}]), "", None),
            (value!([{"op": "remove", "path": "data"}]), "", None),
            (value!([{"op": "move", "from": "/data/a", "path": "/b"}]), "/b", Some(value!("1"))),
            (value!([{"op": "move", "from": "/data/b", "path": "/b"}]), "", None),
            (value!([{"op": "move", "from": "/list/0", "path": "/list/1"}]), "/list", Some(value!([2, 1]))),
            (value!([{"op": "copy", "from": "/list", "path": "/data/l"}]), "/data/l", Some(value!([1, 2]))),
            (value!([{"op": "copy", "from": "/absent", "path": "/data/l"}]), "/data/l", Some(value!(null))),
            (value!([{"op": "test", "path": "/data/a", "value": "1"}]), "", Some(current.clone())),
            (value!([{"op": "test", "path": "/data/a", "value": "nope"}]), "", None),
            (value!([{"op": "test", "path": "/absent", "value": null}]), "", Some(current.clone())),
            (value!([{"op": "test", "path": "/absent"}]), "", Some(current.clone())),
            (value!([{"op": "test", "path": "/none", "value": null}]), "", Some(current.clone())),
            (value!([{"op": "test", "path": "/absent/more", "value": null}]), "", None),
            (value!([{"op": "test", "path": "/list/7", "value": null}]), "", None),
            (value!([{"op": "explode", "path": "/data"}]), "", None),
            (value!([{"path": "/data"}]), "", None),
            (value!([{"op": "add", "path": "/x"}]), "/x", Some(value!(null))),
            (value!([null]), "", None),
            (value!([]), "", Some(current.clone())),
            (value!(null), "", Some(current.clone())),
        ];
        for (operations, place, there) in cases {
            let outcome = patched(&current, operations.clone());
            assert_eq!(outcome.map(|patched| patched.pointer(place).cloned()), there.map(Some), "{operations}");
        }
    }

    #[test]
    fn a_patch_applies_as_a_whole_or_not_at_all() {
        let current = value!({"data": {"a": "1"}});
        let operations = value!([{"op": "remove", "path": "/data/a"}, {"op": "test", "path": "/data/a", "value": "1"}]);
        assert_eq!(patched(&current, operations), None);
    }

    #[test]
    fn bodies_that_cannot_be_read() {
        let cases = [
            (value!({"op": "remove"}), "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
            (value!("x"), "json: cannot unmarshal string into Go value of type []handlers.jsonPatchOp"),
            (value!([1]), "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
            (
                value!([{"op": "add", "path": true}]),
                "json: cannot unmarshal bool into Go struct field jsonPatchOp.path of type string",
            ),
        ];
        for (body, why) in cases {
            assert_eq!(json(&value!({}), &body), Err(Refusal::bad_request(format!("error decoding patch: {why}"))));
        }
        let many = Value::Array(vec![value!({"op": "test", "path": "/x"}); MOST_OPERATIONS + 1]);
        let refusal = json(&value!({}), &many).unwrap_err();
        assert_eq!((refusal.code, refusal.reason), (413, "RequestEntityTooLarge"));
        assert!(refusal.message.ends_with("in a JSON patch is 10000, got 10001"), "{}", refusal.message);
        assert_eq!(
            unknown_members(&value!([{"op": "add", "path": "/a", "vale": 1}, 7])),
            ["json patch unknown field \"[0].vale\""]
        );
    }

    #[test]
    fn copies_cannot_grow_without_end() {
        let doubling: Vec<_> =
            (0..64).map(|turn| value!({"op": "copy", "from": "/a", "path": format!("/a/{turn}")})).collect();
        assert_eq!(patched(&value!({"a": {"x": "some text"}}), Value::Array(doubling)), None);
        let into_itself = value!([{"op": "move", "from": "/a/b", "path": "/a/b/c"}]);
        assert_eq!(patched(&value!({"a": {"b": {}}}), into_itself), None);
        let deeper = [
            value!({"op": "move", "from": "/a", "path": "/b"}),
            value!({"op": "add", "path": "/a", "value": []}),
            value!({"op": "move", "from": "/b", "path": "/a/0"}),
        ];
        let nesting: Vec<_> = deeper.iter().cycle().take(3 * 200).cloned().collect();
        assert_eq!(patched(&value!({"a": []}), Value::Array(nesting)), None);
        let long = value!({"list": vec![0; 100_000]});
        let inserting = vec![value!({"op": "add", "path": "/list/0", "value": 1}); MOST_OPERATIONS];
        assert_eq!(patched(&long, Value::Array(inserting)), None);
    }

    proptest! {
        #[test]
        fn never_panics(current in any_value(), paths in proptest::collection::vec("(/[a-c0-2~-]{0,2}){0,3}", 6), new in any_value()) {
            let [a, b, c, d, e, f] = &paths[..] else { return Ok(()) };
            let operations = value!([
                {"op": "add", "path": a, "value": new}, {"op": "move", "from": a, "path": b},
                {"op": "copy", "from": c, "path": d}, {"op": "remove", "path": e}, {"op": "replace", "path": f, "value": 1},
            ]);
            for length in 0..=5 {
                let part = operations.as_array().map(|all| Value::Array(all[..length].to_vec()));
                let _ = json(&current, &part.unwrap_or_default());
            }
        }

        #[test]
        fn what_is_added_is_there_and_can_be_removed(current in any_value(), new in any_value()) {
            let Value::Object(_) = current else { return Ok(()) };
            let added = patched(&current, value!([{"op": "add", "path": "/brand~1new", "value": new}])).unwrap();
            prop_assert_eq!(added.get("brand/new"), Some(&new));
            prop_assert_eq!(patched(&added, value!([{"op": "remove", "path": "/brand~1new"}])), Some(current));
        }
    }
}
