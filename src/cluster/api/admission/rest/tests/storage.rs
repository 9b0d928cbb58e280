//! Volumes, claims and their classes.

use super::super::{default_ingress_class, default_storage_class, warnings};
use super::*;

fn claim() -> Value {
    json!({
        "accessModes": ["ReadWriteOnce"], "storageClassName": "slow", "resources": {"requests": {"storage": "1Gi"}},
    })
}

#[test]
fn claims_are_held_and_stay() {
    let mut object = json!({"metadata": {"name": "data"}, "spec": claim(), "status": {"phase": "Bound"}});
    made("PersistentVolumeClaim", &mut object);
    let mut spec = claim();
    spec["volumeMode"] = "Filesystem".into();
    let expected = json!({
        "metadata": {"name": "data", "finalizers": ["kubernetes.io/pvc-protection"]},
        "spec": spec, "status": {"phase": "Pending"},
    });
    assert_eq!(object, expected);
    let mut other = claim();
    other["storageClassName"] = "fast".into();
    let errors = refused_change("PersistentVolumeClaim", json!({"spec": claim()}), json!({"spec": other}));
    assert_eq!(
        errors,
        [
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for \
          bound claims\n- \tstorageClassName: \"slow\",\n+ \tstorageClassName: \"fast\",\n"
        ]
    );
    let bound = |size: &str| {
        let mut spec = claim();
        spec["resources"]["requests"]["storage"] = size.into();
        json!({"spec": spec, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}})
    };
    let change = |from, to| refused_change("PersistentVolumeClaim", bound(from), bound(to));
    assert_eq!(change("1Gi", "2Gi"), [] as [&str; 0]);
    assert_eq!(
        change("2Gi", "1Gi"),
        ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]
    );
}

#[test]
fn claims_are_checked() {
    let cases = [
        (
            json!({}),
            vec![
                "spec.accessModes: Required value: at least 1 access mode is required",
                "spec.resources[storage]: Required value",
            ],
        ),
        (
            json!({"accessModes": ["Odd"], "resources": {"requests": {"storage": "0"}}}),
            vec![
                "spec.accessModes: Unsupported value: \"Odd\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \
             \"ReadWriteOnce\", \"ReadWriteOncePod\"",
                "spec.resources[storage]: Invalid value: \"0\": must be greater than zero",
            ],
        ),
        (
            json!({"accessModes": ["ReadWriteOncePod", "ReadWriteMany"], "resources": {"requests": {"storage": "1"}}}),
            vec!["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
        (
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}, "volumeMode": "Odd",
                "dataSource": {"kind": "Odd", "name": "x"}}),
            vec![
                "spec.volumeMode: Unsupported value: \"Odd\": supported values: \"Block\", \"Filesystem\"",
                "spec.dataSource: Invalid value: \"Odd\": must be 'PersistentVolumeClaim' when referencing the default \
                 apiGroup",
                "spec.dataSourceRef: Invalid value: \"Odd\": must be 'PersistentVolumeClaim' when referencing the default \
                 apiGroup",
            ],
        ),
    ];
    for (spec, expected) in cases {
        assert_eq!(refused("PersistentVolumeClaim", json!({"spec": spec})), expected);
    }
}

#[test]
fn volumes_are_completed_and_checked() {
    let mut volume = json!({"metadata": {"name": "v"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"},
    }});
    made("PersistentVolume", &mut volume);
    let expected = json!({
        "metadata": {"name": "v", "finalizers": ["kubernetes.io/pv-protection"]},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data", "type": ""},
            "persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    });
    assert_eq!(volume, expected);
    assert_eq!(
        refused("PersistentVolume", json!({"spec": {"capacity": {"cpu": "1"}}})),
        [
            "spec.accessModes: Required value",
            "spec.capacity: Unsupported value: {\"cpu\":\"1\"}: supported values: \"storage\"",
            "spec: Required value: must specify a volume type",
        ]
    );
    let mut other = expected.clone();
    other["spec"]["hostPath"]["path"] = "/other".into();
    assert_eq!(
        refused_change("PersistentVolume", expected.clone(), other),
        ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"]
    );
    let mut two = expected;
    two["spec"]["nfs"] = json!({"server": "s", "path": "/"});
    assert_eq!(refused("PersistentVolume", two), ["spec.nfs: Forbidden: may not specify more than 1 volume type"]);
}

#[test]
fn classes_stay() {
    const NAME: &str = "StorageClass.storage.k8s.io";
    let class = |provisioner: &str| json!({"provisioner": provisioner, "parameters": {"a": provisioner}});
    assert_eq!(
        stored(NAME, class("x")),
        json!({
            "provisioner": "x", "parameters": {"a": "x"}, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
        })
    );
    assert_eq!(
        refused_change(NAME, class("x"), class("y")),
        [
            "parameters: Forbidden: updates to parameters are forbidden.",
            "provisioner: Forbidden: updates to provisioner are forbidden.",
        ]
    );
    assert_eq!(refused(NAME, json!({})), ["provisioner: Required value"]);
}

#[test]
fn the_newest_default_class_is_taken() {
    let class = |name: &str, time: &str, default: &str| {
        json!({"metadata": {"name": name, "creationTimestamp": time, "annotations": {
            "storageclass.kubernetes.io/is-default-class": default,
            "ingressclass.kubernetes.io/is-default-class": default,
        }}})
    };
    let classes = [
        class("old", "2025-01-01T00:00:00Z", "true"),
        class("b", "2026-01-01T00:00:00Z", "true"),
        class("a", "2026-01-01T00:00:00Z", "true"),
        class("other", "2027-01-01T00:00:00Z", "false"),
    ];
    let mut claim = json!({"spec": {}});
    default_storage_class(&mut claim, &classes);
    assert_eq!(claim["spec"]["storageClassName"], "a");
    let mut named = json!({"spec": {"storageClassName": ""}});
    default_storage_class(&mut named, &classes);
    assert_eq!(named["spec"]["storageClassName"], "", "none is wanted");
    let mut ingress = json!({});
    default_ingress_class(&mut ingress, &classes);
    assert_eq!(ingress["spec"]["ingressClassName"], "a");
    default_ingress_class(&mut claim, &[]);
    assert_eq!(claim["spec"].get("ingressClassName"), None);
}

#[test]
fn old_ways_are_warned_of() {
    let recycled = json!({"spec": {"persistentVolumeReclaimPolicy": "Recycle"}});
    let told = warnings(&kind("PersistentVolume"), &recycled, None);
    assert!(told[0].starts_with("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated."));
    let annotated = json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}});
    assert_eq!(
        warnings(&kind("Ingress.networking.k8s.io"), &annotated, None),
        ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]
    );
    let named = json!({"spec": {"externalName": "x", "type": "ClusterIP"}});
    assert_eq!(
        warnings(&kind("Service"), &named, None),
        ["spec.externalName is ignored when spec.type is not \"ExternalName\""]
    );
    let tls = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "eA==", "tls.key": "eA=="}});
    assert_eq!(warnings(&kind("Secret"), &tls, None), ["tls: failed to find any PEM data in certificate input"]);
}
