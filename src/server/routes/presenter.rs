//! `/p`: the speaker's link, a token that becomes a cookie.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Deserialize;

use super::deck::{see_other, speakers_only};
use crate::server::error::Problem;
use crate::server::feed::encoded_slug;
use crate::server::role::Role;
use crate::server::state::App;

/// The token of a link.
#[derive(Debug, Deserialize)]
pub struct TokenQuery {
    /// The token.
    pub t: Option<String>,
}

/// Opens the presenter view of the deck that is shown.
pub async fn enter(
    State(app): State<Arc<App>>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let to = format!("/d/{}/?view=presenter", encoded_slug(&app.hub.speaker(0).deck));
    match query.t {
        Some(token) => admit(&app, Role::Presenter, &token, &to),
        None if app.tokens.role(&headers) == Role::Presenter => Ok(see_other(&to)),
        None => Err(speakers_only("The presenter view")),
    }
}

/// Gives the cookie of a role to who knows its token.
pub fn admit(app: &App, role: Role, token: &str, to: &str) -> Result<Response, Problem> {
    let known = app.tokens.token(role).is_some_and(|ours| ours.matches(token));
    let Some(cookie) = app.tokens.cookie(role).filter(|_| known) else {
        app.metrics.wrong_token();
        tracing::warn!(role = role.as_str(), "a link with a wrong token was opened");
        let problem = Problem::forbidden("The link's token is not the one of this server.");
        return Err(problem.hint("Tokens change with every start: take the link that was printed last."));
    };
    let mut response = see_other(to);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
