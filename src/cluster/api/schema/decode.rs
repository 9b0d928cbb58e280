//! Objects as a trip through Go's structs leaves them: unknown fields go and are told, wrong types are refused.

use serde_json::{Number, Value};

use super::quantity::{self, Quantity, QuantityError};
use super::{Field, Presence, Struct, Type, scalars};
use crate::cluster::object::Map;

pub use super::json::parse_json;

/// More findings than these are not told.
const MAX_FINDINGS: usize = 100;

/// Reads an object of a built-in kind: fields that the kind has not are taken away and named, in the order of the
/// document, as `unknown field "spec.nope"`. Absent and zero become one, as in Go; quantities, times and base64 become
/// canonical. Does nothing to an object that it has been applied to.
///
/// # Errors
/// Go's text of what has a wrong type: what comes after `cannot be handled as a Deployment: `.
pub fn conform(kind: &Struct, object: &mut Value) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    conform_struct(kind, object, &Place::Root, &mut unknown)?;
    Ok(unknown)
}

/// Takes away and names the fields that a custom resource's schema has not, sorted. Wrong types stay: they are found
/// by validation.
pub fn prune(kind: &Struct, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    prune_struct(kind, object, &Place::Root, &mut unknown);
    unknown.sort_unstable();
    unknown
}

/// What a client is told of the findings of reading: of both lists, less the fields below fields that went as a whole.
pub fn findings(duplicates: Vec<String>, unknown: Vec<String>) -> Vec<String> {
    let path =
        |finding: &str| finding.split_once(" field \"").map_or("", |(_, path)| path).trim_end_matches('"').to_owned();
    let gone: Vec<String> = unknown.iter().map(|finding| path(finding)).collect();
    let is_below = |finding: &str, gone: &String| {
        path(finding).strip_prefix(gone.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut told: Vec<String> = Vec::new();
    let kept = duplicates.into_iter().filter(|finding| !gone.iter().any(|gone| is_below(finding, gone)));
    for finding in kept.chain(unknown) {
        if told.len() < MAX_FINDINGS && !told.contains(&finding) {
            told.push(finding);
        }
    }
    told
}

/// The text of a refusal under `fieldValidation=Strict`.
pub fn strict(findings: &[String]) -> String {
    format!("strict decoding error: {}", findings.join(", "))
}

/// `apiVersion` and `kind` of a document; empty when they are not there.
///
/// # Errors
/// Go's text of what has a wrong type.
pub fn type_meta(object: &Value) -> Result<(&str, &str), String> {
    let members = match object {
        Value::Null => return Ok(("", "")),
        Value::Object(members) => members,
        _ => {
            let go_type = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
            return Err(format!("json: cannot unmarshal {} into Go value of type {go_type}", name_of(object)));
        }
    };
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => {
            Err(format!("json: cannot unmarshal {} into Go struct field .{name} of type string", name_of(other)))
        }
    };
    Ok((text("apiVersion")?, text("kind")?))
}

/// The whole text of a refusal of a body that is no JSON, or whose `kind` and `apiVersion` are no texts.
pub fn unrecognized(expected_kind: &str, error: &str, body: &[u8]) -> String {
    let begin = body.get(..30).unwrap_or(body);
    let dots = if begin.len() < body.len() { " ..." } else { "" };
    let shown = match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(begin).into_owned(),
        Some(_) => begin.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!(
        "the object provided is unrecognized (must be of type {expected_kind}): couldn't get version/kind; \
         json parse error: {error} ({shown}{dots})"
    )
}

/// The whole text of a refusal of a body whose kind is known.
pub fn cannot_be_handled(api_version: &str, kind: &str, expected_kind: &str, error: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    format!("{kind} in version \"{version}\" cannot be handled as a {expected_kind}: {error}")
}

/// Where a value is: a list of steps that lives on the stack, since it is needed only when something is wrong.
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str, &'a Struct),
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// The path with map keys and indexes, as `spec.containers[0].name`.
    fn path(&self) -> String {
        let (parent, name) = match self {
            Self::Root => return String::new(),
            Self::Item(parent, index) => return format!("{}[{index}]", parent.path()),
            Self::Field(parent, name, _) | Self::Key(parent, name) => (parent.path(), name),
        };
        if parent.is_empty() { (*name).to_owned() } else { format!("{parent}.{name}") }
    }

    fn unknown(&self, name: &str) -> String {
        format!("unknown field {:?}", Place::Key(self, name).path())
    }

    /// The names of struct fields on the way here, without map keys and indexes.
    fn fields(&self) -> Vec<&str> {
        match self {
            Self::Root => Vec::new(),
            Self::Key(parent, _) | Self::Item(parent, _) => parent.fields(),
            Self::Field(parent, name, _) => {
                let mut fields = parent.fields();
                fields.push(name);
                fields
            }
        }
    }

    fn innermost_struct(&self) -> Option<&Struct> {
        match self {
            Self::Root => None,
            Self::Key(parent, _) | Self::Item(parent, _) => parent.innermost_struct(),
            Self::Field(_, _, kind) => Some(kind),
        }
    }

    /// Go's text for a value of a wrong type.
    fn mismatch(&self, value: &str, go_type: &str) -> String {
        match self.innermost_struct() {
            None => format!("json: cannot unmarshal {value} into Go value of type {go_type}"),
            Some(kind) => {
                let (name, fields) = (&kind.name, self.fields().join("."));
                format!("json: cannot unmarshal {value} into Go struct field {name}.{fields} of type {go_type}")
            }
        }
    }
}

/// What Go calls the value in an error.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn conform_struct(
    kind: &Struct,
    value: &mut Value,
    place: &Place<'_>,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    let Value::Object(members) = value else { return Err(place.mismatch(name_of(value), &kind.go_type())) };
    let mut result = Ok(());
    members.retain(|name, value| {
        let Some(field) = kind.field(name) else {
            if result.is_ok() && !kind.open {
                unknown.push(place.unknown(name));
            }
            return kind.open;
        };
        if result.is_ok() && !value.is_null() {
            result = conform_value(field, value, &Place::Field(place, name, kind), unknown);
        }
        !is_absent(field, value)
    });
    result
}

/// Whether Go does not tell the value of a field from an absent one.
fn is_absent(field: &Field, value: &Value) -> bool {
    let is_empty = match value {
        Value::Null => return true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty() && !matches!(field.shape, Type::Struct(_)),
        Value::String(text) => text.is_empty() && field.presence == Presence::NonZero,
        Value::Bool(flag) => !flag && field.presence == Presence::NonZero,
        Value::Number(number) => number.as_f64() == Some(0.0) && field.presence == Presence::NonZero,
    };
    is_empty && matches!(field.presence, Presence::NonZero | Presence::AlwaysNull) && !matches!(field.shape, Type::Any)
}

fn conform_value(field: &Field, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) -> Result<(), String> {
    let fits = match (&field.shape, &mut *value) {
        (Type::Any, _) | (Type::String | Type::IntOrString, Value::String(_)) | (Type::Boolean, Value::Bool(_)) => true,
        (Type::Int32 | Type::IntOrString, Value::Number(number)) => {
            whole(number, place, &field.go_type(), i32::try_from)?;
            true
        }
        (Type::Int64, Value::Number(number)) => {
            whole(number, place, &field.go_type(), Ok::<i64, ()>)?;
            true
        }
        (Type::Number, Value::Number(number)) => {
            *number = without_fraction(number);
            true
        }
        (Type::Quantity, quantity) => {
            *quantity = Value::String(canonical_quantity(quantity, false)?);
            true
        }
        (Type::Time | Type::MicroTime, Value::String(text)) => {
            *text = scalars::time(text, matches!(field.shape, Type::MicroTime))?;
            true
        }
        (Type::Bytes, Value::String(text)) => {
            if let std::borrow::Cow::Owned(canonical) = scalars::base64(text)? {
                *text = canonical;
            }
            true
        }
        (Type::Struct(kind), value) => {
            conform_struct(kind, value, place, unknown)?;
            true
        }
        (Type::Map(of), Value::Object(members)) => {
            conform_map(of, members, place, unknown)?;
            true
        }
        (Type::List(of), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                let place = Place::Item(place, index);
                if item.is_null() { *item = zero(&of.shape) } else { conform_value(of, item, &place, unknown)? }
            }
            true
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(place.mismatch(name_of(value), &field.go_type())) }
}

fn conform_map(of: &Field, members: &mut Map, place: &Place<'_>, unknown: &mut Vec<String>) -> Result<(), String> {
    for (name, value) in members {
        match (&of.shape, &mut *value) {
            (_, Value::Null) => *value = zero(&of.shape),
            // Lists of resources are rounded, single quantities are not.
            (Type::Quantity, quantity) => *quantity = Value::String(canonical_quantity(quantity, true)?),
            (_, value) => conform_value(of, value, &Place::Key(place, name), unknown)?,
        }
    }
    Ok(())
}

/// Whether a number is whole and within bounds.
fn whole<T, E>(
    number: &Number,
    place: &Place<'_>,
    go_type: &str,
    bounds: fn(i64) -> Result<T, E>,
) -> Result<(), String> {
    match number.as_i64().map(bounds) {
        Some(Ok(_)) => Ok(()),
        _ => Err(place.mismatch(&format!("number {number}"), go_type)),
    }
}

/// A number as Go writes it: `1.0` is `1`.
pub(super) fn without_fraction(number: &Number) -> Number {
    /// Whole numbers up to here are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => Number::from(float as i64),
        _ => number.clone(),
    }
}

fn canonical_quantity(value: &Value, rounded: bool) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Number(number) => &number.to_string(),
        _ => return Err(QuantityError::Format.to_string()),
    };
    let canonical = || -> Result<String, QuantityError> {
        let quantity: Quantity = text.parse()?;
        if rounded && quantity.rounded_to_milli() != quantity {
            return Ok(quantity.rounded_to_milli().to_string());
        }
        quantity::canonical(text).map(std::borrow::Cow::into_owned)
    };
    canonical().map_err(|error| error.to_string())
}

/// The zero value of a type, as Go writes it.
pub(super) fn zero(shape: &Type) -> Value {
    match shape {
        Type::String | Type::Bytes => Value::String(String::new()),
        Type::Int32 | Type::Int64 | Type::Number | Type::IntOrString => Value::from(0),
        Type::Boolean => Value::Bool(false),
        Type::Quantity => Value::from("0"),
        Type::Struct(_) => Value::Object(Map::new()),
        Type::Time | Type::MicroTime | Type::Any | Type::Map(_) | Type::List(_) => Value::Null,
    }
}

fn prune_struct(kind: &Struct, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) {
    let Value::Object(members) = value else { return normalize_numbers(value) };
    members.retain(|name, value| {
        match kind.field(name) {
            Some(field) => prune_value(field, value, &Place::Key(place, name), unknown),
            None if kind.open => normalize_numbers(value),
            None => {
                unknown.push(place.unknown(name));
                return false;
            }
        }
        true
    });
}

fn prune_value(field: &Field, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) {
    match (&field.shape, value) {
        (Type::Struct(kind), value) => prune_struct(kind, value, place, unknown),
        (Type::Map(of), Value::Object(members)) => {
            for (name, value) in members {
                prune_value(of, value, &Place::Key(place, name), unknown);
            }
        }
        (Type::List(of), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                prune_value(of, item, &Place::Item(place, index), unknown);
            }
        }
        (_, value) => normalize_numbers(value),
    }
}

/// Writes numbers as Go does.
pub(super) fn normalize_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *number = without_fraction(number),
        Value::Array(items) => items.iter_mut().for_each(normalize_numbers),
        Value::Object(members) => members.values_mut().for_each(normalize_numbers),
        _ => {}
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
