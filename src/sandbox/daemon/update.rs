//! Carries a change out: decide on the newest commit, commit, push.

use std::sync::{Arc, Mutex, PoisonError};

use super::With;
use crate::gitops::fluxctl::wire::{Done, Update};
use crate::gitops::image::repository::Registry;
use crate::gitops::record::{Ending, SyncRecord};
use crate::gitops::release::policies::{self, PolicyChanges};
use crate::gitops::release::{Cause, Plan, ReleaseError, Results, Workload};
use crate::gitops::sync::job::{Checkout, Edits};
use crate::gitops::workloads::{Draft, Repository, running};
use crate::sandbox::automation::{gathered, note};

/// Does what is asked; the error is for people.
pub(super) async fn run(with: &With, update: Update) -> Result<Done, String> {
    match &update {
        Update::Sync => sync(with).await,
        Update::Automate => {
            with.automation.ask();
            Ok(Done::default())
        }
        Update::Images(images) => {
            let (release, cause) = (images.release.clone(), images.cause.clone());
            let plan = move |workloads: &[Workload], known: &Registry| release.plan(workloads, known, &cause);
            released(with, &update, images.dry_run, plan).await
        }
        Update::Containers(containers) => {
            let (release, cause) = (containers.release.clone(), containers.cause.clone());
            let plan = move |workloads: &[Workload], _: &Registry| release.plan(workloads, &cause);
            released(with, &update, containers.dry_run, plan).await
        }
        Update::Policies(changes, cause) => change_policies(with, &update, changes.clone(), cause.clone()).await,
    }
}

/// Syncs, also what is synced already, and tells what could not be applied.
async fn sync(with: &With) -> Result<Done, String> {
    let record = with.reconciler.sync().await.map_err(|error| error.to_string())?;
    if record.ending == Ending::Failed {
        return Err(record.error.clone().unwrap_or_else(|| "the sync did not come to its end".to_owned()));
    }
    let revision = record.revision.clone().unwrap_or_default();
    Ok(Done { revision, results: Results::default(), notes: complaints(&record) })
}

fn complaints(record: &SyncRecord) -> Vec<String> {
    let errors = record.errors.iter().map(|error| {
        let place = if error.path.is_empty() { String::new() } else { format!(" ({})", error.path) };
        format!("{}{place}: {}", error.id, error.error)
    });
    record.error.iter().cloned().chain(errors).collect()
}

/// Plans a release and, unless only the plan is wanted, commits it.
async fn released(
    with: &With,
    update: &Update,
    dry_run: bool,
    plan: impl Fn(&[Workload], &Registry) -> Result<Plan, ReleaseError> + Send + 'static,
) -> Result<Done, String> {
    let (found, _) = gathered(&with.objects, None).await.map_err(|error| error.to_string())?;
    let (running, known) = (running(&found), with.automation.view().borrow().known());
    if dry_run {
        let checkout = with.reconciler.checkout().await.map_err(|error| error.to_string())?;
        let workloads = Repository::of(&checkout.files).with(&running);
        let planned = plan(&workloads, &known).map_err(|error| explained(&error))?;
        return Ok(Done { results: planned.results, ..Done::default() });
    }
    let results = Arc::new(Mutex::new(Results::default()));
    let (told, update) = (results.clone(), update.clone());
    let decide = move |checkout: &Checkout| {
        let repository = Repository::of(&checkout.files);
        let planned = plan(&repository.with(&running), &known).map_err(|error| explained(&error))?;
        let mut draft = Draft::new(&checkout.files, &repository);
        planned.edits.iter().try_for_each(|edit| draft.set_image(edit))?;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = planned.results.clone();
        let files = draft.finish();
        let note = note(&update, Done { results: planned.results, ..Done::default() });
        Ok((!files.is_empty()).then_some(Edits { files, message: planned.message, author: None, note: Some(note) }))
    };
    let revision = with.reconciler.commit(decide).await.map_err(|error| error.to_string())?;
    let results = results.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Done { revision: revision.unwrap_or_default(), results, notes: Vec::new() })
}

fn explained(error: &ReleaseError) -> String {
    match error {
        ReleaseError::Unsatisfied(results) | ReleaseError::NoChanges(results) if !results.error().is_empty() => {
            format!("{error}: {}", results.error())
        }
        error => error.to_string(),
    }
}

async fn change_policies(with: &With, update: &Update, changes: PolicyChanges, cause: Cause) -> Result<Done, String> {
    let outcome = Arc::new(Mutex::new(None));
    let (told, update) = (outcome.clone(), update.clone());
    let decide = move |checkout: &Checkout| {
        let repository = Repository::of(&checkout.files);
        let mut draft = Draft::new(&checkout.files, &repository);
        let plan = policies::plan(&changes, &cause, |id, change| draft.set_policies(id, change))?;
        let note = note(&update, Done { results: plan.results.clone(), ..Done::default() });
        let (files, message) = (draft.finish(), plan.message.clone());
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
        let edits = message.filter(|_| !files.is_empty());
        Ok(edits.map(|message| Edits { files, message, author: None, note: Some(note) }))
    };
    let revision = with.reconciler.commit(decide).await.map_err(|error| error.to_string())?;
    let plan = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    let plan = plan.ok_or_else(|| "nothing was decided".to_owned())?;
    if plan.automated {
        with.automation.ask();
    }
    Ok(Done { revision: revision.unwrap_or_default(), results: plan.results, notes: plan.notes })
}
