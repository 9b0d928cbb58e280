//! Controllers and objects that are not as they should be: nothing makes them panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cluster::api::store::Store;
use crate::cluster::object::Key;
use crate::cluster::sim::testing::{CONTROLLERS, Cluster, NAMESPACE};
use crate::cluster::sim::{World, times};

/// A store with an object of each kind that controllers look after, and what they have made of it.
fn full_store() -> Store {
    let mut cluster = Cluster::new();
    let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "x"}}, "template": template,
        "minReadySeconds": 1, "revisionHistoryLimit": 1, "progressDeadlineSeconds": 5});
    let with = |more: Value| {
        let mut spec = spec.clone();
        json_patch::merge(&mut spec, &more);
        spec
    };
    let rolling = |bounds: Value| json!({"type": "RollingUpdate", "rollingUpdate": bounds});
    let surge = json!({"maxSurge": "50%", "maxUnavailable": 1});
    cluster.create("nodes", json!({"metadata": {"name": "n1", "namespace": ""}, "spec": {"taints": [{"key": "k"}]}}));
    let objects = [
        ("deployments.apps", with(json!({"strategy": rolling(surge.clone())}))),
        (
            "statefulsets.apps",
            with(json!({"updateStrategy": rolling(json!({"partition": 1})),
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": {}}], "ordinals": {"start": 1}})),
        ),
        ("daemonsets.apps", with(json!({"updateStrategy": rolling(surge)}))),
        (
            "jobs.batch",
            with(json!({"completions": 2, "parallelism": 2, "backoffLimit": 3, "backoffLimitPerIndex": 1,
            "completionMode": "Indexed", "activeDeadlineSeconds": 9, "ttlSecondsAfterFinished": 3,
            "successPolicy": {"rules": [{"succeededIndexes": "0", "succeededCount": 1}]},
            "podFailurePolicy": {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [1]}}]}})),
        ),
        (
            "cronjobs.batch",
            with(json!({"schedule": "* * * * *", "startingDeadlineSeconds": 90, "timeZone": "Etc/UTC",
            "successfulJobsHistoryLimit": 1, "jobTemplate": {"metadata": {}, "spec": {}}})),
        ),
        ("replicationcontrollers", with(json!({"selector": {"matchLabels": null, "app": "x"}}))),
    ];
    for (resource, mut spec) in objects {
        // Each has pods of its own.
        let app = json!(resource);
        if !spec["selector"]["app"].is_null() {
            spec["selector"]["app"] = app.clone();
        } else {
            spec["selector"]["matchLabels"]["app"] = app.clone();
        }
        spec["template"]["metadata"]["labels"]["app"] = app;
        cluster
            .create(resource, json!({"kind": "X", "metadata": {"name": "x", "annotations": {"a": "b"}}, "spec": spec}));
    }
    cluster.run();
    cluster.pass(61);
    cluster.store
}

/// The places in an object, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            let name = |name: &String| name.replace('~', "~0").replace('/', "~1");
            members.iter().for_each(|(key, value)| places(value, &format!("{at}/{}", name(key)), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at_item, value)| places(value, &format!("{at}/{at_item}"), found));
        }
        _ => {}
    }
}

fn garbage() -> impl Strategy<Value = Value> {
    let numbers = [0, 1, -1, 1000, i64::from(i32::MAX), i64::from(i32::MIN), i64::MAX, i64::MIN];
    let texts = [
        "",
        "x",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1000000%",
        "0-9223372036854775806",
        "é€",
        "9999-12-31T23:59:59Z",
        "-009999-01-01T00:00:00Z",
        "2026-08-01T10:00:00Z",
        "True",
        "Failed",
        "Delete",
        "Forbid",
    ];
    prop_oneof![
        proptest::sample::select(numbers.to_vec()).prop_map(|number| json!(number)).boxed(),
        proptest::sample::select(texts.map(str::to_owned).to_vec()).prop_map(|text| json!(text)).boxed(),
        proptest::sample::select(vec![json!(null), json!(true), json!([]), json!({}), json!(0.5), json!([null])])
            .boxed(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_a_controller_panic(
        changes in proptest::collection::vec((0..10_000usize, 0..10_000usize, garbage()), 1..12), refused: bool,
    ) {
        thread_local! {
            static OBJECTS: Vec<(String, Value)> = {
                let store = full_store();
                let resources: Vec<_> = store.resources().filter(|name| &***name != "events").cloned().collect();
                let objects = resources.iter().flat_map(|name| store.list(name, "").map(|it| (name.to_string(), it.value())));
                objects.collect()
            };
        }
        let mut store = Store::default();
        OBJECTS.with(|objects| objects.iter().for_each(|(name, object)| drop(store.put(&name.as_str().into(), object.clone()))));
        for (object, place, garbage) in changes {
            let (name, mut object) = OBJECTS.with(|objects| objects[object % objects.len()].clone());
            let mut found = Vec::new();
            places(&object, "", &mut found);
            if let Some(place) = object.pointer_mut(&found[place % found.len()]) {
                *place = garbage;
            }
            store.put(&name.as_str().into(), object);
        }
        let now = times::read("2026-08-01T10:02:00Z").unwrap();
        let world = World { store: &store, now, refused: refused.then_some("no") };
        let changes: Vec<_> = store.since(0).into_iter().flatten().cloned().collect();
        for (reconcile, wake) in CONTROLLERS {
            for change in &changes {
                wake(change, &store).iter().for_each(|key| drop(reconcile(&world, key)));
            }
            drop(reconcile(&world, &Key::new(NAMESPACE, "x")));
        }
    }
}
