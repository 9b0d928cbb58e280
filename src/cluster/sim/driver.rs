//! Carries out what the controllers decide, whenever something changed or the time has come.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::controller::{Controller, Memory, Settings};
use super::image::Images;
use super::journal::{Entry, Journal};
use super::queue::{Queue, Task};
use super::service::LoadBalancers;
use super::{Action, Decision, World, bootstrap, kubelet};
use crate::cluster::api::Api;
use crate::cluster::api::access::{User, bootstrap_objects};
use crate::cluster::api::deletion::{DeleteOptions, Propagation};
use crate::cluster::api::policy;
use crate::cluster::api::query::{Unknown, WriteOptions};
use crate::cluster::api::resource::Resource;
use crate::cluster::api::status::Refusal;
use crate::cluster::api::store::{ResourceName, Store};
use crate::cluster::api::write::{Call, Part, Patch};
use crate::cluster::object::{Key, set, text};

/// The node of a cluster that names none.
const NODE: &str = "foredeck-control-plane";
/// The version that nodes report.
const VERSION: &str = "v1.36.2";
/// Decisions carried out before others get their turn.
const BATCH: usize = 64;

/// How the simulated parts behave.
#[derive(Debug, Clone, Default)]
pub struct Simulation {
    /// Names of the nodes; one control-plane node when empty.
    pub nodes: Vec<String>,
    /// What images do; shared, because a demo publishes new ones while pods run.
    pub images: SharedImages,
    /// How long things take.
    pub timings: kubelet::Timings,
    /// Whether services of type LoadBalancer get an address.
    pub balancers: LoadBalancers,
    /// Whether nobody watches: then containers take no time.
    pub haste: Haste,
}

/// While somebody holds a [`Hurry`], containers start and stop at once.
#[derive(Debug, Clone, Default)]
pub struct Haste(Arc<AtomicUsize>);

/// Containers take no time until this is dropped.
#[derive(Debug)]
pub struct Hurry(Haste);

impl Haste {
    /// Hurries from now on.
    pub fn begin(&self) -> Hurry {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hurry(self.clone())
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Images that several parts look at and some change.
#[derive(Debug, Clone)]
pub struct SharedImages {
    images: Arc<RwLock<Images>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Default for SharedImages {
    fn default() -> Self {
        Self::new(Images::builtin())
    }
}

impl SharedImages {
    /// Shares images.
    pub fn new(images: Images) -> Self {
        let changes = Arc::new(watch::Sender::new(images.revision()));
        Self { images: Arc::new(RwLock::new(images)), changes }
    }

    /// Looks at them.
    pub fn look(&self) -> RwLockReadGuard<'_, Images> {
        self.images.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them, as when a new tag is published.
    pub fn change<T>(&self, change: impl FnOnce(&mut Images) -> T) -> T {
        let mut images = self.images.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut images);
        let revision = images.revision();
        drop(images);
        self.changes.send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        result
    }

    /// The revision of what they are, and whenever it changes.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// The controllers of one cluster, at work.
#[derive(Debug)]
pub struct Driver {
    api: Arc<Api>,
    simulation: Simulation,
    /// The cluster's root certificate.
    authority: String,
    queue: Queue,
    memory: Memory,
    journal: Journal,
    /// Why a task's last try was refused.
    refused: HashMap<Task, String>,
    /// Everything up to this revision has woken whom it concerns.
    seen: u64,
    /// How often the cluster had gone back when that was.
    restored: u64,
    user: User,
}

impl Driver {
    /// The controllers of a cluster, not yet at work.
    ///
    /// # Errors
    /// When what every cluster has cannot be kept.
    pub fn new(api: Arc<Api>, simulation: Simulation, authority: String) -> Result<Self, Refusal> {
        let mut driver = Self {
            api,
            simulation,
            authority,
            queue: Queue::default(),
            memory: Memory::default(),
            journal: Journal::default(),
            refused: HashMap::new(),
            seen: 0,
            restored: 0,
            user: policy::administrator(),
        };
        driver.bootstrap()?;
        Ok(driver)
    }

    /// Makes what every cluster has from the start.
    fn bootstrap(&mut self) -> Result<(), Refusal> {
        let now = self.api.now();
        let roles = bootstrap_objects().iter().map(|(plural, object)| (rbac(plural), object.clone()));
        let named: Vec<&str> = self.simulation.nodes.iter().map(String::as_str).collect();
        let nodes = if named.is_empty() { vec![NODE] } else { named };
        let objects = bootstrap::bootstrap(now, &nodes, VERSION, &self.authority);
        for (resource, object) in objects.into_iter().chain(roles) {
            // What is restored from a folder has it all already.
            let there = self.api.look(|store| store.get(&resource, &Key::of(&object)).is_some());
            if !there {
                self.api.install(&resource, object)?;
            }
        }
        Ok(())
    }

    /// Works until stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut newest = self.api.follow_all();
        loop {
            newest.borrow_and_update();
            self.wake();
            let mut done = 0;
            while let Some(task) = self.queue.pop(self.api.now()) {
                self.carry_out(task);
                self.wake();
                done += 1;
                if done % BATCH == 0 {
                    if stop.is_cancelled() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let due = self.queue.next_due();
            let clock = self.api.clock.clone();
            let time_has_come = async move {
                match due {
                    Some(due) => clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = newest.changed() => if changed.is_err() {
                    return;
                },
                () = time_has_come => {}
            }
        }
    }

    /// Queues whom the latest changes concern.
    fn wake(&mut self) {
        if self.restored != self.api.restored() {
            // What was remembered is of objects that are no more.
            self.restored = self.api.restored();
            self.memory = Memory::default();
            self.journal.clear();
            self.refused.clear();
            self.seen = 0;
        }
        let (queue, seen, now) = (&mut self.queue, self.seen, self.api.now());
        let newest = self.api.look(|store| {
            if store.revision() == seen {
                return seen;
            }
            let Some(changes) = store.since(seen) else {
                // Too much happened at once: look at everything.
                everything(store, queue);
                return store.revision();
            };
            for change in changes {
                for controller in Controller::ALL {
                    for key in controller.wake(change, store) {
                        match controller.patience() {
                            None => queue.push((controller, key)),
                            Some(wait) => queue.push_at((controller, key), now.checked_add(wait).unwrap_or(now)),
                        }
                    }
                }
            }
            store.revision()
        });
        self.seen = newest;
    }

    fn carry_out(&mut self, task: Task) {
        let (controller, key) = &task;
        let now = self.api.now();
        let refused = self.refused.remove(&task);
        let images = self.simulation.images.look();
        let hasty = self.simulation.haste.is_on().then(kubelet::Timings::instant);
        let settings = Settings {
            images: &images,
            timings: hasty.as_ref().unwrap_or(&self.simulation.timings),
            balancers: self.simulation.balancers,
            root_certificate: &self.authority,
        };
        let memory = &mut self.memory;
        let Decision { actions, again } = self.api.look(|store| {
            let world = World { store, now, refused: refused.as_deref() };
            controller.reconcile(&world, memory, &settings, key)
        });
        drop(images);
        for action in actions {
            match self.act(*controller, action) {
                Ok(()) => {}
                // Gone already, or written by somebody else: the change wakes us with what is true now.
                Err(refusal) if refusal.code == 404 && refusal.reason == "NotFound" => {}
                Err(refusal) => {
                    tracing::debug!(?controller, %key, refusal = %refusal.message, "an action was refused");
                    self.refused.insert(task.clone(), refusal.message);
                    self.queue.push_failed(task, now);
                    return;
                }
            }
        }
        self.queue.succeeded(&task);
        if let Some(again) = again {
            self.queue.push_at(task, now.checked_add(again).unwrap_or(jiff::Timestamp::MAX));
        }
    }

    fn resource(&self, name: &ResourceName) -> Result<Arc<Resource>, Refusal> {
        self.api.registry().stored(name).cloned().ok_or_else(Refusal::unknown_resource)
    }

    fn act(&mut self, controller: Controller, action: Action) -> Result<(), Refusal> {
        let options = WriteOptions {
            manager: controller.manager().to_owned(),
            manager_given: true,
            dry_run: false,
            unknown: Unknown::Ignore,
            force: None,
        };
        let call = Call { user: &self.user, options: &options };
        match action {
            Action::Create { resource, object } => {
                let resource = self.resource(&resource)?;
                let namespace = text(&object, &["metadata", "namespace"]).to_owned();
                self.api.create(&call, &resource, &namespace, object)?;
            }
            Action::Update { resource, object } => {
                let resource = self.resource(&resource)?;
                self.api.update(&call, &resource, &Key::of(&object), Part::Main, object)?;
            }
            Action::UpdateStatus { resource, object } => {
                let resource = self.resource(&resource)?;
                self.api.update(&call, &resource, &Key::of(&object), Part::Status, object)?;
            }
            Action::Patch { resource, key, patch } => {
                let resource = self.resource(&resource)?;
                self.api.patch(&call, &resource, &key, Part::Main, &Patch::Merge(patch), &[])?;
            }
            Action::Finalize { object } => {
                let resource = self.resource(&"namespaces".into())?;
                self.api.update(&call, &resource, &Key::of(&object), Part::Other("finalize"), object)?;
            }
            Action::Bind { pod, uid, node } => {
                let resource = self.resource(&"pods".into())?;
                let same = self.api.get(&resource, &pod)?.uid == uid;
                if same {
                    let binding = serde_json::json!({"target": {"kind": "Node", "name": &*node}});
                    self.api.bind(&call, &resource, &pod, &binding)?;
                }
            }
            Action::Delete { resource, key, uid, grace, propagation } => {
                let resource = self.resource(&resource)?;
                let propagation = match propagation {
                    "Foreground" => Some(Propagation::Foreground),
                    "Orphan" => Some(Propagation::Orphan),
                    "Background" => Some(Propagation::Background),
                    _ => None,
                };
                let uid = Some(uid.to_string()).filter(|uid| !uid.is_empty());
                let options = DeleteOptions { grace, propagation, uid, ..DeleteOptions::default() };
                self.api.delete(&resource, &key, &options)?;
            }
            Action::Event(event) => match self.journal.note(event, self.api.now()) {
                Entry::New(object) => self.api.install(&"events".into(), object)?,
                Entry::Dropped => {}
                Entry::Again(key, patch) => self.api.amend(&"events".into(), &key, |object| {
                    for (name, value) in patch.as_object().into_iter().flatten() {
                        set(object, &[name], value.clone());
                    }
                })?,
            },
        }
        if controller == Controller::Definition {
            self.api.refresh_registry();
        }
        Ok(())
    }
}

/// A resource of the group that roles are in.
fn rbac(plural: &str) -> ResourceName {
    format!("{plural}.rbac.authorization.k8s.io").into()
}

/// Queues everything for everybody.
fn everything(store: &Store, queue: &mut Queue) {
    use crate::cluster::api::store::{Change, ChangeKind};
    let all: Vec<_> = store.resources().cloned().collect();
    for object in all.iter().flat_map(|resource| store.list(resource, "")) {
        let change = Change { kind: ChangeKind::Added, object: object.clone(), previous: None };
        for controller in Controller::ALL {
            for key in controller.wake(&change, store) {
                queue.push((controller, key));
            }
        }
    }
}
