//! `/git/NAME.git`: repositories over smart HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures::StreamExt as _;

use crate::gitops::git::Program;
use crate::gitops::http_backend::{Backend, Request};
use crate::sandbox::Sandbox;
use crate::server::error::Problem;
use crate::server::state::App;

/// Serves the repository that is named; whoever knows its token may push, and what is pushed is reconciled at once.
pub async fn git(State(app): State<Arc<App>>, request: HttpRequest) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/git").unwrap_or_default();
    let name = path.trim_start_matches('/').split('/').next().and_then(|name| name.strip_suffix(".git"));
    let sandbox = name.and_then(|name| app.repository(name));
    let Some((sandbox, backend)) = sandbox.and_then(|sandbox| Some((sandbox.clone(), backend(&sandbox)?))) else {
        return Err(Problem::not_found("There is no such repository.").hint("The demo side may still be starting."));
    };
    let headers: Vec<(&str, &str)> =
        parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request =
        Request { method: parts.method.as_str(), path, query: parts.uri.query().unwrap_or(""), headers: &headers };
    let body = body.into_data_stream().map(|chunk| chunk.map_err(std::io::Error::other));
    let answer = backend.serve(request, body, move |_| sandbox.reconciler.pushed()).await;
    let mut response = Response::new(Body::from_stream(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

fn backend(sandbox: &Sandbox) -> Option<Backend> {
    let repository = sandbox.repository.as_ref()?;
    let repos = BTreeMap::from([(repository.name.clone(), repository.demo.dir().to_path_buf())]);
    Some(Backend::new(Program::default(), repos, Some(repository.token().to_owned())))
}
