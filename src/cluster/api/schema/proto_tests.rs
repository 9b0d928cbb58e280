//! Tests of reading protobuf: messages made by a small encoder, and bodies that kubectl 1.32 sent.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cluster::api::schema::builtin::builtin;
use crate::cluster::api::schema::decode::{conform, type_meta};

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 127 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(field: u64, value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3, &mut out);
    varint(value as u64, &mut out);
    out
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint(field << 3 | 2, &mut out);
    varint(value.len() as u64, &mut out);
    out.extend_from_slice(value);
    out
}

fn text(field: u64, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn message(field: u64, members: &[Vec<u8>]) -> Vec<u8> {
    bytes(field, &members.concat())
}

fn envelope(api_version: &str, kind: &str, members: &[Vec<u8>]) -> Vec<u8> {
    let unknown =
        [message(1, &[text(1, api_version), text(2, kind)]), bytes(2, &members.concat()), text(3, ""), text(4, "")];
    [PREFIX.to_vec(), unknown.concat()].concat()
}

#[test]
fn objects_are_read() {
    let created = message(8, &[number(1, 1_704_067_200), number(2, 0)]);
    let meta = message(1, &[text(1, "web"), text(2, ""), created, message(11, &[text(1, "app"), text(2, "x")])]);
    let port = message(6, &[text(1, ""), number(2, 0), number(3, 80), text(4, "TCP")]);
    let limits = message(8, &[message(1, &[text(1, "cpu"), message(2, &[text(1, "500m")])])]);
    let get = message(2, &[text(1, "/"), message(2, &[number(1, 1), number(2, 0), text(3, "http")])]);
    let probe = message(10, &[message(1, &[get]), number(2, 5)]);
    let command = [text(3, "sh"), text(3, "-c")].concat();
    let container = message(2, &[text(1, "a"), text(2, "nginx"), command, port, limits, probe, number(18, 0)]);
    let volume = message(1, &[text(1, "v"), message(2, &[message(2, &[text(1, "")]), bytes(99, b"unknown")])]);
    let pod = message(2, &[volume, container, number(4, 0), text(6, ""), message(14, &[number(77, 1)])]);
    let selector = message(2, &[message(1, &[text(1, "app"), text(2, "x")])]);
    let template = message(3, &[message(1, &[]), pod]);
    let spec = message(2, &[number(1, 0), selector, template, message(4, &[]), number(5, 0), number(7, 0)]);
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "creationTimestamp": "2024-01-01T00:00:00Z", "labels": {"app": "x"}},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "strategy": {},
            "template": {"metadata": {}, "spec": {
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{
                    "name": "a", "image": "nginx", "command": ["sh", "-c"],
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "resources": {"limits": {"cpu": "500m"}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "initialDelaySeconds": 5},
                }],
                "terminationGracePeriodSeconds": 0, "securityContext": {},
            }},
        },
    });
    assert_eq!(decode(&envelope("apps/v1", "Deployment", &[meta, spec])), Ok(expected));
}

#[test]
fn all_shapes_are_read() {
    let secret =
        envelope("v1", "Secret", &[message(2, &[text(1, "a"), bytes(2, &[0, 255])]), message(2, &[text(1, "b")])]);
    let expected = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "AP8=", "b": ""}});
    assert_eq!(decode(&secret), Ok(expected));
    let raw = envelope("apps/v1", "ControllerRevision", &[message(2, &[text(1, "{\"a\":[1]}")]), number(3, 7)]);
    let expected = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": {"a": [1]}, "revision": 7});
    assert_eq!(decode(&raw), Ok(expected));
    let renewed = message(4, &[number(1, 1), number(2, 5_000)]);
    let lease = envelope("coordination.k8s.io/v1", "Lease", &[message(2, &[message(3, &[]), renewed, number(5, 0)])]);
    let spec = json!({"renewTime": "1970-01-01T00:00:01.000005Z", "leaseTransitions": 0});
    assert_eq!(decode(&lease), Ok(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec})));
    let extra = message(4, &[text(1, "key"), message(2, &[text(1, "x"), text(1, "y")])]);
    let review = envelope("authentication.k8s.io/v1", "SelfSubjectReview", &[message(2, &[message(1, &[extra])])]);
    let read = decode(&review).expect("it is protobuf");
    assert_eq!(read["status"], json!({"userInfo": {"extra": {"key": ["x", "y"]}}}));
    let options = envelope("apps/v1", "DeleteOptions", &[number(1, 0), text(4, "Background")]);
    let read = decode(&options).expect("it is protobuf");
    assert_eq!((&read["gracePeriodSeconds"], &read["propagationPolicy"]), (&json!(0), &json!("Background")));
}

#[test]
fn bodies_of_kubectl_are_read() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("proto_tests.json")).expect("cases");
    for case in cases {
        let body = STANDARD.decode(case["body"].as_str().unwrap()).unwrap();
        let mut object = decode(&body).expect("kubectl sends protobuf");
        assert_eq!(object, case["object"], "{}", case["command"]);
        let (api_version, kind) = type_meta(&object).expect("it has a kind");
        let kind = builtin().kind(api_version, kind).expect("the kind is built in");
        assert_eq!(conform(&kind, &mut object), Ok(vec![]));
        assert_eq!(object, case["object"], "{}", case["command"]);
    }
}

#[test]
fn garbage_is_refused() {
    let no_prefix = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    assert_eq!(decode(b"garbage"), Err(no_prefix.to_owned()));
    assert_eq!(
        decode(&envelope("v9", "Pod", &[])),
        Err("no kind \"Pod\" is known in protobuf for version \"v9\"".to_owned())
    );
    let wrong = [
        vec![number(1, 5)],
        vec![message(1, &[bytes(1, b"\xff")])],
        vec![message(1, &[message(8, &[number(1, i64::MAX)])])],
        vec![vec![0x0a, 0x7f]],
        vec![vec![0x0b]],
        vec![vec![0xff; 12]],
    ];
    for members in wrong {
        assert!(decode(&envelope("v1", "Pod", &members)).is_err(), "{members:?}");
    }
}

proptest! {
    #[test]
    fn bytes_never_panic(noise in proptest::collection::vec(any::<u8>(), 0..80), at in any::<u8>(), case in 0..21_usize) {
        let _ = decode(&[PREFIX, &noise].concat());
        let _ = decode(&envelope("v1", "Pod", std::slice::from_ref(&noise)));
        let cases: Vec<Value> = serde_json::from_str(include_str!("proto_tests.json")).expect("cases");
        let mut body = STANDARD.decode(cases[case]["body"].as_str().unwrap()).unwrap();
        let at = usize::from(at) % body.len();
        for (place, byte) in body[at..].iter_mut().zip(noise.iter().take(3)) {
            *place = *byte;
        }
        let _ = decode(&body);
    }
}
