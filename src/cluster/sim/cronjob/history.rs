//! Jobs that have ended are kept up to a limit.

use jiff::Timestamp;

use super::{Child, Look};
use crate::cluster::object::{int, text};
use crate::cluster::sim::times;

impl Look<'_> {
    /// Deletes the oldest jobs that have ended beyond what is to be kept of them.
    pub(super) fn clean_up(&mut self) {
        for (end, limit) in [("Failed", "failedJobsHistoryLimit"), ("Complete", "successfulJobsHistoryLimit")] {
            let Some(limit) = int(&self.object, &["spec", limit]) else { continue };
            let jobs = self.jobs.iter().filter(|job| job.end() == Some(end) && !job.stored.deleting);
            let mut jobs: Vec<_> = jobs.map(|job| (started(job), job.stored.clone())).collect();
            jobs.sort_by(|one, other| (one.0, &one.1.key).cmp(&(other.0, &other.1.key)));
            let surplus = jobs.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
            for (_, job) in jobs.into_iter().take(surplus) {
                self.delete(&job);
            }
        }
    }
}

/// When a job began; one that never did counts as young.
fn started(job: &Child<'_>) -> Timestamp {
    times::read(text(&job.object, &["status", "startTime"])).unwrap_or(Timestamp::MAX)
}
