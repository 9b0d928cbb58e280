//! `POST /api/v1/control`: slide position, black, freeze, timer, zoom, laser; and the state to read.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{self, Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::server::error::Problem;
use crate::server::live::{Command, Refusal};
use crate::server::state::App;

/// Far more than any command needs.
const LIMIT: usize = 4 * 1024;

/// The state, as the visitor's windows show it.
pub async fn state(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let now = app.now_ms();
    let live = if app.tokens.role(&headers).speaks() { app.hub.speaker(now) } else { app.hub.audience(now) };
    ([(header::CACHE_CONTROL, "no-store")], Json(live)).into_response()
}

/// Carries out a command; answers the new state.
pub async fn control(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    if !app.tokens.role(request.headers()).speaks() {
        let problem = Problem::forbidden("Only the speaker can do this.");
        return Err(problem.hint("Open the presenter or remote link that was printed when foredeck started."));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Problem::not_json());
    }
    let bytes = read(request.into_body(), app.limits.body_timeout).await?;
    let command = serde_json::from_slice::<Command>(&bytes).map_err(|error| {
        Problem::bad_request(format!("This is no command: {error}"))
            .hint(r#"Send an object like {"do":"next"} or {"do":"goto","slide":3}."#)
    })?;
    app.metrics.commanded();
    let live = app.hub.apply(&command, app.now_ms()).map_err(|refusal| explain(&app, &refusal))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(live)).into_response())
}

async fn read(body: Body, patience: Duration) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(patience, body::to_bytes(body, LIMIT)).await.map_err(|_| Problem::too_slow())?;
    read.map_err(|error| {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if inner.is::<http_body_util::LengthLimitError>() {
                return Problem::too_large(LIMIT);
            }
            cause = inner.source();
        }
        Problem::bad_request("The request broke off.")
    })
}

fn explain(app: &App, refusal: &Refusal) -> Problem {
    let problem = Problem::bad_request(refusal.to_string());
    match refusal {
        Refusal::UnknownDeck(name) => {
            let slugs = app.decks.iter().map(|deck| deck.slug.as_str());
            match crate::diagnostic::closest(name, slugs.clone()) {
                Some(like) => problem.hint(format!("Did you mean `{like}`?")),
                None => problem.hint(format!("There are: {}.", slugs.collect::<Vec<_>>().join(", "))),
            }
        }
        Refusal::OutOfRange(..) => problem,
    }
}
