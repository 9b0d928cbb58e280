use serde_json::{Value, json};

use super::testing::{cron_job, defaulted, job, keeper, kind_of, merged, pod, with_container};
use super::{CreateContext, before_create, before_update, generation_changes, service_account_name, warnings};

const CONTEXT: CreateContext<'_> =
    CreateContext { random_suffix: "x7k2p", service_account: None, priority_classes: &[], uid: "1" };

fn created(object: &Value, context: &CreateContext<'_>) -> Result<Value, (u16, String)> {
    let mut object = defaulted(object);
    match before_create(&kind_of(&object), &mut object, context) {
        Ok(known) => {
            assert!(known, "{object}");
            Ok(object)
        }
        Err(refusal) => Err((refusal.code, refusal.message)),
    }
}

/// A container as the server fills it in.
fn container(members: &Value) -> Value {
    let filled = json!({
        "name": "c", "image": "nginx", "imagePullPolicy": "Always", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    merged(&filled, members)
}

/// The spec of a pod as the server fills it in.
fn pod_spec(members: &Value) -> Value {
    let filled = json!({
        "containers": [container(&json!({}))],
        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
        "securityContext": {}, "terminationGracePeriodSeconds": 30,
    });
    merged(&filled, members)
}

#[test]
fn a_deployment_gets_its_defaults() {
    let sent = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
                "containers": [
                    {"name": "a", "image": "nginx", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": 80}}},
                    {
                        "name": "b", "image": "nginx:1.25",
                        "env": [{"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                        "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                    },
                    {"name": "c", "image": "host:5000/x@sha256:0"},
                ],
                "volumes": [
                    {"name": "s", "secret": {"secretName": "x"}},
                    {"name": "m", "configMap": {"name": "x"}},
                    {"name": "e", "emptyDir": {}},
                    {"name": "h", "hostPath": {"path": "/tmp"}},
                ],
            }},
        },
    });
    let probe = json!({
        "failureThreshold": 3, "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
        "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1,
    });
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "progressDeadlineSeconds": 600, "replicas": 0, "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(&json!({
                "containers": [
                    container(&json!({"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}], "livenessProbe": probe})),
                    container(&json!({
                        "name": "b", "image": "nginx:1.25", "imagePullPolicy": "IfNotPresent",
                        "env": [{"name": "NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
                        "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                    })),
                    container(&json!({"name": "c", "image": "host:5000/x@sha256:0", "imagePullPolicy": "IfNotPresent"})),
                ],
                "volumes": [
                    {"name": "s", "secret": {"defaultMode": 420, "secretName": "x"}},
                    {"name": "m", "configMap": {"defaultMode": 420, "name": "x"}},
                    {"name": "e", "emptyDir": {}},
                    {"name": "h", "hostPath": {"path": "/tmp", "type": ""}},
                ],
            }))},
        },
    });
    assert_eq!(defaulted(&sent), expected);
}

#[test]
fn other_kinds_get_their_defaults() {
    let template = |labels: Value, members: Value| json!({"metadata": labels, "spec": pod_spec(&members)});
    let web = || template(json!({"labels": {"app": "web"}}), json!({}));
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}});
    let never = json!({"restartPolicy": "Never", "containers": [container(&json!({"image": "perl"}))]});
    let cases = [
        (keeper("ReplicaSet"), json!({"spec": {"replicas": 1, "template": web()}})),
        (
            keeper("DaemonSet"),
            json!({"spec": {
                "template": web(), "revisionHistoryLimit": 10,
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            }}),
        ),
        (
            merged(&keeper("StatefulSet"), &json!({"spec": {"volumeClaimTemplates": [claim]}})),
            json!({"spec": {
                "template": web(), "revisionHistoryLimit": 10, "replicas": 1, "podManagementPolicy": "OrderedReady",
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "volumeClaimTemplates": [{
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {}, "volumeMode": "Filesystem"},
                    "status": {"phase": "Pending"},
                }],
            }}),
        ),
        (
            job(),
            json!({
                "metadata": {"labels": job()["spec"]["template"]["metadata"]["labels"]},
                "spec": {
                    "backoffLimit": 6, "completionMode": "NonIndexed", "completions": 1, "manualSelector": false,
                    "parallelism": 1, "podReplacementPolicy": "TerminatingOrFailed", "suspend": false,
                    "template": {"spec": pod_spec(&never)},
                },
            }),
        ),
        (
            cron_job(),
            json!({"spec": {
                "concurrencyPolicy": "Allow", "failedJobsHistoryLimit": 1, "successfulJobsHistoryLimit": 3, "suspend": false,
                "jobTemplate": {"metadata": {}, "spec": {"template": template(json!({}), never)}},
            }}),
        ),
    ];
    for (sent, filled) in cases {
        assert_eq!(defaulted(&sent), merged(&sent, &filled));
    }
    let parallel = defaulted(&merged(&job(), &json!({"spec": {"parallelism": 2}})));
    assert_eq!(parallel["spec"].get("completions"), None);
}

#[test]
fn a_pod_gets_its_account_priority_and_tolerations() {
    let account = json!({"metadata": {"name": "default"}});
    let context = CreateContext { service_account: Some(&account), ..CONTEXT };
    let sent = merged(
        &pod(),
        &json!({"spec": {"serviceAccountName": null, "containers": [
            {"name": "c", "image": "nginx", "resources": {"limits": {"cpu": "1"}}},
        ]}}),
    );
    let mount = json!({
        "name": "kube-api-access-x7k2p", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    });
    let tolerated =
        |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let expected = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "ns"},
        "spec": pod_spec(&json!({
            "containers": [container(&json!({
                "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}, "volumeMounts": [mount],
            }))],
            "enableServiceLinks": true, "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
            "serviceAccount": "default", "serviceAccountName": "default",
            "tolerations": [
                tolerated("node.kubernetes.io/not-ready"),
                tolerated("node.kubernetes.io/unreachable"),
            ],
            "volumes": [{"name": "kube-api-access-x7k2p", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [
                    {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"},
                ]}},
            ]}}],
        })),
        "status": {"phase": "Pending", "qosClass": "Burstable"},
    });
    let made = created(&sent, &context);
    assert_eq!(made, Ok(expected));
    // A second time nothing is added.
    let again = made.as_ref().map(|pod| created(pod, &CreateContext { random_suffix: "other", ..context }));
    assert_eq!(again, Ok(made.clone()));
}

#[test]
fn a_pod_may_go_without_a_token() {
    let account = json!({"automountServiceAccountToken": false, "imagePullSecrets": [{"name": "login"}]});
    let context = CreateContext { service_account: Some(&account), ..CONTEXT };
    let made = created(&pod(), &context).unwrap_or_default();
    assert_eq!(made["spec"].get("volumes"), None);
    assert_eq!(made["spec"]["imagePullSecrets"], json!([{"name": "login"}]));
    let wanted =
        merged(&pod(), &json!({"spec": {"automountServiceAccountToken": true, "imagePullSecrets": [{"name": "own"}]}}));
    let made = created(&wanted, &context).unwrap_or_default();
    assert_eq!(made["spec"]["volumes"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["spec"]["imagePullSecrets"], json!([{"name": "own"}]));
}

#[test]
fn a_pod_without_account_or_class_is_refused() {
    let account = json!({});
    let classes = [
        json!({"metadata": {"name": "high"}, "value": 100, "preemptionPolicy": "Never"}),
        json!({"metadata": {"name": "usual"}, "value": 5, "globalDefault": true}),
    ];
    let context = CreateContext { service_account: Some(&account), priority_classes: &classes, ..CONTEXT };
    let spec = |members: Value| merged(&pod(), &json!({ "spec": members }));
    let refused = |object: &Value, context: &CreateContext<'_>| created(object, context).map(|_| ());
    let generated = merged(&pod(), &json!({"metadata": {"name": null, "generateName": "web-1-"}}));
    assert_eq!(
        refused(&generated, &CONTEXT),
        Err((403, "pods \"web-1-\" is forbidden: error looking up service account ns/default: serviceaccount \"default\" not found".to_owned()))
    );
    assert_eq!(
        refused(&spec(json!({"priorityClassName": "none"})), &context),
        Err((403, "pods \"web\" is forbidden: no PriorityClass with name none was found".to_owned()))
    );
    assert_eq!(
        refused(&spec(json!({"priorityClassName": "high", "priority": 7})), &context),
        Err((
            403,
            "pods \"web\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority \
                   admission controller computed 100 from the given PriorityClass name"
                .to_owned()
        ))
    );
    let priority = |object: &Value| {
        let made = created(object, &context).unwrap_or_default();
        ["priorityClassName", "priority", "preemptionPolicy"].map(|member| made["spec"][member].clone())
    };
    assert_eq!(priority(&pod()), [json!("usual"), json!(5), json!("PreemptLowerPriority")]);
    assert_eq!(priority(&spec(json!({"priorityClassName": "high"}))), [json!("high"), json!(100), json!("Never")]);
    let system = "system-node-critical";
    let expected = [json!(system), json!(2_000_001_000), json!("PreemptLowerPriority")];
    assert_eq!(priority(&spec(json!({"priorityClassName": system}))), expected);
}

#[test]
fn own_labels_and_gates_are_worked_in() {
    let account = json!({});
    let context = CreateContext { service_account: Some(&account), ..CONTEXT };
    let sent = merged(
        &pod(),
        &json!({"metadata": {"labels": {"app": "web", "rev": "7"}}, "spec": {
            "schedulingGates": [{"name": "late"}],
            "topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"app": "web"}}, "matchLabelKeys": ["rev", "none"]}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {}, "mismatchLabelKeys": ["rev"]}, {"matchLabelKeys": ["rev"]},
            ]}},
        }}),
    );
    let made = created(&sent, &context).unwrap_or_default();
    let spec = &made["spec"];
    assert_eq!(
        spec["topologySpreadConstraints"][0]["labelSelector"],
        json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "rev", "operator": "In", "values": ["7"]}]})
    );
    let terms = &spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let expected = json!({"matchExpressions": [{"key": "rev", "operator": "NotIn", "values": ["7"]}]});
    assert_eq!(terms[0]["labelSelector"], expected);
    assert_eq!(terms[1].get("labelSelector"), None);
    assert_eq!(made["status"]["conditions"][0]["reason"], "SchedulingGated");
}

#[test]
fn a_job_gets_its_selector() {
    let sent = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "pi", "namespace": "ns"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "perl"}], "restartPolicy": "Never"}}},
    });
    let labels = json!({
        "job-name": "pi", "batch.kubernetes.io/job-name": "pi", "controller-uid": "1", "batch.kubernetes.io/controller-uid": "1",
    });
    let made = created(&sent, &CONTEXT).unwrap_or_default();
    assert_eq!(made["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}}));
    assert_eq!(made["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!(made["metadata"]["labels"], labels);
    let by_hand = merged(&sent, &json!({"spec": {"manualSelector": true}}));
    let made = created(&by_hand, &CONTEXT).unwrap_or_default();
    assert_eq!(made["spec"].get("selector"), None);
    assert_eq!(made["metadata"].get("labels"), None);
}

#[test]
fn a_daemon_set_counts_its_templates() {
    let made = created(&keeper("DaemonSet"), &CONTEXT).unwrap_or_default();
    let generation = |set: &Value| set["metadata"]["annotations"]["deprecated.daemonset.template.generation"].clone();
    assert_eq!(generation(&made), "1");
    let updated = |patch: Value| {
        let mut new = merged(&made, &patch);
        assert!(before_update(&kind_of(&made), &mut new, &made));
        generation(&new)
    };
    assert_eq!(updated(json!({"spec": {"minReadySeconds": 3}, "metadata": {"annotations": null}})), "1");
    assert_eq!(updated(json!({"spec": {"template": {"spec": {"hostPID": true}}}})), "2");
}

#[test]
fn a_pod_keeps_what_it_was_given() {
    let account = json!({});
    let made = created(&pod(), &CreateContext { service_account: Some(&account), ..CONTEXT }).unwrap_or_default();
    let mut new = merged(&made, &json!({"spec": {"priority": null, "preemptionPolicy": null, "tolerations": null}}));
    assert!(before_update(&kind_of(&made), &mut new, &made));
    assert_eq!(new, made);
}

#[test]
fn generations_count_what_is_wanted() {
    let cases = [
        (keeper("Deployment"), json!({"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 1}}), Some(false)),
        (keeper("Deployment"), json!({"metadata": {"annotations": {"a": "b"}}}), Some(true)),
        (keeper("Deployment"), json!({"spec": {"replicas": 2}}), Some(true)),
        (keeper("ReplicaSet"), json!({"metadata": {"annotations": {"a": "b"}}}), Some(false)),
        (pod(), json!({"spec": {"nodeName": ""}}), Some(false)),
        (pod(), json!({"spec": {"nodeName": "n"}}), Some(true)),
        (json!({"apiVersion": "v1", "kind": "PodTemplate"}), json!({"template": {"spec": {"a": 1}}}), Some(true)),
        (json!({"apiVersion": "apps/v1", "kind": "ControllerRevision"}), json!({"revision": 2}), Some(false)),
        (json!({"apiVersion": "v1", "kind": "ConfigMap"}), json!({"data": {"a": "b"}}), None),
    ];
    for (old, patch, expected) in cases {
        assert_eq!(generation_changes(&kind_of(&old), &merged(&old, &patch), &old), expected, "{patch}");
    }
}

#[test]
fn accounts_have_two_names() {
    let spec = |members: Value| json!({ "spec": members });
    assert_eq!(service_account_name(&spec(json!({}))), "default");
    assert_eq!(service_account_name(&spec(json!({"serviceAccount": "old"}))), "old");
    assert_eq!(service_account_name(&spec(json!({"serviceAccount": "old", "serviceAccountName": "new"}))), "new");
}

#[test]
fn strange_things_are_warned_of() {
    let of = |object: &Value, old: Option<&Value>| warnings(&kind_of(object), object, old);
    assert_eq!(of(&defaulted(&pod()), None), Vec::<String>::new());
    let strange = merged(
        &with_container(&json!({
            "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A):2"}, {"name": "A", "value": "3"}],
            "ports": [{"containerPort": 80}, {"containerPort": 80}, {"containerPort": 80, "hostPort": 8080}],
            "resources": {"limits": {"memory": "100m"}},
        })),
        &json!({"metadata": {"name": "a.b"}, "spec": {
            "nodeSelector": {"beta.kubernetes.io/os": "linux"},
            "terminationGracePeriodSeconds": -1,
            "volumes": [{"name": "g", "gitRepo": {"repository": "x"}}, {"name": "m", "configMap": {"name": "x", "items": [{"path": "a"}, {"path": "a/b"}]}}],
            "hostAliases": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}],
            "imagePullSecrets": [{}],
            "topologySpreadConstraints": [{}],
        }}),
    );
    let strange = defaulted(&merged(&pod(), &strange));
    assert_eq!(
        of(&strange, None),
        [
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is \
             recommended: [must not contain dots]",
            "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
            "spec.volumes[0].gitRepo: deprecated in v1.11",
            "volume \"m\" (ConfigMap \"x\"): overlapping paths: \"a/b\" with \"a\"",
            "spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\"",
            "spec.imagePullSecrets[0].name: invalid empty name \"\"",
            "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer",
            "spec.containers[0].resources.requests[memory]: fractional byte value \"100m\" is invalid, must be an integer",
            "spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped when using apply",
            "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
            "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
            "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
        ]
    );
    assert_eq!(of(&strange, Some(&pod())), Vec::<String>::new(), "updates of pods are not looked at");
}

#[test]
fn templates_are_warned_of_where_they_are() {
    let of = |object: &Value, old: Option<&Value>| warnings(&kind_of(object), object, old);
    let env = json!({"env": [{"name": "A"}, {"name": "A"}]});
    let patch = json!({"spec": {"template": with_container(&env)}});
    let deployment = defaulted(&merged(&keeper("Deployment"), &patch));
    let hidden = "spec.template.spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply";
    assert_eq!(of(&deployment, None), [hidden]);
    assert_eq!(of(&deployment, Some(&deployment)), Vec::<String>::new(), "nothing has changed");
    assert_eq!(of(&deployment, Some(&keeper("Deployment"))), [hidden]);
    let dotted = merged(&keeper("ReplicaSet"), &json!({"metadata": {"name": "a.b"}}));
    assert_eq!(
        of(&dotted, None),
        [
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is \
          recommended: [must not contain dots]"
        ]
    );
    let cron = defaulted(&merged(
        &cron_job(),
        &json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": -1}}}}}}),
    ));
    assert_eq!(
        of(&cron, None),
        [
            "spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will \
          be treated as 1"
        ]
    );
}
