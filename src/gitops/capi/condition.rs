//! Conditions of objects: setting, reading, summing up.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::stamp;
use crate::cluster::object::{entry, list, text};

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One word for why.
    pub reason: String,
    /// A sentence, or lines.
    pub message: String,
    /// How bad it is, in the old conditions; empty when all is well.
    pub severity: &'static str,
}

impl Condition {
    /// It is so.
    pub(super) fn yes(reason: impl Into<String>) -> Self {
        Self { status: "True", reason: reason.into(), message: String::new(), severity: "" }
    }

    /// It is not so.
    pub(super) fn no(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: "False", reason: reason.into(), message: message.into(), severity: "Info" }
    }

    /// Nobody knows.
    pub(super) fn unknown(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: "Unknown", reason: reason.into(), message: message.into(), severity: "Info" }
    }

    /// The same, as bad as that.
    pub(super) fn severe(self, severity: &'static str) -> Self {
        Self { severity, ..self }
    }

    /// `True` with the reason when it holds, else `False` with the other.
    pub(super) fn either(holds: bool, yes: &str, no: &str) -> Self {
        if holds { Self::yes(yes) } else { Self::no(no, "") }
    }

    /// The same with words.
    pub(super) fn saying(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Whether it is true.
    pub(super) fn holds(&self) -> bool {
        self.status == "True"
    }
}

/// The condition of an object by its type.
pub(super) fn get<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == kind)
}

/// Whether a condition is true.
pub(super) fn is_true(object: &Value, kind: &str) -> bool {
    get(object, kind).is_some_and(|condition| text(condition, &["status"]) == "True")
}

/// When a condition took its status.
pub(super) fn since(object: &Value, kind: &str) -> Option<Timestamp> {
    text(get(object, kind)?, &["lastTransitionTime"]).parse().ok()
}

/// The condition of an object as it was read; none when it has none.
pub(super) fn read(object: &Value, kind: &str) -> Option<Condition> {
    let found = get(object, kind)?;
    let status = match text(found, &["status"]) {
        "True" => "True",
        "False" => "False",
        _ => "Unknown",
    };
    let condition = Condition { status, reason: text(found, &["reason"]).to_owned(), ..Condition::yes("") };
    Some(condition.saying(text(found, &["message"])))
}

/// Sets a condition; its time moves only with its status.
pub(super) fn set(object: &mut Value, kind: &str, wanted: &Condition, now: Timestamp) {
    let generation = crate::cluster::object::int(object, &["metadata", "generation"]);
    let conditions = entry(object, &["status", "conditions"]);
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let old = conditions.iter_mut().find(|condition| text(condition, &["type"]) == kind);
    let same = old.as_ref().is_some_and(|old| text(old, &["status"]) == wanted.status);
    let time = old.as_ref().filter(|_| same).map(|old| text(old, &["lastTransitionTime"]).to_owned());
    let mut new = json!({
        "type": kind, "status": wanted.status, "reason": wanted.reason,
        "lastTransitionTime": time.unwrap_or_else(|| stamp(now)),
    });
    if !wanted.message.is_empty() {
        new["message"] = json!(wanted.message);
    }
    if wanted.status != "True" && !wanted.severity.is_empty() {
        new["severity"] = json!(wanted.severity);
    }
    if let Some(generation) = generation {
        new["observedGeneration"] = json!(generation);
    }
    match old {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// What conditions amount to. Those that should be false count as good when they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    /// The reason when all is well.
    pub(super) good: &'static str,
    /// The reason when something is wrong.
    pub(super) bad: &'static str,
    /// The reason when something is unknown.
    pub(super) unknown: &'static str,
}

/// For conditions called Ready.
pub(super) const READY: Summary = Summary { good: "Ready", bad: "NotReady", unknown: "ReadyUnknown" };
/// For conditions called Available.
pub(super) const AVAILABLE: Summary = Summary { good: "Available", bad: "NotAvailable", unknown: "AvailableUnknown" };

/// Conditions that are good when they are false.
const NEGATIVE: [&str; 7] = ["Paused", "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Updating", "Remediating"];

impl Summary {
    /// Sums up: what is wrong comes before what is unknown.
    pub(super) fn of(self, inputs: &[(&str, Condition)]) -> Condition {
        let told = |status: &[&str]| {
            let chosen = inputs.iter().filter(|(kind, condition)| {
                let negative = NEGATIVE.contains(kind);
                let judged = match condition.status {
                    "True" if negative => "False",
                    "False" if negative => "True",
                    other => other,
                };
                status.contains(&judged)
            });
            chosen.map(|(kind, condition)| line(kind, condition)).collect::<Vec<_>>()
        };
        let (bad, unknown) = (told(&["False"]), told(&["Unknown"]));
        let lines = [bad.as_slice(), unknown.as_slice()].concat().join("\n");
        match (bad.is_empty(), unknown.is_empty()) {
            (true, true) => Condition::yes(self.good),
            (false, _) => Condition::no(self.bad, lines),
            (true, false) => Condition::unknown(self.unknown, lines),
        }
    }
}

/// `* Type: message`, the message's own lines indented below.
fn line(kind: &str, condition: &Condition) -> String {
    let message = if condition.message.is_empty() { &condition.reason } else { &condition.message };
    if message.starts_with("* ") {
        return format!("* {kind}:\n  {}", message.replace('\n', "\n  "));
    }
    format!("* {kind}: {}", message.replace('\n', "\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_with_the_status_alone() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut object = json!({"metadata": {"generation": 2}});
        set(&mut object, "Ready", &Condition::no("NotYet", "wait"), at(10));
        set(&mut object, "Ready", &Condition::no("NotYet", "wait longer"), at(20));
        assert_eq!(since(&object, "Ready"), Some(at(10)));
        set(&mut object, "Ready", &Condition::yes("Ready"), at(30));
        let expected = json!([{
            "type": "Ready", "status": "True", "reason": "Ready", "lastTransitionTime": "1970-01-01T00:00:30Z",
            "observedGeneration": 2,
        }]);
        assert_eq!(object["status"]["conditions"], expected);
        assert!(is_true(&object, "Ready") && !is_true(&object, "Other"));
    }

    #[test]
    fn what_is_wrong_comes_before_what_is_unknown() {
        let inputs = [
            ("Deleting", Condition::no("NotDeleting", "")),
            ("NodeHealthy", Condition::unknown("InspectionFailed", "no answer")),
            ("InfrastructureReady", Condition::no("NotReady", "no machine")),
        ];
        let expected = Condition::no("NotReady", "* InfrastructureReady: no machine\n* NodeHealthy: no answer");
        assert_eq!(READY.of(&inputs), expected);
        assert_eq!(READY.of(&inputs[..2]).reason, "ReadyUnknown");
        assert_eq!(AVAILABLE.of(&inputs[..1]), Condition::yes("Available"));
    }
}
