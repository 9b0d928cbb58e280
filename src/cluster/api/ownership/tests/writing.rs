//! Who owns what after writes that are no applications.

use super::*;

#[test]
fn a_created_object_belongs_to_its_creator() {
    let mut server = Server::new("v1", "ConfigMap");
    server.create("kubectl-create", config_map(json!({"colour": "blue", "n": "1"})));
    assert_eq!(
        server.entries(),
        [json!({
            "manager": "kubectl-create", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:01Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:colour": {}, "f:n": {}}},
        })]
    );
}

#[test]
fn a_created_deployment_is_owned_as_on_the_real_server() {
    let mut server = Server::new("apps/v1", "Deployment");
    server.create(
        "kubectl-create",
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}, "creationTimestamp": null, "generation": 1},
            "spec": {
                "progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [{
                            "image": "nginx", "imagePullPolicy": "Always", "name": "nginx", "resources": {},
                            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                            "ports": [{"containerPort": 80, "protocol": "TCP"}],
                        }],
                        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                        "securityContext": {}, "terminationGracePeriodSeconds": 30,
                    },
                },
            },
            "status": {},
        }),
    );
    assert_eq!(
        server.fields("kubectl-create"),
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {},
                "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {
                        "f:containers": {"k:{\"name\":\"nginx\"}": {
                            ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
                            "f:ports": {
                                ".": {},
                                "k:{\"containerPort\":80,\"protocol\":\"TCP\"}":
                                    {".": {}, "f:containerPort": {}, "f:protocol": {}},
                            },
                            "f:resources": {}, "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
                        }},
                        "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                        "f:terminationGracePeriodSeconds": {},
                    },
                },
            },
        })
    );
}

#[test]
fn members_that_go_cannot_leave_out_are_nobodys_until_they_change() {
    let mut server = Server::new("apps/v1", "DaemonSet");
    server.create("c", json!({"metadata": {"name": "d"}, "spec": {"updateStrategy": {"type": "OnDelete"}}}));
    assert_eq!(server.fields("c"), json!({"f:spec": {"f:updateStrategy": {"f:type": {}}}}));
    server.update_at("ds", "status", &[&["spec"]], |new| {
        new["status"] = json!({"currentNumberScheduled": 1, "numberMisscheduled": 0, "observedGeneration": 1});
    });
    assert_eq!(server.fields("ds"), json!({"f:status": {"f:currentNumberScheduled": {}, "f:observedGeneration": {}}}));
    server.update_at("other", "status", &[&["spec"]], |new| {
        remove(new, &["status", "currentNumberScheduled"]);
    });
    assert_eq!(server.fields("ds"), json!({"f:status": {"f:observedGeneration": {}}}));
    assert_eq!(server.fields("other"), json!({"f:status": {"f:currentNumberScheduled": {}}}));
}

#[test]
fn a_custom_resource_has_no_zero_values() {
    let mut server = Server::of_custom();
    let object = json!({"metadata": {"name": "x"}, "spec": {"size": 1, "note": null, "free": {"a": {"b": [1]}}}});
    server.create("c", object);
    assert_eq!(
        server.fields("c"),
        json!({"f:spec": {
            ".": {}, "f:free": {".": {}, "f:a": {".": {}, "f:b": {}}}, "f:note": {}, "f:size": {},
        }})
    );
}

#[test]
fn a_status_is_owned_through_its_subresource() {
    let mut server = Server::new("apps/v1", "Deployment");
    let object = json!({"metadata": {"name": "d", "annotations": {"a": "b"}}, "spec": {"paused": true, "replicas": 0}});
    server.create("kubectl-client-side-apply", object);
    let of_status: &[&[&str]] = &[&["spec"], &["metadata", "labels"]];
    server.update_at("k8s-parity", "status", of_status, |new| {
        new["metadata"]["labels"] = json!({"from": "status"});
        new["metadata"]["annotations"]["x"] = "y".into();
        new["spec"]["replicas"] = 5.into();
        new["status"] = json!({"collisionCount": 7});
    });
    let Some(live) = &mut server.live else { return };
    live["spec"]["replicas"] = 0.into();
    remove(live, &["metadata", "labels"]);
    let ignored = Set::of(of_status);
    let manager = server.manager("ctl", "status", &ignored);
    let applied = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "status": {"conditions": [{"type": "Lab", "status": "True", "reason": "R", "message": "m"}]},
    });
    let new = apply(&server.kind, server.live.as_ref(), &applied, &manager, false, "2026-01-01T00:00:09Z").unwrap();
    server.store(new);
    server.update("k8s-parity", |new| new["status"]["collisionCount"] = 99.into());
    assert_eq!(
        server.owners(),
        [
            concat!(
                r#"ctl Apply/status {"f:status":{"f:conditions":{"k:{\"type\":\"Lab\"}":{".":{},"f:message":{},"#,
                r#""f:reason":{},"f:status":{},"f:type":{}}}}}"#,
            ),
            concat!(
                r#"kubectl-client-side-apply Update {"f:metadata":{"f:annotations":{".":{},"f:a":{}}},"#,
                r#""f:spec":{"f:paused":{},"f:replicas":{}}}"#,
            ),
            r#"k8s-parity Update/status {"f:metadata":{"f:annotations":{"f:x":{}}},"f:status":{"f:collisionCount":{}}}"#,
        ]
    );
}

#[test]
fn forgetting_all_ownership() {
    let mut server = Server::of_custom();
    server.create("c", json!({"metadata": {"name": "x"}, "spec": {"size": 1, "args": ["p"]}}));
    for reset in [json!([{}]), json!([])] {
        let mut forgetful = Server { live: server.live.clone(), ..Server::of_custom() };
        forgetful.update("c", |new| {
            new["metadata"]["managedFields"] = reset;
            new["spec"]["size"] = 2.into();
        });
        assert_eq!(forgetful.entries(), [] as [Value; 0]);
        forgetful.update("c", |new| new["spec"]["size"] = 3.into());
        assert_eq!(forgetful.entries(), [] as [Value; 0]);
        let refusal = forgetful.try_apply("a", json!({"spec": {"size": 4}}), false).unwrap_err();
        assert_eq!(
            refusal.message,
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using example.com/v1: .spec.size"
        );
        forgetful.apply("a", json!({"spec": {"size": 3}}));
        assert_eq!(
            forgetful.owners(),
            [
                r#"a Apply {"f:spec":{"f:size":{}}}"#,
                r#"before-first-apply Update {"f:spec":{".":{},"f:args":{},"f:size":{}}}"#,
            ]
        );
    }
}

#[test]
fn what_a_writer_sends_as_managed_fields() {
    let mut server = Server::of_custom();
    server.create("c", json!({"metadata": {"name": "x"}, "spec": {"size": 1}}));
    let before = server.entries();
    for sent in
        [json!(null), json!([{"manager": "m", "operation": "Steal", "apiVersion": "v1", "fieldsType": "FieldsV1"}])]
    {
        server.update("c", |new| new["metadata"]["managedFields"] = sent);
        assert_eq!(server.entries(), before);
    }
    server.update_at("c", "status", &[], |new| new["metadata"]["managedFields"] = json!([]));
    assert_eq!(server.entries(), before);
    server.update("c", |new| {
        new["metadata"]["managedFields"] = json!([{
            "manager": "m", "operation": "Apply", "apiVersion": "example.com/v0", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:items": {"k:{\"x\":1, \"id\":\"a\"}": {}}, "f:size": {}, "z:new": {}}},
        }]);
    });
    assert_eq!(server.owners(), [r#"m Apply {"f:spec":{"f:items":{"k:{\"id\":\"a\",\"x\":1}":{}},"f:size":{}}}"#]);
    // another version of the kind is compared as if it was this one
    server.update("n", |new| new["spec"]["size"] = 2.into());
    assert_eq!(
        server.owners(),
        [r#"m Apply {"f:spec":{"f:items":{"k:{\"id\":\"a\",\"x\":1}":{}}}}"#, r#"n Update {"f:spec":{"f:size":{}}}"#]
    );
}

#[test]
fn at_most_ten_updaters() {
    let mut server = Server::of_custom();
    server.create("w0", json!({"metadata": {"name": "x"}, "spec": {"free": {"w0": 1}}}));
    for writer in 1..13 {
        server.update(&format!("w{writer:02}"), |new| new["spec"]["free"][format!("w{writer}")] = 1.into());
    }
    let names: Vec<_> = server.entries().iter().map(|entry| text(entry, &["manager"]).to_owned()).collect();
    let kept: Vec<_> = (4..13).map(|writer| format!("w{writer:02}")).collect();
    assert_eq!(names, [&["ancient-changes".to_owned()], kept.as_slice()].concat());
    assert_eq!(
        server.owners()[0],
        r#"ancient-changes Update {"f:spec":{".":{},"f:free":{".":{},"f:w0":{},"f:w1":{},"f:w2":{},"f:w3":{}}}}"#
    );
    assert_eq!(server.entries()[0]["time"], "2026-01-01T00:00:04Z");
}

#[test]
fn removed_fields_and_changed_fields_leave_everybody() {
    let mut server = Server::of_custom();
    server.apply("a", json!({"spec": {"size": 1, "tags": ["x", "y"], "items": [{"id": "p", "v": 1}]}}));
    server.update("u", |new| new["spec"] = json!({"size": 2, "tags": ["y"], "items": [{"id": "p", "v": 1}]}));
    assert_eq!(
        server.owners(),
        [
            r#"a Apply {"f:spec":{"f:items":{"k:{\"id\":\"p\"}":{".":{},"f:id":{},"f:v":{}}},"f:tags":{"v:\"y\"":{}}}}"#,
            r#"u Update {"f:spec":{"f:size":{}}}"#,
        ]
    );
    let before = server.entries();
    server.update("u", |_| {});
    assert_eq!(server.entries(), before);
    server.update("u", |new| remove(new, &["spec"]).map(drop).unwrap_or_default());
    assert_eq!(server.entries(), [] as [Value; 0]);
}

#[test]
fn duplicates_in_a_live_list_are_one_field() {
    let mut server = Server::of_custom();
    server
        .create("c", json!({"metadata": {"name": "x"}, "spec": {"items": [{"id": "a", "v": 1}, {"id": "a", "v": 2}]}}));
    assert_eq!(server.fields("c"), json!({"f:spec": {".": {}, "f:items": {".": {}, "k:{\"id\":\"a\"}": {}}}}));
    server.update("u", |new| new["spec"]["items"] = json!([{"id": "a", "v": 1}]));
    assert_eq!(server.fields("c"), json!({"f:spec": {".": {}, "f:items": {}}}));
    let item = json!({".": {}, "f:id": {}, "f:v": {}});
    assert_eq!(server.fields("u"), json!({"f:spec": {"f:items": {"k:{\"id\":\"a\"}": item}}}));
}
