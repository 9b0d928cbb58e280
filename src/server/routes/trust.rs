//! `/api/v1/trust`: the commands of a deck to read, and the speaker's agreement to them.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::steps::done;
use crate::runbook::trust::Commands;
use crate::runbook::trusted::Agreed;
use crate::server::desk;
use crate::server::error::Problem;
use crate::server::role::Role;
use crate::server::state::App;
use crate::workshop::seat;

/// Which deck.
#[derive(Debug, Deserialize)]
pub struct DeckQuery {
    deck: String,
}

/// What is agreed to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The deck.
    deck: String,
    /// The hash of the commands that were read.
    hash: String,
}

/// By this name the workshop is meant; no deck has it.
const WORKSHOP: &str = "/w/";

/// The commands of a deck or the workshop, and where they are written.
async fn named(app: &App, name: &str) -> Result<(Commands, String), Problem> {
    if let Some(seat) =
        app.workshop.as_ref().filter(|seat| name == WORKSHOP && seat.agreement() == seat::Agreement::Asked)
    {
        return Ok((seat.workshop().commands(), app.root.join("workshop").display().to_string()));
    }
    let (_, deck) = app.deck(name)?;
    let view = deck.view().await?;
    Ok((desk::commands(&view), view.compiled.place().display().to_string()))
}

/// The commands of a deck.
pub async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<DeckQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !app.tokens.role(&headers).speaks() {
        return Err(super::deck::speakers_only("What a deck runs"));
    }
    let (commands, _) = named(&app, &query.deck).await?;
    let standing = app.desk.standing(&commands).as_str();
    Ok(done(json!({ "deck": query.deck, "standing": standing, "hash": commands.hash(), "commands": commands })))
}

/// Agrees to the commands of a deck, as they were read.
pub async fn agree(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let role = app.tokens.role(request.headers());
    let agreement: Agreement = body::speakers(&app, request, r#"{"deck":"talk","hash":"…"}"#).await?;
    if role != Role::Presenter {
        return Err(Problem::forbidden("Commands are agreed to in the presenter view.")
            .hint("A phone is too small to read what will run on the speaker's machine."));
    }
    if app.desk.safe {
        return Err(Problem::forbidden("Nothing is run: foredeck was started with `--safe`."));
    }
    let (commands, place) = named(&app, &agreement.deck).await?;
    if commands.hash() != agreement.hash {
        return Err(Problem::conflict("The commands have changed since they were read.").hint("Read them again."));
    }
    let agreed = Agreed { hash: agreement.hash, deck: place, commands: commands.0.len(), at_ms: app.now_ms() };
    app.desk.trusted.add(agreed).map_err(|error| {
        tracing::error!(%error, "cannot keep what is trusted");
        Problem::conflict(error.to_string()).hint("The terminal that runs foredeck says more.")
    })?;
    app.desk.touch();
    Ok(done(json!({ "deck": agreement.deck, "standing": "trusted" })))
}
