//! Numbers and versions.

use super::{Answer, Arguments, strval};
use crate::helm::template::value::Value;
use crate::helm::version::{Constraint, Version};

pub(super) const NAMES: [&str; 27] = [
    "add",
    "add1",
    "sub",
    "mul",
    "div",
    "mod",
    "max",
    "biggest",
    "min",
    "floor",
    "ceil",
    "round",
    "int",
    "int64",
    "float64",
    "atoi",
    "toDecimal",
    "addf",
    "add1f",
    "subf",
    "mulf",
    "divf",
    "maxf",
    "minf",
    "semver",
    "semverCompare",
    "abs",
];

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "add" => fold(args, i64::checked_add),
        "mul" => fold(args, i64::checked_mul),
        "sub" => pair(args, i64::checked_sub),
        "div" => pair(args, i64::checked_div),
        "mod" => pair(args, i64::checked_rem),
        "max" | "biggest" => fold(args, |a, b| Some(a.max(b))),
        "min" => fold(args, |a, b| Some(a.min(b))),
        "add1" => args.int(0).map(|number| Value::Int(number.saturating_add(1))),
        "abs" => args.int(0).map(|number| Value::Int(number.saturating_abs())),
        "int" | "int64" => args.int(0).map(Value::Int),
        "atoi" => args.text(0).map(|text| Value::Int(text.parse().unwrap_or(0))),
        "toDecimal" => args.at(0).map(|value| Value::Int(i64::from_str_radix(&strval(value), 8).unwrap_or(0))),
        "float64" => args.at(0).map(|value| Value::Float(value.to_float())),
        "floor" => args.at(0).map(|value| Value::Float(value.to_float().floor())),
        "ceil" => args.at(0).map(|value| Value::Float(value.to_float().ceil())),
        "round" => args.at(0).and_then(|value| {
            let places = i32::try_from(args.int(1)?).unwrap_or(0).clamp(-300, 300);
            let scale = 10_f64.powi(places);
            Ok(Value::Float((value.to_float() * scale).round() / scale))
        }),
        "add1f" => args.at(0).map(|value| Value::Float(value.to_float() + 1.0)),
        "addf" => floats(args, |a, b| a + b),
        "subf" => floats(args, |a, b| a - b),
        "mulf" => floats(args, |a, b| a * b),
        "divf" => floats(args, |a, b| a / b),
        "maxf" => floats(args, f64::max),
        "minf" => floats(args, f64::min),
        "semver" => args.text(0).and_then(|text| semver(&text)),
        "semverCompare" => args.text(0).and_then(|wanted| {
            let version = args.text(1)?;
            let constraint = Constraint::parse(&wanted).ok_or_else(|| format!("improper constraint: {wanted}"))?;
            let version = Version::parse(&version).ok_or_else(|| format!("Invalid Semantic Version: {version}"))?;
            Ok(Value::Bool(constraint.matches(&version)))
        }),
        _ => return None,
    })
}

fn fold(args: &Arguments<'_>, both: fn(i64, i64) -> Option<i64>) -> Answer {
    let first = args.int(0)?;
    let sum = args.all[1..].iter().try_fold(first, |sum, value| both(sum, value.to_int()));
    sum.map(Value::Int).ok_or_else(|| "the number is too large".to_owned())
}

fn pair(args: &Arguments<'_>, both: fn(i64, i64) -> Option<i64>) -> Answer {
    both(args.int(0)?, args.int(1)?).map(Value::Int).ok_or_else(|| "integer divide by zero, or too large".to_owned())
}

fn floats(args: &Arguments<'_>, both: fn(f64, f64) -> f64) -> Answer {
    let first = args.at(0)?.to_float();
    Ok(Value::Float(args.all[1..].iter().fold(first, |sum, value| both(sum, value.to_float()))))
}

fn semver(text: &str) -> Answer {
    Version::parse(text).ok_or_else(|| format!("Invalid Semantic Version: {text}"))?;
    let plain = text.strip_prefix('v').unwrap_or(text);
    let (rest, metadata) = plain.split_once('+').unwrap_or((plain, ""));
    let (numbers, pre) = rest.split_once('-').unwrap_or((rest, ""));
    let mut parts = numbers.split('.').map(|part| Value::Int(part.parse().unwrap_or(0)));
    let mut next = || parts.next().unwrap_or(Value::Int(0));
    Ok(Value::map([
        ("Major".to_owned(), next()),
        ("Minor".to_owned(), next()),
        ("Patch".to_owned(), next()),
        ("Prerelease".to_owned(), Value::text(pre)),
        ("Metadata".to_owned(), Value::text(metadata)),
        ("Original".to_owned(), Value::text(text)),
    ]))
}
