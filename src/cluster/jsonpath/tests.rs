//! Tests of templates; what is expected was printed by kubectl.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "data": { "a": "<b>&c", "x.y": "dotted" },
        "nul": null, "f": 1.5, "i": 3, "e": 1e21, "b": true,
        "l": [1, 2, 3, "four", { "num": 1, "k": "v" }, { "num": 2, "k": "w" }],
        "empty": {}, "el": [],
        "conditions": [{ "type": "Ready", "status": "True" }, { "type": "Available", "status": "False" }],
    })
}

#[test]
fn templates_are_filled_in_as_kubectl_does() {
    for (template, expected) in [
        ("{.data}", r#"{"a":"\u003cb\u003e\u0026c","x.y":"dotted"}"#),
        ("{.nul}", "null"),
        ("{.f} {.i} {.e} {.b}", "1.5 3 1e+21 true"),
        ("{.l[*]}", r#"1 2 3 four {"k":"v","num":1} {"k":"w","num":2}"#),
        ("{.l[0]} {.l[-1].k}", "1 w"),
        ("{.l[1:3]}", "2 3"),
        ("{.l[::2]}", r#"1 3 {"k":"v","num":1}"#),
        ("{.l[0,2]}", "1 3"),
        ("{.l[-2:]}", r#"{"k":"v","num":1} {"k":"w","num":2}"#),
        ("{['i','f']}", "3 1.5"),
        ("{.l[?(@.k==\"w\")].num}", "2"),
        ("{.l[?(@.num>1)].k}", "w"),
        ("{.l[?(@.num >= 1)].k}", "v w"),
        ("{.l[?(@.k)].k}", "v w"),
        ("{.l[?(@.k!='v')].k}", "w"),
        ("{.conditions[?(@.type==\"Ready\")].status}", "True"),
        ("{..k}", "v w"),
        ("{.data.a}{\"\\t\"}{.i}", "<b>&c\t3"),
        ("{range .l[*]}[{@}]{end}", r#"[1][2][3][four][{"k":"v","num":1}][{"k":"w","num":2}]"#),
        ("{range .l[4:6]}{.k}={.num},{end}!", "v=1,w=2,!"),
        ("{range .conditions[*]}{.type}{range .status}<{@}>{end}{\"\\n\"}{end}", "Ready<True>\nAvailable<False>\n"),
        ("{.data.x\\.y}", "dotted"),
        ("{.data['x\\.y']}", "dotted"),
        ("{.data['x.y']}", "dotted"),
        ("{.data.*}", "<b>&c dotted"),
        ("plain", "plain"),
        (".i", ".i"),
        ("{.i}}", "3}"),
        ("{range .l[*]}x", "xxxxxx"),
        ("{$.i}{@.i}{ .i }", "333"),
        ("{range .l[0:1]}{$.i}{end}", "3"),
        ("{.nope[0]}{.nope.x}{.i.x}{.el[*]}{.el[0]}{range .nope[*]}x{end}", ""),
        ("{.empty}{.el}", "{}[]"),
        ("{'a'}{\"b\\\"c\"}{3}{true}", "ab\"c3true"),
        ("{.i .f}", ""),
        ("", ""),
    ] {
        assert_eq!(Template::parse(template).and_then(|t| t.fill(&object())), Ok(expected.to_owned()), "{template}");
    }
}

#[test]
fn what_is_wrong_is_said_when_it_is_read() {
    for (template, expected) in [
        ("{.i", "unclosed action"),
        ("{.l[x]}", "invalid array index x"),
        ("{.l[4][\"k\"]}", "invalid array index \"k\""),
        ("{.l[0}", "unterminated array"),
        ("{.l[::0]}", "step must be > 0, got 0"),
        ("{\"a}", "unclosed action"),
        ("{range}", "range is missing what to range over"),
        ("{.l[?(@.k=1)]}", "unrecognized filter operator ="),
        ("{#}", "unrecognized character in action: U+0023 '#'"),
    ] {
        assert_eq!(Template::parse(template), Err(Error(expected.to_owned())), "{template}");
    }
    for (template, expected) in [
        ("{.l[9]}", "array index out of bounds: index 9, length 6"),
        ("{end}", "not in range, nothing to end"),
        ("{nope}", "unrecognized identifier nope"),
        ("{.l[?(@.k==w)]}", "unrecognized identifier w"),
    ] {
        let filled = Template::parse(template).and_then(|template| template.fill(&object()));
        assert_eq!(filled, Err(Error(expected.to_owned())), "{template}");
    }
    let deep = "{.a[?(@".repeat(50) + &")]".repeat(50) + "}";
    assert!(Template::parse(&deep).is_err());
    assert!(Template::parse(&"{range .a}".repeat(100)).is_err());
}

#[test]
fn a_single_path_needs_neither_braces_nor_dot() {
    let object = object();
    for path in ["{.data.a}", "{data.a}", ".data.a", "data.a"] {
        assert_eq!(Template::path(path).and_then(|t| Ok(t.find(&object)?.len())), Ok(1), "{path}");
    }
    assert!(Template::path("").is_err());
    assert!(Template::path("{.a}{.b}").is_err());
}

proptest! {
    #[test]
    fn nothing_breaks_it(template in "[{}.\\[\\]@$?()='\"a-c0-3:,*\\\\ <>!-]{0,40}") {
        let object = json!({ "a": [{ "b": 1 }, { "c": "x" }], "b": { "a": "b" } });
        if let Ok(template) = Template::parse(&template) {
            let _ = template.fill(&object);
        }
        let _ = Template::path(&template).map(|template| template.find(&object).map(|found| found.len()));
    }
}
