//! The end of namespaces: everything in one is deleted, then the namespace itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, list, set, text};
use crate::cluster::sim::condition::{self, New};
use crate::cluster::sim::tools::{delete, resource};
use crate::cluster::sim::{Action, Decision, World};

/// The finalizer in `spec.finalizers` that this controller is.
const KUBERNETES: &str = "kubernetes";

/// What is to be done about a namespace, whose key has no namespace.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let mut decision = Decision::default();
    let Some(stored) = world.store.get("namespaces", key).filter(|namespace| namespace.deleting) else {
        return decision;
    };
    let mut object = stored.value();
    let held = list(&object, &["spec", "finalizers"]).iter().any(|one| one.as_str() == Some(KUBERNETES));
    if !held {
        return decision;
    }
    let content = content(world.store, &key.name);
    let doomed: Vec<_> = content.iter().filter(|object| !object.deleting).map(|object| delete(object, "")).collect();
    if !doomed.is_empty() {
        // What then remains, behind finalizers or grace, is told in the next look.
        if text(&object, &["status", "phase"]) != "Terminating" {
            set(&mut object, &["status", "phase"], "Terminating");
            decision.actions.push(Action::UpdateStatus { resource: resource("namespaces"), object });
        }
        decision.actions.extend(doomed);
        return decision;
    }
    if content.is_empty() {
        let kept: Vec<Value> = list(&object, &["spec", "finalizers"])
            .iter()
            .filter(|one| one.as_str() != Some(KUBERNETES))
            .cloned()
            .collect();
        set(&mut object, &["spec", "finalizers"], kept);
        decision.actions.push(Action::Finalize { object });
        return decision;
    }
    if tell(&mut object, &content, world) {
        decision.actions.push(Action::UpdateStatus { resource: resource("namespaces"), object });
    }
    decision
}

/// The namespaces to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == "namespaces" {
        let dying = object.deleting && change.kind != ChangeKind::Deleted;
        return if dying { vec![object.key.clone()] } else { Vec::new() };
    }
    if object.key.namespace.is_empty() {
        return Vec::new();
    }
    let key = Key::new("", &object.key.namespace);
    let dying = store.get("namespaces", &key).is_some_and(|namespace| namespace.deleting);
    if dying { vec![key] } else { Vec::new() }
}

/// All that is in a namespace.
fn content<'a>(store: &'a Store, namespace: &str) -> Vec<&'a Stored> {
    let mut resources: Vec<_> = store.resources().cloned().collect();
    resources.sort();
    resources.iter().flat_map(|name| store.list(name, namespace).map(|stored| &**stored)).collect()
}

/// Writes what remains into the conditions.
fn tell(object: &mut Value, content: &[&Stored], world: &World<'_>) -> bool {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for stored in content {
        let (plural, group) = stored.resource.split_once('.').unwrap_or((&stored.resource, ""));
        *kinds.entry(format!("{plural}.{group}")).or_default() += 1;
        if stored.finalized {
            let value = stored.value();
            for finalizer in list(&value, &["metadata", "finalizers"]).iter().filter_map(Value::as_str) {
                *finalizers.entry(finalizer.to_owned()).or_default() += 1;
            }
        }
    }
    let listed = |counts: &BTreeMap<String, usize>, word: &str| {
        let parts: Vec<_> =
            counts.iter().map(|(name, count)| format!("{name} {word} {count} resource instances")).collect();
        parts.join(", ")
    };
    let remaining = format!("Some resources are remaining: {}", listed(&kinds, "has"));
    let holding = format!("Some content in the namespace has finalizers remaining: {}", listed(&finalizers, "in"));
    let held = !finalizers.is_empty();
    let conditions = [
        ("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            false,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            false,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", true, "SomeResourcesRemain", &*remaining),
        (
            "NamespaceFinalizersRemaining",
            held,
            if held { "SomeFinalizersRemain" } else { "ContentHasNoFinalizers" },
            if held { &*holding } else { "All content-preserving finalizers finished" },
        ),
    ];
    let mut changed = text(object, &["status", "phase"]) != "Terminating";
    set(object, &["status", "phase"], "Terminating");
    for (kind, holds, reason, message) in conditions {
        let new = New { kind, holds, reason, message, ..New::default() };
        changed |= condition::put(object, &new, world.now);
    }
    changed
}
