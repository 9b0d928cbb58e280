//! `test DECK`: every step of a deck, one after the other, on an embedded cluster of its own.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::junit::{Case, Outcome, Suite};
use super::stage::Stage;
use crate::cli::console::{Code, Console, Failure};
use crate::deck::StepSpec;
use crate::deck::step::Role;
use crate::project::{Compiled, Project};
use crate::runbook::journal::{Run, State};
use crate::runbook::runner::Runner;
use crate::server::state::App;

/// What a step may take on top of its own time-out: checkpoints, and the end of its processes.
const GRACE: Duration = Duration::from_secs(60);
/// Lines of what a step wrote that are told when it fails.
const LAST_LINES: usize = 15;

/// A step that is run, and where it stands.
struct Shown<'a> {
    slide: usize,
    step: &'a StepSpec,
}

/// How the steps of a deck went.
pub(super) struct Tested {
    pub(super) suite: Suite,
    /// Whether all that went wrong is that something took too long.
    pub(super) only_late: bool,
}

/// The steps that a speaker would run: what sets up, and what is shown.
fn steps(compiled: &Compiled) -> Vec<Shown<'_>> {
    let slides = compiled.rendered.slides.iter().enumerate();
    let steps = slides.flat_map(|(slide, rendered)| rendered.steps.iter().map(move |step| Shown { slide, step }));
    steps.filter(|shown| matches!(shown.step.role, Role::Run | Role::Setup)).collect()
}

/// Runs all of them.
///
/// # Errors
/// When the sandbox does not start, or somebody stops it.
pub(super) async fn run(
    project: &Project,
    compiled: &Compiled,
    fail_fast: bool,
    console: Console,
    stop: &CancellationToken,
) -> Result<Tested, Failure> {
    let name = compiled.source.path().display().to_string();
    let steps = steps(compiled);
    let mut suite = Suite { name, cases: Vec::new(), seconds: 0.0 };
    if steps.is_empty() {
        return Ok(Tested { suite, only_late: false });
    }
    let begun = Instant::now();
    // A stage that has ended must not end the next one's.
    let stage = Stage::start(&project.root, stop.child_token()).await?;
    let (mut late, mut wrong) = (0, 0);
    let done = async {
        for Shown { slide, step } in steps {
            let begun = Instant::now();
            let left = fail_fast && (late + wrong) > 0;
            let (state, result) = match left {
                true => (State::Ready, Outcome::Skipped("an earlier step failed".to_owned())),
                false => one(&stage.app, compiled, step).await,
            };
            match (&result, state) {
                (Outcome::Failed(_), State::TimedOut) => late += 1,
                (Outcome::Failed(_), _) => wrong += 1,
                _ => {}
            }
            let seconds = begun.elapsed().as_secs_f64();
            let case = Case { group: format!("slide-{}", slide + 1), name: step.name.clone(), seconds, result };
            case.tell(console);
            suite.cases.push(case);
        }
    };
    let done = tokio::select! {
        () = done => Ok(()),
        () = stop.cancelled() => Err(Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"))),
    };
    stage.end().await;
    done?;
    suite.seconds = begun.elapsed().as_secs_f64();
    Ok(Tested { suite, only_late: late > 0 && wrong == 0 })
}

async fn one(app: &App, compiled: &Compiled, step: &StepSpec) -> (State, Outcome) {
    let runner = &app.desk.runner;
    let deck = compiled.source.path().display().to_string();
    let place = compiled.source.line_column(step.span.start);
    let at = format!("{deck}:{}:{}", place.line, place.column);
    if let Err(refusal) = runner.run(&deck, step) {
        return (State::Failed, Outcome::Failed(format!("{refusal}\nat {at}")));
    }
    let run = ended(runner, &deck, step).await;
    match run.state {
        State::Passed => (State::Passed, Outcome::Passed),
        state => (state, Outcome::Failed(told(&run, step, &at))),
    }
}

/// Waits for the end of the step. The runner ends every step; should it not, that is told as a time-out.
async fn ended(runner: &Runner, deck: &str, step: &StepSpec) -> Run {
    let mut journal = runner.journal();
    let over = |journal: &crate::runbook::journal::Journal| journal.active.is_none();
    if tokio::time::timeout(step.timeout + GRACE, journal.wait_for(over)).await.is_err() {
        runner.cancel();
        let mut run = Run::default();
        (run.state, run.reason) = (State::TimedOut, "it did not end".to_owned());
        return run;
    }
    let run = journal.borrow().run(deck, &step.name).cloned();
    run.unwrap_or_default()
}

/// What is told of a step that did not pass: why, where, and the last that it wrote.
fn told(run: &Run, step: &StepSpec, at: &str) -> String {
    let why = if run.reason.is_empty() { run.state.as_str() } else { run.reason.as_str() };
    let mut text = format!("{why}\nat {at}");
    for line in step.script.lines().filter(|line| !line.trim().is_empty()) {
        text.push_str(&format!("\n$ {line}"));
    }
    let lines: Vec<&str> = run.output.lines().collect();
    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
        text.push_str(&format!("\n{}", line.trim_end()));
    }
    text
}
