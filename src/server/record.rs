//! Records what is shown, as it is shown: panels, terminals, steps, positions → the file of a run.
//!
//! Nobody waits for the recorder: what comes faster than it can be written is counted and left out.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::desk;
use super::feed::View;
use super::state::App;
use crate::deck::step::Role;
use crate::panel::redact::Secrets;
use crate::panel::secrets::secrets_of;
use crate::panel::state::PanelState;
use crate::panel::terminal::Terminal;
use crate::recording::write::Writer;
use crate::recording::{
    DEMO, DeckEnd, Head, POSITION, What, deck_cell, files, marks, panel_cell, step_cell, terminal_cell,
};
use crate::sandbox::keep::Demo;

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

/// What becomes a run.
struct Recorder {
    app: Arc<App>,
    plan: Plan,
    head: Head,
    writer: Writer,
    began: Instant,
    /// Bytes of letters that are not whole yet, by terminal.
    letters: HashMap<String, Vec<u8>>,
    /// The versions of decks that have been noted.
    versions: BTreeMap<usize, u64>,
    /// Whether anything was shown that is worth a file.
    worth: bool,
    waiting: Vec<u8>,
    file: Option<tokio::fs::File>,
    failed: bool,
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
    let writer = Writer::new(&head, secrets(&app, &demo.borrow()), reel.plan.most);
    let mut recorder = Recorder {
        app: app.clone(),
        plan: reel.plan,
        head,
        writer,
        began: reel.began,
        letters: HashMap::new(),
        versions: BTreeMap::new(),
        worth: false,
        waiting: Vec::new(),
        file: None,
        failed: false,
    };
    let (tasks, ends) = (TaskTracker::new(), stop.child_token());
    let (mut journal, mut position) = (app.desk.runner.journal(), app.hub.saved());
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

impl Recorder {
    fn moment(&self, at: Instant) -> u32 {
        u32::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX)
    }

    fn now(&self) -> u32 {
        self.moment(Instant::now())
    }

    fn take(&mut self, at: Instant, seen: Seen) {
        let at = self.moment(at);
        match seen {
            Seen::Panel(key, state) => {
                self.worth |= state.at.is_some();
                let state = serde_json::to_value(&*state).unwrap_or_default();
                self.writer.set(at, &panel_cell(&key), state);
            }
            Seen::Size(name, columns, rows) => {
                self.writer.set(at, &terminal_cell(&name), json!({ "columns": columns, "rows": rows }));
            }
            Seen::Text(name, bytes, anew) => {
                self.worth = true;
                if anew {
                    self.letters.remove(&name);
                    self.writer.anew(at, &name);
                }
                let text = whole_letters(self.letters.entry(name.clone()).or_default(), &bytes);
                self.writer.text(at, &name, &text);
            }
        }
    }

    fn position(&mut self) {
        let live = self.app.hub.speaker(0);
        let value = json!({ "deck": live.deck, "slide": live.slide, "fragment": live.fragment, "screen": live.screen });
        self.writer.set(self.now(), POSITION, value);
    }

    fn demo(&mut self, demo: &Demo) {
        self.writer.keep_secret(secrets(&self.app, demo));
        let (state, cluster) = match demo {
            Demo::Off => ("off", ""),
            Demo::Starting => ("starting", ""),
            Demo::Ready(sandbox) => ("ready", sandbox.cluster_name()),
            Demo::Failed(_) => ("failed", ""),
        };
        self.writer.set(self.now(), DEMO, json!({ "state": state, "cluster": cluster }));
    }

    /// Notes the decks that changed.
    fn decks(&mut self) {
        let app = self.app.clone();
        for (index, deck) in app.decks.iter().enumerate() {
            let Some(view) = deck.now().filter(|view| self.versions.get(&index) != Some(&view.version)) else {
                continue;
            };
            self.versions.insert(index, view.version);
            let value =
                json!({ "title": deck.title(), "hash": hash(&view), "slides": view.compiled.rendered.slides.len() });
            self.writer.set(self.now(), &deck_cell(&deck.slug), value);
        }
    }

    fn steps(&mut self) {
        let app = self.app.clone();
        let journal = app.desk.runner.journal().borrow().clone();
        for deck in &app.decks {
            let Some(view) = deck.now() else { continue };
            for (slide, step) in
                desk::steps(&view).enumerate().flat_map(|(slide, on)| on.iter().map(move |s| (slide, s)))
            {
                let Some(run) = journal.run(&deck.slug, &step.name) else { continue };
                self.worth = true;
                let value: Value = json!({
                    "deck": deck.slug, "name": step.name, "slide": slide, "state": run.state.as_str(),
                    "took_ms": run.took_ms, "exit": run.exit, "reason": run.reason, "output": run.output,
                });
                self.writer.set(self.now(), &step_cell(&deck.slug, &step.name), value);
            }
        }
    }

    async fn flush(&mut self) {
        if !self.writer.holds() || self.failed {
            return;
        }
        self.waiting.extend(self.writer.take());
        if self.worth {
            self.put().await;
        }
    }

    /// Adds what waits to the file, which is made when it is needed. A disk that is full costs the run, not the talk.
    async fn put(&mut self) {
        let bytes = std::mem::take(&mut self.waiting);
        let outcome = async {
            let file = match &mut self.file {
                Some(file) => file,
                None => {
                    let (folder, head, kept) = (self.plan.folder.clone(), self.head.clone(), self.plan.kept);
                    let made = tokio::task::spawn_blocking(move || files::create(&folder, &head, kept)).await;
                    let (file, path) = made.map_err(std::io::Error::other)??;
                    tracing::debug!(run.path = %path.display(), "recording");
                    let _ = self.plan.written.set(path);
                    self.file.insert(tokio::fs::File::from_std(file))
                }
            };
            file.write_all(&bytes).await?;
            file.flush().await
        };
        if let Err(error) = outcome.await {
            self.failed = true;
            tracing::warn!(%error, run.folder = %self.plan.folder.display(), "this run is not recorded any more");
        }
    }

    async fn finish(mut self, lost: u64) {
        let at = self.now();
        let mut decks = Vec::new();
        for deck in &self.app.decks {
            let Some(view) = deck.now() else { continue };
            let steps: Vec<&str> = desk::steps(&view)
                .flatten()
                .filter(|step| step.role == Role::Run)
                .map(|step| step.name.as_str())
                .collect();
            let done = |name: &&str| marks::best(self.writer.steps(), &deck.slug, name).is_some_and(|run| run.passed());
            let passed = steps.iter().all(done) && (!steps.is_empty() || self.plan.what == What::Rehearsal);
            decks.push(DeckEnd { deck: deck.slug.clone(), hash: hash(&view), steps: steps.len(), passed });
        }
        if !self.worth || self.failed {
            return;
        }
        let writer = std::mem::replace(&mut self.writer, Writer::new(&self.head, Secrets::default(), 0));
        self.waiting.extend(writer.finish(at, decks, lost));
        self.put().await;
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

/// The letters that are whole; the rest waits for more.
fn whole_letters(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let whole = match std::str::from_utf8(held) {
        Ok(_) => held.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // The end may be a begun letter behind something that is none.
        Err(_) => held.len() - held.iter().rev().take(3).position(|byte| byte >> 6 == 3).map_or(0, |back| back + 1),
    };
    let rest = held.split_off(whole);
    String::from_utf8_lossy(&std::mem::replace(held, rest)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_put_together() {
        let text = "aä€😀 \u{1b}[0m z";
        for size in 1..6 {
            let mut held = Vec::new();
            let read: String = text.as_bytes().chunks(size).map(|piece| whole_letters(&mut held, piece)).collect();
            assert_eq!((read.as_str(), held.len()), (text, 0), "in pieces of {size}");
        }
        let mut held = Vec::new();
        assert_eq!(whole_letters(&mut held, b"a\xffb\xe2\x82"), "a\u{fffd}b");
        assert_eq!(whole_letters(&mut held, b"\xac"), "€");
    }
}
