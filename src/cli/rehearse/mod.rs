//! `rehearse`: every step of a deck, in the order of the slides, recorded and timed.

pub mod args;
mod report;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::deck::PanelKind;
use crate::deck::step::Role;
use crate::project::Project;
use crate::recording::{files, slides};
use crate::render::page;
use crate::runbook::journal::{Run, State};
use crate::runbook::trust::Standing;
use crate::sandbox::keep::Demo;
use crate::server::desk;
use crate::server::feed::View;
use crate::server::live::Command;
use crate::server::panels::Looking;
use crate::server::state::App;
use crate::theme::Container;

use super::Inputs;
use super::console::{Code, Console, Failure};
use super::present;
use super::settings::{self, Asked};
use args::Rehearse;
use report::Report;

/// How long the live system may take to start.
const STARTS: Duration = Duration::from_secs(120);
/// A slide is left when its panels have been quiet for so long, and after so long anyway.
const QUIET: (Duration, Duration) = (Duration::from_millis(1500), Duration::from_secs(8));
/// The same for slides with what takes minutes: canaries, and clusters that are made.
const PATIENT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(90));
/// Lines of a failed step's output that are shown.
const LINES: usize = 8;

/// A rehearsal.
#[derive(Debug)]
pub(super) struct Rehearsal {
    /// Whether nobody is there.
    pub(super) headless: bool,
    /// Why it did not come to its end.
    failure: Mutex<Option<Failure>>,
}

pub(super) fn run(args: Rehearse, console: Console) -> Result<Code, Failure> {
    let inputs = Inputs::sort(args.inputs).or_default()?;
    if inputs.decks.iter().any(|path| path == Path::new("-")) {
        return Err(Failure::usage("a deck from standard input cannot be rehearsed").hint("save it to a file"));
    }
    if args.demo.runs.replay.is_some() || args.demo.no_demo || args.demo.runs.no_record {
        return Err(Failure::usage("a rehearsal is live and recorded")
            .hint("leave out `--replay`, `--no-demo` and `--no-record`"));
    }
    let mut serve = args.serve;
    if args.headless {
        serve.no_open = true;
        serve.no_watch = true;
        serve.port = serve.port.or(Some(0));
    }
    let asked = Asked { render: args.render, serve, input: inputs.first(), ..Asked::default() };
    let settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    let host = present::host(&settings.host)?;
    let project = inputs.open(settings.project.clone())?;
    let rehearsal = Arc::new(Rehearsal { headless: args.headless, failure: Mutex::new(None) });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Code::Environment, error))?;
    // The last passed run must not stand in for the one that is being made.
    let demo = present::args::DemoArgs {
        runs: present::args::RunArgs { fallback: Some(present::args::Fallback::Never), ..args.demo.runs },
        ..args.demo
    };
    let outcome = runtime.block_on(present::serve(Arc::new(project), host, &settings, &demo, Some(rehearsal), console));
    runtime.shutdown_background();
    outcome
}

impl Rehearsal {
    /// Goes through all decks without anybody.
    pub(super) async fn run(&self, app: &Arc<App>, console: Console, stop: &CancellationToken) {
        let all = async {
            for index in 0..app.decks.len() {
                deck(app, index, console).await?;
            }
            Ok(())
        };
        let outcome = tokio::select! {
            outcome = all => outcome,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(failure) = outcome {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        }
    }

    /// Tells how it went.
    pub(super) fn report(
        &self,
        project: &Project,
        written: Option<PathBuf>,
        ended: Result<Code, Failure>,
        console: Console,
    ) -> Result<Code, Failure> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = ended?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Some(path) = written else {
            console.say("There is nothing live in this deck, so nothing was recorded.");
            return Ok(if self.headless { ended } else { Code::Done });
        };
        let run = Arc::new(files::read(&path).map_err(|error| Failure::new(Code::Environment, error))?);
        let stays = slides::stays(&run);
        let mut reports = Vec::new();
        for entry in &project.decks {
            if !stays.iter().any(|stay| stay.deck == entry.slug) {
                continue;
            }
            let compiled = project.compile(entry)?;
            let plan = page::plan(&compiled.rendered);
            reports.push(Report::new(&entry.slug, &plan, &stays, &run));
        }
        if console.json {
            console.document(&report::json(&path, run.size(), &reports))?;
        } else {
            for report in &reports {
                super::console::data(&report.text())?;
            }
            console.say(&format!("recorded => {} ({} kB)", path.display(), run.size().div_ceil(1000)));
        }
        let passed = !reports.is_empty() && reports.iter().all(|report| report.passed);
        // Whoever rehearses with the speaker's view ends it with Ctrl-C.
        let interrupted = self.headless && !matches!(ended, Code::Done);
        Ok(match (interrupted, passed) {
            (true, _) => ended,
            (false, true) => Code::Done,
            (false, false) => Code::Findings,
        })
    }
}

/// Goes through a deck.
async fn deck(app: &Arc<App>, index: usize, console: Console) -> Result<(), Failure> {
    let Some(shown) = app.decks.get(index) else { return Ok(()) };
    let late = || Failure::new(Code::Input, anyhow::Error::msg(format!("the deck `{}` is not ready", shown.slug)));
    let view = shown.view().await.map_err(|_| late())?;
    let commands = desk::commands(&view);
    match app.desk.standing(&commands) {
        Standing::Trusted | Standing::Nothing => {}
        Standing::Safe => return Err(Failure::usage("with `--safe` nothing is run, so nothing can be rehearsed")),
        Standing::Untrusted => {
            let message = format!("the commands of the deck `{}` are not trusted", shown.slug);
            return Err(Failure::new(Code::Refused, anyhow::Error::msg(message))
                .hint("read them and agree with `foredeck trust DECK`"));
        }
    }
    let _looking = Looking::at(app, index);
    if is_live(&view) {
        ready(app).await?;
    }
    for (number, slide) in view.compiled.rendered.slides.iter().enumerate() {
        let to = Command::Goto {
            deck: Some(shown.slug.clone()),
            slide: u32::try_from(number).unwrap_or(u32::MAX),
            fragment: slide.fragments,
        };
        app.hub.apply(&to, app.now_ms()).map_err(|error| Failure::new(Code::Environment, error))?;
        let steps: Vec<_> = slide.steps.iter().filter(|step| step.role == Role::Run).collect();
        if !slide.panels.is_empty() {
            quiet(app, QUIET).await;
        }
        let slow = slide.panels.iter().any(|(_, spec)| matches!(spec.kind, PanelKind::Canary | PanelKind::Tree));
        for step in steps {
            let began = Instant::now();
            app.desk.runner.run(&shown.slug, step).map_err(|refusal| Failure::new(Code::Cluster, refusal))?;
            let mut journal = app.desk.runner.journal();
            let run = match journal.wait_for(|journal| journal.active.is_none()).await {
                Ok(journal) => journal.run(&shown.slug, &step.name).cloned().unwrap_or_default(),
                Err(_) => Run::default(),
            };
            let passed = run.state == State::Passed;
            let (sign, took) = (if passed { "✓" } else { "✗" }, began.elapsed().as_secs_f64());
            console.say(&format!("  {sign} slide {}: {} ({took:.1} s)", number + 1, step.name));
            if !passed {
                let last = run.output.lines().rev().take(LINES).collect::<Vec<_>>();
                for line in std::iter::once(run.reason.as_str()).chain(last.into_iter().rev()) {
                    console.say(&format!("      {line}"));
                }
            }
            quiet(app, if slow { PATIENT } else { QUIET }).await;
        }
    }
    Ok(())
}

fn is_live(view: &View) -> bool {
    view.compiled.rendered.slides.iter().any(|slide| !slide.panels.is_empty() || !slide.steps.is_empty())
}

async fn ready(app: &App) -> Result<(), Failure> {
    let mut demo = app.demo.clone();
    let ready = tokio::time::timeout(STARTS, demo.wait_for(|demo| demo.ready().is_some())).await;
    if matches!(ready, Ok(Ok(_))) {
        return Ok(());
    }
    let why = match &*app.demo.borrow() {
        Demo::Failed(why) => why.clone(),
        _ => format!("it has not started within {} s", STARTS.as_secs()),
    };
    Err(Failure::new(Code::Cluster, anyhow::Error::msg(format!("the live system does not run: {why}"))))
}

/// Waits until panels have been quiet for a while.
async fn quiet(app: &App, (enough, most): (Duration, Duration)) {
    let mut board = app.hub.audience_board();
    let until = Instant::now() + most;
    let mut seen = board.borrow_and_update().newest_panel;
    let mut since = Instant::now();
    while since.elapsed() < enough {
        tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            () = tokio::time::sleep_until(since + enough) => {}
            changed = board.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = board.borrow_and_update().newest_panel;
                if now != seen {
                    (seen, since) = (now, Instant::now());
                }
            }
        }
    }
}
