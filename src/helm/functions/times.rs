//! Times, of which there is one: when the release was made.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Answer, Arguments};
use crate::helm::template::value::Value;

pub(super) const NAMES: [&str; 5] = ["now", "date", "dateInZone", "htmlDate", "unixEpoch"];

/// Go's words in a layout, longer ones first, and what they are for strftime.
const WORDS: [(&str, &str); 20] = [
    ("January", "%B"),
    ("Monday", "%A"),
    ("2006", "%Y"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("-07:00", "%:z"),
    ("Z07:00", "%:z"),
    ("-0700", "%z"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("15", "%H"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("PM", "%p"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("1", "%-m"),
];

pub(super) fn call(name: &str, args: &Arguments<'_>, now: i64) -> Option<Answer> {
    Some(match name {
        "now" => Ok(Value::Int(now)),
        "date" | "dateInZone" => args.text(0).and_then(|layout| Ok(Value::text(date(&layout, args.int(1)?)))),
        "htmlDate" => args.int(0).map(|time| Value::text(date("2006-01-02", time))),
        "unixEpoch" => args.int(0).map(|time| Value::text(time.to_string())),
        _ => return None,
    })
}

fn date(layout: &str, seconds: i64) -> String {
    let Ok(time) = Timestamp::from_second(seconds) else { return String::new() };
    let zoned = time.to_zoned(TimeZone::UTC);
    let (mut out, mut rest) = (String::new(), layout);
    while let Some(first) = rest.chars().next() {
        match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, format)) => {
                out.push_str(&zoned.strftime(format).to_string());
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
