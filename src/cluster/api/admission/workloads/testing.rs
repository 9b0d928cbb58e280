//! Objects to try the checks on.

use serde_json::{Value, json};

use super::{defaults, validate};
use crate::cluster::object::GroupKind;

/// What an object becomes by a merge patch.
pub(super) fn merged(base: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut object = base.as_object().cloned().unwrap_or_default();
    for (name, patch) in patch {
        if patch.is_null() {
            object.shift_remove(name);
        } else {
            let new = merged(object.get(name).unwrap_or(&Value::Null), patch);
            object.insert(name.clone(), new);
        }
    }
    Value::Object(object)
}

/// The kind that an object says it is.
pub(super) fn kind_of(object: &Value) -> GroupKind {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or("");
    GroupKind::new(crate::cluster::object::group_of(text("apiVersion")), text("kind"))
}

/// The object with its defaults.
pub(super) fn defaulted(object: &Value) -> Value {
    let mut object = object.clone();
    assert!(defaults(&kind_of(&object), &mut object), "{object}");
    object
}

/// `field: message` of everything that is wrong.
pub(super) fn faults(object: &Value, old: Option<&Value>) -> Vec<String> {
    let mut errors = Vec::new();
    assert!(validate(&kind_of(object), object, old, &mut errors), "{object}");
    errors.iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
}

/// Checks that each patch of the base, with defaults, is refused with exactly these sentences.
pub(super) fn refused(base: &Value, cases: &[(Value, &[&str])]) {
    for (patch, expected) in cases {
        let object = defaulted(&merged(base, patch));
        assert_eq!(faults(&object, None), *expected, "{patch}");
    }
}

/// The same for updates of the base.
pub(super) fn update_refused(base: &Value, cases: &[(Value, &[&str])]) {
    let old = defaulted(base);
    for (patch, expected) in cases {
        let new = defaulted(&merged(&old, patch));
        let mut found = faults(&new, Some(&old));
        // What the checks for create and for update both say.
        let mut seen = std::collections::HashSet::new();
        found.retain(|text| seen.insert(text.clone()));
        assert_eq!(found, *expected, "{patch}");
    }
}

/// A pod as a client sends it, with an account.
pub(super) fn pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "ns"},
        "spec": {"serviceAccountName": "default", "containers": [{"name": "c", "image": "nginx"}]},
    })
}

/// A pod whose only container has these members too.
pub(super) fn with_container(members: &Value) -> Value {
    json!({"spec": {"containers": [merged(&json!({"name": "c", "image": "nginx"}), members)]}})
}

/// An object of a kind that keeps pods.
pub(super) fn keeper(kind: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "ns"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "nginx"}]},
            },
        },
    })
}

/// A job as it is stored.
pub(super) fn job() -> Value {
    let labels = json!({
        "controller-uid": "1",
        "batch.kubernetes.io/controller-uid": "1",
        "job-name": "pi",
        "batch.kubernetes.io/job-name": "pi",
    });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "pi", "namespace": "ns", "uid": "1"},
        "spec": {
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "perl"}], "restartPolicy": "Never"},
            },
        },
    })
}

/// A cron job.
pub(super) fn cron_job() -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick", "namespace": "ns"},
        "spec": {
            "schedule": "*/5 * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {
                "containers": [{"name": "c", "image": "perl"}], "restartPolicy": "Never",
            }}}},
        },
    })
}
