//! The cluster's time: real by default; it can pause, be stepped, and run faster.

use jiff::Timestamp;

/// A clock that controllers and time stamps of one cluster share.
#[derive(Debug, Clone, Default)]
pub struct Clock;

impl Clock {
    /// What time it is in the cluster.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits until the cluster's time is `time`.
    pub async fn sleep_until(&self, time: Timestamp) {
        let left = time.duration_since(self.now());
        tokio::time::sleep(std::time::Duration::try_from(left).unwrap_or_default()).await;
    }
}
