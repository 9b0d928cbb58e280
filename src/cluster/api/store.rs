//! Objects, their versions, and a window of what happened. Plain data: whoever owns it locks it.
//!
//! An object is kept as the JSON text that clients get, with the few facts that lists, watches and controllers
//! ask for all the time. A version is never changed: a write makes a new one.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::table::Cell;
use crate::cluster::object::{Key, entry, flag, list, map, set, text};

/// Plural name and group, as `deployments.apps`; shared text.
pub type ResourceName = Arc<str>;

/// Events kept for watchers that come late.
const WINDOW_EVENTS: usize = 4096;
/// Bytes of object texts that the window may hold on to.
const WINDOW_BYTES: usize = 8 << 20;

/// One version of one object.
#[derive(Debug)]
pub struct Stored {
    /// What it is one of.
    pub resource: ResourceName,
    /// Its namespace and name.
    pub key: Key,
    /// Its uid.
    pub uid: Box<str>,
    /// The version of the store that this version of the object was written at.
    pub revision: u64,
    /// The labels.
    pub labels: Box<[(Box<str>, Box<str>)]>,
    /// The owners.
    pub owners: Box<[Owner]>,
    /// Whether its deletion has begun.
    pub deleting: bool,
    /// Whether finalizers hold it.
    pub finalized: bool,
    /// The whole object as compact JSON, in its storage version: kind, apiVersion, metadata, then the rest.
    pub json: Bytes,
    /// Where the members behind kind and apiVersion begin in `json`.
    body: u32,
    /// Where the metadata ends in `json`.
    metadata_end: u32,
    /// What a Table shows of it, all but ages; made when first asked for.
    pub cells: OnceLock<Box<[Cell]>>,
    /// What [`Self::view`] has read of it.
    pub read: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// An owner reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub uid: Box<str>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Whether it is the one that controls the object.
    pub controller: bool,
    /// Whether the owner has to wait for this object in a foreground deletion.
    pub blocks: bool,
}

/// Sets the revision, next to the uid as clients are used to see it.
fn set_revision(object: &mut Value, revision: u64) {
    let Value::Object(metadata) = entry(object, &["metadata"]) else {
        return set(object, &["metadata", "resourceVersion"], revision.to_string());
    };
    let revision = Value::from(revision.to_string());
    if let Some(place) = metadata.get_mut("resourceVersion") {
        *place = revision;
        return;
    }
    let uid = metadata.keys().position(|name| name == "uid");
    let place = uid.map_or(metadata.len(), |uid| uid + 1);
    metadata.shift_insert(place, "resourceVersion".to_owned(), revision);
}

impl Stored {
    /// The version of an object that is written at `revision`, which becomes its `resourceVersion`.
    pub fn new(resource: ResourceName, mut object: Value, revision: u64) -> Self {
        set_revision(&mut object, revision);
        Self::preview(resource, &object, revision)
    }

    /// A version that is not written anywhere, as a dry run gives it: the object just as it is.
    pub fn preview(resource: ResourceName, object: &Value, revision: u64) -> Self {
        let labels = map(object, &["metadata", "labels"]).into_iter().flatten();
        let labels = labels.filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into()))).collect();
        let owners = list(object, &["metadata", "ownerReferences"]).iter().map(Owner::of).collect();
        let (json, body, metadata_end) = serialized(object);
        Self {
            resource,
            key: Key::of(object),
            uid: text(object, &["metadata", "uid"]).into(),
            revision,
            labels,
            owners,
            deleting: !text(object, &["metadata", "deletionTimestamp"]).is_empty(),
            finalized: !list(object, &["metadata", "finalizers"]).is_empty(),
            json: json.into(),
            body,
            metadata_end,
            cells: OnceLock::new(),
            read: OnceLock::new(),
        }
    }

    /// The members behind kind and apiVersion: `"metadata":…}` with the closing brace.
    pub fn body(&self) -> &[u8] {
        self.json.get(self.body as usize..).unwrap_or_default()
    }

    /// `"metadata":{…}`
    pub fn metadata(&self) -> &[u8] {
        self.json.get(self.body as usize..self.metadata_end as usize).unwrap_or_default()
    }

    /// The object as a JSON value, to read in depth or to change.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or(Value::Null)
    }

    /// The parts of it that `T` names, its default if they are not as `T` expects them. The first type that is asked
    /// for is read only once: a kind should have one view that all who look at it often share.
    pub fn view<T: DeserializeOwned + Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let read = || Arc::new(serde_json::from_slice::<T>(&self.json).unwrap_or_default());
        let kept = self.read.get_or_init(|| read());
        kept.clone().downcast().unwrap_or_else(|_| read())
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| &**label == name).map(|(_, value)| &**value)
    }

    /// The owner that controls it.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }
}

/// Compact JSON with kind, apiVersion and metadata first; where the rest begins, and where the metadata ends.
fn serialized(object: &Value) -> (Vec<u8>, u32, u32) {
    let mut json = Vec::with_capacity(1024);
    let member = |json: &mut Vec<u8>, name: &str, value: &Value| {
        json.push(if json.is_empty() { b'{' } else { b',' });
        // Writing to memory does not fail, and JSON values have no keys that are no text.
        let _ = serde_json::to_writer(&mut *json, name);
        json.push(b':');
        let _ = serde_json::to_writer(&mut *json, value);
    };
    for name in ["kind", "apiVersion"] {
        member(&mut json, name, object.get(name).unwrap_or(&Value::Null));
    }
    let body = json.len() + 1;
    member(&mut json, "metadata", object.get("metadata").unwrap_or(&Value::Null));
    let metadata_end = json.len();
    for (name, value) in object.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "kind" | "apiVersion" | "metadata") {
            member(&mut json, name, value);
        }
    }
    json.push(b'}');
    json.shrink_to_fit();
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (json, offset(body), offset(metadata_end))
}

impl Owner {
    fn of(reference: &Value) -> Self {
        Self {
            uid: text(reference, &["uid"]).into(),
            kind: text(reference, &["kind"]).into(),
            name: text(reference, &["name"]).into(),
            controller: flag(reference, &["controller"]),
            blocks: flag(reference, &["blockOwnerDeletion"]),
        }
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The object is new.
    Added,
    /// It has a new version.
    Modified,
    /// It is gone.
    Deleted,
}

/// A write.
#[derive(Debug)]
pub struct Change {
    /// What it did.
    pub kind: ChangeKind,
    /// The new version; of a deletion the last one, with the deletion's `resourceVersion`.
    pub object: Arc<Stored>,
    /// The version before.
    pub previous: Option<Arc<Stored>>,
}

/// Where changes are kept for good before anybody is told of them.
pub trait Journaling: std::fmt::Debug + Send {
    /// Keeps changes. When it fails nothing of them is kept.
    ///
    /// # Errors
    /// When the medium does not take them.
    fn write(&mut self, store: &Store, changes: &[Arc<Change>]) -> std::io::Result<()>;
}

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct Store {
    objects: usize,
    bytes: usize,
    revision: u64,
    collections: HashMap<ResourceName, BTreeMap<Key, Arc<Stored>>>,
    by_uid: HashMap<Box<str>, (ResourceName, Key)>,
    by_owner: HashMap<Box<str>, BTreeSet<(ResourceName, Key)>>,
    window: VecDeque<Arc<Change>>,
    window_bytes: usize,
    /// The revision of the newest change that is no longer in the window.
    forgotten: u64,
}

impl Store {
    /// An empty store whose first write has a revision after `revision`.
    pub fn starting_at(revision: u64) -> Self {
        Self { revision, forgotten: revision, ..Self::default() }
    }

    /// The revision of the newest write.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An object.
    pub fn get(&self, resource: &str, key: &Key) -> Option<&Arc<Stored>> {
        self.collections.get(resource)?.get(key)
    }

    /// The object of a uid.
    pub fn by_uid(&self, uid: &str) -> Option<&Arc<Stored>> {
        let (resource, key) = self.by_uid.get(uid)?;
        self.get(resource, key)
    }

    /// All objects of a resource, of one namespace unless it is empty, sorted by namespace and name.
    pub fn list<'a>(&'a self, resource: &str, namespace: &str) -> Box<dyn Iterator<Item = &'a Arc<Stored>> + 'a> {
        self.list_after(resource, namespace, None)
    }

    /// The same, beginning behind a key.
    pub fn list_after<'a>(
        &'a self,
        resource: &str,
        namespace: &str,
        after: Option<&Key>,
    ) -> Box<dyn Iterator<Item = &'a Arc<Stored>> + 'a> {
        let Some(collection) = self.collections.get(resource) else { return Box::new(std::iter::empty()) };
        let start = match after {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Included(Key::new(namespace, "")),
        };
        let wanted: Option<Box<str>> = (!namespace.is_empty()).then(|| namespace.into());
        let objects = collection.range((start, Bound::Unbounded)).map(|(_, object)| object);
        Box::new(objects.take_while(move |object| wanted.as_ref().is_none_or(|wanted| object.key.namespace == *wanted)))
    }

    /// How many objects there are, and the bytes of their texts.
    pub fn size(&self) -> (usize, usize) {
        (self.objects, self.bytes)
    }

    /// How many objects there are of a resource.
    pub fn count(&self, resource: &str) -> usize {
        self.collections.get(resource).map_or(0, BTreeMap::len)
    }

    /// The resources that have objects.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceName> {
        self.collections.iter().filter(|(_, objects)| !objects.is_empty()).map(|(name, _)| name)
    }

    /// The objects that name `uid` as an owner, wherever they are.
    pub fn owned_by<'a>(&'a self, uid: &str) -> impl Iterator<Item = &'a Arc<Stored>> + 'a {
        self.by_owner.get(uid).into_iter().flatten().filter_map(|(resource, key)| self.get(resource, key))
    }

    /// Adds or replaces an object and gives its new version back.
    pub fn put(&mut self, resource: &ResourceName, object: Value) -> Arc<Stored> {
        self.revision += 1;
        let new = Arc::new(Stored::new(resource.clone(), object, self.revision));
        let previous = self.insert(new.clone());
        let kind = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.remember(Change { kind, object: new.clone(), previous });
        new
    }

    /// Takes an object away and gives back what watchers see of it: the last version at a new revision.
    pub fn delete(&mut self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        let last = self.get(resource, key)?.value();
        self.delete_as(resource, key, last)
    }

    /// Takes an object away that was changed by the same write: watchers see what it was changed to.
    pub fn delete_as(&mut self, resource: &str, key: &Key, object: Value) -> Option<Arc<Stored>> {
        let previous = self.take(resource, key)?;
        self.revision += 1;
        let last = Arc::new(Stored::new(previous.resource.clone(), object, self.revision));
        self.remember(Change { kind: ChangeKind::Deleted, object: last.clone(), previous: Some(previous) });
        Some(last)
    }

    /// Puts a version in without a new revision or a change to tell: for restoring.
    pub fn insert(&mut self, new: Arc<Stored>) -> Option<Arc<Stored>> {
        self.revision = self.revision.max(new.revision);
        let previous = self.take(&new.resource, &new.key);
        let place = (new.resource.clone(), new.key.clone());
        for owner in &new.owners {
            self.by_owner.entry(owner.uid.clone()).or_default().insert(place.clone());
        }
        self.by_uid.insert(new.uid.clone(), place);
        self.objects += 1;
        self.bytes += new.json.len();
        self.collections.entry(new.resource.clone()).or_default().insert(new.key.clone(), new);
        previous
    }

    /// Makes the newest revision at least this one: for restoring.
    pub fn reach(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
        self.forgotten = self.forgotten.max(revision);
    }

    /// Takes an object away without a change to tell: for restoring.
    pub fn forget(&mut self, resource: &str, key: &Key) {
        self.take(resource, key);
    }

    /// Undoes everything after a revision, of which nobody has been told.
    pub fn roll_back(&mut self, revision: u64) {
        while let Some(change) = self.window.pop_back_if(|change| change.object.revision > revision) {
            self.window_bytes -= change.object.json.len();
            match &change.previous {
                Some(previous) => drop(self.insert(previous.clone())),
                None => drop(self.take(&change.object.resource, &change.object.key)),
            }
        }
        self.revision = revision;
    }

    fn take(&mut self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        let gone = self.collections.get_mut(resource)?.remove(key)?;
        self.by_uid.remove(&gone.uid);
        self.objects -= 1;
        self.bytes -= gone.json.len();
        let place = (gone.resource.clone(), gone.key.clone());
        for owner in &gone.owners {
            if let Some(owned) = self.by_owner.get_mut(&owner.uid) {
                owned.remove(&place);
                if owned.is_empty() {
                    self.by_owner.remove(&owner.uid);
                }
            }
        }
        Some(gone)
    }

    fn remember(&mut self, change: Change) {
        self.window_bytes += change.object.json.len();
        self.window.push_back(Arc::new(change));
        while self.window.len() > WINDOW_EVENTS || self.window_bytes > WINDOW_BYTES && self.window.len() > 1 {
            if let Some(oldest) = self.window.pop_front() {
                self.window_bytes -= oldest.object.json.len();
                self.forgotten = oldest.object.revision;
            }
        }
    }

    /// What happened after a revision, oldest first; `None` when the window no longer reaches back to it.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        if revision < self.forgotten {
            return None;
        }
        let first = self.window.partition_point(|change| change.object.revision <= revision);
        Some(self.window.range(first..))
    }

    /// The objects of a resource as they were at a revision; `None` when the window no longer reaches back to it.
    pub fn at(&self, resource: &str, namespace: &str, revision: u64) -> Option<BTreeMap<Key, Arc<Stored>>> {
        let changes: Vec<_> = self.since(revision)?.filter(|change| &*change.object.resource == resource).collect();
        let now = self.list(resource, namespace).map(|object| (object.key.clone(), object.clone()));
        let mut then: BTreeMap<_, _> = now.collect();
        for change in changes.into_iter().rev() {
            let key = &change.object.key;
            if !namespace.is_empty() && *key.namespace != *namespace {
                continue;
            }
            match &change.previous {
                Some(previous) => then.insert(key.clone(), previous.clone()),
                None => then.remove(key),
            };
        }
        Some(then)
    }

    /// The oldest revision that [`Self::since`] answers.
    pub fn oldest(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str, owner: Option<&str>) -> Value {
        let owners: Vec<_> = owner.map(|uid| json!({"uid": uid, "kind": "X", "name": "x"})).into_iter().collect();
        json!({"metadata": {"namespace": "n", "name": name, "uid": format!("uid-{name}"), "ownerReferences": owners}})
    }

    #[test]
    fn the_text_is_ordered_and_cut() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"x": 1}, "apiVersion": "v1", "kind": "Pod"});
        let stored = Stored::new("pods".into(), object, 7);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(stored.metadata()), r#""metadata":{"name":"a","resourceVersion":"7"}"#);
        let made = json!({"metadata": {"name": "a", "uid": "u", "creationTimestamp": "t"}});
        let made = Stored::new("pods".into(), made, 8);
        let wanted = r#""metadata":{"name":"a","uid":"u","resourceVersion":"8","creationTimestamp":"t"}"#;
        assert_eq!(text(made.metadata()), wanted);
        assert_eq!(text(stored.body()), r#""metadata":{"name":"a","resourceVersion":"7"},"spec":{"x":1}}"#);
        assert_eq!(text(&stored.json), format!(r#"{{"kind":"Pod","apiVersion":"v1",{}"#, text(stored.body())));
    }

    #[test]
    fn what_was_not_kept_is_undone() {
        let mut store = Store::starting_at(0);
        let pods: ResourceName = "pods".into();
        store.put(&pods, object("a", None));
        let (size, before) = (store.size(), store.revision());
        store.put(&pods, object("a", Some("o")));
        store.put(&pods, object("b", None));
        store.delete("pods", &Key::new("n", "a"));
        store.roll_back(before);
        assert_eq!((store.size(), store.revision(), store.since(before).unwrap().count()), (size, before, 0));
        assert_eq!(store.get("pods", &Key::new("n", "a")).unwrap().revision, 1);
        assert_eq!(store.owned_by("o").count(), 0);
    }

    #[test]
    fn the_past_can_be_listed() {
        let mut store = Store::starting_at(0);
        let pods: ResourceName = "pods".into();
        store.put(&pods, object("a", None));
        store.put(&pods, object("b", None));
        let then = store.revision();
        store.put(&pods, object("a", None));
        store.delete("pods", &Key::new("n", "b"));
        store.put(&pods, object("c", None));
        let past = store.at("pods", "n", then).unwrap();
        let past: Vec<_> = past.values().map(|object| (&*object.key.name, object.revision)).collect();
        assert_eq!(past, [("a", 1), ("b", 2)]);
        assert_eq!(store.at("pods", "n", store.revision()).unwrap().len(), 2);
    }

    #[test]
    fn writes_are_numbered_and_told() {
        let mut store = Store::starting_at(10);
        let pods: ResourceName = "pods".into();
        store.put(&pods, object("a", None));
        store.put(&pods, object("b", Some("uid-a")));
        store.delete("pods", &Key::new("n", "a"));
        let told: Vec<_> = store
            .since(11)
            .map(|changes| changes.map(|change| (change.kind, change.object.revision)).collect())
            .unwrap_or_default();
        assert_eq!(told, [(ChangeKind::Added, 12), (ChangeKind::Deleted, 13)]);
        assert_eq!(store.owned_by("uid-a").count(), 1);
        assert_eq!(store.list("pods", "n").count(), 1);
        assert!(store.since(9).is_none(), "what was before the window is not known");
    }
}
