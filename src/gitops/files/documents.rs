//! A file's text → its documents, each with its line.

use granit_parser::{Event, Parser};
use serde_json::Value;

use crate::cluster::yaml;

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The line of its first word, from 1.
    pub line: usize,
    /// What it says.
    pub value: Value,
    /// The lines of its `items`, when it is a list.
    pub items: Vec<usize>,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no text.
    NotText,
    /// It is no YAML.
    Yaml {
        /// The line, from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// The documents of a file; those without content are left out. One that cannot be read spoils the file.
///
/// # Errors
/// When it is no text or no YAML.
pub fn documents(bytes: &[u8]) -> Result<Vec<Document>, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    if text.contains('\0') {
        return Err(Unreadable::NotText);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    for (first, part) in parts(text) {
        let value = yaml::value(part).map_err(|error| Unreadable::Yaml {
            line: if error.line > 0 { first + error.line } else { first + first_word(part).unwrap_or(0) },
            message: error.message,
        })?;
        if value.is_null() {
            continue;
        }
        let items = if value.get("items").is_some() { item_lines(part, first) } else { Vec::new() };
        found.push(Document { line: first + first_word(part).unwrap_or(1), value, items });
    }
    Ok(found)
}

/// Cuts a text at the marks between documents; with each part the number of lines before it.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first, mut position) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let end = line.starts_with("...") && line.trim_end() == "...";
        let mark = line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if end || mark.is_some() {
            parts.push((first, text.get(start..position).unwrap_or("")));
            // What follows a mark on its line belongs to the document: `--- {a: 1}`, `--- |`.
            let rest = mark.map_or("", |rest| rest.trim_start_matches([' ', '\t']));
            let content = !rest.trim().is_empty() && !rest.starts_with('#');
            (start, first) = if content { (position, number) } else { (position + line.len(), number + 1) };
        }
        position += line.len();
    }
    parts.push((first, text.get(start..).unwrap_or("")));
    parts
}

/// The line of a part's first word, from 1.
fn first_word(part: &str) -> Option<usize> {
    let is_word = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%');
    part.lines().position(is_word).map(|line| line + 1)
}

/// The lines of what is in the list `items` of a mapping.
fn item_lines(part: &str, first: usize) -> Vec<usize> {
    let mut lines = Vec::new();
    let (mut depth, mut in_items, mut at_key, mut next_is_items) = (0_usize, false, true, false);
    for event in Parser::new_from_str(part) {
        let Ok((event, span)) = event else { break };
        let node =
            matches!(event, Event::Scalar(..) | Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..));
        if in_items && node && depth == 2 {
            lines.push(first + span.start.line());
        }
        let key = depth == 1 && !in_items && node && at_key;
        if depth == 1 && node {
            if key {
                next_is_items = matches!(&event, Event::Scalar(text, ..) if text == "items");
            } else if next_is_items && matches!(event, Event::SequenceStart(..)) {
                in_items = true;
            }
            at_key = !at_key;
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => {
                depth = depth.saturating_sub(1);
                in_items = in_items && depth > 1;
            }
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn lines(text: &str) -> Vec<(usize, Value)> {
        documents(text.as_bytes()).unwrap().into_iter().map(|d| (d.line, d.value)).collect()
    }

    #[test]
    fn documents_know_their_line() {
        let text =
            "# comment\n---\n\n# another\na: 1\n---\n---\n# nothing\n--- # more\nb: 2\n...\n---\nc: |\n  x\n  ---\n";
        assert_eq!(lines(text), [(5, json!({"a": 1})), (10, json!({"b": 2})), (13, json!({"c": "x\n---\n"}))]);
        assert_eq!(lines("--- {a: 1}\n"), [(1, json!({"a": 1}))]);
        assert_eq!(lines("a: 1\r\n---\r\nb: 2\r\n"), [(1, json!({"a": 1})), (3, json!({"b": 2}))]);
        assert_eq!(lines("----\n"), [(1, json!("----"))]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn items_know_their_line() {
        let text =
            "kind: List\nmetadata:\n  items:\n  - no\nitems:\n- {a: 1}\n# c\n- b:\n  - x\n  c: 1\n-\n  d: 1\nmore: 1\n";
        let found = documents(text.as_bytes()).unwrap();
        assert_eq!(found[0].items, [6, 8, 12]);
        let flow = documents(b"---\n{kind: List, items: [{a: 1},\n {b: 2}]}\n").unwrap();
        assert_eq!(flow[0].items, [2, 3]);
    }

    #[test]
    fn errors_know_their_line() {
        let wrong = |text: &[u8]| match documents(text).unwrap_err() {
            Unreadable::Yaml { line, .. } => line,
            Unreadable::NotText => 0,
        };
        assert_eq!(wrong(b"a: 1\n---\nb: 1\nc: [\n"), 4);
        assert_eq!(wrong(b"\xff\xfe"), 0);
        assert_eq!(wrong(b"a\0b"), 0);
    }

    proptest! {
        /// Whatever a file has, reading it ends, and lines are within the file.
        #[test]
        fn nothing_in_a_file_does_harm(text in "([-a-d:,&*!|>\\[\\]{}#'\" \n\t.]|---\n|items: |- |kind: List\n){0,60}") {
            let lines = text.lines().count().max(1);
            match documents(text.as_bytes()) {
                Ok(found) => {
                    for document in found {
                        prop_assert!((1..=lines).contains(&document.line), "{} of {lines}", document.line);
                        prop_assert!(document.items.iter().all(|line| (1..=lines).contains(line)));
                    }
                }
                Err(Unreadable::Yaml { line, .. }) => prop_assert!(line <= lines + 1, "{line} of {lines}"),
                Err(Unreadable::NotText) => {}
            }
        }
    }
}
