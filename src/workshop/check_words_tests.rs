//! The words of checks, right and wrong.

use super::*;
use crate::deck::words::{End, read};

fn shown(text: &str) -> Result<String, (String, String)> {
    let title = fact(&read(text, 0, End::Text).0).map(|fact| fact.title());
    title.map_err(|wrong| {
        let place = wrong.span.map_or("", |span| &text[span.start..span.end]);
        (wrong.message, place.to_owned())
    })
}

#[test]
fn checks_that_are_right() {
    for (text, title) in [
        ("Deployment/podinfo namespace=demo condition=Available", "Deployment/podinfo is Available"),
        ("Pod/a condition=Ready=false", "Pod/a has Ready=False"),
        ("Deployment/podinfo jsonpath='{.spec.replicas}' equals=3", ".spec.replicas of Deployment/podinfo should be 3"),
        ("Deployment/x jsonpath=.spec.replicas atleast=2", ".spec.replicas of Deployment/x should be at least 2"),
        ("Namespace/demo absent", "Namespace/demo is gone"),
        ("Namespace/demo", "Namespace/demo is there"),
        ("pods selector=app=podinfo count=3", "the number of pods objects should be 3"),
        ("Pod namespace=demo atleast=1 condition=Ready", "the number of Pod objects should be at least 1"),
        ("git/commit path=deploy/podinfo.yaml by=ann since=step", "a commit touches deploy/podinfo.yaml"),
        ("git/commit", "there is a commit"),
        ("git/file path=deploy/a.yaml contains=\"replicas: 4\"", "deploy/a.yaml should contain `replicas: 4`"),
        ("git/file path=a absent", "a is not in the repository"),
        ("sync/applied", "the newest commit is applied"),
        ("policy/automated workload=demo:deployment/podinfo", "demo:deployment/podinfo is automated"),
        ("policy/tag.app workload=a:deployment/b equals=glob:*", "tag.app of a:deployment/b should be glob:*"),
        ("policy/locked workload=demo:Deployment/podinfo absent", "demo:deployment/podinfo is not locked"),
        ("http/get service=podinfo namespace=demo port=9898", "service podinfo in demo, port 9898, / answers with 200"),
        ("http/get url=http://localhost:1/x status=404", "http://localhost:1/x answers with 404"),
        ("deployments.apps/x", "deployments/x is there"),
    ] {
        assert_eq!(shown(text), Ok(title.to_owned()), "{text}");
    }
}

#[test]
fn checks_that_are_wrong() {
    for (text, message, place) in [
        ("", "this check does not say what it looks at", ""),
        ("condition=Ready", "this check does not say what it looks at", ""),
        ("Deployment", "`Deployment` names no object", "Deployment"),
        ("Pod count=x", "`x` is no number", "count"),
        ("Pod/a condition=Ready=maybe", "a condition is True, False or Unknown", "condition"),
        ("Pod/a condition=R jsonpath=.a", "a check has a condition or a field, not both", "condition"),
        ("Pod/a equals=3", "there is nothing to compare", ""),
        ("Pod/a jsonpath=.a equals=3 not=4", "`not` is one comparison too many", "not"),
        ("Pod/a jsonpath=.a matches=(", "`(` is no regular expression", "matches"),
        ("Pod/a nmespace=demo", "`nmespace` means nothing in this check", "nmespace"),
        ("git/comit", "`git/comit` is nothing that can be checked", "git/comit"),
        ("git/file", "`git/file` needs `path=FILE`", "git/file"),
        ("git/commit since=yesterday", "`since` takes `step` alone", "since"),
        ("policy/automated", "a policy needs `workload=NAMESPACE:KIND/NAME`", "policy/automated"),
        ("policy/automated workload=podinfo", "`podinfo` is no workload", "workload"),
        ("http/get url=ftp://x", "an address begins with http:// or https://", "url"),
        ("http/get", "`http/get` needs `url=…` or `service=NAME`", "http/get"),
        ("http/get url=http://x status=9", "`9` is no status", "status"),
    ] {
        assert_eq!(shown(text), Err((message.to_owned(), place.to_owned())), "{text}");
    }
    assert!(
        matches!(fact(&read("Pod/a jsonpath='{.a[}'", 0, End::Text).0), Err(wrong) if wrong.message.starts_with("the path is wrong"))
    );
}
