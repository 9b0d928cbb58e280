//! Probes and the handlers of a container's life.

use serde_json::Value;

use super::super::check::{Errors, not_negative, one_of, port};
use super::super::read::Read;
use crate::cluster::api::admission::metadata::invalid;
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text;
use crate::cluster::api::status::FieldError;

const COUNTS: [&str; 5] =
    ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

/// The names under which a container has probes and handlers.
pub(super) const ALL: [&str; 4] = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

/// Checks the life cycle and the probes of a container; `grace` is how long the pod may take to end.
pub(super) fn validate(container: &Value, grace: Option<i64>, at: &Path<'_>, errors: &mut Errors) {
    if let Some(lifecycle) = container.part("lifecycle") {
        let at = at.child("lifecycle");
        for name in ["postStart", "preStop"] {
            if let Some(found) = lifecycle.part(name) {
                handler(found, &["exec", "httpGet", "tcpSocket", "sleep"], grace, &at.child(name), errors);
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.part(name) {
            probe(found, name == "readinessProbe", grace, &at.child(name), errors);
        }
    }
}

fn probe(probe: &Value, of_readiness: bool, grace: Option<i64>, at: &Path<'_>, errors: &mut Errors) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], grace, at, errors);
    not_negative(probe, &COUNTS, at, errors);
    let own_grace = probe.int("terminationGracePeriodSeconds");
    let at_grace = at.child("terminationGracePeriodSeconds");
    if let Some(seconds) = own_grace.filter(|&seconds| seconds <= 0) {
        errors.push(FieldError::invalid(at_grace, seconds, "must be greater than 0"));
    }
    let successes = probe.int("successThreshold").unwrap_or(0);
    match own_grace {
        Some(seconds) if of_readiness => {
            errors.push(FieldError::invalid(at_grace, seconds, "must not be set for readinessProbes"));
        }
        _ if !of_readiness && successes != 1 => {
            errors.push(FieldError::invalid(at.child("successThreshold"), successes, "must be 1"));
        }
        _ => {}
    }
}

fn handler(handler: &Value, kinds: &[&str], grace: Option<i64>, at: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for (kind, action) in kinds.iter().filter_map(|kind| Some((*kind, handler.part(kind)?))) {
        let at = at.child(kind);
        if found {
            errors.push(FieldError::forbidden(at, "may not specify more than 1 handler type"));
            continue;
        }
        found = true;
        match kind {
            "exec" if action.items("command").is_empty() => {
                errors.push(FieldError::required(at.child("command"), ""));
            }
            "httpGet" => http_get(action, &at, errors),
            "tcpSocket" | "grpc" => port(action.part("port"), &at.child("port"), errors),
            "sleep" => sleep(action, grace, &at, errors),
            _ => {}
        }
    }
    if !found {
        errors.push(FieldError::required(at, "must specify a handler type"));
    }
}

fn http_get(action: &Value, at: &Path<'_>, errors: &mut Errors) {
    if action.text("path").is_empty() {
        errors.push(FieldError::required(at.child("path"), ""));
    }
    port(action.part("port"), &at.child("port"), errors);
    one_of(action, "scheme", &["HTTP", "HTTPS"], at, errors);
    for header in action.items("httpHeaders") {
        let name = header.text("name");
        invalid(&at.child("httpHeaders"), name, text::http_header_name(name), errors);
    }
}

fn sleep(action: &Value, grace: Option<i64>, at: &Path<'_>, errors: &mut Errors) {
    let (Some(grace), seconds) = (grace, action.int("seconds").unwrap_or(0)) else { return };
    if seconds < 0 || seconds > grace {
        let hint = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.push(FieldError::invalid(at, seconds, hint));
    }
}
