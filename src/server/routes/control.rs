//! `POST /api/v1/control`: slide position, black, freeze, timer, zoom, laser; and the state to read.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::body;
use crate::server::error::Problem;
use crate::server::live::{Command, Refusal};
use crate::server::state::App;

/// The state, as the visitor's windows show it.
pub async fn state(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let now = app.now_ms();
    let live = if app.tokens.role(&headers).speaks() { app.hub.speaker(now) } else { app.hub.audience(now) };
    ([(header::CACHE_CONTROL, "no-store")], Json(live)).into_response()
}

/// Carries out a command; answers the new state.
pub async fn control(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let like = r#"{"do":"next"} or {"do":"goto","slide":3}"#;
    let command: Command = body::speakers(&app, request, like).await?;
    let live = app.hub.apply(&command, app.now_ms()).map_err(|refusal| explain(&app, &refusal))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(live)).into_response())
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
