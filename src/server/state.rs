//! What handlers share: the decks, the hub, tokens, limits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::address::Urls;
use super::desk::Desk;
use super::error::Problem;
use super::feed::{DeckFeed, ShownDeck};
use super::guard::HostPolicy;
use super::hub::Hub;
use super::metrics::Metrics;
use super::panels::Panels;
use super::record::Tape;
use super::replay::Replay;
use super::role::Tokens;
use super::routes::asset::Assets;
use crate::project::{Compiled, files};
use crate::render::template::{self, Templates};
use crate::sandbox::Sandbox;
use crate::sandbox::keep::Demo;
use crate::workshop::seat::Seat;

/// How much one server takes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Event streams of one address. A whole room may sit behind one, so this is large.
    pub streams_per_address: usize,
    /// A request's head must be there after this; it is also how long an idle connection is kept.
    pub head_timeout: Duration,
    /// A command's body must be there after this.
    pub body_timeout: Duration,
    /// A client that takes nothing for this long is gone.
    pub stall_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            streams_per_address: 5_000,
            head_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// What handlers share.
pub struct App {
    /// The decks, in the order of the index.
    pub decks: Vec<ShownDeck>,
    /// The talk's state.
    pub hub: Hub,
    /// Who is who.
    pub tokens: Tokens,
    /// Names the server answers to.
    pub hosts: HostPolicy,
    /// Addresses to show.
    pub urls: Urls,
    /// What is counted.
    pub metrics: Metrics,
    /// The project's folder, with all links resolved.
    pub root: PathBuf,
    /// Name of the collection of decks.
    pub title: String,
    /// Embedded files, compressed.
    pub assets: Assets,
    /// Who listens.
    pub streams: Streams,
    /// How much is taken on.
    pub limits: Limits,
    /// The live system behind the slides.
    pub demo: watch::Receiver<Demo>,
    /// What is run from the slides.
    pub desk: Desk,
    /// What is live on the slides.
    pub panels: Panels,
    /// What is shown from recorded runs.
    pub replay: Replay,
    /// Where what is shown is recorded.
    pub tape: Option<Tape>,
    /// Templates that are filled in again and again.
    pub templates: Templates,
    /// The workshop, when there is one.
    pub workshop: Option<Arc<Seat>>,
    /// The pseudonym of the one learner whose sandbox this is, among many.
    pub learner: Option<String>,
    pub(super) overlay: fn(&Compiled) -> Option<String>,
    pub(super) notes_html: fn(&str) -> String,
    pub(super) clock: fn() -> u64,
    pub(super) started_ms: u64,
}

impl App {
    /// The deck of this name, and its number.
    ///
    /// # Errors
    /// When there is none; the answer lists those there are.
    pub fn deck(&self, slug: &str) -> Result<(usize, &ShownDeck), Problem> {
        let found = self.decks.iter().enumerate().find(|(_, deck)| deck.slug == slug);
        found.ok_or_else(|| Problem::unknown_deck(slug))
    }

    /// The live system with a repository of this name.
    pub fn repository(&self, name: &str) -> Option<Arc<Sandbox>> {
        let demo = self.demo.borrow();
        let sandbox = demo.ready()?;
        sandbox.repository.as_ref().filter(|repository| repository.name == name)?;
        Some(sandbox.clone())
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Fills in a page; a template of the project wins over the built-in one of the same name.
    ///
    /// # Errors
    /// When the template is wrong.
    pub fn page(&self, name: &str, context: &Value) -> Result<String, template::Error> {
        let root = self.root.clone();
        template::page(name, context, move |name| files::own_template(&root, name))
    }

    /// Shows what comes from a deck's cell until stopped.
    pub async fn follow(self: Arc<Self>, index: usize, feed: DeckFeed, stop: CancellationToken) {
        let mut compiled: watch::Receiver<_> = feed.compiled;
        loop {
            let now = compiled.borrow_and_update().clone();
            if let Some(now) = now {
                self.show(index, now);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                changed = compiled.changed() => if changed.is_err() { return },
            }
        }
    }

    fn show(&self, index: usize, compiled: Arc<Compiled>) {
        let Some(deck) = self.decks.get(index) else { return };
        let change = deck.show(compiled, self.overlay, self.started_ms);
        if let Some(reload) = change.reload {
            tracing::debug!(deck.slug = deck.slug, deck.version = reload.shape.version, "a deck is shown anew");
            self.hub.reload(index, reload.shape, reload.first, self.now_ms());
            self.desk.touch();
            self.panels.touch();
        }
        if let Some(html) = change.problems {
            self.hub.problems(index, &html);
        }
    }
}

/// Event streams, counted by address.
#[derive(Debug, Default)]
pub struct Streams {
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Streams {
    /// A place for one more stream, given back when dropped; `None` when the address has enough.
    pub fn enter(app: &Arc<App>, address: IpAddr, limit: usize) -> Option<Place> {
        let mut by_address = app.streams.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(address).or_insert(0);
        if *count >= limit {
            return None;
        }
        *count += 1;
        app.metrics.stream_opened();
        Some(Place { app: app.clone(), address })
    }
}

/// The place of one event stream.
pub struct Place {
    app: Arc<App>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.app.streams.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
        self.app.metrics.stream_closed();
    }
}
