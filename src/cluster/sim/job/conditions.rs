//! Conditions of jobs, which follow rules of their own: each stays at its place, and none begins as `False`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::object::text;
use crate::cluster::sim::{conditions, times};

/// The condition of a type, if it is `True`.
pub(super) fn find_true<'a>(all: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions::find(all, kind).filter(|condition| text(condition, &["status"]) == "True")
}

/// Sets a condition, and says whether it was another before.
pub(super) fn ensure(
    all: &mut Vec<Value>,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> bool {
    let now = times::text(now);
    let new = json!({"type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now,
        "reason": reason, "message": message});
    let same = |old: &Value| ["status", "reason", "message"].iter().all(|name| old.get(name) == new.get(name));
    match all.iter_mut().find(|condition| text(condition, &["type"]) == kind) {
        Some(old) if same(old) => false,
        Some(old) => {
            *old = new;
            true
        }
        None if status == "False" => false,
        None => {
            all.push(new);
            true
        }
    }
}
