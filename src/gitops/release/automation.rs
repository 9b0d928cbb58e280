//! One look at all automated workloads: which of their containers get a newer image, and why the others do not.

use super::select::Selection;
use super::{Outcome, Plan, Results, Status, Update, Workload};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::choose::{Choice, Explanation, choose};
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::Registry;
use crate::gitops::policy::{AUTOMATED, LOCKED};

/// Whether images are changed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Nothing is written to Git.
    pub read_only: bool,
    /// Registries are not looked at.
    pub scanning_disabled: bool,
}

impl Rights {
    /// Why no image is changed, to be said once; none when they are.
    pub fn refusal(self) -> Option<&'static str> {
        if self.read_only {
            return Some("Repo is read-only; no image updates will be attempted");
        }
        self.scanning_disabled.then_some("Registry scanning is disabled; no image updates will be attempted")
    }
}

/// What was decided about one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The workload.
    pub id: ResourceId,
    /// The container.
    pub container: String,
    /// What it runs.
    pub current: ImageRef,
    /// The filter of its tags.
    pub filter: String,
    /// The choice and how it came about.
    pub explanation: Explanation,
}

/// What a look comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automation {
    /// Every container of every automated workload.
    pub decisions: Vec<Decision>,
    /// The release; none when nothing changes.
    pub plan: Option<Plan>,
}

/// Looks at all workloads once.
pub fn run(workloads: &[Workload], registry: &Registry, rights: Rights) -> Automation {
    if rights.refusal().is_some() {
        return Automation { decisions: Vec::new(), plan: None };
    }
    let candidates = workloads.iter().filter(|workload| is_automated(workload));
    let decisions: Vec<_> = candidates.flat_map(|workload| decide(workload, registry)).collect();
    let plan = release(workloads, &decisions);
    Automation { decisions, plan }
}

fn is_automated(workload: &Workload) -> bool {
    workload.git.as_ref().is_some_and(|git| {
        let policies = &git.policies;
        policies.is_on(AUTOMATED) && !policies.is_on(LOCKED) && !policies.is_ignored()
    })
}

fn decide<'a>(workload: &'a Workload, registry: &'a Registry) -> impl Iterator<Item = Decision> + 'a {
    let policies = workload.git.as_ref().map(|git| git.policies.clone()).unwrap_or_default();
    let running = workload.cluster.as_ref().and_then(|cluster| cluster.containers.as_ref().ok());
    running.into_iter().flatten().map(move |container| {
        let filter = policies.filter(&container.name);
        let repository = registry.get(&container.image);
        let (listed, known) = repository.map_or((&[][..], &[][..]), |found| (&found.listed, &found.known));
        let explanation = choose(&filter, &container.image.tag, listed, known);
        Decision {
            id: workload.id.clone(),
            container: container.name.clone(),
            current: container.image.clone(),
            filter: filter.to_string(),
            explanation,
        }
    })
}

/// The release of what was chosen, with the names as the files spell them.
fn release(workloads: &[Workload], decisions: &[Decision]) -> Option<Plan> {
    let chosen: Vec<(&Decision, &str)> = decisions
        .iter()
        .filter_map(|decision| match &decision.explanation.choice {
            Choice::Update(tag) => Some((decision, tag.as_str())),
            _ => None,
        })
        .collect();
    let mut include: Vec<_> = chosen.iter().map(|(decision, _)| decision.id.clone()).collect();
    include.dedup();
    let mut results = Results::default();
    let selection = Selection { include: Some(&include), ..Selection::default() };
    for found in selection.of(workloads, &mut results) {
        let of_this = |container: &Container| {
            chosen.iter().find(|(decision, _)| decision.id == *found.id && decision.container == container.name)
        };
        let updates: Vec<_> = found
            .git
            .containers
            .iter()
            .filter_map(|container| {
                let (decision, tag) = of_this(container)?;
                let same = container.image.canonical_name() == decision.current.canonical_name();
                // Git is ahead of the cluster: nothing to do.
                if same && container.image.tag == *tag {
                    return None;
                }
                let (container, current) = (container.name.clone(), container.image.clone());
                Some(Update { container, target: current.tagged(tag), current })
            })
            .collect();
        let outcome = if updates.is_empty() {
            Outcome::without(Status::Skipped, "image(s) up to date")
        } else {
            Outcome::success(updates)
        };
        results.0.insert(found.id.clone(), outcome);
    }
    let images = results.changed_images();
    (!images.is_empty()).then(|| Plan::new(results, message(&images)))
}

/// What the commit of new images says.
pub fn message(images: &[String]) -> String {
    match images {
        [] => "Auto-release (no images)\n".to_owned(),
        [image] => format!("Auto-release {image}"),
        many => {
            let lines: String = many.iter().map(|image| format!(" - {image}\n")).collect();
            format!("Auto-release multiple ({}) images\n\n{lines}", many.len())
        }
    }
}

#[cfg(test)]
#[path = "automation_tests.rs"]
mod tests;
