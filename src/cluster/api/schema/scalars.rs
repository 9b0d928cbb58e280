//! Texts with a form: times and base64, checked and rewritten as Go does.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";
const LAYOUT_MICRO: &str = "2006-01-02T15:04:05.000000Z07:00";

/// An RFC 3339 time in UTC, to the second or, if `micro`, to the microsecond.
///
/// # Errors
/// Go's text of what is wrong.
pub(super) fn time(text: &str, micro: bool) -> Result<String, String> {
    let mut reader = TimeReader { text, rest: text, layout: if micro { LAYOUT_MICRO } else { LAYOUT } };
    let year = reader.digits(4, "2006")?;
    reader.literal("-")?;
    let month = reader.digits(2, "01")?;
    reader.range((1..=12).contains(&month), "month")?;
    reader.literal("-")?;
    let day = reader.digits(2, "02")?;
    reader.literal("T")?;
    let hour = reader.hour()?;
    reader.literal(":")?;
    let minute = reader.digits(2, "04")?;
    reader.range(minute < 60, "minute")?;
    reader.literal(":")?;
    let second = reader.digits(2, "05")?;
    reader.range(second < 60, "second")?;
    let nanos = if micro { reader.microseconds()? * 1000 } else { reader.fraction() };
    let offset = reader.offset()?;
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {:?}", reader.rest));
    }
    // All numbers are within the bounds of these types by now, but the day.
    let date = Date::new(year as i16, month as i8, day as i8);
    let clock = Time::new(hour as i8, minute as i8, second as i8, nanos);
    let (Ok(date), Ok(clock)) = (date, clock) else { return reader.range(false, "day").map(|()| String::new()) };
    let utc = offset.to_timestamp(DateTime::from_parts(date, clock)).map(|time| Offset::UTC.to_datetime(time));
    let Ok(utc) = utc else { return reader.range(false, "year").map(|()| String::new()) };
    let form = if micro { "%Y-%m-%dT%H:%M:%S.%6fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Ok(utc.strftime(form).to_string())
}

/// A text of a time and what is left of it to be read.
struct TimeReader<'a> {
    text: &'a str,
    rest: &'a str,
    layout: &'static str,
}

impl TimeReader<'_> {
    fn unexpected<T>(&self, element: &str) -> Result<T, String> {
        let (text, layout, rest) = (self.text, self.layout, self.rest);
        Err(format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {element:?}"))
    }

    fn range(&self, within: bool, what: &str) -> Result<(), String> {
        if within { Ok(()) } else { Err(format!("parsing time {:?}: {what} out of range", self.text)) }
    }

    fn literal(&mut self, expected: &str) -> Result<(), String> {
        match self.rest.strip_prefix(expected) {
            Some(rest) => self.rest = rest,
            None => return self.unexpected(expected),
        }
        Ok(())
    }

    fn digits(&mut self, count: usize, element: &str) -> Result<i32, String> {
        match self.rest.get(..count).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit())) {
            Some(digits) => {
                self.rest = self.rest.get(count..).unwrap_or("");
                digits.parse().or_else(|_| self.unexpected(element))
            }
            None => self.unexpected(element),
        }
    }

    /// Of all numbers only the hour may have one digit.
    fn hour(&mut self) -> Result<i32, String> {
        let second = self.rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let hour = self.digits(if second { 2 } else { 1 }, "15")?;
        self.range(hour < 24, "hour").map(|()| hour)
    }

    /// `.123`, if it is there, in nanoseconds.
    fn fraction(&mut self) -> i32 {
        let Some(rest) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return 0;
        }
        self.rest = rest.get(digits..).unwrap_or("");
        let nine = rest.bytes().take(digits).chain(std::iter::repeat(b'0')).take(9);
        nine.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
    }

    /// `.123456`, which has to be there.
    fn microseconds(&mut self) -> Result<i32, String> {
        let before = self.rest;
        let Some(rest) = before.strip_prefix(['.', ',']) else { return self.unexpected(".000000") };
        self.rest = rest;
        self.digits(6, ".000000").or_else(|_| {
            self.rest = before;
            self.unexpected(".000000")
        })
    }

    fn offset(&mut self) -> Result<Offset, String> {
        let element = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(Offset::UTC);
        }
        let before = self.rest;
        let sign = match before.bytes().next() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return self.unexpected(element),
        };
        self.rest = before.get(1..).unwrap_or("");
        let (hours, minutes) = match (self.digits(2, element), self.literal(":"), self.digits(2, element)) {
            (Ok(hours), Ok(()), Ok(minutes)) => (hours, minutes),
            _ => {
                self.rest = before;
                return self.unexpected(element);
            }
        };
        self.range(hours <= 24, "time zone offset hour")?;
        self.range(minutes <= 60, "time zone offset minute")?;
        let offset = Offset::from_seconds(sign * (hours * 60 + minutes) * 60);
        offset.or_else(|_| self.range(false, "time zone offset hour").map(|()| Offset::UTC))
    }
}

/// Base64 as Go writes it back: without line breaks, and without bits that mean nothing.
///
/// # Errors
/// Go's text of what is wrong.
pub(super) fn base64(text: &str) -> Result<Cow<'_, str>, String> {
    if STANDARD.decode(text).is_ok() { Ok(Cow::Borrowed(text)) } else { lax_base64(text).map(Cow::Owned) }
}

fn lax_base64(text: &str) -> Result<String, String> {
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let bytes: Vec<(usize, u8)> = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r')).collect();
    let mut canonical = Vec::with_capacity(bytes.len());
    for quantum in bytes.chunks(4) {
        for (index, (at, byte)) in quantum.iter().enumerate() {
            match (byte, index) {
                (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/', _) => canonical.push(*byte),
                (b'=', 2 | 3) => return padded(canonical, index, &bytes, *at, text.len()),
                _ => return corrupt(*at),
            }
        }
        if quantum.len() < 4 {
            return corrupt(text.len() - quantum.len());
        }
    }
    Ok(String::from_utf8(canonical).unwrap_or_default())
}

/// What ends in padding that begins `at`, as the third or fourth letter of its quantum.
fn padded(
    mut canonical: Vec<u8>,
    index: usize,
    bytes: &[(usize, u8)],
    at: usize,
    len: usize,
) -> Result<String, String> {
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut rest = bytes.iter().skip_while(|(place, _)| *place <= at);
    if index == 2 {
        match rest.next() {
            None => return corrupt(len),
            Some((place, byte)) if *byte != b'=' => return corrupt(place - 1),
            Some(_) => {}
        }
    }
    if let Some((place, _)) = rest.next() {
        return corrupt(*place);
    }
    if let Some(last) = canonical.last_mut() {
        *last = without_low_bits(*last, if index == 2 { 4 } else { 2 });
    }
    canonical.resize(canonical.len() + 4 - index, b'=');
    Ok(String::from_utf8(canonical).unwrap_or_default())
}

fn without_low_bits(letter: u8, bits: u32) -> u8 {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = LETTERS.iter().position(|known| *known == letter).unwrap_or(0);
    LETTERS.get(value >> bits << bits).copied().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_rewritten_in_utc() {
        let cases = [
            ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z"),
            ("2024-01-01T00:30:00.999+01:00", "2023-12-31T23:30:00Z"),
            ("2024-01-01T9:00:00-05:30", "2024-01-01T14:30:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text, false).as_deref(), Ok(expected));
        }
        assert_eq!(time("2024-01-01T00:00:00.123456+01:00", true).as_deref(), Ok("2023-12-31T23:00:00.123456Z"));
    }

    #[test]
    fn bad_times_are_told_as_in_go() {
        let as_layout = |text: &str, rest: &str, element: &str| {
            format!("parsing time {text:?} as {LAYOUT:?}: cannot parse {rest:?} as {element:?}")
        };
        let cases = [
            ("yesterday", as_layout("yesterday", "yesterday", "2006")),
            ("", as_layout("", "", "2006")),
            ("2024-1-01", as_layout("2024-1-01", "1-01", "01")),
            ("2024-01-01", as_layout("2024-01-01", "", "T")),
            ("2024-01-01 10:00:00Z", as_layout("2024-01-01 10:00:00Z", " 10:00:00Z", "T")),
            ("2024-01-01T10:00:00", as_layout("2024-01-01T10:00:00", "", "Z07:00")),
            ("2024-01-01T10:00:00+0100", as_layout("2024-01-01T10:00:00+0100", "+0100", "Z07:00")),
            ("2024-13-01T10:00:00Z", r#"parsing time "2024-13-01T10:00:00Z": month out of range"#.into()),
            ("2023-02-29T10:00:00Z", r#"parsing time "2023-02-29T10:00:00Z": day out of range"#.into()),
            ("2023-02-28T24:00:00Z", r#"parsing time "2023-02-28T24:00:00Z": hour out of range"#.into()),
            ("2023-02-28T23:00:00Zx", r#"parsing time "2023-02-28T23:00:00Zx": extra text: "x""#.into()),
        ];
        for (text, error) in cases {
            assert_eq!(time(text, false), Err(error));
        }
        let micro = "2024-01-01T00:00:00Z";
        let error = format!("parsing time {micro:?} as {LAYOUT_MICRO:?}: cannot parse \"Z\" as \".000000\"");
        assert_eq!(time(micro, true), Err(error));
    }

    #[test]
    fn base64_is_checked_as_in_go() {
        let cases = [
            ("", Ok("")),
            ("YWJj", Ok("YWJj")),
            ("YW\nJj\r\n", Ok("YWJj")),
            ("YQ==", Ok("YQ==")),
            ("YR==", Ok("YQ==")),
            ("YWK=", Ok("YWI=")),
            ("b@r", Err(1)),
            ("bar", Err(0)),
            ("YWJjbar", Err(4)),
            ("abc$", Err(3)),
            ("YQ=", Err(3)),
            ("YQ=x", Err(2)),
            ("YQ==x", Err(4)),
            ("Y===", Err(1)),
            ("no base64!", Err(2)),
        ];
        for (text, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(|at| format!("illegal base64 data at input byte {at}"));
            assert_eq!(lax_base64(text), expected, "{text}");
            assert_eq!(base64(text).map(Cow::into_owned), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_rewritten_stays(text in any::<String>(), almost in "[0-9T:Z+.-]{0,32}", coded in "[A-C=\\n]{0,12}") {
            for text in [&text, &almost] {
                if let Ok(written) = time(text, false) {
                    prop_assert_eq!(time(&written, false), Ok(written));
                }
                let _ = time(text, true);
            }
            if let Ok(written) = base64(&coded) {
                prop_assert!(matches!(base64(&written), Ok(Cow::Borrowed(_))));
            }
            prop_assert_eq!(base64(&text).map(Cow::into_owned), lax_base64(&text));
        }
    }
}
