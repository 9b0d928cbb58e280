//! ControllerRevisions: the templates that a stateful set or a daemon set had, numbered.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cluster::api::store::Stored;
use crate::cluster::object::{Key, at, map, remove};
use crate::cluster::sim::actions::{self, Kind};
use crate::cluster::sim::selector::Selector;
use crate::cluster::sim::{Decision, World, template};

/// The resource.
pub(crate) const REVISIONS: &str = "controllerrevisions.apps";
/// The label by which pods tell the revision that they were made of.
pub(crate) const POD_REVISION: &str = "controller-revision-hash";

/// What is asked of a revision.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RevisionView {
    revision: i64,
    metadata: RevisionMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RevisionMeta {
    creation_timestamp: Option<Timestamp>,
}

/// The owner whose history is looked at.
pub(crate) struct Owner<'a> {
    /// Its kind.
    pub(crate) kind: &'a Kind,
    /// As it is in the store.
    pub(crate) stored: &'a Stored,
    /// The whole object.
    pub(crate) object: &'a Value,
    /// The label of a revision that carries its hash.
    pub(crate) hash_label: &'static str,
    /// How often a hash was taken already.
    pub(crate) collisions: i64,
}

/// All revisions of an owner, the newest last.
pub(crate) struct History<'a> {
    revisions: Vec<(i64, &'a Arc<Stored>)>,
}

/// The revision of the owner's template as it is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Latest {
    /// Its name.
    pub(crate) name: String,
    /// Its hash.
    pub(crate) hash: String,
}

impl<'a> History<'a> {
    /// The revisions that belong to an owner.
    pub(crate) fn read(world: &World<'a>, owner: &Owner<'_>, selector: &Selector, decision: &mut Decision) -> Self {
        let matches = |revision: &Stored| selector.matches(&revision.labels);
        let claimed = owner.kind.claim(world, owner.stored, REVISIONS, &matches, decision);
        let number = |stored: &'a Arc<Stored>| (stored.view::<RevisionView>().revision, stored);
        let mut revisions: Vec<_> = claimed.into_iter().map(number).collect();
        revisions.sort_by_key(|(number, stored)| {
            (*number, stored.view::<RevisionView>().metadata.creation_timestamp, stored.key.clone())
        });
        Self { revisions }
    }

    /// The revision of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&'a Arc<Stored>> {
        self.revisions.iter().find(|(_, stored)| *stored.key.name == *name).map(|(_, stored)| *stored)
    }

    /// Sees to it that the newest revision is that of the current template: an older one of it gets the next number,
    /// or a new one is made. `None` when its name belongs to something else, so that another hash is needed.
    pub(crate) fn latest(&self, world: &World<'_>, owner: &Owner<'_>, decision: &mut Decision) -> Option<Latest> {
        let wanted = at(owner.object, &["spec", "template"]).cloned().unwrap_or_else(|| json!({}));
        let newest = self.revisions.last().map_or(0, |(number, _)| *number);
        let next = newest.saturating_add(1);
        let equal = self.revisions.iter().rev().find(|(_, stored)| template_of(stored) == wanted);
        if let Some((number, stored)) = equal {
            if *number < newest {
                decision.push(actions::patch(stored, json!({"revision": next})));
            }
            let hash = stored.label(owner.hash_label).unwrap_or_default().to_owned();
            return Some(Latest { name: stored.key.name.to_string(), hash });
        }
        let hash = template::hash(&wanted, owner.collisions);
        let name = format!("{}-{hash}", owner.stored.key.name);
        if world.store.get(REVISIONS, &Key::new(&owner.stored.key.namespace, &name)).is_some() {
            return None;
        }
        decision.push(actions::create(REVISIONS, owner.revision(&name, &hash, wanted, next)));
        Some(Latest { name, hash })
    }

    /// Deletes the oldest revisions that are not `kept`. `counts` says which of them count against the limit.
    pub(crate) fn truncate(
        &self,
        limit: i64,
        counts: &dyn Fn(&Stored) -> bool,
        kept: &dyn Fn(&Stored) -> bool,
        decision: &mut Decision,
    ) {
        let number = self.revisions.iter().filter(|(_, stored)| counts(stored)).count();
        let surplus = number.saturating_sub(usize::try_from(limit).unwrap_or(0));
        let gone = self.revisions.iter().filter(|(_, stored)| counts(stored) && !kept(stored)).take(surplus);
        decision.actions.extend(gone.map(|(_, stored)| actions::delete(stored)));
    }
}

impl Owner<'_> {
    fn revision(&self, name: &str, hash: &str, template: Value, number: i64) -> Value {
        let mut labels = map(&template, &["metadata", "labels"]).cloned().unwrap_or_default();
        labels.insert(self.hash_label.into(), json!(hash));
        let mut replacing = Map::new();
        replacing.insert("$patch".into(), json!("replace"));
        if let Value::Object(members) = template {
            replacing.extend(members);
        }
        let mut metadata = Map::new();
        metadata.insert("name".into(), json!(name));
        metadata.insert("namespace".into(), json!(self.stored.key.namespace));
        metadata.insert("labels".into(), labels.into());
        if let Some(annotations) = at(self.object, &["metadata", "annotations"]) {
            metadata.insert("annotations".into(), annotations.clone());
        }
        metadata.insert("ownerReferences".into(), json!([self.kind.controller_reference(self.stored)]));
        json!({
            "kind": "ControllerRevision",
            "apiVersion": "apps/v1",
            "metadata": metadata,
            "data": {"spec": {"template": replacing}},
            "revision": number,
        })
    }
}

/// The pod template that a revision keeps.
pub(crate) fn template_of(revision: &Stored) -> Value {
    let mut object = revision.value();
    remove(&mut object, &["data", "spec", "template", "$patch"]);
    remove(&mut object, &["data", "spec", "template"]).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::api::store::Store;
    use crate::cluster::sim::{Action, times};

    const KIND: Kind = Kind { resource: "owners.x", api_version: "x/v1", kind: "Owner", source: "owner-controller" };

    /// What a look at the history of `template` does to the store.
    fn look(store: &mut Store, template: Value, limit: i64) -> (Option<Latest>, Vec<Action>) {
        let selector: Selector = serde_json::from_value(json!({"app": "x"})).unwrap();
        let object = json!({"metadata": {"namespace": "n", "name": "o", "uid": "u", "annotations": {"a": "b"}},
            "spec": {"template": template}});
        let stored = Stored::new("owners.x".into(), object.clone(), 1);
        let owner = Owner { kind: &KIND, stored: &stored, object: &object, hash_label: "hash", collisions: 0 };
        let world = World { store, now: times::read("2026-08-01T10:00:00Z").unwrap(), refused: None };
        let mut decision = Decision::default();
        let history = History::read(&world, &owner, &selector, &mut decision);
        let latest = history.latest(&world, &owner, &mut decision);
        let is_latest = |it: &Stored| latest.as_ref().is_some_and(|latest| *it.key.name == *latest.name);
        history.truncate(limit, &|it| !is_latest(it), &|_| false, &mut decision);
        for action in &decision.actions {
            match action {
                Action::Create { resource, object } => drop(store.put(resource, object.clone())),
                Action::Patch { resource, key, patch } => {
                    let mut object = store.get(resource, key).unwrap().value();
                    json_patch::merge(&mut object, patch);
                    store.put(resource, object);
                }
                Action::Delete { resource, key, .. } => drop(store.delete(resource, key)),
                other => panic!("{other:?}"),
            }
        }
        (latest, decision.actions)
    }

    fn template(image: &str) -> Value {
        json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"image": image}]}})
    }

    fn numbers(store: &Store) -> Vec<(i64, Value)> {
        let revisions = store.list(REVISIONS, "n").map(|it| (it.view::<RevisionView>().revision, template_of(it)));
        let mut numbers: Vec<_> = revisions.collect();
        numbers.sort_by_key(|(number, _)| *number);
        numbers
    }

    #[test]
    fn templates_are_numbered() {
        let mut store = Store::default();
        let (one, actions) = look(&mut store, template("one"), 10);
        let one = one.unwrap();
        assert_eq!(one.name, format!("o-{}", one.hash));
        let [Action::Create { object, .. }] = &actions[..] else { panic!("{actions:?}") };
        let expected = json!({
            "kind": "ControllerRevision", "apiVersion": "apps/v1",
            "metadata": {
                "name": one.name, "namespace": "n", "labels": {"app": "x", "hash": one.hash}, "annotations": {"a": "b"},
                "ownerReferences": [{"apiVersion": "x/v1", "kind": "Owner", "name": "o", "uid": "u",
                    "controller": true, "blockOwnerDeletion": true}],
            },
            "data": {"spec": {"template": {"$patch": "replace",
                "metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"image": "one"}]}}}},
            "revision": 1,
        });
        assert_eq!(object, &expected);
        assert_eq!(look(&mut store, template("one"), 10), (Some(one.clone()), vec![]), "nothing new");
        look(&mut store, template("two"), 10);
        assert_eq!(numbers(&store), [(1, template("one")), (2, template("two"))]);
        assert_eq!(look(&mut store, template("one"), 10).0, Some(one));
        assert_eq!(numbers(&store), [(2, template("two")), (3, template("one"))], "back again");
        look(&mut store, template("three"), 1);
        look(&mut store, template("three"), 1);
        assert_eq!(numbers(&store), [(3, template("one")), (4, template("three"))]);
    }

    #[test]
    fn a_taken_name_asks_for_another_hash() {
        let mut store = Store::default();
        let name = format!("o-{}", template::hash(&template("one"), 0));
        store.put(&REVISIONS.into(), json!({"metadata": {"namespace": "n", "name": name, "uid": "z"}}));
        assert_eq!(look(&mut store, template("one"), 10), (None, vec![]));
    }
}
