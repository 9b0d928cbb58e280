//! A release of chosen containers, as picked from a menu, each with the image it is expected to run now.

use std::collections::BTreeMap;

use super::select::{Selected, Selection};
use super::{Cause, Outcome, Plan, ReleaseError, Results, Status, Update, Workload};
use crate::gitops::id::ResourceId;
use crate::gitops::image::reference::ImageRef;

/// A container to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// The container.
    pub container: String,
    /// What it has to run now; anything when there is none.
    pub current: Option<ImageRef>,
    /// What it shall run.
    pub target: ImageRef,
}

/// What is to be released.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerRelease {
    /// The containers of each workload.
    pub specs: BTreeMap<ResourceId, Vec<ContainerSpec>>,
    /// Containers that run something unexpected are left out, instead of failing everything.
    pub skip_mismatches: bool,
    /// Locks do not count.
    pub force: bool,
}

impl ContainerRelease {
    /// Decides what becomes of every workload.
    ///
    /// # Errors
    /// When a container is missing or runs something else, or when nothing changes. The results say which.
    pub fn plan(&self, workloads: &[Workload], cause: &Cause) -> Result<Plan, ReleaseError> {
        let results = self.results(workloads);
        let any = |status| results.0.values().any(|outcome| outcome.status == status);
        if any(Status::Failed) {
            return Err(ReleaseError::Unsatisfied(results));
        }
        if !any(Status::Success) {
            return Err(ReleaseError::NoChanges(results));
        }
        let message = if cause.message.is_empty() { message(&results) } else { cause.message.clone() };
        Ok(Plan::new(results, message))
    }

    fn results(&self, workloads: &[Workload]) -> Results {
        let include: Vec<_> = self.specs.keys().cloned().collect();
        let mut results = Results::default();
        let selection = Selection { include: Some(&include), unlocked: self.force, ..Selection::default() };
        for found in selection.of(workloads, &mut results) {
            results.0.insert(found.id.clone(), self.outcome(found));
        }
        results
    }

    fn outcome(&self, found: Selected<'_>) -> Outcome {
        let containers = match &found.cluster.containers {
            Ok(containers) => containers,
            Err(reason) => return Outcome::without(Status::Failed, reason.clone()),
        };
        let (mut updates, mut missing, mut mismatched) = (Vec::new(), Vec::new(), Vec::new());
        for spec in self.specs.get(found.id).into_iter().flatten() {
            let name = spec.container.clone();
            let Some(container) = containers.iter().find(|container| container.name == name) else {
                missing.push(name);
                continue;
            };
            if spec.current.as_ref().is_some_and(|current| container.image != *current) {
                mismatched.push(name);
            } else if container.image != spec.target {
                let (current, target) = (container.image.clone(), spec.target.clone());
                updates.push(Update { container: name, current, target });
            }
        }
        if !missing.is_empty() {
            return Outcome::without(Status::Failed, format!("container(s) not found: {}", missing.join(", ")));
        }
        let mismatch = format!("container(s) tag mismatch: {}", mismatched.join(", "));
        match (mismatched.is_empty(), updates.is_empty()) {
            (false, _) if !self.skip_mismatches => Outcome::without(Status::Failed, mismatch),
            (true, true) => Outcome::without(Status::Skipped, "image(s) up to date"),
            (false, true) => Outcome::without(Status::Skipped, mismatch),
            (true, false) => Outcome::success(updates),
            (false, false) => Outcome { reason: mismatch, ..Outcome::success(updates) },
        }
    }
}

fn message(results: &Results) -> String {
    let mut body = String::new();
    for (id, outcome) in results.sorted().into_iter().filter(|(_, outcome)| outcome.status == Status::Success) {
        body.push_str(&format!("\n{id}"));
        for update in &outcome.updates {
            body.push_str(&format!("\n- {}", update.target));
        }
        body.push('\n');
    }
    format!("Update image refs in {}\n{body}", results.affected().join(", "))
}

#[cfg(test)]
#[path = "containers_tests.rs"]
mod tests;
