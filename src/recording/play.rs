//! What was shown at a moment of a run, and what changed since. Pure: the moment is passed in.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::delta;
use super::marks::{self, Step};
use super::read::{Line, Recording};

/// What a terminal is remembered to have shown.
const MOST_TEXT: usize = 256 * 1024;

/// Everything that was shown at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// The cells.
    pub cells: BTreeMap<String, Value>,
    /// What terminals have shown, by their cell.
    pub texts: BTreeMap<String, String>,
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The cell of this key.
    Cell(String),
    /// A terminal showed more.
    Text(String, String),
    /// A terminal was emptied.
    Anew(String),
}

/// Goes through a run.
#[derive(Debug)]
pub struct Player {
    run: Arc<Recording>,
    segment: usize,
    lines: VecDeque<Line>,
    cells: HashMap<u64, String>,
    scene: Scene,
    at: u32,
}

impl Player {
    /// At the beginning of a run.
    pub fn new(run: Arc<Recording>) -> Self {
        let mut player =
            Self { run, segment: 0, lines: VecDeque::new(), cells: HashMap::new(), scene: Scene::default(), at: 0 };
        player.seek(0);
        player
    }

    /// What is shown.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// The moment that it is at.
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Goes to a moment; everything may be another then.
    pub fn seek(&mut self, at: u32) {
        self.segment = self.run.segment_at(at);
        self.scene = Scene::default();
        self.cells.clear();
        self.lines = self.run.lines(self.segment).into();
        self.at = self.run.begins(self.segment).unwrap_or(0);
        while self.lines.front().is_some_and(|line| *line != Line::Key) {
            self.step();
        }
        self.advance(at);
    }

    /// Goes on to a later moment; gives what changed, in order.
    pub fn advance(&mut self, to: u32) -> Vec<Change> {
        let mut changes = Vec::new();
        while self.next_at().is_some_and(|at| at <= to) {
            changes.extend(self.step());
        }
        self.at = self.at.max(to);
        changes
    }

    /// When something changes next; `None` when nothing does any more.
    pub fn next_at(&mut self) -> Option<u32> {
        loop {
            match self.lines.front() {
                Some(Line::Set(at, ..) | Line::Change(at, ..) | Line::Text(at, ..) | Line::Anew(at, _)) => {
                    return Some(*at);
                }
                Some(Line::Cell(..) | Line::Key) => {
                    self.step();
                }
                None => {
                    let next = self.segment + 1;
                    let begins = self.run.begins(next)?;
                    self.segment = next;
                    self.lines = self.run.lines(next).into();
                    self.cells.clear();
                    // What it begins with is what is there already.
                    while let Some(line) = self.lines.pop_front() {
                        match line {
                            Line::Cell(id, key) => drop(self.cells.insert(id, key)),
                            Line::Key => break,
                            _ => {}
                        }
                    }
                    self.at = self.at.max(begins);
                }
            }
        }
    }

    fn step(&mut self) -> Option<Change> {
        let line = self.lines.pop_front()?;
        let key = |cells: &HashMap<u64, String>, id: u64| cells.get(&id).cloned();
        match line {
            Line::Cell(id, key) => {
                self.cells.insert(id, key);
                None
            }
            Line::Key => None,
            Line::Set(_, id, value) => {
                let key = key(&self.cells, id)?;
                self.scene.cells.insert(key.clone(), value);
                Some(Change::Cell(key))
            }
            Line::Change(_, id, change) => {
                let key = key(&self.cells, id)?;
                // One that does not fit is left out; the next segment mends what it was about.
                delta::apply(self.scene.cells.get_mut(&key)?, change).ok()?;
                Some(Change::Cell(key))
            }
            Line::Text(_, id, text) => {
                let key = key(&self.cells, id)?;
                let shown = self.scene.texts.entry(key.clone()).or_default();
                shown.push_str(&text);
                if shown.len() > MOST_TEXT {
                    let line = shown.bytes().skip(MOST_TEXT / 4).position(|byte| byte == b'\n');
                    let cut = line.map_or(shown.len(), |end| MOST_TEXT / 4 + end + 1);
                    shown.drain(..cut);
                }
                Some(Change::Text(key, text))
            }
            Line::Anew(_, id) => {
                let key = key(&self.cells, id)?;
                self.scene.texts.insert(key.clone(), String::new());
                Some(Change::Anew(key))
            }
        }
    }
}

/// When steps ran, of a run whose file does not say it.
pub(super) fn steps(run: &Recording) -> Vec<Step> {
    let mut player = Player::new(Arc::new(run.clone()));
    let mut steps = Vec::new();
    for (key, cell) in &player.scene.cells {
        if key.starts_with("step ") {
            marks::note(&mut steps, 0, cell);
        }
    }
    while let Some(at) = player.next_at() {
        if let Some(Change::Cell(key)) = player.step()
            && key.starts_with("step ")
            && let Some(cell) = player.scene.cells.get(&key)
        {
            marks::note(&mut steps, at, cell);
        }
    }
    steps
}
