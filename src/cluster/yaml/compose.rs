//! Putting values together from the parser's events, without recursion: no text can exhaust the stack, and few lines of
//! aliases do not become many.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::Value;

use super::Error;
use super::plain::{Plain, read_plain};
use crate::cluster::gojson::without_fraction;
use crate::cluster::object::Map;

/// As deep as JSON may be; so what is read can be written and read again.
const MAX_DEPTH: usize = 100;
const MAX_NODES: usize = 1_000_000;
/// More keys that are there twice are not told.
const MAX_TWICE: usize = 100;
/// What aliases may make of a few lines.
const MAX_TEXT: usize = 32 * 1024 * 1024;

/// Reads the documents of a text one after the other.
pub(in crate::cluster) struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, (Value, Size)>,
    /// The lists and mappings that are not at their end, from the outside in.
    open: Vec<Open>,
    spent: Size,
    /// Lines and names of keys that are there twice; the last one holds.
    pub(in crate::cluster) twice: Vec<(usize, String)>,
}

/// A list or mapping that is being read.
struct Open {
    anchor: usize,
    parts: Parts,
}

enum Parts {
    List(Vec<Value>),
    Mapping { members: Map, key: Option<Key>, merged: Vec<Value> },
}

/// A key whose value comes next.
enum Key {
    Name(String),
    Merge,
}

/// How much a value is.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
    depth: usize,
}

impl Size {
    fn of(value: &Value) -> Self {
        let (mut size, parts) = match value {
            Value::String(text) => (Self { text: text.len(), ..Self::default() }, None),
            Value::Array(items) => (Self::default(), Some(items.iter().map(Self::of).collect::<Vec<_>>())),
            Value::Object(members) => {
                let text = members.keys().map(String::len).sum();
                (Self { text, ..Self::default() }, Some(members.values().map(Self::of).collect()))
            }
            _ => (Self::default(), None),
        };
        size.nodes = 1;
        for part in parts.iter().flatten() {
            size.nodes += part.nodes;
            size.text += part.text;
            size.depth = size.depth.max(part.depth);
        }
        size.depth += usize::from(parts.is_some());
        size
    }
}

impl<'a> Composer<'a> {
    /// Reads a text from its begin.
    pub(in crate::cluster) fn new(text: &'a str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            anchors: HashMap::new(),
            open: Vec::new(),
            spent: Size::default(),
            twice: Vec::new(),
        }
    }

    /// The next document; `None` at the end of the text.
    ///
    /// # Errors
    /// The place that is no YAML.
    pub(in crate::cluster) fn document(&mut self) -> Result<Option<Value>, Error> {
        self.anchors.clear();
        loop {
            let (event, span) = match self.parser.next() {
                None | Some(Ok((Event::StreamEnd, _))) => return Ok(None),
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    return Err(Error { line: error.marker().line().max(1), message: error.info() });
                }
            };
            let line = span.start.line();
            let done = self.event(event, &span).map_err(|message| Error { line, message })?;
            if done.is_some() {
                return Ok(done);
            }
        }
    }

    /// Takes an event up; gives the document back when the event has completed it.
    fn event(&mut self, event: Event<'a>, span: &Span) -> Result<Option<Value>, String> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // A value that is not there is told as `~` of no length.
                let is_there = style != ScalarStyle::Plain || span.start.index() < span.end.index();
                let text = if is_there { &text } else { "" };
                self.spend(Size { nodes: 1, text: text.len(), depth: 0 })?;
                if style == ScalarStyle::Plain && tag.is_none() && text == "<<" && self.expects_key() {
                    self.begin_value(Key::Merge);
                    return Ok(None);
                }
                let value = scalar(text, style, tag.as_deref())?;
                self.complete(value, anchor, line)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(anchor, Parts::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                self.begin(anchor, Parts::Mapping { members: Map::new(), key: None, merged: Vec::new() })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, parts }) = self.open.pop() else { return Ok(None) };
                self.complete(parts.into_value()?, anchor, line)
            }
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).ok_or("an alias to what is not yet complete")?;
                let (value, size) = (value.clone(), *size);
                self.spend(size)?;
                self.complete(value, 0, line)
            }
            _ => Ok(None),
        }
    }

    fn begin(&mut self, anchor: usize, parts: Parts) -> Result<Option<Value>, String> {
        self.spend(Size { nodes: 1, text: 0, depth: 1 })?;
        self.open.push(Open { anchor, parts });
        Ok(None)
    }

    fn spend(&mut self, size: Size) -> Result<(), String> {
        self.spent.nodes += size.nodes;
        self.spent.text += size.text;
        if self.spent.nodes > MAX_NODES || self.spent.text > MAX_TEXT {
            return Err("document contains excessive aliasing".to_owned());
        }
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { parts: Parts::Mapping { key: None, .. }, .. }))
    }

    fn begin_value(&mut self, name: Key) {
        if let Some(Open { parts: Parts::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(name);
        }
    }

    /// Puts a value where it belongs.
    fn complete(&mut self, value: Value, anchor: usize, line: usize) -> Result<Option<Value>, String> {
        if anchor > 0 {
            let size = Size::of(&value);
            self.spend(Size { depth: 0, ..size })?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let Some(Open { parts, .. }) = self.open.last_mut() else { return Ok(Some(value)) };
        match parts {
            Parts::List(items) => items.push(value),
            Parts::Mapping { members, key, merged } => match key.take() {
                None => *key = Some(Key::Name(key_text(value)?)),
                Some(Key::Merge) => match value {
                    Value::Array(values) => merged.extend(values),
                    value => merged.push(value),
                },
                Some(Key::Name(name)) => {
                    if members.contains_key(&name) && self.twice.len() < MAX_TWICE {
                        self.twice.push((line, name.clone()));
                    }
                    members.insert(name, value);
                }
            },
        }
        Ok(None)
    }
}

impl Parts {
    fn into_value(self) -> Result<Value, String> {
        let (mut members, merged) = match self {
            Self::List(items) => return Ok(Value::Array(items)),
            Self::Mapping { members, merged, .. } => (members, merged),
        };
        for more in merged {
            let Value::Object(more) = more else {
                return Err("map merge requires map or sequence of maps as the value".to_owned());
            };
            for (name, value) in more {
                members.entry(name).or_insert(value);
            }
        }
        Ok(Value::Object(members))
    }
}

/// Keys are texts in JSON.
fn key_text(key: Value) -> Result<String, String> {
    match key {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(key.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("invalid map key: {key}")),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let kind = tag.map(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:").unwrap_or_default());
    let plain = match kind.as_deref() {
        None if style == ScalarStyle::Plain => read_plain(text),
        None => Plain::Text,
        Some("binary") => return scalar_of_bytes(text),
        Some(kind @ ("int" | "float" | "bool" | "null")) => match (kind, read_plain(text)) {
            ("null", plain @ Plain::Null) | ("bool", plain @ Plain::Bool(_)) => plain,
            ("int" | "float", plain @ Plain::Number(_)) => plain,
            _ => return Err(format!("cannot decode !!str `{text}` as a !!{kind}")),
        },
        Some(_) => Plain::Text,
    };
    Ok(match plain {
        Plain::Text => Value::String(text.to_owned()),
        Plain::Null => Value::Null,
        Plain::Bool(flag) => Value::Bool(flag),
        Plain::Number(number) => Value::Number(without_fraction(&number)),
        Plain::NotFinite => return Err(format!("unsupported value: {text}")),
    })
}

fn scalar_of_bytes(text: &str) -> Result<Value, String> {
    use base64::Engine;
    let text: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    let bytes = bytes.map_err(|_| "!!binary value contains invalid base64 data")?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}
