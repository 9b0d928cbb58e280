//! Where a source puts what it sees.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::state::{Body, Controls, PanelState};
use crate::cluster::clock::{Clock, Pace};
use crate::deck::PanelSpec;
use crate::sandbox::Sandbox;

/// The cell of a panel, and the time to label it with.
#[derive(Clone)]
pub(super) struct Output {
    title: String,
    clock: Clock,
    sender: watch::Sender<Arc<PanelState>>,
}

impl Output {
    pub(super) fn new(spec: &PanelSpec, sandbox: Arc<Sandbox>, sender: watch::Sender<Arc<PanelState>>) -> Self {
        Self { title: spec.title(), clock: sandbox.clock(), sender }
    }

    /// Shows something, unless it is shown already.
    pub(super) fn show(&self, body: Body) {
        self.show_with(body, None);
    }

    /// Shows something with what the speaker can do, unless it is shown already.
    pub(super) fn show_with(&self, body: Body, controls: Option<Controls>) {
        let good = PanelState::good(&self.title, body, Timestamp::now());
        let now = PanelState { time: label(self.clock.pace()), controls, ..good };
        self.sender.send_if_modified(|state| {
            // When it was seen is no news.
            let news = PanelState { at: now.at, ..(**state).clone() } != now;
            if news {
                *state = Arc::new(now);
            }
            news
        });
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
