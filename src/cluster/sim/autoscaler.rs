//! Horizontal pod autoscalers: how many pods a workload should have, by what its pods use.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, at, entry, int, list, set, text};
use crate::cluster::quantity::Quantity;
use crate::cluster::sim::condition::{self, New};
use crate::cluster::sim::matching::Selector;
use crate::cluster::sim::tools::{event, resource, since, stamp, time_of};
use crate::cluster::sim::view::{Pod, view};
use crate::cluster::sim::{Action, Decision, World};

const AUTOSCALERS: &str = "horizontalpodautoscalers.autoscaling";
const SOURCE: &str = "horizontal-pod-autoscaler";
/// How often an autoscaler looks.
const PERIOD: Duration = Duration::from_secs(15);
/// How long it waits after a change before it makes a workload smaller.
const CALM: i64 = 300;
/// How far off a ratio may be without a change, in hundredths.
const TOLERANCE: i128 = 10;

/// What a pod uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Thousandths of a core.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
}

/// Tells what a pod uses; `None` when nobody measures.
pub type Metrics<'a> = dyn Fn(&Stored) -> Option<Usage> + 'a;

/// The workload that is scaled.
struct Target {
    resource: &'static str,
    key: Key,
    replicas: i64,
    pods: Vec<(Pod, Option<Usage>)>,
}

/// What the metrics say.
struct Proposal {
    replicas: i64,
    /// As `cpu resource utilization (percentage of request)`.
    why: String,
    above: bool,
    current: Vec<Value>,
}

/// Looks at an autoscaler's workload and scales it.
pub fn reconcile(world: &World<'_>, key: &Key, metrics: &Metrics<'_>) -> Decision {
    let mut decision = Decision::default();
    let Some(stored) = world.store.get(AUTOSCALERS, key).filter(|stored| !stored.deleting) else { return decision };
    decision.again_in(PERIOD);
    let mut object = stored.value();
    let before = at(&object, &["status"]).cloned().unwrap_or_default();
    match target(world.store, stored, &object, metrics) {
        Ok(target) => scale(world, &mut object, target, &mut decision),
        Err(why) => {
            let message = format!("the HPA controller was unable to get the target's current scale: {why}");
            if told(&mut object, "AbleToScale", false, "FailedGetScale", &message, world.now) {
                decision.actions.push(event(&object, SOURCE, "Warning", "FailedGetScale", why));
            }
            for member in ["currentReplicas", "desiredReplicas"] {
                let number = int(&object, &["status", member]).unwrap_or(0);
                set(&mut object, &["status", member], number);
            }
        }
    }
    if *entry(&mut object, &["status"]) != before {
        decision.actions.push(Action::UpdateStatus { resource: resource(AUTOSCALERS), object });
    }
    decision
}

/// The autoscalers to look at after a change: new ones and changed ones; the rest is looked at regularly.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        AUTOSCALERS if change.kind != ChangeKind::Deleted => vec![object.key.clone()],
        name @ ("deployments.apps" | "statefulsets.apps" | "replicasets.apps" | "replicationcontrollers") => {
            let about = |autoscaler: &Stored| {
                let reference = at(&autoscaler.value(), &["spec", "scaleTargetRef"]).cloned().unwrap_or_default();
                resource_of(text(&reference, &["kind"])) == Some(name)
                    && text(&reference, &["name"]) == &*object.key.name
            };
            let autoscalers = store.list(AUTOSCALERS, &object.key.namespace);
            autoscalers.filter(|autoscaler| about(autoscaler)).map(|autoscaler| autoscaler.key.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// Puts a condition in; says whether that changed it.
fn told(object: &mut Value, kind: &str, holds: bool, reason: &str, message: &str, now: Timestamp) -> bool {
    condition::put(object, &New { kind, holds, reason, message, ..New::default() }, now)
}

fn resource_of(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" => Some("deployments.apps"),
        "StatefulSet" => Some("statefulsets.apps"),
        "ReplicaSet" => Some("replicasets.apps"),
        "ReplicationController" => Some("replicationcontrollers"),
        _ => None,
    }
}

fn target(store: &Store, stored: &Stored, object: &Value, metrics: &Metrics<'_>) -> Result<Target, String> {
    let (kind, name) =
        (text(object, &["spec", "scaleTargetRef", "kind"]), text(object, &["spec", "scaleTargetRef", "name"]));
    let resource = resource_of(kind).ok_or_else(|| format!("no matches for kind \"{kind}\""))?;
    let key = Key::new(&stored.key.namespace, name);
    let workload = store.get(resource, &key).ok_or_else(|| format!("{resource} \"{name}\" not found"))?.value();
    let selector = at(&workload, &["spec", "selector"]).cloned().unwrap_or_default();
    let selector = Selector::deserialize(selector).map_err(|error| error.to_string())?;
    let pods = store.list("pods", &key.namespace).filter(|pod| selector.matches(&pod.labels) && !pod.deleting);
    let pods = pods.filter_map(|pod| Some((view::<Pod>(pod)?, metrics(pod))));
    let pods = pods.filter(|(pod, _)| !pod.is_over()).collect();
    Ok(Target { resource, key, replicas: int(&workload, &["spec", "replicas"]).unwrap_or(1), pods })
}

fn scale(world: &World<'_>, object: &mut Value, target: Target, decision: &mut Decision) {
    let now = world.now;
    let most = int(object, &["spec", "maxReplicas"]).unwrap_or(1);
    let least = int(object, &["spec", "minReplicas"]).unwrap_or(1);
    let generation = int(object, &["metadata", "generation"]);
    set(object, &["status", "currentReplicas"], target.replicas);
    if let Some(generation) = generation {
        set(object, &["status", "observedGeneration"], generation);
    }
    if target.replicas == 0 && least != 0 {
        set(object, &["status", "desiredReplicas"], 0);
        let able = "the HPA controller was able to get the target's current scale";
        told(object, "AbleToScale", true, "SucceededGetScale", able, now);
        let why = "scaling is disabled since the replica count of the target is zero";
        told(object, "ScalingActive", false, "ScalingDisabled", why, now);
        return;
    }
    let bounds = |wanted: i64| wanted.clamp(least, most.max(least));
    let within = bounds(target.replicas) == target.replicas;
    let proposal = match proposal(object, &target) {
        Ok(proposal) => proposal,
        Err(why) if within => {
            unknown(object, &why, &target, now, decision);
            return;
        }
        Err(_) => Proposal { replicas: target.replicas, why: String::new(), above: false, current: Vec::new() },
    };
    let fast = target.replicas.saturating_mul(2).max(target.replicas.saturating_add(4));
    let mut wanted = bounds(proposal.replicas.min(fast));
    if wanted < target.replicas && target.replicas <= most && !calm(object, now) {
        wanted = target.replicas;
    }
    if within {
        limited(object, &proposal, least, most, now);
    }
    if !proposal.current.is_empty() {
        set(object, &["status", "currentMetrics"], proposal.current.clone());
        let message = format!("the HPA was able to successfully calculate a replica count from {}", proposal.why);
        told(object, "ScalingActive", true, "ValidMetricFound", &message, now);
    }
    set(object, &["status", "desiredReplicas"], wanted);
    if wanted == target.replicas {
        told(object, "AbleToScale", true, "ReadyForNewScale", "recommended size matches current size", now);
        return;
    }
    let message = format!("the HPA controller was able to update the target scale to {wanted}");
    told(object, "AbleToScale", true, "SucceededRescale", &message, now);
    set(object, &["status", "lastScaleTime"], stamp(now));
    let reason = match () {
        () if target.replicas > most => "Current number of replicas above Spec.MaxReplicas".to_owned(),
        () if target.replicas < least => "Current number of replicas below Spec.MinReplicas".to_owned(),
        () if proposal.above => format!("{} above target", proposal.why),
        () => "All metrics below target".to_owned(),
    };
    let message = format!("New size: {wanted}; reason: {reason}");
    decision.actions.push(event(object, SOURCE, "Normal", "SuccessfulRescale", message));
    let patch = json!({"spec": {"replicas": wanted}});
    decision.actions.push(Action::Patch { resource: resource(target.resource), key: target.key, patch });
}

/// Whether the last change is long enough ago to make the workload smaller.
fn calm(object: &Value, now: Timestamp) -> bool {
    let window = int(object, &["spec", "behavior", "scaleDown", "stabilizationWindowSeconds"]).unwrap_or(CALM);
    let last = time_of(text(object, &["status", "lastScaleTime"]))
        .or_else(|| time_of(text(object, &["metadata", "creationTimestamp"])));
    last.is_none_or(|last| since(now, last).as_secs() >= u64::try_from(window).unwrap_or(0))
}

/// Nothing is known of the pods.
fn unknown(object: &mut Value, why: &str, target: &Target, now: Timestamp, decision: &mut Decision) {
    let wanted = int(object, &["status", "desiredReplicas"]).unwrap_or(0);
    set(object, &["status", "desiredReplicas"], wanted);
    let able = "the HPA controller was able to get the target's current scale";
    told(object, "AbleToScale", true, "SucceededGetScale", able, now);
    let message = format!("the HPA was unable to compute the replica count: {why}");
    if told(object, "ScalingActive", false, "FailedGetResourceMetric", &message, now) {
        let metrics = list(object, &["spec", "metrics"]).len();
        let first =
            list(object, &["spec", "metrics"]).first().map(|metric| text(metric, &["resource", "name"]).to_owned());
        let name = first.unwrap_or_default();
        let invalid = format!(
            "invalid metrics ({metrics} invalid out of {metrics}), first error is: failed to get {name} resource metric \
             value: {why}"
        );
        let failures =
            list(object, &["spec", "metrics"]).iter().filter_map(|metric| resource_metric(metric, target).err());
        let told = |why: String| event(object, SOURCE, "Warning", "FailedGetResourceMetric", why);
        decision.actions.extend(failures.map(told));
        decision.actions.push(event(object, SOURCE, "Warning", "FailedComputeMetricsReplicas", invalid));
    }
}

fn limited(object: &mut Value, proposal: &Proposal, least: i64, most: i64, now: Timestamp) {
    let (holds, reason, message) = match proposal.replicas {
        wanted if wanted > most => {
            (true, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        }
        wanted if wanted < least => {
            (true, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
        }
        _ => (false, "DesiredWithinRange", "the desired count is within the acceptable range"),
    };
    told(object, "ScalingLimited", holds, reason, message, now);
}

/// The greatest number of pods that a metric asks for.
fn proposal(object: &Value, target: &Target) -> Result<Proposal, String> {
    let mut best: Option<Proposal> = None;
    for metric in list(object, &["spec", "metrics"]) {
        let one = resource_metric(metric, target)?;
        let current = best.as_mut().map(|best| std::mem::take(&mut best.current)).unwrap_or_default();
        let all = [current, one.current.clone()].concat();
        best = match best {
            Some(best) if best.replicas >= one.replicas => Some(Proposal { current: all, ..best }),
            _ => Some(Proposal { current: all, ..one }),
        };
    }
    best.ok_or_else(|| "no metrics are asked for".to_owned())
}

fn resource_metric(metric: &Value, target: &Target) -> Result<Proposal, String> {
    let name = text(metric, &["resource", "name"]);
    let kind = text(metric, &["type"]);
    if kind != "Resource" {
        return Err(format!("unable to get metric of type {kind}: no metrics are served for it"));
    }
    let share = int(metric, &["resource", "target", "averageUtilization"]);
    let missing = || {
        let what = if share.is_some() { "utilization" } else { "usage" };
        format!(
            "failed to get {name} {what}: unable to get metrics for resource {name}: unable to fetch metrics from resource \
             metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
        )
    };
    let measured = target.pods.iter().filter_map(|(pod, usage)| Some((pod, (*usage)?)));
    let (mut used, mut asked, mut count) = (0i128, 0i128, 0i128);
    for (pod, usage) in measured {
        count += 1;
        used += match name {
            "memory" => i128::from(usage.memory) * 1000,
            _ => i128::from(usage.cpu),
        };
        let requests = pod.spec.containers.iter().map(|container| container.resources.requests.get(name));
        for request in requests {
            let amount = request.and_then(|amount| amount.parse::<Quantity>().ok());
            if share.is_some() && amount.is_none() {
                return Err(format!("failed to get {name} utilization: missing request for {name}"));
            }
            asked += amount.map_or(0, Quantity::in_thousandths);
        }
    }
    if count == 0 {
        return Err(missing());
    }
    let average = used / count;
    let shown = if name == "memory" { Quantity::bytes((average + 999) / 1000) } else { Quantity::thousandths(average) };
    let mut current = json!({"averageValue": shown.to_string()});
    let (value, wanted, why) = match share {
        Some(share) => {
            let utilization = used * 100 / asked.max(1);
            set(&mut current, &["averageUtilization"], i64::try_from(utilization).unwrap_or(i64::MAX));
            (utilization, i128::from(share), format!("{name} resource utilization (percentage of request)"))
        }
        None => {
            let wanted = at(metric, &["resource", "target", "averageValue"]).and_then(Quantity::read);
            let wanted = wanted.map_or(0, Quantity::in_thousandths);
            (average, wanted, format!("{name} resource"))
        }
    };
    let wanted = wanted.max(1);
    let near = (value * 100 / wanted - 100).abs() <= TOLERANCE;
    let replicas = if near { i128::from(target.replicas) } else { (count * value + wanted - 1) / wanted };
    Ok(Proposal {
        replicas: i64::try_from(replicas).unwrap_or(i64::MAX / 4),
        why,
        above: value > wanted,
        current: vec![json!({"type": "Resource", "resource": {"name": name, "current": current}})],
    })
}
