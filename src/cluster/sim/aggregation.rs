//! Cluster roles that gather the rules of others by their labels.

use serde_json::Value;

use super::{Action, Decision, World};
use crate::cluster::api::access::aggregated;
use crate::cluster::api::store::{Change, Store};
use crate::cluster::object::{Key, at};

const ROLES: &str = "clusterroles.rbac.authorization.k8s.io";

/// All gathering roles when any role changes.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    if &*change.object.resource != ROLES {
        return Vec::new();
    }
    let gathers = |role: &Value| at(role, &["aggregationRule"]).is_some();
    store.list(ROLES, "").filter(|role| gathers(&role.value())).map(|role| role.key.clone()).collect()
}

/// Gathers.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(ROLES, key) else { return Decision::default() };
    let role = stored.value();
    let all: Vec<Value> = world.store.list(ROLES, "").map(|role| role.value()).collect();
    match aggregated(&role, &all) {
        Some(object) if object != role => {
            Decision { actions: vec![Action::Update { resource: ROLES.into(), object }], again: None }
        }
        _ => Decision::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;
    use serde_json::json;

    #[test]
    fn rules_are_gathered_by_label() {
        let mut store = Store::default();
        let rule = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
        let gatherer = json!({"kind": "ClusterRole", "metadata": {"name": "all", "uid": "all"}, "rules": [],
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"join": "all"}}]}});
        let part = json!({"kind": "ClusterRole", "metadata": {"name": "part", "uid": "part", "labels": {"join": "all"}}, "rules": [rule]});
        store.put(&ROLES.into(), gatherer);
        store.put(&ROLES.into(), part);
        let decided = fixtures::with_world(&store, |world| reconcile(world, &Key::new("", "all")).actions);
        let [Action::Update { object, .. }] = decided.as_slice() else { panic!("{decided:?}") };
        assert_eq!(object["rules"], json!([rule]));
    }
}
