//! Recorded runs: everything that panels, terminals and steps showed, with the time since the beginning, in one file.
//!
//! A run is a set of *cells*, each a JSON value that changes (a panel, a step, the position), and of terminals, whose text
//! only grows. [`write::Writer`] makes the bytes of a file as things happen; [`read::Recording`] reads them, up to the
//! break when there is one; [`play::Player`] gives what was shown at any moment, and what changed since. The file is cut
//! into segments that begin with everything as it is then, so that a moment is found by unpacking one of them.
//!
//! ```text
//! block    first line, blocks, check sums          delta    what changed in a value
//! write    things that happen → bytes              read     bytes → segments
//! marks    when steps ran                          play     a moment → what was shown
//! files    .foredeck/runs/                         facts    what a run was made with
//! slides   which slide was shown when
//! ```

pub mod block;
pub mod delta;
pub mod facts;
pub mod files;
pub mod marks;
mod pack;
pub mod play;
pub mod read;
pub mod slides;
pub mod write;

use serde::{Deserialize, Serialize};

/// What a run was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Trying out.
    Rehearsal,
    /// A talk.
    Talk,
    /// A participant's way through a workshop.
    Workshop,
}

impl What {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Talk => "talk",
            Self::Workshop => "workshop",
        }
    }
}

/// The facts about a run, at the beginning of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of foredeck that recorded it.
    pub foredeck: String,
    /// What it was made for.
    pub what: What,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// The decks that were shown, in order.
    pub decks: Vec<String>,
}

/// How a run ended, at the end of its file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// The decks, and how they went.
    pub decks: Vec<DeckEnd>,
    /// When steps ran.
    pub steps: Vec<marks::Step>,
    /// Whether the end is missing because the file may not be larger.
    #[serde(default)]
    pub full: bool,
    /// Changes that came too fast to be written.
    #[serde(default)]
    pub lost: u64,
}

/// How the run of a deck ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeckEnd {
    /// The deck's name.
    pub deck: String,
    /// The hash of its text.
    pub hash: String,
    /// How many steps it has.
    pub steps: usize,
    /// Whether all of them passed.
    pub passed: bool,
}

/// The cell of a panel with this key.
pub fn panel_cell(key: &str) -> String {
    format!("panel {key}")
}

/// The cell of a step.
pub fn step_cell(deck: &str, name: &str) -> String {
    format!("step {deck}#{name}")
}

/// The cell of a terminal's size.
pub fn terminal_cell(name: &str) -> String {
    format!("terminal {name}")
}

/// The cell of a deck's title and hash.
pub fn deck_cell(deck: &str) -> String {
    format!("deck {deck}")
}

/// The cell of a workshop's step: how far it is, and how its checks stand.
pub fn check_cell(step: &str) -> String {
    format!("check {step}")
}

/// The cell of where the speaker is.
pub const POSITION: &str = "position";
/// The cell of what the run is made with.
pub const FACTS: &str = "facts";
/// The cell of the reconciler: the commit that is applied, and how the last sync went.
pub const SYNC: &str = "sync";
/// The cell of the system behind the slides.
pub const DEMO: &str = "demo";

/// `14:02`, or `Mon 14:02` when it was another day: when a run began, in this machine's time.
pub fn clock(started_ms: u64, now_ms: u64) -> String {
    let zone = jiff::tz::TimeZone::system();
    let at = |ms: u64| {
        let at = jiff::Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX)).unwrap_or_default();
        at.to_zoned(zone.clone())
    };
    let (then, now) = (at(started_ms), at(now_ms));
    let form = if then.date() == now.date() { "%H:%M" } else { "%b %-d %H:%M" };
    then.strftime(form).to_string()
}

#[cfg(test)]
mod tests;
