//! Request bodies → objects: media types, kinds, unknown fields, versions.

use serde_json::Value;

use super::admission::rest;
use super::query::Unknown;
use super::resource::Resource;
use super::schema::{Struct, decode, proto, yaml};
use super::status::Refusal;
use crate::cluster::object::{Map, set, text};

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
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let unrecognized = |why: String| Refusal::bad_request(decode::unrecognized(expected, &why, body));
    match media_type {
        "" | "application/json" => decode::parse_json(body).map_err(unrecognized),
        "application/yaml" => yaml::parse_yaml(body).map_err(unrecognized),
        "application/vnd.kubernetes.protobuf" => proto::decode(body).map(|value| (value, Vec::new())).map_err(|why| {
            Refusal::bad_request(format!("the object provided is unrecognized (must be of type {expected}): {why}"))
        }),
        _ => Err(unsupported("application/json, application/yaml, application/vnd.kubernetes.protobuf")),
    }
}

/// Why an object does not fit its kind.
#[derive(Debug)]
pub enum Misfit {
    /// It is of another kind or version.
    Kind(Refusal),
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
            Self::Kind(refusal) => refusal,
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
pub fn restore(resource: &Resource, object: Value, unknown: Unknown) -> Result<Decoded, Misfit> {
    shaped(resource, object, Vec::new(), unknown, decode::restore)
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
    check_kind(resource, &mut object).map_err(Misfit::Kind)?;
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
fn check_kind(resource: &Resource, object: &mut Value) -> Result<(), Refusal> {
    let (kind, version) = (&*resource.kind.kind, resource.api_version.clone());
    let (sent_version, sent_kind) = decode::type_meta(object)
        .map_err(|why| Refusal::bad_request(decode::unrecognized(kind, &why, object.to_string().as_bytes())))?;
    let of = |sent: &str, other: &str| if sent.is_empty() { other.to_owned() } else { sent.to_owned() };
    let (sent_version, sent_kind) = (of(sent_version, &version), of(sent_kind, kind));
    let refuse =
        |why: String| Err(Refusal::bad_request(decode::cannot_be_handled(&sent_version, &sent_kind, kind, &why)));
    if sent_kind != kind {
        let group = if resource.group.is_empty() { "core" } else { resource.group.split('.').next().unwrap_or("") };
        let version = sent_version.rsplit('/').next().unwrap_or(&sent_version);
        return refuse(format!("converting ({version}.{sent_kind}) to ({group}.{kind}): unknown conversion"));
    }
    if sent_version != version {
        let scheme = "pkg/api/legacyscheme/scheme.go:30";
        return refuse(format!(
            "no kind \"{kind}\" is registered for version \"{sent_version}\" in scheme \"{scheme}\""
        ));
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    set(object, &["kind"], kind);
    set(object, &["apiVersion"], version);
    if !object.get("metadata").is_some_and(Value::is_object) {
        set(object, &["metadata"], Value::Object(Map::new()));
    }
    Ok(())
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

/// Options that come as the body of a DELETE, or as an eviction's.
pub fn options(body: &[u8], content_type: &str) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let (options, _) = parse(body, content_type, "DeleteOptions")?;
    if !options.is_object() || !matches!(text(&options, &["kind"]), "" | "DeleteOptions") {
        return Err(Refusal::bad_request("the body of a DELETE has to be DeleteOptions"));
    }
    Ok(options)
}
