//! The types of expressions, as far as they are known before there is a value.

use std::rc::Rc;

use super::super::schema::{Kind, List, Schema};
use super::parse::RESERVED;

/// A type.
#[derive(Debug, Clone)]
pub(super) enum Type<'s> {
    /// Known only when there is a value.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Duration,
    Timestamp,
    /// A type that Kubernetes adds, by its name.
    Opaque(&'static str),
    /// The type of types.
    OfTypes,
    List(Rc<Type<'s>>),
    Map(Rc<Type<'s>>, Rc<Type<'s>>),
    Optional(Rc<Type<'s>>),
    /// Members that a schema names.
    Object(&'s Schema),
    /// Stands for any type in a signature, the same one throughout.
    Parameter(char),
}

impl<'s> Type<'s> {
    pub(super) fn list(item: Self) -> Self {
        Self::List(Rc::new(item))
    }

    pub(super) fn map(key: Self, value: Self) -> Self {
        Self::Map(Rc::new(key), Rc::new(value))
    }

    pub(super) fn optional(of: Self) -> Self {
        Self::Optional(Rc::new(of))
    }

    /// The type of the values of a schema; none when rules cannot see them.
    pub(super) fn of(schema: &'s Schema) -> Option<Self> {
        if schema.int_or_string {
            return Some(Self::Dyn);
        }
        let format = schema.format.as_ref().map_or("", |format| &*format.name);
        Some(match schema.kind {
            Kind::Array => Self::list(Self::of(schema.items.as_deref()?)?),
            Kind::Object => match schema.additional() {
                Some(values) => Self::map(Self::Text, Self::of(values)?),
                None => Self::Object(schema),
            },
            Kind::String => match format {
                "byte" => Self::Bytes,
                "duration" => Self::Duration,
                "date" | "date-time" => Self::Timestamp,
                _ => Self::Text,
            },
            Kind::Boolean => Self::Bool,
            Kind::Number => Self::Double,
            Kind::Integer => Self::Int,
            Kind::Any => return None,
        })
    }

    /// Its name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Dyn | Self::Parameter(_) => "dyn".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Uint => "uint".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Duration => "google.protobuf.Duration".to_owned(),
            Self::Timestamp => "google.protobuf.Timestamp".to_owned(),
            Self::Opaque(name) => (*name).to_owned(),
            Self::OfTypes => "type".to_owned(),
            Self::List(item) => format!("list({})", item.name()),
            Self::Map(key, value) => format!("map({}, {})", key.name(), value.name()),
            Self::Optional(of) => format!("optional_type({})", of.name()),
            Self::Object(_) => "object".to_owned(),
        }
    }

    /// Whether values of this type may stand where `other` is expected; parameters take what they are first given.
    pub(super) fn fits(&self, other: &Self, bound: &mut Vec<(char, Self)>) -> bool {
        match (self, other) {
            (_, Self::Parameter(name)) => match bound.iter().position(|(known, _)| known == name) {
                None => {
                    bound.push((*name, self.clone()));
                    true
                }
                Some(place) => {
                    let Some((_, known)) = bound.get(place).cloned() else { return false };
                    if self.fits(&known, &mut Vec::new()) {
                        return true;
                    }
                    // what was given first may have been the narrower one, as null or an empty list
                    let wider = known.fits(self, &mut Vec::new());
                    if wider && let Some(entry) = bound.get_mut(place) {
                        entry.1 = self.clone();
                    }
                    wider
                }
            },
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            (Self::Null, Self::Null | Self::Object(_) | Self::Duration | Self::Timestamp) => true,
            (Self::Null, Self::Optional(_) | Self::Opaque(_)) => true,
            (Self::Opaque(left), Self::Opaque(right)) => left == right,
            (Self::List(left), Self::List(right)) | (Self::Optional(left), Self::Optional(right)) => {
                left.fits(right, bound)
            }
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.fits(other_key, bound) && value.fits(other_value, bound)
            }
            (Self::Object(_), Self::Object(_)) => true,
            (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
        }
    }

    /// The type with parameters filled in; what is not known is dynamic.
    pub(super) fn filled(&self, bound: &[(char, Self)]) -> Self {
        match self {
            Self::Parameter(name) => {
                bound.iter().find(|(known, _)| known == name).map_or(Self::Dyn, |(_, found)| found.clone())
            }
            Self::List(item) => Self::list(item.filled(bound)),
            Self::Optional(of) => Self::optional(of.filled(bound)),
            Self::Map(key, value) => Self::map(key.filled(bound), value.filled(bound)),
            other => other.clone(),
        }
    }

    /// The type named in a signature, as `list<A>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inside = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix('>');
        if let Some(item) = inside("list<") {
            return Some(Self::list(Self::parse(item)?));
        }
        if let Some(of) = inside("optional<") {
            return Some(Self::optional(Self::parse(of)?));
        }
        if let Some(both) = inside("map<") {
            let (key, value) = both.split_once(',')?;
            return Some(Self::map(Self::parse(key)?, Self::parse(value)?));
        }
        Some(match text {
            "dyn" => Self::Dyn,
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "string" => Self::Text,
            "bytes" => Self::Bytes,
            "duration" => Self::Duration,
            "timestamp" => Self::Timestamp,
            "quantity" => Self::Opaque("kubernetes.Quantity"),
            "ip" => Self::Opaque("net.IP"),
            "cidr" => Self::Opaque("net.CIDR"),
            "url" => Self::Opaque("kubernetes.URL"),
            "format" => Self::Opaque("kubernetes.NamedFormat"),
            "type" => Self::OfTypes,
            "A" | "B" => Self::Parameter(text.chars().next()?),
            _ => return None,
        })
    }
}

/// The keys of a list that is a map.
pub(super) fn list_keys(schema: &Schema) -> Option<&[String]> {
    match &schema.list {
        List::Map(keys) => Some(keys),
        _ => None,
    }
}

/// The name of a member as it is written in rules; none when it cannot be.
pub(super) fn escaped(name: &str) -> Option<String> {
    const LITERALS: [&str; 4] = ["true", "false", "null", "in"];
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if LITERALS.contains(&name) || RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let width = if rest.starts_with("__") { 2 } else { c.len_utf8() };
        match c {
            '_' if width == 2 => out.push_str("__underscores__"),
            '.' => out.push_str("__dot__"),
            '-' => out.push_str("__dash__"),
            '/' => out.push_str("__slash__"),
            _ if c.is_ascii_alphanumeric() || c == '_' => out.push(c),
            _ => return None,
        }
        rest = rest.get(width..).unwrap_or("");
    }
    Some(out)
}

/// The member of a schema's object that a rule names, with its own name.
pub(super) fn member<'s>(schema: &'s Schema, written: &str) -> Option<(&'s str, &'s Schema)> {
    if schema.resource
        && let Some(name) = ["apiVersion", "kind", "metadata"].into_iter().find(|name| *name == written)
    {
        return schema.member(name).map(|found| (name, found));
    }
    if let Some((name, found)) = schema.properties.get_key_value(written).filter(|(name, _)| !name.contains("__")) {
        return Some((name, found));
    }
    if !written.contains("__") {
        return None;
    }
    let found = schema.properties.iter().find(|(name, _)| escaped(name).as_deref() == Some(written));
    found.map(|(name, found)| (name.as_str(), found))
}
