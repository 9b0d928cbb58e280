//! Requests to registries: bounded in time and size, redirects followed, secrets kept to the host they are for.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::error::Why;
use super::name::is_loopback;

/// How often a registry may send us elsewhere.
const MOST_REDIRECTS: usize = 5;
const CONNECT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Uri,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<String>,
    /// A form that is posted.
    pub(super) form: Option<String>,
    /// The most bytes that are taken.
    pub(super) most: usize,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE).is_some_and(|media| media.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }
}

/// A client.
#[derive(Debug)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limit: Duration,
}

impl Http {
    /// A client that gives a registry so much time for an answer. Who a registry is, the system's certificates say,
    /// unless others are given.
    pub(super) fn new(limit: Duration, tls: Option<rustls::ClientConfig>) -> io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT.min(limit)));
        let builder = HttpsConnectorBuilder::new();
        let builder = match tls {
            Some(tls) => builder.with_tls_config(tls),
            None => {
                let ring = Arc::new(rustls::crypto::ring::default_provider());
                builder.with_provider_and_platform_verifier(ring).map_err(io::Error::other)?
            }
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .build(connector);
        Ok(Self { client, limit })
    }

    /// Asks, and goes where it is sent.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, Why> {
        tokio::time::timeout(self.limit, self.follow(ask)).await.unwrap_or(Err(Why::TimedOut))
    }

    async fn follow(&self, mut ask: Ask) -> Result<Answer, Why> {
        for _ in 0..=MOST_REDIRECTS {
            check(&ask.url)?;
            let answer = self.once(&ask).await?;
            let follows =
                ask.form.is_none() && answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED;
            let Some(location) = answer.header(LOCATION).filter(|_| follows) else { return Ok(answer) };
            let wrong = || Why::Wrong("it sends us to what is no address".to_owned());
            let next = resolve(&ask.url, location).ok_or_else(wrong)?;
            let origin =
                |url: &Uri| (url.scheme_str().map(str::to_owned), url.authority().map(|it| it.as_str().to_owned()));
            if origin(&next) != origin(&ask.url) {
                ask.authorization = None;
            }
            if ask.url.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return Err(Why::NotAllowed("it sends us from an encrypted address to one that is not"));
            }
            ask.url = next;
        }
        Err(Why::Wrong("it sends us round in circles".to_owned()))
    }

    async fn once(&self, ask: &Ask) -> Result<Answer, Why> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.url.clone())
            .header(USER_AGENT, concat!("foredeck/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, ask.accept);
        if let Some(authorization) = &ask.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if ask.form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Full::new(ask.form.clone().unwrap_or_default().into());
        let request = request.body(body).map_err(|_| Why::Wrong("what it gives cannot be sent back".to_owned()))?;
        let response = self.client.request(request).await.map_err(|error| Why::Unreachable(root(&error)))?;
        let (parts, body) = response.into_parts();
        let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let too_much = || Why::TooMuch("more bytes than such an answer has");
        if ask.method != Method::HEAD && length.is_some_and(|length| length > ask.most) {
            return Err(too_much());
        }
        let body = match Limited::new(body, ask.most).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_much()),
            Err(error) => return Err(Why::Unreachable(format!("the answer broke off: {error}"))),
        };
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// Whether an address may be asked: in the clear on this machine alone.
pub(super) fn check(url: &Uri) -> Result<(), Why> {
    match (url.scheme_str(), url.authority()) {
        (Some("https"), Some(_)) => Ok(()),
        (Some("http"), Some(host)) if is_loopback(host.as_str()) => Ok(()),
        _ => Err(Why::NotAllowed("registries that are not on this machine are asked over HTTPS alone")),
    }
}

/// Where a redirect or link leads.
pub(super) fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let (scheme, host) = (base.scheme_str()?, base.authority()?);
    let whole = location.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphabetic()));
    let text = if whole {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{host}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{host}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{host}{folder}/{location}")
    };
    let url: Uri = text.split('#').next()?.parse().ok()?;
    let plain = url.authority().is_some_and(|host| !host.as_str().contains('@'));
    plain.then_some(url)
}

/// The first cause of an error, which says most.
fn root(error: &hyper_util::client::legacy::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = cause.to_string();
    if error.is_connect() && error.source().is_none() { "no connection".to_owned() } else { cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_resolved() {
        let base: Uri = "https://a.example:1/v2/x/tags/list?n=1".parse().unwrap();
        for (location, expected) in [
            ("https://b.example/x?y", Some("https://b.example/x?y")),
            ("//b.example/x", Some("https://b.example/x")),
            ("/v2/y#z", Some("https://a.example:1/v2/y")),
            ("?n=2", Some("https://a.example:1/v2/x/tags/list?n=2")),
            ("other?u=http://x", Some("https://a.example:1/v2/x/tags/other?u=http://x")),
            ("https://user:secret@b.example/", None),
            ("https://", None),
        ] {
            assert_eq!(resolve(&base, location).map(|url| url.to_string()).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        for (url, fine) in [
            ("https://example.com/", true),
            ("http://127.0.0.1:5000/", true),
            ("http://localhost/", true),
            ("http://example.com/", false),
            ("ftp://localhost/", false),
            ("/path", false),
        ] {
            assert_eq!(check(&url.parse().unwrap()).is_ok(), fine, "{url}");
        }
    }
}
