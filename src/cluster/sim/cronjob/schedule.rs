//! Schedules as cron jobs write them: five fields, or a word like `@hourly`, or `@every 90s`.

use cronexpr::Crontab;
use jiff::{SignedDuration, Timestamp};

use crate::cluster::goduration;

/// When something is to happen.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    /// At times that match.
    Times(Box<Crontab>),
    /// So long after the last time.
    Every(SignedDuration),
}

/// One of the five fields: its smallest and largest number, and the names that stand for numbers.
struct Bounds {
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Bounds; 5] = [
    Bounds { min: 0, max: 59, names: &[] },
    Bounds { min: 0, max: 23, names: &[] },
    Bounds { min: 1, max: 31, names: &[] },
    Bounds { min: 1, max: 12, names: &MONTHS },
    Bounds { min: 0, max: 6, names: &DAYS },
];

const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Schedule {
    /// Reads a schedule; the zone is UTC when it is empty. The error says what is wrong as the API does.
    pub(crate) fn parse(text: &str, zone: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        if let Some(duration) = text.strip_prefix("@every ") {
            let duration = goduration::parse(duration)
                .map_err(|why| format!("failed to parse duration {text}: time: {why} {duration:?}"))?;
            return Ok(Self::Every(SignedDuration::from_secs(duration.as_secs().max(1))));
        }
        let word = WORDS.iter().find(|(word, _)| *word == text).map(|(_, fields)| *fields);
        if word.is_none() && text.starts_with('@') {
            return Err(format!("unrecognized descriptor: {text}"));
        }
        let fields: Vec<_> = word.unwrap_or(text).split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
        }
        let mut expression = String::new();
        for (field, bounds) in fields.iter().zip(&FIELDS) {
            expression.push_str(&bounds.normalize(field)?);
            expression.push(' ');
        }
        expression.push_str(if zone.is_empty() { "UTC" } else { zone });
        let crontab = cronexpr::parse_crontab(&expression).map_err(|error| error.to_string())?;
        Ok(Self::Times(Box::new(crontab)))
    }

    /// The first time after another.
    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(duration) => {
                let whole = Timestamp::from_second(time.as_second()).ok()?;
                whole.checked_add(*duration).ok()
            }
            // The search looks four years ahead, which has to be within the calendar.
            Self::Times(_) if !(-60_000_000_000..253_000_000_000).contains(&time.as_second()) => None,
            Self::Times(crontab) => crontab.find_next(cronexpr::MakeTimestamp(time)).ok().map(|next| next.timestamp()),
        }
    }
}

impl Bounds {
    /// The field as a star, or as a list of numbers. A star anywhere makes it one, unless it has steps: only a star
    /// lets the other day field decide alone.
    fn normalize(&self, field: &str) -> Result<String, String> {
        let mut bits = 0u64;
        let mut star = false;
        for part in field.split(',').filter(|part| !part.is_empty()) {
            let (numbers, is_star) = self.range(part)?;
            bits |= numbers;
            star |= is_star;
        }
        if star {
            return Ok("*".to_owned());
        }
        let numbers = (self.min..=self.max).filter(|number| bits & (1 << number) != 0);
        Ok(numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(","))
    }

    fn range(&self, part: &str) -> Result<(u64, bool), String> {
        let mut slashes = part.split('/');
        let (range, step) = (slashes.next().unwrap_or(""), slashes.next());
        let mut hyphens = range.split('-');
        let (low, high) = (hyphens.next().unwrap_or(""), hyphens.next());
        let mut star = low == "*" || low == "?";
        let (start, mut end) = if star {
            (u64::from(self.min), u64::from(self.max))
        } else {
            let start = self.number(low)?;
            let end = high.map_or(Ok(start), |high| self.number(high))?;
            if hyphens.next().is_some() {
                return Err(format!("too many hyphens: {part}"));
            }
            (start, end)
        };
        let mut by = 1;
        if let Some(step) = step {
            by = number(step)?;
            if high.is_none() {
                end = u64::from(self.max);
            }
            star &= by <= 1;
        }
        if slashes.next().is_some() {
            return Err(format!("too many slashes: {part}"));
        }
        if start < u64::from(self.min) {
            return Err(format!("beginning of range ({start}) below minimum ({}): {part}", self.min));
        }
        if end > u64::from(self.max) {
            return Err(format!("end of range ({end}) above maximum ({}): {part}", self.max));
        }
        if start > end {
            return Err(format!("beginning of range ({start}) beyond end of range ({end}): {part}"));
        }
        if by == 0 {
            return Err(format!("step of range should be a positive number: {part}"));
        }
        let mut bits = 0u64;
        let mut number = start;
        while number <= end {
            bits |= 1 << number;
            number = number.saturating_add(by);
        }
        Ok((bits, star))
    }

    fn number(&self, text: &str) -> Result<u64, String> {
        let name = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match name {
            Some(at) => Ok(u64::from(self.min) + at as u64),
            None => number(text),
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    match text.parse::<i64>() {
        Ok(negative) if negative < 0 => Err(format!("negative number ({negative}) not allowed: {text}")),
        Ok(number) => Ok(number.unsigned_abs()),
        Err(_) => Err(format!("failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::sim::times;
    use proptest::prelude::*;

    #[test]
    fn times_follow_the_schedule() {
        let cases = [
            ("*/5 * * * *", "", "2026-08-01T10:03:00Z", "2026-08-01T10:05:00Z"),
            ("*/5 * * * *", "", "2026-08-01T10:05:00Z", "2026-08-01T10:10:00Z"),
            ("0 3 * * *", "", "2026-08-01T10:00:00Z", "2026-08-02T03:00:00Z"),
            ("0 3 * * *", "Europe/Berlin", "2026-08-01T10:00:00Z", "2026-08-02T01:00:00Z"),
            ("0 0 * * sun", "", "2026-08-01T10:00:00Z", "2026-08-02T00:00:00Z"),
            ("0 0 1 JAN ?", "", "2026-08-01T10:00:00Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "", "2026-08-01T10:00:01Z", "2026-08-01T11:00:00Z"),
            ("@weekly", "", "2026-08-03T00:00:00Z", "2026-08-09T00:00:00Z"),
            ("@every 1h30m", "", "2026-08-01T10:00:00.5Z", "2026-08-01T11:30:00Z"),
            ("@every 10ms", "", "2026-08-01T10:00:00Z", "2026-08-01T10:00:01Z"),
            // Two day fields: either will do, unless one is a star; one with steps is none.
            ("0 0 13 * 5", "", "2026-08-08T00:00:00Z", "2026-08-13T00:00:00Z"),
            ("0 0 13 * 5", "", "2026-08-13T00:00:00Z", "2026-08-14T00:00:00Z"),
            ("0 0 */20 * 5", "", "2026-08-02T00:00:00Z", "2026-08-07T00:00:00Z"),
            ("0 0 5,* * 5", "", "2026-08-02T00:00:00Z", "2026-08-07T00:00:00Z"),
            ("50/5 0 1-2 * *", "", "2026-08-01T00:50:00Z", "2026-08-01T00:55:00Z"),
        ];
        for (schedule, zone, after, expected) in cases {
            let found = Schedule::parse(schedule, zone).unwrap().after(times::read(after).unwrap());
            assert_eq!(found.map(times::text).as_deref(), Some(expected), "{schedule} after {after}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let cases = [
            ("", "empty spec string"),
            ("every day", "expected exactly 5 fields, found 2: [every day]"),
            ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
            ("@nightly", "unrecognized descriptor: @nightly"),
            ("@every soon", "failed to parse duration @every soon: time: invalid duration \"soon\""),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("*/2/3 * * * *", "too many slashes: */2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("* * L * *", "failed to parse int from L: strconv.Atoi: parsing \"L\": invalid syntax"),
        ];
        for (schedule, expected) in cases {
            assert_eq!(Schedule::parse(schedule, "").map(|_| ()), Err(expected.to_owned()), "{schedule}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_makes_it_panic(text in "[ *,/?0-9a-zA-Z@.-]{0,24}", seconds in -400_000_000_000i64..400_000_000_000) {
            if let (Ok(schedule), Ok(time)) = (Schedule::parse(&text, ""), Timestamp::from_second(seconds))
                && let Some(next) = schedule.after(time)
            {
                prop_assert!(next > time);
            }
        }

        #[test]
        fn plausible_schedules_have_times(
            minute in 0..60u8, step in 1..12u8, day in 1..29u8, week in 0..7u8, seconds in 0..4_000_000_000i64,
        ) {
            let schedule = Schedule::parse(&format!("{minute} */{step} {day} * {week}"), "").unwrap();
            let time = Timestamp::from_second(seconds).unwrap();
            let next = schedule.after(time).unwrap();
            prop_assert!(next > time && next.as_second() % 60 == 0);
        }
    }
}
