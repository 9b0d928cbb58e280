//! What the server knows of the shape of objects: built-in kinds and custom resources in one form.
//!
//! Decoding, defaults, strategic merge, server-side apply and OpenAPI all walk this graph of types.

pub mod builtin;
mod conform;
pub mod decode;
pub mod defaults;
mod json;
pub mod openapi;
mod place;
pub mod proto;

mod scalars;
pub mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

/// The shape of a value.
#[derive(Debug, Clone)]
pub enum Type {
    /// Text.
    String,
    /// Text that holds base64 of bytes.
    Bytes,
    /// A 32-bit whole number.
    Int32,
    /// A 64-bit whole number.
    Int64,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A quantity such as `500m`; a number is taken too.
    Quantity,
    /// A port or percentage: a number or text.
    IntOrString,
    /// RFC 3339 to the second.
    Time,
    /// RFC 3339 to the microsecond.
    MicroTime,
    /// Anything at all, kept as it is (`RawExtension`, `FieldsV1`, unknown fields preserved).
    Any,
    /// Named members.
    Struct(Arc<Struct>),
    /// Members of any name, all of one shape.
    Map(Arc<Field>),
    /// Items, all of one shape. How they merge is said by the field that holds the list.
    List(Arc<Field>),
}

/// A type with named members.
#[derive(Debug, Clone, Default)]
pub struct Struct {
    /// Go's name of the type, as `DeploymentSpec`; the path-less part of error messages.
    pub name: String,
    /// Full name as in OpenAPI, as `io.k8s.api.apps.v1.DeploymentSpec`; empty in custom resources.
    pub full_name: String,
    /// The members. A cell, because types refer to each other.
    pub fields: std::sync::OnceLock<BTreeMap<String, Field>>,
    /// Members that have to be there.
    pub required: Vec<String>,
    /// One unit for server-side apply (`x-kubernetes-map-type: atomic`).
    pub atomic: bool,
    /// Members that are not listed are kept (`x-kubernetes-preserve-unknown-fields`).
    pub open: bool,
}

impl Type {
    /// Go's name of the type, as error messages show it.
    pub fn go_type(&self) -> String {
        match self {
            Self::String | Self::Time | Self::MicroTime => "string".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Int32 | Self::IntOrString => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Number => "float64".to_owned(),
            Self::Boolean => "bool".to_owned(),
            Self::Quantity => "resource.Quantity".to_owned(),
            Self::Any => "interface {}".to_owned(),
            Self::Struct(kind) => kind.go_type(),
            Self::Map(value) => format!("map[string]{}", value.go_type()),
            Self::List(item) => format!("[]{}", item.go_type()),
        }
    }
}

impl Struct {
    /// Package and name, as `v1.DeploymentSpec`.
    pub fn go_type(&self) -> String {
        let package = self.full_name.rsplit('.').nth(1).unwrap_or("v1");
        format!("{package}.{}", self.name)
    }

    /// The member of a name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get()?.get(name)
    }
}

/// A member, item or map value: its type and how it merges.
#[derive(Debug, Clone)]
pub struct Field {
    /// The shape.
    pub shape: Type,
    /// How a list merges in server-side apply.
    pub list: ListKind,
    /// A map or object that is one unit in server-side apply.
    pub atomic: bool,
    /// Strategic merge: merge the list's items instead of replacing it.
    pub patch_merge: bool,
    /// Strategic merge: members not named by `$retainKeys` go.
    pub patch_retain_keys: bool,
    /// Strategic merge: the member that identifies an item; empty for lists of scalars.
    pub merge_key: String,
    /// Filled in when the member is absent.
    pub default: Option<Value>,
    /// The values that can be; empty when any can.
    pub allowed: Vec<String>,
    /// `null` is a value of its own (custom resources with `nullable`).
    pub nullable: bool,
    /// When the server writes the member.
    pub presence: Presence,
    /// Go's name of the type where the shape does not tell it, as `v1.PullPolicy`; for error messages. Of a value of
    /// any shape, its type in the catalogue.
    pub go_type: Box<str>,
}

impl Field {
    /// A member of a shape with nothing special about it.
    pub fn new(shape: Type) -> Self {
        Self {
            shape,
            list: ListKind::Atomic,
            atomic: false,
            patch_merge: false,
            patch_retain_keys: false,
            merge_key: String::new(),
            default: None,
            allowed: Vec::new(),
            nullable: false,
            presence: Presence::Set,
            go_type: Box::default(),
        }
    }

    /// Go's name of the type, as error messages show it: `int32`, `[]v1.Container`.
    pub fn go_type(&self) -> String {
        if self.go_type.is_empty() { self.shape.go_type() } else { self.go_type.to_string() }
    }
}

/// When the server writes a member of a built-in kind: what a trip through Go's structs does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// When it is there, be it empty or zero. So are pointers, and all members of custom resources.
    Set,
    /// When it is not the zero value of its type.
    NonZero,
    /// Always; when it is absent, the zero value of its type.
    Always,
    /// Always; when it is absent, `null`.
    AlwaysNull,
}

/// How a list merges in server-side apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListKind {
    /// As one unit.
    Atomic,
    /// By value.
    Set,
    /// By these members of its items; with the defaults that the schema gives absent keys.
    Map(Vec<String>),
}
