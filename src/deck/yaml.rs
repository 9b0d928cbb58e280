//! The YAML of front matter and directive comments: every scalar is text, values may be unquoted.
//!
//! Rules: js-yaml's failsafe schema and Marp's "loose" values (a directive's value may start with
//! characters that YAML reserves, such as `#fff`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser};

use crate::diagnostic::Span;

/// A YAML value whose scalars are text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar, after escapes.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A mapping.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// How much repeating the value costs.
    fn weight(&self) -> usize {
        match self {
            Self::Text(text) => 1 + text.len() / BYTES_PER_EVENT,
            Self::List(items) => 1 + items.iter().map(Self::weight).sum::<usize>(),
            Self::Map(items) => 1 + items.iter().map(|(_, value)| value.weight()).sum::<usize>(),
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A key of a mapping with its value and place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The key's bytes in the text given to [`mapping`].
    pub span: Span,
}

/// Why a text is no mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct YamlError {
    /// What is wrong.
    pub message: String,
    /// Line in the text, from 1.
    pub line: usize,
}

/// More aliases or nested levels than this in a few lines of directives are an attack.
const MAX_EVENTS: usize = 20_000;
/// An alias that repeats a longer text than this counts as several events.
const BYTES_PER_EVENT: usize = 64;
const MAX_DEPTH: usize = 32;

/// Reads a mapping; `loose` says which keys may have values that YAML would refuse.
///
/// # Errors
/// When the text is no YAML, no mapping, or names a key twice.
pub fn mapping(text: &str, loose: impl Fn(&str) -> bool) -> Result<Vec<Entry>, YamlError> {
    let quoted = quote_loose_values(text, loose);
    let entries = parse_mapping(&quoted.text)?;
    Ok(entries
        .into_iter()
        .map(|mut entry| {
            entry.span = Span::new(quoted.original(entry.span.start), quoted.original(entry.span.end));
            entry
        })
        .collect())
}

struct Quoted<'a> {
    text: Cow<'a, str>,
    /// (offset in `text`, bytes added before it)
    added: Vec<(usize, usize)>,
}

impl Quoted<'_> {
    fn original(&self, offset: usize) -> usize {
        let added = self.added.iter().take_while(|(at, _)| *at <= offset).map(|(_, n)| n).sum::<usize>();
        offset.saturating_sub(added)
    }
}

/// Wraps the values of loose keys at line starts into double quotes.
fn quote_loose_values(text: &str, loose: impl Fn(&str) -> bool) -> Quoted<'_> {
    let mut out = String::new();
    let mut added = Vec::new();
    let mut done = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((from, to)) = loose_value(line, &loose) {
            let value = &line[from..to];
            out.push_str(&text[done..start + from]);
            out.push('"');
            out.push_str(&value.replace('"', "\\\""));
            out.push('"');
            added.push((out.len(), 2 + value.matches('"').count()));
            done = start + to;
        }
        start += line.len();
    }
    if done == 0 {
        return Quoted { text: Cow::Borrowed(text), added };
    }
    out.push_str(&text[done..]);
    Quoted { text: Cow::Owned(out), added }
}

/// The byte range of a value on `line` that must be quoted.
fn loose_value(line: &str, loose: &impl Fn(&str) -> bool) -> Option<(usize, usize)> {
    let (quote, rest) = match line.as_bytes().first()? {
        b'"' => (Some('"'), &line[1..]),
        b'\'' => (Some('\''), &line[1..]),
        _ => (None, line),
    };
    let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '-'))?;
    let name = &rest[..name_end];
    if !loose(name.strip_prefix('_').unwrap_or(name)) {
        return None;
    }
    let mut after = &rest[name_end..];
    if let Some(quote) = quote {
        after = after.strip_prefix(quote)?;
    }
    let after = after.trim_start_matches([' ', '\t']).strip_prefix(':')?;
    let value = after.trim();
    let first = value.chars().next()?;
    if "[\"'{|>~&*".contains(first) {
        return None;
    }
    let from = line.len() - after.trim_start().len();
    Some((from, from + value.len()))
}

fn parse_mapping(text: &str) -> Result<Vec<Entry>, YamlError> {
    let mut reader = Reader { parser: Parser::new_from_str(text), anchors: HashMap::new(), events: 0 };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::MappingStart(..) => break,
            _ => {
                return Err(YamlError {
                    message: "this is not a list of `key: value` lines".into(),
                    line: span.start.line(),
                });
            }
        }
    }
    let entries = reader.entries(0)?;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::DocumentEnd => {}
            Event::StreamEnd => return Ok(entries),
            _ => return Err(YamlError { message: "a second YAML document".into(), line: span.start.line() }),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    events: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, granit_parser::Span), YamlError> {
        loop {
            self.spend(1)?;
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                // an absent value is reported as `~` of no length
                Some(Ok((Event::Scalar(_, style, anchor, tag), span))) if span.start.index() == span.end.index() => {
                    return Ok((Event::Scalar(Cow::Borrowed(""), style, anchor, tag), span));
                }
                Some(Ok(event)) => return Ok(event),
                Some(Err(error)) => {
                    return Err(YamlError { message: error.info().to_owned(), line: error.marker().line() });
                }
                None => return Err(YamlError { message: "the YAML ends too early".into(), line: 1 }),
            }
        }
    }

    /// Counts events, so that hostile text ends early.
    fn spend(&mut self, events: usize) -> Result<(), YamlError> {
        self.events += events;
        if self.events > MAX_EVENTS {
            return Err(YamlError { message: "too much YAML".into(), line: 1 });
        }
        Ok(())
    }

    /// Key-value pairs up to the end of the mapping that was just opened.
    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, YamlError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys: HashSet<String> = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            let line = span.start.line();
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let place =
                Span::new(span.start.byte_offset().unwrap_or_default(), span.end.byte_offset().unwrap_or_default());
            let Value::Text(key) = self.value(event, line, depth)? else {
                return Err(YamlError { message: "a key must be text".into(), line });
            };
            if !keys.insert(key.clone()) {
                return Err(YamlError { message: format!("the key `{key}` stands here twice"), line });
            }
            let (event, span) = self.next()?;
            let value = self.value(event, span.start.line(), depth)?;
            entries.push(Entry { key, value, span: place });
        }
    }

    fn value(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Value, YamlError> {
        if depth > MAX_DEPTH {
            return Err(YamlError { message: "the YAML is nested too deeply".into(), line });
        }
        let (value, anchor) = match event {
            Event::Scalar(text, _, anchor, _) => (Value::Text(text.into_owned()), anchor),
            Event::Alias(id) => {
                let nothing = || YamlError { message: "an alias to nothing".into(), line };
                let known = self.anchors.get(&id).ok_or_else(nothing)?;
                self.spend(known.weight())?;
                return self.anchors.get(&id).cloned().ok_or_else(nothing);
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.value(event, span.start.line(), depth + 1)?);
                }
                (Value::List(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                let entries = self.entries(depth + 1)?;
                (Value::Map(entries.into_iter().map(|entry| (entry.key, entry.value)).collect()), anchor)
            }
            _ => return Err(YamlError { message: "the YAML ends too early".into(), line }),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Value)>, String> {
        mapping(text, |key| ["color", "header", "paginate", "class"].contains(&key))
            .map(|entries| entries.into_iter().map(|e| (e.key, e.value)).collect())
            .map_err(|e| e.message)
    }

    fn text(key: &str, value: &str) -> (String, Value) {
        (key.into(), Value::Text(value.into()))
    }

    #[test]
    fn scalars_are_text() {
        assert_eq!(read("a: true\nb: 012\nc:\n"), Ok(vec![text("a", "true"), text("b", "012"), text("c", "")]));
    }

    #[test]
    fn loose_values_need_no_quotes() {
        assert_eq!(
            read("color: #fff\n_header: a: \"b\" # c\n"),
            Ok(vec![text("color", "#fff"), text("_header", "a: \"b\" # c")])
        );
        assert!(read("other: a: b").is_err());
    }

    #[test]
    fn one_bad_line_is_an_error_of_the_whole() {
        assert!(read("class: lead\nheader: **bold**").is_err());
        assert!(read("class: a\nclass: b").is_err());
        assert!(read("just text").is_err());
    }

    #[test]
    fn aliases_of_aliases_end_early() {
        let mut text = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, before) in ('b'..='m').zip('a'..) {
            text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(",")));
        }
        assert_eq!(read(&text), Err("too much YAML".into()));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), ["*a"; 2_000].join(","));
        assert_eq!(read(&long), Err("too much YAML".into()));
        assert_eq!(read("a: &a x\nb: *a"), Ok(vec![self::text("a", "x"), self::text("b", "x")]));
    }

    #[test]
    fn spans_name_the_key_in_the_original() {
        let entries = mapping("color: \"#f\"\nheader: x\nclass: y", |k| k == "header").expect("valid");
        assert_eq!(entries[2].span, Span::new(22, 27));
    }
}
