//! What the server knows of the shape of objects: built-in kinds and custom resources in one form.
//!
//! Decoding, defaults, strategic merge, server-side apply and OpenAPI all walk this graph of types.

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

impl Struct {
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
        }
    }
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
