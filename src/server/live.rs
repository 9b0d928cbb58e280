//! Where the talk is: one state, and what the speaker may do to it. Time is passed in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the talk is, as every window is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Grows with every change, also across restarts of the server.
    pub v: u64,
    /// The deck that is shown.
    pub deck: String,
    /// The slide, from 0.
    pub slide: u32,
    /// How many fragments of it are shown.
    pub fragment: u16,
    /// What the screens show.
    pub screen: Screen,
    /// Whether followers are kept where they are.
    pub freeze: bool,
    /// The enlarged part of the slide.
    pub zoom: Option<Zoom>,
    /// The speaker's stop-watch.
    pub timer: Timer,
    /// Version of the deck that is shown.
    pub deck_version: u64,
}

/// What the screens show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Screen {
    /// The slide.
    Live,
    /// Nothing, black.
    Black,
    /// Nothing, white.
    White,
    /// The audience's address as a QR code.
    Qr,
}

/// A point of the slide, 0 to 1 from its left and top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A part of the slide, enlarged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zoom {
    /// Centre, 0 to 1 from the left.
    pub x: f64,
    /// Centre, 0 to 1 from the top.
    pub y: f64,
    /// How much larger.
    pub scale: f64,
}

/// A stop-watch that needs no ticks: shown time is `elapsed_ms`, plus `now_ms - at_ms` while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timer {
    /// Whether it runs.
    pub running: bool,
    /// Milliseconds counted up to `at_ms`.
    pub elapsed_ms: u64,
    /// When it was last started, stopped or reset, in milliseconds since 1970.
    pub at_ms: u64,
    /// When this was told, by the same clock: the reader's own may be wrong.
    #[serde(default)]
    pub now_ms: u64,
}

/// What the speaker's windows may ask for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Command {
    /// To a slide.
    Goto {
        /// The deck; the one that is shown when not given.
        deck: Option<String>,
        /// The slide, from 0.
        slide: u32,
        /// How many of its fragments are shown.
        #[serde(default)]
        fragment: u16,
    },
    /// One fragment or slide on.
    Next,
    /// One fragment or slide back.
    Previous,
    /// The slide, black or white.
    Screen {
        /// What the screens show.
        to: Screen,
    },
    /// Keeps followers where they are.
    Freeze {
        /// Or lets them go.
        on: bool,
    },
    /// The stop-watch.
    Timer {
        /// What it does.
        to: TimerCommand,
    },
    /// Enlarges a part, or nothing.
    Zoom {
        /// The part.
        to: Option<Zoom>,
    },
    /// Points at a place, or nowhere.
    Laser {
        /// The place.
        to: Option<Point>,
    },
}

/// What the stop-watch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimerCommand {
    /// Goes on.
    Start,
    /// Pauses.
    Stop,
    /// Back to zero.
    Reset,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No deck of this name.
    #[error("there is no deck `{0}`")]
    UnknownDeck(String),
    /// A number that is none or is out of its range.
    #[error("`{0}` must be a number from {1} to {2}")]
    OutOfRange(&'static str, u32, u32),
}

/// What the position must fit: the decks as they are now.
#[derive(Debug, Clone, Default)]
pub struct DeckShape {
    /// Grows with every change of the deck.
    pub version: u64,
    /// Fragments of every slide; empty while the deck is not compiled.
    pub fragments: Vec<u16>,
}

/// The speaker's state, and what followers see of it.
#[derive(Debug, Clone)]
pub struct Stage {
    speaker: Live,
    held: Option<Held>,
    shapes: BTreeMap<String, DeckShape>,
}

/// Where followers are kept while the speaker is elsewhere.
#[derive(Debug, Clone)]
struct Held {
    deck: String,
    slide: u32,
    fragment: u16,
    zoom: Option<Zoom>,
}

impl Stage {
    /// The beginning of the first of these decks.
    pub fn new(decks: &[String], first_version: u64) -> Self {
        let shapes = decks.iter().map(|slug| (slug.clone(), DeckShape::default())).collect();
        let speaker = Live {
            v: first_version,
            deck: decks.first().cloned().unwrap_or_default(),
            slide: 0,
            fragment: 0,
            screen: Screen::Live,
            freeze: false,
            zoom: None,
            timer: Timer { at_ms: first_version, now_ms: first_version, ..Timer::default() },
            deck_version: 0,
        };
        Self { speaker, held: None, shapes }
    }

    /// Goes on where an earlier server was; a deck that is gone stays unshown.
    pub fn resume(&mut self, earlier: &Live) {
        if self.shapes.contains_key(&earlier.deck) {
            self.speaker.deck.clone_from(&earlier.deck);
            self.speaker.slide = earlier.slide;
            self.speaker.fragment = earlier.fragment;
        }
        self.speaker.screen = earlier.screen;
        self.speaker.timer = earlier.timer;
        self.speaker.v = self.speaker.v.max(earlier.v.saturating_add(1));
        self.fit();
    }

    /// What the speaker's windows show.
    pub fn speaker(&self) -> &Live {
        &self.speaker
    }

    /// What followers show.
    pub fn audience(&self) -> Live {
        let mut live = self.speaker.clone();
        if let Some(held) = &self.held {
            live.deck.clone_from(&held.deck);
            live.slide = held.slide;
            live.fragment = held.fragment;
            live.zoom = held.zoom;
            live.deck_version = self.shapes.get(&held.deck).map_or(0, |shape| shape.version);
        }
        live
    }

    /// Whether followers are kept where they are.
    pub fn frozen(&self) -> bool {
        self.held.is_some()
    }

    /// Carries out a command; says whether anything changed.
    ///
    /// # Errors
    /// When the command names a deck that is not there, or a number outside its range; nothing changes then.
    pub fn apply(&mut self, command: &Command, now_ms: u64) -> Result<bool, Refusal> {
        let before = self.speaker.clone();
        match command {
            Command::Goto { deck, slide, fragment } => self.goto(deck.as_deref(), *slide, *fragment)?,
            Command::Next => self.next(),
            Command::Previous => self.previous(),
            Command::Screen { to } => self.speaker.screen = *to,
            Command::Freeze { on } => self.freeze(*on),
            Command::Timer { to } => self.speaker.timer = self.speaker.timer.after(*to, now_ms),
            Command::Zoom { to } => self.speaker.zoom = to.map(checked_zoom).transpose()?,
            Command::Laser { to } => {
                to.map(checked_point).transpose()?;
            }
        }
        Ok(self.bump(&before))
    }

    /// Notes a deck's new shape; says whether the state changed.
    pub fn reshape(&mut self, slug: &str, shape: DeckShape) -> bool {
        let before = self.speaker.clone();
        self.shapes.insert(slug.to_owned(), shape);
        self.fit();
        let moved = self.bump(&before);
        moved || self.held.as_ref().is_some_and(|held| held.deck == slug) && self.touch()
    }

    fn touch(&mut self) -> bool {
        self.speaker.v += 1;
        true
    }

    fn bump(&mut self, before: &Live) -> bool {
        *before != self.speaker && self.touch()
    }

    fn goto(&mut self, deck: Option<&str>, slide: u32, fragment: u16) -> Result<(), Refusal> {
        if let Some(deck) = deck {
            if !self.shapes.contains_key(deck) {
                return Err(Refusal::UnknownDeck(deck.to_owned()));
            }
            if self.speaker.deck != deck {
                self.speaker.zoom = None;
                deck.clone_into(&mut self.speaker.deck);
            }
        }
        self.move_to(slide, fragment);
        Ok(())
    }

    fn next(&mut self) {
        let Live { slide, fragment, .. } = self.speaker;
        let here = self.fragments(slide);
        if fragment < here {
            self.move_to(slide, fragment + 1);
        } else if slide < self.last() {
            self.move_to(slide + 1, 0);
        }
    }

    fn previous(&mut self) {
        let Live { slide, fragment, .. } = self.speaker;
        if fragment > 0 {
            self.move_to(slide, fragment - 1);
        } else if slide > 0 {
            self.move_to(slide - 1, self.fragments(slide - 1));
        }
    }

    /// A zoom belongs to its slide.
    fn move_to(&mut self, slide: u32, fragment: u16) {
        let from = self.speaker.slide;
        self.speaker.slide = slide;
        self.speaker.fragment = fragment;
        self.fit();
        if from != self.speaker.slide {
            self.speaker.zoom = None;
        }
    }

    fn freeze(&mut self, on: bool) {
        self.speaker.freeze = on;
        if !on {
            self.held = None;
        } else if self.held.is_none() {
            let Live { deck, slide, fragment, zoom, .. } = self.speaker.clone();
            self.held = Some(Held { deck, slide, fragment, zoom });
        }
    }

    /// Keeps the positions inside the decks as they are now.
    fn fit(&mut self) {
        let Some(shape) = self.shapes.get(&self.speaker.deck) else { return };
        self.speaker.deck_version = shape.version;
        (self.speaker.slide, self.speaker.fragment) = shape.fit(self.speaker.slide, self.speaker.fragment);
        if let Some(held) = &mut self.held
            && let Some(shape) = self.shapes.get(&held.deck)
        {
            (held.slide, held.fragment) = shape.fit(held.slide, held.fragment);
        }
    }

    fn shape(&self) -> Option<&DeckShape> {
        self.shapes.get(&self.speaker.deck)
    }

    fn fragments(&self, slide: u32) -> u16 {
        self.shape().and_then(|shape| shape.fragments.get(slide as usize)).copied().unwrap_or(0)
    }

    fn last(&self) -> u32 {
        self.shape().and_then(DeckShape::last).unwrap_or(0)
    }
}

impl DeckShape {
    /// The last slide, from 0; `None` while the deck is not compiled.
    fn last(&self) -> Option<u32> {
        Some(u32::try_from(self.fragments.len().checked_sub(1)?).unwrap_or(u32::MAX))
    }

    /// The nearest position that the deck has.
    fn fit(&self, slide: u32, fragment: u16) -> (u32, u16) {
        let Some(last) = self.last() else { return (slide, fragment) };
        let slide = slide.min(last);
        (slide, fragment.min(self.fragments[slide as usize]))
    }
}

impl Timer {
    fn after(self, command: TimerCommand, now_ms: u64) -> Self {
        let since = if self.running { now_ms.saturating_sub(self.at_ms) } else { 0 };
        match command {
            TimerCommand::Start if self.running => self,
            TimerCommand::Start => Self { running: true, at_ms: now_ms, now_ms, ..self },
            TimerCommand::Stop if !self.running => self,
            TimerCommand::Stop => {
                Self { running: false, elapsed_ms: self.elapsed_ms.saturating_add(since), at_ms: now_ms, now_ms }
            }
            TimerCommand::Reset => Self { elapsed_ms: 0, at_ms: now_ms, now_ms, ..self },
        }
    }
}

/// A point inside the slide, or the name of what is not.
///
/// # Errors
/// When a coordinate is not between 0 and 1.
pub fn checked_point(point: Point) -> Result<Point, Refusal> {
    for (name, value) in [("x", point.x), ("y", point.y)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Refusal::OutOfRange(name, 0, 1));
        }
    }
    Ok(point)
}

fn checked_zoom(zoom: Zoom) -> Result<Zoom, Refusal> {
    checked_point(Point { x: zoom.x, y: zoom.y })?;
    if !(1.0..=20.0).contains(&zoom.scale) {
        return Err(Refusal::OutOfRange("scale", 1, 20));
    }
    Ok(zoom)
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
