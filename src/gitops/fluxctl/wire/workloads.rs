//! Workloads as they are listed, read back.

use serde_json::Value;

use super::{list, text, texts};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::{PREFIX, Policies};
use crate::gitops::table::rollout::Rollout;
use crate::gitops::table::workloads::{ReadOnly, WorkloadStatus};

/// Reads a list of workloads.
pub fn workloads(value: &Value) -> Option<Vec<WorkloadStatus>> {
    match value {
        Value::Null => Some(Vec::new()),
        value => value.as_array()?.iter().map(one).collect(),
    }
}

fn one(value: &Value) -> Option<WorkloadStatus> {
    let container = |container: &Value| {
        let image = container.pointer("/Current/ID")?.as_str()?;
        Some(Container { name: text(container, "Name").to_owned(), image: ImageRef::parse(image).ok()? })
    };
    let containers = list(value, "Containers").iter().map(container).collect::<Option<Vec<_>>>()?;
    let members = |key: &str| value.get(key).and_then(Value::as_object).into_iter().flatten();
    let policies: Vec<(String, &str)> =
        members("Policies").filter_map(|(name, value)| Some((format!("{PREFIX}{name}"), value.as_str()?))).collect();
    let labels = members("Labels").filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut status = WorkloadStatus::new(ResourceId::parse(text(value, "ID")).ok()?, containers, text(value, "Status"));
    status.labels = labels.collect();
    status.read_only = ReadOnly::of(text(value, "ReadOnly"));
    status.rollout = value.get("Rollout").map(rollout).unwrap_or_default();
    status.sync_error = text(value, "SyncError").to_owned();
    status.antecedent = ResourceId::parse(text(value, "Antecedent")).ok();
    status.policies = Policies::from_annotations(policies.iter().map(|(key, value)| (key.as_str(), *value)));
    Some(status)
}

fn rollout(value: &Value) -> Rollout {
    let number = |key: &str| value.get(key).and_then(Value::as_i64).unwrap_or(0);
    Rollout {
        desired: number("Desired"),
        updated: number("Updated"),
        ready: number("Ready"),
        available: number("Available"),
        outdated: number("Outdated"),
        messages: texts(value, "Messages"),
    }
}
