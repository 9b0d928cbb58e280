//! Conditions in a status: looked up by type, set by each API's own rules of what counts as a change.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::cluster::object::text;
use crate::cluster::sim::times;

/// A condition to be set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// What it is about, as `Available`.
    pub(crate) kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub(crate) status: &'static str,
    /// The reason word.
    pub(crate) reason: String,
    /// The sentence.
    pub(crate) message: String,
}

impl Condition {
    /// A condition.
    pub(crate) fn new(
        kind: &'static str,
        status: &'static str,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, status, reason: reason.into(), message: message.into() }
    }
}

/// The condition of a type.
pub(crate) fn find<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| text(condition, &["type"]) == kind)
}

/// Whether the condition of a type is `True`.
pub(crate) fn is_true(conditions: &[Value], kind: &str) -> bool {
    find(conditions, kind).is_some_and(|condition| text(condition, &["status"]) == "True")
}

/// The time in a member of a condition.
pub(crate) fn time(condition: &Value, member: &str) -> Option<Timestamp> {
    times::read(text(condition, &[member]))
}

/// Takes the condition of a type away.
pub(crate) fn remove(conditions: &mut Vec<Value>, kind: &str) {
    conditions.retain(|condition| text(condition, &["type"]) != kind);
}

/// Sets a condition as workload controllers do: one of the same status and reason stays as it is, any other moves to
/// the end; the time of transition is that of the last change of status. `extra` names a further time that each write
/// sets to now.
pub(crate) fn set(conditions: &mut Vec<Value>, new: &Condition, extra: Option<&str>, now: Timestamp) {
    let current = find(conditions, new.kind);
    let same_status = current.filter(|current| text(current, &["status"]) == new.status);
    if same_status.is_some_and(|current| text(current, &["reason"]) == new.reason) {
        return;
    }
    let now = times::text(now);
    let since = same_status.map(|current| text(current, &["lastTransitionTime"]).to_owned());
    let mut condition = Map::new();
    condition.insert("type".into(), json!(new.kind));
    condition.insert("status".into(), json!(new.status));
    if let Some(extra) = extra {
        condition.insert(extra.into(), json!(now));
    }
    condition.insert("lastTransitionTime".into(), json!(since.unwrap_or(now)));
    condition.insert("reason".into(), json!(new.reason));
    condition.insert("message".into(), json!(new.message));
    remove(conditions, new.kind);
    conditions.push(condition.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_keep_their_times() {
        let (early, late) =
            (times::read("2026-08-01T10:00:00Z").unwrap(), times::read("2026-08-01T11:00:00Z").unwrap());
        let mut conditions = vec![json!({"type": "Other"})];
        let mut set_at = |status, reason: &str, now| {
            set(&mut conditions, &Condition::new("Ready", status, reason, reason), Some("lastUpdateTime"), now);
            let condition = find(&conditions, "Ready").unwrap();
            let times = ["lastUpdateTime", "lastTransitionTime"].map(|name| time(condition, name) == Some(late));
            (times, text(condition, &["message"]).to_owned())
        };
        assert_eq!(set_at("True", "A", early), ([false, false], "A".into()));
        assert_eq!(set_at("True", "A", late), ([false, false], "A".into()), "nothing new");
        assert_eq!(set_at("True", "B", late), ([true, false], "B".into()), "another reason is no transition");
        assert_eq!(set_at("False", "B", late), ([true, true], "B".into()));
        assert!(!is_true(&conditions, "Ready"));
        remove(&mut conditions, "Ready");
        assert_eq!(conditions, [json!({"type": "Other"})]);
    }
}
