//! Writing down what is to be done.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::sim::{Action, Decision, Event, World};

/// How long to wait before an action is tried again that the API has refused.
pub(crate) const RETRY: Duration = Duration::from_secs(5);

/// How many pods one decision makes or deletes at most; the next look goes on from there.
pub(crate) const BURST: usize = 500;

/// What a controller is called, and the kind of object that it looks after.
#[derive(Debug, PartialEq)]
pub(crate) struct Kind {
    /// Plural and group.
    pub(crate) resource: &'static str,
    /// Group and version.
    pub(crate) api_version: &'static str,
    /// The kind.
    pub(crate) kind: &'static str,
    /// Who its events come from.
    pub(crate) source: &'static str,
}

impl Kind {
    /// What an event needs to know of the object that it is about.
    pub(crate) fn about(&self, object: &Stored) -> Value {
        json!({
            "kind": self.kind,
            "apiVersion": self.api_version,
            "metadata": {
                "name": object.key.name,
                "namespace": object.key.namespace,
                "uid": object.uid,
                "resourceVersion": object.revision.to_string(),
            },
        })
    }

    /// An event that all went well.
    pub(crate) fn normal(&self, object: &Stored, reason: &'static str, message: String) -> Action {
        self.event(object, "Normal", reason, message)
    }

    /// An event that something is wrong.
    pub(crate) fn warning(&self, object: &Stored, reason: &'static str, message: String) -> Action {
        self.event(object, "Warning", reason, message)
    }

    fn event(&self, object: &Stored, kind: &'static str, reason: &'static str, message: String) -> Action {
        let about = self.about(object);
        Action::Event(Event { about, field_path: String::new(), kind, reason, message, source: self.source })
    }
}

impl World<'_> {
    /// Why the API refused the last try. A lost race is no refusal: this look sees the newer object.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refused.filter(|text| !text.contains("the object has been modified"))
    }
}

/// Whether a refusal says that the namespace is on its way out: nobody tells of that, and trying again is no use.
pub(crate) fn is_namespace_ending(why: &str) -> bool {
    why.ends_with("because it is being terminated")
}

impl Decision {
    /// Tells that the API refused something, and tries again later.
    pub(crate) fn note_refusal(&mut self, kind: &Kind, object: &Stored, reason: &'static str, message: String) {
        if !is_namespace_ending(&message) {
            self.push(kind.warning(object, reason, message));
            self.look_again(RETRY);
        }
    }

    /// Asks for the next look after this time at the latest.
    pub(crate) fn look_again(&mut self, after: Duration) {
        self.again = Some(self.again.map_or(after, |before| before.min(after)));
    }

    /// Adds an action.
    pub(crate) fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Adds a write of an object's status.
    pub(crate) fn write_status(&mut self, kind: &Kind, object: Value) {
        self.push(Action::UpdateStatus { resource: kind.resource.into(), object });
    }
}

/// Creating an object.
pub(crate) fn create(resource: &str, object: Value) -> Action {
    Action::Create { resource: resource.into(), object }
}

/// Patching an object.
pub(crate) fn patch(object: &Stored, patch: Value) -> Action {
    Action::Patch { resource: object.resource.clone(), key: object.key.clone(), patch }
}

/// Deleting this object, and none that has come in its place.
pub(crate) fn delete(object: &Stored) -> Action {
    Action::Delete {
        resource: object.resource.clone(),
        key: object.key.clone(),
        uid: object.uid.clone(),
        grace: None,
        propagation: "Background",
    }
}
