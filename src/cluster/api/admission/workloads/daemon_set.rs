//! Daemon sets and the revisions that they and stateful sets keep.

use serde_json::Value;

use super::check::{Errors, not_negative};
use super::go_dump::go_struct;
use super::read::Read;
use super::same::same;
use super::selector;
use super::template::{self, amount, int_or_percent, not_more_than_all};
use crate::cluster::api::admission::metadata::{IMMUTABLE, validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::NameRule;
use crate::cluster::api::status::FieldError;

pub(super) fn validate(set: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = set.part("spec").unwrap_or(&Value::Null);
    validate_metadata(set, true, NameRule::Subdomain, errors);
    validate_spec(spec, &Path::new("spec"), errors);
    if let Some(old) = old {
        validate_metadata_update(set, old, true, errors);
        template::keep_selector(set, old, errors);
    }
}

fn validate_spec(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (selector, pods) = (spec.part("selector"), spec.part("template"));
    selector::validate(selector, &at.child("selector"), errors);
    if selector::is_usable(selector) && !selector::matches(selector, pods) {
        template::mismatch(pods, at, errors);
    }
    template::not_everything(selector, "daemonset", &at.child("selector"), errors);
    template::validate_template(spec, at, errors);
    template::always_restarted(spec, "DaemonSet", at, errors);
    not_negative(spec, &["minReadySeconds"], at, errors);
    strategy(spec.part("updateStrategy").unwrap_or(&Value::Null), &at.child("updateStrategy"), errors);
    not_negative(spec, &["revisionHistoryLimit"], at, errors);
}

fn strategy(strategy: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_rolling = at.child("rollingUpdate");
    match (strategy.text("type"), strategy.part("rollingUpdate")) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.push(FieldError::required(at_rolling, "")),
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &at_rolling, errors),
        _ => {
            let shown = go_struct("DaemonSetUpdateStrategy", strategy);
            errors.push(FieldError::not_supported(at, shown, &["RollingUpdate", "OnDelete"]));
        }
    }
}

fn rolling_update(rolling: &Value, at: &Path<'_>, errors: &mut Errors) {
    let members = ["maxUnavailable", "maxSurge"];
    for member in members {
        int_or_percent(rolling.part(member), &at.child(member), errors);
    }
    for member in members {
        not_more_than_all(rolling.part(member), &at.child(member), errors);
    }
    let surge = rolling.part("maxSurge");
    match (amount(rolling.part("maxUnavailable")) != 0, amount(surge) != 0) {
        (true, true) => {
            let shown = surge.cloned().unwrap_or_default();
            let hint = "may not be set when maxUnavailable is non-zero";
            errors.push(FieldError::invalid(at.child("maxSurge"), shown, hint));
        }
        (false, false) => {
            errors.push(FieldError::required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
        }
        _ => {}
    }
}

pub(super) fn validate_revision(revision: &Value, old: Option<&Value>, errors: &mut Errors) {
    if let Some(old) = old {
        validate_metadata_update(revision, old, true, errors);
    }
    validate_metadata(revision, true, NameRule::Subdomain, errors);
    let data = revision.part("data");
    if data.is_none() {
        errors.push(FieldError::required("data", "data is mandatory"));
    }
    not_negative(revision, &["revision"], &Path::ROOT, errors);
    if old.is_some_and(|old| !same(data, old.part("data"))) {
        errors.push(FieldError::invalid("data", data.cloned().unwrap_or_default(), IMMUTABLE));
    }
}
