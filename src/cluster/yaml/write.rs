//! YAML as kubectl shows it: sorted keys, lists not indented, long lines folded, quotes only where they must be.

use std::cmp::Ordering;
use std::fmt::Write;

use serde_json::{Number, Value};

use super::plain::{Style, style_of};
use crate::cluster::object::Map;

/// Lines are folded at the first space behind this column.
const WIDTH: usize = 80;
/// Longer keys are written with a question mark.
const LONGEST_KEY: usize = 128;

/// The YAML of a value, as `kubectl get -o yaml` writes it.
pub fn text(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    match value {
        Value::Object(members) if !members.is_empty() => writer.mapping(members, 0, true),
        Value::Array(items) if !items.is_empty() => writer.sequence(items, 0, true),
        scalar => writer.scalar(scalar, 2, true),
    }
    writer.end_line();
    writer.out
}

struct Writer {
    out: String,
    /// Characters since the line began.
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn end_line(&mut self) {
        if self.column > 0 || self.out.is_empty() {
            self.break_line();
        }
    }

    fn break_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// Begins a line, unless the place is at its begin already.
    fn line(&mut self, indent: usize) {
        if self.column > 0 {
            self.break_line();
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// A mapping; `inline` when its first key follows on the line.
    fn mapping(&mut self, members: &Map, indent: usize, inline: bool) {
        for (index, (key, value)) in sorted(members.iter().collect()).into_iter().enumerate() {
            if index > 0 || !inline {
                self.line(indent);
            }
            if key.len() > LONGEST_KEY || key.contains(['\n', '\r']) {
                self.put("? ");
                self.text(key, indent + 2, true);
                self.line(indent);
                self.put(":");
                // Behind a question mark, what follows stays on the line.
                self.item(value, indent);
                continue;
            }
            self.text(key, indent + 2, false);
            self.put(":");
            match value {
                Value::Object(members) if !members.is_empty() => self.mapping(members, indent + 2, false),
                Value::Array(items) if !items.is_empty() => self.sequence(items, indent, false),
                scalar => {
                    self.put(" ");
                    self.scalar(scalar, indent + 2, true);
                }
            }
        }
    }

    /// A list; `inline` when its first item follows on the line.
    fn sequence(&mut self, items: &[Value], indent: usize, inline: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !inline {
                self.line(indent);
            }
            self.put("-");
            self.item(item, indent);
        }
    }

    /// What follows a dash.
    fn item(&mut self, item: &Value, indent: usize) {
        self.put(" ");
        match item {
            Value::Object(members) if !members.is_empty() => self.mapping(members, indent + 2, true),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent + 2, true),
            scalar => self.scalar(scalar, indent + 2, true),
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, may_fold: bool) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(flag) => self.put(if *flag { "true" } else { "false" }),
            Value::Number(number) => self.put(&number_text(number)),
            Value::String(text) => self.text(text, indent, may_fold),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn text(&mut self, text: &str, indent: usize, may_fold: bool) {
        match style_of(text, may_fold) {
            Style::Plain => self.folded(text, indent, may_fold, false),
            Style::SingleQuoted => {
                self.put("'");
                self.folded(text, indent, may_fold, true);
                self.put("'");
            }
            Style::DoubleQuoted => self.double_quoted(text, indent, may_fold),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Plain or single-quoted text on one or, where it is long, several lines. Neither has line breaks in it.
    fn folded(&mut self, text: &str, indent: usize, may_fold: bool, quoted: bool) {
        let mut after_space = false;
        let mut letters = text.chars().enumerate().peekable();
        while let Some((index, letter)) = letters.next() {
            let next = letters.peek().map(|(_, next)| *next);
            let inside = !quoted || index > 0 && next.is_some();
            let is_space = letter == ' ';
            if is_space && may_fold && !after_space && self.column > WIDTH && next != Some(' ') && inside {
                self.line(indent);
            } else {
                if quoted && letter == '\'' {
                    self.put("'");
                }
                self.put(letter.encode_utf8(&mut [0; 4]));
            }
            after_space = is_space;
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.put("\"");
        let mut after_space = false;
        let mut letters = text.chars().enumerate().peekable();
        while let Some((index, letter)) = letters.next() {
            let next = letters.peek().map(|(_, next)| *next);
            if letter != ' ' {
                match escape(letter) {
                    Some(escape) => self.put(&escape),
                    None => self.put(letter.encode_utf8(&mut [0; 4])),
                }
            } else if may_fold && !after_space && self.column > WIDTH && index > 0 && next.is_some() {
                self.line(indent);
                if next == Some(' ') {
                    self.put("\\");
                }
            } else {
                self.put(" ");
            }
            after_space = letter == ' ';
        }
        self.put("\"");
    }

    /// Text with line breaks, as it is.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        self.break_line();
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let mut first = true;
        for line in lines {
            if !std::mem::take(&mut first) {
                self.break_line();
            }
            if !line.is_empty() {
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.column = indent;
                self.put(line);
            }
        }
        if text.ends_with('\n') {
            self.break_line();
        }
    }
}

/// A letter that has to be escaped between double quotes.
fn escape(letter: char) -> Option<String> {
    let short = match letter {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ if super::plain::is_printable(letter) => return None,
        _ => {
            let code = u32::from(letter);
            return Some(match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
        }
    };
    Some(format!("\\{short}"))
}

/// A number as Go's `g` writes it.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return float.to_string();
    }
    let mut text = digits.to_owned();
    // Writing to a string does not fail.
    let _ = write!(text, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    text
}

/// Members in the order of their keys. That is no order in the strict sense (`v10` < `v1b` < `v2` < `v10`), which the
/// sorting of the standard library may answer with a panic; hence a merge sort of our own.
fn sorted<'a>(mut members: Vec<(&'a String, &'a Value)>) -> Vec<(&'a String, &'a Value)> {
    if members.len() < 2 {
        return members;
    }
    let mut behind = sorted(members.split_off(members.len() / 2)).into_iter().peekable();
    let mut merged = Vec::with_capacity(members.len() + behind.len());
    for member in sorted(members) {
        while let Some(other) = behind.next_if(|other| natural(other.0, member.0) == Ordering::Less) {
            merged.push(other);
        }
        merged.push(member);
    }
    merged.extend(behind);
    merged
}

/// The order of keys: numbers in them by their value, letters behind all else.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (ones, others): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let Some(at) = ones.iter().zip(&others).position(|(one, other)| one != other) else {
        return ones.len().cmp(&others.len());
    };
    let (a, b) = (ones.get(at..).unwrap_or_default(), others.get(at..).unwrap_or_default());
    let (first, second) = (ones.get(at).copied().unwrap_or('\0'), others.get(at).copied().unwrap_or('\0'));
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let digits = |text: &[char]| text.iter().take_while(|letter| letter.is_ascii_digit()).count();
    // Zeros within a number count, those at its begin do not.
    let before = ones.iter().take(at).rev().take_while(|letter| letter.is_ascii_digit()).any(|digit| *digit != '0');
    let start = i64::from((first == '0' || second == '0') && before);
    let value = |text: &[char]| {
        let digits = text.iter().map_while(|letter| letter.to_digit(10));
        digits.fold(start, |sum, digit| sum.wrapping_mul(10).wrapping_add(digit.into()))
    };
    value(a).cmp(&value(b)).then(digits(a).cmp(&digits(b))).then(first.cmp(&second))
}
