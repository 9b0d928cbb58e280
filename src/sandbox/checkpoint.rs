//! Going back: cluster and repository as they were when a step began.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Sandbox;
use super::error::Error;
use crate::cluster::api::checkpoint::Checkpoint;

/// Checkpoints that are kept; the oldest goes first.
const MOST: usize = 200;

#[derive(Debug, Clone)]
struct Kept {
    number: u64,
    cluster: Option<Checkpoint>,
    refs: Vec<(String, String)>,
}

/// The checkpoints of a sandbox by name.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    kept: Mutex<(u64, BTreeMap<String, Kept>)>,
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
        let mut kept = self.checkpoints.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, by_name) = &mut *kept;
        *number += 1;
        by_name.insert(name.to_owned(), Kept { number: *number, cluster, refs });
        if by_name.len() > MOST {
            let oldest = by_name.iter().min_by_key(|(_, kept)| kept.number).map(|(name, _)| name.clone());
            oldest.map(|name| by_name.remove(&name));
        }
        Ok(())
    }

    /// Whether there is one of this name.
    pub fn has_checkpoint(&self, name: &str) -> bool {
        self.checkpoints.kept.lock().unwrap_or_else(PoisonError::into_inner).1.contains_key(name)
    }

    /// The name of the newest one.
    pub fn last_checkpoint(&self) -> Option<String> {
        let kept = self.checkpoints.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().max_by_key(|(_, kept)| kept.number).map(|(name, _)| name.clone())
    }

    /// Goes back. The repository goes first, so that the reconciler does not bring back what is undone; a cluster that
    /// is not embedded follows by being reconciled.
    ///
    /// # Errors
    /// When there is no such checkpoint, or git or the cluster refuses.
    pub async fn restore(&self, name: &str) -> Result<(), Error> {
        let kept = {
            let all = self.checkpoints.kept.lock().unwrap_or_else(PoisonError::into_inner);
            all.1.get(name).cloned().ok_or_else(|| Error::NoCheckpoint(name.to_owned()))?
        };
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
