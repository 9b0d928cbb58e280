//! `/`: the decks.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::render::page;
use crate::server::document::{Document, PRIVATE};
use crate::server::error::Problem;
use crate::server::feed::{ShownDeck, encoded_slug};
use crate::server::state::App;

/// How long the list waits for decks that are being compiled; it shows the others by name alone.
const PATIENCE: Duration = Duration::from_millis(60);

/// The list of decks.
pub async fn index(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let _ = tokio::time::timeout(PATIENCE, join_all(app.decks.iter().map(ShownDeck::view))).await;
    let role = app.tokens.role(&headers);
    let mut links = json!({ "audience": app.urls.audience });
    if role.speaks() {
        links["presenter"] = json!("/p");
    }
    let context = json!({
        "title": app.title,
        "lang": "en",
        "version": app.started_ms,
        "role": role.as_str(),
        "assets": "/assets",
        "links": links,
        "workshop": app.workshop.as_ref().map(|seat| seat.workshop().steps.len()),
        "decks": app.decks.iter().map(entry).collect::<Vec<_>>(),
        "boot": { "mode": "server", "role": role.as_str(), "links": links },
    });
    let html = app.page("index.html", &context)?;
    Ok(Document::new("text/html; charset=utf-8", html).response(&headers, PRIVATE))
}

fn entry(deck: &ShownDeck) -> Value {
    let href = format!("/d/{}/", encoded_slug(&deck.slug));
    let thumb = format!("{href}?view=next");
    let Some(view) = deck.now() else {
        return json!({ "slug": deck.slug, "title": deck.slug, "href": href, "css_href": thumb });
    };
    let rendered = &view.compiled.rendered;
    json!({
        "slug": deck.slug,
        "title": page::title(rendered, &deck.slug),
        "description": rendered.meta.description,
        "lang": rendered.meta.lang,
        "theme": rendered.meta.theme,
        "slides": rendered.slides.len(),
        "duration": page::planned_minutes(rendered).map(|minutes| format!("{minutes:.0} min")),
        "size": rendered.size,
        "href": href,
        "css_href": thumb,
    })
}
