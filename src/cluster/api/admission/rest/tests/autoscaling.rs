//! Autoscalers: defaults, validation, and both forms.

use super::super::autoscaling::{to_v1, to_v2};
use super::*;
use proptest::prelude::*;

const NAME: &str = "HorizontalPodAutoscaler.autoscaling";

fn cpu(percent: i64) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}})
}

fn target() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})
}

#[test]
fn autoscalers_are_completed() {
    let given = json!({"apiVersion": "autoscaling/v2", "spec": {"scaleTargetRef": target(), "maxReplicas": 3, "behavior": {
        "scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]},
    }}});
    let up = json!({
        "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
    });
    let down = json!({"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}], "selectPolicy": "Max"});
    assert_eq!(
        stored(NAME, given),
        json!({
            "apiVersion": "autoscaling/v2",
            "spec": {
                "scaleTargetRef": target(), "maxReplicas": 3, "behavior": {"scaleDown": down, "scaleUp": up},
                "minReplicas": 1, "metrics": [cpu(80)],
            },
            "status": {"currentMetrics": null, "desiredReplicas": 0},
        })
    );
}

#[test]
fn the_old_form_becomes_the_new_one() {
    let old = json!({
        "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v1", "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target(), "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70},
        "status": {"currentReplicas": 0, "desiredReplicas": 0},
    });
    let new = json!({
        "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target(), "minReplicas": 1, "maxReplicas": 3, "metrics": [cpu(70)]},
        "status": {"desiredReplicas": 0, "currentMetrics": null},
    });
    assert_eq!(to_v2(old.clone()), new);
    assert_eq!(to_v1(new), old);
    let bare = json!({"apiVersion": "autoscaling/v1", "spec": {"maxReplicas": 3}});
    assert_eq!(to_v2(bare)["spec"]["metrics"], json!([cpu(80)]));
}

#[test]
fn what_the_old_form_lacks_is_annotated() {
    let memory = json!({"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi", "type": "AverageValue"}}});
    let mut new = json!({
        "apiVersion": "autoscaling/v2",
        "spec": {"maxReplicas": 3, "metrics": [cpu(70), memory], "behavior": {"scaleUp": {"selectPolicy": "Min"}}},
        "status": {"desiredReplicas": 1, "currentReplicas": 1, "conditions": [{"type": "AbleToScale", "status": "True"}]},
    });
    let old = to_v1(new.clone());
    let annotation =
        |name: &str| old["metadata"]["annotations"][format!("autoscaling.alpha.kubernetes.io/{name}")].clone();
    assert_eq!(old["spec"], json!({"maxReplicas": 3, "targetCPUUtilizationPercentage": 70}));
    assert_eq!(
        annotation("metrics"),
        r#"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]"#
    );
    assert_eq!(annotation("behavior"), r#"{"scaleUp":{"selectPolicy":"Min"}}"#);
    assert_eq!(annotation("conditions"), r#"[{"type":"AbleToScale","status":"True"}]"#);
    new["metadata"] = json!({});
    new["status"]["currentMetrics"] = Value::Null;
    assert_eq!(to_v2(old), new);
}

#[test]
fn autoscalers_are_checked() {
    let spec = |spec: Value| json!({"apiVersion": "autoscaling/v2", "spec": spec});
    let cases = [
        (
            json!({"scaleTargetRef": target(), "minReplicas": 5, "maxReplicas": 3}),
            vec!["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
        ),
        (
            json!({"scaleTargetRef": target(), "minReplicas": 0, "maxReplicas": 0}),
            vec![
                "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
                "spec.maxReplicas: Invalid value: 0: must be greater than 0",
            ],
        ),
        (
            json!({"maxReplicas": 1}),
            vec!["spec.scaleTargetRef.kind: Required value", "spec.scaleTargetRef.name: Required value"],
        ),
        (
            json!({"scaleTargetRef": target(), "maxReplicas": 1, "metrics": [{"type": "Resource"}]}),
            vec!["spec.metrics[0].resource: Required value: must populate information for the given metric source"],
        ),
        (
            json!({"scaleTargetRef": target(), "maxReplicas": 1, "metrics": [{"type": "Odd"}]}),
            vec![
                "spec.metrics[0].type: Unsupported value: \"Odd\": supported values: \"ContainerResource\", \"External\", \
             \"Object\", \"Pods\", \"Resource\"",
            ],
        ),
        (
            json!({"scaleTargetRef": target(), "maxReplicas": 1, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": ""}, "target": {"type": "AverageValue", "averageValue": "0"}}},
            ]}),
            vec![
                "spec.metrics[0].pods.metric.name: Required value: must specify a metric name",
                "spec.metrics[0].pods.target.averageValue: Invalid value: \"0\": must be positive",
                "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue",
            ],
        ),
        (
            json!({"scaleTargetRef": target(), "maxReplicas": 1, "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 3601, "selectPolicy": "Odd", "policies": []},
            }}),
            vec![
                "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
                "spec.behavior.scaleUp.selectPolicy: Unsupported value: \"Odd\": supported values: \"Disabled\", \"Max\", \
                 \"Min\"",
                "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
            ],
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(refused(NAME, spec(given)), expected);
    }
    let scale = json!({"spec": {"replicas": -4}});
    assert_eq!(
        refused("Scale.autoscaling", scale),
        ["spec.replicas: Invalid value: -4: must be greater than or equal to 0"]
    );
}

fn metric() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![
        (1..100_i64).prop_map(|value| json!({"type": "AverageValue", "averageValue": value.to_string()})),
        (1..100_i64).prop_map(|value| json!({"type": "Value", "value": value.to_string()})),
    ];
    prop_oneof![
        (1..100_i64).prop_map(cpu),
        (1..100_i64, "[a-b]").prop_map(
            |(percent, container)| json!({"type": "ContainerResource", "containerResource": {
                "name": "cpu", "container": container, "target": {"type": "Utilization", "averageUtilization": percent},
            }})
        ),
        amount.clone().prop_map(|target| json!({"type": "External", "external": {
            "metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}}, "target": target,
        }})),
        amount.clone().prop_map(|target| json!({"type": "Object", "object": {
            "describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "q"}, "target": target,
        }})),
        amount.prop_map(|target| json!({"type": "Pods", "pods": {"metric": {"name": "q"}, "target": target}})),
    ]
}

proptest! {
    #[test]
    fn both_forms_say_the_same(others in proptest::collection::vec(metric(), 0..5), percent in 1..100_i64) {
        // of several for the processor the old form keeps one, in front
        let mut metrics = vec![cpu(percent)];
        metrics.extend(others.into_iter().filter(|metric| metric["type"] != "Resource"));
        let new = json!({
            "apiVersion": "autoscaling/v2", "spec": {"maxReplicas": 1, "metrics": metrics},
            "metadata": {"annotations": {"a": "b"}},
        });
        prop_assert_eq!(to_v2(to_v1(new.clone())), new);
    }
}
