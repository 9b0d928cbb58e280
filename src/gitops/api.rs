//! The few requests to a cluster's API that the reconciler makes, each bounded in time.

use std::time::Duration;

use kube::Client;
use kube::api::{
    DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
    ValidationDirective,
};
use kube::core::request::Request;
use serde_json::Value;

use super::kinds::{Kinds, Served};
use crate::cluster::object::{Key, list, text};

/// The name under which fields are ours.
pub const MANAGER: &str = "flux";
/// How many objects a list brings at once.
const PAGE: u32 = 500;

/// Why a request gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The API server is not there, or not able to answer: trying again may help.
    #[error("the API server does not answer: {0}")]
    Away(String),
    /// The API server says no.
    #[error("{message}")]
    Refused {
        /// The status code.
        code: u16,
        /// The reason, as in `Invalid`.
        reason: String,
        /// The words.
        message: String,
    },
    /// The answer is none.
    #[error("the API server gave an answer that is not understood: {0}")]
    Answer(String),
}

impl Error {
    /// Whether there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused { code, .. } => matches!(code, 429 | 502 | 503 | 504),
            Self::Answer(_) => false,
        }
    }

    fn of(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let (code, reason, message) = (status.code, status.reason.clone(), status.message.clone());
                Self::Refused { code, reason, message }
            }
            kube::Error::SerdeError(error) => Self::Answer(error.to_string()),
            kube::Error::FromUtf8(error) => Self::Answer(error.to_string()),
            kube::Error::BuildRequest(error) => Self::Answer(error.to_string()),
            error => Self::Away(in_full(&error)),
        }
    }
}

/// An error with its causes; each says something new.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

/// The objects of a cluster.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    /// How long one request may take.
    limit: Duration,
    manager: &'static str,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Objects").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Objects {
    /// The objects behind a client.
    pub fn new(client: Client, limit: Duration) -> Self {
        Self { client, limit, manager: MANAGER }
    }

    /// The same, for another one than the reconciler: fields are that one's.
    #[must_use]
    pub fn in_the_name_of(self, manager: &'static str) -> Self {
        Self { manager, ..self }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    async fn ask(&self, request: Result<http::Request<Vec<u8>>, kube::core::request::Error>) -> Result<Value, Error> {
        let request = request.map_err(|error| Error::Answer(error.to_string()))?;
        match tokio::time::timeout(self.limit, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(Error::of),
            Err(_) => Err(Error::Away(format!("nothing came for {} s", self.limit.as_secs()))),
        }
    }

    /// The kinds that the cluster serves.
    ///
    /// # Errors
    /// When the API server does not tell.
    pub async fn kinds(&self) -> Result<Kinds, Error> {
        let mut answers = Vec::new();
        for path in ["/api", "/apis"] {
            let mut request = Request::new(path).list(&ListParams::default());
            if let Ok(request) = &mut request {
                const WANTED: &str =
                    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
                request.headers_mut().insert("accept", http::HeaderValue::from_static(WANTED));
            }
            answers.push(self.ask(request).await?);
        }
        if answers.iter().all(|answer| text(answer, &["kind"]) == "APIGroupDiscoveryList") {
            return Ok(Kinds::read_aggregated(&answers));
        }
        self.kinds_one_by_one(&answers).await
    }

    /// The way of servers before 1.30.
    async fn kinds_one_by_one(&self, answers: &[Value]) -> Result<Kinds, Error> {
        let mut paths: Vec<String> = Vec::new();
        for answer in answers {
            paths.extend(list(answer, &["versions"]).iter().filter_map(Value::as_str).map(|v| format!("/api/{v}")));
            for group in list(answer, &["groups"]) {
                let preferred = text(group, &["preferredVersion", "groupVersion"]);
                let all = list(group, &["versions"]).iter().map(|version| text(version, &["groupVersion"]));
                let others = all.filter(|version| *version != preferred);
                paths.extend(std::iter::once(preferred).chain(others).map(|version| format!("/apis/{version}")));
            }
        }
        let mut kinds = Kinds::default();
        for path in paths {
            match self.ask(Request::new(path).list(&ListParams::default())).await {
                Ok(answer) => kinds.add_list(&answer),
                // A group whose own server is down does not hide the others.
                Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(kinds)
    }

    /// One object, if it is there.
    ///
    /// # Errors
    /// When the API server does not tell.
    pub async fn get(&self, served: &Served, at: &Key) -> Result<Option<Value>, Error> {
        let request = Request::new(served.path(Some(&at.namespace))).get(&at.name, &GetParams::default());
        match self.ask(request).await {
            Err(error) if error.is_missing() => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// All objects of a kind, in one namespace or in all, with certain labels or with any.
    ///
    /// # Errors
    /// When the API server does not tell.
    pub async fn list(
        &self,
        served: &Served,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        let mut params = ListParams { label_selector: labels.map(str::to_owned), ..ListParams::default() }.limit(PAGE);
        loop {
            let mut answer = self.ask(Request::new(served.path(namespace)).list(&params)).await?;
            let token = text(&answer, &["metadata", "continue"]).to_owned();
            let items = answer.get_mut("items").map(Value::take);
            for mut item in items
                .and_then(|items| if let Value::Array(items) = items { Some(items) } else { None })
                .into_iter()
                .flatten()
            {
                // Lists leave out what is the same for all.
                crate::cluster::object::set(&mut item, &["apiVersion"], served.api_version());
                crate::cluster::object::set(&mut item, &["kind"], served.kind.clone());
                found.push(item);
            }
            if token.is_empty() {
                return Ok(found);
            }
            params = params.continue_token(&token);
        }
    }

    /// Makes an object as it is wanted, whoever else wants something; gives it as it then is.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn apply(&self, served: &Served, at: &Key, object: &Value, dry_run: bool) -> Result<Value, Error> {
        let params = PatchParams {
            dry_run,
            force: true,
            field_manager: Some(self.manager.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let request = Request::new(served.path(Some(&at.namespace))).patch(&at.name, &params, &Patch::Apply(object));
        self.ask(request).await
    }

    /// Merges something into an object, in our name.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn merge(&self, served: &Served, at: &Key, patch: &Value) -> Result<Value, Error> {
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        let request = Request::new(served.path(Some(&at.namespace))).patch(&at.name, &params, &Patch::Merge(patch));
        self.ask(request).await
    }

    /// Makes a new object.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn create(&self, served: &Served, object: &Value) -> Result<Value, Error> {
        let body = serde_json::to_vec(object).map_err(|error| Error::Answer(error.to_string()))?;
        let params = PostParams { field_manager: Some(self.manager.to_owned()), ..PostParams::default() };
        let namespace = text(object, &["metadata", "namespace"]);
        self.ask(Request::new(served.path(Some(namespace))).create(&params, body)).await
    }

    /// Merges something into an object's status.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn merge_status(&self, served: &Served, at: &Key, status: &Value) -> Result<Value, Error> {
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(serde_json::json!({ "status": status }));
        let request = Request::new(served.path(Some(&at.namespace)));
        self.ask(request.patch_subresource("status", &at.name, &params, &patch)).await
    }

    /// Deletes exactly this object and, in the background, what belongs to it. False when it was gone.
    ///
    /// # Errors
    /// When the API server does not do it.
    pub async fn delete(&self, served: &Served, object: &Value, dry_run: bool) -> Result<bool, Error> {
        let (at, uid) = (Key::of(object), text(object, &["metadata", "uid"]));
        let params = DeleteParams {
            dry_run,
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::default()
        };
        match self.ask(Request::new(served.path(Some(&at.namespace))).delete(&at.name, &params)).await {
            Err(error) if error.is_missing() => Ok(false),
            // Somebody made another one of that name meanwhile.
            Err(Error::Refused { code: 409, .. }) => Ok(false),
            answer => answer.map(|_| true),
        }
    }
}
