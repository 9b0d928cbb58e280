//! Objects as the reconciler sees them: what identifies one, what it is asked to be, and its policies.

use std::fmt;

use serde_json::Value;

use super::finding::Place;
use super::id::ResourceId;
use super::policy;
use crate::cluster::object::{GroupKind, Key, group_of, map, text};

/// What identifies an object: unlike [`ResourceId`] with the group of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Group and kind.
    pub kind: GroupKind,
    /// Namespace and name.
    pub at: Key,
}

impl ObjectKey {
    /// The key of an object as it is written.
    pub fn of(object: &Value) -> Self {
        let kind = GroupKind::new(group_of(text(object, &["apiVersion"])), text(object, &["kind"]));
        Self { kind, at: Key::of(object) }
    }

    /// The name that Flux gives it.
    pub fn id(&self) -> ResourceId {
        ResourceId::new(&self.at.namespace, &self.kind.kind, &self.at.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind, self.at)
    }
}

/// What an object's annotations say about syncing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ignore {
    /// Nothing: it is applied and deleted.
    #[default]
    No,
    /// Neither applied nor deleted.
    Always,
    /// Applied, but never deleted.
    SyncOnly,
}

impl Ignore {
    /// The policy of an object; only the exact words count. Both prefixes mean the same; where they disagree, the more
    /// careful one counts.
    pub fn of(object: &Value) -> Self {
        let values = [policy::PREFIX, policy::OLD_PREFIX]
            .map(|prefix| text(object, &["metadata", "annotations", &format!("{prefix}{}", policy::IGNORE)]));
        if values.contains(&"true") {
            Self::Always
        } else if values.contains(&policy::SYNC_ONLY) {
            Self::SyncOnly
        } else {
            Self::No
        }
    }
}

/// An object as Git wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What identifies it.
    pub key: ObjectKey,
    /// Its name in tables and events.
    pub id: ResourceId,
    /// Its API version.
    pub api_version: String,
    /// What is applied: with its namespace, mark and checksum.
    pub object: Value,
    /// What its annotations in Git say.
    pub ignore: Ignore,
    /// The checksum of what Git says.
    pub checksum: String,
    /// Where it is written.
    pub place: Place,
}

/// Whether the cluster is just deleting an object.
pub fn is_going(object: &Value) -> bool {
    !text(object, &["metadata", "deletionTimestamp"]).is_empty()
}

/// Whether an object belongs to another, which makes and deletes it.
pub fn is_owned(object: &Value) -> bool {
    map(object, &["metadata"])
        .and_then(|meta| meta.get("ownerReferences"))
        .and_then(Value::as_array)
        .is_some_and(|o| !o.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_exact_words_are_policies() {
        let cases = [
            (json!({"fluxcd.io/ignore": "true"}), Ignore::Always),
            (json!({"flux.weave.works/ignore": "true"}), Ignore::Always),
            (json!({"fluxcd.io/ignore": "sync_only"}), Ignore::SyncOnly),
            (json!({"fluxcd.io/ignore": "sync_only", "flux.weave.works/ignore": "true"}), Ignore::Always),
            (json!({"fluxcd.io/ignore": "false"}), Ignore::No),
            (json!({"fluxcd.io/ignore": "True"}), Ignore::No),
            (json!({"fluxcd.io/ignore": true}), Ignore::No),
            (json!({"other.io/ignore": "true"}), Ignore::No),
            (json!("nonsense"), Ignore::No),
        ];
        for (annotations, expected) in cases {
            assert_eq!(Ignore::of(&json!({"metadata": {"annotations": annotations}})), expected, "{annotations}");
        }
    }

    #[test]
    fn keys_have_the_group() {
        let object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}});
        let key = ObjectKey::of(&object);
        assert_eq!(key.to_string(), "Deployment.apps b/a");
        assert_eq!(key.id().to_string(), "b:deployment/a");
    }
}
