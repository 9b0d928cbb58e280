//! Requests → answers: who asks, what is meant, which verb.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::accept::{self, View, Wanted};
use super::access::{Attributes, User};
use super::connect::{PodCall, Runtime};
use super::deletion::{DeleteOptions, Deleted};
use super::documents::Documents;
use super::path::{ApiPath, ResourcePath};
use super::query::{Query, ReadOptions, Unknown, WriteOptions};
use super::read::Scope;
use super::resource::{Registry, Resource};
use super::schema::yaml;
use super::status::{Details, FieldError, Refusal};
use super::view::Show;
use super::write::{Call, Part, Patch, Written};
use super::{Api, admission, body, discovery, policy, subresource, watch};
use crate::cluster::object::{GroupKind, Key, text};

/// The media type of `/openapi/v2` as protobuf; clients ask for it with an `@` that is none in a media type.
const OPENAPI_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Speaks HTTP for one cluster.
#[derive(Debug)]
pub struct Frontend {
    api: Arc<Api>,
    /// Ends streams.
    stop: CancellationToken,
    /// What clients reach the server by, as `127.0.0.1:6443`.
    address: String,
    /// What runs in pods.
    runtime: Arc<dyn Runtime>,
    documents: Mutex<Option<Arc<Documents>>>,
}

/// One request, taken apart.
struct Asked {
    method: Method,
    headers: HeaderMap,
    query: Query,
    user: User,
    request: Request<Body>,
}

impl Asked {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn accept(&self) -> &str {
        self.header(header::ACCEPT)
    }

    fn write_options(&self, kind: &str) -> Result<WriteOptions, Refusal> {
        WriteOptions::of(&self.query, self.header(header::USER_AGENT), kind)
    }

    /// The whole body, up to the limit.
    async fn body(&mut self) -> Result<Bytes, Refusal> {
        let body = std::mem::take(self.request.body_mut());
        match Limited::new(body, body::LARGEST).collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(body::too_large()),
            Err(error) => Err(Refusal::bad_request(format!("the body broke off: {error}"))),
        }
    }
}

/// What a path means, looked up.
struct Target {
    resource: Arc<Resource>,
    path: ResourcePath,
}

impl Target {
    fn key(&self) -> Key {
        let namespace = if self.resource.namespaced { self.path.namespace.as_str() } else { "" };
        Key::new(namespace, &self.path.name)
    }

    fn sub(&self) -> &str {
        &self.path.subresource
    }
}

impl Frontend {
    /// The front of a cluster that is reached by `address`; `stop` ends what runs for ever.
    pub fn new(api: Arc<Api>, address: String, runtime: Arc<dyn Runtime>, stop: CancellationToken) -> Self {
        Self { api, stop, address, runtime, documents: Mutex::new(None) }
    }

    /// Answers a request of somebody who is known.
    pub async fn answer(&self, user: User, request: Request<Body>) -> Response<Body> {
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let path = request.uri().path().to_owned();
        let asked = Asked { method, headers, query, user, request };
        match self.route(&path, asked).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        }
    }

    async fn route(&self, path: &str, mut asked: Asked) -> Result<Response<Body>, Refusal> {
        asked.user = self.api.look(|store| policy::impersonated(store, asked.user, &asked.headers))?;
        let registry = self.api.registry();
        match ApiPath::parse(path) {
            ApiPath::Resource(found) => self.resource(&registry, found, asked).await,
            other => {
                let verb = asked.method.as_str().to_ascii_lowercase();
                self.allow(&asked, &Attributes { verb: &verb, path, ..Attributes::default() })?;
                if asked.method != Method::GET {
                    return Err(Refusal::method_not_allowed());
                }
                match other {
                    ApiPath::Core => self.discovery(&registry, &asked, true),
                    ApiPath::Groups => self.discovery(&registry, &asked, false),
                    ApiPath::Group(name) => discovery::group(&registry, &name)
                        .map_or_else(|| Ok(not_found()), |group| Ok(json_answer(&group))),
                    ApiPath::Version(group, version) => {
                        let list = discovery::resource_list(&registry, &group, &version);
                        list.map_or_else(|| Ok(not_found()), |list| Ok(json_answer(&list)))
                    }
                    _ => self.plain(&registry, path, &asked),
                }
            }
        }
    }

    fn discovery(&self, registry: &Registry, asked: &Asked, core: bool) -> Result<Response<Body>, Refusal> {
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
    fn plain(&self, registry: &Arc<Registry>, path: &str, asked: &Asked) -> Result<Response<Body>, Refusal> {
        match path {
            "/version" | "/version/" => Ok(json_answer(&discovery::version())),
            "/healthz" | "/livez" | "/readyz" | "/healthz/ping" | "/livez/ping" | "/readyz/ping" => {
                Ok(text_answer("ok"))
            }
            "/" => Ok(json_answer(
                &json!({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}),
            )),
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
                None => Ok(not_found()),
            },
        }
    }

    fn openapi(&self, registry: &Arc<Registry>) -> Arc<Documents> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        match &*documents {
            Some(known) if known.generation() == registry.generation => known.clone(),
            _ => documents.insert(Documents::of(registry.clone())).clone(),
        }
    }

    fn openapi_group(&self, registry: &Arc<Registry>, group: &str, asked: &Asked) -> Response<Body> {
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

    fn allow(&self, asked: &Asked, attributes: &Attributes<'_>) -> Result<(), Refusal> {
        self.api.look(|store| policy::allow(store, &asked.user, attributes))
    }

    async fn resource(
        &self,
        registry: &Registry,
        path: ResourcePath,
        mut asked: Asked,
    ) -> Result<Response<Body>, Refusal> {
        let Some(resource) = registry.find(&path.group, &path.version, &path.plural).cloned() else {
            let known = registry.version(&path.group, &path.version).is_some();
            return if known { Err(Refusal::unknown_resource()) } else { Ok(not_found()) };
        };
        let target = Target { resource, path };
        let resource = &target.resource;
        if !target.path.namespace.is_empty() && !resource.namespaced {
            return Err(Refusal::unknown_resource());
        }
        let watching = target.path.watch || asked.query.flag("watch") && target.path.name.is_empty();
        let verb = match (&asked.method, target.path.name.is_empty()) {
            (&Method::GET, true) if watching => "watch",
            (&Method::GET, true) => "list",
            (&Method::GET, false) if target.path.watch => "watch",
            (&Method::GET, false) => "get",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, true) => "deletecollection",
            (&Method::DELETE, false) => "delete",
            _ => return Err(Refusal::method_not_allowed()),
        };
        let attributes = Attributes {
            verb,
            group: &resource.group,
            resource: &resource.plural,
            subresource: target.sub(),
            name: &target.path.name,
            namespace: &target.path.namespace,
            path: "",
        };
        self.allow(&asked, &attributes)?;
        if !target.sub().is_empty() {
            return self.subresource(&target, verb, asked).await;
        }
        let misplaced = match verb {
            "create" => !target.path.name.is_empty(),
            "update" | "patch" => target.path.name.is_empty(),
            _ => false,
        };
        if misplaced || !resource.answers(verb, "") {
            return Err(Refusal::method_not_allowed());
        }
        // A collection in no namespace can be read, but nothing is written there.
        let nowhere = resource.namespaced && target.path.namespace.is_empty();
        if nowhere && !matches!(verb, "list" | "watch" | "deletecollection") {
            return Err(if target.path.name.is_empty() && verb == "create" && policy::is_review(resource) {
                Refusal::bad_request("a namespace is needed")
            } else if verb == "create" {
                Refusal::method_not_allowed()
            } else {
                Refusal::unknown_resource()
            });
        }
        match verb {
            "list" | "watch" => self.list(&target, &mut asked).await,
            "get" => self.get(&target, &asked),
            "create" => self.create(&target, &mut asked).await,
            "update" => self.update(&target, Part::Main, &mut asked).await,
            "patch" => self.patch(&target, Part::Main, &mut asked).await,
            "delete" => self.delete(&target, &mut asked).await,
            _ => self.delete_collection(&target, &mut asked).await,
        }
    }

    fn show<'a>(&self, resource: &'a Resource, wanted: Wanted, options: &ReadOptions) -> Show<'a> {
        Show { resource, wanted, include: options.include, now: self.api.now(), pretty: options.pretty }
    }

    async fn list(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let mut options = ReadOptions::of(&asked.query, target.path.watch)?;
        if target.path.watch && !target.path.name.is_empty() {
            options.fields = format!("metadata.name={}", target.path.name);
        }
        let scope = Scope::of(&target.resource, &target.path.namespace, &options)?;
        if options.watch {
            // A watch of metadata is asked for by the name of one object, a list's by that of lists.
            let wanted = accept::choose(asked.accept(), false).or_else(|_| accept::choose(asked.accept(), true))?;
            let media = wanted.encoding.media_type();
            let stream =
                watch::watch(self.api.clone(), target.resource.clone(), scope, options, wanted, self.stop.clone());
            let stream = futures::StreamExt::map(stream, Ok::<_, std::convert::Infallible>);
            return Ok(answer(StatusCode::OK, media, Body::from_stream(stream)));
        }
        let wanted = accept::choose(asked.accept(), true)?;
        let page = self.api.list(&target.resource, &scope, &options).await?;
        let show = self.show(&target.resource, wanted, &options);
        let pieces = show.list(&page.head, &page.objects);
        let media = wanted.encoding.media_type();
        let body = match <[Bytes; 1]>::try_from(pieces) {
            Ok([one]) => Body::from(one),
            Err(pieces) => {
                let pieces = futures::stream::iter(pieces.into_iter().map(Ok::<_, std::convert::Infallible>));
                Body::from_stream(pieces)
            }
        };
        Ok(answer(StatusCode::OK, media, body))
    }

    fn get(&self, target: &Target, asked: &Asked) -> Result<Response<Body>, Refusal> {
        let wanted = accept::choose(asked.accept(), false)?;
        let options = ReadOptions::of(&asked.query, false)?;
        let object = self.api.get(&target.resource, &target.key())?;
        let mut response = answer(
            StatusCode::OK,
            wanted.encoding.media_type(),
            Body::from(self.show(&target.resource, wanted, &options).one(&object)),
        );
        warn(&mut response, admission::rest::deprecation(&target.resource.kind).map(str::to_owned));
        Ok(response)
    }

    async fn create(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let options = asked.write_options("CreateOptions")?;
        let wanted = accept::choose(asked.accept(), false)?;
        let body = asked.body().await?;
        let decoded = body::decode(resource, &body, asked.header(header::CONTENT_TYPE), options.unknown)?;
        if policy::is_review(resource) {
            let answered = self.api.look(|store| {
                policy::review(store, &resource.kind, decoded.object, &asked.user, &target.path.namespace)
            })?;
            return Ok(with_status(json_answer(&answered), StatusCode::CREATED));
        }
        let call = Call { user: &asked.user, options: &options };
        if resource.kind.pair() == ("", "Binding") {
            let name = text(&decoded.object, &["metadata", "name"]).to_owned();
            let registry = self.api.registry();
            let pods = registry.find("", "v1", "pods").ok_or_else(Refusal::unknown_resource)?;
            self.api.bind(&call, pods, &Key::new(&target.path.namespace, &name), &decoded.object)?;
            return Ok(with_status(json_answer(&success(201)), StatusCode::CREATED));
        }
        let mut written = self.api.create(&call, resource, &target.path.namespace, decoded.object)?;
        written.warnings.splice(0..0, decoded.warnings);
        Ok(self.written(resource, written, wanted, asked))
    }

    async fn update(&self, target: &Target, part: Part, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let options = asked.write_options("UpdateOptions")?;
        let wanted = accept::choose(asked.accept(), false)?;
        let body = asked.body().await?;
        let decoded = body::decode(resource, &body, asked.header(header::CONTENT_TYPE), options.unknown)?;
        let call = Call { user: &asked.user, options: &options };
        let mut written = self.api.update(&call, resource, &target.key(), part, decoded.object)?;
        written.warnings.splice(0..0, decoded.warnings);
        Ok(self.written(resource, written, wanted, asked))
    }

    async fn patch(&self, target: &Target, part: Part, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let options = asked.write_options("PatchOptions")?;
        let wanted = accept::choose(asked.accept(), false)?;
        let patch = self.read_patch(resource, asked, &options).await?;
        let call = Call { user: &asked.user, options: &options };
        let (written, warnings) = match patch {
            (Patch::Apply(applied), duplicates) => {
                let patch = Patch::Apply(apply_body(&target.key(), applied)?);
                (self.api.patch(&call, resource, &target.key(), part, &patch)?, duplicates)
            }
            (patch, duplicates) => (self.api.patch(&call, resource, &target.key(), part, &patch)?, duplicates),
        };
        let mut written = written;
        written.warnings.splice(0..0, warnings);
        Ok(self.written(resource, written, wanted, asked))
    }

    /// The patch of a request, and the fields that stand in it twice.
    async fn read_patch(
        &self,
        resource: &Resource,
        asked: &mut Asked,
        options: &WriteOptions,
    ) -> Result<(Patch, Vec<String>), Refusal> {
        let media = asked.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned();
        let kind = GroupKind::new("meta.k8s.io", "PatchOptions");
        let apply = media == "application/apply-patch+yaml";
        if apply && !options.manager_given {
            let error = FieldError::required("fieldManager", "is required for apply patch");
            return Err(Refusal::invalid(&kind, "", &[error]));
        }
        if !apply && options.force.is_some() {
            let error = FieldError::forbidden("force", "may not be specified for non-apply patch");
            return Err(Refusal::invalid(&kind, "", &[error]));
        }
        let custom = resource.custom.is_some();
        let known = matches!(media.as_str(), "application/json-patch+json" | "application/merge-patch+json")
            || apply
            || media == "application/strategic-merge-patch+json" && !custom;
        if !known {
            return Err(if custom {
                let types = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
                body::unsupported(types)
            } else {
                Refusal::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
                    .with_details(Details::default())
            });
        }
        let body = asked.body().await?;
        if apply {
            let (applied, found) =
                yaml::parse_yaml(&body).map_err(|why| Refusal::bad_request(format!("error decoding YAML: {why}")))?;
            if options.unknown == Unknown::Strict && !found.is_empty() {
                return Err(Refusal::bad_request(format!("error strict decoding YAML: {}", found.join(", "))));
            }
            return Ok((Patch::Apply(applied), found));
        }
        let (patch, duplicates) = super::schema::decode::parse_json(&body)
            .map_err(|why| Refusal::bad_request(format!("error decoding patch: {why}")))?;
        Ok(match media.as_str() {
            "application/json-patch+json" => (Patch::Json(patch), Vec::new()),
            "application/merge-patch+json" => (Patch::Merge(patch), duplicates),
            _ => (Patch::Strategic(patch), duplicates),
        })
    }

    fn written(&self, resource: &Resource, written: Written, wanted: Wanted, asked: &Asked) -> Response<Body> {
        let show = Show {
            resource,
            wanted,
            include: super::query::Include::Metadata,
            now: self.api.now(),
            pretty: asked.query.flag("pretty"),
        };
        let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
        let mut response = answer(status, wanted.encoding.media_type(), Body::from(show.one(&written.object)));
        warn(&mut response, written.warnings);
        response
    }

    async fn delete(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let options = delete_options(asked).await?;
        let wanted = accept::choose(asked.accept(), false)?;
        let deleted = self.api.delete(&target.resource, &target.key(), &options)?;
        Ok(self.deleted(&target.resource, &deleted, wanted, asked))
    }

    fn deleted(&self, resource: &Resource, deleted: &Deleted, wanted: Wanted, asked: &Asked) -> Response<Body> {
        let answers_itself = matches!(&*resource.stored, "pods" | "namespaces" | "services");
        if deleted.gone && !answers_itself {
            let object = &deleted.object;
            let mut details = json!({"name": &*object.key.name});
            if !resource.group.is_empty() {
                details["group"] = resource.group.as_str().into();
            }
            details["kind"] = resource.plural.as_str().into();
            details["uid"] = (&*object.uid).into();
            let status =
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
            return json_answer(&status);
        }
        let wanted = Wanted { view: View::Whole, ..wanted };
        let written = Written { object: deleted.object.clone(), created: false, warnings: Vec::new() };
        self.written(resource, written, wanted, asked)
    }

    async fn delete_collection(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let delete = delete_options(asked).await?;
        let options = ReadOptions::of(&asked.query, false)?;
        let wanted = accept::choose(asked.accept(), true)?;
        let scope = Scope::of(&target.resource, &target.path.namespace, &options)?;
        let page = self.api.list(&target.resource, &scope, &options).await?;
        let mut deleted = Vec::with_capacity(page.objects.len());
        for object in &page.objects {
            match self.api.delete(&target.resource, &object.key, &delete) {
                Ok(gone) => deleted.push(gone.object),
                Err(refusal) if refusal.code == 404 => {}
                Err(refusal) => return Err(refusal),
            }
        }
        let wanted = Wanted { view: View::Whole, ..wanted };
        let pieces = self.show(&target.resource, wanted, &options).list(&page.head, &deleted);
        Ok(answer(StatusCode::OK, wanted.encoding.media_type(), Body::from(pieces.concat())))
    }

    async fn subresource(&self, target: &Target, verb: &str, mut asked: Asked) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let sub = target.sub();
        if !resource.has(sub) {
            return Err(if resource.custom.is_some() && matches!(sub, "status" | "scale") {
                Refusal::not_found(&resource.group, &resource.plural, &target.path.name)
            } else {
                Refusal::unknown_resource()
            });
        }
        if !resource.answers(verb, sub) {
            return Err(Refusal::method_not_allowed());
        }
        let asked_part = match sub {
            "status" => Some(Part::Status),
            "finalize" => Some(Part::Other("finalize")),
            "approval" => Some(Part::Other("approval")),
            "resize" => Some(Part::Other("resize")),
            "ephemeralcontainers" => Some(Part::Other("ephemeralcontainers")),
            _ => None,
        };
        match (sub, asked_part, verb) {
            (_, Some(_), "get") => self.get(target, &asked),
            (_, Some(part), "update") => self.update(target, part, &mut asked).await,
            (_, Some(part), "patch") => self.patch(target, part, &mut asked).await,
            ("scale", ..) => self.scale(target, verb, &mut asked).await,
            ("log" | "exec" | "attach" | "portforward" | "proxy", ..) => {
                let call = PodCall {
                    resource: resource.plural.clone(),
                    key: target.key(),
                    subresource: sub.to_owned(),
                    rest: target.path.rest.clone(),
                    query: asked.query,
                    request: asked.request,
                };
                self.runtime.answer(call).await
            }
            ("eviction", _, "create") => self.evict(target, &mut asked).await,
            ("binding", _, "create") => {
                let options = asked.write_options("CreateOptions")?;
                let body = asked.body().await?;
                let (binding, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Binding")?;
                let call = Call { user: &asked.user, options: &options };
                self.api.bind(&call, resource, &target.key(), &binding)?;
                Ok(with_status(json_answer(&success(201)), StatusCode::CREATED))
            }
            _ => Err(Refusal::method_not_allowed()),
        }
    }

    async fn scale(&self, target: &Target, verb: &str, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let resource = &target.resource;
        let wanted = accept::choose(asked.accept(), false)?;
        if verb == "get" {
            let object = self.api.get(resource, &target.key())?;
            let scale = subresource::scale_of(resource, &object.value());
            return Ok(scale_answer(&scale, wanted, self.api.now()));
        }
        let options = asked.write_options("UpdateOptions")?;
        let call_user = asked.user.clone();
        let call = Call { user: &call_user, options: &options };
        let scale = if verb == "update" {
            let body = asked.body().await?;
            let (scale, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Scale")?;
            self.api.rescale(&call, resource, &target.key(), |_| Ok(scale.clone()))?
        } else {
            let (patch, _) = self.read_patch(resource, asked, &options).await?;
            self.api.rescale(&call, resource, &target.key(), |current| match &patch {
                Patch::Json(patch) => super::patch::json(current, patch),
                Patch::Merge(patch) | Patch::Strategic(patch) | Patch::Apply(patch) => {
                    super::patch::merge(current, patch)
                }
            })?
        };
        Ok(scale_answer(&scale, wanted, self.api.now()))
    }

    async fn evict(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let body = asked.body().await?;
        let (eviction, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Eviction")?;
        let options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
        let options = DeleteOptions::of(&options, &asked.query)?;
        self.api.evict(&target.resource, &target.key(), &options)?;
        Ok(with_status(json_answer(&success(201)), StatusCode::CREATED))
    }
}

fn scale_answer(scale: &Value, wanted: Wanted, now: jiff::Timestamp) -> Response<Body> {
    match wanted.view {
        View::Table => json_answer(&subresource::scale_table(scale, now)),
        View::Whole | View::Metadata => json_answer(scale),
    }
}

/// Checks the object of an apply as far as that goes without the object that is there.
fn apply_body(key: &Key, mut applied: Value) -> Result<Value, Refusal> {
    if !applied.is_object() {
        return Err(Refusal::bad_request("error decoding YAML: the applied object has to be an object"));
    }
    if text(&applied, &["metadata", "name"]).is_empty() {
        crate::cluster::object::set(&mut applied, &["metadata", "name"], &*key.name);
    }
    Ok(applied)
}

async fn delete_options(asked: &mut Asked) -> Result<DeleteOptions, Refusal> {
    let body = asked.body().await?;
    let options = body::options(&body, asked.header(header::CONTENT_TYPE))?;
    DeleteOptions::of(&options, &asked.query)
}

/// A Status of success.
fn success(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code})
}

fn answer(status: StatusCode, media_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// An answer of JSON.
pub fn json_answer(value: &Value) -> Response<Body> {
    answer(StatusCode::OK, "application/json", Body::from(format!("{value}\n")))
}

fn bytes_answer(bytes: Bytes, media_type: &'static str) -> Response<Body> {
    answer(StatusCode::OK, media_type, Body::from(bytes))
}

fn text_answer(text: &'static str) -> Response<Body> {
    answer(StatusCode::OK, "text/plain; charset=utf-8", Body::from(text))
}

fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

/// A path that nobody answers.
fn not_found() -> Response<Body> {
    answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", Body::from("404 page not found\n"))
}

/// A refusal as an answer.
pub fn refused(refusal: &Refusal) -> Response<Body> {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_status(json_answer(&refusal.to_value()), status)
}

fn warn(response: &mut Response<Body>, warnings: impl IntoIterator<Item = String>) {
    for warning in warnings {
        let text = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}
