//! Addresses, taken apart and put together.

use super::{Answer, Arguments, strval};
use crate::helm::template::value::Value;

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "urlParse" => args.text(0).map(|url| parts(&url)),
        "urlJoin" => args.map(0).map(|map| {
            let map = map.borrow();
            let part = |name: &str| map.get(name).map(strval).unwrap_or_default();
            let before = |mark: &str, text: String| if text.is_empty() { text } else { format!("{mark}{text}") };
            let after = |text: String, mark: &str| if text.is_empty() { text } else { format!("{text}{mark}") };
            let (host, user) = (part("host"), after(part("userinfo"), "@"));
            let host = if host.is_empty() { host } else { format!("//{user}{host}") };
            let (query, fragment) = (before("?", part("query")), before("#", part("fragment")));
            let scheme = after(part("scheme"), ":");
            Value::text(format!("{scheme}{}{host}{}{query}{fragment}", part("opaque"), part("path")))
        }),
        _ => return None,
    })
}

fn parts(url: &str) -> Value {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme, rest),
        _ => ("", rest),
    };
    let (host, path, opaque) = match rest.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/').unwrap_or(rest.len());
            (&rest[..at], &rest[at..], "")
        }
        None if !scheme.is_empty() && !rest.starts_with('/') => ("", "", rest),
        None => ("", rest, ""),
    };
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    let port = host.rfind(':').filter(|at| host[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    let hostname = port.map_or(host, |at| &host[..at]).trim_start_matches('[').trim_end_matches(']');
    let all = [
        ("scheme", scheme.to_ascii_lowercase()),
        ("host", host.to_owned()),
        ("hostname", hostname.to_owned()),
        ("path", path.to_owned()),
        ("query", query.to_owned()),
        ("opaque", opaque.to_owned()),
        ("fragment", fragment.to_owned()),
        ("userinfo", user.to_owned()),
    ];
    Value::map(all.into_iter().map(|(name, text)| (name.to_owned(), Value::text(text))))
}
