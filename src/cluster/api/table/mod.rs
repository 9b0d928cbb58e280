//! What `kubectl get` shows: the columns and cells of every kind, as the server makes them.
//!
//! Cells are kept with an object; those that change with time are shown from what they depend on.

mod access;
mod age;
mod columns;
mod config;
mod custom;
mod network;
mod nodes;
mod pods;
mod scaling;
mod selector;
mod storage;
mod text;
mod workloads;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::object::text as text_at;

pub use age::age;
pub use columns::{Column, columns, definitions};
pub use custom::CustomColumns;
pub(crate) use text::{go_json, go_number, go_quoted, printed};

/// A cell as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// It never changes.
    Ready(Value),
    /// The time since then; `<unknown>` without a time.
    Age(Option<Timestamp>),
    /// Restarts of a pod and the time of the last one, as `3 (5m ago)`.
    Restarts(i64, Timestamp),
}

impl Cell {
    /// A cell with text, a number or a truth value.
    fn of(value: impl Into<Value>) -> Self {
        Self::Ready(value.into())
    }

    /// The time since the time at a path of an object.
    fn age_at(object: &Value, path: &[&str]) -> Self {
        Self::Age(time_at(object, path))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::of(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::of(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::of(flag)
    }
}

/// A cell as clients see it at a time.
pub fn show(cell: &Cell, now: Timestamp) -> Value {
    match cell {
        Cell::Ready(value) => value.clone(),
        Cell::Age(None) => "<unknown>".into(),
        Cell::Age(Some(from)) => age(*from, now).into(),
        Cell::Restarts(count, last) => format!("{count} ({} ago)", age(*last, now)).into(),
    }
}

/// All cells of an object of a built-in kind, in the order of its columns; name and age of any other.
pub fn cells(group: &str, kind: &str, object: &Value) -> Box<[Cell]> {
    let cells = match group {
        "" => core(kind, object),
        "apps" | "batch" => workloads::cells(kind, object),
        "autoscaling" | "policy" | "scheduling.k8s.io" | "node.k8s.io" => scaling::cells(kind, object),
        "networking.k8s.io" | "discovery.k8s.io" => network::cells(kind, object),
        "storage.k8s.io" | "resource.k8s.io" => storage::cells(kind, object),
        "events.k8s.io" | "coordination.k8s.io" => config::cells(kind, object),
        _ => access::cells(kind, object),
    };
    cells.unwrap_or_else(|| vec![name(object), created(object)]).into()
}

fn core(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    match kind {
        "Pod" => Some(pods::cells(object)),
        "Node" => Some(nodes::cells(object)),
        "Service" | "Endpoints" => network::cells(kind, object),
        "ReplicationController" | "PodTemplate" => workloads::cells(kind, object),
        "PersistentVolume" | "PersistentVolumeClaim" => storage::cells(kind, object),
        _ => config::cells(kind, object),
    }
}

/// The cell with the object's name.
fn name(object: &Value) -> Cell {
    text_at(object, &["metadata", "name"]).into()
}

/// The cell with the object's age.
fn created(object: &Value) -> Cell {
    Cell::age_at(object, &["metadata", "creationTimestamp"])
}

/// The cell with the time at which the object was made, as it is.
fn created_at(object: &Value) -> Cell {
    text_at(object, &["metadata", "creationTimestamp"]).into()
}

fn deleting(object: &Value) -> bool {
    time_at(object, &["metadata", "deletionTimestamp"]).is_some()
}

fn time_at(object: &Value, path: &[&str]) -> Option<Timestamp> {
    // Go's zero time is no time
    const ZERO: i64 = -62_135_596_800;
    text_at(object, path).parse::<Timestamp>().ok().filter(|time| time.as_second() != ZERO)
}

/// The text, or what stands for none.
fn text_or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

#[cfg(test)]
mod tests;
