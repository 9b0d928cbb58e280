//! `/w/`: the workshop's pages, and `/api/v1/workshop`, which does and checks steps.

use std::sync::Arc;

use axum::Json;
use axum::body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::render::notes;
use crate::runbook::trust::Standing;
use crate::sandbox::keep::Demo;
use crate::server::document::{Document, PRIVATE};
use crate::server::error::Problem;
use crate::server::role::{self, Role, Token};
use crate::server::state::App;
use crate::workshop::act::Ran;
use crate::workshop::converge::Move;
use crate::workshop::progress::Progress;
use crate::workshop::seat::{Agreement, Seat};
use crate::workshop::session::{Error, Session};
use crate::workshop::{Fold, Part, Step};

/// Far more than any request needs.
const LIMIT: usize = 4 * 1024;

/// What a learner's link carries.
#[derive(Debug, Deserialize)]
pub struct Entry {
    t: Option<String>,
}

pub(super) fn seat(app: &App) -> Result<&Arc<Seat>, Problem> {
    app.workshop
        .as_ref()
        .ok_or_else(|| Problem::not_found("There is no workshop here.").hint("`foredeck workshop start` serves one."))
}

fn cookie_name(app: &App) -> String {
    format!("foredeck-learner-{}", app.tokens.port)
}

/// Whether the commands of the workshop may be run.
fn standing(app: &App, seat: &Seat) -> Standing {
    match seat.agreement() {
        Agreement::Given => Standing::Trusted,
        Agreement::Asked => app.desk.standing(&seat.workshop().commands()),
        Agreement::Never => Standing::Safe,
    }
}

/// Whether whoever asks may work at the seat.
pub(super) fn may_work(app: &App, seat: &Seat, headers: &HeaderMap) -> bool {
    if app.tokens.role(headers).speaks() {
        return matches!(standing(app, seat), Standing::Trusted | Standing::Nothing);
    }
    if seat.agreement() != Agreement::Given {
        return false;
    }
    let Some(token) = Token::known(seat.token()) else { return false };
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let name = cookie_name(app);
    bearer.is_some_and(|given| token.matches(given))
        || role::cookies(headers).any(|(key, value)| key == name && token.matches(value))
}

/// The list of steps; a link with a token becomes a cookie first.
pub async fn index(
    State(app): State<Arc<App>>,
    query: Result<Query<Entry>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = seat(&app)?;
    if let Some(given) = query.ok().and_then(|Query(entry)| entry.t) {
        let known = Token::known(seat.token()).filter(|token| token.matches(&given));
        let Some(token) = known else {
            let problem = Problem::forbidden("This link is not, or not any more, a learner's.");
            return Err(problem.hint("Open the link that `foredeck workshop start` printed."));
        };
        return Ok(enter(&app, &token));
    }
    let may = may_work(&app, seat, &headers);
    let context = json!({
        "title": seat.workshop().name,
        "version": app.started_ms,
        "assets": "/assets",
        "may": may,
        "asked": if may { Value::Null } else { asked(&app, seat, &headers) },
        "why_not": why_not(&app, seat),
        "learner": app.learner,
        "status": status(seat),
    });
    let html = app.page("workshop.html", &context)?;
    Ok(Document::new("text/html; charset=utf-8", html).response(&headers, PRIVATE))
}

/// What a speaker is asked to agree to, when the workshop beside their decks is not trusted yet.
fn asked(app: &App, seat: &Seat, headers: &HeaderMap) -> Value {
    let commands = seat.workshop().commands();
    if app.tokens.role(headers) != Role::Presenter || standing(app, seat) != Standing::Untrusted {
        return Value::Null;
    }
    let titles = seat.workshop().steps.iter().enumerate().map(|(place, step)| {
        let own: Vec<_> = commands.0.iter().filter(|command| command.slide == place).collect();
        json!({"title": step.title, "commands": own})
    });
    json!({"hash": commands.hash(), "count": commands.0.len(), "steps": titles.collect::<Vec<_>>()})
}

/// How somebody who may only read gets to work.
fn why_not(app: &App, seat: &Seat) -> &'static str {
    match (seat.agreement(), standing(app, seat)) {
        (Agreement::Given, _) => "To work in the sandbox, open the link that `foredeck workshop start` printed.",
        (_, Standing::Safe) => "Nothing is run here: foredeck was started without its demo side, or with `--safe`.",
        _ => "The speaker works in this sandbox; `foredeck workshop start` gives you one of your own.",
    }
}

/// The page of a step's file, which decks link to: `workshop/04-add-a-manifest.md`.
pub(super) fn page_of(app: &App, path: &str) -> Option<String> {
    let id = path.strip_prefix("workshop/")?.strip_suffix(".md")?;
    let steps = &app.workshop.as_ref()?.workshop().steps;
    steps.iter().find(|step| step.id == id).map(|step| format!("/w/{}", step.slug))
}

fn enter(app: &App, token: &Token) -> Response {
    let text = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(app), token.reveal());
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/w/")]).into_response();
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// `/w` goes on to `/w/`, with its query.
pub async fn without_slash(request: Request) -> Response {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = HeaderValue::try_from(format!("/w/{query}")).unwrap_or(HeaderValue::from_static("/w/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
}

/// A step.
pub async fn step(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = seat(&app)?;
    let workshop = seat.workshop();
    let step = workshop.step(name.trim_end_matches('/')).ok_or_else(|| unknown(seat, &name))?;
    let at = workshop.position(&step.id).unwrap_or(0);
    let beside = |at: Option<usize>| {
        let step = at.and_then(|at| workshop.steps.get(at));
        step.map(|step| json!({"title": step.title, "href": format!("/w/{}", step.slug)}))
    };
    let context = json!({
        "title": step.title,
        "workshop": workshop.name,
        "version": app.started_ms,
        "assets": "/assets",
        "may": may_work(&app, seat, &headers),
        "why_not": why_not(&app, seat),
        "learner": app.learner,
        "step": {
            "id": step.id,
            "slug": step.slug,
            "number": at + 1,
            "of": workshop.steps.len(),
            "minutes": step.duration.as_secs().div_ceil(60),
            "hints": step.hints.len(),
            "panels": panels(&app, step),
        },
        "parts": parts(step, &step.parts),
        "checks": step.checks.iter().map(|check| json!({
            "title": check.fact.title(),
            "message": notes::prose(&check.message),
        })).collect::<Vec<_>>(),
        "previous": beside(at.checked_sub(1)),
        "next": beside(Some(at + 1)),
        "status": status(seat),
    });
    let html = app.page("workshop-step.html", &context)?;
    Ok(Document::new("text/html; charset=utf-8", html).response(&headers, PRIVATE))
}

fn unknown(seat: &Seat, name: &str) -> Problem {
    let problem = Problem::not_found(format!("There is no step `{name}`."));
    let slugs = seat.workshop().steps.iter().map(|step| step.slug.as_str());
    match crate::diagnostic::closest(name, slugs) {
        Some(near) => problem.hint(format!("Did you mean `{near}`?")),
        None => problem.hint("The list of steps is at /w/."),
    }
}

/// The parts of a step for its page. What sets up and resets is not shown.
fn parts(step: &Step, parts: &[Part]) -> Vec<Value> {
    use crate::deck::step::Role;

    let shown = parts.iter().filter_map(|part| match part {
        Part::Text(span) => Some(json!({"kind": "text", "html": notes::prose(step.text(*span))})),
        Part::Action(index) => {
            let action = step.actions.get(*index)?;
            let role = match action.spec.role {
                Role::Run => "run",
                Role::Solve => "solve",
                Role::Setup | Role::Reset => return None,
            };
            Some(json!({"kind": role, "name": action.spec.name, "script": action.spec.script.trim_end()}))
        }
        Part::Check(_) => None,
        Part::Fold(fold) => Some(self::fold(step, fold)),
    });
    shown.collect()
}

/// What is docked beside the text: the live panels, and a terminal last.
fn panels(app: &App, step: &Step) -> Vec<Value> {
    let mut all = super::panels::live(step);
    if !app.desk.safe {
        all.push(super::panels::spec(crate::deck::PanelKind::Terminal));
    }
    all.iter().map(|spec| json!({"kind": spec.kind.word(), "key": spec.key(), "title": spec.title()})).collect()
}

fn fold(step: &Step, fold: &Fold) -> Value {
    let kind = if fold.solution { "solution" } else { "hint" };
    json!({"kind": kind, "summary": fold.summary, "parts": parts(step, &fold.parts)})
}

/// How far the participant is.
fn status(seat: &Seat) -> Value {
    let workshop = seat.workshop();
    let session = seat.session();
    let progress = session.as_ref().map_or_else(|| Progress::new(&workshop.name), |s| s.progress().borrow().clone());
    let steps: Vec<Value> = workshop
        .steps
        .iter()
        .map(|step| {
            let known = progress.step(&step.id);
            json!({
                "id": step.id,
                "slug": step.slug,
                "title": step.title,
                "minutes": step.duration.as_secs().div_ceil(60),
                "needs": step.needs,
                "state": known.state,
                "by": known.by,
                "started": known.started,
                "passed": known.passed,
                "hints": known.hints,
                "resets": known.resets,
                "stuck": known.stuck,
                "commands": step.actions(crate::deck::step::Role::Run).map(|a| &a.spec.name).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "schema": "foredeck.workshop.status/1",
        "workshop": workshop.name,
        "ready": session.is_some(),
        "current": progress.current,
        "next": progress.next(workshop),
        "passed": progress.passed(),
        "problem": session.as_ref().and_then(|session| session.problem()),
        "steps": steps,
    })
}

/// The session of whoever asks.
fn session(app: &App, headers: &HeaderMap) -> Result<Arc<Session>, Problem> {
    let seat = seat(app)?;
    if !may_work(app, seat, headers) {
        let problem = Problem::forbidden("Only the learner whose sandbox this is can do this.");
        return Err(problem.hint(why_not(app, seat)));
    }
    seat.want();
    seat.session().ok_or_else(|| match &*app.demo.borrow() {
        Demo::Failed(why) => {
            tracing::debug!(why, "a sandbox does not start");
            Problem::unavailable("The sandbox does not start; it is tried again.").hint(match app.learner {
                Some(_) => "Tell your trainer when this stays.",
                None => "The terminal that runs foredeck says more.",
            })
        }
        _ => Problem::unavailable("The sandbox is starting. The buttons work as soon as it is there."),
    })
}

fn answer(value: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

/// `GET /api/v1/workshop`: how far the participant is.
pub async fn overview(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    Ok(answer(status(seat(&app)?)))
}

/// `GET /api/v1/workshop/{step}`: how its checks stand. It runs the step's scripts, so it is the learner's alone.
pub async fn check(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let report = session(&app, &headers)?.check(&name).await.map_err(explain)?;
    Ok(answer(serde_json::to_value(report).unwrap_or_default()))
}

#[derive(Debug, Default, Deserialize)]
struct Wish {
    /// The command to run.
    name: Option<String>,
    /// Only say what would be done.
    #[serde(default)]
    dry: bool,
}

/// `POST /api/v1/workshop/{step}/{verb}`: start, run, wait, hint, solve, reset.
pub async fn act(
    State(app): State<Arc<App>>,
    Path((name, verb)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let session = session(&app, request.headers())?;
    let reading = body::to_bytes(request.into_body(), LIMIT);
    let bytes = tokio::time::timeout(app.limits.body_timeout, reading).await.map_err(|_| Problem::too_slow())?;
    let bytes = bytes.map_err(|_| Problem::too_large(LIMIT))?;
    let wish: Wish = match bytes.is_empty() {
        true => Wish::default(),
        false => serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(error.to_string()))?,
    };
    app.metrics.commanded();
    let done = match verb.as_str() {
        "start" if wish.dry => json!({"moves": moves(&session.plan(&name).await.map_err(explain)?)}),
        "start" => {
            let mut told: Vec<Move> = Vec::new();
            session.start(&name, &mut |moved| told.push(moved.clone())).await.map_err(explain)?;
            json!({"moves": moves(&told)})
        }
        "run" => {
            let command = wish.name.ok_or_else(|| Problem::bad_request("The command's name is missing."))?;
            ran(&session.run(&name, &command).await.map_err(explain)?)
        }
        "wait" => json!(session.wait(&name, true).await.map_err(explain)?),
        "hint" => {
            let (number, of, text) = session.hint(&name).map_err(explain)?;
            json!({"number": number, "of": of, "text": text, "html": notes::prose(&text)})
        }
        "solve" => json!(session.solve(&name).await.map_err(explain)?),
        "reset" => {
            session.reset(&name).await.map_err(explain)?;
            json!({})
        }
        _ => return Err(Problem::not_found("There is nothing of this name to do with a step.")),
    };
    Ok(answer(done))
}

fn moves(moves: &[Move]) -> Vec<Value> {
    moves.iter().map(|moved| json!({"text": moved.to_string(), "move": moved})).collect()
}

fn ran(ran: &Ran) -> Value {
    let mut value = json!(ran);
    value["ok"] = json!(ran.went_well());
    value
}

fn explain(error: Error) -> Problem {
    match &error {
        Error::UnknownStep(_) | Error::UnknownCommand { .. } | Error::Nothing { .. } => {
            Problem::not_found(error.to_string())
        }
        Error::Busy => Problem::unavailable(error.to_string()),
        Error::Action { output, .. } => {
            let last: Vec<&str> = output.lines().rev().take(10).collect();
            Problem::failed(error.to_string()).hint(last.into_iter().rev().collect::<Vec<_>>().join("\n"))
        }
        Error::Stuck { .. } | Error::Sandbox(_) => Problem::failed(error.to_string()),
    }
}
