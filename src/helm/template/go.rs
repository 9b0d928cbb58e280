//! The functions that Go's templates have of themselves.

use std::cmp::Ordering;

use super::printf::{printf, shown};
use super::value::{Native, Value};

type Answer = Result<Value, String>;

/// Calls one of them; `and` and `or` are the runner's, which does not evaluate what it need not.
pub(crate) fn call(name: &str, arguments: &[Value]) -> Option<Answer> {
    let one = || arguments.first().ok_or_else(|| format!("wrong number of args for {name}: want at least 1 got 0"));
    Some(match name {
        "not" => one().map(|value| Value::Bool(!value.is_true())),
        "eq" => equal(arguments),
        "ne" => pair(name, arguments).and_then(|(a, b)| same(a, b)).map(|same| Value::Bool(!same)),
        "lt" | "le" | "gt" | "ge" => pair(name, arguments).and_then(|(a, b)| order(a, b)).map(|order| {
            Value::Bool(match name {
                "lt" => order == Ordering::Less,
                "le" => order != Ordering::Greater,
                "gt" => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }),
        "len" => one().and_then(length),
        "index" => one().and_then(|first| index(first, &arguments[1..])),
        "print" => Ok(Value::text(print(arguments))),
        "println" => {
            let all: Vec<String> = arguments.iter().map(Value::print).collect();
            Ok(Value::text(all.join(" ") + "\n"))
        }
        "printf" => match arguments.first() {
            Some(Value::Text(format)) => Ok(Value::text(printf(format, &arguments[1..]))),
            _ => Err("printf wants a format, which is text".to_owned()),
        },
        "html" => Ok(Value::text(
            print(arguments)
                .replace('&', "&amp;")
                .replace('\'', "&#39;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&#34;"),
        )),
        "js" => Ok(Value::text(script(&print(arguments)))),
        "urlquery" => Ok(Value::text(form_urlencoded::byte_serialize(print(arguments).as_bytes()).collect::<String>())),
        "call" => one().and_then(|value| match value {
            Value::Nil => Err("call of nil".to_owned()),
            other => Err(format!("non-function of type {}", other.type_name())),
        }),
        _ => return None,
    })
}

fn pair<'a>(name: &str, arguments: &'a [Value]) -> Result<(&'a Value, &'a Value), String> {
    match arguments {
        [a, b] => Ok((a, b)),
        other => Err(format!("wrong number of args for {name}: want 2 got {}", other.len())),
    }
}

fn print(arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut before_is_text = true;
    for (number, argument) in arguments.iter().enumerate() {
        let is_text = matches!(argument, Value::Text(_));
        if number > 0 && !is_text && !before_is_text {
            out.push(' ');
        }
        out.push_str(&argument.print());
        before_is_text = is_text;
    }
    out
}

fn equal(arguments: &[Value]) -> Answer {
    let Some((first, others)) = arguments.split_first() else {
        return Err("missing argument for comparison".to_owned());
    };
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if same(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Basic values are compared with their like; Go takes nothing else.
fn same(a: &Value, b: &Value) -> Result<bool, String> {
    for value in [a, b] {
        if matches!(value, Value::List(_) | Value::Map(_) | Value::Native(Native::Files(_) | Native::Bytes(_))) {
            return Err(format!("non-comparable type {}: {}", shown('s', value), value.type_name()));
        }
    }
    match (a, b) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        #[allow(clippy::float_cmp, reason = "as in Go")]
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (a, b) => match (a.whole(), b.whole()) {
            (Some(a), Some(b)) => Ok(a == b),
            _ => Err("incompatible types for comparison".to_owned()),
        },
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    let has_order = |value: &Value| matches!(value, Value::Int(_) | Value::Long(_) | Value::Float(_) | Value::Text(_));
    match (a, b) {
        (a, b) if !has_order(a) || !has_order(b) => Err("invalid type for comparison".to_owned()),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b).unwrap_or(Ordering::Equal)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (a, b) => match (a.whole(), b.whole()) {
            (Some(a), Some(b)) => Ok(a.cmp(&b)),
            _ => Err("incompatible types for comparison".to_owned()),
        },
    }
}

/// A text for scripts.
fn script(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn length(value: &Value) -> Answer {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.borrow().len(),
        Value::Native(Native::Files(files)) => files.count(),
        Value::Native(Native::Bytes(text)) => text.len(),
        Value::Native(Native::ApiVersions(all)) => all.len(),
        Value::Nil => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn position(value: &Value, length: usize) -> Result<usize, String> {
    let number = match value {
        Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        other => other.whole().ok_or_else(|| format!("cannot index slice/array with type {}", other.type_name()))?,
    };
    usize::try_from(number).ok().filter(|at| *at < length).ok_or_else(|| format!("index out of range: {number}"))
}

fn index(first: &Value, keys: &[Value]) -> Answer {
    let mut here = first.clone();
    for (number, key) in keys.iter().enumerate() {
        here = match (&here, key) {
            (Value::Map(map), Value::Text(key)) => map.borrow().get(&**key).cloned().unwrap_or_default(),
            (Value::Native(Native::Files(files)), Value::Text(key)) => {
                files.file(key).map_or(Value::Nil, |text| Value::Native(Native::Bytes(text.into())))
            }
            (Value::Map(_), Value::Nil) => return Err("value is nil; should be of type string".to_owned()),
            (Value::Map(_), other) => return Err(format!("value has type {}; should be string", other.type_name())),
            (Value::List(items), key) => {
                let at = position(key, items.len())?;
                items.get(at).cloned().unwrap_or_default()
            }
            (Value::Text(text), key) => {
                let at = position(key, text.len())?;
                Value::Int(i64::from(text.as_bytes().get(at).copied().unwrap_or(0)))
            }
            (Value::Nil, _) if number == 0 => return Err("index of untyped nil".to_owned()),
            (Value::Nil, _) => return Err("index of nil pointer".to_owned()),
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(here)
}
