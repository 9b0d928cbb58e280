//! Times as the API writes them, and how long it is until one.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// RFC 3339 to the second, in UTC.
pub(crate) fn text(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// Reads such a time.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A time some seconds later, or the last one there is.
pub(crate) fn plus(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// How long it is until a time; nothing if it has passed.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// How long ago a time was; nothing if it is to come.
pub(crate) fn since(now: Timestamp, then: Timestamp) -> Duration {
    until(then, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_second() {
        let time = read("2026-08-01T10:00:00.75Z").unwrap();
        assert_eq!(text(time), "2026-08-01T10:00:00Z");
        assert_eq!(until(time, plus(time, 3)), Duration::from_secs(3));
        assert_eq!(until(time, plus(time, -3)), Duration::ZERO);
        assert_eq!(since(time, plus(time, -3)), Duration::from_secs(3));
        assert_eq!(plus(time, i64::MAX), Timestamp::MAX);
        assert_eq!(read("yesterday"), None);
    }
}
