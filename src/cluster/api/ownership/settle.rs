//! Whether a write changed anything but the times of its entries.

use serde_json::Value;

use super::element::same;
use crate::cluster::object::{Map, at};

/// Gives a written object the `managedFields` of the old one when nothing but times differs between the two, so that
/// both are equal and nothing has to be stored. To be called when the new object is whole: with defaults and
/// with the old `resourceVersion` and `generation`.
pub fn settle(old: &Value, new: &mut Value) {
    let path = ["metadata", "managedFields"];
    let Some(before) = at(old, &path).and_then(Value::as_array) else { return };
    let Some(after) = at(new, &path).and_then(Value::as_array) else { return };
    if before == after || before.len() != after.len() || before.iter().zip(after).any(|(a, b)| !equal(a, b, &["time"]))
    {
        return;
    }
    if equal(old, new, &path)
        && let Some(Value::Object(metadata)) = new.get_mut("metadata")
    {
        metadata.insert("managedFields".to_owned(), before.clone().into());
    }
}

/// Whether two values are the same apart from what is at a path.
fn equal(a: &Value, b: &Value, apart_from: &[&str]) -> bool {
    let (Value::Object(a), Value::Object(b), Some((name, below))) = (a, b, apart_from.split_first()) else {
        return apart_from.is_empty() || same(a, b);
    };
    let others = |members: &Map| members.len() - usize::from(members.contains_key(*name));
    let rest =
        || a.iter().filter(|(member, _)| member != name).all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)));
    let apart = match (a.get(*name), b.get(*name)) {
        (Some(a), Some(b)) => equal(a, b, below),
        (a, b) => below.is_empty() || a.is_none() && b.is_none(),
    };
    apart && others(a) == others(b) && rest()
}
