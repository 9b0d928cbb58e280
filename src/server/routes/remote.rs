//! `/r`: the phone remote, and its link.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::deck::{links, speakers_only};
use super::presenter::{TokenQuery, admit};
use crate::render::page;
use crate::server::document::{Document, PRIVATE};
use crate::server::error::Problem;
use crate::server::role::Role;
use crate::server::state::App;

/// The remote's page, for the phone and the speaker.
pub async fn remote(
    State(app): State<Arc<App>>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = query.t {
        return admit(&app, Role::Remote, &token, "/r");
    }
    if !app.tokens.role(&headers).speaks() {
        return Err(speakers_only("The remote control"));
    }
    let slug = app.hub.speaker(0).deck;
    let (_, deck) = app.deck(&slug)?;
    let view = deck.view().await?;
    let title = page::title(&view.compiled.rendered, &slug);
    let links = links(&app, &slug, Role::Remote);
    let context = json!({
        "title": title,
        "lang": view.compiled.rendered.meta.lang.as_deref().unwrap_or("en"),
        "version": view.version,
        "role": Role::Remote.as_str(),
        "assets": "/assets",
        "boot": {
            "mode": "server",
            "role": Role::Remote.as_str(),
            "deck": slug,
            "version": view.version,
            "title": title,
            "links": links,
        },
    });
    let html = app.page("remote.html", &context)?;
    Ok(Document::new("text/html; charset=utf-8", html).response(&headers, PRIVATE))
}
