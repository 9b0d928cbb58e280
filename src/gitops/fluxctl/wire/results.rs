//! What became of workloads.

use serde_json::{Map, Value, json};

use super::{list, text};
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::release::{Outcome, Results, Status, Update};

/// As JSON.
pub fn results_json(results: &Results) -> Value {
    let one = |outcome: &Outcome| {
        let mut members = Map::new();
        members.insert("Status".to_owned(), json!(outcome.status.as_str()));
        if !outcome.reason.is_empty() {
            members.insert("Error".to_owned(), json!(outcome.reason));
        }
        let updates = outcome.updates.iter().map(|update| {
            json!({"Container": update.container, "Current": update.current.to_string(), "Target": update.target.to_string()})
        });
        let updates: Vec<_> = updates.collect();
        if !updates.is_empty() {
            members.insert("PerContainer".to_owned(), Value::Array(updates));
        }
        Value::Object(members)
    };
    results.sorted().into_iter().map(|(id, outcome)| (id, one(outcome))).collect::<Map<_, _>>().into()
}

/// From JSON; null is no results.
pub fn results(value: &Value) -> Option<Results> {
    let Some(members) = value.as_object() else { return value.is_null().then(Results::default) };
    let one = |(id, outcome): (&String, &Value)| {
        let status = match text(outcome, "Status") {
            "success" => Status::Success,
            "failed" => Status::Failed,
            "skipped" => Status::Skipped,
            "ignored" => Status::Ignored,
            _ => return None,
        };
        let updates = list(outcome, "PerContainer").iter().map(|update| {
            let image = |key| ImageRef::parse(text(update, key)).ok();
            let container = text(update, "Container").to_owned();
            Some(Update { container, current: image("Current")?, target: image("Target")? })
        });
        let updates = updates.collect::<Option<Vec<_>>>()?;
        let outcome = Outcome { status, reason: text(outcome, "Error").to_owned(), updates };
        Some((ResourceId::parse(id).ok()?, outcome))
    };
    members.iter().map(one).collect::<Option<_>>().map(Results)
}
