//! Parts of times and durations, in UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::eval::Answer;
use super::super::value::Val;
use super::{Functions, no_overload};

const SECOND: i64 = 1_000_000_000;

pub(super) const FUNCTIONS: Functions = &[
    ("getFullYear", |arguments, _| part(arguments, |time| time.year().into())),
    ("getMonth", |arguments, _| part(arguments, |time| i64::from(time.month()) - 1)),
    ("getDate", |arguments, _| part(arguments, |time| time.day().into())),
    ("getDayOfMonth", |arguments, _| part(arguments, |time| i64::from(time.day()) - 1)),
    ("getDayOfWeek", |arguments, _| part(arguments, |time| time.weekday().to_sunday_zero_offset().into())),
    ("getDayOfYear", |arguments, _| part(arguments, |time| i64::from(time.day_of_year()) - 1)),
    ("getHours", |arguments, _| match arguments {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / (3600 * SECOND))),
        _ => part(arguments, |time| time.hour().into()),
    }),
    ("getMinutes", |arguments, _| match arguments {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / (60 * SECOND))),
        _ => part(arguments, |time| time.minute().into()),
    }),
    ("getSeconds", |arguments, _| match arguments {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos / SECOND)),
        _ => part(arguments, |time| time.second().into()),
    }),
    ("getMilliseconds", |arguments, _| match arguments {
        [Val::Duration(nanos)] => Ok(Val::Int(nanos % SECOND / 1_000_000)),
        _ => part(arguments, |time| time.millisecond().into()),
    }),
];

fn part<'a>(arguments: &[Val<'a>], part: fn(DateTime) -> i64) -> Answer<'a> {
    match arguments {
        [Val::Timestamp(time)] => Ok(Val::Int(part(TimeZone::UTC.to_datetime(*time)))),
        _ => no_overload(),
    }
}
