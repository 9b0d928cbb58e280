//! Resource quotas: how much of what is used in a namespace.

use serde_json::Value;

use super::{Action, Decision, World};
use crate::cluster::api::admission::quota;
use crate::cluster::api::store::{Change, ChangeKind, Store};
use crate::cluster::object::{GroupKind, Key, group_of, set, text};

const QUOTAS: &str = "resourcequotas";

/// A quota when it changes; all of a namespace when something in it goes or changes.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == QUOTAS {
        return vec![object.key.clone()];
    }
    // What is new was counted when it was let in.
    let uncounted = change.kind != ChangeKind::Added && &*object.resource != "events";
    if !uncounted || store.count(QUOTAS) == 0 {
        return Vec::new();
    }
    store.list(QUOTAS, &object.key.namespace).map(|quota| quota.key.clone()).collect()
}

/// Counts again.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(QUOTAS, key) else { return Decision::default() };
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
        return Decision::default();
    }
    set(&mut quota, &["status"], status);
    Decision { actions: vec![Action::UpdateStatus { resource: QUOTAS.into(), object: quota }], again: None }
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
}
