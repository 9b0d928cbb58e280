//! Mappings.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Answer, Arguments, strval, texts};
use crate::helm::template::value::{DEEPEST, Dict, Value};

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "dict" => {
            let pairs = args.all.chunks(2);
            Ok(Value::map(
                pairs.map(|pair| (strval(&pair[0]), pair.get(1).cloned().unwrap_or_else(|| Value::text("")))),
            ))
        }
        "get" => args.map(0).and_then(|map| {
            let found = map.borrow().get(&args.text(1)?).cloned();
            Ok(found.unwrap_or_else(|| Value::text("")))
        }),
        "set" => args.map(0).and_then(|map| {
            let (key, value) = (args.text(1)?, args.at(2)?.clone());
            // A mapping in itself would never be freed.
            let value = if holds(&value, &map, 0) { copy(&value, 0) } else { value };
            map.borrow_mut().insert(key, value);
            Ok(Value::Map(map))
        }),
        "unset" => args.map(0).and_then(|map| {
            let key = args.text(1)?;
            map.borrow_mut().remove(&key);
            Ok(Value::Map(map))
        }),
        "hasKey" => args.map(0).and_then(|map| Ok(Value::Bool(map.borrow().contains_key(&args.text(1)?)))),
        "pluck" => args.text(0).and_then(|key| {
            let maps = (1..args.all.len()).map(|number| args.map(number)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::list(maps.iter().filter_map(|map| map.borrow().get(&key).cloned()).collect()))
        }),
        "keys" => {
            let maps: Result<Vec<_>, _> = (0..args.all.len()).map(|number| args.map(number)).collect();
            maps.map(|maps| texts(maps.iter().flat_map(|map| map.borrow().keys().cloned().collect::<Vec<_>>())))
        }
        "values" => args.map(0).map(|map| Value::list(map.borrow().values().cloned().collect())),
        "pick" | "omit" => args.map(0).and_then(|map| {
            let names = (1..args.all.len()).map(|number| args.text(number)).collect::<Result<Vec<_>, _>>()?;
            let map = map.borrow();
            let kept = map.iter().filter(|(key, _)| names.contains(key) == (name == "pick"));
            Ok(Value::map(kept.map(|(key, value)| (key.clone(), value.clone()))))
        }),
        "merge" | "mergeOverwrite" => args.map(0).and_then(|target| {
            for number in 1..args.all.len() {
                if let Value::Map(source) = copy(args.at(number)?, 0) {
                    merge(&target, &source, name == "mergeOverwrite", 0);
                }
            }
            Ok(Value::Map(target))
        }),
        "dig" => dig(args),
        "deepCopy" => args.at(0).map(|value| copy(value, 0)),
        "deepEqual" => args.at(0).and_then(|a| Ok(Value::Bool(super::lists::is_same(a, args.at(1)?)))),
        _ => return None,
    })
}

/// `dig "a" "b" "else" map`.
fn dig(args: &Arguments<'_>) -> Answer {
    if args.all.len() < 3 {
        return Err("dig needs at least three arguments".to_owned());
    }
    let mut here = args.last()?.clone();
    let fallback = args.at(args.all.len() - 2)?;
    for number in 0..args.all.len() - 2 {
        let key = args.text(number)?;
        let found = match &here {
            Value::Map(map) => map.borrow().get(&key).cloned(),
            other => {
                let name = other.type_name();
                return Err(format!("interface conversion: interface {{}} is {name}, not map[string]interface {{}}"));
            }
        };
        let Some(found) = found else { return Ok(fallback.clone()) };
        here = found;
    }
    Ok(here)
}

/// Whether a value has this mapping in it.
fn holds(value: &Value, map: &Dict, depth: usize) -> bool {
    if depth > DEEPEST {
        return true;
    }
    match value {
        Value::Map(inner) => {
            Rc::ptr_eq(inner, map) || inner.borrow().values().any(|value| holds(value, map, depth + 1))
        }
        Value::List(items) => items.iter().any(|value| holds(value, map, depth + 1)),
        _ => false,
    }
}

/// A copy that shares nothing.
pub(super) fn copy(value: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Nil;
    }
    match value {
        Value::Map(map) => Value::map(map.borrow().iter().map(|(key, value)| (key.clone(), copy(value, depth + 1)))),
        Value::List(items) => Value::list(items.iter().map(|item| copy(item, depth + 1)).collect()),
        other => other.clone(),
    }
}

fn merge(target: &Dict, source: &Rc<RefCell<std::collections::BTreeMap<String, Value>>>, over: bool, depth: usize) {
    if depth > DEEPEST || Rc::ptr_eq(target, source) {
        return;
    }
    for (key, value) in source.borrow().iter() {
        let there = target.borrow().get(key).cloned();
        match (there, value) {
            (Some(Value::Map(below)), Value::Map(above)) => merge(&below, above, over, depth + 1),
            // an empty value does not count as one that is there
            (Some(there), _) if there.is_true() && !over => {}
            (Some(_), value) if !over && !value.is_true() => {}
            _ => {
                target.borrow_mut().insert(key.clone(), value.clone());
            }
        }
    }
}
