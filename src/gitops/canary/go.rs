//! Numbers and durations as Go reads and prints them, because the texts of events contain them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cluster::goduration;

/// Seconds of a duration such as `1m30s`; none when it cannot be read.
pub fn seconds(text: &str) -> Option<f64> {
    goduration::parse(text).ok().map(|duration| duration.as_secs_f64())
}

/// A duration of whole milliseconds as `515ms`, `1.2s`, `1m0s`.
pub fn milliseconds(millis: i64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = if millis < 0 { "-".to_owned() } else { String::new() };
    let millis = millis.unsigned_abs();
    if millis < 1000 {
        let _ = write!(text, "{millis}ms");
        return text;
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{}", millis / 1000 % 60);
    let fraction = millis % 1000;
    if fraction > 0 {
        let digits = format!("{fraction:03}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text.push('s');
    text
}

/// A number in its shortest form, as `%v` prints it.
pub fn shortest(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN".to_owned()
        } else if number > 0.0 {
            "+Inf".to_owned()
        } else {
            "-Inf".to_owned()
        };
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// What a canary's `analysis.interval` comes to.
pub fn interval(text: &str, shortest: Duration) -> Duration {
    const DEFAULT: Duration = Duration::from_mins(1);
    match seconds(text) {
        None => DEFAULT.max(shortest),
        Some(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO).max(shortest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed() {
        for (millis, wanted) in [
            (0, "0s"),
            (515, "515ms"),
            (1200, "1.2s"),
            (60_000, "1m0s"),
            (61_005, "1m1.005s"),
            (3_600_000, "1h0m0s"),
            (-20, "-20ms"),
        ] {
            assert_eq!(milliseconds(millis), wanted);
        }
    }

    #[test]
    fn numbers_are_printed() {
        for (number, wanted) in [
            (99.0, "99"),
            (99.5, "99.5"),
            (0.0, "0"),
            (-1.25, "-1.25"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456.0, "123456"),
            (1_000_000.0, "1e+06"),
            (12_345_678.5, "1.23456785e+07"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(shortest(number), wanted);
        }
    }

    #[test]
    fn intervals_have_a_floor_and_a_default() {
        let ten = Duration::from_secs(10);
        for (text, wanted) in [("", 60), ("5s", 10), ("1m", 60), ("1m30s", 90), ("500ms", 10), ("-5s", 10), ("x", 60)] {
            assert_eq!(interval(text, ten), Duration::from_secs(wanted), "{text}");
        }
        assert_eq!(interval("1s", Duration::from_secs(1)), Duration::from_secs(1));
    }
}
