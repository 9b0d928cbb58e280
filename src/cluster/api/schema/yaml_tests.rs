//! Tests of reading and writing YAML. The expected texts are those of kubectl 1.32.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn scalars_are_read_as_in_yaml_1_1() {
    let cases = [
        ("no", json!(false)),
        ("y", json!(true)),
        ("On", json!(true)),
        ("'no'", json!("no")),
        ("012", json!(10)),
        ("08", json!(8)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("1_000", json!(1000)),
        ("-0x10", json!(-16)),
        ("1e400", json!("1e400")),
        ("nUll", json!("nUll")),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("1e3", json!(1000)),
        ("1.50", json!(1.5)),
        (".5", json!(0.5)),
        ("~", json!(null)),
        ("", json!(null)),
        ("2024-01-01", json!("2024-01-01")),
        ("12:30", json!("12:30")),
        ("100m", json!("100m")),
        ("!!str 1", json!("1")),
        ("!!binary YQ==", json!("a")),
        ("{a: 1, 2: b, y: c, 1.5: d}", json!({"a": 1, "2": "b", "true": "c", "1.5": "d"})),
        ("|-\n  a\n  b", json!("a\nb")),
        (">\n  a\n  b\n\n  c\n", json!("a b\nc\n")),
    ];
    for (text, expected) in cases {
        assert_eq!(from_yaml(format!("k: {text}").as_bytes()), Ok(json!({"k": expected})), "{text}");
    }
    assert_eq!(from_yaml(b""), Ok(Value::Null));
    assert_eq!(from_yaml(br#"{"a": [1, "b"]}"#), Ok(json!({"a": [1, "b"]})));
    let twice = "yaml: unmarshal errors:\n  line 1: key \"a\" already set in map".to_owned();
    assert_eq!(parse_yaml(br#"{"a": 1.0, "a": 2.0}"#), Ok((json!({"a": 2}), vec![twice])));
    let merged = "a: &a {p: 1, q: 2}\nb: {<<: *a, q: 3}";
    assert_eq!(from_yaml(merged.as_bytes()), Ok(json!({"a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}})));
}

#[test]
fn keys_that_are_there_twice_are_named_with_their_lines() {
    let text = "a: 1\nb:\n  c: 1\n  c: 2\na: 2\n";
    let finding =
        "yaml: unmarshal errors:\n  line 4: key \"c\" already set in map\n  line 5: key \"a\" already set in map";
    assert_eq!(parse_yaml(text.as_bytes()), Ok((json!({"a": 2, "b": {"c": 2}}), vec![finding.to_owned()])));
    let error = documents(text).expect_err("a key is there twice");
    assert_eq!(error.to_string(), "yaml: line 4: key \"c\" already set in map");
}

#[test]
fn documents_are_read_one_after_the_other() {
    let text = "# first\n---\na: 1\n---\n---\n# nothing\n---\nb: no\n...\n";
    assert_eq!(documents(text), Ok(vec![json!({"a": 1}), json!({"b": false})]));
    let error = |text: &str| documents(text).map_err(|error| error.to_string());
    let cases = [
        ("a: 1\n---\nb: c: d\n", "yaml: line 3: mapping values are not allowed in this context"),
        ("a:\n\t- b\n", "yaml: line 2: tabs disallowed within this context (block indentation)"),
        ("a: 1\nb: {{ x }}\n", "yaml: line 2: invalid map key: {\"x\":null}"),
        ("a: -.inf\n", "yaml: line 1: unsupported value: -.inf"),
        ("a: *b\n", "yaml: line 1: while parsing node, found unknown anchor"),
        ("a: &a [*a]\n", "yaml: line 1: an alias to what is not yet complete"),
        ("a: {<<: 1}\n", "yaml: line 1: map merge requires map or sequence of maps as the value"),
        ("a: !!int x\n", "yaml: line 1: cannot decode !!str `x` as a !!int"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), Err(expected.to_owned()));
    }
    let first = "a: b: c";
    let expected = "error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this context";
    assert_eq!(from_yaml(first.as_bytes()), Err(expected.to_owned()));
    assert_eq!(from_yaml(b"\xff"), Err("error converting YAML to JSON: yaml: invalid leading UTF-8 octet".to_owned()));
}

#[test]
fn few_lines_do_not_become_many() {
    let levels: String =
        (1..30).map(|level| format!("l{level}: &l{level} [*l{0}, *l{0}, *l{0}, *l{0}]\n", level - 1)).collect();
    assert!(documents(&format!("l0: &l0 [x]\n{levels}")).is_err());
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert!(documents(&long).is_err());
    assert!(documents(&"[".repeat(100_000)).is_err());
    assert!(documents(&"- ".repeat(100_000)).is_err());
    assert!(documents(&"? ".repeat(100_000)).is_err());
    let deep: String = (1..200).map(|level| format!("l{level}: &l{level} [*l{}]\n", level - 1)).collect();
    assert!(documents(&format!("l0: &l0 [x]\n{deep}")).is_err());
    assert!(documents(&("[".repeat(100) + &"]".repeat(100))).is_ok());
}

#[test]
fn objects_are_written_as_kubectl_does() {
    let object = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": "a", "creationTimestamp": "2024-01-01T00:00:00Z", "annotations": {}, "x": null},
        "data": {
            "a10": "1", "a2": "yes", "script": "#!/bin/sh\necho\n", "no-end": "a\nb", "ends": "a\n\n", "indented": "  a\nb",
            "tab": "a\n\tb", "hash": "a #b", "colon": "a: b", "url": "http://a/b", "quote": "it's", "both": "'it's: \"",
            "emoji": "😀", "é": "é", "empty": "", "dash": "- a", "float": 1.5, "large": 1_234_567.5, "small": 0.00001,
            "words": "word ".repeat(20) + "end", "true": true,
        },
        "list": [{"b": 1, "a": [1, [2, []], {}]}, "x", []],
    });
    let expected = r##"apiVersion: v1
data:
  a2: "yes"
  a10: "1"
  both: '''it''s: "'
  colon: 'a: b'
  dash: '- a'
  emoji: "\U0001F600"
  empty: ""
  ends: |+
    a

  float: 1.5
  hash: 'a #b'
  indented: |2-
      a
    b
  large: 1.2345675e+06
  no-end: |-
    a
    b
  quote: it's
  script: |
    #!/bin/sh
    echo
  small: 1e-05
  tab: "a\n\tb"
  "true": true
  url: http://a/b
  words: word word word word word word word word word word word word word word word
    word word word word word end
  é: é
kind: ConfigMap
list:
- a:
  - 1
  - - 2
    - []
  - {}
  b: 1
- x
- []
metadata:
  annotations: {}
  creationTimestamp: "2024-01-01T00:00:00Z"
  name: a
  x: null
"##;
    assert_eq!(to_yaml(&object), expected);
    assert_eq!(to_yaml(&json!([1, "a"])), "- 1\n- a\n");
    assert_eq!(to_yaml(&json!({})), "{}\n");
    assert_eq!(to_yaml(&json!({"k\n": {"v": 1}})), "? |\n  k\n: v: 1\n");
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[-a-z0-9: #'\"\n\\[\\]{}&*!|>%@`?,.~_+=TZ\t]{0,20}",
        "(word |don't |x: ){0,40}",
        Just("2024-01-01 10:00:00".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(|float| Value::from(float.trunc() + 0.25)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 30, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(value in any_value()) {
        let text = to_yaml(&value);
        prop_assert_eq!(from_yaml(text.as_bytes()), Ok(value), "{}", text);
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "[-a-z0: #'\"\n\\[\\]{}&*!|>%@?,~<\t]{0,40}") {
        let _ = from_yaml(&bytes);
        let _ = documents(&text);
    }
}
