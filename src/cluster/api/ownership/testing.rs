//! For tests: the built-in kinds as a type graph, made-up kinds, and random values.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cluster::api::schema::builtin::builtin;
use crate::cluster::api::schema::{Field, ListKind, Struct, Type};
use crate::cluster::object::text;

/// A built-in kind, as `apps/v1/Deployment` or `v1/Pod`.
pub(crate) fn built_in(kind: &str) -> Arc<Struct> {
    let (api_version, kind) = kind.rsplit_once('/').unwrap();
    builtin().kind(api_version, kind).unwrap()
}

/// A kind as from a custom resource: a size, a set of tags, items by id, an atomic list, free parts, labels.
pub(crate) fn custom() -> Arc<Struct> {
    let structure = |fields: Vec<(&str, Field)>| {
        let fields: BTreeMap<_, _> = fields.into_iter().map(|(name, field)| (name.to_owned(), field)).collect();
        Arc::new(Struct { fields: fields.into(), ..Struct::default() })
    };
    let list = |item: Type, kind| Field { list: kind, ..Field::new(Type::List(Arc::new(Field::new(item)))) };
    let texts = || Field::new(Type::Map(Arc::new(Field::new(Type::String))));
    let item = structure(vec![
        ("id", Field::new(Type::String)),
        ("v", Field::new(Type::Int64)),
        ("w", Field::new(Type::Any)),
        ("tags", list(Type::String, ListKind::Set)),
    ]);
    let spec = structure(vec![
        ("size", Field::new(Type::Int64)),
        ("note", Field { nullable: true, ..Field::new(Type::String) }),
        ("tags", list(Type::String, ListKind::Set)),
        ("items", list(Type::Struct(item), ListKind::Map(vec!["id".to_owned()]))),
        ("args", list(Type::String, ListKind::Atomic)),
        ("free", Field::new(Type::Any)),
        ("labels", texts()),
        ("unit", Field { atomic: true, ..texts() }),
    ]);
    let metadata = structure(vec![
        ("name", Field::new(Type::String)),
        ("uid", Field::new(Type::String)),
        ("labels", texts()),
        ("annotations", texts()),
        ("finalizers", list(Type::String, ListKind::Set)),
        ("managedFields", Field::new(Type::List(Arc::new(Field::new(Type::Any))))),
    ]);
    structure(vec![
        ("apiVersion", Field::new(Type::String)),
        ("kind", Field::new(Type::String)),
        ("metadata", Field::new(Type::Struct(metadata))),
        ("spec", Field::new(Type::Struct(spec.clone()))),
        ("status", Field::new(Type::Struct(spec))),
    ])
}

/// Any JSON, small.
pub(crate) fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        Just(json!(1.5)),
        "[a-d<]{0,2}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-d]{1,2}|\\$patch|name|id", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A `spec` of the kind that [`custom`] gives, without nulls, empty objects and items of equal keys.
pub(crate) fn any_spec() -> impl Strategy<Value = Value> {
    let tags = proptest::collection::btree_set("[a-d]", 0..4).prop_map(|tags| json!(tags));
    // members of one name have one type: who replaces a whole object by a scalar takes it without a conflict
    let free = [json!({"a": {"b": 1}}), json!({"a": {"d": [1]}}), json!({"a": {"b": 2}, "c": 1})];
    let free = proptest::sample::select(free.to_vec());
    let members = (proptest::option::of(0..3), proptest::option::of(free.clone()), proptest::option::of(tags.clone()));
    let item = ("[w-z]", members)
        .prop_map(|(id, (v, w, tags))| with(json!({"id": id}), [("v", v.map(Value::from)), ("w", w), ("tags", tags)]));
    let items = proptest::collection::vec(item, 0..4).prop_map(|mut items| {
        let mut by_id = std::collections::HashSet::new();
        items.retain(|item| by_id.insert(text(item, &["id"]).to_owned()));
        Value::from(items)
    });
    let labels = proptest::collection::btree_map("[a-c]", "[x-z]", 1..3).prop_map(|labels| json!(labels));
    let members = (
        proptest::option::of(0..3),
        proptest::option::of(tags),
        proptest::option::of(items),
        proptest::option::of(free),
        proptest::option::of(labels.clone()),
        proptest::option::of(labels),
    );
    members.prop_map(|(size, tags, items, free, labels, unit)| {
        let size = size.map(Value::from);
        let all =
            [("size", size), ("tags", tags), ("items", items), ("free", free), ("labels", labels), ("unit", unit)];
        with(json!({"args": ["p", "q"]}), all)
    })
}

fn with<const N: usize>(mut object: Value, members: [(&str, Option<Value>); N]) -> Value {
    for (name, value) in members {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}
