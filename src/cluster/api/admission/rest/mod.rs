//! The kinds that are neither pods nor workloads: their defaults, validation and what else a write does to them.
//!
//! A write goes through [`defaults`], for a Service [`allocate`], then [`before_create`] or [`before_update`], then
//! [`validate`]. Every function says whether it knows the kind.

mod address;
pub mod autoscaling;
mod autoscaling_conversion;
mod check;
mod claim;
mod config;
mod endpoints;
pub mod event;
mod extension;
mod ingress;
mod kind;
mod limits;
mod metadata;
mod network;
mod node;
mod policy;
mod rbac;
mod service;
mod service_allocation;
mod service_validation;
mod simple;
mod storage;
mod volume;

use serde_json::Value;

use crate::cluster::api::status::{FieldError, Refusal};
use crate::cluster::object::GroupKind;
use check::Check;
use kind::{Generation, Kind};

pub use claim::default_storage_class;
pub use ingress::default_ingress_class;
pub(super) use limits::is_extended;
pub use service_allocation::allocate;

/// All kinds, a family in each slice.
const FAMILIES: &[&[Kind]] = &[
    config::KINDS,
    service::KINDS,
    event::KINDS,
    endpoints::KINDS,
    node::KINDS,
    limits::KINDS,
    volume::KINDS,
    claim::KINDS,
    simple::KINDS,
    rbac::KINDS,
    ingress::KINDS,
    network::KINDS,
    policy::KINDS,
    autoscaling::KINDS,
    storage::KINDS,
    extension::KINDS,
];

fn find(kind: &GroupKind) -> Option<&'static Kind> {
    let (group, name) = kind.pair();
    FAMILIES.iter().copied().flatten().find(|known| known.kind == name && known.group == group)
}

/// Fills in what the writer left out. Doing it again changes nothing.
pub fn defaults(kind: &GroupKind, object: &mut Value) -> bool {
    let Some(kind) = find(kind) else { return false };
    (kind.defaults)(object);
    kind.write_blanks(object);
    true
}

/// What happens to a new object: its status goes, finalizers and labels of the server come.
pub fn before_create(kind: &GroupKind, object: &mut Value) -> bool {
    let Some(kind) = find(kind) else { return false };
    kind.begin_status(object);
    (kind.create)(object);
    true
}

/// What happens to a changed object: its status and what only the server changes stay as they were.
pub fn before_update(kind: &GroupKind, object: &mut Value, old: &Value) -> bool {
    let Some(kind) = find(kind) else { return false };
    kind.keep_status(object, old);
    (kind.update)(object, old);
    true
}

/// Finds what is wrong with an object, or with changing `old` to it.
pub fn validate(kind: &GroupKind, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) -> bool {
    let Some(kind) = find(kind) else { return false };
    (kind.validate)(&mut Check { kind, errors }, object, old);
    true
}

/// Finds what is wrong with the metadata of an object of any kind, as of custom resources; their names are subdomains.
pub fn validate_metadata(namespaced: bool, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let kind = if namespaced { &Kind::NAMESPACED } else { &Kind::CLUSTER };
    Check { kind, errors }.metadata(object, old);
}

/// Warnings about an object that is fine otherwise.
pub fn warnings(kind: &GroupKind, object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(kind) = find(kind) {
        (kind.warnings)(object, old, &mut warnings);
    }
    warnings
}

/// Whether objects of the kind have a `metadata.generation`.
pub fn has_generation(kind: &GroupKind) -> bool {
    find(kind).is_some_and(|kind| kind.generation != Generation::None)
}

/// Whether a change makes a new generation; `None` for kinds that are not known here.
pub fn generation_changes(kind: &GroupKind, new: &Value, old: &Value) -> Option<bool> {
    find(kind).map(|kind| kind.generation_changes(new, old))
}

/// Whether a PUT has to name the `resourceVersion` that it replaces; see [`version_missing`].
pub fn needs_resource_version(kind: &GroupKind) -> bool {
    find(kind).is_some_and(|kind| kind.versioned)
}

/// What is said, before validation, of an update that does not name a version. It names the plural, not the kind.
pub fn version_missing(kind: &GroupKind, plural: &str, name: &str) -> Refusal {
    let error = FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update");
    Refusal::invalid(&GroupKind::new(&kind.group, plural), name, &[error])
}

/// The warning that every request for objects of an old kind gets.
pub fn deprecation(kind: &GroupKind) -> Option<&'static str> {
    match kind.pair() {
        ("", "Endpoints") => Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
        ("", "ComponentStatus") => Some("v1 ComponentStatus is deprecated in v1.19+"),
        _ => None,
    }
}

/// Whether a PUT makes an object that is not there yet.
pub fn allows_create_on_update(kind: &GroupKind) -> bool {
    find(kind).is_some_and(|kind| kind.create_on_update)
}

#[cfg(test)]
mod tests;
