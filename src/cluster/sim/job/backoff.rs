//! How long a job waits after failures before it makes another pod.

use std::time::Duration;

use jiff::Timestamp;

use super::Look;
use super::pods::JobPod;
use crate::cluster::sim::times;
use crate::cluster::sim::views::Phase;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// Ten seconds after the first failure, twice as long after each further one.
fn delay(failures: usize) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else { return Duration::ZERO };
    let factor = 1u32.checked_shl(u32::try_from(doublings).unwrap_or(u32::MAX)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(factor).min(LONGEST)
}

/// How long it is from now until `failures`, the last of them at `last`, have been waited for.
pub(super) fn remaining(failures: usize, last: Option<Timestamp>, now: Timestamp) -> Duration {
    let so_far = last.map_or(Duration::ZERO, |last| times::since(now, last));
    delay(failures).saturating_sub(so_far)
}

impl Look<'_> {
    /// How long to wait because of the failures since the last success.
    pub(super) fn backoff(&self) -> Duration {
        let ended = |pod: &&JobPod<'_>| pod.view.phase == Phase::Succeeded;
        let last_success = self.pods.iter().filter(ended).filter_map(|pod| pod.view.finished).max();
        let failed = self.pods.iter().filter(|pod| self.has_failed(pod)).filter_map(|pod| pod.view.finished);
        let since: Vec<_> = failed.filter(|time| last_success.is_none_or(|success| *time > success)).collect();
        remaining(since.len(), since.iter().max().copied(), self.world.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles() {
        let seconds: Vec<_> = [0, 1, 2, 3, 6, 7, 8, 40, usize::MAX].map(|failures| delay(failures).as_secs()).into();
        assert_eq!(seconds, [0, 10, 20, 40, 320, 600, 600, 600, 600]);
        let now = times::read("2026-08-01T10:00:00Z").unwrap();
        assert_eq!(remaining(2, Some(times::plus(now, -15)), now), Duration::from_secs(5));
        assert_eq!(remaining(2, Some(times::plus(now, -25)), now), Duration::ZERO);
    }
}
