//! `/api/v1/qr.svg`: the audience's or the phone's address as a QR code.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::deck::speakers_only;
use crate::server::address::qr_svg;
use crate::server::error::Problem;
use crate::server::state::App;

/// Whose address.
#[derive(Debug, Deserialize)]
pub struct QrQuery {
    r#for: Option<String>,
}

/// The picture. The remote's holds its token, so it is for the speaker.
pub async fn qr(
    State(app): State<Arc<App>>,
    Query(query): Query<QrQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let address = match query.r#for.as_deref().unwrap_or("audience") {
        "audience" => &app.urls.audience,
        "remote" if app.tokens.role(&headers).speaks() => &app.urls.remote,
        "remote" => return Err(speakers_only("The remote's code")),
        other => {
            let problem = Problem::bad_request(format!("There is no code for `{other}`."));
            return Err(problem.hint("Ask for `audience` or `remote`."));
        }
    };
    let svg = qr_svg(address).ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")], svg).into_response())
}
