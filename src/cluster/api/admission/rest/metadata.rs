//! Validation of `metadata`, the same for all kinds.

use serde_json::{Value, json};

use super::check::{Check, IMMUTABLE, NOT_NEGATIVE, entries, same, texts};
use crate::cluster::api::admission::names;
use crate::cluster::object::{Map, at, flag, int, list, map, text};

/// Bytes that all annotations together may have.
const ANNOTATION_BYTES: usize = 256 << 10;
/// Finalizers that need no domain.
const FINALIZERS: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];

impl Check<'_> {
    /// Checks the metadata of a new or a changed object.
    pub(super) fn metadata(&mut self, new: &Value, old: Option<&Value>) {
        match old {
            None => self.new_metadata(new),
            Some(old) => self.changed_metadata(new, old),
        }
    }

    /// Checks the metadata of an object as such.
    pub(super) fn new_metadata(&mut self, object: &Value) {
        let rule = self.kind.names;
        self.new_metadata_named(object, rule);
    }

    /// The same with a rule for names of its own.
    pub(super) fn new_metadata_named(&mut self, object: &Value, rule: names::NameRule) {
        let prefix = text(object, &["metadata", "generateName"]);
        if !prefix.is_empty() {
            self.sentences("metadata.generateName", prefix, rule(prefix, true));
        }
        let name = text(object, &["metadata", "name"]);
        if name.is_empty() {
            self.required("metadata.name", "name or generateName is required");
        } else {
            self.sentences("metadata.name", name, rule(name, false));
        }
        let namespace = text(object, &["metadata", "namespace"]);
        match (self.kind.namespaced, namespace.is_empty()) {
            (true, true) => self.required("metadata.namespace", ""),
            (true, false) => self.sentences("metadata.namespace", namespace, names::dns_label(namespace)),
            (false, false) => self.forbidden("metadata.namespace", "not allowed on this type"),
            (false, true) => {}
        }
        if let Some(generation) = int(object, &["metadata", "generation"]).filter(|generation| *generation < 0) {
            self.invalid("metadata.generation", generation, NOT_NEGATIVE);
        }
        self.marks(object);
        self.finalizers(object);
        self.plain_finalizers(object);
    }

    /// Checks what changed in the metadata.
    pub(super) fn changed_metadata(&mut self, new: &Value, old: &Value) {
        if at(old, &["metadata", "deletionTimestamp"]).is_some() {
            self.no_new_finalizers(new, old);
        }
        let generation = |object| int(object, &["metadata", "generation"]).unwrap_or(0);
        if at(new, &["metadata", "generation"]).is_some() && generation(new) < generation(old) {
            self.invalid("metadata.generation", generation(new), "must not be decremented");
        }
        let kept = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];
        for member in kept {
            let (there, before) = (at(new, &["metadata", member]), at(old, &["metadata", member]));
            // what a client leaves out, the server fills in
            if there.is_some_and(|value| !value.is_null()) && !same(there, before) {
                self.invalid(format!("metadata.{member}"), there.cloned().unwrap_or_default(), IMMUTABLE);
            }
        }
        self.marks(new);
        self.plain_finalizers(new);
    }

    /// Labels, annotations and owners.
    fn marks(&mut self, object: &Value) {
        self.labels("metadata.labels", map(object, &["metadata", "labels"]));
        let mut bytes = 0;
        for (key, value) in entries(map(object, &["metadata", "annotations"])) {
            let rule = |key: &str| match key.bytes().any(|byte| byte.is_ascii_uppercase()) {
                true => names::qualified_name(&key.to_lowercase()),
                false => names::qualified_name(key),
            };
            self.sentences("metadata.annotations", key, rule(key));
            bytes += key.len() + value.len();
        }
        if bytes > ANNOTATION_BYTES {
            self.too_long("metadata.annotations", ANNOTATION_BYTES);
        }
        self.owners(list(object, &["metadata", "ownerReferences"]));
    }

    /// A map of labels.
    pub(super) fn labels(&mut self, field: &str, labels: Option<&Map>) {
        for (key, value) in entries(labels) {
            self.sentences(field, key, names::qualified_name(key));
            self.sentences(field, value, names::label_value(value));
        }
    }

    fn owners(&mut self, owners: &[Value]) {
        const FIELD: &str = "metadata.ownerReferences";
        let mut controller: Option<String> = None;
        for owner in owners {
            let (version, kind) = (text(owner, &["apiVersion"]), text(owner, &["kind"]));
            for (member, hint) in [
                ("apiVersion", "version must not be empty"),
                ("kind", "must not be empty"),
                ("name", "must not be empty"),
                ("uid", "must not be empty"),
            ] {
                if text(owner, &[member]).is_empty() {
                    self.invalid(format!("{FIELD}.{member}"), "", hint);
                }
            }
            if (version, kind) == ("v1", "Event") {
                self.invalid(FIELD, owner.clone(), "/v1, Kind=Event is disallowed from being an owner");
            }
            if flag(owner, &["controller"]) {
                let here = format!("{kind}/{}", text(owner, &["name"]));
                match &controller {
                    Some(first) => {
                        let found = format!("Found \"true\" in references for {first} and {here}");
                        let hint = format!("Only one reference can have Controller set to true. {found}");
                        self.invalid(FIELD, owners.to_vec(), hint);
                    }
                    None => controller = Some(here),
                }
            }
        }
    }

    fn finalizers(&mut self, object: &Value) {
        const FIELD: &str = "metadata.finalizers";
        let path = ["metadata", "finalizers"];
        for finalizer in texts(object, &path) {
            self.sentences(FIELD, finalizer, names::qualified_name(finalizer));
        }
        let has = |name| texts(object, &path).any(|finalizer| finalizer == name);
        if has("orphan") && has("foregroundDeletion") {
            let hint = "finalizer orphan and foregroundDeletion cannot be both set";
            self.invalid(FIELD, at(object, &path).cloned().unwrap_or_default(), hint);
        }
    }

    /// Finalizers without a domain have to be Kubernetes' own.
    fn plain_finalizers(&mut self, object: &Value) {
        for (index, finalizer) in texts(object, &["metadata", "finalizers"]).enumerate() {
            self.plain_finalizer(&format!("metadata.finalizers[{index}]"), finalizer);
        }
    }

    /// The same of one.
    pub(super) fn plain_finalizer(&mut self, field: &str, finalizer: &str) {
        if !finalizer.contains('/') && !FINALIZERS.contains(&finalizer) {
            let hint = "name is neither a standard finalizer name nor is it fully qualified";
            self.invalid(field, finalizer, hint);
        }
    }

    fn no_new_finalizers(&mut self, new: &Value, old: &Value) {
        let path = ["metadata", "finalizers"];
        let mut added: Vec<&str> =
            texts(new, &path).filter(|name| !texts(old, &path).any(|before| before == *name)).collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            // as Go prints a list of strings with %#v
            let shown: Vec<_> = added.iter().map(|name| json!(name).to_string()).collect();
            let hint = "no new finalizers can be added if the object is being deleted, found new finalizers []string";
            self.forbidden("metadata.finalizers", format!("{hint}{{{}}}", shown.join(", ")));
        }
    }

    /// A label selector.
    pub(super) fn selector(&mut self, field: &str, selector: Option<&Value>) {
        let Some(selector) = selector.filter(|selector| !selector.is_null()) else { return };
        self.labels(&format!("{field}.matchLabels"), map(selector, &["matchLabels"]));
        for (index, requirement) in list(selector, &["matchExpressions"]).iter().enumerate() {
            self.requirement(&format!("{field}.matchExpressions[{index}]"), requirement);
        }
    }

    fn requirement(&mut self, field: &str, requirement: &Value) {
        let values = list(requirement, &["values"]);
        match text(requirement, &["operator"]) {
            "In" | "NotIn" if values.is_empty() => {
                let hint = "must be specified when `operator` is 'In' or 'NotIn'";
                self.required(format!("{field}.values"), hint);
            }
            "In" | "NotIn" => {}
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    let hint = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    self.forbidden(format!("{field}.values"), hint);
                }
            }
            other => self.invalid(format!("{field}.operator"), other, "not a valid selector operator"),
        }
        let key = text(requirement, &["key"]);
        self.sentences(&format!("{field}.key"), key, names::qualified_name(key));
        for (index, value) in values.iter().filter_map(Value::as_str).enumerate() {
            self.sentences(&format!("{field}.values[{index}]"), value, names::label_value(value));
        }
    }
}
