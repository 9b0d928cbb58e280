use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::testing::{cron_job, job, keeper, kind_of, merged, pod};
use super::{
    CreateContext, before_create, before_update, defaults, generation_changes, image_pull_policy, qos_class, validate,
    warnings,
};
use crate::cluster::object::GroupKind;

const KINDS: [(&str, &str); 10] = [
    ("", "Pod"),
    ("", "PodTemplate"),
    ("", "ReplicationController"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ControllerRevision"),
    ("batch", "Job"),
    ("batch", "CronJob"),
];

/// Names that lead into the checks, so that random objects get somewhere.
const NAMES: &str = "metadata name namespace labels annotations ownerReferences finalizers generateName spec template \
     jobTemplate containers initContainers ephemeralContainers image ports containerPort hostPort protocol hostIP env value \
     valueFrom fieldRef fieldPath apiVersion resourceFieldRef resource divisor secretKeyRef configMapKeyRef key envFrom prefix \
     secretRef configMapRef resources limits requests claims cpu memory hugepages-2Mi volumeMounts mountPath subPath \
     mountPropagation volumeDevices devicePath livenessProbe readinessProbe startupProbe httpGet port path scheme exec command \
     tcpSocket grpc lifecycle preStop postStart sleep seconds volumes emptyDir sizeLimit hostPath secret configMap items \
     projected sources serviceAccountToken expirationSeconds downwardAPI persistentVolumeClaim ephemeral volumeClaimTemplate \
     nfs csi iscsi fc rbd selector matchLabels matchExpressions operator values affinity nodeAffinity podAffinity \
     podAntiAffinity requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution \
     nodeSelectorTerms podAffinityTerm labelSelector matchLabelKeys mismatchLabelKeys topologySpreadConstraints tolerations \
     effect tolerationSeconds schedulingGates nodeSelector securityContext seccompProfile windowsOptions dnsConfig nameservers \
     searches hostAliases restartPolicy activeDeadlineSeconds terminationGracePeriodSeconds replicas strategy updateStrategy \
     rollingUpdate maxSurge maxUnavailable partition volumeClaimTemplates schedule timeZone completions parallelism \
     completionMode podFailurePolicy successPolicy rules onExitCodes succeededIndexes succeededCount data revision status \
     serviceAccountName hostNetwork hostUsers os type conditions suspend uid accessModes storage dataSource dataSourceRef";

fn name() -> impl Strategy<Value = String> {
    let names: Vec<&str> = NAMES.split_whitespace().collect();
    prop_oneof![9 => proptest::sample::select(names).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}

fn leaf() -> impl Strategy<Value = Value> {
    let words = "In NotIn Exists Gt Always Never OnFailure RollingUpdate Recreate OnDelete Indexed NoExecute Localhost windows \
                 100m 1Gi -1 25% 0% a a/b ../a / a.b nginx:latest iqn.2001-04.a:b eui.0 */5 metadata.labels['a'] @every";
    let words: Vec<&str> = words.split_whitespace().collect();
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..70_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(words).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

fn object() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(7, 120, 6, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            3 => proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Objects that are nearly right, with something random laid over them.
fn nearly() -> impl Strategy<Value = Value> {
    let bases = vec![
        pod(),
        keeper("Deployment"),
        keeper("ReplicaSet"),
        keeper("StatefulSet"),
        keeper("DaemonSet"),
        job(),
        cron_job(),
    ];
    let place = proptest::sample::select(vec!["", "spec", "template", "pod", "container"]);
    (proptest::sample::select(bases), place, object()).prop_map(|(base, place, patch)| {
        let spec = |patch: Value| json!({ "spec": patch });
        let patch = match place {
            "spec" => spec(patch),
            "template" => spec(json!({ "template": patch })),
            "pod" => {
                spec(json!({ "template": spec(patch.clone()), "jobTemplate": spec(json!({"template": spec(patch)})) }))
            }
            "container" => {
                let container = merged(&json!({"name": "c", "image": "nginx"}), &patch);
                let pod = json!({ "containers": [container] });
                spec(merged(&pod, &json!({ "template": spec(pod.clone()) })))
            }
            _ => patch,
        };
        merged(&base, &patch)
    })
}

fn everything(kind: &GroupKind, object: &Value, old: &Value) {
    let mut new = object.clone();
    let account = json!({});
    let context =
        CreateContext { random_suffix: "abcde", service_account: Some(&account), priority_classes: &[], uid: "1" };
    let mut errors = Vec::new();
    for _ in 0..2 {
        validate(kind, &new, None, &mut errors);
        validate(kind, &new, Some(old), &mut errors);
        validate(kind, old, Some(&new), &mut errors);
        warnings(kind, &new, None);
        warnings(kind, &new, Some(old));
        generation_changes(kind, &new, old);
        qos_class(&new);
        defaults(kind, &mut new);
        before_update(kind, &mut new, old);
        let _ = before_create(kind, &mut new, &context);
    }
    for error in errors {
        let _ = error.message();
    }
}

proptest! {
    #[test]
    fn nothing_makes_the_checks_panic(object in object(), old in object()) {
        for (group, kind) in KINDS {
            everything(&GroupKind::new(group, kind), &object, &old);
        }
    }

    #[test]
    fn nothing_nearly_right_makes_the_checks_panic(object in nearly(), old in nearly()) {
        everything(&kind_of(&object), &object, &old);
    }

    #[test]
    fn defaults_are_filled_in_once(object in nearly()) {
        let kind = kind_of(&object);
        let mut once = object.clone();
        defaults(&kind, &mut once);
        let mut twice = once.clone();
        defaults(&kind, &mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn every_image_has_a_policy(image in "\\PC*") {
        prop_assert!(["Always", "IfNotPresent"].contains(&image_pull_policy(&image)));
    }
}
