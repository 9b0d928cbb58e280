//! Streams to pods: the protocols of exec and port-forward, and the seam to what runs in pods.

pub mod forward;
pub mod spdy;
pub mod websocket;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use axum::http::{Request, Response};

use super::query::Query;
use super::status::Refusal;
use crate::cluster::object::Key;

/// A request for something that happens in a pod.
#[derive(Debug)]
pub struct PodCall {
    /// `pods` or `services`.
    pub resource: String,
    /// Which; of a service the name may carry scheme and port, as `http:web:80`.
    pub key: Key,
    /// `log`, `exec`, `attach`, `portforward` or `proxy`.
    pub subresource: String,
    /// What is asked of the proxied server: the path, with its slash.
    pub rest: String,
    /// The parameters.
    pub query: Query,
    /// The request, body and all.
    pub request: Request<Body>,
}

/// What answers such requests: on a real cluster a kubelet, here a simulation.
pub trait Runtime: Debug + Send + Sync {
    /// Answers.
    fn answer(&self, call: PodCall) -> Pin<Box<dyn Future<Output = Result<Response<Body>, Refusal>> + Send + '_>>;
}
