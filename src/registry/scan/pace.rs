//! How fast registries are asked.

use std::time::{Duration, Instant};

/// So many questions a second, and some at once after a rest.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new(rate: f64, burst: u32, now: Instant) -> Self {
        let rate = if rate.is_finite() { rate.max(0.01) } else { 0.01 };
        let burst = f64::from(burst.max(1));
        Self { rate, burst, left: burst, at: now }
    }

    /// Takes a turn: how long to wait for it.
    pub(super) fn take(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.burst) - 1.0;
        self.at = self.at.max(now);
        // Never for ever: the rate has a least value.
        Duration::from_secs_f64((-self.left).max(0.0) / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_by_one() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, 2, start);
        let milliseconds: Vec<_> = (0..4).map(|_| pace.take(start).as_millis()).collect();
        assert_eq!(milliseconds, [0, 0, 100, 200]);
        assert_eq!(pace.take(start + Duration::from_secs(9)), Duration::ZERO);
    }
}
