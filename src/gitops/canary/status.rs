//! How far a canary is: the phases, the status, and the ways in which it is written.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::spec::sound;
use crate::cluster::object::{int, list, map, text};

/// Where a canary stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// The primary is being made.
    Initializing,
    /// The primary serves; nothing was released yet.
    Initialized,
    /// A revision waits for leave to start.
    Waiting,
    /// A revision is judged.
    Progressing,
    /// A revision waits for leave to be promoted.
    WaitingPromotion,
    /// The primary becomes the revision.
    Promoting,
    /// The target is about to be scaled down.
    Finalising,
    /// The revision is everybody's.
    Succeeded,
    /// The revision was taken back.
    Failed,
    /// The canary undoes what it did.
    Terminating,
}

const PHASES: [(Phase, &str); 10] = [
    (Phase::Initializing, "Initializing"),
    (Phase::Initialized, "Initialized"),
    (Phase::Waiting, "Waiting"),
    (Phase::Progressing, "Progressing"),
    (Phase::WaitingPromotion, "WaitingPromotion"),
    (Phase::Promoting, "Promoting"),
    (Phase::Finalising, "Finalising"),
    (Phase::Succeeded, "Succeeded"),
    (Phase::Failed, "Failed"),
    (Phase::Terminating, "Terminating"),
];

impl Phase {
    /// As objects write it.
    pub fn as_str(self) -> &'static str {
        PHASES.iter().find(|(phase, _)| *phase == self).map_or("", |(_, name)| name)
    }

    /// From what objects write.
    pub fn of(word: &str) -> Option<Self> {
        PHASES.iter().find(|(_, name)| *name == word).map(|(phase, _)| *phase)
    }

    /// Whether the speaker can promote it or take it back now.
    pub fn is_in_speakers_hand(self) -> bool {
        matches!(self, Self::Waiting | Self::Progressing | Self::WaitingPromotion)
    }

    /// Whether every tick has something to do.
    pub fn is_active(self) -> bool {
        use Phase::{Finalising, Progressing, Promoting, Waiting, WaitingPromotion};
        matches!(self, Progressing | Waiting | WaitingPromotion | Promoting | Finalising)
    }

    /// What the metric `flagger_canary_status` says.
    pub fn metric(self) -> i64 {
        match self {
            Self::Progressing => 0,
            Self::Failed => 2,
            _ => 1,
        }
    }

    /// Status and message of the condition `Promoted`.
    fn condition(self, kind: &str) -> (&'static str, String) {
        let (status, message) = match self {
            Self::Initializing => ("Unknown", format!("New {kind} detected, starting initialization.")),
            Self::Initialized => ("True", format!("{kind} initialization completed.")),
            Self::Waiting | Self::WaitingPromotion => ("Unknown", "Waiting for approval.".to_owned()),
            Self::Progressing => ("Unknown", "New revision detected, progressing canary analysis.".to_owned()),
            Self::Promoting => ("Unknown", "Canary analysis completed, starting primary rolling update.".to_owned()),
            Self::Finalising => ("Unknown", "Canary analysis completed, routing all traffic to primary.".to_owned()),
            Self::Succeeded => ("True", "Canary analysis completed successfully, promotion finished.".to_owned()),
            Self::Failed => ("False", format!("Canary analysis failed, {kind} scaled to zero.")),
            Self::Terminating => ("Unknown", format!("New {kind} detected, starting initialization.")),
        };
        (status, message)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The one condition, `Promoted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The phase.
    pub reason: String,
    /// For people.
    pub message: String,
    /// When it was written.
    pub updated: String,
    /// When its status changed.
    pub changed: String,
}

/// What is kept of a canary: nothing else survives a restart of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Where it stands; nowhere before the controller has seen it.
    pub phase: Option<Phase>,
    /// How many checks failed.
    pub failed_checks: i64,
    /// The canary's share, in percent.
    pub canary_weight: i64,
    /// How many checks passed without weights.
    pub iterations: i64,
    /// Configs of the revision and their checksums.
    pub tracked: BTreeMap<String, String>,
    /// The revision that was seen last.
    pub last_applied: String,
    /// The revision that everybody has.
    pub last_promoted: String,
    /// When it was written.
    pub last_transition: String,
    /// The condition.
    pub condition: Option<Condition>,
}

impl Status {
    /// Reads a status.
    pub fn read(value: &Value) -> Self {
        let word = |name: &str| text(value, &[name]).to_owned();
        let number = |name: &str| sound(int(value, &[name]).unwrap_or(0));
        let tracked = map(value, &["trackedConfigs"]).into_iter().flatten();
        let condition = list(value, &["conditions"]).iter().find(|it| text(it, &["type"]) == "Promoted");
        Self {
            phase: Phase::of(text(value, &["phase"])),
            failed_checks: number("failedChecks"),
            canary_weight: number("canaryWeight"),
            iterations: number("iterations"),
            tracked: tracked.filter_map(|(name, sum)| Some((name.clone(), sum.as_str()?.to_owned()))).collect(),
            last_applied: word("lastAppliedSpec"),
            last_promoted: word("lastPromotedSpec"),
            last_transition: word("lastTransitionTime"),
            condition: condition.map(|it| Condition {
                status: text(it, &["status"]).to_owned(),
                reason: text(it, &["reason"]).to_owned(),
                message: text(it, &["message"]).to_owned(),
                updated: text(it, &["lastUpdateTime"]).to_owned(),
                changed: text(it, &["lastTransitionTime"]).to_owned(),
            }),
        }
    }

    /// As the object holds it.
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "phase": self.phase.map_or("", Phase::as_str),
            "failedChecks": self.failed_checks,
            "canaryWeight": self.canary_weight,
            "iterations": self.iterations,
            "trackedConfigs": self.tracked,
            "lastAppliedSpec": self.last_applied,
            "lastPromotedSpec": self.last_promoted,
            "lastTransitionTime": self.last_transition,
        });
        if let Some(condition) = &self.condition {
            status["conditions"] = json!([{
                "type": "Promoted",
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message,
                "lastUpdateTime": condition.updated,
                "lastTransitionTime": condition.changed,
            }]);
        }
        status
    }
}

/// Writes a status: which revision there is, of what kind it is, and what time it is.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The target's kind.
    pub kind: &'a str,
    /// The revision that the target has.
    pub revision: &'a str,
    /// The checksums of its configs.
    pub configs: &'a BTreeMap<String, String>,
    /// The time.
    pub now: Timestamp,
}

impl Writer<'_> {
    /// Sets everything, and that this revision was seen.
    pub fn sync(&self, status: &mut Status, phase: Phase, weight: i64, failed: i64, iterations: i64) {
        (status.canary_weight, status.failed_checks, status.iterations) = (weight, failed, iterations);
        self.revision.clone_into(&mut status.last_applied);
        status.tracked = self.configs.clone();
        if phase == Phase::Initialized {
            self.revision.clone_into(&mut status.last_promoted);
        }
        self.enter(status, phase);
    }

    /// Goes to a phase; `iterations` are those that the analysis has.
    pub fn set_phase(&self, status: &mut Status, phase: Phase, iterations: i64) {
        if !matches!(phase, Phase::Progressing | Phase::Waiting | Phase::Promoting) {
            status.canary_weight = 0;
            status.iterations = if phase == Phase::WaitingPromotion { iterations - 1 } else { 0 };
        }
        if matches!(phase, Phase::Initialized | Phase::Succeeded) {
            status.last_promoted = status.last_applied.clone();
        }
        self.enter(status, phase);
    }

    /// Notes the time of a change.
    pub fn touch(&self, status: &mut Status) {
        status.last_transition = stamp(self.now);
    }

    /// The phase and its condition.
    pub fn enter(&self, status: &mut Status, phase: Phase) {
        status.phase = Some(phase);
        self.touch(status);
        let (now, old) = (stamp(self.now), status.condition.as_ref());
        let (word, message) = phase.condition(self.kind);
        let same = old.filter(|old| old.status == word);
        if same.is_some_and(|old| old.reason == phase.as_str()) {
            return;
        }
        status.condition = Some(Condition {
            status: word.to_owned(),
            reason: phase.as_str().to_owned(),
            message,
            changed: same.map_or_else(|| now.clone(), |old| old.changed.clone()),
            updated: now,
        });
    }
}

/// A time as objects write it.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let configs = BTreeMap::from([("configmap/a".to_owned(), "01".to_owned())]);
        let writer = Writer { kind: "Deployment", revision: "r1", configs: &configs, now: at(10) };
        let mut status = Status::default();
        writer.sync(&mut status, Phase::Progressing, 5, 1, 2);
        assert_eq!(Status::read(&status.to_json()), status);
        assert_eq!(status.last_transition, "1970-01-01T00:00:10Z");
    }

    #[test]
    fn the_condition_keeps_its_time_while_its_status_stays() {
        let configs = BTreeMap::new();
        let writer = |now| Writer { kind: "Deployment", revision: "r", configs: &configs, now: at(now) };
        let mut status = Status::default();
        writer(0).enter(&mut status, Phase::Initializing);
        writer(10).enter(&mut status, Phase::Progressing);
        let condition = status.condition.clone().unwrap();
        assert_eq!((&*condition.changed, &*condition.updated), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:10Z"));
        writer(20).enter(&mut status, Phase::Failed);
        let condition = status.condition.clone().unwrap();
        assert_eq!((&*condition.status, &*condition.changed), ("False", "1970-01-01T00:00:20Z"));
        assert_eq!(condition.message, "Canary analysis failed, Deployment scaled to zero.");
        writer(30).enter(&mut status, Phase::Failed);
        assert_eq!(status.condition.unwrap(), condition);
    }

    #[test]
    fn phases_change_the_counters_as_they_do_upstream() {
        let configs = BTreeMap::new();
        let writer = Writer { kind: "Deployment", revision: "r", configs: &configs, now: at(0) };
        let before = Status { canary_weight: 50, failed_checks: 2, iterations: 3, ..Status::default() };
        for (phase, expected) in [
            (Phase::Waiting, (50, 2, 3)),
            (Phase::Promoting, (50, 2, 3)),
            (Phase::WaitingPromotion, (0, 2, 3)),
            (Phase::Finalising, (0, 2, 0)),
            (Phase::Succeeded, (0, 2, 0)),
        ] {
            let mut status = before.clone();
            writer.set_phase(&mut status, phase, 4);
            assert_eq!((status.canary_weight, status.failed_checks, status.iterations), expected, "{phase}");
        }
    }
}
