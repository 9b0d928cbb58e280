//! What `fluxctl` asks for: lists, changes, the state of the repository. One change after another, as jobs.

mod jobs;
mod list;
mod save;
mod update;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::automation;
use crate::gitops::api::Objects;
use crate::gitops::fluxctl::ImageScope;
use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};
use crate::gitops::fluxctl::wire::{GitConfig, Job, Update};
use crate::gitops::git::identity::fingerprint;
use crate::gitops::reconciler::{Error as Refused, Handle as Reconciler};
use crate::gitops::source::Phase;
use crate::gitops::table::images::ImageStatus;
use crate::gitops::table::workloads::WorkloadStatus;

use jobs::Board;
pub(super) use jobs::Jobs;

/// How long the cluster may take for an answer.
const REQUEST: Duration = Duration::from_secs(15);

/// What answers `fluxctl`.
#[derive(Debug, Clone)]
pub struct Daemon {
    with: With,
    board: Arc<Board>,
}

/// What it works with.
#[derive(Debug, Clone)]
struct With {
    reconciler: Reconciler,
    automation: automation::Handle,
    objects: Objects,
    scratch: PathBuf,
}

pub(super) fn new(
    client: &kube::Client,
    reconciler: &Reconciler,
    automation: &automation::Handle,
    scratch: PathBuf,
) -> (Jobs, Daemon) {
    let with = With {
        reconciler: reconciler.clone(),
        automation: automation.clone(),
        objects: Objects::new(client.clone(), REQUEST),
        scratch,
    };
    let (jobs, board) = Jobs::new(with.clone());
    (jobs, Daemon { with, board })
}

fn error(kind: ApiErrorKind, text: impl Into<String>) -> ApiError {
    let text = text.into();
    ApiError { kind, help: text.clone(), error: text }
}

impl With {
    /// The reconciler's reason in the words of the API.
    fn refused(&self, refused: &Refused) -> ApiError {
        let ready = self.reconciler.status().borrow().source.is_ready();
        match refused {
            Refused::Stopped => error(ApiErrorKind::Server, refused.to_string()),
            Refused::Refused(why) if ready => error(ApiErrorKind::Server, why.clone()),
            Refused::Refused(why) => {
                let why = if why.starts_with("git repo") { why.clone() } else { format!("git repo not ready: {why}") };
                error(ApiErrorKind::User, why)
            }
        }
    }
}

impl Daemon {
    /// The workloads of a namespace, or of all.
    ///
    /// # Errors
    /// When git or the cluster cannot be read.
    pub async fn list_workloads(&self, namespace: Option<&str>) -> Result<Vec<WorkloadStatus>, ApiError> {
        list::workloads(&self.with, namespace).await
    }

    /// Workloads and the images that their containers could run.
    ///
    /// # Errors
    /// When git or the cluster cannot be read, or there is no such workload.
    pub async fn list_images(&self, scope: Option<&ImageScope>) -> Result<Vec<ImageStatus>, ApiError> {
        list::images(&self.with, scope).await
    }

    /// Asks for a change; gives the id of the job.
    ///
    /// # Errors
    /// When too many changes wait already, or nothing may be written.
    pub fn update(&self, update: Update) -> Result<String, ApiError> {
        self.board.put(update)
    }

    /// How far a job is.
    ///
    /// # Errors
    /// When there is none, or it was long ago.
    pub fn job(&self, id: &str) -> Result<Job, ApiError> {
        self.board.look(id).ok_or_else(|| error(ApiErrorKind::Missing, format!("job not found: `{id}`")))
    }

    /// The commits up to one that are not synced yet.
    ///
    /// # Errors
    /// When git cannot tell.
    pub async fn unsynced(&self, revision: &str) -> Result<Vec<String>, ApiError> {
        let commits = self.with.reconciler.unsynced(Some(revision.to_owned())).await;
        let commits = commits.map_err(|refused| self.with.refused(&refused))?;
        Ok(commits.into_iter().map(|commit| commit.id).collect())
    }

    /// The public key; a new one when it is to be made anew.
    ///
    /// # Errors
    /// When there is none.
    pub async fn identity(&self, regenerate: bool) -> Result<String, ApiError> {
        self.with
            .reconciler
            .identity(regenerate)
            .await
            .map_err(|refused| error(ApiErrorKind::Server, refused.to_string()))
    }

    /// The repository and the key. A key that cannot be had is no reason to say nothing of the repository.
    ///
    /// # Errors
    /// When a new key is wanted and cannot be made.
    pub async fn git_config(&self, regenerate: bool) -> Result<GitConfig, ApiError> {
        let key = match self.identity(regenerate).await {
            Ok(key) => key,
            Err(error) if regenerate => return Err(error),
            Err(_) => String::new(),
        };
        let shown =
            if key.is_empty() { Err(()) } else { fingerprint(&key, true, &self.with.scratch).await.map_err(|_| ()) };
        let shown = shown.unwrap_or_default();
        let (digest, picture) = shown.split_once('\n').unwrap_or((&shown, ""));
        let source = self.with.reconciler.status().borrow().source.clone();
        let status = match source.phase {
            Phase::Unconfigured => "unconfigured",
            Phase::New => "new",
            Phase::Cloned => "cloned",
            Phase::Ready => "ready",
            Phase::Unreachable => "unreachable",
        };
        Ok(GitConfig {
            url: source.url,
            branch: source.branch,
            status: status.to_owned(),
            error: source.error.unwrap_or_default(),
            fingerprint: digest.to_owned(),
            picture: picture.to_owned(),
            key,
        })
    }

    /// What runs in the cluster, as manifests.
    ///
    /// # Errors
    /// When the cluster cannot be read.
    pub async fn export(&self) -> Result<String, ApiError> {
        save::export(&self.with.objects).await
    }

    /// A push or a new image is known of: look now.
    pub fn notify(&self, kind: &str) -> Result<(), ApiError> {
        match kind {
            "git" => self.with.reconciler.pushed(),
            "image" => self.with.automation.ask(),
            other => {
                return Err(error(
                    ApiErrorKind::User,
                    format!("unknown kind of news `{other}`; there are git and image"),
                ));
            }
        }
        Ok(())
    }
}
