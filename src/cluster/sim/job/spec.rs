//! What a job asks for.

use serde_json::Value;

use super::policy::{FailurePolicy, SuccessRule};
use crate::cluster::object::{at, flag, int, text};
use crate::cluster::sim::scaled::int32;

/// The numbers and rules of a job's spec.
pub(super) struct Spec {
    /// How many pods have to succeed; `None` if one success says that all is done.
    pub(super) completions: Option<i64>,
    pub(super) parallelism: i64,
    pub(super) backoff_limit: i64,
    pub(super) backoff_limit_per_index: Option<i64>,
    pub(super) max_failed_indexes: Option<i64>,
    pub(super) deadline: Option<i64>,
    pub(super) suspended: bool,
    /// Each pod has a number, and each number has to succeed.
    pub(super) indexed: bool,
    /// A pod is replaced only when it has ended, not when its end has begun.
    pub(super) replaces_failed_only: bool,
    /// Containers are restarted in their pods.
    pub(super) restarts: bool,
    pub(super) ttl: Option<i64>,
    pub(super) failure_policy: Option<FailurePolicy>,
    pub(super) success_rules: Vec<SuccessRule>,
}

impl Spec {
    pub(super) fn read(object: &Value) -> Self {
        let number = |name| int32(object, &["spec", name]);
        let rules = at(object, &["spec", "successPolicy", "rules"]).cloned();
        let failure_policy = at(object, &["spec", "podFailurePolicy"]).filter(|policy| !policy.is_null()).cloned();
        Self {
            completions: number("completions"),
            parallelism: number("parallelism").unwrap_or(1).max(0),
            backoff_limit: number("backoffLimit").unwrap_or(6),
            backoff_limit_per_index: number("backoffLimitPerIndex"),
            max_failed_indexes: number("maxFailedIndexes"),
            deadline: int(object, &["spec", "activeDeadlineSeconds"]),
            suspended: flag(object, &["spec", "suspend"]),
            indexed: text(object, &["spec", "completionMode"]) == "Indexed",
            replaces_failed_only: text(object, &["spec", "podReplacementPolicy"]) == "Failed",
            restarts: text(object, &["spec", "template", "spec", "restartPolicy"]) == "OnFailure",
            ttl: number("ttlSecondsAfterFinished"),
            failure_policy: failure_policy.and_then(|policy| serde_json::from_value(policy).ok()),
            success_rules: rules.and_then(|rules| serde_json::from_value(rules).ok()).unwrap_or_default(),
        }
    }

    /// Whether so many successes are enough.
    pub(super) fn is_reached(&self, succeeded: i64) -> bool {
        match self.completions {
            Some(completions) => succeeded >= completions,
            None => succeeded > 0,
        }
    }

    /// Whether an index is one of the job's.
    pub(super) fn has_index(&self, index: i64) -> bool {
        (0..self.completions.unwrap_or(0)).contains(&index)
    }
}
