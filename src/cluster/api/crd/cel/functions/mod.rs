//! What functions and operators do.

mod amounts;
mod convert;
mod lists;
mod naming;
mod network;
mod numbers;
mod printf;
mod strings;
mod times;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::super::schema::List as ListKind;
use super::eval::{Answer, Budget, Fail};
use super::value::{List, Map, Val};

pub(super) use convert::shown;

/// A function: of its arguments, within a budget. Of a member call the target is the first argument.
pub(super) type Native = for<'a> fn(&[Val<'a>], &mut Budget<'_>) -> Answer<'a>;

/// Functions with their names.
type Functions = &'static [(&'static str, Native)];

/// Comparisons, which are for all types.
const COMPARISONS: Functions = &[
    ("_==_", |arguments, budget| {
        let [left, right] = arguments else { return no_overload() };
        equal(left, right, budget).map(Val::Bool)
    }),
    ("_!=_", |arguments, budget| {
        let [left, right] = arguments else { return no_overload() };
        equal(left, right, budget).map(|equal| Val::Bool(!equal))
    }),
    ("_<_", |arguments, budget| ordered(arguments, budget, Ordering::is_lt)),
    ("_<=_", |arguments, budget| ordered(arguments, budget, Ordering::is_le)),
    ("_>_", |arguments, budget| ordered(arguments, budget, Ordering::is_gt)),
    ("_>=_", |arguments, budget| ordered(arguments, budget, Ordering::is_ge)),
    ("!_", |arguments, _| match arguments {
        [Val::Bool(value)] => Ok(Val::Bool(!value)),
        _ => no_overload(),
    }),
    ("size", |arguments, budget| {
        Ok(Val::int(match arguments {
            [Val::Text(text)] => {
                budget.spend_text(text.len())?;
                text.chars().count()
            }
            [Val::Bytes(bytes)] => bytes.len(),
            [Val::List(list)] => list.len(),
            [Val::Map(map)] => map.len(),
            _ => return no_overload(),
        }))
    }),
];

static TABLE: LazyLock<HashMap<&'static str, Native>> = LazyLock::new(|| {
    let all = [
        COMPARISONS,
        amounts::FUNCTIONS,
        convert::FUNCTIONS,
        lists::FUNCTIONS,
        naming::FUNCTIONS,
        network::FUNCTIONS,
        numbers::FUNCTIONS,
        printf::FUNCTIONS,
        strings::FUNCTIONS,
        times::FUNCTIONS,
    ];
    all.into_iter().flatten().copied().collect()
});

/// The function of a name.
pub(super) fn find(name: &str) -> Option<Native> {
    TABLE.get(name).copied()
}

/// The type of a name, as a value.
pub(super) fn type_named(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 17] = [
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "kubernetes.Quantity",
        "kubernetes.URL",
        "kubernetes.NamedFormat",
        "net.IP",
        "net.CIDR",
    ];
    NAMES.into_iter().find(|known| *known == name)
}

fn no_overload<'a>() -> Answer<'a> {
    Err(Fail::from("no such overload"))
}

/// Whether two values are equal, at the cost of looking at them.
fn equal<'a>(left: &Val<'a>, right: &Val<'a>, budget: &mut Budget<'_>) -> Result<bool, Fail> {
    budget.spend(weight(left).min(weight(right)))?;
    Ok(left.equals(right))
}

fn ordered<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>, test: fn(Ordering) -> bool) -> Answer<'a> {
    let [left, right] = arguments else { return no_overload() };
    budget.spend(weight(left).min(weight(right)))?;
    match left.order(right) {
        Some(order) => Ok(Val::Bool(test(order))),
        // not a number is not in any order
        None if matches!((left, right), (Val::Double(_), _) | (_, Val::Double(_))) => Ok(Val::Bool(false)),
        None => no_overload(),
    }
}

/// How much there is to compare in a value.
fn weight(value: &Val<'_>) -> usize {
    match value {
        Val::Text(text) => text.len() / 10 + 1,
        Val::Bytes(bytes) => bytes.len() / 10 + 1,
        Val::List(list) => {
            let items = match list {
                List::Given(items, _) => items.iter().map(json_weight).sum::<usize>(),
                List::Made(items) => items.iter().map(weight).sum(),
            };
            // sets are compared item by item
            let each = if *list.kind() == ListKind::Atomic { 1 } else { list.len() };
            items.saturating_mul(each) + 1
        }
        Val::Map(Map::Given(members, _)) | Val::Object(members, _) => {
            members.values().map(json_weight).sum::<usize>() + 1
        }
        Val::Map(Map::Made(entries)) => {
            let entries_weight: usize = entries.iter().map(|(_, value)| weight(value)).sum();
            entries_weight.saturating_add(entries.len().saturating_mul(entries.len())) + 1
        }
        Val::Unknown(value) => json_weight(value),
        _ => 1,
    }
}

fn json_weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() / 10 + 1,
        Value::Array(items) => items.iter().map(json_weight).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(json_weight).sum::<usize>() + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::signatures::names;
    use super::*;

    #[test]
    fn every_signature_has_an_implementation() {
        let operators = ["_[_]"];
        for name in names() {
            assert!(find(name).is_some() || operators.contains(&name), "{name}");
        }
        assert_eq!(TABLE.len(), names().len(), "every implementation has a signature");
    }
}
