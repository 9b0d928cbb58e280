//! Cron jobs.

use serde_json::Value;

use super::check::{Errors, not_negative, one_of};
use super::go_dump::go_selector;
use super::read::Read;
use super::{cron_schedule, job};
use crate::cluster::api::admission::metadata::{validate_metadata, validate_metadata_update};
use crate::cluster::api::admission::path::Path;
use crate::cluster::api::admission::text::NameRule;
use crate::cluster::api::status::FieldError;

/// The controller adds 11 characters to make the name of a job, which may have 63.
const NAME_MOST: usize = 52;

pub(super) fn validate(cron_job: &Value, old: Option<&Value>, errors: &mut Errors) {
    let spec = cron_job.part("spec").unwrap_or(&Value::Null);
    match old {
        None => validate_metadata(cron_job, true, NameRule::Subdomain, errors),
        Some(old) => validate_metadata_update(cron_job, old, true, errors),
    }
    let old_spec = old.map(|old| old.part("spec").unwrap_or(&Value::Null));
    validate_spec(spec, old_spec, &Path::new("spec"), errors);
    let name = cron_job.part("metadata").text("name");
    if old.is_none() && name.len() > NAME_MOST {
        errors.push(FieldError::invalid("metadata.name", name, "must be no more than 52 characters"));
    }
}

fn validate_spec(spec: &Value, old: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    schedule(spec, old, &at.child("schedule"), errors);
    not_negative(spec, &["startingDeadlineSeconds"], at, errors);
    if old.is_none_or(|old| old.part("timeZone") != spec.part("timeZone")) && spec.has_text("timeZone") {
        time_zone(spec.text("timeZone"), &at.child("timeZone"), errors);
    }
    one_of(spec, "concurrencyPolicy", &["Allow", "Forbid", "Replace"], at, errors);
    job_template(spec.part("jobTemplate").part("spec"), &at.child("jobTemplate").child("spec"), errors);
    not_negative(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], at, errors);
}

fn schedule(spec: &Value, old: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    let schedule = spec.text("schedule");
    if schedule.is_empty() {
        errors.push(FieldError::required(at, ""));
        return;
    }
    if let Err(why) = cron_schedule::check(schedule) {
        errors.push(FieldError::invalid(at, schedule, why));
    }
    if !schedule.contains("TZ") {
        return;
    }
    let had_zone = old.is_some_and(|old| old.text("schedule").contains("TZ"));
    let hint = match (had_zone, spec.part("timeZone").is_some()) {
        (true, false) => return,
        (true, true) => "cannot use both timeZone field and TZ or CRON_TZ in schedule",
        (false, _) => "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
    };
    errors.push(FieldError::invalid(at, schedule, hint));
}

fn time_zone(zone: &str, at: &Path<'_>, errors: &mut Errors) {
    if zone.is_empty() {
        errors.push(FieldError::invalid(at, zone, "timeZone must be nil or non-empty string"));
        return;
    }
    let fits = |part: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
        (1..=14).contains(&part.len())
            && part.bytes().all(known)
            && !part.starts_with('-')
            && !matches!(part, "." | "..")
    };
    let unknown = format!("unknown time zone {zone}");
    if !zone.split('/').all(fits) {
        errors.push(FieldError::invalid(at, zone, unknown));
        return;
    }
    if zone.eq_ignore_ascii_case("Local") {
        let hint = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(FieldError::invalid(at, zone, hint));
    }
    if zone != "Local" && !cron_schedule::is_time_zone(zone) {
        errors.push(FieldError::invalid(at, zone, unknown));
    }
}

fn job_template(spec: Option<&Value>, at: &Path<'_>, errors: &mut Errors) {
    job::validate_spec(spec.unwrap_or(&Value::Null), at, errors);
    if let Some(selector) = spec.part("selector") {
        let hint = "`selector` will be auto-generated";
        errors.push(FieldError::invalid(at.child("selector"), go_selector(Some(selector)), hint));
    }
    if spec.is_on("manualSelector") {
        errors.push(FieldError::not_supported(at.child("manualSelector"), true, &["nil", "false"]));
    }
}
