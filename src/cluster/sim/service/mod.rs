//! Services: their endpoint slices and endpoints, and addresses of load balancers.

mod endpoints;
mod mirror;
mod slices;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, list, set};
use crate::cluster::sim::matching::matches_all;
use crate::cluster::sim::tools::{delete, event, resource, since};
use crate::cluster::sim::view::{Endpoint, Metadata, lax, view};
use crate::cluster::sim::{Action, Decision, World};

const SLICES: &str = "endpointslices.discovery.k8s.io";
/// The label that names a slice's service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label that says who keeps endpoints.
const MANAGED: &str = "endpoints.kubernetes.io/managed-by";

/// What becomes of services of type `LoadBalancer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadBalancers {
    /// They stay pending, as in a cluster without a cloud.
    #[default]
    Pending,
    /// They get an address after a while.
    Assigned {
        /// How long it takes.
        after: Duration,
    },
}

/// What is read of a service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Service {
    #[serde(deserialize_with = "lax")]
    metadata: Metadata,
    #[serde(deserialize_with = "lax")]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(deserialize_with = "lax")]
    selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "lax")]
    ports: Vec<Port>,
    #[serde(rename = "type", deserialize_with = "lax")]
    kind: String,
    #[serde(rename = "clusterIP", deserialize_with = "lax")]
    cluster_ip: String,
    #[serde(deserialize_with = "lax")]
    publish_not_ready_addresses: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    #[serde(deserialize_with = "lax")]
    name: String,
    #[serde(deserialize_with = "lax")]
    port: u16,
    #[serde(deserialize_with = "lax")]
    protocol: String,
    #[serde(deserialize_with = "lax")]
    app_protocol: String,
    #[serde(deserialize_with = "lax")]
    target_port: Value,
}

/// A port as pods have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    name: String,
    port: u16,
    protocol: String,
    app_protocol: String,
}

/// A pod behind a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Backend {
    address: String,
    ready: bool,
    serving: bool,
    terminating: bool,
    hostname: String,
    node: String,
    pod: Key,
    uid: String,
    /// The ports that the service has on it.
    targets: Vec<Target>,
    /// When it became what it is.
    since: Option<Timestamp>,
}

/// What is to be done about a service.
pub fn reconcile(world: &World<'_>, key: &Key, balancers: LoadBalancers) -> Decision {
    let mut decision = Decision::default();
    let Some(stored) = world.store.get("services", key) else {
        leave(world, key, &mut decision);
        return decision;
    };
    let Some(service) = view::<Service>(stored).filter(|_| !stored.deleting) else { return decision };
    balance(world, stored, &service, balancers, &mut decision);
    if service.spec.kind == "ExternalName" {
        return decision;
    }
    if service.spec.selector.is_empty() {
        mirror::write(world, stored, &mut decision);
        return decision;
    }
    let backends = backends(world.store, stored, &service);
    endpoints::write(world, stored, &service, &backends, &mut decision);
    slices::write(world, stored, &service, &backends, &mut decision);
    decision
}

/// The services to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let object = &change.object;
    match &*object.resource {
        "services" => vec![object.key.clone()],
        "pods" => {
            let labels = [Some(object), change.previous.as_ref()];
            let services = store.list("services", &object.key.namespace);
            let selects = |service: &Stored| {
                let selector = view::<Service>(service).unwrap_or_default().spec.selector;
                let fits = |pod: &Stored| matches_all(&selector, &pod.labels);
                !selector.is_empty() && labels.iter().flatten().any(|pod| fits(pod))
            };
            services.filter(|service| selects(service)).map(|service| service.key.clone()).collect()
        }
        "endpoints" => vec![object.key.clone()],
        SLICES => {
            let service = object.label(SERVICE_NAME);
            service.map(|name| Key::new(&object.key.namespace, name)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A service that is gone leaves nothing behind; its slices go as what it owned.
fn leave(world: &World<'_>, key: &Key, decision: &mut Decision) {
    if let Some(endpoints) = world.store.get("endpoints", key)
        && endpoints.label(MANAGED).is_some()
        && !endpoints.deleting
    {
        decision.actions.push(delete(endpoints, ""));
    }
}

/// The pods behind a service that have an address, sorted by it.
fn backends(store: &Store, stored: &Stored, service: &Service) -> Vec<Backend> {
    let pods = store.list("pods", &stored.key.namespace);
    let selected = pods.filter(|pod| matches_all(&service.spec.selector, &pod.labels));
    let mut backends: Vec<_> = selected.filter_map(|pod| backend(pod, &view(pod)?, stored, service)).collect();
    backends.sort();
    backends
}

fn backend(stored: &Stored, pod: &Endpoint, service_stored: &Stored, service: &Service) -> Option<Backend> {
    if pod.status.pod_ip.is_empty() || matches!(pod.status.phase.as_str(), "Succeeded" | "Failed") {
        return None;
    }
    let ready = pod.status.conditions.iter().find(|condition| condition.kind == "Ready");
    let serving = ready.is_some_and(|ready| ready.status == "True");
    let named = !pod.spec.hostname.is_empty() && *pod.spec.subdomain == *service_stored.key.name;
    Some(Backend {
        address: pod.status.pod_ip.clone(),
        ready: service.spec.publish_not_ready_addresses || serving && !stored.deleting,
        serving,
        terminating: stored.deleting,
        hostname: if named { pod.spec.hostname.clone() } else { String::new() },
        node: pod.spec.node_name.clone(),
        pod: stored.key.clone(),
        uid: stored.uid.to_string(),
        targets: service.spec.ports.iter().filter_map(|port| target(port, pod)).collect(),
        since: ready.and_then(|ready| ready.last_transition_time.0),
    })
}

/// The port of a pod that a service's port leads to; `None` when it is named and the pod has none of that name.
fn target(port: &Port, pod: &Endpoint) -> Option<Target> {
    let protocol = if port.protocol.is_empty() { "TCP" } else { &port.protocol };
    let number = match &port.target_port {
        Value::String(name) => {
            let ports = pod.spec.containers.iter().flat_map(|container| &container.ports);
            let mut named =
                ports.filter(|one| one.name == *name && (one.protocol.is_empty() || one.protocol == protocol));
            named.next()?.container_port
        }
        number => match number.as_u64().and_then(|number| u16::try_from(number).ok()) {
            Some(number) if number > 0 => number,
            _ => port.port,
        },
    };
    Some(Target {
        name: port.name.clone(),
        port: number,
        protocol: protocol.to_owned(),
        app_protocol: port.app_protocol.clone(),
    })
}

impl Target {
    /// As it is in slices and endpoints. Slices name unnamed ports.
    fn value(&self, always_named: bool) -> Value {
        let mut port = json!({});
        if always_named || !self.name.is_empty() {
            set(&mut port, &["name"], self.name.as_str());
        }
        set(&mut port, &["port"], self.port);
        set(&mut port, &["protocol"], self.protocol.as_str());
        if !self.app_protocol.is_empty() {
            set(&mut port, &["appProtocol"], self.app_protocol.as_str());
        }
        port
    }
}

impl Backend {
    /// The reference to the pod.
    fn target_ref(&self) -> Value {
        json!({"kind": "Pod", "name": self.pod.name, "namespace": self.pod.namespace, "uid": self.uid})
    }
}

/// When the newest of the changes happened that brought endpoints about.
fn trigger_time(service: &Service, backends: &[Backend]) -> Option<Timestamp> {
    let pods = backends.iter().filter_map(|backend| backend.since);
    pods.chain(service.metadata.creation_timestamp.0).max()
}

/// Gives a load balancer its address.
fn balance(world: &World<'_>, stored: &Stored, service: &Service, balancers: LoadBalancers, decision: &mut Decision) {
    let LoadBalancers::Assigned { after } = balancers else { return };
    if service.spec.kind != "LoadBalancer" {
        return;
    }
    let mut object = stored.value();
    if !list(&object, &["status", "loadBalancer", "ingress"]).is_empty() {
        return;
    }
    let age = service.metadata.creation_timestamp.0.map_or(after, |made| since(world.now, made));
    if age < after {
        decision.again_in(after - age);
        return;
    }
    // The same last part as the cluster address has: unique as long as that is.
    let last = service.spec.cluster_ip.rsplit('.').next().unwrap_or("1").to_owned();
    let ingress = json!([{"ip": format!("172.18.255.{last}"), "ipMode": "VIP"}]);
    set(&mut object, &["status", "loadBalancer", "ingress"], ingress);
    let message = "Ensured load balancer".to_owned();
    decision.actions.push(event(&object, "service-controller", "Normal", "EnsuredLoadBalancer", message));
    decision.actions.push(Action::UpdateStatus { resource: resource("services"), object });
}
