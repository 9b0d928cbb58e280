//! The bytes of a run's file → its segments, up to the break when there is one. Pure.

use std::ops::Range;

use serde_json::Value;

use super::block::{self, Kind};
use super::marks::{self, Step};
use super::pack::unpack;
use super::{End, Head};

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is something else.
    #[error("this is no recorded run")]
    NoRun,
    /// A later foredeck wrote it.
    #[error("this run was recorded by a newer foredeck (format {0}; this one reads {version})", version = block::VERSION)]
    Newer(u32),
    /// An earlier foredeck wrote it.
    #[error("this run was recorded by an older foredeck (format {0}; this one reads {version})", version = block::VERSION)]
    Older(u32),
    /// Nothing of it can be read.
    #[error("this run cannot be read: {0}")]
    Broken(&'static str),
    /// It shows other decks.
    #[error("this run was recorded from another deck: it shows {0}")]
    OtherDeck(String),
}

/// A stretch of a run that can be unpacked alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    from: u32,
    pieces: Vec<Range<usize>>,
}

/// A recorded run.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The facts about it.
    pub head: Head,
    /// How it ended; made up when the file breaks off before.
    pub end: End,
    /// Why there is no more of it, when it breaks off.
    pub broken: Option<&'static str>,
    /// The last moment, in milliseconds from the beginning.
    pub length: u32,
    bytes: Vec<u8>,
    segments: Vec<Segment>,
}

/// What happened, with its moment in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// A number stands for a cell.
    Cell(u64, String),
    /// What follows is no repetition any more.
    Key,
    /// A cell has a value.
    Set(u32, u64, Value),
    /// A cell's value changed.
    Change(u32, u64, Value),
    /// A terminal showed a text.
    Text(u32, u64, String),
    /// A terminal was emptied.
    Anew(u32, u64),
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no run, of another version, or nothing of it can be read.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Error> {
        let (version, body) = block::opened(&bytes).ok_or(Error::NoRun)?;
        match version {
            newer if newer > block::VERSION => return Err(Error::Newer(newer)),
            older if older < block::VERSION => return Err(Error::Older(older)),
            _ => {}
        }
        let mut at = bytes.len() - body.len();
        let (mut head, mut end, mut broken, mut length) = (None, None, None, 0);
        let mut segments: Vec<Segment> = Vec::new();
        loop {
            let (block, rest) = match block::next(&bytes[at..]) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(why) => {
                    broken = Some(why);
                    break;
                }
            };
            at = bytes.len() - rest.len();
            let piece = at - block.payload.len()..at;
            length = length.max(block.to);
            match (block.kind, segments.last_mut()) {
                (Kind::Head, _) => head = serde_json::from_slice(&unpack([block.payload])).ok(),
                (Kind::Key, _) => segments.push(Segment { from: block.from, pieces: vec![piece] }),
                (Kind::More, Some(segment)) => segment.pieces.push(piece),
                (Kind::More, None) => {}
                (Kind::End, _) => end = serde_json::from_slice(&unpack([block.payload])).ok(),
            }
            if head.is_none() {
                break;
            }
        }
        let head: Head = head.ok_or(Error::Broken(broken.unwrap_or("its first block is damaged")))?;
        if end.is_none() {
            broken = broken.or(Some("it ends in the middle"));
        }
        let mut run = Self { head, end: end.unwrap_or_default(), broken, length, bytes, segments };
        if run.broken.is_some() && run.end.steps.is_empty() {
            run.end.steps = super::play::steps(&run);
        }
        Ok(run)
    }

    /// The number of its segments.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// How many bytes its file has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// When a step ran that is shown again.
    pub fn step(&self, deck: &str, name: &str) -> Option<&Step> {
        marks::best(&self.end.steps, deck, name)
    }

    /// Whether every step of a deck passed.
    pub fn passed(&self, deck: &str) -> bool {
        self.end.decks.iter().any(|end| end.deck == deck && end.passed)
    }

    /// Whether it shows any of these decks.
    ///
    /// # Errors
    /// When it shows others.
    pub fn shows<'a>(&self, mut decks: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        if decks.any(|deck| self.head.decks.iter().any(|own| own == deck)) {
            return Ok(());
        }
        Err(Error::OtherDeck(self.head.decks.iter().map(|deck| format!("`{deck}`")).collect::<Vec<_>>().join(", ")))
    }

    /// The segment of a moment.
    pub(super) fn segment_at(&self, at: u32) -> usize {
        self.segments.partition_point(|segment| segment.from <= at).saturating_sub(1)
    }

    /// When a segment begins.
    pub(super) fn begins(&self, segment: usize) -> Option<u32> {
        self.segments.get(segment).map(|segment| segment.from)
    }

    /// What happened in a segment; a line that cannot be read ends it.
    pub(super) fn lines(&self, segment: usize) -> Vec<Line> {
        let Some(segment) = self.segments.get(segment) else { return Vec::new() };
        let pieces = segment.pieces.iter().filter_map(|piece| self.bytes.get(piece.clone()));
        let text = unpack(pieces);
        text.split_inclusive(|byte| *byte == b'\n').map_while(line).collect()
    }
}

fn line(bytes: &[u8]) -> Option<Line> {
    let Ok(Value::Array(mut parts)) = serde_json::from_slice(bytes) else { return None };
    let kind = parts.first()?.as_str()?.to_owned();
    if kind == "k" {
        return Some(Line::Key);
    }
    let number = |part: Option<&Value>| part.and_then(Value::as_u64);
    if kind == "c" {
        return Some(Line::Cell(number(parts.get(1))?, parts.get(2)?.as_str()?.to_owned()));
    }
    let at = u32::try_from(number(parts.get(1))?).ok()?;
    let cell = number(parts.get(2))?;
    let value = parts.pop()?;
    Some(match (kind.as_str(), value) {
        ("s", value) => Line::Set(at, cell, value),
        ("d", value) => Line::Change(at, cell, value),
        ("t", Value::String(text)) => Line::Text(at, cell, text),
        ("a", _) => Line::Anew(at, cell),
        _ => return None,
    })
}
