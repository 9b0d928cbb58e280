//! Strategic merge patch: maps merge, lists merge by key where the kind says so, and directives say otherwise.
//!
//! The patch is consumed as it is carried out, because the real server shows what is left of it when the outcome
//! cannot be decoded.

use std::collections::HashSet;

use serde_json::Value;

use super::super::schema::{Field, Struct, Type};
use super::super::status::Refusal;
use super::order::{Identity, agrees, are_objects, ordered};
use super::{drop_nulled, go, invalid, wrong_body};
use crate::cluster::object::Map;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ELEMENT_ORDER: &str = "$setElementOrder";
const PRIMITIVE_DELETIONS: &str = "$deleteFromPrimitiveList";

/// Members whose patch strategy is `replace`.
const REPLACED: &[(&str, &str)] = &[("PodDisruptionBudgetSpec", "selector")];

/// The object of a built-in kind after a strategic merge patch.
pub fn strategic(kind: &Struct, current: &Value, patch: &Value) -> Result<Value, Refusal> {
    carry_out(kind, current, &mut patch.clone())
}

/// 422 of a strategic merge patch whose outcome cannot be decoded; `why` is the decoder's complaint.
pub fn undecodable_strategic(kind: &Struct, current: &Value, patch: &Value, why: &str) -> Refusal {
    let mut left = patch.clone();
    match carry_out(kind, current, &mut left) {
        Ok(_) => invalid(&go::plain(&left), why),
        Err(refusal) => refusal,
    }
}

fn carry_out(kind: &Struct, current: &Value, patch: &mut Value) -> Result<Value, Refusal> {
    match patch {
        Value::Null => Ok(current.clone()),
        Value::Object(patch) => {
            let current = current.as_object().cloned().unwrap_or_default();
            Ok(Value::Object(merge_map(current, patch, Schema::Struct(kind))?))
        }
        other => Err(Refusal::bad_request(wrong_body(other, "map[string]interface {}"))),
    }
}

/// What is known of the object that is merged.
#[derive(Clone, Copy)]
enum Schema<'a> {
    Struct(&'a Struct),
    /// Members of any name.
    Map,
    /// Nothing.
    Any,
}

/// How one member merges.
struct Strategy<'a> {
    /// Of the member, or of the items of its list.
    schema: Schema<'a>,
    /// Lists merge.
    merges: bool,
    /// Objects are replaced.
    replaces: bool,
    key: &'a str,
}

impl<'a> Schema<'a> {
    fn of(field: &'a Field) -> Self {
        match &field.shape {
            Type::Struct(kind) => Self::Struct(kind),
            Type::Map(_) => Self::Map,
            Type::List(item) => Self::of(item),
            _ => Self::Any,
        }
    }

    fn member(self, name: &str) -> Result<Strategy<'a>, Refusal> {
        let unknown = Strategy { schema: Schema::Any, merges: false, replaces: false, key: "" };
        match self {
            Schema::Any => Ok(unknown),
            Schema::Map => Err(other("merging an object in json but data type is not struct, instead is: map")),
            Schema::Struct(kind) => match kind.field(name) {
                Some(field) => Ok(Strategy {
                    schema: Schema::of(field),
                    merges: field.patch_merge,
                    replaces: REPLACED.contains(&(kind.name.as_str(), name)),
                    key: &field.merge_key,
                }),
                None if kind.open => Ok(unknown),
                None => {
                    let (kind, name) = (&kind.name, go::quoted(name));
                    Err(other(format!("unable to find api field in struct {kind} for the json field {name}")))
                }
            },
        }
    }
}

fn merge_map(mut original: Map, patch: &mut Map, schema: Schema<'_>) -> Result<Map, Refusal> {
    match patch.get(PATCH) {
        None => {}
        Some(Value::String(directive)) if directive == "replace" => {
            patch.shift_remove(PATCH);
            return Ok(patch.clone());
        }
        Some(Value::String(directive)) if directive == "delete" => return Ok(Map::new()),
        Some(directive) => return Err(unknown_directive(directive, patch)),
    }
    retain_keys(&mut original, patch)?;
    set_element_orders(&mut original, patch, schema)?;
    drop_nulled(&mut original, patch);
    for (name, change) in patch.iter_mut() {
        let deletion = name.starts_with(PRIMITIVE_DELETIONS);
        let name = if deletion { target(name, PRIMITIVE_DELETIONS)? } else { name };
        if change.is_null() {
            if deletion {
                original.shift_remove(name);
            }
            continue;
        }
        match (original.get_mut(name), &mut *change) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let strategy = schema.member(name)?;
                let whole = std::mem::take(old);
                *old = if strategy.replaces { new.clone() } else { merge_map(whole, new, strategy.schema)? };
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let strategy = schema.member(name)?;
                *old = merge_list(std::mem::take(old), new, &strategy, deletion)?.items;
            }
            _ if deletion => {}
            (_, change) => put(&mut original, name, change),
        }
    }
    Ok(original)
}

/// Sets a member to what the patch says, without nulls and directives.
fn put(original: &mut Map, name: &str, change: &mut Value) {
    discard_nulls(change);
    if discard_directives(change) {
        original.insert(name.to_owned(), change.clone());
    } else {
        original.shift_remove(name);
    }
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Takes out everything with a `$patch` in it; whether the value itself stays.
fn discard_directives(value: &mut Value) -> bool {
    match value {
        Value::Object(members) if members.contains_key(PATCH) => false,
        Value::Object(members) => {
            members.retain(|_, member| discard_directives(member));
            true
        }
        Value::Array(items) => {
            items.retain_mut(discard_directives);
            true
        }
        _ => true,
    }
}

/// `$retainKeys`: members that it does not name go. It has to name what the patch sets.
fn retain_keys(original: &mut Map, patch: &mut Map) -> Result<(), Refusal> {
    let Some(retained) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let wrong = || Refusal::bad_request("invalid patch format of retainKeys");
    let retained: HashSet<_> = retained.as_array().ok_or_else(wrong)?.iter().filter_map(Value::as_str).collect();
    let directive = |name: &str| name.starts_with(PRIMITIVE_DELETIONS) || name.starts_with(ELEMENT_ORDER);
    if patch.iter().any(|(name, change)| !change.is_null() && !directive(name) && !retained.contains(name.as_str())) {
        return Err(wrong());
    }
    original.retain(|name, _| retained.contains(name.as_str()));
    Ok(())
}

/// `$setElementOrder/LIST`: merges the lists that it is about and puts them in its order.
fn set_element_orders(original: &mut Map, patch: &mut Map, schema: Schema<'_>) -> Result<(), Refusal> {
    let directives: Vec<_> = patch.keys().filter(|name| name.starts_with(ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let Some(order) = patch.shift_remove(&directive) else { continue };
        let order = array(Some(&order))?;
        let name = target(&directive, ELEMENT_ORDER)?;
        let (old, new) = (original.get(name), patch.get(name));
        let (known, sent) = (array(old)?, array(new)?);
        let (before, changed) = (old.is_some(), new.is_some());
        let strategy = schema.member(name)?;
        let identity = Identity(strategy.key);
        agrees(sent, order, identity)?;
        if !before && !changed {
            continue;
        }
        are_objects([known, sent])?;
        let known = known.to_vec();
        let Merged { items, before } = match patch.get_mut(name) {
            Some(Value::Array(new)) if before => merge_list(known, new, &strategy, false)?,
            Some(new) => {
                discard_directives(new);
                Merged { items: array(Some(new))?.to_vec(), before: known }
            }
            None => Merged { items: known.clone(), before: known },
        };
        if let Some(wrong) = order.iter().position(|item| !strategy.key.is_empty() && !item.is_object()) {
            return Err(other(format!("value for key {wrong} is not a map")));
        }
        original.insert(name.to_owned(), ordered(items, order, &before, identity)?.into());
        patch.shift_remove(name);
    }
    Ok(())
}

/// The items of a list that may be absent.
fn array(value: Option<&Value>) -> Result<&[Value], Refusal> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(value) => Err(wrong_argument("[]interface {}", value)),
    }
}

/// The member that a parallel list is about: `x` of `$setElementOrder/x`.
fn target<'a>(directive: &'a str, prefix: &str) -> Result<&'a str, Refusal> {
    directive.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).ok_or_else(|| {
        let what = if prefix == ELEMENT_ORDER { "setElementOrder list" } else { "primitive list" };
        Refusal::bad_request(format!("invalid patch format of {what}"))
    })
}

/// A merged list.
struct Merged {
    items: Vec<Value>,
    /// What stood there before, for a `$setElementOrder`. As in the real server, whose lists share memory, the first
    /// new items stand at the end of it in the places of deleted ones.
    before: Vec<Value>,
}

fn merge_list(
    original: Vec<Value>,
    patch: &mut [Value],
    strategy: &Strategy<'_>,
    deletion: bool,
) -> Result<Merged, Refusal> {
    if !strategy.merges && !deletion {
        return Ok(Merged { items: patch.to_vec(), before: original });
    }
    if original.is_empty() && patch.is_empty() {
        return Ok(Merged { items: Vec::new(), before: Vec::new() });
    }
    let objects = are_objects([&original, patch])?;
    if !objects {
        return Ok(Merged { items: merge_scalars(&original, patch, deletion)?, before: original });
    }
    if strategy.key.is_empty() {
        return Err(other("cannot merge lists without merge key for struct"));
    }
    merge_objects(original, patch, strategy)
}

fn merge_objects(original: Vec<Value>, patch: &mut [Value], strategy: &Strategy<'_>) -> Result<Merged, Refusal> {
    let identity = Identity(strategy.key);
    let count = original.len();
    let (mut before, replace) = carry_out_directives(original, patch, strategy.key)?;
    let plain = |item: &&mut Value| item.get(PATCH).is_none();
    if replace {
        let items = patch.iter_mut().filter(plain).map(|item| item.clone()).collect();
        return Ok(Merged { items: ordered(items, &[], &[], identity)?, before });
    }
    let mut items = before.clone();
    let mut places = identity.places(&items);
    let mut order = Vec::new();
    for item in patch.iter_mut().filter(plain) {
        let key = identity.needed(item)?;
        order.push(item.clone());
        let there = places.get(&key).and_then(|place| items.get_mut(*place)?.as_object_mut());
        match (there, item.as_object_mut()) {
            (Some(old), Some(item)) => *old = merge_map(std::mem::take(old), item, strategy.schema)?,
            _ => {
                places.insert(key, items.len());
                items.push(item.clone());
            }
        }
    }
    let kept = before.len();
    let items_in_order = ordered(items.clone(), &order, &before, identity)?;
    before.extend(items.into_iter().skip(kept).take(count.saturating_sub(kept)));
    Ok(Merged { items: items_in_order, before })
}

/// Lists of scalars: deletions go, additions come once.
fn merge_scalars(original: &[Value], patch: &[Value], deletion: bool) -> Result<Vec<Value>, Refusal> {
    let identity = Identity("");
    if deletion {
        let deleted = identity.places(patch);
        let stays = |item: &&Value| !identity.of(item).is_some_and(|item| deleted.contains_key(&item));
        return Ok(original.iter().filter(stays).cloned().collect());
    }
    let mut seen = HashSet::new();
    let all = original.iter().chain(patch).filter(|item| seen.insert(item.to_string())).cloned().collect();
    ordered(all, patch, original, identity)
}

/// `$patch` among the items: `delete` takes the matching items out; whether there is a `replace`, by which the patch's
/// items become the list.
fn carry_out_directives(mut original: Vec<Value>, patch: &[Value], key: &str) -> Result<(Vec<Value>, bool), Refusal> {
    let (mut replace, mut deleted) = (false, HashSet::new());
    for item in patch.iter().filter_map(Value::as_object) {
        match item.get(PATCH).map(|directive| (directive, directive.as_str())) {
            None => {}
            Some((_, Some("replace"))) => replace = true,
            Some((_, Some("delete"))) => {
                deleted.insert(item.get(key).ok_or_else(|| no_merge_key(item, key))?.to_string());
            }
            Some((_, Some("merge"))) => return Err(other("merging lists cannot yet be specified in the patch")),
            Some((directive, _)) => return Err(unknown_directive(directive, item)),
        }
    }
    if !deleted.is_empty() {
        original.retain(|item| !item.get(key).is_some_and(|key| deleted.contains(&key.to_string())));
    }
    Ok((original, replace))
}

fn unknown_directive(directive: &Value, map: &Map) -> Refusal {
    let (directive, map) = (go::text(directive), go::plain(&Value::Object(map.clone())));
    other(format!("unknown patch type: {directive} in map: {map}"))
}

/// An item without the member that identifies it.
pub(super) fn no_merge_key(item: &Map, key: &str) -> Refusal {
    let item = go::plain(&Value::Object(item.clone()));
    other(format!("map: {item} does not contain declared merge key: {key}"))
}

/// A value of another Go type than it has to have.
pub(super) fn wrong_argument(expected: &str, value: &Value) -> Refusal {
    other(format!("expected a {expected}, but received a {}", go::type_name(value)))
}

/// An error that the real server has no code for: 500 without a reason.
pub(super) fn other(why: impl Into<String>) -> Refusal {
    Refusal::new(500, "", why)
}

#[cfg(test)]
#[path = "strategic_tests.rs"]
mod tests;
