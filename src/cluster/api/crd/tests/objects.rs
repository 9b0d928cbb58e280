//! Objects with what is wrong with them.

use serde_json::{Value, json};

use super::{definition, kind, texts};
use crate::cluster::api::crd::validate_object;

/// What is wrong with the spec of an object.
fn faults(spec_schema: Value, spec: Value, old: Option<Value>) -> Vec<String> {
    let kind = kind(&definition(json!({"type": "object", "properties": {"spec": spec_schema}})));
    let object = |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "a"}, "spec": spec});
    texts(&validate_object(&kind.versions[0], &object(spec), old.map(object).as_ref()))
}

fn gadget() -> Value {
    json!({
        "type": "object", "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 10},
            "colour": {"type": "string", "default": "blue", "enum": ["blue", "red"]},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "items": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                "items": {"type": "object", "required": ["id"],
                    "properties": {"id": {"type": "string"}, "v": {"type": "integer"}}}
            }
        },
        "x-kubernetes-validations": [{"rule": "self.size < 10 || self.colour == 'red'", "message": "only red may be ten"}]
    })
}

const NOT_CHECKED: &str = "<nil>: Invalid value: null: some validation rules were not checked because the object was \
                           invalid; correct the existing errors to complete validation";

#[test]
fn a_real_server_said_so() {
    let cases = [
        (
            json!({"size": 99, "colour": "green", "name": "TOOLONG"}),
            vec![
                "spec.colour: Unsupported value: \"green\": supported values: \"blue\", \"red\"",
                "spec.name: Too long: may not be more than 5 bytes",
                "spec.size: Invalid value: 99: spec.size in body should be less than or equal to 10",
                NOT_CHECKED,
            ],
        ),
        (json!({}), vec!["spec.size: Required value", NOT_CHECKED]),
        (
            json!({"size": "big"}),
            vec![
                "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
                NOT_CHECKED,
            ],
        ),
        (json!({"size": 10, "colour": "blue"}), vec!["spec: Invalid value: only red may be ten"]),
        (json!({"size": 10, "colour": "red"}), vec![]),
        (
            json!({"size": 1, "colour": "red", "items": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}),
            vec!["spec.items[2]: Duplicate value: {\"id\":\"a\"}"],
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(faults(gadget(), spec.clone(), None), expected, "{spec}");
    }
}

#[test]
fn every_check_of_a_value() {
    let invalid = |value: &str, what: &str| format!("spec: Invalid value: {value}: spec in body {what}");
    let of_type =
        |found: &str, wanted: &str| invalid(&format!("\"{found}\""), &format!("must be of type {wanted}: \"{found}\""));
    let cases = [
        (json!({"type": "string"}), json!(1), vec![of_type("integer", "string")]),
        (json!({"type": "string"}), json!(1.5), vec![of_type("number", "string")]),
        (json!({"type": "string"}), json!(true), vec![of_type("boolean", "string")]),
        (json!({"type": "object"}), json!([]), vec![of_type("array", "object")]),
        (json!({"type": "array", "items": {"type": "string"}}), json!({}), vec![of_type("object", "array")]),
        (json!({"type": "string"}), json!(null), vec![of_type("null", "string")]),
        (json!({"type": "string", "nullable": true}), json!(null), vec![]),
        (json!({"type": "number"}), json!(1), vec![]),
        (json!({"type": "integer"}), json!(1.0), vec![]),
        (
            json!({"type": "integer"}),
            json!(1.5),
            vec![
                of_type("number", "integer"),
                "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec".to_owned(),
            ],
        ),
        (
            json!({"type": "integer", "format": "int32"}),
            json!(3_000_000_000_u32),
            vec![
                "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec"
                    .to_owned(),
            ],
        ),
        (json!({"x-kubernetes-int-or-string": true}), json!(1), vec![]),
        (json!({"x-kubernetes-int-or-string": true}), json!("1"), vec![]),
        (json!({"x-kubernetes-int-or-string": true}), json!(true), vec![of_type("boolean", "integer,string")]),
        (
            json!({"type": "number", "minimum": 1.5}),
            json!(1.25),
            vec![invalid("1.25", "should be greater than or equal to 1.5")],
        ),
        (
            json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}),
            json!(1),
            vec![invalid("1", "should be greater than 1")],
        ),
        (
            json!({"type": "number", "maximum": 2, "exclusiveMaximum": true}),
            json!(2.0),
            vec![invalid("2", "should be less than 2")],
        ),
        (json!({"type": "integer", "multipleOf": 3}), json!(4), vec![invalid("4", "should be a multiple of 3")]),
        (json!({"type": "number", "multipleOf": 0.5}), json!(1.5), vec![]),
        (
            json!({"type": "string", "minLength": 2}),
            json!("é"),
            vec![invalid("\"é\"", "should be at least 2 chars long")],
        ),
        (
            json!({"type": "string", "maxLength": 1}),
            json!("ab"),
            vec!["spec: Too long: may not be more than 1 byte".to_owned()],
        ),
        (json!({"type": "string", "pattern": "^a$"}), json!("b"), vec![invalid("\"b\"", "should match '^a$'")]),
        (json!({"type": "string", "format": "date-time"}), json!("now"), vec![of_type("now", "date-time")]),
        (json!({"type": "string", "format": "ipv4"}), json!("::1"), vec![of_type("::1", "ipv4")]),
        (json!({"type": "string", "format": "date"}), json!(5), vec![of_type("int64", "date")]),
        (json!({"type": "string", "format": "made-up"}), json!("x"), vec![]),
        (
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 1}),
            json!([]),
            vec![invalid("0", "should have at least 1 items")],
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1}),
            json!([1, "b"]),
            vec![
                "spec[1]: Invalid value: \"string\": spec[1] in body must be of type integer: \"string\"".to_owned(),
                "spec: Too many: 2: must have at most 1 item".to_owned(),
            ],
        ),
        (
            json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}),
            json!(["a", "b", "a", "a"]),
            vec!["spec[2]: Duplicate value: \"a\"".to_owned()],
        ),
        (
            json!({"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "string"}}),
            json!({}),
            vec![invalid("0", "should have at least 1 properties")],
        ),
        (
            json!({"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}}),
            json!({"a": 1, "b": "x"}),
            vec![
                "spec: Too many: 2: must have at most 1 item".to_owned(),
                "spec.a: Invalid value: \"integer\": spec.a in body must be of type string: \"integer\"".to_owned(),
            ],
        ),
        (
            json!({"type": "integer", "enum": [1, 2]}),
            json!(3),
            vec!["spec: Unsupported value: 3: supported values: \"1\", \"2\"".to_owned()],
        ),
        (json!({"type": "number", "enum": [1, 2]}), json!(2.0), vec![]),
    ];
    for (schema, value, expected) in cases {
        assert_eq!(faults(schema.clone(), value.clone(), None), expected, "{schema} {value}");
    }
}

#[test]
fn combinations() {
    let schema = |member: &str, of: Value| {
        let mut schema = json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}});
        schema[member] = of;
        schema
    };
    let none = |text: &str| format!("<nil>: Invalid value: \"\": \"spec\" {text}");
    let either = json!([{"required": ["a"]}, {"required": ["b"]}]);
    let cases = [
        ("oneOf", either.clone(), json!({"a": 1}), vec![]),
        (
            "oneOf",
            either.clone(),
            json!({}),
            vec![
                none("must validate one and only one schema (oneOf). Found none valid"),
                "spec.a: Required value".to_owned(),
            ],
        ),
        (
            "oneOf",
            either.clone(),
            json!({"a": 1, "b": 1}),
            vec![none("must validate one and only one schema (oneOf). Found 2 valid alternatives")],
        ),
        ("anyOf", either.clone(), json!({"a": 1, "b": 1}), vec![]),
        (
            "anyOf",
            either.clone(),
            json!({}),
            vec![none("must validate at least one schema (anyOf)"), "spec.a: Required value".to_owned()],
        ),
        (
            "allOf",
            either,
            json!({"a": 1}),
            vec!["spec.b: Required value".to_owned(), none("must validate all the schemas (allOf)")],
        ),
        (
            "allOf",
            json!([{"properties": {"a": {"minimum": 2}}}]),
            json!({"a": 1}),
            vec![
                "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 2".to_owned(),
                none("must validate all the schemas (allOf). None validated"),
            ],
        ),
        ("not", json!({"required": ["a"]}), json!({"a": 1}), vec![none("must not validate the schema (not)")]),
        ("not", json!({"required": ["a"]}), json!({"b": 1}), vec![]),
        // the alternative that went furthest explains most
        (
            "anyOf",
            json!([{"properties": {"a": {"minimum": 9}}, "required": ["b"]}, {"properties": {"a": {"maximum": 0}}}]),
            json!({"a": 1, "b": 2}),
            vec![
                none("must validate at least one schema (anyOf)"),
                "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 9".to_owned(),
            ],
        ),
    ];
    for (member, of, value, expected) in cases {
        assert_eq!(faults(schema(member, of.clone()), value.clone(), None), expected, "{member} {of} {value}");
    }
}

#[test]
fn what_was_let_in_before_may_stay() {
    let schema = json!({"type": "object", "properties": {
        "size": {"type": "integer", "maximum": 10}, "other": {"type": "string"},
        "items": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
            "items": {"type": "object", "required": ["id"],
                "properties": {"id": {"type": "string"}, "n": {"type": "integer", "maximum": 1}}}}
    }});
    let too_big = "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10";
    let old = json!({"size": 11, "other": "a"});
    assert_eq!(faults(schema.clone(), json!({"size": 11, "other": "b"}), Some(old.clone())), Vec::<String>::new());
    assert_eq!(faults(schema.clone(), json!({"size": 11, "other": "b"}), Some(json!({"size": 12}))), [too_big]);
    assert_eq!(faults(schema.clone(), json!({"size": 11}), None), [too_big]);
    // items of a list that is a map are found by their keys
    let old = json!({"items": [{"id": "a", "n": 5}]});
    let new = json!({"items": [{"id": "b", "n": 1}, {"id": "a", "n": 5}]});
    assert_eq!(faults(schema.clone(), new, Some(old)), Vec::<String>::new());
    // lists that were broken before are not looked at
    let twice = json!({"items": [{"id": "a"}, {"id": "a"}]});
    let more = json!({"items": [{"id": "a"}, {"id": "a"}], "other": "x"});
    assert_eq!(faults(schema, more, Some(twice)), Vec::<String>::new());
}

#[test]
fn rules() {
    let with = |rules: Value| {
        json!({"type": "object", "x-kubernetes-validations": rules, "properties": {
            "n": {"type": "integer", "x-kubernetes-validations": [{"rule": "self != 7"}]},
            "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is fixed"}]},
            "labels": {"type": "object", "additionalProperties": {"type": "string",
                "x-kubernetes-validations": [{"rule": "self.size() < 3", "reason": "FieldValueForbidden", "message": "short"}]}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "has(self.a)", "reason": "FieldValueRequired", "fieldPath": ".a",
                    "message": "needed"}]}}
        }})
    };
    let none = json!([]);
    let cases = [
        (none.clone(), json!({"n": 7}), None, vec!["spec.n: Invalid value: 7: failed rule: self != 7"]),
        (none.clone(), json!({"labels": {"k": "long"}}), None, vec!["spec.labels[k]: Forbidden: short"]),
        (none.clone(), json!({"list": [{"a": 1}, {}]}), None, vec!["spec.list[1].a: Required value: needed"]),
        (none.clone(), json!({"fixed": "a"}), None, vec![]),
        (
            none.clone(),
            json!({"fixed": "a"}),
            Some(json!({"fixed": "b"})),
            vec!["spec.fixed: Invalid value: \"a\": is fixed"],
        ),
        // unchanged values are not asked again, unless the rule is about the change
        (
            none.clone(),
            json!({"n": 7, "fixed": "a"}),
            Some(json!({"n": 7, "fixed": "b"})),
            vec!["spec.fixed: Invalid value: \"a\": is fixed"],
        ),
        (none, json!({"list": [{}], "n": 1}), Some(json!({"list": [{}]})), vec![]),
        (
            json!([{"rule": "self.n < 3", "messageExpression": "'n is ' + string(self.n)"}]),
            json!({"n": 5}),
            None,
            vec!["spec: Invalid value: n is 5"],
        ),
        (
            json!([{"rule": "self.n < 3", "message": "too big", "messageExpression": "self.labels['x'] + 'y'"}]),
            json!({"n": 5, "labels": {}}),
            None,
            vec!["spec: Invalid value: too big"],
        ),
        (
            json!([{"rule": "self.n < 3", "reason": "FieldValueDuplicate", "fieldPath": ".labels['a.b']"}]),
            json!({"n": 5}),
            None,
            vec!["spec.labels[a.b]: Duplicate value"],
        ),
        (
            json!([{"rule": "self.labels['x'] == 'y'"}, {"rule": "self.n / 0 == 1", "message": "m"}]),
            json!({"n": 1, "labels": {}}),
            None,
            vec![
                "spec: Invalid value: \"object\": no such key: x evaluating rule: self.labels['x'] == 'y'",
                "spec: Invalid value: \"object\": division by zero evaluating rule: m",
            ],
        ),
        (
            json!([{"rule": "!oldSelf.hasValue() || self.n > oldSelf.value().n", "optionalOldSelf": true}]),
            json!({"n": 1}),
            Some(json!({"n": 2})),
            vec!["spec: Invalid value: failed rule: !oldSelf.hasValue() || self.n > oldSelf.value().n"],
        ),
        (
            json!([{"rule": "self.list.all(a, self.list.all(b, self.list.all(c, true)))", "message": "slow"}]),
            json!({"list": vec![json!({"a": 1}); 200]}),
            None,
            vec![
                "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further \
                 validation rules will be run due to call cost exceeds limit for rule: slow",
            ],
        ),
    ];
    for (rules, spec, old, expected) in cases {
        assert_eq!(faults(with(rules.clone()), spec.clone(), old,), expected, "{rules} {spec}");
    }
}

#[test]
fn embedded_objects() {
    let schema = json!({"type": "object", "properties": {"template": {
        "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        "x-kubernetes-validations": [{"rule": "self.kind != 'Pod' || self.metadata.name == 'p'"}]
    }}});
    let of = |template: Value| faults(schema.clone(), json!({"template": template}), None);
    assert_eq!(
        of(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "more": 1})),
        Vec::<String>::new()
    );
    assert_eq!(
        of(json!({"apiVersion": "a/b/c"})),
        [
            "spec.template.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
            "spec.template.kind: Required value",
            NOT_CHECKED
        ]
    );
    assert_eq!(
        of(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}})),
        ["spec.template: Invalid value: failed rule: self.kind != 'Pod' || self.metadata.name == 'p'"]
    );
}

#[test]
fn scale_is_checked() {
    let mut definition = definition(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    let version = &mut definition["spec"]["versions"][0];
    version["subresources"] =
        json!({"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}});
    let kind = kind(&definition);
    let version = &kind.versions[0];
    assert!(version.status && version.scale.is_some());
    assert_eq!(
        texts(&validate_object(version, &json!({"spec": {"size": -1}}), None)),
        [".spec.size: Invalid value: -1: should be a non-negative integer"]
    );
}
