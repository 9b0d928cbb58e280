//! Two writers on one field: each repair is undone by somebody else, again and again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::object::ObjectKey;
use super::schedule::{Moment, backoff};

/// So many repairs within [`WINDOW`] are a fight.
const MOST: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);

/// The repairs of the last time.
#[derive(Debug, Default)]
pub struct Fights {
    repairs: HashMap<ObjectKey, Repairs>,
}

#[derive(Debug, Default)]
struct Repairs {
    times: VecDeque<Moment>,
    lost: u32,
    not_before: Moment,
}

impl Fights {
    /// How long an object's next repair has to wait; none when it may be repaired at once.
    pub fn wait(&self, key: &ObjectKey, now: Moment) -> Option<Duration> {
        let wait = self.repairs.get(key)?.not_before.checked_sub(now)?;
        (!wait.is_zero()).then_some(wait)
    }

    /// Whether somebody else writes an object again and again.
    pub fn is_fought_over(&self, key: &ObjectKey) -> bool {
        self.repairs.get(key).is_some_and(|repairs| repairs.lost > 0)
    }

    /// An object was repaired.
    pub fn repaired(&mut self, key: &ObjectKey, now: Moment) {
        let repairs = self.repairs.entry(key.clone()).or_default();
        repairs.times.push_back(now);
        while repairs.times.front().is_some_and(|time| now.saturating_sub(*time) > WINDOW.max(LONGEST)) {
            repairs.times.pop_front();
        }
        let recent = repairs.times.iter().filter(|time| now.saturating_sub(**time) <= WINDOW).count();
        let again = repairs.lost > 0 && now.saturating_sub(repairs.not_before) <= WINDOW;
        if recent > MOST || again {
            repairs.lost = repairs.lost.saturating_add(1);
            repairs.not_before = now + backoff(repairs.lost, FIRST, LONGEST);
        } else if repairs.lost > 0 {
            repairs.lost = 0;
        }
    }

    /// Forgets objects that need no repairs any more.
    pub fn tidy(&mut self, now: Moment) {
        let over = |repairs: &Repairs| {
            let last = repairs.times.back().copied().unwrap_or_default().max(repairs.not_before);
            now.saturating_sub(last) > LONGEST + WINDOW
        };
        self.repairs.retain(|_, repairs| !over(repairs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fight_is_fought_more_and_more_rarely() {
        let key = ObjectKey::of(&json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}));
        let mut fights = Fights::default();
        let mut now = Duration::from_secs(100);
        for _ in 0..5 {
            assert_eq!(fights.wait(&key, now), None);
            fights.repaired(&key, now);
            now += Duration::from_secs(1);
        }
        assert!(!fights.is_fought_over(&key));
        let mut waits = Vec::new();
        for _ in 0..8 {
            fights.repaired(&key, now);
            let wait = fights.wait(&key, now).unwrap();
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!(fights.is_fought_over(&key));
        now += Duration::from_secs(100);
        fights.repaired(&key, now);
        assert!(!fights.is_fought_over(&key), "after a quiet time it begins anew");
        fights.tidy(now + Duration::from_secs(1000));
        assert!(fights.repairs.is_empty());
    }
}
