//! Strategic merge patches against the built-in kinds.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::unprocessable;
use super::*;
use crate::cluster::api::ownership::testing::{any_value, built_in};

fn patched(kind: &str, current: Value, patch: Value) -> Result<Value, Refusal> {
    strategic(&built_in(kind), &current, &patch)
}

/// Patches the containers of a pod.
fn containers(current: Value, patch: Value) -> Result<Value, Refusal> {
    let outcome = patched("v1/Pod", json!({"spec": {"containers": current}}), json!({"spec": patch}))?;
    Ok(outcome["spec"]["containers"].clone())
}

fn names(list: &Value) -> String {
    let names = list.as_array().into_iter().flatten().map(|item| item["name"].as_str().unwrap_or("?"));
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn maps_and_scalars() {
    let current = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"replicas": 1, "paused": true}});
    let cases = [
        (
            json!({"spec": {"replicas": 2}}),
            json!({"labels": {"a": "1", "b": "2"}}),
            json!({"replicas": 2, "paused": true}),
        ),
        (
            json!({"metadata": {"labels": {"a": null}}}),
            json!({"labels": {"b": "2"}}),
            json!({"replicas": 1, "paused": true}),
        ),
        (
            json!({"metadata": {"labels": {"$patch": "replace", "c": "3"}}}),
            json!({"labels": {"c": "3"}}),
            json!({"replicas": 1, "paused": true}),
        ),
        (
            json!({"metadata": {"labels": {"$patch": "delete"}}}),
            json!({"labels": {}}),
            json!({"replicas": 1, "paused": true}),
        ),
        (
            json!({"metadata": {"annotations": {"x": null, "y": "z"}}, "spec": {"paused": null, "minReadySeconds": null}}),
            json!({"labels": {"a": "1", "b": "2"}, "annotations": {"y": "z"}}),
            json!({"replicas": 1}),
        ),
        (
            json!({"metadata": {"annotations": {"$patch": "delete"}}}),
            json!({"labels": {"a": "1", "b": "2"}}),
            json!({"replicas": 1, "paused": true}),
        ),
        (json!({"spec": "text"}), json!({"labels": {"a": "1", "b": "2"}}), json!("text")),
    ];
    for (patch, metadata, spec) in cases {
        let outcome = patched("apps/v1/Deployment", current.clone(), patch.clone());
        assert_eq!(outcome, Ok(json!({"metadata": metadata, "spec": spec})), "{patch}");
    }
    assert_eq!(patched("apps/v1/Deployment", current.clone(), json!(null)), Ok(current));
}

#[test]
fn lists_merge_by_key_and_new_items_come_first() {
    let current = json!([{"name": "nginx", "image": "nginx:1", "args": ["a"]}, {"name": "log", "image": "log:1"}]);
    let outcome = containers(current.clone(), json!({"containers": [{"name": "side", "image": "side:1"}]})).unwrap();
    assert_eq!(names(&outcome), "side nginx log");
    let outcome =
        containers(current.clone(), json!({"containers": [{"name": "log", "image": "log:2"}, {"name": "new"}]}))
            .unwrap();
    assert_eq!(
        outcome,
        json!([{"name": "nginx", "image": "nginx:1", "args": ["a"]}, {"name": "log", "image": "log:2"}, {"name": "new"}])
    );
    let outcome = containers(current.clone(), json!({"containers": [{"name": "nginx", "args": ["b"], "image": null}]}));
    assert_eq!(outcome, Ok(json!([{"name": "nginx", "args": ["b"]}, {"name": "log", "image": "log:1"}])));
    let outcome = containers(current.clone(), json!({"containers": [{"name": "nginx", "$patch": "delete"}]}));
    assert_eq!(outcome, Ok(json!([{"name": "log", "image": "log:1"}])));
    let outcome = containers(current.clone(), json!({"containers": [{"name": "only"}, {"$patch": "replace"}]}));
    assert_eq!(outcome, Ok(json!([{"name": "only"}])));
    let nested = containers(
        json!([{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]),
        json!({"containers": [{"name": "c", "env": [{"name": "B", "value": "3"}, {"$patch": "delete", "name": "A"}]}]}),
    );
    assert_eq!(nested, Ok(json!([{"name": "c", "env": [{"name": "B", "value": "3"}]}])));
}

#[test]
fn the_order_of_items_can_be_set() {
    let current = || json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    let order = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Value>();
    let cases = [
        (json!({"$setElementOrder/containers": order(&["c", "b", "a"])}), "c b a"),
        (json!({"$setElementOrder/containers": order(&["c", "a"])}), "b c a"),
        (
            json!({"$setElementOrder/containers": order(&["a", "b", "c", "d"]), "containers": [{"name": "d"}]}),
            "a b c d",
        ),
        (
            json!({"$setElementOrder/containers": order(&["a", "c"]), "containers": [{"name": "b", "$patch": "delete"}]}),
            "a c",
        ),
    ];
    for (patch, wanted) in cases {
        assert_eq!(containers(current(), patch.clone()).map(|list| names(&list)), Ok(wanted.to_owned()), "{patch}");
    }
    let fresh = patched(
        "v1/Pod",
        json!({"spec": {}}),
        json!({"spec": {
            "$setElementOrder/containers": order(&["b", "a"]),
            "containers": [{"name": "b"}, {"name": "a"}, {"name": "x", "$patch": "delete"}],
        }}),
    );
    assert_eq!(fresh, Ok(json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}]}})));
}

#[test]
fn lists_of_scalars() {
    let current = || json!({"metadata": {"finalizers": ["a", "b"]}});
    let cases = [
        (json!({"finalizers": ["c"]}), json!(["c", "a", "b"])),
        (json!({"finalizers": ["b", "c"]}), json!(["a", "b", "c"])),
        (json!({"$deleteFromPrimitiveList/finalizers": ["a", "x"]}), json!(["b"])),
        (json!({"$setElementOrder/finalizers": ["b", "a"]}), json!(["b", "a"])),
        (json!({"$setElementOrder/finalizers": ["a", "b", "c"], "finalizers": ["c"]}), json!(["a", "b", "c"])),
        (
            json!({"$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["b", "c"], "finalizers": ["c"]}),
            json!(["b", "c"]),
        ),
    ];
    for (patch, wanted) in cases {
        let outcome = patched("v1/Pod", current(), json!({"metadata": patch}));
        assert_eq!(outcome, Ok(json!({"metadata": {"finalizers": wanted}})), "{patch}");
    }
    let atomic = patched(
        "v1/Pod",
        json!({"spec": {"tolerations": [{"key": "a"}]}}),
        json!({"spec": {"tolerations": [{"key": "b"}]}}),
    );
    assert_eq!(atomic, Ok(json!({"spec": {"tolerations": [{"key": "b"}]}})));
}

#[test]
fn members_that_are_not_retained_go() {
    let current = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(
        patched("apps/v1/Deployment", current.clone(), patch),
        Ok(json!({"spec": {"strategy": {"type": "Recreate"}}}))
    );
    let wrong = Err(Refusal::bad_request("invalid patch format of retainKeys"));
    for strategy in [json!({"$retainKeys": ["rollingUpdate"], "type": "Recreate"}), json!({"$retainKeys": "type"})] {
        assert_eq!(patched("apps/v1/Deployment", current.clone(), json!({"spec": {"strategy": strategy}})), wrong);
    }
    let volumes = patched(
        "v1/Pod",
        json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
        json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}}),
    );
    assert_eq!(volumes, Ok(json!({"spec": {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}})));
}

#[test]
fn a_member_can_be_made_to_be_replaced() {
    let selector = |labels: Value| json!({"spec": {"selector": {"matchLabels": labels}}});
    let outcome = patched("policy/v1/PodDisruptionBudget", selector(json!({"a": "b"})), selector(json!({"c": "d"})));
    assert_eq!(outcome, Ok(selector(json!({"c": "d"}))));
    let outcome = patched("apps/v1/Deployment", selector(json!({"a": "b"})), selector(json!({"c": "d"})));
    assert_eq!(outcome, Ok(selector(json!({"a": "b", "c": "d"}))));
}

#[test]
fn refusals() {
    let current = || json!([{"name": "a", "env": []}]);
    let other = |why: &str| Refusal::new(500, "", why);
    let cases = [
        (json!({"containers": [{"image": "x"}]}), other("map: map[image:x] does not contain declared merge key: name")),
        (
            json!({"containers": [{"$patch": "delete", "image": "x"}]}),
            other("map: map[$patch:delete image:x] does not contain declared merge key: name"),
        ),
        (
            json!({"containers": [{"name": "a", "$patch": "merge"}]}),
            other("merging lists cannot yet be specified in the patch"),
        ),
        (
            json!({"containers": [{"name": "a", "$patch": "x"}]}),
            other("unknown patch type: x in map: map[$patch:x name:a]"),
        ),
        (json!({"$patch": "merge"}), other("unknown patch type: merge in map: map[$patch:merge]")),
        (json!({"containers": ["a"]}), other("list element types are not identical: [[map[env:[] name:a]] [a]]")),
        (json!({"$setElementOrder/containers": "x"}), other("expected a []interface {}, but received a string")),
        (json!({"$setElementOrder/containers": ["x"]}), other("value for key 0 is not a map")),
        (
            json!({"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}),
            other("The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n"),
        ),
        (
            json!({"$setElementOrder/nope": []}),
            other("unable to find api field in struct PodSpec for the json field \"nope\""),
        ),
        (json!({"$setElementOrder": []}), Refusal::bad_request("invalid patch format of setElementOrder list")),
        (json!({"$deleteFromPrimitiveList": []}), Refusal::bad_request("invalid patch format of primitive list")),
        (
            json!({"$setElementOrder/containers": [], "containers": [[1]]}),
            other("list element types are not identical: [[map[env:[] name:a]] [[1]]]"),
        ),
    ];
    for (patch, refusal) in cases {
        assert_eq!(containers(current(), patch.clone()), Err(refusal), "{patch}");
    }
    assert_eq!(
        patched("v1/Pod", json!({}), json!([1])),
        Err(Refusal::bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}"))
    );
    let lists = patched("v1/Pod", json!({"metadata": {"finalizers": []}}), json!({"metadata": {"finalizers": [[1]]}}));
    assert_eq!(lists, Err(unprocessable()));
}

#[test]
fn an_outcome_that_cannot_be_decoded_shows_what_is_left_of_the_patch() {
    let current =
        json!({"spec": {"replicas": 0, "template": {"spec": {"containers": [{"name": "nginx", "image": "n"}]}}}});
    let patch = json!({
        "metadata": {"annotations": {"a": "b"}},
        "spec": {
            "replica": null, "replicas": "three",
            "template": {"spec": {
                "$setElementOrder/containers": [{"name": "nginx"}], "containers": [{"name": "nginx", "image": "m"}],
            }},
        },
    });
    let kind = built_in("apps/v1/Deployment");
    let refusal = undecodable_strategic(&kind, &current, &patch, "unrecognized type: int32");
    let why = "Invalid value: \"map[metadata:map[annotations:map[a:b]] spec:map[replica:<nil> replicas:three \
               template:map[spec:map[]]]]\": unrecognized type: int32";
    assert_eq!(
        refusal.to_value(),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": format!(" \"\" is invalid: patch: {why}"), "reason": "Invalid",
            "details": {"causes": [{"reason": "FieldValueInvalid", "message": why, "field": "patch"}]}, "code": 422,
        })
    );
}

proptest! {
    #[test]
    fn the_empty_patch_changes_nothing(metadata in any_value(), spec in any_value()) {
        let current = json!({"metadata": metadata, "spec": spec});
        prop_assert_eq!(patched("v1/Pod", current.clone(), json!({})), Ok(current));
    }

    #[test]
    fn never_panics(current in any_value(), patch in any_value(), order in any_value()) {
        let pod = |containers: &Value| json!({"metadata": {"finalizers": containers}, "spec": {"containers": containers, "volumes": containers}});
        let mut change = pod(&patch);
        change["spec"]["$setElementOrder/containers"] = order.clone();
        change["spec"]["$deleteFromPrimitiveList/volumes"] = order.clone();
        change["metadata"]["$retainKeys"] = order;
        let _ = patched("v1/Pod", pod(&current), change);
        let _ = patched("v1/Pod", pod(&current), pod(&patch));
        let _ = patched("v1/Pod", current, patch);
    }

    #[test]
    fn keyed_lists_hold_every_name_once(
        current in proptest::collection::btree_set("[a-f]", 0..6),
        patch in proptest::collection::btree_set("[a-f]", 0..6),
    ) {
        let list = |names: &std::collections::BTreeSet<String>| names.iter().map(|name| json!({"name": name})).collect::<Value>();
        let outcome = containers(list(&current), json!({"containers": list(&patch)})).map(|outcome| names(&outcome));
        let mut outcome: Vec<_> = outcome.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        outcome.sort();
        prop_assert_eq!(outcome, current.union(&patch).cloned().collect::<Vec<_>>());
    }
}
