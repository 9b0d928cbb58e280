//! `test DECK`: everything that a deck runs, one thing after the other, on an embedded cluster of its own.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::before::Before;
use super::junit::{Case, Outcome, Suite};
use super::stage::Stage;
use crate::cli::console::{Code, Console, Failure};
use crate::deck::step::Role;
use crate::deck::{PanelKind, PanelSpec, StepSpec};
use crate::project::{Compiled, Project};
use crate::runbook::journal::{Run, State};
use crate::runbook::runner::Runner;
use crate::server::panels::exec;
use crate::server::state::App;

/// What a step may take on top of its own time-out: checkpoints, and the end of its processes.
const GRACE: Duration = Duration::from_secs(60);
/// Lines of what a step wrote that are told when it fails.
const LAST_LINES: usize = 15;

/// Something that is run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does<'a> {
    /// A command of a slide.
    Step(&'a StepSpec),
    /// A panel that shows what a command prints.
    Panel(&'a PanelSpec),
}

/// Something that is run, and the slide that it stands on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown<'a> {
    slide: usize,
    does: Does<'a>,
}

impl Shown<'_> {
    fn name(&self) -> String {
        match self.does {
            Does::Step(step) => step.name.clone(),
            Does::Panel(spec) => spec.title(),
        }
    }
}

/// How the steps of a deck went.
pub(super) struct Tested {
    pub(super) suite: Suite,
    /// Whether all that went wrong is that something took too long.
    pub(super) only_late: bool,
}

/// What is run, in order: of every slide what sets up and what is shown, then the panels that run something. What takes a
/// slide back is tried, too; then its solution, or its steps once more, bring it to where later slides expect it.
pub(super) fn plan(compiled: &Compiled) -> Vec<Shown<'_>> {
    let mut plan = Vec::new();
    for (slide, rendered) in compiled.rendered.slides.iter().enumerate() {
        let of = |role: Role| rendered.steps.iter().filter(move |step| step.role == role).map(Does::Step);
        let all: Vec<Does<'_>> = rendered.steps.iter().map(Does::Step).collect();
        let shown = all.into_iter().filter(|does| is_shown(*does)).collect::<Vec<_>>();
        let (resets, solves): (Vec<_>, Vec<_>) = (of(Role::Reset).collect(), of(Role::Solve).collect());
        let panels = rendered.panels.iter().map(|(_, spec)| spec).filter(|spec| spec.kind == PanelKind::Exec);
        let mut here = shown.clone();
        here.extend(panels.map(Does::Panel));
        let nothing_shown = of(Role::Run).next().is_none();
        match (resets.is_empty(), solves.is_empty()) {
            (true, false) if nothing_shown => here.extend(solves),
            (true, _) => {}
            (false, true) => here.extend(resets.into_iter().chain(shown)),
            (false, false) => here.extend(resets.into_iter().chain(solves)),
        }
        plan.extend(here.into_iter().map(|does| Shown { slide, does }));
    }
    plan
}

fn is_shown(does: Does<'_>) -> bool {
    matches!(does, Does::Step(step) if matches!(step.role, Role::Run | Role::Setup))
}

/// Runs all of them.
///
/// # Errors
/// When the sandbox does not start, or somebody stops it.
pub(super) async fn run(
    project: &Project,
    compiled: &Compiled,
    plan: &[Shown<'_>],
    before: &Before,
    fail_fast: bool,
    console: Console,
    stop: &CancellationToken,
) -> Result<Tested, Failure> {
    let name = compiled.source.path().display().to_string();
    let mut suite = Suite { name, cases: Vec::new(), seconds: 0.0 };
    if plan.is_empty() {
        return Ok(Tested { suite, only_late: false });
    }
    let begun = Instant::now();
    // A stage that has ended must not end the next one's.
    let stage = Stage::start(&project.root, stop.child_token()).await?;
    let (mut late, mut wrong) = (0, 0);
    let done = async {
        for shown in plan {
            let begun = Instant::now();
            let left = fail_fast && (late + wrong) > 0;
            let (state, result) = match left {
                true => (State::Ready, Outcome::Skipped("an earlier step failed".to_owned())),
                false => match shown.does {
                    Does::Step(step) => one(&stage.app, compiled, step, before).await,
                    Does::Panel(spec) => panel(&stage, compiled, spec).await,
                },
            };
            match (&result, state) {
                (Outcome::Failed(_), State::TimedOut) => late += 1,
                (Outcome::Failed(_), _) => wrong += 1,
                _ => {}
            }
            let seconds = begun.elapsed().as_secs_f64();
            let case = Case { group: format!("slide-{}", shown.slide + 1), name: shown.name(), seconds, result };
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

/// Runs the command of a panel once.
async fn panel(stage: &Stage, compiled: &Compiled, spec: &PanelSpec) -> (State, Outcome) {
    let place = compiled.source.line_column(spec.span.start);
    let at = format!("at {}:{}:{}", compiled.source.path().display(), place.line, place.column);
    let Some(sandbox) = stage.app.demo.borrow().ready().cloned() else {
        return (State::Failed, Outcome::Failed(format!("the sandbox has ended\n{at}")));
    };
    match exec::once(&stage.app.desk.secrets, &sandbox, spec, &CancellationToken::new()).await {
        Ok(_) => (State::Passed, Outcome::Passed),
        Err(why) => (State::Failed, Outcome::Failed(format!("{why}\n{at}"))),
    }
}

async fn one(app: &App, compiled: &Compiled, step: &StepSpec, before: &Before) -> (State, Outcome) {
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
        state => {
            let then = before.difference(&step.name, &run.output);
            let then = then.map(|then| format!("\n{then}")).unwrap_or_default();
            (state, Outcome::Failed(told(&run, step, &at) + &then))
        }
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::project::ProjectOptions;
    use crate::project::files::Memory;

    #[test]
    fn everything_that_a_deck_runs_is_tried_and_later_slides_find_what_they_expect() {
        let fence = |words: &str| format!("```sh {{{words}}}\ntrue\n```\n\n");
        let slides = [
            fence("run name=a") + &fence("setup name=s") + "```panel exec kubectl get pods\nx\n```\n",
            fence("run name=b") + &fence("reset name=rb"),
            fence("run name=c") + &fence("solve name=sc") + &fence("reset name=rc"),
            fence("solve name=sd"),
            fence("run name=e") + &fence("solve name=se"),
        ];
        let deck = slides.join("\n---\n\n");
        let files = Arc::new(Memory::new().with("/p/a.md", deck));
        let project = Project::open_in(files, &[Path::new("/p/a.md")], ProjectOptions::default()).expect("a project");
        let compiled = project.compile(&project.decks[0]).expect("a deck");
        let names: Vec<_> = plan(&compiled).iter().map(|shown| format!("{} {}", shown.slide, shown.name())).collect();
        let expected =
            ["0 a", "0 s", "0 $ kubectl get pods", "1 b", "1 rb", "1 b", "2 c", "2 rc", "2 sc", "3 sd", "4 e"];
        assert_eq!(names, expected);
    }
}
