//! What every namespace gets: the service account `default` and the root certificates.

use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store};
use crate::cluster::object::{Key, at, set, text};
use crate::cluster::sim::tools::resource;
use crate::cluster::sim::{Action, Decision, World};

/// The config map with the root certificates.
const CERTIFICATES: &str = "kube-root-ca.crt";

const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
                           endpoints such as the internal service IP or kubernetes.default.svc. No other usage is \
                           guaranteed across distributions of Kubernetes clusters.";

/// The service account `default` of a namespace.
pub(crate) fn default_account(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": namespace},
    })
}

/// The config map of root certificates of a namespace.
pub(crate) fn root_certificates(namespace: &str, certificate: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": CERTIFICATES,
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": DESCRIPTION},
        },
        "data": {"ca.crt": certificate},
    })
}

/// What a namespace, given as a key without a namespace, lacks.
pub fn reconcile(world: &World<'_>, key: &Key, root_certificate: &str) -> Decision {
    let mut decision = Decision::default();
    if world.store.get("namespaces", key).is_none_or(|namespace| namespace.deleting) {
        return decision;
    }
    let namespace = &*key.name;
    if world.store.get("serviceaccounts", &Key::new(namespace, "default")).is_none() {
        decision
            .actions
            .push(Action::Create { resource: resource("serviceaccounts"), object: default_account(namespace) });
    }
    match world.store.get("configmaps", &Key::new(namespace, CERTIFICATES)) {
        None => decision.actions.push(Action::Create {
            resource: resource("configmaps"),
            object: root_certificates(namespace, root_certificate),
        }),
        Some(stored) if !stored.deleting => {
            let mut object = stored.value();
            let same = text(&object, &["data", "ca.crt"]) == root_certificate
                && at(&object, &["data"]).and_then(Value::as_object).is_some_and(|data| data.len() == 1)
                && text(&object, &["metadata", "annotations", "kubernetes.io/description"]) == DESCRIPTION;
            if !same {
                set(&mut object, &["data"], json!({"ca.crt": root_certificate}));
                set(&mut object, &["metadata", "annotations", "kubernetes.io/description"], DESCRIPTION);
                decision.actions.push(Action::Update { resource: resource("configmaps"), object });
            }
        }
        Some(_) => {}
    }
    decision
}

/// The namespaces to look at after a change.
pub fn wake(change: &Change, _store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        "namespaces" if change.kind != ChangeKind::Deleted => vec![object.key.clone()],
        "serviceaccounts" if change.kind == ChangeKind::Deleted && &*object.key.name == "default" => {
            vec![Key::new("", &object.key.namespace)]
        }
        "configmaps" if &*object.key.name == CERTIFICATES => vec![Key::new("", &object.key.namespace)],
        _ => Vec::new(),
    }
}
