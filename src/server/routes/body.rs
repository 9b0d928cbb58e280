//! Commands in the bodies of requests: from the speaker alone, JSON alone, short, and in time.

use std::error::Error as _;
use std::time::Duration;

use axum::body::{self, Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use serde::de::DeserializeOwned;

use crate::server::error::Problem;
use crate::server::state::App;

/// Far more than any command needs.
const LIMIT: usize = 4 * 1024;

/// Reads the speaker's command; `like` is an example of one.
///
/// # Errors
/// When somebody else asks, or the body is no such command.
pub async fn speakers<T: DeserializeOwned>(app: &App, request: Request, like: &str) -> Result<T, Problem> {
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
    let command = serde_json::from_slice::<T>(&bytes).map_err(|error| {
        Problem::bad_request(format!("This is no command: {error}")).hint(format!("Send an object like {like}."))
    })?;
    app.metrics.commanded();
    Ok(command)
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
