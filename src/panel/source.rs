//! Where panels get what they show: one task per key, shared by all screens, only while somebody looks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::kinds;
use super::output::{Output, label};
use super::state::PanelState;
use crate::deck::{PanelKind, PanelSpec};
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;

/// A source goes on for so long after the last screen has left: slides are gone back to.
const LINGER: Duration = Duration::from_secs(5);
/// The shortest and the longest wait before a source that failed is opened again.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// Sources that may be open at once.
const MOST: usize = 200;

type Cell = watch::Receiver<Arc<PanelState>>;

/// The sources of a server's panels.
pub struct Sources {
    demo: watch::Receiver<Demo>,
    secrets: Arc<[String]>,
    stop: CancellationToken,
    tasks: TaskTracker,
    open: Arc<Mutex<HashMap<String, watch::Sender<Arc<PanelState>>>>>,
    provided: Mutex<HashMap<String, Cell>>,
}

impl Sources {
    /// Sources that look at a live system and never show `secrets`; their tasks belong to `tasks` and end with `stop`.
    pub fn new(demo: watch::Receiver<Demo>, secrets: Vec<String>, stop: CancellationToken, tasks: TaskTracker) -> Self {
        Self { demo, secrets: secrets.into(), stop, tasks, open: Arc::default(), provided: Mutex::default() }
    }

    /// Takes what a panel shows from elsewhere.
    pub fn provide(&self, key: String, cell: Cell) {
        self.provided.lock().unwrap_or_else(PoisonError::into_inner).insert(key, cell);
    }

    /// What a panel shows, now and from now on. Panels with the same key share one source, which ends a few seconds after
    /// the last receiver is gone.
    pub fn open(&self, spec: &PanelSpec) -> Cell {
        let key = spec.key();
        if let Some(cell) = self.provided.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return cell.clone();
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = open.get(&key) {
            return sender.subscribe();
        }
        let waiting = PanelState::waiting(spec.title());
        if open.len() >= MOST {
            return watch::channel(Arc::new(waiting.failing("too many panels are open"))).1;
        }
        let (sender, cell) = watch::channel(Arc::new(waiting));
        open.insert(key.clone(), sender.clone());
        let feed = feed(spec.clone(), self.demo.clone(), self.secrets.clone(), sender.clone());
        let (stop, all) = (self.stop.clone(), self.open.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = feed => {}
                () = left(key.clone(), sender, all.clone()) => return,
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
        cell
    }

    /// How many sources are open.
    pub fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Waits until nobody looks any more, and has not for a while; then the source is not open any more.
async fn left(
    key: String,
    sender: watch::Sender<Arc<PanelState>>,
    all: Arc<Mutex<HashMap<String, watch::Sender<Arc<PanelState>>>>>,
) {
    loop {
        sender.closed().await;
        tokio::time::sleep(LINGER).await;
        // With the lock held nobody can begin to look.
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.receiver_count() == 0 {
            all.remove(&key);
            return;
        }
    }
}

/// Shows a panel as long as anybody looks: of the sandbox that is there, and again when it fails or is another one.
async fn feed(
    spec: PanelSpec,
    mut demo: watch::Receiver<Demo>,
    secrets: Arc<[String]>,
    sender: watch::Sender<Arc<PanelState>>,
) {
    let mut wait = WAITS.0;
    loop {
        let now = demo.borrow_and_update().clone();
        let Demo::Ready(sandbox) = now else {
            let problem = match now {
                Demo::Off => "there is no live system behind these slides".to_owned(),
                Demo::Failed(why) => format!("the live system does not run: {why}"),
                Demo::Starting | Demo::Ready(_) => "the live system is starting".to_owned(),
            };
            fail(&sender, problem);
            if demo.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            continue;
        };
        let began = tokio::time::Instant::now();
        let output = Output::new(&sandbox, &secrets, sender.clone());
        let problem = tokio::select! {
            problem = kinds::show(&spec, sandbox.clone(), output) => problem,
            () = tell_time(&sandbox, &sender) => continue,
            changed = demo.changed() => match changed {
                Ok(()) => {
                    still(&sender);
                    continue;
                }
                Err(_) => std::future::pending().await,
            },
        };
        if is_stream(spec.kind) {
            still(&sender);
        }
        fail(&sender, problem);
        if began.elapsed() > WAITS.1 {
            wait = WAITS.0;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(WAITS.1),
            _ = demo.changed() => wait = WAITS.0,
        }
    }
}

/// Keeps the label of the time: it changes also when nothing else does.
async fn tell_time(sandbox: &Sandbox, sender: &watch::Sender<Arc<PanelState>>) {
    let mut pace = sandbox.clock().changes();
    while pace.changed().await.is_ok() {
        let time = label(*pace.borrow_and_update());
        sender.send_if_modified(|state| PanelState::tell_time(state, time));
    }
    std::future::pending::<()>().await;
}

/// Whether a source has nothing to say as long as nothing changes, so that what it said is good until it breaks off.
fn is_stream(kind: PanelKind) -> bool {
    matches!(kind, PanelKind::Logs | PanelKind::Tree | PanelKind::Canary)
}

fn still(sender: &watch::Sender<Arc<PanelState>>) {
    sender.send_if_modified(|state| {
        PanelState::still(state, Timestamp::now());
        false
    });
}

fn fail(sender: &watch::Sender<Arc<PanelState>>, problem: String) {
    sender.send_if_modified(|state| PanelState::fail(state, problem));
}
