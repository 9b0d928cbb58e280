//! Slices for endpoints that somebody wrote by hand, for services without a selector.

use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{at, list, set, text};
use crate::cluster::sim::{Decision, World};

use super::MANAGED;
use super::slices::{Content, Owner, labels_of, sync};

/// Endpoints with this label are not mirrored: their slices come from elsewhere.
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";

/// Makes slices that say the same as a service's endpoints.
pub(super) fn write(world: &World<'_>, service: &Stored, decision: &mut Decision) {
    let Some(endpoints) = world.store.get("endpoints", &service.key) else { return };
    if endpoints.deleting || endpoints.label(SKIP) == Some("true") || endpoints.label(MANAGED).is_some() {
        return;
    }
    let object = endpoints.value();
    let contents = list(&object, &["subsets"]).iter().map(content).collect();
    let keeper = "endpointslicemirroring-controller.k8s.io";
    let owner = Owner { stored: endpoints, kind: "Endpoints", keeper, labels: labels_of(endpoints), trigger: None };
    sync(world, owner, contents, decision);
}

fn content(subset: &Value) -> Content {
    let of = |member: &str, ready: bool| -> Vec<Value> {
        list(subset, &[member]).iter().map(|address| endpoint(address, ready)).collect()
    };
    let ports = list(subset, &["ports"]).iter().map(|port| {
        let mut port = port.clone();
        crate::cluster::object::set_default(&mut port, &["name"], "");
        port
    });
    ([of("addresses", true), of("notReadyAddresses", false)].concat(), Value::Array(ports.collect()))
}

fn endpoint(address: &Value, ready: bool) -> Value {
    let mut endpoint = json!({"addresses": [text(address, &["ip"])], "conditions": {"ready": ready}});
    for member in ["hostname", "nodeName", "targetRef"] {
        if let Some(value) = at(address, &[member]) {
            set(&mut endpoint, &[member], value.clone());
        }
    }
    endpoint
}
