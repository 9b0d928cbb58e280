//! Spread, tolerations, gates: what else the scheduler reads of a pod.

use std::collections::HashSet;

use serde_json::Value;

use super::super::check::{Errors, NOT_POSITIVE, one_of_if_set};
use super::super::read::Read;
use super::super::selector;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

/// Checks `topologySpreadConstraints`.
pub(super) fn spread(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("topologySpreadConstraints");
    let constraints = spec.items("topologySpreadConstraints");
    let pair = |constraint: &Value| {
        (constraint.text("topologyKey").to_owned(), constraint.text("whenUnsatisfiable").to_owned())
    };
    for (index, constraint) in constraints.iter().enumerate() {
        let at = at.index(index);
        let (topology, action) = pair(constraint);
        let skew = constraint.int("maxSkew").unwrap_or(0);
        if skew <= 0 {
            errors.push(FieldError::invalid(at.child("maxSkew"), skew, NOT_POSITIVE));
        }
        if topology.is_empty() {
            errors.push(FieldError::required(at.child("topologyKey"), "can not be empty"));
        }
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action.as_str()) {
            errors.push(FieldError::not_supported(at.child("whenUnsatisfiable"), action.as_str(), &actions));
        }
        let rest = constraints.get(index + 1..).unwrap_or_default();
        if rest.iter().any(|other| pair(other) == (topology.clone(), action.clone())) {
            let shown = format!("{{{topology}, {action}}}");
            errors.push(FieldError::duplicate(at.child("{topologyKey, whenUnsatisfiable}"), shown));
        }
        min_domains(constraint, &action, &at.child("minDomains"), errors);
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of_if_set(constraint, policy, &["Honor", "Ignore"], &at, errors);
        }
        spread_keys(constraint, &at.child("matchLabelKeys"), errors);
        selector::validate(constraint.part("labelSelector"), &at.child("labelSelector"), errors);
    }
}

fn min_domains(constraint: &Value, action: &str, at: &Path<'_>, errors: &mut Errors) {
    let Some(least) = constraint.int("minDomains") else { return };
    if least <= 0 {
        errors.push(FieldError::invalid(at, least, NOT_POSITIVE));
    }
    if action != "DoNotSchedule" {
        let hint = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.push(FieldError::invalid(at, least, hint));
    }
}

/// The server puts these keys into the selector itself; then a key is there once more than it may be.
fn spread_keys(constraint: &Value, at: &Path<'_>, errors: &mut Errors) {
    if constraint.items("matchLabelKeys").is_empty() {
        return;
    }
    let selector = constraint.part("labelSelector");
    if selector.is_none() {
        errors.push(FieldError::forbidden(at, "must not be specified when labelSelector is not set"));
    }
    let expressions = selector.items("matchExpressions").iter().map(|expression| expression.text("key"));
    let mut keys: Vec<_> = selector.texts("matchLabels").map(|(key, _)| key).chain(expressions).collect();
    keys.sort_unstable();
    for (index, key) in constraint.strings("matchLabelKeys").enumerate() {
        let at = at.index(index);
        invalid(&at, key, text::label_key(key), errors);
        if keys.iter().filter(|other| **other == key).count() > 1 {
            errors.push(FieldError::invalid(at, key, "exists in both matchLabelKeys and labelSelector"));
        }
    }
}

/// Checks `tolerations`.
pub(super) fn tolerations(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("tolerations");
    for (index, toleration) in spec.items("tolerations").iter().enumerate() {
        toleration_of(toleration, &at.index(index), errors);
    }
}

fn toleration_of(toleration: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (key, operator) = (toleration.text("key"), toleration.text("operator"));
    let (value, effect) = (toleration.text("value"), toleration.text("effect"));
    let at_operator = at.child("operator");
    if key.is_empty() {
        if operator != "Exists" {
            let hint = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            errors.push(FieldError::invalid(at_operator, operator, hint));
        }
    } else {
        invalid(&at.child("key"), key, text::label_key(key), errors);
    }
    if toleration.part("tolerationSeconds").is_some() && effect != "NoExecute" {
        let hint = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.push(FieldError::invalid(at.child("effect"), effect, hint));
    }
    match operator {
        "" | "Equal" => {
            let faults = text::label_value(value);
            if !faults.is_empty() {
                errors.push(FieldError::invalid(at_operator, value, faults.join(";")));
            }
        }
        "Exists" if value.is_empty() => {}
        "Exists" => {
            let hint = "value must be empty when `operator` is 'Exists'";
            errors.push(FieldError::invalid(at_operator, value, hint));
        }
        _ => errors.push(FieldError::not_supported(at_operator, operator, &["Equal", "Exists"])),
    }
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if !effect.is_empty() && !effects.contains(&effect) {
        errors.push(FieldError::not_supported(at.child("effect"), effect, &effects));
    }
}

/// Checks `readinessGates` and `schedulingGates`.
pub(super) fn gates(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_readiness = at.child("readinessGates");
    for (index, gate) in spec.items("readinessGates").iter().enumerate() {
        let condition = gate.text("conditionType");
        invalid(&at_readiness.index(index).child("conditionType"), condition, text::label_key(condition), errors);
    }
    let at_scheduling = at.child("schedulingGates");
    let mut seen = HashSet::new();
    for (index, gate) in spec.items("schedulingGates").iter().enumerate() {
        let (at, name) = (at_scheduling.index(index), gate.text("name"));
        invalid(&at, name, text::label_key(name), errors);
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(at, name));
        }
    }
}
