//! Looks at automated workloads.

use super::super::fixture::{lines, registry, workload};
use super::*;

const MAY: Rights = Rights { read_only: false, scanning_disabled: false };

fn planned(workloads: &[Workload]) -> Option<(Vec<String>, String)> {
    let images = registry(&[("e/hello", &["3", "a1", "2"]), ("alpine", &["3.1", "3.2"]), ("e/one", &["1"])]);
    run(workloads, &images, MAY).plan.map(|plan| (lines(&plan.results), plan.message))
}

#[test]
fn automated_workloads_get_the_best_image() {
    let on = "automated=true";
    let cases: [(&[&str], &[&str], Option<&str>); 6] = [
        (&["hello=e/hello:a1"], &[on], Some("Auto-release e/hello:2")),
        (&["hello=e/hello:a1"], &[on, "tag.hello=semver:*"], Some("Auto-release e/hello:3")),
        (&["hello=e/hello:a1"], &["automated=false"], None),
        (&["hello=e/hello:a1"], &[on, "locked=true"], None),
        (&["hello=e/hello:a1"], &[on, "locked=false", "ignore=sync_only"], Some("Auto-release e/hello:2")),
        (&["hello=e/hello:gone"], &[on], None),
    ];
    for (containers, policies, message) in cases {
        let found = planned(&[workload("web", containers, policies)]).map(|(_, message)| message);
        assert_eq!(found.as_deref(), message, "{policies:?}");
    }
}

#[test]
fn one_commit_tells_all_images() {
    let workloads = [
        workload("a", &["x=e/hello:a1", "y=alpine:3.1"], &["automated=true"]),
        workload("b", &["x=e/one:1"], &["automated=true"]),
        workload("c", &["x=docker.io/library/alpine:3.1"], &["automated=true"]),
    ];
    let (results, message) = planned(&workloads).unwrap();
    assert_eq!(
        results,
        [
            "a success x: e/hello:a1 -> 2 y: alpine:3.1 -> 3.2",
            "b ignored not included",
            "c success x: docker.io/library/alpine:3.1 -> 3.2",
        ]
    );
    assert_eq!(
        message,
        "Auto-release multiple (3) images\n\n - alpine:3.2\n - docker.io/library/alpine:3.2\n - e/hello:2\n"
    );
}

#[test]
fn git_may_be_ahead_of_the_cluster() {
    let mut web = workload("web", &["x=alpine:3.1"], &["automated=true"]);
    web.git.as_mut().unwrap().containers[0].image.tag = "3.2".to_owned();
    assert_eq!(planned(&[web.clone()]), None);
    web.cluster = None;
    let looked = run(&[web.clone()], &registry(&[]), MAY);
    assert_eq!((looked.decisions.len(), looked.plan), (0, None));
}

#[test]
fn decisions_explain_themselves() {
    let web = workload("web", &["x=e/hello:gone", "y=e/none:1"], &["automated=true"]);
    let looked = run(std::slice::from_ref(&web), &registry(&[("e/hello", &["2"])]), MAY);
    let choices: Vec<_> = looked.decisions.iter().map(|decision| &decision.explanation.choice).collect();
    assert!(
        matches!(choices[0], Choice::Skip(why) if why.to_string().starts_with("image with zero created timestamp"))
    );
    assert_eq!(choices[1], &Choice::Nothing);
    let read_only = Rights { read_only: true, ..MAY };
    assert_eq!(read_only.refusal(), Some("Repo is read-only; no image updates will be attempted"));
    assert!(run(&[web], &registry(&[]), read_only).decisions.is_empty());
}
