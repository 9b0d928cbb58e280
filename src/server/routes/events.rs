//! `/events`: state, reloads, problems, laser, as server-sent events.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::watch;

use crate::server::error::Problem;
use crate::server::hub::{Board, Cursor, state_frame};
use crate::server::listen::Peer;
use crate::server::panels::Looking;
use crate::server::state::{App, Place, Streams};

/// What a window says about itself.
#[derive(Debug, Deserialize)]
pub struct EventsQuery {
    /// The deck it shows.
    deck: Option<String>,
    /// The version of the deck it shows.
    version: Option<u64>,
    /// `viewer` asks for the audience's events on the speaker's machine.
    r#as: Option<String>,
}

/// An endless answer: the present at once, then every change.
pub async fn events(
    State(app): State<Arc<App>>,
    Query(query): Query<EventsQuery>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deck = query.deck.as_deref().filter(|slug| !slug.is_empty());
    let deck = deck.map(|slug| app.deck(slug)).transpose()?.map(|(index, _)| index);
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(Peer(address))| address);
    let place = Streams::enter(&app, address, app.limits.streams_per_address).ok_or_else(|| {
        Problem::unavailable("There are too many windows at this address.").hint("Close some of them.")
    })?;
    let speaks = app.tokens.role(&headers).speaks() && query.r#as.as_deref() != Some("viewer");
    let board = if speaks { app.hub.speaker_board() } else { app.hub.audience_board() };
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let cursor = Cursor::new(&board.borrow(), deck, query.version, last_id);
    let looking = deck.map(|deck| Looking::at(&app, deck));
    let window = Window::open(&app, board, cursor, speaks, (place, looking));
    let stream = futures::stream::unfold(window, Window::next);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// One listening window.
struct Window {
    board: watch::Receiver<Board>,
    cursor: Cursor,
    greeting: Option<Bytes>,
    ended: bool,
    _place: (Place, Option<Looking>),
}

impl Window {
    fn open(
        app: &App,
        board: watch::Receiver<Board>,
        mut cursor: Cursor,
        speaks: bool,
        place: (Place, Option<Looking>),
    ) -> Self {
        let mut greeting = format!("retry: {}\n\n", retry_ms()).into_bytes();
        // The board's state was written when it changed; a newcomer's timer needs the time of now.
        let news = cursor.wants_state(&board.borrow());
        if news {
            let now = app.now_ms();
            let live = if speaks { app.hub.speaker(now) } else { app.hub.audience(now) };
            let state = state_frame(&live);
            greeting.extend_from_slice(&state.bytes);
            cursor.has_state(state.number);
        }
        Self { board, cursor, greeting: Some(greeting.into()), ended: false, _place: place }
    }

    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if let Some(greeting) = self.greeting.take() {
            return Some((Ok(greeting), self));
        }
        while !self.ended {
            let (news, ended) = self.cursor.advance(&self.board.borrow_and_update());
            self.ended = ended;
            match news.len() {
                0 if ended => break,
                0 => self.board.changed().await.ok()?,
                // Shared with all other windows, not copied.
                1 => return news.into_iter().next().map(|bytes| (Ok(bytes), self)),
                _ => return Some((Ok(news.concat().into()), self)),
            }
        }
        None
    }
}

/// Windows come back after different times, so that a restarted server is not stormed.
fn retry_ms() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    500 + NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(97) % 1500
}
