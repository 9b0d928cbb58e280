//! The way to the beginning of a step: back, forward, and around whatever stands in between.

use std::sync::Arc;
use std::time::Duration;

use super::{Error, Scripts, Session, TRIES, checkpoint_name};
use crate::deck::step::Role;
use crate::sandbox::repair::Repair;
use crate::workshop::converge::{self, Move};
use crate::workshop::progress::{Event, State};
use crate::workshop::{Step, graph};

/// How long is waited before it is done anew.
const AGAIN: Duration = Duration::from_millis(500);
/// How long pods that start are waited for before their step is done anew.
const MOVING: Duration = Duration::from_secs(10);

impl Session {
    /// What would be done to begin a step, as far as it can be told before.
    ///
    /// # Errors
    /// When there is no such step.
    pub async fn plan(&self, name: &str) -> Result<Vec<Move>, Error> {
        let target = self.step(name)?.clone();
        let progress = self.progress.borrow().clone();
        let back = converge::back(&self.workshop, &target.id, &progress, self.has_checkpoint(&target.id));
        if !back.is_empty() {
            return Ok(back);
        }
        let mut moves = if self.is_new() { self.left_behind(&target).await } else { Vec::new() };
        let mut missing = Vec::new();
        for step in graph::before(&self.workshop, &target.id) {
            if let (_, Some(why)) = self.look(step, None, Scripts::Always).await {
                missing.push((step.id.clone(), why));
            }
        }
        let of = |id: &str| missing.iter().find(|(step, _)| step == id).map(|(_, why)| why.clone());
        moves.extend(converge::forward(&self.workshop, &target.id, of));
        Ok(moves)
    }

    /// What somebody of whom nothing is known finds done already, from a step on: it is taken back, the last first.
    async fn left_behind(&self, target: &Step) -> Vec<Move> {
        let mut moves = Vec::new();
        let from = self.workshop.position(&target.id).unwrap_or(0);
        for step in self.workshop.steps.iter().skip(from).rev() {
            let (report, _) = self.look(step, None, Scripts::Last).await;
            let checks = step.checks.iter().zip(&report.checks);
            let seen = checks.map(|(check, judged)| (&check.fact, judged.verdict.passed()));
            if converge::is_left_behind(seen) {
                moves.push(Move::Reset { step: step.id.clone() });
            }
        }
        moves
    }

    /// Nothing is known of what was done here.
    fn is_new(&self) -> bool {
        !self.progress.borrow().steps.values().any(|step| step.state != State::NotStarted)
    }

    /// Brings the sandbox to the beginning of a step. `tell` hears of each thing that is done.
    ///
    /// # Errors
    /// When there is no such step, or it cannot be reached.
    pub async fn start(&self, name: &str, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        let _at_work = self.at_work.try_lock().map_err(|_| Error::Busy)?;
        let target = self.step(name)?.clone();
        // Nobody watches the steps on the way.
        let _hurry = self.sandbox.embedded().map(|embedded| embedded.hurry());
        self.put_right(Repair::Emptied, tell).await?;
        self.go_back(&target, tell).await?;
        let is_new = self.is_new();
        self.reach_all(&target, tell).await?;
        self.settle(tell).await?;
        let moves = if is_new { self.left_behind(&target).await } else { Vec::new() };
        if !moves.is_empty() {
            self.take_all_back(moves, tell).await?;
            self.reach_all(&target, tell).await?;
            self.settle(tell).await?;
        }
        if target.actions(Role::Setup).next().is_some() {
            tell(&Move::SetUp { step: target.id.clone() });
            self.run_all(&target, Role::Setup).await?;
        }
        let checkpoint = self.sandbox.checkpoint(&checkpoint_name(&target.id)).await;
        checkpoint.map_err(|error| Error::Sandbox(error.chain()))?;
        let baseline = self.observer.baseline(&target).await;
        self.take(&target.id, Event::Start(baseline));
        Ok(())
    }

    /// Undoes what was done from a step on, when something was.
    async fn go_back(&self, target: &Step, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        let progress = self.progress.borrow().clone();
        let back = |checkpoint: bool| converge::back(&self.workshop, &target.id, &progress, checkpoint);
        let mut moves = back(self.has_checkpoint(&target.id));
        if let [moved @ Move::Restore { .. }] = moves.as_slice() {
            tell(moved);
            moves = match self.restore(&target.id).await {
                Ok(()) => Vec::new(),
                // The repository may have been made anew, without the commits of that time.
                Err(error) => {
                    tracing::warn!(%error, step = target.id, "a checkpoint is of no use any more");
                    back(false)
                }
            };
        }
        self.take_all_back(moves, tell).await
    }

    async fn take_all_back(&self, moves: Vec<Move>, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        for moved in moves {
            tell(&moved);
            if let Move::Reset { step } = &moved {
                self.take_back(&self.step(step)?.clone()).await?;
            }
        }
        Ok(())
    }

    /// Does what comes before a step, as far as it does not hold.
    async fn reach_all(&self, target: &Step, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        for step in graph::before(&self.workshop, &target.id) {
            self.reach(step, tell).await?;
        }
        Ok(())
    }

    /// Does a step for the learner unless it holds already.
    async fn reach(&self, step: &Arc<Step>, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<(), Error> {
        let (report, missing) = self.look(step, None, Scripts::Always).await;
        // What is on its way by itself needs nobody, unless it does not arrive.
        let missing = if report.moving { self.until_holds(step, MOVING).await } else { missing };
        let Some(mut why) = missing else { return Ok(()) };
        let limit = step.checks.iter().map(|check| check.timeout).max().unwrap_or_default();
        for attempt in 1..=TRIES {
            self.put_right(Repair::Everything, tell).await?;
            tell(&Move::Solve { step: step.id.clone(), why: why.clone() });
            let done = match self.run_all(step, Role::Setup).await {
                Ok(()) => self.run_all(step, Role::Solve).await,
                failed => failed,
            };
            if let Err(error) = done {
                if attempt == TRIES {
                    return Err(error);
                }
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            match self.until_holds(step, limit).await {
                None => {
                    self.take(&step.id, Event::Solve);
                    self.take(&step.id, Event::Pass);
                    return Ok(());
                }
                Some(missing) => why = missing,
            }
        }
        Err(Error::Stuck { step: step.id.clone(), why })
    }

    /// Makes the repository one that can be worked with, whatever became of it.
    /// True when files had to be changed.
    pub(super) async fn put_right(&self, when: Repair, tell: &mut (dyn FnMut(&Move) + Send)) -> Result<bool, Error> {
        self.mend().await?;
        let files = self.sandbox.repair(when).await.map_err(|error| Error::Sandbox(error.chain()))?;
        let changed = !files.is_empty();
        if changed {
            tell(&Move::Repair { files });
        }
        Ok(changed)
    }
}
