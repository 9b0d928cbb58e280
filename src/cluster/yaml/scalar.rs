//! What a plain word means: `yes` is true, `0755` is 493, `2020-01-01` is text.

use serde_json::{Number, Value};

/// Words for true, false and nothing.
const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"];
const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
/// Numbers that JSON does not have.
const NO_NUMBER: [&str; 12] =
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];

/// The value of a plain word; `None` for a number that JSON does not have.
pub(super) fn value(word: &str) -> Option<Value> {
    if NULL.contains(&word) {
        return Some(Value::Null);
    }
    if TRUE.contains(&word) || FALSE.contains(&word) {
        return Some(Value::Bool(TRUE.contains(&word)));
    }
    if NO_NUMBER.contains(&word) {
        return None;
    }
    match number(word) {
        Some(Some(number)) => Some(Value::Number(number)),
        Some(None) => None,
        None => Some(Value::String(word.to_owned())),
    }
}

/// Whether a text written as it is would be read as something else.
pub(super) fn needs_quotes(text: &str) -> bool {
    !matches!(value(text), Some(Value::String(_))) || is_date(text) || is_base_60(text)
}

/// The number that a word is; `Some(None)` when JSON does not have it.
fn number(word: &str) -> Option<Option<Number>> {
    let first = word.chars().next()?;
    if !(first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let plain: String = if first == '.' { word.to_owned() } else { word.chars().filter(|c| *c != '_').collect() };
    if first != '.'
        && let Some(number) = integer(&plain)
    {
        return Some(Some(number));
    }
    is_float(&plain).then(|| plain.parse::<f64>().ok().and_then(float))
}

/// An integer in base 10, 8 (`017`, `0o17`), 16 (`0x1f`) or 2 (`0b11`).
fn integer(plain: &str) -> Option<Number> {
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative { 0_i64.checked_sub_unsigned(size).map(Number::from) } else { Some(Number::from(size)) }
}

/// `1.5`, `.5`, `1.`, `1e3`, with a sign.
fn is_float(plain: &str) -> bool {
    let rest = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let plain_or_empty = |text: &str| text.is_empty() || digits(text);
    (digits(whole) || digits(fraction))
        && plain_or_empty(whole)
        && plain_or_empty(fraction)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// JSON writes whole numbers without a point.
fn float(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        // Formatted and read again, since a cast could silently lose something.
        return format!("{value:.0}").parse::<i64>().ok().map(Number::from);
    }
    Number::from_f64(value)
}

/// `2020-01-31`, perhaps with a time: YAML 1.1 has dates.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (year, month, rest) = (parts.next(), parts.next(), parts.next());
    let (Some(year), Some(month), Some(rest)) = (year, month, rest) else { return false };
    let digits =
        |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.chars().all(|c| c.is_ascii_digit());
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(end);
    let time = time.strip_prefix(['T', 't', ' ']).unwrap_or(time);
    year.len() == 4
        && digits(year, 4)
        && digits(month, 2)
        && digits(day, 2)
        && (time.is_empty() || time.starts_with(|c: char| c.is_ascii_digit()) && time.matches(':').count() >= 2)
}

/// `1:30` once was the number 90.
fn is_base_60(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = rest.split(':');
    let first = parts.next().unwrap_or("");
    let rest: Vec<&str> = parts.collect();
    let numeric = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    first.starts_with(|c: char| c.is_ascii_digit())
        && numeric(first)
        && !rest.is_empty()
        && rest.iter().enumerate().all(|(index, part)| {
            let (whole, fraction) = match part.split_once('.') {
                Some((whole, fraction)) if index + 1 == rest.len() => (whole, fraction),
                Some(_) => return false,
                None => (*part, ""),
            };
            let small = matches!(whole.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
            small && numeric(fraction)
        })
}
