//! Server-side apply: what is sent is all that its manager wants.

use serde_json::Value;

use super::compare::Changes;
use super::conflict::{self, Conflict};
use super::element::same;
use super::entry::{self, Entry};
use super::extract::{fields, reconciled, with_named};
use super::last_applied;
use super::merge::{merged, remove};
use super::set::Set;
use super::update::{record, yield_to};
use super::{Manager, check, never_owned};
use crate::cluster::api::schema::Struct;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{self, Map, text};

/// Owns what an object had before anybody applied to it.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The object after an application, with its `managedFields` up to date; without defaults yet, and with the nulls that
/// were sent. Whoever applies a field that somebody else set to another value meets a conflict, unless `force`.
pub fn apply(
    kind: &Struct,
    live: Option<&Value>,
    applied: &Value,
    manager: &Manager<'_>,
    force: bool,
    now: &str,
) -> Result<Value, Refusal> {
    if text(applied, &["apiVersion"]) != manager.api_version {
        return Err(Refusal::bad_request(format!("invalid object type: {}", type_of(applied))));
    }
    if object::at(applied, &["metadata", "managedFields"]).is_some_and(Value::is_array) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    if let Some(why) = check::check(kind, applied) {
        let place = format!("{}/{}", text(applied, &["metadata", "namespace"]), text(applied, &["metadata", "name"]));
        let why = format!("failed to create typed patch object ({place}; {}): {why}", type_of(applied));
        return Err(unnamed(why));
    }
    let nothing = Value::Object(Map::new());
    let managed = live.and_then(|live| live.get("metadata")?.get("managedFields"));
    let entries = match (live, managed.cloned().map(entry::stored).unwrap_or_default()) {
        (Some(live), entries) if entries.is_empty() => {
            let before = Manager { name: BEFORE_FIRST_APPLY, ..*manager };
            record(kind, &nothing, live, entries, &before, now)
        }
        (_, entries) => entries,
    };
    let live = live.unwrap_or(&nothing);
    let application = Application::new(kind, live, applied, manager, entries);
    let mut conflicts = if force { Vec::new() } else { application.conflicts() };
    if manager.name == last_applied::WRITER
        && !conflicts.is_empty()
        && let Some(allowed) = last_applied::unchanged(kind, live, manager.api_version)
    {
        conflicts = conflict::outside(conflicts, &allowed);
    }
    if !conflicts.is_empty() {
        return Err(conflict::refusal(&conflicts));
    }
    let mut object = application.finish(live, now);
    if manager.name == last_applied::WRITER {
        last_applied::renew(&mut object, applied);
    }
    Ok(object)
}

/// An error that the real server has no code for: 500 without a reason.
fn unnamed(why: String) -> Refusal {
    Refusal::new(500, "", why)
}

/// `apps/v1, Kind=Deployment`, or `/v1, Kind=Pod` for the core.
fn type_of(value: &Value) -> String {
    let api_version = text(value, &["apiVersion"]);
    let slash = if api_version.contains('/') { "" } else { "/" };
    format!("{slash}{api_version}, Kind={}", text(value, &["kind"]))
}

/// An application under way.
struct Application<'a> {
    manager: &'a Manager<'a>,
    /// What it would make of the object.
    merged: Value,
    changes: Changes,
    /// What is applied.
    set: Set,
    /// When its manager's entry was last written.
    last_time: Option<String>,
    others: Vec<Entry>,
}

impl<'a> Application<'a> {
    fn new(kind: &Struct, live: &Value, applied: &Value, manager: &'a Manager<'a>, entries: Vec<Entry>) -> Self {
        let mut set = fields(kind, applied);
        set.remove(manager.ignored, true);
        let (last, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_of(manager, true));
        let mut merged = merged(kind, live, applied);
        let last = last.first();
        if let Some(last) = last {
            prune(kind, &mut merged, &reconciled(kind, &last.set()), &set, &others);
        }
        let changes = Changes::between(kind, live, &merged).without(manager.ignored);
        let last_time = last.map(|last| last.time().to_owned()).filter(|time| !time.is_empty());
        Self { manager, merged, changes, set, last_time, others }
    }

    fn conflicts(&self) -> Vec<Conflict> {
        conflict::conflicts(self.others.iter(), &self.changes.set)
    }

    /// The merged object with all that changed in the hands of the applier.
    fn finish(self, live: &Value, now: &str) -> Value {
        let Self { manager, mut merged, changes, mut set, last_time, mut others } = self;
        yield_to(&mut others, &changes);
        set.remove(never_owned(), false);
        if !set.is_empty() {
            let time = if same(live, &merged) { last_time.as_deref() } else { Some(now) };
            others.push(Entry::new(manager, true, time, &set));
        }
        let place = object::entry(&mut merged, &["metadata"]);
        object::remove(place, &["managedFields"]);
        if let Some(entries) = entry::written(others) {
            object::set(place, &["managedFields"], entries);
        }
        merged
    }
}

/// Takes out what the manager applied last time and does not apply now, unless somebody owns it. An item of which
/// others own a part stays with that part.
fn prune(kind: &Struct, object: &mut Value, last: &Set, set: &Set, others: &[Entry]) {
    if last.difference(set).is_empty() {
        return;
    }
    let owned = others.iter().fold(set.clone(), |owned, entry| owned.union(&reconciled(kind, &entry.set())));
    let all = with_named(kind, &fields(kind, object));
    let last = with_named(kind, last);
    let kept = |taken: &Set| {
        let mut rest = object.clone();
        remove(kind, &mut rest, taken);
        with_named(kind, &fields(kind, &rest))
    };
    let not_applied = kept(&last);
    let wanted = kept(&all.difference(&not_applied.union(&with_named(kind, &owned))));
    remove(kind, object, &all.difference(&wanted).intersection(&last));
}
