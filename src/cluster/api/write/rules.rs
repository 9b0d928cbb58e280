//! What its kind asks of an object: defaults, checks, generations.

use serde_json::Value;

use super::identity::{order_metadata, random_number};
use super::{Part, Patch};
use crate::cluster::api::resource::Resource;
use crate::cluster::api::status::Refusal;
use crate::cluster::api::{Api, admission, body, crd, patch, schema};
use crate::cluster::object::{GroupKind, Map, set, text};

impl Api {
    pub(super) fn bump_generation(&self, kind: &GroupKind, resource: &Resource, object: &mut Value, before: &Value) {
        let bump = if resource.custom.is_some() {
            generation_of_custom(resource, object, before)
        } else {
            admission::generation_changes(kind, object, before)
        };
        if bump {
            let generation = crate::cluster::object::int(before, &["metadata", "generation"]).unwrap_or(0);
            set(object, &["metadata", "generation"], generation + 1);
        }
    }

    pub(super) fn allocate(&self, kind: &GroupKind, object: &mut Value, old: Option<&Value>) -> Result<(), Refusal> {
        if kind.pair() != ("", "Service") {
            return Ok(());
        }
        let random = random_number()?;
        let name = text(object, &["metadata", "name"]).to_owned();
        self.look(|store| admission::allocate_service(store, object, old, random))
            .map_err(|errors| Refusal::invalid(kind, &name, &errors))
    }
}

/// The kind that an object has in the store: events of both groups are core events.
pub(super) fn stored_kind(resource: &Resource) -> GroupKind {
    if &*resource.stored == "events" { GroupKind::new("", "Event") } else { resource.kind.clone() }
}

pub(super) fn keeps_status(kind: &GroupKind) -> bool {
    matches!(kind.pair(), ("", "Node" | "Namespace" | "PersistentVolume"))
}

pub(super) fn defaults(resource: &Resource, kind: &GroupKind, object: &mut Value) {
    match (&resource.custom, &resource.shape) {
        (Some(_), Some(shape)) => schema::defaults::fill(shape, object),
        _ => admission::defaults(kind, object),
    }
}

/// Brings an object into the form that is stored: with what Go always writes, metadata in order.
pub(super) fn complete(resource: &Resource, object: &mut Value) {
    if let (None, Some(shape)) = (&resource.custom, &resource.stored_shape) {
        schema::defaults::complete(shape, object);
    }
    order_metadata(object);
}

pub(super) fn check(resource: &Resource, kind: &GroupKind, object: &Value, old: Option<&Value>) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    match &resource.custom {
        Some(version) => {
            admission::validate_metadata(object, old, resource.namespaced, &mut errors);
            errors.extend(crd::validate_object(version, object, old));
        }
        None => admission::validate(kind, object, old, &mut errors),
    }
    if errors.is_empty() {
        return Ok(());
    }
    let name = match text(object, &["metadata", "name"]) {
        "" => text(object, &["metadata", "generateName"]),
        name => name,
    };
    Err(Refusal::invalid(kind, name, &errors))
}

/// Validates what a write may have changed. A status is taken as controllers write it, but for custom resources.
pub(super) fn check_part(
    resource: &Resource,
    kind: &GroupKind,
    part: Part,
    object: &Value,
    before: &Value,
) -> Result<(), Refusal> {
    match part {
        Part::Main => check(resource, kind, object, Some(before)),
        Part::Status if resource.custom.is_some() => check(resource, kind, object, Some(before)),
        _ => Ok(()),
    }
}

/// Any change outside metadata and, with a status subresource, outside the status.
pub(super) fn generation_of_custom(resource: &Resource, object: &Value, before: &Value) -> bool {
    let counted = |value: &Value| -> Map {
        let members = value.as_object().into_iter().flatten();
        let members = members.filter(|(name, _)| *name != "metadata" && !(resource.has_status() && *name == "status"));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    counted(object) != counted(before)
}

/// An apply says what it is.
pub(super) fn check_applied(resource: &Resource, applied: &Value) -> Result<(), Refusal> {
    let (version, kind) = (text(applied, &["apiVersion"]), text(applied, &["kind"]));
    if version == resource.api_version && kind == &*resource.kind.kind {
        return Ok(());
    }
    let slash = if version.contains('/') { "" } else { "/" };
    Err(Refusal::bad_request(format!("invalid object type: {slash}{version}, Kind={kind}")))
}

/// The refusal of a patch whose outcome does not fit the kind.
pub(super) fn undecodable(
    misfit: body::Misfit,
    resource: &Resource,
    shape: &schema::Struct,
    patch: &Patch,
    current: &Value,
    patched: &Value,
) -> Refusal {
    let why = match misfit {
        body::Misfit::Kind(kind) if resource.custom.is_some() || matches!(patch, Patch::Apply(_)) => return kind.0,
        body::Misfit::Kind(kind) => kind.1,
        body::Misfit::Type(why) => why,
        body::Misfit::Unknown(found) => schema::decode::strict(&found),
    };
    match patch {
        Patch::Strategic(patch) => patch::undecodable_strategic(shape, current, patch, &why),
        Patch::Apply(_) => body::Misfit::Type(why).refusal(resource),
        Patch::Json(_) | Patch::Merge(_) => patch::undecodable(patched, &why),
    }
}
