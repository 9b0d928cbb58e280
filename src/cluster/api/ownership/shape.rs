//! How values divide into fields that can be owned, as the type graph says.

use serde_json::Value;

use super::element::Element;
use crate::cluster::api::schema::{Field, ListKind, Struct, Type};

/// How deep fields are told apart; what is deeper is one field. Keeps `managedFields` readable, whose JSON nests
/// deeper than the object's.
pub(super) const DEEPEST: usize = 100;

/// How a value divides.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    /// Not at all: a scalar, an atomic list, an atomic map.
    Leaf,
    /// Into known members.
    Struct(&'a Struct),
    /// Into members of one kind.
    Map(&'a Field),
    /// Into items that their keys identify.
    Keyed(&'a Field, &'a [String]),
    /// Into items that identify themselves.
    Items(&'a Field),
    /// As the value looks: objects into members, nothing else.
    Any,
}

impl<'a> Shape<'a> {
    pub(super) fn of(field: &'a Field) -> Self {
        match (&field.shape, &field.list) {
            (Type::Any, _) => Self::Any,
            (Type::Struct(kind), _) if !field.atomic && !kind.atomic => Self::Struct(kind),
            (Type::Map(value), _) if !field.atomic => Self::Map(value),
            (Type::List(item), ListKind::Map(keys)) if !keys.is_empty() => Self::Keyed(item, keys),
            (Type::List(item), ListKind::Set) => Self::Items(item),
            _ => Self::Leaf,
        }
    }

    /// The shape of a member, and whether the kind declares it.
    pub(super) fn member(self, name: &str) -> (Self, bool) {
        match self {
            Self::Struct(kind) => kind.field(name).map_or((Self::Any, false), |field| (Self::of(field), true)),
            Self::Map(value) => (Self::of(value), false),
            _ => (Self::Any, false),
        }
    }

    /// What identifies an item of a list; why it cannot be told when nothing does.
    pub(super) fn identify(self, item: &Value) -> Result<Element, String> {
        match self {
            Self::Keyed(kind, keys) => identify(kind, keys, item),
            _ => match item {
                Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
                Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
                scalar => Ok(Element::Value(Box::new(scalar.clone()))),
            },
        }
    }

    /// The shape of the items of a list.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Keyed(item, _) | Self::Items(item) => Self::of(item),
            _ => Self::Any,
        }
    }

    /// Whether it divides a list into items.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Keyed(..) | Self::Items(_))
    }
}

fn identify(kind: &Field, keys: &[String], item: &Value) -> Result<Element, String> {
    let members = match item {
        Value::Object(members) => members,
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let default = |name| match &kind.shape {
        Type::Struct(kind) => kind.field(name).and_then(|field| field.default.as_ref()),
        _ => None,
    };
    let known = keys.iter().filter_map(|name| {
        let value = members.get(name).or_else(|| default(name))?;
        Some((name.as_str().into(), value.clone()))
    });
    match known.collect::<Vec<_>>() {
        none if none.is_empty() => {
            let keys: Vec<_> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            let keys = keys.join(" ");
            Err(format!(
                "associative list with keys has an element that omits all key fields [{keys}] (and doesn't have \
                 default values for any key fields)"
            ))
        }
        known => Ok(Element::key(known)),
    }
}
