//! Go's `printf`.

use super::value::{Value, float};

/// Wider and more precise than this is cut: a format is not to fill the memory.
const MOST: usize = 10_000;

#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Writes arguments as a format says; what does not fit is marked as Go does.
pub(crate) fn printf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let mut next = 0;
    let mut reordered = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                ' ' => spec.space = true,
                _ => spec.zero = true,
            }
        }
        if chars.next_if_eq(&'[').is_some() {
            let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
            chars.next_if_eq(&']');
            next = digits.parse::<usize>().unwrap_or(1).saturating_sub(1);
            reordered = true;
        }
        spec.width = size(&mut chars, arguments, &mut next);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(size(&mut chars, arguments, &mut next).unwrap_or(0));
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        match arguments.get(next) {
            None => out.push_str(&format!("%!{verb}(MISSING)")),
            Some(argument) => out.push_str(&padded(&one(&spec, verb, argument), &spec, argument)),
        }
        next += 1;
        if out.len() > MOST * 100 {
            break;
        }
    }
    if next < arguments.len() && !reordered {
        let rest: Vec<String> = arguments[next..].iter().map(|a| format!("{}={}", a.type_name(), a.print())).collect();
        out.push_str(&format!("%!(EXTRA {})", rest.join(", ")));
    }
    out
}

fn size(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, arguments: &[Value], next: &mut usize) -> Option<usize> {
    if chars.next_if_eq(&'*').is_some() {
        let given = arguments.get(*next).map(Value::to_int);
        *next += 1;
        return given.and_then(|given| usize::try_from(given).ok()).map(|given| given.min(MOST));
    }
    let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(MOST).min(MOST))
}

fn padded(text: &str, spec: &Spec, argument: &Value) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return text.to_owned();
    }
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if spec.zero && matches!(argument, Value::Int(_) | Value::Float(_)) {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (&text[..1], digits),
            None => ("", text),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}

fn signed(text: String, spec: &Spec) -> String {
    match (text.starts_with('-'), spec.plus, spec.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn one(spec: &Spec, verb: char, value: &Value) -> String {
    let bad = || match value {
        Value::Nil => format!("%!{verb}(<nil>)"),
        value => format!("%!{verb}({}={})", value.type_name(), value.print()),
    };
    match (verb, value) {
        ('v', Value::Text(text)) if spec.sharp => format!("{text:?}"),
        ('v', Value::Int(_) | Value::Float(_)) => signed(value.print(), spec),
        ('v', _) => value.print(),
        ('T', _) => value.type_name().to_owned(),
        ('t', Value::Bool(yes)) => yes.to_string(),
        ('s', Value::Text(text)) => {
            spec.precision.map_or_else(|| text.to_string(), |most| text.chars().take(most).collect())
        }
        ('s' | 'd' | 'q', Value::List(items)) => {
            let each: Vec<String> = items.iter().map(|item| one(spec, verb, item)).collect();
            format!("[{}]", each.join(" "))
        }
        ('s' | 'd', Value::Map(map)) => {
            let each: Vec<String> =
                map.borrow().iter().map(|(key, item)| format!("{key}:{}", one(spec, verb, item))).collect();
            format!("map[{}]", each.join(" "))
        }
        ('q', Value::Text(text)) => quoted(text),
        ('d', Value::Int(number)) => signed(number.to_string(), spec),
        ('x' | 'X' | 'o' | 'b', Value::Int(number)) => {
            let sign = if *number < 0 { "-" } else { "" };
            let all = number.unsigned_abs();
            let (mark, digits) = match verb {
                'x' => ("0x", format!("{all:x}")),
                'X' => ("0X", format!("{all:X}")),
                'o' => ("0", format!("{all:o}")),
                _ => ("0b", format!("{all:b}")),
            };
            format!("{sign}{}{digits}", if spec.sharp { mark } else { "" })
        }
        ('x', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('c', Value::Int(number)) => {
            u32::try_from(*number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('U', Value::Int(number)) => format!("U+{number:04X}"),
        ('f' | 'F', Value::Float(number)) => signed(format!("{number:.*}", spec.precision.unwrap_or(6)), spec),
        ('e' | 'E', Value::Float(number)) => {
            let text = exponent(&format!("{number:.*e}", spec.precision.unwrap_or(6)));
            signed(if verb == 'E' { text.to_uppercase() } else { text }, spec)
        }
        ('g' | 'G', Value::Float(number)) => signed(general(*number, spec.precision), spec),
        _ => bad(),
    }
}

/// `%g`; with a precision as many digits as that.
fn general(number: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else { return float(number) };
    let precision = precision.max(1);
    let text = format!("{number:.*e}", precision - 1);
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let short = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if power < -4 || power >= i32::try_from(precision).unwrap_or(i32::MAX) {
        return exponent(&format!("{}e{power}", short(digits)));
    }
    let places = usize::try_from(i32::try_from(precision).unwrap_or(i32::MAX) - 1 - power).unwrap_or(0);
    short(&format!("{number:.places$}"))
}

/// `1e7` as `1e+07`.
fn exponent(text: &str) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

/// A text in quotes as Go writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
