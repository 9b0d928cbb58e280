//! What can be read of the reconciler at any time: by panels, commands, metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::condition::{Condition, conditions};
use super::explain::{ObjectState, Objects, State, tally};
use super::finding::Finding;
use super::record::{History, SyncRecord};
use super::schedule::Trigger;
use super::source::SourceState;

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Files are read and built.
    Load,
    /// The cluster is looked at, and it is decided what to do.
    Plan,
    /// Objects are made and changed.
    Apply,
    /// Objects are deleted.
    Prune,
    /// What happened is written down.
    Record,
    /// The pointer is moved.
    Tag,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 6] = [Self::Load, Self::Plan, Self::Apply, Self::Prune, Self::Record, Self::Tag];
}

/// What it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Activity {
    /// Nothing.
    #[default]
    Idle,
    /// It looks at the repository, and checks signatures.
    Fetching,
    /// It syncs.
    Syncing {
        /// Why.
        trigger: Trigger,
        /// How far it is.
        stage: Stage,
    },
    /// It repairs what drifted.
    Repairing,
}

/// When the next things happen, for countdowns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Next {
    /// The next look at the repository.
    pub fetch: Option<Timestamp>,
    /// The next sync by the timer.
    pub sync: Option<Timestamp>,
    /// The next try of what failed.
    pub retry: Option<Timestamp>,
}

/// A commit that signatures do not allow to apply.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unverified {
    /// The commit that is in the way; nothing when it is the pointer.
    pub commit: Option<String>,
    /// What is wrong, in words.
    pub why: String,
}

/// Everything that can be read.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The repository.
    pub source: SourceState,
    /// What it is doing.
    pub activity: Activity,
    /// Nothing is done until it is resumed.
    pub paused: bool,
    /// The commit that is applied as far as possible.
    pub synced: Option<String>,
    /// What signatures do not allow.
    pub unverified: Option<Unverified>,
    /// When the next things happen.
    pub next: Next,
    /// All objects.
    pub objects: Arc<Objects>,
    /// What is wrong in the repository.
    pub findings: Arc<Vec<Finding>>,
    /// Kinds that may not be looked at.
    pub blind: Arc<Vec<(String, String)>>,
    /// The last syncs, newest last.
    pub history: History,
    /// How many objects would be deleted, were the repository not empty by mistake.
    pub would_prune: usize,
}

/// The status as JSON, in Git's order of things.
#[derive(Debug, serde::Serialize)]
struct Written<'a> {
    source: &'a SourceState,
    activity: Activity,
    paused: bool,
    synced: &'a Option<String>,
    unverified: &'a Option<Unverified>,
    next: Next,
    conditions: Vec<Condition>,
    counts: BTreeMap<State, usize>,
    objects: Vec<&'a ObjectState>,
    findings: &'a [Finding],
    last: Option<&'a SyncRecord>,
}

impl Status {
    /// The last sync.
    pub fn last(&self) -> Option<&Arc<SyncRecord>> {
        self.history.back()
    }

    /// The commit that everything else here is about: the one of the last whole sync.
    pub fn looked_at(&self) -> Option<&str> {
        let whole = self.history.iter().rev().find(|record| record.trigger != Trigger::Drift)?;
        whole.revision.as_deref()
    }

    /// How many objects are in which state.
    pub fn counts(&self) -> BTreeMap<State, usize> {
        tally(&self.objects)
    }
}

impl serde::Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            source: &self.source,
            activity: self.activity,
            paused: self.paused,
            synced: &self.synced,
            unverified: &self.unverified,
            next: self.next,
            conditions: conditions(self),
            counts: self.counts(),
            objects: self.objects.values().map(|state| &**state).collect(),
            findings: &self.findings,
            last: self.last().map(|record| &**record),
        };
        written.serialize(serializer)
    }
}
