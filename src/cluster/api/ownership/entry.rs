//! The entries of `metadata.managedFields`: reading, identity, order, the most that may be.

use std::cmp::Ordering;

use serde_json::Value;

use super::Manager;
use super::set::Set;
use crate::cluster::object::Map;

/// Entries by `Update` that an object may have.
const MOST_UPDATERS: usize = 10;
/// Who owns what the oldest of too many writers owned.
const ANCIENT: &str = "ancient-changes";
const FIELDS: &str = "fieldsV1";

/// One entry, as JSON.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    raw: Map,
}

/// What tells entries apart: manager, whether it applies, version (of updates), subresource.
type Identity<'a> = (&'a str, bool, &'a str, &'a str);

impl Entry {
    /// A new entry of a manager.
    pub(super) fn new(manager: &Manager<'_>, applies: bool, time: Option<&str>, set: &Set) -> Self {
        let name = if manager.name.is_empty() { "unknown" } else { manager.name };
        let operation = if applies { "Apply" } else { "Update" };
        let texts = [("manager", name), ("operation", operation), ("apiVersion", manager.api_version)];
        let mut raw = Map::with_capacity(7);
        raw.extend(texts.map(|(member, text)| (member.to_owned(), text.into())));
        raw.extend(time.map(|time| ("time".to_owned(), time.into())));
        raw.insert("fieldsType".to_owned(), "FieldsV1".into());
        raw.insert(FIELDS.to_owned(), set.to_value());
        if !manager.subresource.is_empty() {
            raw.insert("subresource".to_owned(), manager.subresource.into());
        }
        Self { raw }
    }

    fn text(&self, member: &str) -> &str {
        self.raw.get(member).and_then(Value::as_str).unwrap_or("")
    }

    pub(super) fn manager(&self) -> &str {
        self.text("manager")
    }

    pub(super) fn applies(&self) -> bool {
        self.text("operation") == "Apply"
    }

    pub(super) fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    pub(super) fn subresource(&self) -> &str {
        self.text("subresource")
    }

    pub(super) fn time(&self) -> &str {
        self.text("time")
    }

    fn identity(&self) -> Identity<'_> {
        let version = if self.applies() { "" } else { self.api_version() };
        (self.manager(), self.applies(), version, self.subresource())
    }

    /// Whether it is the entry of a manager.
    pub(super) fn is_of(&self, manager: &Manager<'_>, applies: bool) -> bool {
        let version = if applies { "" } else { manager.api_version };
        let name = if manager.name.is_empty() { "unknown" } else { manager.name };
        self.identity() == (name, applies, version, manager.subresource)
    }

    /// Whether two entries are of the same manager.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// The fields; those of an entry that cannot be read are none.
    pub(super) fn set(&self) -> Set {
        self.raw.get(FIELDS).and_then(|fields| Set::parse(fields).ok()).unwrap_or_default()
    }

    fn fields(&mut self) -> Option<&mut Map> {
        self.raw.get_mut(FIELDS)?.as_object_mut()
    }

    /// Whether it may own any field of a set, or a part of one.
    pub(super) fn touches(&self, set: &Set) -> bool {
        self.raw.get(FIELDS).and_then(Value::as_object).is_some_and(|fields| set.touches(fields))
    }

    /// Lets go of the fields of a set.
    pub(super) fn lose(&mut self, set: &Set) {
        if let Some(fields) = self.fields() {
            set.take_out_of(fields);
        }
    }

    /// Gets the fields of a set at some time.
    pub(super) fn gain(&mut self, set: &Set, time: &str) {
        if let Some(fields) = self.fields() {
            set.put_into(fields);
        }
        if let Some(there) = self.raw.get_mut("time") {
            *there = time.into();
        } else {
            let place = self.raw.len().min(3);
            self.raw.shift_insert(place, "time".to_owned(), time.into());
        }
    }

    /// Whether it owns nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.raw.get(FIELDS).and_then(Value::as_object).is_none_or(Map::is_empty)
    }

    /// Applications first, then by time, then by who it is.
    fn order(&self, other: &Self) -> Ordering {
        other.applies().cmp(&self.applies()).then_with(|| self.age(other))
    }

    fn age(&self, other: &Self) -> Ordering {
        let by_time = seconds(self.time()).cmp(seconds(other.time()));
        by_time
            .then_with(|| self.manager().cmp(other.manager()))
            .then_with(|| self.api_version().cmp(other.api_version()))
            .then_with(|| self.subresource().cmp(other.subresource()))
    }
}

/// A time to the second; times are written in one form, so they sort as text.
fn seconds(time: &str) -> &str {
    time.get(..19).unwrap_or(time)
}

/// Reads `managedFields` that are known to be right.
pub(super) fn stored(managed: Value) -> Vec<Entry> {
    let Value::Array(raws) = managed else { return Vec::new() };
    let entry = |raw| if let Value::Object(raw) = raw { Some(Entry { raw }) } else { None };
    raws.into_iter().filter_map(entry).collect()
}

/// Reads `managedFields` as somebody sent them; why they are wrong when they are.
pub(super) fn sent(managed: &Value) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for (place, raw) in managed.as_array().into_iter().flatten().enumerate() {
        let nothing = Map::new();
        let raw = raw.as_object().unwrap_or(&nothing);
        let text = |member: &str| raw.get(member).and_then(Value::as_str).unwrap_or("");
        if !matches!(text("operation"), "Apply" | "Update") {
            return Err("operation must be `Apply` or `Update`".to_owned());
        }
        if text("apiVersion").is_empty() {
            return Err("apiVersion must not be empty".to_owned());
        }
        match text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(format!("missing fieldsType in managed fields entry {place}")),
            other => return Err(format!("invalid fieldsType \"{other}\" in managed fields entry {place}")),
        }
        let set = raw.get(FIELDS).map_or(Ok(Set::default()), Set::parse);
        let set = set.map_err(|why| format!("error decoding versioned set: error decoding set: {why}"))?;
        let mut entry = Entry { raw: raw.clone() };
        entry.raw.insert(FIELDS.to_owned(), set.to_value());
        entries.retain(|other| !other.is_same(&entry));
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes the entries in their order; `None` when there are none.
pub(super) fn written(mut entries: Vec<Entry>) -> Option<Value> {
    entries.sort_by(Entry::order);
    (!entries.is_empty()).then(|| entries.into_iter().map(|entry| Value::Object(entry.raw)).collect())
}

/// Merges the oldest updaters of each version into one entry while there are too many.
pub(super) fn cap(entries: &mut Vec<Entry>) {
    let updaters = entries.iter().filter(|entry| !entry.applies()).count();
    if updaters <= MOST_UPDATERS {
        return;
    }
    let (mut updaters, mut out): (Vec<_>, Vec<_>) = entries.drain(..).partition(|entry| !entry.applies());
    updaters.sort_by(Entry::age);
    let (mut place, none) = (0, Set::default());
    while updaters.len() > MOST_UPDATERS && place < updaters.len() {
        let version = updaters[place].api_version().to_owned();
        let first = updaters.iter().position(|entry| entry.api_version() == version).unwrap_or(place);
        if first == place {
            place += 1;
            continue;
        }
        let merged = updaters.remove(place);
        let manager = Manager { name: ANCIENT, api_version: &version, subresource: "", ignored: &none };
        let bucket = updaters.iter().position(|entry| entry.is_of(&manager, false)).unwrap_or_else(|| {
            let set = updaters[first].set();
            updaters[first] = Entry::new(&manager, false, None, &set);
            first
        });
        updaters[bucket].gain(&merged.set(), merged.time());
    }
    out.append(&mut updaters);
    *entries = out;
}
