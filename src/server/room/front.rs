//! The door of a room: finds whose request it is, and hands it to the server of that learner alone.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::upgrade::OnUpgrade;
use tower::ServiceExt as _;

use super::place::Place;
use super::{Room, join, lock, trainer};
use crate::server::error::Problem;
use crate::server::listen::Peer;
use crate::server::role::{self, Token, is_same};
use crate::server::router::guarded;
use crate::server::routes::{admin, asset, flux};

/// Every route of a room.
pub(super) fn router(room: Arc<Room>) -> Router {
    let base = room.ground.base.clone();
    let shared = Router::new()
        .route("/assets/{*path}", get(asset::asset))
        .route("/healthz", get(admin::health))
        .with_state(base.clone());
    let routes = Router::new()
        .route("/", get(home))
        .route("/join", get(join::page).post(join::join))
        .route("/join.svg", get(join::qr))
        .route("/trainer", get(trainer::page))
        .route("/trainer/events", get(trainer::events))
        .route("/api/v1/trainer", get(trainer::board).post(trainer::act))
        .route("/api/v1/notes", get(join::notes))
        // the learner's own server
        .route("/w", get(home))
        .route("/w/", get(join::enter))
        .route("/w/{step}", get(forward))
        .route("/api/v1/workshop", get(forward))
        .route("/api/v1/workshop/{*rest}", any(forward))
        .route("/api/v1/canary", any(forward))
        .route("/ws/term/{name}", any(forward))
        .route("/git/{id}/{*rest}", any(git))
        .route("/l/{id}/flux/{*rest}", any(fluxctl))
        .route("/l/{id}/api/v1/workshop", get(own))
        .route("/l/{id}/api/v1/workshop/{*rest}", any(own))
        .fallback(|| async { Problem::not_found("There is nothing at this address.") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(room);
    guarded(routes.merge(shared), base)
}

async fn home() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "/w/")]).into_response()
}

/// The name of a learner's cookie.
pub(super) fn cookie_name(room: &Room) -> String {
    format!("foredeck-learner-{}", room.ground.bound.port())
}

/// The learner who asks, by their cookie or a token they send.
pub(super) fn learner(room: &Room, headers: &HeaderMap) -> Option<Arc<Place>> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if let Some(given) = bearer {
        return room.place_of(given);
    }
    let name = cookie_name(room);
    role::cookies(headers).filter(|(key, _)| *key == name).find_map(|(_, value)| room.place_of(value))
}

/// What a stranger is told.
pub(super) fn stranger() -> Problem {
    Problem::forbidden("You have not joined this workshop, or your place was renewed.")
        .hint("Open the link or scan the code that your trainer shows; your trainer can also give you a new link.")
}

/// A learner's request, to their own server.
pub(super) async fn forward(State(room): State<Arc<Room>>, request: Request) -> Result<Response, Problem> {
    let place = learner(&room, request.headers()).ok_or_else(stranger)?;
    hand_over(&room, &place, request, true).await
}

/// Hands a request over. Only what the learner is known by goes along, not what they sent to be known.
pub(super) async fn hand_over(
    room: &Room,
    place: &Place,
    mut request: Request,
    known: bool,
) -> Result<Response, Problem> {
    if !place.may_ask() {
        return Err(Problem::too_many("You ask for more than this server can answer.").hint("Wait a few seconds."));
    }
    let live = place.wake(&room.ground).await.map_err(|error| {
        tracing::error!(%error, learner.id = place.id, "a sandbox cannot be started");
        Problem::unavailable("The sandbox cannot be started now.").hint("Try again in a moment, or ask your trainer.")
    })?;
    if known {
        request.headers_mut().remove(header::AUTHORIZATION);
        request.headers_mut().insert(header::COOKIE, live.cookie.clone());
    } else {
        request.headers_mut().remove(header::COOKIE);
    }
    // What our own routes found in the address is not for the learner's.
    let came = std::mem::take(request.extensions_mut());
    if let Some(peer) = came.get::<Peer>() {
        request.extensions_mut().insert(*peer);
    }
    if let Some(upgrade) = came.get::<OnUpgrade>() {
        request.extensions_mut().insert(upgrade.clone());
    }
    Ok(live.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}))
}

/// A learner's repository, for whoever knows its password: reading it, too, is theirs alone.
async fn git(
    State(room): State<Arc<Room>>,
    Path((id, rest)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, Problem> {
    let place = room.place(&id);
    // One answer for all that is not theirs: it does not tell who takes part.
    let given = password(request.headers()).unwrap_or_default();
    let Some(place) = place.filter(|place| knows(place, &given)) else {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"foredeck\"")];
        return Ok((StatusCode::UNAUTHORIZED, challenge, "this repository is its learner's alone\n").into_response());
    };
    retarget(&mut request, &format!("/git/{rest}"))?;
    hand_over(&room, &place, request, false).await
}

/// What `fluxctl` asks for, with the repository's password.
async fn fluxctl(
    State(room): State<Arc<Room>>,
    Path((id, rest)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, Problem> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").or_else(|| given.strip_prefix("Scope-Probe token="));
    let given = given.unwrap_or_default().trim().to_owned();
    let Some(place) = room.place(&id).filter(|place| knows(place, &given)) else { return Ok(flux::without_token()) };
    retarget(&mut request, &format!("/flux/{rest}"))?;
    hand_over(&room, &place, request, false).await
}

/// What `foredeck workshop` in a learner's terminal asks for: the token in its environment opens their steps, and
/// nothing else.
async fn own(State(room): State<Arc<Room>>, mut request: Request) -> Result<Response, Problem> {
    let path = request.uri().path().to_owned();
    let parts = path.strip_prefix("/l/").and_then(|rest| rest.split_once('/')).ok_or_else(stranger)?;
    let bearer = request.headers().get(header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    // A terminal, and so a token, lives no longer than its sandbox: none is woken for this.
    let open = |place: &Arc<Place>| place.live().is_some_and(|live| is_same(live.seat.token(), bearer));
    let place = room.place(parts.0).filter(open).ok_or_else(stranger)?;
    retarget(&mut request, &format!("/{}", parts.1))?;
    hand_over(&room, &place, request, false).await
}

/// Whether somebody knows what opens a learner's repository. It is another one for each time the sandbox is started,
/// so that none has to be woken to find out; and who does not know it takes nothing of what the learner may ask for.
fn knows(place: &Arc<Place>, given: &str) -> bool {
    place.live().is_some_and(|live| live.push.matches(given))
}

fn password(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64_STANDARD.decode(given.trim()).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

fn retarget(request: &mut Request, path: &str) -> Result<(), Problem> {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let wrong = |_| Problem::bad_request("The address is not valid text.");
    *request.uri_mut() = format!("{path}{query}").parse::<Uri>().map_err(wrong)?;
    Ok(())
}

/// The answer that makes a browser known, and leads on.
pub(super) fn enter(name: &str, token: &Token, to: &'static str) -> Response {
    let text = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", token.reveal());
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Whether the trainer asks.
pub(super) fn is_trainer(room: &Room, headers: &HeaderMap) -> bool {
    let Some(token) = Token::known(&lock(&room.roster).trainer) else { return false };
    let name = trainer::cookie_name(room);
    role::cookies(headers).any(|(key, value)| key == name && token.matches(value))
}
