//! Server-side apply as a whole: recorded answers of the real server, and laws.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::{any_spec, any_value, built_in, custom};
use super::{Manager, Set, apply, settle, update};
use crate::cluster::api::schema::Struct;
use crate::cluster::api::status::Refusal;
use crate::cluster::object::{list, remove, set, text};

/// An object under test: its kind, what is stored, and what time it is.
struct Server {
    kind: Arc<Struct>,
    api_version: &'static str,
    live: Option<Value>,
    seconds: u32,
}

impl Server {
    fn new(api_version: &'static str, kind: &str) -> Self {
        Self { kind: built_in(&format!("{api_version}/{kind}")), api_version, live: None, seconds: 0 }
    }

    fn of_custom() -> Self {
        Self { kind: custom(), api_version: "example.com/v1", live: None, seconds: 0 }
    }

    fn manager<'a>(&self, name: &'a str, subresource: &'a str, ignored: &'a Set) -> Manager<'a> {
        Manager { name, api_version: self.api_version, subresource, ignored }
    }

    fn now(&mut self) -> String {
        self.seconds += 1;
        format!("2026-01-01T00:{:02}:{:02}Z", self.seconds / 60, self.seconds % 60)
    }

    fn store(&mut self, mut new: Value) {
        set(&mut new, &["metadata", "uid"], "u");
        if let Some(old) = &self.live {
            settle(old, &mut new);
        }
        self.live = Some(new);
    }

    fn try_apply(&mut self, name: &str, mut applied: Value, force: bool) -> Result<(), Refusal> {
        applied["apiVersion"] = self.api_version.into();
        let (now, ignored) = (self.now(), Set::of(&[&["status"]]));
        let manager = self.manager(name, "", &ignored);
        let new = apply(&self.kind, self.live.as_ref(), &applied, &manager, force, &now)?;
        self.store(new);
        Ok(())
    }

    fn apply(&mut self, name: &str, applied: Value) {
        self.try_apply(name, applied, false).unwrap();
    }

    fn update_at(&mut self, name: &str, subresource: &str, ignored: &[&[&str]], change: impl FnOnce(&mut Value)) {
        let mut new = self.live.clone().unwrap_or_else(|| json!({"metadata": {"name": "x"}}));
        change(&mut new);
        let (now, ignored) = (self.now(), Set::of(ignored));
        update(&self.kind, self.live.as_ref(), &mut new, &self.manager(name, subresource, &ignored), &now);
        self.store(new);
    }

    fn update(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.update_at(name, "", &[&["status"]], change);
    }

    fn create(&mut self, name: &str, object: Value) {
        self.update(name, |new| *new = object);
    }

    fn at(&self, pointer: &str) -> Value {
        self.live.as_ref().and_then(|live| live.pointer(pointer)).cloned().unwrap_or_default()
    }

    fn entries(&self) -> Vec<Value> {
        self.live.as_ref().map(|live| list(live, &["metadata", "managedFields"]).to_vec()).unwrap_or_default()
    }

    /// Who and what, as `manager operation fields`.
    fn owners(&self) -> Vec<String> {
        let line = |entry: &Value| {
            let subresource = text(entry, &["subresource"]);
            let slash = if subresource.is_empty() { "" } else { "/" };
            let (manager, operation) = (text(entry, &["manager"]), text(entry, &["operation"]));
            format!("{manager} {operation}{slash}{subresource} {}", entry["fieldsV1"])
        };
        self.entries().iter().map(line).collect()
    }

    /// The fields of a manager.
    fn fields(&self, manager: &str) -> Value {
        let entries = self.entries();
        entries.iter().find(|entry| entry["manager"] == manager).map(|entry| entry["fieldsV1"].clone()).unwrap_or_default()
    }
}

fn config_map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": data})
}

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
fn applying_owning_and_removing() {
    let mut server = Server::new("v1", "ConfigMap");
    let applied = |data: Value| {
        json!({"kind": "ConfigMap", "metadata": {"name": "cfg", "labels": {"app": "x"}}, "data": data})
    };
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
    let containers = |containers: Value| {
        json!({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": {"containers": containers}}}})
    };
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
    let object = |items: Value| json!({"kind": "Gadget", "metadata": {"name": "b"}, "spec": {"size": 1, "items": items}});
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
            concat!(r#"one Apply {"f:spec":{"f:items":{"k:{\"id\":\"x\"}":{".":{},"f:id":{},"f:v":{}}}}}"#),
            concat!(r#"two Apply {"f:spec":{"f:items":{"k:{\"id\":\"y\"}":{".":{},"f:id":{},"f:v":{}}}}}"#),
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
    let last = |b: &str| format!("{{\"apiVersion\":\"v1\",\"data\":{{\"a\":\"1\",\"b\":\"{b}\"}},\"kind\":\"ConfigMap\",\"metadata\":{{\"annotations\":{{}},\"name\":\"cfg\",\"namespace\":\"ns\"}}}}\n");
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
    server.apply("kubectl-last-applied", json!({"kind": "ConfigMap", "metadata": {"name": "cfg", "annotations": {annotation: renewed}}}));
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
    for sent in [json!(null), json!([{"manager": "m", "operation": "Steal", "apiVersion": "v1", "fieldsType": "FieldsV1"}])] {
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
    assert_eq!(
        server.try_apply("m", managed, false),
        Err(Refusal::bad_request("metadata.managedFields must be nil"))
    );
    let manager = Manager { name: "m", api_version: "apps/v1", subresource: "", ignored: &Set::default() };
    let other = json!({"apiVersion": "v1", "kind": "Pod"});
    assert_eq!(
        apply(&server.kind, None, &other, &manager, false, ""),
        Err(Refusal::bad_request("invalid object type: /v1, Kind=Pod"))
    );
}

#[test]
fn duplicates_in_a_live_list_are_one_field() {
    let mut server = Server::of_custom();
    server.create("c", json!({"metadata": {"name": "x"}, "spec": {"items": [{"id": "a", "v": 1}, {"id": "a", "v": 2}]}}));
    assert_eq!(server.fields("c"), json!({"f:spec": {".": {}, "f:items": {".": {}, "k:{\"id\":\"a\"}": {}}}}));
    server.update("u", |new| new["spec"]["items"] = json!([{"id": "a", "v": 1}]));
    assert_eq!(server.fields("c"), json!({"f:spec": {".": {}, "f:items": {}}}));
    let item = json!({".": {}, "f:id": {}, "f:v": {}});
    assert_eq!(server.fields("u"), json!({"f:spec": {"f:items": {"k:{\"id\":\"a\"}": item}}}));
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

proptest! {
    #[test]
    fn applying_twice_changes_nothing(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.create("c", json!({"metadata": {"name": "x"}, "spec": other}));
        let _ = server.try_apply("a", json!({"spec": spec}), true);
        let once = server.live.clone();
        server.apply("a", json!({"spec": spec}));
        prop_assert_eq!(server.live, once);
    }

    #[test]
    fn what_is_applied_is_there_and_owned(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("b", json!({"spec": other}));
        prop_assert_eq!(server.try_apply("a", json!({"spec": spec}), true), Ok(()));
        let wanted = super::extract::fields(&server.kind, &json!({"spec": spec}));
        prop_assert_eq!(Set::parse(&server.fields("a")).unwrap_or_default(), wanted.clone());
        let live = super::extract::fields(&server.kind, server.live.as_ref().unwrap());
        prop_assert!(wanted.difference(&live).is_empty(), "{wanted:?} {live:?}");
    }

    #[test]
    fn applying_and_letting_go_gives_back(spec in any_spec(), other in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("b", json!({"spec": other}));
        let before = server.live.clone();
        if server.try_apply("a", json!({"spec": spec}), false).is_ok() {
            server.apply("a", json!({}));
            let same = |live: &Option<Value>| {
                let mut live = live.clone().unwrap_or_default();
                remove(&mut live, &["metadata"]);
                super::extract::fields(&server.kind, &live)
            };
            prop_assert_eq!(same(&server.live), same(&before));
            prop_assert_eq!(server.fields("b"), Server { live: before, ..Server::of_custom() }.fields("b"));
        }
    }

    #[test]
    fn a_disjoint_application_leaves_the_set_of_the_first(spec in any_spec()) {
        let mut server = Server::of_custom();
        server.apply("a", json!({"spec": spec}));
        let (fields, before) = (server.fields("a"), server.at("/spec"));
        server.apply("b", json!({"metadata": {"labels": {"b": "1"}}}));
        prop_assert_eq!(server.fields("a"), fields);
        prop_assert_eq!(server.at("/spec"), before);
    }

    #[test]
    fn everything_belongs_to_whoever_wrote_it_last(first in any_spec(), second in any_spec()) {
        let mut server = Server::of_custom();
        server.create("a", json!({"metadata": {"name": "x"}, "spec": first}));
        server.update("b", |new| new["spec"] = second);
        let (a, b) = (server.fields("a"), server.fields("b"));
        let (a, b) = (Set::parse(&a).unwrap_or_default(), Set::parse(&b).unwrap_or_default());
        if server.fields("a") != Value::Null && server.fields("b") != Value::Null {
            prop_assert!(a.intersection(&b).is_empty());
        }
    }

    #[test]
    fn random_objects_never_panic(old in any_value(), new in any_value(), applied in any_value(), force in any::<bool>()) {
        let ignored = Set::default();
        for kind in [custom(), built_in("v1/Pod")] {
            let manager = Manager { name: "kubectl", api_version: "v1", subresource: "", ignored: &ignored };
            let object = |spec: &Value| json!({"apiVersion": "v1", "metadata": spec, "spec": spec});
            let mut written = object(&new);
            update(&kind, Some(&object(&old)), &mut written, &manager, "now");
            for (live, applied) in [(&object(&old), &object(&applied)), (&old, &applied)] {
                let _ = apply(&kind, Some(live), applied, &manager, force, "now");
            }
        }
    }
}
