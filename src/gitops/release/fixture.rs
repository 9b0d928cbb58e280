//! Workloads and registries for tests.

use serde_json::json;

use super::{Side, Workload};
use crate::gitops::containers::Container;
use crate::gitops::id::ResourceId;
use crate::gitops::image::pattern::Tag;
use crate::gitops::image::reference::ImageRef;
use crate::gitops::image::repository::{Registry, Repository};
use crate::gitops::policy::Policies;

/// A deployment in Git and the cluster, with containers as `name=image` and policies as `name=value`.
pub(super) fn workload(name: &str, containers: &[&str], policies: &[&str]) -> Workload {
    let annotations: serde_json::Map<_, _> = policies
        .iter()
        .filter_map(|policy| policy.split_once('='))
        .map(|(policy, value)| (format!("fluxcd.io/{policy}"), json!(value)))
        .collect();
    let policies = Policies::of(&json!({"metadata": {"annotations": annotations}}));
    let containers: Vec<_> = containers
        .iter()
        .filter_map(|container| container.split_once('='))
        .map(|(name, image)| Container { name: name.to_owned(), image: ImageRef::parse(image).unwrap() })
        .collect();
    Workload {
        id: ResourceId::new("default", "deployment", name),
        git: Some(Side { policies: policies.clone(), containers: containers.clone() }),
        cluster: Some(Side { policies, containers: Ok(containers) }),
    }
}

/// Images with their tags, each built after the one before.
pub(super) fn registry(images: &[(&str, &[&str])]) -> Registry {
    let mut registry = Registry::default();
    for (image, tags) in images {
        let tags = tags.iter().enumerate().map(|(at, tag)| Tag {
            tag: (*tag).to_owned(),
            created: jiff::Timestamp::from_second(1_700_000_000 + i64::try_from(at).unwrap()).ok(),
        });
        registry.insert(&ImageRef::parse(image).unwrap(), Repository::of(tags.collect()));
    }
    registry
}

/// Results as lines: `name status reason container: current -> tag`.
pub(super) fn lines(results: &super::Results) -> Vec<String> {
    let lines = results.0.iter().map(|(id, outcome)| {
        let updates = outcome.updates.iter().map(|u| format!("{}: {} -> {}", u.container, u.current, u.target.tag));
        let parts = [id.name.clone(), outcome.status.to_string(), outcome.reason.clone()].into_iter().chain(updates);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    });
    lines.collect()
}
