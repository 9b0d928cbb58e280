//! What panels and terminals show at the moment that a run is at; a cell for each, so that many can follow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch as cell;

use crate::panel::state::PanelState;
use crate::panel::terminal::scrollback::{Reading, Scrollback};
use crate::recording::play::{Change, Player};
use crate::recording::{panel_cell, terminal_cell};

/// Bytes of a terminal that are kept.
const SCROLLBACK: usize = 256 * 1024;

/// What a terminal of a run shows.
#[derive(Debug)]
struct Screen {
    /// Grows when it begins anew.
    epoch: u64,
    text: Scrollback,
    size: (u16, u16),
    news: cell::Sender<u64>,
}

/// What is shown.
#[derive(Debug, Default)]
pub struct Shown {
    cells: Mutex<HashMap<String, cell::Sender<Option<Arc<PanelState>>>>>,
    screens: Mutex<HashMap<String, Screen>>,
}

impl Shown {
    /// What a panel shows in the run.
    pub fn panel(&self, key: &str) -> cell::Receiver<Option<Arc<PanelState>>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.entry(panel_cell(key)).or_insert_with(|| cell::Sender::new(None)).subscribe()
    }

    /// Whether the run has shown this panel by now.
    pub fn knows(&self, key: &str) -> bool {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.get(&panel_cell(key)).is_some_and(|cell| cell.borrow().is_some())
    }

    /// Changes whenever a terminal of the run shows more.
    pub fn terminal(&self, name: &str) -> cell::Receiver<u64> {
        self.screen(name, |screen| screen.news.subscribe())
    }

    /// What a terminal of the run shows, from a place in its epoch on; with the size it has.
    pub fn read(&self, name: &str, epoch: u64, from: u64, most: usize) -> (u64, Reading, (u16, u16)) {
        self.screen(name, |screen| {
            let from = if epoch == screen.epoch { from } else { 0 };
            let mut reading = screen.text.from(from, most);
            reading.anew |= epoch != screen.epoch;
            (screen.epoch, reading, screen.size)
        })
    }

    fn screen<T>(&self, name: &str, act: impl FnOnce(&mut Screen) -> T) -> T {
        let mut screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
        let empty =
            || Screen { epoch: 1, text: Scrollback::new(SCROLLBACK), size: (80, 24), news: cell::Sender::new(0) };
        act(screens.entry(name.to_owned()).or_insert_with(empty))
    }

    /// Shows what changed.
    pub(super) fn publish(&self, player: &Player, change: Change) {
        match change {
            Change::Cell(key) => {
                if let Some(value) = player.scene().cells.get(&key) {
                    self.show_cell(&key, value);
                }
            }
            Change::Text(key, text) => self.write(&key, |screen| screen.push(text.as_bytes()), false),
            Change::Anew(key) => self.write(&key, |screen| *screen = Scrollback::new(SCROLLBACK), true),
        }
    }

    /// Shows another moment.
    pub(super) fn publish_all(&self, player: &Player) {
        let known: Vec<String> = {
            let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            cells.keys().filter(|key| !player.scene().cells.contains_key(*key)).cloned().collect()
        };
        for key in known {
            self.show_cell(&key, &Value::Null);
        }
        for (key, value) in &player.scene().cells {
            self.show_cell(key, value);
        }
        let named: Vec<String> = {
            let screens = self.screens.lock().unwrap_or_else(PoisonError::into_inner);
            screens.keys().map(|name| terminal_cell(name)).collect()
        };
        for key in named.iter().chain(player.scene().texts.keys()) {
            let text = player.scene().texts.get(key).map_or("", String::as_str);
            let anew = |screen: &mut Scrollback| {
                *screen = Scrollback::new(SCROLLBACK);
                screen.push(text.as_bytes());
            };
            self.write(key, anew, true);
        }
    }

    fn show_cell(&self, key: &str, value: &Value) {
        if let Some(name) = key.strip_prefix("terminal ") {
            let size =
                |name: &str| value[name].as_u64().and_then(|size| u16::try_from(size).ok()).filter(|size| *size > 0);
            if let Some(size) = size("columns").zip(size("rows")) {
                self.screen(name, |screen| {
                    if std::mem::replace(&mut screen.size, size) != size {
                        screen.news.send_modify(|news| *news += 1);
                    }
                });
            }
            return;
        }
        if !key.starts_with("panel ") {
            return;
        }
        // Why a source was silent then is nobody's concern now.
        let state = serde_json::from_value::<PanelState>(value.clone()).ok();
        let state = state.map(|state| Arc::new(PanelState { problem: None, ..state }));
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = cells.entry(key.to_owned()).or_insert_with(|| cell::Sender::new(None));
        cell.send_if_modified(|old| {
            let news = *old != state;
            *old = state;
            news
        });
    }

    fn write(&self, key: &str, act: impl FnOnce(&mut Scrollback), anew: bool) {
        let Some(name) = key.strip_prefix("terminal ") else { return };
        self.screen(name, |screen| {
            act(&mut screen.text);
            screen.epoch += u64::from(anew);
            screen.news.send_modify(|news| *news += 1);
        });
    }
}
