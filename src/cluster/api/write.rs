//! Create, update and patch: the way of an object into the store.
//!
//! The order is the real server's: decode and default, note who owns which field, admit, validate, store. A write is
//! computed from the version that was read and stored only if that is still the newest; otherwise it is computed again.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::admission::{self, Facts};
use super::ownership::{self, Manager};
use super::query::{Unknown, WriteOptions};
use super::resource::Resource;
use super::status::{FieldError, Refusal};
use super::store::{ResourceName, Store, Stored};
use super::{Api, access::User, body, crd, deletion, owners, patch, schema, stamp};
use crate::cluster::object::{GroupKind, Key, Map, at, entry, list, remove, set, set_default, text};

/// How often a write is computed again when others write in between.
pub(super) const ATTEMPTS: usize = 8;

/// A write that was done, or would have been.
#[derive(Debug)]
pub struct Written {
    /// The object as it is now.
    pub object: Arc<Stored>,
    /// Whether it is new.
    pub created: bool,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}

/// Who writes, and how.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Who.
    pub user: &'a User,
    /// How.
    pub options: &'a WriteOptions,
}

/// A patch and its kind.
#[derive(Debug, Clone)]
pub enum Patch {
    /// RFC 6902.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' own.
    Strategic(Value),
    /// Server-side apply: the applied object.
    Apply(Value),
}

/// Which part of an object a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object, without its status where that is a part of its own.
    Main,
    /// Its status.
    Status,
    /// Another subresource that takes the whole object: `finalize`, `approval`, `resize`, `ephemeralcontainers`.
    Other(&'static str),
}

impl Part {
    /// The subresource as managed fields name it.
    fn subresource(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Other(name) => name,
        }
    }
}

impl Api {
    /// Makes an object. `object` is decoded and in the stored version.
    ///
    /// # Errors
    /// As the real server refuses.
    pub fn create(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        namespace: &str,
        object: Value,
    ) -> Result<Written, Refusal> {
        let mut object = object;
        place(resource, namespace, &mut object)?;
        if !text(&object, &["metadata", "resourceVersion"]).is_empty() {
            return Err(Refusal::new(500, "", "resourceVersion should not be set on objects to be created"));
        }
        self.check_namespace(resource, &object)?;
        let generated = text(&object, &["metadata", "name"]).is_empty();
        for attempt in 0..ATTEMPTS {
            let mut candidate = object.clone();
            let mut warnings = Vec::new();
            self.prepare_create(call, resource, &mut candidate, &mut warnings)?;
            match self.store_new(call, resource, candidate) {
                Ok(stored) => return Ok(Written { object: stored, created: true, warnings }),
                Err(refusal) if generated && refusal.reason == "AlreadyExists" && attempt + 1 < ATTEMPTS => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Err(Refusal::internal("no free name was found"))
    }

    /// Puts an object of the server's own in, as it is: what a cluster has from the start, events.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn install(&self, resource: &ResourceName, mut object: Value) -> Result<(), Refusal> {
        let now = stamp(self.now());
        for (field, value) in [("uid", random_uid().unwrap_or_default()), ("creationTimestamp", now)] {
            set_default(&mut object, &["metadata", field], value);
        }
        order_metadata(&mut object);
        self.commit(|store| {
            let gone = store
                .get("namespaces", &Key::new("", text(&object, &["metadata", "namespace"])))
                .is_none_or(|namespace| namespace.deleting && &**resource != "events");
            // An event of a namespace that has just gone has nowhere to be.
            if &**resource != "events" || !gone {
                store.put(resource, object);
            }
            Ok(())
        })
    }

    /// Changes an object of the server's own, if it is still there.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn amend(&self, resource: &ResourceName, key: &Key, change: impl FnOnce(&mut Value)) -> Result<(), Refusal> {
        self.commit(|store| {
            if let Some(object) = store.get(resource, key) {
                let mut object = object.value();
                change(&mut object);
                store.put(resource, object);
            }
            Ok(())
        })
    }

    fn prepare_create(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        object: &mut Value,
        warnings: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let now = stamp(self.now());
        warnings.extend(owners::dedup(object, false));
        let generate = text(object, &["metadata", "generateName"]).to_owned();
        if text(object, &["metadata", "name"]).is_empty() && !generate.is_empty() {
            let base: String = generate.chars().take(63 - 5).collect();
            set(object, &["metadata", "name"], format!("{base}{}", random_suffix()?));
        }
        let metadata = entry(object, &["metadata"]);
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"] {
            remove(metadata, &[field]);
        }
        set(metadata, &["uid"], random_uid()?);
        set(metadata, &["creationTimestamp"], now.as_str());
        let kind = stored_kind(resource);
        if admission::has_generation(&kind) || resource.custom.is_some() {
            set(metadata, &["generation"], 1);
        }
        if resource.has_status() && !keeps_status(&kind) {
            remove(object, &["status"]);
        }
        defaults(resource, &kind, object);
        if let Some(shape) = &resource.stored_shape {
            let manager = manager(call, resource, Part::Main);
            ownership::update(shape, None, object, &manager, &now);
        }
        self.allocate(&kind, object, None)?;
        let random = random_suffix()?;
        let facts = self.look(|store| Facts::gather(store, &kind, object, random));
        admission::before_create(&kind, resource, object, &facts)?;
        check(resource, &kind, object, None)?;
        complete(resource, object);
        warnings.extend(admission::warnings(&kind, object, None));
        Ok(())
    }

    fn store_new(&self, call: &Call<'_>, resource: &Resource, object: Value) -> Result<Arc<Stored>, Refusal> {
        let key = Key::of(&object);
        let taken = |store: &Store| match store.get(&resource.stored, &key) {
            Some(_) => Err(Refusal::already_exists(&resource.group, &resource.plural, &key.name)),
            None => Ok(()),
        };
        if call.options.dry_run {
            self.look(|store| {
                admission::quota_allows(store, resource, &object, None)?;
                taken(store)
            })?;
            return Ok(Arc::new(Stored::preview(resource.stored.clone(), &object, 0)));
        }
        self.commit(|store| {
            self.check_room(store, resource, &key)?;
            // Quotas are charged before the name is tried, and keep the charge until they are counted again.
            for quota in admission::quota_allows(store, resource, &object, None)? {
                store.put(&"resourcequotas".into(), quota);
            }
            Ok(taken(store).map(|()| store.put(&resource.stored, object)))
        })?
    }

    /// A cluster is no database: it refuses what would fill the machine.
    fn check_room(&self, store: &Store, resource: &Resource, key: &Key) -> Result<(), Refusal> {
        let (objects, bytes) = store.size();
        if objects < self.limits.objects && bytes < self.limits.bytes {
            return Ok(());
        }
        let why = format!(
            "this cluster is full: it holds {objects} objects of {} and {bytes} bytes of {}; delete some",
            self.limits.objects, self.limits.bytes
        );
        Err(Refusal::forbidden(&resource.group, &resource.plural, &key.name, &why))
    }

    /// Replaces an object, or a part of it. `object` is decoded and in the stored version.
    ///
    /// # Errors
    /// As the real server refuses.
    pub fn update(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        key: &Key,
        part: Part,
        object: Value,
    ) -> Result<Written, Refusal> {
        let mut object = object;
        place(resource, &key.namespace, &mut object)?;
        check_name(&object, key)?;
        let kind = stored_kind(resource);
        for _ in 0..ATTEMPTS {
            let Some(old) = self.look(|store| store.get(&resource.stored, key).cloned()) else {
                if part == Part::Main && admission::rest::allows_create_on_update(&kind) {
                    set(&mut object, &["metadata", "name"], &*key.name);
                    return self.create(call, resource, &key.namespace, object);
                }
                return Err(Refusal::not_found(&resource.group, &resource.plural, &key.name));
            };
            let uid = text(&object, &["metadata", "uid"]);
            if !uid.is_empty() && uid != &*old.uid {
                return Err(other_uid(resource, key, uid, &old.uid));
            }
            if let Some(written) = self.replace(call, resource, &kind, part, &old, object.clone(), Vec::new())? {
                return Ok(written);
            }
        }
        Err(Refusal::modified(&resource.group, &resource.plural, &key.name))
    }

    /// Patches an object, or a part of it; `findings` are those of a strict reading of the patch.
    ///
    /// # Errors
    /// As the real server refuses.
    pub fn patch(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        key: &Key,
        part: Part,
        patch: &Patch,
        findings: &[String],
    ) -> Result<Written, Refusal> {
        let kind = stored_kind(resource);
        if let Patch::Apply(applied) = patch {
            check_applied(resource, applied)?;
        }
        for _ in 0..ATTEMPTS {
            let old = self.look(|store| store.get(&resource.stored, key).cloned());
            let (Some(old), Some(shape)) = (old, &resource.shape) else {
                return match (patch, &resource.shape) {
                    (Patch::Apply(applied), Some(shape)) if part == Part::Main => {
                        self.apply_new(call, resource, shape, key, applied)
                    }
                    (_, None) => Err(body::unsupported("application/json-patch+json, application/merge-patch+json")),
                    _ => Err(Refusal::not_found(&resource.group, &resource.plural, &key.name)),
                };
            };
            let mut current = old.value();
            body::from_stored(resource, &mut current);
            let (patched, how) = self.patched(call, resource, shape, part, patch, &current)?;
            let unknown = if how == Replacing::Applied { Unknown::Ignore } else { call.options.unknown };
            let shown = if matches!(patch, Patch::Strategic(_)) { Value::Null } else { patched.clone() };
            let decoded = match patch {
                Patch::Strategic(_) => body::restore(resource, patched, findings.to_vec(), unknown),
                _ => body::conform(resource, patched, findings.to_vec(), unknown),
            };
            let mut decoded =
                decoded.map_err(|misfit| undecodable(misfit, resource, shape, patch, &current, &shown))?;
            body::to_stored(resource, &mut decoded.object);
            let mut object = decoded.object;
            place(resource, &key.namespace, &mut object)?;
            check_name(&object, key)?;
            let uid = text(&object, &["metadata", "uid"]);
            if !uid.is_empty() && uid != &*old.uid {
                let error = FieldError::invalid("metadata.uid", uid, "field is immutable");
                return Err(Refusal::invalid(&kind, &key.name, &[error]));
            }
            let call = Replaced { call, resource, kind: &kind, part, how };
            if let Some(written) = self.replace_with(&call, &old, object, decoded.warnings)? {
                return Ok(written);
            }
        }
        Err(Refusal::modified(&resource.group, &resource.plural, &key.name))
    }

    /// What a patch makes of an object, in the version of the request.
    fn patched(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        shape: &schema::Struct,
        part: Part,
        patch: &Patch,
        current: &Value,
    ) -> Result<(Value, Replacing), Refusal> {
        Ok(match patch {
            Patch::Json(patch) => (patch::json(current, patch)?, Replacing::Patched),
            Patch::Merge(patch) => (patch::merge(current, patch)?, Replacing::Patched),
            Patch::Strategic(patch) => (patch::strategic(shape, current, patch)?, Replacing::Patched),
            Patch::Apply(applied) => {
                let (manager, force) = (manager(call, resource, part), call.options.force.unwrap_or(false));
                let now = stamp(self.now());
                (ownership::apply(shape, Some(current), applied, &manager, force, &now)?, Replacing::Applied)
            }
        })
    }

    /// An apply of an object that is not there yet.
    fn apply_new(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        shape: &schema::Struct,
        key: &Key,
        applied: &Value,
    ) -> Result<Written, Refusal> {
        let uid = text(applied, &["metadata", "uid"]);
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(&resource.group, &resource.plural, &key.name, &why));
        }
        let now = stamp(self.now());
        let manager = manager(call, resource, Part::Main);
        let mut object = ownership::apply(shape, None, applied, &manager, call.options.force.unwrap_or(false), &now)?;
        remove(&mut object, &["metadata", "resourceVersion"]);
        let decoded = body::conform(resource, object, Vec::new(), Unknown::Ignore);
        let mut object = decoded.map_err(|misfit| misfit.refusal(resource))?.object;
        body::to_stored(resource, &mut object);
        check_name(&object, key)?;
        place(resource, &key.namespace, &mut object)?;
        self.check_namespace(resource, &object)?;
        let managed = remove(&mut object, &["metadata", "managedFields"]);
        let mut warnings = Vec::new();
        self.prepare_create(call, resource, &mut object, &mut warnings)?;
        if let Some(managed) = managed {
            set(&mut object, &["metadata", "managedFields"], managed);
        }
        let object = self.store_new(call, resource, object)?;
        Ok(Written { object, created: true, warnings })
    }

    #[expect(clippy::too_many_arguments, reason = "one call, two callers")]
    fn replace(
        &self,
        call: &Call<'_>,
        resource: &Resource,
        kind: &GroupKind,
        part: Part,
        old: &Arc<Stored>,
        object: Value,
        warnings: Vec<String>,
    ) -> Result<Option<Written>, Refusal> {
        let replaced = Replaced { call, resource, kind, part, how: Replacing::Put };
        self.replace_with(&replaced, old, object, warnings)
    }

    /// Brings a new version of an object into the store; `None` when somebody else wrote in between.
    fn replace_with(
        &self,
        replaced: &Replaced<'_>,
        old: &Arc<Stored>,
        mut object: Value,
        mut warnings: Vec<String>,
    ) -> Result<Option<Written>, Refusal> {
        let Replaced { call, resource, kind, part, how } = *replaced;
        let before = old.value();
        self.check_version(replaced, old, &object)?;
        check_deletion(kind, &object, &before)?;
        keep_server_fields(&mut object, &before);
        keep_other_parts(kind, resource, part, &mut object, &before);
        warnings.extend(owners::dedup(&mut object, how != Replacing::Put));
        defaults(resource, kind, &mut object);
        if part == Part::Main {
            self.allocate(kind, &mut object, Some(&before))?;
            admission::before_update(kind, &mut object, &before);
        }
        let now = stamp(self.now());
        if how != Replacing::Applied
            && let Some(shape) = &resource.stored_shape
        {
            let manager = manager(call, resource, part);
            ownership::update(shape, Some(&before), &mut object, &manager, &now);
        }
        // To be put on a node is no change of what was asked for.
        if !matches!(part, Part::Status | Part::Other("binding")) {
            self.bump_generation(kind, resource, &mut object, &before);
        }
        check_finalizers(resource, &object, &before)?;
        check_part(resource, kind, part, &object, &before)?;
        complete(resource, &mut object);
        warnings.extend(admission::warnings(kind, &object, Some(&before)));
        ownership::settle(&before, &mut object);
        if object == before {
            return Ok(Some(Written { object: old.clone(), created: false, warnings }));
        }
        if call.options.dry_run {
            let object = Arc::new(Stored::preview(resource.stored.clone(), &object, old.revision));
            return Ok(Some(Written { object, created: false, warnings }));
        }
        let gone = deletion::is_over(&object);
        let stored = self.commit(|store| {
            let unchanged = store.get(&resource.stored, &old.key).is_some_and(|newest| newest.revision == old.revision);
            if !unchanged {
                return Ok(None);
            }
            for quota in admission::quota_allows(store, resource, &object, Some(&before))? {
                store.put(&"resourcequotas".into(), quota);
            }
            if gone {
                // The last finalizer went: what is answered and told is the object as it was left.
                return Ok(store.delete_as(&resource.stored, &old.key, object));
            }
            Ok(Some(store.put(&resource.stored, object)))
        })?;
        Ok(stored.map(|object| Written { object, created: false, warnings }))
    }

    fn check_version(&self, replaced: &Replaced<'_>, old: &Stored, object: &Value) -> Result<(), Refusal> {
        let Replaced { resource, kind, how, part, .. } = *replaced;
        let sent = text(object, &["metadata", "resourceVersion"]);
        if matches!(sent, "" | "0") {
            let needed = match part {
                Part::Main => resource.custom.is_some() || admission::rest::needs_resource_version(kind),
                Part::Status => resource.custom.is_some(),
                Part::Other(_) => false,
            };
            if how == Replacing::Put && needed {
                return Err(admission::rest::version_missing(kind, &resource.plural, &old.key.name));
            }
            return Ok(());
        }
        let Ok(revision) = sent.parse::<u64>() else {
            let why = format!("strconv.ParseUint: parsing \"{sent}\": invalid syntax");
            if how == Replacing::Put {
                return Err(Refusal::new(500, "", why));
            }
            let error = FieldError::invalid("metadata.resourceVersion", sent, why);
            return Err(Refusal::invalid(kind, &old.key.name, &[error]));
        };
        if revision == old.revision {
            return Ok(());
        }
        Err(Refusal::modified(&resource.group, &resource.plural, &old.key.name))
    }

    fn bump_generation(&self, kind: &GroupKind, resource: &Resource, object: &mut Value, before: &Value) {
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

    fn check_namespace(&self, resource: &Resource, object: &Value) -> Result<(), Refusal> {
        let namespace = text(object, &["metadata", "namespace"]);
        if !resource.namespaced {
            return Ok(());
        }
        let there = self.look(|store| store.get("namespaces", &Key::new("", namespace)).map(|found| found.deleting));
        match there {
            None => Err(Refusal::not_found("", "namespaces", namespace)),
            Some(true) => {
                let name = text(object, &["metadata", "name"]);
                let why =
                    format!("unable to create new content in namespace {namespace} because it is being terminated");
                let mut refusal = Refusal::forbidden(&resource.group, &resource.plural, name, &why);
                if let Some(details) = &mut refusal.details {
                    details.causes.push(super::status::Cause {
                        reason: "NamespaceTerminating",
                        message: format!("namespace {namespace} is being terminated"),
                        field: "metadata.namespace".to_owned(),
                    });
                }
                Err(refusal)
            }
            Some(false) => Ok(()),
        }
    }

    fn allocate(&self, kind: &GroupKind, object: &mut Value, old: Option<&Value>) -> Result<(), Refusal> {
        if kind.pair() != ("", "Service") {
            return Ok(());
        }
        let random = random_number()?;
        let name = text(object, &["metadata", "name"]).to_owned();
        self.look(|store| admission::allocate_service(store, object, old, random))
            .map_err(|errors| Refusal::invalid(kind, &name, &errors))
    }
}

/// How a new version came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replacing {
    Put,
    Patched,
    Applied,
}

#[derive(Debug, Clone, Copy)]
struct Replaced<'a> {
    call: &'a Call<'a>,
    resource: &'a Resource,
    kind: &'a GroupKind,
    part: Part,
    how: Replacing,
}

/// The kind that an object has in the store: events of both groups are core events.
fn stored_kind(resource: &Resource) -> GroupKind {
    if &*resource.stored == "events" { GroupKind::new("", "Event") } else { resource.kind.clone() }
}

fn keeps_status(kind: &GroupKind) -> bool {
    matches!(kind.pair(), ("", "Node" | "Namespace" | "PersistentVolume"))
}

fn defaults(resource: &Resource, kind: &GroupKind, object: &mut Value) {
    match (&resource.custom, &resource.shape) {
        (Some(_), Some(shape)) => schema::defaults::fill(shape, object),
        _ => admission::defaults(kind, object),
    }
}

/// Brings an object into the form that is stored: with what Go always writes, metadata in order.
fn complete(resource: &Resource, object: &mut Value) {
    if let (None, Some(shape)) = (&resource.custom, &resource.stored_shape) {
        schema::defaults::complete(shape, object);
    }
    order_metadata(object);
}

fn check(resource: &Resource, kind: &GroupKind, object: &Value, old: Option<&Value>) -> Result<(), Refusal> {
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
fn check_part(
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

/// Puts an object where the path says, or refuses when it says otherwise itself.
fn place(resource: &Resource, namespace: &str, object: &mut Value) -> Result<(), Refusal> {
    if !resource.namespaced {
        remove(object, &["metadata", "namespace"]);
        return Ok(());
    }
    let sent = text(object, &["metadata", "namespace"]);
    if !sent.is_empty() && sent != namespace {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(why));
    }
    set(object, &["metadata", "namespace"], namespace);
    Ok(())
}

fn check_name(object: &Value, key: &Key) -> Result<(), Refusal> {
    let sent = text(object, &["metadata", "name"]);
    if sent == &*key.name {
        return Ok(());
    }
    if sent.is_empty() {
        let why =
            format!("the name of the object ({} based on URL) was undeterminable: name must be provided", key.name);
        return Err(Refusal::bad_request(why));
    }
    let why = format!("the name of the object ({sent}) does not match the name on the URL ({})", key.name);
    Err(Refusal::bad_request(why))
}

fn other_uid(resource: &Resource, key: &Key, sent: &str, there: &str) -> Refusal {
    let path = if resource.group.is_empty() { resource.plural.clone() } else { resource.qualified() };
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{path}/{key}, ResourceVersion: 0, AdditionalErrorMsg: \
         Precondition failed: UID in precondition: {sent}, UID in object meta: {there}"
    );
    Refusal::conflict(&resource.group, &resource.plural, &key.name, &why)
}

/// Metadata that only the server writes.
fn keep_server_fields(object: &mut Value, before: &Value) {
    const KEPT: [&str; 6] = [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ];
    let old = before.get("metadata");
    let metadata = entry(object, &["metadata"]);
    for field in KEPT {
        match old.and_then(|old| old.get(field)) {
            Some(value) => set(metadata, &[field], value.clone()),
            None => {
                remove(metadata, &[field]);
            }
        }
    }
    remove(metadata, &["selfLink"]);
}

/// A write of the object leaves its status alone, a write of the status everything else.
fn keep_other_parts(kind: &GroupKind, resource: &Resource, part: Part, object: &mut Value, before: &Value) {
    match part {
        Part::Main if resource.has_status() => match before.get("status") {
            Some(status) => set(object, &["status"], status.clone()),
            None => {
                remove(object, &["status"]);
            }
        },
        Part::Status => {
            let status = remove(object, &["status"]);
            let metadata = remove(object, &["metadata"]).unwrap_or_default();
            *object = before.clone();
            let taken: &[&str] = if resource.custom.is_some() {
                &["managedFields"]
            } else if kind.pair() == ("apps", "Deployment") {
                &["annotations", "finalizers", "ownerReferences", "managedFields"]
            } else {
                &["annotations", "labels", "finalizers", "ownerReferences", "managedFields"]
            };
            for field in taken {
                match metadata.get(*field) {
                    Some(value) => set(object, &["metadata", field], value.clone()),
                    None => {
                        remove(object, &["metadata", field]);
                    }
                }
            }
            match status {
                Some(status) => set(object, &["status"], status),
                None => {
                    remove(object, &["status"]);
                }
            }
        }
        _ => {}
    }
}

/// An update neither begins a deletion nor gives it another time.
fn check_deletion(kind: &GroupKind, object: &Value, before: &Value) -> Result<(), Refusal> {
    const HINT: &str = "field is immutable; may only be changed via deletion";
    let deleting = at(before, &["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null());
    let mut errors = Vec::new();
    for field in ["deletionGracePeriodSeconds", "deletionTimestamp"] {
        let of = |object: &Value| at(object, &["metadata", field]).filter(|value| !value.is_null()).cloned();
        let (new, old) = (of(object), of(before));
        // The time of a deletion that has begun stays whatever is sent.
        let ignored = field == "deletionTimestamp" && deleting;
        if let Some(new) = new.filter(|new| !ignored && Some(new) != old.as_ref()) {
            errors.push(FieldError::invalid(format!("metadata.{field}"), new, HINT));
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid(kind, text(before, &["metadata", "name"]), &errors))
}

fn check_finalizers(resource: &Resource, object: &Value, before: &Value) -> Result<(), Refusal> {
    if text(before, &["metadata", "deletionTimestamp"]).is_empty() {
        return Ok(());
    }
    let old = list(before, &["metadata", "finalizers"]);
    let added: Vec<String> = list(object, &["metadata", "finalizers"])
        .iter()
        .filter(|finalizer| !old.contains(finalizer))
        .map(ToString::to_string)
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let hint = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    let error = FieldError::forbidden("metadata.finalizers", hint);
    Err(Refusal::invalid(&resource.kind, text(before, &["metadata", "name"]), &[error]))
}

/// Any change outside metadata and, with a status subresource, outside the status.
fn generation_of_custom(resource: &Resource, object: &Value, before: &Value) -> bool {
    let counted = |value: &Value| -> Map {
        let members = value.as_object().into_iter().flatten();
        let members = members.filter(|(name, _)| *name != "metadata" && !(resource.has_status() && *name == "status"));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    counted(object) != counted(before)
}

/// An apply says what it is.
fn check_applied(resource: &Resource, applied: &Value) -> Result<(), Refusal> {
    let (version, kind) = (text(applied, &["apiVersion"]), text(applied, &["kind"]));
    if version == resource.api_version && kind == &*resource.kind.kind {
        return Ok(());
    }
    let slash = if version.contains('/') { "" } else { "/" };
    Err(Refusal::bad_request(format!("invalid object type: {slash}{version}, Kind={kind}")))
}

/// The refusal of a patch whose outcome does not fit the kind.
fn undecodable(
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

/// Whom a write is noted under.
fn manager<'a>(call: &'a Call<'_>, resource: &'a Resource, part: Part) -> Manager<'a> {
    let api_version = &resource.api_version;
    Manager {
        name: &call.options.manager,
        api_version,
        subresource: part.subresource(),
        ignored: ignored(resource, part),
    }
}

/// What a write to a part of an object cannot change.
fn ignored(resource: &Resource, part: Part) -> &'static ownership::Set {
    static NOTHING: LazyLock<ownership::Set> = LazyLock::new(|| ownership::Set::of(&[]));
    static STATUS: LazyLock<ownership::Set> = LazyLock::new(|| ownership::Set::of(&[&["status"]]));
    static SPEC: LazyLock<ownership::Set> = LazyLock::new(|| ownership::Set::of(&[&["spec"]]));
    static SPEC_AND_LABELS: LazyLock<ownership::Set> =
        LazyLock::new(|| ownership::Set::of(&[&["spec"], &["metadata", "labels"]]));
    static ALL_BUT_STATUS: LazyLock<ownership::Set> = LazyLock::new(|| ownership::Set::of(&[&["spec"], &["metadata"]]));
    match part {
        Part::Main | Part::Other(_) if resource.has_status() => &STATUS,
        Part::Main | Part::Other(_) => &NOTHING,
        Part::Status if resource.custom.is_some() => &ALL_BUT_STATUS,
        Part::Status if resource.kind.pair() == ("apps", "Deployment") => &SPEC_AND_LABELS,
        Part::Status => &SPEC,
    }
}

/// Metadata in the order that people are used to: names first, bookkeeping last.
fn order_metadata(object: &mut Value) {
    const ORDER: [&str; 14] = [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
    ];
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let mut old = std::mem::take(metadata);
    for field in ORDER {
        if let Some(value) = old.shift_remove(field) {
            metadata.insert(field.to_owned(), value);
        }
    }
    metadata.extend(old);
}

const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Five letters that make no words.
fn random_suffix() -> Result<String, Refusal> {
    let mut bytes = [0; 5];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(bytes.iter().map(|byte| char::from(SAFE[usize::from(*byte) % SAFE.len()])).collect())
}

fn random_number() -> Result<u64, Refusal> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A random uid (RFC 9562, version 4).
pub(super) fn random_uid() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
