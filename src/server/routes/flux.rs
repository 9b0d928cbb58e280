//! `/flux/…`: what `fluxctl` asks for, in Flux's API; and the reconciler's state for `foredeck reconcile`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::gitops::fluxctl::ImageScope;
use crate::gitops::fluxctl::output::{ApiError, ApiErrorKind};
use crate::gitops::fluxctl::wire::Update;
use crate::gitops::id::ResourceId;
use crate::gitops::table;
use crate::sandbox::Sandbox;
use crate::server::role::{Role, is_same};
use crate::server::state::App;

/// No change is longer.
const LIMIT: usize = 256 * 1024;
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// Answers those who know the repository's token, and the speaker.
pub async fn flux(State(app): State<Arc<App>>, request: Request) -> Response {
    let Some(sandbox) = app.demo.borrow().ready().cloned() else {
        let error = "the demo side is not running yet; try again in a moment";
        return answer(StatusCode::SERVICE_UNAVAILABLE, &fault(ApiErrorKind::Server, error).to_json());
    };
    if !may(&app, &sandbox, request.headers()) {
        return without_token();
    }
    let (parts, content) = request.into_parts();
    let content = match tokio::time::timeout(app.limits.body_timeout, body::to_bytes(content, LIMIT)).await {
        Ok(Ok(content)) => content,
        Ok(Err(_)) => return refuse(&fault(ApiErrorKind::User, "the request is too long, or broke off")),
        Err(_) => return refuse(&fault(ApiErrorKind::User, "the request did not arrive in time")),
    };
    let path = parts.uri.path().trim_start_matches("/flux/").trim_start_matches("api/flux/").to_owned();
    let ask = Ask { method: parts.method, path, query: parts.uri.query().unwrap_or("").to_owned(), content };
    match tokio::time::timeout(PATIENCE, ask.of(&sandbox)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => refuse(&error),
        Err(_) => refuse(&fault(ApiErrorKind::Server, "the answer takes too long; try again")),
    }
}

/// The answer to those who know no token.
pub(in crate::server) fn without_token() -> Response {
    let error = "a token is needed: set FLUX_TOKEN, or run this where foredeck was started";
    answer(StatusCode::UNAUTHORIZED, &fault(ApiErrorKind::User, error).to_json())
}

/// Whether a request may be answered.
fn may(app: &App, sandbox: &Sandbox, headers: &HeaderMap) -> bool {
    if app.tokens.role(headers) == Role::Presenter {
        return true;
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The latter is how the archived fluxctl writes it.
    let Some(given) = given.strip_prefix("Bearer ").or_else(|| given.strip_prefix("Scope-Probe token=")) else {
        return false;
    };
    let of_repository = sandbox.repository.as_ref().is_some_and(|repository| is_same(repository.token(), given.trim()));
    of_repository || app.tokens.presenter.matches(given.trim())
}

struct Ask {
    method: Method,
    path: String,
    query: String,
    content: Bytes,
}

impl Ask {
    async fn of(&self, sandbox: &Sandbox) -> Result<Response, ApiError> {
        let daemon = &sandbox.daemon;
        let (get, post) = (self.method == Method::GET, self.method == Method::POST);
        match self.path.as_str() {
            "v11/ping" | "v6/ping" if get => Ok(StatusCode::NO_CONTENT.into_response()),
            "v11/version" | "v6/version" if get => found(&json!(env!("CARGO_PKG_VERSION"))),
            "v6/services" | "v11/services" if get => self.services(sandbox).await,
            "v6/images" | "v10/images" if get => self.images(sandbox).await,
            "v9/update-manifests" | "v6/update-manifests" if post => {
                let update = Update::of(&self.json()?).map_err(|error| fault(ApiErrorKind::User, &error))?;
                found(&json!(daemon.update(update)?))
            }
            "v6/jobs" if get => found(&daemon.job(&self.parameter("id"))?.to_json()),
            "v6/sync" if get => found(&json!(daemon.unsynced(&self.parameter("ref")).await?)),
            "v9/git-repo-config" | "v6/git-repo-config" if post => {
                let regenerate = self.json()?.as_bool().unwrap_or(false);
                found(&daemon.git_config(regenerate).await?.to_json())
            }
            "v6/identity.pub" if get => found(&json!({"key": daemon.identity(false).await?})),
            "v6/export" if get => found(&json!(BASE64_STANDARD.encode(daemon.export().await?))),
            "v11/notify" if post => {
                daemon.notify(self.json()?.get("Kind").and_then(Value::as_str).unwrap_or_default())?;
                Ok(StatusCode::ACCEPTED.into_response())
            }
            "foredeck/status" if get => {
                let status = sandbox.reconciler.status().borrow().clone();
                let status = serde_json::to_value(&status);
                found(&status.map_err(|error| fault(ApiErrorKind::Server, &error.to_string()))?)
            }
            "foredeck/preview" if get => {
                let preview = sandbox.reconciler.preview(None).await;
                let preview = preview.map_err(|error| fault(ApiErrorKind::User, &error.to_string()))?;
                found(&serde_json::to_value(&preview).unwrap_or_default())
            }
            _ => Err(fault(ApiErrorKind::Missing, "there is nothing of this name in the API")),
        }
    }

    async fn services(&self, sandbox: &Sandbox) -> Result<Response, ApiError> {
        let namespace = Some(self.parameter("namespace")).filter(|namespace| !namespace.is_empty());
        let mut listed = sandbox.daemon.list_workloads(namespace.as_deref()).await?;
        let named = self.parameter("services");
        if !named.is_empty() {
            listed.retain(|workload| named.split(',').any(|id| id == workload.id.to_string()));
        }
        text(table::workloads::to_json(&listed))
    }

    async fn images(&self, sandbox: &Sandbox) -> Result<Response, ApiError> {
        let (service, namespace) = (self.parameter("service"), self.parameter("namespace"));
        let scope = match service.as_str() {
            "" | "<all>" if namespace.is_empty() => None,
            "" | "<all>" => Some(ImageScope::Namespace(namespace)),
            id => {
                let id = ResourceId::parse(id).map_err(|error| fault(ApiErrorKind::User, &error.to_string()))?;
                Some(ImageScope::Workload(id))
            }
        };
        text(table::images::to_json(&sandbox.daemon.list_images(scope.as_ref()).await?, 0))
    }

    fn json(&self) -> Result<Value, ApiError> {
        serde_json::from_slice(&self.content)
            .map_err(|error| fault(ApiErrorKind::User, &format!("the request is no JSON: {error}")))
    }

    fn parameter(&self, name: &str) -> String {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

fn fault(kind: ApiErrorKind, text: &str) -> ApiError {
    ApiError { kind, help: text.to_owned(), error: text.to_owned() }
}

fn found(value: &Value) -> Result<Response, ApiError> {
    Ok(answer(StatusCode::OK, value))
}

fn text(json: String) -> Result<Response, ApiError> {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, json).into_response())
}

fn refuse(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, &error.to_json())
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, value.to_string()).into_response()
}
