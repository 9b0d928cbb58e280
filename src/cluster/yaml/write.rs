//! Writing: members sorted, words quoted where they would mean something else, long lines folded.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::Value;

use super::scalar;

/// Text is folded at the first space behind this column.
const WIDTH: usize = 80;
/// A longer key stands behind `?`.
const LONGEST_KEY: usize = 128;

/// The YAML of a value, as `kubectl get -o yaml` writes it.
pub fn text(value: &Value) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    match value {
        Value::Object(members) if !members.is_empty() => writer.members(value, 0, false),
        Value::Array(items) if !items.is_empty() => writer.items(value, 0, false),
        _ => {
            writer.scalar(value, 2, false);
            writer.line();
        }
    }
    writer.out
}

struct Writer {
    out: String,
    /// Characters since the last line's end.
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, spaces: usize) {
        for _ in 0..spaces {
            self.out.push(' ');
        }
        self.column += spaces;
    }

    /// A mapping's lines; the first stands where the cursor is when `here`.
    fn members(&mut self, value: &Value, indent: usize, mut here: bool) {
        let Some(members) = value.as_object() else { return };
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_by(|(one, _), (other, _)| natural(one, other));
        for (key, value) in sorted {
            if !std::mem::take(&mut here) {
                self.indent(indent);
            }
            if key.chars().count() > LONGEST_KEY {
                self.put("? ");
                self.string(key, indent + 2, true);
                self.line();
                self.indent(indent);
            } else {
                self.string(key, indent + 2, true);
            }
            self.put(":");
            self.below(value, indent);
        }
    }

    /// What stands behind a key.
    fn below(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                self.line();
                self.members(value, indent + 2, false);
            }
            // Lists stand as far left as their key.
            Value::Array(items) if !items.is_empty() => {
                self.line();
                self.items(value, indent, false);
            }
            _ => {
                self.put(" ");
                self.scalar(value, indent + 2, false);
                self.line();
            }
        }
    }

    fn items(&mut self, value: &Value, indent: usize, mut here: bool) {
        for item in value.as_array().into_iter().flatten() {
            if !std::mem::take(&mut here) {
                self.indent(indent);
            }
            self.put("- ");
            match item {
                Value::Object(members) if !members.is_empty() => self.members(item, indent + 2, true),
                Value::Array(items) if !items.is_empty() => self.items(item, indent + 2, true),
                _ => {
                    self.scalar(item, indent + 2, false);
                    self.line();
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, key: bool) {
        match value {
            Value::String(text) => self.string(text, indent, key),
            Value::Number(number) => self.put(&super::super::gojson::number(number)),
            Value::Null => self.put("null"),
            Value::Bool(on) => self.put(if *on { "true" } else { "false" }),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        let shape = Shape::of(text);
        if !key && text.contains('\n') {
            if shape.block {
                self.literal(text, indent);
            } else {
                self.double_quoted(text, indent, key);
            }
        } else if scalar::needs_quotes(text) || !shape.single || text.contains('\n') || (key && text == "<<") {
            self.double_quoted(text, indent, key);
        } else if shape.plain {
            self.folded(text, indent, key, false);
        } else {
            self.put("'");
            self.folded(&text.replace('\'', "''"), indent, key, true);
            self.put("'");
        }
    }

    /// Text whose spaces may become line ends.
    fn folded(&mut self, text: &str, indent: usize, key: bool, quoted: bool) {
        let mut spaces = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((index, c)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            let inside = !quoted || (index > 0 && next.is_some());
            if c == ' ' && !key && !spaces && self.column > WIDTH && inside && next != Some(' ') {
                self.line();
                self.indent(indent);
            } else {
                self.out.push(c);
                self.column += 1;
            }
            spaces = c == ' ';
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let mut spaces = false;
        let mut characters = text.chars().enumerate().peekable();
        while let Some((index, c)) = characters.next() {
            let next = characters.peek().map(|(_, c)| *c);
            if c == ' ' {
                if !key && !spaces && self.column > WIDTH && index > 0 && next.is_some() {
                    self.line();
                    self.indent(indent);
                    if next == Some(' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                spaces = true;
                continue;
            }
            spaces = false;
            match escape(c) {
                Some(escaped) => self.put(&escaped),
                None => {
                    self.out.push(c);
                    self.column += 1;
                }
            }
        }
        self.put("\"");
    }

    /// Lines as they are, behind `|`.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let body = text.strip_suffix('\n');
        match body {
            None => self.put("-"),
            Some(body) if body.is_empty() || body.ends_with('\n') => self.put("+"),
            Some(_) => {}
        }
        for line in body.unwrap_or(text).split('\n') {
            self.line();
            if !line.is_empty() {
                self.indent(indent);
                self.put(line);
            }
        }
    }
}

/// In which ways a text can be written.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self { plain: true, single: true, block: true };
        let mut previous = None;
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let space_follows = characters.peek().is_none_or(|next| matches!(next, ' ' | '\t' | '\n' | '\r'));
            let reserved = match (previous, c) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`',
                ) => true,
                (None, '?' | ':' | '-') | (Some(_), ':') => space_follows,
                (Some(before), '#') => matches!(before, ' ' | '\t' | '\n' | '\r'),
                _ => false,
            };
            let edge = previous.is_none() || characters.peek().is_none();
            if reserved || c == '\n' || (edge && c == ' ') {
                shape.plain = false;
            }
            match c {
                ' ' if characters.peek().is_none() => shape.block = false,
                ' ' if previous == Some('\n') => shape.single = false,
                '\n' if previous == Some(' ') => (shape.single, shape.block) = (false, false),
                c if is_special(c) => (shape.single, shape.block) = (false, false),
                _ => {}
            }
            previous = Some(c);
        }
        if text.starts_with("---") || text.starts_with("...") {
            shape.plain = false;
        }
        shape.plain &= shape.single;
        shape
    }
}

/// Characters that are only written escaped.
fn is_special(c: char) -> bool {
    match c {
        '\n' | ' '..='~' => false,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}' => true,
        c => !('\u{a0}'..='\u{fffd}').contains(&c),
    }
}

fn escape(c: char) -> Option<String> {
    let short = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        c if !is_special(c) => return None,
        c => {
            let mut out = String::new();
            let code = u32::from(c);
            let _ = match code {
                ..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            };
            return Some(out);
        }
    };
    Some(short.to_owned())
}

/// A part of a key that is compared as a whole. The order of the variants counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Other(char),
    /// Length without zeros in front, those digits, length with them.
    Number(usize, String, usize),
    Letter(char),
}

/// Keys in the order of people: other characters before letters, numbers by their size.
pub fn natural(one: &str, other: &str) -> Ordering {
    key_parts(one).cmp(key_parts(other))
}

fn key_parts(key: &str) -> impl Iterator<Item = Part> {
    let mut characters = key.chars().peekable();
    std::iter::from_fn(move || {
        let first = characters.next()?;
        if first.is_ascii_digit() {
            let mut digits = String::from(first);
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            let plain = digits.trim_start_matches('0');
            return Some(Part::Number(plain.len(), plain.to_owned(), digits.len()));
        }
        Some(match first {
            c if c.is_alphabetic() => Part::Letter(c),
            c => Part::Other(c),
        })
    })
}
