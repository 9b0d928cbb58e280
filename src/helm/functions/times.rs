//! Times: when the release was made, and those that charts write; all in UTC unless a zone is named.

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Answer, Arguments};
use crate::helm::template::value::{Native, Value};

/// Go's words in a layout, longer ones first, and what they are for strftime.
const WORDS: [(&str, &str); 27] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("2006", "%Y"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("-07:00", "%:z"),
    ("Z07:00", "%:Q"),
    ("-0700", "%z"),
    ("Z0700", "%Q"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("15", "%H"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("1", "%-m"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("%", "%%"),
];

pub(super) fn call(name: &str, args: &Arguments<'_>, now: i64) -> Option<Answer> {
    let time = |number: usize| args.at(number).map(|value| zoned(value, now));
    Some(match name {
        "now" => Ok(given(at(now))),
        "date" => args.text(0).and_then(|layout| Ok(Value::text(date(&layout, &time(1)?)))),
        "dateInZone" | "date_in_zone" => {
            args.text(0).and_then(|layout| Ok(Value::text(date(&layout, &within(time(1)?, &args.text(2)?)))))
        }
        "htmlDate" => time(0).map(|time| Value::text(date("2006-01-02", &time))),
        "htmlDateInZone" => time(0).and_then(|time| Ok(Value::text(date("2006-01-02", &within(time, &args.text(1)?))))),
        "unixEpoch" => time(0).map(|time| Value::text(time.timestamp().as_second().to_string())),
        "dateModify" | "date_modify" => time(1).and_then(|time| {
            let span = args.text(0)?;
            match duration(span.strip_prefix('+').unwrap_or(&span)) {
                Some(span) => Ok(given(time.checked_add(span).unwrap_or(time))),
                None if args.must => Err(format!("time: invalid duration {span:?}")),
                None => Ok(given(time)),
            }
        }),
        "toDate" => args.text(0).and_then(|layout| {
            let text = args.text(1)?;
            match read(&layout, &text) {
                Some(time) => Ok(given(time)),
                None if args.must => Err(format!("parsing time {text:?} as {layout:?}: cannot parse it")),
                None => Ok(Value::text("0001-01-01 00:00:00 +0000 UTC")),
            }
        }),
        "duration" => args.at(0).map(|value| {
            let seconds = match value {
                Value::Text(text) => text.parse().unwrap_or(0),
                Value::Long(seconds) => *seconds,
                _ => 0,
            };
            Value::text(spelled(seconds))
        }),
        "durationRound" => args.at(0).map(|value| {
            let span = match value {
                Value::Text(text) => duration(text).unwrap_or_default(),
                Value::Long(nanoseconds) => SignedDuration::from_nanos(*nanoseconds),
                Value::Native(Native::Time(time)) => at(now).duration_since(time),
                _ => SignedDuration::ZERO,
            };
            Value::text(rounded(span.as_secs().abs()))
        }),
        _ => return None,
    })
}

/// The methods of a time.
pub(in crate::helm) fn method(time: &Zoned, name: &str, arguments: &[Value]) -> Option<Answer> {
    Some(Ok(match (name, arguments) {
        ("Format", [Value::Text(layout)]) => Value::text(date(layout, time)),
        ("Unix", []) => Value::Long(time.timestamp().as_second()),
        ("Year", []) => Value::Int(i64::from(time.year())),
        ("Month", []) => Value::text(date("January", time)),
        ("Day", []) => Value::Int(i64::from(time.day())),
        ("Hour", []) => Value::Int(i64::from(time.hour())),
        ("Minute", []) => Value::Int(i64::from(time.minute())),
        ("UTC", []) => given(time.with_time_zone(TimeZone::UTC)),
        ("String", []) => Value::text(given(time.clone()).print()),
        _ => return None,
    }))
}

fn given(time: Zoned) -> Value {
    Value::Native(Native::Time(time))
}

fn at(seconds: i64) -> Zoned {
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned(TimeZone::UTC)
}

/// Seconds or a time; anything else is now, as sprig has it.
fn zoned(value: &Value, now: i64) -> Zoned {
    match value {
        Value::Native(Native::Time(time)) => time.clone(),
        Value::Int(seconds) | Value::Long(seconds) => at(*seconds),
        _ => at(now),
    }
}

fn within(time: Zoned, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    time.with_time_zone(zone)
}

/// A layout of Go as one of strftime.
fn format(layout: &str) -> String {
    let (mut out, mut rest) = (String::new(), layout);
    while let Some(first) = rest.chars().next() {
        match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, format)) => {
                out.push_str(format);
                rest = &rest[word.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

fn date(layout: &str, time: &Zoned) -> String {
    let is_utc = time.offset().is_zero();
    let format = format(layout);
    // A zone of nothing is `Z` where the layout allows it.
    let format = if is_utc {
        format.replace("%:Q", "Z").replace("%Q", "Z")
    } else {
        format.replace("%:Q", "%:z").replace("%Q", "%z")
    };
    jiff::fmt::strtime::format(&format, time).unwrap_or_default()
}

fn read(layout: &str, text: &str) -> Option<Zoned> {
    let format = format(layout).replace("%:Q", "%:z").replace("%Q", "%z").replace("%Z", "UTC").replace("%-", "%");
    let broken = BrokenDownTime::parse(&format, text).ok()?;
    if broken.offset().is_some() {
        return broken.to_timestamp().ok().map(|time| time.to_zoned(TimeZone::UTC));
    }
    let day = broken.to_date().ok()?;
    let hour = broken.to_time().unwrap_or_default();
    day.to_datetime(hour).to_zoned(TimeZone::UTC).ok()
}

/// `1h30m`, `-1.5h`, `250ms`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        let unit_end =
            rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |at| digits + at);
        seconds += number
            * match &rest[digits..unit_end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    SignedDuration::try_from_secs_f64(if negative { -seconds } else { seconds }).ok()
}

/// `1h1m40s`, as Go prints a duration.
fn spelled(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let all = seconds.unsigned_abs();
    let (hours, minutes, seconds) = (all / 3600, all / 60 % 60, all % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// The largest unit alone.
fn rounded(seconds: i64) -> String {
    const UNITS: [(i64, &str); 6] =
        [(365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let unit =
        UNITS.iter().find(|(length, _)| seconds > *length).or(UNITS.iter().find(|(length, _)| seconds == *length));
    unit.map_or_else(|| "0s".to_owned(), |(length, name)| format!("{}{name}", seconds / length))
}
