//! Who owns what after a create, a replacement or a patch that is no application.

use serde_json::Value;

use super::compare::Changes;
use super::entry::{self, Entry};
use super::{Manager, never_owned};
use crate::cluster::api::schema::Struct;
use crate::cluster::object::{Map, text};

/// Brings `metadata.managedFields` of an object up to date that is about to be written in place of `old`.
///
/// `new` may carry `managedFields`: they are what the writer wants them to be. None, or ones that cannot be read, leave
/// those of `old`; an empty list or entry forgets them. A write to a subresource cannot change them.
pub fn update(kind: &Struct, old: Option<&Value>, new: &mut Value, manager: &Manager<'_>, now: &str) {
    let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let sent = metadata.shift_remove("managedFields");
    let live = old.and_then(|old| old.get("metadata")?.get("managedFields"));
    let entries = base(sent, live, manager);
    let exists = old.is_some_and(|old| !text(old, &["metadata", "uid"]).is_empty());
    if entries.is_empty() && exists {
        return;
    }
    let nothing = Value::Object(Map::new());
    let entries = record(kind, old.unwrap_or(&nothing), new, entries, manager, now);
    if let (Some(entries), Some(Value::Object(metadata))) = (entry::written(entries), new.get_mut("metadata")) {
        metadata.insert("managedFields".to_owned(), entries);
    }
}

/// The entries to start from.
fn base(sent: Option<Value>, live: Option<&Value>, manager: &Manager<'_>) -> Vec<Entry> {
    let sent = sent.filter(|sent| !sent.is_null() && manager.subresource.is_empty());
    match (sent, live) {
        (Some(sent), Some(live)) if sent == *live => entry::stored(sent),
        (Some(sent), live) => {
            if is_reset(&sent) {
                return Vec::new();
            }
            entry::sent(&sent).unwrap_or_else(|_| live.cloned().map(entry::stored).unwrap_or_default())
        }
        (None, live) => live.cloned().map(entry::stored).unwrap_or_default(),
    }
}

/// Whether somebody wants all ownership forgotten: `[]` or one entry with nothing in it.
fn is_reset(managed: &Value) -> bool {
    let blank = |value: &Value| value.is_null() || value.as_str() == Some("");
    match managed.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([Value::Object(entry)]) => entry.values().all(blank),
        Some([entry]) => entry.is_null(),
        _ => false,
    }
}

/// The entries after a write: what changed belongs to the writer alone, what is gone to nobody.
pub(super) fn record(
    kind: &Struct,
    old: &Value,
    new: &Value,
    mut entries: Vec<Entry>,
    manager: &Manager<'_>,
    now: &str,
) -> Vec<Entry> {
    let changes = Changes::between(kind, old, new).without(manager.ignored);
    yield_to(&mut entries, &changes);
    let mut own = changes.set;
    own.remove(never_owned(), false);
    if own.is_empty() {
        return entries;
    }
    match entries.iter_mut().find(|entry| entry.is_of(manager, false)) {
        Some(entry) => entry.gain(&own, now),
        None => entries.push(Entry::new(manager, false, Some(now), &own)),
    }
    entry::cap(&mut entries);
    entries
}

/// Takes what changed and what is gone from everybody.
pub(super) fn yield_to(entries: &mut Vec<Entry>, changes: &Changes) {
    for entry in entries.iter_mut() {
        entry.lose(&changes.set);
        entry.lose(&changes.removed);
    }
    entries.retain(|entry| !entry.is_empty());
}
