//! PersistentVolumeClaim.

use serde_json::{Map, Value, json};

use super::check::{Check, POSITIVE, same};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{self, at, entry, set, set_default, text};
use crate::cluster::quantity::Quantity;

pub(super) const KINDS: &[Kind] = &[Kind {
    kind: "PersistentVolumeClaim",
    status: Status::Separate,
    always: &[(&["spec", "resources"], Blank::Object), (&["status"], Blank::Object)],
    defaults: |claim| {
        set_default(claim, &["status", "phase"], "Pending");
        set_default(claim, &["spec", "volumeMode"], "Filesystem");
        pair_sources(claim);
    },
    create: |claim| {
        set_default(claim, &["status", "phase"], "Pending");
        add_finalizer(claim, "kubernetes.io/pvc-protection");
    },
    validate: claim,
    warnings,
    ..Kind::NAMESPACED
}];

/// How volumes can be mounted.
pub(super) const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// What volumes can be to a pod.
pub(super) const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// Gives an object a finalizer that it does not have.
pub(super) fn add_finalizer(object: &mut Value, finalizer: &str) {
    let finalizers = entry(object, &["metadata", "finalizers"]);
    if !finalizers.is_array() {
        *finalizers = json!([]);
    }
    if let Some(finalizers) = finalizers.as_array_mut().filter(|list| !list.iter().any(|name| name == finalizer)) {
        finalizers.push(finalizer.into());
    }
}

/// Makes `dataSource` and `dataSourceRef` say the same when only one of them is there.
fn pair_sources(claim: &mut Value) {
    let source = |claim: &Value, member| at(claim, &["spec", member]).filter(|source| source.is_object()).cloned();
    match (source(claim, "dataSource"), source(claim, "dataSourceRef")) {
        (Some(source), None) => set(claim, &["spec", "dataSourceRef"], source),
        (None, Some(reference)) if text(&reference, &["namespace"]).is_empty() => {
            let kind = text(&reference, &["kind"]);
            let group = text(&reference, &["apiGroup"]);
            let known = [("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io")];
            if known.contains(&(kind, group)) {
                let mut reference = reference;
                object::remove(&mut reference, &["namespace"]);
                set(claim, &["spec", "dataSource"], reference);
            }
        }
        _ => {}
    }
}

/// Gives a claim that names no class the default one among the StorageClasses, newest first.
pub fn default_storage_class(claim: &mut Value, classes: &[Value]) {
    const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let named = at(claim, &["spec", "storageClassName"]).is_some_and(|class| !class.is_null());
    if named || at(claim, &["metadata", "annotations", OLD_CLASS]).is_some() {
        return;
    }
    if let Some(class) = super::storage::default_of(classes, "storageclass.kubernetes.io/is-default-class") {
        set(claim, &["spec", "storageClassName"], class);
    }
}

fn claim(check: &mut Check<'_>, new: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.whole_claim(new);
        check.changed_metadata(new, old);
        check.whole_claim(new);
        check.kept_claim(new, old);
    } else {
        check.whole_claim(new);
    }
}

impl Check<'_> {
    fn whole_claim(&mut self, claim: &Value) {
        self.new_metadata(claim);
        self.modes(claim, "at least 1 access mode is required");
        self.selector("spec.selector", at(claim, &["spec", "selector"]));
        const STORAGE: &str = "spec.resources[storage]";
        match at(claim, &["spec", "resources", "requests", "storage"]) {
            None => self.required(STORAGE, ""),
            Some(value) => {
                if let Some(amount) = Quantity::read(value).filter(|amount| !amount.sign().is_gt()) {
                    self.invalid(STORAGE, amount, POSITIVE);
                }
            }
        }
        for member in ["storageClassName", "volumeAttributesClassName"] {
            let class = text(claim, &["spec", member]);
            if !class.is_empty() {
                self.sentences(&format!("spec.{member}"), class, names::dns_subdomain(class));
            }
        }
        if let Some(mode) = at(claim, &["spec", "volumeMode"]).and_then(Value::as_str) {
            self.one_of("spec.volumeMode", mode, &VOLUME_MODES);
        }
        let source = at(claim, &["spec", "dataSource"]).filter(|source| !source.is_null());
        let reference = at(claim, &["spec", "dataSourceRef"]).filter(|source| !source.is_null());
        for (field, source) in [("spec.dataSource", source), ("spec.dataSourceRef", reference)] {
            if let Some(source) = source {
                self.data_source(field, source);
            }
        }
        if let (Some(source), Some(reference)) = (source, reference) {
            let far = !text(reference, &["namespace"]).is_empty();
            let equal = ["apiGroup", "kind", "name"].iter().all(|part| same(source.get(part), reference.get(part)));
            match (far, equal) {
                (true, _) => {
                    let hint = "may not be specified when dataSourceRef.namespace is specified";
                    self.invalid("spec", "spec.dataSource", hint);
                }
                (false, false) => self.invalid("spec", "spec.dataSource", "must match dataSourceRef"),
                (false, true) => {}
            }
        }
    }

    fn data_source(&mut self, field: &str, source: &Value) {
        for member in ["name", "kind"] {
            if text(source, &[member]).is_empty() {
                self.required(format!("{field}.{member}"), "");
            }
        }
        let (group, kind) = (text(source, &["apiGroup"]), text(source, &["kind"]));
        if group.is_empty() {
            if kind != "PersistentVolumeClaim" {
                let hint = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
                self.invalid(field, kind, hint);
            }
        } else {
            self.sentences(&format!("{field}.apiGroup"), group, names::dns_subdomain(group));
        }
        let namespace = text(source, &["namespace"]);
        if !namespace.is_empty() {
            self.sentences(&format!("{field}.namespace"), namespace, names::dns_label(namespace));
        }
    }

    /// All of the spec stays, but the size and the attributes of a bound claim.
    fn kept_claim(&mut self, new: &Value, old: &Value) {
        const SIZE: [&str; 4] = ["spec", "resources", "requests", "storage"];
        let spec = |claim: &Value| at(claim, &["spec"]).cloned().unwrap_or(Value::Object(Map::new()));
        let (mut after, mut before) = (spec(new), spec(old));
        let mut free = |member: &str| {
            for spec in [&mut after, &mut before] {
                object::remove(spec, &[member]);
            }
        };
        if text(old, &["spec", "volumeName"]).is_empty() {
            free("volumeName");
        }
        // a class may be named later, once
        if at(old, &["spec", "storageClassName"]).is_none() && !text(new, &["spec", "storageClassName"]).is_empty() {
            free("storageClassName");
        }
        if text(new, &["status", "phase"]) == "Bound" {
            free("volumeAttributesClassName");
            for spec in [&mut after, &mut before] {
                object::remove(spec, &SIZE[1..]);
            }
        }
        if !same(Some(&after), Some(&before)) {
            let what = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
            self.forbidden("spec", format!("{what}\n{}", difference(&before, &after)));
        }
        let amount = |claim, path: &[&str]| at(claim, path).and_then(Quantity::read).unwrap_or_default();
        if amount(new, &SIZE) < amount(old, &SIZE)
            && amount(new, &SIZE) <= amount(old, &["status", "capacity", "storage"])
        {
            self.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
        }
        self.immutable("volumeMode", new, old, &["spec", "volumeMode"]);
        self.kept_attributes_class(new, old);
    }
}

/// The members that differ, as lines with `-` and `+`.
fn difference(before: &Value, after: &Value) -> String {
    let names = [before, after].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) || same(before.get(name), after.get(name)) {
            continue;
        }
        seen.push(name);
        for (sign, value) in [('-', before.get(name)), ('+', after.get(name))] {
            lines.extend(value.map(|value| format!("{sign} \t{name}: {value},\n")));
        }
    }
    lines.concat()
}

fn warnings(claim: &Value, _: Option<&Value>, warnings: &mut Vec<String>) {
    let value = at(claim, &["spec", "resources", "requests", "storage"]);
    if let Some(amount) = value.and_then(Quantity::read).filter(|amount| !amount.is_whole()) {
        warnings.push(format!(
            "spec.resources.requests[storage]: fractional byte value \"{amount}\" is invalid, must be an integer"
        ));
    }
}
