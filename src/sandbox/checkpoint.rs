//! Going back: cluster and repository as they were when a step began.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::Error;
use super::{ClusterPlan, Plan, Sandbox, checkpoint_file};
use crate::cluster::api::checkpoint::Checkpoint;

/// Checkpoints that are kept; the oldest goes first.
const MOST: usize = 200;

/// A moment to go back to.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Grows with every checkpoint.
    pub(super) number: u64,
    pub(super) cluster: Option<Checkpoint>,
    pub(super) refs: Vec<(String, String)>,
}

/// Where a checkpoint is.
#[derive(Debug)]
enum Place {
    /// In memory: it was made since the sandbox started.
    Here(Kept),
    /// In its file alone: it was made before, by this number.
    There(u64),
}

impl Place {
    fn number(&self) -> u64 {
        match self {
            Self::Here(kept) => kept.number,
            Self::There(number) => *number,
        }
    }
}

/// The checkpoints of a sandbox by name.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    by_name: Mutex<BTreeMap<String, Place>>,
    /// Where they outlive the sandbox, when its cluster does.
    folder: Option<PathBuf>,
}

impl Checkpoints {
    /// Those that an earlier run of the same cluster left.
    pub(super) fn new(plan: &Plan) -> Self {
        let lasts = matches!(&plan.cluster, ClusterPlan::Embedded(config) if config.folder.is_some());
        let folder = lasts.then(|| plan.folder.path().join("checkpoints"));
        let left = folder.as_deref().map(checkpoint_file::list).unwrap_or_default();
        let by_name = left.into_iter().map(|(name, number)| (name, Place::There(number))).collect();
        Self { by_name: Mutex::new(by_name), folder }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Place>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of those that are too many, after a new one.
    fn add(&self, name: &str, kept: Kept) -> Vec<String> {
        let mut by_name = self.lock();
        by_name.insert(name.to_owned(), Place::Here(kept));
        let mut gone = Vec::new();
        while by_name.len() > MOST {
            let oldest = by_name.iter().min_by_key(|(_, place)| place.number()).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            by_name.remove(&oldest);
            gone.push(oldest);
        }
        gone
    }
}

impl Sandbox {
    /// Remembers cluster and repository as they are now. A later one of the same name replaces it.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub async fn checkpoint(&self, name: &str) -> Result<(), Error> {
        let refs = match &self.repository {
            Some(repository) => repository.refs().await?,
            None => Vec::new(),
        };
        let cluster = self.embedded().map(|embedded| embedded.api().checkpoint());
        let number = self.checkpoints.lock().values().map(Place::number).max().unwrap_or(0) + 1;
        let kept = Kept { number, cluster, refs };
        let gone = self.checkpoints.add(name, kept.clone());
        if let Some(folder) = self.checkpoints.folder.clone() {
            let name = name.to_owned();
            let written = tokio::task::spawn_blocking(move || {
                gone.iter().for_each(|name| checkpoint_file::remove(&folder, name));
                checkpoint_file::write(&folder, &name, &kept)
            });
            // It still is in memory then.
            if let Ok(Err(error)) = written.await {
                tracing::warn!(%error, "a checkpoint cannot be kept for later");
            }
        }
        Ok(())
    }

    /// Whether there is one of this name.
    pub fn has_checkpoint(&self, name: &str) -> bool {
        self.checkpoints.lock().contains_key(name)
    }

    /// The name of the newest one.
    pub fn last_checkpoint(&self) -> Option<String> {
        let by_name = self.checkpoints.lock();
        by_name.iter().max_by_key(|(_, place)| place.number()).map(|(name, _)| name.clone())
    }

    /// The checkpoint of a name, read from its file when it is not in memory.
    async fn kept(&self, name: &str) -> Result<Kept, Error> {
        let missing = || Error::NoCheckpoint(name.to_owned());
        match self.checkpoints.lock().get(name) {
            Some(Place::Here(kept)) => return Ok(kept.clone()),
            Some(Place::There(_)) => {}
            None => return Err(missing()),
        }
        let folder = self.checkpoints.folder.clone().ok_or_else(missing)?;
        let file = name.to_owned();
        let read = tokio::task::spawn_blocking(move || checkpoint_file::read(&folder, &file));
        let read = read.await.ok().flatten();
        if read.is_none() {
            // What cannot be read is none.
            self.checkpoints.lock().remove(name);
        }
        read.ok_or_else(missing)
    }

    /// Goes back. The repository goes first, so that the reconciler does not bring back what is undone; a cluster that
    /// is not embedded follows by being reconciled.
    ///
    /// # Errors
    /// When there is no such checkpoint, or git or the cluster refuses.
    pub async fn restore(&self, name: &str) -> Result<(), Error> {
        let kept = self.kept(name).await?;
        self.reconciler.pause();
        let restored = self.put_back(&kept).await;
        self.reconciler.resume();
        self.reconciler.pushed();
        restored
    }

    async fn put_back(&self, kept: &Kept) -> Result<(), Error> {
        if let Some(repository) = &self.repository {
            repository.restore(&kept.refs).await?;
        }
        if let (Some(embedded), Some(cluster)) = (self.embedded(), &kept.cluster) {
            embedded.api().restore(cluster).map_err(|refusal| Error::Restore(refusal.message))?;
        }
        Ok(())
    }
}
