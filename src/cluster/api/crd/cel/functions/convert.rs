//! From one type to another.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Number;

use super::super::eval::{Answer, Budget};
use super::super::value::{Val, date_time};
use super::{Functions, no_overload};
use crate::cluster::api::table::go_number;
use crate::cluster::goduration;

pub(super) const FUNCTIONS: Functions = &[
    ("type", |arguments, _| match arguments {
        [value] => Ok(Val::Type(value.type_name())),
        _ => no_overload(),
    }),
    ("dyn", |arguments, _| match arguments {
        [value] => Ok(value.clone()),
        _ => no_overload(),
    }),
    ("bool", |arguments, _| match arguments {
        [value @ Val::Bool(_)] => Ok(value.clone()),
        [Val::Text(text)] => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
            _ => Err("type conversion error from 'string' to 'bool'".into()),
        },
        _ => no_overload(),
    }),
    ("int", |arguments, _| match arguments {
        [value @ Val::Int(_)] => Ok(value.clone()),
        [Val::Uint(number)] => i64::try_from(*number).map(Val::Int).map_err(|_| "integer overflow".into()),
        [Val::Double(number)] => whole(*number).map(Val::Int).ok_or("integer overflow".into()),
        [Val::Text(text)] => text.parse().map(Val::Int).map_err(|_| conversion(text, "int")),
        [Val::Timestamp(time)] => Ok(Val::Int(time.as_second())),
        _ => no_overload(),
    }),
    ("uint", |arguments, _| match arguments {
        [value @ Val::Uint(_)] => Ok(value.clone()),
        [Val::Int(number)] => u64::try_from(*number).map(Val::Uint).map_err(|_| "unsigned integer overflow".into()),
        [Val::Double(number)] => {
            let whole = whole(*number).and_then(|number| u64::try_from(number).ok());
            whole.map(Val::Uint).ok_or("unsigned integer overflow".into())
        }
        [Val::Text(text)] => text.parse().map(Val::Uint).map_err(|_| conversion(text, "uint")),
        _ => no_overload(),
    }),
    ("double", |arguments, _| match arguments {
        [value @ Val::Double(_)] => Ok(value.clone()),
        [Val::Int(number)] => Ok(Val::Double(Number::from(*number).as_f64().unwrap_or_default())),
        [Val::Uint(number)] => Ok(Val::Double(Number::from(*number).as_f64().unwrap_or_default())),
        [Val::Text(text)] => text.parse().map(Val::Double).map_err(|_| conversion(text, "double")),
        _ => no_overload(),
    }),
    ("string", |arguments, budget| match arguments {
        [value @ Val::Text(_)] => Ok(value.clone()),
        [value] => text_of(value, budget),
        _ => no_overload(),
    }),
    ("bytes", |arguments, budget| match arguments {
        [value @ Val::Bytes(_)] => Ok(value.clone()),
        [Val::Text(text)] => {
            budget.spend_text(text.len())?;
            Ok(Val::Bytes(Rc::from(text.as_bytes())))
        }
        _ => no_overload(),
    }),
    ("duration", |arguments, _| match arguments {
        [value @ Val::Duration(_)] => Ok(value.clone()),
        [Val::Text(text)] => {
            goduration::nanos(text).map(Val::Duration).map_err(|_| conversion(text, "google.protobuf.Duration"))
        }
        _ => no_overload(),
    }),
    ("timestamp", |arguments, _| match arguments {
        [value @ Val::Timestamp(_)] => Ok(value.clone()),
        [Val::Int(seconds)] => {
            Timestamp::from_second(*seconds).map(Val::Timestamp).map_err(|_| "timestamp overflow".into())
        }
        [Val::Text(text)] => {
            date_time(text).map(Val::Timestamp).ok_or_else(|| conversion(text, "google.protobuf.Timestamp"))
        }
        _ => no_overload(),
    }),
];

fn conversion<E: From<String>>(text: &str, kind: &str) -> E {
    format!("type conversion error from 'string' to '{kind}': {text}").into()
}

fn whole(number: f64) -> Option<i64> {
    let within = number.is_finite() && number.abs() < 9.2e18;
    within.then(|| format!("{:.0}", number.trunc()).parse().ok())?
}

fn text_of<'a>(value: &Val<'a>, budget: &mut Budget<'_>) -> Answer<'a> {
    match value {
        Val::Bytes(bytes) => {
            budget.spend_text(bytes.len())?;
            let text = std::str::from_utf8(bytes)
                .map_err(|_| "invalid UTF-8 in bytes, cannot convert to string".to_owned())?;
            Ok(Val::text(text))
        }
        Val::Bool(_)
        | Val::Int(_)
        | Val::Uint(_)
        | Val::Double(_)
        | Val::Timestamp(_)
        | Val::Duration(_)
        | Val::Ip(_)
        | Val::Cidr(..) => Ok(Val::text(shown(value))),
        _ => no_overload(),
    }
}

/// A value as text, for messages and conversions.
pub(in super::super) fn shown(value: &Val<'_>) -> String {
    match value {
        Val::Text(text) => text.to_string(),
        Val::Bool(value) => value.to_string(),
        Val::Int(number) => number.to_string(),
        Val::Uint(number) => number.to_string(),
        Val::Double(number) => {
            Number::from_f64(*number).map_or_else(|| number.to_string(), |number| go_number(&number))
        }
        Val::Timestamp(time) => time.to_string(),
        Val::Duration(nanos) => {
            let seconds = Number::from_f64(Number::from(*nanos).as_f64().unwrap_or_default() / 1e9);
            seconds.map_or_else(String::new, |seconds| format!("{}s", go_number(&seconds)))
        }
        Val::Ip(address) => address.to_string(),
        Val::Cidr(address, bits) => format!("{address}/{bits}"),
        other => other.type_name().to_owned(),
    }
}
