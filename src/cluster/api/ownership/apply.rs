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
    let managed = live.and_then(|live| live.get("metadata")?.get("managedFields"));
    let entries = entry::sent(managed.unwrap_or(&Value::Null))
        .map_err(|why| unnamed(format!("failed to decode managed fields: {why}")))?;
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
    let entries = match live {
        Some(live) if entries.is_empty() => {
            let before = Manager { name: BEFORE_FIRST_APPLY, ..*manager };
            record(kind, &nothing, live, entries, &before, now)
        }
        _ => entries,
    };
    let application = Application { kind, live: live.unwrap_or(&nothing), applied, manager, entries, now };
    let mut outcome = application.carry_out(force);
    if let (Err(conflicts), last_applied::WRITER) = (&mut outcome, manager.name)
        && let Some(allowed) = last_applied::unchanged(kind, application.live, manager.api_version)
    {
        *conflicts = conflict::outside(std::mem::take(conflicts), &allowed);
        if conflicts.is_empty() {
            outcome = application.carry_out(true);
        }
    }
    let mut object = outcome.map_err(|conflicts| conflict::refusal(&conflicts))?;
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
    kind: &'a Struct,
    live: &'a Value,
    applied: &'a Value,
    manager: &'a Manager<'a>,
    entries: Vec<Entry>,
    now: &'a str,
}

impl Application<'_> {
    fn carry_out(&self, force: bool) -> Result<Value, Vec<Conflict>> {
        let kind = self.kind;
        let set = fields(kind, self.applied).without(self.manager.ignored);
        let mut own = Entry::new(self.manager, true, set.clone());
        let (last, mut others): (Vec<_>, Vec<_>) = self.entries.iter().cloned().partition(|entry| entry.is_same(&own));
        for entry in &mut others {
            entry.replace_set(reconciled(kind, &entry.set()));
        }
        let mut merged = merged(kind, self.live, self.applied);
        if let Some(last) = last.first() {
            own.take_time(last);
            let owned = others.iter().fold(set.clone(), |owned, entry| owned.union(&entry.set()));
            prune(kind, &mut merged, &reconciled(kind, &last.set()), &set, &owned);
        }
        let changes = Changes::between(kind, self.live, &merged).without(self.manager.ignored);
        if !force {
            let conflicts = conflict::conflicts(others.iter(), &changes.set);
            if !conflicts.is_empty() {
                return Err(conflicts);
            }
        }
        yield_to(kind, &mut others, &changes);
        let set = set.difference(never_owned());
        if !set.is_empty() {
            own.replace_set(set);
            if !same(self.live, &merged) {
                own.set_time(self.now);
            }
            others.push(own);
        }
        let place = object::entry(&mut merged, &["metadata"]);
        object::remove(place, &["managedFields"]);
        if let Some(entries) = entry::written(others) {
            object::set(place, &["managedFields"], entries);
        }
        Ok(merged)
    }
}

/// Takes out what the manager applied last time and does not apply now, unless somebody owns it. An item of which
/// others own a part stays with that part.
fn prune(kind: &Struct, object: &mut Value, last: &Set, set: &Set, owned: &Set) {
    if last.difference(set).is_empty() {
        return;
    }
    let all = with_named(kind, &fields(kind, object));
    let last = with_named(kind, last);
    let kept = |taken: &Set| {
        let mut rest = object.clone();
        remove(kind, &mut rest, taken);
        with_named(kind, &fields(kind, &rest))
    };
    let not_applied = kept(&last);
    let wanted = kept(&all.difference(&not_applied.union(&with_named(kind, owned))));
    remove(kind, object, &all.difference(&wanted).intersection(&last));
}
