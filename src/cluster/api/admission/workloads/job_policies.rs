//! When a job has failed or succeeded.

use std::collections::HashSet;

use serde_json::Value;

use super::check::{Errors, not_negative};
use super::go_dump::go_struct;
use super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::{Fault, FieldError};

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

/// Checks `podFailurePolicy`, `successPolicy` and `podReplacementPolicy`.
pub(super) fn validate(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    if let Some(policy) = spec.part("podFailurePolicy") {
        failure(spec, policy, &at.child("podFailurePolicy"), errors);
    }
    if let Some(policy) = spec.part("successPolicy") {
        let at = at.child("successPolicy");
        if spec.text("completionMode") == "Indexed" {
            success(spec, policy, &at, errors);
        } else {
            let shown = go_struct("SuccessPolicy", policy);
            errors.push(FieldError::invalid(at, shown, "requires indexed completion mode"));
        }
    }
    if spec.has_text("podReplacementPolicy") {
        let known: &[&str] =
            if spec.part("podFailurePolicy").is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        let policy = spec.text("podReplacementPolicy");
        if !known.contains(&policy) {
            errors.push(FieldError::not_supported(at.child("podReplacementPolicy"), policy, known));
        }
    }
}

fn too_many(count: usize, most: usize, at: &Path<'_>, errors: &mut Errors) {
    if count > most {
        errors.push(FieldError { field: at.into(), fault: Fault::TooMany(count, most) });
    }
}

/// A word that has to be one of several, with the sentence that Go makes of them when it is missing.
fn word(value: &str, known: &[&str], at: &Path<'_>, errors: &mut Errors) {
    if value.is_empty() {
        let listed: Vec<_> = known.iter().map(|word| format!("\"{word}\"")).collect();
        errors.push(FieldError::required(at, format!("valid values: [{}]", listed.join(" "))));
    } else if !known.contains(&value) {
        errors.push(FieldError::not_supported(at, value, known));
    }
}

fn failure(spec: &Value, policy: &Value, at: &Path<'_>, errors: &mut Errors) {
    let pod = spec.part("template").part("spec");
    let lists = ["containers", "initContainers"].into_iter();
    let containers: HashSet<_> = lists.flat_map(|list| pod.items(list)).map(|c| c.text("name")).collect();
    let rules = policy.items("rules");
    let at = at.child("rules");
    too_many(rules.len(), 20, &at, errors);
    for (index, rule) in rules.iter().enumerate() {
        failure_rule(spec, rule, &containers, &at.index(index), errors);
    }
}

fn failure_rule(spec: &Value, rule: &Value, containers: &HashSet<&str>, at: &Path<'_>, errors: &mut Errors) {
    let at_action = at.child("action");
    match rule.text("action") {
        "FailIndex" => {
            if spec.int("backoffLimitPerIndex").is_none() {
                let hint = "requires the backoffLimitPerIndex to be set";
                errors.push(FieldError::invalid(at_action, "FailIndex", hint));
            }
        }
        action => word(action, &ACTIONS, &at_action, errors),
    }
    let codes = rule.part("onExitCodes");
    let conditions = rule.items("onPodConditions");
    if let Some(codes) = codes {
        exit_codes(codes, containers, &at.child("onExitCodes"), errors);
    }
    let at_conditions = at.child("onPodConditions");
    too_many(conditions.len(), 20, &at_conditions, errors);
    for (index, pattern) in conditions.iter().enumerate() {
        let at = at_conditions.index(index);
        invalid(&at.child("type"), pattern.text("type"), text::label_key(pattern.text("type")), errors);
        word(pattern.text("status"), &["False", "True", "Unknown"], &at.child("status"), errors);
    }
    let hint = match (codes.is_some(), conditions.is_empty()) {
        (true, false) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (false, true) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return,
    };
    errors.push(FieldError { field: at.into(), fault: Fault::Unfit(hint.to_owned()) });
}

fn exit_codes(codes: &Value, containers: &HashSet<&str>, at: &Path<'_>, errors: &mut Errors) {
    word(codes.text("operator"), &["In", "NotIn"], &at.child("operator"), errors);
    let container = codes.text("containerName");
    if codes.has_text("containerName") && !containers.contains(container) {
        let hint = "must be one of the container or initContainer names in the pod template";
        errors.push(FieldError::invalid(at.child("containerName"), container, hint));
    }
    let at = at.child("values");
    let values: Vec<i64> = codes.items("values").iter().filter_map(Value::as_i64).collect();
    if values.is_empty() {
        let shown = codes.part("values").cloned().unwrap_or_default();
        errors.push(FieldError::invalid(at, shown, "at least one value is required"));
    }
    too_many(values.len(), 255, &at, errors);
    let mut seen = HashSet::new();
    for (index, &value) in values.iter().enumerate() {
        if value == 0 && codes.text("operator") == "In" {
            errors.push(FieldError::invalid(at.index(index), 0, "must not be 0 for the In operator"));
        }
        if !seen.insert(value) {
            errors.push(FieldError::duplicate(at.index(index), value));
        }
    }
    if !values.is_sorted() {
        errors.push(FieldError::invalid(at, values, "must be ordered"));
    }
}

fn success(spec: &Value, policy: &Value, at: &Path<'_>, errors: &mut Errors) {
    let rules = policy.items("rules");
    let at = at.child("rules");
    if rules.is_empty() {
        let hint = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(at, hint));
    }
    too_many(rules.len(), 20, &at, errors);
    for (index, rule) in rules.iter().enumerate() {
        success_rule(spec.int("completions").unwrap_or(0), rule, &at.index(index), errors);
    }
}

fn success_rule(completions: i64, rule: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (count, has_indexes) = (rule.int("succeededCount"), rule.has_text("succeededIndexes"));
    if count.is_none() && !has_indexes {
        let hint = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(FieldError::required(at, hint));
    }
    let mut total = 0;
    if has_indexes {
        let indexes = rule.text("succeededIndexes");
        let at = at.child("succeededIndexes");
        if indexes.len() > 64 << 10 {
            let fault = Fault::TooLong(format!("may not be more than {} bytes", 64 << 10));
            errors.push(FieldError { field: (&at).into(), fault });
        }
        match count_indexes(indexes, completions) {
            Ok(found) => total = found,
            Err(why) => {
                let hint = format!("error parsing succeededIndexes: {why}");
                errors.push(FieldError::invalid(at, indexes, hint));
            }
        }
    }
    let Some(count) = count else { return };
    not_negative(rule, &["succeededCount"], at, errors);
    let at = at.child("succeededCount");
    if count > completions {
        let hint = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.push(FieldError::invalid(at, count, hint));
    }
    if has_indexes && count > total {
        let hint = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(FieldError::invalid(at, count, hint));
    }
}

/// How many indexes `1,3-5` are.
fn count_indexes(indexes: &str, completions: i64) -> Result<i64, String> {
    if indexes.is_empty() {
        return Ok(0);
    }
    let number = |text: &str| match text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
        Err(_) => Err(format!("cannot convert string to integer for index: \"{text}\"")),
        Ok(index) if index >= completions => Err(format!("too large index: \"{text}\"")),
        Ok(index) => Ok(index),
    };
    let decreasing = |a: i64, b: i64| Err(format!("non-increasing order, previous: {a}, current: {b}"));
    let (mut total, mut last) = (0, None);
    for interval in indexes.split(',') {
        let parts: Vec<_> = interval.split('-').collect();
        let (first, second) = match parts.as_slice() {
            [first] => (number(first)?, None),
            [first, second] => (number(first)?, Some(number(second)?)),
            _ => {
                return Err(format!(
                    "the fragment \"{interval}\" violates the requirement that an index interval can have at most two \
                     parts separated by '-'"
                ));
            }
        };
        if let Some(second) = second.filter(|&second| first >= second) {
            return decreasing(first, second);
        }
        if let Some(last) = last.filter(|&last| last >= first) {
            return decreasing(last, first);
        }
        let end = second.unwrap_or(first);
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_counted() {
        let cases: [(&str, Result<i64, &str>); 8] = [
            ("", Ok(0)),
            ("0,2-4,9", Ok(5)),
            (
                "1-2-3",
                Err(
                    "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'",
                ),
            ),
            ("a", Err("cannot convert string to integer for index: \"a\"")),
            ("10", Err("too large index: \"10\"")),
            ("3-3", Err("non-increasing order, previous: 3, current: 3")),
            ("3,2", Err("non-increasing order, previous: 3, current: 2")),
            ("-1", Err("cannot convert string to integer for index: \"\"")),
        ];
        for (indexes, expected) in cases {
            assert_eq!(count_indexes(indexes, 10), expected.map_err(str::to_owned), "{indexes}");
        }
    }
}
