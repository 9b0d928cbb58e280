//! Who comes in: the token, and no page of a browser that was lured here.

use axum::http::{HeaderMap, HeaderValue, header};

use super::identity::Token;
use crate::cluster::api::access::User;
use crate::cluster::api::policy;
use crate::cluster::api::status::Refusal;

/// Paths that everybody may ask for.
const PUBLIC: [&str; 10] = [
    "/healthz",
    "/livez",
    "/readyz",
    "/version",
    "/version/",
    "/healthz/ping",
    "/livez/ping",
    "/readyz/ping",
    "/livez/",
    "/readyz/",
];

/// Lets a request in, as whom it may act; `bearer` knows the tokens of service accounts.
///
/// # Errors
/// 401 without the right token, 403 for a host name that is not ours or a page of another origin.
pub fn enter(
    token: Option<&Token>,
    path: &str,
    headers: &HeaderMap,
    bearer: impl Fn(&str) -> Option<User>,
) -> Result<User, Refusal> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    // A name that an attacker's DNS points at loopback would still be named here.
    if let Some(host) = headers.get(header::HOST).map(text)
        && !is_local(&host)
    {
        return Err(Refusal::new(403, "Forbidden", format!("this server is not called `{host}`")));
    }
    if let Some(origin) = headers.get(header::ORIGIN).map(text) {
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        if !is_local(host) {
            return Err(Refusal::new(403, "Forbidden", format!("pages of `{origin}` may not use this cluster")));
        }
    }
    let sent = headers.get(header::AUTHORIZATION).map(text);
    let sent = sent.as_deref().and_then(|sent| sent.strip_prefix("Bearer ")).map(str::trim);
    match (token, sent) {
        (Some(token), Some(sent)) if token.is(sent) => Ok(policy::administrator()),
        (None, None) => Ok(policy::administrator()),
        (Some(_), None) if PUBLIC.contains(&path) => Ok(User::anonymous()),
        (_, Some(sent)) => bearer(sent).ok_or_else(|| Refusal::new(401, "Unauthorized", "Unauthorized")),
        (Some(_), None) => Err(Refusal::new(401, "Unauthorized", "Unauthorized")),
    }
}

/// Loopback by any of its names, with or without a port.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost"
        || name.strip_suffix(".localhost").is_some()
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(token: &Token, path: &str, headers: &[(&'static str, &str)]) -> u16 {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        enter(Some(token), path, &headers, |sent| (sent == "bot").then(User::anonymous))
            .map_or_else(|refusal| refusal.code, |_| 200)
    }

    #[test]
    fn only_the_token_opens() {
        let token = Token::random().unwrap();
        let right = format!("Bearer {}", token.text());
        assert_eq!(code(&token, "/api", &[("authorization", &right), ("host", "127.0.0.1:6443")]), 200);
        assert_eq!(code(&token, "/api", &[("authorization", "Bearer x")]), 401);
        assert_eq!(code(&token, "/api", &[("authorization", "Bearer bot")]), 200);
        assert_eq!(code(&token, "/api", &[]), 401);
        assert_eq!(code(&token, "/readyz", &[]), 200);
    }

    #[test]
    fn lured_pages_stay_out() {
        let token = Token::random().unwrap();
        let right = format!("Bearer {}", token.text());
        let asked = |name, value| code(&token, "/api", &[("authorization", right.as_str()), (name, value)]);
        assert_eq!(asked("host", "evil.example"), 403);
        assert_eq!(asked("host", "[::1]:6443"), 200);
        assert_eq!(asked("origin", "https://evil.example"), 403);
        assert_eq!(asked("origin", "http://localhost:3939"), 200);
    }
}
