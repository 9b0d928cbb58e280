//! What can be waited for, and when it holds.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn deployment(available: i64, generation: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "generation": generation, "name": "podinfo" },
        "spec": { "replicas": 2 },
        "status": {
            "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available,
            "conditions": [{ "type": "Available", "status": if available == 2 { "True" } else { "False" }, "message": "m" }],
        },
    })
}

#[test]
fn conditions_are_judged() {
    let not_yet = |why: &str| Standing::NotYet(why.to_owned());
    let up = deployment(2, 2);
    let down = deployment(1, 2);
    let unseen = deployment(2, 3);
    let job = |kind: &str| json!({ "kind": "Job", "apiVersion": "batch/v1", "status": { "conditions": [{ "type": kind, "status": "True", "message": "BackoffLimitExceeded" }] } });
    for (asked, object, expected) in [
        ("deploy/podinfo available", Some(&up), Standing::Holds),
        ("deploy/podinfo", Some(&up), Standing::Holds),
        ("deploy/podinfo -n demo ready", Some(&down), not_yet("1 of 2 replicas are available")),
        ("deploy/podinfo ready", Some(&unseen), not_yet("the controller has not seen the newest version yet")),
        ("deploy/podinfo ready", None, not_yet("deploy/podinfo is not there")),
        ("deploy/podinfo deleted", None, Standing::Holds),
        ("deploy/podinfo deleted", Some(&up), not_yet("deploy/podinfo is still there")),
        ("deploy/podinfo exists", Some(&down), Standing::Holds),
        ("deploy/podinfo condition=Available", Some(&up), Standing::Holds),
        ("deploy/podinfo condition=Available", Some(&down), not_yet("available is False: m")),
        ("deploy/podinfo condition=Available=False", Some(&down), Standing::Holds),
        ("deploy/podinfo condition=Nope", Some(&down), not_yet("there is no condition nope yet")),
        (
            "deploy/podinfo condition=Available",
            Some(&unseen),
            not_yet("the controller has not seen the newest version yet"),
        ),
        ("deploy/podinfo jsonpath={.spec.replicas}=2", Some(&up), Standing::Holds),
        ("deploy/podinfo jsonpath='{.spec.replicas}'=3", Some(&up), not_yet("it is 2, not 3")),
        ("deploy/podinfo jsonpath={.spec.nope}", Some(&up), not_yet("the member is not there yet")),
        ("job/import complete", Some(&job("Complete")), Standing::Holds),
        ("job/import complete", Some(&job("Failed")), Standing::Never("it failed: BackoffLimitExceeded".to_owned())),
        ("job/import complete", Some(&json!({})), not_yet("it has not completed")),
    ] {
        let wait = Wait::parse(asked).unwrap_or_else(|why| panic!("{asked}: {why}"));
        assert_eq!(wait.judge(object), expected, "{asked}");
    }
}

#[test]
fn namespaces_stand_anywhere_behind_the_object() {
    for asked in
        ["po/a -n demo ready", "po/a ready -n demo", "PO/a --namespace=demo ready", "po/a --namespace demo ready"]
    {
        let wait = Wait::parse(asked).expect("it can be read");
        assert_eq!(
            (wait.kind.as_str(), wait.name.as_str(), wait.namespace.as_deref()),
            ("po", "a", Some("demo")),
            "{asked}"
        );
        assert_eq!(wait.goal, Goal::Healthy, "{asked}");
        assert_eq!(wait.shown(), "po/a to be ready");
    }
}

#[test]
fn the_namespace_of_the_command_counts_when_none_is_given() {
    for (asked, script, expected) in [
        ("po/a ready", "kubectl -n demo delete pod a", Some("demo")),
        ("po/a ready", "kubectl delete pod a --namespace=demo\nkubectl get po -n demo", Some("demo")),
        ("po/a -n other ready", "kubectl -n demo delete pod a", Some("other")),
        ("po/a ready", "kubectl -n one get po; kubectl -n two get po", None),
        ("po/a ready", "kubectl -n $NS get po", None),
        ("po/a ready", "echo -n", None),
        ("po/a ready", "kubectl delete pod a", None),
    ] {
        let mut wait = Wait::parse(asked).expect("it can be read");
        wait.in_namespace_of(script);
        assert_eq!(wait.namespace.as_deref(), expected, "{asked} / {script}");
    }
}

#[test]
fn nonsense_is_told() {
    for (asked, says) in [
        ("", "`wait` is empty"),
        ("podinfo available", "`podinfo` names no object"),
        ("deploy/ available", "`deploy/` names no object"),
        ("a/b/c ready", "`a/b/c` names no object"),
        ("deploy/a perfect", "`perfect` cannot be waited for"),
        ("deploy/a -n", "`-n` has no namespace behind it"),
        ("deploy/a jsonpath={.a", "`jsonpath={.a` cannot be waited for: unexpected path string"),
    ] {
        let why = Wait::parse(asked).expect_err(asked);
        assert!(why.contains(says), "{asked}: {why}");
    }
}

#[test]
fn words_mean_kinds() {
    let kinds = crate::gitops::kinds::usual();
    for (word, expected) in [
        ("deploy", Some("Deployment")),
        ("deployment", Some("Deployment")),
        ("deployments", Some("Deployment")),
        ("deployments.apps", Some("Deployment")),
        ("deployment.other", None),
        ("ns", Some("Namespace")),
        ("nonsense", None),
    ] {
        let wait = Wait::parse(&format!("{word}/a ready")).expect("it can be read");
        assert_eq!(wait.resolve(&kinds).map(|served| served.kind.as_str()), expected, "{word}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(asked in "\\PC{0,60}", kind in "[a-z/]{0,8}", tail in "(jsonpath=|condition=)?\\PC{0,20}") {
        let _ = Wait::parse(&asked);
        if let Ok(wait) = Wait::parse(&format!("{kind}/x {tail}")) {
            let _ = wait.judge(None);
            let _ = wait.judge(Some(&json!({ "status": { "conditions": [1, null] } })));
        }
    }
}
