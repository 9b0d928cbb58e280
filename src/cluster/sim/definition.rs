//! Custom resource definitions: accepted names, the established condition, and the end of their objects.

use serde_json::Value;

use super::{Action, Decision, World};
use crate::cluster::api::crd::{self, Taken};
use crate::cluster::api::stamp;
use crate::cluster::api::status::qualified;
use crate::cluster::api::store::{Change, ResourceName, Store};
use crate::cluster::object::{Key, list, set, text};

const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// Holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Definitions are looked at when they change, and when the last of their objects may have gone.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    if &*change.object.resource == DEFINITIONS {
        return vec![change.object.key.clone()];
    }
    let definition = Key::new("", &change.object.resource);
    let deleting = store.get(DEFINITIONS, &definition).is_some_and(|definition| definition.deleting);
    if deleting { vec![definition] } else { Vec::new() }
}

/// Establishes a definition; deletes the objects of one that goes, and lets it go when none is left.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(DEFINITIONS, key) else { return Decision::default() };
    let mut definition = stored.value();
    let resource: ResourceName =
        qualified(text(&definition, &["spec", "names", "plural"]), text(&definition, &["spec", "group"])).into();
    let finalizers = list(&definition, &["metadata", "finalizers"]).to_vec();
    let mut actions = Vec::new();
    if !stored.deleting {
        if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
            let finalizers: Vec<Value> = finalizers.into_iter().chain([CLEANUP.into()]).collect();
            set(&mut definition, &["metadata", "finalizers"], finalizers);
            return Decision {
                actions: vec![Action::Update { resource: DEFINITIONS.into(), object: definition }],
                again: None,
            };
        }
        let others = others(world.store, key);
        let taken = Taken::in_group(text(&definition, &["spec", "group"]), &key.name, &others);
        let status = crd::established_status(&definition, &stamp(world.now), &taken);
        if definition.get("status") != Some(&status) {
            set(&mut definition, &["status"], status);
            actions.push(Action::UpdateStatus { resource: DEFINITIONS.into(), object: definition });
        }
        return Decision { actions, again: None };
    }
    for object in world.store.list(&resource, "").filter(|object| !object.deleting) {
        actions.push(Action::Delete {
            resource: resource.clone(),
            key: object.key.clone(),
            uid: object.uid.clone(),
            grace: None,
            propagation: "Background",
        });
    }
    if world.store.count(&resource) == 0 && finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
        let kept: Vec<Value> = finalizers.into_iter().filter(|finalizer| finalizer != CLEANUP).collect();
        set(&mut definition, &["metadata", "finalizers"], kept);
        actions.push(Action::Update { resource: DEFINITIONS.into(), object: definition });
    }
    Decision { actions, again: None }
}

fn others(store: &Store, key: &Key) -> Vec<Value> {
    store.list(DEFINITIONS, "").filter(|other| other.key != *key).map(|other| other.value()).collect()
}
