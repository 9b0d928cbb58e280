//! Cron jobs: a job at each time of a schedule.

mod history;
mod last;
pub(crate) mod schedule;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cluster::api::store::{Change, Store, Stored};
use crate::cluster::object::{Key, at, entry, flag, int, list, set, text};
use crate::cluster::sim::actions::{self, Kind};
use crate::cluster::sim::job::finish_time;
use crate::cluster::sim::{Action, Decision, World, conditions, ownership, template, times};

use last::Due;
use schedule::Schedule;

const CRON_JOB: Kind =
    Kind { resource: "cronjobs.batch", api_version: "batch/v1", kind: "CronJob", source: "cronjob-controller" };
const JOBS: &str = "jobs.batch";
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// What is to be done for a cron job.
pub fn reconcile(world: &World<'_>, key: &Key) -> Decision {
    let Some(stored) = world.store.get(CRON_JOB.resource, key) else { return Decision::default() };
    let mut look = Look::new(world, stored);
    look.follow_jobs();
    if !stored.deleting {
        look.follow_schedule();
    }
    look.clean_up();
    look.write_status();
    look.decision
}

/// The cron jobs to look at after a change.
pub fn wake(change: &Change, store: &Store) -> Vec<Key> {
    let mut keys = CRON_JOB.itself(change);
    keys.extend(CRON_JOB.owners_concerned(change, store, JOBS, &|_, _| false));
    keys
}

/// A job that belongs to a cron job.
struct Child<'a> {
    stored: &'a Arc<Stored>,
    object: Value,
}

impl Child<'_> {
    /// `Complete` or `Failed`, if it has ended.
    fn end(&self) -> Option<&'static str> {
        finish_time(&self.object)?;
        let complete = conditions::is_true(list(&self.object, &["status", "conditions"]), "Complete");
        Some(if complete { "Complete" } else { "Failed" })
    }

    fn reference(&self) -> Value {
        json!({
            "kind": "Job",
            "namespace": self.stored.key.namespace,
            "name": self.stored.key.name,
            "uid": self.stored.uid,
            "apiVersion": "batch/v1",
            "resourceVersion": self.stored.revision.to_string(),
        })
    }
}

/// One look at a cron job.
struct Look<'a> {
    world: &'a World<'a>,
    stored: &'a Arc<Stored>,
    object: Value,
    jobs: Vec<Child<'a>>,
    /// References to the jobs that run.
    active: Vec<Value>,
    last_schedule: Option<Timestamp>,
    last_success: Option<Timestamp>,
    decision: Decision,
}

impl<'a> Look<'a> {
    fn new(world: &'a World<'a>, stored: &'a Arc<Stored>) -> Self {
        let object = stored.value();
        let owned = world.store.owned_by(&stored.uid).filter(|job| &*job.resource == JOBS);
        let children = owned.filter(|job| ownership::controlled_by(job, stored));
        let time = |name| times::read(text(&object, &["status", name]));
        Self {
            world,
            stored,
            jobs: children.map(|stored| Child { stored, object: stored.value() }).collect(),
            active: list(&object, &["status", "active"]).to_vec(),
            last_schedule: time("lastScheduleTime"),
            last_success: time("lastSuccessfulTime"),
            object,
            decision: Decision::default(),
        }
    }

    fn normal(&mut self, reason: &'static str, message: String) {
        self.decision.push(CRON_JOB.normal(self.stored, reason, message));
    }

    /// Tells of something that each look would see again, once.
    fn remark(&mut self, kind: &'static str, reason: &'static str, message: String, since: Timestamp) {
        if !self.has_told(reason, &message, since) {
            let event = if kind == "Warning" { Kind::warning } else { Kind::normal };
            self.decision.push(event(&CRON_JOB, self.stored, reason, message));
        }
    }

    fn has_told(&self, reason: &str, message: &str, since: Timestamp) -> bool {
        self.world.store.list("events", &self.stored.key.namespace).any(|event| {
            let event = event.view::<EventView>();
            *event.involved_object.uid == *self.stored.uid
                && *event.reason == *reason
                && *event.message == *message
                && event.last_timestamp.is_none_or(|last| last >= since)
        })
    }

    /// Brings the list of running jobs up to date.
    fn follow_jobs(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            let uid = &job.stored.uid;
            let listed = self.active.iter().any(|active| *text(active, &["uid"]) == **uid);
            match job.end() {
                None if !listed && self.is_own(&job) => self.active.push(job.reference()),
                None if !listed => {
                    let name = &job.stored.key.name;
                    let message = format!("Saw a job that the controller did not create or forgot: {name}");
                    self.remark("Warning", "UnexpectedJob", message, Timestamp::MIN);
                }
                None => {}
                Some(condition) => {
                    if listed {
                        self.active.retain(|active| *text(active, &["uid"]) != **uid);
                        let name = &job.stored.key.name;
                        self.normal("SawCompletedJob", format!("Saw completed job: {name}, condition: {condition}"));
                    }
                    if condition == "Complete" {
                        let completed = times::read(text(&job.object, &["status", "completionTime"]));
                        self.last_success = self.last_success.max(completed);
                    }
                }
            }
            self.jobs.push(job);
        }
        let gone =
            |active: &Value, jobs: &[Child<'_>]| !jobs.iter().any(|job| *text(active, &["uid"]) == *job.stored.uid);
        let (missing, active): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.active).into_iter().partition(|active| gone(active, &self.jobs));
        self.active = active;
        for job in missing {
            self.normal("MissingJob", format!("Active job went missing: {}", text(&job, &["name"])));
        }
    }

    /// Whether this controller has made a job, and not somebody who only used the template.
    fn is_own(&self, job: &Child<'_>) -> bool {
        at(&job.object, &["metadata", "annotations", SCHEDULED]).is_some()
    }

    fn follow_schedule(&mut self) {
        let zone = text(&self.object, &["spec", "timeZone"]).to_owned();
        let Some(location) = find_zone(&zone) else {
            let message = format!("invalid timeZone: \"{zone}\": unknown time zone {zone}");
            return self.remark("Warning", "UnknownTimeZone", message, Timestamp::MIN);
        };
        if flag(&self.object, &["spec", "suspend"]) {
            return;
        }
        let written = text(&self.object, &["spec", "schedule"]).to_owned();
        let schedule = match Schedule::parse(&written, &zone) {
            Ok(schedule) => schedule,
            Err(why) => {
                let message = format!("unparseable schedule: \"{written}\" : {why}");
                return self.remark("Warning", "UnparseableSchedule", message, Timestamp::MIN);
            }
        };
        let Some(due) = self.due(&schedule) else {
            let why = "time difference between two schedules is less than 1 second";
            let message = format!("invalid schedule: {written} : {why}");
            return self.remark("Warning", "InvalidSchedule", message, Timestamp::MIN);
        };
        self.start_if_due(&due, &location);
        self.decision.look_again(times::until(self.world.now, due.next));
    }

    fn due(&mut self, schedule: &Schedule) -> Option<Due> {
        let created = times::read(text(&self.object, &["metadata", "creationTimestamp"]));
        let since = self.last_schedule.or(created).unwrap_or(self.world.now);
        let deadline = int(&self.object, &["spec", "startingDeadlineSeconds"]);
        let due = Due::find(schedule, since, deadline, self.world.now)?;
        if due.missed > 100 {
            let message =
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
            self.remark("Warning", "TooManyMissedTimes", message.to_owned(), since);
        }
        Some(due)
    }

    fn start_if_due(&mut self, due: &Due, location: &TimeZone) {
        let Some(time) = due.time else { return };
        let name = job_name(&self.stored.key.name, time);
        let started = self.active.iter().any(|active| text(active, &["name"]) == name);
        if started || self.last_schedule == Some(time) {
            return;
        }
        match text(&self.object, &["spec", "concurrencyPolicy"]) {
            "Forbid" if !self.active.is_empty() => {
                let why = "Not starting job because prior execution is running and concurrency policy is Forbid";
                return self.remark("Normal", "JobAlreadyActive", why.to_owned(), time);
            }
            "Replace" => self.end_active(),
            _ => {}
        }
        self.start(&name, time, location);
    }

    fn start(&mut self, name: &str, time: Timestamp, location: &TimeZone) {
        match self.world.store.get(JOBS, &Key::new(&self.stored.key.namespace, name)) {
            Some(job) if ownership::controlled_by(job, self.stored) => self.last_schedule = Some(time),
            // Somebody else's job has the name: this time is lost.
            Some(_) => {}
            None => {
                if let Some(why) = self.world.refusal() {
                    let message = format!("Error creating job: {why}");
                    return self.decision.note_refusal(&CRON_JOB, self.stored, "FailedCreate", message);
                }
                let job = self.job(name, time, location);
                self.decision.push(actions::create(JOBS, job));
                self.normal("SuccessfulCreate", format!("Created job {name}"));
                self.last_schedule = Some(time);
            }
        }
    }

    fn job(&self, name: &str, time: Timestamp, location: &TimeZone) -> Value {
        let template = at(&self.object, &["spec", "jobTemplate"]).cloned().unwrap_or_else(|| json!({}));
        let mut job = json!({
            "kind": "Job",
            "apiVersion": "batch/v1",
            "metadata": {"name": name, "namespace": self.stored.key.namespace},
        });
        for part in ["labels", "annotations"] {
            if let Some(value) = at(&template, &["metadata", part]).filter(|value| !value.is_null()) {
                set(entry(&mut job, &["metadata"]), &[part], value.clone());
            }
        }
        template::set_annotation(&mut job, SCHEDULED, &rfc3339(time, location));
        let owners = json!([CRON_JOB.controller_reference(self.stored)]);
        set(&mut job, &["metadata", "ownerReferences"], owners);
        set(&mut job, &["spec"], template.get("spec").cloned().unwrap_or_else(|| json!({})));
        job
    }

    /// Deletes the jobs that run, to make room for the next.
    fn end_active(&mut self) {
        for active in std::mem::take(&mut self.active) {
            if let Some(job) = self.world.store.by_uid(text(&active, &["uid"])) {
                self.delete(job);
            }
        }
    }

    fn delete(&mut self, job: &Stored) {
        self.decision.push(actions::delete(job));
        self.normal("SuccessfulDelete", format!("Deleted job {}", job.key.name));
    }

    fn write_status(&mut self) {
        let mut status = Map::new();
        if !self.active.is_empty() {
            status.insert("active".into(), json!(self.active));
        }
        for (name, time) in [("lastScheduleTime", self.last_schedule), ("lastSuccessfulTime", self.last_success)] {
            if let Some(time) = time {
                status.insert(name.into(), json!(times::text(time)));
            }
        }
        let before = at(&self.object, &["status"]).and_then(Value::as_object);
        if before.map_or(status.is_empty(), |before| *before == status) {
            return;
        }
        set(&mut self.object, &["status"], status);
        self.decision.push(Action::UpdateStatus { resource: CRON_JOB.resource.into(), object: self.object.clone() });
    }
}

/// The name of the job of a time: minutes since 1970.
fn job_name(cron_job: &str, time: Timestamp) -> String {
    format!("{cron_job}-{}", time.as_second().div_euclid(60))
}

/// The zone of a name; UTC, in which the cluster lives, without one.
fn find_zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

/// RFC 3339 in a zone: `Z` for UTC, an offset for others.
fn rfc3339(time: Timestamp, location: &TimeZone) -> String {
    if *location == TimeZone::UTC {
        return times::text(time);
    }
    let text = time.to_zoned(location.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    text.strip_suffix("+00:00").map_or_else(|| text.clone(), |local| format!("{local}Z"))
}

/// What is asked of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EventView {
    reason: Box<str>,
    message: Box<str>,
    last_timestamp: Option<Timestamp>,
    involved_object: Involved,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Involved {
    uid: Box<str>,
}
