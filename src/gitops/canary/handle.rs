//! How panels and buttons talk to the controller of canaries.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::followers::{Backend, Faults};
use super::machine::Wish;
use super::shared::Shared;
use super::view::View;
use crate::cluster::object::Key;

/// More calls for an early tick wait for nobody.
pub(super) const MOST_POKES: usize = 64;

/// How others talk to the controller. Clones talk to the same one.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    pokes: mpsc::Sender<Key>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>, pokes: mpsc::Sender<Key>) -> Self {
        Self { shared, pokes }
    }

    /// Where all canaries stand, now and from now on.
    pub fn status(&self) -> watch::Receiver<View> {
        self.shared.subscribe()
    }

    /// Opens a gate, by the name of its webhook, until it is closed: whoever answers for it is asked no more.
    pub fn open_gate(&self, namespace: &str, name: &str, gate: &str) {
        self.shared.turn(&Key::new(namespace, name), gate, true);
    }

    /// Closes a gate.
    pub fn close_gate(&self, namespace: &str, name: &str, gate: &str) {
        self.shared.turn(&Key::new(namespace, name), gate, false);
    }

    /// How well a version of a canary does from now on.
    pub fn set_faults(&self, namespace: &str, name: &str, backend: Backend, faults: Faults) {
        let (key, now) = (Key::new(namespace, name), self.shared.clock.now());
        if !self.shared.subscribe().borrow().canaries.contains_key(&key) {
            return;
        }
        let faults = self.shared.traffic(&key, |traffic| {
            traffic.set_faults(now, backend, faults);
            (traffic.faults(Backend::Primary), traffic.faults(Backend::Canary))
        });
        self.shared.show(&key, |view| view.faults = faults);
    }

    /// Promotes the revision that is judged, past steps and gates.
    pub fn promote(&self, namespace: &str, name: &str) {
        self.wish(namespace, name, Wish::Promote);
    }

    /// Takes the revision back that is judged.
    pub fn roll_back(&self, namespace: &str, name: &str) {
        self.wish(namespace, name, Wish::RollBack);
    }

    /// Keeps a release where it is until [`Handle::go_on`]; it is judged all the same.
    pub fn hold(&self, namespace: &str, name: &str) {
        self.shared.set_wish(&Key::new(namespace, name), Some(Wish::Hold));
    }

    /// Lets a release go on.
    pub fn go_on(&self, namespace: &str, name: &str) {
        self.shared.set_wish(&Key::new(namespace, name), None);
    }

    /// Wants something at once: the next tick does not wait for its time.
    fn wish(&self, namespace: &str, name: &str, wish: Wish) {
        let key = Key::new(namespace, name);
        self.shared.set_wish(&key, Some(wish));
        // When so many wait already, the next tick does it.
        let _ = self.pokes.try_send(key);
    }
}
