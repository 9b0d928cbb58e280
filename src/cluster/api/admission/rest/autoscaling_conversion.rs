//! HorizontalPodAutoscaler: v1 as v2 and back. What v1 has no member for, it keeps as JSON in annotations.

use serde_json::{Value, json};

use crate::cluster::object::{self, Map, at, entry, int, set, text};

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

/// What v1 says of processor time: by its own member, and the member of the status.
const CPU: &str = "targetCPUUtilizationPercentage";
const CURRENT_CPU: &str = "currentCPUUtilizationPercentage";

/// An autoscaler as autoscaling/v1 has it.
pub fn to_v1(mut autoscaler: Value) -> Value {
    if text(&autoscaler, &["apiVersion"]) == "autoscaling/v1" {
        return autoscaler;
    }
    set(&mut autoscaler, &["apiVersion"], "autoscaling/v1");
    let lists =
        [("spec", "metrics", "target", CPU, METRICS), ("status", "currentMetrics", "current", CURRENT_CPU, CURRENT)];
    for (part, member, value, cpu, annotation) in lists {
        let metrics = take_list(&mut autoscaler, &[part, member]);
        let (of_cpu, others): (Vec<_>, Vec<_>) = metrics.into_iter().partition(|metric| is_cpu(metric, value));
        if let Some(percent) = of_cpu.first().and_then(|metric| int(metric, &["resource", value, "averageUtilization"]))
        {
            set(&mut autoscaler, &[part, cpu], percent);
        }
        annotate(&mut autoscaler, annotation, others.iter().map(|metric| flat(metric, value)).collect::<Vec<_>>());
    }
    let conditions = take_list(&mut autoscaler, &["status", "conditions"]);
    annotate(&mut autoscaler, CONDITIONS, conditions);
    if let Some(behavior) = object::remove(&mut autoscaler, &["spec", "behavior"]).filter(Value::is_object) {
        set(&mut autoscaler, &["metadata", "annotations", BEHAVIOR], behavior.to_string());
    }
    if at(&autoscaler, &["status"]).is_some() {
        object::set_default(&mut autoscaler, &["status", "currentReplicas"], 0);
        object::set_default(&mut autoscaler, &["status", "desiredReplicas"], 0);
    }
    autoscaler
}

/// An autoscaler as autoscaling/v2 has it.
pub fn to_v2(mut autoscaler: Value) -> Value {
    if text(&autoscaler, &["apiVersion"]) == "autoscaling/v2" {
        return autoscaler;
    }
    set(&mut autoscaler, &["apiVersion"], "autoscaling/v2");
    let cpu = object::remove(&mut autoscaler, &["spec", CPU]);
    let noted = annotated(&mut autoscaler, METRICS);
    let mut metrics: Vec<Value> = cpu.into_iter().map(|percent| of_cpu("target", percent)).collect();
    match noted {
        Some(noted) => metrics.extend(noted.iter().map(|metric| nested(metric, "target"))),
        None if metrics.is_empty() => metrics.push(of_cpu("target", json!(80))),
        None => {}
    }
    *entry(&mut autoscaler, &["spec", "metrics"]) = metrics.into();
    if let Some(behavior) = take_annotation(&mut autoscaler, BEHAVIOR).filter(Value::is_object) {
        *entry(&mut autoscaler, &["spec", "behavior"]) = behavior;
    }
    let cpu = object::remove(&mut autoscaler, &["status", CURRENT_CPU]);
    let noted = annotated(&mut autoscaler, CURRENT);
    let mut current: Vec<Value> = cpu.into_iter().map(|percent| of_cpu("current", percent)).collect();
    current.extend(noted.iter().flatten().map(|metric| nested(metric, "current")));
    if let Some(conditions) = annotated(&mut autoscaler, CONDITIONS) {
        *entry(&mut autoscaler, &["status", "conditions"]) = conditions.into();
    }
    if at(&autoscaler, &["status"]).is_some() || !current.is_empty() {
        // without metrics v2 says null
        let current = if current.is_empty() { Value::Null } else { current.into() };
        *entry(&mut autoscaler, &["status", "currentMetrics"]) = current;
        if int(&autoscaler, &["status", "currentReplicas"]) == Some(0) {
            object::remove(&mut autoscaler, &["status", "currentReplicas"]);
        }
        object::set_default(&mut autoscaler, &["status", "desiredReplicas"], 0);
    }
    autoscaler
}

fn take_list(object: &mut Value, path: &[&str]) -> Vec<Value> {
    match object::remove(object, path) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn annotate(autoscaler: &mut Value, name: &str, values: Vec<Value>) {
    if !values.is_empty() {
        set(autoscaler, &["metadata", "annotations", name], Value::from(values).to_string());
    }
}

/// Takes an annotation away, and gives back what its JSON says.
fn take_annotation(autoscaler: &mut Value, name: &str) -> Option<Value> {
    let value = object::remove(autoscaler, &["metadata", "annotations", name])?;
    if at(autoscaler, &["metadata", "annotations"]).and_then(Value::as_object).is_some_and(Map::is_empty) {
        object::remove(autoscaler, &["metadata", "annotations"]);
    }
    serde_json::from_str(value.as_str()?).ok()
}

fn annotated(autoscaler: &mut Value, name: &str) -> Option<Vec<Value>> {
    match take_annotation(autoscaler, name)? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn is_cpu(metric: &Value, value: &str) -> bool {
    let utilization = at(metric, &["resource", value, "averageUtilization"]);
    text(metric, &["type"]) == "Resource" && text(metric, &["resource", "name"]) == "cpu" && utilization.is_some()
}

fn of_cpu(value: &str, percent: Value) -> Value {
    let mut amount = json!({"averageUtilization": percent});
    if value == "target" {
        amount = json!({"type": "Utilization", "averageUtilization": amount["averageUtilization"]});
    }
    json!({"type": "Resource", "resource": {"name": "cpu", value: amount}})
}

/// The sources of metrics, by the member that holds them.
const SOURCES: [&str; 5] = ["object", "external", "pods", "containerResource", "resource"];
/// Members of a source: where v2 has each, and what the old form calls it.
const MEMBERS: [(&str, &[&str], &str); 10] = [
    ("object", &["describedObject"], "target"),
    ("object", &["metric", "name"], "metricName"),
    ("object", &["metric", "selector"], "selector"),
    ("external", &["metric", "name"], "metricName"),
    ("external", &["metric", "selector"], "metricSelector"),
    ("pods", &["metric", "name"], "metricName"),
    ("pods", &["metric", "selector"], "selector"),
    ("resource", &["name"], "name"),
    ("containerResource", &["name"], "name"),
    ("containerResource", &["container"], "container"),
];

/// The amounts of a target or of what is measured: as v2 names them, and the old form.
fn amounts(source: &str, value: &str) -> [(&'static str, String); 3] {
    let average = match source {
        "object" => "averageValue".to_owned(),
        _ => format!("{value}AverageValue"),
    };
    [
        ("value", format!("{value}Value")),
        ("averageValue", average),
        ("averageUtilization", format!("{value}AverageUtilization")),
    ]
}

/// A metric in the old, flat form.
fn flat(metric: &Value, value: &str) -> Value {
    let mut result = json!({"type": text(metric, &["type"])});
    for source in SOURCES {
        let Some(content) = at(metric, &[source]) else { continue };
        let mut old = Value::Object(Map::new());
        for (_, path, name) in MEMBERS.iter().filter(|(known, ..)| *known == source) {
            if let Some(member) = at(content, path) {
                set(&mut old, &[name], member.clone());
            }
        }
        for (member, name) in amounts(source, value) {
            if let Some(amount) = at(content, &[value, member]) {
                set(&mut old, &[&name], amount.clone());
            }
        }
        set(&mut result, &[source], old);
    }
    result
}

/// A metric of the old, flat form as v2 has it.
fn nested(metric: &Value, value: &str) -> Value {
    let mut result = json!({"type": text(metric, &["type"])});
    for source in SOURCES {
        let Some(content) = at(metric, &[source]) else { continue };
        let mut new = Value::Object(Map::new());
        for (_, path, name) in MEMBERS.iter().filter(|(known, ..)| *known == source) {
            if let Some(member) = at(content, &[name]) {
                set(&mut new, path, member.clone());
            }
        }
        let mut kind = "";
        for (member, name) in amounts(source, value) {
            if let Some(amount) = at(content, &[&name]) {
                set(&mut new, &[value, member], amount.clone());
                kind = match member {
                    "averageUtilization" => "Utilization",
                    "averageValue" => "AverageValue",
                    _ => "Value",
                };
            }
        }
        if value == "target" && !kind.is_empty() {
            set(&mut new, &[value, "type"], kind);
        }
        set(&mut result, &[source], new);
    }
    result
}
