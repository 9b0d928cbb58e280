//! Which time of a schedule is due, and which comes next.

use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use crate::cluster::sim::times;

/// Where a schedule is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    /// The latest time that has come since the last start, if one has.
    pub(super) time: Option<Timestamp>,
    /// About how many have come since then.
    pub(super) missed: i64,
    /// The next time to come.
    pub(super) next: Timestamp,
}

impl Due {
    /// Looks at the times of a schedule since the last start; those that are too late to start do not count. `None` if
    /// the schedule has no times, as on a 31st of February.
    pub(super) fn find(schedule: &Schedule, since: Timestamp, deadline: Option<i64>, now: Timestamp) -> Option<Self> {
        let (recent, missed) = most_recent(schedule, since, now)?;
        let upcoming = schedule.after(recent.unwrap_or(if missed == 0 { since } else { now }))?;
        let earliest = deadline.map_or(since, |seconds| since.max(times::plus(now, seconds.saturating_neg())));
        let (time, missed) = most_recent(schedule, earliest, now)?;
        Some(Self { time, missed, next: upcoming })
    }
}

/// The latest time after `since` that has come, and about how many have.
fn most_recent(schedule: &Schedule, since: Timestamp, now: Timestamp) -> Option<(Option<Timestamp>, i64)> {
    let first = schedule.after(since)?;
    let second = schedule.after(first)?;
    if now < first {
        return Some((None, 0));
    }
    if now < second {
        return Some((Some(first), 1));
    }
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
    let between = seconds(first, second);
    if between < 1 {
        return None;
    }
    // Taking the times as evenly spread leads near the last one; from there it is found one by one.
    let missed = seconds(first, now) / between + 1;
    let near = SignedDuration::from_secs((missed - 2).saturating_mul(between));
    let mut recent = None;
    let mut time = schedule.after(first.checked_add(near).ok()?)?;
    while time <= now {
        recent = Some(time);
        time = schedule.after(time)?;
    }
    Some((recent, missed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_is_found() {
        let time = |text: &str| times::read(&format!("2026-08-0{text}:00Z")).unwrap();
        // Schedule, last start, deadline, now; what is due, how many are missed, what is next.
        let cases = [
            ("*/5 * * * *", "1T10:00", None, "1T10:04", None, 0, "1T10:05"),
            ("*/5 * * * *", "1T10:00", None, "1T10:05", Some("1T10:05"), 1, "1T10:10"),
            ("*/5 * * * *", "1T10:00", None, "1T10:09", Some("1T10:05"), 1, "1T10:10"),
            ("*/5 * * * *", "1T10:00", None, "1T10:32", Some("1T10:30"), 6, "1T10:35"),
            ("*/5 * * * *", "1T10:00", Some(60), "1T10:32", None, 0, "1T10:35"),
            ("*/5 * * * *", "1T10:00", Some(180), "1T10:32", Some("1T10:30"), 1, "1T10:35"),
            ("0 * * * *", "1T10:00", None, "5T12:30", Some("5T12:00"), 98, "5T13:00"),
            ("30 6-16/4 * * 1-5", "3T06:30", None, "4T09:00", Some("4T06:30"), 6, "4T10:30"),
            ("@every 7m", "1T10:02", None, "1T10:20", Some("1T10:16"), 2, "1T10:23"),
        ];
        for (schedule, since, deadline, now, due, missed, next) in cases {
            let parsed = Schedule::parse(schedule, "").unwrap();
            let found = Due::find(&parsed, time(since), deadline, time(now));
            let expected = Due { time: due.map(time), missed, next: time(next) };
            assert_eq!(found, Some(expected), "{schedule} at {now}");
        }
        // Two days in a row each year: from the first two the rest is misjudged, but the next time is still to come.
        let yearly = Schedule::parse("0 0 1-2 1 *", "").unwrap();
        let (since, now) = (times::read("2020-08-01T00:00:00Z").unwrap(), time("1T10:00"));
        let due = Due::find(&yearly, since, None, now).unwrap();
        assert_eq!((due.time, due.next), (None, times::read("2027-01-01T00:00:00Z").unwrap()));
        let never = Schedule::parse("0 0 31 2 *", "").unwrap();
        assert_eq!(Due::find(&never, time("1T10:00"), None, time("1T11:00")), None);
    }
}
