//! The schema of a custom resource, read once: what its objects are held to.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde_json::Value;

use crate::cluster::object::{Map, flag, int, list, text};

pub(super) mod format;
pub(super) mod pattern;

use format::Format;

/// Schemas are not followed deeper than this; JSON texts are not nested deeper either.
const MAX_DEPTH: usize = 128;

/// A schema or a part of one.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub(super) kind: Kind,
    pub(super) int_or_string: bool,
    pub(super) nullable: bool,
    /// The root of an object: it has a kind and metadata.
    pub(super) resource: bool,
    /// Members that are not described are kept.
    pub(super) open: bool,
    /// One unit for server-side apply.
    pub(super) atomic: bool,
    pub(super) format: Option<Format>,
    pub(super) limits: Limits,
    pub(super) pattern: Option<Pattern>,
    pub(super) allowed: Vec<Value>,
    pub(super) default: Option<Value>,
    pub(super) required: Vec<String>,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) additional: Additional,
    pub(super) items: Option<Box<Schema>>,
    pub(super) list: List,
    pub(super) all_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) not: Option<Box<Schema>>,
    /// The rules of `x-kubernetes-validations` as they are written.
    pub(super) rules: Vec<Value>,
}

/// The `type`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// None is given.
    #[default]
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Object,
    Array,
}

/// Bounds of numbers, lengths and counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
}

/// An expression that text has to match. It is compiled when it is first asked, as definitions are full of them.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    regex: OnceLock<Option<Regex>>,
}

/// Members that are not among the properties.
#[derive(Debug, Clone, Default)]
pub(super) enum Additional {
    /// Nothing is said about them.
    #[default]
    Unsaid,
    Forbidden,
    Anything,
    Described(Box<Schema>),
}

/// How items of a list are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum List {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

/// A schema of text, for what every object has.
static TEXT: LazyLock<Schema> = LazyLock::new(|| Schema { kind: Kind::String, ..Schema::default() });

/// What rules can see of an object's metadata.
static METADATA: LazyLock<Schema> = LazyLock::new(|| Schema {
    kind: Kind::Object,
    properties: ["name", "generateName"].map(|name| (name.to_owned(), TEXT.clone())).into(),
    ..Schema::default()
});

impl Schema {
    /// The schema of an `openAPIV3Schema`: of whole objects.
    pub(super) fn of(schema: &Value) -> Self {
        Self { resource: true, ..Self::nested(schema, 0) }
    }

    fn nested(schema: &Value, depth: usize) -> Self {
        if depth > MAX_DEPTH {
            return Self { open: true, ..Self::default() };
        }
        let below = |schema: &Value| Self::nested(schema, depth + 1);
        let member = |name: &str| schema.get(name).filter(|value| !value.is_null());
        let all = |name: &str| list(schema, &[name]).iter().map(below).collect();
        let kind_name = text(schema, &["type"]);
        let int_or_string = flag(schema, &["x-kubernetes-int-or-string"]);
        let properties = member("properties").and_then(Value::as_object).into_iter().flatten();
        Self {
            kind: Kind::of(kind_name),
            int_or_string,
            nullable: flag(schema, &["nullable"]),
            resource: flag(schema, &["x-kubernetes-embedded-resource"]),
            open: flag(schema, &["x-kubernetes-preserve-unknown-fields"]),
            atomic: text(schema, &["x-kubernetes-map-type"]) == "atomic",
            // with several types no format counts
            format: Format::of(text(schema, &["format"]), kind_name).filter(|_| !int_or_string),
            limits: Limits::of(schema),
            pattern: Some(text(schema, &["pattern"])).filter(|pattern| !pattern.is_empty()).map(Pattern::of),
            allowed: list(schema, &["enum"]).to_vec(),
            default: member("default").cloned(),
            required: texts(schema, "required"),
            properties: properties.map(|(name, schema)| (name.clone(), below(schema))).collect(),
            additional: match member("additionalProperties") {
                Some(Value::Bool(false)) => Additional::Forbidden,
                Some(Value::Bool(true)) => Additional::Anything,
                Some(schema @ Value::Object(_)) => Additional::Described(Box::new(below(schema))),
                _ => Additional::Unsaid,
            },
            items: member("items").filter(|items| items.is_object()).map(|items| Box::new(below(items))),
            list: match text(schema, &["x-kubernetes-list-type"]) {
                "set" => List::Set,
                "map" => List::Map(texts(schema, "x-kubernetes-list-map-keys")),
                _ => List::Atomic,
            },
            all_of: all("allOf"),
            any_of: all("anyOf"),
            one_of: all("oneOf"),
            not: member("not").map(|not| Box::new(below(not))),
            rules: list(schema, &["x-kubernetes-validations"]).to_vec(),
        }
    }

    /// The schema of members that are not among the properties.
    pub(super) fn additional(&self) -> Option<&Self> {
        match &self.additional {
            Additional::Described(schema) => Some(schema),
            _ => None,
        }
    }

    /// The schema of a member as rules see it: with what every object has.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        match name {
            "apiVersion" | "kind" if self.resource => Some(&TEXT),
            "metadata" if self.resource => Some(&METADATA),
            _ => self.properties.get(name),
        }
    }
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "array" => Self::Array,
            _ => Self::Any,
        }
    }

    /// Its name in schemas; empty for any.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
        }
    }
}

impl Limits {
    fn of(schema: &Value) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_f64);
        let count = |name: &str| int(schema, &[name]);
        Self {
            maximum: number("maximum"),
            exclusive_maximum: flag(schema, &["exclusiveMaximum"]),
            minimum: number("minimum"),
            exclusive_minimum: flag(schema, &["exclusiveMinimum"]),
            multiple_of: number("multipleOf"),
            max_length: count("maxLength"),
            min_length: count("minLength"),
            max_items: count("maxItems"),
            min_items: count("minItems"),
            max_properties: count("maxProperties"),
            min_properties: count("minProperties"),
        }
    }
}

impl Pattern {
    fn of(text: &str) -> Self {
        Self { text: text.to_owned(), regex: OnceLock::new() }
    }

    /// Whether a text matches; none does when the expression cannot be read.
    pub(super) fn matches(&self, text: &str) -> bool {
        let regex = self.regex.get_or_init(|| pattern::compile(&self.text).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

fn texts(schema: &Value, name: &str) -> Vec<String> {
    list(schema, &[name]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The values of the key members of an item in a list that is a map; members that are absent are left out.
pub(super) fn key_of(item: &Value, keys: &[String]) -> Map {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_unstable();
    keys.into_iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect()
}
