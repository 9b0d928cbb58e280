//! The cluster's time: real by default; it can pause, be stepped, and run faster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch as cell;

/// The fastest that time runs.
pub const FASTEST: f64 = 10_000.0;
/// The longest sleep before the time is read again: real clocks jump, laptops sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As it does outside.
    Real,
    /// Not at all, or so many times as fast, from a point on.
    Virtual {
        /// The cluster's time at that point.
        from: Timestamp,
        /// When that point was.
        at: Instant,
        /// 0 is paused, 1 as fast as outside.
        speed: f64,
    },
}

/// A clock that the controllers and time stamps of one cluster share. Clones show the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    pace: Arc<cell::Sender<Pace>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { pace: Arc::new(cell::Sender::new(Pace::Real)) }
    }
}

impl Clock {
    /// A clock that stands at a time until it is told otherwise.
    pub fn paused_at(time: Timestamp) -> Self {
        let pace = Pace::Virtual { from: time, at: Instant::now(), speed: 0.0 };
        Self { pace: Arc::new(cell::Sender::new(pace)) }
    }

    /// What time it is in the cluster.
    pub fn now(&self) -> Timestamp {
        time_of(*self.pace.borrow())
    }

    /// How time passes now.
    pub fn pace(&self) -> Pace {
        *self.pace.borrow()
    }

    /// How time passes, now and whenever that changes.
    pub fn changes(&self) -> cell::Receiver<Pace> {
        self.pace.subscribe()
    }

    /// Whether the time is another than outside, which has to be said wherever it is shown.
    pub fn is_virtual(&self) -> bool {
        self.pace() != Pace::Real
    }

    /// Times as fast as outside; 0 while paused.
    pub fn speed(&self) -> f64 {
        match self.pace() {
            Pace::Real => 1.0,
            Pace::Virtual { speed, .. } => speed,
        }
    }

    /// Lets time pass `speed` times as fast from now on: 0 pauses it. Nonsense counts as 1.
    pub fn set_speed(&self, speed: f64) {
        let speed = if speed.is_finite() && speed >= 0.0 { speed.min(FASTEST) } else { 1.0 };
        self.pace.send_modify(|pace| *pace = Pace::Virtual { from: time_of(*pace), at: Instant::now(), speed });
    }

    /// Stops the time.
    pub fn pause(&self) {
        self.set_speed(0.0);
    }

    /// Moves the time on at once; it passes as before afterwards.
    pub fn step(&self, by: Duration) {
        let speed = self.speed();
        self.pace.send_modify(|pace| {
            let now = time_of(*pace);
            *pace = Pace::Virtual { from: now.checked_add(by).unwrap_or(now), at: Instant::now(), speed };
        });
    }

    /// Goes back to the time outside.
    pub fn follow_real_time(&self) {
        self.pace.send_replace(Pace::Real);
    }

    /// Waits until the cluster's time is `time`, however it passes meanwhile.
    pub async fn sleep_until(&self, time: Timestamp) {
        let mut pace = self.pace.subscribe();
        loop {
            let current = *pace.borrow_and_update();
            let left = time.duration_since(time_of(current));
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            let speed = match current {
                Pace::Real => 1.0,
                Pace::Virtual { speed, .. } => speed,
            };
            if speed == 0.0 {
                if pace.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let wait = left.div_f64(speed).min(LONGEST_SLEEP);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = pace.changed() => {}
            }
        }
    }
}

fn time_of(pace: Pace) -> Timestamp {
    match pace {
        Pace::Real => Timestamp::now(),
        Pace::Virtual { from, at, speed } => from.checked_add(at.elapsed().mul_f64(speed)).unwrap_or(Timestamp::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_paused_clock_moves_by_steps_alone() {
        let clock = Clock::paused_at(START);
        assert_eq!(clock.now(), START);
        clock.step(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
        assert!(clock.is_virtual());
    }

    #[tokio::test]
    async fn sleepers_follow_steps_and_speed() {
        let clock = Clock::paused_at(START);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(START + Duration::from_secs(3600)).await }
        });
        clock.step(Duration::from_secs(3600));
        sleeper.await.unwrap();
        clock.set_speed(FASTEST);
        clock.sleep_until(START + Duration::from_secs(3700)).await;
        assert!(clock.now().as_second() >= 3700);
    }

    #[test]
    fn nonsense_is_real_speed() {
        let clock = Clock::default();
        clock.set_speed(f64::NAN);
        assert_eq!(clock.speed().to_bits(), 1.0_f64.to_bits());
        clock.follow_real_time();
        assert!(!clock.is_virtual());
    }
}
