//! Tests of the OpenAPI documents.

use super::*;

fn verbs() -> Vec<String> {
    ["get", "list", "create", "update", "patch", "delete", "deletecollection", "watch"].map(str::to_owned).to_vec()
}

fn widget_schema() -> Value {
    json!({"type": "object", "description": "A thing.", "properties": {"spec": {
        "type": "object", "required": ["size"], "nullable": true, "properties": {
            "size": {"type": "integer", "minimum": 1, "default": 3},
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        },
    }}})
}

fn with_resources<T>(use_them: impl FnOnce(&[Resource<'_>]) -> T) -> T {
    let (verbs, schema) = (verbs(), widget_schema());
    let of = |group, plural, kind, namespaced, schema| Resource {
        group,
        version: "v1",
        plural,
        kind,
        namespaced,
        verbs: &verbs,
        schema,
    };
    use_them(&[
        of("", "pods", "Pod", true, None),
        of("", "nodes", "Node", false, None),
        of("", "persistentvolumes", "PersistentVolume", false, None),
        of("apps", "deployments", "Deployment", true, None),
        of("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", false, None),
        of("certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest", false, None),
        of("stable.example.com", "widgets", "Widget", true, Some(&schema)),
    ])
}

fn document(path: &str) -> Value {
    let bytes = with_resources(|resources| v3(path, resources)).expect("there is a document");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

#[test]
fn the_index_names_all_documents_and_their_hashes() {
    let index: Value = serde_json::from_slice(&with_resources(index)).expect("it is JSON");
    let paths = index["paths"].as_object().expect("paths");
    let names: Vec<_> = paths.keys().map(String::as_str).collect();
    let expected = [
        "api",
        "api/v1",
        "apis",
        "apis/apiextensions.k8s.io/v1",
        "apis/apps/v1",
        "apis/certificates.k8s.io/v1",
        "apis/stable.example.com/v1",
        "version",
    ];
    assert_eq!(names, expected);
    for name in names {
        let url = paths[name]["serverRelativeURL"].as_str().unwrap();
        let hash = with_resources(|resources| hash(name, resources));
        assert_eq!(url, format!("/openapi/v3/{name}?hash={hash}"));
        assert_eq!(document(name)["openapi"], "3.0.0");
    }
    assert_eq!(with_resources(|resources| v3("apis/nope/v1", resources)), None);
}

#[test]
fn the_hash_changes_with_the_schema_and_only_there() {
    let hashes = |change: bool| {
        with_resources(|resources| {
            let schema = json!({"type": "object"});
            let mut resources = resources.to_vec();
            if let Some(last) = resources.last_mut().filter(|_| change) {
                last.schema = Some(&schema);
            }
            ["apis/apps/v1", "apis/stable.example.com/v1"].map(|path| hash(path, &resources))
        })
    };
    assert_eq!(hashes(false), hashes(false));
    assert_eq!(hashes(false)[0], hashes(true)[0]);
    assert_ne!(hashes(false)[1], hashes(true)[1]);
}

#[test]
fn paths_tell_what_kubectl_looks_for() {
    let apps = document("apis/apps/v1");
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    let kind = json!({"group": "apps", "kind": "Deployment", "version": "v1"});
    assert_eq!(patch["x-kubernetes-group-version-kind"], kind);
    let content: Vec<_> = patch["requestBody"]["content"].as_object().expect("content").keys().cloned().collect();
    let kinds = ["apply-patch+yaml", "json-patch+json", "merge-patch+json", "strategic-merge-patch+json"];
    assert_eq!(content, kinds.map(|kind| format!("application/{kind}")));
    let names: Vec<_> =
        patch["parameters"].as_array().into_iter().flatten().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    let nodes = document("api/v1");
    assert!(nodes["paths"]["/api/v1/nodes/{name}"]["put"].is_object());
    let widgets = document("apis/stable.example.com/v1");
    let patch = &widgets["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    assert_eq!(patch["requestBody"]["content"].as_object().map(Map::len), Some(3));
}

#[test]
fn schemas_have_what_merging_needs() {
    let core = document("api/v1");
    let schemas = &core["components"]["schemas"];
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    let expected = json!({
        "type": "array", "description": "The containers; there has to be one.",
        "items": {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"}], "default": {}},
        "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-list-type": "map",
        "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
    });
    assert_eq!(*containers, expected);
    let protocol = json!({
        "type": "string", "default": "TCP", "enum": ["SCTP", "TCP", "UDP"], "description": "TCP, UDP or SCTP.",
    });
    assert_eq!(schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"], protocol);
    assert_eq!(schemas["io.k8s.api.core.v1.ObjectReference"]["x-kubernetes-map-type"], "atomic");
    let claim = &schemas["io.k8s.api.core.v1.PersistentVolumeSpec"]["properties"]["claimRef"];
    assert_eq!(claim["x-kubernetes-map-type"], "granular");
    let pod = &schemas["io.k8s.api.core.v1.Pod"];
    assert_eq!(pod["x-kubernetes-group-version-kind"], json!([{"group": "", "kind": "Pod", "version": "v1"}]));
    assert_eq!(pod["description"], "A Pod is a group of containers that run together on one node.");
    let kinds = &schemas["io.k8s.api.core.v1.PodList"]["x-kubernetes-group-version-kind"];
    assert_eq!(*kinds, json!([{"group": "", "kind": "PodList", "version": "v1"}]));
}

#[test]
fn custom_resources_keep_their_schema() {
    let widget = &document("apis/stable.example.com/v1")["components"]["schemas"]["com.example.stable.v1.Widget"];
    let kind = json!([{"group": "stable.example.com", "kind": "Widget", "version": "v1"}]);
    assert_eq!(widget["x-kubernetes-group-version-kind"], kind);
    assert_eq!(widget["properties"]["spec"], widget_schema()["properties"]["spec"]);
    let meta = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    assert_eq!(widget["properties"]["metadata"]["allOf"], json!([{"$ref": meta}]));
    let swagger: Value = serde_json::from_slice(&with_resources(v2)).expect("it is JSON");
    let spec = &swagger["definitions"]["com.example.stable.v1.Widget"]["properties"]["spec"];
    assert_eq!(*spec, json!({}), "null cannot be told in the second version");
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let swagger: Value = serde_json::from_slice(&with_resources(v2)).expect("it is JSON");
    let index: Value = serde_json::from_slice(&with_resources(index)).expect("it is JSON");
    let third = index["paths"].as_object().into_iter().flatten().map(|(path, _)| document(path));
    for document in third.chain([swagger]) {
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}

/// The fields of a message: number and bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| *byte < 128).expect("a number ends") + 1;
        let (number, rest) = bytes.split_at(length);
        *bytes = rest;
        number.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 127))
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let length = match tag & 7 {
            0 => {
                varint(&mut bytes);
                0
            }
            1 => 8,
            _ => varint(&mut bytes) as usize,
        };
        let (field, rest) = bytes.split_at(length);
        fields.push((tag >> 3, field));
        bytes = rest;
    }
    fields
}

#[test]
fn the_protobuf_tells_the_same_as_the_json() {
    let swagger: Value = serde_json::from_slice(&with_resources(v2)).expect("it is JSON");
    let bytes = with_resources(v2_protobuf);
    let document = fields(&bytes);
    let member = |fields: &[(u64, &'_ [u8])], number: u64| -> Vec<u8> {
        fields.iter().find(|(known, _)| *known == number).expect("the member is there").1.to_vec()
    };
    assert_eq!(member(&document, 1), b"2.0");
    let names = |bytes: &[u8], number: u64| -> Vec<String> {
        let named = fields(bytes).into_iter().filter(|(known, _)| *known == number);
        named.map(|(_, entry)| String::from_utf8_lossy(&member(&fields(entry), 1)).into_owned()).collect()
    };
    let mut expected: Vec<_> = swagger["definitions"].as_object().expect("definitions").keys().cloned().collect();
    expected.sort();
    assert_eq!(names(&member(&document, 9), 1), expected);
    let mut paths = names(&member(&document, 8), 2);
    paths.sort();
    assert_eq!(paths, swagger["paths"].as_object().expect("paths").keys().cloned().collect::<Vec<_>>());
    let schemas = member(&document, 9);
    let entries = fields(&schemas).into_iter().map(|(_, entry)| fields(entry));
    let mut named = entries.filter(|entry| member(entry, 1) == b"io.k8s.api.core.v1.ContainerPort");
    let schema = member(&named.next().expect("the schema is there"), 2);
    assert_eq!(member(&fields(&schema), 19), b"containerPort", "it is required");
}
