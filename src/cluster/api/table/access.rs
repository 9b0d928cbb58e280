//! Rows of roles and bindings, certificates, admission, and what extends or tunes the API server.

use serde_json::Value;

use super::{Cell, age::human, created, created_at, name, printed, selector::label_selector, text_or};
use crate::cluster::object::{at, int, list, text};

pub(super) fn cells(kind: &str, object: &Value) -> Option<Vec<Cell>> {
    let length = |path: &[&str]| Cell::from(i64::try_from(list(object, path).len()).unwrap_or(i64::MAX));
    Some(match kind {
        "Role" | "ClusterRole" | "CustomResourceDefinition" => vec![name(object), created_at(object)],
        "RoleBinding" | "ClusterRoleBinding" => binding(object),
        "CertificateSigningRequest" => certificate_request(object),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
            vec![name(object), length(&["webhooks"]), created(object)]
        }
        "MutatingAdmissionPolicy" | "ValidatingAdmissionPolicy" => {
            let steps = if kind.starts_with('M') { "mutations" } else { "validations" };
            vec![name(object), length(&["spec", steps]), parameter_kind(object).into(), created(object)]
        }
        "MutatingAdmissionPolicyBinding" | "ValidatingAdmissionPolicyBinding" => {
            vec![name(object), text(object, &["spec", "policyName"]).into(), parameters(object).into(), created(object)]
        }
        "APIService" => vec![name(object), service(object).into(), available(object).into(), created(object)],
        "FlowSchema" => flow_schema(object),
        "PriorityLevelConfiguration" => priority_level(object),
        _ => return None,
    })
}

fn binding(object: &Value) -> Vec<Cell> {
    let role = |member| text(object, &["roleRef", member]);
    let mut cells = vec![name(object), format!("{}/{}", role("kind"), role("name")).into(), created(object)];
    for kind in ["User", "Group", "ServiceAccount"] {
        let subjects = list(object, &["subjects"]).iter().filter(|subject| text(subject, &["kind"]) == kind);
        let names: Vec<_> = subjects
            .map(|subject| match (kind, text(subject, &["namespace"])) {
                ("ServiceAccount", namespace) if !namespace.is_empty() => {
                    format!("{namespace}/{}", text(subject, &["name"]))
                }
                _ => text(subject, &["name"]).to_owned(),
            })
            .collect();
        cells.push(names.join(", ").into());
    }
    cells
}

fn certificate_request(object: &Value) -> Vec<Cell> {
    let has = |kind: &str| {
        let conditions = list(object, &["status", "conditions"]);
        conditions.iter().any(|condition| text(condition, &["type"]) == kind)
    };
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status += ",Failed";
    }
    if !text(object, &["status", "certificate"]).is_empty() {
        status += ",Issued";
    }
    let seconds = int(object, &["spec", "expirationSeconds"]);
    let asked = seconds.map_or("<none>".to_owned(), |seconds| human(jiff::SignedDuration::from_secs(seconds)));
    vec![
        name(object),
        created(object),
        text_or(text(object, &["spec", "signerName"]), "<none>").into(),
        text(object, &["spec", "username"]).into(),
        asked.into(),
        status.into(),
    ]
}

fn parameter_kind(policy: &Value) -> String {
    let Some(kind) = at(policy, &["spec", "paramKind"]).filter(|kind| !kind.is_null()) else {
        return "<unset>".to_owned();
    };
    format!("{}/{}", text(kind, &["apiVersion"]), text(kind, &["kind"]))
}

fn parameters(binding: &Value) -> String {
    let Some(reference) = at(binding, &["spec", "paramRef"]).filter(|reference| !reference.is_null()) else {
        return "<unset>".to_owned();
    };
    match (text(reference, &["name"]), text_or(text(reference, &["namespace"]), "*")) {
        ("", _) => reference.get("selector").map_or("<unset>".to_owned(), |selector| label_selector(Some(selector))),
        (name, namespace) => format!("{namespace}/{name}"),
    }
}

fn service(api: &Value) -> String {
    let Some(service) = at(api, &["spec", "service"]).filter(|service| !service.is_null()) else {
        return "Local".to_owned();
    };
    format!("{}/{}", text(service, &["namespace"]), text(service, &["name"]))
}

fn available(api: &Value) -> String {
    let conditions = list(api, &["status", "conditions"]);
    let condition = conditions.iter().find(|condition| text(condition, &["type"]) == "Available");
    match condition.map(|condition| (text(condition, &["status"]), text(condition, &["reason"]))) {
        None => "Unknown".to_owned(),
        Some((status @ "True", _) | (status, "")) => status.to_owned(),
        Some((status, reason)) => format!("{status} ({reason})"),
    }
}

fn flow_schema(object: &Value) -> Vec<Cell> {
    let conditions = list(object, &["status", "conditions"]);
    let dangling = conditions.iter().find(|condition| text(condition, &["type"]) == "Dangling");
    vec![
        name(object),
        text(object, &["spec", "priorityLevelConfiguration", "name"]).into(),
        int(object, &["spec", "matchingPrecedence"]).unwrap_or(0).into(),
        text_or(text(object, &["spec", "distinguisherMethod", "type"]), "<none>").into(),
        created(object),
        dangling.map_or("?", |condition| text(condition, &["status"])).into(),
    ]
}

fn priority_level(object: &Value) -> Vec<Cell> {
    let limited = |path: &[&str]| {
        let value = at(object, &["spec", "limited"]).and_then(|limited| at(limited, path));
        value.map_or("<none>".into(), |value| match value {
            Value::Number(_) => Cell::of(value.clone()),
            _ => printed(value).into(),
        })
    };
    vec![
        name(object),
        text(object, &["spec", "type"]).into(),
        limited(&["nominalConcurrencyShares"]),
        limited(&["limitResponse", "queuing", "queues"]),
        limited(&["limitResponse", "queuing", "handSize"]),
        limited(&["limitResponse", "queuing", "queueLengthLimit"]),
        created(object),
    ]
}
