//! Values as Go's `fmt` shows them: error texts of the real server are made that way.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// As `%v`: `map[a:1 b:[x y]]`, texts bare, `<nil>` for null.
pub(crate) fn plain(value: &Value) -> String {
    let mut out = String::new();
    write_plain(value, &mut out);
    out
}

fn write_plain(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&self::number(number)),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                write_plain(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push_str("map[");
            for (place, (name, member)) in sorted(members).into_iter().enumerate() {
                if place > 0 {
                    out.push(' ');
                }
                out.push_str(name);
                out.push(':');
                write_plain(member, out);
            }
            out.push(']');
        }
    }
}

/// As `%#v`: `map[string]interface {}{"a":1}`.
pub(crate) fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = sorted(members)
                .into_iter()
                .map(|(name, member)| format!("{}:{}", quoted(name), syntax(member)))
                .collect();
            format!("map[string]interface {{}}{{{}}}", members.join(", "))
        }
        other => plain(other),
    }
}

/// As `encoding/json` writes it: members sorted, `<`, `>` and `&` escaped, whole numbers without a fraction.
pub(crate) fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                out.push(if place > 0 { ',' } else { '[' });
                write_json(item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (place, (name, member)) in sorted(members).into_iter().enumerate() {
                out.push(if place > 0 { ',' } else { '{' });
                write_json(&Value::from(name.as_str()), out);
                out.push(':');
                write_json(member, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Number(number) => out.push_str(&self::number(number)),
        scalar => {
            for character in scalar.to_string().chars() {
                match character {
                    '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                        let _ = write!(out, "\\u{:04x}", u32::from(character));
                    }
                    other => out.push(other),
                }
            }
        }
    }
}

/// As `%q`: in double quotes, with escapes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' || control == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", u32::from(control));
            }
            hidden if hidden.is_control() || matches!(hidden, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(hidden));
            }
            shown => out.push(shown),
        }
    }
    out.push('"');
    out
}

/// As `%s`: texts bare, and a complaint for everything that is none.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("%!s({}={})", type_name(value), plain(value)),
        other => plain(other),
    }
}

/// As `%T`: the type that Go decodes the value into.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The word of `encoding/json` for what stands in the text.
pub(crate) fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A number: whole ones in digits, others in the shortest form, with an exponent from 1e21 on.
fn number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let scientific = format!("{float:e}");
    let exponent =
        scientific.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?)));
    match exponent {
        Some((digits, exponent)) if !(-4..21).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{float}"),
    }
}

fn sorted(members: &crate::cluster::object::Map) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_in_go() {
        let value = json!({"b": [1, "x", null, true], "a": {"z": 1.5, "big": 1e21, "small": 0.00001}});
        assert_eq!(plain(&value), "map[a:map[big:1e+21 small:1e-05 z:1.5] b:[1 x <nil> true]]");
        assert_eq!(
            syntax(&json!({"b": [1, "x"], "a": null})),
            r#"map[string]interface {}{"a":interface {}(nil), "b":[]interface {}{1, "x"}}"#
        );
        assert_eq!(quoted("a\"b\\\n\u{1}\u{85}é"), r#""a\"b\\\n\x01\u0085é""#);
        assert_eq!(plain(&json!(3.0)), "3");
        let texts = [json!("x"), json!(null), json!(1), json!(true)];
        assert_eq!(texts.map(|value| text(&value)), ["x", "%!s(<nil>)", "%!s(int64=1)", "%!s(bool=true)"]);
        let mut out = String::new();
        write_json(&json!({"b": [], "a": {"<x>": [1.0, null, {}, "&"]}}), &mut out);
        assert_eq!(out, r#"{"a":{"\u003cx\u003e":[1,null,{},"\u0026"]},"b":[]}"#);
    }
}
