//! The order of items after a strategic merge: what the patch says, then what was there.

use std::collections::HashMap;

use serde_json::Value;

use super::super::status::Refusal;
use super::strategic::{no_merge_key, other, wrong_argument};
use super::{go, unprocessable};

/// How the items of a list are told apart: by a member, or by themselves when the key is empty.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a>(pub(super) &'a str);

impl Identity<'_> {
    /// What identifies an item; `None` when it lacks the merge key or is no object.
    pub(super) fn of(self, item: &Value) -> Option<String> {
        if self.0.is_empty() { Some(item.to_string()) } else { item.as_object()?.get(self.0).map(Value::to_string) }
    }

    /// The same, refused when there is none.
    pub(super) fn needed(self, item: &Value) -> Result<String, Refusal> {
        match self.of(item) {
            Some(identity) => Ok(identity),
            None => Err(match item.as_object() {
                Some(members) => no_merge_key(members, self.0),
                None => wrong_argument("map[string]interface {}", item),
            }),
        }
    }

    /// Where the items of a list stand, the first of equals.
    pub(super) fn places(self, items: &[Value]) -> HashMap<String, usize> {
        let mut places = HashMap::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            if let Some(identity) = self.of(item) {
                places.entry(identity).or_insert(place);
            }
        }
        places
    }
}

/// Puts `items` in order: those named by `order` as it says, the others as in `before`, and as well as possible
/// between them: each before the first named one that stood behind it. What `before` does not know comes first.
pub(super) fn ordered(
    items: Vec<Value>,
    order: &[Value],
    before: &[Value],
    identity: Identity<'_>,
) -> Result<Vec<Value>, Refusal> {
    for item in order.iter().chain(before) {
        identity.needed(item)?;
    }
    let (wanted, known) = (identity.places(order), identity.places(before));
    let (mut named, mut rest) = (Vec::new(), Vec::new());
    for item in items {
        let identity = identity.needed(&item)?;
        let stood = known.get(&identity).copied();
        match wanted.get(&identity) {
            Some(place) => named.push((*place, stood, item)),
            None => rest.push((stood.unwrap_or(usize::MAX), stood, item)),
        }
    }
    named.sort_by_key(|(place, ..)| *place);
    rest.sort_by_key(|(place, ..)| *place);
    let mut out = Vec::with_capacity(named.len() + rest.len());
    let (mut named, mut rest) = (named.into_iter().peekable(), rest.into_iter().peekable());
    loop {
        let rest_first = match (named.peek(), rest.peek()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((_, named, _)), Some((_, rest, _))) => {
                matches!((rest, named), (Some(rest), Some(named)) if rest < named)
            }
        };
        match if rest_first { rest.next() } else { named.next() } {
            Some((.., item)) => out.push(item),
            None => return Ok(out),
        }
    }
}

/// Checks a list of a patch against its `$setElementOrder`: it may name more, but not in another order.
pub(super) fn agrees(patch: &[Value], order: &[Value], identity: Identity<'_>) -> Result<(), Refusal> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    let keyed = !identity.0.is_empty();
    if let Some(item) = patch.iter().find(|item| keyed && !item.is_object()) {
        return Err(wrong_argument("map[string]interface {}", item));
    }
    let stays = |item: &&Value| !keyed || item.get("$patch").and_then(Value::as_str) != Some("delete");
    let mut items = patch.iter().filter(stays).peekable();
    let mut order_left = order.iter().peekable();
    while let (Some(item), Some(next)) = (items.peek(), order_left.peek()) {
        if keyed && item.get("$patch").is_some() {
            items.next();
            continue;
        }
        if identity.needed(item)? == identity.needed(next)? {
            items.next();
        }
        order_left.next();
    }
    if items.peek().is_none() {
        return Ok(());
    }
    let (patch, order) = (Value::from(patch.to_vec()), Value::from(order.to_vec()));
    let (patch, order) = (go::plain(&patch), go::plain(&order));
    Err(other(format!("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")))
}

/// The Go type that all items of some lists have: `true` for objects. Refused when they differ or are lists.
pub(super) fn are_objects(lists: [&[Value]; 2]) -> Result<bool, Refusal> {
    let mut items = lists.into_iter().flatten();
    let Some(first) = items.next() else { return Err(other("no elements in any of the given slices")) };
    if first.is_array() {
        return Err(unprocessable());
    }
    let kind = go::type_name(first);
    if first.is_null() || items.any(|item| go::type_name(item) != kind) {
        let shown = Value::from(lists.map(|list| Value::from(list.to_vec())).to_vec());
        return Err(other(format!("list element types are not identical: {}", go::plain(&shown))));
    }
    Ok(first.is_object())
}
