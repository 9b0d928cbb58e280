//! What happens in simulated pods when somebody asks for it: logs, commands, forwarded ports, HTTP.

mod exec;
mod http;
mod log;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::api::Api;
use crate::cluster::api::connect::forward::{self, Answer};
use crate::cluster::api::connect::websocket::{Socket, shake_hands};
use crate::cluster::api::connect::{PodCall, Runtime};
use crate::cluster::api::query::Query;
use crate::cluster::api::status::{Details, Refusal};
use crate::cluster::object::Key;
use crate::cluster::sim::driver::SharedImages;
use crate::cluster::sim::kubelet::Surroundings;

/// The pods of one cluster.
#[derive(Debug, Clone)]
pub struct Pods {
    api: Arc<Api>,
    images: SharedImages,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Pods {
    /// The pods of a cluster; `stop` ends streams, which run as `tasks`.
    pub fn new(api: Arc<Api>, images: SharedImages, stop: CancellationToken, tasks: TaskTracker) -> Self {
        Self { api, images, stop, tasks }
    }

    fn pod(&self, key: &Key) -> Result<Value, Refusal> {
        let found = self.api.look(|store| store.get("pods", key).map(|pod| pod.value()));
        found.ok_or_else(|| Refusal::not_found("", "pods", &key.name))
    }

    /// Does something in the surroundings that containers have now.
    fn within<T>(&self, act: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let (images, now) = (self.images.look(), self.api.now());
        self.api.look(|store| act(&Surroundings { images: &images, store: Some(store), now }))
    }

    async fn serve(&self, call: PodCall) -> Result<Response<Body>, Refusal> {
        match (call.resource.as_str(), call.subresource.as_str()) {
            ("pods", "log") => self.log(&call),
            ("pods", "exec") => self.exec(call, false),
            ("pods", "attach") => self.exec(call, true),
            ("pods", "portforward") => self.forward(call),
            ("pods" | "services", "proxy") => self.proxy(call).await,
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    fn forward(&self, mut call: PodCall) -> Result<Response<Body>, Refusal> {
        let pod = self.pod(&call.key)?;
        if crate::cluster::object::text(&pod, &["status", "phase"]) != "Running" {
            return Err(Refusal::bad_request("unable to forward port because pod is not running"));
        }
        let spoken = [forward::TUNNEL, forward::CHANNELS[0], forward::CHANNELS[1]];
        let (response, protocol) = upgrade(&call, &spoken)?;
        let ports = ports(&call.query);
        let pods = self.clone();
        let answer: Answer = Arc::new(move |port, request| pods.answer_in(&pod, port, request));
        let stop = self.stop.clone();
        let upgraded = hyper::upgrade::on(&mut call.request);
        self.tasks.spawn(async move {
            let Ok(upgraded) = upgraded.await else { return };
            let socket = Socket::new(upgraded).await;
            if protocol == forward::TUNNEL {
                forward::tunnel(socket, answer, stop).await;
            } else {
                forward::channels(socket, ports, answer, stop).await;
            }
        });
        Ok(response)
    }
}

impl Runtime for Pods {
    fn answer(&self, call: PodCall) -> Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + '_>> {
        Box::pin(self.serve(call))
    }
}

/// Answers the handshake of a stream; a client that offers SPDY alone is told to use a WebSocket.
fn upgrade<'a>(call: &PodCall, spoken: &[&'a str]) -> Result<(Response<Body>, &'a str), Refusal> {
    let headers = call.request.headers();
    let asks_for_spdy = headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().starts_with(b"SPDY"));
    if asks_for_spdy {
        let why = "only WebSockets are spoken here: use kubectl 1.31 or later";
        return Err(Refusal::bad_request(why).with_details(Details::default()));
    }
    shake_hands(headers, spoken)
}

/// The ports of a forward, as `ports=80&ports=443` or `ports=80,443`.
fn ports(query: &Query) -> Vec<u16> {
    query.all("ports").iter().flat_map(|ports| ports.split(',')).filter_map(|port| port.trim().parse().ok()).collect()
}

/// The method and headers of a request, as simulated servers read them.
fn headers_of(request: &Request<Body>) -> Vec<(String, String)> {
    let readable = request.headers().iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    readable.map(|(name, value)| (name.as_str().to_owned(), value.to_owned())).collect()
}
