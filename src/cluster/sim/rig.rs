//! A driver for tests: carries decisions out on a store, with a clock of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::image::Images;
use super::kubelet::{self, Timings};
use super::service::LoadBalancers;
use super::tools::{later, resource, stamp};
use super::*;
use crate::cluster::api::store::{Change, ChangeKind, Stored};
use crate::cluster::object::{flag, int, list, remove, set, set_default, text};

/// The controllers, by the order in which they are asked.
const CONTROLLERS: [&str; 12] = [
    "service_account",
    "scheduler",
    "kubelet",
    "service",
    "garbage",
    "namespace",
    "node",
    "budget",
    "autoscaler",
    "quota",
    "volume",
    "expiry",
];

/// A cluster without a server.
pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    pub(crate) images: Images,
    pub(crate) timings: Timings,
    pub(crate) balancers: LoadBalancers,
    pub(crate) usage: HashMap<String, autoscaler::Usage>,
    pub(crate) kubelet: kubelet::Memory,
    scheduler: scheduler::Memory,
    volume: volume::Memory,
    /// `source kind reason name: message`, once each, with how often.
    pub(crate) events: Vec<(String, u32)>,
    queue: BTreeMap<(usize, Key), Timestamp>,
    seen: u64,
    uids: u32,
    /// How many objects were written.
    pub(crate) writes: usize,
}

impl Rig {
    /// A cluster with one node, or more.
    pub(crate) fn new(nodes: &[&str]) -> Self {
        let mut rig = Self {
            store: Store::starting_at(100),
            now: "2026-01-01T00:00:00.25Z".parse().unwrap_or_default(),
            images: Images::builtin(),
            timings: Timings { jitter: 0.0, ..Timings::default() },
            balancers: LoadBalancers::Pending,
            usage: HashMap::new(),
            kubelet: kubelet::Memory::default(),
            scheduler: scheduler::Memory::default(),
            volume: volume::Memory::default(),
            events: Vec::new(),
            queue: BTreeMap::new(),
            seen: 100,
            uids: 0,
            writes: 0,
        };
        for (resource, object) in bootstrap::bootstrap(rig.now, nodes, "v1.36.2", "CERT") {
            rig.create_raw(&resource, object);
        }
        rig.run(Duration::ZERO);
        rig
    }

    /// A cluster with the usual node.
    pub(crate) fn usual() -> Self {
        Self::new(&[bootstrap::CONTROL_PLANE])
    }

    fn create_raw(&mut self, resource: &ResourceName, mut object: Value) -> Key {
        self.uids += 1;
        set(&mut object, &["metadata", "uid"], format!("00000000-0000-4000-8000-{:012}", self.uids));
        set(&mut object, &["metadata", "creationTimestamp"], stamp(self.now));
        if let Some(start) = remove(&mut object, &["metadata", "generateName"]) {
            set(&mut object, &["metadata", "name"], format!("{}{:05}", start.as_str().unwrap_or(""), self.uids));
        }
        let key = Key::of(&object);
        assert!(self.store.get(resource, &key).is_none(), "{resource} {key} is there already");
        self.writes += 1;
        self.store.put(resource, object);
        key
    }

    /// Makes an object, as a client does.
    pub(crate) fn create(&mut self, name: &str, mut object: Value) -> Key {
        if name == "pods" {
            set_default(&mut object, &["metadata", "namespace"], "default");
            set(&mut object, &["metadata", "generation"], 1);
            set(&mut object, &["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
            set_default(&mut object, &["spec", "restartPolicy"], "Always");
            set_default(&mut object, &["spec", "terminationGracePeriodSeconds"], 30);
        }
        if name == "namespaces" {
            set(&mut object, &["spec", "finalizers"], json!(["kubernetes"]));
            set(&mut object, &["status", "phase"], "Active");
        }
        if name == "persistentvolumeclaims" {
            set(&mut object, &["metadata", "finalizers"], json!(["kubernetes.io/pvc-protection"]));
            set(&mut object, &["status", "phase"], "Pending");
        }
        let key = self.create_raw(&resource(name), object);
        self.notice();
        key
    }

    /// Changes an object, as a client does.
    pub(crate) fn change(&mut self, name: &str, key: &Key, change: impl FnOnce(&mut Value)) {
        let mut object = self.get(name, key);
        change(&mut object);
        if name == "pods" {
            let generation = int(&object, &["metadata", "generation"]).unwrap_or(0);
            set(&mut object, &["metadata", "generation"], generation + 1);
        }
        self.put(&resource(name), object);
        self.notice();
    }

    fn put(&mut self, resource: &ResourceName, object: Value) {
        self.writes += 1;
        let gone = flag(&json!({"d": !text(&object, &["metadata", "deletionTimestamp"]).is_empty()}), &["d"])
            && list(&object, &["metadata", "finalizers"]).is_empty()
            && list(&object, &["spec", "finalizers"]).is_empty()
            && (&**resource != "pods" || int(&object, &["metadata", "deletionGracePeriodSeconds"]) == Some(0));
        let stored = self.store.put(resource, object);
        if gone {
            self.store.delete(resource, &stored.key);
        }
    }

    /// An object; null when it is not there.
    pub(crate) fn get(&self, name: &str, key: &Key) -> Value {
        self.store.get(name, key).map(|stored| stored.value()).unwrap_or_default()
    }

    /// The only object of a kind whose name begins so.
    pub(crate) fn find(&self, name: &str, start: &str) -> Value {
        let mut found = self.store.list(name, "").filter(|stored| stored.key.name.starts_with(start));
        found.next().map(|stored| stored.value()).unwrap_or_default()
    }

    /// The names of all objects of a kind in a namespace.
    pub(crate) fn names(&self, name: &str, namespace: &str) -> Vec<String> {
        self.store.list(name, namespace).map(|stored| stored.key.name.to_string()).collect()
    }

    /// Deletes an object, as the server does it.
    pub(crate) fn delete(&mut self, name: &str, key: &Key, grace: Option<i64>, propagation: &str) {
        let Some(stored) = self.store.get(name, key).cloned() else { return };
        let mut object = stored.value();
        let mut finalizers = list(&object, &["metadata", "finalizers"]).to_vec();
        match propagation {
            "Foreground" => finalizers.push("foregroundDeletion".into()),
            "Orphan" => finalizers.push("orphan".into()),
            _ => {}
        }
        finalizers.dedup();
        let bound = name == "pods"
            && !text(&object, &["spec", "nodeName"]).is_empty()
            && !matches!(text(&object, &["status", "phase"]), "Succeeded" | "Failed");
        let own = int(&object, &["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
        let grace = if bound { grace.unwrap_or(own) } else { 0 };
        let held = list(&object, &["spec", "finalizers"]).len() + finalizers.len() > 0;
        if grace == 0 && !held {
            self.writes += 1;
            self.store.delete(name, key);
        } else if !stored.deleting || grace == 0 {
            let time = later(self.now, Duration::from_secs(u64::try_from(grace).unwrap_or(0)));
            set(&mut object, &["metadata", "deletionTimestamp"], stamp(time));
            set(&mut object, &["metadata", "deletionGracePeriodSeconds"], grace);
            set(&mut object, &["metadata", "finalizers"], finalizers);
            if object != stored.value() {
                self.writes += 1;
                self.store.put(&resource(name), object);
            }
        }
        self.notice();
    }

    /// Wakes the controllers for what has happened.
    fn notice(&mut self) {
        let changes: Vec<Arc<Change>> =
            self.store.since(self.seen).map(|all| all.cloned().collect()).unwrap_or_default();
        self.seen = self.store.revision();
        for change in changes {
            for number in 0..CONTROLLERS.len() {
                for key in self.woken(number, &change) {
                    self.queue.insert((number, key), self.now);
                }
            }
        }
    }

    fn woken(&self, number: usize, change: &Change) -> Vec<Key> {
        let wake = match CONTROLLERS[number] {
            "service_account" => service_account::wake,
            "scheduler" => scheduler::wake,
            "kubelet" => kubelet::wake,
            "service" => service::wake,
            "garbage" => garbage::wake,
            "namespace" => namespace::wake,
            "node" => node::wake,
            "budget" => budget::wake,
            "autoscaler" => autoscaler::wake,
            "quota" => quota_usage::wake,
            "volume" => volume::wake,
            _ => expiry::wake,
        };
        wake(change, &self.store)
    }

    fn decide(&mut self, number: usize, key: &Key) -> Decision {
        let world = World { store: &self.store, now: self.now, refused: None };
        match CONTROLLERS[number] {
            "service_account" => service_account::reconcile(&world, key, "CERT"),
            "scheduler" => scheduler::reconcile(&world, key, &mut self.scheduler),
            "kubelet" => kubelet::reconcile(&world, key, &mut self.kubelet, &self.images, &self.timings),
            "service" => service::reconcile(&world, key, self.balancers),
            "garbage" => garbage::reconcile(&world, key),
            "namespace" => namespace::reconcile(&world, key),
            "node" => node::reconcile(&world, key),
            "budget" => budget::reconcile(&world, key),
            "autoscaler" => autoscaler::reconcile(&world, key, &|pod| self.usage.get(&*pod.key.name).copied()),
            "quota" => quota_usage::reconcile(&world, key),
            "volume" => volume::reconcile(&world, key, &mut self.volume),
            _ => expiry::reconcile(&world, key),
        }
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = later(self.now, time);
        self.notice();
        for step in 0.. {
            assert!(step < 200_000, "the cluster does not come to rest");
            let next = self.queue.iter().min_by_key(|(place, due)| (**due, place.0));
            let Some(((number, key), due)) = next.map(|(place, due)| (place.clone(), *due)) else { break };
            if due > end {
                break;
            }
            self.now = self.now.max(due);
            self.queue.remove(&(number, key.clone()));
            let decision = self.decide(number, &key);
            if let Some(again) = decision.again {
                self.queue.insert((number, key.clone()), later(self.now, again.max(Duration::from_micros(1))));
            }
            for action in decision.actions {
                if !self.carry_out(action) {
                    self.queue.insert((number, key.clone()), self.now);
                    break;
                }
            }
            self.notice();
        }
        self.now = end;
    }

    /// Lets time pass until a condition holds; fails after a minute.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = self.now;
        while !holds(self) {
            assert!(self.now.duration_since(start).as_secs() < 60, "never: {what}\n{:#?}", self.events);
            self.run(Duration::from_millis(50));
        }
    }

    /// Asks every controller about everything: nothing may be left to do at this moment.
    pub(crate) fn assert_quiet(&mut self) {
        let names: Vec<_> = self.store.resources().cloned().collect();
        let objects: Vec<Arc<Stored>> = names.iter().flat_map(|name| self.store.list(name, "").cloned()).collect();
        for object in objects {
            let change = Change { kind: ChangeKind::Added, object, previous: None };
            for (number, name) in CONTROLLERS.iter().enumerate() {
                for key in self.woken(number, &change) {
                    let decision = self.decide(number, &key);
                    assert_eq!(decision.actions, [], "{name} still has something to do about {key}");
                }
            }
        }
    }

    /// Does an action; `false` when it is refused.
    fn carry_out(&mut self, action: Action) -> bool {
        match action {
            Action::Create { resource, mut object } => {
                let there = self.store.get(&resource, &Key::of(&object)).is_some();
                let has_status = matches!(&*resource, "pods" | "persistentvolumes" | "endpointslices.discovery.k8s.io");
                if has_status {
                    remove(&mut object, &["status"]);
                }
                if !there {
                    self.create_raw(&resource, object);
                }
                !there
            }
            Action::Update { resource, object } => self.update(&resource, object, false),
            Action::UpdateStatus { resource, object } => self.update(&resource, object, true),
            Action::Patch { resource, key, patch } => {
                let Some(stored) = self.store.get(&resource, &key).cloned() else { return false };
                let mut object = stored.value();
                let version = text(&patch, &["metadata", "resourceVersion"]);
                if !version.is_empty() && version != stored.revision.to_string() {
                    return false;
                }
                merge(&mut object, &patch);
                if object != stored.value() {
                    self.put(&resource, object);
                }
                true
            }
            Action::Delete { resource, key, uid, grace, propagation } => {
                let there = self.store.get(&resource, &key).is_some_and(|stored| uid.is_empty() || stored.uid == uid);
                if there {
                    self.delete(&resource, &key, grace, propagation);
                }
                there
            }
            Action::Bind { pod, uid, node } => {
                let Some(stored) = self.store.get("pods", &pod).filter(|stored| stored.uid == uid).cloned() else {
                    return false;
                };
                let mut object = stored.value();
                scheduler::bind(&mut object, &node, self.now);
                self.put(&resource("pods"), object);
                true
            }
            Action::Finalize { object } => {
                let spec = object.get("spec").cloned().unwrap_or_default();
                let mut whole = self.get("namespaces", &Key::of(&object));
                set(&mut whole, &["spec"], spec);
                self.put(&resource("namespaces"), whole);
                true
            }
            Action::Event(event) => {
                let Event { about, field_path, kind, reason, message, source } = event;
                assert!(!text(&about, &["kind"]).is_empty() && !text(&about, &["metadata", "name"]).is_empty());
                let field = if field_path.is_empty() { String::new() } else { format!(" {field_path}") };
                let name = text(&about, &["metadata", "name"]);
                let line = format!("{source} {kind} {reason} {name}{field}: {message}");
                match self.events.iter_mut().find(|(known, _)| *known == line) {
                    Some((_, count)) => *count += 1,
                    None => self.events.push((line, 1)),
                }
                true
            }
        }
    }

    fn update(&mut self, resource: &ResourceName, mut object: Value, status: bool) -> bool {
        let Some(stored) = self.store.get(resource, &Key::of(&object)).cloned() else { return false };
        if text(&object, &["metadata", "resourceVersion"]) != stored.revision.to_string() {
            return false;
        }
        let mut whole = stored.value();
        let part = object.get("status").cloned();
        if status {
            set(&mut whole, &["status"], part.unwrap_or_default());
            object = whole;
        } else if let Some(status) = whole.get("status").cloned() {
            set(&mut object, &["status"], status);
        }
        assert_ne!(object, stored.value(), "a write that changes nothing of {resource} {}", stored.key);
        self.put(resource, object);
        true
    }

    /// What was told about an object, without the name and the times.
    pub(crate) fn told(&self, name: &str) -> Vec<String> {
        let about = |line: &str| {
            let (head, message) = line.split_once(": ")?;
            let mut words = head.split(' ');
            let (_, kind, reason, about) = (words.next()?, words.next()?, words.next()?, words.next()?);
            (about == name).then(|| format!("{kind} {reason} {message}"))
        };
        self.events.iter().filter_map(|(line, _)| about(line)).collect()
    }
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    for (name, value) in members {
        match value {
            Value::Null => drop(remove(target, &[name])),
            Value::Object(_) => merge(crate::cluster::object::entry(target, &[name]), value),
            _ => set(target, &[name], value.clone()),
        }
    }
}
