//! How a text is written in YAML: what would be read as something else is put in quotes.

use std::borrow::Cow;

use serde_json::Number;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As it is.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`, with escapes.
    DoubleQuoted,
    /// After `|`, on lines of its own.
    Literal,
}

/// The style of a text; a key of a mapping, which has to stay on one line, is never literal.
pub(super) fn style_of(text: &str, may_be_literal: bool) -> Style {
    let nature = Nature::of(text);
    if text.contains('\n') {
        let literal = may_be_literal && !nature.special && !nature.space_before_break && !text.ends_with(' ');
        return if literal { Style::Literal } else { Style::DoubleQuoted };
    }
    if nature.special
        || nature.space_before_break
        || nature.line_break
        || (!matches!(read_plain(text), Plain::Text)
            || (text == "<<" && !may_be_literal)
            || is_base_60(text)
            || is_time(text))
    {
        return Style::DoubleQuoted;
    }
    if nature.indicator || text.starts_with(' ') || text.ends_with(' ') {
        return Style::SingleQuoted;
    }
    Style::Plain
}

/// What is in a text that YAML would take for its own.
#[derive(Default)]
struct Nature {
    special: bool,
    indicator: bool,
    line_break: bool,
    space_before_break: bool,
}

impl Nature {
    fn of(text: &str) -> Self {
        let mut nature = Self { indicator: text.starts_with("---") || text.starts_with("..."), ..Self::default() };
        let mut letters = text.chars().peekable();
        let mut before = None;
        while let Some(letter) = letters.next() {
            let blank = |letter: Option<char>| letter.is_none_or(|letter| is_blank(letter) || is_break(letter));
            let followed_by_blank = blank(letters.peek().copied());
            nature.indicator |= match letter {
                '#' => blank(before),
                ':' => followed_by_blank,
                '?' | '-' => before.is_none() && followed_by_blank,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    before.is_none()
                }
                _ => false,
            };
            nature.special |= !is_printable(letter);
            if is_break(letter) {
                nature.line_break = true;
                nature.space_before_break |= before == Some(' ');
            }
            before = Some(letter);
        }
        nature
    }
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Letters that need no escape.
pub(super) fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && letter != '\u{feff}'
}

/// What a plain scalar is.
pub(super) enum Plain {
    /// A text.
    Text,
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// `.inf` or `.nan`, which JSON has not.
    NotFinite,
}

/// What a plain scalar is by the rules of YAML 1.1, as Go's reader has them.
pub(super) fn read_plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Plain::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::NotFinite,
        _ => {}
    }
    let number = match text.as_bytes().first() {
        Some(b'0'..=b'9' | b'-' | b'+') => {
            if matches!(text.strip_prefix(['-', '+']), Some(".inf" | ".Inf" | ".INF")) {
                return Plain::NotFinite;
            }
            let plain: Cow<'_, str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
            whole(&plain).or_else(|| float(&plain))
        }
        Some(b'.') if matches!(text, ".inf" | ".Inf" | ".INF") => return Plain::NotFinite,
        Some(b'.') => float(text),
        _ => None,
    };
    number.map_or(Plain::Text, Plain::Number)
}

/// A whole number, also to the base of 2, 8 or 16.
fn whole(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return None;
    }
    let number = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(number) {
        Ok(number) if text.starts_with('-') => Some(Number::from(-number)),
        Ok(number) => Some(Number::from(number)),
        Err(_) if number == 1 << 63 && text.starts_with('-') => Some(Number::from(i64::MIN)),
        Err(_) => (!text.starts_with(['-', '+'])).then(|| Number::from(number)),
    }
}

fn float(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    is_float(digits).then(|| text.parse().ok().and_then(Number::from_f64))?
}

/// Digits, perhaps with a point and an exponent.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, "0"), |(number, exponent)| (number, exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole) && digits(fraction) && digits(exponent) && !exponent.is_empty()
}

/// `12:30:45`, which old readers take for a number to the base of 60.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (number, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = number.split(':');
    let all = |text: &str, more: fn(u8) -> bool| text.bytes().all(|byte| byte.is_ascii_digit() || more(byte));
    let first = parts.next().unwrap_or("");
    let rest: Vec<_> = parts.collect();
    let sixty = |part: &&str| all(part, |_| false) && part.parse::<u8>().is_ok_and(|part| part < 60) && part.len() < 3;
    let begins = first.starts_with(|letter: char| letter.is_ascii_digit()) && all(first, |byte| byte == b'_');
    begins && !rest.is_empty() && rest.iter().all(sixty) && all(fraction, |byte| byte == b'_')
}

/// A date, alone or with a time: of day behind a space, of day and zone behind a `T`.
fn is_time(text: &str) -> bool {
    let Some((date, clock)) = text.split_once(['T', 't', ' ']) else { return is_date(text) };
    let zone = if text.contains(' ') { Some(clock.len()) } else { clock.find(['Z', '+', '-']) };
    let Some((clock, zone)) = zone.and_then(|at| clock.split_at_checked(at)) else { return false };
    is_date(date) && is_clock(clock) && (zone.is_empty() || zone == "Z" || is_offset(zone))
}

/// `15:04:05`, perhaps with a fraction.
fn is_clock(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let parts: Vec<_> = whole.split(':').map(small).collect();
    let &[Some(hour), Some(minute), Some(second)] = parts.as_slice() else { return false };
    let fraction = fraction.is_none_or(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    fraction && jiff::civil::Time::new(hour, minute, second, 0).is_ok()
}

/// `+01:00`.
fn is_offset(text: &str) -> bool {
    let parts = text.get(1..).and_then(|rest| rest.split_once(':'));
    parts.is_some_and(|(hours, minutes)| {
        let both = hours.len() == 2 && minutes.len() == 2;
        both && small(hours).is_some_and(|hours| hours < 24) && small(minutes).is_some_and(|minutes| minutes < 60)
    })
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let &[year, month, day] = parts.as_slice() else { return false };
    let digits = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let (Ok(year), Some(month), Some(day)) = (year.parse(), small(month), small(day)) else { return false };
    digits && jiff::civil::Date::new(year, month, day).is_ok()
}

/// A number of one or two digits.
fn small(text: &str) -> Option<i8> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}
