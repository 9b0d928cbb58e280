//! Old replica sets beyond the limit are deleted, those of the lowest revisions first.

use super::{Rollout, Set, annotations};
use crate::cluster::sim::actions;

impl Rollout<'_> {
    /// Deletes what is too old to keep, unless it still has pods.
    pub(super) fn clean_up(&mut self) {
        let Some(limit) = self.spec.history_limit else { return };
        let mut sets: Vec<_> = self.old.iter().filter(|set| !set.stored.deleting).collect();
        sets.sort_by_key(|set| (set.number(annotations::REVISION).unwrap_or(0), set.age()));
        let too_many = sets.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let gone = sets.into_iter().take(too_many).filter(|set| is_idle(set));
        let gone: Vec<_> = gone.map(|set| actions::delete(set.stored)).collect();
        self.decision.actions.extend(gone);
    }
}

fn is_idle(set: &Set<'_>) -> bool {
    set.replicas() == 0 && set.view.status.replicas == 0 && set.view.generation <= set.view.status.observed_generation
}
