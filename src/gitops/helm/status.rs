//! The status of a HelmRelease, and what is told of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::wish::Generation;
use crate::cluster::object::{list, text};

/// How a pass over a release went, or how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The chart is there.
    ChartFetched,
    /// It is not.
    ChartFetchFailed,
    /// The first revision is being made.
    Installing,
    /// Another revision is.
    Upgrading,
    /// All objects were taken by the cluster.
    Deployed,
    /// They were not.
    DeployFailed,
    /// The chart's tests passed.
    Tested,
    /// They did not.
    TestFailed,
    /// All is as wanted.
    Succeeded,
    /// It is not, and will not be by itself.
    Failed,
    /// An older revision is made again.
    RollingBack,
    /// It was.
    RolledBack,
    /// It could not be.
    RollbackFailed,
}

impl Phase {
    /// The word in `status.phase`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChartFetched => "ChartFetched",
            Self::ChartFetchFailed => "ChartFetchFailed",
            Self::Installing => "Installing",
            Self::Upgrading => "Upgrading",
            Self::Deployed => "Deployed",
            Self::DeployFailed => "DeployFailed",
            Self::Tested => "Tested",
            Self::TestFailed => "TestFailed",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::RollingBack => "RollingBack",
            Self::RolledBack => "RolledBack",
            Self::RollbackFailed => "RollbackFailed",
        }
    }

    /// The condition of the operator that it decides, and how.
    fn condition(self) -> (&'static str, &'static str) {
        match self {
            Self::ChartFetched => ("ChartFetched", "True"),
            Self::ChartFetchFailed => ("ChartFetched", "False"),
            Self::Installing | Self::Upgrading => ("Released", "Unknown"),
            Self::Deployed => ("Deployed", "True"),
            Self::DeployFailed => ("Deployed", "False"),
            Self::Tested => ("Tested", "True"),
            Self::TestFailed => ("Tested", "False"),
            Self::Succeeded => ("Released", "True"),
            Self::Failed => ("Released", "False"),
            Self::RollingBack => ("RolledBack", "Unknown"),
            Self::RolledBack => ("RolledBack", "True"),
            Self::RollbackFailed => ("RolledBack", "False"),
        }
    }

    /// Flux 2's reason, and how `Ready` is.
    fn ready(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::ChartFetchFailed => ("SourceNotReady", "False"),
            Self::Installing | Self::Upgrading | Self::RollingBack => ("Progressing", "Unknown"),
            Self::DeployFailed => ("UpgradeFailed", "False"),
            Self::TestFailed => ("TestFailed", "False"),
            Self::Succeeded => ("InstallSucceeded", "True"),
            Self::RolledBack => ("RollbackSucceeded", "False"),
            Self::RollbackFailed => ("RollbackFailed", "False"),
            Self::Failed => ("InstallFailed", "False"),
            Self::ChartFetched | Self::Deployed | Self::Tested => return None,
        })
    }
}

/// The conditions after a phase was reached; a time changes with the state only.
pub fn conditions(generation: Generation, release: &Value, phase: Phase, message: &str, now: Timestamp) -> Vec<Value> {
    let mut all = list(release, &["status", "conditions"]).to_vec();
    match generation {
        Generation::Operator => {
            let (name, status) = phase.condition();
            put(&mut all, name, status, phase.as_str(), message, now);
            if phase == Phase::Succeeded {
                all.retain(|condition| text(condition, &["type"]) != "RolledBack");
            }
        }
        Generation::Toolkit => {
            if let Some((reason, status)) = phase.ready() {
                let upgraded = !text(release, &["status", "lastAttemptedRevision"]).is_empty()
                    && !list(release, &["status", "history"]).is_empty();
                let reason = match reason {
                    "InstallSucceeded" if upgraded => "UpgradeSucceeded",
                    "InstallFailed" if upgraded => "UpgradeFailed",
                    "UpgradeFailed" if !upgraded => "InstallFailed",
                    reason => reason,
                };
                put(&mut all, "Ready", status, reason, message, now);
                if !matches!(reason, "Progressing" | "SourceNotReady") {
                    put(&mut all, "Released", status, reason, message, now);
                }
            }
        }
    }
    all
}

fn put(all: &mut Vec<Value>, name: &str, status: &str, reason: &str, message: &str, now: Timestamp) {
    let stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let there = all.iter().position(|condition| text(condition, &["type"]) == name);
    let since = there
        .and_then(|at| all.get(at))
        .filter(|condition| text(condition, &["status"]) == status)
        .map(|condition| text(condition, &["lastTransitionTime"]).to_owned())
        .filter(|since| !since.is_empty());
    let condition = json!({"type": name, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": stamp, "lastTransitionTime": since.unwrap_or_else(|| stamp.clone())});
    match there.and_then(|at| all.get_mut(at)) {
        Some(place) => *place = condition,
        None => all.push(condition),
    }
}
