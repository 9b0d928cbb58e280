//! A small cluster for tests: it carries out decisions, hands changes on, and lets time pass.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, list, set, set_default, text};
use crate::cluster::sim::views::PodView;
use crate::cluster::sim::{self, Action, Decision, World, times};

type Reconcile = fn(&World<'_>, &Key) -> Decision;
type Wake = fn(&Change, &Store) -> Vec<Key>;

pub(crate) const CONTROLLERS: [(Reconcile, Wake); 7] = [
    (sim::deployment::reconcile, sim::deployment::wake),
    (sim::replicaset::reconcile, sim::replicaset::wake),
    (sim::replicationcontroller::reconcile, sim::replicationcontroller::wake),
    (sim::statefulset::reconcile, sim::statefulset::wake),
    (sim::daemonset::reconcile, sim::daemonset::wake),
    (sim::job::reconcile, sim::job::wake),
    (sim::cronjob::reconcile, sim::cronjob::wake),
];

/// The namespace of all tests.
pub(crate) const NAMESPACE: &str = "n";

type Check = Box<dyn Fn(&Store)>;
type Refuse = Box<dyn Fn(&Store, &Action) -> Option<String>>;

/// A cluster with all workload controllers and no node but those that a test makes.
pub(crate) struct Cluster {
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    /// What was told, as `Kind/name Reason: message`.
    pub(crate) events: Vec<String>,
    /// What the API refuses.
    pub(crate) refuse: Option<Refuse>,
    /// Called after each write.
    pub(crate) check: Option<Check>,
    handed_on: u64,
    queue: VecDeque<(usize, Key)>,
    known: BTreeSet<(usize, Key)>,
    alarms: Vec<(Timestamp, usize, Key)>,
    made: u64,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self {
            store: Store::default(),
            now: times::read("2026-08-01T10:00:00Z").unwrap(),
            events: Vec::new(),
            refuse: None,
            check: None,
            handed_on: 0,
            queue: VecDeque::new(),
            known: BTreeSet::new(),
            alarms: Vec::new(),
            made: 0,
        }
    }

    pub(crate) fn get(&self, resource: &str, name: &str) -> Value {
        self.find(resource, name).map_or(Value::Null, |stored| stored.value())
    }

    pub(crate) fn find(&self, resource: &str, name: &str) -> Option<Arc<Stored>> {
        let keys = [Key::new(NAMESPACE, name), Key::new("", name)];
        keys.iter().find_map(|key| self.store.get(resource, key)).cloned()
    }

    pub(crate) fn list(&self, resource: &str) -> Vec<Arc<Stored>> {
        self.store.list(resource, "").cloned().collect()
    }

    pub(crate) fn names(&self, resource: &str) -> Vec<String> {
        self.list(resource).iter().map(|stored| stored.key.name.to_string()).collect()
    }

    /// Creates an object as a client would.
    pub(crate) fn create(&mut self, resource: &str, mut object: Value) {
        set_default(&mut object, &["metadata", "namespace"], NAMESPACE);
        self.carry_out(Action::Create { resource: resource.into(), object }).unwrap();
        self.settle();
    }

    /// Patches an object as a client would.
    pub(crate) fn patch(&mut self, resource: &str, name: &str, patch: Value) {
        let Some(stored) = self.find(resource, name) else { panic!("there is no {resource} {name}") };
        self.carry_out(Action::Patch { resource: resource.into(), key: stored.key.clone(), patch }).unwrap();
        self.settle();
    }

    /// Deletes an object as a client would.
    pub(crate) fn delete(&mut self, resource: &str, name: &str) {
        let Some(stored) = self.find(resource, name) else { panic!("there is no {resource} {name}") };
        self.carry_out(sim::actions::delete(&stored)).unwrap();
        self.settle();
    }

    /// Changes the status of an object, whoever does that, and lets the controllers see it.
    pub(crate) fn set_status(&mut self, resource: &str, name: &str, status: Value) {
        let Some(stored) = self.find(resource, name) else { panic!("there is no {resource} {name}") };
        let mut object = stored.value();
        json_patch::merge(&mut object, &json!({"status": status}));
        self.write(&stored, object);
        self.settle();
    }

    /// Binds and starts a pod, on the node that it asks for if there is one, and makes it ready or not.
    pub(crate) fn start(&mut self, name: &str, ready: bool) {
        let Some(stored) = self.find("pods", name) else { panic!("there is no pod {name}") };
        let mut object = stored.value();
        let wanted = &*stored.view::<PodView>().wanted_node;
        set_default(&mut object, &["spec", "nodeName"], if wanted.is_empty() { "n1" } else { wanted });
        set(&mut object, &["status", "phase"], "Running");
        let ready = json!([{"type": "Ready", "status": if ready { "True" } else { "False" },
            "lastTransitionTime": times::text(self.now)}]);
        set(&mut object, &["status", "conditions"], ready);
        self.write(&stored, object);
    }

    /// Lets a kubelet have one turn: what shall go goes, the rest becomes ready unless its image begins with `bad`.
    pub(crate) fn run_pods(&mut self) -> bool {
        let mut busy = false;
        for pod in self.list("pods") {
            let object = pod.value();
            let ready = list(&object, &["status", "conditions"]).iter().any(|it| it["status"] == "True");
            if pod.deleting {
                busy = true;
                self.kill(&pod);
            } else if text(&object, &["status", "phase"]) == "Pending"
                || !(ready || is_over(&object) || is_bad(&object))
            {
                busy = true;
                self.start(&pod.key.name, !is_bad(&object));
            }
        }
        self.settle();
        busy
    }

    /// Lets kubelets run until nothing happens any more.
    pub(crate) fn run(&mut self) {
        self.settle();
        for _ in 0..1000 {
            if !self.run_pods() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Ends a pod that is being deleted.
    pub(crate) fn kill(&mut self, pod: &Stored) {
        let mut object = pod.value();
        set(&mut object, &["status", "phase"], "Succeeded");
        set(&mut object, &["status", "conditions"], json!([]));
        self.write(pod, object);
        if !pod.finalized {
            self.take(&pod.resource, &pod.key);
        }
    }

    /// Lets time pass, and wakes who asked to be woken meanwhile.
    pub(crate) fn pass(&mut self, seconds: i64) {
        let end = times::plus(self.now, seconds);
        for _ in 0..10_000 {
            let Some(next) = self.alarms.iter().map(|(time, ..)| *time).min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            let now = self.now;
            let due = self.alarms.extract_if(.., |(time, ..)| *time <= now);
            self.queue.extend(due.map(|(_, controller, key)| (controller, key)));
            self.settle();
        }
        self.now = self.now.max(end);
    }

    /// Carries out decisions until there are none, and checks that each controller is content then.
    pub(crate) fn settle(&mut self) {
        for _ in 0..20_000 {
            self.hand_on();
            let Some((controller, key)) = self.queue.pop_front() else { return self.check_content() };
            self.look(controller, &key);
        }
        panic!("it does not settle: {:?}", self.events.last());
    }

    fn look(&mut self, controller: usize, key: &Key) {
        let mut refused: Option<String> = None;
        for _ in 0..3 {
            let world = World { store: &self.store, now: self.now, refused: refused.as_deref() };
            let decision = CONTROLLERS[controller].0(&world, key);
            self.alarms.retain(|(_, whose, about)| (*whose, about) != (controller, key));
            if let Some(again) = decision.again {
                self.alarms.push((self.now.checked_add(again).unwrap(), controller, key.clone()));
            }
            let Some(text) = decision.actions.into_iter().find_map(|action| self.carry_out(action).err()) else {
                return;
            };
            refused = Some(text);
        }
    }

    fn hand_on(&mut self) {
        let changes: Vec<_> = self.store.since(self.handed_on).expect("the window is large").cloned().collect();
        self.handed_on = self.store.revision();
        for change in changes {
            for (number, (_, wake)) in CONTROLLERS.iter().enumerate() {
                for key in wake(&change, &self.store) {
                    self.known.insert((number, key.clone()));
                    if !self.queue.contains(&(number, key.clone())) {
                        self.queue.push_back((number, key));
                    }
                }
            }
        }
    }

    fn check_content(&self) {
        if self.refuse.is_some() {
            return;
        }
        for (controller, key) in &self.known {
            let world = World { store: &self.store, now: self.now, refused: None };
            let decision = CONTROLLERS[*controller].0(&world, key);
            assert_eq!(decision.actions, [], "{key} has more to do");
        }
    }

    pub(crate) fn carry_out(&mut self, action: Action) -> Result<(), String> {
        if let Some(why) = self.refuse.as_ref().and_then(|refuse| refuse(&self.store, &action)) {
            return Err(why);
        }
        match action {
            Action::Create { resource, object } => self.add(&resource, object),
            Action::Update { resource, object } => self.replace(&resource, object, false),
            Action::UpdateStatus { resource, object } => self.replace(&resource, object, true),
            Action::Patch { resource, key, patch } => {
                let stored = self.store.get(&resource, &key).cloned().ok_or("not found")?;
                let mut object = stored.value();
                json_patch::merge(&mut object, &patch);
                self.write(&stored, object);
                Ok(())
            }
            Action::Delete { resource, key, uid, .. } => {
                let stored = self.store.get(&resource, &key).cloned().ok_or("not found")?;
                if !uid.is_empty() && uid != stored.uid {
                    return Err("another uid".into());
                }
                self.remove(&stored);
                Ok(())
            }
            Action::Bind { .. } | Action::Finalize { .. } => Err("no workload controller does that".into()),
            Action::Event(event) => {
                let (kind, name) = (text(&event.about, &["kind"]), text(&event.about, &["metadata", "name"]));
                self.events.push(format!("{kind}/{name} {}: {}", event.reason, event.message));
                self.made += 1;
                let uid = text(&event.about, &["metadata", "uid"]);
                let object = json!({
                    "metadata": {"namespace": NAMESPACE, "name": format!("event-{}", self.made)},
                    "involvedObject": {"kind": kind, "name": name, "uid": uid},
                    "reason": event.reason, "message": event.message, "lastTimestamp": times::text(self.now),
                });
                self.store.put(&"events".into(), object);
                Ok(())
            }
        }
    }

    fn add(&mut self, resource: &str, mut object: Value) -> Result<(), String> {
        self.made += 1;
        assert!(!text(&object, &["metadata", "name"]).is_empty(), "names are chosen by controllers");
        if self.store.get(resource, &Key::of(&object)).is_some() {
            return Err(format!("{resource} \"{}\" already exists", Key::of(&object).name));
        }
        set(&mut object, &["metadata", "uid"], format!("uid-{:04}", self.made));
        set(&mut object, &["metadata", "creationTimestamp"], times::text(self.now));
        set(&mut object, &["metadata", "generation"], 1);
        if resource == "pods" {
            set(&mut object, &["status", "phase"], "Pending");
        }
        self.store.put(&resource.into(), object);
        self.checked();
        Ok(())
    }

    fn replace(&mut self, resource: &str, new: Value, status: bool) -> Result<(), String> {
        let stored = self.store.get(resource, &Key::of(&new)).cloned().ok_or("not found")?;
        if text(&new, &["metadata", "resourceVersion"]) != stored.revision.to_string() {
            return Err("the object has been modified".into());
        }
        let mut object = new;
        if status {
            let (status, annotations) = (object["status"].take(), object["metadata"]["annotations"].take());
            object = stored.value();
            set(&mut object, &["status"], status);
            if !annotations.is_null() {
                set(&mut object, &["metadata", "annotations"], annotations);
            }
        }
        self.write(&stored, object);
        Ok(())
    }

    /// Writes a version unless it says nothing new.
    pub(crate) fn write(&mut self, before: &Stored, mut object: Value) {
        let old = before.value();
        if old == object {
            return;
        }
        if old["spec"] != object["spec"] {
            let generation = old["metadata"]["generation"].as_i64().unwrap_or(0);
            set(&mut object, &["metadata", "generation"], generation + 1);
        }
        let freed = before.finalized && list(&object, &["metadata", "finalizers"]).is_empty();
        if before.deleting && freed && !runs(before, &object) {
            self.take(&before.resource, &before.key);
        } else {
            self.store.put(&before.resource, object);
        }
        self.checked();
    }

    fn remove(&mut self, stored: &Stored) {
        let object = stored.value();
        if stored.finalized || runs(stored, &object) {
            let mut object = object;
            set_default(&mut object, &["metadata", "deletionTimestamp"], times::text(self.now));
            self.write(stored, object);
        } else {
            self.take(&stored.resource, &stored.key);
        }
    }

    /// Takes an object out of the store, and after it what nobody else owns.
    fn take(&mut self, resource: &str, key: &Key) {
        let Some(gone) = self.store.delete(resource, key) else { return };
        self.checked();
        let orphans: Vec<_> = self.store.owned_by(&gone.uid).cloned().collect();
        for orphan in orphans {
            if orphan.owners.iter().all(|owner| self.store.by_uid(&owner.uid).is_none()) {
                self.remove(&orphan);
            }
        }
    }

    fn checked(&self) {
        if let Some(check) = &self.check {
            check(&self.store);
        }
    }

    /// How a resource looked after each write since a revision, one line each.
    pub(crate) fn watch(&self, since: u64, resource: &str, line: impl Fn(&Value) -> String) -> Vec<String> {
        let changes = self.store.since(since).expect("the window is large");
        changes.filter(|change| *change.object.resource == *resource).map(|it| line(&it.object.value())).collect()
    }
}

/// Whether it is a pod that a kubelet has to end first.
fn runs(stored: &Stored, object: &Value) -> bool {
    &*stored.resource == "pods" && !text(object, &["spec", "nodeName"]).is_empty() && !is_over(object)
}

/// Whether a pod has ended.
fn is_over(pod: &Value) -> bool {
    matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

/// Whether a pod's image is one that does not come up.
fn is_bad(pod: &Value) -> bool {
    list(pod, &["spec", "containers"]).iter().any(|container| text(container, &["image"]).starts_with("bad"))
}

/// A deployment's line in `kubectl get`: READY, UP-TO-DATE, AVAILABLE.
pub(crate) fn deployment_line(object: &Value) -> String {
    let count = |name: &str| object["status"][name].as_i64().unwrap_or(0);
    let (ready, updated, available) = (count("readyReplicas"), count("updatedReplicas"), count("availableReplicas"));
    format!("{ready}/{} {updated} {available}", object["spec"]["replicas"])
}
