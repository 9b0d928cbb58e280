//! The in-process, Kubernetes-compatible API server.
//!
//! [`Api`] is one cluster's objects and what can be done with them; [`serve`] speaks HTTP for it, the controllers in
//! `sim` call it directly. Both go the same way: decode, default, admit, validate, store, tell watchers.

pub mod accept;
pub mod access;
pub mod admission;
pub mod body;
pub mod checkpoint;
pub mod connect;
pub mod crd;
pub mod deletion;
pub mod discovery;
pub mod documents;
pub mod fields;
pub mod form;
pub mod jsonpath;
pub mod owners;
pub mod ownership;
pub mod patch;
pub mod path;
pub mod plain;
pub mod policy;
pub mod query;
pub mod read;
pub mod resource;
pub mod schema;
pub mod selector;
pub mod serve;
pub mod status;
pub mod store;
pub mod subresource;
pub mod table;
pub mod token;
pub mod view;
pub mod watch;
pub mod write;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch as cell;

use self::crd::CustomKind;
use self::resource::Registry;
use self::status::Refusal;
use self::store::{Journaling, ResourceName, Store};
use super::clock::Clock;
use super::object::{list, text};

/// One cluster's API.
#[derive(Debug)]
pub struct Api {
    shared: Mutex<Shared>,
    registry: RwLock<Arc<Registry>>,
    /// The time that everything in the cluster follows.
    pub clock: Clock,
    /// The newest revision: wakes the controllers.
    newest: cell::Sender<u64>,
    limits: Limits,
    /// Signs the tokens of service accounts; made when first asked for.
    signer: OnceLock<token::Signer>,
    /// How often the cluster went back to a checkpoint.
    restored: AtomicU64,
}

/// What one lock guards.
#[derive(Debug)]
struct Shared {
    store: Store,
    /// Where changes are kept beyond this process.
    journal: Option<Box<dyn Journaling>>,
    /// Nothing is written any more.
    closed: bool,
    /// The newest revision of each resource that somebody watches.
    topics: HashMap<ResourceName, cell::Sender<u64>>,
}

/// The first revision: high enough that `resourceVersion=1` is already history, as on any real server.
pub const FIRST_REVISION: u64 = 100;
/// What one cluster may hold unless told otherwise.
pub const LIMITS: Limits = Limits { objects: 200_000, bytes: 512 << 20 };

/// How much a cluster may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Objects.
    pub objects: usize,
    /// Bytes of their JSON.
    pub bytes: usize,
}

impl Api {
    /// The API of an empty cluster, nothing of which is kept.
    pub fn new(clock: Clock) -> Self {
        Self::of(clock, Store::starting_at(FIRST_REVISION), None, LIMITS)
    }

    /// The API of a cluster that has objects, and where their changes are kept.
    pub fn of(clock: Clock, store: Store, journal: Option<Box<dyn Journaling>>, limits: Limits) -> Self {
        let newest = cell::Sender::new(store.revision());
        let api = Self {
            shared: Mutex::new(Shared { store, journal, closed: false, topics: HashMap::new() }),
            registry: RwLock::new(Registry::built_in().clone()),
            clock,
            newest,
            limits,
            signer: OnceLock::new(),
            restored: AtomicU64::new(0),
        };
        api.refresh_registry();
        api
    }

    /// A panic of another thread leaves the store whole: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the objects; nothing can be written meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.lock().store)
    }

    /// Writes, keeps what was written, then tells whoever waits for it.
    ///
    /// # Errors
    /// Those of `write`, and 500 when the change could not be kept; then nothing has changed.
    fn commit<T>(&self, write: impl FnOnce(&mut Store) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut shared = self.lock();
        if shared.closed {
            return Err(Refusal::new(503, "ServiceUnavailable", "the cluster has been stopped"));
        }
        let before = shared.store.revision();
        let done = match write(&mut shared.store) {
            Ok(done) => done,
            Err(refusal) => {
                shared.store.roll_back(before);
                return Err(refusal);
            }
        };
        let after = shared.store.revision();
        if after == before {
            return Ok(done);
        }
        let changes: Vec<_> = shared.store.since(before).map(|changes| changes.cloned().collect()).unwrap_or_default();
        let Shared { store, journal, .. } = &mut *shared;
        if let Some(journal) = journal
            && let Err(error) = journal.write(store, &changes)
        {
            store.roll_back(before);
            return Err(Refusal::internal(format!("the change could not be kept: {error}")));
        }
        for resource in changes.iter().map(|change| &change.object.resource) {
            // Nobody listens any more: the topic is opened again when somebody does.
            if shared.topics.get(resource).is_some_and(|topic| topic.send(after).is_err()) {
                shared.topics.remove(resource);
            }
        }
        drop(shared);
        self.newest.send_replace(after);
        Ok(done)
    }

    /// Ends all writing and gives up where changes are kept.
    pub fn close(&self) {
        let mut shared = self.lock();
        shared.closed = true;
        shared.journal = None;
    }

    /// Follows the newest revision of one resource.
    fn follow(&self, resource: &ResourceName) -> cell::Receiver<u64> {
        let mut shared = self.lock();
        let revision = shared.store.revision();
        shared.topics.entry(resource.clone()).or_insert_with(|| cell::Sender::new(revision)).subscribe()
    }

    /// Follows the newest revision of everything.
    pub fn follow_all(&self) -> cell::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The resources known now.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Learns the resources of the definitions that are there now.
    pub fn refresh_registry(&self) {
        let definitions: Vec<_> = self.look(|store| {
            store.list("customresourcedefinitions.apiextensions.k8s.io", "").map(|object| object.value()).collect()
        });
        let Some(metadata) = schema::builtin::builtin().named("apis.meta.v1.ObjectMeta") else { return };
        let established = definitions.iter().filter(|definition| is_established(definition));
        let kinds: Vec<CustomKind> =
            established.filter_map(|definition| CustomKind::of(definition, &metadata).ok()).collect();
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        if kinds.is_empty() && registry.generation == 0 {
            return;
        }
        let generation = registry.generation + 1;
        let now = Arc::new(Registry::with_custom(&kinds, generation));
        let before = std::mem::replace(&mut *registry, now.clone());
        drop(registry);
        // Watches of what is not served any more end, as everywhere.
        let gone = before.all().filter(|resource| resource.custom.is_some() && now.stored(&resource.stored).is_none());
        let gone: Vec<_> = gone.map(|resource| &resource.stored).collect();
        if !gone.is_empty() {
            let mut shared = self.lock();
            gone.iter().for_each(|name| drop(shared.topics.remove(*name)));
        }
    }

    fn signer(&self) -> Result<&token::Signer, Refusal> {
        if let Some(made) = self.signer.get() {
            return Ok(made);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(Refusal::internal)?;
        Ok(self.signer.get_or_init(|| token::Signer::new(key)))
    }

    /// How often the cluster went back to a checkpoint: what is remembered about its objects is void then.
    pub fn restored(&self) -> u64 {
        self.restored.load(Ordering::Acquire)
    }

    /// What time it is in the cluster.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether a definition's names have been accepted, so that its kind is served.
fn is_established(definition: &Value) -> bool {
    let conditions = list(definition, &["status", "conditions"]);
    conditions.iter().any(|one| text(one, &["type"]) == "Established" && text(one, &["status"]) == "True")
}

/// A time stamp as objects carry it: RFC 3339 to the second.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time stamp to the microsecond, as events and leases carry it.
pub fn micro_stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
