//! Kinds that definitions make, and their objects.

mod objects;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cluster::api::schema::{Field, ListKind, Type};

/// A definition with one version of that schema.
fn definition(schema: Value) -> Value {
    let mut definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]
        }
    });
    defaults(&mut definition);
    definition
}

fn metadata() -> Arc<Struct> {
    let made = Struct { name: "ObjectMeta".to_owned(), ..Struct::default() };
    made.fields.set([("name".to_owned(), Field::new(Type::String))].into()).unwrap();
    Arc::new(made)
}

fn kind(definition: &Value) -> CustomKind {
    assert_eq!(texts(&validate(definition, None)), Vec::<String>::new());
    CustomKind::of(definition, &metadata()).unwrap()
}

fn texts(errors: &[crate::cluster::api::status::FieldError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
}

#[test]
fn kinds() {
    let mut made = definition(json!({"type": "object"}));
    made["spec"]["names"]["shortNames"] = json!(["gg"]);
    let schema = made["spec"]["versions"][0]["schema"].clone();
    made["spec"]["versions"] = json!([
        {"name": "v1alpha1", "served": false, "storage": false, "schema": schema},
        {"name": "v1beta1", "served": true, "storage": false, "deprecated": true, "schema": schema},
        {"name": "v2", "served": true, "storage": false, "deprecated": true, "deprecationWarning": "old", "schema": schema},
        {"name": "v1", "served": true, "storage": true, "schema": schema},
        {"name": "odd", "served": true, "storage": false, "schema": schema,
         "selectableFields": [], "additionalPrinterColumns": []},
    ]);
    defaults(&mut made);
    let kind = kind(&made);
    let names: Vec<_> = kind.versions.iter().map(|version| &*version.name).collect();
    assert_eq!(names, ["v2", "v1", "v1beta1", "v1alpha1", "odd"]);
    assert_eq!((&*kind.singular, &*kind.list_kind, kind.namespaced), ("gadget", "GadgetList", true));
    assert_eq!(kind.short_names, ["gg".into()]);
    assert_eq!(kind.storage().map(|version| &*version.name), Some("v1"));
    let warnings: Vec<_> = kind.versions.iter().map(|version| version.warning.as_deref()).collect();
    assert_eq!(
        warnings,
        [Some("old"), None, Some("example.com/v1beta1 Gadget is deprecated; use example.com/v1 Gadget"), None, None]
    );
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Gadget", "spec": {"a": 1}});
    kind.convert(&mut object, "v2");
    assert_eq!(object, json!({"apiVersion": "example.com/v2", "kind": "Gadget", "spec": {"a": 1}}));
    assert!(CustomKind::of(&json!({"spec": {"group": "g"}}), &metadata()).is_err());
}

#[test]
fn selectable_fields() {
    let mut made = definition(json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "colour": {"type": "string"}, "size": {"type": "integer"}, "on": {"type": "boolean"}
    }}}}));
    made["spec"]["versions"][0]["selectableFields"] =
        json!([{"jsonPath": ".spec.colour"}, {"jsonPath": ".spec.size"}, {"jsonPath": ".spec.on"}]);
    let kind = kind(&made);
    let fields = &kind.versions[0].selectable_fields;
    let values: Vec<_> = fields
        .iter()
        .map(|field| (&*field.name, field.value(&json!({"spec": {"colour": "red", "size": 3}}))))
        .collect();
    let expected = [("spec.colour", "red"), ("spec.size", "3"), ("spec.on", "")];
    assert_eq!(values, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn the_graph_of_types() {
    let kind = kind(&definition(json!({
        "type": "object", "required": ["spec"], "properties": {
            "metadata": {"type": "object"},
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "required": ["a"], "properties": {
                "a": {"type": "string", "default": "x", "enum": ["x", "y"], "nullable": true},
                "port": {"x-kubernetes-int-or-string": true},
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                    "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
                "labels": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "number"}},
                "free": {"x-kubernetes-preserve-unknown-fields": true},
                "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}
            }}
        }
    })));
    let root = &kind.versions[0].schema;
    assert_eq!((root.name.as_str(), root.required.as_slice(), root.open), ("Gadget", &["spec".to_owned()][..], false));
    let struct_of = |field: &Field| match &field.shape {
        Type::Struct(found) => found.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(struct_of(root.field("metadata").unwrap()).name, "ObjectMeta");
    assert!(matches!(root.field("kind").unwrap().shape, Type::String));
    let spec = struct_of(root.field("spec").unwrap());
    assert!(spec.open);
    let field = |name: &str| spec.field(name).unwrap();
    assert_eq!(field("a").default, Some(json!("x")));
    assert_eq!((field("a").allowed.join(","), field("a").nullable), ("x,y".to_owned(), true));
    assert!(matches!(field("port").shape, Type::IntOrString));
    assert_eq!(field("set").list, ListKind::Set);
    assert_eq!(field("map").list, ListKind::Map(vec!["id".to_owned()]));
    assert!(
        field("labels").atomic
            && matches!(&field("labels").shape, Type::Map(value) if matches!(value.shape, Type::Number))
    );
    assert!(matches!(field("free").shape, Type::Any));
    let pod = struct_of(field("pod"));
    assert!(pod.open && pod.field("metadata").is_some() && pod.field("kind").is_some());
}

/// JSON with members that schemas have, in any arrangement.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-20_i64..20).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "object",
            "array",
            "string",
            "integer",
            "number",
            "boolean",
            "null",
            "set",
            "map",
            "atomic",
            "(",
            "^a$",
            "self.a",
            "self == oldSelf",
            "date-time",
            "int32",
            ".a",
            "a",
        ])
        .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "type",
        "properties",
        "items",
        "additionalProperties",
        "required",
        "enum",
        "default",
        "format",
        "pattern",
        "minimum",
        "maximum",
        "multipleOf",
        "maxLength",
        "maxItems",
        "minProperties",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "nullable",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-validations",
        "rule",
        "messageExpression",
        "fieldPath",
        "a",
        "b",
        "metadata",
        "spec",
    ]);
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((names.clone(), inner), 0..7).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_schema_and_no_object_make_a_panic(schema in any_schema(), object in any_schema(), old in any_schema()) {
        let definition = definition(schema);
        let _ = texts(&validate(&definition, None));
        let _ = texts(&validate(&definition, Some(&object)));
        let kind = CustomKind::of(&definition, &metadata()).unwrap();
        for version in &kind.versions {
            let _ = texts(&validate_object(version, &object, None));
            let _ = texts(&validate_object(version, &object, Some(&old)));
            version.columns.cells(&object);
        }
    }

    #[test]
    fn no_definition_makes_a_panic(spec in any_schema(), other in any_schema()) {
        let mut definition = json!({"spec": spec, "status": other});
        defaults(&mut definition);
        let _ = texts(&validate(&definition, Some(&other)));
        established_status(&definition, "now", &Taken::in_group("", "", [&other]));
        let _ = CustomKind::of(&definition, &metadata());
    }
}
