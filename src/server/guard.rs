//! What every request must pass, and what every answer carries: Host, Origin, security headers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::state::App;

/// Decks may name remote pictures, media, fonts and style sheets; scripts come from here alone.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline' https:; \
     img-src * data: blob:; media-src * data: blob:; font-src 'self' data: https:; connect-src 'self'; \
     frame-src 'self'; frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'";

/// The names this server answers to. A page on the internet whose name is made to point at this
/// machine (DNS rebinding) is refused here, as its requests carry its name.
#[derive(Debug, Clone)]
pub struct HostPolicy {
    /// The address listened on.
    pub address: IpAddr,
    /// Names allowed on top.
    pub names: Vec<String>,
}

impl HostPolicy {
    fn allows(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        match literal.parse::<IpAddr>() {
            // Only names can be rebound, so any address is fine when all are listened on.
            Ok(ip) => self.address.is_unspecified() || ip == self.address || ip.is_loopback(),
            Err(_) => {
                host.eq_ignore_ascii_case("localhost") || self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
            }
        }
    }
}

/// Refuses requests for other hosts, and changes asked for by other sites.
pub async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let verdict = host(request.uri(), request.headers()).and_then(|authority| {
        if !app.hosts.allows(authority.host()) {
            return Err(Problem::misdirected(authority.host()));
        }
        let upgrade = request.headers().contains_key(header::UPGRADE);
        let changes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if (upgrade || changes) && !same_origin(request.headers(), &authority) {
            return Err(Problem::forbidden("This request came from another site."));
        }
        Ok(())
    });
    match verdict {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            app.metrics.refused();
            problem.into_response()
        }
    }
}

/// The one host a request is for: of its `Host` header, or of its target when that names one.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, more) = (hosts.next(), hosts.next());
    let named = first.and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<Authority>().ok());
    let (Some(named), None) = (named, more) else {
        return Err(Problem::bad_request("The request has no `Host` header, or more than one."));
    };
    let in_target = uri.authority().filter(|authority| **authority != named);
    match in_target {
        Some(other) => Err(Problem::misdirected(other.host())),
        None if named.as_str().contains('@') => Err(Problem::misdirected("user@host")),
        None => Ok(named),
    }
}

/// Whether a page of this server asks. Programs that are no browser send neither header.
fn same_origin(headers: &HeaderMap, ours: &Authority) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        // Scripts cannot set it; more reliable than `Origin`, which may be `null` here.
        if site != "same-origin" && site != "none" {
            return false;
        }
        if headers.get(header::ORIGIN).is_none_or(|origin| origin == "null") {
            return true;
        }
    }
    match headers.get(header::ORIGIN).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(origin)) => {
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            authority.is_some_and(|authority| authority.eq_ignore_ascii_case(ours.as_str()))
        }
        Some(Err(_)) => false,
    }
}

/// Adds the security headers to every answer that has no stricter ones of its own.
pub async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(address: &str) -> HostPolicy {
        HostPolicy { address: address.parse().expect("an address"), names: vec!["talk.example".to_owned()] }
    }

    #[test]
    fn only_own_names_are_answered() {
        for (address, host, expected) in [
            ("127.0.0.1", "localhost", true),
            ("127.0.0.1", "LOCALHOST.", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "[::1]", true),
            ("127.0.0.1", "talk.example", true),
            ("127.0.0.1", "evil.example", false),
            ("127.0.0.1", "localhost.evil.example", false),
            ("127.0.0.1", "192.168.1.7", false),
            ("192.168.1.7", "192.168.1.7", true),
            ("192.168.1.7", "192.168.1.8", false),
            ("0.0.0.0", "192.168.1.7", true),
            ("::", "[fe80::1]", true),
            ("0.0.0.0", "evil.example", false),
            ("0.0.0.0", "", false),
        ] {
            assert_eq!(policy(address).allows(host), expected, "{address} asked as {host}");
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let cases: [(&str, &[&'static str], Option<&str>); 6] = [
            ("/", &["localhost:3939"], Some("localhost:3939")),
            ("/", &[], None),
            ("/", &["localhost", "evil.example"], None),
            ("http://evil.example/", &["localhost"], None),
            ("http://localhost:3939/", &["localhost:3939"], Some("localhost:3939")),
            ("/", &["a@localhost"], None),
        ];
        for (uri, hosts, expected) in cases {
            let headers = hosts.iter().map(|host| (header::HOST, HeaderValue::from_static(host))).collect();
            let uri = uri.parse().expect("a target");
            assert_eq!(host(&uri, &headers).ok().as_ref().map(Authority::as_str), expected, "{uri} {hosts:?}");
        }
    }

    #[test]
    fn other_sites_change_nothing() {
        let ours = Authority::from_static("localhost:3939");
        for (origin, site, expected) in [
            (Some("http://localhost:3939"), None, true),
            (Some("https://LocalHost:3939"), Some("same-origin"), true),
            (None, None, true),
            (Some("null"), Some("same-origin"), true),
            (Some("null"), None, false),
            (Some("http://localhost:4000"), None, false),
            (Some("http://evil.example"), None, false),
            (Some("http://localhost:3939"), Some("cross-site"), false),
            (None, Some("same-site"), false),
            (Some("http://localhost:3939.evil.example"), None, false),
            (Some("http://evil.example"), Some("same-origin"), false),
        ] {
            let pairs = [("origin", origin), ("sec-fetch-site", site)];
            let headers = pairs.into_iter().filter_map(|(name, value)| {
                value.map(|value| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            });
            assert_eq!(same_origin(&headers.collect(), &ours), expected, "{origin:?} {site:?}");
        }
    }
}
