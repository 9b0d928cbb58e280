//! Workloads and images, as `fluxctl` lists them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{With, error};
use crate::cluster::object;
use crate::gitops::containers::containers;
use crate::gitops::fluxctl::ImageScope;
use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};
use crate::gitops::policy::Policies;
use crate::gitops::source::{Phase, SourceState};
use crate::gitops::table::images::{self, ContainerImages, ImageStatus};
use crate::gitops::table::rollout::rollout;
use crate::gitops::table::workloads::{self as listed, ReadOnly, WorkloadStatus};
use crate::gitops::workloads::{Repository, id_of, is_addon};
use crate::registry::scan::State;
use crate::sandbox::automation::gathered;

async fn found(with: &With, namespace: Option<&str>) -> Result<Vec<Value>, ApiError> {
    let found = gathered(&with.objects, namespace).await;
    let (found, _) = found.map_err(|away| error(ApiErrorKind::Server, away.to_string()))?;
    Ok(found.into_iter().filter(|value| !is_addon(value)).collect())
}

/// What the files say; a file that cannot be read hides nothing behind a table that is half true.
async fn repository(with: &With, source: &SourceState) -> Result<Repository, ApiError> {
    if !source.is_ready() {
        return Ok(Repository::default());
    }
    let checkout = with.reconciler.checkout().await.map_err(|refused| with.refused(&refused))?;
    let repository = Repository::of(&checkout.files);
    match repository.unreadable.first() {
        Some(reason) => Err(ApiError::unparsable(reason)),
        None => Ok(repository),
    }
}

pub(super) async fn workloads(with: &With, namespace: Option<&str>) -> Result<Vec<WorkloadStatus>, ApiError> {
    let status = with.reconciler.status().borrow().clone();
    let repository = repository(with, &status.source).await?;
    let errors: BTreeMap<&str, &str> = status
        .last()
        .map(|record| record.errors.iter().map(|error| (error.id.as_str(), error.error.as_str())).collect())
        .unwrap_or_default();
    let all = found(with, namespace).await?.into_iter().map(|value| {
        let id = id_of(&value);
        let (word, replicas) = rollout(&value);
        let mut one = WorkloadStatus::new(id.clone(), containers(&value).unwrap_or_default(), &word);
        let written = repository.workloads.get(&id);
        one.rollout = replicas;
        one.read_only = read_only(&status.source, written.is_some());
        one.policies = written.map(|written| written.policies().clone()).unwrap_or_default();
        one.sync_error = errors.get(id.to_string().as_str()).map(|error| (*error).to_owned()).unwrap_or_default();
        let labels = object::map(&value, &["metadata", "labels"]).into_iter().flatten();
        one.labels = labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        one
    });
    Ok(listed::listed(all.collect(), None))
}

fn read_only(source: &SourceState, written: bool) -> ReadOnly {
    match source.phase {
        Phase::Unconfigured => ReadOnly::NoRepo,
        _ if !source.is_ready() => ReadOnly::NotReady,
        _ if source.read_only => ReadOnly::ReadOnlyMode,
        _ if !written => ReadOnly::NotInRepo,
        _ => ReadOnly::No,
    }
}

pub(super) async fn images(with: &With, scope: Option<&ImageScope>) -> Result<Vec<ImageStatus>, ApiError> {
    let source = with.reconciler.status().borrow().source.clone();
    let repository = repository(with, &source).await?;
    let namespace = match scope {
        None => None,
        Some(ImageScope::Namespace(namespace)) => Some(namespace.as_str()),
        Some(ImageScope::Workload(id)) => Some(id.namespace.as_str()),
    };
    let mut all = found(with, namespace).await?;
    if let Some(ImageScope::Workload(id)) = scope {
        all.retain(|value| id_of(value) == *id);
        if all.is_empty() {
            return Err(error(ApiErrorKind::Missing, format!("workload {id} not found")));
        }
    }
    let view = with.automation.view().borrow().clone();
    let known = view.known();
    let none = Policies::default();
    let status = |value: &Value| {
        let id = id_of(value);
        let policies = repository.workloads.get(&id).map_or(&none, |written| written.policies());
        let containers = containers(value).unwrap_or_default().into_iter().map(|container| {
            let (name, image) = (&container.name, &container.image);
            let mut shown = ContainerImages::new(name, image, known.get(image), &policies.filter(name));
            let scan = view.scans.get(&image.canonical_name()).map(|scan| &scan.state);
            shown.error = scan.filter(|_| shown.available.is_empty()).map(why).unwrap_or_default();
            shown
        });
        ImageStatus { containers: containers.collect(), id }
    };
    Ok(images::listed(all.iter().map(status).collect()))
}

/// Why nothing is known of an image.
fn why(state: &State) -> String {
    format!("image data not available ({state})")
}
