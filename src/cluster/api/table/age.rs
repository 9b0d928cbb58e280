//! How long ago: `5s`, `3m7s`, `2d5h`, as Kubernetes words it.

use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// Go's longest duration, about 292 years.
const LONGEST: i64 = i64::MAX / 1_000_000_000;

/// The time from `from` to `now` for people; `<invalid>` when it is in the future.
pub fn age(from: Timestamp, now: Timestamp) -> String {
    human(now.duration_since(from))
}

/// A duration for people: two or three figures of it.
pub(super) fn human(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().min(LONGEST);
    let two = |big: i64, unit: char, small: i64, rest: char| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{rest}"),
    };
    match seconds {
        // a clock may be a little ahead
        ..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(seconds / MINUTE, 'm', seconds % MINUTE, 's'),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(seconds / HOUR, 'h', seconds % HOUR / MINUTE, 'm'),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(seconds / DAY, 'd', seconds % DAY / HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(seconds / YEAR, 'y', seconds % YEAR / DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boundary() {
        let cases = [
            (-YEAR, "<invalid>"),
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (1, "1s"),
            (60, "60s"),
            (2 * MINUTE - 1, "119s"),
            (2 * MINUTE, "2m"),
            (3 * MINUTE + 7, "3m7s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE, "10m"),
            (10 * MINUTE + 59, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (4 * HOUR + 5 * MINUTE, "4h5m"),
            (8 * HOUR - 1, "7h59m"),
            (8 * HOUR, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + 5 * HOUR, "2d5h"),
            (8 * DAY - 1, "7d23h"),
            (8 * DAY, "8d"),
            (2 * YEAR - 1, "729d"),
            (2 * YEAR, "2y"),
            (2 * YEAR + 9 * DAY, "2y9d"),
            (8 * YEAR - 1, "7y364d"),
            (8 * YEAR, "8y"),
            (9 * YEAR + 100 * DAY, "9y"),
            (400 * YEAR, "292y"),
        ];
        let now = "9000-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
        for (seconds, expected) in cases {
            let from = now.checked_sub(SignedDuration::from_secs(seconds)).unwrap();
            assert_eq!(age(from, now), expected, "{seconds}");
        }
    }

    #[test]
    fn parts_of_a_second_do_not_count() {
        assert_eq!(human(SignedDuration::from_millis(-1999)), "0s");
        assert_eq!(human(SignedDuration::from_millis(-999)), "0s");
        assert_eq!(human(SignedDuration::from_millis(1999)), "1s");
    }
}
