//! Request bodies → objects: media types, kinds, unknown fields, versions.

use serde_json::Value;

use super::query::Unknown;
use super::resource::Resource;
use super::schema::{decode, proto, yaml};
use super::status::Refusal;
use crate::cluster::object::{Map, text};

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
    let unrecognized = |why: &str| {
        let shown = String::from_utf8_lossy(body.get(..body.len().min(1024)).unwrap_or_default()).into_owned();
        Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {expected}): couldn't get version/kind; json parse \
             error: {why} ({shown})"
        ))
    };
    match media_type {
        "" | "application/json" => decode::parse_json(body).map_err(|why| unrecognized(&why.to_string())),
        "application/yaml" => yaml::from_yaml(body).map(|value| (value, Vec::new())).map_err(|why| unrecognized(&why)),
        "application/vnd.kubernetes.protobuf" => proto::decode(body).map(|value| (value, Vec::new())).map_err(|why| {
            Refusal::bad_request(format!("the object provided is unrecognized (must be of type {expected}): {why}"))
        }),
        _ => Err(unsupported("application/json, application/yaml, application/vnd.kubernetes.protobuf")),
    }
}

/// Reads the object of a create or an update.
///
/// # Errors
/// 400 or 415, as the real server says it.
pub fn decode(resource: &Resource, body: &[u8], content_type: &str, unknown: Unknown) -> Result<Decoded, Refusal> {
    let (object, duplicates) = parse(body, content_type, &resource.kind.kind)?;
    conform(resource, object, duplicates, unknown)
}

/// Brings an object into the shape of its kind.
///
/// # Errors
/// 400 when it is another kind or has fields of a wrong type, or unknown ones that are not allowed.
pub fn conform(
    resource: &Resource,
    mut object: Value,
    duplicates: Vec<String>,
    unknown: Unknown,
) -> Result<Decoded, Refusal> {
    check_kind(resource, &mut object)?;
    let kind = &resource.kind.kind;
    let cannot = |why: &str| {
        let version = &resource.version;
        Refusal::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
    };
    let mut found = duplicates;
    if let Some(shape) = &resource.shape {
        if resource.custom.is_some() {
            found.extend(decode::prune(shape, &mut object));
        } else {
            found.extend(decode::conform(shape, &mut object).map_err(|why| cannot(&why))?);
        }
    }
    let warnings = match unknown {
        Unknown::Strict if !found.is_empty() => return Err(cannot(&decode::strict(&found))),
        Unknown::Ignore => Vec::new(),
        Unknown::Strict | Unknown::Warn => found,
    };
    to_stored(resource, &mut object);
    Ok(Decoded { object, warnings })
}

fn check_kind(resource: &Resource, object: &mut Value) -> Result<(), Refusal> {
    let (kind, version) = (&*resource.kind.kind, resource.api_version());
    let Value::Object(members) = object else {
        let what = match object {
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            _ => "null",
        };
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: json: cannot unmarshal {what} into Go value of type \
             {}.{kind}",
            resource.version, resource.version
        )));
    };
    let (sent_kind, sent_version) = (member(members, "kind"), member(members, "apiVersion"));
    let refuse = |why: String| {
        let sent = if sent_kind.is_empty() { kind } else { &sent_kind };
        let version = if sent_version.is_empty() { version.as_str() } else { &sent_version };
        let version = version.rsplit('/').next().unwrap_or(version);
        Err(Refusal::bad_request(format!("{sent} in version \"{version}\" cannot be handled as a {kind}: {why}")))
    };
    if !sent_version.is_empty() && sent_version != version {
        let version = sent_version.rsplit('/').next().unwrap_or(&sent_version);
        return if sent_kind == kind && sent_version.contains('/') == resource.group.is_empty() || sent_kind == kind {
            refuse(format!("no kind \"{kind}\" is registered for version \"{sent_version}\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""))
        } else {
            refuse(format!("converting ({version}.{sent_kind}) to ({kind}): unknown conversion"))
        };
    }
    if !sent_kind.is_empty() && sent_kind != kind {
        let group = if resource.group.is_empty() { "core" } else { resource.group.split('.').next().unwrap_or("") };
        return refuse(format!("converting ({}.{sent_kind}) to ({group}.{kind}): unknown conversion", resource.version));
    }
    members.insert("kind".to_owned(), kind.into());
    members.insert("apiVersion".to_owned(), version.into());
    if !members.get("metadata").is_some_and(Value::is_object) {
        members.insert("metadata".to_owned(), Value::Object(Map::new()));
    }
    Ok(())
}

fn member(members: &Map, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// From the version of a request to the stored one.
pub fn to_stored(resource: &Resource, object: &mut Value) {
    if !resource.converts() {
        return;
    }
    match (&*resource.stored, resource.group.as_str()) {
        ("events", "events.k8s.io") => super::admission::rest::event::to_core(object),
        ("horizontalpodautoscalers.autoscaling", _) => super::admission::rest::autoscaling::to_v2(object),
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
        ("events", "events.k8s.io") => super::admission::rest::event::to_events(object),
        ("horizontalpodautoscalers.autoscaling", _) => super::admission::rest::autoscaling::to_v1(object),
        _ => {}
    }
    object["apiVersion"] = resource.api_version().into();
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
