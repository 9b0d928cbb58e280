//! `/assets/…`: our scripts, styles and fonts; `/files/…`: pictures and media of the project.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use crate::project::media;
use crate::render::template;
use crate::server::document::{Document, IMMUTABLE, REVALIDATE};
use crate::server::error::Problem;
use crate::server::state::App;

/// A picture opened on its own page runs nothing and loads nothing.
const FILE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; sandbox";

/// Embedded files that were asked for, compressed.
#[derive(Debug, Default)]
pub struct Assets {
    made: Mutex<HashMap<String, Arc<Document>>>,
}

impl Assets {
    fn get(&self, path: &str) -> Option<Arc<Document>> {
        // Debug builds read the folder each time, so that designers need no rebuild.
        let keep = !cfg!(debug_assertions);
        let lock = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = lock().get(path).cloned();
        if let Some(document) = made {
            return Some(document);
        }
        let bytes = template::asset(path)?;
        let document = Arc::new(Document::new(asset_type(path), bytes.into_owned()));
        if keep {
            // Only paths that exist get here, so the map stays small.
            lock().insert(path.to_owned(), document.clone());
        }
        Some(document)
    }
}

fn asset_type(path: &str) -> &'static str {
    let path = FilePath::new(path);
    match media::extension(path).as_str() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" | "license" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => file_type(path).unwrap_or("application/octet-stream"),
    }
}

/// The type of a file that a project may show; `None` for its sources, configuration and scripts.
fn file_type(path: &FilePath) -> Option<&'static str> {
    media::media_type(path).map(|media_type| match media_type {
        "text/css" => "text/css; charset=utf-8",
        "text/vtt" => "text/vtt; charset=utf-8",
        other => other,
    })
}

/// One of our own files. A style, font or picture of the project's `themes/assets/` wins over ours;
/// a script does not: rights never come from a deck's folder.
pub async fn asset(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let Path(path) = path.map_err(|_| Problem::bad_request("The address is not valid text."))?;
    let own = resolve(&app.root, &format!("themes/assets/{path}")).await;
    if let Some((file, media_type)) = own {
        return serve(&file, media_type, request).await;
    }
    let document = app.assets.get(&path).ok_or_else(|| Problem::not_found("There is no such file."))?;
    // Versions in our pages differ with every start of a server, so an update is never missed; the
    // files of a debug build change under a running one.
    let versioned = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("v=")));
    let versioned = versioned && !cfg!(debug_assertions);
    Ok(document.response(request.headers(), if versioned { IMMUTABLE } else { REVALIDATE }))
}

/// A picture, font, style or medium of the project.
pub async fn file(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Path(path) = path.map_err(|_| Problem::bad_request("The address is not valid text."))?;
    // One answer for what is missing and for what is not shown: it tells nothing about the disk.
    let missing = || Problem::not_found("There is no such picture, font, style or medium in this project.");
    if let Some(page) = super::workshop::page_of(&app, &path) {
        return Ok(super::deck::see_other(&page));
    }
    let (file, media_type) = resolve(&app.root, &path).await.ok_or_else(missing)?;
    serve(&file, media_type, request).await
}

/// The file a path means and its type, if it is inside the root and may be shown.
async fn resolve(root: &FilePath, path: &str) -> Option<(PathBuf, &'static str)> {
    let plain = plain_path(path)?;
    let media_type = file_type(&plain)?;
    let file = tokio::fs::canonicalize(root.join(&plain)).await.ok()?;
    // After links are followed: still inside, still of a type to be shown, and still not hidden.
    let inside = file.strip_prefix(root).ok()?;
    plain_path(inside.to_str()?)?;
    file_type(&file)?;
    tokio::fs::metadata(&file).await.ok()?.is_file().then_some((file, media_type))
}

/// A relative path of ordinary names: nothing hidden, nothing that climbs.
fn plain_path(path: &str) -> Option<PathBuf> {
    if path.contains(['\\', '\0', ':']) {
        return None;
    }
    let path = PathBuf::from(path);
    let ordinary = |part: Component<'_>| matches!(part, Component::Normal(name) if name.to_str().is_some_and(|n| !n.starts_with('.')));
    path.components().all(ordinary).then_some(path)
}

async fn serve(file: &FilePath, media_type: &'static str, request: Request) -> Result<Response, Problem> {
    let mut request = request.map(|_| Body::empty());
    stop_mixed_ranges(request.headers_mut());
    let served: Result<_, Infallible> = ServeFile::new(file).oneshot(request).await;
    let Ok(mut response) = served.map(IntoResponse::into_response);
    if response.status() == StatusCode::NOT_FOUND || response.status().is_server_error() {
        return Err(Problem::not_found("There is no such file."));
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    Ok(response)
}

/// A part of the newest version must not be joined to parts of an older one: with `If-Range`, all is sent.
fn stop_mixed_ranges(headers: &mut HeaderMap) {
    if headers.remove(header::IF_RANGE).is_some() {
        headers.remove(header::RANGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ordinary_paths_pass() {
        for (path, expected) in [
            ("images/a.png", true),
            ("a b/ä.svg", true),
            ("../a.png", false),
            ("images/../../a.png", false),
            ("/etc/passwd", false),
            (".git/config", false),
            ("images/.secret.png", false),
            ("a\0.png", false),
            ("..\\a.png", false),
            ("C:/a.png", false),
        ] {
            assert_eq!(plain_path(path).is_some(), expected, "{path}");
        }
    }

    #[test]
    fn scripts_and_sources_are_not_served() {
        for name in ["a.js", "a.html", "a.md", "a.toml", "a.json", "a.xml", "a"] {
            assert_eq!(file_type(FilePath::new(name)), None, "{name}");
        }
    }
}
