//! `'%s is %d'.format([name, size])`.

use super::super::eval::{Answer, Budget, Fail};
use super::super::value::{Map, Val};
use super::{Functions, no_overload, shown};

/// Digits behind the point unless the verb says how many.
const PRECISION: usize = 6;
/// Digits that a verb may ask for.
const MOST_DIGITS: usize = 100;

pub(super) const FUNCTIONS: Functions = &[("format", |arguments, budget| {
    let [Val::Text(template), Val::List(list)] = arguments else { return no_overload() };
    budget.spend_text(template.len())?;
    format(template, &list.items().collect::<Result<Vec<_>, _>>()?, budget)
})];

fn format<'a>(template: &str, values: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut precision = None;
        if chars.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = digits.parse::<usize>().ok().filter(|precision| *precision <= MOST_DIGITS);
            if precision.is_none() {
                return Err("error while parsing precision".into());
            }
        }
        let verb = chars.next().ok_or(Fail::from("unexpected end of string"))?;
        let value = values.next().ok_or(Fail::from("index out of range: not enough arguments for format"))?;
        let text = verb_text(verb, value, precision.unwrap_or(PRECISION), budget)?;
        budget.spend_text(text.len())?;
        out.push_str(&text);
    }
    Ok(Val::text(out))
}

fn verb_text(verb: char, value: &Val<'_>, precision: usize, budget: &mut Budget<'_>) -> Result<String, Fail> {
    let number = match value {
        Val::Int(number) => Some(i128::from(*number)),
        Val::Uint(number) => Some(i128::from(*number)),
        Val::Bool(value) if verb == 'b' => Some(i128::from(*value)),
        _ => None,
    };
    let radix = |digits: fn(u128) -> String| {
        number.map(|number| format!("{}{}", if number < 0 { "-" } else { "" }, digits(number.unsigned_abs())))
    };
    let double = match value {
        Val::Double(number) => Some(*number),
        _ => number.and_then(|number| number.to_string().parse().ok()),
    };
    let text = match verb {
        's' => Some(plain(value, budget)?),
        'd' => number.map(|number| number.to_string()),
        'f' => double.map(|number| format!("{number:.precision$}")),
        'e' => double.map(|number| exponent(&format!("{number:.precision$e}"))),
        'b' => radix(|number| format!("{number:b}")),
        'o' => radix(|number| format!("{number:o}")),
        'x' | 'X' => match value {
            Val::Text(text) => Some(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
            Val::Bytes(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
            _ => radix(|number| format!("{number:x}")),
        }
        .map(|text| if verb == 'X' { text.to_uppercase() } else { text }),
        _ => return Err(format!("could not parse formatting clause: unrecognized formatting clause \"{verb}\"").into()),
    };
    text.ok_or_else(|| format!("error during formatting: no such verb {verb} for {}", value.type_name()).into())
}

/// `1.5e3` as Go writes it: `1.5e+03`.
fn exponent(text: &str) -> String {
    let Some((number, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{number}e{sign}{digits:0>2}")
}

/// A value as `%s` shows it; lists and maps with their parts.
fn plain(value: &Val<'_>, budget: &mut Budget<'_>) -> Result<String, Fail> {
    budget.spend(1)?;
    match value {
        Val::Null => Ok("null".to_owned()),
        Val::Text(text) => {
            budget.spend_text(text.len())?;
            Ok(text.to_string())
        }
        Val::Type(name) => Ok((*name).to_owned()),
        Val::Bytes(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Val::List(list) => {
            let parts = list.items().map(|item| plain(&item?, budget)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", parts.join(", ")))
        }
        Val::Map(map) => {
            let mut parts = map_parts(map, budget)?;
            parts.sort_unstable();
            Ok(format!("{{{}}}", parts.join(", ")))
        }
        other => Ok(shown(other)),
    }
}

fn map_parts(map: &Map<'_>, budget: &mut Budget<'_>) -> Result<Vec<String>, Fail> {
    let mut parts = Vec::new();
    for key in map.keys() {
        let value = map.get(&key).unwrap_or(Ok(Val::Null))?;
        parts.push(format!("{}: {}", plain(&key, budget)?, plain(&value, budget)?));
    }
    Ok(parts)
}
