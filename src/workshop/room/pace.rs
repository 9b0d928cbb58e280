//! How much somebody may ask for: a bucket that fills with time. Pure.

/// What is left of somebody's requests.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    left: f64,
    at_ms: u64,
    per_second: f64,
    most: f64,
}

impl Pace {
    /// So many at once, and so many a second after that.
    pub fn new(most: u32, per_second: f64, now_ms: u64) -> Self {
        let most = f64::from(most);
        Self { left: most, at_ms: now_ms, per_second, most }
    }

    /// Whether one more is fine.
    pub fn take(&mut self, now_ms: u64) -> bool {
        let passed = std::time::Duration::from_millis(now_ms.saturating_sub(self.at_ms)).as_secs_f64();
        self.at_ms = now_ms.max(self.at_ms);
        self.left = (self.left + passed * self.per_second).min(self.most);
        let fine = self.left >= 1.0;
        if fine {
            self.left -= 1.0;
        }
        fine
    }

    /// Whether it is full again, so that it need not be remembered.
    pub fn is_full(&self, now_ms: u64) -> bool {
        let passed = std::time::Duration::from_millis(now_ms.saturating_sub(self.at_ms)).as_secs_f64();
        self.left + passed * self.per_second >= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_stopped_and_time_heals() {
        let mut pace = Pace::new(3, 2.0, 1000);
        assert_eq!([1000; 5].map(|now| pace.take(now)), [true, true, true, false, false]);
        assert!(!pace.is_full(1500));
        // A clock that goes back gives nothing.
        assert_eq!([0, 1500, 1500].map(|now| pace.take(now)), [false, true, false]);
        assert!(pace.is_full(9000));
        assert_eq!([9000; 4].map(|now| pace.take(now)), [true, true, true, false]);
    }
}
