//! Recreate: all old pods go before the first new one comes.

use super::{Newest, Rollout};
use crate::cluster::sim::views::Pod;

impl Rollout<'_> {
    /// One step of replacing everything at once.
    pub(super) fn recreate(&mut self) {
        let old = self.active_old();
        for set in &old {
            self.resize(set, 0, false);
        }
        if !old.is_empty() || self.old_pods_run() {
            return self.write_status();
        }
        match &self.newest {
            Newest::Missing => {
                if !self.make_newest() {
                    return;
                }
            }
            Newest::There(newest) => {
                let newest = newest.clone();
                self.resize(&newest, self.spec.replicas, false);
            }
            Newest::Made { .. } => {}
        }
        if self.is_complete() {
            self.clean_up();
        }
        self.write_status();
    }

    fn old_pods_run(&self) -> bool {
        self.old.iter().any(|set| {
            let pods = self.world.store.owned_by(&set.stored.uid).filter(|object| &*object.resource == "pods");
            set.view.status.replicas > 0 || pods.map(Pod::read).any(|pod| !pod.view.phase.ended())
        })
    }
}
