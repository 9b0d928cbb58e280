//! Definitions with what is wrong with them.

use serde_json::{Value, json};

use super::*;

/// Values at JSON pointers; null takes away what is there.
type Changes<'a> = &'a [(&'a str, Value)];

/// A good definition, changed.
fn changed(changes: Changes<'_>) -> Value {
    let mut definition = json!({
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]
        }
    });
    for (pointer, value) in changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = definition.pointer_mut(parent).unwrap();
        match value {
            Value::Null => drop(parent.as_object_mut().unwrap().shift_remove(member)),
            _ => parent[member] = value.clone(),
        }
    }
    defaults(&mut definition);
    definition
}

fn faults(changes: Changes<'_>) -> Vec<String> {
    texts(&validate(&changed(changes), None))
}

fn texts(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
}

const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema";

/// What is wrong with a schema, in a definition that is good otherwise; paths below the schema.
fn schema_faults(schema: Value) -> Vec<String> {
    let faults = faults(&[(SCHEMA, schema)]);
    faults.iter().map(|fault| fault.replace("spec.validation.openAPIV3Schema", "~")).collect()
}

#[test]
fn defaults_fill_in() {
    let definition = changed(&[]);
    assert_eq!(
        definition["spec"]["names"],
        json!({"plural": "things", "kind": "Thing", "singular": "thing", "listKind": "ThingList"})
    );
    assert_eq!(definition["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(
        definition["status"],
        json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]})
    );
    let mut next = definition;
    next["spec"]["versions"][0]["name"] = "v2".into();
    defaults(&mut next);
    assert_eq!(next["status"]["storedVersions"], json!(["v1", "v2"]));
    assert_eq!(faults(&[]), Vec::<String>::new());
}

#[test]
fn specs() {
    let label = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                 character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
                 validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    let shown = |name: &str, storage: bool| {
        format!(
            "{{\"Name\":\"{name}\",\"Served\":true,\"Storage\":{storage},\"Deprecated\":false,\"DeprecationWarning\":null,\
             \"Schema\":null,\"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}"
        )
    };
    let name = |text: &str| format!("metadata.name: Invalid value: \"things.example.com\": {text}");
    let wrong_name = || name("must be spec.names.plural+\".\"+spec.group");
    let cases: [(Changes<'_>, Vec<String>); 23] = [
        (
            &[("/metadata/name", json!("wrong.name.example.com"))],
            vec!["metadata.name: Invalid value: \"wrong.name.example.com\": must be spec.names.plural+\".\"+spec.group".to_owned()],
        ),
        (
            &[("/spec/versions/0/schema", Value::Null)],
            vec!["spec.versions[0].schema.openAPIV3Schema: Required value".to_owned()],
        ),
        (&[("/spec/scope", Value::Null)], vec!["spec.scope: Required value".to_owned()]),
        (
            &[("/spec/scope", json!("World"))],
            vec!["spec.scope: Unsupported value: \"World\": supported values: \"Cluster\", \"Namespaced\"".to_owned()],
        ),
        (
            &[("/spec/group", json!("example"))],
            vec![wrong_name(), "spec.group: Invalid value: \"example\": should be a domain with at least one dot".to_owned()],
        ),
        (&[("/spec/group", json!(""))], vec![wrong_name(), "spec.group: Required value".to_owned()]),
        (
            &[("/spec/names/plural", json!("Things")), ("/metadata/name", json!("Things.example.com"))],
            vec![format!("spec.names.plural: Invalid value: \"Things\": {label}")],
        ),
        (
            &[("/spec/names/kind", json!("Thi ng")), ("/spec/names/singular", json!("thing")), ("/spec/names/listKind", json!("L"))],
            vec![format!("spec.names.kind: Invalid value: \"Thi ng\": may have mixed case, but should otherwise match: {label}")],
        ),
        (
            &[("/spec/names/listKind", json!("Thing"))],
            vec!["spec.names.listKind: Invalid value: \"Thing\": kind and listKind may not be the same".to_owned()],
        ),
        (
            &[("/spec/names/shortNames", json!(["t", "T"])), ("/spec/names/categories", json!(["all", ""]))],
            vec![
                format!("spec.names.shortNames[1]: Invalid value: \"T\": {label}"),
                format!("spec.names.categories[1]: Invalid value: \"\": {label}"),
            ],
        ),
        (
            &[("/spec/versions/0/name", json!("1"))],
            vec![
                format!("spec.versions[0].name: Invalid value: \"1\": {label}"),
                format!("spec.version: Invalid value: \"1\": {label}"),
            ],
        ),
        (
            &[("/spec/versions/0/storage", json!(false))],
            vec![
                format!(
                    "spec.versions: Invalid value: [{}]: must have exactly one version marked as storage version",
                    shown("v1", false)
                ),
                "status.storedVersions: Invalid value: []: must have at least one stored version".to_owned(),
            ],
        ),
        (
            &[(
                "/spec/versions",
                json!([
                    {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}},
                    {"name": "v1", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}}
                ]),
            )],
            vec![format!(
                "spec.versions: Invalid value: [{},{}]: must contain unique version names",
                shown("v1", true),
                shown("v1", false)
            )],
        ),
        (
            &[("/spec/versions/0/deprecationWarning", json!("x"))],
            vec!["spec.versions[0].deprecationWarning: Invalid value: \"x\": can only be set for deprecated versions".to_owned()],
        ),
        (
            &[("/spec/versions/0/additionalPrinterColumns", json!([{"name": "A", "type": "text", "jsonPath": "a"}, {}]))],
            vec![
                "spec.additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string"
                    .to_owned(),
                "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"a\": must be a simple json path starting with ."
                    .to_owned(),
                "spec.additionalPrinterColumns[1].name: Required value".to_owned(),
                "spec.additionalPrinterColumns[1].type: Required value: must be one of boolean,date,integer,number,string"
                    .to_owned(),
                "spec.additionalPrinterColumns[1].JSONPath: Required value".to_owned(),
            ],
        ),
        (
            &[("/spec/versions/0/subresources", json!({"scale": {"specReplicasPath": ".a", "labelSelectorPath": "b"}}))],
            vec![
                "spec.subresources.scale.specReplicasPath: Invalid value: \".a\": should be a json path under .spec".to_owned(),
                "spec.subresources.scale.statusReplicasPath: Required value".to_owned(),
                "spec.subresources.scale.labelSelectorPath: Invalid value: \"b\": must be a simple json path starting with ."
                    .to_owned(),
            ],
        ),
        (
            &[("/spec/versions/0/selectableFields", json!([{"jsonPath": ".spec.a"}, {"jsonPath": ""}]))],
            vec![
                "spec.selectableFields[0].jsonPath: Invalid value: \".spec.a\": is an invalid path: does not refer to a valid \
                 field"
                    .to_owned(),
                "spec.selectableFields[1].jsonPath: Required value".to_owned(),
            ],
        ),
        (
            &[("/spec/conversion", json!({"strategy": "Magic"}))],
            vec!["spec.conversion.strategy: Unsupported value: \"Magic\": supported values: \"None\", \"Webhook\"".to_owned()],
        ),
        (
            &[("/spec/conversion", json!({"strategy": "Webhook"}))],
            vec![
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook".to_owned(),
                "spec.conversion.conversionReviewVersions: Required value".to_owned(),
            ],
        ),
        (
            &[("/spec/conversion", json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}))],
            vec![
                "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook"
                    .to_owned(),
            ],
        ),
        (
            &[("/spec/preserveUnknownFields", json!(true))],
            vec![
                "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set \
                 x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
                    .to_owned(),
            ],
        ),
        (
            &[("/spec/group", json!("x.k8s.io")), ("/metadata/name", json!("things.x.k8s.io"))],
            vec![
                "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval \
                 annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"
                    .to_owned(),
            ],
        ),
        (
            &[
                ("/spec/group", json!("x.k8s.io")),
                ("/metadata/name", json!("things.x.k8s.io")),
                ("/metadata/annotations", json!({"api-approved.kubernetes.io": "https://example.com/1"})),
            ],
            vec![],
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(faults(changes), expected, "{changes:?}");
    }
}

#[test]
fn what_versions_do_not_share_is_named_by_version() {
    let schema = |kind: &str| json!({"openAPIV3Schema": {"type": "object", "properties": {"a": {"type": kind}}}});
    let versions = json!([
        {"name": "v1", "served": true, "storage": true, "schema": schema("string")},
        {"name": "v2", "served": true, "storage": false, "schema": schema("text"),
         "additionalPrinterColumns": [{"name": "A", "type": "string"}]}
    ]);
    assert_eq!(
        faults(&[("/spec/versions", versions)]),
        [
            "spec.versions[1].schema.openAPIV3Schema.properties[a].type: Unsupported value: \"text\": supported values: \
             \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
            "spec.versions[1].additionalPrinterColumns[0].JSONPath: Required value",
        ]
    );
}

#[test]
fn updates() {
    let mut old = changed(&[]);
    old["status"]["conditions"] = json!([{"type": "Established", "status": "True"}]);
    let update = |changes: Changes<'_>, old: &Value| {
        let mut new = changed(changes);
        new["status"] = old["status"].clone();
        defaults(&mut new);
        texts(&validate(&new, Some(old)))
    };
    assert_eq!(update(&[], &old), Vec::<String>::new());
    assert_eq!(
        update(&[("/spec/scope", json!("Cluster")), ("/spec/names/kind", json!("Other"))], &old),
        [
            "spec.scope: Invalid value: \"Cluster\": field is immutable",
            "spec.names.kind: Invalid value: \"Other\": field is immutable"
        ]
    );
    assert_eq!(
        update(&[("/spec/names/plural", json!("others"))], &old),
        ["spec.names.plural: Invalid value: \"others\": field is immutable"]
    );
    assert_eq!(
        update(&[("/spec/versions/0/name", json!("v2"))], &old),
        [
            "status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions; v1 was previously a storage version, \
          and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 \
          from status.storedVersions"
        ]
    );
    let young = changed(&[]);
    assert_eq!(update(&[("/spec/scope", json!("Cluster"))], &young), Vec::<String>::new());
}

#[test]
fn structural_schemas() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let cases = [
        (json!({}), vec!["~.type: Required value: must not be empty at the root"]),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            vec!["~.type: Invalid value: \"array\": must be object at the root"],
        ),
        (
            object(json!({"a": {}})),
            vec!["~.properties[a].type: Required value: must not be empty for specified object fields"],
        ),
        (
            object(json!({"a": {"type": "array"}, "b": {"type": "array", "items": {}}})),
            vec![
                "~.properties[a].items: Required value: must be specified",
                "~.properties[b].items.type: Required value: must not be empty for specified array items",
            ],
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            vec!["~.additionalProperties: Forbidden: must not be used at the root"],
        ),
        (
            object(json!({"a": {"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true}})),
            vec![
                "~.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if \
                 x-kubernetes-int-or-string is true",
            ],
        ),
        (
            object(
                json!({"a": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true}}),
            ),
            vec![],
        ),
        (
            object(json!({"a": {"type": "string", "anyOf": [{"type": "string", "description": "d"}]}})),
            vec![
                "~.properties[a].anyOf[0].description: Forbidden: must be empty to be structural",
                "~.properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
            ],
        ),
        (
            json!({"type": "object", "oneOf": [{"properties": {"b": {"minimum": 1}}}]}),
            vec!["~.properties[b]: Required value: because it is defined in ~.oneOf[0].properties[b]"],
        ),
        (
            object(json!({"a": {"type": "string", "pattern": "("}})),
            vec![
                "~.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: error parsing \
                 regexp: unclosed group: `(`",
            ],
        ),
        (
            object(json!({"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}})),
            vec![
                "~.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata \
                 is implicitly specified",
            ],
        ),
        (
            object(json!({"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}})),
            vec![],
        ),
        (
            object(json!({"kind": {"type": "integer"}})),
            vec!["~.properties[kind].type: Invalid value: \"integer\": must be string"],
        ),
        (
            object(json!({"a": {"x-kubernetes-embedded-resource": true}})),
            vec![
                "~.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true \
                 without x-kubernetes-preserve-unknown-fields",
                "~.properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true",
            ],
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(schema_faults(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn parts_of_schemas() {
    let a = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
    let cases = [
        (
            a(json!({"type": "text"})),
            vec![
                "~.properties[a].type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \
                 \"number\", \"object\", \"string\"",
            ],
        ),
        (
            a(
                json!({"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            ),
            vec![
                "~.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
            ],
        ),
        (a(json!({"$ref": "x"})), vec!["~.properties[a].$ref: Forbidden: $ref is not supported"]),
        (
            a(json!({"type": "array", "uniqueItems": true, "items": {"type": "string"}})),
            vec![
                "~.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity \
                 becomes quadratic",
            ],
        ),
        (
            a(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false})),
            vec![
                "~.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
            ],
        ),
        (
            a(json!({"type": "string", "x-kubernetes-list-type": "map"})),
            vec![
                "~.properties[a].type: Invalid value: \"string\": must be array if x-kubernetes-list-type is specified",
                "~.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
                "~.properties[a].items: Required value: must have a schema if x-kubernetes-list-type is map",
            ],
        ),
        (
            a(json!({"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}},
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "z"]})),
            vec![
                "~.properties[a].x-kubernetes-list-map-keys: Invalid value: [\"k\",\"z\"]: entries must all be names of item \
                 properties",
                "~.properties[a].items.properties[k].default: Required value: this property is in \
                 x-kubernetes-list-map-keys, so it must have a default or be a required property",
            ],
        ),
        (
            a(json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"})),
            vec![
                "~.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with \
                 x-kubernetes-list-type=set",
            ],
        ),
        (
            a(json!({"type": "array", "items": {"type": "string", "nullable": true}, "x-kubernetes-list-type": "set"})),
            vec!["~.properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set"],
        ),
        (
            a(json!({"type": "object", "x-kubernetes-map-type": "loose"})),
            vec![
                "~.properties[a].x-kubernetes-map-type: Unsupported value: \"loose\": supported values: \"atomic\", \"granular\"",
            ],
        ),
        (
            json!({"type": "object", "nullable": true}),
            vec!["~.nullable: Forbidden: nullable cannot be true at the root"],
        ),
        (
            json!({"type": "object", "properties": {"kind": {"type": "string", "default": "x"}}}),
            vec!["~.properties[kind].default: Forbidden: must not be set in top-level kind"],
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(schema_faults(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn defaults_have_to_fit() {
    let a = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
    let cases = [
        (a(json!({"type": "integer", "default": 3, "maximum": 5})), vec![]),
        (
            a(json!({"type": "integer", "default": "x"})),
            vec!["~.properties[a].default: Invalid value: \"string\":  in body must be of type integer: \"string\""],
        ),
        (
            a(json!({"type": "integer", "default": 9, "maximum": 5})),
            vec!["~.properties[a].default: Invalid value: 9:  in body should be less than or equal to 5"],
        ),
        (
            a(json!({"type": "object", "default": {"x": 1, "y": 2}, "properties": {"x": {"type": "string"}}})),
            vec![
                "~.properties[a].default: Invalid value: {\"x\":1,\"y\":2}: must not have unknown fields",
                "~.properties[a].default.x: Invalid value: \"integer\": x in body must be of type string: \"integer\"",
            ],
        ),
        (
            a(json!({"type": "integer", "default": 9, "x-kubernetes-validations": [{"rule": "self < 5"}]})),
            vec!["~.properties[a].default: Invalid value: 9: failed rule: self < 5"],
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(schema_faults(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn rules_are_compiled() {
    let with = |rule: Value| {
        json!({"type": "object", "properties": {
            "n": {"type": "integer"}, "list": {"type": "array", "items": {"type": "string"}}
        }, "x-kubernetes-validations": [rule]})
    };
    let shown = |rule: &str, message: &str| {
        // As Go writes JSON.
        let rule = rule.replace('>', "\\u003e").replace('<', "\\u003c").replace('&', "\\u0026");
        format!(
            "{{\"Rule\":\"{rule}\",\"Message\":\"\",\"MessageExpression\":\"{message}\",\"Reason\":null,\"FieldPath\":\"\",\
             \"OptionalOldSelf\":null}}"
        )
    };
    let cases = [
        (json!({"rule": "self.n > 1"}), vec![]),
        (json!({"rule": " "}), vec!["~.x-kubernetes-validations[0].rule: Required value: rule is not specified".to_owned()]),
        (
            json!({"rule": "self.nope > 1"}),
            vec![format!(
                "~.x-kubernetes-validations[0].rule: Invalid value: {}: compilation failed: ERROR: <input>:1:5: undefined \
                 field 'nope'\n | self.nope > 1\n | ....^",
                shown("self.nope > 1", "")
            )],
        ),
        (
            json!({"rule": "self.n"}),
            vec![format!(
                "~.x-kubernetes-validations[0].rule: Invalid value: {}: cel expression must evaluate to a bool",
                shown("self.n", "")
            )],
        ),
        (
            json!({"rule": "true", "messageExpression": "self.n"}),
            vec![format!(
                "~.x-kubernetes-validations[0].messageExpression: Invalid value: {}: messageExpression must evaluate to a \
                 string",
                shown("true", "self.n")
            )],
        ),
        (
            json!({"rule": "true", "message": "a\nb", "reason": "Because", "fieldPath": ".nope"}),
            vec![
                "~.x-kubernetes-validations[0].message: Invalid value: \"a\\nb\": must not contain line breaks".to_owned(),
                "~.x-kubernetes-validations[0].reason: Unsupported value: \"Because\": supported values: \
                 \"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\""
                    .to_owned(),
                "~.x-kubernetes-validations[0].fieldPath: Invalid value: \".nope\": must be a valid path".to_owned(),
            ],
        ),
        (
            json!({"rule": "true", "optionalOldSelf": true}),
            vec![
                "~.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in \
                 rule"
                    .to_owned(),
            ],
        ),
        (
            json!({"rule": "self.n > 1\n&& true"}),
            vec![
                "~.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks"
                    .to_owned(),
            ],
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(schema_faults(with(rule.clone())), expected, "{rule}");
    }
    let items = json!({"type": "object", "properties": {"list": {"type": "array", "items": {"type": "string",
        "x-kubernetes-validations": [{"rule": "self == oldSelf"}]}}}});
    assert_eq!(
        schema_faults(items),
        [
            "~.properties[list].items.x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": oldSelf cannot be \
             used on the uncorrelatable portion of the schema within ~.properties[list]"
        ]
    );
}

#[test]
fn with_a_status_subresource_the_root_says_little() {
    let faults = |schema: Value| faults(&[(SCHEMA, schema), ("/spec/versions/0/subresources", json!({"status": {}}))]);
    assert_eq!(faults(json!({"type": "object", "description": "d", "required": ["spec"]})), Vec::<String>::new());
    let wrong = faults(json!({"type": "object", "minProperties": 1}));
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].starts_with(
        "spec.validation.openAPIV3Schema: Invalid value: {\"type\":\"object\",\"minProperties\":1}: only [Description Type Format"
    ));
    assert!(wrong[0].ends_with("fields are allowed at the root of the schema if the status subresource is enabled"));
}
