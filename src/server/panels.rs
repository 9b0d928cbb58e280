//! Live panels on their way to the windows: which are needed, one follower each, one frame for all who look.
//!
//! ```text
//! event streams ─→ windows per deck ─┐
//! decks' views ─→ keys per deck ─────┴─→ run: followers ─→ Sources::open ─→ view ─→ Hub
//! ```

mod cell;
pub mod chart;
pub mod exec;
pub mod once;
mod picture;
pub mod poll;
mod steps;
pub mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::feed::View;
use super::hub::event;
use super::state::App;
use crate::deck::{PanelKind, PanelSpec};
use crate::panel::source::Sources;
use crate::panel::state::PanelState;
use crate::render::template::Templates;
use crate::sandbox::keep::Demo;
use poll::Polls;

/// A source that is silent for so long is taken for lost: a moment's trouble is not worth a change.
const LOST: Duration = Duration::from_millis(100);
/// A panel is shown anew at most so often; in between the newest state waits.
const PACE: Duration = Duration::from_millis(80);

/// The panels of a server.
pub struct Panels {
    /// Where panels get what they show.
    pub sources: Sources,
    /// What the audience votes on.
    pub polls: Polls,
    windows: watch::Sender<Vec<usize>>,
    touched: watch::Sender<u64>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Panels {
    /// The panels of so many decks, which look at a live system.
    pub fn new(decks: usize, demo: watch::Receiver<Demo>, secrets: Vec<String>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self {
            sources: Sources::new(demo, secrets, stop.clone(), tasks.clone()),
            polls: Polls::default(),
            windows: watch::Sender::new(vec![0; decks]),
            touched: watch::Sender::new(0),
            stop,
            tasks,
        }
    }

    /// Says that decks have changed.
    pub fn touch(&self) {
        self.touched.send_modify(|times| *times += 1);
    }

    /// Cancelled when no panel is live any more.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// How many windows look at a deck.
    pub fn windows(&self, deck: usize) -> usize {
        self.windows.borrow().get(deck).copied().unwrap_or(0)
    }

    fn count(&self, deck: usize, change: impl FnOnce(&mut usize)) {
        self.windows.send_if_modified(|windows| {
            let Some(count) = windows.get_mut(deck) else { return false };
            let looked_at = *count > 0;
            change(count);
            // Only the first and the last window make a difference.
            looked_at != (*count > 0)
        });
    }
}

/// A window that looks at a deck, until dropped.
pub struct Looking {
    app: Arc<App>,
    deck: usize,
}

impl Looking {
    /// A window more.
    pub fn at(app: &Arc<App>, deck: usize) -> Self {
        app.panels.count(deck, |count| *count += 1);
        Self { app: app.clone(), deck }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.app.panels.count(self.deck, |count| *count = count.saturating_sub(1));
    }
}

/// A panel of a deck.
#[derive(Clone, Copy)]
struct Placed<'a> {
    deck: usize,
    spec: &'a PanelSpec,
}

impl Placed<'_> {
    /// What tells it from panels that show something else.
    fn key(&self) -> String {
        let key = self.spec.key();
        if cell::is_of_its_deck(self.spec.kind) { format!("{} {key}", self.deck) } else { key }
    }
}

/// The name of a deck's panel in recorded runs.
pub fn recorded_name(deck: &str, spec: &PanelSpec) -> String {
    let key = spec.key();
    if cell::is_of_its_deck(spec.kind) { format!("{deck}: {key}") } else { key }
}

/// The panels of a deck that show something live, by key.
fn panels(deck: usize, view: &View) -> BTreeMap<String, Placed<'_>> {
    let slides = view.compiled.rendered.slides.iter();
    let all = slides.flat_map(|slide| &slide.panels).map(|(_, spec)| spec);
    // A terminal is drawn by the terminal itself.
    let live = all.filter(|spec| spec.get("source").is_none_or(|source| source == "live"));
    let placed = live.filter(|spec| spec.kind != PanelKind::Terminal).map(|spec| Placed { deck, spec });
    placed.map(|panel| (panel.key(), panel)).collect()
}

/// Follows the panels that somebody looks at until stopped; then no source is open any more.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut windows = app.panels.windows.subscribe();
    let mut touched = app.panels.touched.subscribe();
    let mut followers: HashMap<String, DropGuard> = HashMap::new();
    let tasks = TaskTracker::new();
    loop {
        let looked_at = windows.borrow_and_update().clone();
        touched.mark_unchanged();
        let views: Vec<(usize, Arc<View>)> =
            app.decks.iter().enumerate().filter_map(|(index, deck)| Some((index, deck.now()?))).collect();
        let mut needed = BTreeMap::new();
        for (index, view) in &views {
            let panels = panels(*index, view);
            let keys: Arc<BTreeSet<String>> = Arc::new(panels.keys().cloned().collect());
            app.hub.deck_panels(*index, &keys);
            if looked_at.get(*index).is_some_and(|windows| *windows > 0) {
                needed.extend(panels);
            }
        }
        followers.retain(|key, _| needed.contains_key(key));
        for (key, Placed { deck, spec }) in needed {
            followers.entry(key.clone()).or_insert_with(|| {
                let ends = stop.child_token();
                let shown = cell::open(&app, deck, spec, &ends, &tasks);
                let slug = app.decks.get(deck).map_or("", |deck| deck.slug.as_str());
                let panel = Followed { key, name: spec.key(), recorded: recorded_name(slug, spec) };
                tasks.spawn(follow(app.clone(), panel, shown, ends.clone()));
                ends.drop_guard()
            });
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = windows.changed() => if changed.is_err() { break },
            changed = touched.changed() => if changed.is_err() { break },
        }
    }
    drop(followers);
    tasks.close();
    tasks.wait().await;
    app.panels.stop.cancel();
    app.panels.tasks.close();
    app.panels.tasks.wait().await;
}

/// A panel whose states go to windows, to the recording, or come from one.
struct Followed {
    /// What tells it from other panels.
    key: String,
    /// What windows know it by.
    name: String,
    /// Its name in recorded runs.
    recorded: String,
}

/// Shows a panel to every window, whenever it changes.
async fn follow(app: Arc<App>, panel: Followed, mut cell: cell::Shown, ends: CancellationToken) {
    let (mut recorded, mut chosen) = (app.replay.moment().panel(&panel.recorded), app.replay.shown());
    let mut told = (Bytes::new(), Bytes::new());
    let mut silent: Option<Instant> = None;
    let mut over = false;
    while !ends.is_cancelled() {
        let state = cell.borrow_and_update().clone();
        if let Some(tape) = &app.tape {
            tape.panel(&panel.recorded, &state);
        }
        // Before a source has begun it is not lost, unless there is nothing that could begin.
        let lost = state.problem.is_some() && (state.at.is_some() || matches!(*app.demo.borrow(), Demo::Failed(_)));
        silent = lost.then(|| silent.unwrap_or_else(Instant::now));
        let remaining = silent.map(|since| LOST.saturating_sub(since.elapsed()));
        if remaining.is_none_or(|left| left.is_zero()) {
            app.replay.lost(&app, &panel.recorded, lost);
        }
        let show_now = chosen.borrow_and_update().clone();
        let replayed = recorded.borrow_and_update().clone().filter(|_| show_now.panels.contains(&panel.recorded));
        let label = replayed.as_ref().map(|_| show_now.label.as_str());
        told = show(&app, &panel, replayed.as_ref().unwrap_or(&state), label, told);
        tokio::select! {
            () = ends.cancelled() => break,
            () = tokio::time::sleep(PACE) => {}
            // The other picture is shown at once.
            Ok(()) = chosen.changed() => continue,
        }
        tokio::select! {
            () = ends.cancelled() => break,
            Ok(()) = chosen.changed() => {}
            Ok(()) = recorded.changed() => {}
            // When its source is over, the last frame stays as long as anybody looks.
            changed = cell.changed(), if !over => over = changed.is_err(),
            () = tokio::time::sleep(remaining.unwrap_or_default()), if remaining.is_some_and(|left| !left.is_zero()) => {}
        }
    }
    app.hub.forget_panel(&panel.key);
}

/// Sends what is new to the speaker's and to the other windows; gives what they have been told.
fn show(app: &App, panel: &Followed, state: &PanelState, run: Option<&str>, told: (Bytes, Bytes)) -> (Bytes, Bytes) {
    let key = panel.key.as_str();
    let frame = match view::frame(&app.templates, &panel.name, state) {
        Ok(frame) => frame.of_run(run),
        Err(error) => {
            tracing::error!(panel.key = key, %error, "a panel could not be drawn");
            return told;
        }
    };
    // Without news there is nothing to tell: the snapshot stays.
    let audience = if frame.html.is_some() || frame.stale { event("panel", &frame) } else { Bytes::new() };
    let speaker = match (&state.problem, &state.controls) {
        (None, None) => audience.clone(),
        _ => event("panel", &frame.for_speaker(state)),
    };
    let news = |now: &Bytes, before: &Bytes| (!now.is_empty() && now != before).then(|| now.clone());
    app.hub.panel(key, news(&speaker, &told.0), news(&audience, &told.1));
    (speaker, audience)
}

/// A panel's state as the event for whoever owns what it shows, with what is wrong with its source.
pub(super) fn frame_for_owner(templates: &Templates, key: &str, state: &PanelState) -> Option<Bytes> {
    match view::frame(templates, key, state) {
        Ok(frame) => Some(event("panel", &frame.for_speaker(state))),
        Err(error) => {
            tracing::error!(panel.key = key, %error, "a panel could not be drawn");
            None
        }
    }
}
