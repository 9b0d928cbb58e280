//! The difference between two JSON values, as JSON that is short when little changed. Pure.
//!
//! | delta | means |
//! |---|---|
//! | `[0, value]` | another value |
//! | `[1, {key: delta}, [gone]]` | an object: what changed, new keys as `[0, value]`, and which keys are gone |
//! | `[2, {index: delta}]` | a list of the same length: which items changed |
//! | `[3, [[from, count] or {"+": [values]}]]` | a list put together from runs of the old one and new items |
//! | `[4, before, after, "text"]` | a text: bytes kept at its start and its end, and what stands between |

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// Shorter texts are written whole.
const SHORT: usize = 48;
/// Longer lists are written whole: looking for what was kept costs more than it saves.
const MOST_ITEMS: usize = 2000;

/// A delta that does not fit the value it is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a change does not fit what it changes")]
pub struct Misfit;

/// What makes `new` of `old`; `None` when they are the same.
pub fn between(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let delta = match (old, new) {
        (Value::Object(old), Value::Object(new)) => objects(old, new),
        (Value::Array(old), Value::Array(new)) if old.len().max(new.len()) <= MOST_ITEMS => lists(old, new),
        (Value::String(old), Value::String(new)) if new.len() > SHORT => texts(old, new),
        _ => return Some(json!([0, new])),
    };
    let whole = json!([0, new]);
    Some(if size(&delta) < size(&whole) { delta } else { whole })
}

/// How long a value is as text.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        Value::Number(number) => number.as_u64().map_or(12, |number| number.checked_ilog10().unwrap_or(0) as usize + 1),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| size(item) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>(),
    }
}

fn objects(old: &Map<String, Value>, new: &Map<String, Value>) -> Value {
    let mut changed = Map::new();
    for (key, value) in new {
        let delta = match old.get(key) {
            Some(before) => between(before, value),
            None => Some(json!([0, value])),
        };
        if let Some(delta) = delta {
            changed.insert(key.clone(), delta);
        }
    }
    let gone: Vec<&String> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    if gone.is_empty() { json!([1, changed]) } else { json!([1, changed, gone]) }
}

fn lists(old: &[Value], new: &[Value]) -> Value {
    let runs = runs(old, new);
    if old.len() != new.len() {
        return runs;
    }
    let changed = old.iter().zip(new).enumerate();
    let changed: Map<String, Value> =
        changed.filter_map(|(index, (old, new))| Some((index.to_string(), between(old, new)?))).collect();
    let items = json!([2, changed]);
    if size(&items) <= size(&runs) { items } else { runs }
}

fn runs(old: &[Value], new: &[Value]) -> Value {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(old.len());
    for (index, item) in old.iter().enumerate() {
        places.entry(item.to_string()).or_insert(index);
    }
    let mut parts: Vec<Value> = Vec::new();
    // The run that is being copied: from, count; and the items that are new.
    let (mut run, mut fresh): (Option<(usize, usize)>, Vec<Value>) = (None, Vec::new());
    for item in new {
        let follows = run.filter(|(from, count)| old.get(from + count) == Some(item));
        if let Some((from, count)) = follows {
            run = Some((from, count + 1));
            continue;
        }
        parts.extend(run.take().map(|(from, count)| json!([from, count])));
        match places.get(&item.to_string()) {
            Some(index) => {
                if !fresh.is_empty() {
                    parts.push(json!({ "+": std::mem::take(&mut fresh) }));
                }
                run = Some((*index, 1));
            }
            None => fresh.push(item.clone()),
        }
    }
    parts.extend(run.map(|(from, count)| json!([from, count])));
    if !fresh.is_empty() {
        parts.push(json!({ "+": fresh }));
    }
    json!([3, parts])
}

fn texts(old: &str, new: &str) -> Value {
    let shortest = old.len().min(new.len());
    let mut before = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
    while !(old.is_char_boundary(before) && new.is_char_boundary(before)) {
        before -= 1;
    }
    let ends = old.bytes().rev().zip(new.bytes().rev()).take(shortest - before);
    let mut after = ends.take_while(|(old, new)| old == new).count();
    while !(old.is_char_boundary(old.len() - after) && new.is_char_boundary(new.len() - after)) {
        after -= 1;
    }
    json!([4, before, after, &new[before..new.len() - after]])
}

/// What a delta makes of a value.
///
/// # Errors
/// When it was not made for this value.
pub fn apply(old: &mut Value, delta: Value) -> Result<(), Misfit> {
    let Value::Array(parts) = delta else { return Err(Misfit) };
    let mut parts = parts.into_iter();
    let sign = parts.next().and_then(|sign| sign.as_u64()).ok_or(Misfit)?;
    let first = parts.next().ok_or(Misfit)?;
    match (sign, first, old) {
        (0, value, old) => *old = value,
        (1, Value::Object(changed), Value::Object(old)) => {
            for (key, delta) in changed {
                apply(old.entry(key).or_insert(Value::Null), delta)?;
            }
            for gone in parts.next().iter().flat_map(|gone| gone.as_array()).flatten() {
                old.shift_remove(gone.as_str().ok_or(Misfit)?).ok_or(Misfit)?;
            }
        }
        (2, Value::Object(changed), Value::Array(old)) => {
            for (index, delta) in changed {
                let index: usize = index.parse().map_err(|_| Misfit)?;
                apply(old.get_mut(index).ok_or(Misfit)?, delta)?;
            }
        }
        (3, Value::Array(runs), Value::Array(old)) => *old = put_together(old, runs)?,
        (4, before, Value::String(old)) => {
            let number = |value: Value| value.as_u64().and_then(|number| usize::try_from(number).ok()).ok_or(Misfit);
            let before = number(before)?;
            let after = number(parts.next().ok_or(Misfit)?)?;
            let between = parts.next().ok_or(Misfit)?;
            let head = old.get(..before).ok_or(Misfit)?;
            let tail = old.len().checked_sub(after).and_then(|from| old.get(from..)).ok_or(Misfit)?;
            *old = format!("{head}{}{tail}", between.as_str().ok_or(Misfit)?);
        }
        _ => return Err(Misfit),
    }
    Ok(())
}

fn put_together(old: &[Value], runs: Vec<Value>) -> Result<Vec<Value>, Misfit> {
    let mut new = Vec::new();
    for run in runs {
        match run {
            Value::Array(run) => {
                let number =
                    |index: usize| run.get(index).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
                let (from, count) = number(0).zip(number(1)).ok_or(Misfit)?;
                let end = from.checked_add(count).ok_or(Misfit)?;
                new.extend_from_slice(old.get(from..end).ok_or(Misfit)?);
            }
            Value::Object(mut fresh) => match fresh.shift_remove("+") {
                Some(Value::Array(fresh)) => new.extend(fresh),
                _ => return Err(Misfit),
            },
            _ => return Err(Misfit),
        }
        if new.len() > MOST_ITEMS {
            return Err(Misfit);
        }
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| json!(number)),
            "[aäb ]{0,4}".prop_map(Value::String),
            "[aäb]{45,60}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec(("[a-c]", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_delta_makes_the_new_of_the_old(old in value(), new in value()) {
            let mut made = old.clone();
            match between(&old, &new) {
                Some(delta) => apply(&mut made, delta).unwrap(),
                None => prop_assert_eq!(&old, &new),
            }
            prop_assert_eq!(made, new);
        }

        #[test]
        fn foreign_deltas_are_refused_not_feared(old in value(), delta in value()) {
            let mut made = old;
            let _ = apply(&mut made, delta);
        }
    }

    #[test]
    fn little_is_written_of_what_changed_a_little() {
        let row = |name: &str, age: &str| json!({ "key": name, "cells": [name, "1/1", "Running", age] });
        let names = ["podinfo-6d4cf56db6-7xk2p", "podinfo-6d4cf56db6-9bcd2", "db-0"];
        let table = |age: &str| Value::Array(names.iter().map(|name| row(name, age)).collect());
        for (old, new, expected) in [
            (
                table("41s"),
                table("46s"),
                json!([2, { "0": [1, { "cells": [2, { "3": [0, "46s"] }] }], "1": [1, { "cells": [2, { "3": [0, "46s"] }] }], "2": [1, { "cells": [2, { "3": [0, "46s"] }] }] }]),
            ),
            (
                json!(["the first line of a log", "the second line of a log", "the third line of a log"]),
                json!(["the second line of a log", "the third line of a log", "the fourth line of a log"]),
                json!([3, [[1, 2], { "+": ["the fourth line of a log"] }]]),
            ),
        ] {
            assert_eq!(between(&old, &new), Some(expected));
        }
        let long = "line after line after line after line after line after line\n";
        let delta = between(&json!(long), &json!(format!("{long}more\n")));
        assert_eq!(delta, Some(json!([4, 60, 0, "more\n"])));
    }
}
