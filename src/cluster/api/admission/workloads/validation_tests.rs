//! Validation of workloads: objects and the whole list of what is wrong with them.

use serde_json::{Value, json};

use super::testing::{cron_job, defaulted, faults, job, keeper, merged, refused, update_refused};

const MISMATCH: &str = "`selector` does not match template `labels`";

fn spec(members: Value) -> Value {
    json!({ "spec": members })
}

#[test]
fn deployments_are_checked() {
    let base = keeper("Deployment");
    refused(
        &base,
        &[
            (json!({}), &[]),
            (
                spec(json!({"replicas": -1, "selector": null})),
                &[
                    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                    "spec.selector: Required value",
                    &format!("spec.template.metadata.labels: Invalid value: {{\"app\":\"web\"}}: {MISMATCH}"),
                ],
            ),
            (
                spec(json!({"selector": {"matchLabels": null}})),
                &["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
            ),
            (
                spec(json!({"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}})),
                &[
                    "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator",
                    "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":\"a\",\
                     \"operator\":\"Is\"}]}: invalid label selector",
                ],
            ),
            (
                spec(json!({"template": {"metadata": {"labels": {"app": null}}}})),
                &[&format!("spec.template.metadata.labels: Invalid value: null: {MISMATCH}")],
            ),
            (
                spec(
                    json!({"template": {"spec": {"containers": [{"name": "c", "image": ""}], "restartPolicy": "Never", "activeDeadlineSeconds": 1}}}),
                ),
                &[
                    "spec.template.spec.containers[0].image: Required value",
                    "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
                    "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
                ],
            ),
            (
                spec(json!({"strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}})),
                &["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
            ),
            (
                spec(json!({"strategy": {"type": "Replace"}})),
                &[
                    "spec.strategy: Unsupported value: {\"Type\":\"Replace\",\"RollingUpdate\":null}: supported values: \
                   \"Recreate\", \"RollingUpdate\"",
                ],
            ),
            (
                spec(json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}})),
                &["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
            ),
            (
                spec(json!({"strategy": {"rollingUpdate": {"maxSurge": "x", "maxUnavailable": "200%"}}})),
                &[
                    "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string \
                     followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                    "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"200%\": must not be greater than 100%",
                ],
            ),
            (
                spec(json!({"minReadySeconds": 10, "progressDeadlineSeconds": 5, "revisionHistoryLimit": -1})),
                &[
                    "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
                    "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
                ],
            ),
            (
                spec(
                    json!({"template": {"metadata": {"labels": {"a b": ""}, "annotations": {"/": ""}}, "spec": {"ephemeralContainers": [{"name": "e", "image": "x"}]}}}),
                ),
                &[
                    "spec.template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or \
                     '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
                     regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                    "spec.template.annotations: Invalid value: \"/\": prefix part must be non-empty",
                    "spec.template.annotations: Invalid value: \"/\": name part must be non-empty",
                    "spec.template.annotations: Invalid value: \"/\": name part must consist of alphanumeric characters, '-', '_' \
                     or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
                     regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
                    "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
                ],
            ),
        ],
    );
    update_refused(
        &base,
        &[
            (spec(json!({"replicas": 3, "template": {"metadata": {"labels": {"more": "x"}}}})), &[]),
            (
                spec(json!({"selector": {"matchLabels": {"app": "zzz"}}})),
                &[
                    &format!("spec.template.metadata.labels: Invalid value: {{\"app\":\"web\"}}: {MISMATCH}"),
                    "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"zzz\"}}: field is immutable",
                ],
            ),
            (json!({"metadata": {"name": "other"}}), &["metadata.name: Invalid value: \"other\": field is immutable"]),
        ],
    );
}

#[test]
fn replica_sets_and_controllers_are_checked() {
    refused(
        &keeper("ReplicaSet"),
        &[
            (json!({}), &[]),
            (
                spec(json!({"replicas": -1, "minReadySeconds": -1})),
                &[
                    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                    "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
        ],
    );
    update_refused(
        &keeper("ReplicaSet"),
        &[(
            spec(
                json!({"selector": {"matchLabels": {"app": "zzz"}}, "template": {"metadata": {"labels": {"app": "zzz"}}}}),
            ),
            &["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"zzz\"}}: field is immutable"],
        )],
    );
    let mut controller = keeper("ReplicationController");
    controller["apiVersion"] = "v1".into();
    controller["spec"]["selector"] = json!({"app": "web"});
    refused(
        &controller,
        &[
            (json!({}), &[]),
            (
                spec(json!({"template": null, "selector": null})),
                &["spec.selector: Required value", "spec.template: Required value"],
            ),
            (
                spec(json!({"selector": {"app": "db"}})),
                &[&format!("spec.template.metadata.labels: Invalid value: {{\"app\":\"web\"}}: {MISMATCH}")],
            ),
        ],
    );
}

#[test]
fn stateful_sets_are_checked() {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let mut base = keeper("StatefulSet");
    base["spec"]["volumeClaimTemplates"] = json!([claim]);
    base["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/d"}]);
    refused(
        &base,
        &[
            (json!({}), &[]),
            (json!({"metadata": {"name": "a.b"}}), &["metadata.name: Invalid value: \"a.b\": must not contain dots"]),
            (
                spec(json!({
                    "podManagementPolicy": "Random",
                    "updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}},
                    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Keep"},
                    "ordinals": {"start": -1},
                    "serviceName": "a.b",
                })),
                &[
                    "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
                    "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for \
                     updateStrategy 'RollingUpdate'",
                    "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": supported values: \
                     \"Retain\", \"Delete\"",
                    "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
                    "spec.serviceName: Invalid value: \"a.b\": must not contain dots",
                ],
            ),
            (
                spec(
                    json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["Any"], "volumeMode": "Tape"}}]}),
                ),
                &[
                    "spec.volumeClaimTemplates[0].spec.accessModes: Unsupported value: \"Any\": supported values: \
                     \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
                    "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value",
                    "spec.volumeClaimTemplates[0].spec.volumeMode: Unsupported value: \"Tape\": supported values: \"Block\", \
                     \"Filesystem\"",
                ],
            ),
            (
                spec(json!({"volumeClaimTemplates": null})),
                &["spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\""],
            ),
            (
                spec(json!({"updateStrategy": {"rollingUpdate": {"partition": -1, "maxUnavailable": 0}}})),
                &[
                    "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
                    "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
                ],
            ),
        ],
    );
    update_refused(
        &base,
        &[
            (
                spec(json!({"replicas": 2, "minReadySeconds": 1, "revisionHistoryLimit": 3, "ordinals": {"start": 1}})),
                &[],
            ),
            (
                spec(json!({"serviceName": "other"})),
                &[
                    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                   'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
                   forbidden",
                ],
            ),
        ],
    );
}

#[test]
fn daemon_sets_and_revisions_are_checked() {
    let base = keeper("DaemonSet");
    refused(
        &base,
        &[
            (json!({}), &[]),
            (
                spec(json!({"selector": null})),
                &[&format!("spec.template.metadata.labels: Invalid value: {{\"app\":\"web\"}}: {MISMATCH}")],
            ),
            (
                spec(json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}})),
                &["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
            ),
            (
                spec(json!({"updateStrategy": {"rollingUpdate": {"maxSurge": "10%"}}})),
                &[
                    "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: \"10%\": may not be set when maxUnavailable is \
                   non-zero",
                ],
            ),
            (
                spec(json!({"updateStrategy": {"type": "Now"}, "minReadySeconds": -1})),
                &[
                    "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.updateStrategy: Unsupported value: {\"Type\":\"Now\",\"RollingUpdate\":null}: supported values: \
                     \"RollingUpdate\", \"OnDelete\"",
                ],
            ),
        ],
    );
    update_refused(
        &base,
        &[(
            spec(
                json!({"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}),
            ),
            &["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"x\"}}: field is immutable"],
        )],
    );
    let revision = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r", "namespace": "ns"},
        "revision": 1, "data": {"a": 1},
    });
    refused(
        &revision,
        &[
            (json!({}), &[]),
            (
                json!({"data": null, "revision": -1}),
                &[
                    "data: Required value: data is mandatory",
                    "revision: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
        ],
    );
    update_refused(
        &revision,
        &[
            (json!({"revision": 2}), &[]),
            (json!({"data": {"a": 2}}), &["data: Invalid value: {\"a\":2}: field is immutable"]),
        ],
    );
}

#[test]
fn jobs_are_checked() {
    refused(
        &job(),
        &[
            (json!({}), &[]),
            (
                spec(json!({"template": {"spec": {"restartPolicy": "Always"}}})),
                &["spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""],
            ),
            (
                spec(
                    json!({"parallelism": -1, "completions": -2, "backoffLimit": -3, "completionMode": "Fast", "managedBy": "x"}),
                ),
                &[
                    "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
                    "spec.completions: Invalid value: -2: must be greater than or equal to 0",
                    "spec.backoffLimit: Invalid value: -3: must be greater than or equal to 0",
                    "spec.managedBy: Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")",
                    "spec.completionMode: Unsupported value: \"Fast\": supported values: \"NonIndexed\", \"Indexed\"",
                ],
            ),
            (
                spec(json!({"completionMode": "Indexed", "parallelism": 100_001})),
                &[
                    "spec.completions: Required value: when completion mode is Indexed",
                    "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
                ],
            ),
            (
                spec(json!({"backoffLimitPerIndex": 1})),
                &["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
            ),
            (
                spec(json!({"podFailurePolicy": {"rules": [
                    {}, {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [3, 0, 3], "containerName": "x"}},
                ]}, "template": {"spec": {"restartPolicy": "OnFailure"}}})),
                &[
                    "spec.podFailurePolicy.rules[0].action: Required value: valid values: [\"Count\" \"FailIndex\" \"FailJob\" \
                     \"Ignore\"]",
                    "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
                    "spec.podFailurePolicy.rules[1].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be \
                     set",
                    "spec.podFailurePolicy.rules[1].onExitCodes.containerName: Invalid value: \"x\": must be one of the container \
                     or initContainer names in the pod template",
                    "spec.podFailurePolicy.rules[1].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
                    "spec.podFailurePolicy.rules[1].onExitCodes.values[2]: Duplicate value: 3",
                    "spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
                    "spec.template.spec.restartPolicy: Invalid value: \"OnFailure\": only \"Never\" is supported when \
                     podFailurePolicy is specified",
                ],
            ),
            (
                spec(
                    json!({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [{}, {"succeededIndexes": "0-1", "succeededCount": 4}]}}),
                ),
                &[
                    "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be \
                     specified",
                    "spec.successPolicy.rules[1].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of \
                     specified completions)",
                    "spec.successPolicy.rules[1].succeededCount: Invalid value: 4: must be less than or equal to 2 (the number of \
                     indexes in the specified succeededIndexes field)",
                ],
            ),
            (
                json!({"metadata": {"name": "p.i"}, "spec": {
                    "completionMode": "Indexed", "completions": 1,
                    "template": {"metadata": {"labels": {"job-name": "p.i", "batch.kubernetes.io/job-name": "p.i"}}},
                }}),
                &["metadata.name: Invalid value: \"p.i\": will not able to create pod with invalid DNS label: p.i-0"],
            ),
            (
                spec(json!({"template": {"metadata": {"labels": {"controller-uid": "2"}}}})),
                &[
                    "spec.template.metadata.labels[controller-uid]: Invalid value: {\"batch.kubernetes.io/controller-uid\":\"1\",\
                   \"batch.kubernetes.io/job-name\":\"pi\",\"controller-uid\":\"2\",\"job-name\":\"pi\"}: must be '1'",
                ],
            ),
            (
                spec(json!({"selector": {"matchLabels": {"a": "b"}}})),
                &[
                    "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\",\"batch.kubernetes.io/controller-uid\":\"1\"}}: \
                     `selector` not auto-generated",
                    &format!(
                        "spec.template.metadata.labels: Invalid value: {{\"batch.kubernetes.io/controller-uid\":\"1\",\
                     \"batch.kubernetes.io/job-name\":\"pi\",\"controller-uid\":\"1\",\"job-name\":\"pi\"}}: {MISMATCH}"
                    ),
                ],
            ),
        ],
    );
}

#[test]
fn little_may_change_in_a_job() {
    update_refused(
        &job(),
        &[
            (spec(json!({"parallelism": 3, "suspend": true, "ttlSecondsAfterFinished": 1, "backoffLimit": 1})), &[]),
            (spec(json!({"completions": 5})), &["spec.completions: Invalid value: 5: field is immutable"]),
            (
                spec(json!({"completionMode": "Indexed", "completions": 5})),
                &[
                    "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism",
                    "spec.completionMode: Invalid value: \"Indexed\": field is immutable",
                ],
            ),
        ],
    );
    let old = defaulted(&job());
    let image = spec(json!({"template": {"spec": {"containers": [{"name": "c", "image": "python"}]}}}));
    let found = faults(&defaulted(&merged(&old, &image)), Some(&old));
    let [found] = found.as_slice() else { panic!("{found:?}") };
    let start = "spec.template: Invalid value: {\"labels\":{\"batch.kubernetes.io/controller-uid\":\"1\",\
                 \"batch.kubernetes.io/job-name\":\"pi\",\"controller-uid\":\"1\",\"job-name\":\"pi\"},\"Spec\":{\"Volumes\":null,";
    assert!(found.starts_with(start) && found.ends_with("}}: field is immutable"), "{found}");

    let suspended = merged(&job(), &spec(json!({"suspend": true})));
    let elsewhere = spec(json!({"suspend": false, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"nodeSelector": {"c": "d"}, "tolerations": [{"operator": "Exists"}]},
    }}));
    update_refused(&suspended, &[(elsewhere, &[])]);
}

#[test]
fn cron_jobs_are_checked() {
    let long = "a".repeat(53);
    refused(
        &cron_job(),
        &[
            (json!({}), &[]),
            (
                spec(json!({"schedule": "every day"})),
                &["spec.schedule: Invalid value: \"every day\": expected exactly 5 fields, found 2: [every day]"],
            ),
            (spec(json!({"schedule": null})), &["spec.schedule: Required value"]),
            (
                spec(json!({"schedule": "TZ=UTC 0 0 * * *"})),
                &[
                    "spec.schedule: Invalid value: \"TZ=UTC 0 0 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field \
                   instead",
                ],
            ),
            (
                spec(json!({"timeZone": "Mars/Phobos", "concurrencyPolicy": "Never", "failedJobsHistoryLimit": -1})),
                &[
                    "spec.timeZone: Invalid value: \"Mars/Phobos\": unknown time zone Mars/Phobos",
                    "spec.concurrencyPolicy: Unsupported value: \"Never\": supported values: \"Allow\", \"Forbid\", \"Replace\"",
                    "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
                ],
            ),
            (
                spec(json!({"timeZone": "Local"})),
                &["spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in \
                   https://www.iana.org/time-zones"],
            ),
            (
                spec(json!({"timeZone": ""})),
                &["spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string"],
            ),
            (spec(json!({"timeZone": "Europe/Berlin"})), &[]),
            (
                spec(
                    json!({"jobTemplate": {"spec": {"selector": {"matchLabels": {"a": "b"}}, "manualSelector": true}}}),
                ),
                &[
                    "spec.jobTemplate.spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\"}}: `selector` will be \
                     auto-generated",
                    "spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: \"nil\", \"false\"",
                ],
            ),
            (
                json!({"metadata": {"name": long}}),
                &[&format!("metadata.name: Invalid value: \"{long}\": must be no more than 52 characters")],
            ),
        ],
    );
    update_refused(
        &cron_job(),
        &[
            (spec(json!({"schedule": "@daily", "suspend": true})), &[]),
            (
                json!({"metadata": {"labels": {"a": "_"}}}),
                &["metadata.labels: Invalid value: \"_\": a valid label must be an empty \
               string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
               character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
               '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"],
            ),
        ],
    );
}

#[test]
fn pod_templates_are_checked() {
    let template = json!({
        "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t", "namespace": "ns"},
        "template": {"spec": {"containers": [{"name": "c", "image": "nginx"}]}},
    });
    refused(
        &template,
        &[
            (json!({}), &[]),
            (json!({"template": {"spec": {"containers": []}}}), &["template.spec.containers: Required value"]),
            // Space around an image is only wrong in pods.
            (json!({"template": {"spec": {"containers": [{"name": "c", "image": " nginx "}]}}}), &[]),
        ],
    );
}
