use serde_json::{Value, json};

use super::super::super::testing::{defaulted, faults, kind_of, merged, pod, update_refused, with_container};
use super::super::super::{CreateContext, before_create};

#[test]
fn little_may_change_in_a_pod() {
    let base = merged(
        &pod(),
        &json!({"spec": {"activeDeadlineSeconds": 100, "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute"}]}}),
    );
    update_refused(
        &base,
        &[
            (json!({}), &[]),
            (with_container(&json!({"image": "nginx:2", "imagePullPolicy": "Always"})), &[]),
            (json!({"metadata": {"labels": {"a": "b"}}, "spec": {"activeDeadlineSeconds": 10}}), &[]),
            (
                json!({"spec": {"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3}, {"operator": "Exists"}]}}),
                &[],
            ),
            (
                json!({"spec": {"tolerations": []}}),
                &["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
            ),
            (
                json!({"spec": {"activeDeadlineSeconds": null}}),
                &[
                    "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
                ],
            ),
            (
                json!({"spec": {"activeDeadlineSeconds": 101}}),
                &["spec.activeDeadlineSeconds: Invalid value: 101: must be less than or equal to previous value"],
            ),
            (
                json!({"spec": {"containers": [{"name": "c", "image": "a"}, {"name": "d", "image": "b"}]}}),
                &["spec.containers: Forbidden: pod updates may not add or remove containers"],
            ),
            (
                json!({"spec": {"schedulingGates": [{"name": "late"}]}}),
                &[
                    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'late'",
                ],
            ),
            (
                json!({"spec": {"subdomain": "sub"}}),
                &["spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                   `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
                   tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n\
                   @@ -65,7 +65,7 @@\n  },\n  \"ImagePullSecrets\": null,\n  \"Hostname\": \"\",\n- \"Subdomain\": \"\",\n\
                   + \"Subdomain\": \"sub\",\n  \"SetHostnameAsFQDN\": null,\n  \"Affinity\": null,\n  \"SchedulerName\": \
                   \"default-scheduler\",\n"],
            ),
        ],
    );
}

#[test]
fn a_gated_pod_may_be_sent_to_fewer_nodes() {
    let terms = |terms: Value| {
        json!({"spec": {"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
        }}}})
    };
    let on = |key: &str| json!({"key": key, "operator": "Exists"});
    let base = merged(
        &merged(&pod(), &json!({"spec": {"schedulingGates": [{"name": "late"}], "nodeSelector": {"a": "b"}}})),
        &terms(json!([{"matchExpressions": [on("a")]}])),
    );
    update_refused(
        &base,
        &[
            (json!({"spec": {"schedulingGates": [], "nodeSelector": {"c": "d"}}}), &[]),
            (terms(json!([{"matchExpressions": [on("a"), on("b")]}])), &[]),
            (
                json!({"spec": {"nodeSelector": {"a": "x"}}}),
                &[
                    "spec.nodeSelector: Invalid value: {\"a\":\"x\"}: only additions to spec.nodeSelector are allowed (no \
                   mutations or deletions)",
                ],
            ),
            (
                terms(json!([{"matchExpressions": [on("b")]}])),
                &[
                    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid value: \
                   {\"MatchExpressions\":[{\"Key\":\"b\",\"Operator\":\"Exists\",\"Values\":null}],\"MatchFields\":null}: only \
                   additions are allowed (no mutations or deletions)",
                ],
            ),
        ],
    );
}

/// The lines of a difference that say where it is.
fn hunks(new: &Value, old: &Value) -> Vec<String> {
    let found = faults(new, Some(old)).join("\n");
    found.lines().filter(|line| line.starts_with("@@")).map(str::to_owned).collect()
}

#[test]
fn a_difference_is_told_where_it_is_in_the_struct_of_go() {
    let account = json!({});
    let context =
        CreateContext { random_suffix: "abcde", service_account: Some(&account), priority_classes: &[], uid: "1" };
    let mut old = defaulted(&pod());
    assert_eq!(before_create(&kind_of(&old), &mut old, &context), Ok(true));
    let bound = merged(&old, &json!({"spec": {"nodeName": "other"}}));
    assert_eq!(hunks(&bound, &old), ["@@ -140,7 +140,7 @@"]);
    let container = &defaulted(&pod())["spec"]["containers"][0];
    let bare = json!({"spec": {"volumes": null, "nodeName": "other", "containers": [container]}});
    let expected = ["@@ -1,93 +1,5 @@", "@@ -107,17 +19,7 @@", "@@ -140,7 +42,7 @@"];
    assert_eq!(hunks(&merged(&old, &bare), &old), expected);
}
