//! Nodes: their leases and heartbeats, the taints that follow from what they are, and pods that cannot stay.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, ChangeKind, Store, Stored};
use crate::cluster::object::{Key, list, set, text};
use crate::cluster::sim::tools::{
    self, delete, delete_now, event, later, micro_stamp, reference_to, resource, since, stamp, time_of, until,
};
use crate::cluster::sim::view::{Moment, Node, Pod, Taint, is_true, lax, view};
use crate::cluster::sim::{Action, Decision, World};

/// Where the leases of nodes are.
const LEASES: &str = "kube-node-lease";
/// How often a node renews its lease.
const RENEWAL: Duration = Duration::from_secs(10);
/// How often a node reports though nothing has changed.
const HEARTBEAT: Duration = Duration::from_secs(300);

/// How old pods may get without the node that they name.
const QUARANTINE: Duration = Duration::from_secs(40);

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// The conditions of a node that is well.
pub(crate) fn ready_conditions(now: Timestamp) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "lastHeartbeatTime": stamp(now), "lastTransitionTime": stamp(now),
            "reason": reason, "message": message,
        })
    };
    json!([
        condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}

/// The lease of a node; with its uid it goes when the node goes.
fn lease(name: &str, uid: &str, now: Timestamp) -> Value {
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASES},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_stamp(now)},
    });
    if !uid.is_empty() {
        let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}]);
        set(&mut lease, &["metadata", "ownerReferences"], owner);
    }
    lease
}

/// What is to be done about a node.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get("nodes", key) else { return gone(world, key) };
    let Some(node) = view::<Node>(stored) else { return Decision::default() };
    let mut decision = Decision::default();
    if stored.deleting {
        return decision;
    }
    let ready = is_true(&node.status.conditions, "Ready");
    if ready {
        renew_lease(world, stored, &mut decision);
        heartbeat(world, stored, &mut decision);
    } else if node.status.conditions.iter().any(|condition| condition.kind == "Ready") {
        pods_not_ready(world, key, &mut decision);
    }
    let (taints, changed) = wanted_taints(&node, world.now);
    if changed {
        let mut object = stored.value();
        let kept = list(&object, &["spec", "taints"]).iter().filter(|taint| !is_ours(text(taint, &["key"])));
        let mut all: Vec<Value> = kept.cloned().collect();
        all.extend(taints.iter().map(taint_value));
        if all.is_empty() {
            crate::cluster::object::remove(&mut object, &["spec", "taints"]);
        } else {
            set(&mut object, &["spec", "taints"], all);
        }
        if taints.iter().any(|taint| taint.effect == "NoExecute") {
            let message = format!("Node {} status is now: NodeNotReady", key.name);
            decision.actions.push(event(&object, "node-controller", "Normal", "NodeNotReady", message));
        }
        decision.actions.push(Action::Update { resource: resource("nodes"), object });
    }
    evict(world, key, &node, &mut decision);
    decision
}

/// The nodes to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        "nodes" => vec![object.key.clone()],
        "pods" if change.kind != ChangeKind::Deleted => {
            let node = Key::new("", &node_of(object));
            let lost = !node.name.is_empty() && store.get("nodes", &node).is_none();
            if lost { vec![node] } else { Vec::new() }
        }
        "leases.coordination.k8s.io" if change.kind == ChangeKind::Deleted && &*object.key.namespace == LEASES => {
            vec![Key::new("", &object.key.name)]
        }
        _ => Vec::new(),
    }
}

/// The pods that are bound to a node.
pub(crate) fn pods_on<'a>(store: &'a Store, node: &str) -> impl Iterator<Item = (&'a Stored, Pod)> {
    let pods = store.list("pods", "").filter_map(|stored| Some((&**stored, view::<Pod>(stored)?)));
    pods.filter(move |(_, pod)| pod.spec.node_name == node)
}

/// A node that is gone takes its pods along, but for new ones: it may be about to come.
fn gone(world: &World<'_>, key: &Key) -> Decision {
    let mut decision = Decision::default();
    for (stored, pod) in pods_on(world.store, &key.name) {
        let age = pod.metadata.creation_timestamp.0.map_or(QUARANTINE, |made| since(world.now, made));
        if age < QUARANTINE {
            decision.again_in(QUARANTINE - age);
        } else {
            decision.actions.push(delete_now(stored));
        }
    }
    if let Some(lease) = world.store.get("leases.coordination.k8s.io", &Key::new(LEASES, &key.name)) {
        decision.actions.push(delete(lease, ""));
    }
    decision
}

fn renew_lease(world: &World<'_>, node: &Stored, decision: &mut Decision) {
    let name = &*node.key.name;
    let leases = || resource("leases.coordination.k8s.io");
    let Some(stored) = world.store.get("leases.coordination.k8s.io", &Key::new(LEASES, name)) else {
        decision.actions.push(Action::Create { resource: leases(), object: lease(name, &node.uid, world.now) });
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        let about = reference_to("v1", "Node", node);
        decision.actions.push(event(&about, "node-controller", "Normal", "RegisteredNode", message));
        decision.again_in(RENEWAL);
        return;
    };
    if stored.deleting {
        return;
    }
    let mut object = stored.value();
    let renewed = time_of(text(&object, &["spec", "renewTime"])).unwrap_or(Timestamp::MIN);
    let age = since(world.now, renewed);
    if age < RENEWAL {
        decision.again_in(RENEWAL - age);
        return;
    }
    set(&mut object, &["spec", "renewTime"], micro_stamp(world.now));
    decision.actions.push(Action::Update { resource: leases(), object });
    decision.again_in(RENEWAL);
}

fn heartbeat(world: &World<'_>, node: &Stored, decision: &mut Decision) {
    let mut object = node.value();
    let conditions = list(&object, &["status", "conditions"]);
    let ready = conditions.iter().find(|condition| text(condition, &["type"]) == "Ready");
    let last = ready.and_then(|ready| time_of(text(ready, &["lastHeartbeatTime"]))).unwrap_or(Timestamp::MIN);
    let age = since(world.now, last);
    if age < HEARTBEAT {
        decision.again_in(HEARTBEAT - age);
        return;
    }
    if let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.iter_mut().for_each(|condition| set(condition, &["lastHeartbeatTime"], stamp(world.now)));
    }
    decision.actions.push(Action::UpdateStatus { resource: resource("nodes"), object });
    decision.again_in(HEARTBEAT);
}

/// A taint that this controller sets and takes away.
fn is_ours(key: &str) -> bool {
    matches!(key, UNSCHEDULABLE | NOT_READY | UNREACHABLE)
}

/// The taints of ours that a node should have, and whether those are others than it has.
fn wanted_taints(node: &Node, now: Timestamp) -> (Vec<Taint>, bool) {
    let ready = node.status.conditions.iter().find(|condition| condition.kind == "Ready");
    let mut wanted = Vec::new();
    if node.spec.unschedulable {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    match ready.map(|ready| ready.status.as_str()) {
        Some("True") => {}
        Some("False") => wanted.extend([(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
        Some(_) => wanted.extend([(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
        None => wanted.push((NOT_READY, "NoSchedule")),
    }
    let ours: Vec<&Taint> = node.spec.taints.iter().filter(|taint| is_ours(&taint.key)).collect();
    let there = |(key, effect): &(&str, &str)| ours.iter().find(|taint| taint.key == *key && taint.effect == *effect);
    let changed = ours.len() != wanted.len() || wanted.iter().any(|wanted| there(wanted).is_none());
    let taints = wanted.iter().map(|wanted| match there(wanted) {
        Some(taint) => (*taint).clone(),
        None => Taint {
            key: wanted.0.to_owned(),
            value: String::new(),
            effect: wanted.1.to_owned(),
            time_added: Moment(Some(now)),
        },
    });
    (taints.collect(), changed)
}

fn taint_value(taint: &Taint) -> Value {
    let mut value = json!({"key": taint.key, "effect": taint.effect});
    if !taint.value.is_empty() {
        set(&mut value, &["value"], taint.value.as_str());
    }
    if let Some(time) = taint.time_added.0 {
        set(&mut value, &["timeAdded"], stamp(time));
    }
    value
}

/// Pods of a node that nobody hears of are not ready.
fn pods_not_ready(world: &World<'_>, node: &Key, decision: &mut Decision) {
    for (stored, pod) in pods_on(world.store, &node.name).filter(|(_, pod)| pod.is_ready()) {
        if pod.is_over() {
            continue;
        }
        let mut object = stored.value();
        let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
        let ready = conditions.into_iter().flatten().find(|condition| text(condition, &["type"]) == "Ready");
        if let Some(ready) = ready {
            set(ready, &["status"], "False");
            set(ready, &["lastTransitionTime"], stamp(world.now));
            let about = tools::reference(&object);
            let action = event(&about, "node-controller", "Warning", "NodeNotReady", "Node is not ready".to_owned());
            decision.actions.extend([action, Action::UpdateStatus { resource: resource("pods"), object }]);
        }
    }
}

/// How long a pod may stay with taints that evict: `None` for ever.
fn patience(pod: &Pod, taints: &[&Taint], now: Timestamp) -> Option<Timestamp> {
    let mut end: Option<Timestamp> = None;
    for taint in taints {
        let covering: Vec<_> = pod.spec.tolerations.iter().filter(|toleration| toleration.covers(taint)).collect();
        if covering.is_empty() {
            return Some(now);
        }
        let seconds = covering.iter().filter_map(|toleration| toleration.toleration_seconds).min();
        if let Some(seconds) = seconds {
            let added = taint.time_added.0.unwrap_or(now);
            let until = later(added, Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
            end = tools::earlier(end, Some(until));
        }
    }
    end
}

/// Deletes the pods that cannot stay with the node's taints, when their patience is at an end.
fn evict(world: &World<'_>, key: &Key, node: &Node, decision: &mut Decision) {
    let taints: Vec<&Taint> = node.spec.taints.iter().filter(|taint| taint.effect == "NoExecute").collect();
    if taints.is_empty() {
        return;
    }
    for (stored, pod) in pods_on(world.store, &key.name).filter(|(stored, _)| !stored.deleting) {
        let Some(end) = patience(&pod, &taints, world.now) else { continue };
        if end > world.now {
            decision.again_in(until(world.now, end));
            continue;
        }
        let message = format!("Marking for deletion Pod {}", stored.key);
        let about = reference_to("v1", "Pod", stored);
        decision.actions.push(event(&about, "taint-eviction-controller", "Normal", "TaintManagerEviction", message));
        decision.actions.push(delete(stored, ""));
    }
}

/// The name of the node that a pod is bound to; the cheapest look at a pod.
pub(crate) fn node_of(pod: &Stored) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Spec {
        #[serde(deserialize_with = "lax")]
        node_name: String,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Bound {
        spec: Spec,
    }
    view::<Bound>(pod).unwrap_or_default().spec.node_name
}

/// The address that pods of a node's host network have.
pub(crate) fn address_of(node: &Node) -> String {
    let internal = node.status.addresses.iter().find(|address| address.kind == "InternalIP");
    internal.map(|address| address.address.clone()).unwrap_or_default()
}

/// Whether a node is there and its kubelet works.
pub(crate) fn works(node: &Stored) -> Option<Node> {
    let node = view::<Node>(node)?;
    is_true(&node.status.conditions, "Ready").then_some(node)
}
