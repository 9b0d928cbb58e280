//! Disruption budgets: how many pods are healthy, how many have to be.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tools::{since, stamp, time_of};
use super::{Action, Decision, World};
use crate::cluster::api::selector::matches_selector;
use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, int, list, map, set, text};

const BUDGETS: &str = "poddisruptionbudgets.policy";
/// How long an eviction counts before its pod is seen to go.
const EVICTION_SECONDS: u64 = 120;

/// A budget when it changes, and all of a namespace when a pod or what makes pods does.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        BUDGETS => vec![object.key.clone()],
        "pods" | "deployments.apps" | "replicasets.apps" | "statefulsets.apps" => {
            store.list(BUDGETS, &object.key.namespace).map(|budget| budget.key.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// Counts.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(BUDGETS, key) else { return Decision::default() };
    let mut budget = stored.value();
    let selector = budget["spec"]["selector"].clone();
    let pods: Vec<(&Stored, Value)> = world
        .store
        .list("pods", &key.namespace)
        .filter(|pod| matches_selector(&selector, |name| pod.label(name)))
        .map(|pod| (pod.as_ref(), pod.value()))
        .collect();
    let status = status(world, &budget, &pods);
    if budget.get("status") == Some(&status) {
        return Decision::default();
    }
    set(&mut budget, &["status"], status);
    Decision { actions: vec![Action::UpdateStatus { resource: BUDGETS.into(), object: budget }], again: None }
}

fn status(world: &World<'_>, budget: &Value, pods: &[(&Stored, Value)]) -> Value {
    let evicted: BTreeMap<&str, &Value> = map(budget, &["status", "disruptedPods"])
        .into_iter()
        .flatten()
        .filter(|(name, time)| {
            let waits = pods.iter().any(|(pod, _)| &*pod.key.name == name.as_str() && !pod.deleting);
            let young = time.as_str().and_then(time_of).is_some_and(|then| since(world.now, then).as_secs() < EVICTION_SECONDS);
            waits && young
        })
        .map(|(name, time)| (name.as_str(), time))
        .collect();
    let healthy = pods.iter().filter(|(pod, value)| {
        !pod.deleting && is_ready(value) && !evicted.contains_key(&*pod.key.name)
    });
    let healthy = i64::try_from(healthy.count()).unwrap_or(i64::MAX);
    let (expected, wanted) = expected(world.store, budget, pods);
    let allowed = if expected > 0 { (healthy - wanted).max(0) } else { 0 };
    let generation = int(budget, &["metadata", "generation"]).unwrap_or(0);
    let (holds, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let before = list(budget, &["status", "conditions"]);
    let before = before.iter().find(|old| text(old, &["type"]) == "DisruptionAllowed" && text(old, &["status"]) == holds);
    let since = before.map_or_else(|| stamp(world.now), |old| text(old, &["lastTransitionTime"]).to_owned());
    let mut status = json!({
        "conditions": [{
            "type": "DisruptionAllowed", "status": holds, "observedGeneration": generation,
            "lastTransitionTime": since, "reason": reason, "message": "",
        }],
        "currentHealthy": healthy, "desiredHealthy": wanted, "disruptionsAllowed": allowed, "expectedPods": expected,
        "observedGeneration": generation,
    });
    if !evicted.is_empty() {
        status["disruptedPods"] = json!(evicted);
    }
    status
}

/// How many pods there should be, and how many of them have to be healthy.
fn expected(store: &Store, budget: &Value, pods: &[(&Stored, Value)]) -> (i64, i64) {
    let there = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    if let Some(most) = at(budget, &["spec", "maxUnavailable"]) {
        let asked = asked_for(store, pods);
        return (asked, (asked - share(most, asked)).max(0));
    }
    match at(budget, &["spec", "minAvailable"]) {
        Some(least @ Value::String(_)) => {
            let asked = asked_for(store, pods);
            (asked, share(least, asked))
        }
        Some(least) => (there, least.as_i64().unwrap_or(0)),
        None => (there, 1),
    }
}

/// How many pods the controllers of these pods are asked for.
fn asked_for(store: &Store, pods: &[(&Stored, Value)]) -> i64 {
    let mut asked: BTreeMap<&str, i64> = BTreeMap::new();
    for (pod, _) in pods {
        let Some(mut maker) = pod.controller().and_then(|owner| store.by_uid(&owner.uid)) else { continue };
        if let Some(above) = maker.controller().and_then(|owner| store.by_uid(&owner.uid)) {
            maker = above;
        }
        asked.entry(&maker.uid).or_insert_with(|| int(&maker.value(), &["spec", "replicas"]).unwrap_or(1));
    }
    asked.values().sum()
}

/// A number, or a percentage of a whole rounded up.
fn share(value: &Value, whole: i64) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    match percent {
        Some(percent) => (whole.saturating_mul(percent) + 99).div_euclid(100),
        None => value.as_i64().unwrap_or(0),
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = list(pod, &["status", "conditions"]);
    conditions.iter().any(|condition| text(condition, &["type"]) == "Ready" && text(condition, &["status"]) == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::fixtures;

    fn counted(spec: Value, ready: &[bool]) -> Value {
        let mut store = Store::default();
        let selector = json!({"matchLabels": {"app": "web"}});
        let mut budget = json!({"kind": "PodDisruptionBudget", "apiVersion": "policy/v1",
            "metadata": {"name": "b", "namespace": "n", "uid": "b", "generation": 1}, "spec": spec});
        budget["spec"]["selector"] = selector;
        store.put(&BUDGETS.into(), budget);
        let set = json!({"kind": "ReplicaSet", "metadata": {"name": "s", "namespace": "n", "uid": "s"}, "spec": {"replicas": 4}});
        store.put(&"replicasets.apps".into(), set);
        for (index, ready) in ready.iter().enumerate() {
            let status = if *ready { "True" } else { "False" };
            let owners = json!([{"kind": "ReplicaSet", "name": "s", "uid": "s", "controller": true}]);
            let name = format!("p{index}");
            let pod = json!({"kind": "Pod", "metadata": {"name": name, "namespace": "n", "uid": name, "labels": {"app": "web"}, "ownerReferences": owners},
                "status": {"conditions": [{"type": "Ready", "status": status}]}});
            store.put(&"pods".into(), pod);
        }
        let decided = fixtures::with_world(&store, |world| reconcile(world, &Key::new("n", "b")).actions);
        let [Action::UpdateStatus { object, .. }] = decided.as_slice() else { panic!("{decided:?}") };
        object["status"].clone()
    }

    fn numbers(status: &Value) -> [i64; 4] {
        ["expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"].map(|name| status[name].as_i64().unwrap())
    }

    #[test]
    fn budgets_are_counted() {
        let all = [true, true, true, true];
        assert_eq!(numbers(&counted(json!({"minAvailable": 1}), &all)), [4, 4, 1, 3]);
        assert_eq!(numbers(&counted(json!({"minAvailable": "50%"}), &all)), [4, 4, 2, 2]);
        assert_eq!(numbers(&counted(json!({"maxUnavailable": 1}), &all)), [4, 4, 3, 1]);
        assert_eq!(numbers(&counted(json!({"maxUnavailable": 1}), &[true, true, false])), [4, 2, 3, 0]);
        assert_eq!(numbers(&counted(json!({"minAvailable": 1}), &[])), [0, 0, 1, 0]);
    }
}
