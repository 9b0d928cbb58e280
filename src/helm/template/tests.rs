//! Templates against the documented behaviour of Go.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::run::Runner;
use super::value::Value;

fn run(text: &str, data: &Json) -> Result<String, String> {
    let mut runner = Runner::new(&|_, _, _, _| Json::Null, 1_700_000_000, 1);
    runner.add("t", text).map_err(|error| error.to_string())?;
    runner.run("t", &Value::from_json(data)).map_err(|error| error.to_string())
}

#[test]
fn values_print_as_in_go() {
    let data = json!({"n": 3, "big": 1_000_000, "f": 1.5, "small": 0.00001, "s": "a", "t": true, "l": [1, "b"],
        "m": {"z": 1, "a": 2}, "nil": null});
    let table = [
        ("{{ .n }} {{ .big }} {{ .f }} {{ .small }}", "3 1e+06 1.5 1e-05"),
        ("{{ 1000000 }} {{ 1e6 }} {{ 0x10 }} {{ 'a' }}", "1000000 1e+06 16 97"),
        ("{{ .t }} {{ .l }} {{ .m }}", "true [1 b] map[a:2 z:1]"),
        ("[{{ .nil }}{{ .missing }}]", "[]"),
        ("{{ printf \"%v %s %q %5d|%-4d|%04d\" .nil .s .s 7 7 7 }}", "<nil> a \"a\"     7|7   |0007"),
        ("{{ printf \"%d\" .n }}", "%!d(float64=3)"),
        ("{{ printf \"%.2f %t %x\" 1.0 true 255 }}", "1.00 true ff"),
        ("{{ print 1 2 \"a\" \"b\" 3 }}", "1 2ab3"),
    ];
    for (text, expected) in table {
        assert_eq!(run(text, &data).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn blanks_are_trimmed_where_the_marks_say() {
    let table = [
        ("a {{- 1 -}} b", "a1b"),
        ("a\n{{- if true }}\n  x\n{{- end }}\nb", "a\n  x\nb"),
        ("a {{/* c */ -}} b", "a b"),
        ("{{ -1 }}{{- -1 -}} ", "-1-1"),
        ("{{\"{{\"}}", "{{"),
    ];
    for (text, expected) in table {
        assert_eq!(run(text, &Json::Null).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn control_flow_has_gos_scopes() {
    let data = json!({"l": ["a", "b"], "m": {"y": 1, "x": 2}, "e": [], "o": {"p": "q"}});
    let table = [
        ("{{ range $i, $v := .l }}{{ $i }}={{ $v }} {{ end }}", "0=a 1=b "),
        ("{{ range $k, $v := .m }}{{ $k }}{{ $v }}{{ end }}", "x2y1"),
        ("{{ range .e }}x{{ else }}none{{ end }}", "none"),
        ("{{ range .l }}{{ if eq . \"b\" }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"),
        ("{{ with .o }}{{ .p }}{{ $.l }}{{ end }}{{ with .no }}x{{ else with .o }}{{ .p }}{{ end }}", "q[a b]q"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ if and .l (not .e) }}y{{ else if true }}n{{ end }}", "y"),
        ("{{ define \"d\" }}<{{ . }}>{{ end }}{{ template \"d\" 1 }}{{ include \"d\" .o.p }}", "<1><q>"),
        ("{{ or .e .o.p }} {{ and 1 0 }} {{ not 0 }}", "q 0 true"),
        ("{{ eq 1 2 1 }} {{ ne \"a\" \"b\" }} {{ lt 1 2 }} {{ ge \"b\" \"a\" }}", "true true true true"),
        ("{{ (index .l 1) }} {{ index .m \"x\" }} {{ len .l }} {{ slice .l 1 }}", "b 2 2 [b]"),
    ];
    for (text, expected) in table {
        assert_eq!(run(text, &data).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn functions_of_charts_work() {
    let data = json!({"m": {"b": [1, {"c": "yes"}], "a": "on"}, "s": "Hello World", "v": "1.24.3"});
    let table = [
        ("{{ toYaml .m }}", "a: \"on\"\nb:\n- 1\n- c: \"yes\""),
        ("x:{{ toYaml .m.b | nindent 2 }}", "x:\n  - 1\n  - c: \"yes\""),
        ("{{ toJson .m }}", "{\"a\":\"on\",\"b\":[1,{\"c\":\"yes\"}]}"),
        ("{{ (fromYaml \"a: 1\").a }} {{ (fromJson \"{\\\"a\\\":[2]}\").a }}", "1 [2]"),
        ("{{ .s | lower | replace \" \" \"-\" | trunc 7 | trimSuffix \"-\" }}", "hello-w"),
        ("{{ default \"d\" .no }} {{ default \"d\" .s | quote }} {{ ternary 1 2 false }}", "d \"Hello World\" 2"),
        ("{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ keys $d | sortAlpha | join \",\" }}", "a,b"),
        ("{{ semverCompare \">=1.23-0\" .v }} {{ (semver .v).Minor }}", "true 24"),
        ("{{ list 1 2 3 | rest | first }} {{ until 3 }} {{ add 1 2 3 }} {{ div 7 2 }}", "2 [0 1 2] 6 3"),
        ("{{ tpl \"{{ .s | upper }}\" . }} {{ \"a\" | b64enc | b64dec }}", "HELLO WORLD a"),
        ("{{ kindOf .m }} {{ kindIs \"string\" .s }} {{ typeOf 1.0 }} {{ empty .no }}", "map true float64 true"),
        ("{{ dig \"b\" \"x\" \"else\" (dict \"b\" (dict \"x\" \"y\")) }} {{ hasKey .m \"a\" }}", "y true"),
        ("{{ merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3) | toJson }}", "{\"a\":1,\"b\":3}"),
        (
            "{{ \"abc\" | sha256sum | trunc 8 }} {{ camelcase \"a-b\" }} {{ snakecase \"FirstName\" }}",
            "ba7816bf AB first_name",
        ),
        ("{{ regexReplaceAll \"a(b)\" \"xab\" \"${1}c\" }} {{ mustRegexMatch \"^a\" \"ab\" }}", "xbc true"),
        ("{{ now | date \"2006-01-02 15:04\" }}", "2023-11-14 22:13"),
        ("{{ int 3.9 }} {{ int64 \"12\" }} {{ toString 1.0 }} {{ float64 2 | printf \"%.1f\" }}", "3 12 1 2.0"),
        ("{{ lookup \"v1\" \"Secret\" \"a\" \"b\" | toJson }}", "{}"),
    ];
    for (text, expected) in table {
        assert_eq!(run(text, &data).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_wrong_has_a_name_and_a_place() {
    let data = json!({"a": "text", "m": {}});
    let table = [
        ("x\n  {{ nope 1 }}", "parse error at (t:2): function \"nope\" not defined"),
        ("{{ if }}", "parse error at (t:1): missing value for if"),
        ("{{ .a.b }}", "template: t:1:5: executing \"t\" at <.a.b>: can't evaluate field b in type interface {}"),
        ("{{ .m.x.y }}", "template: t:1:5: executing \"t\" at <.m.x.y>: nil pointer evaluating interface {}.y"),
        ("\n{{ fail \"no\" }}", "execution error at (t:2:3): no"),
        ("{{ required \"a name\" .m.x }}", "execution error at (t:1:3): a name"),
        (
            "{{ genCA \"a\" 1 }}",
            "template: t:1:3: executing \"t\" at <genCA \"a\" 1>: error calling genCA: this function is not supported \
             here; render the chart with helm itself",
        ),
        ("{{ if true }}", "parse error at (t:1): unexpected EOF"),
    ];
    for (text, expected) in table {
        assert_eq!(run(text, &data).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn strangers_charts_come_to_an_end() {
    let endless = "{{ range until 99999 }}{{ range until 99999 }}{{ end }}{{ end }}";
    assert!(run(endless, &Json::Null).unwrap_err().ends_with("the chart comes to no end"));
    let long = "{{ $x := repeat 1000000 \"a\" }}{{ range until 100 }}{{ $x }}{{ end }}";
    assert!(run(long, &Json::Null).unwrap_err().ends_with("the chart makes more than 16 MiB"));
    let own = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toJson $d }}";
    assert_eq!(run(own, &Json::Null).as_deref(), Ok("{\"d\":{}}"));
    let deep = format!("{}1{}", "{{ if 1 }}".repeat(500), "{{ end }}".repeat(500));
    assert!(run(&deep, &Json::Null).unwrap_err().contains("nested more than"));
}

proptest! {
    /// Whatever somebody writes, there is an answer and no panic.
    #[test]
    fn any_text_is_read(text in r#"(\{\{-? ?|-?\}\}|if |else|end|range |define "a"|\.|\$x|:=|\(|\)|"|`|[a-z0-9 |,]|é){0,40}"#) {
        let _ = run(&text, &json!({"a": 1}));
    }
}
