//! Requests to webhooks and to Prometheus: bounded in time, size and redirects.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How often an answer may send us elsewhere.
const MOST_REDIRECTS: usize = 10;
/// The most bytes of an answer.
const MOST_BYTES: usize = 1024 * 1024;
const IDLE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) body: Vec<u8>,
    pub(super) authorization: Option<String>,
    pub(super) limit: Duration,
}

/// A client for all requests of a controller.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    pub(super) fn new() -> io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let builder = HttpsConnectorBuilder::new();
        let builder = builder.with_provider_and_platform_verifier(ring).map_err(io::Error::other)?;
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(4)
            .build(connector);
        Ok(Self { client })
    }

    /// Status and body of an answer.
    pub(super) async fn ask(&self, ask: Ask) -> Result<(StatusCode, Bytes), String> {
        let limit = ask.limit;
        let late = || format!("no answer within {} s", limit.as_secs_f64());
        tokio::time::timeout(limit, self.follow(ask)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn follow(&self, mut ask: Ask) -> Result<(StatusCode, Bytes), String> {
        for _ in 0..=MOST_REDIRECTS {
            let url: Uri = ask.url.parse().map_err(|_| format!("{:?} is no address", ask.url))?;
            let (status, location, body) = self.once(&url, &ask).await?;
            let next = location.filter(|_| status.is_redirection()).and_then(|location| resolve(&url, &location));
            let Some(next) = next else { return Ok((status, body)) };
            if next.authority() != url.authority() {
                ask.authorization = None;
            }
            if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
                (ask.method, ask.body) = (Method::GET, Vec::new());
            }
            ask.url = next.to_string();
        }
        Err(format!("stopped after {MOST_REDIRECTS} redirects"))
    }

    async fn once(&self, url: &Uri, ask: &Ask) -> Result<(StatusCode, Option<String>, Bytes), String> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(url.clone())
            .header(USER_AGENT, concat!("foredeck/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json, */*");
        if ask.method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &ask.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(Bytes::from(ask.body.clone()))).map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| cause(&error))?;
        let (parts, body) = response.into_parts();
        let location = parts.headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
        Ok((parts.status, location, body.to_bytes()))
    }
}

/// Where a redirect leads.
fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with("http://") || location.starts_with("https://") {
        return location.parse().ok();
    }
    let (scheme, host) = (base.scheme_str()?, base.authority()?);
    let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if location.starts_with('/') { location.to_owned() } else { format!("{folder}/{location}") };
    format!("{scheme}://{host}{path}").parse().ok()
}

/// The first cause of an error, which says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_resolved() {
        let base: Uri = "http://a.example:1/x/y?z".parse().unwrap();
        for (location, expected) in [
            ("https://b.example/", Some("https://b.example/")),
            ("/other", Some("http://a.example:1/other")),
            ("next", Some("http://a.example:1/x/next")),
            ("http://", None),
        ] {
            assert_eq!(resolve(&base, location).map(|url| url.to_string()).as_deref(), expected, "{location}");
        }
    }
}
