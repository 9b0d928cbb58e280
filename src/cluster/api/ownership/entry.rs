//! The entries of `metadata.managedFields`: reading, identity, order, the most that may be.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::Manager;
use super::set::Set;
use crate::cluster::object::Map;

/// Entries by `Update` that an object may have.
const MOST_UPDATERS: usize = 10;
/// Who owns what the oldest of too many writers owned.
const ANCIENT: &str = "ancient-changes";

/// One entry. Its fields are read only when somebody asks for them.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    raw: Map,
    set: Option<Set>,
}

/// What tells entries apart: manager, whether it applies, version (of updates), subresource.
type Identity<'a> = (&'a str, bool, &'a str, &'a str);

impl Entry {
    /// A new entry of a manager.
    pub(super) fn new(manager: &Manager<'_>, applies: bool, set: Set) -> Self {
        let name = if manager.name.is_empty() { "unknown" } else { manager.name };
        let raw = json!({
            "manager": name, "operation": if applies { "Apply" } else { "Update" }, "apiVersion": manager.api_version,
        });
        let mut entry = Self { raw: Map::new(), set: Some(set) };
        if let Value::Object(raw) = raw {
            entry.raw = raw;
        }
        if !manager.subresource.is_empty() {
            entry.raw.insert("subresource".to_owned(), manager.subresource.into());
        }
        entry
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

    fn time(&self) -> &str {
        self.text("time")
    }

    fn identity(&self) -> Identity<'_> {
        let version = if self.applies() { "" } else { self.api_version() };
        (self.manager(), self.applies(), version, self.subresource())
    }

    /// Whether two entries are of the same manager.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    pub(super) fn set_time(&mut self, now: &str) {
        self.raw.insert("time".to_owned(), now.into());
    }

    /// Keeps the time of an older entry of the same manager.
    pub(super) fn take_time(&mut self, older: &Self) {
        if let Some(time) = older.raw.get("time") {
            self.raw.insert("time".to_owned(), time.clone());
        }
    }

    /// The fields; those of an entry that cannot be read are none.
    pub(super) fn set(&self) -> std::borrow::Cow<'_, Set> {
        match (&self.set, self.raw.get("fieldsV1")) {
            (Some(set), _) => std::borrow::Cow::Borrowed(set),
            (None, Some(fields)) => std::borrow::Cow::Owned(Set::parse(fields).unwrap_or_default()),
            (None, None) => std::borrow::Cow::Owned(Set::default()),
        }
    }

    pub(super) fn replace_set(&mut self, set: Set) {
        self.set = Some(set);
    }

    /// Whether it may own any field of a set, or a part of one.
    pub(super) fn touches(&self, set: &Set) -> bool {
        match (&self.set, self.raw.get("fieldsV1")) {
            (Some(own), _) => set.meets(own),
            (None, Some(fields)) => set.touches(fields),
            (None, None) => false,
        }
    }

    /// Whether it is known to own nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.set {
            Some(set) => set.is_empty(),
            None => self.raw.get("fieldsV1").and_then(Value::as_object).is_none_or(Map::is_empty),
        }
    }

    /// The JSON of it.
    fn into_value(self) -> Value {
        let Self { mut raw, set } = self;
        let Some(set) = set else { return Value::Object(raw) };
        let mut ordered = Map::with_capacity(7);
        let fields = [("fieldsType", "FieldsV1".into()), ("fieldsV1", set.to_value())];
        for member in ["manager", "operation", "apiVersion", "time"] {
            ordered.extend(raw.shift_remove(member).map(|value| (member.to_owned(), value)));
        }
        ordered.extend(fields.map(|(member, value)| (member.to_owned(), value)));
        ordered.extend(raw.shift_remove("subresource").map(|value| ("subresource".to_owned(), value)));
        Value::Object(ordered)
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
    let entry = |raw| if let Value::Object(raw) = raw { Some(Entry { raw, set: None }) } else { None };
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
        let set = raw.get("fieldsV1").map_or(Ok(Set::default()), Set::parse);
        let set = set.map_err(|why| format!("error decoding versioned set: error decoding set: {why}"))?;
        let entry = Entry { raw: raw.clone(), set: Some(set) };
        entries.retain(|other| !other.is_same(&entry));
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes the entries in their order; `None` when there are none.
pub(super) fn written(mut entries: Vec<Entry>) -> Option<Value> {
    entries.sort_by(Entry::order);
    (!entries.is_empty()).then(|| entries.into_iter().map(Entry::into_value).collect())
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
        let empty = Entry::new(&manager, false, Set::default());
        let bucket = updaters.iter().position(|entry| entry.is_same(&empty)).unwrap_or_else(|| {
            let set = updaters[first].set().into_owned();
            updaters[first] = Entry { set: Some(set), ..empty };
            first
        });
        let whole = merged.set().union(&updaters[bucket].set());
        updaters[bucket].replace_set(whole);
        updaters[bucket].take_time(&merged);
    }
    out.append(&mut updaters);
    *entries = out;
}
