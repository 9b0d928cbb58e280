//! The functions that Go's templates have of themselves.

use std::cmp::Ordering;

use super::printf::{printf, quoted};
use super::value::Value;

pub(crate) const NAMES: [&str; 19] = [
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println",
    "html", "js", "urlquery", "call",
];

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
        "slice" => one().and_then(|first| slice(first, &arguments[1..])),
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
        "js" => {
            let text = quoted(&print(arguments));
            let text = text.trim_start_matches('"').strip_suffix('"').unwrap_or("").replace('\'', "\\'");
            Ok(Value::text(text.replace('<', "\\u003C").replace('>', "\\u003E").replace('&', "\\u0026")))
        }
        "urlquery" => Ok(Value::text(form_urlencoded::byte_serialize(print(arguments).as_bytes()).collect::<String>())),
        "call" => Err("there is nothing that call can call: values of a chart are no functions".to_owned()),
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
    match (a, b) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        #[allow(clippy::float_cmp, reason = "as in Go")]
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::List(_) | Value::Map(_) | Value::Native(_), _)
        | (_, Value::List(_) | Value::Map(_) | Value::Native(_)) => {
            Err(format!("error calling eq: non-comparable types {}, {}", a.type_name(), b.type_name()))
        }
        _ => {
            Err(format!("error calling eq: incompatible types for comparison: {} and {}", a.type_name(), b.type_name()))
        }
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).ok_or_else(|| "NaN has no order".to_owned()),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        _ => Err(format!("incompatible types for comparison: {} and {}", a.type_name(), b.type_name())),
    }
}

fn length(value: &Value) -> Answer {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.borrow().len(),
        other => return Err(format!("error calling len: len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn position(value: &Value, length: usize) -> Result<usize, String> {
    let number = match value {
        Value::Int(number) => *number,
        other => return Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    usize::try_from(number).ok().filter(|at| *at <= length).ok_or_else(|| format!("index out of range: {number}"))
}

fn index(first: &Value, keys: &[Value]) -> Answer {
    let mut here = first.clone();
    for key in keys {
        here = match (&here, key) {
            (Value::Map(map), Value::Text(key)) => map.borrow().get(&**key).cloned().unwrap_or_default(),
            (Value::Map(_), other) => {
                return Err(format!("error calling index: value has type {}; should be string", other.type_name()));
            }
            (Value::List(items), key) => {
                let at = position(key, items.len())?;
                items.get(at).cloned().ok_or_else(|| format!("error calling index: index out of range: {at}"))?
            }
            (Value::Text(text), key) => {
                let at = position(key, text.len())?;
                let byte = text.as_bytes().get(at);
                Value::Int(i64::from(*byte.ok_or_else(|| format!("error calling index: index out of range: {at}"))?))
            }
            (Value::Nil, _) => return Err("error calling index: index of untyped nil".to_owned()),
            (other, _) => return Err(format!("error calling index: can't index item of type {}", other.type_name())),
        };
    }
    Ok(here)
}

fn slice(first: &Value, ends: &[Value]) -> Answer {
    let length = length(first)?.to_int();
    let length = usize::try_from(length).unwrap_or(0);
    let from = ends.first().map_or(Ok(0), |end| position(end, length))?;
    let to = ends.get(1).map_or(Ok(length), |end| position(end, length))?;
    if from > to {
        return Err(format!("error calling slice: invalid slice index: {from} > {to}"));
    }
    match first {
        Value::Text(text) => text.get(from..to).map(Value::text).ok_or_else(|| "slice cuts a letter".to_owned()),
        Value::List(items) => Ok(Value::list(items.get(from..to).unwrap_or_default().to_vec())),
        other => Err(format!("error calling slice: can't slice item of type {}", other.type_name())),
    }
}
