//! How long to wait before a registry is asked again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Without a word about when, a limited registry is left alone for so long.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// No registry keeps us away for longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// When a registry that has had enough may be asked again, by its `Retry-After`: seconds or a date.
pub(super) fn until(header: Option<&str>, now: Timestamp) -> Timestamp {
    let said = header.map(str::trim).and_then(|text| match text.parse::<u32>() {
        Ok(seconds) => Some(SignedDuration::from_secs(seconds.into())),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Some(date.duration_since(now))
        }
    });
    let wait = said.unwrap_or(PAUSE).clamp(SignedDuration::from_secs(1), LONGEST);
    now.checked_add(wait).unwrap_or(now)
}

/// How long to wait before the next try: twice as long each time, and not all at the same time. `chance` is from 0 to 1.
pub(super) fn backoff(tries: u32, base: Duration, chance: f64) -> Duration {
    base.saturating_mul(1 << tries.min(6)).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_says_when() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        for (header, expected) in [
            (None, "2026-11-25T12:01:00Z"),
            (Some("90"), "2026-11-25T12:01:30Z"),
            (Some("0"), "2026-11-25T12:00:01Z"),
            (Some("Wed, 25 Nov 2026 12:10:00 GMT"), "2026-11-25T12:10:00Z"),
            (Some("Wed, 25 Nov 2020 12:10:00 GMT"), "2026-11-25T12:00:01Z"),
            (Some("99999999"), "2026-11-26T12:00:00Z"),
            (Some("soon"), "2026-11-25T12:01:00Z"),
        ] {
            assert_eq!(until(header, now).to_string(), expected, "{header:?}");
        }
    }

    #[test]
    fn tries_come_further_and_further_apart() {
        let base = Duration::from_millis(100);
        assert_eq!(backoff(0, base, 0.0), Duration::from_millis(50));
        assert_eq!(backoff(1, base, 1.0), Duration::from_millis(200));
        assert_eq!(backoff(99, base, 1.0), Duration::from_millis(6400));
    }
}
