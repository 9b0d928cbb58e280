//! The recount of resource quotas: what is used in a namespace, written into their status.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, Map, at, list, map, set, text};
use crate::cluster::sim::quantity::{bytes, cores, thousandths};
use crate::cluster::sim::tools::resource;
use crate::cluster::sim::view::{Pod, lax, view};
use crate::cluster::sim::{Action, Decision, World};

const QUOTAS: &str = "resourcequotas";

/// Counts what is used of each resource in a quota's `spec.hard`; `None` for resources that are not known.
pub type Count<'a> = dyn Fn(&Store, &Value) -> Map + 'a;

/// Writes what is used into a quota.
pub fn reconcile(world: &World<'_>, key: &Key, count: &Count<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(stored) = world.store.get(QUOTAS, key).filter(|stored| !stored.deleting) else { return decision };
    let mut object = stored.value();
    let used = count(world.store, &object);
    let status = json!({"hard": at(&object, &["spec", "hard"]), "used": used});
    if at(&object, &["status"]) != Some(&status) {
        set(&mut object, &["status"], status);
        decision.actions.push(Action::UpdateStatus { resource: resource(QUOTAS), object });
    }
    decision
}

/// The quotas to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    if &*object.resource == QUOTAS {
        return vec![object.key.clone()];
    }
    // What is used changes when something comes or goes, and when a pod ends.
    let counts = change.kind != ChangeKind::Modified
        || matches!(&*object.resource, "pods" | "services" | "persistentvolumeclaims");
    if !counts || object.key.namespace.is_empty() || &*object.resource == "events" || store.count(QUOTAS) == 0 {
        return Vec::new();
    }
    store.list(QUOTAS, &object.key.namespace).map(|quota| quota.key.clone()).collect()
}

/// What is used of each resource that a quota limits.
pub fn used(store: &Store, quota: &Value) -> Map {
    let namespace = text(quota, &["metadata", "namespace"]);
    let hard = map(quota, &["spec", "hard"]);
    let mut used = Map::new();
    let mut pods = None;
    for (name, _) in hard.into_iter().flatten() {
        let pods = pods.get_or_insert_with(|| scoped_pods(store, namespace, quota));
        if let Some(amount) = amount(store, namespace, name, pods) {
            used.insert(name.clone(), amount.into());
        }
    }
    used
}

fn amount(store: &Store, namespace: &str, name: &str, pods: &[Pod]) -> Option<String> {
    let number = |resource: &str| Some(store.list(resource, namespace).count().to_string());
    match name {
        "pods" | "count/pods" => Some(pods.len().to_string()),
        "services"
        | "configmaps"
        | "secrets"
        | "persistentvolumeclaims"
        | "replicationcontrollers"
        | "resourcequotas" => number(name),
        "services.nodeports" | "services.loadbalancers" => Some(service_count(store, namespace, name).to_string()),
        "requests.storage" => Some(bytes(storage(store, namespace))),
        _ => match name.strip_prefix("count/") {
            Some(resource) => number(resource),
            None => compute(name, pods),
        },
    }
}

/// The sum of what pods ask for or are limited to.
fn compute(name: &str, pods: &[Pod]) -> Option<String> {
    let (limits, what) = match name.split_once('.') {
        Some(("limits", what)) => (true, what),
        Some(("requests", what)) => (false, what),
        None if matches!(name, "cpu" | "memory" | "ephemeral-storage") => (false, name),
        _ => return None,
    };
    let one = |pod: &Pod| -> i128 {
        let of = |container: &crate::cluster::sim::view::Container| {
            let amounts = if limits { &container.resources.limits } else { &container.resources.requests };
            amounts.get(what).and_then(|amount| thousandths(amount)).unwrap_or(0)
        };
        let together: i128 = pod.spec.containers.iter().map(of).sum();
        pod.spec.init_containers.iter().map(of).max().unwrap_or(0).max(together)
    };
    let sum = pods.iter().map(one).sum();
    Some(if what == "cpu" || !matches!(what, "memory" | "ephemeral-storage" | "storage") {
        cores(sum)
    } else {
        bytes(sum)
    })
}

fn service_count(store: &Store, namespace: &str, name: &str) -> usize {
    let services = store.list("services", namespace).map(|service| service.value());
    let balanced = |service: &Value| text(service, &["spec", "type"]) == "LoadBalancer";
    if name == "services.loadbalancers" {
        return services.filter(balanced).count();
    }
    let ports = services.map(|service| {
        let ports = list(&service, &["spec", "ports"]);
        ports.iter().filter(|port| at(port, &["nodePort"]).and_then(Value::as_u64).is_some_and(|port| port > 0)).count()
    });
    ports.sum()
}

fn storage(store: &Store, namespace: &str) -> i128 {
    let claims = store.list("persistentvolumeclaims", namespace).map(|claim| claim.value());
    claims.filter_map(|claim| thousandths(text(&claim, &["spec", "resources", "requests", "storage"]))).sum()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scoped {
    #[serde(deserialize_with = "lax")]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "lax")]
    qos_class: String,
}

/// The pods that a quota's scopes mean and that are not over.
fn scoped_pods(store: &Store, namespace: &str, quota: &Value) -> Vec<Pod> {
    let scopes: Vec<_> = list(quota, &["spec", "scopes"]).iter().filter_map(Value::as_str).collect();
    let counts = |stored: &Stored, pod: &Pod| {
        let best_effort = || view::<Scoped>(stored).unwrap_or_default().status.qos_class == "BestEffort";
        scopes.iter().all(|scope| match *scope {
            "Terminating" => pod.spec.active_deadline_seconds.is_some(),
            "NotTerminating" => pod.spec.active_deadline_seconds.is_none(),
            "BestEffort" => best_effort(),
            "NotBestEffort" => !best_effort(),
            _ => true,
        })
    };
    let pods = store.list("pods", namespace).filter_map(|stored| Some((stored, view::<Pod>(stored)?)));
    pods.filter(|(stored, pod)| !pod.is_over() && counts(stored, pod)).map(|(_, pod)| pod).collect()
}
