//! Disruption budgets: how many pods of a set may be taken away on purpose.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, entry, int, map, set, text};
use crate::cluster::sim::condition::{self, New};
use crate::cluster::sim::matching::Selector;
use crate::cluster::sim::tools::{event, later, resource, time_of, until};
use crate::cluster::sim::view::{Pod, view};
use crate::cluster::sim::{Action, Decision, World};

const BUDGETS: &str = "poddisruptionbudgets.policy";
const SOURCE: &str = "controllermanager";

/// Kinds that own pods and say how many there should be.
const SCALED: [(&str, &str); 4] = [
    ("ReplicaSet", "replicasets.apps"),
    ("StatefulSet", "statefulsets.apps"),
    ("ReplicationController", "replicationcontrollers"),
    ("Deployment", "deployments.apps"),
];

/// How long an eviction that was granted counts, though the pod is still there.
const DISRUPTED: std::time::Duration = std::time::Duration::from_secs(120);

#[derive(Default, Deserialize)]
struct Selected {
    spec: Option<SelectedSpec>,
}

#[derive(Default, Deserialize)]
struct SelectedSpec {
    selector: Option<Selector>,
}

/// Counts the pods of a budget.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let mut decision = Decision::default();
    let Some(stored) = world.store.get(BUDGETS, key) else { return decision };
    if stored.deleting {
        return decision;
    }
    let pods = pods(world.store, stored);
    let mut object = stored.value();
    let disrupted = disrupted(&object, &pods, world, &mut decision);
    let healthy = pods
        .iter()
        .filter(|(stored, pod)| !stored.deleting && pod.is_ready() && !disrupted.contains_key(&*stored.key.name))
        .count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let (expected, desired) = expected(world.store, &object, &pods);
    let allowed = if expected <= 0 { 0 } else { healthy.saturating_sub(desired).max(0) };
    let before = at(&object, &["status"]).cloned().unwrap_or_default();
    if pods.is_empty() && before.get("observedGeneration").is_none() {
        let message = "No matching pods found".to_owned();
        decision.actions.push(event(&object, SOURCE, "Normal", "NoPods", message));
    }
    for (name, number) in [
        ("currentHealthy", healthy),
        ("desiredHealthy", desired),
        ("disruptionsAllowed", allowed),
        ("expectedPods", expected),
        ("observedGeneration", int(&object, &["metadata", "generation"]).unwrap_or(1)),
    ] {
        set(&mut object, &["status", name], number);
    }
    let left: serde_json::Map<_, _> = disrupted.into_iter().map(|(name, time)| (name, time.into())).collect();
    if left.is_empty() {
        crate::cluster::object::remove(&mut object, &["status", "disruptedPods"]);
    } else {
        set(&mut object, &["status", "disruptedPods"], left);
    }
    let new = New {
        kind: "DisruptionAllowed",
        holds: allowed > 0,
        reason: if allowed > 0 { "SufficientPods" } else { "InsufficientPods" },
        generation: int(&object, &["metadata", "generation"]),
        wordy: true,
        ..New::default()
    };
    condition::put(&mut object, &new, world.now);
    if *entry(&mut object, &["status"]) != before {
        decision.actions.push(Action::UpdateStatus { resource: resource(BUDGETS), object });
    }
    decision
}

/// The budgets to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        BUDGETS => vec![object.key.clone()],
        "pods" => {
            let concerns = |budget: &Stored| {
                let selector = selector(budget);
                let fits = |pod: &Stored| selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels));
                fits(object) || change.previous.as_ref().is_some_and(|pod| fits(pod))
            };
            let budgets = store.list(BUDGETS, &object.key.namespace);
            budgets.filter(|budget| concerns(budget)).map(|budget| budget.key.clone()).collect()
        }
        name if SCALED.iter().any(|(_, resource)| *resource == name) => {
            store.list(BUDGETS, &object.key.namespace).map(|budget| budget.key.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn selector(budget: &Stored) -> Option<Selector> {
    view::<Selected>(budget)?.spec?.selector
}

fn pods<'a>(store: &'a Store, budget: &Stored) -> Vec<(&'a Stored, Pod)> {
    let Some(selector) = selector(budget) else { return Vec::new() };
    let pods = store.list("pods", &budget.key.namespace).filter(|pod| selector.matches(&pod.labels));
    pods.filter_map(|stored| Some((&**stored, view::<Pod>(stored)?))).collect()
}

/// The pods whose eviction was granted a moment ago.
fn disrupted(
    object: &Value,
    pods: &[(&Stored, Pod)],
    world: &World<'_>,
    decision: &mut Decision,
) -> BTreeMap<String, String> {
    let mut left = BTreeMap::new();
    for (name, time) in map(object, &["status", "disruptedPods"]).into_iter().flatten() {
        let there = pods.iter().any(|(stored, _)| *stored.key.name == **name && !stored.deleting);
        let Some(granted) = time.as_str().and_then(time_of) else { continue };
        let end = later(granted, DISRUPTED);
        if there && end > world.now {
            decision.again_in(until(world.now, end));
            left.insert(name.clone(), time.as_str().unwrap_or("").to_owned());
        }
    }
    left
}

/// How many pods there should be, and how many of them healthy.
fn expected(store: &Store, budget: &Value, pods: &[(&Stored, Pod)]) -> (i64, i64) {
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let least = at(budget, &["spec", "minAvailable"]);
    let most = at(budget, &["spec", "maxUnavailable"]);
    match (least, most) {
        (Some(Value::Number(least)), _) => (count, least.as_i64().unwrap_or(0)),
        (Some(share), _) => {
            let scale = scale(store, pods);
            (scale, share_of(share, scale))
        }
        (None, Some(most)) => {
            let scale = scale(store, pods);
            (scale, scale.saturating_sub(share_of(most, scale)).max(0))
        }
        (None, None) => (count, 0),
    }
}

/// A number, or a percentage of `all` rounded up.
pub(crate) fn share_of(share: &Value, all: i64) -> i64 {
    match share {
        Value::Number(number) => number.as_i64().unwrap_or(0),
        Value::String(text) => {
            let percent = text.strip_suffix('%').and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            (all.saturating_mul(percent).saturating_add(99)).div_euclid(100)
        }
        _ => 0,
    }
}

/// How many pods their owners want in all.
fn scale(store: &Store, pods: &[(&Stored, Pod)]) -> i64 {
    let mut owners: BTreeMap<&str, i64> = BTreeMap::new();
    for (stored, _) in pods {
        // The deployment above a replica set says how many there should be in all.
        let owner = owner_of(store, stored).map(|owner| owner_of(store, owner).unwrap_or(owner));
        if let Some(owner) = owner {
            owners.entry(&owner.uid).or_insert_with(|| int(&owner.value(), &["spec", "replicas"]).unwrap_or(1));
        }
    }
    owners.values().fold(0i64, |sum, replicas| sum.saturating_add(*replicas))
}

/// The object that controls another one and says how many of it there should be.
fn owner_of<'a>(store: &'a Store, owned: &Stored) -> Option<&'a Stored> {
    let owner = owned.controller()?;
    let (_, resource) = SCALED.iter().find(|(kind, _)| **kind == *owner.kind)?;
    let found = store.get(resource, &Key::new(&owned.key.namespace, &owner.name))?;
    (found.uid == owner.uid).then_some(&**found)
}

/// Notes in a budget that a pod's eviction was granted; the refusal says why not.
pub fn grant(budget: &mut Value, pod: &str, now: jiff::Timestamp) -> Result<(), String> {
    let name = text(budget, &["metadata", "name"]).to_owned();
    let number = |member: &str| int(budget, &["status", member]).unwrap_or(0);
    let (allowed, desired, healthy) =
        (number("disruptionsAllowed"), number("desiredHealthy"), number("currentHealthy"));
    if allowed <= 0 {
        return Err(format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"));
    }
    set(budget, &["status", "disruptionsAllowed"], allowed - 1);
    let disrupted = entry(budget, &["status", "disruptedPods"]);
    if !disrupted.is_object() {
        *disrupted = json!({});
    }
    set(disrupted, &[pod], crate::cluster::sim::tools::stamp(now));
    Ok(())
}
