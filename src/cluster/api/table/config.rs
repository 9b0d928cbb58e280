//! Rows of config maps, secrets, accounts, namespaces, quotas, leases and events.

use serde_json::Value;

use super::{Cell, created, created_at, name, printed, text_or, time_at};
use crate::cluster::object::{at, int, list, map, text};

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    let keys = |member| map(object, &[member]).map_or(0, |members| i64::try_from(members.len()).unwrap_or(i64::MAX));
    Some(match kind {
        "ConfigMap" => vec![name(object), (keys("data") + keys("binaryData")).into(), created(object)],
        "Secret" => vec![name(object), text(object, &["type"]).into(), keys("data").into(), created(object)],
        "Namespace" => vec![name(object), text(object, &["status", "phase"]).into(), created(object)],
        "LimitRange" => vec![name(object), created_at(object)],
        "ResourceQuota" => {
            let [requests, limits] = quota(object);
            vec![name(object), requests.into(), limits.into(), created(object)]
        }
        "ComponentStatus" => component_status(object),
        "Event" => event(object),
        "Lease" => vec![name(object), text(object, &["spec", "holderIdentity"]).into(), created(object)],
        // service accounts too
        _ => return None,
    })
}

/// What is used of each resource: requests and counts, and apart from them limits.
fn quota(object: &Value) -> [String; 2] {
    let hard = map(object, &["status", "hard"]);
    let mut names: Vec<_> = hard.into_iter().flatten().map(|(name, most)| (name.as_str(), most)).collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    let mut texts = [Vec::new(), Vec::new()];
    for (name, most) in names {
        let used = at(object, &["status", "used", name]).map_or("0".to_owned(), printed);
        let [requests, limits] = &mut texts;
        let place = if name.starts_with("limits.") { limits } else { requests };
        place.push(format!("{name}: {used}/{}", printed(most)));
    }
    texts.map(|texts| texts.join(", "))
}

fn component_status(object: &Value) -> Vec<Cell> {
    let condition = list(object, &["conditions"]).iter().find(|condition| text(condition, &["type"]) == "Healthy");
    let [message, error] =
        ["message", "error"].map(|member| condition.map_or("", |condition| text(condition, &[member])));
    let status = match condition.map(|condition| text(condition, &["status"])) {
        Some("True") => "Healthy",
        Some(_) => "Unhealthy",
        None => "Unknown",
    };
    vec![name(object), status.into(), message.into(), error.into()]
}

/// An event in either of its two forms, core/v1 or events.k8s.io/v1.
fn event(object: &Value) -> Vec<Cell> {
    let either = |core: &str, events: &str| {
        let member = |name: &str| object.get(name).filter(|value| !value.is_null());
        member(core).or_else(|| member(events)).unwrap_or(&Value::Null)
    };
    let either_time = |core: &str, events: &str| time_at(object, &[core]).or_else(|| time_at(object, &[events]));
    let about = either("involvedObject", "regarding");
    let kind = text(about, &["kind"]).to_lowercase();
    let target = match text(about, &["name"]) {
        "" => kind,
        named => format!("{kind}/{named}"),
    };
    let first = either_time("firstTimestamp", "deprecatedFirstTimestamp").or_else(|| time_at(object, &["eventTime"]));
    let series = object.get("series").filter(|series| !series.is_null());
    let (last, count) = match series {
        Some(series) => (time_at(series, &["lastObservedTime"]), int(series, &["count"]).unwrap_or(0)),
        None => {
            let count = either("count", "deprecatedCount").as_i64().filter(|count| *count != 0);
            (either_time("lastTimestamp", "deprecatedLastTimestamp").or(first), count.unwrap_or(1))
        }
    };
    let message = either("message", "note").as_str().unwrap_or("").trim();
    vec![
        Cell::Age(last),
        text(object, &["type"]).into(),
        text(object, &["reason"]).into(),
        target.into(),
        text(about, &["fieldPath"]).into(),
        event_source(object, either("source", "deprecatedSource")).into(),
        message.into(),
        Cell::Age(first),
        count.into(),
        name(object),
    ]
}

fn event_source(object: &Value, source: &Value) -> String {
    let reporter = text_or(text(object, &["reportingComponent"]), text(object, &["reportingController"]));
    let component = text_or(text(source, &["component"]), reporter);
    match text_or(text(source, &["host"]), text(object, &["reportingInstance"])) {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    }
}
