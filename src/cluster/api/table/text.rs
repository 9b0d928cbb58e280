//! Values as Go prints them.

use serde_json::{Number, Value};

/// A value as `fmt.Print` shows it; lists and objects as JSON.
pub(crate) fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => go_number(number),
        Value::Null => "<no value>".to_owned(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => go_json(value),
    }
}

/// A number as Go's `%v` shows it: `1e+21` for big ones, no `.0`.
pub(crate) fn go_number(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    go_float(number.as_f64().unwrap_or_default())
}

fn go_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    if exponent.parse::<i32>().is_ok_and(|exponent| (-4..21).contains(&exponent)) {
        return number.to_string();
    }
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A value as `encoding/json` writes it: members sorted, `<`, `>` and `&` escaped.
pub(crate) fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    let list = |out: &mut String, write: &mut dyn FnMut(&mut String)| {
        if !out.ends_with(['[', '{']) {
            out.push(',');
        }
        write(out);
    };
    match value {
        Value::Array(items) => {
            out.push('[');
            items.iter().for_each(|item| list(out, &mut |out| write_json(item, out)));
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                list(out, &mut |out| {
                    write_text(name, out);
                    out.push(':');
                    write_json(value, out);
                });
            }
            out.push('}');
        }
        Value::String(text) => write_text(text, out),
        Value::Number(number) => out.push_str(&go_number(number)),
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    for c in Value::from(text).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
}

/// Text in quotes as Go's `%q` writes it.
pub(crate) fn go_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            _ if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn as_go_prints() {
        for (value, expected) in [
            (json!("a\"b"), "a\"b"),
            (json!(3), "3"),
            (json!(-3.0), "-3"),
            (json!(0.5), "0.5"),
            (json!(1e20), "100000000000000000000"),
            (json!(1e21), "1e+21"),
            (json!(-2.5e-7), "-2.5e-07"),
            (json!(0.0001), "0.0001"),
            (json!(0.00001), "1e-05"),
            (json!(true), "true"),
            (json!(null), "<no value>"),
            (json!({"b": [1, "<"], "a": {}}), "{\"a\":{},\"b\":[1,\"\\u003c\"]}"),
        ] {
            assert_eq!(printed(&value), expected);
        }
        assert_eq!(go_quoted("a\"\n\u{1}\u{85}é"), "\"a\\\"\\n\\x01\\u0085é\"");
    }
}
