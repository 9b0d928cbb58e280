//! What the server says of itself: groups, OpenAPI, health, version.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use super::answer::{bytes_answer, json_answer, not_found, raw_answer, text_answer};
use super::{Asked, Frontend, OPENAPI_PROTOBUF};
use crate::cluster::api::documents::Documents;
use crate::cluster::api::resource::Registry;
use crate::cluster::api::status::Refusal;
use crate::cluster::api::{accept, discovery, plain};

impl Frontend {
    pub(super) fn discovery(&self, registry: &Registry, asked: &Asked, core: bool) -> Result<Response<Body>, Refusal> {
        if !accept::wants_aggregated(asked.accept())? {
            return Ok(json_answer(&if core {
                discovery::core_versions(&self.address)
            } else {
                discovery::group_list(registry)
            }));
        }
        let tag = format!("\"{}-{}\"", registry.generation, u8::from(core));
        let mut response = if asked.header(header::IF_NONE_MATCH) == tag {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = json_answer(&discovery::aggregated(registry, core));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(discovery::AGGREGATED));
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        Ok(response)
    }

    /// `/version`, health, OpenAPI.
    pub(super) fn plain(&self, registry: &Arc<Registry>, path: &str, asked: &Asked) -> Result<Response<Body>, Refusal> {
        match path {
            "/version" | "/version/" if asked.method != Method::GET => Err(Refusal::method_not_allowed()),
            "/version" | "/version/" => Ok(raw_answer(&discovery::version())),
            "/" | "/index.html" => Ok(raw_answer(&json!({"paths": plain::index(registry)}))),
            "/openapi/v2" => {
                let documents = self.openapi(registry);
                Ok(if accept::wants_openapi_protobuf(asked.accept()) {
                    bytes_answer(documents.v2_protobuf(), OPENAPI_PROTOBUF)
                } else {
                    bytes_answer(documents.v2(), "application/json")
                })
            }
            "/openapi/v3" => Ok(bytes_answer(self.openapi(registry).index(), "application/json")),
            _ => match path.strip_prefix("/openapi/v3/") {
                Some(group) => Ok(self.openapi_group(registry, group, asked)),
                None => Ok(plain::health(path, &asked.query).map_or_else(not_found, text_answer)),
            },
        }
    }

    pub(super) fn openapi(&self, registry: &Arc<Registry>) -> Arc<Documents> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        match &*documents {
            Some(known) if known.generation() == registry.generation => known.clone(),
            _ => documents.insert(Documents::of(registry.clone())).clone(),
        }
    }

    pub(super) fn openapi_group(&self, registry: &Arc<Registry>, group: &str, asked: &Asked) -> Response<Body> {
        let documents = self.openapi(registry);
        let Some((document, hash)) = documents.group(group) else {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        let sent = asked.query.get("hash");
        if !sent.is_empty() && sent != hash {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            if let Ok(place) = HeaderValue::from_str(&format!("/openapi/v3/{group}?hash={hash}")) {
                response.headers_mut().insert(header::LOCATION, place);
            }
            return response;
        }
        let mut response = bytes_answer(document, "application/json");
        if !sent.is_empty() {
            let cached = HeaderValue::from_static("public, immutable");
            response.headers_mut().insert(header::CACHE_CONTROL, cached);
        }
        response
    }
}
