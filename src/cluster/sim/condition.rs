//! Writing `status.conditions`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::object::{Map, entry, text};
use crate::cluster::sim::tools::stamp;

/// A condition as it should be.
#[derive(Debug, Clone, Default)]
pub(crate) struct New<'a> {
    /// Its type.
    pub(crate) kind: &'a str,
    /// Whether it holds.
    pub(crate) holds: bool,
    /// The reason word; left out when empty.
    pub(crate) reason: &'a str,
    /// The sentence.
    pub(crate) message: &'a str,
    /// What generation was looked at.
    pub(crate) generation: Option<i64>,
    /// Whether pods' `lastProbeTime: null` belongs in it.
    pub(crate) probed: bool,
    /// Whether an empty message is written all the same.
    pub(crate) wordy: bool,
}

impl New<'_> {
    /// The condition, with the time of the one before if it holds as before.
    pub(crate) fn value(&self, before: Option<&Value>, now: Timestamp) -> Value {
        let status = if self.holds { "True" } else { "False" };
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("type", self.kind.into());
        if let Some(generation) = self.generation {
            put("observedGeneration", generation.into());
        }
        put("status", status.into());
        if self.probed {
            put("lastProbeTime", Value::Null);
        }
        let same = before.filter(|before| text(before, &["status"]) == status);
        let time = same.and_then(|before| before.get("lastTransitionTime")).filter(|time| time.is_string());
        put("lastTransitionTime", time.cloned().unwrap_or_else(|| stamp(now).into()));
        if !self.reason.is_empty() {
            put("reason", self.reason.into());
        }
        if !self.message.is_empty() || self.wordy {
            put("message", self.message.into());
        }
        Value::Object(members)
    }
}

/// The condition of a type.
pub(crate) fn find<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| text(condition, &["type"]) == kind)
}

/// Puts a condition among an object's; says whether that changed anything.
pub(crate) fn put(object: &mut Value, new: &New<'_>, now: Timestamp) -> bool {
    let place = entry(object, &["status", "conditions"]);
    if !place.is_array() {
        *place = json!([]);
    }
    let Some(conditions) = place.as_array_mut() else { return false };
    let at = conditions.iter().position(|condition| text(condition, &["type"]) == new.kind);
    let value = new.value(at.and_then(|at| conditions.get(at)), now);
    match at.and_then(|at| conditions.get_mut(at)) {
        Some(before) if *before == value => false,
        Some(before) => {
            *before = value;
            true
        }
        None => {
            conditions.push(value);
            true
        }
    }
}
