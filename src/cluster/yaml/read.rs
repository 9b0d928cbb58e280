//! Reading: YAML or JSON, one document or many.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

use super::scalar;

/// Nothing real is nested more deeply.
const MAX_DEPTH: usize = 100;
/// What aliases may repeat altogether, so that a few lines cannot become gigabytes.
const MAX_REPEATED: usize = 1_000_000;

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// The line, from 1; 0 when there is none.
    pub line: usize,
}

impl Error {
    fn at(line: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), line }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(out, "line {}: ", self.line)?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The documents of a text, up to the first that cannot be read; empty ones are left out.
pub fn documents(text: &str) -> Vec<Result<Value, Error>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let mut found = Vec::new();
    let mut first_line = 0;
    for part in parts(text) {
        match value(part) {
            Ok(Value::Null) => {}
            Ok(value) => found.push(Ok(value)),
            Err(error) => {
                let line = if error.line > 0 { error.line + first_line } else { 0 };
                found.push(Err(Error { line, ..error }));
                break;
            }
        }
        first_line += part.matches('\n').count() + 1;
    }
    found
}

/// JSON objects one after the other.
fn json(text: &str) -> Vec<Result<Value, Error>> {
    let mut found = Vec::new();
    for read in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let read = read.map_err(|error| Error::at(error.line(), error.to_string()));
        // `{a: b}` and `{{ template }}` are YAML, or wrong YAML.
        if read.is_err() && found.is_empty() {
            return vec![value(text)];
        }
        let failed = read.is_err();
        found.push(read);
        if failed {
            break;
        }
    }
    found
}

/// Cuts a text at lines of `---`.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut position) = (0, 0);
    for line in text.split_inclusive('\n') {
        let rest = line.strip_prefix("---").map(str::trim);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#')) {
            parts.push(text.get(start..position).unwrap_or(""));
            start = position + line.len();
        }
        position += line.len();
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

/// The value of one document; null when it is empty.
///
/// # Errors
/// When it is no YAML.
pub fn value(text: &str) -> Result<Value, Error> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), repeated: 0 };
    let mut document = Value::Null;
    loop {
        let (event, line) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(document),
            event => document = reader.node(event, line, 0)?,
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    repeated: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), Error> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                // An absent value is reported as `~` of no length.
                Some(Ok((Event::Scalar(_, ScalarStyle::Plain, anchor, tag), span)))
                    if span.start.index() == span.end.index() =>
                {
                    let line = span.start.line();
                    return Ok((Event::Scalar(Cow::Borrowed(""), ScalarStyle::Plain, anchor, tag), line));
                }
                Some(Ok((event, span))) => return Ok((event, span.start.line())),
                Some(Err(error)) => return Err(Error::at(error.marker().line(), error.info())),
                None => return Err(Error::at(0, "the text ends too early")),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::at(line, "it is nested too deeply"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_ref().and_then(|tag| tag.core_suffix().map(str::to_owned));
                (scalar_value(text, style == ScalarStyle::Plain, tag.as_deref(), line)?, anchor)
            }
            Event::Alias(id) => return self.alias(id, line),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let (event, line) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, line, depth + 1)?);
                }
                (Value::Array(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (Value::Object(self.members(depth)?), anchor),
            _ => return Err(Error::at(line, "the text ends too early")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn members(&mut self, depth: usize) -> Result<Map<String, Value>, Error> {
        let mut members = Map::new();
        let mut merged: Vec<Value> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, line, depth + 1)?;
            let (event, value_line) = self.next()?;
            let value = self.node(event, value_line, depth + 1)?;
            if merge {
                merged.push(value);
                continue;
            }
            members.insert(key_text(key, line)?, value);
        }
        for value in merged {
            let sources = if let Value::Array(sources) = value { sources } else { vec![value] };
            for source in sources {
                let Value::Object(source) = source else {
                    return Err(Error::at(0, "map merge requires map or sequence of maps as the value"));
                };
                for (key, value) in source {
                    members.entry(key).or_insert(value);
                }
            }
        }
        Ok(members)
    }

    fn alias(&mut self, id: usize, line: usize) -> Result<Value, Error> {
        let known = self.anchors.get(&id).ok_or_else(|| Error::at(line, "an alias to nothing"))?;
        self.repeated += weight(known);
        if self.repeated > MAX_REPEATED {
            return Err(Error::at(line, "document contains excessive aliasing"));
        }
        Ok(known.clone())
    }
}

/// How much repeating a value costs.
fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|(key, value)| key.len() / 16 + weight(value)).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 16,
        _ => 1,
    }
}

fn scalar_value(text: Cow<'_, str>, plain: bool, tag: Option<&str>, line: usize) -> Result<Value, Error> {
    match tag {
        Some("str" | "binary" | "timestamp") => return Ok(Value::String(text.into_owned())),
        None if !plain => return Ok(Value::String(text.into_owned())),
        _ => {}
    }
    scalar::value(&text).ok_or_else(|| Error::at(line, format!("`{text}` is no number of JSON")))
}

fn key_text(key: Value, line: usize) -> Result<String, Error> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(on) => Ok(on.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err(Error::at(line, "unsupported map key of type: null")),
        Value::Array(_) | Value::Object(_) => Err(Error::at(line, "invalid map key")),
    }
}
