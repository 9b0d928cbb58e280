//! The time of a sandbox: the cluster's clock, and the reconciler's intervals with it.

use std::time::Duration;

use super::Sandbox;
use crate::gitops::schedule::Intervals;

/// While time stands still no timer fires; this is as good as never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// However fast time passes, the reconciler is given a moment between two looks.
const SHORTEST: Duration = Duration::from_millis(500);

impl Sandbox {
    /// Lets time pass so many times as fast; 0 stops it. Only the embedded cluster has a time of its own.
    pub fn set_speed(&self, speed: f64) {
        let Some(embedded) = self.embedded() else { return };
        embedded.api().clock.set_speed(speed);
        self.reconciler.set_intervals(at_speed(self.intervals, speed));
    }

    /// Moves the time on at once. What the reconciler would have done meanwhile it does now.
    pub fn step_time(&self, by: Duration) {
        let Some(embedded) = self.embedded() else { return };
        embedded.api().clock.step(by);
        if by >= self.intervals.poll.min(self.intervals.sync) {
            self.reconciler.pushed();
        }
    }

    /// Back to the time outside.
    pub fn follow_real_time(&self) {
        let Some(embedded) = self.embedded() else { return };
        embedded.api().clock.follow_real_time();
        self.reconciler.set_intervals(self.intervals);
    }
}

fn at_speed(intervals: Intervals, speed: f64) -> Intervals {
    let scaled = |interval: Duration| {
        if speed <= 0.0 || !speed.is_finite() {
            return NEVER;
        }
        Duration::try_from_secs_f64(interval.as_secs_f64() / speed).unwrap_or(NEVER).clamp(SHORTEST, NEVER)
    };
    Intervals { poll: scaled(intervals.poll), sync: scaled(intervals.sync), ..intervals }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_follow_the_speed() {
        let usual =
            Intervals { poll: Duration::from_secs(300), sync: Duration::from_secs(600), ..Intervals::default() };
        let seconds = |speed| {
            let scaled = at_speed(usual, speed);
            (scaled.poll.as_secs_f64(), scaled.sync.as_secs_f64())
        };
        assert_eq!(seconds(1.0), (300.0, 600.0));
        assert_eq!(seconds(60.0), (5.0, 10.0));
        assert_eq!(seconds(10_000.0), (0.5, 0.5));
        assert_eq!(seconds(0.0), (NEVER.as_secs_f64(), NEVER.as_secs_f64()));
        assert_eq!(seconds(f64::NAN).0, NEVER.as_secs_f64());
    }
}
