//! Cluster API with an infrastructure that exists in memory alone: clusters, machines, control planes, rollouts.
//!
//! The controllers look at all objects at once ([`world::World`]), decide what each of them needs ([`decide`]) as values
//! ([`action::Action`]), and only [`controller`] carries that out. Objects are stored once and served in every version:
//! an object has the members of all of them, so that v1alpha3's `status.ready` and v1beta2's `status.initialization`
//! can both be read. Conditions carry a severity, and the old types stand beside the new ones.

pub mod action;
mod azure;
mod bootstrap;
mod cache;
mod clone;
mod cluster;
mod cluster_conditions;
pub mod condition;
mod control_plane;
pub mod controller;
pub mod decide;
pub mod describe;
mod error;
mod health_check;
pub mod kind;
pub mod look;
mod machine;
mod machine_deletion;
mod machine_deployment;
mod machine_set;
pub mod name;
pub mod options;
pub mod phase;
mod reference;
pub mod rollout;
pub mod substitute;
mod tally;
pub mod words;
mod workload;
pub mod world;

pub use controller::{ClusterApi, ClusterState, Handle, State};
pub use error::Error;
pub use options::{Options, Timings};

#[cfg(test)]
mod tests;
