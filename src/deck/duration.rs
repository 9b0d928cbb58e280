//! Durations as authors write them: `60s`, `1m30s`, `500ms`.

use std::time::Duration;

/// Longer than any talk; what is longer is a mistake.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What authors are told that a duration is.
pub const EXPECTED: &str = "a duration such as `500ms`, `60s` or `1m30s`, at most 24h";

/// Reads a duration that is more than nothing and at most a day.
pub fn parse(text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, millis) = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
            .into_iter()
            .find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        sum = sum.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
    }
    (sum > Duration::ZERO && sum <= LONGEST).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_their_sums() {
        for (text, millis) in [
            ("60s", Some(60_000)),
            ("500ms", Some(500)),
            ("1m30s", Some(90_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("0s", None),
            ("60", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(parse(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
