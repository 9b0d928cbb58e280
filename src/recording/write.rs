//! Things that happen → the bytes of a run's file. Pure: time is passed in, bytes are taken out.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::block::{self, Block, Kind};
use super::marks::{self, Step};
use super::pack::{Packer, whole};
use super::{DeckEnd, End, Head, delta};
use crate::panel::mask::Masker;
use crate::panel::redact::Secrets;

/// A segment covers so much time, and so many bytes before they are packed.
const SEGMENT: (u32, usize) = (60_000, 192 * 1024);
/// What is kept of a terminal's text for the beginnings of segments.
const TAIL: usize = 12 * 1024;
/// Cells of one run.
const MOST_CELLS: usize = 2000;

struct Cell {
    key: String,
    value: Value,
    /// The last of a terminal's text.
    tail: String,
}

/// Makes a run's file.
pub struct Writer {
    masker: Masker,
    most: usize,
    written: usize,
    full: bool,
    cells: Vec<Cell>,
    places: HashMap<String, usize>,
    steps: Vec<Step>,
    packer: Option<Packer>,
    /// When the segment began, and how much it holds before packing.
    segment: (u32, usize),
    /// Whether the next block is the segment's first.
    opening: bool,
    /// What is to be packed next, and the moment of its first line.
    lines: Vec<u8>,
    from: u32,
    last: u32,
    out: Vec<u8>,
}

impl Writer {
    /// Begins a file that will have at most about `most` bytes. Secrets are masked in all that is written.
    pub fn new(head: &Head, secrets: Secrets, most: usize) -> Self {
        let mut out = block::first_line().into_bytes();
        let payload = whole(json!(head).to_string().as_bytes());
        Block { kind: Kind::Head, from: 0, to: 0, payload: &payload }.write(&mut out);
        Self {
            masker: Masker::new(secrets),
            most,
            written: out.len(),
            full: false,
            cells: Vec::new(),
            places: HashMap::new(),
            steps: Vec::new(),
            packer: None,
            segment: (0, 0),
            opening: false,
            lines: Vec::new(),
            from: 0,
            last: 0,
            out,
        }
    }

    /// What is secret from now on.
    pub fn keep_secret(&mut self, secrets: Secrets) {
        self.masker = Masker::new(secrets);
    }

    /// A cell has this value now.
    pub fn set(&mut self, at: u32, key: &str, mut value: Value) {
        self.masker.mask(&mut value);
        if key.starts_with("step ") {
            marks::note(&mut self.steps, at.max(self.last), &value);
        }
        let Some(at) = self.begin(at) else { return };
        let Some((id, new)) = self.cell(key) else { return };
        let cell = &mut self.cells[id];
        let line = if new {
            json!(["s", at, id, value])
        } else {
            let Some(delta) = delta::between(&cell.value, &value) else { return };
            json!(["d", at, id, delta])
        };
        cell.value = value;
        self.line(&line);
    }

    /// A terminal has shown this.
    pub fn text(&mut self, at: u32, terminal: &str, text: &str) {
        let Some(at) = self.begin(at) else { return };
        let Some((id, new)) = self.cell(&super::terminal_cell(terminal)) else { return };
        if new {
            self.line(&json!(["s", at, id, null]));
        }
        let tail = &mut self.cells[id].tail;
        tail.push_str(text);
        if tail.len() > TAIL * 2 {
            let from = tail.len() - TAIL;
            let cut = tail.bytes().skip(from).position(|byte| byte == b'\n').map_or(tail.len(), |end| from + end + 1);
            tail.drain(..cut);
        }
        self.line(&json!(["t", at, id, text]));
    }

    /// A terminal is empty, and shows what follows.
    pub fn anew(&mut self, at: u32, terminal: &str) {
        let Some(at) = self.begin(at) else { return };
        let Some((id, _)) = self.cell(&super::terminal_cell(terminal)) else { return };
        self.cells[id].tail.clear();
        self.line(&json!(["a", at, id]));
    }

    /// Whether bytes wait to be [taken](Self::take).
    pub fn holds(&self) -> bool {
        !self.lines.is_empty() || !self.out.is_empty()
    }

    /// When steps ran so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The bytes to add to the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.pack();
        self.written += self.out.len();
        self.full |= self.written >= self.most;
        std::mem::take(&mut self.out)
    }

    /// The last bytes of the file, with how the run ended.
    pub fn finish(mut self, at: u32, decks: Vec<DeckEnd>, lost: u64) -> Vec<u8> {
        self.pack();
        let end = End { decks, steps: self.steps, full: self.full, lost };
        let payload = whole(json!(end).to_string().as_bytes());
        let at = at.max(self.last);
        Block { kind: Kind::End, from: at, to: at, payload: &payload }.write(&mut self.out);
        self.out
    }

    /// Makes room for a thing that happens; gives its moment, never before that of the one before.
    fn begin(&mut self, at: u32) -> Option<u32> {
        if self.full {
            return None;
        }
        let at = at.max(self.last);
        let (from, bytes) = self.segment;
        if self.packer.is_none() || at - from >= SEGMENT.0 || bytes >= SEGMENT.1 {
            self.open(at);
        }
        if self.lines.is_empty() {
            self.from = at;
        }
        self.last = at;
        Some(at)
    }

    /// Begins a segment with everything as it is.
    fn open(&mut self, at: u32) {
        self.pack();
        self.packer = Some(Packer::new());
        self.opening = true;
        self.segment = (at, 0);
        self.from = at;
        let mut lines = Vec::new();
        for (id, cell) in self.cells.iter().enumerate() {
            lines.push(json!(["c", id, cell.key]));
            lines.push(json!(["s", at, id, cell.value]));
            if !cell.tail.is_empty() {
                lines.push(json!(["t", at, id, cell.tail]));
            }
        }
        lines.push(json!(["k"]));
        lines.iter().for_each(|line| self.line(line));
        // What is repeated does not hasten the next segment.
        self.segment.1 = 0;
    }

    /// The number of a cell, and whether it is a new one.
    fn cell(&mut self, key: &str) -> Option<(usize, bool)> {
        if let Some(id) = self.places.get(key) {
            return Some((*id, false));
        }
        let id = self.cells.len();
        if id >= MOST_CELLS {
            return None;
        }
        self.cells.push(Cell { key: key.to_owned(), value: Value::Null, tail: String::new() });
        self.places.insert(key.to_owned(), id);
        self.line(&json!(["c", id, key]));
        Some((id, true))
    }

    fn line(&mut self, line: &Value) {
        let before = self.lines.len();
        self.lines.extend(line.to_string().into_bytes());
        self.lines.push(b'\n');
        self.segment.1 += self.lines.len() - before;
    }

    /// Makes a block of the lines.
    fn pack(&mut self) {
        let Some(packer) = self.packer.as_mut().filter(|_| !self.lines.is_empty()) else { return };
        let kind = if std::mem::take(&mut self.opening) { Kind::Key } else { Kind::More };
        let payload = packer.pack(&self.lines);
        Block { kind, from: self.from, to: self.last.max(self.from), payload: &payload }.write(&mut self.out);
        self.lines.clear();
    }
}
