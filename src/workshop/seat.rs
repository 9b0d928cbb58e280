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

/// The place of one participant.
#[derive(Debug)]
pub struct Seat {
    workshop: Arc<Workshop>,
    setting: Setting,
    session: watch::Sender<Option<Arc<Session>>>,
}

impl Seat {
    /// A place, empty until [`Seat::run`] finds a sandbox.
    pub fn new(workshop: Arc<Workshop>, setting: Setting) -> Arc<Self> {
        Arc::new(Self { workshop, setting, session: watch::channel(None).0 })
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
