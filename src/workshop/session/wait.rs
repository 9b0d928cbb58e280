//! Waiting for a step, or for the reconciler: as long as it takes, but for nothing that does not come by itself.

use std::time::Duration;

use tokio::time::Instant;

use super::{Error, Report, Scripts, Session, pause};
use crate::gitops::reconciler::Handle;
use crate::gitops::status::{Activity, Status};
use crate::sandbox::repair::{Repair, has_broken_files};
use crate::workshop::Step;
use crate::workshop::converge::Move;
use crate::workshop::judge::Verdict;

/// How long something may be wrong before waiting for it is given up.
const WRONG: Duration = Duration::from_secs(2);
/// How long the reconciler is left alone; then it is asked to look again, so that nobody waits for its timers.
const NUDGE: Duration = Duration::from_secs(1);
/// How long a commit may take to be applied, or to be found wrong.
const APPLIED: Duration = Duration::from_secs(10);
/// How often the repository is put right before it is left as it is.
const REPAIRS: u32 = 3;

/// How long a step is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Until its time is over.
    All,
    /// Until something is wrong.
    UntilWrong,
    /// Until something is wrong and stays so.
    UntilStuck,
}

/// How long something is wrong already.
#[derive(Debug, Default)]
struct Wrong(Option<Instant>);

impl Wrong {
    /// Takes in another look. True when it is not worth waiting any more.
    fn given_up(&mut self, report: &Report, patience: Patience) -> bool {
        let wrong = report.checks.iter().any(|check| matches!(check.verdict, Verdict::Fail { .. }));
        let since = wrong.then(|| self.0.unwrap_or_else(Instant::now));
        self.0 = since;
        since.is_some_and(|since| match patience {
            Patience::All => false,
            Patience::UntilWrong => true,
            Patience::UntilStuck => since.elapsed() > WRONG,
        })
    }
}

/// Asks the reconciler to look again, more and more rarely.
struct Nudges<'a> {
    reconciler: &'a Handle,
    at: Instant,
    every: Duration,
}

impl<'a> Nudges<'a> {
    fn new(reconciler: &'a Handle) -> Self {
        Self { reconciler, at: Instant::now() + NUDGE, every: NUDGE }
    }

    fn when_due(&mut self) {
        let idle = self.reconciler.status().borrow().activity == Activity::Idle;
        if Instant::now() >= self.at && idle {
            self.reconciler.nudge();
            self.every *= 2;
            self.at = Instant::now() + self.every;
        }
    }
}

impl Session {
    /// Looks again and again until a step holds, is wrong, or its time is over.
    ///
    /// # Errors
    /// When there is no such step.
    pub async fn wait(&self, name: &str, until_wrong: bool) -> Result<Report, Error> {
        let step = self.step(name)?.clone();
        self.wait_for(&step, if until_wrong { Patience::UntilWrong } else { Patience::All }).await
    }

    /// Checks a step that is worked on until it holds. Nobody who waits until it is stuck has to hurry Flux themselves.
    pub(super) async fn wait_for(&self, step: &Step, patience: Patience) -> Result<Report, Error> {
        let limit = step.checks.iter().map(|check| check.timeout).max().unwrap_or_default();
        let (begun, mut wrong) = (Instant::now(), Wrong::default());
        let mut nudges = (patience == Patience::UntilStuck).then(|| Nudges::new(&self.sandbox.reconciler));
        loop {
            let report = self.check(&step.id).await?;
            if report.passed || wrong.given_up(&report, patience) || begun.elapsed() > limit {
                return Ok(report);
            }
            if let Some(nudges) = &mut nudges {
                nudges.when_due();
            }
            pause(begun).await;
        }
    }

    /// Waits until a step holds, however it began; what does not hold when its time is over, or when it is wrong and
    /// stays so.
    pub(super) async fn until_holds(&self, step: &Step, limit: Duration) -> Option<String> {
        let (begun, mut wrong) = (Instant::now(), Wrong::default());
        let mut nudges = Nudges::new(&self.sandbox.reconciler);
        loop {
            let (report, why) = self.look(step, None, Scripts::Last).await;
            if why.is_none() || wrong.given_up(&report, Patience::UntilStuck) || begun.elapsed() > limit {
                return why;
            }
            nudges.when_due();
            pause(begun).await;
        }
    }

    /// Sees that the newest commit is applied as a whole, where a reconciler is at work: what is wrong in it is put
    /// right. So nothing that somebody else broke waits for the learner, and what is looked at next is no mere
    /// moment on the way.
    pub(super) async fn settle(&self, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        for _ in 0..REPAIRS {
            if !self.until_applied().await || !self.put_right(Repair::Everything, tell).await? {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the newest commit is applied. True when it is not, since something in it is wrong.
    async fn until_applied(&self) -> bool {
        let (begun, mut status) = (Instant::now(), self.sandbox.reconciler.status());
        let Some(head) = self.observer.head().await else { return false };
        let mut nudges = Nudges::new(&self.sandbox.reconciler);
        if status.borrow().source.head.as_ref() != Some(&head) {
            self.sandbox.reconciler.pushed();
        }
        loop {
            let now = status.borrow_and_update().clone();
            // What is stopped comes to nothing.
            if self.gate.as_ref().and_then(super::Gate::why).is_some() || now.paused || begun.elapsed() > APPLIED {
                return false;
            }
            if let Some(wrong) = outcome(&now, &head) {
                return wrong;
            }
            nudges.when_due();
            let _ = tokio::time::timeout(NUDGE, status.changed()).await;
        }
    }
}

/// Whether a commit was applied (false) or is wrong (true); nothing while neither is known.
fn outcome(status: &Status, head: &str) -> Option<bool> {
    if status.activity != Activity::Idle || status.looked_at() != Some(head) {
        return None;
    }
    if has_broken_files(status) {
        return Some(true);
    }
    (status.synced.as_deref() == Some(head)).then_some(false)
}
