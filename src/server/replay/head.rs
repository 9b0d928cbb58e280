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
mod tests {
    use super::*;
    use crate::recording::marks::Step;
    use crate::recording::write::Writer;
    use crate::recording::{Head as Facts, What};

    fn run() -> Recording {
        let facts = Facts { foredeck: String::new(), what: What::Talk, started_ms: 0, decks: vec!["d".into()] };
        let bytes = Writer::new(&facts, Default::default(), 1 << 20);
        let mut run = Recording::open(bytes.finish(90_000, Vec::new(), 0)).expect("a run");
        let step = |name: &str, from, state: &str| Step {
            deck: "d".into(),
            name: name.into(),
            slide: 0,
            from,
            to: Some(from + 5000),
            state: state.into(),
        };
        run.end.steps =
            vec![step("a", 10_000, "failed"), step("a", 20_000, "passed"), step("b", 40_000, "passed")];
        run
    }

    #[test]
    fn it_plays_a_step_up_to_the_next_one() {
        let (run, now) = (run(), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        let mut head = Head::start("d", Some(&run), now);
        assert_eq!((head.at(now), head.at(later(3)), head.at(later(60))), (0, 3000, 10_000));
        head.to_slide(&run, ["x", "a"], later(3));
        assert_eq!((head.at(later(3)), head.at(later(60)), head.jump), (20_000, 20_000, 1), "it waits for the step");
        assert!(head.to_step(&run, "a", Duration::from_secs(2), later(60)));
        assert_eq!((head.at(later(60)), head.at(later(65)), head.at(later(600))), (22_000, 27_000, 40_000));
        assert_eq!((head.when(27_000), head.when(40_001)), (Some(later(65)), None));
        head.to_slide(&run, ["a"], later(65));
        assert_eq!((head.at(later(65)), head.jump), (27_000, 2), "back on a slide whose steps have begun it goes on");
        assert!(!head.to_step(&run, "x", Duration::ZERO, now));
    }

    #[test]
    fn short_steps_get_a_little_more_time() {
        let of = |ms| patience(Duration::from_millis(ms)).as_millis();
        assert_eq!([of(0), of(400), of(4000), of(10_000)], [2000, 2400, 6000, 15_000]);
    }
}
