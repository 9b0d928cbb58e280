//! Every route, in one table.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{self, Problem};
use super::guard;
use super::routes::{
    admin, asset, canary, charts, control, deck, events, flux, git, index, panels, poll, presenter, qr, remote, replay,
    steps, terminal, trust, workshop,
};
use super::state::App;

/// The server's service: routes, and around them what every request passes.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        // everybody
        .route("/", get(index::index))
        .route("/a", get(deck::follow))
        .route("/d/{*path}", get(deck::deck))
        .route("/events", get(events::events))
        .route("/assets/{*path}", get(asset::asset))
        .route("/files/{*path}", get(asset::file))
        .route("/api/v1/state", get(control::state))
        .route("/api/v1/qr.svg", get(qr::qr))
        .route("/api/v1/poll", post(poll::vote))
        .route("/charts/{file}", get(charts::charts))
        .route("/git/{*path}", any(git::git))
        .route("/ws/term/{name}", any(terminal::socket))
        .route("/flux/{*path}", any(flux::flux))
        .route("/healthz", get(admin::health))
        .route("/metrics", get(admin::counters))
        .route("/w", get(workshop::without_slash))
        .route("/w/", get(workshop::index))
        .route("/w/{step}", get(workshop::step))
        .route("/api/v1/workshop", get(workshop::overview))
        // the learner
        .route("/api/v1/workshop/{step}", get(workshop::check))
        .route("/api/v1/workshop/{step}/panels", get(panels::of_step))
        .route("/api/v1/workshop/{step}/{verb}", post(workshop::act))
        // the speaker
        .route("/p", get(presenter::enter))
        .route("/r", get(remote::remote))
        .route("/api/v1/control", post(control::control))
        .route("/api/v1/steps/run", post(steps::run))
        .route("/api/v1/steps/cancel", post(steps::cancel))
        .route("/api/v1/checkpoints/restore", post(steps::restore))
        .route("/api/v1/clock", post(steps::clock))
        .route("/api/v1/replay", post(replay::turn))
        .route("/api/v1/canary", post(canary::canary))
        .route("/api/v1/poll/control", post(poll::control))
        .route("/api/v1/trust", get(trust::list).post(trust::agree))
        .fallback(|| async { Problem::not_found("There is nothing at this address.") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() });
    guarded(routes.with_state(app.clone()), app)
}

/// Routes with what every request passes around them.
pub fn guarded(routes: Router, app: Arc<App>) -> Router {
    // From the last to the first: a request passes them from the bottom up.
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(app.clone(), guard::check))
        .layer(middleware::from_fn_with_state(app.clone(), error::show))
        .layer(middleware::from_fn(guard::secure))
        .layer(middleware::from_fn_with_state(app, count))
}

/// A handler's bug costs one answer, not the server; the text goes to the log alone.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("without a text"), "a request handler panicked");
    Problem::internal().into_response()
}

/// Counts answers and logs requests, without their queries: those may hold a token.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::debug!(%method, path, status = response.status().as_u16(), "answered a request");
    app.metrics.answered(response.status());
    response
}
