//! Tests of metadata.

use super::*;
use serde_json::json;

fn errors_of(check: impl FnOnce(&mut Vec<FieldError>)) -> Vec<String> {
    let mut errors = Vec::new();
    check(&mut errors);
    errors.iter().map(|error| format!("{}: {}", error.field, error.message())).collect()
}

fn created(metadata: Value) -> Vec<String> {
    errors_of(|errors| validate_metadata(&json!({"metadata": metadata}), true, NameRule::Subdomain, errors))
}

fn updated(metadata: Value, old: Value) -> Vec<String> {
    let (object, old) = (json!({"metadata": metadata}), json!({"metadata": old}));
    errors_of(|errors| validate_metadata_update(&object, &old, false, errors))
}

#[test]
fn owners_need_names_and_at_most_one_controls() {
    let reference = |name: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
    assert_eq!(
        created(json!({"name": "badref", "namespace": "n", "ownerReferences": [reference("", "")]})),
        [
            "metadata.ownerReferences.name: Invalid value: \"\": must not be empty",
            "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty",
        ]
    );
    let mut two = vec![reference("a", "1"), reference("b", "2")];
    two.iter_mut().for_each(|reference| reference["controller"] = true.into());
    assert_eq!(
        created(json!({"name": "two", "namespace": "n", "ownerReferences": two})),
        [
            "metadata.ownerReferences: Invalid value: [{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"a\",\"uid\":\"1\",\
          \"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"b\",\"uid\":\"2\",\"controller\":true}]: \
          Only one reference can have Controller set to true. Found \"true\" in references for ConfigMap/a and ConfigMap/b"
        ]
    );
}

#[test]
fn a_name_is_needed_and_the_namespace_fits_the_kind() {
    assert_eq!(
        created(json!({"finalizers": ["mine", "orphan", "foregroundDeletion", "a/b"]})),
        [
            "metadata.name: Required value: name or generateName is required",
            "metadata.namespace: Required value",
            "metadata.finalizers: Invalid value: [\"mine\",\"orphan\",\"foregroundDeletion\",\"a/b\"]: finalizer orphan and \
             foregroundDeletion cannot be both set",
            "metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully \
             qualified",
        ]
    );
    let object = json!({"metadata": {"name": "a", "namespace": "n"}});
    assert_eq!(
        errors_of(|errors| validate_metadata(&object, false, NameRule::PathSegment, errors)),
        ["metadata.namespace: Forbidden: not allowed on this type"]
    );
}

#[test]
fn finalizers_of_custom_resources_need_no_path() {
    let found = |finalizer: &str| {
        let object =
            json!({"metadata": {"name": "a", "namespace": "n", "resourceVersion": "1", "finalizers": [finalizer]}});
        errors_of(|errors| {
            validate_any_metadata(&object, true, NameRule::Subdomain, errors);
            validate_any_metadata_update(&object, &object, false, errors);
        })
    };
    assert_eq!(found("machine.cluster.x-k8s.io"), [""; 0]);
    assert_eq!(found("a b").len(), 1);
}

#[test]
fn annotations_are_bounded_and_their_keys_may_be_upper_case() {
    let big = "x".repeat(ANNOTATIONS_MOST);
    assert_eq!(
        created(json!({"name": "a", "namespace": "n", "annotations": {"Example.com/A": big}})),
        ["metadata.annotations: Too long: may not be more than 262144 bytes"]
    );
}

#[test]
fn what_identifies_an_object_stays() {
    let old = json!({"name": "a", "namespace": "n", "uid": "1", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-02T00:00:00Z", "finalizers": ["a/b"]});
    let mut new = old.clone();
    new["resourceVersion"] = "7".into();
    assert_eq!(updated(new.clone(), old.clone()), Vec::<String>::new());
    new["uid"] = "2".into();
    new["generation"] = 2.into();
    new["finalizers"] = json!(["z/z", "a/b", "c/d"]);
    new["resourceVersion"] = "".into();
    new["creationTimestamp"] = Value::Null;
    assert_eq!(
        updated(new, old),
        [
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
             finalizers []string{\"c/d\", \"z/z\"}",
            "metadata.resourceVersion: Invalid value: \"\": must be specified for an update",
            "metadata.generation: Invalid value: 2: must not be decremented",
            "metadata.uid: Invalid value: \"2\": field is immutable",
            "metadata.creationTimestamp: Invalid value: null: field is immutable",
        ]
    );
}
