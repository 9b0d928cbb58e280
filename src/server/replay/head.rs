//! Where a run that is shown again is: it goes on from a moment at its own speed, and stops before the next step. Pure.

use std::time::{Duration, Instant};

use crate::recording::marks;
use crate::recording::read::Recording;

/// A place in a run that moves with time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The deck whose run it is.
    pub deck: String,
    /// The moment that it moves from, in milliseconds.
    pub from: u32,
    /// When it began to move.
    pub since: Instant,
    /// It stops there.
    pub until: u32,
    /// Grows with every jump.
    pub jump: u64,
}

impl Head {
    /// The beginning of a deck's run.
    pub fn start(deck: &str, run: Option<&Recording>, now: Instant) -> Self {
        let until = run.map_or(0, |run| marks::until(&run.end.steps, 0, run.length));
        Self { deck: deck.to_owned(), from: 0, since: now, until, jump: 0 }
    }

    /// The moment that it is at.
    pub fn at(&self, now: Instant) -> u32 {
        let gone = u32::try_from(now.saturating_duration_since(self.since).as_millis()).unwrap_or(u32::MAX);
        self.from.saturating_add(gone).min(self.until.max(self.from))
    }

    /// When it will be at a moment; `None` when it stops before.
    pub fn when(&self, at: u32) -> Option<Instant> {
        (at <= self.until).then(|| self.since + Duration::from_millis(at.saturating_sub(self.from).into()))
    }

    /// Goes to a step that has run for `elapsed`, and on from there until the next one.
    pub fn to_step(&mut self, run: &Recording, name: &str, elapsed: Duration, now: Instant) -> bool {
        let Some(step) = run.step(&self.deck, name) else { return false };
        let until = marks::until(&run.end.steps, step.from, run.length);
        let gone = u32::try_from(elapsed.as_millis()).unwrap_or(u32::MAX);
        self.jump_to(step.from.saturating_add(gone).min(until), until, now);
        true
    }

    /// Goes to the moment before a step, and waits there.
    pub fn before_step(&mut self, run: &Recording, name: &str, now: Instant) {
        if let Some(step) = run.step(&self.deck, name) {
            self.jump_to(step.from, step.from, now);
        }
    }

    /// A slide with these steps is shown: unless they have begun, it waits before the first of them.
    pub fn to_slide<'a>(&mut self, run: &Recording, steps: impl IntoIterator<Item = &'a str>, now: Instant) {
        let first = steps.into_iter().find_map(|name| run.step(&self.deck, name));
        if let Some(first) = first
            && first.from > self.at(now)
        {
            self.jump_to(first.from, first.from, now);
        }
    }

    fn jump_to(&mut self, from: u32, until: u32, now: Instant) {
        (self.from, self.until, self.since) = (from, until, now);
        self.jump += 1;
    }
}

/// How long a step may take before the rehearsed one is offered: one and a half times as long, and two seconds at least.
pub fn patience(rehearsed: Duration) -> Duration {
    (rehearsed * 3 / 2).max(rehearsed + Duration::from_secs(2))
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
