//! `/join`: a pseudonym becomes a place. `/w/`: a learner's link becomes a cookie. Messages of the trainer.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{self, Body};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::front::{self, cookie_name, learner, stranger};
use super::place::Note;
use super::{NotJoined, Room, lock};
use crate::server::address::qr_svg;
use crate::server::document::{Document, PRIVATE};
use crate::server::error::Problem;
use crate::server::listen::Peer;
use crate::server::role::is_same;
use crate::server::state::Streams;
use crate::workshop::room::roster::Refusal;

/// Far more than a name needs.
const LIMIT: usize = 2 * 1024;
/// Connections stay open while nothing is said.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Windows of one learner that wait for messages.
const WINDOWS: usize = 16;

/// What a link carries.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Entry {
    /// A code to join with.
    c: Option<String>,
    /// A learner's or the trainer's token.
    pub(super) t: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Wish {
    #[serde(default)]
    code: String,
    #[serde(default)]
    name: String,
}

fn form(room: &Room, headers: &HeaderMap, wish: &Wish, problem: &str, status: StatusCode) -> Result<Response, Problem> {
    let taken = room.places().len();
    let context = json!({
        "title": room.ground.workshop.name,
        "version": room.ground.base.started_ms,
        "assets": "/assets",
        "code": wish.code,
        "name": wish.name,
        "problem": problem,
        "full": taken >= room.ground.rules.max,
        "max": room.ground.rules.max,
    });
    let html = room.ground.base.page("workshop-join.html", &context)?;
    let mut response = Document::new("text/html; charset=utf-8", html).response(headers, PRIVATE);
    if status != StatusCode::OK {
        *response.status_mut() = status;
    }
    Ok(response)
}

/// The form; whoever has joined already goes on.
pub(super) async fn page(
    State(room): State<Arc<Room>>,
    query: Result<Query<Entry>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if learner(&room, &headers).is_some() {
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/w/")]).into_response());
    }
    let code = query.ok().and_then(|Query(entry)| entry.c).unwrap_or_default();
    form(&room, &headers, &Wish { code, ..Wish::default() }, "", StatusCode::OK)
}

/// Joins.
pub(super) async fn join(
    State(room): State<Arc<Room>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    if learner(&room, &headers).is_some() {
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/w/")]).into_response());
    }
    let reading = body::to_bytes(request.into_body(), LIMIT);
    let patience = room.ground.base.limits.body_timeout;
    let bytes = tokio::time::timeout(patience, reading).await.map_err(|_| Problem::too_slow())?;
    let bytes = bytes.map_err(|_| Problem::too_large(LIMIT))?;
    let mut wish = Wish::default();
    for (key, value) in form_urlencoded::parse(&bytes) {
        match &*key {
            "code" => wish.code = value.trim().to_owned(),
            "name" => wish.name = value.into_owned(),
            _ => {}
        }
    }
    let code = lock(&room.roster).code.clone();
    if !is_same(&code, &wish.code) {
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(Peer(address))| address);
        if !room.may_guess(address) {
            return Err(
                Problem::too_many("There were too many wrong codes.").hint("Wait a minute, and ask your trainer.")
            );
        }
        let problem =
            "This code does not open the workshop. Open the link or scan the picture that your trainer shows.";
        return form(&room, &headers, &wish, problem, StatusCode::FORBIDDEN);
    }
    let joining = room.clone();
    let name = wish.name.clone();
    let joined = tokio::task::spawn_blocking(move || joining.join(&name)).await.map_err(|_| Problem::internal())?;
    match joined {
        Ok(token) => Ok(front::enter(&cookie_name(&room), &token, "/w/")),
        Err(NotJoined::Refused(refusal @ Refusal::Full(_))) => {
            form(&room, &headers, &wish, &refusal.to_string(), StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(NotJoined::Refused(refusal)) => {
            form(&room, &headers, &wish, &format!("{refusal} Choose another one."), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(NotJoined::Failed(why)) => {
            tracing::error!(why, "nobody can join");
            let problem = "Your trainer's computer cannot make a place for you now. Please tell your trainer.";
            form(&room, &headers, &wish, problem, StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// The list of steps; a learner's link becomes a cookie first.
pub(super) async fn enter(
    State(room): State<Arc<Room>>,
    query: Result<Query<Entry>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    if let Some(given) = query.ok().and_then(|Query(entry)| entry.t) {
        let place = room.place_of(&given).ok_or_else(stranger)?;
        let token = lock(&place.token).clone();
        return Ok(front::enter(&cookie_name(&room), &token, "/w/"));
    }
    match learner(&room, request.headers()) {
        Some(place) => front::hand_over(&room, &place, request, true).await,
        None => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, "/join")]).into_response()),
    }
}

/// The address for learners as a picture, for the trainer to show.
pub(super) async fn qr(State(room): State<Arc<Room>>, headers: HeaderMap) -> Result<Response, Problem> {
    if !front::is_trainer(&room, &headers) {
        return Err(stranger());
    }
    let svg = qr_svg(&join_link(&room)).ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")], svg).into_response())
}

/// The address for learners.
pub(super) fn join_link(room: &Room) -> String {
    let base = room.ground.base.urls.audience.trim_end_matches("/a").to_owned();
    format!("{base}/join?c={}", lock(&room.roster).code)
}

/// `/api/v1/notes`: what the trainer says, as server-sent events. Does not keep a sandbox from being put away.
pub(super) async fn notes(State(room): State<Arc<Room>>, headers: HeaderMap) -> Result<Response, Problem> {
    let place = learner(&room, &headers).ok_or_else(stranger)?;
    if place.notes.receiver_count() >= WINDOWS {
        return Err(Problem::unavailable("There are too many windows.").hint("Close some of them."));
    }
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let base = &room.ground.base;
    let counted = Streams::enter(base, address, base.limits.connections)
        .ok_or_else(|| Problem::unavailable("There are too many windows.").hint("Close some of them."))?;
    let told = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let window = Window {
        notes: place.notes.subscribe(),
        told,
        stop: room.ground.stop.clone(),
        begun: false,
        _counted: counted,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(futures::stream::unfold(window, Window::next))).into_response())
}

struct Window {
    notes: tokio::sync::watch::Receiver<Vec<Note>>,
    told: u64,
    stop: CancellationToken,
    begun: bool,
    _counted: crate::server::state::Place,
}

impl Window {
    async fn next(mut self) -> Option<(Result<Vec<u8>, Infallible>, Self)> {
        loop {
            let notes = self.notes.borrow_and_update().clone();
            let mut news = String::new();
            if !std::mem::replace(&mut self.begun, true) {
                news.push_str("retry: 2000\n\n");
            }
            for note in notes.iter().filter(|note| note.number > self.told) {
                news.push_str(&format!("id: {}\nevent: note\ndata: {}\n\n", note.number, json!(note)));
            }
            self.told = notes.last().map_or(self.told, |note| note.number.max(self.told));
            if !news.is_empty() {
                return Some((Ok(news.into_bytes()), self));
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                changed = self.notes.changed() => changed.ok()?,
                () = tokio::time::sleep(HEARTBEAT) => return Some((Ok(b":\n\n".to_vec()), self)),
            }
        }
    }
}
