//! Whether a job is over, and how it ends: first the target is told, then, when all pods are counted, the end.

use jiff::Timestamp;
use serde_json::Value;

use super::conditions::{ensure, find_true};
use super::policy::Action;
use super::{JOB, Living, Look};
use crate::cluster::object::text;
use crate::cluster::sim::times;
use crate::cluster::sim::views::Phase;

/// How a job ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    success: bool,
    reason: String,
    message: String,
    /// Whether the status has told the target already.
    told: bool,
}

/// Reasons why jobs fail, which are those of the events about it too.
const FAILURES: [&str; 5] =
    ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded", "FailedIndexes"];

impl Verdict {
    pub(super) fn complete() -> Self {
        Self::new(true, "CompletionsReached", "Reached expected number of succeeded pods")
    }

    fn new(success: bool, reason: &str, message: impl Into<String>) -> Self {
        Self { success, reason: reason.to_owned(), message: message.into(), told: false }
    }

    fn failure(reason: &str, message: impl Into<String>) -> Self {
        Self::new(false, reason, message)
    }

    fn told(success: bool, condition: &Value) -> Self {
        let mut verdict = Self::new(success, text(condition, &["reason"]), text(condition, &["message"]));
        verdict.told = true;
        verdict
    }

    pub(super) fn is_failure(&self) -> bool {
        !self.success
    }
}

impl Look<'_> {
    /// The verdict that is told already, or that the pods and the time ask for now.
    pub(super) fn verdict(&mut self) -> Option<Verdict> {
        if let Some(condition) = find_true(&self.conditions, "SuccessCriteriaMet") {
            return Some(Verdict::told(true, condition));
        }
        if let Some(condition) = find_true(&self.conditions, "FailureTarget") {
            return Some(Verdict::told(false, condition));
        }
        let verdict = self.failed_by_policy().or_else(|| self.failed_by_limits());
        let verdict = verdict.or_else(|| self.failed_by_indexes()).or_else(|| self.met_success_policy());
        if verdict.is_none() {
            self.watch_deadline();
        }
        verdict
    }

    fn failed_by_policy(&self) -> Option<Verdict> {
        let policy = self.spec.failure_policy.as_ref()?;
        let failed = self.pods.iter().filter(|pod| self.has_failed(pod));
        let mut matches = failed.filter_map(|pod| Some((pod, policy.find(&pod.view)?)));
        let (pod, found) = matches.find(|(_, found)| found.action == Action::FailJob)?;
        let name = format!("{}/{}", pod.stored.key.namespace, pod.stored.key.name);
        Some(Verdict::failure("PodFailurePolicy", found.message(&name)))
    }

    fn failed_by_limits(&self) -> Option<Verdict> {
        if self.total_failed() > self.spec.backoff_limit || self.restarted_too_often() {
            return Some(Verdict::failure("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
        }
        let over = self.deadline().is_some_and(|deadline| deadline <= self.world.now);
        over.then(|| Verdict::failure("DeadlineExceeded", "Job was active longer than specified deadline"))
    }

    fn restarted_too_often(&self) -> bool {
        if !self.spec.restarts {
            return false;
        }
        let living = self.pods.iter().filter(|pod| matches!(pod.view.phase, Phase::Pending | Phase::Running));
        let restarts: i64 = living.map(|pod| pod.view.restarts).sum();
        if self.spec.backoff_limit == 0 { restarts > 0 } else { restarts >= self.spec.backoff_limit }
    }

    fn deadline(&self) -> Option<Timestamp> {
        let seconds = self.spec.deadline.filter(|_| !self.spec.suspended)?;
        Some(times::plus(self.start?, seconds))
    }

    fn watch_deadline(&mut self) {
        if let Some(deadline) = self.deadline() {
            self.decision.look_again(times::until(self.world.now, deadline));
        }
    }

    fn failed_by_indexes(&self) -> Option<Verdict> {
        self.spec.backoff_limit_per_index.filter(|_| self.spec.indexed)?;
        let failed = self.failed.len();
        if self.spec.max_failed_indexes.is_some_and(|limit| failed > limit) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            return Some(Verdict::failure("MaxFailedIndexesExceeded", message));
        }
        let all = failed + self.succeeded.len() >= self.spec.completions?;
        (failed > 0 && all).then(|| Verdict::failure("FailedIndexes", "Job has failed indexes"))
    }

    fn met_success_policy(&self) -> Option<Verdict> {
        let completions = self.spec.completions.filter(|_| self.spec.indexed && self.succeeded.len() > 0)?;
        let rule = self.spec.success_rules.iter().position(|rule| rule.is_met(&self.succeeded, completions))?;
        Some(Verdict::new(true, "SuccessPolicy", format!("Matched rules at index {rule}")))
    }

    /// Notes the target, or the end when the target is told, all pods are counted and none is left.
    pub(super) fn conclude(&mut self, verdict: Option<Verdict>, living: &Living) {
        let Some(verdict) = verdict else { return };
        let now = self.world.now;
        if !verdict.told {
            let target = if verdict.success { "SuccessCriteriaMet" } else { "FailureTarget" };
            ensure(&mut self.conditions, target, "True", &verdict.reason, &verdict.message, now);
            return;
        }
        if !self.uncounted.is_empty() || living.terminating > 0 || living.active > 0 {
            return;
        }
        let end = if verdict.success { "Complete" } else { "Failed" };
        ensure(&mut self.conditions, end, "True", &verdict.reason, &verdict.message, now);
        let event = if verdict.success {
            self.completion = Some(now);
            JOB.normal(self.stored, "Completed", "Job completed".to_owned())
        } else {
            let reason = FAILURES.iter().find(|reason| **reason == verdict.reason).copied().unwrap_or("Failed");
            JOB.warning(self.stored, reason, verdict.message)
        };
        self.decision.push(event);
    }

    /// Notes that the job is suspended, or goes on.
    pub(super) fn note_suspension(&mut self) {
        let now = self.world.now;
        if self.spec.suspended {
            if ensure(&mut self.conditions, "Suspended", "True", "JobSuspended", "Job suspended", now) {
                self.decision.push(JOB.normal(self.stored, "Suspended", "Job suspended".to_owned()));
            }
        } else if ensure(&mut self.conditions, "Suspended", "False", "JobResumed", "Job resumed", now) {
            self.decision.push(JOB.normal(self.stored, "Resumed", "Job resumed".to_owned()));
            self.start = Some(now);
        }
    }
}
