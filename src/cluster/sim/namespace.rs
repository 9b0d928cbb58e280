//! Namespaces that go: everything in them is deleted first, and what still holds them is told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tools::{self, stamp};
use super::{Action, Decision, World};
use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, list, set, text};

const NAMESPACES: &str = "namespaces";

/// A namespace when it changes, and when something in it does while it goes.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == NAMESPACES {
        return if object.deleting { vec![object.key.clone()] } else { Vec::new() };
    }
    let namespace = Key::new("", &object.key.namespace);
    let going = store.get(NAMESPACES, &namespace).is_some_and(|namespace| namespace.deleting);
    if going { vec![namespace] } else { Vec::new() }
}

/// Empties a namespace that goes; when nothing is left, lets it go.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(NAMESPACES, key).filter(|namespace| namespace.deleting) else {
        return Decision::default();
    };
    let mut resources: Vec<_> = world.store.resources().filter(|name| &***name != NAMESPACES).cloned().collect();
    resources.sort();
    let content: Vec<&Stored> =
        resources.iter().flat_map(|resource| world.store.list(resource, &key.name)).map(AsRef::as_ref).collect();
    let mut namespace = stored.value();
    if content.is_empty() {
        let finalizers = list(&namespace, &["spec", "finalizers"]);
        if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
            return Decision::default();
        }
        let kept: Value = finalizers.iter().filter(|finalizer| *finalizer != "kubernetes").cloned().collect();
        set(&mut namespace, &["spec", "finalizers"], kept);
        return Decision::one(Action::Finalize { object: namespace });
    }
    let going = content.iter().filter(|object| !object.deleting);
    let mut actions: Vec<_> = going.map(|object| tools::delete(object, "Background")).collect();
    if actions.is_empty() {
        let conditions = conditions(&content, list(&namespace, &["status", "conditions"]), &stamp(world.now));
        if list(&namespace, &["status", "conditions"]) != conditions {
            set(&mut namespace, &["status", "conditions"], conditions);
            actions.push(Action::UpdateStatus { resource: NAMESPACES.into(), object: namespace });
        }
    }
    Decision { actions, again: None }
}

/// What still holds the namespace.
fn conditions(content: &[&Stored], before: &[Value], now: &str) -> Vec<Value> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for object in content {
        // Kubernetes writes the group behind a dot, also when there is none.
        let name = if object.resource.contains('.') { object.resource.to_string() } else { format!("{}.", object.resource) };
        *kinds.entry(name).or_default() += 1;
        if object.finalized {
            let value = object.value();
            for finalizer in list(&value, &["metadata", "finalizers"]).iter().filter_map(Value::as_str) {
                *finalizers.entry(finalizer.to_owned()).or_default() += 1;
            }
        }
    }
    let listed = |counts: &BTreeMap<String, usize>, between: &str| {
        let parts: Vec<_> = counts.iter().map(|(name, count)| format!("{name}{between}{count} resource instances")).collect();
        parts.join(", ")
    };
    let remaining = (
        "NamespaceContentRemaining",
        "True",
        "SomeResourcesRemain",
        format!("Some resources are remaining: {}", listed(&kinds, " has ")),
    );
    let held = if finalizers.is_empty() {
        let message = "All content-preserving finalizers finished".to_owned();
        ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", message)
    } else {
        let message = format!("Some content in the namespace has finalizers remaining: {}", listed(&finalizers, " in "));
        ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message)
    };
    let fine = |kind, reason, message: &str| (kind, "False", reason, message.to_owned());
    [
        fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        fine(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        fine(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        remaining,
        held,
    ]
    .into_iter()
    .map(|(kind, status, reason, message)| {
        let old = before.iter().find(|old| text(old, &["type"]) == kind && text(old, &["status"]) == status);
        let since = old.map_or(now, |old| text(old, &["lastTransitionTime"]));
        json!({"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message})
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;

    fn namespace() -> Value {
        json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {
            "name": "n", "uid": "n", "deletionTimestamp": "2026-01-01T00:00:00Z",
        }, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating"}})
    }

    fn map(deleting: bool, finalizers: &[&str]) -> Value {
        let mut map = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {
            "name": "m", "namespace": "n", "uid": "m", "finalizers": finalizers,
        }});
        if deleting {
            map["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        }
        map
    }

    fn decided(content: Option<Value>) -> Vec<Action> {
        let mut store = Store::default();
        store.put(&NAMESPACES.into(), namespace());
        content.map(|map| store.put(&"configmaps".into(), map));
        fixtures::with_world(&store, |world| reconcile(world, &Key::new("", "n")).actions)
    }

    #[test]
    fn it_is_emptied_then_let_go() {
        assert!(matches!(decided(Some(map(false, &[]))).as_slice(), [Action::Delete { key, .. }] if &*key.name == "m"));
        let [Action::Finalize { object }] = &decided(None)[..] else { panic!("it is let go") };
        assert_eq!(object["spec"]["finalizers"], json!([]));
    }

    #[test]
    fn what_holds_it_is_told() {
        let actions = decided(Some(map(true, &["lab.example.com/hold"])));
        let [Action::UpdateStatus { object, .. }] = actions.as_slice() else { panic!("{actions:?}") };
        let told: Vec<_> = list(object, &["status", "conditions"]).iter().skip(3).map(|one| text(one, &["message"])).collect();
        assert_eq!(
            told,
            [
                "Some resources are remaining: configmaps. has 1 resource instances",
                "Some content in the namespace has finalizers remaining: lab.example.com/hold in 1 resource instances",
            ]
        );
    }
}
