//! What a registry is asked for: names, tags, manifests, blobs.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::Registry;
use super::refusal::{Code, Refusal};
use super::shelf::Document;
use crate::cluster::sim::image::Repository;

/// The header that says what the digest of an answer is.
pub(super) const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const HUB: &str = "docker.io/";

impl Registry {
    /// All names, without the registry where that is Docker Hub.
    pub(super) fn catalog(&self, query: &str) -> Result<Response<Body>, Refusal> {
        let images = self.images.look();
        let names = images.names().map(|(name, _)| name.strip_prefix(HUB).unwrap_or(name));
        let (page, link) = page(names.collect(), "/v2/_catalog", query)?;
        Ok(listed(&json!({"repositories": page}).to_string(), link))
    }

    /// The tags of a repository.
    pub(super) fn tags(&self, name: &str, query: &str) -> Result<Response<Body>, Refusal> {
        let images = self.images.look();
        let repository = images.repository(name).ok_or_else(unknown_name)?;
        let tags = repository.tags.iter().map(|tag| tag.name.as_str()).collect();
        let (page, link) = page(tags, &format!("/v2/{name}/tags/list"), query)?;
        Ok(listed(&json!({"name": name, "tags": page}).to_string(), link))
    }

    /// A manifest by tag or digest.
    pub(super) fn manifest(&self, name: &str, reference: &str, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
        let accepted = Accepted::of(headers);
        let document = self.find_manifest(name, reference, &accepted)?;
        if !accepted.takes(document.media) {
            let message = format!("manifest unknown: it is a {}, which the request does not accept", document.media);
            return Err(Refusal::new(404, Code::ManifestUnknown, message));
        }
        let tag = format!("\"{}\"", document.digest);
        let unchanged = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response = Response::new(if unchanged { Body::empty() } else { Body::from(document.body) });
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(document.media));
        put(headers, DIGEST, &document.digest);
        put(headers, ETAG, &tag);
        Ok(response)
    }

    fn find_manifest(&self, name: &str, reference: &str, accepted: &Accepted) -> Result<Document, Refusal> {
        let unknown = || Refusal::new(404, Code::ManifestUnknown, "manifest unknown");
        if reference.contains(':') {
            return self.manifest_by_digest(name, reference).ok_or_else(unknown);
        }
        let (pushed, full) = {
            let images = self.images.look();
            let repository = images.repository(name).ok_or_else(unknown_name)?;
            let tag = repository.tags.iter().find(|tag| tag.name == reference).ok_or_else(unknown)?;
            (tag.pushed.clone(), repository.name.clone())
        };
        match pushed {
            Some(digest) => self.store().manifest(&full, &digest).ok_or_else(unknown),
            None => {
                let shelf = self.shelf(&full).ok_or_else(unknown)?;
                let fits = shelf.by_tag(reference, |media| accepted.takes(media));
                // One that is not accepted is told of as such.
                fits.or_else(|| shelf.by_tag(reference, |_| true)).ok_or_else(unknown)
            }
        }
    }

    /// A manifest of a repository, pushed or not.
    pub(super) fn manifest_by_digest(&self, name: &str, digest: &str) -> Option<Document> {
        let full = self.full_name(name);
        let pushed = self.store().manifest(&full, digest);
        pushed.or_else(|| self.shelf(&full)?.by_digest(digest))
    }

    /// A blob by digest.
    pub(super) fn blob(&self, name: &str, digest: &str) -> Result<Response<Body>, Refusal> {
        let found = self.find_blob(name, digest);
        let (bytes, media) = found.ok_or_else(|| Refusal::new(404, Code::BlobUnknown, "blob unknown to registry"))?;
        let mut response = Response::new(Body::from(bytes));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        put(headers, DIGEST, digest);
        put(headers, ETAG, &format!("\"{digest}\""));
        Ok(response)
    }

    /// A blob of a repository, pushed or not.
    pub(super) fn find_blob(&self, name: &str, digest: &str) -> Option<(Bytes, &'static str)> {
        let full = self.full_name(name);
        if let Some(bytes) = self.store().blob(&full, digest) {
            return Some((bytes, "application/octet-stream"));
        }
        let shelf = self.shelf(&full)?;
        let images = self.images.look();
        let repository: &Repository = images.repository(&full)?;
        shelf.blob(repository, digest)
    }
}

/// The types of manifests that a client takes.
#[derive(Debug)]
struct Accepted(Vec<String>);

impl Accepted {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let types = values.flat_map(|value| value.split(',')).filter_map(|part| part.split(';').next());
        Self(types.map(|media| media.trim().to_ascii_lowercase()).filter(|media| !media.is_empty()).collect())
    }

    fn takes(&self, media: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|taken| taken == media || taken == "*/*" || taken == "application/*")
    }
}

pub(super) fn unknown_name() -> Refusal {
    Refusal::new(404, Code::NameUnknown, "repository name not known to registry")
}

/// Sets a header, if the text can be one.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn listed(body: &str, link: Option<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_owned()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(link) = link {
        put(response.headers_mut(), LINK, &link);
    }
    response
}

/// The part of a list that a request asks for, and where the next part is.
fn page<'a>(all: BTreeSet<&'a str>, path: &str, query: &str) -> Result<(Vec<&'a str>, Option<String>), Refusal> {
    let parameter =
        |name| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value);
    let last = parameter("last").unwrap_or_default();
    let rest = all.into_iter().filter(|item| last.is_empty() || *item > last.as_ref());
    let Some(asked) = parameter("n") else { return Ok((rest.collect(), None)) };
    let invalid = || Refusal::new(400, Code::PaginationNumberInvalid, "invalid number of results requested");
    let number: usize = asked.parse().map_err(|_| invalid())?;
    let mut rest = rest.peekable();
    let page: Vec<_> = rest.by_ref().take(number).collect();
    let link = page.last().filter(|_| rest.peek().is_some()).map(|last| {
        let last = utf8_percent_encode(last, NON_ALPHANUMERIC);
        format!("<{path}?last={last}&n={number}>; rel=\"next\"")
    });
    Ok((page, link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let all = || BTreeSet::from(["a", "b-1", "c"]);
        let path = "/v2/x/tags/list";
        let next = |last: &str| Some(format!("<{path}?last={last}&n=1>; rel=\"next\""));
        for (query, expected) in [
            ("", (vec!["a", "b-1", "c"], None)),
            ("n=1", (vec!["a"], next("a"))),
            ("n=1&last=a", (vec!["b-1"], next("b%2D1"))),
            ("n=1&last=b%2D1", (vec!["c"], None)),
            ("last=aa", (vec!["b-1", "c"], None)),
            ("n=0", (vec![], None)),
            ("n=9", (vec!["a", "b-1", "c"], None)),
        ] {
            assert_eq!(page(all(), path, query), Ok(expected), "{query}");
        }
        for wrong in ["n=-1", "n=x", "n="] {
            assert_eq!(page(all(), path, wrong).map_err(|refusal| refusal.status), Err(400), "{wrong}");
        }
    }

    #[test]
    fn types_are_taken_or_not() {
        let mut headers = HeaderMap::new();
        assert!(Accepted::of(&headers).takes("application/x"));
        headers.append(ACCEPT, HeaderValue::from_static("Application/X;q=0.5, text/html"));
        headers.append(ACCEPT, HeaderValue::from_static("application/y"));
        let accepted = Accepted::of(&headers);
        assert!(accepted.takes("application/x") && accepted.takes("application/y") && !accepted.takes("application/z"));
    }
}
