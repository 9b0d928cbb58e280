//! Whose an object is: references to owners, adoption and release, and whom a change concerns.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, list};
use crate::cluster::sim::actions::{self, Kind};
use crate::cluster::sim::selector::Selector;
use crate::cluster::sim::views::OwnerView;
use crate::cluster::sim::{Decision, World};

impl Kind {
    /// The reference that makes an object of this kind the controller of another.
    pub(crate) fn controller_reference(&self, owner: &Stored) -> Value {
        json!({
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": owner.key.name,
            "uid": owner.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }

    /// The objects of `resource` that `owner` controls and `matches` accepts. What it controls and no longer matches
    /// is let go, and what nobody controls and matches is taken in.
    pub(crate) fn claim<'a>(
        &self,
        world: &World<'a>,
        owner: &Stored,
        resource: &str,
        matches: &dyn Fn(&Stored) -> bool,
        decision: &mut Decision,
    ) -> Vec<&'a Arc<Stored>> {
        let mut claimed = Vec::new();
        for object in world.store.owned_by(&owner.uid) {
            if *object.resource != *resource || !controlled_by(object, owner) {
                continue;
            }
            if matches(object) {
                claimed.push(object);
            } else if !owner.deleting {
                decision.push(actions::patch(object, without_owner(object, owner)));
            }
        }
        if !owner.deleting {
            for object in world.store.list(resource, &owner.key.namespace) {
                if object.controller().is_none() && !object.deleting && matches(object) {
                    decision.push(actions::patch(object, self.with_owner(object, owner)));
                    claimed.push(object);
                }
            }
        }
        claimed
    }

    fn with_owner(&self, object: &Stored, owner: &Stored) -> Value {
        let mut owners = owner_references(object);
        owners.retain(|reference| reference["uid"] != *owner.uid);
        owners.push(self.controller_reference(owner));
        json!({"metadata": {"ownerReferences": owners}})
    }

    /// The keys of this kind's objects that a change in objects of `resource` concerns: those that control it or did,
    /// and for an object that nobody controls those that select it.
    pub(crate) fn owners_concerned(
        &self,
        change: &Change,
        store: &Store,
        resource: &str,
        selects: &dyn Fn(&Stored, &Stored) -> bool,
    ) -> Vec<Key> {
        let object = &change.object;
        if *object.resource != *resource {
            return Vec::new();
        }
        let mut keys: Vec<Key> = Vec::new();
        for version in [Some(object), change.previous.as_ref()].into_iter().flatten() {
            if let Some(owner) = version.controller().filter(|owner| *owner.kind == *self.kind) {
                let key = Key::new(&object.key.namespace, &owner.name);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        if object.controller().is_none() && change.kind != ChangeKind::Deleted && !object.deleting && is_news(change) {
            let owners = store.list(self.resource, &object.key.namespace);
            keys.extend(owners.filter(|owner| selects(owner, object)).map(|owner| owner.key.clone()));
        }
        keys
    }

    /// The key of the object of this kind that has changed.
    pub(crate) fn itself(&self, change: &Change) -> Vec<Key> {
        if *change.object.resource == *self.resource { vec![change.object.key.clone()] } else { Vec::new() }
    }
}

/// Whether the change is one that can make somebody take in an object.
fn is_news(change: &Change) -> bool {
    let object = &change.object;
    change.previous.as_ref().is_none_or(|before| before.labels != object.labels || before.owners != object.owners)
}

/// Whether `owner` is the controller of `object`.
pub(crate) fn controlled_by(object: &Stored, owner: &Stored) -> bool {
    object.controller().is_some_and(|controller| controller.uid == owner.uid)
}

/// Whether an owner's `spec.selector` selects an object.
pub(crate) fn selects(owner: &Stored, object: &Stored) -> bool {
    owner.view::<OwnerView>().spec.selector.as_ref().is_some_and(|selector| selector.matches(&object.labels))
}

/// The selector of an owner that is read as a whole.
pub(crate) fn selector(owner: &Stored) -> Selector {
    owner.view::<OwnerView>().spec.selector.clone().unwrap_or_default()
}

/// The patch that takes an owner away from an object.
pub(crate) fn without_owner(object: &Stored, owner: &Stored) -> Value {
    let mut owners = owner_references(object);
    owners.retain(|reference| reference["uid"] != *owner.uid);
    let owners = if owners.is_empty() { Value::Null } else { owners.into() };
    json!({"metadata": {"ownerReferences": owners}})
}

/// The owner references of an object, whole.
pub(crate) fn owner_references(object: &Stored) -> Vec<Value> {
    if object.owners.is_empty() {
        return Vec::new();
    }
    list(&object.value(), &["metadata", "ownerReferences"]).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::actions::patch;
    use crate::cluster::sim::times;

    const KIND: Kind = Kind { resource: "owners.x", api_version: "x/v1", kind: "Owner", source: "owner-controller" };

    fn pod(name: &str, app: &str, owner: Option<(&str, bool)>) -> Value {
        let owners: Vec<_> = owner
            .iter()
            .map(|(uid, controller)| json!({"apiVersion": "x/v1", "kind": "Owner", "name": "o", "uid": uid, "controller": controller}))
            .collect();
        json!({"metadata": {"name": name, "namespace": "n", "uid": format!("uid-{name}"),
            "labels": {"app": app}, "ownerReferences": owners}})
    }

    #[test]
    fn objects_are_taken_in_and_let_go() {
        let mut store = Store::default();
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}});
        let owner = store.put(
            &"owners.x".into(),
            json!({"metadata": {"name": "o", "namespace": "n", "uid": "uid-o"}, "spec": spec}),
        );
        let pods = "pods".into();
        store.put(&pods, pod("mine", "web", Some(("uid-o", true))));
        store.put(&pods, pod("strayed", "db", Some(("uid-o", true))));
        store.put(&pods, pod("orphan", "web", Some(("uid-z", false))));
        store.put(&pods, pod("others", "web", Some(("uid-z", true))));
        store.put(&pods, pod("unrelated", "db", None));

        let now = times::read("2026-08-01T10:00:00Z").unwrap();
        let world = World { store: &store, now, refused: None };
        let mut decision = Decision::default();
        let claimed = KIND.claim(&world, &owner, "pods", &|object| selects(&owner, object), &mut decision);
        let names: Vec<_> = claimed.iter().map(|object| &*object.key.name).collect();
        assert_eq!(names, ["mine", "orphan"]);
        let get = |name: &str| store.get("pods", &Key::new("n", name)).unwrap();
        let reference = KIND.controller_reference(&owner);
        let kept = json!({"apiVersion": "x/v1", "kind": "Owner", "name": "o", "uid": "uid-z", "controller": false});
        let expected = [
            patch(get("strayed"), json!({"metadata": {"ownerReferences": null}})),
            patch(get("orphan"), json!({"metadata": {"ownerReferences": [kept, reference]}})),
        ];
        assert_eq!(decision.actions, expected);
    }

    #[test]
    fn changes_concern_owners_and_those_who_select() {
        let mut store = Store::default();
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}});
        store.put(
            &"owners.x".into(),
            json!({"metadata": {"name": "o2", "namespace": "n", "uid": "uid-o2"}, "spec": spec}),
        );
        let pods = "pods".into();
        let mut keys_after = |object: Value| {
            let before = store.revision();
            store.put(&pods, object);
            let changes: Vec<_> = store.since(before).unwrap().cloned().collect();
            let keys = |change: &Arc<Change>| KIND.owners_concerned(change, &store, "pods", &selects);
            let keys: Vec<_> = changes.iter().flat_map(keys).collect();
            keys.into_iter().map(|key| key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(keys_after(pod("p", "db", Some(("uid-o", true)))), ["n/o"]);
        assert_eq!(keys_after(pod("p", "db", None)), ["n/o"], "who has lost it");
        assert_eq!(keys_after(pod("p", "web", None)), ["n/o2"], "who may take it in");
        assert!(keys_after(pod("p", "web", None)).is_empty(), "no news");
    }
}
