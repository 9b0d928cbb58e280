//! The form of answers that are no stored objects: refusals, reviews, discovery; indented or as YAML where wanted.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::accept::{self, Encoding};
use super::query::Query;
use crate::cluster::yaml;

/// Marks an answer of JSON that may still take another form.
#[derive(Debug, Clone, Copy)]
pub struct Malleable;

/// Whether JSON is to be indented: when asked for, and for people at a terminal or in a browser.
pub fn is_pretty(query: &Query, user_agent: &str) -> bool {
    match query.get("pretty") {
        "" => ["curl", "Wget", "Mozilla/5.0"].iter().any(|people| user_agent.starts_with(people)),
        text => matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True"),
    }
}

/// Gives an answer the form that its client wants.
pub async fn shaped(response: Response<Body>, headers: &HeaderMap, pretty: bool) -> Response<Body> {
    if response.extensions().get::<Malleable>().is_none() {
        return response;
    }
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_yaml = accepted.contains("yaml")
        && accept::choose(accepted, false).is_ok_and(|wanted| wanted.encoding == Encoding::Yaml);
    if !pretty && !is_yaml {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Response::from_parts(head, Body::empty());
    };
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return Response::from_parts(head, Body::from(body));
    };
    let text = if is_yaml {
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
        yaml::text(&value)
    } else {
        indented(&value) + "\n"
    };
    Response::from_parts(head, Body::from(text))
}

/// JSON for people.
pub fn indented(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_lines() {
        let cases = [
            ("", "curl/8.5", true),
            ("", "Wget/1", true),
            ("", "Mozilla/5.0 (X11)", true),
            ("", "kubectl/v1.32", false),
            ("pretty=false", "curl/8.5", false),
            ("pretty=true", "kubectl/v1.32", true),
            ("pretty=1", "", true),
            ("pretty=yes", "curl/8.5", false),
            ("pretty", "", false),
        ];
        for (query, agent, wanted) in cases {
            assert_eq!(is_pretty(&Query::parse(query), agent), wanted, "{query} {agent}");
        }
    }
}
