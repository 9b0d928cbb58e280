//! What every namespace has: a service account and the cluster's root certificate.

use serde_json::{Value, json};

use super::{Action, Decision, World};
use crate::cluster::api::store::{Change, Store};
use crate::cluster::object::{Key, at};

const ACCOUNTS: &str = "serviceaccounts";
const MAPS: &str = "configmaps";
const ROOT: &str = "kube-root-ca.crt";
/// Said of the certificate in each namespace; the real server's own words, which tools show.
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints \
    such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of \
    Kubernetes clusters.";

/// A namespace when it is new, and when it has lost one of the two.
pub fn wake(change: &Change, _: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        "namespaces" => vec![object.key.clone()],
        ACCOUNTS if &*object.key.name == "default" => vec![Key::new("", &object.key.namespace)],
        MAPS if &*object.key.name == ROOT => vec![Key::new("", &object.key.namespace)],
        _ => Vec::new(),
    }
}

/// Makes what is missing.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let store = world.store;
    if store.get("namespaces", key).is_none_or(|namespace| namespace.deleting) {
        return Decision::default();
    }
    let mut actions = Vec::new();
    if store.get(ACCOUNTS, &Key::new(&key.name, "default")).is_none() {
        let object = json!({
            "kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default", "namespace": &*key.name},
        });
        actions.push(Action::Create { resource: ACCOUNTS.into(), object });
    }
    // The certificate comes with the cluster, in this namespace.
    let root = store.get(MAPS, &Key::new("kube-system", ROOT)).map(|map| map.value());
    let data = root.as_ref().and_then(|root| at(root, &["data"])).cloned().unwrap_or_else(|| json!({"ca.crt": ""}));
    if store.get(MAPS, &Key::new(&key.name, ROOT)).is_none() {
        actions.push(Action::Create { resource: MAPS.into(), object: root_map(&key.name, data) });
    }
    Decision { actions, again: None }
}

/// The config map with the root certificate.
pub(crate) fn root_map(namespace: &str, data: Value) -> Value {
    json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {
            "name": ROOT, "namespace": namespace,
            "annotations": {"kubernetes.io/description": DESCRIPTION},
        },
        "data": data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;

    #[test]
    fn a_new_namespace_gets_both_and_keeps_them() {
        let mut store = Store::default();
        let namespace = |name: &str| json!({"kind": "Namespace", "metadata": {"name": name, "uid": name}});
        store.put(&"namespaces".into(), namespace("n"));
        store.put(&MAPS.into(), root_map("kube-system", json!({"ca.crt": "PEM"})));
        let decided = fixtures::with_world(&store, |world| reconcile(world, &Key::new("", "n")).actions);
        let [Action::Create { object: account, .. }, Action::Create { object: map, .. }] = decided.as_slice() else {
            panic!("{decided:?}")
        };
        assert_eq!((&account["metadata"]["name"], &map["data"]["ca.crt"]), (&json!("default"), &json!("PEM")));
        store.put(&ACCOUNTS.into(), account.clone());
        store.put(&MAPS.into(), map.clone());
        assert_eq!(fixtures::with_world(&store, |world| reconcile(world, &Key::new("", "n"))), Decision::default());
    }
}
