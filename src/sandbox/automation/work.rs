//! The loop: look, decide, commit, wait for something to happen.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Committed, Scanning, View, gather};
use crate::gitops::api::Objects;
use crate::gitops::fluxctl::wire::{Done, Job, Update};
use crate::gitops::reconciler::{Error as Refused, Handle as Reconciler};
use crate::gitops::release::Workload;
use crate::gitops::release::automation::{self, Automation, Rights};
use crate::gitops::status::Status;
use crate::gitops::sync::job::{Checkout, Edits};
use crate::gitops::workloads::{Draft, Repository, running};
use crate::registry::credentials::Keyring;

/// Until what failed is tried again; then twice as long each time, up to the interval.
const RETRY: Duration = Duration::from_secs(2);
/// Workloads that nobody told of are found after this.
const LOOK: Duration = Duration::from_secs(60);

pub(super) struct Parts {
    pub(super) reconciler: Reconciler,
    pub(super) objects: Objects,
    pub(super) docker: Keyring,
    pub(super) rights: Rights,
    pub(super) every: Duration,
    pub(super) scans: Scanning,
    pub(super) view: watch::Sender<View>,
    pub(super) asked: Arc<Notify>,
}

pub(super) struct Work {
    parts: Parts,
    workloads: Vec<Workload>,
    look_at: Instant,
    /// Nothing is committed before.
    patience: Option<Instant>,
    failures: u32,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Work")
    }
}

/// What of the reconciler's status calls for another look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    head: Option<String>,
    syncs: Option<(u64, bool)>,
    ready: bool,
}

impl Seen {
    fn of(status: &Status) -> Self {
        Self {
            head: status.source.head.clone(),
            syncs: status.last().map(|record| (record.number, record.ended.is_some())),
            ready: status.source.is_ready(),
        }
    }
}

impl Work {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts, workloads: Vec::new(), look_at: Instant::now(), patience: None, failures: 0 }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut status = self.parts.reconciler.status();
        let mut scans = self.parts.scans.scans();
        let mut seen = Seen::default();
        loop {
            let now = Seen::of(&status.borrow_and_update());
            let look = now != seen || Instant::now() >= self.look_at;
            seen = now;
            if look && seen.ready {
                self.look().await;
            } else if look {
                self.again(LOOK.min(self.parts.every));
            }
            scans.borrow_and_update();
            let patience = self.decide().await;
            let wake = [Some(self.look_at), patience].into_iter().flatten().min().unwrap_or(self.look_at);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = scans.changed() => if changed.is_err() { return },
                changed = status.wait_for(|status| Seen::of(status) != seen) => if changed.is_err() { return },
                () = self.parts.asked.notified() => {
                    self.look_at = Instant::now();
                    self.patience = None;
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn again(&mut self, after: Duration) {
        self.look_at = Instant::now() + after;
        let next = SignedDuration::try_from(after).ok().and_then(|after| Timestamp::now().checked_add(after).ok());
        self.parts.view.send_modify(|view| view.next = next);
    }

    /// Looks at files and cluster, and says which images to look for.
    async fn look(&mut self) {
        match self.gathered().await {
            Ok(()) => self.again(LOOK.min(self.parts.every)),
            Err(why) => {
                self.parts.view.send_modify(|view| view.problem = Some(why));
                self.again(RETRY);
            }
        }
    }

    async fn gathered(&mut self) -> Result<(), String> {
        let Parts { reconciler, objects, docker, view, scans, .. } = &self.parts;
        let checkout = reconciler.checkout().await.map_err(|error| error.to_string())?;
        let (found, kinds) = gather::workloads(objects, None).await.map_err(|error| error.to_string())?;
        let repository = Repository::of(&checkout.files);
        let running = running(&found);
        self.workloads = repository.with(&running);
        let wanted = gather::wanted(&found, &self.workloads, objects, &kinds, docker).await;
        scans.want(wanted.map_err(|error| error.to_string())?);
        view.send_modify(|view| {
            view.running = Arc::new(running);
            view.unreadable = Arc::new(repository.unreadable);
            view.looked = Some(Timestamp::now());
            view.problem = None;
        });
        Ok(())
    }

    /// Decides for every container, and commits what comes of it; when to try again what failed.
    async fn decide(&mut self) -> Option<Instant> {
        let scans = self.parts.scans.scans().borrow().clone();
        self.parts
            .view
            .send_if_modified(|view| !Arc::ptr_eq(&std::mem::replace(&mut view.scans, scans.clone()), &scans));
        let known = self.parts.view.borrow().known();
        let Automation { decisions, plan } = automation::run(&self.workloads, &known, self.parts.rights);
        self.parts.view.send_if_modified(|view| {
            let changed = *view.decisions != decisions;
            view.decisions = Arc::new(decisions);
            changed
        });
        plan?;
        if let Some(patience) = self.patience.filter(|patience| *patience > Instant::now()) {
            return Some(patience);
        }
        self.patience = match self.commit().await {
            Ok(()) => {
                self.failures = 0;
                None
            }
            Err(Refused::Stopped) => None,
            Err(error) => {
                tracing::warn!(%error, "new images cannot be committed");
                self.parts.view.send_modify(|view| view.problem = Some(error.to_string()));
                let wait = (RETRY * 2_u32.saturating_pow(self.failures.min(16))).min(self.parts.every);
                self.failures = self.failures.saturating_add(1);
                Some(Instant::now() + wait)
            }
        };
        self.patience
    }

    /// Decides again on the newest commit, where somebody may have locked a workload meanwhile, and commits.
    async fn commit(&self) -> Result<(), Refused> {
        let view = self.parts.view.borrow().clone();
        let (running, known, rights) = (view.running.clone(), view.known(), self.parts.rights);
        let subject = Arc::new(std::sync::Mutex::new(String::new()));
        let said = subject.clone();
        let decide = move |checkout: &Checkout| {
            let repository = Repository::of(&checkout.files);
            let Some(plan) = automation::run(&repository.with(&running), &known, rights).plan else { return Ok(None) };
            let mut draft = Draft::new(&checkout.files, &repository);
            plan.edits.iter().try_for_each(|edit| draft.set_image(edit))?;
            let files = draft.finish();
            if files.is_empty() {
                return Ok(None);
            }
            let line = plan.message.lines().next().unwrap_or_default().to_owned();
            *said.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = line;
            let note = note(&Update::Automate, Done { results: plan.results, ..Done::default() });
            Ok(Some(Edits { files, message: plan.message, author: None, note: Some(note) }))
        };
        if let Some(revision) = self.parts.reconciler.commit(decide).await? {
            let subject = subject.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            tracing::info!(%revision, subject, "new images are committed");
            self.parts.view.send_modify(|view| {
                view.problem = None;
                view.remember(Committed { revision, time: Timestamp::now(), subject });
            });
        }
        Ok(())
    }
}

/// The note on a commit of ours, as Flux writes it.
pub(in crate::sandbox) fn note(update: &Update, done: Done) -> String {
    let result = Job::Succeeded(done).to_json();
    let result = result.pointer("/Result/result").cloned().unwrap_or_default();
    serde_json::json!({"spec": update.to_json(), "result": result}).to_string()
}
