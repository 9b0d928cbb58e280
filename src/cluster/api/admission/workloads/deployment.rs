//! Deployments.

use serde_json::Value;

use super::check::{Errors, not_negative};
use super::go_dump::go_struct;
use super::read::Read;
use super::replica_set;
use super::template::{self, amount, int_or_percent, not_more_than_all};
use crate::cluster::api::admission::metadata::{validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::NameRule;
use crate::cluster::api::status::FieldError;

pub(super) fn validate(deployment: &Value, old: Option<&Value>, errors: &mut Errors) {
    match old {
        None => validate_metadata(deployment, true, NameRule::Subdomain, errors),
        Some(old) => validate_metadata_update(deployment, old, true, errors),
    }
    spec(deployment.part("spec").unwrap_or(&Value::Null), &Path::new("spec"), errors);
    if let Some(old) = old {
        template::keep_selector(deployment, old, errors);
    }
}

fn spec(spec: &Value, at: &Path<'_>, errors: &mut Errors) {
    not_negative(spec, &["replicas"], at, errors);
    template::validate_selector(spec, "deployment", at, errors);
    replica_set::validate_pods(spec, at, errors);
    strategy(spec.part("strategy").unwrap_or(&Value::Null), &at.child("strategy"), errors);
    not_negative(spec, &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"], at, errors);
    let ready = spec.int("minReadySeconds").unwrap_or(0);
    if let Some(deadline) = spec.int("progressDeadlineSeconds").filter(|&deadline| deadline <= ready) {
        let hint = "must be greater than minReadySeconds";
        errors.push(FieldError::invalid(at.child("progressDeadlineSeconds"), deadline, hint));
    }
}

fn strategy(strategy: &Value, at: &Path<'_>, errors: &mut Errors) {
    let at_rolling = at.child("rollingUpdate");
    match (strategy.text("type"), strategy.part("rollingUpdate")) {
        ("Recreate", None) => {}
        ("Recreate", Some(_)) => {
            let hint = "may not be specified when strategy `type` is 'Recreate'";
            errors.push(FieldError::forbidden(at_rolling, hint));
        }
        ("RollingUpdate", None) => {
            errors.push(FieldError::required(at_rolling, "this should be defaulted and never be nil"));
        }
        ("RollingUpdate", Some(rolling)) => rolling_update(rolling, &at_rolling, errors),
        _ => {
            let shown = go_struct("DeploymentStrategy", strategy);
            errors.push(FieldError::not_supported(at, shown, &["Recreate", "RollingUpdate"]));
        }
    }
}

fn rolling_update(rolling: &Value, at: &Path<'_>, errors: &mut Errors) {
    let (unavailable, surge) = (rolling.part("maxUnavailable"), rolling.part("maxSurge"));
    let at_unavailable = at.child("maxUnavailable");
    int_or_percent(unavailable, &at_unavailable, errors);
    int_or_percent(surge, &at.child("maxSurge"), errors);
    if amount(unavailable) == 0 && amount(surge) == 0 {
        let shown = unavailable.cloned().unwrap_or_else(|| 0.into());
        errors.push(FieldError::invalid(at_unavailable, shown, "may not be 0 when `maxSurge` is 0"));
    }
    not_more_than_all(unavailable, &at_unavailable, errors);
}
