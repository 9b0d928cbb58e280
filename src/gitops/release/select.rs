//! Which workloads a release is about: those in Git, less some, that are in the cluster too, less some more.

use super::{Outcome, Results, Side, Status, Workload};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::policy::LOCKED;

/// A workload that Git and the cluster have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected<'a> {
    pub(super) id: &'a ResourceId,
    pub(super) git: &'a Side<Vec<Container>>,
    pub(super) cluster: &'a Side<Result<Vec<Container>, String>>,
}

/// What a release is about, in the order in which it is asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selection<'a> {
    /// Nothing but these.
    pub(super) include: Option<&'a [ResourceId]>,
    /// Not these.
    pub(super) exclude: &'a [ResourceId],
    /// Only workloads that run this image, with whatever tag.
    pub(super) image: Option<&'a ImageRef>,
    /// Locks and marks to ignore do not count.
    pub(super) unlocked: bool,
}

impl Selection<'_> {
    /// Selects, and says why others were not.
    pub(super) fn of<'w>(&self, workloads: &'w [Workload], results: &mut Results) -> Vec<Selected<'w>> {
        let mut selected = Vec::new();
        for workload in workloads {
            let Some(git) = &workload.git else { continue };
            let refused = self.refused_by_name(&workload.id).or_else(|| match &workload.cluster {
                None => Some(Outcome::without(Status::Skipped, "not accessible in cluster")),
                Some(cluster) => {
                    let found = Selected { id: &workload.id, git, cluster };
                    let refused = self.refused_by_content(found);
                    if refused.is_none() {
                        selected.push(found);
                    }
                    refused
                }
            });
            if let Some(outcome) = refused {
                results.0.insert(workload.id.clone(), outcome);
            }
        }
        for id in self.include.into_iter().flatten() {
            if !workloads.iter().any(|workload| workload.id == *id && workload.git.is_some()) {
                results.0.insert(id.clone(), Outcome::without(Status::Skipped, "not found in repository"));
            }
        }
        selected
    }

    fn refused_by_name(&self, id: &ResourceId) -> Option<Outcome> {
        if self.include.is_some_and(|ids| !ids.contains(id)) {
            return Some(Outcome::without(Status::Ignored, "not included"));
        }
        self.exclude.contains(id).then(|| Outcome::without(Status::Ignored, "excluded"))
    }

    fn refused_by_content(&self, found: Selected<'_>) -> Option<Outcome> {
        if let Some(image) = self.image {
            let containers = found.cluster.containers.as_deref().unwrap_or_default();
            if containers.is_empty() {
                return Some(Outcome::without(Status::Ignored, "not accessible in cluster"));
            }
            let name = image.canonical_name();
            if !containers.iter().any(|container| container.image.canonical_name() == name) {
                return Some(Outcome::without(Status::Ignored, "a different image"));
            }
        }
        if self.unlocked {
            return None;
        }
        if found.git.policies.is_on(LOCKED) {
            return Some(Outcome::without(Status::Skipped, "locked"));
        }
        // What is ignored on either side is not applied.
        let ignored = found.cluster.policies.is_ignored() || found.git.policies.is_ignored();
        ignored.then(|| Outcome::without(Status::Skipped, "ignore"))
    }
}
