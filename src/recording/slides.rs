//! Which slide was shown when, read off a run. Pure.

use std::sync::Arc;

use super::POSITION;
use super::play::{Change, Player};
use super::read::Recording;

/// A stretch of time on a slide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The deck.
    pub deck: String,
    /// The slide, from 0.
    pub slide: usize,
    /// When it was come to, in milliseconds from the run's beginning.
    pub from: u32,
    /// When it was left.
    pub to: u32,
}

/// The stays of a run, in order.
pub fn stays(run: &Arc<Recording>) -> Vec<Stay> {
    let mut player = Player::new(run.clone());
    let mut stays: Vec<Stay> = Vec::new();
    let mut note = |player: &Player, at: u32| {
        let Some(cell) = player.scene().cells.get(POSITION) else { return };
        let deck = cell["deck"].as_str().unwrap_or_default();
        let slide = cell["slide"].as_u64().and_then(|slide| usize::try_from(slide).ok()).unwrap_or(0);
        match stays.last_mut() {
            Some(last) if last.deck == deck && last.slide == slide => {}
            last => {
                if let Some(last) = last {
                    last.to = at;
                }
                stays.push(Stay { deck: deck.to_owned(), slide, from: at, to: run.length });
            }
        }
    };
    note(&player, 0);
    while let Some(at) = player.next_at() {
        if player.advance(at).contains(&Change::Cell(POSITION.to_owned())) {
            note(&player, at);
        }
    }
    stays
}
