//! `/api/v1/poll`: a vote of anybody in the room; a cookie keeps it one per browser. `/api/v1/poll/control`: what the
//! speaker does with the results.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::steps::done;
use crate::server::error::Problem;
use crate::server::panels::poll::{Act, Refused};
use crate::server::role::Token;
use crate::server::state::App;

/// A vote.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The panel's key.
    key: String,
    /// The answer, from 0.
    choice: usize,
}

/// Counts a vote.
pub async fn vote(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let known = app.tokens.voter(request.headers());
    let vote: Vote = body::json(&app, request, r#"{"key":"poll …","choice":0}"#).await?;
    let voter = match &known {
        Some(voter) => voter.clone(),
        None => Token::random().map_err(|_| Problem::internal())?,
    };
    app.panels.polls.vote(&vote.key, vote.choice, voter.reveal(), Timestamp::now()).map_err(problem)?;
    let mut response = done(json!({ "choice": vote.choice }));
    if let Some(cookie) = app.tokens.voter_cookie(&voter).filter(|_| known.is_none()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What the speaker wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The panel's key.
    key: String,
    /// What is done.
    #[serde(rename = "do")]
    act: Act,
}

/// Shows results, keeps them back, or begins anew.
pub async fn control(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    let control: Control = body::speakers(&app, request, r#"{"key":"poll …","do":"show"} or "hide", "reset""#).await?;
    app.panels.polls.act(&control.key, control.act, Timestamp::now()).map_err(problem)?;
    Ok(done(json!({ "key": control.key })))
}

fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Unknown => {
            Problem::not_found("There is no such poll.").hint("It may have been edited: load the page anew.")
        }
        Refused::NoChoice => Problem::bad_request("This poll has no such answer."),
        Refused::Full => Problem::unavailable("Too many browsers have voted in this poll."),
    }
}
