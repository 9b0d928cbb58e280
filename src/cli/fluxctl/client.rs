//! Requests to a running foredeck, or to a daemon that speaks the same API.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};

/// No answer is longer.
const MOST: usize = 64 << 20;
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Error {
    /// The daemon says why.
    Api(ApiError),
    /// Nobody answers, or nonsense.
    Other(String),
    /// It took too long.
    TimedOut,
}

impl Error {
    /// In one line.
    pub(in crate::cli) fn line(&self) -> String {
        match self {
            Self::Api(error) => error.error.clone(),
            Self::Other(error) => error.clone(),
            Self::TimedOut => "timeout".to_owned(),
        }
    }
}

/// A client of one address.
#[derive(Debug)]
pub(in crate::cli) struct Client {
    hyper: Hyper<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    token: Option<String>,
    limit: Duration,
}

impl Client {
    /// A client that waits so long for an answer.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub(in crate::cli) fn new(url: &str, token: Option<String>, limit: Duration) -> io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT.min(limit)));
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let tls = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(ring).map_err(io::Error::other)?;
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let hyper = Hyper::builder(TokioExecutor::new()).build(connector);
        Ok(Self { hyper, base: url.trim_end_matches('/').to_owned(), token, limit })
    }

    /// How long it waits.
    pub(in crate::cli) fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks for something.
    pub(in crate::cli) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let query = pairs.extend_pairs(query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        self.ask(Method::GET, &format!("{path}{mark}{query}"), None).await
    }

    /// Sends something.
    pub(in crate::cli) async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        tokio::time::timeout(self.limit, self.once(method, path, body)).await.unwrap_or(Err(Error::TimedOut))
    }

    async fn once(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let url = format!("{}/{path}", self.base);
        let mut request = Request::builder().method(method).uri(&url).header(USER_AGENT, "fluxctl");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(body.map(ToString::to_string).unwrap_or_default().into());
        let request = request.body(body).map_err(|error| Error::Other(format!("`{url}` is no address: {error}")))?;
        let answer = self.hyper.request(request).await.map_err(|error| {
            Error::Other(format!("cannot reach foredeck at {}: {}; is it still running?", self.base, root(&error)))
        })?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await;
        let body = body.map_err(|error| Error::Other(format!("the answer broke off: {error}")))?.to_bytes();
        if !parts.status.is_success() {
            return Err(refused(parts.status, &body, &self.base));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body)
            .map_err(|_| Error::Other(format!("what answers at {} does not speak Flux's API", self.base)))
    }
}

fn refused(status: StatusCode, body: &[u8], base: &str) -> Error {
    let told = serde_json::from_slice(body).ok().and_then(|value| ApiError::of(&value));
    match told {
        Some(error) if error.kind == ApiErrorKind::User && error.help == error.error => Error::Other(error.error),
        Some(error) if status == StatusCode::SERVICE_UNAVAILABLE => Error::Other(error.error),
        Some(error) => Error::Api(error),
        None => Error::Other(format!("{base} answers with {status}")),
    }
}

/// The first cause of an error, which says most.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
