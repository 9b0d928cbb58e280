//! Where a source puts what it sees.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::mask::Masker;
use super::secrets::secrets_of;
use super::state::{Body, Controls, PanelState};
use crate::cluster::clock::{Clock, Pace};
use crate::sandbox::Sandbox;

/// The cell of a panel, and the time to label it with.
#[derive(Clone)]
pub(super) struct Output {
    clock: Clock,
    masker: Arc<Mutex<Masker>>,
    sender: watch::Sender<Arc<PanelState>>,
}

impl Output {
    /// `secrets` and those of the sandbox are never shown.
    pub(super) fn new(sandbox: &Sandbox, secrets: &[String], sender: watch::Sender<Arc<PanelState>>) -> Self {
        let masker = Masker::new(secrets_of(sandbox, secrets));
        Self { clock: sandbox.clock(), masker: Arc::new(Mutex::new(masker)), sender }
    }

    /// Shows something, unless it is shown already.
    pub(super) fn show(&self, body: Body) {
        self.show_with(body, None);
    }

    /// Shows something with what the speaker can do, unless it is shown already.
    pub(super) fn show_with(&self, body: Body, controls: Option<Controls>) {
        let body = self.masker.lock().unwrap_or_else(PoisonError::into_inner).body(body);
        let time = label(self.clock.pace());
        self.sender.send_if_modified(|state| PanelState::see(state, body, time, controls, Timestamp::now()));
    }
}

/// What is said of a time that is not the real one.
pub fn label(pace: Pace) -> Option<String> {
    match pace {
        Pace::Real => None,
        Pace::Virtual { speed: 0.0, .. } => Some("virtual time, paused".to_owned()),
        Pace::Virtual { speed, .. } => Some(format!("virtual time ×{speed}")),
    }
}
