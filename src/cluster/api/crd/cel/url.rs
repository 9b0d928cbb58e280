//! URLs, taken apart as Go does.

use std::fmt::Write;

/// An absolute URL, or an absolute path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: String,
    /// With the port, and brackets around an IPv6 address.
    pub(super) host: String,
    path: String,
    query: String,
}

impl Url {
    /// Reads a URL; none when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().any(|c| c.is_ascii_control()) {
            return None;
        }
        let (before, query) = text.split_once('?').unwrap_or((text, ""));
        if before.starts_with('/') && !before.starts_with("//") {
            return Some(Self { path: unescaped(before)?, query: query.to_owned(), ..Self::default() });
        }
        let (scheme, rest) = match before.strip_prefix("//") {
            Some(rest) => ("", Some(rest)),
            None => {
                let (scheme, rest) = before.split_once(':')?;
                let mut chars = scheme.chars();
                let begins = chars.next().is_some_and(|first| first.is_ascii_alphabetic());
                if !begins || !chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
                    return None;
                }
                (scheme, rest.strip_prefix("//"))
            }
        };
        let scheme = scheme.to_ascii_lowercase();
        let Some(rest) = rest else {
            // as in `mailto:a`: neither host nor path
            return Some(Self { scheme, query: query.to_owned(), ..Self::default() });
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        is_host(host).then_some(())?;
        Some(Self { scheme, host: host.to_owned(), path: unescaped(path)?, query: query.to_owned() })
    }

    /// The host without port and brackets.
    pub(super) fn hostname(&self) -> &str {
        let (host, _) = self.split();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port; empty when none is given.
    pub(super) fn port(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (&self.host, ""),
        }
    }

    /// The path, escaped where it has to be.
    pub(super) fn escaped_path(&self) -> String {
        let mut out = String::new();
        for byte in self.path.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    }

    /// Names and values of the query, in their order.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        pairs
            .filter_map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((unescaped(&name.replace('+', " "))?, unescaped(&value.replace('+', " "))?))
            })
            .collect()
    }
}

fn is_host(host: &str) -> bool {
    let port = match host.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((_, rest)) => rest.strip_prefix(':').or(rest.is_empty().then_some("")),
            None => None,
        },
        None => Some(host.split_once(':').map_or("", |(_, port)| port)),
    };
    port.is_some_and(|port| port.bytes().all(|digit| digit.is_ascii_digit()))
        && !host.contains([' ', '<', '>', '"', '\\'])
}

/// Text with `%41` read as `A`; none when that is broken.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let code = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(code).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts() {
        let url = Url::parse("HTTPS://user:pass@example.com:80/path with/%41?k1=a&k2=b&k2=c+d").unwrap();
        assert_eq!((url.scheme.as_str(), url.host.as_str()), ("https", "example.com:80"));
        assert_eq!((url.hostname(), url.port()), ("example.com", "80"));
        assert_eq!(url.escaped_path(), "/path%20with/A");
        let query = [("k1", "a"), ("k2", "b"), ("k2", "c d")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(url.query(), query);
        let url = Url::parse("https://[::1]:80/").unwrap();
        assert_eq!((url.host.as_str(), url.hostname(), url.port()), ("[::1]:80", "::1", "80"));
        let path = Url::parse("/only/path").unwrap();
        assert_eq!((path.scheme.as_str(), path.hostname(), path.escaped_path().as_str()), ("", "", "/only/path"));
        for broken in ["", "../relative", "https://a:b:c/", "https://a b/", "1a://x", "https://[::1", "/%4"] {
            assert_eq!(Url::parse(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z:/?@%&=+;\\[\\]0-9é .]{0,40}") {
            if let Some(url) = Url::parse(&text) {
                url.hostname();
                url.port();
                url.escaped_path();
                url.query();
            }
        }
    }
}
