//! Events: written once, counted up when they come again.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use crate::cluster::api::{micro_stamp, stamp};
use crate::cluster::object::{Key, text};

/// How long equal events are counted up instead of written anew.
const WINDOW: Duration = Duration::from_secs(600);
/// How many different events are remembered.
const REMEMBERED: usize = 4096;

/// What makes events equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Same {
    uid: String,
    field_path: String,
    reason: &'static str,
    message: String,
    source: &'static str,
}

/// The events of late.
#[derive(Debug, Default)]
pub struct Journal {
    written: HashMap<Same, (Key, Timestamp, i64)>,
    number: u64,
}

/// What to do with an event.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// Write it.
    New(Value),
    /// It came again: patch the one that is there.
    Again(Key, Value),
}

impl Journal {
    /// Notes an event.
    pub fn note(&mut self, event: Event, now: Timestamp) -> Entry {
        if self.written.len() >= REMEMBERED {
            self.written.retain(|_, (_, last, _)| now.duration_since(*last).unsigned_abs() < WINDOW);
            if self.written.len() >= REMEMBERED {
                self.written.clear();
            }
        }
        let same = Same {
            uid: text(&event.about, &["metadata", "uid"]).to_owned(),
            field_path: event.field_path.clone(),
            reason: event.reason,
            message: event.message.clone(),
            source: event.source,
        };
        if let Some((key, last, count)) = self.written.get_mut(&same)
            && now.duration_since(*last).unsigned_abs() < WINDOW
        {
            *last = now;
            *count += 1;
            return Entry::Again(key.clone(), json!({"count": *count, "lastTimestamp": stamp(now)}));
        }
        self.number += 1;
        let object = written(&event, now, self.number);
        self.written.insert(same, (Key::of(&object), now, 1));
        Entry::New(object)
    }

    /// Forgets what it has written, as after a restore.
    pub fn clear(&mut self) {
        self.written.clear();
    }
}

/// The Event object. The scheduler writes the newer form: a time, no count.
fn written(event: &Event, now: Timestamp, number: u64) -> Value {
    let about = &event.about;
    let name = text(about, &["metadata", "name"]);
    let namespace = match text(about, &["metadata", "namespace"]) {
        "" => "default",
        namespace => namespace,
    };
    // Unique and in order: nanoseconds with a running number in the last places.
    let id = u64::try_from(now.as_nanosecond()).unwrap_or(0) / 1_000_000 * 1_000_000 + number % 1_000_000;
    let mut involved = json!({
        "kind": about["kind"], "namespace": about["metadata"]["namespace"], "name": name,
        "uid": about["metadata"]["uid"], "apiVersion": about["apiVersion"],
        "resourceVersion": about["metadata"]["resourceVersion"],
    });
    if let Some(members) = involved.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        if !event.field_path.is_empty() {
            members.insert("fieldPath".to_owned(), event.field_path.as_str().into());
        }
    }
    let newer = event.source == "default-scheduler";
    let time = if newer { Value::Null } else { stamp(now).into() };
    let mut object = json!({
        "kind": "Event", "apiVersion": "v1",
        "metadata": {"name": format!("{name}.{id:016x}"), "namespace": namespace},
        "involvedObject": involved,
        "reason": event.reason, "message": event.message,
        "source": {}, "firstTimestamp": time, "lastTimestamp": time,
        "type": event.kind,
        "eventTime": null, "reportingComponent": event.source, "reportingInstance": "",
    });
    if newer {
        object["eventTime"] = micro_stamp(now).into();
        object["action"] = if event.reason == "Scheduled" { "Binding" } else { "Scheduling" }.into();
        object["reportingInstance"] = "default-scheduler-foredeck-control-plane".into();
    } else {
        object["source"] = json!({"component": event.source});
        object["count"] = 1.into();
        if event.source == "kubelet" {
            object["source"]["host"] = about["spec"]["nodeName"].clone();
            object["reportingInstance"] = about["spec"]["nodeName"].clone();
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str, source: &'static str) -> Event {
        Event {
            about: json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "n", "uid": "u"}}),
            field_path: String::new(),
            kind: "Normal",
            reason: "Pulled",
            message: message.to_owned(),
            source,
        }
    }

    #[test]
    fn equal_events_are_counted() {
        let mut journal = Journal::default();
        let now = Timestamp::from_second(1_000_000).unwrap();
        let Entry::New(first) = journal.note(event("x", "kubelet"), now) else { panic!("new") };
        assert_eq!((&first["count"], &first["involvedObject"]["uid"]), (&json!(1), &json!("u")));
        let Entry::Again(key, patch) = journal.note(event("x", "kubelet"), now) else { panic!("again") };
        assert_eq!((key, &patch["count"]), (Key::of(&first), &json!(2)));
        assert!(matches!(journal.note(event("y", "kubelet"), now), Entry::New(_)));
        let later = now + jiff::SignedDuration::from_secs(3600);
        assert!(matches!(journal.note(event("x", "kubelet"), later), Entry::New(_)));
    }

    #[test]
    fn the_scheduler_tells_in_the_newer_form() {
        let Entry::New(told) = Journal::default().note(event("x", "default-scheduler"), Timestamp::UNIX_EPOCH) else {
            panic!("new")
        };
        assert_eq!(
            (&told["source"], &told["eventTime"], told.get("count")),
            (&json!({}), &json!("1970-01-01T00:00:00.000000Z"), None)
        );
    }
}
