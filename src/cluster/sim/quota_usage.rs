//! Resource quotas: how much of what is used in a namespace.

use std::time::Duration;

use serde_json::Value;

use super::view::{Pod, view};
use super::{Action, Decision, World};
use crate::cluster::api::admission::quota;
use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{GroupKind, Key, group_of, set, text};

const QUOTAS: &str = "resourcequotas";

/// How often it is counted again in any case: what was let in but then refused is counted until then.
const AGAIN: Duration = Duration::from_secs(300);

/// A quota when it is new or has other limits; those of a namespace when something that they are on goes.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == QUOTAS {
        let before = change.previous.as_ref().filter(|_| change.kind == ChangeKind::Modified);
        let same = before.is_some_and(|before| before.value().get("spec") == object.value().get("spec"));
        return if same { Vec::new() } else { vec![object.key.clone()] };
    }
    if store.count(QUOTAS) == 0 || !frees(change) {
        return Vec::new();
    }
    let (plural, group) = object.resource.split_once('.').unwrap_or((&object.resource, ""));
    // The kind's own name does not matter for what it is counted as.
    let kind = GroupKind::new(group, "");
    let quotas = store.list(QUOTAS, &object.key.namespace);
    quotas.filter(|quota| quota::concerns(&quota.value(), &kind, plural)).map(|quota| quota.key.clone()).collect()
}

/// Whether a change may leave less used. What is new, or grows, was counted when it was let in.
fn frees(change: &Change) -> bool {
    let object = &change.object;
    match (change.kind, &*object.resource) {
        (_, "events") => false,
        (ChangeKind::Deleted, _) | (ChangeKind::Modified, "services" | "persistentvolumeclaims") => true,
        (ChangeKind::Modified, "pods") => {
            let over = |pod: &Stored| view::<Pod>(pod).is_some_and(|pod| pod.is_over());
            over(object) && !change.previous.as_ref().is_some_and(|before| over(before))
        }
        _ => false,
    }
}

/// Counts again.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(QUOTAS, key) else { return Decision::default() };
    let again = Some(AGAIN);
    let mut quota = stored.value();
    let resources: Vec<_> = world.store.resources().cloned().collect();
    let there = resources.iter().flat_map(|resource| world.store.list(resource, &key.namespace));
    let objects: Vec<(GroupKind, &str, Value)> = there
        .map(|object| {
            let value = object.value();
            let kind = GroupKind::new(group_of(text(&value, &["apiVersion"])), text(&value, &["kind"]));
            let plural = object.resource.split('.').next().unwrap_or_default();
            (kind, plural, value)
        })
        .collect();
    let status = quota::recount(&quota, objects.iter().map(|(kind, plural, value)| (kind, *plural, value)));
    if quota.get("status") == Some(&status) {
        return Decision { actions: Vec::new(), again };
    }
    set(&mut quota, &["status"], status);
    Decision { actions: vec![Action::UpdateStatus { resource: QUOTAS.into(), object: quota }], again }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;
    use serde_json::json;

    #[test]
    fn what_is_there_is_counted() {
        let mut store = Store::default();
        let quota = json!({"kind": "ResourceQuota", "apiVersion": "v1", "metadata": {"name": "q", "namespace": "n", "uid": "q"},
            "spec": {"hard": {"configmaps": "2"}}});
        store.put(&QUOTAS.into(), quota);
        let map =
            json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m", "namespace": "n", "uid": "m"}});
        store.put(&"configmaps".into(), map);
        let decided = fixtures::with_world(&store, |world| reconcile(world, &Key::new("n", "q")).actions);
        let [Action::UpdateStatus { object, .. }] = decided.as_slice() else { panic!("{decided:?}") };
        assert_eq!(object["status"], json!({"hard": {"configmaps": "2"}, "used": {"configmaps": "1"}}));
    }

    #[test]
    fn quotas_are_looked_at_when_less_is_used() {
        let mut store = Store::default();
        let meta = |name: &str| json!({"name": name, "namespace": "n", "uid": name});
        let quota = |hard: &str, used: &str| {
            json!({"kind": "ResourceQuota", "apiVersion": "v1", "metadata": meta("q"),
                "spec": {"hard": {"pods": hard}}, "status": {"used": {"pods": used}}})
        };
        let pod =
            |phase: &str| json!({"kind": "Pod", "apiVersion": "v1", "metadata": meta("p"), "status": {"phase": phase}});
        let mut woken = |name: &str, object: Value| {
            let before = store.revision();
            store.put(&name.into(), object);
            let changes = store.since(before).into_iter().flatten();
            changes.map(|change| wake(change, &store).len()).sum::<usize>()
        };
        assert_eq!(woken(QUOTAS, quota("2", "0")), 1);
        assert_eq!(woken(QUOTAS, quota("2", "1")), 0, "only another use");
        assert_eq!(woken(QUOTAS, quota("3", "1")), 1);
        assert_eq!(woken("pods", pod("Pending")), 0, "it was counted when it was let in");
        assert_eq!(woken("pods", pod("Running")), 0);
        assert_eq!(woken("pods", pod("Failed")), 1);
        assert_eq!(woken("services", json!({"kind": "Service", "apiVersion": "v1", "metadata": meta("s")})), 0);
        assert_eq!(
            woken("services", json!({"kind": "Service", "apiVersion": "v1", "metadata": meta("s"), "spec": {}})),
            0,
            "nothing of it is limited"
        );
        let before = store.revision();
        store.delete("pods", &Key::new("n", "p"));
        let changes = store.since(before).into_iter().flatten();
        assert_eq!(changes.map(|change| wake(change, &store).len()).sum::<usize>(), 1);
    }
}
