//! The replica set of the current template: found, kept in line with the deployment, or made.

use serde_json::{Map, Value, json};

use super::{DEPLOYMENT, Newest, REPLICA_SETS, Rollout, Set, annotations};
use crate::cluster::object::{Key, at, entry, set, text};
use crate::cluster::sim::actions;
use crate::cluster::sim::conditions::{self, Condition};
use crate::cluster::sim::template;

/// Names of objects are at most this long.
const NAME_LENGTH: usize = 253;

impl Rollout<'_> {
    /// Which of the sets, the oldest first, has the current template.
    pub(super) fn find_newest(&self, sets: &[Set<'_>]) -> Option<usize> {
        let wanted = at(&self.object, &["spec", "template"])?;
        let hash = template::hash(wanted, self.spec.collisions);
        let has_template = |set: &Set<'_>| {
            let object = set.stored.value();
            at(&object, &["spec", "template"]).is_some_and(|template| template::same(template, wanted))
        };
        // Reading a whole set is dear: try the one first that has been made for this template.
        let likely = |set: &Set<'_>| set.stored.label(template::POD_TEMPLATE_HASH) == Some(&hash);
        let find = |first: bool| sets.iter().position(|set| likely(set) == first && has_template(set));
        find(true).or_else(|| find(false))
    }

    /// Gives the current set what it lacks of the deployment's annotations, and the next revision when it was an old
    /// one; the deployment then tells the set's revision.
    pub(super) fn sync_newest(&mut self) {
        let Newest::There(newest) = &self.newest else { return };
        let newest = newest.clone();
        let missing = annotations::missing(&self.object, &newest.view.annotations, self.next_revision());
        let mut patch = json!({});
        if !missing.is_empty() {
            set(&mut patch, &["metadata", "annotations"], missing);
        }
        if newest.view.min_ready != self.spec.min_ready {
            set(&mut patch, &["spec", "minReadySeconds"], self.spec.min_ready);
        }
        if patch != json!({}) {
            self.decision.push(actions::patch(newest.stored, patch));
            return;
        }
        let told = newest.annotation(annotations::REVISION).is_some_and(|revision| self.tell_revision(revision));
        let unknown = conditions::find(&self.conditions(), "Progressing").is_none();
        if self.spec.deadline.is_some() && unknown {
            let message = format!("Found new replica set \"{}\"", newest.stored.key.name);
            self.set_condition(&Condition::new("Progressing", "True", "FoundNewReplicaSet", message));
            self.write();
        } else if told {
            self.write();
        }
    }

    fn next_revision(&self) -> i64 {
        let revisions = self.old.iter().filter_map(|set| set.number(annotations::REVISION));
        revisions.max().unwrap_or(0).max(0).saturating_add(1)
    }

    /// Whether the deployment did not carry this revision yet.
    fn tell_revision(&mut self, revision: &str) -> bool {
        if text(&self.object, &["metadata", "annotations", annotations::REVISION]) == revision {
            return false;
        }
        template::set_annotation(&mut self.object, annotations::REVISION, revision);
        true
    }

    pub(super) fn set_condition(&mut self, condition: &Condition) {
        let mut all = self.conditions();
        conditions::set(&mut all, condition, Some("lastUpdateTime"), self.world.now);
        set(&mut self.object, &["status", "conditions"], all);
    }

    /// Makes the set of the current template. Gives false if that has to wait.
    pub(super) fn make_newest(&mut self) -> bool {
        let template = at(&self.object, &["spec", "template"]).cloned().unwrap_or_else(|| json!({}));
        let hash = template::hash(&template, self.spec.collisions);
        let name = set_name(&self.stored.key.name, &hash);
        if self.world.store.get(REPLICA_SETS, &Key::new(&self.stored.key.namespace, &name)).is_some() {
            // The name belongs to something else: the next look takes another hash.
            set(&mut self.object, &["status", "collisionCount"], self.spec.collisions + 1);
            self.write();
            return false;
        }
        if let Some(why) = self.world.refusal() {
            let why = why.to_owned();
            self.tell_refusal(&name, &why);
            return false;
        }
        self.newest = Newest::Made { name: name.clone(), replicas: 0 };
        let replicas = self.room_for_newest();
        let revision = self.next_revision();
        let set = self.new_set(&name, &hash, template, replicas, revision);
        self.decision.push(actions::create(REPLICA_SETS, set));
        if replicas > 0 {
            self.tell_scaling(&name, 0, replicas);
        }
        let told = self.tell_revision(&revision.to_string());
        if self.spec.deadline.is_some() {
            let message = format!("Created new replica set \"{name}\"");
            self.set_condition(&Condition::new("Progressing", "True", "NewReplicaSetCreated", message));
        }
        if told || self.spec.deadline.is_some() {
            self.write();
        }
        self.newest = Newest::Made { name, replicas };
        true
    }

    fn tell_refusal(&mut self, name: &str, why: &str) {
        let message = format!("Failed to create new replica set \"{name}\": {why}");
        if actions::is_namespace_ending(why) {
            return;
        }
        if self.spec.deadline.is_some() {
            let before = self.conditions();
            self.set_condition(&Condition::new("Progressing", "False", "ReplicaSetCreateError", message.clone()));
            if before != self.conditions() {
                self.write();
            }
        }
        self.decision.note_refusal(&DEPLOYMENT, self.stored, "ReplicaSetCreateError", message);
    }

    fn new_set(&self, name: &str, hash: &str, mut template: Value, replicas: i64, revision: i64) -> Value {
        template::set_label(&mut template, template::POD_TEMPLATE_HASH, hash);
        let mut annotations = annotations::missing(&self.object, &Default::default(), revision);
        annotations.extend(annotations::sizes(self.spec.replicas, self.spec.max_total()));
        let mut selector = at(&self.object, &["spec", "selector"]).cloned().unwrap_or_else(|| json!({}));
        set(entry(&mut selector, &["matchLabels"]), &[template::POD_TEMPLATE_HASH], hash);
        let mut spec = Map::new();
        spec.insert("replicas".into(), json!(replicas));
        if self.spec.min_ready != 0 {
            spec.insert("minReadySeconds".into(), json!(self.spec.min_ready));
        }
        spec.insert("selector".into(), selector);
        let labels = at(&template, &["metadata", "labels"]).cloned();
        spec.insert("template".into(), template);
        json!({
            "kind": "ReplicaSet",
            "apiVersion": "apps/v1",
            "metadata": {
                "name": name,
                "namespace": self.stored.key.namespace,
                "labels": labels,
                "annotations": annotations,
                "ownerReferences": [DEPLOYMENT.controller_reference(self.stored)],
            },
            "spec": spec,
        })
    }
}

fn set_name(deployment: &str, hash: &str) -> String {
    let room = NAME_LENGTH - 1 - hash.len();
    let end = (0..=room.min(deployment.len())).rev().find(|end| deployment.is_char_boundary(*end)).unwrap_or(0);
    format!("{}-{hash}", &deployment[..end])
}
