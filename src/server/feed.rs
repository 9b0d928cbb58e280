//! A deck as the server gets it and as it shows it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use super::document::Document;
use super::error::Problem;
use super::live::DeckShape;
use super::role::Role;
use crate::project::{Compiled, markup};
use crate::render::{change, page};

/// How long a request waits for a deck that is being compiled for the first time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A deck, and the cell its renderings come from.
#[derive(Debug, Clone)]
pub struct DeckFeed {
    /// The deck's name in URLs.
    pub slug: String,
    /// The deck's folder below the project's root, `""` or `decks`, with `/` between parts.
    pub folder: String,
    /// The deck; `None` while it has not been compiled yet. After a bad edit: the last good
    /// `rendered` with the new `diagnostics`.
    pub compiled: watch::Receiver<Option<Arc<Compiled>>>,
}

/// The documents a deck is shown with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The page, for a role, in a layout.
    Page(Role, Layout),
    /// The page that follows the speaker.
    Follow,
    /// The slides alone, with notes or without.
    Slides {
        /// Whether notes are in it.
        notes: bool,
    },
}

/// What `?view=` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One slide.
    Plain,
    /// With notes and the next slide.
    Presenter,
    /// All slides, small.
    Overview,
    /// One slide, told what to show.
    Next,
}

impl Layout {
    /// The layout of a `?view=` value; unknown ones give the plain one.
    pub fn named(name: &str) -> Self {
        match name {
            "presenter" => Self::Presenter,
            "overview" => Self::Overview,
            "next" => Self::Next,
            _ => Self::Plain,
        }
    }

    /// The `?view=` value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Presenter => "presenter",
            Self::Overview => "overview",
            Self::Next => "next",
        }
    }
}

/// One version of a deck, and its documents, made when first asked for and then shared.
pub struct View {
    /// Grows with every change.
    pub version: u64,
    /// The deck.
    pub compiled: Arc<Compiled>,
    /// HTML that shows what is wrong with it.
    pub overlay: Option<String>,
    documents: [OnceCell<Arc<Document>>; 15],
}

impl View {
    fn new(version: u64, compiled: Arc<Compiled>, overlay: Option<String>) -> Self {
        Self { version, compiled, overlay, documents: Default::default() }
    }

    /// The document, made by `make` unless there is one.
    ///
    /// # Errors
    /// What `make` could not do.
    pub async fn document<F>(&self, kind: Kind, make: F) -> Result<Arc<Document>, Problem>
    where
        F: AsyncFnOnce() -> Result<Document, Problem>,
    {
        let index = match kind {
            Kind::Page(role, layout) => role as usize * 4 + layout as usize,
            Kind::Follow => 12,
            Kind::Slides { notes: false } => 13,
            Kind::Slides { notes: true } => 14,
        };
        self.documents[index].get_or_try_init(async || make().await.map(Arc::new)).await.cloned()
    }

    fn shape(&self) -> DeckShape {
        let fragments = self.compiled.rendered.slides.iter().map(|slide| slide.fragments).collect();
        DeckShape { version: self.version, fragments }
    }
}

/// What became of a deck.
pub struct Change {
    /// The deck as it is now, when what it shows changed.
    pub reload: Option<Reload>,
    /// What is wrong now, when that changed; empty for nothing.
    pub problems: Option<String>,
}

/// A deck's new look.
pub struct Reload {
    /// For positions.
    pub shape: DeckShape,
    /// The first changed slide.
    pub first: Option<usize>,
}

/// A deck the server shows.
pub struct ShownDeck {
    /// The deck's name in URLs.
    pub slug: String,
    /// Where its relative addresses start: `/files/decks/`.
    pub base: String,
    view: watch::Sender<Option<Arc<View>>>,
}

impl ShownDeck {
    /// A deck that is not compiled yet.
    pub fn new(feed: &DeckFeed) -> Self {
        let parts = feed.folder.split('/').filter(|part| !part.is_empty() && *part != ".");
        let base = parts.fold("/files/".to_owned(), |base, part| base + &markup::percent_encode(part) + "/");
        Self { slug: feed.slug.clone(), base, view: watch::Sender::new(None) }
    }

    /// The deck as it is now, if it has been compiled.
    pub fn now(&self) -> Option<Arc<View>> {
        self.view.borrow().clone()
    }

    /// The deck, now and whenever it changes.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<View>>> {
        self.view.subscribe()
    }

    /// The deck, waiting for it to be compiled.
    ///
    /// # Errors
    /// When the deck is not compiled in time.
    pub async fn view(&self) -> Result<Arc<View>, Problem> {
        let mut receiver = self.view.subscribe();
        let ready = tokio::time::timeout(PATIENCE, receiver.wait_for(Option::is_some)).await;
        let view = ready.ok().and_then(Result::ok).and_then(|view| view.clone());
        view.ok_or_else(|| {
            Problem::unavailable(format!("the deck `{}` is not ready", self.slug))
                .hint("It is still being rendered; load this page again in a moment.")
        })
    }

    /// Takes in a compiled deck. `first_version` numbers its first version.
    pub fn show(
        &self,
        compiled: Arc<Compiled>,
        overlay: fn(&Compiled) -> Option<String>,
        first_version: u64,
    ) -> Change {
        let old = self.now();
        let overlay = overlay(&compiled);
        let same = old.as_ref().is_some_and(|old| looks_the_same(&old.compiled, &compiled));
        let first = old.as_ref().and_then(|old| change::first_change(&old.compiled.rendered, &compiled.rendered));
        let version = old.as_ref().map_or(first_version.max(1), |old| old.version + u64::from(!same));
        let before = old.as_ref().and_then(|old| old.overlay.as_deref()).unwrap_or("");
        let after = overlay.as_deref().unwrap_or("");
        let problems = (before != after).then(|| after.to_owned());
        if same && problems.is_none() {
            return Change { reload: None, problems };
        }
        let view = Arc::new(View::new(version, compiled, overlay));
        let reload = (!same).then(|| Reload { shape: view.shape(), first });
        self.view.send_replace(Some(view));
        Change { reload, problems }
    }

    /// The deck's title, or its name until it is compiled.
    pub fn title(&self) -> String {
        self.now().map_or_else(|| self.slug.clone(), |v| page::title(&v.compiled.rendered, &self.slug).to_owned())
    }
}

/// Whether windows may keep what they show. A deck that is sent again without any change at all
/// is not the same: a picture it names was replaced.
fn looks_the_same(old: &Compiled, new: &Compiled) -> bool {
    let nothing_changed = old.source.text() == new.source.text() && old.diagnostics == new.diagnostics;
    change::unchanged(&old.rendered, &new.rendered) && !nothing_changed
}

/// A slug as it stands in a URL.
pub fn encoded_slug(slug: &str) -> String {
    slug.split('/').map(markup::percent_encode).collect::<Vec<_>>().join("/")
}
