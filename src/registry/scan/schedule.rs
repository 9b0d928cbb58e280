//! When to look at a tag again: the longer it stays the same, the more rarely.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const FIRST: SignedDuration = SignedDuration::from_hours(1);
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
const EXCLUDED: SignedDuration = SignedDuration::from_hours(24);

/// When to look at a tag again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// How long to wait each time.
    pub every: SignedDuration,
    /// When next.
    pub due: Timestamp,
}

impl Refresh {
    fn after(every: SignedDuration, now: Timestamp) -> Self {
        let every = every.clamp(SHORTEST, LONGEST);
        Self { every, due: now.checked_add(every).unwrap_or(Timestamp::MAX) }
    }

    /// After the first look.
    pub fn first(now: Timestamp) -> Self {
        Self::after(FIRST, now)
    }

    /// After a look at what is no image for us.
    pub fn excluded(now: Timestamp) -> Self {
        Self::after(EXCLUDED, now)
    }

    /// After a look that found what was there before.
    pub fn unchanged(self, now: Timestamp) -> Self {
        Self::after(self.every.saturating_mul(2), now)
    }

    /// After a look that found something else.
    pub fn moved(self, now: Timestamp) -> Self {
        Self::after(self.every / 2, now)
    }

    /// Whether it is time to look.
    pub fn is_due(self, now: Timestamp) -> bool {
        self.due <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_looked_at_more_rarely() {
        let now = Timestamp::UNIX_EPOCH;
        let hours = |refresh: Refresh| (refresh.every.as_mins(), refresh.due.as_second() / 60);
        let first = Refresh::first(now);
        assert_eq!(hours(first), (60, 60));
        let mut refresh = first;
        let waits: Vec<_> = (0..9)
            .map(|_| {
                refresh = refresh.unchanged(now);
                refresh.every.as_hours()
            })
            .collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 168, 168]);
        refresh = first;
        let waits: Vec<_> = (0..5)
            .map(|_| {
                refresh = refresh.moved(now);
                refresh.every.as_secs()
            })
            .collect();
        assert_eq!(waits, [1800, 900, 450, 300, 300]);
        assert_eq!(hours(Refresh::excluded(now)), (1440, 1440));
        assert!(!first.is_due(now) && first.is_due(now + FIRST));
        assert_eq!(Refresh::first(Timestamp::MAX).due, Timestamp::MAX);
    }
}
