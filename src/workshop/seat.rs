//! The place of one participant in a server: the workshop, and the session as long as their sandbox works.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Workshop;
use super::gate::Gate;
use super::session::Session;
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;

/// How a participant works.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The folder that the Deployment `flux` has to be told; when there is one, that Deployment is the switch of the
    /// reconciler.
    pub switch: Option<String>,
    /// Where progress is kept; nowhere when none.
    pub file: Option<PathBuf>,
    /// What has to be known to work here.
    pub token: String,
}

/// Whether the commands of a workshop may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Somebody started this workshop, and agreed to it by that.
    Given,
    /// It only lies beside decks: its commands have to be agreed to like theirs.
    Asked,
    /// Nothing is run here.
    Never,
}

/// The place of one participant.
#[derive(Debug)]
pub struct Seat {
    workshop: Arc<Workshop>,
    setting: Setting,
    session: watch::Sender<Option<Arc<Session>>>,
    agreement: Agreement,
    wanted: watch::Sender<bool>,
}

impl Seat {
    /// A place, empty until [`Seat::run`] finds a sandbox.
    pub fn new(workshop: Arc<Workshop>, setting: Setting) -> Arc<Self> {
        Arc::new(Self::of(workshop, setting, Agreement::Given))
    }

    /// A place beside decks, in their sandbox: that is started only once somebody wants to work.
    pub fn beside_decks(workshop: Arc<Workshop>, agreement: Agreement) -> Arc<Self> {
        Arc::new(Self::of(workshop, Setting::default(), agreement))
    }

    fn of(workshop: Arc<Workshop>, setting: Setting, agreement: Agreement) -> Self {
        Self { workshop, setting, session: watch::channel(None).0, agreement, wanted: watch::channel(false).0 }
    }

    /// Whether its commands may be run.
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// Says that somebody wants to work here.
    pub fn want(&self) {
        self.wanted.send_replace(true);
    }

    /// Waits until somebody wants to work here.
    pub async fn until_wanted(&self) {
        // The sender is this seat's own.
        let _ = self.wanted.subscribe().wait_for(|wanted| *wanted).await;
    }

    /// The workshop.
    pub fn workshop(&self) -> &Arc<Workshop> {
        &self.workshop
    }

    /// What has to be known to work here.
    pub fn token(&self) -> &str {
        &self.setting.token
    }

    /// The session, while the sandbox works.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// The session as it comes and goes.
    pub fn sessions(&self) -> watch::Receiver<Option<Arc<Session>>> {
        self.session.subscribe()
    }

    /// Opens a session whenever there is a sandbox, until it is stopped.
    pub async fn run(self: Arc<Self>, mut demo: watch::Receiver<Demo>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let sandbox = demo.borrow_and_update().ready().cloned();
            let work = async {
                match sandbox {
                    Some(sandbox) => self.work(sandbox).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                changed = demo.changed() => if changed.is_err() { stop.cancelled().await },
                () = work => {}
            }
            self.session.send_replace(None);
        }
    }

    /// Opens the session, and works its switch. Ends only by being dropped.
    async fn work(&self, sandbox: Arc<Sandbox>) {
        let (gate, follow) = match &self.setting.switch {
            Some(path) => {
                let (gate, follow) = Gate::new(&sandbox, path);
                (Some(gate), Some(follow))
            }
            None => (None, None),
        };
        let session = Session::open(self.workshop.clone(), sandbox, gate, self.setting.file.clone());
        self.session.send_replace(Some(Arc::new(session)));
        if let Some(follow) = follow {
            follow.await;
        }
        std::future::pending::<()>().await;
    }
}
