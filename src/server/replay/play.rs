//! Keeps the cells and screens of a run at the moment its head is at.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Replay, SCROLLBACK};
use crate::panel::state::PanelState;
use crate::panel::terminal::scrollback::Scrollback;
use crate::recording::play::{Change, Player};
use crate::server::state::App;

/// Further than this, it is quicker to look the moment up than to go there.
const FAR: u32 = 60_000;

/// Plays until stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let replay = &app.replay;
    let mut heads = replay.head.subscribe();
    let mut playing: Option<(String, u64, Player)> = None;
    loop {
        let head = heads.borrow_and_update().clone();
        let mut wake = None;
        if let Some(head) = head
            && let Some(run) = replay.plan.runs.get(&head.deck)
        {
            let at = head.at(Instant::now());
            let there = playing.take().filter(|(deck, jump, player)| {
                *deck == head.deck && *jump == head.jump && at.saturating_sub(player.at()) < FAR
            });
            let mut player = match there {
                Some((_, _, mut player)) => {
                    player.advance(at).into_iter().for_each(|change| replay.publish(&player, change));
                    player
                }
                None => {
                    let mut player = Player::new(run.clone());
                    player.seek(at);
                    replay.publish_all(&player);
                    player
                }
            };
            wake = player.next_at().and_then(|next| head.when(next));
            playing = Some((head.deck, head.jump, player));
        }
        let next = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            changed = heads.changed() => if changed.is_err() { return },
            () = next => {}
        }
    }
}

impl Replay {
    fn publish(&self, player: &Player, change: Change) {
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

    fn publish_all(&self, player: &Player) {
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
            screens.keys().map(|name| crate::recording::terminal_cell(name)).collect()
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
        let cell = cells.entry(key.to_owned()).or_insert_with(|| super::cell::Sender::new(None));
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
