//! A cluster as `clusterctl describe cluster` shows it: a tree of rows, and the table of it as text.

mod build;
mod node;
mod snapshot;
mod table;

use jiff::Timestamp;

pub use node::{Item, Replicas, Said};
pub use snapshot::snapshot;
pub use table::text;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Machines that are the same share a row.
    pub grouping: bool,
    /// Also virtual machines and bootstrap configurations that say what their machine says.
    pub echo: bool,
    /// Also machine sets.
    pub machine_sets: bool,
    /// All conditions of which objects: kinds, `Kind/name`, or `all`.
    pub conditions: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { grouping: true, echo: false, machine_sets: false, conditions: Vec::new() }
    }
}

/// A cluster's objects, as far as they are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The namespace.
    pub namespace: String,
    /// The cluster.
    pub cluster: Item,
    /// Its infrastructure.
    pub infrastructure: Option<Item>,
    /// Its managed control plane.
    pub control_plane: Option<Item>,
    /// Its machine deployments.
    pub deployments: Vec<Item>,
    /// Their machine sets.
    pub sets: Vec<Item>,
    /// Its machines.
    pub machines: Vec<Machine>,
}

/// A machine with what belongs to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Machine {
    /// The machine.
    pub item: Item,
    /// Whether it belongs to the control plane.
    pub control_plane: bool,
    /// The deployment or control plane that it comes from; empty for one of its own.
    pub owner: String,
    /// The machine set that it comes from; may be empty.
    pub set: String,
    /// Its virtual machine.
    pub infrastructure: Option<Item>,
    /// Its bootstrap configuration.
    pub bootstrap: Option<Item>,
}

/// A row of the tree. Counters are empty where there is nothing to count.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Row {
    /// The lines of the tree before the name: `│ └─`.
    pub prefix: String,
    /// How deep it is; 0 for the cluster.
    pub depth: usize,
    /// The name: `Machine default/demo-1, v1.33.1`, `2 Machines...`, `Workers`.
    pub name: String,
    /// `current/desired`.
    pub replicas: String,
    /// How many are available.
    pub available: String,
    /// How many are ready.
    pub ready: String,
    /// How many are up to date.
    pub up_to_date: String,
    /// `True`, `False`, `Unknown`, or empty.
    pub status: String,
    /// How bad it is, where that is said.
    pub severity: String,
    /// One word.
    pub reason: String,
    /// When that became so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Words, in lines.
    pub message: String,
    /// The lines of the tree before further lines of the message.
    pub continuation: String,
}

/// The rows of a cluster's tree, in their order.
pub fn rows(snapshot: &Snapshot, options: &Options) -> Vec<Row> {
    node::rows(&build::tree(snapshot, options))
}

#[cfg(test)]
mod tests;
