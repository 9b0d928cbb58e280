//! Request bodies → objects: media types, kinds, unknown fields, versions.

use serde_json::Value;

use super::admission::rest;
use super::query::Unknown;
use super::resource::Resource;
use super::schema::builtin::builtin;
use super::schema::{Struct, decode, proto, yaml};
use super::status::{FieldError, Refusal};
use crate::cluster::object::{GroupKind, Map, set, set_default, text};

/// The largest body that is read.
pub const LARGEST: usize = 3 * 1024 * 1024;

/// An object as a client sent it, in the stored version, and what was found on the way.
#[derive(Debug)]
pub struct Decoded {
    /// The object.
    pub object: Value,
    /// For `Warning` headers.
    pub warnings: Vec<String>,
}

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// 415 of a body that nobody can read.
pub fn unsupported(accepted: &str) -> Refusal {
    let message = "the body of the request was in an unknown format - accepted media types include";
    Refusal::new(415, "UnsupportedMediaType", format!("{message}: {accepted}"))
}

/// 413 of a body that is too large.
pub fn too_large() -> Refusal {
    Refusal::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {LARGEST}"))
}

/// A body of any accepted type as JSON, with the fields that stand there twice.
///
/// # Errors
/// 400 or 415.
pub fn parse(body: &[u8], content_type: &str, expected: &str) -> Result<(Value, Vec<String>), Refusal> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let unrecognized = |why: String| Refusal::bad_request(decode::unrecognized(expected, &why, body));
    match media_type.as_str() {
        "" if !content_type.is_empty() => Err(unsupported(ACCEPTED)),
        "" | "application/json" => decode::parse_json(body).map_err(unrecognized),
        "application/yaml" => yaml::parse_yaml(body).map_err(unrecognized),
        "application/vnd.kubernetes.protobuf" => proto::decode(body)
            .map(|value| (value, Vec::new()))
            .map_err(|why| Refusal::bad_request(decode::unreadable(expected, &why, body))),
        _ => Err(unsupported(ACCEPTED)),
    }
}

/// Why an object does not fit its kind.
#[derive(Debug)]
pub enum Misfit {
    /// It is of another kind or version: the refusal of a body, and the bare reason.
    Kind(Box<(Refusal, String)>),
    /// A field has a wrong type; Go's words.
    Type(String),
    /// Fields that nobody knows, where none are allowed.
    Unknown(Vec<String>),
}

impl Misfit {
    /// The refusal of a body.
    pub fn refusal(self, resource: &Resource) -> Refusal {
        let kind = &resource.kind.kind;
        let cannot =
            |why: &str| Refusal::bad_request(decode::cannot_be_handled(&resource.api_version, kind, kind, why));
        match self {
            Self::Kind(kind) => kind.0,
            Self::Type(why) => cannot(&why),
            Self::Unknown(found) => cannot(&decode::strict(&found)),
        }
    }
}

/// Reads the object of a create or an update, and brings it into the stored version.
///
/// # Errors
/// 400 or 415, as the real server says it.
pub fn decode(resource: &Resource, body: &[u8], content_type: &str, unknown: Unknown) -> Result<Decoded, Refusal> {
    let (object, duplicates) = parse(body, content_type, &resource.kind.kind)?;
    let mut decoded = conform(resource, object, duplicates, unknown).map_err(|misfit| misfit.refusal(resource))?;
    to_stored(resource, &mut decoded.object);
    Ok(decoded)
}

/// Brings an object of a request's version into the shape of its kind.
///
/// # Errors
/// When it is another kind or has fields of a wrong type, or unknown ones that are not allowed.
pub fn conform(
    resource: &Resource,
    object: Value,
    duplicates: Vec<String>,
    unknown: Unknown,
) -> Result<Decoded, Misfit> {
    shaped(resource, object, duplicates, unknown, decode::conform)
}

/// The same for the outcome of a strategic merge patch, which the real server converts instead of reading it.
///
/// # Errors
/// As [`conform`], in the converter's words.
pub fn restore(
    resource: &Resource,
    mut object: Value,
    duplicates: Vec<String>,
    unknown: Unknown,
) -> Result<Decoded, Misfit> {
    // The converter knows what it makes: what a patch says of kind and version does not count.
    set(&mut object, &["kind"], &*resource.kind.kind);
    set(&mut object, &["apiVersion"], resource.api_version.as_str());
    shaped(resource, object, duplicates, unknown, decode::restore)
}

/// Brings a built-in object into shape and names the fields that nobody knows.
type Shaping = fn(&Struct, &mut Value) -> Result<Vec<String>, String>;

fn shaped(
    resource: &Resource,
    mut object: Value,
    duplicates: Vec<String>,
    unknown: Unknown,
    shaping: Shaping,
) -> Result<Decoded, Misfit> {
    check_kind(resource, &mut object)?;
    let unknown_fields = match &resource.shape {
        Some(shape) if resource.custom.is_some() => decode::prune(shape, &mut object),
        Some(shape) => shaping(shape, &mut object).map_err(Misfit::Type)?,
        None => Vec::new(),
    };
    let found = decode::findings(duplicates, unknown_fields);
    let warnings = match unknown {
        Unknown::Strict if !found.is_empty() => return Err(Misfit::Unknown(found)),
        Unknown::Ignore => Vec::new(),
        Unknown::Strict | Unknown::Warn => found,
    };
    Ok(Decoded { object, warnings })
}

/// Checks that an object is what the path says; fills in kind and version where it says nothing.
fn check_kind(resource: &Resource, object: &mut Value) -> Result<(), Misfit> {
    let (kind, version) = (&*resource.kind.kind, resource.api_version.clone());
    let misfit = |text: String, why: String| Misfit::Kind(Box::new((Refusal::bad_request(text), why)));
    let shown = |object: &Value| object.to_string().into_bytes();
    let (sent_version, sent_kind) =
        decode::type_meta(object).map_err(|why| misfit(decode::unrecognized(kind, &why, &shown(object)), why))?;
    if sent_version.matches('/').count() > 1 {
        let why = format!("unexpected GroupVersion string: {sent_version}");
        return Err(misfit(decode::unreadable(kind, &why, &shown(object)), why));
    }
    if resource.custom.is_some() {
        check_custom_kind(resource, sent_version, sent_kind, object)?;
    }
    let of = |sent: &str, other: &str| if sent.is_empty() { other.to_owned() } else { sent.to_owned() };
    let (sent_version, sent_kind) = (of(sent_version, &version), of(sent_kind, kind));
    let refuse = |why: String| Err(misfit(decode::cannot_be_handled(&sent_version, &sent_kind, kind, &why), why));
    let is_known = || {
        let item = sent_kind.strip_suffix("List").unwrap_or(&sent_kind);
        [&*sent_kind, item].iter().any(|kind| builtin().kind(&sent_version, kind).is_some())
    };
    if sent_kind != kind && is_known() {
        let group = if resource.group.is_empty() { "core" } else { resource.group.split('.').next().unwrap_or("") };
        let version = sent_version.rsplit('/').next().unwrap_or(&sent_version);
        return refuse(format!("converting ({version}.{sent_kind}) to ({group}.{kind}): unknown conversion"));
    }
    if sent_kind != kind || sent_version != version {
        let scheme = "pkg/api/legacyscheme/scheme.go:30";
        return refuse(format!(
            "no kind \"{sent_kind}\" is registered for version \"{sent_version}\" in scheme \"{scheme}\""
        ));
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    set(object, &["kind"], kind);
    set(object, &["apiVersion"], version);
    if object.get("metadata").is_none_or(Value::is_null) {
        set(object, &["metadata"], Value::Object(Map::new()));
    }
    Ok(())
}

/// Custom resources say what they are themselves; what they say is validated, not converted.
fn check_custom_kind(resource: &Resource, version: &str, kind: &str, object: &Value) -> Result<(), Misfit> {
    let refuse = |refusal: Refusal| {
        let why = refusal.message.clone();
        Err(Misfit::Kind(Box::new((refusal, why))))
    };
    if kind.is_empty() {
        return refuse(Refusal::bad_request("Object 'Kind' is missing in 'object has no kind field '"));
    }
    let expected = &resource.api_version;
    if version != expected {
        let why =
            format!("the API version in the data ({version}) does not match the expected API version ({expected})");
        return refuse(Refusal::bad_request(why));
    }
    if kind != &*resource.kind.kind {
        let error = FieldError::invalid("kind", kind, format!("must be {}", resource.kind.kind));
        let named = GroupKind::new(&resource.group, kind);
        return refuse(Refusal::invalid(&named, text(object, &["metadata", "name"]), &[error]));
    }
    Ok(())
}

/// The body of a subresource of a kind of its own, as a TokenRequest.
///
/// # Errors
/// 400 or 415, as the real server says it.
pub fn part(
    resource: &Resource,
    name: &str,
    body: &[u8],
    content_type: &str,
    unknown: Unknown,
) -> Result<Decoded, Refusal> {
    let part =
        resource.subresources.iter().find(|part| part.subresource == name).ok_or_else(Refusal::unknown_resource)?;
    let (group, version) = (&*part.response_kind.group, &*part.response_kind.version);
    let kind = &*part.response_kind.kind;
    let version = super::resource::api_version(group, version);
    let (mut object, duplicates) = parse(body, content_type, kind)?;
    if !object.is_object() {
        object = Value::Object(Map::new());
    }
    let cannot = |why: &str| Refusal::bad_request(decode::cannot_be_handled(&version, kind, kind, why));
    let Some(shape) = builtin().kind(&version, kind) else { return Err(Refusal::unknown_resource()) };
    set_default(&mut object, &["kind"], kind);
    set_default(&mut object, &["apiVersion"], version.as_str());
    let unknown_fields = decode::conform(&shape, &mut object).map_err(|why| cannot(&why))?;
    let found = decode::findings(duplicates, unknown_fields);
    match unknown {
        Unknown::Strict if !found.is_empty() => Err(cannot(&decode::strict(&found))),
        Unknown::Ignore => Ok(Decoded { object, warnings: Vec::new() }),
        Unknown::Strict | Unknown::Warn => Ok(Decoded { object, warnings: found }),
    }
}

/// From the version of a request to the stored one.
pub fn to_stored(resource: &Resource, object: &mut Value) {
    if !resource.converts() {
        return;
    }
    match (&*resource.stored, resource.group.as_str()) {
        ("events", "events.k8s.io") => *object = rest::event::to_core(std::mem::take(object)),
        ("horizontalpodautoscalers.autoscaling", _) => *object = rest::autoscaling::to_v2(std::mem::take(object)),
        _ => {}
    }
    object["apiVersion"] = resource.storage_api_version.as_str().into();
}

/// From the stored version to the one of a request.
pub fn from_stored(resource: &Resource, object: &mut Value) {
    if !resource.converts() {
        return;
    }
    match (&*resource.stored, resource.group.as_str()) {
        ("events", "events.k8s.io") => *object = rest::event::to_events(std::mem::take(object)),
        ("horizontalpodautoscalers.autoscaling", _) => *object = rest::autoscaling::to_v1(std::mem::take(object)),
        _ => {}
    }
    object["apiVersion"] = resource.api_version.as_str().into();
}

/// Options that come as the body of a DELETE; none when there is no body.
///
/// # Errors
/// 400 or 415.
pub fn options(body: &[u8], content_type: &str) -> Result<Option<Value>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let read = match media_type.as_str() {
        "" | "application/json" => decode::parse_json(body),
        "application/yaml" => yaml::parse_yaml(body),
        "application/vnd.kubernetes.protobuf" => proto::decode(body).map(|value| (value, Vec::new())),
        _ => return Err(unsupported(ACCEPTED)),
    };
    let unread = |why: String| format!("couldn't get version/kind; json parse error: {why}");
    let (mut options, _) = read.map_err(|why| Refusal::bad_request(unread(why)))?;
    let (version, kind) = decode::type_meta(&options).map_err(|why| Refusal::bad_request(unread(why)))?;
    if !matches!(kind, "" | "DeleteOptions") {
        let why = match builtin().kind(version, kind) {
            Some(_) => "decoded object cannot be converted to DeleteOptions".to_owned(),
            None => format!("no kind \"{kind}\" is registered for version \"{version}\""),
        };
        return Err(Refusal::bad_request(why));
    }
    if let Some(shape) = builtin().named("apis.meta.v1.DeleteOptions") {
        decode::conform(&shape, &mut options).map_err(Refusal::bad_request)?;
    }
    Ok(Some(options))
}
