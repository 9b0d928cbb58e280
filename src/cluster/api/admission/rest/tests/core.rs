//! Namespaces, config maps, secrets, nodes, events, limits.

use super::*;

const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
    and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const FROZEN: &str = "Forbidden: field is immutable when `immutable` is set";

#[test]
fn metadata_is_checked() {
    let owner = |controller: bool, name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": "u", "controller": controller});
    let owners = json!([owner(true, "a"), owner(true, "b")]);
    let cases = [
        (json!({"generateName": "Bad_", "name": "Bad_12345"}), vec![
            format!("metadata.generateName: Invalid value: \"Bad_\": {SUBDOMAIN}"),
            format!("metadata.name: Invalid value: \"Bad_12345\": {SUBDOMAIN}"),
        ]),
        (json!({"name": ""}), vec!["metadata.name: Required value: name or generateName is required".to_owned()]),
        (json!({"labels": {"a": "b c"}}), vec![format!("metadata.labels: Invalid value: \"b c\": {LABEL_VALUE}")]),
        (json!({"labels": {"x~y/z": "b"}}), vec![format!(
            "metadata.labels: Invalid value: \"x~y/z\": prefix part {SUBDOMAIN}"
        )]),
        (json!({"annotations": {"UPPER.example.com/Any": "ü ok"}}), vec![]),
        (json!({"annotations": {"a": "x".repeat(262_144)}}), vec![
            "metadata.annotations: Too long: may not be more than 262144 bytes".to_owned(),
        ]),
        (json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod"}]}), vec![
            "metadata.ownerReferences.name: Invalid value: \"\": must not be empty".to_owned(),
            "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty".to_owned(),
        ]),
        (json!({"ownerReferences": owners}), vec![format!(
            "metadata.ownerReferences: Invalid value: {owners}: Only one reference can have Controller set to true. Found \
             \"true\" in references for Pod/a and Pod/b"
        )]),
        (json!({"finalizers": ["hold"]}), vec![
            "metadata.finalizers[0]: Invalid value: \"hold\": name is neither a standard finalizer name nor is it fully \
             qualified"
                .to_owned(),
        ]),
        (json!({"finalizers": ["orphan", "foregroundDeletion"]}), vec![
            "metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan and \
             foregroundDeletion cannot be both set"
                .to_owned(),
        ]),
    ];
    for (metadata, expected) in cases {
        assert_eq!(refused("ConfigMap", json!({"metadata": metadata})), expected);
    }
    assert_eq!(
        refused("StorageClass.storage.k8s.io", json!({"metadata": {"namespace": "ns"}, "provisioner": "x"})),
        ["metadata.namespace: Forbidden: not allowed on this type"]
    );
}

#[test]
fn metadata_may_change_only_so_far() {
    let change =
        |old: Value, new: Value| refused_change("Namespace", json!({"metadata": old}), json!({"metadata": new}));
    assert_eq!(
        change(json!({"uid": "a"}), json!({"uid": "b"})),
        ["metadata.uid: Invalid value: \"b\": field is immutable"]
    );
    assert_eq!(change(json!({"uid": "a"}), json!({})), [] as [&str; 0]);
    let dying = |finalizers: Value| json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers});
    assert_eq!(
        change(dying(json!(["a/b"])), dying(json!(["z/y", "a/b", "c/d"]))),
        ["metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
          finalizers []string{\"c/d\", \"z/y\"}"]
    );
}

#[test]
fn namespaces_are_labelled_and_held() {
    let mut namespace = json!({"metadata": {"name": "n"}, "spec": {"finalizers": ["a/b"]}, "status": {"phase": "Odd"}});
    made("Namespace", &mut namespace);
    let expected = json!({
        "metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "n"}},
        "spec": {"finalizers": ["a/b", "kubernetes"]},
        "status": {"phase": "Active"},
    });
    assert_eq!(namespace, expected);
    let mut changed = json!({"metadata": {"name": "n"}});
    before_update(&kind("Namespace"), &mut changed, &expected);
    assert_eq!((&changed["spec"], &changed["status"]), (&expected["spec"], &expected["status"]));
    assert_eq!(
        refused("Namespace", json!({"metadata": {"name": "Bad_"}})),
        [
            "metadata.name: Invalid value: \"Bad_\": a lowercase RFC 1123 label must consist of lower case alphanumeric \
             characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', \
             regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
                .to_owned(),
            format!("metadata.labels: Invalid value: \"Bad_\": {LABEL_VALUE}"),
        ]
    );
    assert_eq!(
        refused("Namespace", json!({"metadata": {"name": "a.b"}})),
        ["metadata.name: Invalid value: \"a.b\": must not contain dots"]
    );
}

#[test]
fn config_maps_hold_so_much_under_such_keys() {
    let cases = [
        (
            json!({"data": {"bad key!": "x"}}),
            vec![
                "data[bad key!]: Invalid value: \"bad key!\": a valid config key must consist of alphanumeric characters, \
             '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
             '[-._a-zA-Z0-9]+')",
            ],
        ),
        (
            json!({"data": {"a": "x"}, "binaryData": {"a": "eA=="}}),
            vec!["data[a]: Invalid value: \"a\": duplicate of key present in binaryData"],
        ),
        (json!({"data": {"a": "x".repeat((1 << 20) + 1)}}), vec![": Too long: may not be more than 1048576 bytes"]),
        (json!({"data": {"a": "x".repeat(1 << 20)}}), vec![]),
    ];
    for (object, expected) in cases {
        assert_eq!(refused("ConfigMap", object), expected);
    }
    let frozen = json!({"data": {"a": "b"}, "immutable": true});
    assert_eq!(
        refused_change("ConfigMap", frozen.clone(), json!({"data": {"a": "c"}, "immutable": true})),
        [format!("data: {FROZEN}")]
    );
    assert_eq!(
        refused_change("ConfigMap", frozen.clone(), json!({"data": {"a": "b"}})),
        [format!("immutable: {FROZEN}")]
    );
    assert_eq!(refused_change("ConfigMap", frozen.clone(), frozen), [] as [&str; 0]);
}

#[test]
fn secrets_are_folded_and_typed() {
    let secret = stored("Secret", json!({"stringData": {"x": "plain"}, "data": {"y": "bW9yZQ=="}}));
    assert_eq!(secret, json!({"data": {"y": "bW9yZQ==", "x": "cGxhaW4="}, "type": "Opaque"}));
    let required = |field: &str| format!("{field}: Required value");
    let redacted = "Invalid value: \"<secret contents redacted>\"";
    let cases = [
        ("kubernetes.io/tls", json!({}), vec![required("data[tls.crt]"), required("data[tls.key]")]),
        ("kubernetes.io/tls", json!({"tls.crt": "", "tls.key": ""}), vec![]),
        ("kubernetes.io/basic-auth", json!({}), vec![required("data[username]"), required("data[password]")]),
        ("kubernetes.io/ssh-auth", json!({"ssh-privatekey": ""}), vec![required("data[ssh-privatekey]")]),
        ("kubernetes.io/dockerconfigjson", json!({}), vec![required("data[.dockerconfigjson]")]),
        ("kubernetes.io/dockerconfigjson", json!({".dockerconfigjson": "e30="}), vec![]),
        (
            "kubernetes.io/dockerconfigjson",
            json!({".dockerconfigjson": "Pz8="}),
            vec![format!("data[.dockerconfigjson]: {redacted}: invalid character '?' looking for beginning of value")],
        ),
        (
            "kubernetes.io/service-account-token",
            json!({}),
            vec![required("metadata.annotations[kubernetes.io/service-account.name]")],
        ),
        ("my/own", json!({}), vec![]),
    ];
    for (secret_type, data, expected) in cases {
        assert_eq!(refused("Secret", json!({"type": secret_type, "data": data})), expected);
    }
    let old = json!({"type": "helm.sh/release.v1", "data": {"a": "eA=="}});
    assert_eq!(
        refused_change("Secret", old, json!({"data": {"a": "eA=="}})),
        ["type: Invalid value: \"Opaque\": field is immutable"]
    );
}

#[test]
fn nodes_keep_their_ranges() {
    let node = |range: &str| json!({"spec": {"podCIDRs": [range], "providerID": "kind://a"}});
    assert_eq!(
        refused("Node", json!({"spec": {"podCIDRs": ["10.0.0.0/8", "10.1.0.0/99"]}})),
        ["spec.podCIDRs[1]: Invalid value: \"10.1.0.0/99\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or \
          2001:db8::/64)"]
    );
    assert_eq!(
        refused_change("Node", node("10.0.0.0/24"), node("10.0.1.0/24")),
        ["spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid"]
    );
    assert_eq!(
        refused(
            "Node",
            json!({"spec": {"taints": [{"key": "a", "effect": "Nope"}, {"key": "", "effect": "NoSchedule"}]}})
        ),
        [
            "metadata.taints[0].effect: Unsupported value: \"Nope\": supported values: \"NoSchedule\", \
             \"PreferNoSchedule\", \"NoExecute\"",
            "metadata.taints[1].key: Invalid value: \"\": name part must be non-empty",
            "metadata.taints[1].key: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or \
             '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
             regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ]
    );
}

#[test]
fn events_have_two_forms() {
    let core = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "ns"},
        "involvedObject": {"kind": "Pod", "namespace": "ns"}, "reason": "R", "message": "m", "count": 2,
        "source": {"component": "kubelet"}, "firstTimestamp": "t", "lastTimestamp": "t", "reportingComponent": "k",
        "reportingInstance": "", "eventTime": null,
    });
    let events = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e", "namespace": "ns"},
        "regarding": {"kind": "Pod", "namespace": "ns"}, "reason": "R", "note": "m", "deprecatedCount": 2,
        "deprecatedSource": {"component": "kubelet"}, "deprecatedFirstTimestamp": "t", "deprecatedLastTimestamp": "t",
        "reportingController": "k", "eventTime": null,
    });
    assert_eq!(super::super::event::to_events(core.clone()), events);
    assert_eq!(super::super::event::to_core(events), core);
}

#[test]
fn new_events_say_all() {
    let about = |namespace: &str| json!({"kind": "Pod", "name": "p", "namespace": namespace});
    assert_eq!(refused("Event", json!({"involvedObject": about("ns")})), [] as [&str; 0]);
    assert_eq!(
        refused("Event", json!({"involvedObject": about("other")})),
        ["involvedObject.namespace: Invalid value: \"other\": does not match event.namespace"]
    );
    assert_eq!(
        refused("Event.events.k8s.io", json!({"regarding": about("ns"), "eventTime": "2026-01-01T00:00:00.000000Z"})),
        [
            "reportingController: Required value",
            "reportingController: Invalid value: \"\": name part must be non-empty",
            "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or \
             '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
             regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            "reportingInstance: Required value",
            "action: Required value",
            "reason: Required value",
            "type: Invalid value: \"\": has invalid value: ",
        ]
    );
    assert_eq!(
        refused("Event.events.k8s.io", json!({"regarding": about("ns"), "type": "Normal", "deprecatedCount": 1})),
        ["eventTime: Required value", "count: Invalid value: \"\": needs to be unset"]
    );
}

#[test]
fn limit_ranges_complete_themselves() {
    let limits = |limits: Value| json!({"spec": {"limits": limits}});
    assert_eq!(
        stored("LimitRange", limits(json!([{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}]))),
        limits(json!([{
            "type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}, "default": {"cpu": "2"},
            "defaultRequest": {"cpu": "2", "memory": "1Mi"},
        }]))
    );
    let cases = [
        (
            json!([{"type": "Pod", "max": {"cpu": "1"}, "min": {"cpu": "2"}}]),
            vec!["spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"],
        ),
        (
            json!([{"type": "Pod", "default": {"cpu": "1"}}]),
            vec!["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
        ),
        (
            json!([{"type": "PersistentVolumeClaim"}]),
            vec![
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was \
             provided",
            ],
        ),
        (
            json!([{"type": "Pod", "maxLimitRequestRatio": {"cpu": "500m"}}, {"type": "Pod"}]),
            vec![
                "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1",
                "spec.limits[1].type: Duplicate value: \"Pod\"",
            ],
        ),
        (
            json!([{"type": "Nope"}]),
            vec!["spec.limits[0].type: Invalid value: \"Nope\": must be a standard limit type or fully qualified"],
        ),
        (
            json!([{"type": "Container", "max": {"storage": "1Gi"}}]),
            vec![
                "spec.limits[0].max[storage]: Invalid value: \"storage\": must be a standard resource for containers",
                "spec.limits[0].default[storage]: Invalid value: \"storage\": must be a standard resource for containers",
                "spec.limits[0].defaultRequest[storage]: Invalid value: \"storage\": must be a standard resource for containers",
            ],
        ),
    ];
    for (items, expected) in cases {
        assert_eq!(refused("LimitRange", limits(items)), expected);
    }
}

#[test]
fn quotas_are_on_known_things() {
    let quota = |hard: Value, scopes: Value| json!({"spec": {"hard": hard, "scopes": scopes}});
    let cases = [
        (
            quota(json!({"pods": "1", "count/deployments.apps": "2", "requests.example.com/gpu": "1"}), json!([])),
            vec![],
        ),
        (
            quota(json!({"nope": "1"}), json!([])),
            vec![
                "spec.hard[nope]: Invalid value: \"nope\": must be a standard resource type or fully qualified",
                "spec.hard[nope]: Invalid value: \"nope\": must be a standard resource for quota",
            ],
        ),
        (
            quota(json!({"pods": "-1"}), json!([])),
            vec!["spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"],
        ),
        (
            quota(json!({"pods": "500m"}), json!([])),
            vec!["spec.hard[pods]: Invalid value: \"500m\": must be an integer"],
        ),
        (
            quota(json!({"services": "1"}), json!(["BestEffort"])),
            vec!["spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource"],
        ),
        (
            quota(json!({"pods": "1"}), json!(["BestEffort", "NotBestEffort"])),
            vec!["spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes"],
        ),
        (quota(json!({"pods": "1"}), json!(["Odd"])), vec!["spec.scopes: Invalid value: [\"Odd\"]: unsupported scope"]),
    ];
    for (object, expected) in cases {
        assert_eq!(refused("ResourceQuota", object), expected);
    }
    assert_eq!(
        refused_change("ResourceQuota", quota(json!({}), json!([])), quota(json!({}), json!(["Terminating"]))),
        ["spec.scopes: Invalid value: [\"Terminating\"]: field is immutable"]
    );
}
