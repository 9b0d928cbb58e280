//! Releases: which containers get which images, why others do not, and what the commit says.

pub mod automation;
pub mod containers;
pub mod images;
pub mod policies;
mod select;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::containers::Container;
use super::id::ResourceId;
use super::image::reference::ImageRef;
use super::policy::Policies;

/// A workload as Git and the cluster have it.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its id.
    pub id: ResourceId,
    /// What Git says; none when it is not there.
    pub git: Option<Side<Vec<Container>>>,
    /// What the cluster says; none when it is not there.
    pub cluster: Option<Side<Result<Vec<Container>, String>>>,
}

/// One side's view of a workload.
#[derive(Debug, Clone, Default)]
pub struct Side<Containers> {
    /// What its annotations say.
    pub policies: Policies,
    /// Its containers.
    pub containers: Containers,
}

/// Who wants a change, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// Who, as `Name <email>`.
    pub user: String,
    /// What the commit should say instead of the usual.
    pub message: String,
}

/// What became of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It changes.
    Success,
    /// It should have changed.
    Failed,
    /// It could have changed.
    Skipped,
    /// It is not concerned.
    Ignored,
}

impl Status {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Another image for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The container.
    pub container: String,
    /// The image it runs.
    pub current: ImageRef,
    /// The image it gets.
    pub target: ImageRef,
}

/// What became of a workload, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What.
    pub status: Status,
    /// Why; empty when there is nothing to say.
    pub reason: String,
    /// The images that change.
    pub updates: Vec<Update>,
}

impl Outcome {
    /// No change, for a reason.
    pub fn without(status: Status, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), updates: Vec::new() }
    }

    /// A change of images.
    pub fn success(updates: Vec<Update>) -> Self {
        Self { status: Status::Success, reason: String::new(), updates }
    }
}

/// What became of every workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results(pub BTreeMap<ResourceId, Outcome>);

impl Results {
    /// The outcomes in the order of the ids' texts.
    pub fn sorted(&self) -> Vec<(String, &Outcome)> {
        let mut found: Vec<_> = self.0.iter().map(|(id, outcome)| (id.to_string(), outcome)).collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// The workloads that change.
    pub fn affected(&self) -> Vec<String> {
        let changed = self.sorted().into_iter().filter(|(_, outcome)| outcome.status == Status::Success);
        changed.map(|(id, _)| id).collect()
    }

    /// The new images, each once.
    pub fn changed_images(&self) -> Vec<String> {
        let changed = self.0.values().filter(|outcome| outcome.status == Status::Success);
        let images: BTreeSet<_> = changed.flat_map(|outcome| &outcome.updates).map(|u| u.target.to_string()).collect();
        images.into_iter().collect()
    }

    /// What failed, in one sentence; empty when nothing did.
    pub fn error(&self) -> String {
        let failed = self.sorted().into_iter().filter(|(_, outcome)| outcome.status == Status::Failed);
        match failed.collect::<Vec<_>>().as_slice() {
            [] => String::new(),
            [(id, outcome)] => format!("{id} failed: {}", outcome.reason),
            many => {
                let ids: Vec<_> = many.iter().map(|(id, _)| id.as_str()).collect();
                format!("Multiple workloads failed: {}", ids.join(", "))
            }
        }
    }
}

/// An image to write into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageEdit {
    /// Whose.
    pub id: ResourceId,
    /// In which container.
    pub container: String,
    /// Which.
    pub image: ImageRef,
}

/// What a release comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What becomes of every workload.
    pub results: Results,
    /// What to write; nothing to write is nothing to commit.
    pub edits: Vec<ImageEdit>,
    /// What the commit says.
    pub message: String,
}

impl Plan {
    fn new(results: Results, message: String) -> Self {
        let changed = results.0.iter().filter(|(_, outcome)| outcome.status == Status::Success);
        let edits = changed.flat_map(|(id, outcome)| {
            outcome.updates.iter().map(|update| ImageEdit {
                id: id.clone(),
                container: update.container.clone(),
                image: update.target.clone(),
            })
        });
        Self { edits: edits.collect(), results, message }
    }
}

/// Why a release is not even planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The registry does not have the image.
    #[error("image \"{0}\" does not exist")]
    NoImage(String),
    /// Containers are missing or run something else than was expected.
    #[error("cannot satisfy specs")]
    Unsatisfied(Results),
    /// Everything is as it should be.
    #[error("no changes found")]
    NoChanges(Results),
}

#[cfg(test)]
mod fixture;
