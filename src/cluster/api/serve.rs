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
use super::{Api, admission, body, discovery, form, plain, policy, subresource, watch};
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

    fn is_pretty(&self) -> bool {
        form::is_pretty(&self.query, self.header(header::USER_AGENT))
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
        let asked = Asked { method, headers: headers.clone(), query, user, request };
        let pretty = asked.is_pretty();
        let response = match self.route(&path, asked).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        };
        form::shaped(response, &headers, pretty).await
    }

    /// Whom the token of a service account speaks for.
    pub fn bearer(&self, token: &str) -> Option<User> {
        self.api.bearer(token)
    }

    async fn route(&self, path: &str, mut asked: Asked) -> Result<Response<Body>, Refusal> {
        asked.user = self.api.look(|store| policy::impersonated(store, asked.user, &asked.headers))?;
        let registry = self.api.registry();
        match ApiPath::parse(path) {
            ApiPath::Resource(found) => self.resource(&registry, found, asked).await,
            other => {
                let verb = asked.method.as_str().to_ascii_lowercase();
                self.allow(&asked, &Attributes { verb: &verb, path, ..Attributes::default() })?;
                let known = match &other {
                    ApiPath::Group(name) => registry.group(name).is_some(),
                    ApiPath::Version(group, version) => registry.version(group, version).is_some(),
                    ApiPath::Core | ApiPath::Groups => true,
                    _ => return self.plain(&registry, path, &asked),
                };
                if !known {
                    return Ok(not_found());
                }
                if asked.method != Method::GET {
                    return Err(Refusal::method_not_allowed());
                }
                match other {
                    ApiPath::Core => self.discovery(&registry, &asked, true),
                    ApiPath::Groups => self.discovery(&registry, &asked, false),
                    ApiPath::Group(name) => Ok(json_answer(&discovery::group(&registry, &name).unwrap_or_default())),
                    ApiPath::Version(group, version) => {
                        Ok(json_answer(&discovery::resource_list(&registry, &group, &version).unwrap_or_default()))
                    }
                    _ => Ok(not_found()),
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
        // A collection in no namespace can be read, but nothing is written there.
        let nowhere = resource.namespaced && target.path.namespace.is_empty();
        if nowhere && !(target.path.name.is_empty() && resource.answers("list", "")) {
            return Err(Refusal::unknown_resource());
        }
        check_segment(&target.path.name)?;
        if !target.sub().is_empty() {
            return self.subresource(&target, verb, asked).await;
        }
        if !target.path.name.is_empty() && !resource.answers("get", "") {
            return Err(Refusal::unknown_resource());
        }
        let misplaced = match verb {
            "create" => !target.path.name.is_empty(),
            "update" | "patch" => target.path.name.is_empty(),
            _ => false,
        };
        if misplaced || !resource.answers(verb, "") || nowhere && !matches!(verb, "list" | "watch" | "deletecollection")
        {
            return Err(Refusal::method_not_allowed());
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

    fn show<'a>(&self, resource: &'a Resource, wanted: Wanted, options: &ReadOptions, asked: &Asked) -> Show<'a> {
        Show { resource, wanted, include: options.include, now: self.api.now(), pretty: asked.is_pretty() }
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
        let show = self.show(&target.resource, wanted, &options, asked);
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
            Body::from(self.show(&target.resource, wanted, &options, asked).one(&object)),
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
        if resource.kind.pair() == ("authentication.k8s.io", "TokenReview") {
            let known = |token: &str, audiences: &[String]| self.api.reviewed(token, audiences);
            let answered = super::access::token_review(decoded.object, &known)?;
            return Ok(with_status(json_answer(&answered), StatusCode::CREATED));
        }
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
        let (patch, findings) = self.read_patch(resource, asked, &options).await?;
        let call = Call { user: &asked.user, options: &options };
        let written = self.api.patch(&call, resource, &target.key(), part, &patch, &findings)?;
        Ok(self.written(resource, written, wanted, asked))
    }

    /// The patch of a request, and what strict reading finds in it.
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
            // What is found has several lines: no header carries it.
            return Ok((Patch::Apply(applied_object(applied)?), Vec::new()));
        }
        let (patch, duplicates) = super::schema::decode::parse_json(&body)
            .map_err(|why| Refusal::bad_request(format!("error decoding patch: {why}")))?;
        Ok(match media.as_str() {
            "application/json-patch+json" => {
                let findings = super::patch::unknown_members(&patch);
                (Patch::Json(patch), findings)
            }
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
            pretty: asked.is_pretty(),
        };
        let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
        let mut response = answer(status, wanted.encoding.media_type(), Body::from(show.one(&written.object)));
        warn(&mut response, written.warnings);
        response
    }

    async fn delete(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let wanted = accept::choose(asked.accept(), false)?;
        let options = delete_options(asked).await?;
        let deleted = self.api.delete(&target.resource, &target.key(), &options)?;
        let mut response = self.deleted(&target.resource, &deleted, wanted, asked);
        if !deleted.gone && options.follows {
            *response.status_mut() = StatusCode::ACCEPTED;
        }
        warn(&mut response, super::deletion::warning(&target.resource, &options).map(str::to_owned));
        Ok(response)
    }

    fn deleted(&self, resource: &Resource, deleted: &Deleted, wanted: Wanted, asked: &Asked) -> Response<Body> {
        if deleted.gone && !super::deletion::answers_itself(resource) {
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
        let written = Written { object: deleted.object.clone(), created: false, warnings: Vec::new() };
        self.written(resource, written, wanted, asked)
    }

    async fn delete_collection(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let wanted = accept::choose(asked.accept(), true)?;
        let options = ReadOptions::of(&asked.query, false)?;
        let delete = delete_options(asked).await?;
        let scope = Scope::of(&target.resource, &target.path.namespace, &options)?;
        let page = self.api.list(&target.resource, &scope, &options).await?;
        for object in &page.objects {
            match self.api.delete(&target.resource, &object.key, &delete) {
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
        // What is answered is the list as it was before.
        let pieces = self.show(&target.resource, wanted, &options, asked).list(&page.head, &page.objects);
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
            ("token", _, "create") => self.token(target, &mut asked).await,
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

    async fn token(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let options = asked.write_options("CreateOptions")?;
        let body = asked.body().await?;
        let request =
            body::part(&target.resource, "token", &body, asked.header(header::CONTENT_TYPE), options.unknown)?;
        let answered =
            self.api.request_token(&target.resource, &target.key(), request.object, &super::write::random_uid()?)?;
        let mut response = with_status(json_answer(&answered), StatusCode::CREATED);
        warn(&mut response, request.warnings);
        Ok(response)
    }

    async fn evict(&self, target: &Target, asked: &mut Asked) -> Result<Response<Body>, Refusal> {
        let body = asked.body().await?;
        let (eviction, _) = body::parse(&body, asked.header(header::CONTENT_TYPE), "Eviction")?;
        let options = eviction.get("deleteOptions").cloned().unwrap_or_else(|| json!({}));
        let mut options = DeleteOptions::of(&options)?;
        options.dry_run |= asked.write_options("CreateOptions")?.dry_run;
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

/// What an apply sends; nothing is an object without anything.
fn applied_object(sent: Value) -> Result<Value, Refusal> {
    match sent {
        Value::Object(_) => Ok(sent),
        Value::Null => Ok(json!({})),
        other => {
            let why = super::patch::wrong_body(&other, "map[string]interface {}");
            let text = format!("error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}");
            Err(Refusal::bad_request(text))
        }
    }
}

async fn delete_options(asked: &mut Asked) -> Result<DeleteOptions, Refusal> {
    let body = asked.body().await?;
    match body::options(&body, asked.header(header::CONTENT_TYPE))? {
        Some(options) => DeleteOptions::of(&options),
        None => DeleteOptions::of_query(&asked.query),
    }
}

/// A name that cannot stand in the path of a stored object names none.
fn check_segment(name: &str) -> Result<(), Refusal> {
    match admission::path_segment(name).as_slice() {
        [] => Ok(()),
        faults => Err(Refusal::bad_request(format!("Name parameter invalid: {name:?}: {}", faults.join(";")))),
    }
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
    let mut response = answer(StatusCode::OK, "application/json", Body::from(format!("{value}\n")));
    response.extensions_mut().insert(form::Malleable);
    response
}

/// An answer of JSON that is always indented.
fn raw_answer(value: &Value) -> Response<Body> {
    answer(StatusCode::OK, "application/json", Body::from(form::indented(value)))
}

fn bytes_answer(bytes: Bytes, media_type: &'static str) -> Response<Body> {
    answer(StatusCode::OK, media_type, Body::from(bytes))
}

fn text_answer(text: String) -> Response<Body> {
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
