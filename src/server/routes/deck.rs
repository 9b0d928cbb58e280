//! `/d/{deck}/`: a deck's page and its slides as JSON; `/a`, which follows the speaker.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::render::page::{self, PageOptions};
use crate::server::document::{Document, PRIVATE, REVALIDATE};
use crate::server::error::Problem;
use crate::server::feed::{Kind, Layout, ShownDeck, View, encoded_slug};
use crate::server::role::Role;
use crate::server::state::App;

/// Queries of a deck page that the server reads; the others are the player's.
#[derive(Debug, Deserialize)]
pub struct DeckQuery {
    view: Option<String>,
    follow: Option<String>,
}

/// Sends the audience to the deck that is shown.
pub async fn follow(State(app): State<Arc<App>>) -> Response {
    let live = app.hub.audience(0);
    see_other(&format!("/d/{}/?follow", encoded_slug(&live.deck)))
}

/// `{deck}/`, `{deck}/slides.json`, or `{deck}`, which goes on to the first.
pub async fn deck(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<DeckQuery>, axum::extract::rejection::QueryRejection>,
    RawQuery(raw_query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(path) = path.map_err(|_| Problem::bad_request("The address is not valid text."))?;
    let Query(query) = query.map_err(|_| Problem::bad_request("The address has a query that cannot be read."))?;
    if let Some(slug) = path.strip_suffix("/slides.json") {
        let (_, deck) = app.deck(slug)?;
        return slides(&app, deck, &headers).await;
    }
    let Some(slug) = path.strip_suffix('/') else {
        let (_, deck) = app.deck(&path)?;
        let query = raw_query.map_or_else(String::new, |query| format!("?{query}"));
        return Ok(redirect(StatusCode::PERMANENT_REDIRECT, &format!("/d/{}/{query}", encoded_slug(&deck.slug))));
    };
    let (_, deck) = app.deck(slug)?;
    page(&app, deck, &query, &headers).await
}

async fn page(app: &Arc<App>, deck: &ShownDeck, query: &DeckQuery, headers: &HeaderMap) -> Result<Response, Problem> {
    let layout = Layout::named(query.view.as_deref().unwrap_or_default());
    let asked = app.tokens.role(headers);
    if layout == Layout::Presenter && !asked.speaks() {
        return Err(speakers_only("The presenter view"));
    }
    // A following window is the audience's, on the speaker's machine too.
    let following = query.follow.is_some() && layout == Layout::Plain;
    let (role, kind) = if following { (Role::Viewer, Kind::Follow) } else { (asked, Kind::Page(asked, layout)) };
    let view = deck.view().await?;
    let make = async || {
        let (app, view) = (app.clone(), view.clone());
        let (slug, base) = (deck.slug.clone(), deck.base.clone());
        off_thread(move || {
            let links = links(&app, &slug, role);
            let options = PageOptions {
                overlay: view.overlay.as_deref().filter(|_| role.speaks()),
                base: Some(base),
                follow: following,
                view: layout.as_str(),
                ..options(&app, &slug, &view, role, links)
            };
            let html = app.page("present.html", &page::context(&view.compiled.rendered, &options))?;
            Ok(Document::new("text/html; charset=utf-8", html))
        })
        .await
    };
    let document = view.document(kind, make).await?;
    Ok(document.response(headers, if asked.speaks() { PRIVATE } else { REVALIDATE }))
}

async fn slides(app: &Arc<App>, deck: &ShownDeck, headers: &HeaderMap) -> Result<Response, Problem> {
    let role = app.tokens.role(headers);
    let view = deck.view().await?;
    let make = async || {
        let (app, view, slug) = (app.clone(), view.clone(), deck.slug.clone());
        off_thread(move || {
            let options = options(&app, &slug, &view, role, Value::Null);
            let document = page::slides(&view.compiled.rendered, &options).to_string();
            Ok(Document::new("application/json", document))
        })
        .await
    };
    let document = view.document(Kind::Slides { notes: role.speaks() }, make).await?;
    Ok(document.response(headers, if role.speaks() { PRIVATE } else { REVALIDATE }))
}

fn options<'a>(app: &'a App, slug: &'a str, view: &View, role: Role, links: Value) -> PageOptions<'a> {
    PageOptions {
        mode: "server",
        deck: slug,
        version: view.version,
        role: role.as_str(),
        follow: false,
        notes_html: role.speaks().then_some(&app.notes_html as &dyn Fn(&str) -> String),
        links,
        base: None,
        assets: Some("/assets"),
        inline: None,
        view: "",
        overlay: None,
    }
}

/// Addresses a page may show; tokens are in none of them.
pub fn links(app: &App, slug: &str, role: Role) -> Value {
    let mut links = json!({ "audience": app.urls.audience });
    if role.speaks() {
        links["presenter"] = json!(format!("/d/{}/?view=presenter", encoded_slug(slug)));
        links["remote"] = json!(app.urls.remote.split('?').next());
    }
    links
}

/// A large deck takes a while; the other visitors do not wait for it.
async fn off_thread<F>(make: F) -> Result<Document, Problem>
where
    F: FnOnce() -> Result<Document, Problem> + Send + 'static,
{
    let made = tokio::task::spawn_blocking(move || {
        let document = make()?;
        document.compressed();
        Ok(document)
    });
    made.await.unwrap_or_else(|error| {
        tracing::error!(%error, "making a page panicked");
        Err(Problem::internal())
    })
}

/// Says where the speaker's links are.
pub fn speakers_only(what: &str) -> Problem {
    Problem::forbidden(format!("{what} is for the speaker."))
        .hint("Open the link that the terminal printed when foredeck started; this browser then remembers it.")
}

/// `303`: to another page.
pub fn see_other(to: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, to)
}

fn redirect(status: StatusCode, to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return Problem::internal().into_response() };
    (status, [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}
