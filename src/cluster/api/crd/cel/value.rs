//! Values of expressions: parts of the object as they are, and what is computed.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::Deref;
use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::schema::format::duration;
use super::super::schema::{Kind, List as ListKind, Schema};
use super::types::{Type, list_keys, member};
use super::url::Url;
use crate::cluster::object::Map as Members;
use crate::cluster::quantity::Quantity;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'a>),
    Bytes(Rc<[u8]>),
    Timestamp(Timestamp),
    /// In nanoseconds.
    Duration(i64),
    Quantity(Quantity),
    Ip(IpAddr),
    /// A network: an address and how many bits of it count.
    Cidr(IpAddr, u8),
    Url(Rc<Url>),
    /// A form of names, by its own name.
    Format(&'static str),
    /// A type, by its name.
    Type(&'static str),
    Optional(Option<Rc<Val<'a>>>),
    List(List<'a>),
    Map(Map<'a>),
    /// Members that a schema names.
    Object(&'a Members, &'a Schema),
    /// What no schema describes; it can only be compared.
    Unknown(&'a Value),
}

/// Text of the object or the rule, or computed.
#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// A list.
#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    /// Items of the object, with the schema of the list.
    Given(&'a [Value], &'a Schema),
    Made(Rc<Vec<Val<'a>>>),
}

/// A map.
#[derive(Debug, Clone)]
pub(super) enum Map<'a> {
    /// Members of the object, with the schema of their values.
    Given(&'a Members, &'a Schema),
    Made(Rc<Vec<(Val<'a>, Val<'a>)>>),
}

impl<'a> Val<'a> {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Owned(text.into()))
    }

    pub(super) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    pub(super) fn int(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// A value of the object as its schema says it is meant.
    pub(super) fn of(value: &'a Value, schema: &'a Schema) -> Result<Self, String> {
        let wrong = |wanted: &str| Err(format!("invalid data, expected {wanted}"));
        if value.is_null() {
            return if schema.nullable {
                Ok(Self::Null)
            } else {
                Err("invalid data, got null for schema with nullable=false".to_owned())
            };
        }
        if schema.int_or_string {
            return match value {
                Value::String(text) => Ok(Self::Text(Text::Borrowed(text))),
                _ => value
                    .as_i64()
                    .map(Self::Int)
                    .map_or_else(|| wrong("XIntOrString value to be either a string or integer"), Ok),
            };
        }
        Ok(match (schema.kind, value) {
            (Kind::Object, Value::Object(members)) => match schema.additional() {
                Some(values) if !schema.resource && schema.properties.is_empty() => {
                    Self::Map(Map::Given(members, values))
                }
                _ => Self::Object(members, schema),
            },
            (Kind::Array, Value::Array(items)) => Self::List(List::Given(items, schema)),
            (Kind::String, Value::String(text)) => return Self::of_text(text, schema),
            (Kind::Boolean, Value::Bool(value)) => Self::Bool(*value),
            (Kind::Integer, Value::Number(number)) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => return wrong("int, got float64"),
            },
            (Kind::Number, Value::Number(number)) => Self::Double(number.as_f64().unwrap_or_default()),
            (Kind::Any, _) => Self::Unknown(value),
            (kind, _) => return wrong(kind.name()),
        })
    }

    fn of_text(text: &'a str, schema: &Schema) -> Result<Self, String> {
        let format = schema.format.as_ref().map_or("", |format| &*format.name);
        let read = match format {
            "duration" => duration(text).map(Self::Duration),
            "date" => text.parse::<Date>().ok().and_then(midnight).map(Self::Timestamp),
            "date-time" => date_time(text).map(Self::Timestamp),
            "byte" => BASE64_STANDARD.decode(text).ok().map(|bytes| Self::Bytes(bytes.into())),
            _ => Some(Self::Text(Text::Borrowed(text))),
        };
        read.ok_or_else(|| format!("Invalid {format} formatted string {text}"))
    }

    /// The name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::List(_) => "list",
            Self::Map(_) | Self::Object(..) => "map",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether two values are equal; values of different kinds are not, except for numbers.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => **left == **right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Quantity(left), Self::Quantity(right)) => left == right,
            (Self::Ip(left), Self::Ip(right)) => left == right,
            (Self::Cidr(left, bits), Self::Cidr(right, other)) => left == right && bits == other,
            (Self::Url(left), Self::Url(right)) => left == right,
            (Self::Format(left), Self::Format(right)) => left == right,
            (Self::Type(left), Self::Type(right)) => left == right,
            (Self::Optional(left), Self::Optional(right)) => match (left, right) {
                (Some(left), Some(right)) => left.equals(right),
                (left, right) => left.is_none() && right.is_none(),
            },
            (Self::List(left), Self::List(right)) => left.equals(right),
            (Self::Object(left, schema), Self::Object(right, _)) => objects_equal(left, right, schema),
            (Self::Map(left), Self::Map(right)) => left.equals(right),
            (Self::Unknown(left), Self::Unknown(right)) => left == right,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values, where there is one.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Some(left.deref().cmp(right)),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Timestamp(left), Self::Timestamp(right)) => Some(left.cmp(right)),
            (Self::Duration(left), Self::Duration(right)) => Some(left.cmp(right)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(right),
            (Self::Double(left), right) => order_double(*left, right.whole()?),
            (left, Self::Double(right)) => order_double(*right, left.whole()?).map(Ordering::reverse),
            (left, right) => Some(left.whole()?.cmp(&right.whole()?)),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(i128::from(*number)),
            Self::Uint(number) => Some(i128::from(*number)),
            _ => None,
        }
    }
}

fn order_double(left: f64, right: i128) -> Option<Ordering> {
    const LIMIT: f64 = 1.8e19;
    if left.is_nan() {
        return None;
    }
    if left >= LIMIT {
        return Some(Ordering::Greater);
    }
    if left <= -LIMIT {
        return Some(Ordering::Less);
    }
    // within the limit the whole part is exact
    let whole: i128 = format!("{:.0}", left.trunc()).parse().ok()?;
    Some(whole.cmp(&right).then_with(|| left.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)))
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A time with or without a zone.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let upper = text.to_uppercase();
    let without_zone = || upper.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    upper.parse().ok().or_else(|| without_zone().map(|zoned| zoned.timestamp()))
}

fn objects_equal(left: &Members, right: &Members, schema: &Schema) -> bool {
    left.len() == right.len()
        && left.iter().all(|(name, value)| {
            let Some(other) = right.get(name) else { return false };
            match schema.member(name).map(|schema| (Val::of(value, schema), Val::of(other, schema))) {
                Some((Ok(left), Ok(right))) => left.equals(&right),
                _ => value == other,
            }
        })
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(items, _) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    /// The item at a place, which there is.
    pub(super) fn get(&self, index: usize) -> Result<Val<'a>, String> {
        let missing = || format!("index out of bounds: {index}");
        match self {
            Self::Given(items, schema) => {
                let item = items.get(index).ok_or_else(missing)?;
                match &schema.items {
                    Some(schema) => Val::of(item, schema),
                    None => Ok(Val::Unknown(item)),
                }
            }
            Self::Made(items) => items.get(index).cloned().ok_or_else(missing),
        }
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Result<Val<'a>, String>> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// How items are told apart.
    pub(super) fn kind(&self) -> &'a ListKind {
        static ATOMIC: ListKind = ListKind::Atomic;
        match self {
            Self::Given(_, schema) => &schema.list,
            Self::Made(_) => &ATOMIC,
        }
    }

    /// The values of the keys of an item, in a list that is a map.
    pub(super) fn key(&self, item: &Val<'a>) -> Option<Vec<Option<Val<'a>>>> {
        let Self::Given(_, schema) = self else { return None };
        let keys = list_keys(schema)?;
        let Val::Object(members, schema) = item else { return None };
        let value = |key: &String| Val::of(members.get(key)?, schema.member(key)?).ok();
        Some(keys.iter().map(value).collect())
    }

    fn equals(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let kind = if *self.kind() == ListKind::Atomic { other.kind() } else { self.kind() };
        let same = |left: &Result<Val<'a>, String>, right: &Result<Val<'a>, String>| match (left, right) {
            (Ok(left), Ok(right)) => left.equals(right),
            _ => false,
        };
        if *kind == ListKind::Atomic {
            return self.items().zip(other.items()).all(|(left, right)| same(&left, &right));
        }
        // without regard to the order
        let mut others: Vec<_> = other.items().collect();
        self.items().all(|item| match others.iter().position(|other| same(&item, other)) {
            Some(place) => {
                drop(others.swap_remove(place));
                true
            }
            None => false,
        })
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(members, _) => members.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    pub(super) fn get(&self, key: &Val<'a>) -> Option<Result<Val<'a>, String>> {
        match self {
            Self::Given(members, schema) => match key {
                Val::Text(name) => members.get(&**name).map(|value| Val::of(value, schema)),
                _ => None,
            },
            Self::Made(entries) => {
                entries.iter().find(|(known, _)| known.equals(key)).map(|(_, value)| Ok(value.clone()))
            }
        }
    }

    pub(super) fn keys(&self) -> Vec<Val<'a>> {
        match self {
            Self::Given(members, _) => members.keys().map(|name| Val::Text(Text::Borrowed(name))).collect(),
            Self::Made(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        }
    }

    fn equals(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.keys().iter().all(|key| match (self.get(key), other.get(key)) {
                (Some(Ok(left)), Some(Ok(right))) => left.equals(&right),
                _ => false,
            })
    }
}

/// A member of an object that a rule names; none when it is absent.
pub(super) fn member_of<'a>(
    members: &'a Members,
    schema: &'a Schema,
    written: &str,
) -> Option<Result<Val<'a>, String>> {
    let (name, schema) = member(schema, written)?;
    Type::of(schema)?;
    let value = members.get(name).filter(|value| !value.is_null() || schema.nullable)?;
    Some(Val::of(value, schema))
}
