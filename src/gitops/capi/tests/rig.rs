//! A stand-in for the API server: it keeps objects, finalizers and owners, and passes the time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::stamp;
use crate::cluster::object::{entry, list, set, text};
use crate::cluster::yaml;
use crate::gitops::capi::action::{Action, Pass};
use crate::gitops::capi::decide::decide;
use crate::gitops::capi::describe;
use crate::gitops::capi::kind::Kind;
use crate::gitops::capi::name::Names;
use crate::gitops::capi::options::Options;
use crate::gitops::capi::substitute::{DEMO_VALUES, substitute};
use crate::gitops::capi::world::{Id, Objects, World};

/// The talk's manifests, as they stand on its slides.
const SEED: &str = include_str!("../../../../workshop/capi/cluster.yaml");

pub(super) struct Rig {
    pub(super) objects: Objects,
    pub(super) now: Timestamp,
    pub(super) options: Options,
    names: Names,
    version: u64,
    pub(super) events: Vec<String>,
    pub(super) problems: Vec<String>,
    pub(super) due: Option<Timestamp>,
}

impl Rig {
    pub(super) fn new(options: Options) -> Self {
        Self {
            objects: Objects::new(),
            now: "2026-08-01T10:00:00Z".parse().unwrap(),
            names: Names::new(options.seed),
            options,
            version: 0,
            events: Vec::new(),
            problems: Vec::new(),
            due: None,
        }
    }

    /// The talk's cluster, just applied.
    pub(super) fn seed() -> Self {
        let mut rig = Self::new(Options::default());
        rig.apply(SEED);
        rig
    }

    /// Applies manifests after substitution.
    pub(super) fn apply(&mut self, manifests: &str) {
        let value = |name: &str| DEMO_VALUES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let text = substitute(manifests, value).unwrap();
        for object in yaml::documents(&text) {
            self.create(object.unwrap());
        }
    }

    pub(super) fn create(&mut self, mut object: Value) {
        let kind = Kind::of(text(&object, &["kind"])).unwrap();
        if text(&object, &["metadata", "namespace"]).is_empty() {
            set(&mut object, &["metadata", "namespace"], "default");
        }
        set(&mut object, &["apiVersion"], kind.api_version());
        let id = Id::of(kind, &object);
        assert!(!self.objects.contains_key(&id), "{id} is there");
        self.version += 1;
        set(&mut object, &["metadata", "uid"], format!("uid-{}", self.version));
        set(&mut object, &["metadata", "creationTimestamp"], stamp(self.now));
        self.objects.insert(id, Arc::new(object));
    }

    pub(super) fn id(kind: Kind, name: &str) -> Id {
        Id::new(kind, "default", name)
    }

    pub(super) fn get(&self, kind: Kind, name: &str) -> &Value {
        &self.objects[&Self::id(kind, name)]
    }

    /// The names of a kind's objects.
    pub(super) fn names(&self, kind: Kind) -> Vec<String> {
        self.objects.keys().filter(|id| id.kind == kind).map(|id| id.name.to_string()).collect()
    }

    pub(super) fn patch(&mut self, id: &Id, patch: &Value) {
        let Some(object) = self.objects.get_mut(id) else { return };
        let mut new = Value::clone(object);
        merge(&mut new, patch);
        *object = Arc::new(new);
        self.collect(id);
    }

    pub(super) fn delete(&mut self, id: &Id) {
        let now = stamp(self.now);
        self.patch(id, &json!({"metadata": {"deletionTimestamp": now}}));
    }

    /// Takes away what goes and is not held, and what belonged to it.
    fn collect(&mut self, id: &Id) {
        let Some(object) = self.objects.get(id) else { return };
        let going = !text(object, &["metadata", "deletionTimestamp"]).is_empty();
        if !going || !list(object, &["metadata", "finalizers"]).is_empty() {
            return;
        }
        let uid = text(object, &["metadata", "uid"]).to_owned();
        self.objects.remove(id);
        let children: Vec<Id> = self
            .objects
            .iter()
            .filter(|(_, child)| {
                let owners = list(child, &["metadata", "ownerReferences"]);
                !owners.is_empty() && owners.iter().all(|owner| text(owner, &["uid"]) == uid)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for child in children {
            self.delete(&child);
        }
    }

    fn pass(&mut self) -> Vec<Action> {
        let world = World::new(&self.objects);
        let mut pass = Pass::new(world, self.now, &self.options, &mut self.names);
        decide(&mut pass);
        (self.due, self.problems) = (pass.again, pass.problems);
        pass.actions
    }

    /// Carries out what is decided until nothing more is.
    pub(super) fn settle(&mut self) {
        for _ in 0..200 {
            let actions = self.pass();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.carry_out(action);
            }
        }
        panic!("it comes to no end: {:#?}", self.pass());
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Create { object, .. } => self.create(object),
            Action::Patch { id, patch, .. } | Action::PatchStatus { id, patch, .. } => self.patch(&id, &patch),
            Action::Delete { id, .. } => self.delete(&id),
            Action::Event { reason, message, .. } => self.events.push(format!("{reason}: {message}")),
        }
    }

    /// Goes to the next moment at which something is due; false when nothing is.
    pub(super) fn step(&mut self) -> bool {
        self.settle();
        let Some(due) = self.due else { return false };
        assert!(due > self.now, "what is due has passed");
        self.now = due;
        self.settle();
        true
    }

    /// Passes time until nothing is due.
    pub(super) fn finish(&mut self) -> Duration {
        let began = self.now;
        for _ in 0..10_000 {
            if !self.step() {
                return Duration::try_from(self.now.duration_since(began)).unwrap();
            }
        }
        panic!("it comes to no end");
    }

    /// The tree of the cluster `demo`: names with status.
    pub(super) fn tree(&self) -> Vec<String> {
        let world = World::new(&self.objects);
        let Some(cluster) = world.get(Kind::Cluster, "default", "demo") else { return Vec::new() };
        let snapshot = describe::snapshot(&world, cluster);
        let rows = describe::rows(&snapshot, &describe::Options::default());
        rows.iter().map(|row| format!("{}{} {} {}", row.prefix, row.name, row.replicas, row.status)).collect()
    }

    pub(super) fn phase(&self, kind: Kind, name: &str) -> &str {
        text(self.get(kind, name), &["status", "phase"])
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in members {
        if value.is_null() {
            crate::cluster::object::remove(target, &[name]);
        } else {
            merge(entry(target, &[name]), value);
        }
    }
}
