//! Event, in both its groups: how one form becomes the other, and what each has to have.

use serde_json::{Value, json};

use super::check::{Check, is_empty, same};
use super::kind::{Blank, Kind};
use crate::cluster::api::admission::names;
use crate::cluster::object::{self, Map, at, int, set, text};

pub(super) const KINDS: &[Kind] = &[CORE, EVENTS];

const CORE: Kind = Kind {
    kind: "Event",
    create_on_update: true,
    always: &[
        (&["involvedObject"], Blank::Object),
        (&["source"], Blank::Object),
        (&["firstTimestamp"], Blank::Null),
        (&["lastTimestamp"], Blank::Null),
        (&["eventTime"], Blank::Null),
        (&["reportingComponent"], Blank::Text),
        (&["reportingInstance"], Blank::Text),
    ],
    validate: |check, new, old| {
        check.event(new);
        // names are judged afterwards, and leniently
        if check.errors.is_empty() {
            match old {
                None => check.new_metadata_named(new, names::segment_names),
                Some(old) => check.changed_metadata(new, old),
            }
        }
    },
    ..Kind::NAMESPACED
};
const EVENTS: Kind = Kind {
    group: "events.k8s.io",
    kind: "Event",
    create_on_update: true,
    always: &[
        (&["eventTime"], Blank::Null),
        (&["regarding"], Blank::Object),
        (&["deprecatedSource"], Blank::Object),
        (&["deprecatedFirstTimestamp"], Blank::Null),
        (&["deprecatedLastTimestamp"], Blank::Null),
    ],
    validate: |check, new, old| {
        // the server judges the old form, and names its fields
        let core = to_core(new.clone());
        let old = old.map(|old| to_core(old.clone()));
        check.event(&core);
        check.new_event(&core, old.as_ref());
    },
    ..Kind::NAMESPACED
};

/// Members of a core Event and of an events.k8s.io Event that are the same thing.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// An events.k8s.io/v1 Event as a core/v1 Event.
pub fn to_core(event: Value) -> Value {
    let core = |name: &str| NAMES.iter().find(|(_, new)| *new == name).map(|(core, _)| *core);
    let mut event = renamed(event, "v1", core);
    if event.is_object() {
        CORE.write_blanks(&mut event);
    }
    event
}

/// A core/v1 Event as an events.k8s.io/v1 Event.
pub fn to_events(event: Value) -> Value {
    let new = |name: &str| NAMES.iter().find(|(core, _)| *core == name).map(|(_, new)| *new);
    let mut event = renamed(event, "events.k8s.io/v1", new);
    if event.is_object() {
        // only the older form writes these when there is nothing to say
        for member in ["reportingController", "reportingInstance"] {
            if text(&event, &[member]).is_empty() {
                object::remove(&mut event, &[member]);
            }
        }
        EVENTS.write_blanks(&mut event);
    }
    event
}

fn renamed(event: Value, version: &str, new_name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(members) = event else { return event };
    let rename = |(name, value): (String, Value)| (new_name(&name).map_or(name, str::to_owned), value);
    let mut event = Value::Object(members.into_iter().map(rename).collect::<Map>());
    if at(&event, &["apiVersion"]).is_some() {
        set(&mut event, &["apiVersion"], version);
    }
    event
}

/// Bytes that a reason, an action and an instance may have.
const WORD_BYTES: usize = 128;
/// Bytes that a message may have.
const MESSAGE_BYTES: usize = 1024;

/// What may not change by way of the newer group.
const KEPT: [&str; 14] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "reason",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
];

impl Check<'_> {
    /// What every event has to be like.
    fn event(&mut self, event: &Value) {
        let namespace = text(event, &["metadata", "namespace"]);
        let about = text(event, &["involvedObject", "namespace"]);
        let timed = !text(event, &["eventTime"]).is_empty();
        let anywhere: &[&str] = if timed { &["default", "kube-system"] } else { &["", "default"] };
        let matches = match about {
            "" => anywhere.contains(&namespace),
            about => timed || about == namespace,
        };
        if !matches {
            self.invalid("involvedObject.namespace", about, "does not match event.namespace");
        }
        if timed {
            self.timed_event(event);
        }
        self.sentences("namespace", namespace, names::dns_subdomain(namespace));
    }

    fn timed_event(&mut self, event: &Value) {
        let controller = text(event, &["reportingComponent"]);
        if controller.is_empty() {
            self.required("reportingController", "");
        }
        self.sentences("reportingController", controller, names::qualified_name(controller));
        for member in ["reportingInstance", "action", "reason"] {
            let value = text(event, &[member]);
            if value.is_empty() {
                self.required(member, "");
            }
            self.at_most(member, value, WORD_BYTES);
        }
        self.at_most("message", text(event, &["message"]), MESSAGE_BYTES);
    }

    fn at_most(&mut self, field: &str, value: &str, most: usize) {
        if value.len() > most {
            self.invalid(field, "", format!("can have at most {most} characters"));
        }
    }

    /// What an event has to be like in the newer group besides, in the words of the older one.
    fn new_event(&mut self, event: &Value, old: Option<&Value>) {
        self.metadata(event, old);
        if let Some(old) = old {
            if !same(at(event, &["series"]), at(old, &["series"])) {
                self.series(event);
            }
            for member in KEPT {
                let field = if member == "reportingComponent" { "reportingController" } else { member };
                self.immutable(field, event, old, &[member]);
            }
            return;
        }
        self.series(event);
        if text(event, &["eventTime"]).is_empty() {
            self.required("eventTime", "");
        }
        let kind = text(event, &["type"]);
        if !["Normal", "Warning"].contains(&kind) {
            self.invalid("type", "", format!("has invalid value: {kind}"));
        }
        let source = ["component", "host"].iter().any(|part| !text(event, &["source", part]).is_empty());
        let there = |member| at(event, &[member]).is_some_and(|value| !is_empty(value) && *value != json!(0));
        let leftovers = [
            ("firstTimestamp", there("firstTimestamp")),
            ("lastTimestamp", there("lastTimestamp")),
            ("count", there("count")),
            ("source", source),
        ];
        for (member, _) in leftovers.into_iter().filter(|(_, there)| *there) {
            self.invalid(member, "", "needs to be unset");
        }
    }

    fn series(&mut self, event: &Value) {
        let Some(series) = at(event, &["series"]).filter(|series| !series.is_null()) else { return };
        if int(series, &["count"]).unwrap_or(0) < 2 {
            self.invalid("series.count", "", "should be at least 2");
        }
        if text(series, &["lastObservedTime"]).is_empty() {
            self.required("series.lastObservedTime", "");
        }
    }
}
