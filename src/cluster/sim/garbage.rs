//! The garbage collector: objects whose owners are gone, and deletions that wait for, or spare, what is owned.
//!
//! Its keys are uids: [`Key::name`] is one, and the namespace is empty.

use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Owner, Store, Stored};
use crate::cluster::object::{Key, list, text};
use crate::cluster::sim::tools::{delete, event, patch_metadata, reference};
use crate::cluster::sim::{Decision, World};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What is to be done about the object with a uid.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let mut decision = Decision::default();
    let Some(object) = world.store.by_uid(&key.name) else { return decision };
    if object.deleting {
        if object.finalized {
            finalize(world.store, object, &mut decision);
        }
    } else if !object.owners.is_empty() {
        collect(world.store, object, &mut decision);
    }
    decision
}

/// The uids to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    let key = |uid: &str| Key::new("", uid);
    let owners = || object.owners.iter().filter(|owner| store.by_uid(&owner.uid).is_some_and(|owner| owner.deleting));
    match change.kind {
        ChangeKind::Deleted => {
            let owned = store.owned_by(&object.uid).map(|owned| key(&owned.uid));
            owned.chain(owners().map(|owner| key(&owner.uid))).collect()
        }
        _ if object.deleting && object.finalized => {
            let owned = store.owned_by(&object.uid).map(|owned| key(&owned.uid));
            std::iter::once(key(&object.uid)).chain(owned).chain(owners().map(|owner| key(&owner.uid))).collect()
        }
        ChangeKind::Modified if same_owners(change) => Vec::new(),
        _ if object.owners.is_empty() && change.previous.is_none() => Vec::new(),
        _ => {
            let before = change.previous.iter().flat_map(|previous| previous.owners.iter());
            std::iter::once(key(&object.uid)).chain(before.map(|owner| key(&owner.uid))).collect()
        }
    }
}

fn same_owners(change: &Change) -> bool {
    change.previous.as_ref().is_some_and(|before| before.owners == change.object.owners)
}

/// Whether an owner can own objects of a namespace at all.
fn reaches(owner: &Stored, owned: &Stored) -> bool {
    owner.key.namespace.is_empty() || owner.key.namespace == owned.key.namespace
}

fn dependents<'a>(store: &'a Store, owner: &'a Stored) -> impl Iterator<Item = &'a Stored> {
    store.owned_by(&owner.uid).map(|owned| &**owned).filter(|owned| reaches(owner, owned))
}

fn finalizers(object: &Value) -> &[Value] {
    list(object, &["metadata", "finalizers"])
}

fn has_finalizer(object: &Value, wanted: &str) -> bool {
    finalizers(object).iter().any(|finalizer| finalizer.as_str() == Some(wanted))
}

/// A deletion that has to do with what the object owns.
fn finalize(store: &Store, stored: &Stored, decision: &mut Decision) {
    let object = stored.value();
    if has_finalizer(&object, ORPHAN) {
        for owned in dependents(store, stored) {
            let owned_object = owned.value();
            let references = list(&owned_object, &["metadata", "ownerReferences"]);
            let kept: Vec<_> = references.iter().filter(|owner| text(owner, &["uid"]) != &*stored.uid).collect();
            decision.actions.push(patch_metadata(owned, json!({ "ownerReferences": kept })));
        }
        decision.actions.push(without(stored, &object, ORPHAN));
    } else if has_finalizer(&object, FOREGROUND) {
        let mut blocked = false;
        for owned in dependents(store, stored) {
            blocked |= owned.owners.iter().any(|owner| owner.uid == stored.uid && owner.blocks);
            if !owned.deleting && sole_owner(store, owned, stored) {
                let deep = dependents(store, owned).next().is_some();
                decision.actions.push(delete(owned, if deep { "Foreground" } else { "Background" }));
            }
        }
        if !blocked {
            decision.actions.push(without(stored, &object, FOREGROUND));
        }
    }
}

/// Whether nobody else keeps an object.
fn sole_owner(store: &Store, owned: &Stored, owner: &Stored) -> bool {
    owned.owners.iter().filter(|other| other.uid != owner.uid).all(|other| is_dying(store, owned, other))
}

/// Whether an owner is gone, cannot own, or only waits for what it owns to go.
fn is_dying(store: &Store, owned: &Stored, owner: &Owner) -> bool {
    match find(store, owned, owner) {
        None => true,
        Some(owner) => owner.deleting && owner.finalized && has_finalizer(&owner.value(), FOREGROUND),
    }
}

/// The owner that a reference names, if it is there.
fn find<'a>(store: &'a Store, owned: &Stored, owner: &Owner) -> Option<&'a Stored> {
    let found = store.by_uid(&owner.uid)?;
    (reaches(found, owned) && found.key.name == owner.name).then_some(&**found)
}

/// Takes away a finalizer.
fn without(stored: &Stored, object: &Value, finalizer: &str) -> crate::cluster::sim::Action {
    let kept: Vec<_> = finalizers(object).iter().filter(|one| one.as_str() != Some(finalizer)).collect();
    patch_metadata(stored, json!({ "finalizers": kept }))
}

/// An object with owners: it goes when none of them is left.
fn collect(store: &Store, object: &Stored, decision: &mut Decision) {
    let unknowable = |owner: &Owner| {
        // A cluster-scoped object cannot be owned from within a namespace; such a reference says nothing.
        object.key.namespace.is_empty() && store.by_uid(&owner.uid).is_some_and(|owner| !owner.key.namespace.is_empty())
    };
    let waiting = |owner: &Owner| {
        find(store, object, owner)
            .is_some_and(|owner| owner.deleting && owner.finalized && has_finalizer(&owner.value(), FOREGROUND))
    };
    let absent = |owner: &Owner| find(store, object, owner).is_none() && !unknowable(owner);
    let solid = object.owners.iter().any(|owner| !absent(owner) && !waiting(owner));
    if solid {
        if object.owners.iter().any(|owner| absent(owner) || waiting(owner)) {
            let value = object.value();
            let references = list(&value, &["metadata", "ownerReferences"]);
            let kept: Vec<_> = object
                .owners
                .iter()
                .zip(references)
                .filter(|(owner, _)| !absent(owner) && !waiting(owner))
                .map(|(_, reference)| reference)
                .collect();
            decision.actions.push(patch_metadata(object, json!({ "ownerReferences": kept })));
        }
        return;
    }
    let value = object.value();
    for (owner, reference_value) in object.owners.iter().zip(list(&value, &["metadata", "ownerReferences"])) {
        if store.by_uid(&owner.uid).is_some_and(|owner| !reaches(owner, object)) {
            let message = format!(
                "ownerRef [{}/{}, namespace: {}, name: {}, uid: {}] does not exist in namespace \"{}\"",
                text(reference_value, &["apiVersion"]),
                owner.kind,
                object.key.namespace,
                owner.name,
                owner.uid,
                object.key.namespace,
            );
            let about = reference(&value);
            let source = "garbage-collector-controller";
            decision.actions.push(event(&about, source, "Warning", "OwnerRefInvalidNamespace", message));
        }
    }
    let deep = object.owners.iter().any(waiting) && dependents(store, object).next().is_some();
    let policy = match () {
        () if deep => "Foreground",
        () if has_finalizer(&value, ORPHAN) => "Orphan",
        () if has_finalizer(&value, FOREGROUND) => "Foreground",
        () => "Background",
    };
    decision.actions.push(delete(object, policy));
}
