//! Endpoint slices: a hundred endpoints in each, of pods with the same ports.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{at, map, set};
use crate::cluster::sim::tools::{delete, resource, stamp};
use crate::cluster::sim::{Action, Decision, World};

use super::{Backend, SERVICE_NAME, SLICES, Service, Target, trigger_time};

/// The label that says who keeps a slice, and who we are.
const MANAGED: (&str, &str) = ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
/// How many endpoints one slice has at most.
const SIZE: usize = 100;

/// What a slice holds.
type Content = (Vec<Value>, Value);

/// Makes the service's slices hold just these.
pub(super) fn write(
    world: &World<'_>,
    service: &Stored,
    view: &Service,
    backends: &[Backend],
    decision: &mut Decision,
) {
    let mut wanted = contents(backends);
    let own = |slice: &&Stored| *slice.resource == *SLICES && slice.label(MANAGED.0) == Some(MANAGED.1);
    let mut spare = Vec::new();
    // Slices that hold the right thing stay; the others are written over or go.
    for slice in world.store.owned_by(&service.uid).map(|slice| &**slice).filter(own) {
        let object = slice.value();
        let labels = labels(service, view);
        let held = wanted.iter().position(|content| holds(&object, content, &labels));
        match held {
            Some(at) => drop(wanted.remove(at)),
            None => spare.push((slice, object)),
        }
    }
    spare.retain(|(slice, _)| !slice.deleting);
    let mut spare = spare.into_iter();
    for content in wanted {
        match spare.next() {
            Some((_, mut object)) => {
                fill(&mut object, world, service, view, content, backends);
                decision.actions.push(Action::Update { resource: resource(SLICES), object });
            }
            None => {
                let mut object = empty(service);
                fill(&mut object, world, service, view, content, backends);
                decision.actions.push(Action::Create { resource: resource(SLICES), object });
            }
        }
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

/// The labels of a slice: those of the service and two more.
fn labels(service: &Stored, view: &Service) -> Value {
    let mut labels = json!({});
    for (name, value) in &service.labels {
        set(&mut labels, &[name], &**value);
    }
    set(&mut labels, &[MANAGED.0], MANAGED.1);
    set(&mut labels, &[SERVICE_NAME], &*service.key.name);
    if view.spec.cluster_ip == "None" {
        set(&mut labels, &["service.kubernetes.io/headless"], "");
    }
    labels
}

fn holds(object: &Value, (endpoints, ports): &Content, labels: &Value) -> bool {
    let list = |name: &str| at(object, &[name]).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list("endpoints") == endpoints.as_slice()
        && list("ports") == ports.as_array().map_or(&[][..], Vec::as_slice)
        && map(object, &["metadata", "labels"]) == labels.as_object()
}

fn empty(service: &Stored) -> Value {
    let name = &*service.key.name;
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": format!("{name}-"),
            "namespace": service.key.namespace,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": name, "uid": service.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "addressType": "IPv4",
    })
}

fn fill(
    object: &mut Value,
    world: &World<'_>,
    service: &Stored,
    view: &Service,
    (endpoints, ports): Content,
    backends: &[Backend],
) {
    set(object, &["metadata", "labels"], labels(service, view));
    if let Some(time) = trigger_time(service, world.store, backends) {
        let name = "endpoints.kubernetes.io/last-change-trigger-time";
        set(object, &["metadata", "annotations", name], stamp(time));
    }
    set(object, &["endpoints"], if endpoints.is_empty() { Value::Null } else { endpoints.into() });
    set(object, &["ports"], ports);
}
