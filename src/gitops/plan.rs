//! What Git wants, what is there and what we made → what to do, in order, each with its reason.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::diff::{Difference, differences, is_builtin};
use super::files::{Hold, Loaded};
use super::finding::Place;
use super::id::ResourceId;
use super::mark::{CHECKSUM, LABEL, SyncSet};
use super::object::{Ignore, Manifest, ObjectKey, is_going, is_owned};
use crate::cluster::object::text;

/// Whether objects that left Git are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prune {
    /// They stay.
    Off,
    /// They stay, but it is told which would go.
    Dry,
    /// They go.
    #[default]
    On,
}

/// What decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whose objects are ours.
    pub set: SyncSet,
    /// Whether objects that left Git are deleted.
    pub prune: Prune,
    /// Whether everything may be deleted when the repository turns up empty.
    pub allow_empty: bool,
}

/// What is there: everything that Git names, and everything with a mark.
pub type Live = HashMap<ObjectKey, Arc<Value>>;

/// Differences that stay whatever is applied, since the cluster writes a field in its own way.
pub type Tolerated = HashMap<ObjectKey, Vec<Difference>>;

/// What to do with an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make it.
    Create,
    /// Change it.
    Update {
        /// The fields that are not as Git wants them.
        fields: Vec<Difference>,
        /// Whether Git wants something else than when it was applied last.
        content: bool,
    },
    /// It is as Git wants it.
    Unchanged,
    /// Delete it.
    Prune,
    /// It is not in Git, but stays.
    Keep(Keep),
    /// It is in Git, but is left alone.
    Skip(Skip),
}

/// Why an object that left Git stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Nothing is deleted.
    PruneOff,
    /// It is only told what would go.
    DryRun,
    /// Its annotation in the cluster says so.
    Ignored,
    /// Its annotation says that it is never deleted.
    SyncOnly,
    /// It belongs to another object.
    Owned,
    /// Files that may define it cannot be read.
    Unread(String),
    /// The repository has no objects at all.
    EmptyRepository,
}

/// Why an object in Git is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// The file says so.
    IgnoredInGit,
    /// The object in the cluster says so.
    IgnoredInCluster,
    /// It is just being deleted.
    Terminating,
    /// It cannot be applied.
    Held(Hold, String),
}

impl Keep {
    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Self::PruneOff => "is not in Git any more; nothing is deleted, as garbage collection is off".to_owned(),
            Self::DryRun => "is not in Git any more and would be deleted (dry-run=true)".to_owned(),
            Self::Ignored => "skipping GC of cluster resource; resource has ignore policy true".to_owned(),
            Self::SyncOnly => "skipping GC of cluster resource; resource has ignore policy sync_only".to_owned(),
            Self::Owned => "is not in Git, but belongs to another object".to_owned(),
            Self::Unread(file) => format!("is not deleted as long as {file} cannot be read"),
            Self::EmptyRepository => {
                "is not deleted: the repository defines no object at all, which may be a mistake".to_owned()
            }
        }
    }
}

impl Skip {
    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Self::IgnoredInGit => "not applying resource; ignore annotation in file".to_owned(),
            Self::IgnoredInCluster => "not applying resource; ignore annotation in cluster resource".to_owned(),
            Self::Terminating => "is being deleted; it is made again when it is gone".to_owned(),
            Self::Held(_, reason) => reason.clone(),
        }
    }
}

/// What to do with one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which object.
    pub key: ObjectKey,
    /// Its name in tables.
    pub id: ResourceId,
    /// What to do.
    pub action: Action,
    /// What Git wants, when it can be applied.
    pub manifest: Option<Arc<Manifest>>,
    /// Where it is written, when it is in Git.
    pub place: Option<Place>,
}

/// What to do: first what is applied, in the order in which that works, then what is deleted, the other way round.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The steps.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.changes.iter().any(Change::is_work)
    }

    /// How many objects the plan would delete.
    pub fn pruned(&self) -> usize {
        self.changes.iter().filter(|change| change.action == Action::Prune).count()
    }
}

impl Change {
    /// Whether there is something to do.
    pub fn is_work(&self) -> bool {
        matches!(self.action, Action::Create | Action::Update { .. } | Action::Prune)
    }
}

/// Decides about everything.
pub fn plan(desired: &Loaded, live: &Live, tolerated: &Tolerated, rules: &Rules) -> Plan {
    let mut changes: Vec<Change> = desired
        .manifests
        .iter()
        .map(|manifest| {
            let found = live.get(&manifest.key).map(|object| &**object);
            let accepted = tolerated.get(&manifest.key).map_or(&[] as &[_], Vec::as_slice);
            change(manifest, decide(manifest, found, accepted))
        })
        .collect();
    for held in &desired.held {
        changes.push(Change {
            key: held.key.clone(),
            id: held.key.id(),
            action: Action::Skip(Skip::Held(held.why, held.reason.clone())),
            manifest: None,
            place: Some(held.place.clone()),
        });
    }
    changes.sort_by(|one, other| position(one).cmp(&position(other)));
    let mut gone = leftovers(desired, live, rules);
    gone.sort_by(|one, other| position(other).cmp(&position(one)));
    changes.extend(gone);
    Plan { changes }
}

/// A step about an object in Git.
pub fn change(manifest: &Arc<Manifest>, action: Action) -> Change {
    Change {
        key: manifest.key.clone(),
        id: manifest.id.clone(),
        action,
        place: Some(manifest.place.clone()),
        manifest: Some(manifest.clone()),
    }
}

/// Decides about one object in Git.
pub fn decide(manifest: &Manifest, found: Option<&Value>, tolerated: &[Difference]) -> Action {
    if manifest.ignore == Ignore::Always {
        return Action::Skip(Skip::IgnoredInGit);
    }
    let Some(found) = found else { return Action::Create };
    if Ignore::of(found) == Ignore::Always {
        return Action::Skip(Skip::IgnoredInCluster);
    }
    if is_going(found) {
        return Action::Skip(Skip::Terminating);
    }
    let fields = differences(&manifest.object, found);
    let content = text(found, &["metadata", "annotations", CHECKSUM]) != written_checksum(manifest);
    if !content && (fields.is_empty() || fields == tolerated) {
        return Action::Unchanged;
    }
    Action::Update { fields, content }
}

fn written_checksum(manifest: &Manifest) -> &str {
    text(&manifest.object, &["metadata", "annotations", CHECKSUM])
}

/// What we made and what is not in Git any more.
fn leftovers(desired: &Loaded, live: &Live, rules: &Rules) -> Vec<Change> {
    let wanted: HashSet<&ObjectKey> = desired
        .manifests
        .iter()
        .map(|manifest| &manifest.key)
        .chain(desired.held.iter().map(|held| &held.key))
        .collect();
    // The namespace of a kind that the cluster does not know cannot be told.
    let unsettled = |key: &ObjectKey| {
        desired.held.iter().any(|held| {
            held.why == Hold::UnknownKind && held.key.kind.kind == key.kind.kind && held.key.at.name == key.at.name
        })
    };
    let ours = live.iter().filter(|(key, object)| is_ours(key, object, &rules.set));
    let gone = ours.filter(|(key, _)| !wanted.contains(*key) && !unsettled(key));
    let change = |(key, object): (&ObjectKey, &Arc<Value>)| Change {
        key: key.clone(),
        id: key.id(),
        action: fate(object, desired, rules),
        manifest: None,
        place: None,
    };
    gone.map(change).collect()
}

/// Whether we made an object: its mark is that of this very object in this set.
pub fn is_ours(key: &ObjectKey, object: &Value, set: &SyncSet) -> bool {
    let mark = text(object, &["metadata", "labels", LABEL]);
    !mark.is_empty() && mark == set.mark(&key.id())
}

/// What becomes of an object that left Git.
fn fate(object: &Value, desired: &Loaded, rules: &Rules) -> Action {
    let keep = match Ignore::of(object) {
        _ if is_owned(object) => Some(Keep::Owned),
        Ignore::Always => Some(Keep::Ignored),
        Ignore::SyncOnly => Some(Keep::SyncOnly),
        Ignore::No => None,
    };
    let empty = desired.manifests.is_empty() && desired.held.is_empty();
    let unread = desired.unread.first().map(|file| Keep::Unread(file.clone()));
    match (keep, rules.prune) {
        (Some(keep), _) => Action::Keep(keep),
        (None, Prune::Off) => Action::Keep(Keep::PruneOff),
        (None, _) if unread.is_some() => Action::Keep(unread.unwrap_or(Keep::PruneOff)),
        (None, Prune::Dry) => Action::Keep(Keep::DryRun),
        (None, Prune::On) if empty && !rules.allow_empty => Action::Keep(Keep::EmptyRepository),
        (None, Prune::On) => Action::Prune,
    }
}

/// Kinds by the rank in which they are applied; all others come last.
const RANKS: [&[&str]; 4] = [
    &["namespace"],
    &["customresourcedefinition", "serviceaccount", "clusterrole", "role", "persistentvolume", "service"],
    &[
        "resourcequota",
        "limitrange",
        "secret",
        "configmap",
        "rolebinding",
        "clusterrolebinding",
        "persistentvolumeclaim",
        "ingress",
    ],
    &["daemonset", "deployment", "replicationcontroller", "replicaset", "job", "cronjob", "statefulset"],
];

/// The rank of a kind (in lower case).
pub fn rank(kind: &str) -> usize {
    RANKS.iter().position(|kinds| kinds.contains(&kind)).unwrap_or(RANKS.len())
}

fn position(change: &Change) -> (usize, &str, &ResourceId) {
    let builtin = is_builtin(&change.key.kind.group);
    let rank = if builtin { rank(&change.id.kind) } else { RANKS.len() };
    (rank, &change.id.name, &change.id)
}

/// Ids in the order in which objects are applied; deleting goes the other way round.
pub fn order(ids: &mut [ResourceId]) {
    ids.sort_by(|one, other| (rank(&one.kind), &one.name, one).cmp(&(rank(&other.kind), &other.name, other)));
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
