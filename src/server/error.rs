//! Our errors → HTTP status and page; why a server does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::feed::encoded_slug;
use super::state::App;

/// Why the server does not start or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there.
    #[error("port {port} is in use; choose another with `--port`, or any free one with `--port 0`")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The project's folder cannot be opened.
    #[error("cannot open the folder `{}`", path.display())]
    Root {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system gives no random numbers, so no tokens can be made.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// What a visitor is told instead of what was asked for.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    title: &'static str,
    message: String,
    hint: String,
    lists_decks: bool,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, message: impl Into<String>) -> Self {
        Self { status, title, message: message.into(), hint: String::new(), lists_decks: false }
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This request cannot be read", message)
    }

    /// The visitor may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Not for everybody", message)
    }

    /// There is nothing there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Nothing here", message)
    }

    /// There is no such deck; the page lists those there are.
    pub fn unknown_deck(slug: &str) -> Self {
        let problem = Self::not_found(format!("There is no deck `{slug}`."));
        Self { lists_decks: true, title: "No such deck", ..problem }
    }

    /// Wrong method for the address.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Not like this", "This address does not take such requests.")
    }

    /// The server was addressed by a name that is not its own.
    pub fn misdirected(host: &str) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, "Wrong address", format!("This server is not `{host}`."))
            .hint("Open it by the address it printed, or start it with `--allow-host NAME`.")
    }

    /// The body is too long.
    pub fn too_large(limit: usize) -> Self {
        let message = format!("The request is longer than {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Too much", message)
    }

    /// The body did not come in time.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "Too slow", "The request did not arrive in time.")
    }

    /// The body is not JSON.
    pub fn not_json() -> Self {
        let message = "The request's `Content-Type` is not `application/json`.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not JSON", message)
    }

    /// It does not fit what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "Not as things are", message)
    }

    /// Not now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "In a moment", message)
    }

    /// Somebody asks for too much.
    pub fn too_many(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too much at once", message)
    }

    /// What was asked for was tried, and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "That did not work", message)
    }

    /// Our own mistake; the log says more than the page.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", "The page could not be made.")
            .hint("The terminal that runs foredeck says more. The other pages still work.")
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl From<crate::render::template::Error> for Problem {
    fn from(error: crate::render::template::Error) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(template = error.name, cause, "cannot fill in a page template");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    /// The page is made later, by [`show`], which knows the project's templates.
    fn into_response(self) -> Response {
        (self.status, axum::Extension(self)).into_response()
    }
}

/// Turns problems into pages, or JSON for the API.
pub async fn show(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let wants_json = path.starts_with("/api/") || path.ends_with("/slides.json") || path == "/events";
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (content_type, text) = if wants_json {
        ("application/json", json!({ "error": problem.message, "hint": problem.hint }).to_string())
    } else {
        page(&app, &problem)
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    if problem.status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    *response.body_mut() = text.into();
    response
}

fn page(app: &App, problem: &Problem) -> (&'static str, String) {
    let decks = if problem.lists_decks { app.decks.as_slice() } else { &[] };
    let decks = decks.iter().map(
        |deck| json!({ "slug": deck.slug, "title": deck.title(), "href": format!("/d/{}/", encoded_slug(&deck.slug)) }),
    );
    let context = json!({
        "title": problem.title,
        "lang": "en",
        "status": problem.status.as_u16(),
        "message": problem.message,
        "hint": problem.hint,
        "version": app.started_ms,
        "role": "viewer",
        "decks": decks.collect::<Vec<_>>(),
    });
    match app.page("error.html", &context) {
        Ok(html) => ("text/html; charset=utf-8", html),
        Err(_) => ("text/plain; charset=utf-8", format!("{}\n{}\n", problem.message, problem.hint)),
    }
}
