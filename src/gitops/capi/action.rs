//! What a controller wants done: the difference between an object and how it should be.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::name::Names;
use super::options::Options;
use super::words;
use super::world::{Id, World, controller, is_going, label, name, namespace};
use crate::cluster::object::{at, entry, list, remove, set, text};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make an object.
    Create {
        /// Which.
        id: Id,
        /// As this.
        object: Value,
    },
    /// Change an object by merge patch.
    Patch {
        /// Which.
        id: Id,
        /// Its uid: another object of that name is not meant.
        uid: String,
        /// The patch.
        patch: Value,
    },
    /// Change an object's status by merge patch.
    PatchStatus {
        /// Which.
        id: Id,
        /// Its uid.
        uid: String,
        /// The patch, with `status` in it.
        patch: Value,
    },
    /// Delete an object.
    Delete {
        /// Which.
        id: Id,
        /// Its uid.
        uid: String,
    },
    /// Tell what happened.
    Event {
        /// To which object.
        about: Value,
        /// `Normal` or `Warning`.
        kind: &'static str,
        /// One word.
        reason: String,
        /// A sentence.
        message: String,
    },
}

/// What a controller may look at, and where it puts its decision.
#[derive(Debug)]
pub struct Pass<'a> {
    /// All objects.
    pub world: World<'a>,
    /// What time it is.
    pub now: Timestamp,
    /// How the simulated cloud behaves.
    pub options: &'a Options,
    /// Where names come from.
    pub names: &'a mut Names,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// When to look again if nothing happens before.
    pub again: Option<Timestamp>,
    /// What cannot go on, in the words of a controller's log.
    pub problems: Vec<String>,
}

impl<'a> Pass<'a> {
    /// A look at all objects.
    pub fn new(world: World<'a>, now: Timestamp, options: &'a Options, names: &'a mut Names) -> Self {
        Self { world, now, options, names, actions: Vec::new(), again: None, problems: Vec::new() }
    }

    /// Looks again at a time.
    pub(super) fn again_at(&mut self, time: Timestamp) {
        self.again = Some(self.again.map_or(time, |before| before.min(time)));
    }

    /// Whether something that began at a time is over; looks again when it will be.
    pub(super) fn is_over(&mut self, began: Timestamp, takes: Duration) -> bool {
        let end = began.checked_add(takes).unwrap_or(Timestamp::MAX);
        if self.now < end {
            self.again_at(end);
        }
        self.now >= end
    }

    /// Deletes an object unless that is under way.
    pub(super) fn delete(&mut self, id: &Id, object: &Value) {
        if !is_going(object) {
            let uid = text(object, &["metadata", "uid"]).to_owned();
            self.actions.push(Action::Delete { id: id.clone(), uid });
        }
    }

    /// Tells what happened to an object.
    pub(super) fn event(&mut self, about: &Value, reason: &str, message: impl Into<String>) {
        self.tell(about, "Normal", reason, message.into());
    }

    /// Tells what went wrong with an object.
    pub(super) fn warn(&mut self, about: &Value, reason: &str, message: impl Into<String>) {
        self.tell(about, "Warning", reason, message.into());
    }

    fn tell(&mut self, about: &Value, kind: &'static str, reason: &str, message: String) {
        let part = |path: &[&str]| at(about, path).cloned().unwrap_or_default();
        let about = json!({
            "apiVersion": part(&["apiVersion"]), "kind": part(&["kind"]), "name": part(&["metadata", "name"]),
            "namespace": part(&["metadata", "namespace"]), "uid": part(&["metadata", "uid"]),
        });
        self.actions.push(Action::Event { about, kind, reason: reason.to_owned(), message });
    }

    /// Does what makes an object as it should be.
    pub(super) fn settle(&mut self, id: &Id, old: &Value, mut new: Value) {
        let uid = || text(old, &["metadata", "uid"]).to_owned();
        let mut before = old.clone();
        let status = (remove(&mut before, &["status"]), remove(&mut new, &["status"]));
        if let Some(patch) = difference(&before, &new) {
            self.actions.push(Action::Patch { id: id.clone(), uid: uid(), patch });
        }
        let (before, after) = (status.0.unwrap_or(json!({})), status.1.unwrap_or(json!({})));
        if let Some(patch) = difference(&before, &after) {
            self.actions.push(Action::PatchStatus { id: id.clone(), uid: uid(), patch: json!({"status": patch}) });
        }
    }

    /// Makes another object belong to a cluster and an owner. False while that is still to be done.
    pub(super) fn adopt(&mut self, id: &Id, object: &Value, owner: &Value, controls: bool, cluster: &str) -> bool {
        let mut new = object.clone();
        own(&mut new, owner, controls);
        set(&mut new, &["metadata", "labels", words::CLUSTER], cluster);
        let Some(patch) = difference(object, &new) else { return true };
        let uid = text(object, &["metadata", "uid"]).to_owned();
        self.actions.push(Action::Patch { id: id.clone(), uid, patch });
        false
    }

    /// A name that no object of a kind has.
    pub(super) fn free_name(&mut self, kind: Kind, namespace: &str, prefix: &str) -> String {
        let world = &self.world;
        let taken = |name: &str| world.get(kind, namespace, name).is_some();
        self.names.next(namespace, prefix, taken)
    }
}

/// Puts a finalizer on an object or takes it off.
pub(super) fn finalize(object: &mut Value, kind: Kind, wanted: bool) {
    let Some((_, finalizer)) = words::FINALIZERS.iter().find(|(known, _)| *known == kind) else { return };
    let mut all: Vec<Value> = list(object, &["metadata", "finalizers"]).to_vec();
    let there = all.iter().any(|found| found == finalizer);
    if wanted && !there {
        all.push(json!(finalizer));
    } else if !wanted && there {
        all.retain(|found| found != finalizer);
    } else {
        return;
    }
    set(object, &["metadata", "finalizers"], all);
}

/// A reference to an owner.
pub(super) fn owner_reference(owner: &Value, controls: bool) -> Value {
    let part = |path: &[&str]| at(owner, path).cloned().unwrap_or_default();
    let mut reference = json!({
        "apiVersion": part(&["apiVersion"]), "kind": part(&["kind"]), "name": part(&["metadata", "name"]),
        "uid": part(&["metadata", "uid"]),
    });
    if controls {
        reference["controller"] = json!(true);
        reference["blockOwnerDeletion"] = json!(true);
    }
    reference
}

/// Makes an owner one of an object's owners. One that controls takes that over from another.
pub(super) fn own(object: &mut Value, owner: &Value, controls: bool) {
    let uid = text(owner, &["metadata", "uid"]);
    let wanted = owner_reference(owner, controls);
    let others = controls && controller(object).is_some_and(|found| text(found, &["uid"]) != uid);
    let mut all = list(object, &["metadata", "ownerReferences"]).to_vec();
    if others {
        // the machine set that cloned an object hands it over to the machine
        all.retain(|found| !found["controller"].as_bool().unwrap_or(false));
    }
    match all.iter_mut().find(|found| text(found, &["uid"]) == uid) {
        Some(found) if controls && found["controller"] != true => *found = wanted,
        Some(_) => {}
        None => all.push(wanted),
    }
    set(object, &["metadata", "ownerReferences"], all);
}

/// Sets a label unless it is as it should be.
pub(super) fn set_label(object: &mut Value, name: &str, value: &str) {
    if label(object, name) != Some(value) {
        set(object, &["metadata", "labels", name], value);
    }
}

/// The status of an object being made; an empty one before it has any.
pub(super) fn status(object: &mut Value) -> &mut Value {
    let status = entry(object, &["status"]);
    if !status.is_object() {
        *status = json!({});
    }
    status
}

/// A new object's id.
pub(super) fn id_of(kind: Kind, object: &Value) -> Id {
    Id::new(kind, namespace(object), name(object))
}

/// The merge patch that makes one value another; none when they are the same.
pub(super) fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            None if value.is_null() => {}
            None => {
                patch.insert(name.clone(), value.clone());
            }
            Some(old) => {
                if let Some(inner) = difference(old, value) {
                    patch.insert(name.clone(), inner);
                }
            }
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_merge_patch() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 2}))),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}}), Some(json!({"a": {"c": null}}))),
            (json!({"a": [1]}), json!({"a": [1, 2]}), Some(json!({"a": [1, 2]}))),
            (json!({}), json!({"a": {"b": 1}}), Some(json!({"a": {"b": 1}}))),
            (json!({}), json!({"a": null}), None),
        ];
        for (old, new, expected) in cases {
            assert_eq!(difference(&old, &new), expected, "{old} {new}");
        }
    }

    #[test]
    fn a_controller_takes_over() {
        let set = json!({"apiVersion": "v1", "kind": "MachineSet", "metadata": {"name": "s", "uid": "1"}});
        let machine = json!({"apiVersion": "v1", "kind": "Machine", "metadata": {"name": "m", "uid": "2"}});
        let mut object = json!({});
        own(&mut object, &set, true);
        own(&mut object, &machine, true);
        let expected = json!([{
            "apiVersion": "v1", "kind": "Machine", "name": "m", "uid": "2", "controller": true,
            "blockOwnerDeletion": true,
        }]);
        assert_eq!(object["metadata"]["ownerReferences"], expected);
    }
}
