//! Verdicts for every kind of check.

use super::*;
use crate::deck::words::{End, read};
use crate::diagnostic::Span;
use crate::workshop::check_words::fact;
use serde_json::json;

fn check(text: &str) -> Check {
    let fact = if text.is_empty() {
        Fact::Script { script: String::new() }
    } else {
        fact(&read(text, 0, End::Text).0).unwrap()
    };
    Check { fact, message: String::new(), timeout: crate::workshop::check::TIMEOUT, span: Span::default() }
}

/// A verdict in one line.
fn line(text: &str, seen: &Observation, context: &Context) -> String {
    match judge(&check(text), seen, context) {
        Verdict::Pass { why } => format!("pass: {why}"),
        Verdict::NotYet { why, next } if next.is_empty() => format!("not yet: {why}"),
        Verdict::NotYet { why, next } => format!("not yet: {why} | {next}"),
        Verdict::Fail { why } => format!("fail: {why}"),
    }
}

fn synced() -> Context {
    let sync = Sync { head: Some("a".repeat(40)), synced: Some("a".repeat(40)), ..Sync::default() };
    let baseline = Baseline { head: Some("b".repeat(40)), ..Baseline::default() };
    Context { baseline: Some(baseline), sync, ..Context::default() }
}

fn fresh() -> Context {
    let mut context = synced();
    context.baseline = Some(Baseline { head: context.sync.head.clone(), ..Baseline::default() });
    context
}

fn behind() -> Context {
    let mut context = synced();
    context.sync.synced = Some("b".repeat(40));
    context.sync.next_seconds = Some(12);
    context
}

fn deployment(replicas: i64, available: i64) -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"name": "podinfo", "uid": "u1", "generation": 2},
        "spec": {"replicas": replicas},
        "status": {"availableReplicas": available, "conditions": [
            {"type": "Available", "status": if available >= replicas { "True" } else { "False" }},
        ]},
    })
}

#[test]
fn objects() {
    let there = |value: Value| Observation::Object(Some(value));
    let available = "Deployment/podinfo namespace=demo condition=Available";
    let replicas = "Deployment/podinfo namespace=demo jsonpath={.spec.replicas} equals=4";
    let mut broken = behind();
    broken.sync.problems = vec!["deploy/podinfo.yaml:3: this is no YAML".to_owned()];
    let mut refused = synced();
    refused.sync.refused = BTreeMap::from([("demo:deployment/podinfo".to_owned(), "quota".to_owned())]);
    let mut stuck = deployment(3, 1);
    let progressing = json!({"type": "Progressing", "status": "False", "message": "no image"});
    stuck["status"]["conditions"].as_array_mut().unwrap().push(progressing);
    let mut closed = fresh();
    closed.sync.stopped = Some("there is no Flux".to_owned());
    let unpushed = Context { unpushed: 1, ..fresh() };
    for (text, seen, context, expected) in [
        (available, there(deployment(3, 3)), fresh(), "pass: Deployment/podinfo is Available"),
        (
            available,
            there(deployment(3, 1)),
            fresh(),
            "not yet: Deployment/podinfo is not Available yet: 1 of 3 pods are available | its pods are starting",
        ),
        (available, there(stuck), fresh(), "fail: Deployment/podinfo does not get on: no image"),
        (
            available,
            Observation::Object(None),
            behind(),
            "not yet: there is no Deployment/podinfo in the namespace demo | commit aaaaaaa is not applied yet; Flux looks again in 12 s",
        ),
        (available, Observation::Object(None), broken.clone(), "fail: deploy/podinfo.yaml:3: this is no YAML"),
        (available, Observation::Object(None), refused, "fail: the cluster refuses Deployment/podinfo: quota"),
        (
            available,
            Observation::Object(None),
            closed,
            "not yet: there is no Deployment/podinfo in the namespace demo | nothing is applied: there is no Flux",
        ),
        (
            available,
            Observation::Object(None),
            unpushed.clone(),
            "not yet: there is no Deployment/podinfo in the namespace demo | a commit is not pushed yet: `git push`",
        ),
        (replicas, there(deployment(4, 4)), fresh(), "pass: .spec.replicas of Deployment/podinfo is 4"),
        (
            replicas,
            there(deployment(3, 3)),
            behind(),
            "not yet: .spec.replicas of Deployment/podinfo is 3, it should be 4 | commit aaaaaaa is not applied yet; Flux looks again in 12 s",
        ),
        (
            replicas,
            there(deployment(3, 3)),
            synced(),
            "fail: .spec.replicas of Deployment/podinfo is 3, it should be 4",
        ),
        (replicas, there(deployment(3, 3)), broken, "fail: deploy/podinfo.yaml:3: this is no YAML"),
        (
            "Deployment/podinfo jsonpath=.spec.paused",
            there(deployment(3, 3)),
            Context::default(),
            "not yet: .spec.paused of Deployment/podinfo is not set, it should be there",
        ),
        ("Pod/a absent", Observation::Object(None), fresh(), "pass: Pod/a is gone"),
        ("Pod/a absent", there(json!({})), fresh(), "not yet: Pod/a is still there"),
        ("Pod/a", there(json!({})), fresh(), "pass: Pod/a is there"),
        ("Pod/a", Observation::Blind("no answer".to_owned()), fresh(), "not yet: no answer | it is looked at again"),
    ] {
        assert_eq!(line(text, &seen, &context), expected, "{text}");
    }
}

#[test]
fn an_object_that_should_be_a_new_one() {
    let text = "Deployment/podinfo namespace=demo condition=Available since=step";
    let seen = Observation::Object(Some(deployment(3, 3)));
    let with = |uid: &str| {
        let objects = BTreeMap::from([("deployment/demo/podinfo".to_owned(), (uid.to_owned(), 1))]);
        Context { baseline: Some(Baseline { objects, ..Baseline::default() }), ..Context::default() }
    };
    assert_eq!(line(text, &seen, &with("u1")), "not yet: Deployment/podinfo is still the one from before this step");
    assert_eq!(line(text, &seen, &with("u0")), "pass: Deployment/podinfo is Available");
    assert_eq!(line(text, &seen, &Context::default()), "pass: Deployment/podinfo is Available");
}

#[test]
fn everything_else() {
    let pods = |ready: usize, all: usize| {
        let pod = |n: usize| {
            json!({"metadata": {"name": format!("p{n}")},
                "status": {"conditions": [{"type": "Ready", "status": if n < ready { "True" } else { "False" }}]}})
        };
        Observation::Objects((0..all).map(pod).collect())
    };
    let script = |code: i32, said: &str| Observation::Script { code: Some(code), line: said.to_owned() };
    let policies = |pairs: &[(&str, &str)]| {
        Observation::Policies(Some(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()))
    };
    let http = |status: u16, body: &str| Observation::Http { status, body: body.to_owned() };
    let file = |text: &str| Observation::File(Some(text.to_owned()));
    let uncommitted = Context { uncommitted: 2, ..synced() };
    for (text, seen, context, expected) in [
        ("Pod selector=a=b condition=Ready count=4", pods(4, 4), fresh(), "pass: there are 4 pods that are Ready"),
        (
            "Pod selector=a=b condition=Ready count=4",
            pods(3, 4),
            fresh(),
            "not yet: there are 3 pods that are Ready, it should be 4",
        ),
        ("pods absent", pods(0, 0), fresh(), "pass: there are 0 pods"),
        (
            "git/commit path=a",
            Observation::Commits(vec!["abc1234 Add a (Ann)".to_owned()]),
            fresh(),
            "pass: commit abc1234 Add a (Ann)",
        ),
        (
            "git/commit path=a by=ann since=step",
            Observation::Commits(Vec::new()),
            uncommitted.clone(),
            "not yet: no commit that touches a by ann since this step began | 2 files are changed but not committed: `git add`, `git commit`",
        ),
        ("git/file path=a", file("x"), fresh(), "pass: a is in the repository"),
        ("git/file path=a", Observation::File(None), fresh(), "not yet: a is not in the repository"),
        ("git/file path=a absent", file("x"), fresh(), "fail: a is in the repository, and should not be"),
        ("git/file path=a contains=y", file("x"), synced(), "fail: a in the repository does not contain `y`"),
        ("git/file path=a contains=y", file("x"), fresh(), "not yet: a in the repository does not contain `y`"),
        (
            "policy/automated workload=d:deployment/p",
            policies(&[("automated", "true")]),
            fresh(),
            "pass: d:deployment/p is automated",
        ),
        (
            "policy/automated workload=d:deployment/p",
            policies(&[("automated", "yes")]),
            fresh(),
            "fail: automated of d:deployment/p is yes, it should be true",
        ),
        (
            "policy/automated workload=d:deployment/p",
            policies(&[]),
            fresh(),
            "not yet: Git says nothing of automated for d:deployment/p",
        ),
        (
            "policy/automated workload=d:deployment/p",
            Observation::Policies(None),
            fresh(),
            "not yet: d:deployment/p is not in the repository",
        ),
        ("policy/locked workload=d:deployment/p absent", policies(&[]), fresh(), "pass: d:deployment/p is not locked"),
        ("http/get url=http://x", http(200, ""), fresh(), "pass: http://x answers with 200"),
        ("http/get url=http://x", http(503, ""), fresh(), "not yet: http://x answers with 503, it should be 200"),
        (
            "http/get url=http://x contains=ok",
            http(200, "no\nmore"),
            fresh(),
            "not yet: http://x answers `no`, it should contain `ok`",
        ),
        ("sync/applied", Observation::None, fresh(), "pass: commit aaaaaaa is applied"),
        (
            "sync/applied",
            Observation::None,
            behind(),
            "not yet: commit aaaaaaa is not applied | commit aaaaaaa is not applied yet; Flux looks again in 12 s",
        ),
        ("", script(0, "all good"), fresh(), "pass: all good"),
        ("", script(0, ""), fresh(), "pass: the check passes"),
        ("", script(1, "no key"), fresh(), "not yet: no key"),
        ("", script(1, "no key"), synced(), "fail: no key"),
        ("", script(75, "soon"), synced(), "not yet: soon"),
        ("", script(2, ""), synced(), "fail: the check ended with 2 and said nothing"),
        (
            "",
            Observation::Script { code: None, line: String::new() },
            fresh(),
            "not yet: the check was ended and said nothing",
        ),
        ("Pod/a", Observation::None, fresh(), "not yet: it was not looked at | it is looked at again"),
    ] {
        assert_eq!(line(text, &seen, &context), expected, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_object_is_judged(text in "\\PC{0,40}", count in 0_i64..9) {
        let object = json!({"metadata": {"uid": text, "generation": count}, "spec": {"replicas": text},
            "status": {"conditions": [{"type": text, "status": text, "message": text}]}});
        for check in ["Pod/a condition=Ready", "Pod/a jsonpath=.spec.replicas atleast=3 since=step", "Pod/a absent"] {
            for context in [fresh(), behind(), synced(), Context::default()] {
                proptest::prop_assert!(!line(check, &Observation::Object(Some(object.clone())), &context).is_empty());
            }
        }
        let said = line("", &Observation::Script { code: None, line: text }, &synced());
        proptest::prop_assert!(!said.is_empty());
    }
}
