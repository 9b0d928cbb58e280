//! What controllers, a scheduler and kubelets would do, decided step by step from the store and the time.
//!
//! Every decision is a function from a [`World`] to [`Decision`]; the driver carries it out through the same API
//! that clients use, and asks again when something changed or the time has come.

pub(crate) mod actions;
pub(crate) mod affinity;
pub mod aggregation;
pub mod autoscaler;
pub mod bootstrap;
pub mod budget;
mod condition;
pub(crate) mod conditions;
pub mod controller;
pub mod cronjob;
pub mod daemonset;
pub mod definition;
pub mod deployment;
pub mod driver;
pub mod expiry;
#[cfg(test)]
mod fixtures;
pub mod garbage;
pub mod image;
pub mod job;
pub mod journal;
pub mod kubelet;
#[cfg(test)]
mod malformed;
mod matching;
pub mod namespace;
pub mod node;
pub(crate) mod ownership;
pub mod queue;
pub mod quota_usage;
pub mod replicaset;
pub mod replicationcontroller;
pub(crate) mod revision;
#[cfg(test)]
mod rig;
pub(crate) mod scaled;
pub mod scheduler;
pub mod script;
pub(crate) mod selector;
pub mod service;
pub mod service_account;
pub mod statefulset;
pub(crate) mod template;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod times;
mod tools;
mod view;
pub(crate) mod views;
pub mod volume;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::api::store::{ResourceName, Store};
use crate::cluster::object::Key;

/// What a decision may look at.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// All objects.
    pub store: &'a Store,
    /// What time it is.
    pub now: Timestamp,
    /// Why the API refused an action of the decision before, when it is asked for again because of that.
    pub refused: Option<&'a str>,
}

/// What is to be done, in this order, and when to look again if nothing happens before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The actions.
    pub actions: Vec<Action>,
    /// How long until the next look.
    pub again: Option<Duration>,
}

/// Something to do to the cluster. The driver drops the rest of a decision when an action is refused, and asks again.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make an object.
    Create {
        /// Plural and group, as `replicasets.apps`.
        resource: ResourceName,
        /// The object, with its `metadata.namespace`.
        object: Value,
    },
    /// Write an object as it should be. Its `resourceVersion` is a precondition.
    Update {
        /// Plural and group.
        resource: ResourceName,
        /// The whole object.
        object: Value,
    },
    /// Write an object's status. Its `resourceVersion` is a precondition.
    UpdateStatus {
        /// Plural and group.
        resource: ResourceName,
        /// The whole object, with the new status.
        object: Value,
    },
    /// Change a part of an object by JSON merge patch, whatever its version.
    Patch {
        /// Plural and group.
        resource: ResourceName,
        /// Which.
        key: Key,
        /// The patch.
        patch: Value,
    },
    /// Delete an object.
    Delete {
        /// Plural and group.
        resource: ResourceName,
        /// Which.
        key: Key,
        /// Only if it is this one; any when empty.
        uid: Box<str>,
        /// Seconds of grace instead of the object's own.
        grace: Option<i64>,
        /// `Background`, `Foreground` or `Orphan`; the resource's default when empty.
        propagation: &'static str,
    },
    /// Put a pod on a node, as the pod's `binding` does: the node's name and the condition `PodScheduled`.
    Bind {
        /// Which pod.
        pod: Key,
        /// Only if it is this one.
        uid: Box<str>,
        /// The node's name.
        node: Box<str>,
    },
    /// Write a namespace's `spec.finalizers`, as its `finalize` does. Its `resourceVersion` is a precondition.
    Finalize {
        /// The whole namespace.
        object: Value,
    },
    /// Tell what happened. Equal events within a while are counted up on one object.
    Event(Event),
}

/// An event to be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The object that it is about (whole; its kind, apiVersion and metadata are used).
    pub about: Value,
    /// A part of it, as `spec.containers{app}`; may be empty.
    pub field_path: String,
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// The reason word.
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
    /// Who tells: `kubelet`, `deployment-controller` …
    pub source: &'static str,
}
