//! Runs steps, one at a time, against the sandbox that is there now.
//!
//! Guarantees: a step that was begun always ends in the journal, whatever goes wrong in it; its command is dead by then;
//! nothing runs once [`Runner::close`] has returned. Whether a step may be run at all is for the caller to know.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::follow;
use super::journal::{Ended, Exit, Journal, Mark, State, key, verdict};
use super::recent::Recent;
use super::shell::{self, Place};
use super::tail::Tail;
use super::wait::Wait;
use crate::deck::step::{StepSpec, Typing};
use crate::panel::secrets::secrets_of;
use crate::panel::terminal::{self, Terminals};
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;

/// How often what a running command writes is told.
const NEWS: Duration = Duration::from_millis(250);

/// Why a step is not run, or nothing is restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The system behind the slides is not there.
    #[error("the demo is not ready: {0}")]
    NotReady(String),
    /// Something else is at work.
    #[error("`{0}` is still at work")]
    Busy(String),
    /// The step waits for something that cannot be understood.
    #[error("step `{step}`: {why}")]
    Wait {
        /// The step.
        step: String,
        /// What is wrong.
        why: String,
    },
    /// There is nothing to go back to.
    #[error("there is no checkpoint to go back to")]
    NoCheckpoint,
    /// The cluster is somebody else's.
    #[error("the cluster `{0}` was not made by foredeck, so nothing in it is put back")]
    Foreign(String),
    /// Going back failed.
    #[error("going back failed: {0}")]
    Restore(String),
}

/// Runs steps.
#[derive(Debug)]
pub struct Runner {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    demo: watch::Receiver<Demo>,
    journal: watch::Sender<Journal>,
    /// Held by whatever is at work: a step, or going back.
    work: Arc<tokio::sync::Mutex<()>>,
    /// Stops the step that is at work.
    current: Mutex<CancellationToken>,
    terminals: Arc<Terminals>,
    secrets: Vec<String>,
    clock: fn() -> u64,
}

/// A step, and what it is run with.
struct Job {
    deck: String,
    step: StepSpec,
    wait: Option<Wait>,
    sandbox: Arc<Sandbox>,
    stop: CancellationToken,
}

impl Runner {
    /// A runner for the system in a cell. `secrets` are never shown in what commands write.
    pub fn new(
        demo: watch::Receiver<Demo>,
        terminals: Arc<Terminals>,
        secrets: Vec<String>,
        clock: fn() -> u64,
    ) -> Self {
        let shared = Shared {
            demo,
            journal: watch::Sender::new(Journal::default()),
            work: Arc::default(),
            current: Mutex::default(),
            terminals,
            secrets,
            clock,
        };
        Self { shared: Arc::new(shared), tasks: TaskTracker::new(), stop: CancellationToken::new() }
    }

    /// How the steps went, now and whenever that changes.
    pub fn journal(&self) -> watch::Receiver<Journal> {
        self.shared.journal.subscribe()
    }

    /// Begins a step; how it goes is told in the journal.
    ///
    /// # Errors
    /// When something else is at work, there is no system, or the step cannot be understood.
    pub fn run(&self, deck: &str, step: &StepSpec) -> Result<(), Refusal> {
        let sandbox = self.shared.sandbox()?;
        let wait = step.wait.as_deref().map(Wait::parse).transpose();
        let mut wait = wait.map_err(|why| Refusal::Wait { step: step.name.clone(), why })?;
        if let Some(wait) = &mut wait {
            wait.in_namespace_of(&step.script);
        }
        let at_work = self.shared.begin_work()?;
        let stop = self.stop.child_token();
        *self.shared.current() = stop.clone();
        let job = Job { deck: deck.to_owned(), step: step.clone(), wait, sandbox, stop };
        self.shared.journal.send_modify(|journal| journal.begin(deck, &step.name, (self.shared.clock)()));
        let shared = self.shared.clone();
        self.tasks.spawn(async move {
            let ended = AssertUnwindSafe(shared.perform(&job)).catch_unwind().await;
            let ended = ended.unwrap_or_else(|_| Ended {
                state: State::Failed,
                exit: None,
                reason: "a bug in foredeck; the terminal that runs it says more".to_owned(),
            });
            // Both at once: whoever hears of the end can begin the next step.
            shared.journal.send_modify(|journal| {
                journal.end(&ended, (shared.clock)());
                drop(at_work);
            });
        });
        Ok(())
    }

    /// Puts the end of a step that ran before in the place of what is at work: the step is shown as running for so long,
    /// then ends like this. Nothing is run. Where there is no live system, it is a place to go back to.
    pub fn replay(&self, deck: &str, step: &str, rest: Duration, ended: Ended, alone: bool) {
        let stop = self.stop.child_token();
        std::mem::replace(&mut *self.shared.current(), stop.clone()).cancel();
        let (shared, deck, step) = (self.shared.clone(), deck.to_owned(), step.to_owned());
        self.tasks.spawn(async move {
            let at_work = shared.work.clone().lock_owned().await;
            shared.journal.send_modify(|journal| {
                journal.begin(&deck, &step, (shared.clock)());
                if alone {
                    journal.mark(&deck, &step);
                }
            });
            let ended = tokio::select! {
                () = tokio::time::sleep(rest) => ended,
                () = stop.cancelled() => Ended { state: State::Stopped, exit: None, reason: "stopped".to_owned() },
            };
            shared.journal.send_modify(|journal| journal.end(&ended, (shared.clock)()));
            drop(at_work);
        });
    }

    /// Takes back steps that were only shown, to before one of them, or before the last one; none when none was.
    pub fn unplay(&self, to: Option<(&str, &str)>) -> Option<(String, String)> {
        let mark = self.shared.mark(to)?;
        self.cancel();
        self.shared.journal.send_modify(|journal| journal.restored(&mark.deck, &mark.step));
        Some((mark.deck, mark.step))
    }

    /// Stops the step that is at work; says whether there was one.
    pub fn cancel(&self) -> bool {
        let active = self.shared.journal.borrow().active.is_some();
        self.shared.current().cancel();
        active
    }

    /// Puts cluster and repository back to where they were before a step, or before the last one that has a checkpoint.
    ///
    /// # Errors
    /// When there is nothing to go back to, the cluster is not ours, something is at work, or it fails.
    pub async fn restore(&self, to: Option<(&str, &str)>) -> Result<(String, String), Refusal> {
        let sandbox = self.shared.sandbox()?;
        if !sandbox.may_destroy() {
            return Err(Refusal::Foreign(sandbox.cluster_name().to_owned()));
        }
        let at_work = self.shared.begin_work()?;
        let mark = self.shared.mark(to).ok_or(Refusal::NoCheckpoint)?;
        sandbox.restore(&mark.key()).await.map_err(|error| Refusal::Restore(error.chain()))?;
        self.shared.journal.send_modify(|journal| journal.restored(&mark.deck, &mark.step));
        drop(at_work);
        Ok((mark.deck, mark.step))
    }

    /// The system behind the slides is gone: what runs in it is stopped, and nothing that ran in it counts any more.
    pub fn lost(&self) {
        self.cancel();
        self.shared.journal.send_modify(Journal::forget);
    }

    /// Stops everything and waits for its end.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Shared {
    /// The place to go back to that somebody means, or the last one.
    fn mark(&self, to: Option<(&str, &str)>) -> Option<Mark> {
        let journal = self.journal.borrow();
        let marks = journal.marks();
        let mark = match to {
            Some((deck, step)) => marks.iter().find(|mark| mark.deck == deck && mark.step == step),
            None => marks.last(),
        };
        mark.cloned()
    }

    fn sandbox(&self) -> Result<Arc<Sandbox>, Refusal> {
        match &*self.demo.borrow() {
            Demo::Ready(sandbox) => Ok(sandbox.clone()),
            Demo::Off => Err(Refusal::NotReady("there is none".to_owned())),
            Demo::Starting => Err(Refusal::NotReady("it is starting".to_owned())),
            Demo::Failed(why) => Err(Refusal::NotReady(why.clone())),
        }
    }

    fn begin_work(&self) -> Result<OwnedMutexGuard<()>, Refusal> {
        self.work.clone().try_lock_owned().map_err(|_| {
            let active = self.journal.borrow().active.clone();
            Refusal::Busy(active.map_or_else(|| "going back".to_owned(), |(_, step)| step))
        })
    }

    fn current(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole of a step: checkpoint, command, waiting.
    async fn perform(&self, job: &Job) -> Ended {
        let limit = job.step.timeout;
        let deadline = Instant::now() + limit;
        if job.step.checkpoint
            && let Err(ended) = self.keep_checkpoint(job).await
        {
            return ended;
        }
        let exit = match &job.step.terminal {
            Some(name) => self.typed(job, name, deadline).await,
            None => self.unseen(job, deadline).await,
        };
        let code = match verdict(&exit, job.step.expect_fail, limit.as_secs()) {
            Ok(code) => code,
            Err(ended) => return ended,
        };
        if let Some(wait) = &job.wait {
            let shown = wait.shown();
            self.journal.send_modify(|journal| journal.waits(&shown));
            let mut tell = |why: &str| {
                self.journal.send_modify(|journal| journal.waits(&format!("{shown}: {why}")));
            };
            let client = job.sandbox.client.clone();
            if let Err(ended) = follow::until_it_holds(client, wait, deadline, &job.stop, &mut tell).await {
                return Ended { exit: code, ..ended };
            }
        }
        Ended { state: State::Passed, exit: code, reason: String::new() }
    }

    async fn keep_checkpoint(&self, job: &Job) -> Result<(), Ended> {
        // Nothing is put back in somebody else's cluster, so no way back is offered.
        if !job.sandbox.may_destroy() {
            return Ok(());
        }
        let kept = job.sandbox.checkpoint(&key(&job.deck, &job.step.name)).await;
        kept.map_err(|error| Ended {
            state: State::Failed,
            exit: None,
            reason: format!("no checkpoint could be made: {}", error.chain()),
        })?;
        self.journal.send_modify(|journal| journal.mark(&job.deck, &job.step.name));
        Ok(())
    }

    /// Types the command into its terminal.
    async fn typed(&self, job: &Job, name: &str, deadline: Instant) -> Exit {
        let secrets = secrets_of(&job.sandbox, &self.secrets);
        let (terminals, sandbox, name) = (self.terminals.clone(), job.sandbox.clone(), name.to_owned());
        let opened = tokio::task::spawn_blocking(move || terminals.open(&name, &sandbox, &secrets)).await;
        let terminal = match opened {
            Ok(Ok(terminal)) => terminal,
            Ok(Err(refusal)) => return Exit::NotStarted(refusal.to_string()),
            Err(error) => return Exit::NotStarted(error.to_string()),
        };
        let from = *terminal.end_of_output().borrow();
        let human = job.step.typing == Typing::Human;
        let ended = terminal.run(&job.step.script, human, deadline, &job.stop).await;
        let mut tail = Tail::default();
        tail.push(&terminal.read(from, usize::MAX).bytes);
        let text = tail.text();
        self.journal.send_modify(|journal| journal.wrote(&text));
        match ended {
            terminal::Ended::Code(code) => Exit::Code(code),
            terminal::Ended::Not(why) => Exit::NotStarted(why),
            terminal::Ended::TimedOut => Exit::TimedOut,
            terminal::Ended::Stopped => Exit::Stopped,
        }
    }

    /// Runs the command without a terminal.
    async fn unseen(&self, job: &Job, deadline: Instant) -> Exit {
        let secrets = secrets_of(&job.sandbox, &self.secrets);
        let mut recent = Recent::default();
        let mut tell_at = Instant::now() + NEWS;
        let mut wrote = |bytes: &[u8]| {
            recent.push(bytes);
            let now = Instant::now();
            if now >= tell_at {
                let text = recent.text(&secrets, false);
                self.journal.send_modify(|journal| journal.wrote(&text));
                // On a slow machine the telling must not hold up a command that floods.
                tell_at = Instant::now() + NEWS.max(now.elapsed() * 10);
            }
        };
        let (folder, home) = (job.sandbox.work_folder(), job.sandbox.folder.path());
        let place = Place { folder, home, variables: &job.sandbox.tools.variables };
        let exit = shell::run(&job.step.script, place, deadline, &job.stop, &mut wrote).await;
        let text = recent.text(&secrets, true);
        self.journal.send_modify(|journal| journal.wrote(&text));
        exit
    }
}
