//! The requests that carry actions out.

use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::super::action::Action;
use super::super::kind::Kind;
use super::super::name::{hash, letters};
use super::super::world::Id;
use crate::cluster::api::stamp;
use crate::cluster::object::{set, text};

/// The name under which fields are ours.
pub(super) const MANAGER: &str = "capi-manager";
/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What came of an action.
pub(super) enum Outcome {
    /// The object is like this now.
    Is(Value),
    /// The object is not there any more.
    Gone,
    /// It was told.
    Done,
    /// The API server says no.
    Refused(String),
    /// The API server does not answer.
    Away(String),
}

/// The way to the API server.
pub(super) struct Requests {
    client: Client,
    seed: u64,
    told: u64,
}

impl std::fmt::Debug for Requests {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Requests").field("told", &self.told).finish_non_exhaustive()
    }
}

/// How a kind is asked for.
pub(super) fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// How one of our kinds is asked for.
pub(super) fn resource_of(kind: Kind) -> ApiResource {
    resource(kind.group(), kind.version(), kind.name(), kind.plural())
}

impl Requests {
    pub(super) fn new(client: Client, seed: u64) -> Self {
        Self { client, seed, told: 0 }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    fn api(&self, id: &Id) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &id.namespace, &resource_of(id.kind))
    }

    /// Carries an action out.
    pub(super) async fn carry_out(&mut self, action: Action, now: Timestamp) -> Outcome {
        match tokio::time::timeout(LIMIT, self.act(action, now)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Away(format!("nothing came for {} s", LIMIT.as_secs())),
        }
    }

    async fn act(&mut self, action: Action, now: Timestamp) -> Outcome {
        match action {
            Action::Create { id, object } => self.create(&id, object).await,
            Action::Patch { id, uid, patch } => self.patch(&id, &uid, patch, false).await,
            Action::PatchStatus { id, uid, patch } => self.patch(&id, &uid, patch, true).await,
            Action::Delete { id, uid } => self.delete(&id, uid).await,
            Action::Event { about, kind, reason, message } => self.tell(&about, kind, &reason, &message, now).await,
        }
    }

    async fn create(&self, id: &Id, object: Value) -> Outcome {
        let object: DynamicObject = match serde_json::from_value(object) {
            Ok(object) => object,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let params = PostParams { dry_run: false, field_manager: Some(MANAGER.to_owned()) };
        match self.api(id).create(&params, &object).await {
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => self.look(id).await,
            answer => outcome(answer),
        }
    }

    async fn patch(&self, id: &Id, uid: &str, mut patch: Value, status: bool) -> Outcome {
        // another object of the same name is not meant
        set(&mut patch, &["metadata", "uid"], uid);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let api = self.api(id);
        let answer = if status {
            api.patch_status(&id.name, &params, &Patch::Merge(&patch)).await
        } else {
            api.patch(&id.name, &params, &Patch::Merge(&patch)).await
        };
        match answer {
            Err(kube::Error::Api(status)) if status.code == 409 => self.look(id).await,
            answer => outcome(answer),
        }
    }

    async fn delete(&self, id: &Id, uid: String) -> Outcome {
        let preconditions = Some(Preconditions { uid: Some(uid), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::background() };
        match self.api(id).delete(&id.name, &params).await {
            Ok(answer) => match answer.left() {
                Some(object) => outcome(Ok(object)),
                None => Outcome::Gone,
            },
            Err(kube::Error::Api(status)) if status.code == 409 => self.look(id).await,
            Err(error) => outcome(Err(error)),
        }
    }

    /// The object as it is.
    async fn look(&self, id: &Id) -> Outcome {
        outcome(self.api(id).get(&id.name).await)
    }

    async fn tell(&mut self, about: &Value, kind: &str, reason: &str, message: &str, now: Timestamp) -> Outcome {
        self.told += 1;
        let (space, own) = (text(about, &["namespace"]), text(about, &["name"]));
        let number = hash(self.seed, &[text(about, &["uid"]), reason, &self.told.to_string(), &now.to_string()]);
        // one object for each: those who fold events hide most of a rollout
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": format!("{own}.{}", letters(number, 12)), "namespace": space},
            "involvedObject": about, "type": kind, "reason": reason, "message": message, "count": 1,
            "firstTimestamp": stamp(now), "lastTimestamp": stamp(now),
            "source": {"component": MANAGER}, "reportingComponent": MANAGER, "reportingInstance": "",
        });
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), space, &resource("", "v1", "Event", "events"));
        let answer = match serde_json::from_value::<DynamicObject>(event) {
            Ok(event) => api.create(&PostParams::default(), &event).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = answer {
            tracing::debug!(%reason, %error, "an event was not taken");
        }
        Outcome::Done
    }
}

fn outcome(answer: Result<DynamicObject, kube::Error>) -> Outcome {
    match answer {
        Ok(object) => match serde_json::to_value(object) {
            Ok(object) => Outcome::Is(object),
            Err(error) => Outcome::Refused(error.to_string()),
        },
        Err(kube::Error::Api(status)) if status.code == 404 => Outcome::Gone,
        Err(kube::Error::Api(status)) if matches!(status.code, 429 | 500 | 502 | 503 | 504) => {
            Outcome::Away(status.message.clone())
        }
        Err(kube::Error::Api(status)) => Outcome::Refused(status.message.clone()),
        Err(error) => Outcome::Away(error.to_string()),
    }
}
