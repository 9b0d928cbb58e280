//! `POST /api/v1/replay`: a slide from the recorded run, or live again.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::steps::done;
use crate::server::error::Problem;
use crate::server::state::App;

/// Which slide.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The deck; the one that is shown when not given.
    deck: Option<String>,
    /// The slide, from 0; the one that is shown when not given.
    slide: Option<usize>,
    /// Whether it is shown from the run; the other way round when not given.
    on: Option<bool>,
}

/// Turns a slide over.
pub async fn turn(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let wanted: Turn = body::speakers(&app, request, r#"{} or {"slide":3,"on":true}"#).await?;
    let live = app.hub.speaker(app.now_ms());
    let deck = wanted.deck.unwrap_or_else(|| live.deck.clone());
    app.deck(&deck)?;
    let slide = wanted.slide.unwrap_or(if deck == live.deck { live.slide as usize } else { 0 });
    let on = app.replay.turn(&app, &deck, slide, wanted.on).ok_or_else(|| {
        Problem::conflict(format!("There is no recorded run of the deck `{deck}` in which every step passed."))
            .hint("`foredeck rehearse` records one.")
    })?;
    Ok(done(json!({ "deck": deck, "slide": slide, "on": on })))
}
