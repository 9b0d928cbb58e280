//! How long things take on a simulated node.

use std::time::Duration;

use crate::cluster::sim::tools::chance;

/// How long things take.
#[derive(Debug, Clone, PartialEq)]
pub struct Timings {
    /// Until a pod has its network.
    pub sandbox: Duration,
    /// Until a small image is pulled; larger ones take longer.
    pub pull: Duration,
    /// Until a container is made and started.
    pub create: Duration,
    /// Until it is noticed that a container has ended.
    pub notice: Duration,
    /// Until the first probe, after its initial delay.
    pub probe: Duration,
    /// Until a container ends that is told to.
    pub stop: Duration,
    /// How long `ErrImagePull` is shown before `ImagePullBackOff`.
    pub pull_error: Duration,
    /// The first wait of a back-off; it doubles each time.
    pub back_off: Duration,
    /// The longest wait of a back-off.
    pub back_off_most: Duration,
    /// A container that ran so long starts a back-off anew.
    pub forgiven: Duration,
    /// By how much of itself a time varies.
    pub jitter: f64,
    /// What the variation hangs on.
    pub seed: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            sandbox: Duration::from_millis(300),
            pull: Duration::from_millis(450),
            create: Duration::from_millis(200),
            notice: Duration::from_millis(600),
            probe: Duration::from_millis(500),
            stop: Duration::from_millis(500),
            pull_error: Duration::from_millis(600),
            back_off: Duration::from_secs(10),
            back_off_most: Duration::from_secs(300),
            forgiven: Duration::from_secs(600),
            jitter: 0.3,
            seed: 0,
        }
    }
}

impl Timings {
    /// Everything at once, but for back-offs: to measure how fast the rest is.
    pub fn instant() -> Self {
        let zero = Duration::ZERO;
        Self {
            sandbox: zero,
            pull: zero,
            create: zero,
            notice: zero,
            probe: zero,
            stop: zero,
            pull_error: zero,
            jitter: 0.0,
            ..Self::default()
        }
    }

    /// A time, somewhat varied by what it is for.
    pub(super) fn vary(&self, time: Duration, what: &[&[u8]]) -> Duration {
        if self.jitter <= 0.0 {
            return time;
        }
        let factor = 1.0 + (chance(self.seed, what) - 0.5) * self.jitter.min(1.0);
        time.mul_f64(factor)
    }

    /// The wait after so many failures before this one.
    pub(super) fn back_off(&self, failures: u32) -> Duration {
        self.back_off.saturating_mul(1 << failures.min(20)).min(self.back_off_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_five_minutes() {
        let timings = Timings::default();
        let seconds: Vec<_> = (0..7).map(|failures| timings.back_off(failures).as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(timings.back_off(u32::MAX).as_secs(), 300);
    }

    #[test]
    fn times_vary_a_little_and_repeatably() {
        let timings = Timings::default();
        let times: Vec<_> = (0..50u8).map(|n| timings.vary(Duration::from_secs(10), &[&[n]]).as_millis()).collect();
        assert!(times.iter().all(|time| (8500..=11500).contains(time)), "{times:?}");
        assert!(times.iter().max() > times.iter().min());
        assert_eq!(Timings::instant().vary(Duration::from_secs(10), &[b"x"]), Duration::from_secs(10));
    }
}
