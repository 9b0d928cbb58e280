//! Garbage: objects whose owners are gone, and what an owner's deletion has to wait for.
//!
//! Its keys are uids, so that one queue serves all kinds.

use serde_json::{Value, json};

use super::tools::patch_metadata;
use super::{Action, Decision, World};
use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, list, text};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// An object that has owners or waits for what it owns, by its uid; after a deletion what it owned, and its owners.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    let of = |uid: &str| Key::new("", uid);
    if change.kind == ChangeKind::Deleted {
        let owned = store.owned_by(&object.uid).map(|owned| of(&owned.uid));
        return owned.chain(object.owners.iter().map(|owner| of(&owner.uid))).collect();
    }
    let had_owners = change.previous.as_ref().is_some_and(|previous| !previous.owners.is_empty());
    let waits = object.deleting && object.finalized;
    let mut keys = Vec::new();
    if waits || had_owners || !object.owners.is_empty() {
        keys.push(of(&object.uid));
    }
    if let (true, Some(previous)) = (had_owners, &change.previous) {
        // An owner may have waited for this one.
        keys.extend(previous.owners.iter().map(|owner| of(&owner.uid)));
    }
    keys
}

/// Lets go of what it owns, deletes it first, or deletes the object itself because its owners are gone.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(object) = world.store.by_uid(&key.name) else { return Decision::default() };
    if object.deleting && object.finalized {
        let finalizers = list(&object.value(), &["metadata", "finalizers"]).to_vec();
        if finalizers.iter().any(|finalizer| finalizer == ORPHAN) {
            return orphan(world.store, object, &finalizers);
        }
        if finalizers.iter().any(|finalizer| finalizer == FOREGROUND) {
            return dependents_first(world.store, object, &finalizers);
        }
    }
    if object.owners.is_empty() || object.deleting {
        return Decision::default();
    }
    collect(world.store, object)
}

/// What an object owns: only in its own namespace, unless it lives in none.
fn owned<'a>(store: &'a Store, owner: &'a Stored) -> impl Iterator<Item = &'a std::sync::Arc<Stored>> {
    let near = |object: &Stored| owner.key.namespace.is_empty() || object.key.namespace == owner.key.namespace;
    store.owned_by(&owner.uid).filter(move |object| near(object))
}

fn without(finalizers: &[Value], gone: &str) -> Value {
    finalizers.iter().filter(|finalizer| *finalizer != gone).cloned().collect()
}

/// Takes the owner out of everything that it owns, then lets it go.
fn orphan(store: &Store, object: &Stored, finalizers: &[Value]) -> Decision {
    let freed = owned(store, object).map(|owned| {
        let value = owned.value();
        let references = list(&value, &["metadata", "ownerReferences"]);
        let kept: Value = references.iter().filter(|owner| text(owner, &["uid"]) != &*object.uid).cloned().collect();
        patch_metadata(owned, json!({"ownerReferences": kept}))
    });
    let mut actions: Vec<_> = freed.collect();
    actions.push(patch_metadata(object, json!({"finalizers": without(finalizers, ORPHAN)})));
    Decision { actions, again: None }
}

/// Deletes what it owns; when nothing is left that blocks it, lets it go.
fn dependents_first(store: &Store, object: &Stored, finalizers: &[Value]) -> Decision {
    let blocks = |owned: &Stored| owned.owners.iter().any(|owner| owner.uid == object.uid && owner.blocks);
    let mut actions: Vec<_> = owned(store, object)
        .filter(|owned| !owned.deleting)
        .map(|owned| super::tools::delete(owned, if blocks(owned) { "Foreground" } else { "Background" }))
        .collect();
    if !owned(store, object).any(|owned| blocks(owned)) {
        actions.push(patch_metadata(object, json!({"finalizers": without(finalizers, FOREGROUND)})));
    }
    Decision { actions, again: None }
}

/// Deletes an object all of whose owners are gone; of one that has others left the dead references go.
fn collect(store: &Store, object: &Stored) -> Decision {
    let lives = |uid: &str| {
        store.by_uid(uid).filter(|owner| owner.key.namespace.is_empty() || owner.key.namespace == object.key.namespace)
    };
    let (there, gone): (Vec<_>, Vec<_>) = object.owners.iter().partition(|owner| lives(&owner.uid).is_some());
    if gone.is_empty() {
        return Decision::default();
    }
    if there.is_empty() {
        return Decision::one(super::tools::delete(object, "Background"));
    }
    let value = object.value();
    let references = list(&value, &["metadata", "ownerReferences"]);
    let kept: Value = references.iter().filter(|owner| lives(text(owner, &["uid"])).is_some()).cloned().collect();
    Decision::one(patch_metadata(object, json!({"ownerReferences": kept})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;
    use serde_json::json;

    fn object(name: &str, owners: &[&str], finalizers: &[&str], deleting: bool) -> Value {
        let owners: Vec<_> = owners
            .iter()
            .map(|uid| json!({"kind": "X", "name": uid, "uid": uid, "blockOwnerDeletion": true}))
            .collect();
        let mut object = json!({"kind": "X", "apiVersion": "v1", "metadata": {
            "name": name, "namespace": "n", "uid": name, "ownerReferences": owners, "finalizers": finalizers,
        }});
        if deleting {
            object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        }
        object
    }

    fn decided(objects: &[Value], uid: &str) -> Vec<Action> {
        let mut store = Store::default();
        for object in objects {
            store.put(&"xs".into(), object.clone());
        }
        fixtures::with_world(&store, |world| reconcile(world, &Key::new("", uid)).actions)
    }

    fn deleted(actions: &[Action]) -> Vec<(&str, &str)> {
        let of = |action: &Action| match action {
            Action::Delete { key, propagation, .. } => Some((key.name.to_string(), *propagation)),
            _ => None,
        };
        let found: Vec<_> = actions.iter().filter_map(of).collect();
        found.into_iter().map(|(name, propagation)| (Box::leak(name.into_boxed_str()) as &str, propagation)).collect()
    }

    #[test]
    fn what_nobody_owns_any_more_goes() {
        assert_eq!(deleted(&decided(&[object("child", &["gone"], &[], false)], "child")), [("child", "Background")]);
        let half = [object("owner", &[], &[], false), object("child", &["gone", "owner"], &[], false)];
        let actions = decided(&half, "child");
        assert!(deleted(&actions).is_empty());
        let [Action::Patch { patch, .. }] = actions.as_slice() else { panic!("{actions:?}") };
        assert_eq!(patch["metadata"]["ownerReferences"][0]["uid"], "owner");
        assert!(decided(&[object("free", &[], &[], false)], "free").is_empty());
    }

    #[test]
    fn owners_wait_for_what_blocks_them() {
        let waiting = object("owner", &[], &[FOREGROUND], true);
        let actions = decided(&[waiting.clone(), object("child", &["owner"], &[], false)], "owner");
        assert_eq!(deleted(&actions), [("child", "Foreground")]);
        assert_eq!(actions.len(), 1, "the finalizer stays while a child is there");
        let alone = decided(&[waiting], "owner");
        assert!(matches!(alone.as_slice(), [Action::Patch { patch, .. }] if patch["metadata"]["finalizers"] == json!([])));
    }

    #[test]
    fn orphans_are_let_go() {
        let actions = decided(&[object("owner", &[], &[ORPHAN], true), object("child", &["owner"], &[], false)], "owner");
        let patched: Vec<_> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Patch { key, patch, .. } => Some((key.name.to_string(), patch["metadata"].clone())),
                _ => None,
            })
            .collect();
        assert_eq!(patched.len(), 2);
        assert_eq!((patched[0].0.as_str(), &patched[0].1["ownerReferences"]), ("child", &json!([])));
        assert_eq!((patched[1].0.as_str(), &patched[1].1["finalizers"]), ("owner", &json!([])));
    }
}
