//! The objects as far as they are known here: what watches tell, and the answers to own writes, which come sooner.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::Kind;
use super::world::{Id, Objects};
use crate::cluster::object::{entry, remove, set, text};

/// The objects that are known.
#[derive(Debug, Default)]
pub(super) struct Cache {
    objects: Objects,
}

impl Cache {
    /// All of them.
    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Takes an object in, unless a newer version is known. True when something is new.
    pub(super) fn put(&mut self, kind: Kind, mut object: Value) -> bool {
        let id = Id::of(kind, &object);
        if self.objects.get(&id).is_some_and(|known| !is_newer(&object, known)) {
            return false;
        }
        // who wrote what is of no use here, and long
        remove(&mut object, &["metadata", "managedFields"]);
        set(&mut object, &["apiVersion"], kind.api_version());
        set(&mut object, &["kind"], kind.name());
        self.objects.insert(id, Arc::new(object));
        true
    }

    /// An object of which a watch says that it is gone. Another one of its name may have come meanwhile.
    pub(super) fn gone(&mut self, kind: Kind, object: &Value) -> bool {
        let id = Id::of(kind, object);
        let known = self.objects.get(&id);
        let same = known.is_some_and(|known| uid(known) == uid(object) || is_newer(object, known));
        same && self.objects.remove(&id).is_some()
    }

    /// An object that the API server has no more. It stays until a watch says so too, so that old news do not bring it
    /// back, but nobody sees it.
    pub(super) fn vanished(&mut self, id: &Id) {
        if let Some(known) = self.objects.get_mut(id) {
            let mut object = Value::clone(known);
            *entry(&mut object, &["metadata", "finalizers"]) = json!([]);
            set(&mut object, &["metadata", "deletionTimestamp"], "1970-01-01T00:00:00Z");
            *known = Arc::new(object);
        }
    }

    /// All objects of a kind that are there: others are gone.
    pub(super) fn listed(&mut self, kind: Kind, there: &HashSet<Id>) -> bool {
        let before = self.objects.len();
        self.objects.retain(|id, _| id.kind != kind || there.contains(id));
        self.objects.len() != before
    }
}

fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// Versions are numbers on every API server there is; where they are not, the later news counts.
fn is_newer(object: &Value, known: &Value) -> bool {
    let version = |object: &Value| text(object, &["metadata", "resourceVersion"]).parse::<u64>().ok();
    match (version(object), version(known)) {
        (Some(new), Some(old)) => new > old,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(version: u64, uid: &str) -> Value {
        json!({"metadata": {"name": "a", "namespace": "n", "resourceVersion": version.to_string(), "uid": uid}})
    }

    #[test]
    fn old_news_do_not_count() {
        let mut cache = Cache::default();
        assert!(cache.put(Kind::Machine, object(2, "x")));
        assert!(!cache.put(Kind::Machine, object(1, "x")));
        assert!(!cache.put(Kind::Machine, object(2, "x")));
        assert!(cache.put(Kind::Machine, object(5, "y")));
        assert!(!cache.gone(Kind::Machine, &object(4, "x")));
        let id = Id::new(Kind::Machine, "n", "a");
        cache.vanished(&id);
        assert!(!cache.put(Kind::Machine, object(5, "y")));
        assert!(cache.gone(Kind::Machine, &object(6, "y")));
        assert!(cache.objects().is_empty());
    }

    #[test]
    fn what_is_not_listed_is_gone() {
        let mut cache = Cache::default();
        cache.put(Kind::Machine, object(1, "x"));
        assert!(!cache.listed(Kind::Cluster, &HashSet::new()));
        assert!(cache.listed(Kind::Machine, &HashSet::new()));
    }
}
