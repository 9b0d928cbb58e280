//! Tests of reading objects.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cluster::api::schema::builtin::builtin;
use crate::cluster::object::Map;

fn kind(api_version: &str, kind: &str) -> std::sync::Arc<Struct> {
    builtin().kind(api_version, kind).expect(kind)
}

fn conformed(name: (&str, &str), object: &Value) -> Result<(Value, Vec<String>), String> {
    let mut object = object.clone();
    conform(&kind(name.0, name.1), &mut object).map(|unknown| (object, unknown))
}

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
const POD: (&str, &str) = ("v1", "Pod");

#[test]
fn unknown_fields_go_and_are_named_in_order() {
    let object = json!({
        "kind": "Deployment", "nope": {"a": 1}, "metadata": {"name": "web", "labels": {"any": "thing"}, "nope": null},
        "spec": {"replica": 1, "template": {"spec": {"containers": [
            {"name": "a"},
            {"name": "b", "imagePullPolcy": "Always", "resources": {"limits": {"cpu": 1}, "limit": {}}},
        ]}}},
    });
    let expected = json!({
        "kind": "Deployment", "metadata": {"name": "web", "labels": {"any": "thing"}},
        "spec": {"template": {"spec": {"containers": [
            {"name": "a"}, {"name": "b", "resources": {"limits": {"cpu": "1"}}},
        ]}}},
    });
    let unknown = [
        "nope",
        "metadata.nope",
        "spec.replica",
        "spec.template.spec.containers[1].imagePullPolcy",
        "spec.template.spec.containers[1].resources.limit",
    ];
    let unknown = unknown.map(|path| format!("unknown field \"{path}\"")).to_vec();
    assert_eq!(conformed(DEPLOYMENT, &object), Ok((expected, unknown)));
}

#[test]
fn wrong_types_are_told_as_in_go() {
    let container = |field: &str, value: Value| json!({"spec": {"containers": [{"name": "a", field: value}]}});
    let cases = [
        (
            DEPLOYMENT,
            json!({"spec": {"replicas": "three"}}),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"replicas": 1.5}}),
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"replicas": 3_000_000_000_i64}}),
            "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"paused": "yes"}}),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"template": {"spec": {"containers": {"a": "b"}}}}}),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        (
            DEPLOYMENT,
            json!({"spec": []}),
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
        ),
        (DEPLOYMENT, json!([]), "json: cannot unmarshal array into Go value of type v1.Deployment"),
        (
            ("v1", "ConfigMap"),
            json!({"data": {"country": false, "n": 1}}),
            "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
        ),
        (
            ("v1", "ConfigMap"),
            json!({"data": "x"}),
            "json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string",
        ),
        (
            ("v1", "ConfigMap"),
            json!({"metadata": {"labels": {"a": 1}}}),
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            POD,
            container("args", json!([1])),
            "json: cannot unmarshal number into Go struct field Container.spec.containers.args of type string",
        ),
        (
            POD,
            container("imagePullPolicy", json!(true)),
            "json: cannot unmarshal bool into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
        ),
        (
            POD,
            container("livenessProbe", json!({"httpGet": {"port": true}})),
            "json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.httpGet.port of type int32",
        ),
        (
            POD,
            container("resources", json!({"limits": []})),
            "json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
        ),
        (
            POD,
            container("resources", json!({"limits": {"cpu": "lots"}})),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (("v1", "Secret"), json!({"data": {"a": "not base64"}}), "illegal base64 data at input byte 3"),
        (
            POD,
            json!({"metadata": {"creationTimestamp": 5}}),
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            POD,
            json!({"metadata": {"creationTimestamp": "now"}}),
            "parsing time \"now\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"now\" as \"2006\"",
        ),
    ];
    for (name, object, error) in cases {
        assert_eq!(conformed(name, &object), Err(error.to_owned()));
    }
}

#[test]
fn wrong_types_in_merged_objects_are_told_otherwise() {
    let cases = [
        (json!({"spec": {"replicas": "three"}}), "unrecognized type: int32"),
        (json!({"spec": {"replicas": 1.5}}), "cannot convert float64 to int32"),
        (json!({"spec": {"paused": 1}}), "unrecognized type: bool"),
        (json!({"spec": []}), "cannot restore struct from: slice"),
        (json!({"spec": {"template": {"spec": {"containers": {"a": "b"}}}}}), "cannot restore slice from map"),
        (json!({"metadata": {"labels": "x"}}), "cannot restore map from string"),
        (json!({"metadata": {"labels": {"a": true}}}), "unrecognized type: string"),
        (json!({"spec": {"template": {"spec": {"dnsPolicy": 1}}}}), "cannot convert int64 to v1.DNSPolicy"),
        (
            json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": true}}}}),
            "json: cannot unmarshal bool into Go value of type int32",
        ),
    ];
    for (mut object, error) in cases {
        assert_eq!(restore(&kind("apps/v1", "Deployment"), &mut object), Err(error.to_owned()));
    }
    let mut secret = json!({"data": {"a": "no base64"}});
    let error = "error decoding from json: illegal base64 data at input byte 2".to_owned();
    assert_eq!(restore(&kind("v1", "Secret"), &mut secret), Err(error));
    let mut object = json!({"z": 1, "spec": {"replicas": 2.0, "paused": false, "a": 1}});
    let unknown = ["spec.a", "z"].map(|path| format!("unknown field \"{path}\"")).to_vec();
    assert_eq!(restore(&kind("apps/v1", "Deployment"), &mut object), Ok(unknown));
    assert_eq!(object, json!({"spec": {"replicas": 2}}));
}

#[test]
fn values_become_what_go_writes() {
    let object = json!({"spec": {
        "hostNetwork": false, "nodeName": "", "securityContext": {}, "initContainers": [], "nodeSelector": {},
        "terminationGracePeriodSeconds": 0, "restartPolicy": null, "priority": 0,
        "volumes": [{"name": "e", "emptyDir": {"sizeLimit": "1024Mi"}}],
        "containers": [{
            "name": "a", "command": [], "args": ["x", null], "stdin": false, "ports": [{"containerPort": 80, "hostPort": 0}],
            "env": [{"name": "A", "value": ""}],
            "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x/y": "1000000k"}, "requests": {"cpu": "100u"}},
            "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 0},
        }],
    }, "status": {"startTime": "2024-01-01T01:00:00+01:00", "conditions": [{"type": "Ready", "lastProbeTime": null}]}});
    let expected = json!({"spec": {
        "securityContext": {}, "terminationGracePeriodSeconds": 0, "priority": 0,
        "volumes": [{"name": "e", "emptyDir": {"sizeLimit": "1Gi"}}],
        "containers": [{
            "name": "a", "args": ["x", ""], "ports": [{"containerPort": 80}], "env": [{"name": "A"}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi", "x/y": "1G"}, "requests": {"cpu": "1m"}},
            "livenessProbe": {"httpGet": {"port": "http"}},
        }],
    }, "status": {"startTime": "2024-01-01T00:00:00Z", "conditions": [{"type": "Ready"}]}});
    assert_eq!(conformed(POD, &object), Ok((expected, vec![])));
    let secret = json!({"data": {"a": "YQ\n==", "b": null}, "stringData": {"c": null}});
    let expected = json!({"data": {"a": "YQ==", "b": ""}, "stringData": {"c": ""}});
    assert_eq!(conformed(("v1", "Secret"), &secret), Ok((expected, vec![])));
}

#[test]
fn findings_are_bounded_and_fields_go_all_the_same() {
    let many: Map = (0..500).map(|number| (format!("x{number}"), json!(1))).collect();
    let mut object = Value::Object(many.clone());
    assert_eq!(conform(&kind("v1", "Pod"), &mut object).map(|unknown| unknown.len()), Ok(100));
    assert_eq!(object, json!({}));
    let mut object = Value::Object(many);
    assert_eq!(prune(&kind("v1", "Pod"), &mut object).len(), 100);
    assert_eq!(object, json!({}));
    let twice = format!("{{{}}}", vec!["\"a\":1"; 500].join(","));
    assert_eq!(parse_json(twice.as_bytes()).map(|(_, twice)| twice.len()), Ok(100));
}

#[test]
fn custom_resources_are_pruned_and_keep_wrong_types() {
    let text = || Field::new(Type::String);
    let of = |fields: Vec<(&str, Field)>, open| Struct {
        fields: fields
            .into_iter()
            .map(|(name, field)| (name.to_owned(), field))
            .collect::<std::collections::BTreeMap<_, _>>()
            .into(),
        open,
        ..Struct::default()
    };
    let struct_of = |fields, open| Field::new(Type::Struct(of(fields, open).into()));
    let list = Field::new(Type::List(struct_of(vec![("a", text())], false).into()));
    let spec =
        struct_of(vec![("list", list), ("free", struct_of(vec![("inner", struct_of(vec![], false))], true))], false);
    let kind = of(vec![("spec", spec), ("metadata", Field::new(Type::Any))], false);
    let mut object = json!({
        "z": 1, "metadata": {"x": 1.0}, "spec": {
            "list": [{"a": 5, "b": 1}, "text"], "free": {"any": [2.0, 2.5], "inner": {"gone": 1}}, "c": null,
        },
    });
    let unknown = ["spec.c", "spec.free.inner.gone", "spec.list[0].b", "z"];
    assert_eq!(prune(&kind, &mut object), unknown.map(|path| format!("unknown field \"{path}\"")));
    let expected =
        json!({"metadata": {"x": 1}, "spec": {"list": [{"a": 5}, "text"], "free": {"any": [2, 2.5], "inner": {}}}});
    assert_eq!(object, expected);
}

#[test]
fn findings_are_told_together() {
    let twice = ["dat.x", "data.a", "dat", "data.a"].map(|path| format!("duplicate field \"{path}\"")).to_vec();
    let unknown = ["metadata.nope", "dat"].map(|path| format!("unknown field \"{path}\"")).to_vec();
    let told = findings(twice, unknown);
    let text = r#"duplicate field "data.a", unknown field "metadata.nope", unknown field "dat""#;
    assert_eq!(strict(&told), format!("strict decoding error: {text}"));
    let many = (0..200).map(|number| format!("unknown field \"a{number}\"")).collect();
    assert_eq!(findings(vec![], many).len(), 100);
}

#[test]
fn whole_texts_of_refusals() {
    let error = parse_json(b"{not json").expect_err("it is none");
    assert_eq!(
        unrecognized("ConfigMap", &error, b"{not json"),
        "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: \
         invalid character 'n' looking for beginning of object key string ({not json)"
    );
    assert!(unrecognized("Pod", "x", b"").ends_with("x (<empty>)"));
    assert!(unrecognized("Pod", "x", b"hello").ends_with("x (68656c6c6f)"));
    assert!(unrecognized("Pod", "x", &[b'{'; 31]).ends_with(&format!("x ({} ...)", "{".repeat(30))));
    assert_eq!(
        cannot_be_handled("apps/v1", "Deployment", "Deployment", "x"),
        "Deployment in version \"v1\" cannot be handled as a Deployment: x"
    );
    assert_eq!(type_meta(&json!({"kind": "A", "apiVersion": null})), Ok(("", "A")));
    assert_eq!(
        type_meta(&json!({"kind": 1})),
        Err("json: cannot unmarshal number into Go struct field .kind of type string".to_owned())
    );
    assert!(type_meta(&json!([])).is_err());
}

/// Any JSON, with names that kinds have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9=.:-]{0,6}".prop_map(Value::from),
        Just(json!("2024-01-01T00:00:00Z")),
        Just(json!("1.5Gi")),
    ];
    let names = prop_oneof![
        Just("spec"),
        Just("metadata"),
        Just("template"),
        Just("containers"),
        Just("name"),
        Just("resources"),
        Just("limits"),
        Just("ports"),
        Just("env"),
        Just("status"),
        Just("conditions"),
        Just("replicas"),
        Just("data"),
        Just("labels"),
        Just("creationTimestamp"),
        Just("selector"),
        Just("volumes"),
        Just("emptyDir"),
        Just("nope"),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((names.clone().prop_map(str::to_owned), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn conforming_twice_is_conforming_once(mut object in any_json(), index in 0..200_usize) {
        let kinds: Vec<_> = builtin().kinds().collect();
        let (_, _, kind) = kinds[index % kinds.len()];
        if conform(kind, &mut object).is_ok() {
            let once = object.clone();
            prop_assert_eq!(conform(kind, &mut object), Ok(vec![]));
            prop_assert_eq!(&object, &once);
        }
        prune(kind, &mut object);
    }
}
