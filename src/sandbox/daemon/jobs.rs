//! Changes, one after another, and what came of the last ones.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{With, error, update};
use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};
use crate::gitops::fluxctl::wire::{Job, Update};

/// Changes that may wait.
const WAITING: usize = 32;
/// Jobs that are remembered.
const MOST: usize = 100;

/// Where jobs are put and looked up.
#[derive(Debug)]
pub(super) struct Board {
    queue: mpsc::Sender<(String, Update)>,
    jobs: Arc<Mutex<VecDeque<(String, Job)>>>,
}

/// The jobs, to be run.
#[derive(Debug)]
pub(in crate::sandbox) struct Jobs {
    with: With,
    queue: mpsc::Receiver<(String, Update)>,
    jobs: Arc<Mutex<VecDeque<(String, Job)>>>,
}

impl Board {
    pub(super) fn put(&self, update: Update) -> Result<String, ApiError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|_| error(ApiErrorKind::Server, "the system gives no random numbers for the job's id"))?;
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        self.queue.try_send((id.clone(), update)).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => error(ApiErrorKind::Server, "too many changes wait; try again soon"),
            mpsc::error::TrySendError::Closed(_) => error(ApiErrorKind::Server, "the reconciler is not running"),
        })?;
        jobs.push_back((id.clone(), Job::Queued));
        if jobs.len() > MOST {
            jobs.pop_front();
        }
        Ok(id)
    }

    pub(super) fn look(&self, id: &str) -> Option<Job> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().find(|(known, _)| known == id).map(|(_, job)| job.clone())
    }
}

impl Jobs {
    pub(super) fn new(with: With) -> (Self, Arc<Board>) {
        let (sender, queue) = mpsc::channel(WAITING);
        let jobs = Arc::default();
        (Self { with, queue, jobs: Arc::clone(&jobs) }, Arc::new(Board { queue: sender, jobs }))
    }

    /// Works until stopped.
    pub(in crate::sandbox) async fn run(mut self, stop: CancellationToken) {
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = self.queue.recv() => next,
            };
            let Some((id, update)) = next else { return };
            self.note(&id, Job::Running);
            // A change that is under way ends with the reconciler, which gives it its time.
            let job = match update::run(&self.with, update).await {
                Ok(done) => Job::Succeeded(done),
                Err(why) => Job::Failed(why),
            };
            self.note(&id, job);
        }
    }

    fn note(&self, id: &str, now: Job) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, job)) = jobs.iter_mut().find(|(known, _)| known == id) {
            *job = now;
        }
    }
}
