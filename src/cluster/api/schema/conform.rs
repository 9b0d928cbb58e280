//! Objects as a trip through Go's structs leaves them: unknown fields go and are told, wrong types are refused.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::place::Place;
use super::{Field, Presence, Struct, Type, scalars};
use crate::cluster::gojson::without_fraction;
use crate::cluster::object::Map;
use crate::cluster::quantity::{self, Quantity, QuantityError};

/// Reads an object of a built-in kind: fields that the kind has not are taken away and named, in the order of the
/// document, as `unknown field "spec.nope"`. Absent and zero become one, as in Go; quantities, times and base64 become
/// canonical. Does nothing to an object that it has been applied to.
///
/// # Errors
/// Go's text of what has a wrong type: what comes after `cannot be handled as a Deployment: `.
pub fn conform(kind: &Struct, object: &mut Value) -> Result<Vec<String>, String> {
    let mut reader = Reader { unknown: Vec::new(), source: Source::Json };
    reader.structure(kind, object, &Place::Root)?;
    Ok(reader.unknown)
}

/// The same of the result of a strategic merge, which the server does not read from JSON: errors are worded
/// otherwise (`unrecognized type: int32`), and the unknown fields are sorted.
///
/// # Errors
/// Go's text of what has a wrong type.
pub fn restore(kind: &Struct, object: &mut Value) -> Result<Vec<String>, String> {
    let mut reader = Reader { unknown: Vec::new(), source: Source::Merged };
    reader.structure(kind, object, &Place::Root)?;
    reader.unknown.sort_unstable();
    Ok(reader.unknown)
}

/// More unknown fields than these go without being told.
pub(super) const MAX_UNKNOWN: usize = 100;

/// Where an object comes from: this decides the words of errors.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    Json,
    Merged,
}

struct Reader {
    unknown: Vec<String>,
    source: Source,
}

impl Reader {
    fn structure(&mut self, kind: &Struct, value: &mut Value, place: &Place<'_>) -> Result<(), String> {
        let Value::Object(members) = value else {
            return Err(match self.source {
                Source::Json => mismatch(place, name_of(value), &kind.go_type()),
                Source::Merged => format!("cannot restore struct from: {}", kind_of(value)),
            });
        };
        let mut result = Ok(());
        members.retain(|name, value| {
            let Some(field) = kind.field(name) else {
                if result.is_ok() && !kind.open && self.unknown.len() < MAX_UNKNOWN {
                    self.unknown.push(place.unknown(name));
                }
                return kind.open;
            };
            if result.is_ok() && !value.is_null() {
                result = self.value(field, value, &Place::Field(place, name, kind));
            }
            !is_absent(field, value)
        });
        result
    }

    fn value(&mut self, field: &Field, value: &mut Value, place: &Place<'_>) -> Result<(), String> {
        match (&field.shape, &mut *value) {
            (Type::Any, _) | (Type::String | Type::IntOrString, Value::String(_)) | (Type::Boolean, Value::Bool(_)) => {
            }
            (Type::Int32 | Type::Int64 | Type::IntOrString, Value::Number(number)) => {
                self.whole(field, number, place)?;
            }
            (Type::Number, Value::Number(number)) => *number = without_fraction(number),
            (Type::Quantity, quantity) => *quantity = Value::String(canonical_quantity(quantity, false)?),
            (Type::Time, Value::String(text)) => *text = scalars::time(text, false)?,
            (Type::MicroTime, Value::String(text)) => *text = scalars::time(text, true)?,
            (Type::Bytes, Value::String(text)) => {
                if let Cow::Owned(canonical) = scalars::base64(text).map_err(|error| self.decoding(error))? {
                    *text = canonical;
                }
            }
            (Type::Struct(kind), value) => self.structure(kind, value, place)?,
            (Type::Map(of), Value::Object(members)) => self.map(of, members, place)?,
            (Type::List(of), Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if item.is_null() {
                        *item = zero(&of.shape);
                    } else {
                        self.value(of, item, &Place::Item(place, index))?;
                    }
                }
            }
            _ => return Err(self.wrong_type(field, value, place)),
        }
        Ok(())
    }

    fn map(&mut self, of: &Field, members: &mut Map, place: &Place<'_>) -> Result<(), String> {
        for (name, value) in members {
            match (&of.shape, &mut *value) {
                (_, Value::Null) => *value = zero(&of.shape),
                // Lists of resources are rounded, single quantities are not.
                (Type::Quantity, quantity) => *quantity = Value::String(canonical_quantity(quantity, true)?),
                (_, value) => self.value(of, value, &Place::Key(place, name))?,
            }
        }
        Ok(())
    }

    /// Whether a number is whole and within bounds.
    fn whole(&self, field: &Field, number: &mut Number, place: &Place<'_>) -> Result<(), String> {
        let is_small = matches!(field.shape, Type::Int32 | Type::IntOrString);
        if self.source == Source::Merged && number.is_f64() {
            *number = without_fraction(number);
        }
        match number.as_i64() {
            Some(whole) if !is_small || i32::try_from(whole).is_ok() => Ok(()),
            _ if self.source == Source::Json || matches!(field.shape, Type::IntOrString) => {
                Err(mismatch(place, &format!("number {number}"), &field.go_type()))
            }
            _ => Err(format!("cannot convert {} to {}", kind_of(&Value::Number(number.clone())), field.go_type())),
        }
    }

    fn decoding(&self, error: String) -> String {
        if self.source == Source::Json { error } else { format!("error decoding from json: {error}") }
    }

    fn wrong_type(&self, field: &Field, value: &Value, place: &Place<'_>) -> String {
        if self.source == Source::Json {
            return mismatch(place, name_of(value), &field.go_type());
        }
        let basic = match field.shape {
            Type::List(_) | Type::Bytes => return format!("cannot restore slice from {}", kind_of(value)),
            Type::Map(_) => return format!("cannot restore map from {}", kind_of(value)),
            Type::String if value.is_i64() => return format!("cannot convert int64 to {}", field.go_type()),
            Type::Time | Type::MicroTime | Type::IntOrString => {
                return mismatch(&Place::Root, name_of(value), &field.go_type());
            }
            _ => field.shape.go_type(),
        };
        format!("unrecognized type: {basic}")
    }
}

/// Go's text for a value of a wrong type in JSON.
fn mismatch(place: &Place<'_>, value: &str, go_type: &str) -> String {
    match place.innermost_struct() {
        None => format!("json: cannot unmarshal {value} into Go value of type {go_type}"),
        Some(kind) => {
            let (name, fields) = (&kind.name, place.fields().join("."));
            format!("json: cannot unmarshal {value} into Go struct field {name}.{fields} of type {go_type}")
        }
    }
}

/// What errors about JSON call a value.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What errors about merged objects call a value.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
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
        quantity::canonical(text).map(Cow::into_owned)
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
