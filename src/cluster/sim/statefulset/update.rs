//! Rolling updates of stateful sets: from the highest number down to the partition.

use super::Look;
use crate::cluster::sim::revision::POD_REVISION;

impl Look<'_> {
    /// Deletes the next pods of an old revision, as many as may be unavailable.
    pub(super) fn update(&mut self) {
        let unavailable =
            self.replicas.iter().flatten().filter(|pod| !(self.healthy(pod) && self.available(pod))).count();
        let missing = self.replicas.iter().filter(|pod| pod.is_none()).count();
        let unavailable = i64::try_from(unavailable + missing).unwrap_or(i64::MAX);
        let mut may_go = self.spec.max_unavailable - unavailable;
        let first = usize::try_from(self.spec.partition).unwrap_or(0);
        for at in (first..self.replicas.len()).rev() {
            if may_go <= 0 {
                return;
            }
            let Some(pod) = self.replicas.get(at).cloned().flatten() else { continue };
            let revision = pod.stored.label(POD_REVISION);
            if revision != Some(&self.latest.name) && !pod.stored.deleting {
                self.replaced += i64::from(revision == Some(&self.current.0));
                self.unmake(&pod);
                may_go -= 1;
            }
        }
    }
}
