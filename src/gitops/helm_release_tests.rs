//! Names, values and steps of `HelmRelease`s.

use super::*;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn names_are_made_of_namespaces() {
    let named = |namespace: &str, spec: Value| {
        release_name(&json!({"metadata": {"namespace": namespace, "name": "shop"}, "spec": spec}))
    };
    assert_eq!(named("demo", json!({})), "demo-shop");
    assert_eq!(named("demo", json!({"releaseName": "s1", "targetNamespace": "prod"})), "s1");
    assert_eq!(named("demo", json!({"targetNamespace": "prod"})), "demo-prod-shop");
    assert_eq!(named("demo", json!({"targetNamespace": "demo"})), "demo-shop");
    assert_eq!(named("", json!({})), "default-shop");
}

#[test]
fn values_come_in_order() {
    let release = json!({"metadata": {"namespace": "demo"}, "spec": {
        "valueFileSecrets": [{"name": "old"}],
        "valuesFrom": [
            {"configMapKeyRef": {"name": "a", "namespace": "other", "key": "k"}},
            {"secretKeyRef": {"name": "b", "optional": true}},
            {"externalSourceRef": {"url": "https://x", "optional": true}},
            {"chartFileRef": {"path": "prod.yaml"}},
            {"somethingElse": {}}, 3,
        ],
    }});
    let key = |namespace: &str, name: &str, key: &str| KeyPlace {
        namespace: namespace.into(),
        name: name.into(),
        key: key.into(),
    };
    let source = |place, optional| ValuesSource { place, optional };
    assert_eq!(
        values_sources(&release),
        [
            source(ValuesPlace::Secret(key("demo", "old", "values.yaml")), false),
            source(ValuesPlace::ConfigMap(key("other", "a", "k")), false),
            source(ValuesPlace::Secret(key("demo", "b", "values.yaml")), true),
            source(ValuesPlace::Url("https://x".into()), true),
            source(ValuesPlace::ChartFile("prod.yaml".into()), false),
        ]
    );
    let merged = merge_values([
        json!({"a": {"b": 1, "c": [1, 2]}, "d": {"x": 1}, "e": 1}),
        json!({"a": {"b": 2, "c": [3]}, "d": 4, "f": null}),
        json!("no mapping"),
        json!({"e": {"y": 1}}),
    ]);
    assert_eq!(merged, json!({"a": {"b": 2, "c": [3]}, "d": 4, "e": {"y": 1}, "f": null}));
}

fn deployed() -> Seen {
    let helm = HelmState { status: "deployed".to_owned(), other_owner: None };
    Seen { helm: Some(helm), generation_observed: true, ..Seen::default() }
}

fn in_state(status: &str, owner: Option<&str>) -> Seen {
    let helm = HelmState { status: status.to_owned(), other_owner: owner.map(str::to_owned) };
    Seen { helm: Some(helm), ..deployed() }
}

#[test]
fn the_next_step_is_found_in_order() {
    let refuse = |why: &str| format!("none {why}");
    let cases = [
        (Seen { deleted: true, ..deployed() }, "uninstall".to_owned()),
        (Seen::default(), "install".to_owned()),
        (in_state("failed", Some("a:helmrelease/b")), refuse("release appears to be managed by 'a:helmrelease/b'")),
        (
            Seen { chart_changed: true, ..in_state("pending-upgrade", None) },
            refuse("status 'pending-upgrade' of release does not allow a safe upgrade"),
        ),
        (Seen { generation_observed: false, ..deployed() }, "upgrade".to_owned()),
        (Seen { chart_changed: true, ..deployed() }, "upgrade".to_owned()),
        (Seen { rolled_back: true, may_retry: true, ..deployed() }, "upgrade".to_owned()),
        (Seen { rolled_back: true, ..deployed() }, "dry-run-compare".to_owned()),
        (deployed(), "dry-run-compare".to_owned()),
        (Seen { difference: Some(true), ..deployed() }, "upgrade".to_owned()),
        (Seen { difference: Some(false), ..deployed() }, "skip".to_owned()),
    ];
    for (seen, wanted) in cases {
        let step = next_step(&seen);
        let why = if let Step::Refuse(why) = &step { format!(" {why}") } else { String::new() };
        assert_eq!(format!("{}{why}", step.as_str()), wanted, "{seen:?}");
    }
}

#[test]
fn failures_are_followed_up() {
    let plain = Care::default();
    let careful = Care::of(
        &json!({"spec": {"test": {"enable": true}, "rollback": {"enable": true, "retry": true, "maxRetries": 2}}}),
    );
    let lenient = Care { ignore_test_failures: true, ..careful };
    let cases = [
        (plain, Step::Install, true, false, true, Step::Done),
        (plain, Step::Install, false, false, true, Step::Uninstall),
        (plain, Step::Upgrade, false, true, true, Step::Done),
        (careful, Step::Install, true, false, true, Step::Test),
        (careful, Step::Upgrade, false, true, true, Step::RollBack),
        (careful, Step::Upgrade, false, true, false, Step::Done),
        (careful, Step::Test, false, false, true, Step::Uninstall),
        (careful, Step::Test, false, true, true, Step::RollBack),
        (careful, Step::Test, true, true, true, Step::Done),
        (lenient, Step::Test, false, true, true, Step::Done),
    ];
    for (care, step, succeeded, had_release, newer, wanted) in cases {
        assert_eq!(care.follow(&step, succeeded, had_release, newer), wanted, "{care:?} {step:?}");
    }
    assert_eq!([0, 1, 2].map(|rollbacks| careful.may_retry(rollbacks)), [true, true, false]);
    assert!(Care { max_retries: 0, ..careful }.may_retry(99) && !plain.may_retry(0));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<i8>().prop_map(Value::from), "[a-c]".prop_map(Value::from)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_last_values_win(below in values(), above in values()) {
        let merged = merge_values([below.clone(), above.clone()]);
        prop_assert_eq!(&merge_values([merged.clone(), above.clone()]), &merged);
        prop_assert_eq!(&merge_values([merged.clone()]), &merged);
        for (key, value) in above.as_object().into_iter().flatten() {
            if !value.is_object() {
                prop_assert_eq!(merged.get(key), Some(value));
            }
        }
    }
}
