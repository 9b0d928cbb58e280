//! Deleting: grace, finalizers, propagation, preconditions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::resource::Resource;
use super::status::{FieldError, Refusal};
use super::store::Stored;
use super::{Api, stamp};
use crate::cluster::object::{GroupKind, Key, entry, int, list, set, text};

/// What happens to the objects that a deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They follow later.
    Background,
    /// They go first.
    Foreground,
    /// They stay.
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// Seconds that a pod may take to stop.
    pub grace: Option<i64>,
    /// What becomes of the objects that it owns.
    pub propagation: Option<Propagation>,
    /// Only if it is this one.
    pub uid: Option<String>,
    /// Only if it is in this version.
    pub resource_version: Option<String>,
    /// Do nothing but say what would be done.
    pub dry_run: bool,
    /// `orphanDependents: false` was said, the old way.
    pub follows: bool,
}

impl DeleteOptions {
    /// The options that stand in the query of a request without a body.
    ///
    /// # Errors
    /// 400 and 422 for values that cannot be.
    pub fn of_query(query: &super::query::Query) -> Result<Self, Refusal> {
        let mut options = json!({});
        if let Some(grace) = query.int("gracePeriodSeconds")? {
            set(&mut options, &["gracePeriodSeconds"], grace);
        }
        if query.has("orphanDependents") {
            set(&mut options, &["orphanDependents"], query.flag("orphanDependents"));
        }
        if query.has("propagationPolicy") {
            set(&mut options, &["propagationPolicy"], query.get("propagationPolicy"));
        }
        set(&mut options, &["dryRun"], query.all("dryRun"));
        Self::of(&options)
    }

    /// Reads options.
    ///
    /// # Errors
    /// 422 for values that cannot be.
    pub fn of(body: &Value) -> Result<Self, Refusal> {
        let kind = GroupKind::new("meta.k8s.io", "DeleteOptions");
        let mut errors = Vec::new();
        let asked = body.get("propagationPolicy").and_then(Value::as_str);
        let orphans = body.get("orphanDependents").and_then(Value::as_bool);
        if let (Some(policy), Some(_)) = (asked, orphans) {
            let hint = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid("propagationPolicy", policy, hint));
        }
        let propagation = match (asked, orphans) {
            (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
            (Some("Foreground"), _) => Some(Propagation::Foreground),
            (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
            (None, None) => None,
            (Some(other), _) => {
                let supported = ["Foreground", "Background", "Orphan", "nil"];
                errors.push(FieldError::not_supported("propagationPolicy", other, &supported));
                None
            }
        };
        let dry_run: Vec<&str> = list(body, &["dryRun"]).iter().filter_map(Value::as_str).collect();
        if dry_run.iter().any(|value| *value != "All") {
            errors.push(FieldError::not_supported("dryRun", dry_run.clone(), &["All"]));
        }
        if !errors.is_empty() {
            return Err(Refusal::invalid(&kind, "", &errors));
        }
        let condition = |field| Some(text(body, &["preconditions", field]).to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            grace: int(body, &["gracePeriodSeconds"]),
            propagation,
            uid: condition("uid"),
            resource_version: condition("resourceVersion"),
            dry_run: !dry_run.is_empty(),
            follows: orphans == Some(false),
        })
    }
}

/// Whether the deletion of a kind is answered with the object that went, not with a word of success.
pub fn answers_itself(resource: &Resource) -> bool {
    matches!(
        &*resource.stored,
        "pods"
            | "namespaces"
            | "services"
            | "serviceaccounts"
            | "persistentvolumes"
            | "persistentvolumeclaims"
            | "podtemplates"
            | "resourcequotas"
            | "storageclasses.storage.k8s.io"
            | "volumeattachments.storage.k8s.io"
            | "csidrivers.storage.k8s.io"
            | "csinodes.storage.k8s.io"
            | "csistoragecapacities.storage.k8s.io"
            | "volumeattributesclasses.storage.k8s.io"
    )
}

/// What whoever deletes has to know.
pub fn warning(resource: &Resource, options: &DeleteOptions) -> Option<&'static str> {
    (&*resource.stored == "jobs.batch" && options.propagation.is_none()).then_some(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set \
         propagationPolicy=Orphan to suppress this warning",
    )
}

/// What became of an object that was to be deleted.
#[derive(Debug)]
pub struct Deleted {
    /// The object: its last version, or what it is like now.
    pub object: Arc<Stored>,
    /// Whether it is gone.
    pub gone: bool,
}

/// An object whose deletion has begun, that nothing holds any more and that needs no time to stop.
pub fn is_over(object: &Value) -> bool {
    !text(object, &["metadata", "deletionTimestamp"]).is_empty()
        && list(object, &["metadata", "finalizers"]).is_empty()
        && list(object, &["spec", "finalizers"]).is_empty()
        && int(object, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0) == 0
}

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
const PROTECTED: [&str; 3] = ["default", "kube-system", "kube-public"];

impl Api {
    /// Deletes an object, or begins to.
    ///
    /// # Errors
    /// 404, 409 of a precondition, 403 of a namespace that has to stay.
    pub fn delete(&self, resource: &Resource, key: &Key, options: &DeleteOptions) -> Result<Deleted, Refusal> {
        loop {
            let found = self.look(|store| store.get(&resource.stored, key).cloned());
            let Some(old) = found else {
                return Err(Refusal::not_found(&resource.group, &resource.plural, &key.name));
            };
            check_preconditions(resource, &old, options)?;
            if &*resource.stored == "namespaces" && PROTECTED.contains(&&*key.name) {
                return Err(Refusal::forbidden("", "namespaces", &key.name, "this namespace may not be deleted"));
            }
            let before = old.value();
            let after = self.marked(resource, &before, options);
            if is_over(&after) && !held(resource, &after) {
                if options.dry_run {
                    return Ok(Deleted { object: old, gone: true });
                }
                let gone = self.commit(|store| {
                    let newest = store.get(&resource.stored, key);
                    let same = newest.is_some_and(|newest| newest.revision == old.revision);
                    Ok(same.then(|| store.delete(&resource.stored, key)).flatten())
                })?;
                if let Some(object) = gone {
                    return Ok(Deleted { object, gone: true });
                }
                continue;
            }
            if options.dry_run || after == before {
                let object = Arc::new(Stored::preview(resource.stored.clone(), &after, old.revision));
                return Ok(Deleted { object, gone: false });
            }
            let marked = self.commit(|store| {
                let newest = store.get(&resource.stored, key);
                let same = newest.is_some_and(|newest| newest.revision == old.revision);
                Ok(same.then(|| store.put(&resource.stored, after)))
            })?;
            if let Some(object) = marked {
                return Ok(Deleted { object, gone: false });
            }
        }
    }

    /// The object with the marks of its deletion.
    fn marked(&self, resource: &Resource, before: &Value, options: &DeleteOptions) -> Value {
        let mut object = before.clone();
        let grace = grace(resource, before, options);
        let begun = !text(before, &["metadata", "deletionTimestamp"]).is_empty();
        let shorter = int(before, &["metadata", "deletionGracePeriodSeconds"]).is_none_or(|running| grace < running);
        if !begun || shorter {
            let wait = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
            let until = self.now().checked_add(wait).unwrap_or(jiff::Timestamp::MAX);
            let metadata = entry(&mut object, &["metadata"]);
            if !begun || grace > 0 {
                set(metadata, &["deletionTimestamp"], stamp(until));
            }
            set(metadata, &["deletionGracePeriodSeconds"], grace);
            let counted = int(metadata, &["generation"]);
            if let Some(generation) = counted.filter(|_| !begun && (grace > 0 || held(resource, &object))) {
                set(&mut object, &["metadata", "generation"], generation + 1);
            }
        }
        if !begun {
            self.mark_propagation(resource, &mut object, options);
        }
        if &*resource.stored == "namespaces" {
            set(&mut object, &["status", "phase"], "Terminating");
        }
        object
    }

    fn mark_propagation(&self, resource: &Resource, object: &mut Value, options: &DeleteOptions) {
        let finalizer = match options.propagation {
            Some(Propagation::Foreground) => FOREGROUND,
            Some(Propagation::Orphan) => ORPHAN,
            None if orphans_by_default(resource) => ORPHAN,
            _ => return,
        };
        let finalizers = entry(object, &["metadata", "finalizers"]);
        match finalizers {
            Value::Array(finalizers) if finalizers.iter().any(|there| there == finalizer) => {}
            Value::Array(finalizers) => finalizers.push(finalizer.into()),
            other => *other = json!([finalizer]),
        }
    }
}

/// Whether something has to be done before the object may go.
fn held(resource: &Resource, object: &Value) -> bool {
    !list(object, &["metadata", "finalizers"]).is_empty()
        || &*resource.stored == "namespaces" && !list(object, &["spec", "finalizers"]).is_empty()
}

fn grace(resource: &Resource, object: &Value, options: &DeleteOptions) -> i64 {
    if &*resource.stored != "pods" {
        return 0;
    }
    let unbound = text(object, &["spec", "nodeName"]).is_empty();
    let ended = matches!(text(object, &["status", "phase"]), "Succeeded" | "Failed");
    let own = int(object, &["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
    let asked = options.grace.unwrap_or(own);
    if unbound || ended {
        0
    } else if asked < 0 {
        1
    } else {
        asked
    }
}

/// Jobs and replication controllers keep their pods unless told otherwise: an old promise.
fn orphans_by_default(resource: &Resource) -> bool {
    matches!(&*resource.stored, "jobs.batch" | "replicationcontrollers")
}

fn check_preconditions(resource: &Resource, old: &Stored, options: &DeleteOptions) -> Result<(), Refusal> {
    let kind = &resource.kind;
    if let Some(uid) = options.uid.as_ref().filter(|uid| **uid != *old.uid) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted \
             and then recreated",
            old.uid
        );
        return Err(Refusal::conflict(&kind.group, &kind.kind, &old.key.name, &why));
    }
    let version = old.revision.to_string();
    if let Some(asked) = options.resource_version.as_ref().filter(|asked| **asked != version) {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({version}). The \
             object might have been modified"
        );
        return Err(Refusal::conflict(&kind.group, &kind.kind, &old.key.name, &why));
    }
    Ok(())
}
