//! Records what is shown, as it is shown: panels, terminals, steps, positions → the file of a run.
//!
//! Nobody waits for the recorder: what comes faster than it can be written is counted and left out.

mod checks;
mod recorder;
mod system;

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::feed::View;
use super::state::App;
use crate::panel::redact::Secrets;
use crate::panel::secrets::secrets_of;
use crate::panel::state::PanelState;
use crate::panel::terminal::Terminal;
use crate::recording::facts::Facts;
use crate::recording::{Head, What};
use crate::sandbox::keep::Demo;
use recorder::Recorder;

/// What is not written yet is lost when the machine stops; it is written so often.
const FLUSH: Duration = Duration::from_millis(1000);
/// Things that may wait to be written.
const QUEUE: usize = 1024;
/// Terminal output is taken over in such pieces, at most so often.
const PIECE: (usize, Duration) = (32 * 1024, Duration::from_millis(30));

/// How to record.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the files of runs are.
    pub folder: PathBuf,
    /// What the run is made for.
    pub what: What,
    /// The file is not larger.
    pub most: usize,
    /// So many runs are kept.
    pub kept: usize,
    /// The run's file, once there is one.
    pub written: Arc<OnceLock<PathBuf>>,
    /// The port that was asked for; none when any will do.
    pub port: Option<u16>,
    /// The cluster, as on the command line.
    pub cluster: String,
}

/// Something that was shown.
#[derive(Debug)]
pub enum Seen {
    /// A panel's state.
    Panel(String, Arc<PanelState>),
    /// A terminal's output; whether it begins anew with it.
    Text(String, Vec<u8>, bool),
    /// A terminal's size: columns, rows.
    Size(String, u16, u16),
    /// What the cluster is, and the digests of the images that run there.
    Ran {
        /// The version of its API server.
        version: String,
        /// Images and their digests.
        images: BTreeMap<String, String>,
    },
    /// What the reconciler did.
    Sync(Value),
    /// How a workshop's step stands.
    Check(String, Value),
}

/// Where things that are shown are handed in.
#[derive(Debug, Clone)]
pub struct Tape {
    sender: mpsc::Sender<(Instant, Seen)>,
    lost: Arc<AtomicU64>,
}

/// The other end of a tape.
pub struct Reel {
    plan: Plan,
    receiver: mpsc::Receiver<(Instant, Seen)>,
    lost: Arc<AtomicU64>,
    began: Instant,
    began_ms: u64,
}

/// A tape, and what is done with it.
pub fn tape(plan: Plan, now_ms: u64) -> (Tape, Reel) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let reel = Reel { plan, receiver, lost: lost.clone(), began: Instant::now(), began_ms: now_ms };
    (Tape { sender, lost }, reel)
}

impl Tape {
    /// Takes down what a panel shows.
    pub fn panel(&self, key: &str, state: &Arc<PanelState>) {
        let seen = Seen::Panel(key.to_owned(), state.clone());
        if self.sender.try_send((Instant::now(), seen)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Records until stopped.
pub async fn run(app: Arc<App>, tape: Tape, mut reel: Reel, stop: CancellationToken) {
    let head = Head {
        foredeck: env!("CARGO_PKG_VERSION").to_owned(),
        what: reel.plan.what,
        started_ms: reel.began_ms,
        decks: app.decks.iter().map(|deck| deck.slug.clone()).collect(),
    };
    let mut demo = app.demo.clone();
    let facts = facts(&reel.plan).await;
    let mut recorder = Recorder::new(app.clone(), reel.plan, reel.began, head, facts);
    let (tasks, ends) = (TaskTracker::new(), stop.child_token());
    let (mut journal, mut position) = (app.desk.runner.journal(), app.hub.saved());
    tasks.spawn(system::follow(app.clone(), tape.sender.clone(), ends.clone()));
    if let Some(seat) = app.workshop.clone() {
        tasks.spawn(checks::follow(seat, tape.sender.clone(), ends.clone()));
    }
    let mut opened = app.desk.terminals.changes();
    let mut heard: Vec<Arc<Terminal>> = Vec::new();
    let mut flush = tokio::time::interval(FLUSH);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    position.mark_changed();
    demo.mark_changed();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            seen = reel.receiver.recv() => match seen {
                Some((at, seen)) => recorder.take(at, seen),
                None => break,
            },
            Ok(()) = journal.changed() => recorder.steps(),
            Ok(()) = position.changed() => recorder.position(),
            Ok(()) = demo.changed() => recorder.demo(&demo.borrow_and_update()),
            Ok(()) = opened.changed() => {
                heard.retain(|terminal| !terminal.is_over());
                for terminal in app.desk.terminals.all() {
                    if !heard.iter().any(|known| Arc::ptr_eq(known, &terminal)) {
                        heard.push(terminal.clone());
                        tasks.spawn(listen(terminal, tape.sender.clone(), ends.clone()));
                    }
                }
            }
            _ = flush.tick() => {
                recorder.decks();
                recorder.flush().await;
            }
        }
    }
    // What changed as the end came.
    recorder.steps();
    recorder.position();
    ends.cancel();
    tasks.close();
    tasks.wait().await;
    while let Ok((at, seen)) = reel.receiver.try_recv() {
        recorder.take(at, seen);
    }
    recorder.steps();
    recorder.finish(reel.lost.load(Ordering::Relaxed)).await;
}

/// What is known of a run from its beginning.
async fn facts(plan: &Plan) -> Facts {
    let program = tokio::task::spawn_blocking(|| std::env::current_exe().and_then(|path| fingerprint(&path))).await;
    Facts {
        foredeck: env!("CARGO_PKG_VERSION").to_owned(),
        program: program.ok().and_then(Result::ok).unwrap_or_default(),
        port: plan.port,
        offset_s: offset(),
        cluster: plan.cluster.clone(),
        ..Facts::default()
    }
}

/// The clock's distance from UTC, in seconds.
pub fn offset() -> i32 {
    jiff::Zoned::now().offset().seconds()
}

/// What tells one build of a program from another: its length and pieces of it. All of it would take a second to read.
///
/// # Errors
/// When it cannot be read.
pub fn fingerprint(path: &Path) -> std::io::Result<String> {
    const PIECES: u64 = 64;
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    for piece in 0..PIECES {
        file.seek(SeekFrom::Start(length / PIECES * piece))?;
        let mut bytes = Vec::new();
        std::io::Read::by_ref(&mut file).take(4096).read_to_end(&mut bytes)?;
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn secrets(app: &App, demo: &Demo) -> Secrets {
    match demo.ready() {
        Some(sandbox) => secrets_of(sandbox, &app.desk.secrets),
        None => Secrets::with(app.desk.secrets.iter().map(String::as_str)),
    }
}

/// Hands in what a terminal shows until it ends.
async fn listen(terminal: Arc<Terminal>, sender: mpsc::Sender<(Instant, Seen)>, ends: CancellationToken) {
    let (mut end, mut size, mut over) = (terminal.end_of_output(), terminal.size(), terminal.over());
    let mut place = 0;
    size.mark_changed();
    loop {
        let behind = *end.borrow_and_update() != place;
        let seen = tokio::select! {
            () = ends.cancelled() => return,
            Ok(()) = size.changed() => {
                let now = *size.borrow_and_update();
                Seen::Size(terminal.name.clone(), now.columns, now.rows)
            }
            () = tokio::time::sleep(PIECE.1), if behind => {
                let reading = terminal.read(place, PIECE.0);
                let anew = reading.anew || place == 0;
                place = reading.end;
                Seen::Text(terminal.name.clone(), reading.bytes, anew)
            }
            changed = end.changed(), if !behind => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            _ = over.wait_for(Option::is_some), if !behind => return,
        };
        let sent = tokio::select! {
            sent = sender.send((Instant::now(), seen)) => sent,
            () = ends.cancelled() => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The hash of a deck's text.
pub fn hash(view: &View) -> String {
    hash_of(view.compiled.source.text())
}

/// The hash of a text.
pub fn hash_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
