//! Kubernetes' protobuf, which kubectl sends for objects that it makes itself, read into JSON.
//!
//! `data/proto-fields.json` has for every message the fields by their numbers: JSON name, type, and whether the field
//! is a pointer (`ptr`: zero is not the same as absent) or its members belong to the object around it (`inline`).

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Number, Value};

use super::json::parse_json;
use crate::cluster::object::Map;

const FIELDS: &str = include_str!("../data/proto-fields.json");
const PREFIX: &[u8] = b"k8s\0";
/// Deeper than any of the messages.
const MAX_DEPTH: usize = 32;

type Message = HashMap<u32, Field>;

#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    many: Many,
    of: Scalar,
    flag: Flag,
}

#[derive(Clone, Copy, PartialEq)]
enum Many {
    One,
    List,
    Map,
}

#[derive(Clone, Copy, PartialEq)]
enum Flag {
    Plain,
    Pointer,
    Inline,
}

#[derive(Clone, Copy)]
enum Scalar {
    String,
    Bool,
    Int,
    Bytes,
    Double,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Raw,
    /// A message that is only there to hold a list of texts.
    Items,
    Message(&'static str),
}

static MESSAGES: LazyLock<HashMap<&'static str, Message>> = LazyLock::new(|| {
    let raw: HashMap<&str, HashMap<&str, Vec<&str>>> =
        serde_json::from_str(FIELDS).expect("the fields of messages in this program");
    let message = |fields: HashMap<&'static str, Vec<&'static str>>| {
        let fields = fields.into_iter().filter_map(|(number, row)| Some((number.parse().ok()?, Field::of(&row)?)));
        fields.collect::<Message>()
    };
    raw.into_iter().map(|(name, fields)| (name, message(fields))).collect()
});

impl Field {
    fn of(row: &[&'static str]) -> Option<Self> {
        let (name, kind) = (*row.first()?, *row.get(1)?);
        let (many, kind) = match (kind.strip_prefix("[]"), kind.strip_prefix("map:")) {
            (Some(kind), _) => (Many::List, kind),
            (_, Some(kind)) => (Many::Map, kind),
            _ => (Many::One, kind),
        };
        let flag = match row.get(2) {
            Some(&"ptr") => Flag::Pointer,
            Some(&"inline") => Flag::Inline,
            _ => Flag::Plain,
        };
        Some(Self { name, many, of: Scalar::of(kind), flag })
    }
}

impl Scalar {
    fn of(name: &'static str) -> Self {
        match name {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int32" | "int64" => Self::Int,
            "bytes" => Self::Bytes,
            "double" => Self::Double,
            "quantity" => Self::Quantity,
            "int-or-string" => Self::IntOrString,
            "time" => Self::Time,
            "microtime" => Self::MicroTime,
            "raw" => Self::Raw,
            "items" => Self::Items,
            message => Self::Message(message),
        }
    }
}

/// Reads an object in Kubernetes' protobuf envelope.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode(body: &[u8]) -> Result<Value, String> {
    let Some(body) = body.strip_prefix(PREFIX) else {
        return Err("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]".to_owned());
    };
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Reader(body) {
        match field? {
            (1, Wire::Bytes(meta)) => {
                for field in Reader(meta) {
                    match field? {
                        (1, value) => api_version = value.text()?,
                        (2, value) => kind = value.text()?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            (3 | 4, Wire::Bytes(bytes)) if !bytes.is_empty() => return Err("the protobuf is encoded again".to_owned()),
            _ => {}
        }
    }
    let message = message_name(&api_version, &kind);
    let message =
        message.ok_or_else(|| format!("no kind {kind:?} is known in protobuf for version {api_version:?}"))?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    read_message(message, raw, &mut object, MAX_DEPTH)?;
    Ok(Value::Object(object))
}

/// The fields of a kind: `apps.v1.Deployment` of `apps/v1`, `core.v1.Pod` of `v1`.
fn message_name(api_version: &str, kind: &str) -> Option<&'static Message> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or(group);
    let own = || MESSAGES.get(format!("{group}.{version}.{kind}").as_str());
    // Options of a request have a message in no group but this.
    own().or_else(|| MESSAGES.get(format!("apis.meta.v1.{kind}").as_str()))
}

fn read_message(message: &Message, bytes: &[u8], object: &mut Map, depth: usize) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("the protobuf is nested too deep")?;
    for part in Reader(bytes) {
        let (number, wire) = part?;
        let Some(field) = message.get(&number) else { continue };
        match (field.many, field.flag, field.of) {
            (Many::One, Flag::Inline, Scalar::Message(name)) => {
                read_message(known(name)?, wire.bytes()?, object, depth)?;
            }
            (Many::One, _, _) => {
                let value = field.of.read(wire, depth)?;
                if !value.is_null() && (field.flag == Flag::Pointer || !is_zero(&value)) {
                    object.insert(field.name.to_owned(), value);
                }
            }
            (Many::List, _, of) => {
                let list = object.entry(field.name).or_insert_with(|| Value::Array(Vec::new()));
                let Value::Array(items) = list else { continue };
                match (of, wire) {
                    // Numbers may be packed into one.
                    (Scalar::Int | Scalar::Bool, Wire::Bytes(bytes)) => {
                        let mut packed = Reader(bytes);
                        while !packed.0.is_empty() {
                            items.push(of.read(Wire::Number(packed.varint()?), depth)?);
                        }
                    }
                    _ => items.push(of.read(wire, depth)?),
                }
            }
            (Many::Map, _, of) => {
                let (mut key, mut value) = (String::new(), Wire::Bytes(&[]));
                for part in Reader(wire.bytes()?) {
                    match part? {
                        (1, wire) => key = wire.text()?,
                        (2, wire) => value = wire,
                        _ => {}
                    }
                }
                let map = object.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(members) = map {
                    members.insert(key, of.read(value, depth)?);
                }
            }
        }
    }
    Ok(())
}

fn known(name: &str) -> Result<&'static Message, String> {
    MESSAGES.get(name).ok_or_else(|| format!("no message {name:?} is known"))
}

/// Fields that are no pointers are always sent: zero means absent.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

impl Scalar {
    fn read(self, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
        Ok(match self {
            Self::String => Value::String(wire.text()?),
            Self::Bool => Value::Bool(wire.number()? != 0),
            Self::Int => Value::from(wire.number()? as i64),
            Self::Bytes => Value::String(STANDARD.encode(wire.bytes()?)),
            Self::Double => Number::from_f64(f64::from_bits(wire.number()?)).map_or(Value::Null, Value::Number),
            Self::Quantity => Value::String(member(wire, 1)?.map_or(Ok(String::new()), Wire::text)?),
            Self::IntOrString => match member(wire, 1)?.map_or(Ok(0), Wire::number)? {
                0 => Value::from(member(wire, 2)?.map_or(Ok(0), Wire::number)? as i64),
                _ => Value::String(member(wire, 3)?.map_or(Ok(String::new()), Wire::text)?),
            },
            Self::Time => time(wire, "%Y-%m-%dT%H:%M:%SZ")?,
            Self::MicroTime => time(wire, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
            Self::Raw => match member(wire, 1)? {
                None | Some(Wire::Bytes([])) => Value::Null,
                Some(raw) => parse_json(raw.bytes()?)?.0,
            },
            Self::Items => {
                let items = Reader(wire.bytes()?).filter(|part| !matches!(part, Ok((number, _)) if *number != 1));
                items.map(|part| part?.1.text().map(Value::String)).collect::<Result<_, _>>()?
            }
            Self::Message(name) => {
                let mut object = Map::new();
                read_message(known(name)?, wire.bytes()?, &mut object, depth)?;
                Value::Object(object)
            }
        })
    }
}

/// A member of a small message; the last, when it is there several times.
fn member(message: Wire<'_>, number: u32) -> Result<Option<Wire<'_>>, String> {
    let mut found = None;
    for part in Reader(message.bytes()?) {
        let (this, wire) = part?;
        if this == number {
            found = Some(wire);
        }
    }
    Ok(found)
}

/// Seconds and nanoseconds; no time at all is sent as an empty message.
fn time(message: Wire<'_>, form: &str) -> Result<Value, String> {
    if message.bytes()?.is_empty() {
        return Ok(Value::Null);
    }
    let number = |of| member(message, of)?.map_or(Ok(0), Wire::number);
    let nanos = i32::try_from(number(2)? as i64).map_err(|error| error.to_string())?;
    let time = Timestamp::new(number(1)? as i64, nanos).map_err(|error| error.to_string())?;
    Ok(Value::String(time.strftime(form).to_string()))
}

/// What a field is on the wire.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn number(self) -> Result<u64, String> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes([]) => Ok(0),
            Self::Bytes(_) => Err("bytes in the place of a number in the protobuf".to_owned()),
        }
    }

    fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Self::Number(_) => Err("a number in the place of bytes in the protobuf".to_owned()),
            Self::Bytes(bytes) => Ok(bytes),
        }
    }

    fn text(self) -> Result<String, String> {
        let text = str::from_utf8(self.bytes()?).map_err(|_| "a text in the protobuf is not UTF-8")?;
        Ok(text.to_owned())
    }
}

/// The fields of a message, one after the other; it ends after an error.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], String> {
        let parts = usize::try_from(count).ok().and_then(|count| self.0.split_at_checked(count));
        let (taken, rest) = parts.ok_or("unexpected end of the protobuf")?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or(0);
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err("a number in the protobuf is too long".to_owned())
    }

    fn field(&mut self) -> Result<(u32, Wire<'a>), String> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| "a field number in the protobuf is too large")?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.varint()?),
            1 => Wire::Number(little_endian(self.take(8)?)),
            2 => {
                let count = self.varint()?;
                Wire::Bytes(self.take(count)?)
            }
            5 => Wire::Number(little_endian(self.take(4)?)),
            other => return Err(format!("wire type {other} in the protobuf")),
        };
        Ok((number, wire))
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u32, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
#[path = "proto_tests.rs"]
mod tests;
