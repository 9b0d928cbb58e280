//! `POST /api/v1/steps/…`, `/api/v1/checkpoints/restore`, `/api/v1/clock`: what the speaker does to the live system.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use crate::deck::step::{Role, StepSpec};
use crate::runbook::runner::Refusal;
use crate::runbook::trust::Standing;
use crate::server::desk;
use crate::server::error::Problem;
use crate::server::feed::View;
use crate::server::state::App;

/// Which step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The deck; the one that is shown when not given.
    deck: Option<String>,
    /// The slide, from 0; the one that is shown when not given.
    slide: Option<usize>,
    /// The step; the next one of the slide when not given.
    name: Option<String>,
}

/// Nothing more to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Where to go back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// The deck of the step.
    deck: Option<String>,
    /// The step that the checkpoint was made before; the last checkpoint when not given.
    name: Option<String>,
}

/// What the cluster's clock does.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum ClockCommand {
    /// It stands still.
    Pause,
    /// It jumps.
    Step {
        /// By so many seconds.
        seconds: u32,
    },
    /// It goes so many times as fast.
    Speed {
        /// 0.1 to 3600.
        times: f64,
    },
    /// As outside.
    Real,
}

/// The furthest jump: a day.
const FURTHEST: u32 = 24 * 3600;

/// Runs a step of a slide.
pub async fn run(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let wanted: Run = body::speakers(&app, request, r#"{"deck":"talk"} or {"deck":"talk","name":"break"}"#).await?;
    let live = app.hub.speaker(app.now_ms());
    let slug = wanted.deck.clone().unwrap_or_else(|| live.deck.clone());
    let (_, deck) = app.deck(&slug)?;
    let view = deck.view().await?;
    let shown = (live.deck == slug).then_some(live.slide as usize);
    let step = choose(&app, &view, &slug, wanted.name.as_deref(), wanted.slide.or(shown))?;
    let slide = desk::steps(&view).position(|on| on.iter().any(|known| known.name == step.name));
    if slide.is_some_and(|slide| app.replay.is_on(&slug, slide)) {
        // Nothing is run, so nobody has to have agreed to it.
        if app.replay.run_step(&app, &slug, step) {
            return Ok(done(json!({ "deck": slug, "name": step.name, "replay": true })));
        }
        return Err(Problem::conflict(format!("The recorded run has no step `{}`.", step.name))
            .hint("`foredeck rehearse` records all steps of the deck anew."));
    }
    may_run(&app, &view, &slug)?;
    app.desk.runner.run(&slug, step).map_err(refused)?;
    Ok(done(json!({ "deck": slug, "name": step.name })))
}

/// Whether the deck's commands may be run at all.
fn may_run(app: &App, view: &View, slug: &str) -> Result<(), Problem> {
    match app.desk.standing(&desk::commands(view)) {
        Standing::Trusted | Standing::Nothing => Ok(()),
        Standing::Safe => Err(Problem::forbidden("Nothing is run: foredeck was started with `--safe`.")
            .hint("Start it without `--safe` to run steps.")),
        Standing::Untrusted => Err(Problem::forbidden(format!("The commands of the deck `{slug}` are not trusted."))
            .hint("Read them and agree in the presenter view, or run `foredeck trust DECK`.")),
    }
}

fn choose<'a>(
    app: &App,
    view: &'a View,
    slug: &str,
    name: Option<&str>,
    slide: Option<usize>,
) -> Result<&'a StepSpec, Problem> {
    let all = || desk::steps(view).flatten().filter(|step| step.role == Role::Run);
    if let Some(name) = name {
        return all().find(|step| step.name == name).ok_or_else(|| {
            let problem = Problem::not_found(format!("The deck `{slug}` has no step `{name}`."));
            match crate::diagnostic::closest(name, all().map(|step| step.name.as_str())) {
                Some(like) => problem.hint(format!("Did you mean `{like}`?")),
                None => problem,
            }
        });
    }
    let on_slide = slide.and_then(|slide| desk::steps(view).nth(slide)).unwrap_or_default();
    let names = on_slide.iter().filter(|step| step.role == Role::Run).map(|step| step.name.as_str());
    let journal = app.desk.runner.journal();
    let next = journal.borrow().next(slug, names).and_then(|name| on_slide.iter().find(|step| step.name == name));
    next.ok_or_else(|| Problem::not_found("There is nothing to run on this slide."))
}

/// Stops the step that is at work.
pub async fn cancel(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let Nothing {} = body::speakers(&app, request, "{}").await?;
    Ok(done(json!({ "stopped": app.desk.runner.cancel() })))
}

/// Puts cluster and repository back.
pub async fn restore(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let wanted: Restore = body::speakers(&app, request, r#"{} or {"deck":"talk","name":"break"}"#).await?;
    let deck = wanted.deck.unwrap_or_else(|| app.hub.speaker(app.now_ms()).deck);
    let to = wanted.name.as_deref().map(|name| (deck.as_str(), name));
    if app.replay.is_all() {
        let undone = app.replay.undo(&app, to).ok_or_else(|| Problem::conflict("No step has been shown yet."))?;
        return Ok(done(json!({ "deck": undone.0, "name": undone.1, "replay": true })));
    }
    if app.desk.safe {
        return Err(Problem::forbidden("Nothing is put back: foredeck was started with `--safe`."));
    }
    let (deck, name) = app.desk.runner.restore(to).await.map_err(refused)?;
    app.replay.rewound(&app, &deck, &name);
    Ok(done(json!({ "deck": deck, "name": name })))
}

/// Pauses, moves and speeds up the embedded cluster's time.
pub async fn clock(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let like = r#"{"do":"pause"}, {"do":"step","seconds":60}, {"do":"speed","times":10} or {"do":"real"}"#;
    let command: ClockCommand = body::speakers(&app, request, like).await?;
    let sandbox = app.demo.borrow().ready().cloned();
    let sandbox = sandbox
        .filter(|sandbox| sandbox.embedded().is_some())
        .ok_or_else(|| Problem::conflict("Only the embedded cluster has a clock of its own, and none is running."))?;
    match command {
        ClockCommand::Pause => sandbox.set_speed(0.0),
        ClockCommand::Step { seconds } if (1..=FURTHEST).contains(&seconds) => {
            sandbox.step_time(Duration::from_secs(seconds.into()));
        }
        ClockCommand::Step { .. } => {
            return Err(Problem::bad_request(format!("`seconds` must be a number from 1 to {FURTHEST}")));
        }
        ClockCommand::Speed { times } if (0.1..=3600.0).contains(&times) => sandbox.set_speed(times),
        ClockCommand::Speed { .. } => return Err(Problem::bad_request("`times` must be a number from 0.1 to 3600")),
        ClockCommand::Real => sandbox.follow_real_time(),
    }
    let clock = sandbox.clock();
    Ok(done(json!({ "virtual": clock.is_virtual(), "speed": clock.speed(), "now": clock.now() })))
}

fn refused(refusal: Refusal) -> Problem {
    let problem = Problem::conflict(refusal.to_string());
    match refusal {
        Refusal::Busy(_) => problem.hint("Wait for it, or stop it."),
        Refusal::NotReady(_) => problem.hint("The slides go on without it; it is tried again by itself."),
        Refusal::Wait { .. } => problem.hint("Mend the `wait` attribute of the fence."),
        Refusal::NoCheckpoint => problem.hint("A step with the attribute `checkpoint` makes one before it runs."),
        Refusal::Foreign(_) | Refusal::Restore(_) => problem,
    }
}

pub(super) fn done(value: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}
