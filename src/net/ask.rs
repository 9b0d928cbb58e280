//! One request over HTTP: bounded in time and size, no redirects.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// No answer may be longer.
const MOST: usize = 4 << 20;

/// A question.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The address.
    pub url: &'a str,
    /// A secret that is sent along.
    pub token: Option<&'a str>,
    /// JSON that is sent along.
    pub body: Option<String>,
    /// How long the answer may take.
    pub limit: Duration,
}

impl<'a> Ask<'a> {
    /// The question for what is at an address.
    pub fn get(url: &'a str, limit: Duration) -> Self {
        Self { method: "GET", url, token: None, body: None, limit }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

/// Asks.
///
/// # Errors
/// Why there is no answer, in words.
pub async fn ask(ask: Ask<'_>) -> Result<Answer, String> {
    let limit = ask.limit;
    match tokio::time::timeout(limit, once(ask)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("nothing came for {} s", limit.as_secs())),
    }
}

/// A question for something that may be no text.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// The address.
    pub url: &'a str,
    /// Who asks: the value of the header.
    pub authorization: Option<String>,
    /// How long it may take.
    pub limit: Duration,
    /// How many bytes are taken.
    pub most: usize,
}

/// What is at an address: its status and its bytes.
///
/// # Errors
/// Why there is no answer, in words.
pub async fn load(load: Load<'_>) -> Result<(u16, Bytes), String> {
    let limit = load.limit;
    let asked = async {
        let mut request = Request::get(load.url);
        if let Some(authorization) = load.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::default()).map_err(|error| error.to_string())?;
        let response = client()?.request(request).await.map_err(|error| in_full(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), load.most).collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("nothing came for {} s", limit.as_secs())),
    }
}

fn client() -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(ring);
    let connector = builder.map_err(|error| error.to_string())?.https_or_http().enable_http1().wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

async fn once(ask: Ask<'_>) -> Result<Answer, String> {
    let mut request = Request::builder().method(ask.method).uri(ask.url);
    if let Some(token) = ask.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if ask.body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Full::new(Bytes::from(ask.body.unwrap_or_default())));
    let request = request.map_err(|error| error.to_string())?;
    let response = client()?.request(request).await.map_err(|error| in_full(&error))?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|error| error.to_string())?;
    Ok(Answer { status, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
}

fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
