//! Where a source puts what it sees.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::state::{Body, Controls, PanelState};
use crate::cluster::clock::{Clock, Pace};
use crate::sandbox::Sandbox;

/// The cell of a panel, and the time to label it with.
#[derive(Clone)]
pub(super) struct Output {
    clock: Clock,
    sender: watch::Sender<Arc<PanelState>>,
}

impl Output {
    pub(super) fn new(sandbox: &Sandbox, sender: watch::Sender<Arc<PanelState>>) -> Self {
        Self { clock: sandbox.clock(), sender }
    }

    /// Shows something, unless it is shown already.
    pub(super) fn show(&self, body: Body) {
        self.show_with(body, None);
    }

    /// Shows something with what the speaker can do, unless it is shown already.
    pub(super) fn show_with(&self, body: Body, controls: Option<Controls>) {
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
