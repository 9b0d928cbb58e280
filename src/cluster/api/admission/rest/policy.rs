//! PodDisruptionBudget, Eviction.

use serde_json::{Value, json};

use super::check::Check;
use super::kind::{Blank, Generation, Kind, Status};
use crate::cluster::api::admission::names;
use crate::cluster::object::at;

const GROUP: &str = "policy";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: GROUP,
        kind: "PodDisruptionBudget",
        generation: Generation::Member("spec"),
        status: Status::Separate,
        versioned: true,
        always: &[
            (&["spec"], Blank::Object),
            (&["status", "disruptionsAllowed"], Blank::Zero),
            (&["status", "currentHealthy"], Blank::Zero),
            (&["status", "desiredHealthy"], Blank::Zero),
            (&["status", "expectedPods"], Blank::Zero),
        ],
        validate: |check, new, old| {
            check.budget(new);
            // names are judged afterwards, and leniently
            if check.errors.is_empty() {
                match old {
                    None => check.new_metadata_named(new, names::segment_names),
                    Some(old) => check.changed_metadata(new, old),
                }
            } else if let Some(old) = old {
                check.changed_metadata(new, old);
            }
        },
        ..Kind::NAMESPACED
    },
    Kind { group: GROUP, kind: "Eviction", validate: |_, _, _| {}, ..Kind::NAMESPACED },
];

impl Check<'_> {
    fn budget(&mut self, budget: &Value) {
        let there = |member| at(budget, &["spec", member]).filter(|value| !value.is_null());
        let (least, most) = (there("minAvailable"), there("maxUnavailable"));
        if least.is_some() && most.is_some() {
            // the server shows the spec under the names of its own types
            let shown = json!({
                "MinAvailable": least, "Selector": there("selector"), "MaxUnavailable": most,
                "UnhealthyPodEvictionPolicy": there("unhealthyPodEvictionPolicy"),
            });
            self.invalid("spec", shown, "minAvailable and maxUnavailable are mutually exclusive");
        }
        for (member, value) in [("minAvailable", least), ("maxUnavailable", most)] {
            if let Some(value) = value {
                self.count_or_percent(&format!("spec.{member}"), value);
            }
        }
        if let Some(policy) = there("unhealthyPodEvictionPolicy").and_then(Value::as_str) {
            self.one_of("spec.unhealthyPodEvictionPolicy", policy, &["AlwaysAllow", "IfHealthyBudget"]);
        }
        self.selector("spec.selector", there("selector"));
    }

    fn count_or_percent(&mut self, field: &str, value: &Value) {
        let Some(percent) = value.as_str() else {
            self.not_negative(field, value.as_i64());
            return;
        };
        let number = percent.strip_suffix('%').filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        match number.filter(|number| !number.is_empty()) {
            None => {
                let hint = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
                    '93%', regex used for validation is '[0-9]+%')";
                self.invalid(field, percent, hint);
            }
            Some(number) if number.parse::<u32>().is_ok_and(|number| number > 100) || number.len() > 9 => {
                self.invalid(field, percent, "must not be greater than 100%");
            }
            Some(_) => {}
        }
    }
}
