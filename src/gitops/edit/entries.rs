//! Entries added to a mapping and taken from it, line by line or between its braces.

use granit_parser::ScalarStyle;

use super::scalar::{self, Context};
use super::tree::{Kind, NodeId, Tree};
use super::{EditError, Problem, Splice};

/// A new entry's value.
#[derive(Debug, Clone)]
pub(super) enum NewValue {
    /// A text.
    Text(String),
    /// A mapping of texts.
    Map(Vec<(String, String)>),
}

/// Entries to take away and to add.
#[derive(Debug, Clone, Default)]
pub(super) struct MapChange {
    /// Positions of entries to take away.
    pub(super) remove: Vec<usize>,
    /// Entries to add at the end.
    pub(super) add: Vec<(String, NewValue)>,
}

/// Changes a mapping's entries. `indent` is the column of a nested mapping's keys beyond this one's.
pub(super) fn change(
    tree: &Tree<'_>,
    map: NodeId,
    change: &MapChange,
    indent: usize,
) -> Result<Vec<Splice>, EditError> {
    let node = tree.node(map);
    match node.kind {
        Kind::Map { flow: true, .. } => in_braces(tree, map, change),
        Kind::Map { flow: false, .. } => in_lines(tree, map, change, indent),
        _ => Err(EditError::at(node.place, Problem::Shape { name: "the value".to_owned(), wanted: "a mapping" })),
    }
}

fn in_lines(tree: &Tree<'_>, map: NodeId, change: &MapChange, indent: usize) -> Result<Vec<Splice>, EditError> {
    let entries = tree.entries(map);
    let mut splices = Vec::new();
    for (key, value) in change.remove.iter().filter_map(|at| entries.get(*at)) {
        splices.push((lines_of(tree, *key, *value)?, String::new()));
    }
    if let (false, Some((key, value))) = (change.add.is_empty(), entries.last()) {
        let column = tree.node(*key).place.1.saturating_sub(1);
        splices.push(new_lines(tree, tree.end(*value), column, indent, &change.add));
    }
    Ok(splices)
}

/// New entries in the lines behind a place.
pub(super) fn new_lines(
    tree: &Tree<'_>,
    behind: usize,
    column: usize,
    indent: usize,
    entries: &[(String, NewValue)],
) -> Splice {
    let (at, broken) = next_line(tree.text, behind);
    let newline = newline(tree.text, at);
    let mut lines = Vec::new();
    for (key, value) in entries {
        lines.push(line(column, key, value));
        if let NewValue::Map(members) = value {
            lines.extend(members.iter().map(|(key, text)| line(column + indent, key, &NewValue::Text(text.clone()))));
        }
    }
    let lines = lines.join(newline);
    let new = if broken { format!("{lines}{newline}") } else { format!("{newline}{lines}") };
    (at..at, new)
}

fn line(column: usize, key: &str, value: &NewValue) -> String {
    let written = |text: &str| scalar::write(text, ScalarStyle::Plain, Context::Block);
    let value = match value {
        NewValue::Text(text) => format!(" {}", written(text)),
        NewValue::Map(_) => String::new(),
    };
    format!("{}{}:{value}", " ".repeat(column), written(key))
}

/// The whole lines of an entry.
fn lines_of(tree: &Tree<'_>, key: NodeId, value: NodeId) -> Result<std::ops::Range<usize>, EditError> {
    let node = tree.node(key);
    let before = tree.text.get(..node.span.start).unwrap_or_default();
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    // Something else in front, a `?` for instance, would be lost.
    if before.get(start..).is_none_or(|head| head.chars().any(|c| c != ' ')) {
        return Err(EditError::at(node.place, Problem::Unsafe));
    }
    let (end, broken) = next_line(tree.text, tree.end(value).max(node.span.end));
    // The last line of a file without a line break takes the one before along.
    let start = if broken { start } else { before_break(tree.text, start) };
    Ok(start..end)
}

/// Where the line behind a place begins, and whether a line break leads there.
fn next_line(text: &str, from: usize) -> (usize, bool) {
    let rest = text.get(from..).unwrap_or_default();
    // What ends with its own line break is followed by a line already.
    if text.get(..from).is_some_and(|before| from > 0 && before.ends_with('\n')) {
        return (from, true);
    }
    match rest.find(['\n', '\r']) {
        Some(at) => {
            let width = if rest.get(at..).is_some_and(|rest| rest.starts_with("\r\n")) { 2 } else { 1 };
            (from + at + width, true)
        }
        None => (text.len(), false),
    }
}

fn before_break(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let before = before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).unwrap_or(before);
    before.len()
}

/// The line break that the lines around a place use.
fn newline(text: &str, at: usize) -> &'static str {
    let before = text.get(..at).unwrap_or_default();
    let line = before.trim_end_matches(|c| c != '\n' && c != '\r');
    match line {
        _ if line.ends_with("\r\n") => "\r\n",
        _ if line.ends_with('\r') => "\r",
        _ => "\n",
    }
}

fn in_braces(tree: &Tree<'_>, map: NodeId, change: &MapChange) -> Result<Vec<Splice>, EditError> {
    let entries = tree.entries(map);
    let spans: Vec<_> = entries.iter().map(|(key, value)| (key_start(tree, *key), tree.end(*value))).collect();
    let kept = |at: usize| !change.remove.contains(&at);
    let last_kept = (0..spans.len()).rfind(|at| kept(*at));
    let mut splices = Vec::new();
    for (at, (start, end)) in spans.iter().copied().enumerate().filter(|(at, _)| !kept(*at)) {
        let place = entries.get(at).map(|(key, _)| tree.node(*key).place);
        let fail = || EditError { place, problem: Problem::Unsafe };
        let previous = at.checked_sub(1).and_then(|at| spans.get(at)).filter(|_| (0..at).any(kept));
        let (from, to) = match (previous, spans.get(at + 1)) {
            (Some((_, before)), _) => (*before, end),
            (None, Some((next, _))) => (start, *next),
            (None, None) => (start, end),
        };
        // A comment in between tells of something, and a `?` would be left behind.
        let gap = tree.text.get(from..start).or_else(|| tree.text.get(end..to)).ok_or_else(fail)?;
        let between = format!("{gap}{}", tree.text.get(end..to).unwrap_or_default());
        if between.contains(['#', '?']) || explicit(tree, start) {
            return Err(fail());
        }
        splices.push((from..to, String::new()));
    }
    if !change.add.is_empty() {
        let quote = match entries.first().map(|(key, _)| &tree.node(*key).kind) {
            Some(Kind::Scalar { style: ScalarStyle::DoubleQuoted, .. }) => ScalarStyle::DoubleQuoted,
            _ => ScalarStyle::Plain,
        };
        let new = change.add.iter().map(|(key, value)| inline(key, value, quote)).collect::<Vec<_>>().join(", ");
        let node = tree.node(map);
        splices.push(match last_kept.and_then(|at| spans.get(at)) {
            Some((_, end)) => (*end..*end, format!(", {new}")),
            None => (node.span.start + 1..node.span.start + 1, new),
        });
    }
    Ok(splices)
}

/// Entries between braces.
fn inline(key: &str, value: &NewValue, quote: ScalarStyle) -> String {
    let key = scalar::write(key, quote, Context::Flow);
    match value {
        NewValue::Text(text) => format!("{key}: {}", scalar::write(text, quote, Context::Flow)),
        NewValue::Map(members) => {
            let members = members.iter().map(|(key, text)| inline(key, &NewValue::Text(text.clone()), quote));
            format!("{key}: {{{}}}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

fn key_start(tree: &Tree<'_>, key: NodeId) -> usize {
    tree.node(key).span.start
}

fn explicit(tree: &Tree<'_>, start: usize) -> bool {
    tree.text.get(..start).is_some_and(|before| before.trim_end().ends_with('?'))
}
