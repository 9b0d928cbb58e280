//! `fluxctl release`: one image, or the newest of every image, for some workloads or all.

use super::select::{Selected, Selection};
use super::{Cause, Outcome, Plan, ReleaseError, Results, Status, Update, Workload};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::{ALL, Pattern, Tag};
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::{Registry, Repository};

/// Which workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// These.
    These(Vec<ResourceId>),
}

/// Which image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewImage {
    /// The newest of every image.
    Latest,
    /// This one.
    One(ImageRef),
}

/// What is to be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRelease {
    /// To which workloads.
    pub workloads: Which,
    /// What.
    pub image: NewImage,
    /// Which workloads not.
    pub exclude: Vec<ResourceId>,
    /// Locks of workloads that were named do not count, nor filters for an image that was named.
    pub force: bool,
}

impl ImageRelease {
    /// Decides what becomes of every workload.
    ///
    /// # Errors
    /// When the image that was named does not exist.
    pub fn plan(&self, workloads: &[Workload], registry: &Registry, cause: &Cause) -> Result<Plan, ReleaseError> {
        let include = match &self.workloads {
            Which::These(ids) => Some(ids.as_slice()),
            Which::All => None,
        };
        let image = match &self.image {
            NewImage::One(image) => Some(image),
            NewImage::Latest => None,
        };
        let unlocked = self.force && include.is_some();
        let mut results = Results::default();
        let selection = Selection { include, exclude: &self.exclude, image, unlocked };
        let selected = selection.of(workloads, &mut results);
        // Nothing that is not there may get into Git.
        if let Some(image) = image.filter(|image| !registry.has(image)) {
            return Err(ReleaseError::NoImage(image.to_string()));
        }
        for found in selected {
            results.0.insert(found.id.clone(), self.outcome(found, registry));
        }
        let message = if cause.message.is_empty() { self.message() } else { cause.message.clone() };
        Ok(Plan::new(results, message))
    }

    fn outcome(&self, found: Selected<'_>, registry: &Registry) -> Outcome {
        let containers = match &found.cluster.containers {
            Ok(containers) => containers,
            Err(reason) => return Outcome::without(Status::Failed, reason.clone()),
        };
        let mut updates = Vec::new();
        let mut worst = Because::NotUsed;
        for container in containers {
            match self.target(found, container, registry) {
                Ok(target) => {
                    let (container, current) = (container.name.clone(), container.image.clone());
                    updates.push(Update { container, current, target });
                }
                Err(because) => worst = worst.max(because),
            }
        }
        if !updates.is_empty() {
            return Outcome::success(updates);
        }
        match worst {
            Because::NotUsed => Outcome::without(Status::Ignored, "does not use image(s)"),
            Because::UpToDate => Outcome::without(Status::Skipped, "image(s) up to date"),
            Because::NotFound => Outcome::without(Status::Skipped, "cannot find one or more images"),
        }
    }

    /// The image that a container gets.
    fn target(&self, found: Selected<'_>, container: &Container, registry: &Registry) -> Result<ImageRef, Because> {
        let filter = found.git.policies.own_filter(&container.name);
        let (repository, filter, missing) = match &self.image {
            NewImage::Latest => (registry.get(&container.image).cloned(), filter, Because::NotUsed),
            NewImage::One(image) if image.canonical_name() == container.image.canonical_name() => {
                let only = Repository::of(vec![Tag { tag: image.tag.clone(), created: None }]);
                (Some(only), filter.filter(|_| !self.force), Because::NotFound)
            }
            NewImage::One(_) => return Err(Because::NotUsed),
        };
        let filter = filter.unwrap_or_else(|| Pattern::new(ALL));
        let repository = repository.unwrap_or_default();
        let best = repository.best(&filter).map_err(|_| Because::NotFound)?.ok_or(missing)?;
        if best.tag == container.image.tag {
            return Err(Because::UpToDate);
        }
        Ok(as_written(found, container).tagged(&best.tag))
    }

    /// `Release example/web:2 to default:deployment/web`.
    pub fn message(&self) -> String {
        let image = match &self.image {
            NewImage::Latest => "all latest".to_owned(),
            NewImage::One(image) => image.to_string(),
        };
        let workloads = match &self.workloads {
            Which::All => "all".to_owned(),
            Which::These(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        format!("Release {image} to {workloads}")
    }
}

/// A container's image in the spelling of its file.
fn as_written<'a>(found: Selected<'a>, container: &'a Container) -> &'a ImageRef {
    let written = found.git.containers.iter().find(|written| written.name == container.name);
    let same = written.filter(|written| written.image.canonical_name() == container.image.canonical_name());
    same.map_or(&container.image, |written| &written.image)
}

/// Why a container gets no other image; the last one tells most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
    NotUsed,
    UpToDate,
    NotFound,
}

#[cfg(test)]
#[path = "images_tests.rs"]
mod tests;
