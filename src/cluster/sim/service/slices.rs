//! Endpoint slices: a hundred endpoints in each, of pods with the same ports.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{at, map, set};
use crate::cluster::sim::tools::{delete, resource, stamp};
use crate::cluster::sim::{Action, Decision, World};

use super::{Backend, SERVICE_NAME, SLICES, Service, Target, trigger_time};

/// The label that says who keeps a slice.
const MANAGED: &str = "endpointslice.kubernetes.io/managed-by";
/// How many endpoints one slice has at most.
const SIZE: usize = 100;

/// What a slice holds: endpoints and ports.
pub(super) type Content = (Vec<Value>, Value);

/// Whose slices they are.
pub(super) struct Owner<'a> {
    /// The owner.
    pub(super) stored: &'a Stored,
    /// Its kind.
    pub(super) kind: &'static str,
    /// Who keeps the slices.
    pub(super) keeper: &'static str,
    /// The labels that its slices have besides those that all have.
    pub(super) labels: Value,
    /// When what they hold came about.
    pub(super) trigger: Option<Timestamp>,
}

/// Makes the service's slices hold its backends.
pub(super) fn write(
    world: &World<'_>,
    service: &Stored,
    view: &Service,
    backends: &[Backend],
    decision: &mut Decision,
) {
    let mut labels = labels_of(service);
    if view.spec.cluster_ip == "None" {
        set(&mut labels, &["service.kubernetes.io/headless"], "");
    }
    let trigger = trigger_time(view, backends);
    let keeper = "endpointslice-controller.k8s.io";
    let owner = Owner { stored: service, kind: "Service", keeper, labels, trigger };
    sync(world, owner, contents(backends), decision);
}

/// The labels of an object.
pub(super) fn labels_of(stored: &Stored) -> Value {
    let labels = stored.labels.iter().map(|(name, value)| (name.to_string(), Value::from(&**value)));
    Value::Object(labels.collect())
}

/// Makes an owner's slices hold just these contents.
pub(super) fn sync(world: &World<'_>, mut owner: Owner<'_>, mut wanted: Vec<Content>, decision: &mut Decision) {
    set(&mut owner.labels, &[MANAGED], owner.keeper);
    set(&mut owner.labels, &[SERVICE_NAME], &*owner.stored.key.name);
    let own = |slice: &&Stored| *slice.resource == *SLICES && slice.label(MANAGED) == Some(owner.keeper);
    let mut spare = Vec::new();
    // Slices that hold the right thing stay; the others are written over or go.
    for slice in world.store.owned_by(&owner.stored.uid).map(|slice| &**slice).filter(own) {
        let object = slice.value();
        match wanted.iter().position(|content| holds(&object, content, &owner.labels)) {
            Some(at) => drop(wanted.remove(at)),
            None => spare.push((slice, object)),
        }
    }
    spare.retain(|(slice, _)| !slice.deleting);
    let mut spare = spare.into_iter();
    for content in wanted {
        let resource = resource(SLICES);
        decision.actions.push(match spare.next() {
            Some((_, object)) => Action::Update { resource, object: filled(object, &owner, content) },
            None => Action::Create { resource, object: filled(empty(&owner), &owner, content) },
        });
    }
    decision.actions.extend(spare.map(|(slice, _)| delete(slice, "")));
}

fn contents(backends: &[Backend]) -> Vec<Content> {
    let mut groups: BTreeMap<&[Target], Vec<Value>> = BTreeMap::new();
    for backend in backends {
        groups.entry(&backend.targets).or_default().push(endpoint(backend));
    }
    let mut contents = Vec::new();
    for (targets, endpoints) in groups {
        let ports = Value::Array(targets.iter().map(|target| target.value(true)).collect());
        contents.extend(endpoints.chunks(SIZE).map(|chunk| (chunk.to_vec(), ports.clone())));
    }
    if contents.is_empty() {
        // Nobody's ports are not known.
        contents.push((Vec::new(), Value::Null));
    }
    contents
}

fn endpoint(backend: &Backend) -> Value {
    let mut endpoint = json!({
        "addresses": [backend.address],
        "conditions": {"ready": backend.ready, "serving": backend.serving, "terminating": backend.terminating},
    });
    if !backend.hostname.is_empty() {
        set(&mut endpoint, &["hostname"], backend.hostname.as_str());
    }
    set(&mut endpoint, &["nodeName"], backend.node.as_str());
    set(&mut endpoint, &["targetRef"], backend.target_ref());
    endpoint
}

fn holds(object: &Value, (endpoints, ports): &Content, labels: &Value) -> bool {
    let list = |name: &str| at(object, &[name]).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list("endpoints") == endpoints.as_slice()
        && list("ports") == ports.as_array().map_or(&[][..], Vec::as_slice)
        && map(object, &["metadata", "labels"]) == labels.as_object()
}

fn empty(owner: &Owner<'_>) -> Value {
    let name = &*owner.stored.key.name;
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{name}-"),
            "namespace": owner.stored.key.namespace,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": owner.kind, "name": name, "uid": owner.stored.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "addressType": "IPv4",
    })
}

fn filled(mut object: Value, owner: &Owner<'_>, (endpoints, ports): Content) -> Value {
    set(&mut object, &["metadata", "labels"], owner.labels.clone());
    if let Some(time) = owner.trigger {
        let name = "endpoints.kubernetes.io/last-change-trigger-time";
        set(&mut object, &["metadata", "annotations", name], stamp(time));
    }
    set(&mut object, &["endpoints"], if endpoints.is_empty() { Value::Null } else { endpoints.into() });
    set(&mut object, &["ports"], ports);
    object
}
