//! Rows of what bounds and ranks pods: autoscalers, the scale subresource, budgets, priority and runtime classes.

use serde_json::Value;

use super::{Cell, created, name, printed};
use crate::cluster::object::{at, flag, int, list, text};

/// Metrics that are shown before the rest is only counted.
const SHOWN: usize = 2;
const UNKNOWN: &str = "<unknown>";

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    let count = |path: &[&str]| Cell::from(int(object, path).unwrap_or(0));
    Some(match kind {
        "HorizontalPodAutoscaler" => vec![
            name(object),
            target_reference(object).into(),
            targets(object).into(),
            int(object, &["spec", "minReplicas"]).map_or("<unset>".to_owned(), |least| least.to_string()).into(),
            count(&["spec", "maxReplicas"]),
            count(&["status", "currentReplicas"]),
            created(object),
        ],
        "Scale" => {
            vec![name(object), count(&["spec", "replicas"]), count(&["status", "replicas"]), created(object)]
        }
        "PodDisruptionBudget" => vec![
            name(object),
            number_or_percentage(object, "minAvailable").into(),
            number_or_percentage(object, "maxUnavailable").into(),
            count(&["status", "disruptionsAllowed"]),
            created(object),
        ],
        "PriorityClass" => vec![
            name(object),
            count(&["value"]),
            flag(object, &["globalDefault"]).into(),
            created(object),
            text(object, &["preemptionPolicy"]).into(),
        ],
        "RuntimeClass" => vec![name(object), text(object, &["handler"]).into(), created(object)],
        _ => return None,
    })
}

fn number_or_percentage(budget: &Value, member: &str) -> String {
    at(budget, &["spec", member]).filter(|value| !value.is_null()).map_or("N/A".to_owned(), printed)
}

fn target_reference(autoscaler: &Value) -> String {
    let part = |member| text(autoscaler, &["spec", "scaleTargetRef", member]);
    format!("{}/{}", part("kind"), part("name"))
}

fn targets(autoscaler: &Value) -> String {
    let metrics = list(autoscaler, &["spec", "metrics"]);
    if metrics.is_empty() {
        return cpu_target(autoscaler);
    }
    let current = list(autoscaler, &["status", "currentMetrics"]);
    let shown = metrics.iter().enumerate().take(SHOWN).map(|(index, metric)| one_target(metric, current.get(index)));
    let shown: Vec<_> = shown.collect();
    let shown = shown.join(", ");
    if metrics.len() > SHOWN { format!("{shown} + {} more...", metrics.len() - SHOWN) } else { shown }
}

/// What an autoscaler in the old form, autoscaling/v1, aims at.
fn cpu_target(autoscaler: &Value) -> String {
    let Some(target) = int(autoscaler, &["spec", "targetCPUUtilizationPercentage"]) else {
        return "<none>".to_owned();
    };
    let current = int(autoscaler, &["status", "currentCPUUtilizationPercentage"]);
    format!("cpu: {}/{target}%", current.map_or(UNKNOWN.to_owned(), |current| format!("{current}%")))
}

fn one_target(metric: &Value, status: Option<&Value>) -> String {
    let (member, named) = match text(metric, &["type"]) {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".to_owned(),
    };
    let target = |value| at(metric, &[member, "target", value]).filter(|value| !value.is_null());
    let current = |value| {
        let current = status.and_then(|status| at(status, &[member, "current", value]));
        current.filter(|value| !value.is_null()).map(printed)
    };
    let percent = |value: Option<String>, otherwise: &str| value.map_or(otherwise.to_owned(), |value| value + "%");
    let prefix = if named { format!("{}: ", text(metric, &[member, "name"])) } else { String::new() };
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    match (target("averageValue"), member) {
        (Some(average), "external" | "object") => {
            format!("{}/{} (avg)", or_unknown(current("averageValue")), printed(average))
        }
        (Some(average), _) => format!("{prefix}{}/{}", or_unknown(current("averageValue")), printed(average)),
        (None, _) if named => {
            let aim = percent(target("averageUtilization").map(printed), "<auto>");
            format!("{prefix}{}/{aim}", percent(current("averageUtilization"), UNKNOWN))
        }
        (None, _) => {
            format!("{}/{}", or_unknown(current("value")), target("value").map_or("0".to_owned(), printed))
        }
    }
}
