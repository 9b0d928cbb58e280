//! What a registry is given: blobs in pieces, then manifests that make them images of a cluster.

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use axum::http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::Registry;
use super::read::{DIGEST, put};
use super::refusal::{Code, Refusal};
use super::shelf::{DOCKER_TYPE, Document, INDEX_TYPE, LIST_TYPE};
use super::store::Upload;
use crate::cluster::embedded::identity::Token;
use crate::cluster::sim::image::manifest::MANIFEST_TYPE;
use crate::cluster::sim::image::reference::Reference;

/// Bytes of a manifest.
const MOST_MANIFEST: usize = 4 << 20;
/// Repositories, and tags of one, that pushing can lead to.
const MOST_NAMES: usize = 2_000;
const MOST_TAGS: usize = 10_000;
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

impl Registry {
    /// Begins an upload, or does all of it at once.
    pub(super) async fn begin(&self, name: &str, query: &str, body: Body) -> Result<Response<Body>, Refusal> {
        if let (Some(digest), Some(from)) = (parameter(query, "mount"), parameter(query, "from"))
            && self.mount(&from, name, &digest)?
        {
            return Ok(created(&format!("/v2/{name}/blobs/{digest}"), &digest));
        }
        let failed = |_| Refusal::new(500, Code::Unsupported, "the system gives no random numbers");
        let id = Token::random().map_err(failed)?.text().to_owned();
        let upload = self.store().begin(&self.full_name(name), id, Instant::now())?;
        match parameter(query, "digest") {
            Some(digest) => self.finish(upload, name, &digest, body).await,
            None => {
                let response = going_on(StatusCode::ACCEPTED, name, &upload.id, 0);
                self.store().put_back(upload, Instant::now());
                Ok(response)
            }
        }
    }

    /// Takes a blob over from another repository; whether it has it.
    fn mount(&self, from: &str, name: &str, digest: &str) -> Result<bool, Refusal> {
        let (from, to) = (self.full_name(from), self.full_name(name));
        if self.store().mount(&from, &to, digest) {
            return Ok(true);
        }
        let Some((bytes, _)) = self.find_blob(&from, digest) else { return Ok(false) };
        let mut store = self.store();
        let mut upload = store.begin(&to, String::new(), Instant::now())?;
        upload.append(&bytes)?;
        store.finish(upload, digest)?;
        Ok(true)
    }

    /// A further step of an upload.
    pub(super) async fn upload(
        &self,
        name: &str,
        id: &str,
        method: &Method,
        query: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        let full = self.full_name(name);
        if method == Method::GET {
            let unknown = || Refusal::new(404, Code::BlobUploadUnknown, "blob upload unknown to registry");
            let length = self.store().progress(&full, id).ok_or_else(unknown)?;
            return Ok(going_on(StatusCode::NO_CONTENT, name, id, length));
        }
        let mut upload = self.store().take(&full, id)?;
        match *method {
            Method::DELETE => Ok(empty(StatusCode::NO_CONTENT)),
            Method::PATCH => {
                let fits = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).is_none_or(|range| {
                    range.split('-').next().and_then(|start| start.trim().parse().ok()) == Some(upload.len())
                });
                let received = if fits { receive(&mut upload, body).await } else { Ok(()) };
                let response = going_on(StatusCode::ACCEPTED, name, id, upload.len());
                self.store().put_back(upload, Instant::now());
                received?;
                let invalid = || Refusal::new(416, Code::BlobUploadInvalid, "this is not where the upload goes on");
                if fits { Ok(response) } else { Err(invalid()) }
            }
            _ => {
                let missing = || Refusal::new(400, Code::DigestInvalid, "the last part of an upload names its digest");
                let digest = parameter(query, "digest").ok_or_else(missing)?;
                self.finish(upload, name, &digest, body).await
            }
        }
    }

    async fn finish(
        &self,
        mut upload: Upload,
        name: &str,
        digest: &str,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        receive(&mut upload, body).await?;
        self.store().finish(upload, digest)?;
        Ok(created(&format!("/v2/{name}/blobs/{digest}"), digest))
    }

    /// Takes a manifest; with a tag it is an image that can be pulled from now on.
    pub(super) async fn put_manifest(
        &self,
        name: &str,
        reference: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        let body = axum::body::to_bytes(body, MOST_MANIFEST).await;
        let body = body.map_err(|_| Refusal::new(413, Code::SizeInvalid, "a manifest has at most 4 MiB"))?;
        let said = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
        let (document, value) = read(said, body)?;
        let facts = self.facts(name, &document, &value, self.clock.now())?;
        let by_tag = !reference.contains(':');
        if by_tag {
            let named = Reference::parse(&format!("{name}:{reference}"));
            named.ok_or_else(|| Refusal::new(400, Code::TagInvalid, "manifest tag did not match URI"))?;
        } else if reference != document.digest {
            let message = "provided digest did not match uploaded content";
            return Err(Refusal::new(400, Code::DigestInvalid, message));
        }
        let (full, digest) = (self.full_name(name), document.digest.clone());
        if by_tag {
            self.check_room(&full)?;
        }
        self.store().keep(&full, document)?;
        if by_tag {
            self.images.change(|images| images.push(&full, reference, facts.created, &digest, facts.size));
        }
        Ok(created(&format!("/v2/{name}/manifests/{digest}"), &digest))
    }

    fn check_room(&self, full: &str) -> Result<(), Refusal> {
        let images = self.images.look();
        let room = match images.repository(full) {
            Some(repository) => repository.tags.len() < MOST_TAGS,
            None => images.repositories().len() < MOST_NAMES,
        };
        if room { Ok(()) } else { Err(Refusal::new(413, Code::Denied, "the registry has no room for more names")) }
    }

    /// What an image is said to be. All that its manifest names has to be there.
    fn facts(&self, name: &str, document: &Document, value: &Value, now: Timestamp) -> Result<Facts, Refusal> {
        let missing = |digest: &str| {
            let message = format!("blob unknown to registry: {digest}");
            Err(Refusal::new(400, Code::ManifestBlobUnknown, message))
        };
        let listed = |key: &str| value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if is_index(document.media) {
            let mut newest = None;
            for child in listed("manifests") {
                let digest = text(child, "digest");
                let Some(found) = self.manifest_by_digest(name, digest) else { return missing(digest) };
                // Indexes in indexes are not looked into.
                if !is_index(found.media)
                    && let Ok(value) = serde_json::from_slice(&found.body)
                {
                    let facts = self.facts(name, &found, &value, now)?;
                    newest = newest.or(Some(facts));
                }
            }
            return Ok(newest.unwrap_or(Facts { created: now, size: 0 }));
        }
        let config = value.get("config").map(|config| text(config, "digest")).unwrap_or_default();
        let Some((bytes, _)) = self.find_blob(name, config) else { return missing(config) };
        let mut size = bytes.len() as u64;
        for layer in listed("layers") {
            let elsewhere = layer.get("urls").and_then(Value::as_array).is_some_and(|urls| !urls.is_empty());
            let digest = text(layer, "digest");
            match self.find_blob(name, digest) {
                Some((bytes, _)) => size += bytes.len() as u64,
                None if elsewhere => {}
                None => return missing(digest),
            }
        }
        let config: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Facts { created: text(&config, "created").parse().unwrap_or(now), size })
    }
}

/// What is known of an image that was pushed.
#[derive(Debug, Clone, Copy)]
struct Facts {
    created: Timestamp,
    size: u64,
}

/// Reads a manifest whose type a request says.
fn read(said: &str, body: Bytes) -> Result<(Document, Value), Refusal> {
    let invalid = |why: &str| Refusal::new(400, Code::ManifestInvalid, format!("manifest invalid: {why}"));
    let value: Value = serde_json::from_slice(&body).map_err(|error| invalid(&error.to_string()))?;
    let own = text(&value, "mediaType");
    let said = said.split(';').next().unwrap_or_default().trim();
    let known = [MANIFEST_TYPE, INDEX_TYPE, DOCKER_TYPE, LIST_TYPE].into_iter().find(|known| *known == said);
    let media = known.ok_or_else(|| invalid(&format!("`{said}` is no type of manifest that is taken")))?;
    if !own.is_empty() && own != media {
        return Err(invalid("its mediaType is not its Content-Type"));
    }
    if value.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
        return Err(invalid("its schemaVersion is not 2"));
    }
    Ok((Document::new(media, body), value))
}

fn is_index(media: &str) -> bool {
    media == INDEX_TYPE || media == LIST_TYPE
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Takes what comes.
async fn receive(upload: &mut Upload, body: Body) -> Result<(), Refusal> {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refusal::new(400, Code::BlobUploadInvalid, "the upload broke off"))?;
        upload.append(&piece)?;
    }
    Ok(())
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn created(location: &str, digest: &str) -> Response<Body> {
    let mut response = empty(StatusCode::CREATED);
    put(response.headers_mut(), LOCATION, location);
    put(response.headers_mut(), DIGEST, digest);
    response
}

fn going_on(status: StatusCode, name: &str, id: &str, length: usize) -> Response<Body> {
    let mut response = empty(status);
    let headers = response.headers_mut();
    put(headers, LOCATION, &format!("/v2/{name}/blobs/uploads/{id}"));
    put(headers, RANGE, &format!("0-{}", length.saturating_sub(1)));
    put(headers, UPLOAD_ID, id);
    response
}
