//! HTTP requests to pods and services.

use serde_json::Value;

use crate::cluster::api::store::{Store, Stored};
use crate::cluster::object::{Key, at, list, map, text};
use crate::cluster::sim::bootstrap::API_ADDRESS;
use crate::cluster::sim::image::http::{HttpAnswer, Request};
use crate::cluster::sim::matching::label;
use crate::cluster::sim::view::{Container, Pod};

use super::process::{Process, Surroundings};

/// What a pod answers on a port; `None` when nothing runs there that could.
pub fn answer(pod: &Value, port: u16, request: &Request<'_>, around: &Surroundings<'_>) -> Option<HttpAnswer> {
    answer_of(&super::pod_of(pod), port, request, around)
}

fn answer_of(pod: &Pod, port: u16, request: &Request<'_>, around: &Surroundings<'_>) -> Option<HttpAnswer> {
    let owns = |container: &&Container| container.ports.iter().any(|owned| owned.container_port == port);
    let container = pod.spec.containers.iter().find(owns).or(pod.spec.containers.first())?;
    let status = pod.status.container_statuses.iter().find(|status| status.name == container.name)?;
    status.state.running.as_ref()?;
    Some(Process::lenient(pod, container, *around).answer(request))
}

/// What somebody in a pod gets from a URL: pods and services are found by name and address.
pub fn reach(from: &Value, url: &str, request: &Request<'_>, around: &Surroundings<'_>) -> Option<HttpAnswer> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let secure = url.starts_with("https://");
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (host, if secure { 443 } else { 80 }),
    };
    let request = Request { path: if path.starts_with('/') { path } else { "/" }, ..*request };
    if matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0") {
        return answer(from, port, &request, around);
    }
    let store = around.store?;
    if let Some(pod) = store.list("pods", "").map(|pod| pod.value()).find(|pod| text(pod, &["status", "podIP"]) == host)
    {
        return answer(&pod, port, &request, around);
    }
    let service = service(store, host, text(from, &["metadata", "namespace"]))?;
    if text(&service.value(), &["spec", "clusterIP"]) == API_ADDRESS {
        let body = "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Unauthorized\",\"code\":401}\n".to_owned();
        return Some(HttpAnswer { status: 401, headers: Vec::new(), body, latency: std::time::Duration::ZERO });
    }
    behind(store, service, port, &request, around)
}

/// The service of a name or address, as pods of a namespace see it.
fn service<'a>(store: &'a Store, host: &str, namespace: &str) -> Option<&'a Stored> {
    let name = host.trim_end_matches('.').trim_end_matches(".cluster.local").trim_end_matches(".svc");
    let (name, namespace) = name.split_once('.').unwrap_or((name, namespace));
    if let Some(service) = store.get("services", &Key::new(namespace, name)) {
        return Some(service);
    }
    let services = store.list("services", "");
    services.map(|service| &**service).find(|service| text(&service.value(), &["spec", "clusterIP"]) == host)
}

/// What one of the ready pods behind a service answers.
fn behind(
    store: &Store,
    service: &Stored,
    port: u16,
    request: &Request<'_>,
    around: &Surroundings<'_>,
) -> Option<HttpAnswer> {
    let object = service.value();
    let ports = list(&object, &["spec", "ports"]);
    let wanted = ports.iter().find(|one| at(one, &["port"]).and_then(Value::as_u64) == Some(u64::from(port)))?;
    let selector = map(&object, &["spec", "selector"]).filter(|selector| !selector.is_empty())?;
    let selected = |pod: &Stored| selector.iter().all(|(name, value)| label(&pod.labels, name) == value.as_str());
    let pods = store.list("pods", &service.key.namespace).filter(|pod| selected(pod) && !pod.deleting);
    let ready: Vec<Pod> = pods.map(|pod| super::pod_of(&pod.value())).filter(Pod::is_ready).collect();
    if ready.is_empty() {
        return None;
    }
    // The same draw says which pod it is and, within its share, whether the request fails there.
    let drawn = request.chance.clamp(0.0, 0.999_999) * ready.len() as f64;
    let pod = ready.get(drawn as usize)?;
    let number = match at(wanted, &["targetPort"]) {
        Some(Value::String(name)) => {
            let mut ports = pod.spec.containers.iter().flat_map(|container| &container.ports);
            ports.find(|port| port.name == *name).map(|port| port.container_port)?
        }
        Some(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()).unwrap_or(port),
        None => port,
    };
    answer_of(pod, number, &Request { chance: drawn.fract(), ..*request }, around)
}
