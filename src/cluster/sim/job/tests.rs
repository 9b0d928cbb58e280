//! Whole lives of jobs, played through with a test cluster.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::finish_time;
use crate::cluster::api::store::Store;
use crate::cluster::object::{int, list, text};
use crate::cluster::sim::Action;
use crate::cluster::sim::testing::{Cluster, NAMESPACE};

const JOBS: &str = "jobs.batch";

fn job(spec: Value) -> Value {
    let mut object = json!({
        "kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "j", "namespace": NAMESPACE},
        "spec": {
            "completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
            "podReplacementPolicy": "TerminatingOrFailed",
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}},
            "template": {
                "metadata": {"labels": {"batch.kubernetes.io/controller-uid": "u"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "one"}]},
            },
        },
    });
    json_patch::merge(&mut object, &json!({"spec": spec}));
    object
}

fn started(spec: Value) -> Cluster {
    let mut cluster = Cluster::new();
    cluster.create(JOBS, job(spec));
    cluster.run();
    cluster
}

/// Ends a pod.
fn end(cluster: &mut Cluster, pod: &str, exit: i64) {
    let phase = if exit == 0 { "Succeeded" } else { "Failed" };
    let terminated = json!({"exitCode": exit, "finishedAt": crate::cluster::sim::times::text(cluster.now)});
    let status = json!({"phase": phase, "conditions": null,
        "containerStatuses": [{"name": "c", "restartCount": 0, "state": {"terminated": terminated}}]});
    cluster.set_status("pods", pod, status);
}

/// Pods that live.
fn active(cluster: &Cluster) -> Vec<String> {
    let lives = |pod: &Value| !matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed");
    let pods = cluster.list("pods").into_iter().filter(|pod| !pod.deleting && lives(&pod.value()));
    pods.map(|pod| pod.key.name.to_string()).collect()
}

fn status(cluster: &Cluster) -> Value {
    cluster.get(JOBS, "j")["status"].clone()
}

fn conditions(cluster: &Cluster) -> Vec<String> {
    let line = |it: &Value| ["type", "status", "reason", "message"].map(|name| text(it, &[name])).join(" ");
    list(&status(cluster), &["conditions"]).iter().map(line).collect()
}

const BACKOFF: [&str; 2] = [
    "FailureTarget True BackoffLimitExceeded Job has reached the specified backoff limit",
    "Failed True BackoffLimitExceeded Job has reached the specified backoff limit",
];

#[test]
fn a_job_runs_to_its_end() {
    let mut cluster = started(json!({}));
    let [pod] = &cluster.names("pods")[..] else { panic!("there is one pod") };
    let pod = pod.clone();
    assert_eq!(cluster.get("pods", &pod)["metadata"]["finalizers"], json!(["batch.kubernetes.io/job-tracking"]));
    let time = "2026-08-01T10:00:00Z";
    let running = json!({"startTime": time, "active": 1, "terminating": 0, "uncountedTerminatedPods": {}, "ready": 1});
    assert_eq!(status(&cluster), running);

    let before = cluster.store.revision();
    cluster.now = crate::cluster::sim::times::plus(cluster.now, 5);
    end(&mut cluster, &pod, 0);
    let end = "2026-08-01T10:00:05Z";
    let condition = |kind: &str| {
        json!({"type": kind, "status": "True", "lastProbeTime": end, "lastTransitionTime": end,
            "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"})
    };
    let done = json!({
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")], "startTime": time, "completionTime": end,
        "succeeded": 1, "terminating": 0, "uncountedTerminatedPods": {}, "ready": 0,
    });
    assert_eq!(status(&cluster), done);
    assert_eq!(cluster.get("pods", &pod)["metadata"]["finalizers"], Value::Null);
    let told = [format!("Job/j SuccessfulCreate: Created pod: {pod}"), "Job/j Completed: Job completed".to_owned()];
    assert_eq!(cluster.events, told);
    let line = |object: &Value| {
        let conditions = list(object, &["status", "conditions"]).iter().map(|it| text(it, &["type"]).to_owned());
        (conditions.collect::<Vec<_>>().join(" "), int(object, &["status", "succeeded"]).unwrap_or(0))
    };
    let lines = cluster.watch(before, JOBS, |object| format!("{:?}", line(object)));
    assert_eq!(lines, [r#"("SuccessCriteriaMet", 0)"#, r#"("SuccessCriteriaMet Complete", 1)"#]);
}

#[test]
fn failures_are_tried_again_later_and_later() {
    let mut cluster = started(json!({"backoffLimit": 2}));
    for wait in [10, 20] {
        let pods = active(&cluster);
        end(&mut cluster, &pods[0], 1);
        assert_eq!(active(&cluster), [""; 0]);
        cluster.pass(wait - 1);
        assert_eq!(active(&cluster), [""; 0], "it waits {wait} seconds");
        cluster.pass(1);
        assert_eq!(active(&cluster).len(), 1);
        cluster.run();
    }
    assert_eq!(int(&status(&cluster), &["failed"]), Some(2));
    let pods = active(&cluster);
    end(&mut cluster, &pods[0], 1);
    assert_eq!(conditions(&cluster), BACKOFF);
    assert_eq!(int(&status(&cluster), &["failed"]), Some(3));
    let event = "Job/j BackoffLimitExceeded: Job has reached the specified backoff limit";
    assert_eq!(cluster.events.last().map(String::as_str), Some(event));
}

#[test]
fn several_pods_run_at_once_but_no_more_than_needed() {
    let mut cluster = started(json!({"completions": 5, "parallelism": 2}));
    for succeeded in 0..5 {
        assert_eq!(active(&cluster).len(), 2.min(5 - succeeded));
        let pods = active(&cluster);
        end(&mut cluster, &pods[0], 0);
        cluster.run();
    }
    assert_eq!(int(&status(&cluster), &["succeeded"]), Some(5));
    assert!(finish_time(&cluster.get(JOBS, "j")).is_some());
}

#[test]
fn without_completions_one_success_is_enough() {
    let mut cluster = started(json!({"completions": null, "parallelism": 3}));
    let pods = active(&cluster);
    end(&mut cluster, &pods[0], 0);
    assert_eq!(active(&cluster).len(), 2, "the others may end");
    assert!(finish_time(&cluster.get(JOBS, "j")).is_none());
    end(&mut cluster, &pods[1], 0);
    end(&mut cluster, &pods[2], 0);
    assert!(finish_time(&cluster.get(JOBS, "j")).is_some());
}

#[test]
fn a_deadline_ends_what_runs() {
    let mut cluster = started(json!({"activeDeadlineSeconds": 30, "parallelism": 2, "completions": 2}));
    cluster.pass(29);
    assert_eq!(active(&cluster).len(), 2);
    cluster.pass(1);
    assert_eq!(
        conditions(&cluster),
        ["FailureTarget True DeadlineExceeded Job was active longer than specified deadline"]
    );
    cluster.run();
    assert_eq!(conditions(&cluster)[1], "Failed True DeadlineExceeded Job was active longer than specified deadline");
    let expected = json!({"failed": 2, "ready": 0, "terminating": 0});
    let shown = status(&cluster);
    assert_eq!(
        json!({"failed": shown["failed"], "ready": shown["ready"], "terminating": shown["terminating"]}),
        expected
    );
    assert_eq!(cluster.names("pods").len(), 0);
}

#[test]
fn restarts_of_containers_count_against_the_limit() {
    let mut cluster = started(json!({"backoffLimit": 3, "template": {"spec": {"restartPolicy": "OnFailure"}}}));
    let pod = active(&cluster).remove(0);
    cluster.set_status("pods", &pod, json!({"containerStatuses": [{"name": "c", "restartCount": 2}]}));
    assert_eq!(active(&cluster).len(), 1);
    cluster.set_status("pods", &pod, json!({"containerStatuses": [{"name": "c", "restartCount": 3}]}));
    cluster.run();
    assert_eq!(conditions(&cluster), BACKOFF);
}

#[test]
fn a_suspended_job_has_no_pods() {
    let mut cluster = started(json!({"suspend": true}));
    assert_eq!(cluster.names("pods").len(), 0);
    assert_eq!(conditions(&cluster), ["Suspended True JobSuspended Job suspended"]);
    assert_eq!(status(&cluster)["startTime"], Value::Null);
    cluster.patch(JOBS, "j", json!({"spec": {"suspend": false}}));
    cluster.run();
    assert_eq!(conditions(&cluster), ["Suspended False JobResumed Job resumed"]);
    assert_eq!(active(&cluster).len(), 1);
    cluster.patch(JOBS, "j", json!({"spec": {"suspend": true}}));
    cluster.run();
    assert_eq!((cluster.names("pods").len(), &status(&cluster)["failed"]), (0, &Value::Null), "it is no failure");
    let told: Vec<_> = cluster.events.iter().filter(|event| event.ends_with("ed")).collect();
    assert_eq!(
        told,
        ["Job/j Suspended: Job suspended", "Job/j Resumed: Job resumed", "Job/j Suspended: Job suspended"]
    );
}

#[test]
fn fewer_at_a_time_is_no_failure() {
    let mut cluster = started(json!({"completions": 4, "parallelism": 3}));
    cluster.patch(JOBS, "j", json!({"spec": {"parallelism": 1}}));
    cluster.run();
    assert_eq!((active(&cluster).len(), &status(&cluster)["failed"]), (1, &Value::Null));
}

#[test]
fn an_indexed_job_counts_indexes() {
    let mut cluster = started(json!({"completionMode": "Indexed", "completions": 3, "parallelism": 2}));
    let pods = active(&cluster);
    let prefixes: Vec<_> = pods.iter().map(|pod| &pod[..4]).collect();
    assert_eq!(prefixes, ["j-0-", "j-1-"]);
    let pod = cluster.get("pods", &pods[1]);
    let index = "batch.kubernetes.io/job-completion-index";
    assert_eq!((&pod["metadata"]["annotations"][index], &pod["metadata"]["labels"][index]), (&json!("1"), &json!("1")));
    assert_eq!(pod["spec"]["hostname"], "j-1");
    let variable = json!({"name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": format!("metadata.labels['{index}']")}}});
    assert_eq!(pod["spec"]["containers"][0]["env"], json!([variable]));

    end(&mut cluster, &pods[1], 0);
    cluster.run();
    assert_eq!(status(&cluster)["completedIndexes"], "1");
    end(&mut cluster, &pods[0], 1);
    cluster.pass(10);
    cluster.run();
    let mut pods = active(&cluster);
    assert_eq!(pods.iter().map(|pod| &pod[..4]).collect::<Vec<_>>(), ["j-0-", "j-2-"], "index 0 is tried again");
    pods.drain(..).for_each(|pod| end(&mut cluster, &pod, 0));
    cluster.run();
    let shown = status(&cluster);
    assert_eq!(
        (&shown["completedIndexes"], &shown["succeeded"], &shown["failed"]),
        (&json!("0-2"), &json!(3), &json!(1))
    );
    assert!(finish_time(&cluster.get(JOBS, "j")).is_some());
}

#[test]
fn indexes_may_fail_one_by_one() {
    let spec = json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2,
        "backoffLimit": 2_147_483_647, "backoffLimitPerIndex": 1});
    let mut cluster = started(spec);
    let pods = active(&cluster);
    end(&mut cluster, &pods[1], 0);
    end(&mut cluster, &pods[0], 1);
    assert_eq!(active(&cluster), [""; 0]);
    cluster.pass(10);
    cluster.run();
    let again = active(&cluster);
    let failures = "batch.kubernetes.io/job-index-failure-count";
    assert_eq!(cluster.get("pods", &again[0])["metadata"]["annotations"][failures], "1");
    end(&mut cluster, &again[0], 1);
    cluster.run();
    assert_eq!(status(&cluster)["failedIndexes"], "0");
    let told =
        ["FailureTarget True FailedIndexes Job has failed indexes", "Failed True FailedIndexes Job has failed indexes"];
    assert_eq!(conditions(&cluster), told);
    assert_eq!(int(&status(&cluster), &["failed"]), Some(2));
}

#[test]
fn policies_decide_about_failures() {
    let policy = json!({"rules": [
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [7]}},
        {"action": "FailJob", "onExitCodes": {"containerName": "c", "operator": "In", "values": [42]}},
    ]});
    let mut cluster = started(json!({"podFailurePolicy": policy, "podReplacementPolicy": "Failed"}));
    let pod = active(&cluster).remove(0);
    end(&mut cluster, &pod, 7);
    cluster.pass(10);
    cluster.run();
    assert_eq!(status(&cluster)["failed"], Value::Null, "it is ignored");
    let pod = active(&cluster).remove(0);
    end(&mut cluster, &pod, 42);
    let message = format!("Container c for pod n/{pod} failed with exit code 42 matching FailJob rule at index 1");
    let told = ["FailureTarget", "Failed"].map(|kind| format!("{kind} True PodFailurePolicy {message}"));
    assert_eq!(conditions(&cluster), told);
}

#[test]
fn a_success_policy_may_be_content_with_less() {
    let rules = json!({"rules": [{"succeededIndexes": "1"}]});
    let spec = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3, "successPolicy": rules});
    let mut cluster = started(spec);
    let pods = active(&cluster);
    end(&mut cluster, &pods[1], 0);
    assert_eq!(conditions(&cluster), ["SuccessCriteriaMet True SuccessPolicy Matched rules at index 0"]);
    cluster.run();
    assert_eq!(conditions(&cluster)[1], "Complete True SuccessPolicy Matched rules at index 0");
    assert_eq!(cluster.names("pods"), [pods[1].clone()]);
}

#[test]
fn an_old_job_is_deleted() {
    let mut cluster = started(json!({"ttlSecondsAfterFinished": 60}));
    let pod = active(&cluster).remove(0);
    end(&mut cluster, &pod, 0);
    cluster.pass(59);
    assert_eq!(cluster.names(JOBS), ["j"]);
    cluster.pass(1);
    assert_eq!((cluster.names(JOBS).len(), cluster.names("pods").len()), (0, 0));
}

#[test]
fn a_deleted_job_lets_its_pods_go() {
    let mut cluster = started(json!({"parallelism": 2, "completions": 2}));
    cluster.delete(JOBS, "j");
    cluster.run();
    assert_eq!(cluster.names("pods").len(), 0);
}

#[test]
fn somebody_elses_job_is_left_alone() {
    let cluster = started(json!({"managedBy": "example.com/queue"}));
    assert_eq!((cluster.names("pods").len(), status(&cluster)), (0, Value::Null));
}

#[test]
fn refusals_are_told_and_tried_again() {
    let mut cluster = Cluster::new();
    cluster.refuse = Some(Box::new(|_, action| match action {
        Action::Create { resource, .. } if &**resource == "pods" => Some("no".to_owned()),
        _ => None,
    }));
    cluster.create(JOBS, job(json!({})));
    assert!(cluster.events.contains(&"Job/j FailedCreate: Error creating: no".to_owned()));
    cluster.refuse = None;
    cluster.pass(6);
    assert_eq!(cluster.names("pods").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_end_is_counted_once(
        completions in 1..6i64, parallelism in 1..4i64, limit in 0..4i64, indexed: bool,
        steps in proptest::collection::vec((0..5u8, 0..6usize), 0..25),
    ) {
        let mode = if indexed { "Indexed" } else { "NonIndexed" };
        let mut cluster = Cluster::new();
        cluster.check = Some(Box::new(move |store: &Store| {
            let pods = store.list("pods", NAMESPACE).filter(|pod| !pod.deleting);
            let lives = pods.filter(|pod| matches!(text(&pod.value(), &["status", "phase"]), "Pending" | "Running"));
            assert!(lives.count() <= usize::try_from(parallelism).unwrap(), "too many at once");
        }));
        cluster.create(JOBS, job(json!({"completions": completions, "parallelism": parallelism,
            "backoffLimit": limit, "completionMode": mode})));
        let (mut good, mut bad) = (0, 0);
        for (step, number) in steps {
            let over = finish_time(&cluster.get(JOBS, "j")).is_some();
            let pods = active(&cluster);
            match step {
                _ if over || pods.is_empty() => cluster.pass(7),
                0 | 1 => {
                    end(&mut cluster, &pods[number % pods.len()], 0);
                    good += 1;
                }
                2 => {
                    end(&mut cluster, &pods[number % pods.len()], 1);
                    bad += 1;
                }
                3 => drop(cluster.run_pods()),
                _ => cluster.pass(i64::try_from(number).unwrap()),
            }
        }
        let shown = status(&cluster);
        let over = finish_time(&cluster.get(JOBS, "j")).is_some();
        prop_assert_eq!(int(&shown, &["succeeded"]).unwrap_or(0), good);
        if bad <= limit {
            prop_assert_eq!(int(&shown, &["failed"]).unwrap_or(0), bad);
        }
        // What runs goes on, and ends well: then the job is over, well or not.
        for _ in 0..200 {
            let pods = active(&cluster);
            match pods.first() {
                Some(pod) => end(&mut cluster, pod, 0),
                None => cluster.pass(10),
            }
            cluster.run();
        }
        let object = cluster.get(JOBS, "j");
        prop_assert!(over || finish_time(&object).is_some());
        let failed = conditions(&cluster).iter().any(|line| line.starts_with("Failed"));
        prop_assert_eq!(failed, bad > limit);
        if !failed {
            prop_assert_eq!(int(&object, &["status", "succeeded"]), Some(completions));
        }
        prop_assert_eq!(cluster.list("pods").iter().filter(|pod| pod.finalized).count(), 0);
    }
}
