//! Go's `printf`.

use super::escape::{quoted, written};
use super::value::{Value, float};

/// Wider and more precise than this is cut: a format is not to fill the memory.
const MOST: usize = 10_000;

#[derive(Default, Clone)]
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
        let mut good = true;
        if chars.peek() == Some(&'[') {
            reordered = true;
            let inner: String = chars.by_ref().skip(1).take_while(|c| *c != ']').collect();
            match inner.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
                Some(number) if number < arguments.len() => next = number,
                _ => good = false,
            }
        }
        spec.width = size(&mut chars, arguments, &mut next);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(size(&mut chars, arguments, &mut next).unwrap_or(0));
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        // With `v` the plus asks for names of fields, of which there are none.
        spec.plus &= verb != 'v';
        if verb == '%' {
            out.push('%');
            continue;
        }
        match arguments.get(next) {
            _ if !good => out.push_str(&format!("%!{verb}(BADINDEX)")),
            None => out.push_str(&format!("%!{verb}(MISSING)")),
            Some(argument) => out.push_str(&one(&spec, verb, argument)),
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

fn padded(text: String, spec: &Spec, is_number: bool) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    if spec.minus {
        return format!("{text}{}", " ".repeat(missing));
    }
    if spec.zero {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) if is_number => (&text[..1], digits),
            _ => ("", text.as_str()),
        };
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    format!("{}{text}", " ".repeat(missing))
}

/// A value as a verb alone shows it.
pub(super) fn shown(verb: char, value: &Value) -> String {
    one(&Spec::default(), verb, value)
}

fn signed(text: String, spec: &Spec) -> String {
    match (text.starts_with('-'), spec.plus, spec.space) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn one(spec: &Spec, verb: char, value: &Value) -> String {
    match (verb, value) {
        ('T', _) => padded(value.type_name().to_owned(), spec, false),
        ('v', _) if spec.sharp => go_syntax(value),
        ('v', Value::Nil) => padded("<nil>".to_owned(), spec, false),
        (_, Value::Nil) => format!("%!{verb}(<nil>)"),
        (_, Value::List(items)) => {
            let each: Vec<String> = items.iter().map(|item| inner(spec, verb, item)).collect();
            format!("[{}]", each.join(" "))
        }
        (_, Value::Map(map)) => {
            let map = map.borrow();
            let pair = |(key, item): (&String, &Value)| {
                format!("{}:{}", one(spec, verb, &Value::text(key)), inner(spec, verb, item))
            };
            format!("map[{}]", map.iter().map(pair).collect::<Vec<_>>().join(" "))
        }
        _ => match single(spec, verb, value) {
            Some(text) => padded(text, spec, matches!(value, Value::Int(_) | Value::Long(_) | Value::Float(_))),
            None => format!("%!{verb}({}={})", value.type_name(), value.print()),
        },
    }
}

/// Something in a list or a mapping.
fn inner(spec: &Spec, verb: char, value: &Value) -> String {
    match value {
        Value::Nil if verb == 'v' => "<nil>".to_owned(),
        Value::Nil => format!("%!{verb}(<nil>)"),
        value => one(spec, verb, value),
    }
}

fn single(spec: &Spec, verb: char, value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(yes) => match verb {
            't' | 'v' => yes.to_string(),
            _ => return None,
        },
        Value::Int(number) | Value::Long(number) => return whole(spec, verb, *number),
        Value::Float(number) => {
            let precise = |usual: usize| spec.precision.unwrap_or(usual);
            let text = match verb {
                'v' if spec.precision.is_none() => float(*number),
                'v' | 'g' => general(*number, spec.precision),
                'G' => general(*number, spec.precision).to_uppercase(),
                'f' | 'F' => format!("{number:.*}", precise(6)),
                'e' => exponent(&format!("{number:.*e}", precise(6))),
                'E' => exponent(&format!("{number:.*e}", precise(6))).to_uppercase(),
                _ => return None,
            };
            signed(text, spec)
        }
        other => text(spec, verb, &other.print())?,
    })
}

fn whole(spec: &Spec, verb: char, number: i64) -> Option<String> {
    let letter = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
    let sign = if number < 0 { "-" } else { "" };
    let all = number.unsigned_abs();
    let (mark, digits) = match verb {
        'v' | 'd' => ("", all.to_string()),
        'x' => ("0x", format!("{all:x}")),
        'X' => ("0X", format!("{all:X}")),
        'o' => ("0", format!("{all:o}")),
        'O' => return Some(signed(format!("{sign}0o{all:o}"), spec)),
        'b' => ("0b", format!("{all:b}")),
        'c' => return Some(letter.to_string()),
        'q' => return Some(written(&letter.to_string(), '\'', spec.plus)),
        'U' => return Some(format!("U+{all:04X}")),
        _ => return None,
    };
    let least = spec.precision.unwrap_or(0).saturating_sub(digits.len());
    Some(signed(format!("{sign}{}{}{digits}", if spec.sharp { mark } else { "" }, "0".repeat(least)), spec))
}

fn text(spec: &Spec, verb: char, text: &str) -> Option<String> {
    let cut: String = match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    };
    Some(match verb {
        's' | 'v' => cut,
        'q' if spec.sharp && !cut.contains('`') && !cut.contains(char::is_control) => format!("`{cut}`"),
        'q' => written(&cut, '"', spec.plus),
        'x' | 'X' => {
            let mark = if spec.sharp { "0x" } else { "" };
            let bytes = cut.bytes().map(|byte| format!("{byte:02x}"));
            let text = if spec.space {
                bytes.map(|byte| format!("{mark}{byte}")).collect::<Vec<_>>().join(" ")
            } else {
                mark.to_owned() + &bytes.collect::<String>()
            };
            if verb == 'X' { text.to_uppercase() } else { text }
        }
        _ => return None,
    })
}

/// `%#v`: as it would be written in a program.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let each: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", each.join(", "))
        }
        Value::Map(map) => {
            let map = map.borrow();
            let each: Vec<String> =
                map.iter().map(|(key, item)| format!("{}:{}", quoted(key), go_syntax(item))).collect();
            format!("map[string]interface {{}}{{{}}}", each.join(", "))
        }
        Value::Nil => "interface {}(nil)".to_owned(),
        other => other.print(),
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
