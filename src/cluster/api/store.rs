//! Objects, their versions, and a window of what happened. Plain data: whoever owns it locks it.
//!
//! An object is kept as the JSON text that clients get, with the few facts that lists, watches and controllers
//! ask for all the time. A version is never changed: a write makes a new one.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cluster::object::{Key, list, map, text};

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
    /// The whole object as compact JSON, in its storage version.
    pub json: bytes::Bytes,
    /// What a Table shows of it, all but ages; made when first asked for.
    pub cells: OnceLock<Box<[Value]>>,
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

impl Stored {
    /// The object of a JSON value. The value must carry its metadata; `resourceVersion` is set to `revision`.
    pub fn new(resource: ResourceName, mut object: Value, revision: u64) -> Self {
        crate::cluster::object::set(&mut object, &["metadata", "resourceVersion"], revision.to_string());
        let labels = map(&object, &["metadata", "labels"]).into_iter().flatten();
        let labels = labels.filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into()))).collect();
        let owners = list(&object, &["metadata", "ownerReferences"]).iter().map(Owner::of).collect();
        Self {
            resource,
            key: Key::of(&object),
            uid: text(&object, &["metadata", "uid"]).into(),
            revision,
            labels,
            owners,
            deleting: !text(&object, &["metadata", "deletionTimestamp"]).is_empty(),
            finalized: !list(&object, &["metadata", "finalizers"]).is_empty(),
            json: serde_json::to_vec(&object).unwrap_or_default().into(),
            cells: OnceLock::new(),
            read: OnceLock::new(),
        }
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

impl Owner {
    fn of(reference: &Value) -> Self {
        Self {
            uid: text(reference, &["uid"]).into(),
            kind: text(reference, &["kind"]).into(),
            name: text(reference, &["name"]).into(),
            controller: crate::cluster::object::flag(reference, &["controller"]),
            blocks: crate::cluster::object::flag(reference, &["blockOwnerDeletion"]),
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

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct Store {
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
        let previous = self.take(resource, key)?;
        self.revision += 1;
        let last = Arc::new(Stored::new(previous.resource.clone(), previous.value(), self.revision));
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
        self.collections.entry(new.resource.clone()).or_default().insert(new.key.clone(), new);
        previous
    }

    fn take(&mut self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        let gone = self.collections.get_mut(resource)?.remove(key)?;
        self.by_uid.remove(&gone.uid);
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
