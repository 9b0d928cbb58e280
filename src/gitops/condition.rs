//! The state of the whole as conditions, and the states of objects as other programs' words.

use super::explain::{ObjectState, State};
use super::git::signature::short;
use super::health::Health;
use super::record::Ending;
use super::status::{Activity, Status};
use super::words::{HealthState, SyncState};

/// A condition, as Kubernetes writes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Condition {
    /// `Ready`, `Reconciling` or `Stalled`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

/// The conditions of the whole.
pub fn conditions(status: &Status) -> Vec<Condition> {
    let mut found = vec![ready(status)];
    match status.activity {
        Activity::Idle => {}
        Activity::Fetching => found.push(reconciling("Fetching", "looking at the repository")),
        Activity::Syncing { .. } => found.push(reconciling("Progressing", "reconciliation in progress")),
        Activity::Repairing => found.push(reconciling("Progressing", "repairing what drifted")),
    }
    if let Some(unverified) = &status.unverified {
        let message = unverified.why.clone();
        found.push(Condition { kind: "Stalled", status: "True", reason: "InvalidSignature", message });
    }
    found
}

fn reconciling(reason: &'static str, message: &str) -> Condition {
    Condition { kind: "Reconciling", status: "True", reason, message: message.to_owned() }
}

fn ready(status: &Status) -> Condition {
    let ready = |status, reason, message| Condition { kind: "Ready", status, reason, message };
    if let Some(why) = status.source.not_ready() {
        return ready("False", "ArtifactFailed", why);
    }
    let Some(last) = status.last() else {
        return ready("Unknown", "Progressing", "nothing was synced yet".to_owned());
    };
    if let (Ending::Failed | Ending::Interrupted, Some(error)) = (last.ending, &last.error) {
        return ready("False", "ReconciliationFailed", error.clone());
    }
    let failed = status.objects.values().find(|state| state.state == State::Failed);
    if let Some(failed) = failed {
        let message = format!("{}: {}", failed.id, failed.reason.as_deref().unwrap_or("failed"));
        return ready("False", "ReconciliationFailed", message);
    }
    let revision = status.synced.as_deref().map(short).unwrap_or_default();
    ready("True", "ReconciliationSucceeded", format!("Applied revision: {}@sha1:{revision}", status.source.branch))
}

/// How an object stands to Git, for those who speak other dialects.
pub fn sync_state(state: &ObjectState) -> SyncState {
    match state.state {
        State::InSync => SyncState::InSync,
        State::Applying => SyncState::OutOfSync,
        // What is not in Git has no place there.
        State::OutOfSync if state.place.is_none() => SyncState::PruneSkipped,
        State::OutOfSync => SyncState::OutOfSync,
        State::Ignored => SyncState::Ignored,
        State::Failed if state.place.is_none() => SyncState::PruneFailed,
        State::Failed => SyncState::Rejected,
        State::Pruned => SyncState::Pruned,
        State::Waiting => SyncState::Waiting,
    }
}

/// How an object is doing, for those who speak other dialects.
pub fn health_state(health: Option<&Health>) -> HealthState {
    match health {
        Some(Health::Current) => HealthState::Healthy,
        Some(Health::InProgress(_)) => HealthState::Progressing,
        Some(Health::Failed(_)) => HealthState::Degraded,
        Some(Health::Terminating) => HealthState::Terminating,
        Some(Health::NotFound) => HealthState::Missing,
        None => HealthState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::git::Remote;
    use crate::gitops::record::SyncRecord;
    use crate::gitops::schedule::Trigger;
    use crate::gitops::source::{Phase, SourceState};
    use std::sync::Arc;

    #[test]
    fn the_whole_is_told_in_conditions() {
        let words = |status: &Status| -> Vec<String> {
            conditions(status)
                .into_iter()
                .map(|c| format!("{}={} {} {}", c.kind, c.status, c.reason, c.message))
                .collect()
        };
        let mut status = Status::default();
        assert_eq!(words(&status), ["Ready=False ArtifactFailed no git repository is configured"]);
        status.source = SourceState::new(Some(&Remote::new("u", "main")), false);
        status.source.phase = Phase::Ready;
        status.activity = Activity::Fetching;
        assert_eq!(
            words(&status),
            ["Ready=Unknown Progressing nothing was synced yet", "Reconciling=True Fetching looking at the repository"]
        );
        status.activity = Activity::Idle;
        let mut record = SyncRecord::begin(1, Trigger::Start, jiff::Timestamp::UNIX_EPOCH);
        record.ending = Ending::Good;
        status.synced = Some("0123456789".to_owned());
        status.history = Arc::new([Arc::new(record.clone())].into());
        assert_eq!(words(&status), ["Ready=True ReconciliationSucceeded Applied revision: main@sha1:0123456"]);
        record.ending = Ending::Failed;
        record.error = Some("no".to_owned());
        status.history = Arc::new([Arc::new(record)].into());
        assert_eq!(words(&status), ["Ready=False ReconciliationFailed no"]);
        let words = |health| health_state(health).words().in_dialect(crate::gitops::words::Dialect::ArgoCd);
        assert_eq!((words(Some(&Health::NotFound)), words(None)), ("Missing", "Unknown"));
    }
}
