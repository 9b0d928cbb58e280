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
    assert_eq!(value("{{ x }}").unwrap_err().message, "invalid map key");
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
    assert!(value(&"- ".repeat(5_000)).is_err());
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

fn any_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        any::<String>(),
        "[a-c:#\\-? \n\t'\"|>&*!%@`\\[\\]{},.~0-9e+_xo]{0,8}",
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
