//! The schema of a custom resource as a graph of types, the form in which built-in kinds are known too.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::schema::{Additional, Kind, List, Schema};
use crate::cluster::api::schema::{Field, ListKind, Struct, Type};

/// The type of whole objects of a kind.
pub(super) fn of(schema: &Schema, kind: &str, metadata: &Arc<Struct>) -> Arc<Struct> {
    members(schema, kind, metadata)
}

fn members(schema: &Schema, name: &str, metadata: &Arc<Struct>) -> Arc<Struct> {
    let mut fields: BTreeMap<_, _> =
        schema.properties.iter().map(|(name, schema)| (name.clone(), field(schema, metadata))).collect();
    if schema.resource {
        // what every object has is not the schema's to say
        for name in ["apiVersion", "kind"] {
            fields.insert(name.to_owned(), Field::new(Type::String));
        }
        fields.insert("metadata".to_owned(), Field::new(Type::Struct(metadata.clone())));
    }
    let made = Struct {
        name: name.to_owned(),
        required: schema.required.clone(),
        atomic: schema.atomic,
        open: schema.open || matches!(schema.additional, Additional::Anything),
        ..Struct::default()
    };
    // it is new: nobody else sets it
    let _ = made.fields.set(fields);
    Arc::new(made)
}

fn field(schema: &Schema, metadata: &Arc<Struct>) -> Field {
    Field {
        list: match &schema.list {
            List::Atomic => ListKind::Atomic,
            List::Set => ListKind::Set,
            List::Map(keys) => ListKind::Map(keys.clone()),
        },
        atomic: schema.atomic,
        default: schema.default.clone(),
        allowed: schema.allowed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        nullable: schema.nullable,
        ..Field::new(shape(schema, metadata))
    }
}

fn shape(schema: &Schema, metadata: &Arc<Struct>) -> Type {
    if schema.int_or_string {
        return Type::IntOrString;
    }
    match schema.kind {
        Kind::String => Type::String,
        Kind::Integer => Type::Int64,
        Kind::Number => Type::Number,
        Kind::Boolean => Type::Boolean,
        Kind::Any => Type::Any,
        Kind::Array => match &schema.items {
            Some(items) => Type::List(Arc::new(field(items, metadata))),
            None => Type::Any,
        },
        Kind::Object => match &schema.additional {
            Additional::Described(values) => Type::Map(Arc::new(field(values, metadata))),
            Additional::Anything if schema.properties.is_empty() => Type::Map(Arc::new(Field::new(Type::Any))),
            _ => Type::Struct(members(schema, "", metadata)),
        },
    }
}
