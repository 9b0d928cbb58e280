//! Small things that many decisions need: times as Kubernetes writes them, and actions in few words.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cluster::api::store::{ResourceName, Stored};
use crate::cluster::object::Key;
use crate::cluster::sim::{Action, Decision, Event};

/// A time as `metav1.Time` is written: whole seconds.
pub(crate) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time as `metav1.MicroTime` is written.
pub(crate) fn micro_stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The time that a text names, if it names one.
pub(crate) fn time_of(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A time some while later.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| time.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// How long it is from `now` until `then`; nothing when it has passed.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// How long ago `then` was at `now`; nothing when it is yet to come.
pub(crate) fn since(now: Timestamp, then: Timestamp) -> Duration {
    until(then, now)
}

/// The earlier of two times that may be missing.
pub(crate) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Decision {
    /// Only look again in a while.
    pub(crate) fn wait(time: Duration) -> Self {
        Self { actions: Vec::new(), again: Some(time) }
    }

    /// One action.
    pub(crate) fn one(action: Action) -> Self {
        Self { actions: vec![action], again: None }
    }

    /// Look again at the latest in `time`.
    pub(crate) fn again_in(&mut self, time: Duration) {
        self.again = Some(self.again.map_or(time, |again| again.min(time)));
    }
}

/// Deletes a stored object, if it is still that one, in the background unless told otherwise.
pub(crate) fn delete(object: &Stored, propagation: &'static str) -> Action {
    Action::Delete {
        resource: object.resource.clone(),
        key: object.key.clone(),
        uid: object.uid.clone(),
        grace: None,
        propagation,
    }
}

/// Deletes a stored pod without grace.
pub(crate) fn delete_now(object: &Stored) -> Action {
    Action::Delete {
        resource: object.resource.clone(),
        key: object.key.clone(),
        uid: object.uid.clone(),
        grace: Some(0),
        propagation: "",
    }
}

/// A merge patch of an object's finalizers, good only for the version that was looked at.
pub(crate) fn patch_metadata(object: &Stored, members: Value) -> Action {
    let mut metadata = members;
    crate::cluster::object::set(&mut metadata, &["resourceVersion"], object.revision.to_string());
    Action::Patch { resource: object.resource.clone(), key: object.key.clone(), patch: json!({ "metadata": metadata }) }
}

/// The name of a resource.
pub(crate) fn resource(name: &str) -> ResourceName {
    name.into()
}

/// An event about a stored object as a whole.
pub(crate) fn event(
    about: &Value,
    source: &'static str,
    kind: &'static str,
    reason: &'static str,
    message: String,
) -> Action {
    Action::Event(Event { about: reference(about), field_path: String::new(), kind, reason, message, source })
}

/// What an event needs of the object that it is about.
pub(crate) fn reference(object: &Value) -> Value {
    let mut metadata = serde_json::Map::new();
    for member in ["name", "namespace", "uid", "resourceVersion"] {
        if let Some(value) = object.get("metadata").and_then(|metadata| metadata.get(member)) {
            metadata.insert(member.to_owned(), value.clone());
        }
    }
    json!({ "apiVersion": object.get("apiVersion"), "kind": object.get("kind"), "metadata": metadata })
}

/// The same for an object that is known by its place only.
pub(crate) fn reference_to(api_version: &str, kind: &str, object: &Stored) -> Value {
    let Key { namespace, name } = &object.key;
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {
            "name": name, "namespace": namespace, "uid": object.uid, "resourceVersion": object.revision.to_string(),
        },
    })
}

/// A number between 0 and 1 that hangs on the inputs alone.
pub(crate) fn chance(seed: u64, parts: &[&[u8]]) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in parts {
        for byte in *part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ 0xff).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^= hash >> 32;
    let top = u32::try_from(hash >> 32).unwrap_or(0);
    f64::from(top) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_kubernetes_does() {
        let time: Timestamp = "2026-02-03T04:05:06.789012345Z".parse().unwrap_or_default();
        assert_eq!(stamp(time), "2026-02-03T04:05:06Z");
        assert_eq!(micro_stamp(time), "2026-02-03T04:05:06.789012Z");
        assert_eq!(time_of("nonsense"), None);
        assert_eq!(later(Timestamp::MAX, Duration::from_secs(5)), Timestamp::MAX);
        assert_eq!(until(time, later(time, Duration::from_secs(5))), Duration::from_secs(5));
        assert_eq!(until(later(time, Duration::from_secs(5)), time), Duration::ZERO);
    }

    #[test]
    fn chances_are_spread_and_repeatable() {
        let drawn: Vec<_> = (0..1000u32).map(|n| chance(7, &[b"x", &n.to_le_bytes()])).collect();
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert!(drawn.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert_eq!(chance(7, &[b"x", b"y"]).to_bits(), chance(7, &[b"x", b"y"]).to_bits());
    }
}
