//! Tests of reading and writing YAML; what is expected was written by kubectl.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Value {
    value(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn words_mean_what_they_mean_to_kubectl() {
    for (word, expected) in [
        ("yes", json!(true)),
        ("n", json!(false)),
        ("Off", json!(false)),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("nULL", json!("nULL")),
        ("0755", json!(493)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("08", json!(8)),
        ("1_000", json!(1000)),
        ("+5", json!(5)),
        ("-0", json!(0)),
        ("1.0", json!(1)),
        (".5", json!(0.5)),
        ("1e3", json!(1000)),
        ("1.2.3", json!("1.2.3")),
        ("0x", json!("0x")),
        ("1e", json!("1e")),
        ("18446744073709551615", json!(u64::MAX)),
        ("99999999999999999999", json!(1e20)),
        ("2020-01-01", json!("2020-01-01")),
        ("1:30", json!("1:30")),
        ("nginx:1.25", json!("nginx:1.25")),
        ("100m", json!("100m")),
        ("!!str 5", json!("5")),
        ("!!int \"5\"", json!(5)),
        ("\"yes\"", json!("yes")),
        ("'1'", json!("1")),
        ("", json!(null)),
        ("012", json!(10)),
        ("-0x10", json!(-16)),
        ("1e400", json!("1e400")),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("1.50", json!(1.5)),
        ("!!binary YQ==", json!("a")),
        ("|-\n  a\n  b", json!("a\nb")),
        (">\n  a\n  b\n\n  c\n", json!("a b\nc\n")),
    ] {
        assert_eq!(read(&format!("a: {word}\n")), json!({ "a": expected }), "{word}");
    }
    assert!(value("a: .inf").is_err());
}

#[test]
fn keys_are_text_anchors_are_copied_and_the_last_of_two_wins() {
    assert_eq!(read("1: a\ntrue: b\n1.5: c\ny: d\n"), json!({ "1": "a", "true": "d", "1.5": "c" }));
    assert_eq!(read("a: 1\na: 2\n"), json!({ "a": 2 }));
    assert_eq!(
        read("x: &x {k: 1, l: 2}\nz: {<<: *x, l: 3}\nw: *x\n"),
        json!({ "x": { "k": 1, "l": 2 }, "z": { "l": 3, "k": 1 }, "w": { "k": 1, "l": 2 } })
    );
}

#[test]
fn what_is_no_yaml_is_named_with_its_line() {
    for (text, line, message) in [
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed in this context"),
        ("a:\n\t- b\n", 2, "tabs disallowed within this context (block indentation)"),
        ("a: 1\nb: {{ x }}\n", 2, "invalid map key: {\"x\":null}"),
        ("a: -.inf\n", 1, "unsupported value: -.inf"),
        ("a: *b\n", 1, "while parsing node, found unknown anchor"),
        ("a: &a [*a]\n", 1, "an alias to what is not yet complete"),
        ("a: {<<: 1}\n", 1, "map merge requires map or sequence of maps as the value"),
        ("a: !!int x\n", 1, "cannot decode !!str `x` as a !!int"),
    ] {
        assert_eq!(value(text), Err(Error { message: message.to_owned(), line }), "{text}");
    }
}

#[test]
fn many_documents_in_one_text() {
    let read = |text: &str| documents(text).into_iter().map(|read| read.map_err(|e| e.line)).collect::<Vec<_>>();
    assert_eq!(
        read("\u{feff}a: 1\n--- # next\n# nothing\n---\nb: |\n  ---\n  x\n"),
        [Ok(json!({ "a": 1 })), Ok(json!({ "b": "---\nx\n" })),]
    );
    assert_eq!(read("a: 1\n---\nb: c: d\n---\nc: 1\n"), [Ok(json!({ "a": 1 })), Err(3)]);
    assert_eq!(read(" {\"a\": 1}\n{\"b\": 2}"), [Ok(json!({ "a": 1 })), Ok(json!({ "b": 2 }))]);
    assert_eq!(read("{\"a\": 1}{"), [Ok(json!({ "a": 1 })), Err(1)]);
    assert_eq!(read("{a: 1}"), [Ok(json!({ "a": 1 }))]);
    assert_eq!(read("\n---\n# nothing\n"), []);
    assert_eq!(read("just text"), [Ok(json!("just text"))]);
}

#[test]
fn hostile_texts_end_early() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='m').zip('a'..) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(","));
    }
    assert_eq!(value(&bomb).unwrap_err().message, "document contains excessive aliasing");
    assert!(value(&"[".repeat(200_000)).is_err());
    assert!(value(&"- ".repeat(100_000)).is_err());
    assert!(value(&"? ".repeat(100_000)).is_err());
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert!(value(&long).is_err());
    let deep: String = (1..200).map(|level| format!("l{level}: &l{level} [*l{}]\n", level - 1)).collect();
    assert!(value(&format!("l0: &l0 [x]\n{deep}")).is_err());
    assert!(value(&("[".repeat(100) + &"]".repeat(100))).is_ok());
    assert!(documents(&"{\"a\":".repeat(100_000))[0].is_err());
}

/// Texts with the way kubectl writes them as a value two columns deep.
const WRITTEN: [(&str, &str); 36] = [
    ("plain", "plain"),
    ("&x", "'&x'"),
    ("a\\b", "a\\b"),
    ("a: b", "'a: b'"),
    ("a:b", "a:b"),
    ("a, b", "a, b"),
    ("a\r\nb", "\"a\\r\\nb\""),
    ("- x", "'- x'"),
    ("---", "'---'"),
    ("2020-01-01", "\"2020-01-01\""),
    (".", "."),
    ("...", "'...'"),
    ("", "\"\""),
    ("\u{1f600}", "\"\\U0001F600\""),
    ("=", "="),
    ("\u{1b}[31m", "\"\\e[31m\""),
    ("1e3", "\"1e3\""),
    ("a #b", "'a #b'"),
    ("a#b", "a#b"),
    (".inf", "\".inf\""),
    ("\na", "|2-\n\n    a"),
    ("<<", "<<"),
    ("line one\n  line two\nline three\n", "|\n    line one\n      line two\n    line three"),
    ("a\nb", "|-\n    a\n    b"),
    ("+1", "\"+1\""),
    ("?x", "?x"),
    ("? x", "'? x'"),
    ("it's \"quoted\"", "it's \"quoted\""),
    ("1:30", "\"1:30\""),
    (" lead", "' lead'"),
    ("trail ", "'trail '"),
    ("a\n b\n", "|\n    a\n     b"),
    ("a\tb", "\"a\\tb\""),
    ("a\n\n", "|+\n    a\n"),
    ("a \nb", "\"a \\nb\""),
    ("y", "\"y\""),
];

#[test]
fn texts_are_written_as_kubectl_writes_them() {
    for (plain, written) in WRITTEN {
        assert_eq!(text(&json!({ "d": { "k": plain } })), format!("d:\n  k: {written}\n"), "{plain:?}");
    }
}

#[test]
fn members_are_sorted_and_long_lines_folded() {
    let long = "The quick brown fox jumps over the lazy dog and then does it again and again";
    let object = json!({
        "a10": 1.5, "a2": null, "Ab": true, "_u": [], "1x": {},
        "list": [1, [2, 3], { "b": 1, "a": [4] }, format!("{long} until the cows come home"), "x"],
        "deep": { "q": format!("it's {long}: until the cows  come home") },
        "dq": format!("\u{7} {long}: until the cows come home"),
    });
    let expected = format!(
        "_u: []\n1x: {{}}\nAb: true\na2: null\na10: 1.5\ndeep:\n  q: 'it''s The quick brown fox jumps over the lazy dog and \
         then does it again and\n    again: until the cows  come home'\ndq: \"\\a {long}:\n  until the cows come \
         home\"\nlist:\n- 1\n- - 2\n  - 3\n- a:\n  - 4\n  b: 1\n- {long} until\n  the cows come home\n- x\n"
    );
    assert_eq!(text(&object), expected);
    assert_eq!(text(&json!("x")), "x\n");
    assert_eq!(text(&json!([])), "[]\n");
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
    assert_eq!(text(&object), expected);
    assert_eq!(text(&json!([1, "a"])), "- 1\n- a\n");
    assert_eq!(text(&json!({})), "{}\n");
    assert_eq!(text(&json!({"k\n": {"v": 1}})), "? |\n  k\n: v: 1\n");
}

fn any_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        any::<String>(),
        "[a-c:#\\-? \n\t'\"|>&*!%@`\\[\\]{},.~0-9e+_xoTZ]{0,20}",
        "(word |don't |x: ){0,40}",
        prop::sample::select(WRITTEN.iter().map(|(plain, _)| (*plain).to_owned()).collect::<Vec<_>>()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|x: f64| Value::from(x.trunc() + 0.5)),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(written in any_value()) {
        let text = text(&written);
        prop_assert_eq!(value(&text), Ok(written), "{}", text);
    }

    #[test]
    fn nothing_breaks_the_reader(text in "[a-c:#\\-? \n\t'\"|>&*!%@{}\\[\\],.~0-9<]{0,60}") {
        let _ = documents(&text);
    }
}
