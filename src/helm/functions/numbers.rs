//! Numbers and versions.

use super::decimal::Decimal;
use super::{Answer, Arguments, strval};
use crate::helm::template::semver::Semver;
use crate::helm::template::value::{Native, Value};
use crate::helm::version::{Constraint, Version};

pub(super) fn call(name: &str, args: &Arguments<'_>) -> Option<Answer> {
    Some(match name {
        "add" => fold(args, i64::wrapping_add),
        "mul" => fold(args, i64::wrapping_mul),
        "max" | "biggest" => fold(args, i64::max),
        "min" => fold(args, i64::min),
        "sub" => args.int(0).and_then(|a| Ok(Value::Long(a.wrapping_sub(args.int(1)?)))),
        "div" => quotient(args, i64::wrapping_div),
        "mod" => quotient(args, i64::wrapping_rem),
        "add1" => args.int(0).map(|number| Value::Long(number.wrapping_add(1))),
        "int" => args.int(0).map(Value::Int),
        "int64" => args.int(0).map(Value::Long),
        "atoi" => args.text(0).map(|text| Value::Int(text.parse().unwrap_or(0))),
        "toDecimal" => args.at(0).map(|value| Value::Long(i64::from_str_radix(&strval(value), 8).unwrap_or(0))),
        "float64" => args.at(0).map(|value| Value::Float(value.to_float())),
        "floor" => args.at(0).map(|value| Value::Float(value.to_float().floor())),
        "ceil" => args.at(0).map(|value| Value::Float(value.to_float().ceil())),
        "round" => args.at(0).and_then(|value| {
            let places = i32::try_from(args.int(1)?).unwrap_or(0).clamp(-300, 300);
            let on = args.all.get(2).map_or(0.5, Value::to_float);
            let scale = 10_f64.powi(places);
            let digits = value.to_float() * scale;
            let rounded = if digits.fract() >= on { digits.ceil() } else { digits.floor() };
            Ok(Value::Float(rounded / scale))
        }),
        "add1f" => args.at(0).map(|value| Value::Float(value.to_float() + 1.0)),
        "addf" => decimals(args, Decimal::add, |a, b| a + b),
        "subf" => decimals(args, Decimal::sub, |a, b| a - b),
        "mulf" => decimals(args, Decimal::mul, |a, b| a * b),
        "divf" if args.all[1..].iter().any(|value| value.to_float() == 0.0) => Err("decimal division by 0".to_owned()),
        "divf" => decimals(args, Decimal::div, |a, b| a / b),
        "maxf" => decimals(args, |_, _| None, f64::max),
        "minf" => decimals(args, |_, _| None, f64::min),
        "semver" => args.text(0).and_then(|text| Ok(Value::Native(Native::Semver(Semver::read(&text)?.into())))),
        "semverCompare" => args.text(0).and_then(|wanted| {
            let constraint = Constraint::parse(&wanted).ok_or_else(|| format!("improper constraint: {wanted}"))?;
            let version = Version::parse(&args.text(1)?).ok_or_else(|| "Invalid Semantic Version".to_owned())?;
            Ok(Value::Bool(constraint.matches(&version)))
        }),
        _ => return None,
    })
}

fn fold(args: &Arguments<'_>, both: fn(i64, i64) -> i64) -> Answer {
    let all = args.all.iter().map(Value::to_int);
    Ok(Value::Long(all.reduce(both).unwrap_or(0)))
}

fn quotient(args: &Arguments<'_>, both: fn(i64, i64) -> i64) -> Answer {
    match args.int(1)? {
        0 => Err("runtime error: integer divide by zero".to_owned()),
        by => Ok(Value::Long(both(args.int(0)?, by))),
    }
}

/// With decimals where their digits suffice.
fn decimals(args: &Arguments<'_>, exact: fn(Decimal, Decimal) -> Option<Decimal>, near: fn(f64, f64) -> f64) -> Answer {
    let numbers: Vec<f64> = args.all.iter().map(Value::to_float).collect();
    let all: Option<Vec<Decimal>> = numbers.iter().map(|number| Decimal::of(*number)).collect();
    let sum = all.and_then(|all| {
        let (first, rest) = all.split_first()?;
        rest.iter().try_fold(*first, |sum, one| exact(sum, *one))
    });
    let plain = || numbers.iter().copied().reduce(near).unwrap_or(0.0);
    Ok(Value::Float(sum.map_or_else(plain, Decimal::float)))
}
