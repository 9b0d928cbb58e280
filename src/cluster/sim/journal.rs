//! Events: written once, counted up when they come again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use super::tools::since;
use crate::cluster::api::{micro_stamp, stamp};
use crate::cluster::object::{Key, text};

/// How long equal events are counted up instead of written anew.
const WINDOW: Duration = Duration::from_secs(600);
/// How many different events are remembered.
const REMEMBERED: usize = 4096;
/// From this many on, events that differ only in their message share one object.
const SIMILAR: usize = 10;
/// How many events somebody may tell about one object at once, and how long it takes until one more may come.
const BURST: f64 = 25.0;
const REFILL: f64 = 300.0;

/// What makes events equal, but for their message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Alike {
    uid: String,
    kind: &'static str,
    reason: &'static str,
    source: &'static str,
}

/// What makes events equal. Without a message it stands for all that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Same {
    alike: Alike,
    field_path: String,
    message: Option<String>,
}

/// An event that was written.
#[derive(Debug)]
struct Told {
    key: Option<Key>,
    last: Timestamp,
    count: i64,
}

/// The messages of events that are alike.
#[derive(Debug)]
struct Family {
    messages: HashSet<String>,
    last: Timestamp,
}

/// How many events may still be told about an object.
#[derive(Debug)]
struct Allowance {
    left: f64,
    last: Timestamp,
}

/// The events of late.
#[derive(Debug, Default)]
pub struct Journal {
    written: HashMap<Same, Told>,
    families: HashMap<Alike, Family>,
    allowances: HashMap<(String, &'static str), Allowance>,
    number: u64,
}

/// What to do with an event.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// Write it.
    New(Value),
    /// It came again: patch the one that is there.
    Again(Key, Value),
    /// There were too many about that object.
    Dropped,
}

impl Journal {
    /// Notes an event.
    pub fn note(&mut self, mut event: Event, now: Timestamp) -> Entry {
        self.forget_old(now);
        let uid = text(&event.about, &["metadata", "uid"]).to_owned();
        let alike = Alike { uid: uid.clone(), kind: event.kind, reason: event.reason, source: event.source };
        let newer = is_newer(&event);
        let joined = !newer && self.joins(&alike, &event.message, now);
        if joined {
            event.message.insert_str(0, "(combined from similar events): ");
        }
        let same = Same {
            field_path: if joined { String::new() } else { event.field_path.clone() },
            message: (!joined).then(|| event.message.clone()),
            alike,
        };
        let allowed = newer || self.allows((uid, event.source), now);
        self.number += 1;
        let number = self.number;
        let told = self.written.entry(same).or_insert(Told { key: None, last: now, count: 0 });
        if since(now, told.last) >= WINDOW {
            (told.key, told.count) = (None, 0);
        }
        told.last = now;
        told.count += 1;
        if !allowed {
            return Entry::Dropped;
        }
        match &told.key {
            Some(key) if newer => {
                let series = json!({"count": told.count, "lastObservedTime": micro_stamp(now)});
                Entry::Again(key.clone(), json!({ "series": series }))
            }
            Some(key) => {
                let mut patch = json!({"count": told.count, "lastTimestamp": stamp(now)});
                if joined {
                    patch["message"] = event.message.into();
                }
                Entry::Again(key.clone(), patch)
            }
            None => {
                let mut object = written(&event, now, number);
                if told.count > 1 && !newer {
                    object["count"] = told.count.into();
                }
                told.key = Some(Key::of(&object));
                Entry::New(object)
            }
        }
    }

    /// Whether there are so many different events of a kind that this one is told together with others.
    fn joins(&mut self, alike: &Alike, message: &str, now: Timestamp) -> bool {
        let empty = || Family { messages: HashSet::new(), last: now };
        let family = self.families.entry(alike.clone()).or_insert_with(empty);
        if since(now, family.last) > WINDOW {
            family.messages.clear();
        }
        family.last = now;
        if family.messages.contains(message) {
            return false;
        }
        let joins = family.messages.len() + 1 >= SIMILAR;
        if !joins {
            family.messages.insert(message.to_owned());
        }
        joins
    }

    /// Whether one more event about an object may be told.
    fn allows(&mut self, about: (String, &'static str), now: Timestamp) -> bool {
        let allowance = self.allowances.entry(about).or_insert(Allowance { left: BURST, last: now });
        let more = since(now, allowance.last).as_secs_f64() / REFILL;
        allowance.left = (allowance.left + more).min(BURST);
        allowance.last = now;
        let allowed = allowance.left >= 1.0;
        if allowed {
            allowance.left -= 1.0;
        }
        allowed
    }

    fn forget_old(&mut self, now: Timestamp) {
        let most = self.written.len().max(self.families.len()).max(self.allowances.len());
        if most < REMEMBERED {
            return;
        }
        self.written.retain(|_, told| since(now, told.last) < WINDOW);
        self.families.retain(|_, family| since(now, family.last) < WINDOW);
        self.allowances.retain(|_, allowance| since(now, allowance.last) < WINDOW);
        if self.written.len().max(self.families.len()).max(self.allowances.len()) >= REMEMBERED {
            self.clear();
        }
    }

    /// Forgets what it has written, as after a restore.
    pub fn clear(&mut self) {
        self.written.clear();
        self.families.clear();
        self.allowances.clear();
    }
}

/// Whether an event is told in the newer form, which has a series instead of a count.
fn is_newer(event: &Event) -> bool {
    event.source == "default-scheduler"
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
    let newer = is_newer(event);
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

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap_or_default()
    }

    #[test]
    fn the_scheduler_counts_in_a_series() {
        let mut journal = Journal::default();
        let Entry::New(first) = journal.note(event("x", "default-scheduler"), at(0)) else { panic!("new") };
        let again = journal.note(event("x", "default-scheduler"), at(5));
        let series = json!({"series": {"count": 2, "lastObservedTime": "1970-01-12T13:46:45.000000Z"}});
        assert_eq!(again, Entry::Again(Key::of(&first), series));
    }

    #[test]
    fn many_events_that_are_alike_share_one() {
        let mut journal = Journal::default();
        let mut told = Vec::new();
        for number in 0..12 {
            told.push(match journal.note(event(&format!("pod {number}"), "replicaset-controller"), at(number)) {
                Entry::New(object) => text(&object, &["message"]).to_owned(),
                Entry::Again(_, patch) => patch.to_string(),
                Entry::Dropped => "dropped".to_owned(),
            });
        }
        assert_eq!((told[0].as_str(), told[8].as_str()), ("pod 0", "pod 8"));
        let combined = "(combined from similar events): ";
        assert_eq!(told[9], format!("{combined}pod 9"));
        assert_eq!(
            told[11],
            format!(r#"{{"count":3,"lastTimestamp":"1970-01-12T13:46:51Z","message":"{combined}pod 11"}}"#)
        );
        let known = journal.note(event("pod 1", "replicaset-controller"), at(20));
        assert!(
            matches!(known, Entry::Again(_, patch) if patch["count"] == 2),
            "one that was told before counts by itself"
        );
        let later = journal.note(event("pod 99", "replicaset-controller"), at(700));
        assert!(matches!(later, Entry::New(object) if object["message"] == "pod 99"));
    }

    #[test]
    fn too_many_events_about_an_object_are_dropped() {
        let mut journal = Journal::default();
        let told = (0..40).filter(|_| journal.note(event("x", "kubelet"), at(0)) != Entry::Dropped).count();
        assert_eq!(told, 25);
        assert_eq!(journal.note(event("x", "kubelet"), at(299)), Entry::Dropped);
        let Entry::Again(_, patch) = journal.note(event("x", "kubelet"), at(301)) else {
            panic!("one more every five minutes")
        };
        assert_eq!(patch["count"], 42);
        assert!(matches!(journal.note(event("x", "other"), at(301)), Entry::New(_)), "others may still tell");
    }
}
