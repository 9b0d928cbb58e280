//! The talk's state as cells, and the event-stream frames made of it: once each, for all windows.
//!
//! A window's stream is level-triggered: it looks at the [`Board`], sends what it has not sent
//! yet, and sleeps until the board changes. A slow window skips states instead of queueing them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::live::{Command, DeckShape, Live, Point, Refusal, Stage};

const HEARTBEAT: Duration = Duration::from_secs(15);
/// A laser pointer moves in steps of this; more would only cost every follower.
const LASER_STEP: Duration = Duration::from_millis(33);

/// An event, ready to be sent, and its number; 0 is "never sent".
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Grows with every frame of its kind.
    pub number: u64,
    /// The bytes of the event.
    pub bytes: Bytes,
}

/// What a window of one deck needs besides the state.
#[derive(Debug, Clone, Default)]
pub struct DeckFrames {
    /// The deck changed; numbered by its version.
    pub reload: Frame,
    /// What is wrong with it, for the speaker alone; numbered by change.
    pub problems: Frame,
    /// Whether there is anything wrong.
    pub broken: bool,
    /// How its steps went; numbered by change.
    pub steps: Frame,
    /// The keys of its panels.
    pub panels: Arc<BTreeSet<String>>,
}

/// Everything a stream may have to send.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// The state; numbered by its `v`.
    pub state: Frame,
    /// Where the laser points.
    pub laser: Frame,
    /// Keeps connections open.
    pub heartbeat: Frame,
    /// How the live system is doing; numbered by change.
    pub demo: Frame,
    /// What time it is there; numbered by change.
    pub clock: Frame,
    /// What is shown from a recorded run; numbered by change.
    pub replay: Frame,
    /// What panels show, by key; all numbered together, so that a window need remember one number.
    pub panels: BTreeMap<String, Frame>,
    /// The number of the newest panel.
    pub newest_panel: u64,
    /// Per deck, in the order of the decks.
    pub decks: Vec<DeckFrames>,
    /// The server stops.
    pub closing: bool,
}

/// The talk's state and the boards of the speaker's and of the audience's windows.
pub struct Hub {
    slugs: Vec<String>,
    stage: Mutex<Stage>,
    laser: watch::Sender<Option<Point>>,
    speaker: watch::Sender<Board>,
    audience: watch::Sender<Board>,
    saved: watch::Sender<Live>,
    last_audience: Mutex<Live>,
}

impl Hub {
    /// A hub for these decks, in the given state.
    pub fn new(slugs: Vec<String>, stage: Stage) -> Self {
        let board = |live: &Live| Board {
            state: state_frame(live),
            decks: vec![DeckFrames::default(); slugs.len()],
            ..Board::default()
        };
        Self {
            laser: watch::Sender::new(None),
            speaker: watch::Sender::new(board(stage.speaker())),
            audience: watch::Sender::new(board(&stage.audience())),
            saved: watch::Sender::new(stage.speaker().clone()),
            last_audience: Mutex::new(stage.audience()),
            stage: Mutex::new(stage),
            slugs,
        }
    }

    /// The state the speaker's windows show, told now.
    pub fn speaker(&self, now_ms: u64) -> Live {
        told(self.stage().speaker().clone(), now_ms)
    }

    /// The state followers show, told now.
    pub fn audience(&self, now_ms: u64) -> Live {
        told(self.stage().audience(), now_ms)
    }

    /// The frames for the speaker's windows.
    pub fn speaker_board(&self) -> watch::Receiver<Board> {
        self.speaker.subscribe()
    }

    /// The frames for everybody else.
    pub fn audience_board(&self) -> watch::Receiver<Board> {
        self.audience.subscribe()
    }

    /// The state to keep for a restart.
    pub fn saved(&self) -> watch::Receiver<Live> {
        self.saved.subscribe()
    }

    /// Carries out a command and tells every window; gives the speaker's new state.
    ///
    /// # Errors
    /// As [`Stage::apply`].
    pub fn apply(&self, command: &Command, now_ms: u64) -> Result<Live, Refusal> {
        let mut stage = self.stage();
        if stage.apply(command, now_ms)? {
            self.publish(&stage, now_ms);
        }
        if let Command::Laser { to } = command {
            self.laser.send_if_modified(|at| std::mem::replace(at, *to) != *to);
        }
        Ok(told(stage.speaker().clone(), now_ms))
    }

    /// Tells every window that a deck changed, `first` being its first changed slide.
    pub fn reload(&self, deck: usize, shape: DeckShape, first: Option<usize>, now_ms: u64) {
        let Some(slug) = self.slugs.get(deck) else { return };
        let version = shape.version;
        let mut stage = self.stage();
        let moved = stage.reshape(slug, shape);
        let data = json!({ "deck": slug, "version": version, "first": first });
        for board in [&self.speaker, &self.audience] {
            board.send_modify(|board| {
                let frames = board.decks.get_mut(deck);
                frames.into_iter().for_each(|frames| frames.reload = frame("reload", version, &data));
            });
        }
        if moved {
            self.publish(&stage, now_ms);
        }
    }

    /// Tells the speaker's windows what is wrong with a deck; nothing when it has healed.
    pub fn problems(&self, deck: usize, html: &str) {
        let Some(slug) = self.slugs.get(deck) else { return };
        let data = json!({ "deck": slug, "html": html });
        self.speaker.send_modify(|board| {
            if let Some(frames) = board.decks.get_mut(deck) {
                frames.problems = frame("problems", frames.problems.number + 1, &data);
                frames.broken = !html.is_empty();
            }
        });
    }

    /// Tells the speaker's windows, the others, or both how a deck's steps went.
    pub fn steps(&self, deck: usize, speaker: Option<&Value>, audience: Option<&Value>) {
        for (board, data) in [(&self.speaker, speaker), (&self.audience, audience)] {
            let Some(data) = data else { continue };
            board.send_modify(|board| {
                if let Some(frames) = board.decks.get_mut(deck) {
                    frames.steps = frame("step", frames.steps.number + 1, data);
                }
            });
        }
    }

    /// Tells every window how the live system is doing.
    pub fn demo(&self, speaker: &Value, audience: &Value) {
        for (board, data) in [(&self.speaker, speaker), (&self.audience, audience)] {
            board.send_modify(|board| board.demo = frame("demo", board.demo.number + 1, data));
        }
    }

    /// Tells every window what time it is in the live system.
    pub fn clock(&self, data: &Value) {
        for board in [&self.speaker, &self.audience] {
            board.send_modify(|board| board.clock = frame("clock", board.clock.number + 1, data));
        }
    }

    /// Tells every window what is shown from a recorded run.
    pub fn replay(&self, speaker: &Value, audience: &Value) {
        for (board, data) in [(&self.speaker, speaker), (&self.audience, audience)] {
            board.send_modify(|board| board.replay = frame("replay", board.replay.number + 1, data));
        }
    }

    /// Says which panels a deck has. Its windows are sent what those that are new to it show.
    pub fn deck_panels(&self, deck: usize, keys: &Arc<BTreeSet<String>>) {
        for board in [&self.speaker, &self.audience] {
            board.send_if_modified(|board| {
                let Some(frames) = board.decks.get_mut(deck).filter(|frames| frames.panels != *keys) else {
                    return false;
                };
                let before = std::mem::replace(&mut frames.panels, keys.clone());
                for key in keys.difference(&before) {
                    if let Some(frame) = board.panels.get_mut(key) {
                        board.newest_panel += 1;
                        frame.number = board.newest_panel;
                    }
                }
                true
            });
        }
    }

    /// Shows what a panel shows; nothing is sent to boards that get nothing.
    pub fn panel(&self, key: &str, speaker: Option<Bytes>, audience: Option<Bytes>) {
        for (board, bytes) in [(&self.speaker, speaker), (&self.audience, audience)] {
            let Some(bytes) = bytes else { continue };
            board.send_modify(|board| {
                board.newest_panel += 1;
                board.panels.insert(key.to_owned(), Frame { number: board.newest_panel, bytes });
            });
        }
    }

    /// Forgets what a panel showed: nobody looks at it any more.
    pub fn forget_panel(&self, key: &str) {
        for board in [&self.speaker, &self.audience] {
            board.send_if_modified(|board| {
                board.panels.remove(key);
                false
            });
        }
    }

    /// Moves the laser and keeps connections alive until stopped; then says goodbye.
    pub async fn run(&self, stop: CancellationToken) {
        let mut heartbeat = tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
        let mut laser = self.laser.subscribe();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = heartbeat.tick() => self.beat(),
                changed = laser.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let to = *laser.borrow_and_update();
                    self.point(to);
                    tokio::time::sleep(LASER_STEP).await;
                }
            }
        }
        for board in [&self.speaker, &self.audience] {
            board.send_modify(|board| board.closing = true);
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // Commands are checked before they change anything, so a state behind a panic is whole.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called with the stage locked, so that boards change in the order of the states.
    fn publish(&self, stage: &Stage, now_ms: u64) {
        let speaker = told(stage.speaker().clone(), now_ms);
        self.speaker.send_modify(|board| board.state = state_frame(&speaker));
        self.saved.send_replace(speaker);
        let audience = told(stage.audience(), now_ms);
        let mut last = self.last_audience.lock().unwrap_or_else(PoisonError::into_inner);
        if !same_but_for_v(&last, &audience) {
            self.audience.send_modify(|board| board.state = state_frame(&audience));
            *last = audience;
        }
    }

    fn point(&self, to: Option<Point>) {
        let show = |board: &mut Board| board.laser = frame("laser", board.laser.number + 1, &to);
        self.speaker.send_modify(show);
        if to.is_none() || !self.stage().frozen() {
            self.audience.send_modify(show);
        }
    }

    fn beat(&self) {
        for board in [&self.speaker, &self.audience] {
            board.send_modify(|board| {
                board.heartbeat = Frame { number: board.heartbeat.number + 1, bytes: Bytes::from_static(b":\n\n") };
            });
        }
    }
}

/// The event for a state, with its `v` as the event's id.
pub fn state_frame(live: &Live) -> Frame {
    let Frame { number, bytes } = frame("state", live.v, live);
    let mut text = format!("id: {number}\n").into_bytes();
    text.extend_from_slice(&bytes);
    Frame { number, bytes: text.into() }
}

/// Whether a window that shows one state would look any different with the other.
fn same_but_for_v(a: &Live, b: &Live) -> bool {
    let timer = super::live::Timer { now_ms: b.timer.now_ms, ..a.timer };
    *b == Live { v: b.v, timer, ..a.clone() }
}

fn told(mut live: Live, now_ms: u64) -> Live {
    live.timer.now_ms = now_ms;
    live
}

/// The bytes of an event.
pub fn event<T: Serialize>(event: &str, data: &T) -> Bytes {
    frame(event, 0, data).bytes
}

fn frame<T: Serialize>(event: &str, number: u64, data: &T) -> Frame {
    let mut text = format!("event: {event}\n");
    // JSON has no raw line ends, so one `data:` line holds it.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    let _ = write!(text, "data: {data}\n\n");
    Frame { number, bytes: text.into() }
}

/// What one window has been sent.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    deck: Option<usize>,
    state: u64,
    laser: u64,
    heartbeat: u64,
    reload: u64,
    problems: u64,
    steps: u64,
    demo: u64,
    clock: u64,
    replay: u64,
    panels: u64,
    said_bye: bool,
}

impl Cursor {
    /// A window of `deck` that shows its `version` and has seen the state of `last_id`.
    pub fn new(board: &Board, deck: Option<usize>, version: Option<u64>, last_id: Option<u64>) -> Self {
        let frames = deck.and_then(|deck| board.decks.get(deck));
        let known_version = frames.map(|frames| frames.reload.number).filter(|number| Some(*number) == version);
        Self {
            deck,
            state: Some(board.state.number).filter(|number| Some(*number) == last_id).unwrap_or(0),
            // A pointer shown before the window came is not shown again.
            laser: board.laser.number,
            heartbeat: board.heartbeat.number,
            reload: known_version.unwrap_or(0),
            problems: frames.filter(|frames| !frames.broken).map_or(0, |frames| frames.problems.number),
            steps: 0,
            demo: 0,
            clock: 0,
            replay: 0,
            panels: 0,
            said_bye: false,
        }
    }

    /// Whether the board's state is news to this window.
    pub fn wants_state(&self, board: &Board) -> bool {
        self.state != board.state.number
    }

    /// Notes that the board's state was sent in another way.
    pub fn has_state(&mut self, number: u64) {
        self.state = number;
    }

    /// What is new on the board, and whether the stream ends with it.
    pub fn advance(&mut self, board: &Board) -> (Vec<Bytes>, bool) {
        let mut news = Vec::new();
        take(&mut news, &mut self.state, &board.state);
        if let Some(frames) = self.deck.and_then(|deck| board.decks.get(deck)) {
            take(&mut news, &mut self.reload, &frames.reload);
            take(&mut news, &mut self.problems, &frames.problems);
            take(&mut news, &mut self.steps, &frames.steps);
            if self.panels < board.newest_panel {
                let new = frames.panels.iter().filter_map(|key| board.panels.get(key));
                news.extend(new.filter(|frame| frame.number > self.panels).map(|frame| frame.bytes.clone()));
                self.panels = board.newest_panel;
            }
        }
        take(&mut news, &mut self.demo, &board.demo);
        take(&mut news, &mut self.clock, &board.clock);
        take(&mut news, &mut self.replay, &board.replay);
        take(&mut news, &mut self.laser, &board.laser);
        let mut beat = Vec::new();
        take(&mut beat, &mut self.heartbeat, &board.heartbeat);
        if news.is_empty() {
            news = beat;
        }
        if board.closing && !self.said_bye {
            self.said_bye = true;
            news.push(Bytes::from_static(b"event: bye\ndata: {}\n\n"));
        }
        (news, board.closing)
    }
}

fn take(news: &mut Vec<Bytes>, seen: &mut u64, frame: &Frame) {
    if frame.number > *seen {
        *seen = frame.number;
        news.push(frame.bytes.clone());
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
