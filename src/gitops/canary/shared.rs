//! What passes, presenters and the loop share: gates, wishes, requests, and what is shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::followers::Traffic;
use super::http::Http;
use super::machine::Wish;
use super::metrics::Fleet;
use super::objects::Objects;
use super::options::Options;
use super::spec::{Canary, HookType};
use super::view::{CanaryView, GateView, View};
use crate::cluster::clock::Clock;
use crate::cluster::object::Key;
use crate::cluster::sim::driver::SharedImages;

/// The most gates and wishes that are remembered.
const MOST: usize = 1000;

/// What all parts of a controller use.
pub(super) struct Shared {
    pub(super) objects: Objects,
    pub(super) http: Http,
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) fleet: Fleet,
    pub(super) images: SharedImages,
    desk: Mutex<Desk>,
    view: watch::Sender<View>,
}

/// What the presenter has set.
#[derive(Debug, Default)]
struct Desk {
    gates: HashMap<(Key, String), bool>,
    wishes: HashMap<Key, Wish>,
}

impl Shared {
    pub(super) fn new(objects: Objects, http: Http, clock: Clock, options: Options, images: SharedImages) -> Self {
        let (view, _) = watch::channel(View::default());
        Self { objects, http, clock, options, fleet: Fleet::default(), images, desk: Mutex::default(), view }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A gate as the presenter left it.
    pub(super) fn gate(&self, canary: &Key, name: &str) -> Option<bool> {
        self.desk().gates.get(&(canary.clone(), name.to_owned())).copied()
    }

    /// Opens or closes a gate.
    pub(super) fn turn(&self, canary: &Key, name: &str, open: bool) {
        {
            let mut desk = self.desk();
            let gate = (canary.clone(), name.to_owned());
            if desk.gates.len() < MOST || desk.gates.contains_key(&gate) {
                desk.gates.insert(gate, open);
            }
        }
        self.show(canary, |view| {
            for gate in view.gates.iter_mut().filter(|gate| gate.name == name) {
                gate.open = Some(open);
            }
        });
    }

    /// What the presenter wants of a canary.
    pub(super) fn wish(&self, canary: &Key) -> Option<Wish> {
        self.desk().wishes.get(canary).copied()
    }

    /// Sets what the presenter wants.
    pub(super) fn set_wish(&self, canary: &Key, wish: Option<Wish>) {
        {
            let mut desk = self.desk();
            match wish {
                Some(wish) if desk.wishes.len() < MOST => drop(desk.wishes.insert(canary.clone(), wish)),
                _ => drop(desk.wishes.remove(canary)),
            }
        }
        self.show(canary, |view| view.wish = wish);
    }

    /// Something with the requests to a canary.
    pub(super) fn traffic<T>(&self, canary: &Key, what: impl FnOnce(&mut Traffic) -> T) -> T {
        let name = canary.to_string();
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let (seed, rate, now) = (self.options.seed ^ hash, self.options.followers, self.clock.now());
        self.fleet.with(canary, || Traffic::new(seed, rate, now), what)
    }

    /// The gates of a canary.
    pub(super) fn gates(&self, canary: &Canary, waiting: &[String]) -> Vec<GateView> {
        let hooks = canary.spec.analysis.webhooks.iter();
        let gates = hooks.filter(|hook| hook.when.is_gate() || hook.when == HookType::Rollback);
        gates
            .map(|hook| GateView {
                name: hook.name.clone(),
                when: hook.when,
                open: self.gate(&canary.key, &hook.name),
                waiting: waiting.contains(&hook.name),
            })
            .collect()
    }

    /// Changes what is shown of a canary, if it is shown at all.
    pub(super) fn show(&self, canary: &Key, change: impl FnOnce(&mut CanaryView)) {
        self.view.send_if_modified(|view| {
            let shown = view.canaries.get_mut(canary);
            shown.is_some_and(|shown| {
                change(Arc::make_mut(shown));
                true
            })
        });
    }

    /// Shows a canary from now on.
    pub(super) fn show_new(&self, canary: &Key) {
        let virtual_time = self.clock.is_virtual();
        self.view.send_modify(|view| {
            view.virtual_time = virtual_time;
            view.canaries.entry(canary.clone()).or_default();
        });
    }

    /// How many pods the primary of a canary had when it was last looked at.
    pub(super) fn primary_pods(&self, canary: &Key) -> i64 {
        self.view.borrow().canaries.get(canary).map_or(1, |shown| shown.pods.1)
    }

    /// A canary is gone.
    pub(super) fn forget(&self, canary: &Key) {
        self.view.send_modify(|view| drop(view.canaries.remove(canary)));
        self.fleet.forget(canary);
        let mut desk = self.desk();
        desk.wishes.remove(canary);
        desk.gates.retain(|(key, _), _| key != canary);
    }

    /// Shows what keeps the controller from its work.
    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.view.send_if_modified(|view| {
            let differs = view.problem != problem;
            view.problem = problem;
            differs
        });
    }

    /// What is shown.
    pub(super) fn subscribe(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }
}
