//! Names of repositories, and where the registries are that have them.

use std::fmt;
use std::net::IpAddr;

/// What Docker Hub is called in names.
const HUB: &str = "index.docker.io";
/// Where it answers.
const HUB_API: &str = "registry-1.docker.io";

/// A repository: the registry and the path there, as `index.docker.io/library/nginx`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    host: String,
    path: String,
}

impl Name {
    /// Reads a name, with or without its registry; tag and digest are dropped. `None` when it is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once('@').map_or(text, |(name, _)| name);
        let text = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => name,
            _ => text,
        };
        let (host, path) = match text.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" || path.contains('/') => {
                (host, path.to_owned())
            }
            Some(_) => (HUB, text.to_owned()),
            None => (HUB, format!("library/{text}")),
        };
        let host = if is_hub(host) { HUB } else { host };
        let path = if host == HUB && !path.contains('/') { format!("library/{path}") } else { path };
        let fine = text.len() <= 255 && is_host(host) && path.split('/').all(is_component);
        fine.then(|| Self { host: host.to_owned(), path })
    }

    /// The registry, as in names.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path in the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the registry answers: in the clear on this machine alone.
    pub(super) fn base(&self) -> String {
        let host = if self.host == HUB { HUB_API } else { &self.host };
        let scheme = if is_loopback(host) { "http" } else { "https" };
        format!("{scheme}://{host}")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.host, self.path)
    }
}

/// Whether a host is Docker Hub by any of its names.
pub(super) fn is_hub(host: &str) -> bool {
    matches!(host, HUB | HUB_API | "docker.io" | "registry.hub.docker.com")
}

/// Whether a host, with or without a port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether a text can be a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_host(text: &str) -> bool {
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let named = name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.bytes().all(plain);
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let literal = literal.is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok());
    let port = text.strip_prefix(name).unwrap_or_default();
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (named || literal) && port
}

fn is_component(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(plain)
        && text.bytes().last().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_somewhere() {
        for (text, name, base) in [
            ("nginx", "index.docker.io/library/nginx", "https://registry-1.docker.io"),
            ("docker.io/nginx:1", "index.docker.io/library/nginx", "https://registry-1.docker.io"),
            ("index.docker.io/a/b@sha256:0", "index.docker.io/a/b", "https://registry-1.docker.io"),
            ("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c", "https://ghcr.io"),
            ("host:5000/x", "host:5000/x", "https://host:5000"),
            ("localhost/x", "localhost/x", "http://localhost"),
            ("127.0.0.1:5000/x:1", "127.0.0.1:5000/x", "http://127.0.0.1:5000"),
            ("[::1]:5000/x", "[::1]:5000/x", "http://[::1]:5000"),
        ] {
            let found = Name::parse(text).unwrap_or_else(|| panic!("{text} is no name"));
            assert_eq!((found.to_string().as_str(), found.base().as_str()), (name, base), "{text}");
        }
        for wrong in
            ["", "/", "A", "a//b", "a/../b", "host:port/x", "host:99999/x", "a b", "ghcr.io/x?y", "[::1/x", "é"]
        {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
        assert!(
            !is_loopback("127.0.0.1.example.com") && !is_loopback("localhost.example") && is_loopback("127.9.9.9:1")
        );
        assert!(is_tag("v1.0-x_") && is_tag("_") && !is_tag("-x") && !is_tag("") && !is_tag("a/b") && !is_tag("é"));
    }
}
