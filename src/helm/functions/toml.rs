//! TOML, written as the library writes it that Helm uses.

use std::fmt::Write as _;

use crate::helm::template::value::{DEEPEST, Dict, Value};

/// A mapping as TOML.
pub(super) fn write(value: &Value) -> Result<String, String> {
    let Value::Map(map) = value else {
        return Err("toml: top-level values must be Go maps or structs".to_owned());
    };
    let mut out = String::new();
    table(map, &mut Vec::new(), &mut out)?;
    Ok(out)
}

/// TOML as a value.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    Ok(value(toml::Value::Table(table)))
}

fn value(toml: toml::Value) -> Value {
    match toml {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Integer(number) => Value::Long(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(yes) => Value::Bool(yes),
        toml::Value::Datetime(time) => Value::text(time.to_string()),
        toml::Value::Array(items) => Value::list(items.into_iter().map(value).collect()),
        toml::Value::Table(members) => Value::map(members.into_iter().map(|(key, member)| (key, value(member)))),
    }
}

fn table(map: &Dict, path: &mut Vec<String>, out: &mut String) -> Result<(), String> {
    if path.len() > DEEPEST {
        return Err("the values are nested too deeply".to_owned());
    }
    let pad = "  ".repeat(path.len());
    let map = map.borrow();
    let is_tables = |value: &Value| match value {
        Value::List(items) => !items.is_empty() && items.iter().all(|item| matches!(item, Value::Map(_))),
        _ => false,
    };
    for (name, member) in map.iter().filter(|(_, member)| !matches!(member, Value::Map(_) | Value::Nil)) {
        if !is_tables(member) {
            let _ = writeln!(out, "{pad}{} = {}", key(name), inline(member, 0)?);
        }
    }
    for (name, member) in map.iter() {
        path.push(key(name));
        let place = path.join(".");
        let head = |out: &mut String, open: &str, close: &str| {
            let gap = if out.is_empty() || (open == "[" && !pad.is_empty()) { "" } else { "\n" };
            let _ = writeln!(out, "{gap}{pad}{open}{place}{close}");
        };
        match member {
            Value::Map(inner) => {
                head(out, "[", "]");
                table(inner, path, out)?;
            }
            Value::List(items) if is_tables(member) => {
                for item in items.iter() {
                    head(out, "[[", "]]");
                    if let Value::Map(inner) = item {
                        table(inner, path, out)?;
                    }
                }
            }
            _ => {}
        }
        path.pop();
    }
    Ok(())
}

fn inline(value: &Value, depth: usize) -> Result<String, String> {
    if depth > DEEPEST {
        return Err("the values are nested too deeply".to_owned());
    }
    Ok(match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.1}"),
        Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Float(_) => value.print(),
        Value::List(items) => {
            let each: Result<Vec<_>, _> = items.iter().map(|item| inline(item, depth + 1)).collect();
            format!("[{}]", each?.join(", "))
        }
        Value::Map(map) => {
            let map = map.borrow();
            let each = map.iter().map(|(name, item)| Ok(format!("{} = {}", key(name), inline(item, depth + 1)?)));
            format!("{{{}}}", each.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        other => text(&other.print()),
    })
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { text(name) }
}

fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
