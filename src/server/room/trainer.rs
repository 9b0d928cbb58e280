//! `/trainer`: who is where, who is stuck on what, and what the trainer does about it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::front::{self, is_trainer};
use super::join::{Entry, join_link};
use super::place::{Place, now_ms};
use super::{Room, lock};
use crate::render::notes;
use crate::server::document::{Document, PRIVATE};
use crate::server::error::Problem;
use crate::server::role::Token;
use crate::server::routes::body;
use crate::workshop::progress::State as StepState;
use crate::workshop::session::Session;

/// How often it is looked for news while the page is open.
const LOOK: Duration = Duration::from_millis(400);
/// Connections stay open while nothing changes: so many looks.
const HEARTBEAT: u32 = 50;
/// The longest message.
const LONGEST: usize = 1000;

/// What the trainer wants.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Wish {
    /// Say something: a text, or the next hint of the step each learner is at.
    Hint {
        /// The learner; everybody when none.
        who: Option<String>,
        #[serde(default)]
        text: String,
    },
    /// Back to the beginning of a step: the named one, else the one they are at.
    Restore { who: Option<String>, step: Option<String> },
    /// A new link for somebody who lost theirs.
    Link { who: String },
}

const LIKE: &str = r#"{"do":"hint","who":"amber-badger","text":"Look at the events."}"#;

/// The name of the trainer's cookie.
pub(super) fn cookie_name(room: &Room) -> String {
    format!("foredeck-trainer-{}", room.ground.bound.port())
}

fn admit(room: &Room, headers: &HeaderMap) -> Result<(), Problem> {
    if is_trainer(room, headers) {
        return Ok(());
    }
    room.ground.base.metrics.wrong_token();
    Err(Problem::forbidden("Only the trainer can see this.").hint("Open the trainer's link that foredeck printed."))
}

/// The page; a link with the token becomes a cookie first.
pub(super) async fn page(
    State(room): State<Arc<Room>>,
    query: Result<Query<Entry>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(given) = query.ok().and_then(|Query(entry)| entry.t) {
        let known = Token::known(&lock(&room.roster).trainer).filter(|token| token.matches(&given));
        if let Some(token) = known {
            return Ok(front::enter(&cookie_name(&room), &token, "/trainer"));
        }
    }
    admit(&room, &headers)?;
    let steps = room.ground.workshop.steps.iter();
    let steps: Vec<Value> =
        steps.map(|step| json!({"id": step.id, "number": step.number, "title": step.title})).collect();
    let context = json!({
        "title": room.ground.workshop.name,
        "version": room.ground.base.started_ms,
        "assets": "/assets",
        "steps": steps,
        "max": room.ground.rules.max,
        "shells": room.ground.shells(),
        "confines": room.ground.confines || !room.ground.rules.terminals,
        "join": join_link(&room),
    });
    let html = room.ground.base.page("workshop-trainer.html", &context)?;
    Ok(Document::new("text/html; charset=utf-8", html).response(&headers, PRIVATE))
}

fn now(room: &Room) -> Value {
    let rows: Vec<Value> = room.places().iter().map(|place| json!(place.row(&room.ground))).collect();
    json!({
        "schema": "foredeck.workshop.room/1",
        "workshop": room.ground.workshop.name,
        "max": room.ground.rules.max,
        "problem": *lock(&room.problem),
        "learners": rows,
    })
}

fn answer(value: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

/// Everybody, now.
pub(super) async fn board(State(room): State<Arc<Room>>, headers: HeaderMap) -> Result<Response, Problem> {
    admit(&room, &headers)?;
    Ok(answer(now(&room)))
}

/// Everybody, now and whenever something changes.
pub(super) async fn events(State(room): State<Arc<Room>>, headers: HeaderMap) -> Result<Response, Problem> {
    admit(&room, &headers)?;
    let stream = futures::stream::unfold((room, None, 0), |(room, told, quiet)| async move {
        let (mut told, mut quiet): (Option<Value>, u32) = (told, quiet);
        loop {
            let board = now(&room);
            if told.as_ref() != Some(&board) {
                let text = format!("event: board\ndata: {}\n\n", json!({"now": now_ms(), "board": board}));
                return Some((Ok::<_, Infallible>(text), (room, Some(board), 0)));
            }
            if quiet >= HEARTBEAT {
                return Some((Ok(":\n\n".to_owned()), (room, told, 0)));
            }
            quiet += 1;
            told = Some(board);
            tokio::select! {
                () = room.ground.stop.cancelled() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Does what the trainer wants.
pub(super) async fn act(
    State(room): State<Arc<Room>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    admit(&room, &headers)?;
    let wish: Wish = body::json(&room.ground.base, request, LIKE).await?;
    match wish {
        Wish::Hint { text, .. } if text.chars().count() > LONGEST => {
            Err(Problem::bad_request(format!("A message has at most {LONGEST} letters.")))
        }
        Wish::Hint { who, text } => {
            let places = chosen(&room, who.as_deref())?;
            let text = text.trim().to_owned();
            let told = places.iter().filter(|place| hint(place, &text)).count();
            Ok(answer(json!({"told": told})))
        }
        Wish::Restore { who, step } => {
            let places = chosen(&room, who.as_deref())?;
            let known = |name: &str| room.ground.workshop.step(name).map(|step| step.id.clone());
            let step = step.map(|name| known(&name).ok_or(name)).transpose();
            let step = step.map_err(|name| Problem::not_found(format!("There is no step `{name}`.")))?;
            let count = places.len();
            for place in places {
                let (errand, step) = (room.clone(), step.clone());
                room.errands.spawn(async move { restore(&errand, &place, step).await });
            }
            Ok(answer(json!({"begun": count})))
        }
        Wish::Link { who } => {
            let place = room.place(&who).ok_or_else(|| unknown(&who))?;
            let token = room.renew(&place).map_err(Problem::failed)?;
            let base = join_link(&room);
            let base = base.split("/join").next().unwrap_or_default();
            Ok(answer(json!({"url": format!("{base}/w/?t={}", token.reveal())})))
        }
    }
}

fn unknown(who: &str) -> Problem {
    Problem::not_found(format!("There is no learner `{who}`."))
}

fn chosen(room: &Room, who: Option<&str>) -> Result<Vec<Arc<Place>>, Problem> {
    match who {
        None => Ok(room.places()),
        Some(who) => room.place(who).map(|place| vec![place]).ok_or_else(|| unknown(who)),
    }
}

/// Says something to one learner; says whether there was something to say.
fn hint(place: &Place, text: &str) -> bool {
    if !text.is_empty() {
        place.tell(notes::prose(text));
        return true;
    }
    let session = place.live().and_then(|live| live.seat.session());
    let next = session.and_then(|session| {
        let progress = session.progress().borrow().clone();
        let step = progress.next(session.workshop())?.to_owned();
        session.hint(&step).ok()
    });
    match next {
        Some((number, of, text)) => {
            place.tell(notes::prose(&format!("**Hint {number} of {of}:** {text}")));
            true
        }
        None => false,
    }
}

/// Takes one learner back to the beginning of a step; both hear how it went.
async fn restore(room: &Room, place: &Place, step: Option<String>) {
    let work = async {
        let session = place.session(&room.ground).await?;
        let at = session.progress().borrow().next(session.workshop()).map(str::to_owned);
        let step = step.or(at).or(session.workshop().steps.last().map(|step| step.id.clone()));
        let step = step.ok_or("there is no step")?;
        begin_anew(&session, &step).await.map_err(|error| error.to_string())?;
        Ok::<String, String>(session.step(&step).map(|step| step.title.clone()).unwrap_or_default())
    };
    let done = tokio::select! {
        done = work => done,
        () = room.ground.stop.cancelled() => return,
    };
    match done {
        Ok(title) => place.tell(notes::prose(&format!("Your trainer put you back to the beginning of **{title}**."))),
        Err(why) => {
            tracing::warn!(why, learner.id = place.id, "a learner could not be put back");
            place.tell(notes::prose(&format!("Your trainer tried to put you back, but: {why}.")));
        }
    }
}

async fn begin_anew(session: &Session, step: &str) -> Result<(), crate::workshop::session::Error> {
    if session.progress().borrow().step(step).state != StepState::NotStarted {
        session.reset(step).await?;
    }
    session.start(step, &mut |_| {}).await
}
