//! The old `Endpoints` of a service.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{at, map, set};
use crate::cluster::sim::tools::{resource, stamp};
use crate::cluster::sim::{Action, Decision, World};

use super::{Backend, MANAGED, Service, Target, trigger_time};

/// Makes the endpoints of the service's name say just this.
pub(super) fn write(
    world: &World<'_>,
    service: &Stored,
    view: &Service,
    backends: &[Backend],
    decision: &mut Decision,
) {
    let subsets = subsets(backends);
    let labels = labels(service, view);
    let existing = world.store.get("endpoints", &service.key);
    let mut object = match existing {
        Some(stored) if stored.deleting => return,
        Some(stored) => stored.value(),
        None => json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": service.key.name, "namespace": service.key.namespace},
        }),
    };
    let there = at(&object, &["subsets"]).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if existing.is_some() && there == subsets.as_slice() && map(&object, &["metadata", "labels"]) == labels.as_object()
    {
        return;
    }
    set(&mut object, &["metadata", "labels"], labels);
    if let Some(time) = trigger_time(view, backends) {
        let name = "endpoints.kubernetes.io/last-change-trigger-time";
        set(&mut object, &["metadata", "annotations", name], stamp(time));
    }
    if subsets.is_empty() {
        crate::cluster::object::remove(&mut object, &["subsets"]);
    } else {
        set(&mut object, &["subsets"], subsets);
    }
    let resource = resource("endpoints");
    decision.actions.push(match existing {
        Some(_) => Action::Update { resource, object },
        None => Action::Create { resource, object },
    });
}

fn labels(service: &Stored, view: &Service) -> Value {
    let mut labels = json!({});
    for (name, value) in &service.labels {
        set(&mut labels, &[name], &**value);
    }
    set(&mut labels, &[MANAGED], "endpoint-controller");
    if view.spec.cluster_ip == "None" {
        set(&mut labels, &["service.kubernetes.io/headless"], "");
    }
    labels
}

/// Addresses with the same ports belong together; those that are not ready are listed apart.
fn subsets(backends: &[Backend]) -> Vec<Value> {
    let mut groups: BTreeMap<&[Target], [Vec<Value>; 2]> = BTreeMap::new();
    for backend in backends.iter().filter(|backend| !backend.terminating || backend.ready) {
        let mut address = json!({"ip": backend.address});
        if !backend.hostname.is_empty() {
            set(&mut address, &["hostname"], backend.hostname.as_str());
        }
        set(&mut address, &["nodeName"], backend.node.as_str());
        set(&mut address, &["targetRef"], backend.target_ref());
        groups.entry(&backend.targets).or_default()[usize::from(!backend.ready)].push(address);
    }
    let subset = |(targets, [ready, unready]): (&[Target], [Vec<Value>; 2])| {
        let mut subset = json!({});
        for (name, addresses) in [("addresses", ready), ("notReadyAddresses", unready)] {
            if !addresses.is_empty() {
                set(&mut subset, &[name], addresses);
            }
        }
        if !targets.is_empty() {
            set(&mut subset, &["ports"], targets.iter().map(|target| target.value(false)).collect::<Vec<_>>());
        }
        subset
    };
    groups.into_iter().map(subset).collect()
}
