//! HTTP to simulated pods: through a forwarded port, or through the API server's proxy.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{Pods, headers_of};
use crate::cluster::api::body::LARGEST;
use crate::cluster::api::connect::PodCall;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::text;
use crate::cluster::sim::image::http::{HttpAnswer, Request as Asked};
use crate::cluster::sim::kubelet::{answer, reach};

/// The longest that an answer is held back, whatever a fault asks for.
const LONGEST: Duration = Duration::from_secs(60);

/// Where a proxied request goes: scheme, name and port of `http:web:80`, `web:http` or `web`.
fn target(name: &str) -> (&str, &str) {
    let parts: Vec<&str> = name.split(':').collect();
    match parts.as_slice() {
        [name, port] => (name, port),
        [_, name, port] => (name, port),
        _ => (name, ""),
    }
}

impl Pods {
    /// What a pod answers on a port of its own; a connection that nobody takes is a bad gateway.
    pub(super) fn answer_in(&self, pod: &Value, port: u16, request: &Request<Body>) -> Response<Body> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let headers = headers_of(request);
        let asked =
            Asked { method: request.method().as_str(), path: &path, headers: &headers, body: "", chance: chance() };
        match self.within(|around| answer(pod, port, &asked, around)) {
            Some(answer) => shown(answer),
            None => refused(),
        }
    }

    pub(super) async fn proxy(&self, mut call: PodCall) -> Result<Response<Body>, Refusal> {
        let (name, port) = target(&call.key.name);
        let query = call.request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = if call.rest.is_empty() { format!("/{query}") } else { format!("{}{query}", call.rest) };
        let body = std::mem::take(call.request.body_mut());
        let body =
            http_body_util::Limited::new(body, LARGEST).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let (headers, body) = (headers_of(&call.request), String::from_utf8_lossy(&body).into_owned());
        let method = call.request.method().as_str().to_owned();
        let asked = Asked { method: &method, path: &path, headers: &headers, body: &body, chance: chance() };
        let answered = if call.resource == "pods" {
            let pod = self.pod(&crate::cluster::object::Key::new(&call.key.namespace, name))?;
            let port = port.parse().ok().or_else(|| first_port(&pod)).unwrap_or(80);
            self.within(|around| answer(&pod, port, &asked, around))
        } else {
            self.through_service(&call.key.namespace, name, port, &asked)?
        };
        let Some(answered) = answered else {
            let why = format!("no endpoints available for service \"{}\"", call.key.name);
            return Err(Refusal::new(503, "ServiceUnavailable", why));
        };
        tokio::time::sleep(answered.latency.min(LONGEST)).await;
        Ok(shown(answered))
    }

    fn through_service(
        &self,
        namespace: &str,
        name: &str,
        port: &str,
        asked: &Asked<'_>,
    ) -> Result<Option<HttpAnswer>, Refusal> {
        let key = crate::cluster::object::Key::new(namespace, name);
        let service = self.api.look(|store| store.get("services", &key).map(|service| service.value()));
        let service = service.ok_or_else(|| Refusal::not_found("", "services", name))?;
        let ports = crate::cluster::object::list(&service, &["spec", "ports"]);
        let wanted = match port {
            "" => ports.first(),
            port => {
                let number = port.parse::<u64>().ok();
                ports
                    .iter()
                    .find(|one| text(one, &["name"]) == port || number.is_some() && one["port"].as_u64() == number)
            }
        };
        let number = wanted.and_then(|port| port["port"].as_u64()).ok_or_else(|| {
            Refusal::new(503, "ServiceUnavailable", format!("no endpoints available for service \"{name}\""))
        })?;
        let from = json!({"metadata": {"namespace": namespace}});
        let url = format!("http://{name}.{namespace}:{number}{}", asked.path);
        Ok(self.within(|around| reach(&from, &url, asked, around)))
    }
}

fn first_port(pod: &Value) -> Option<u16> {
    let containers = crate::cluster::object::list(pod, &["spec", "containers"]);
    let port = containers.iter().find_map(|container| container["ports"][0]["containerPort"].as_u64())?;
    u16::try_from(port).ok()
}

/// A number from 0 to 1 that decides which requests a fault hits.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers no fault hits.
    if getrandom::fill(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

fn shown(answer: HttpAnswer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Nobody listens on the port.
fn refused() -> Response<Body> {
    let mut response = Response::new(Body::from("connection refused\n"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        assert_eq!(target("web"), ("web", ""));
        assert_eq!(target("web:http"), ("web", "http"));
        assert_eq!(target("https:web:443"), ("web", "443"));
    }
}
