//! Merging, conflicts and removals of server-side apply.

use super::*;

#[test]
fn applying_owning_and_removing() {
    let mut server = Server::new("v1", "ConfigMap");
    let applied =
        |data: Value| json!({"kind": "ConfigMap", "metadata": {"name": "cfg", "labels": {"app": "x"}}, "data": data});
    server.apply("kubectl", applied(json!({"a": "1", "b": "2"})));
    let first = server.live.clone();
    assert_eq!(
        server.entries(),
        [json!({
            "manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:01Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:app": {}}}},
        })]
    );
    server.apply("kubectl", applied(json!({"a": "1", "b": "2"})));
    assert_eq!(server.live, first);
    server.apply("kubectl", applied(json!({"a": "1"})));
    assert_eq!(server.at("/data"), json!({"a": "1"}));
    let owned = r#"kubectl Apply {"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:app":{}}}}"#;
    assert_eq!(server.owners(), [owned]);
    server.apply("kubectl", applied(json!({"a": "9"})));
    assert_eq!(server.at("/data"), json!({"a": "9"}));
}

#[test]
fn keyed_lists_merge_and_lose_only_what_the_applier_owned() {
    let mut server = Server::new("apps/v1", "Deployment");
    let containers = |containers: Value| json!({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": {"containers": containers}}}});
    let main = json!([{"name": "main", "image": "i:1", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 80}]}]);
    let mut base = containers(main);
    base["spec"]["replicas"] = 0.into();
    base["spec"]["selector"] = json!({"matchLabels": {"a": "b"}});
    base["spec"]["template"]["metadata"] = json!({"labels": {"a": "b"}});
    server.apply("base", base);
    // what the server would fill in, and nobody owns
    let default = |server: &mut Server| {
        let Some(live) = &mut server.live else { return };
        for container in live["spec"]["template"]["spec"]["containers"].as_array_mut().into_iter().flatten() {
            container["imagePullPolicy"] = "IfNotPresent".into();
            for port in container["ports"].as_array_mut().into_iter().flatten() {
                port["protocol"] = "TCP".into();
            }
        }
    };
    default(&mut server);
    let side = json!([
        {"name": "side", "image": "s:1"},
        {"name": "main", "env": [{"name": "Y", "value": "2"}], "ports": [{"containerPort": 81, "name": "extra"}]},
    ]);
    server.apply("sidecar", containers(side));
    default(&mut server);
    let here = "/spec/template/spec/containers";
    assert_eq!(server.at(&format!("{here}/0/name")), "side");
    assert_eq!(server.at(&format!("{here}/1/name")), "main");
    server.apply("sidecar", containers(json!([{"name": "main", "env": [{"name": "Z", "value": "3"}]}])));
    assert_eq!(server.at(here).as_array().map(Vec::len), Some(1));
    assert_eq!(server.at(&format!("{here}/0/env")), json!([{"name": "X", "value": "1"}, {"name": "Z", "value": "3"}]));
    assert_eq!(server.at(&format!("{here}/0/ports")), json!([{"containerPort": 80, "protocol": "TCP"}]));
    server.apply("sidecar", json!({"kind": "Deployment", "metadata": {"name": "d"}}));
    assert_eq!(server.at(&format!("{here}/0/env")), json!([{"name": "X", "value": "1"}]));
    assert_eq!(
        server.owners(),
        [concat!(
            r#"base Apply {"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:a":{}}},"#,
            r#""f:spec":{"f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:env":{"k:{\"name\":\"X\"}":{".":{},"#,
            r#""f:name":{},"f:value":{}}},"f:image":{},"f:name":{},"#,
            r#""f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}"#,
        )]
    );
}

#[test]
fn conflicts() {
    let mut server = Server::of_custom();
    let object =
        |items: Value| json!({"kind": "Gadget", "metadata": {"name": "b"}, "spec": {"size": 1, "items": items}});
    server.apply("one", object(json!([{"id": "x", "v": 1}])));
    server.apply("two", json!({"spec": {"items": [{"id": "y", "v": 2}]}}));
    assert_eq!(server.at("/spec/items"), json!([{"id": "x", "v": 1}, {"id": "y", "v": 2}]));
    let refusal = server.try_apply("two", json!({"spec": {"items": [{"id": "x", "v": 9}]}}), false).unwrap_err();
    assert_eq!(
        refusal.to_value(),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "Apply failed with 1 conflict: conflict with \"one\": .spec.items[id=\"x\"].v",
            "reason": "Conflict",
            "details": {"causes": [{
                "reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".spec.items[id=\"x\"].v",
            }]},
            "code": 409,
        })
    );
    server.update_at("kubectl", "scale", &[], |new| new["spec"]["size"] = 3.into());
    assert_eq!(
        server.owners(),
        [
            r#"one Apply {"f:spec":{"f:items":{"k:{\"id\":\"x\"}":{".":{},"f:id":{},"f:v":{}}}}}"#,
            r#"two Apply {"f:spec":{"f:items":{"k:{\"id\":\"y\"}":{".":{},"f:id":{},"f:v":{}}}}}"#,
            r#"kubectl Update/scale {"f:spec":{"f:size":{}}}"#,
        ]
    );
    let mut all = json!({"spec": {"size": 7, "items": [{"id": "x", "v": 8}, {"id": "y", "v": 8}]}});
    let refusal = server.try_apply("three", all.clone(), false).unwrap_err();
    assert_eq!(
        refusal.message,
        "Apply failed with 3 conflicts: conflicts with \"kubectl\" with subresource \"scale\" using example.com/v1:\n\
         - .spec.size\nconflicts with \"one\":\n- .spec.items[id=\"x\"].v\nconflicts with \"two\":\n\
         - .spec.items[id=\"y\"].v"
    );
    assert_eq!(server.try_apply("three", all.take(), true), Ok(()));
    assert_eq!(
        server.fields("three"),
        json!({"f:spec": {
            "f:items": {
                "k:{\"id\":\"x\"}": {".": {}, "f:id": {}, "f:v": {}}, "k:{\"id\":\"y\"}": {".": {}, "f:id": {}, "f:v": {}},
            },
            "f:size": {},
        }})
    );
    assert_eq!(server.fields("one"), json!({"f:spec": {"f:items": {"k:{\"id\":\"x\"}": {".": {}, "f:id": {}}}}}));
    assert_eq!(server.fields("kubectl"), Value::Null);
}

#[test]
fn the_same_value_is_owned_together_and_outlives_one_of_the_owners() {
    let mut server = Server::of_custom();
    server.apply("a", json!({"spec": {"size": 1, "tags": ["x"]}}));
    server.apply("b", json!({"spec": {"size": 1}}));
    // nothing changed for b, so its entry has no time
    assert_eq!(server.entries()[0]["manager"], "b");
    assert_eq!(server.entries()[0].get("time"), None);
    server.apply("a", json!({}));
    assert_eq!(server.at("/spec"), json!({"size": 1}));
    assert_eq!(server.owners(), [r#"b Apply {"f:spec":{"f:size":{}}}"#]);
    server.apply("b", json!({}));
    assert_eq!(server.live.map(|live| live.get("spec").cloned()), Some(None));
}

#[test]
fn what_an_updater_owns_too_stays_when_an_applier_drops_it() {
    let mut server = Server::of_custom();
    server.create("kubectl-client-side-apply", json!({"metadata": {"name": "x"}, "spec": {"size": 1, "note": "n"}}));
    server.apply("flux", json!({"spec": {"size": 1, "note": "n"}}));
    server.apply("flux", json!({"spec": {"size": 1}}));
    assert_eq!(server.at("/spec"), json!({"size": 1, "note": "n"}));
}

#[test]
fn from_client_side_to_server_side() {
    let mut server = Server::new("v1", "ConfigMap");
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    let last = |b: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"data\":{{\"a\":\"1\",\"b\":\"{b}\"}},\"kind\":\"ConfigMap\",\"metadata\":{{\"annotations\":{{}},\"name\":\"cfg\",\"namespace\":\"ns\"}}}}\n"
        )
    };
    let mut object = config_map(json!({"a": "1", "b": "2"}));
    set(&mut object, &["metadata", "annotations", annotation], last("2"));
    server.create("kubectl-client-side-apply", object);
    let applied = || {
        let mut applied = config_map(json!({"a": "1", "b": "3"}));
        set(&mut applied, &["metadata", "namespace"], "ns");
        applied
    };
    // somebody else may not
    let refusal = server.try_apply("other", applied(), false).unwrap_err();
    assert_eq!(
        refusal.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1: .data.b"
    );
    server.apply("kubectl", applied());
    let renewed = last("3").replace("\"annotations\":{},", "");
    assert_eq!(server.at("/metadata/annotations"), json!({annotation: renewed}));
    // kubectl then keeps the annotation under another name, merges its two entries by hand, and applies again
    server.apply(
        "kubectl-last-applied",
        json!({"kind": "ConfigMap", "metadata": {"name": "cfg", "annotations": {annotation: renewed}}}),
    );
    server.update("kubectl", |new| {
        let mut entries = list(new, &["metadata", "managedFields"]).to_vec();
        entries.retain(|entry| entry["operation"] == "Apply");
        for entry in entries.iter_mut().filter(|entry| entry["manager"] == "kubectl") {
            entry["fieldsV1"] = json!({
                "f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": {"f:annotations": {".": {}, format!("f:{annotation}"): {}}},
            });
        }
        new["metadata"]["managedFields"] = entries.into();
    });
    server.apply("kubectl", applied());
    assert_eq!(
        server.owners(),
        [
            format!("kubectl-last-applied Apply {{\"f:metadata\":{{\"f:annotations\":{{\"f:{annotation}\":{{}}}}}}}}"),
            "kubectl Apply {\"f:data\":{\"f:a\":{},\"f:b\":{}}}".to_owned(),
        ]
    );
    assert_eq!(server.at("/metadata/annotations"), json!({annotation: renewed}));
}

#[test]
fn a_field_that_changed_since_client_side_apply_is_a_conflict_for_kubectl_too() {
    let mut server = Server::new("v1", "ConfigMap");
    server.create("kubectl-create", config_map(json!({"x": "1"})));
    let refusal = server.try_apply("kubectl", config_map(json!({"x": "2"})), false).unwrap_err();
    assert_eq!(refusal.message, "Apply failed with 1 conflict: conflict with \"kubectl-create\" using v1: .data.x");
}

#[test]
fn nulls_that_are_applied_are_owned() {
    let mut server = Server::new("apps/v1", "Deployment");
    server.create("c", json!({"metadata": {"name": "d"}, "spec": {"replicas": 3}}));
    let refusal = server.try_apply("a", json!({"spec": {"replicas": null}}), false).unwrap_err();
    assert_eq!(refusal.message, "Apply failed with 1 conflict: conflict with \"c\" using apps/v1: .spec.replicas");
    assert_eq!(server.try_apply("a", json!({"spec": {"replicas": null, "template": null}}), true), Ok(()));
    assert_eq!(server.at("/spec/replicas"), Value::Null);
    assert_eq!(server.owners(), [r#"a Apply {"f:spec":{"f:replicas":{},"f:template":{}}}"#]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut server = Server::new("apps/v1", "Deployment");
    let pod = |containers: Value| json!({"template": {"spec": {"containers": containers}}});
    let cases = [
        (json!({"replica": 1}), ".spec.replica: field not declared in schema"),
        (json!({"replicas": "x"}), ".spec.replicas: expected numeric (int or float), got string"),
        (json!({"paused": "x"}), ".spec.paused: expected boolean, got &{x}"),
        (json!({"template": 1}), ".spec.template: expected map, got &{1}"),
        (pod(json!({"a": "b"})), ".spec.template.spec.containers: expected list, got &{map[a:b]}"),
        (
            pod(json!([{"name": 1}])),
            ".spec.template.spec.containers[name=1].name: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (
            pod(json!([{"image": "x"}])),
            ".spec.template.spec.containers: element 0: associative list with keys has an element that omits all key \
             fields [\"name\"] (and doesn't have default values for any key fields)",
        ),
        (
            pod(json!([{"name": "a"}, {"name": "a"}])),
            ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]",
        ),
    ];
    for (spec, why) in cases {
        let applied = json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "ns"}, "spec": spec});
        let refusal = server.try_apply("m", applied, false).unwrap_err();
        let start = "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): ";
        assert_eq!(refusal, Refusal::new(500, "", format!("{start}{why}")));
    }
    let several = json!({"kind": "Deployment", "metadata": {"name": "w"}, "spec": {"paused": 1, "replicas": "x"}});
    let refusal = server.try_apply("m", several, false).unwrap_err();
    let both = "errors:\n  .spec.paused: expected boolean, got &{1}\n  .spec.replicas: expected numeric (int or float), got string";
    assert!(refusal.message.ends_with(both), "{}", refusal.message);
    let managed = json!({"kind": "Deployment", "metadata": {"name": "web", "managedFields": []}});
    assert_eq!(server.try_apply("m", managed, false), Err(Refusal::bad_request("metadata.managedFields must be nil")));
    let manager = Manager { name: "m", api_version: "apps/v1", subresource: "", ignored: &Set::default() };
    let other = json!({"apiVersion": "v1", "kind": "Pod"});
    assert_eq!(
        apply(&server.kind, None, &other, &manager, false, ""),
        Err(Refusal::bad_request("invalid object type: /v1, Kind=Pod"))
    );
}

#[test]
fn deep_objects_keep_readable_managed_fields() {
    let mut deep = json!(1);
    for _ in 0..118 {
        deep = json!({"a": deep});
    }
    let mut server = Server::of_custom();
    server.create("c", json!({"metadata": {"name": "x"}, "spec": {"free": deep.clone()}}));
    server.apply("d", json!({"spec": {"free": deep}}));
    let text = server.live.map(|live| live.to_string()).unwrap_or_default();
    assert!(serde_json::from_str::<Value>(&text).is_ok());
}

#[test]
fn parts_of_free_form_and_of_others() {
    let mut server = Server::of_custom();
    server.apply("a", json!({"spec": {"free": {"a": {"b": {"c": null}}}}}));
    server.apply("a", json!({"spec": {"free": {"a": {"d": {"c": null}}}}}));
    assert_eq!(server.at("/spec"), json!({"free": {"a": {"d": {"c": null}}}}));
    let fields = json!({"f:spec": {"f:free": {"f:a": {".": {}, "f:d": {".": {}, "f:c": {}}}}}});
    assert_eq!(server.fields("a"), fields);
    // what a controller adds inside stays when the applier lets go
    server.update("controller", |new| new["spec"]["items"] = json!([{"id": "x", "v": 1, "w": {"p": 1}}]));
    server.apply("a", json!({"spec": {"items": [{"id": "x", "tags": ["t"]}]}}));
    assert_eq!(server.at("/spec"), json!({"items": [{"id": "x", "v": 1, "w": {"p": 1}, "tags": ["t"]}]}));
    server.apply("a", json!({}));
    assert_eq!(server.at("/spec"), json!({"items": [{"id": "x", "v": 1, "w": {"p": 1}}]}));
    // and so does what nobody owns, as long as what holds it is somebody's
    let mut server = Server::of_custom();
    server.apply("a", json!({"spec": {"items": [{"id": "x", "v": 1}], "labels": {"l": "1"}}}));
    if let Some(live) = &mut server.live {
        live["spec"]["items"][0]["w"] = 7.into();
        live["spec"]["labels"]["m"] = "2".into();
    }
    server.apply("b", json!({"spec": {"items": [{"id": "x"}]}}));
    server.apply("a", json!({}));
    assert_eq!(server.at("/spec"), json!({"items": [{"id": "x", "w": 7}]}));
    server.apply("b", json!({}));
    assert_eq!(server.at("/spec"), Value::Null);
}
