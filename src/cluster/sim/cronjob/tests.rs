//! Cron jobs over the hours, played through with a test cluster.

use serde_json::{Value, json};

use crate::cluster::object::list;
use crate::cluster::sim::Action;
use crate::cluster::sim::testing::{Cluster, NAMESPACE};

const CRON_JOBS: &str = "cronjobs.batch";
const JOBS: &str = "jobs.batch";

fn cron_job(spec: Value) -> Value {
    let mut object = json!({
        "kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": "cj", "namespace": NAMESPACE},
        "spec": {
            "schedule": "*/5 * * * *", "concurrencyPolicy": "Allow", "suspend": false,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
                "spec": {"parallelism": 1, "template": {"spec": {"containers": []}}},
            },
        },
    });
    json_patch::merge(&mut object, &json!({"spec": spec}));
    object
}

fn started(spec: Value) -> Cluster {
    let mut cluster = Cluster::new();
    cluster.create(CRON_JOBS, cron_job(spec));
    cluster
}

/// Ends a job as the job controller would.
fn end(cluster: &mut Cluster, job: &str, condition: &str) {
    let time = crate::cluster::sim::times::text(cluster.now);
    let conditions = json!([{"type": condition, "status": "True", "lastTransitionTime": time}]);
    cluster.set_status(JOBS, job, json!({"conditions": conditions, "startTime": time, "completionTime": time}));
}

fn status(cluster: &Cluster) -> Value {
    cluster.get(CRON_JOBS, "cj")["status"].clone()
}

fn active(cluster: &Cluster) -> usize {
    list(&status(cluster), &["active"]).len()
}

/// The first times after the start of all tests, 10:00.
const FIRST: &str = "cj-29759645";
const SECOND: &str = "cj-29759650";

#[test]
fn a_job_is_made_at_its_time() {
    let mut cluster = started(json!({}));
    cluster.pass(299);
    assert_eq!(cluster.names(JOBS), [""; 0]);
    cluster.pass(1);
    assert_eq!(cluster.names(JOBS), [FIRST]);
    let owner = cluster.find(CRON_JOBS, "cj").unwrap();
    let job = cluster.get(JOBS, FIRST);
    let metadata = json!({
        "name": FIRST, "namespace": NAMESPACE, "labels": {"a": "b"},
        "annotations": {"c": "d", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-08-01T10:05:00Z"},
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "cj", "uid": owner.uid,
            "controller": true, "blockOwnerDeletion": true}],
        "uid": job["metadata"]["uid"], "generation": 1, "creationTimestamp": "2026-08-01T10:05:00Z",
        "resourceVersion": job["metadata"]["resourceVersion"],
    });
    assert_eq!(job["metadata"], metadata);
    assert_eq!(job["spec"], json!({"parallelism": 1, "template": {"spec": {"containers": []}}}));
    let reference = json!({"kind": "Job", "namespace": NAMESPACE, "name": FIRST, "uid": job["metadata"]["uid"],
        "apiVersion": "batch/v1", "resourceVersion": job["metadata"]["resourceVersion"]});
    assert_eq!(status(&cluster), json!({"active": [reference], "lastScheduleTime": "2026-08-01T10:05:00Z"}));

    cluster.pass(2);
    end(&mut cluster, FIRST, "Complete");
    let ended = json!({"lastScheduleTime": "2026-08-01T10:05:00Z", "lastSuccessfulTime": "2026-08-01T10:05:02Z"});
    assert_eq!(status(&cluster), ended);
    let told = [
        format!("CronJob/cj SuccessfulCreate: Created job {FIRST}"),
        format!("CronJob/cj SawCompletedJob: Saw completed job: {FIRST}, condition: Complete"),
    ];
    assert_eq!(cluster.events, told);
}

#[test]
fn jobs_may_overlap_or_wait_or_replace_each_other() {
    let after_two = |policy: &str| {
        let mut cluster = started(json!({"concurrencyPolicy": policy}));
        cluster.pass(600);
        cluster
    };
    let cluster = after_two("Allow");
    assert_eq!((cluster.names(JOBS), active(&cluster)), (vec![FIRST.to_owned(), SECOND.to_owned()], 2));

    let cluster = after_two("Replace");
    assert_eq!((cluster.names(JOBS), active(&cluster)), (vec![SECOND.to_owned()], 1));
    assert!(cluster.events.contains(&format!("CronJob/cj SuccessfulDelete: Deleted job {FIRST}")));

    let mut cluster = after_two("Forbid");
    assert_eq!(cluster.names(JOBS), [FIRST]);
    let why = "Not starting job because prior execution is running and concurrency policy is Forbid";
    assert_eq!(cluster.events.last(), Some(&format!("CronJob/cj JobAlreadyActive: {why}")));
    cluster.pass(60);
    end(&mut cluster, FIRST, "Complete");
    assert_eq!(cluster.names(JOBS), [FIRST, SECOND], "it starts late, but it starts");
}

#[test]
fn a_suspended_one_makes_none() {
    let mut cluster = started(json!({"suspend": true}));
    cluster.pass(3600);
    assert_eq!(cluster.names(JOBS), [""; 0]);
    cluster.patch(CRON_JOBS, "cj", json!({"spec": {"suspend": false}}));
    assert_eq!(cluster.names(JOBS).len(), 1, "the last missed time is made up for");

    let mut cluster = started(json!({"suspend": true, "startingDeadlineSeconds": 20}));
    cluster.pass(3640);
    cluster.patch(CRON_JOBS, "cj", json!({"spec": {"suspend": false}}));
    assert_eq!(cluster.names(JOBS), [""; 0], "it is too late for that");
}

#[test]
fn only_some_that_ended_are_kept() {
    let mut cluster = started(json!({}));
    for number in 0..12 {
        cluster.pass(300);
        let job = cluster.names(JOBS).pop().unwrap();
        end(&mut cluster, &job, if number % 2 == 0 { "Failed" } else { "Complete" });
    }
    assert_eq!(cluster.names(JOBS).len(), 4);
    assert_eq!(active(&cluster), 0);
}

#[test]
fn jobs_of_others_are_told_once() {
    let mut cluster = started(json!({}));
    let owner = cluster.find(CRON_JOBS, "cj").unwrap();
    let owners =
        json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "cj", "uid": owner.uid, "controller": true}]);
    cluster.create(JOBS, json!({"metadata": {"name": "manual", "ownerReferences": owners}, "spec": {}}));
    cluster.patch(JOBS, "manual", json!({"metadata": {"labels": {"x": "y"}}}));
    let told = "CronJob/cj UnexpectedJob: Saw a job that the controller did not create or forgot: manual";
    assert_eq!(cluster.events, [told]);
    assert_eq!(active(&cluster), 0);
}

#[test]
fn a_job_that_is_gone_is_told() {
    let mut cluster = started(json!({}));
    cluster.pass(300);
    cluster.delete(JOBS, FIRST);
    assert_eq!(active(&cluster), 0);
    assert_eq!(cluster.events.last(), Some(&format!("CronJob/cj MissingJob: Active job went missing: {FIRST}")));
}

#[test]
fn what_cannot_be_is_told() {
    let cases = [
        (
            json!({"timeZone": "Mars/Base"}),
            "UnknownTimeZone: invalid timeZone: \"Mars/Base\": unknown time zone Mars/Base",
        ),
        (
            json!({"schedule": "0 0 31 2 *"}),
            "InvalidSchedule: invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second",
        ),
        (
            json!({"schedule": "x * * * *"}),
            "UnparseableSchedule: unparseable schedule: \"x * * * *\" : failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
        ),
    ];
    for (spec, event) in cases {
        let mut cluster = started(spec);
        cluster.patch(CRON_JOBS, "cj", json!({"metadata": {"labels": {"x": "y"}}}));
        assert_eq!(cluster.events, [format!("CronJob/cj {event}")]);
    }
}

#[test]
fn zones_shift_the_times() {
    let mut cluster = started(json!({"schedule": "30 12 * * *", "timeZone": "Europe/Berlin"}));
    cluster.pass(1800);
    let job = cluster.list(JOBS).remove(0).value();
    let scheduled = &job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    assert_eq!(scheduled, "2026-08-01T12:30:00+02:00");
}

#[test]
fn refusals_are_told_and_tried_again() {
    let mut cluster = started(json!({}));
    cluster.refuse = Some(Box::new(|_, action| match action {
        Action::Create { resource, .. } if &**resource == JOBS => Some("no".to_owned()),
        _ => None,
    }));
    cluster.pass(301);
    assert!(cluster.events.contains(&"CronJob/cj FailedCreate: Error creating job: no".to_owned()));
    cluster.refuse = None;
    cluster.pass(6);
    assert_eq!(cluster.names(JOBS), [FIRST]);
}
