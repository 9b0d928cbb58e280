//! One participant at work: starts, checks, helps with and takes back the steps of a workshop in a sandbox.

mod wait;
mod way;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::act::{self, Ran};
use super::check::{Check, Fact};
use super::gate::Gate;
use super::judge::{Baseline, Observation, Verdict, is_moving, judge};
use super::observe::Observer;
use super::progress::{Event, Progress, State, StepProgress};
use super::steady::Trails;
use super::store::{self, Found};
use super::{Step, Workshop};
use crate::deck::step::Role;
use crate::sandbox::Sandbox;
use crate::sandbox::repair::Repair;
use wait::Patience;

/// How often it is looked whether a step holds: at once, soon, and later.
const LOOKS: [Duration; 3] = [Duration::from_millis(30), Duration::from_millis(100), Duration::from_millis(500)];

/// How often a step is done anew when that fails, or leads nowhere.
const TRIES: u32 = 3;

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such step.
    #[error("there is no step `{0}`")]
    UnknownStep(String),
    /// There is no such command.
    #[error("the step {step} has no command `{name}`")]
    UnknownCommand {
        /// The step.
        step: String,
        /// The command.
        name: String,
    },
    /// The step says nothing for this.
    #[error("the step {step} has no {what}")]
    Nothing {
        /// The step.
        step: String,
        /// What is missing.
        what: &'static str,
    },
    /// Something else is being done in this sandbox.
    #[error("something else is being done in this sandbox; wait until it has ended")]
    Busy,
    /// A command failed.
    #[error("{what} of the step {step} failed: {why}")]
    Action {
        /// The step.
        step: String,
        /// Which command.
        what: String,
        /// Its last words.
        why: String,
        /// All that it wrote.
        output: String,
    },
    /// A step was done, but does not hold.
    #[error("the step {step} was done, but: {why}")]
    Stuck {
        /// The step.
        step: String,
        /// What does not hold.
        why: String,
    },
    /// The sandbox does not do what it should.
    #[error("{0}")]
    Sandbox(String),
}

/// A check and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What is looked at.
    pub title: String,
    /// What the author says about it.
    pub message: String,
    /// How it stands.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The step.
    pub step: String,
    /// Whether all checks hold.
    pub passed: bool,
    /// The checks.
    pub checks: Vec<Judged>,
    /// Seconds until the repository is looked at again.
    pub next_seconds: Option<i64>,
    /// How far the step is.
    pub progress: StepProgress,
    /// Everything that does not hold is on its way by itself.
    #[serde(skip)]
    pub moving: bool,
}

impl Report {
    /// The first check that does not hold, as one line.
    pub fn missing(&self) -> Option<String> {
        let open = self.checks.iter().find(|check| !check.verdict.passed())?;
        Some(open.verdict.why().to_owned())
    }
}

/// The last that is known of a step: how its checks stand, and what came of its last command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The checks.
    pub checks: Vec<Judged>,
    /// The last command by its name, and what came of it.
    pub ran: Option<(String, Ran)>,
}

impl Known {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.ran.is_none()
    }
}

/// When the scripts among the checks are run: each of them starts programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    /// Together with the others.
    Always,
    /// As soon as the others hold.
    Last,
}

/// A participant at work.
pub struct Session {
    workshop: Arc<Workshop>,
    sandbox: Arc<Sandbox>,
    observer: Observer,
    gate: Option<Gate>,
    file: Option<PathBuf>,
    progress: watch::Sender<Progress>,
    results: watch::Sender<BTreeMap<String, Known>>,
    problem: Mutex<Option<String>>,
    /// What was wrong with the file when it was read; said until a step is begun anew.
    found: Mutex<Option<String>>,
    /// How the checks of steps that are worked on came and went.
    trails: Mutex<BTreeMap<String, Trails>>,
    /// Held by whatever changes the sandbox.
    at_work: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Session").field("workshop", &self.workshop.name).field("file", &self.file).finish()
    }
}

impl Session {
    /// A session that goes on where the participant's file says; without a file nothing is kept.
    pub fn open(workshop: Arc<Workshop>, sandbox: Arc<Sandbox>, gate: Option<Gate>, file: Option<PathBuf>) -> Self {
        let (mut progress, found) = match file.as_deref().map(store::read) {
            Some(Found::Progress(progress)) if progress.workshop == workshop.name => (*progress, None),
            Some(Found::Progress(progress)) => {
                let why = format!("the progress that was kept is of another workshop, `{}`", progress.workshop);
                (Progress::new(&workshop.name), Some(why))
            }
            Some(Found::Unusable { why, aside }) => {
                let where_to = aside.map(|path| format!("; it is kept as {}", path.display())).unwrap_or_default();
                let why = format!("the progress file cannot be used: {why}{where_to}; the workshop begins anew");
                (Progress::new(&workshop.name), Some(why))
            }
            Some(Found::Nothing) | None => (Progress::new(&workshop.name), None),
        };
        progress.fit(&workshop);
        Self {
            observer: Observer::new(sandbox.clone()),
            workshop,
            sandbox,
            gate,
            file,
            progress: watch::channel(progress).0,
            results: watch::Sender::default(),
            problem: Mutex::default(),
            found: Mutex::new(found),
            trails: Mutex::default(),
            at_work: tokio::sync::Mutex::new(()),
        }
    }

    /// The workshop.
    pub fn workshop(&self) -> &Arc<Workshop> {
        &self.workshop
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// How far the participant is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// How the checks of steps stood when they were looked at last, and what came of commands.
    pub fn results(&self) -> watch::Receiver<BTreeMap<String, Known>> {
        self.results.subscribe()
    }

    /// Notes something about a step.
    fn know(&self, step: &str, change: impl FnOnce(&mut Known)) {
        self.results.send_if_modified(|all| {
            let known = all.entry(step.to_owned()).or_default();
            let before = known.clone();
            change(known);
            *known != before
        });
    }

    /// What is wrong with the participant's file, for people.
    pub fn problem(&self) -> Option<String> {
        let now = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        now.or_else(|| self.found.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The step of this id, slug or number.
    ///
    /// # Errors
    /// When there is none.
    pub fn step(&self, name: &str) -> Result<&Arc<Step>, Error> {
        self.workshop.step(name).ok_or_else(|| Error::UnknownStep(name.to_owned()))
    }

    fn take(&self, id: &str, event: Event) {
        if matches!(event, Event::Start(_) | Event::Reset) {
            self.trails.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
        if matches!(event, Event::Start(_)) {
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let changed = self.progress.send_if_modified(|progress| progress.take(id, event, now_ms()));
        if changed && let Some(file) = &self.file {
            let progress = self.progress.borrow().clone();
            let problem = store::write(file, &progress).err().map(|error| {
                tracing::warn!(%error, file = %file.display(), "progress cannot be kept");
                format!("progress cannot be kept in {}: {error}", file.display())
            });
            *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        }
    }

    /// How a step stands.
    ///
    /// # Errors
    /// When there is no such step.
    pub async fn check(&self, name: &str) -> Result<Report, Error> {
        let step = self.step(name)?.clone();
        let known = self.progress.borrow().step(&step.id);
        let baseline = (known.state == State::InProgress).then_some(known.baseline);
        let (mut report, _) = self.look(&step, baseline.as_ref(), Scripts::Always).await;
        if known.state == State::InProgress {
            self.steady(&mut report);
        }
        match report.missing() {
            None if known.state == State::InProgress => self.take(&step.id, Event::Pass),
            Some(why) => self.take(&step.id, Event::NotYet(why)),
            None => {}
        }
        report.progress = self.progress.borrow().step(&step.id);
        self.know(&step.id, |known| known.checks.clone_from(&report.checks));
        Ok(report)
    }

    /// What comes and goes does not count.
    fn steady(&self, report: &mut Report) {
        let mut all = self.trails.lock().unwrap_or_else(PoisonError::into_inner);
        let trails = all.entry(report.step.clone()).or_default();
        for (place, check) in report.checks.iter_mut().enumerate() {
            check.verdict = trails.see(place, check.verdict.clone());
        }
        report.passed = report.checks.iter().all(|check| check.verdict.passed());
    }

    /// Looks at the checks of a step, and says what does not hold.
    async fn look(&self, step: &Step, baseline: Option<&Baseline>, scripts: Scripts) -> (Report, Option<String>) {
        let stopped = self.gate.as_ref().and_then(Gate::why);
        let late = |check: &Check| scripts == Scripts::Last && matches!(check.fact, Fact::Script { .. });
        let looks = step.checks.iter().map(async |check| match late(check) {
            true => Observation::None,
            false => self.observer.observe(check, baseline).await,
        });
        let now = i64::try_from(now_ms() / 1000).unwrap_or(0);
        let (mut seen, mut context) =
            tokio::join!(futures::future::join_all(looks), self.observer.context(baseline, stopped, now));
        let others_hold =
            step.checks.iter().zip(&seen).all(|(check, seen)| late(check) || judge(check, seen, &context).passed());
        if others_hold {
            for (check, seen) in step.checks.iter().zip(&mut seen).filter(|(check, _)| late(check)) {
                *seen = self.observer.observe(check, baseline).await;
            }
        }
        let pairs = || step.checks.iter().zip(&seen);
        if pairs().any(|(check, seen)| !judge(check, seen, &context).passed()) {
            self.observer.look_at_work(&mut context).await;
        }
        let checks: Vec<Judged> = pairs()
            .map(|(check, seen)| Judged {
                title: check.fact.title(),
                message: check.message.clone(),
                verdict: judge(check, seen, &context),
            })
            .collect();
        let report = Report {
            step: step.id.clone(),
            passed: checks.iter().all(|check| check.verdict.passed()),
            checks,
            next_seconds: context.sync.next_seconds,
            progress: StepProgress::default(),
            moving: pairs().all(|(check, seen)| is_moving(check, seen) || judge(check, seen, &context).passed()),
        };
        let why = report.missing();
        (report, why)
    }

    /// Runs a command of a step by its name.
    ///
    /// # Errors
    /// When there is none of this name, or something else is going on.
    pub async fn run(&self, name: &str, command: &str) -> Result<Ran, Error> {
        let step = self.step(name)?;
        let unknown = || Error::UnknownCommand { step: step.id.clone(), name: command.to_owned() };
        let action = step.action(command).ok_or_else(unknown)?;
        let _at_work = self.at_work.try_lock().map_err(|_| Error::Busy)?;
        let ran = act::script(&self.sandbox, &action.spec.script, action.spec.timeout).await;
        self.know(&step.id, |known| known.ran = Some((command.to_owned(), ran.clone())));
        Ok(ran)
    }

    /// The next hint of a step, as Markdown, with its number and how many there are. The last one is given again.
    ///
    /// # Errors
    /// When there is no such step, or it has no hints.
    pub fn hint(&self, name: &str) -> Result<(usize, usize, String), Error> {
        let step = self.step(name)?.clone();
        let given = self.progress.borrow().step(&step.id).hints;
        let number = given.min(step.hints.len().saturating_sub(1));
        let hint = step.hints.get(number).ok_or(Error::Nothing { step: step.id.clone(), what: "hint" })?;
        if given < step.hints.len() {
            self.take(&step.id, Event::Hint);
        }
        Ok((number + 1, step.hints.len(), step.fold_text(hint)))
    }

    /// Does a step for the learner, and waits until it holds.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn solve(&self, name: &str) -> Result<Report, Error> {
        let step = self.step(name)?.clone();
        if step.actions(Role::Solve).next().is_none() {
            return Err(Error::Nothing { step: step.id.clone(), what: "solution" });
        }
        if self.progress.borrow().step(&step.id).state == State::NotStarted {
            self.start(&step.id, &mut |_| {}).await?;
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let solved = self.run_solution(&step, attempt > 1).await;
            let ended = match solved {
                Ok(()) => self.wait_for(&step, Patience::UntilStuck).await,
                Err(error) => Err(error),
            };
            if attempt == TRIES || matches!(&ended, Ok(Report { passed: true, .. }) | Err(Error::Busy)) {
                return ended;
            }
        }
    }

    async fn run_solution(&self, step: &Step, again: bool) -> Result<(), Error> {
        let _at_work = self.at_work.try_lock().map_err(|_| Error::Busy)?;
        if again {
            self.put_right(Repair::Everything, &mut |_| {}).await?;
        }
        self.take(&step.id, Event::Solve);
        self.run_all(step, Role::Solve).await
    }

    /// Takes back what a step did: by the checkpoint from its beginning where there is one, else by its commands.
    ///
    /// # Errors
    /// When it cannot be taken back.
    pub async fn reset(&self, name: &str) -> Result<(), Error> {
        let _at_work = self.at_work.try_lock().map_err(|_| Error::Busy)?;
        let step = self.step(name)?.clone();
        self.mend().await?;
        if self.has_checkpoint(&step.id) && self.restore(&step.id).await.is_ok() {
            return Ok(());
        }
        self.take_back(&step).await
    }

    /// Takes back what a step did by its own commands, also where there is a checkpoint.
    ///
    /// # Errors
    /// When a command fails.
    pub async fn reset_by_commands(&self, name: &str) -> Result<(), Error> {
        let _at_work = self.at_work.try_lock().map_err(|_| Error::Busy)?;
        self.take_back(&self.step(name)?.clone()).await
    }

    async fn take_back(&self, step: &Step) -> Result<(), Error> {
        self.run_all(step, Role::Reset).await?;
        self.take(&step.id, Event::Reset);
        Ok(())
    }

    fn has_checkpoint(&self, id: &str) -> bool {
        self.sandbox.has_checkpoint(&checkpoint_name(id))
    }

    /// Goes back to the beginning of a step: it and all that came after it are not started any more.
    async fn restore(&self, id: &str) -> Result<(), Error> {
        let restored = self.sandbox.restore(&checkpoint_name(id)).await;
        if let Some(gate) = &self.gate {
            gate.enforce();
        }
        restored.map_err(|error| Error::Sandbox(error.chain()))?;
        let from = self.workshop.position(id).unwrap_or(0);
        let begun = self.progress.borrow().clone();
        for step in self.workshop.steps.iter().skip(from) {
            if begun.step(&step.id).state != State::NotStarted {
                self.take(&step.id, Event::Reset);
            }
        }
        Ok(())
    }

    /// Makes the repository and the copy to work in again when somebody deleted them.
    async fn mend(&self) -> Result<(), Error> {
        let mended = self.sandbox.mend().await;
        mended.map_err(|error| Error::Sandbox(error.chain()))
    }

    async fn run_all(&self, step: &Step, role: Role) -> Result<(), Error> {
        for action in step.actions(role) {
            let ran = act::script(&self.sandbox, &action.spec.script, action.spec.timeout).await;
            self.know(&step.id, |known| known.ran = Some((action.spec.name.clone(), ran.clone())));
            let failed_as_meant = action.spec.expect_fail && ran.stopped.is_none();
            if !(ran.went_well() || failed_as_meant) {
                return Err(Error::Action {
                    step: step.id.clone(),
                    what: format!("`{}`", action.spec.name),
                    why: ran.last_words(),
                    output: ran.output,
                });
            }
        }
        Ok(())
    }
}

/// The file of a participant in the workshop's folder.
pub fn file(folder: &Path, participant: &str) -> PathBuf {
    let plain: String =
        participant.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(64).collect();
    folder.join("progress").join(format!("{plain}.json"))
}

fn checkpoint_name(id: &str) -> String {
    format!("workshop/{id}")
}

async fn pause(begun: Instant) {
    let [at_once, soon, later] = LOOKS;
    tokio::time::sleep(match begun.elapsed().as_millis() {
        0..500 => at_once,
        500..5000 => soon,
        _ => later,
    })
    .await;
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(0)
}
