//! Durations as Go programs read them: `90s`, `1h30m`, `-1.5s`, `0`.

use std::time::Duration;

use jiff::SignedDuration;

/// Why a text is no duration; the texts are Go's, without the quoted duration at their end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It does not look like one, or is longer than 292 years.
    #[error("invalid duration")]
    Invalid,
    /// Its last number has no unit.
    #[error("missing unit in duration")]
    MissingUnit,
    /// There is no such unit.
    #[error("unknown unit {0:?} in duration")]
    UnknownUnit(String),
}

/// Reads a duration; each number needs a unit, except for a `0` that stands alone.
///
/// # Errors
/// When it is none.
pub fn parse(text: &str) -> Result<SignedDuration, DurationError> {
    nanos(text).map(SignedDuration::from_nanos)
}

/// Reads a length of time: a duration that is not negative.
///
/// # Errors
/// When it is none.
pub fn length(text: &str) -> Result<Duration, DurationError> {
    Duration::try_from(parse(text)?).map_err(|_| DurationError::Invalid)
}

/// Reads a duration as nanoseconds.
///
/// # Errors
/// When it is none.
pub fn nanos(text: &str) -> Result<i64, DurationError> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(DurationError::Invalid);
    }
    let mut nanos = 0_i128;
    while !rest.is_empty() {
        let number;
        (number, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
        if number.matches('.').count() > 1 || number.bytes().all(|byte| byte == b'.') {
            return Err(DurationError::Invalid);
        }
        let unit;
        (unit, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len()));
        nanos =
            in_nanos(number, nanos_in(unit)?).and_then(|more| nanos.checked_add(more)).ok_or(DurationError::Invalid)?;
    }
    i64::try_from(if negative { -nanos } else { nanos }).map_err(|_| DurationError::Invalid)
}

/// Nanoseconds in a unit.
fn nanos_in(unit: &str) -> Result<i128, DurationError> {
    Ok(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(DurationError::MissingUnit),
        _ => return Err(DurationError::UnknownUnit(unit.to_owned())),
    })
}

/// So many times a unit; digits behind the point count as far as they are whole nanoseconds.
fn in_nanos(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // More digits than these are less than a nanosecond of an hour.
    let fraction = fraction.get(..fraction.len().min(15))?;
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    whole.checked_mul(unit)?.checked_add(part * unit / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_go_reads_them() {
        use DurationError::{Invalid, MissingUnit};
        let unknown = |unit: &str| Err(DurationError::UnknownUnit(unit.to_owned()));
        for (text, expected) in [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("90s", Ok(90_000_000_000)),
            ("1h30m", Ok(5_400_000_000_000)),
            ("1.5s", Ok(1_500_000_000)),
            (".5s", Ok(500_000_000)),
            ("1.s", Ok(1_000_000_000)),
            ("-1s", Ok(-1_000_000_000)),
            ("+10ms", Ok(10_000_000)),
            ("2us3ns", Ok(2_003)),
            ("3µs", Ok(3_000)),
            ("0.33333333333333333333h", Ok(1_199_999_999_999)),
            ("", Err(Invalid)),
            ("-", Err(Invalid)),
            ("5", Err(MissingUnit)),
            ("s", Err(Invalid)),
            (".s", Err(Invalid)),
            ("1..5s", Err(Invalid)),
            ("1d", unknown("d")),
            ("1 s", unknown(" s")),
            ("ü", Err(Invalid)),
            ("9999999999999999999h", Err(Invalid)),
            ("3000000h", Err(Invalid)),
            ("99999999999999999999999999999999999999999s", Err(Invalid)),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
        assert_eq!((length("1.5h"), length("-1s")), (Ok(Duration::from_secs(5400)), Err(Invalid)));
        assert_eq!(parse("1d").unwrap_err().to_string(), "unknown unit \"d\" in duration");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[-+.0-9a-zµ]{0,50}") {
            let _ = parse(&text);
        }

        #[test]
        fn whole_nanoseconds_are_kept(nanos in any::<i32>()) {
            prop_assert_eq!(parse(&format!("{nanos}ns")), Ok(SignedDuration::from_nanos(nanos.into())));
        }
    }
}
