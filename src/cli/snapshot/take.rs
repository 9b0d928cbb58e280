//! Presents decks to nobody: runs their steps where that is allowed, slide by slide, and looks at their panels.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::cluster::args::Which;
use crate::cli::console::{Code, Console, Failure};
use crate::cli::passing::Passing;
use crate::cli::present::args::DemoArgs;
use crate::cli::present::{demo, feed};
use crate::cli::trust;
use crate::cluster::folder::Folder;
use crate::deck::PanelSpec;
use crate::deck::step::{Role, StepSpec};
use crate::gitops::status::Activity;
use crate::panel::redact::Secrets;
use crate::panel::secrets::secrets_of;
use crate::panel::state::{Body, PanelState};
use crate::project::watch::Watcher;
use crate::project::{Compiled, Project};
use crate::runbook::journal::State;
use crate::runbook::trust::Standing;
use crate::runbook::trusted::Trusted;
use crate::sandbox::Sandbox;
use crate::sandbox::keep::{Demo, keep};
use crate::server::panels::once;
use crate::server::role::Token;
use crate::server::state::App;
use crate::server::{Config, Server, desk};

/// How long the live system may take to start, and then to be as its repository says.
const START: Duration = Duration::from_secs(90);

/// What is asked for.
pub(super) struct Wanted {
    pub(super) which: Which,
    /// Commands are run though nobody agreed to them.
    pub(super) trust: bool,
    /// No command is run.
    pub(super) safe: bool,
    /// How long to wait for a panel.
    pub(super) patience: Duration,
}

/// A deck after its run.
pub(super) struct Taken {
    pub(super) compiled: Arc<Compiled>,
    pub(super) shots: Vec<Shot>,
    /// The steps that were run.
    pub(super) steps: Vec<Step>,
    /// Steps that were not.
    pub(super) idle_steps: usize,
    pub(super) safe: bool,
}

/// A step that was run.
pub(super) struct Step {
    pub(super) name: String,
    /// What went wrong.
    pub(super) problem: Option<String>,
}

/// A panel, and what it showed, or why nothing good.
pub(super) struct Shot {
    pub(super) spec: PanelSpec,
    pub(super) seen: Result<Seen, String>,
}

/// What a panel showed, without secrets.
pub(super) struct Seen {
    pub(super) text: String,
    pub(super) svg: String,
}

fn failed(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(Code::Environment, error)
}

/// Runs the decks and looks at their panels, slide by slide; everything that was started has ended afterwards.
pub(super) async fn take(
    project: &Arc<Project>,
    wanted: &Wanted,
    console: Console,
    stop: CancellationToken,
) -> Result<Vec<Taken>, Failure> {
    let passing = Passing::new("foredeck-snapshot")?;
    let demo_args = DemoArgs { which: wanted.which.clone(), ..DemoArgs::default() };
    let prepared = demo::prepare(&demo_args, Folder::of(passing.path()), console).await?;
    let (watcher, decks) = Watcher::new(project.clone())?;
    let mut config = Config::new(project.root.clone(), decks.iter().map(|deck| feed(project, deck)).collect());
    config.port = 0;
    let (sender, demo) = watch::channel(Demo::Off);
    config.demo = demo.clone();
    config.safe = wanted.safe;
    config.shell = std::env::var_os("SHELL");
    config.trusted = if wanted.trust { agreed(project, passing.path())? } else { trust::store() };
    let server = Server::bind(config).await.map_err(failed)?;
    let (app, port) = (server.app(), server.address().port());
    let (ends, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(server.serve(ends.clone()));
    let compiling = ends.clone();
    tasks.spawn(async move {
        watcher.compile_all(&compiling).await;
        compiling.cancelled().await;
    });
    let all = async {
        if let Some(prepared) = prepared {
            let token = Token::random().map_err(failed)?;
            let plan = prepared.plan(&demo_args, &project.root, port, token.reveal().to_owned())?;
            tasks.spawn(keep(plan, sender, ends.clone()));
        }
        let sandbox = settled(demo, console).await?;
        let mut taken = Vec::new();
        for index in 0..decks.len() {
            taken.push(deck(&app, index, &sandbox, wanted).await?);
        }
        Ok(taken)
    };
    let taken = tokio::select! {
        taken = all => taken,
        () = stop.cancelled() => Err(Failure::new(Code::Interrupted, anyhow::Error::msg("stopped"))),
    };
    ends.cancel();
    tasks.close();
    tasks.wait().await;
    taken
}

/// An agreement to all commands of the decks, for this run alone.
fn agreed(project: &Project, folder: &Path) -> Result<Trusted, Failure> {
    let trusted = Trusted::new(Some(&folder.join("trust")));
    for entry in &project.decks {
        let compiled = project.compile(entry)?;
        let commands = trust::commands_of(&compiled);
        if !commands.is_empty() {
            trusted.add(trust::agreed_now(&entry.slug, &commands)).map_err(failed)?;
        }
    }
    Ok(trusted)
}

/// The live system, once it is as its repository says.
async fn settled(mut demo: watch::Receiver<Demo>, console: Console) -> Result<Arc<Sandbox>, Failure> {
    let work = async {
        let sandbox = match demo.wait_for(|demo| matches!(demo, Demo::Ready(_) | Demo::Failed(_))).await.as_deref() {
            Ok(Demo::Ready(sandbox)) => sandbox.clone(),
            Ok(Demo::Failed(why)) => return Err(why.clone()),
            _ => return Err("it has ended".to_owned()),
        };
        let mut status = sandbox.reconciler.status();
        let synced = status.wait_for(|status| status.synced.is_some() && status.activity == Activity::Idle).await;
        synced.map_err(|_| "the reconciler has ended".to_owned())?;
        Ok(sandbox)
    };
    console.say("Starting the live system…");
    match tokio::time::timeout(START, work).await {
        Ok(Ok(sandbox)) => Ok(sandbox),
        Ok(Err(why)) => Err(failed(anyhow::Error::msg(why).context("the live system does not start"))),
        Err(_) => Err(Failure::new(Code::Cluster, anyhow::Error::msg("the live system is not ready in time"))
            .hint("`foredeck doctor` looks at what it needs")),
    }
}

/// Goes through the slides of a deck as a speaker does: first the steps, then the panels.
async fn deck(app: &Arc<App>, index: usize, sandbox: &Sandbox, wanted: &Wanted) -> Result<Taken, Failure> {
    let shown = app.decks.get(index).ok_or_else(|| failed(anyhow::Error::msg("the deck is gone")))?;
    let view = shown.view().await.map_err(|_| failed(anyhow::Error::msg("the deck could not be read in time")))?;
    let may_run = app.desk.standing(&desk::commands(&view)) == Standing::Trusted;
    let mut taken = Taken {
        compiled: view.compiled.clone(),
        shots: Vec::new(),
        steps: Vec::new(),
        idle_steps: 0,
        safe: wanted.safe,
    };
    let mut next: Vec<&PanelSpec> = Vec::new();
    for slide in &view.compiled.rendered.slides {
        let mut steps = slide.steps.iter().filter(|step| step.role == Role::Run).peekable();
        if may_run && steps.peek().is_some() {
            // What earlier slides show must be seen before the world changes.
            look(app, index, sandbox, wanted.patience, std::mem::take(&mut next), &mut taken.shots).await;
        }
        for step in steps {
            // What comes after a step that failed would show something else than the author meant.
            if !may_run || taken.steps.iter().any(|step| step.problem.is_some()) {
                taken.idle_steps += usize::from(!may_run);
                continue;
            }
            let problem = perform(app, &shown.slug, step).await.err();
            taken.steps.push(Step { name: step.name.clone(), problem });
        }
        next.extend(slide.panels.iter().map(|(_, spec)| spec));
    }
    look(app, index, sandbox, wanted.patience, next, &mut taken.shots).await;
    Ok(taken)
}

/// Looks at panels, all at the same time.
async fn look(
    app: &Arc<App>,
    deck: usize,
    sandbox: &Sandbox,
    patience: Duration,
    specs: Vec<&PanelSpec>,
    shots: &mut Vec<Shot>,
) {
    let states = once::look(app, deck, &specs, patience).await;
    let secrets = secrets_of(sandbox, &app.desk.secrets);
    for (spec, state) in specs.into_iter().zip(states) {
        shots.push(Shot { spec: spec.clone(), seen: seen(app, &state, &secrets) });
    }
}

/// Runs a step to its end.
async fn perform(app: &App, slug: &str, step: &StepSpec) -> Result<(), String> {
    let mut journal = app.desk.runner.journal();
    app.desk.runner.run(slug, step).map_err(|refusal| refusal.to_string())?;
    let ended = journal.wait_for(|journal| !journal.state(slug, &step.name).is_active()).await;
    let journal = ended.map_err(|_| "it was stopped".to_owned())?;
    match journal.run(slug, &step.name) {
        Some(run) if run.state == State::Passed => Ok(()),
        Some(run) if !run.reason.is_empty() => Err(run.reason.clone()),
        _ => Err("it was stopped".to_owned()),
    }
}

fn seen(app: &App, state: &PanelState, secrets: &Secrets) -> Result<Seen, String> {
    if matches!(state.body, Body::Waiting) {
        return Err(state.problem.clone().unwrap_or_else(|| "it showed nothing in time".to_owned()));
    }
    let svg = once::picture(app, state, |text| secrets.redact(text)).map_err(|error| error.to_string())?;
    Ok(Seen { text: secrets.redact(&state.text()), svg })
}
