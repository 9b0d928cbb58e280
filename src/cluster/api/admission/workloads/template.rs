//! Selectors and templates of the kinds that keep pods.

use serde_json::Value;

use super::check::Errors;
use super::go_dump::{go_map, go_selector};
use super::read::Read;
use super::{pod, selector};
use crate::cluster::api::admission::metadata::IMMUTABLE;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

/// A selector that has to be there and to select something; `kind` is named in the sentence.
pub(super) fn validate_selector(spec: &Value, kind: &str, at: &Path<'_>, errors: &mut Errors) {
    let at = at.child("selector");
    let selector = spec.part("selector");
    if selector.is_none() {
        errors.push(FieldError::required(at, ""));
        return;
    }
    selector::validate(selector, &at, errors);
    not_everything(selector, kind, &at, errors);
}

/// A selector of everything would take pods away from others.
pub(super) fn not_everything(selector: Option<&Value>, kind: &str, at: &Path<'_>, errors: &mut Errors) {
    if selector::is_empty(selector) {
        let hint = format!("empty selector is invalid for {kind}");
        errors.push(FieldError::invalid(at, go_selector(selector), hint));
    }
}

/// The selector has to select what the template makes.
pub(super) fn selects(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (selector, template) = (spec.part("selector"), spec.part("template"));
    if !selector::is_empty(selector) && !selector::matches(selector, template) {
        mismatch(template, at, errors);
    }
}

/// The labels of the template are not what the selector looks for.
pub(super) fn mismatch(template: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let labels = go_map(template.part("metadata").part("labels"));
    let at = at.child("template");
    let at = at.child("metadata");
    errors.push(FieldError::invalid(at.child("labels"), labels, "`selector` does not match template `labels`"));
}

/// The template of pods that are always restarted.
pub(super) fn validate_template(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let template = spec.part("template").unwrap_or(&Value::Null);
    pod::validate_template(template, &at.child("template"), errors);
}

/// Pods that are kept are always restarted and have no deadline; `kind` is named in the sentence.
pub(super) fn always_restarted(spec: &Value, kind: &str, at: &Path<'_>, errors: &mut Errors) {
    let pod = spec.part("template").part("spec");
    let at = at.child("template");
    let at = at.child("spec");
    let restart = pod.text("restartPolicy");
    if restart != "Always" {
        errors.push(FieldError::not_supported(at.child("restartPolicy"), restart, &["Always"]));
    }
    if pod.part("activeDeadlineSeconds").is_some() {
        let hint = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(FieldError::forbidden(at.child("activeDeadlineSeconds"), hint));
    }
}

/// A selector that may not change.
pub(super) fn keep_selector(object: &Value, old: &Value, errors: &mut Errors) {
    let of = |object: &Value| go_selector(object.part("spec").part("selector"));
    if of(object) != of(old) {
        errors.push(FieldError::invalid(Path::new("spec").child("selector"), of(object), IMMUTABLE));
    }
}

/// A number or a percentage that is not below zero.
pub(super) fn int_or_percent(value: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    match value {
        Some(Value::String(percent)) => {
            let faults = text::percent(percent).into_iter();
            errors.extend(faults.map(|fault| FieldError::invalid(at, percent.as_str(), fault)));
        }
        value => {
            if let Some(number) = value.and_then(Value::as_i64).filter(|&number| number < 0) {
                errors.push(FieldError::invalid(at, number, super::check::NEGATIVE));
            }
        }
    }
}

/// A percentage, when it is a well-made one.
fn percent_of(value: Option<&Value>) -> Option<i64> {
    let text = value.and_then(Value::as_str)?;
    text::percent(text).is_empty().then(|| text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
}

/// The number or the percentage; a text that is none is nothing.
pub(super) fn amount(value: Option<&Value>) -> i64 {
    percent_of(value)
        .or_else(|| match value? {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        })
        .unwrap_or(0)
}

/// Not more than all.
pub(super) fn not_more_than_all(value: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    if let Some(value) = value.filter(|_| percent_of(value).is_some_and(|percent| percent > 100)) {
        errors.push(FieldError::invalid(at, value.clone(), "must not be greater than 100%"));
    }
}
