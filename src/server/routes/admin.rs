//! `/healthz` and `/metrics`: for those who run the server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::sandbox::metrics;
use crate::server::state::App;

/// The server answers.
pub async fn health() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// The counters.
pub async fn counters(State(app): State<Arc<App>>) -> Response {
    let decks = app.decks.iter().filter_map(|deck| Some((deck.slug.clone(), deck.now()?.version)));
    let headers =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut text = app.metrics.text(decks);
    if let Some(sandbox) = app.demo.borrow().ready() {
        let (status, images) = (sandbox.reconciler.status(), sandbox.automation.view());
        text.push_str(&metrics::text(&status.borrow(), &images.borrow()));
    }
    (headers, text).into_response()
}
