//! HorizontalPodAutoscaler in its v2 form, Scale.

use serde_json::{Value, json};

use super::check::{Check, NOT_NEGATIVE, POSITIVE};
use super::kind::{Blank, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::{at, entry, int, list, set_default, text};
use crate::cluster::quantity::Quantity;

pub use super::autoscaling_conversion::{to_v1, to_v2};

const GROUP: &str = "autoscaling";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        kind: "HorizontalPodAutoscaler",
        status: Status::Separate,
        defaults,
        create: blank_status,
        update: |autoscaler, _| blank_status(autoscaler),
        validate: |check, new, old| {
            check.metadata(new, old);
            let converted;
            let new = match is_v1(new) {
                true => {
                    converted = to_v2(new.clone());
                    &converted
                }
                false => new,
            };
            check.autoscaler(new);
        },
        ..Kind::NAMESPACED
    },
    Kind {
        group: GROUP,
        kind: "Scale",
        always: &[(&["spec"], Blank::Object), (&["status", "replicas"], Blank::Zero)],
        validate: |check, scale, _| {
            check.new_metadata(scale);
            check.not_negative("spec.replicas", int(scale, &["spec", "replicas"]));
        },
        ..Kind::NAMESPACED
    },
];

fn is_v1(autoscaler: &Value) -> bool {
    text(autoscaler, &["apiVersion"]) == "autoscaling/v1"
}

/// Writes the members of a status that each form always has.
fn blank_status(autoscaler: &mut Value) {
    if is_v1(autoscaler) {
        set_default(autoscaler, &["status", "currentReplicas"], 0);
    } else {
        entry(autoscaler, &["status", "currentMetrics"]);
    }
    set_default(autoscaler, &["status", "desiredReplicas"], 0);
}

fn defaults(autoscaler: &mut Value) {
    set_default(autoscaler, &["spec", "minReplicas"], 1);
    set_default(autoscaler, &["spec", "maxReplicas"], 0);
    blank_status(autoscaler);
    if is_v1(autoscaler) {
        return;
    }
    if list(autoscaler, &["spec", "metrics"]).is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        *entry(autoscaler, &["spec", "metrics"]) = json!([cpu]);
    }
    if at(autoscaler, &["spec", "behavior"]).is_some_and(Value::is_object) {
        let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
        let behavior = entry(autoscaler, &["spec", "behavior"]);
        set_default(behavior, &["scaleUp", "stabilizationWindowSeconds"], 0);
        for (direction, policies) in [("scaleUp", json!([pods, percent])), ("scaleDown", json!([percent]))] {
            set_default(behavior, &[direction, "selectPolicy"], "Max");
            set_default(behavior, &[direction, "policies"], policies);
        }
    }
}

/// Where each kind of metric keeps what it says.
const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];
/// How long a window and a period may be, in seconds.
const LONGEST_WINDOW: i64 = 3600;
const LONGEST_PERIOD: i64 = 1800;

impl Check<'_> {
    fn autoscaler(&mut self, autoscaler: &Value) {
        let least = int(autoscaler, &["spec", "minReplicas"]);
        let most = int(autoscaler, &["spec", "maxReplicas"]).unwrap_or(0);
        if let Some(least) = least.filter(|least| *least < 1) {
            self.invalid("spec.minReplicas", least, "must be greater than or equal to 1");
        }
        if most < 1 {
            self.invalid("spec.maxReplicas", most, "must be greater than 0");
        }
        if least.is_some_and(|least| most < least) {
            self.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`");
        }
        self.target_reference("spec.scaleTargetRef", at(autoscaler, &["spec", "scaleTargetRef"]));
        self.items(autoscaler, &["spec", "metrics"], Self::metric);
        for direction in ["scaleUp", "scaleDown"] {
            if let Some(rules) = at(autoscaler, &["spec", "behavior", direction]).filter(|rules| !rules.is_null()) {
                self.scaling_rules(&format!("spec.behavior.{direction}"), rules);
            }
        }
    }

    fn target_reference(&mut self, field: &str, reference: Option<&Value>) {
        for member in ["kind", "name"] {
            let value = reference.map_or("", |reference| text(reference, &[member]));
            self.required_name(&format!("{field}.{member}"), value, names::path_segment);
        }
    }

    fn metric(&mut self, field: &str, metric: &Value) {
        let kind = text(metric, &["type"]);
        let kinds = METRICS.map(|(kind, _)| kind);
        if kind.is_empty() {
            self.required(format!("{field}.type"), "must specify a metric source type");
        }
        self.one_of(&format!("{field}.type"), kind, &kinds);
        let there = |member: &str| at(metric, &[member]).filter(|source| !source.is_null());
        let sources = ["object", "external", "pods", "containerResource", "resource"];
        let found: Vec<&str> = sources.into_iter().filter(|member| there(member).is_some()).collect();
        if let Some(first) = found.first()
            && let Some(source) = there(first)
        {
            self.metric_source(&format!("{field}.{first}"), first, source);
        }
        let expected = METRICS.iter().find(|(known, _)| *known == kind).map_or("", |(_, member)| member);
        if !expected.is_empty() && !found.contains(&expected) {
            let hint = "must populate information for the given metric source";
            self.required(format!("{field}.{expected}"), hint);
        }
        if found.len() != 1 {
            for other in found.into_iter().filter(|member| *member != expected) {
                self.forbidden(format!("{field}.{other}"), "must populate the given metric source only");
            }
        }
    }

    fn metric_source(&mut self, field: &str, kind: &str, source: &Value) {
        match kind {
            "resource" | "containerResource" => {
                if text(source, &["name"]).is_empty() {
                    self.required(format!("{field}.name"), "must specify a resource name");
                }
                if kind == "containerResource" && text(source, &["container"]).is_empty() {
                    self.required(format!("{field}.container"), "must specify a container");
                }
            }
            _ => {
                if kind == "object" {
                    self.target_reference(&format!("{field}.describedObject"), at(source, &["describedObject"]));
                }
                let name = text(source, &["metric", "name"]);
                let name_field = format!("{field}.metric.name");
                if name.is_empty() {
                    self.required(name_field, "must specify a metric name");
                } else {
                    self.sentences(&name_field, name, names::path_segment(name));
                }
            }
        }
        let field = format!("{field}.target");
        self.metric_target(&field, at(source, &["target"]).unwrap_or(&Value::Null));
        self.target_choice(&field, kind, source);
    }

    /// Which of the forms of a target a source has to have.
    fn target_choice(&mut self, field: &str, kind: &str, source: &Value) {
        let there = |member| at(source, &["target", member]).is_some_and(|value| !value.is_null());
        let average = at(source, &["target", "averageValue"]).and_then(Quantity::read);
        let missing = match kind {
            "object" if !there("value") && !there("averageValue") => {
                ("averageValue", "must set either a target value or averageValue")
            }
            "external" if !there("value") && !there("averageValue") => {
                ("averageValue", "must set either a target value for metric or a per-pod target")
            }
            "pods" if !average.is_some_and(|amount| amount.sign().is_gt()) => {
                ("averageValue", "must specify a positive target averageValue")
            }
            "resource" | "containerResource" if !there("averageUtilization") && !there("averageValue") => {
                ("averageUtilization", "must set either a target raw value or a target utilization")
            }
            _ => ("", ""),
        };
        if !missing.0.is_empty() {
            self.required(format!("{field}.{}", missing.0), missing.1);
        }
        if kind == "external" && there("value") && there("averageValue") {
            let hint = "may not set both a target value for metric and a per-pod target";
            self.forbidden(format!("{field}.value"), hint);
        }
        if kind.to_lowercase().ends_with("resource") && there("averageUtilization") && there("averageValue") {
            let hint = "may not set both a target raw value and a target utilization";
            self.forbidden(format!("{field}.averageValue"), hint);
        }
    }

    fn metric_target(&mut self, field: &str, target: &Value) {
        let kind = text(target, &["type"]);
        if kind.is_empty() {
            self.required(format!("{field}.type"), "must specify a metric target type");
        }
        if !["Utilization", "Value", "AverageValue"].contains(&kind) {
            self.invalid(format!("{field}.type"), kind, "must be either Utilization, Value, or AverageValue");
        }
        for member in ["value", "averageValue"] {
            let amount = at(target, &[member]).and_then(Quantity::read).filter(|amount| !amount.sign().is_gt());
            if let Some(amount) = amount {
                self.invalid(format!("{field}.{member}"), amount, "must be positive");
            }
        }
        if let Some(percent) = int(target, &["averageUtilization"]).filter(|percent| *percent < 1) {
            self.invalid(format!("{field}.averageUtilization"), percent, "must be greater than 0");
        }
    }

    fn scaling_rules(&mut self, field: &str, rules: &Value) {
        let window = format!("{field}.stabilizationWindowSeconds");
        match int(rules, &["stabilizationWindowSeconds"]) {
            Some(seconds) if seconds < 0 => {
                self.invalid(window, seconds, "must be greater than or equal to zero");
            }
            Some(seconds) if seconds > LONGEST_WINDOW => {
                self.invalid(window, seconds, format!("must be less than or equal to {LONGEST_WINDOW}"));
            }
            _ => {}
        }
        if let Some(policy) = at(rules, &["selectPolicy"]).and_then(Value::as_str) {
            self.one_of(&format!("{field}.selectPolicy"), policy, &["Disabled", "Max", "Min"]);
        }
        let policies = list(rules, &["policies"]);
        if policies.is_empty() {
            self.required(format!("{field}.policies"), "must specify at least one Policy");
        }
        for (index, policy) in policies.iter().enumerate() {
            let field = format!("{field}.policies[{index}]");
            self.one_of(&format!("{field}.type"), text(policy, &["type"]), &["Percent", "Pods"]);
            for member in ["value", "periodSeconds"] {
                let number = int(policy, &[member]).unwrap_or(0);
                if number <= 0 {
                    self.invalid(format!("{field}.{member}"), number, POSITIVE);
                }
            }
            if let Some(seconds) = int(policy, &["periodSeconds"]).filter(|seconds| *seconds > LONGEST_PERIOD) {
                let hint = format!("must be less than or equal to {LONGEST_PERIOD}");
                self.invalid(format!("{field}.periodSeconds"), seconds, hint);
            }
        }
        if let Some(tolerance) =
            at(rules, &["tolerance"]).and_then(Quantity::read).filter(|amount| amount.sign().is_lt())
        {
            self.invalid(format!("{field}.tolerance"), tolerance, NOT_NEGATIVE);
        }
    }
}
