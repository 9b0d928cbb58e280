//! Releases of chosen containers.

use super::super::fixture::{lines, workload};
use super::*;

fn spec(container: &str, current: &str, target: &str) -> ContainerSpec {
    let image = |text: &str| ImageRef::parse(text).unwrap();
    ContainerSpec { container: container.to_owned(), current: Some(image(current)), target: image(target) }
}

fn release(specs: Vec<ContainerSpec>) -> ContainerRelease {
    let id = ResourceId::new("default", "deployment", "hello");
    ContainerRelease { specs: BTreeMap::from([(id, specs)]), ..ContainerRelease::default() }
}

fn planned(release: &ContainerRelease, policies: &[&str]) -> (Vec<String>, String) {
    let workloads = [workload("hello", &["hello=e/hello:a1", "side=e/side:a1"], policies), workload("other", &[], &[])];
    match release.plan(&workloads, &Cause::default()) {
        Ok(plan) => (lines(&plan.results), plan.message),
        Err(error @ (ReleaseError::Unsatisfied(_) | ReleaseError::NoChanges(_))) => {
            let text = error.to_string();
            let (ReleaseError::Unsatisfied(results) | ReleaseError::NoChanges(results)) = error else { unreachable!() };
            (lines(&results), text)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn containers_change_if_they_run_what_is_expected() {
    let both = || vec![spec("hello", "e/hello:a1", "e/hello:a2"), spec("side", "e/side:a1", "e/side:a2")];
    let other = "other ignored not included".to_owned();
    let (results, message) = planned(&release(both()), &[]);
    assert_eq!(results, ["hello success hello: e/hello:a1 -> a2 side: e/side:a1 -> a2".to_owned(), other.clone()]);
    assert_eq!(
        message,
        "Update image refs in default:deployment/hello\n\ndefault:deployment/hello\n- e/hello:a2\n- e/side:a2\n"
    );
    let mut mismatched = both();
    mismatched[0].current = Some(ImageRef::parse("e/hello:a9").unwrap());
    let strict = release(mismatched.clone());
    let failed = "hello failed container(s) tag mismatch: hello".to_owned();
    assert_eq!(planned(&strict, &[]), (vec![failed, other.clone()], "cannot satisfy specs".to_owned()));
    let lenient = ContainerRelease { skip_mismatches: true, ..strict };
    let (results, message) = planned(&lenient, &[]);
    assert_eq!(results[0], "hello success container(s) tag mismatch: hello side: e/side:a1 -> a2");
    assert_eq!(message, "Update image refs in default:deployment/hello\n\ndefault:deployment/hello\n- e/side:a2\n");
    mismatched.pop();
    let nothing = ContainerRelease { skip_mismatches: true, ..release(mismatched) };
    let skipped = "hello skipped container(s) tag mismatch: hello".to_owned();
    assert_eq!(planned(&nothing, &[]), (vec![skipped, other], "no changes found".to_owned()));
}

#[test]
fn missing_containers_fail_and_locks_hold() {
    let (results, error) = planned(&release(vec![spec("foo", "e/foo:1", "e/foo:2")]), &[]);
    assert_eq!(
        (results[0].as_str(), error.as_str()),
        ("hello failed container(s) not found: foo", "cannot satisfy specs")
    );
    let update = || release(vec![spec("hello", "e/hello:a1", "e/hello:a2")]);
    let (results, error) = planned(&update(), &["locked=true"]);
    assert_eq!((results[0].as_str(), error.as_str()), ("hello skipped locked", "no changes found"));
    let forced = ContainerRelease { force: true, ..update() };
    assert_eq!(planned(&forced, &["locked=true"]).0[0], "hello success hello: e/hello:a1 -> a2");
    let same = release(vec![ContainerSpec { current: None, ..spec("hello", "e/x:1", "e/hello:a1") }]);
    assert_eq!(planned(&same, &[]).0[0], "hello skipped image(s) up to date");
}
