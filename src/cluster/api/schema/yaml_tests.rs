//! Tests of reading bodies. What is expected was answered by a real server.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn keys_that_are_there_twice_are_named_with_their_lines() {
    let text = "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n";
    let finding =
        "yaml: unmarshal errors:\n  line 4: key \"c\" already set in map\n  line 5: key \"a\" already set in map";
    assert_eq!(parse_yaml(text.as_bytes()), Ok((json!({"a": 2, "b": {"c": 2}}), vec![finding.to_owned()])));
    let twice = "yaml: unmarshal errors:\n  line 1: key \"a\" already set in map".to_owned();
    assert_eq!(parse_yaml(br#"{"a": 1.0, "a": 2.0}"#), Ok((json!({"a": 2}), vec![twice])));
}

#[test]
fn json_and_nothing_are_yaml() {
    assert_eq!(parse_yaml(b""), Ok((Value::Null, vec![])));
    assert_eq!(parse_yaml(br#"{"a": [1, "b", 2.0]}"#), Ok((json!({"a": [1, "b", 2]}), vec![])));
}

#[test]
fn what_is_no_yaml_is_refused_as_the_server_does() {
    let wrong = "error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this context";
    assert_eq!(parse_yaml(b"a: b: c"), Err(wrong.to_owned()));
    let wrong = "error converting YAML to JSON: yaml: invalid leading UTF-8 octet";
    assert_eq!(parse_yaml(b"\xff"), Err(wrong.to_owned()));
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_yaml(&bytes);
    }
}
