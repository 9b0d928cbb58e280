//! Splits off the YAML at the top of a deck.

use std::collections::HashSet;

use super::Compatibility;
use super::yaml::{self, Entry, Value};
use crate::diagnostic::Span;

/// Where the front matter of a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FrontMatter {
    /// The YAML between the rulers.
    pub(super) yaml: Span,
    /// Where the slides start.
    pub(super) body: usize,
    /// Whether the closing ruler is there.
    pub(super) closed: bool,
}

/// Finds the front matter: line 1 starts with at least three dashes, and a line of at least as many
/// dashes, or `...`, closes it. Unclosed front matter reaches to the end of the text in Marp; when text
/// is kept it ends before the first line that cannot be YAML.
pub(super) fn find(text: &str, compatibility: Compatibility) -> Option<FrontMatter> {
    let dashes = text.bytes().take_while(|b| *b == b'-').count();
    if dashes < 3 {
        return None;
    }
    let first_end = text.find('\n').map_or(text.len(), |i| i + 1);
    let mut start = first_end;
    for line in text[first_end..].split_inclusive('\n') {
        if closes(line, dashes) {
            return Some(FrontMatter { yaml: Span::new(dashes, start), body: start + line.len(), closed: true });
        }
        start += line.len();
    }
    let end = match compatibility {
        Compatibility::Strict => text.len(),
        Compatibility::KeepText => plausible_yaml_end(text, first_end),
    };
    Some(FrontMatter { yaml: Span::new(dashes, end), body: end, closed: false })
}

fn closes(line: &str, dashes: usize) -> bool {
    let content = line.trim_end();
    let bare = content.trim_start_matches(' ');
    let indent = content.len() - bare.len();
    indent < 4 && (bare == "..." || (bare.len() >= dashes && bare.bytes().all(|b| b == b'-')))
}

/// The end of the leading lines that look like `key: value`, a continuation or a YAML comment.
fn plausible_yaml_end(text: &str, from: usize) -> usize {
    let mut end = from;
    let mut seen_key = false;
    for line in text[from..].split_inclusive('\n') {
        let content = line.trim_end();
        let is_key = content.split_once(':').is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-$\"'".contains(c))
        });
        let continues = seen_key && content.starts_with([' ', '\t']);
        if !(is_key || continues) {
            break;
        }
        seen_key = true;
        end += line.len();
    }
    end
}

/// Whether front matter holds no `key:` line but visible text: then the deck merely starts with a ruler.
pub(super) fn is_text(yaml: &str) -> bool {
    let mut lines = yaml.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let has_key = yaml.lines().any(|line| {
        line.split_once(':').is_some_and(|(key, _)| {
            let key = key.trim();
            !key.is_empty() && !key.contains(char::is_whitespace) && !key.starts_with(['#', '-', '*', '<', '!', '['])
        })
    });
    !has_key && lines.next().is_some()
}

/// Reads broken YAML key by key, so that one bad line costs only itself; a later duplicate wins.
pub(super) fn recover(yaml: &str, loose: impl Fn(&str) -> bool + Copy) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut start = 0;
    for chunk in chunks(yaml) {
        let read = yaml::mapping(chunk, loose).ok().or_else(|| unquoted(chunk, loose)).unwrap_or_default();
        for mut entry in read {
            entry.span = Span::new(entry.span.start + start, entry.span.end + start);
            entries.push(entry);
        }
        start += chunk.len();
    }
    let mut known: HashSet<String> = HashSet::new();
    entries.reverse();
    entries.retain(|entry| known.insert(entry.key.clone()));
    entries.reverse();
    entries
}

/// Pieces that each start with a line at column 0.
fn chunks(yaml: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    for line in yaml.split_inclusive('\n') {
        let is_key = line.starts_with(|c: char| c.is_alphanumeric() || "_$\"'".contains(c)) && line.contains(':');
        if is_key && at > 0 {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([yaml.len()]);
    starts.iter().zip(ends).map(|(start, end)| &yaml[*start..end]).collect()
}

/// `header: **Team**`: a directive's value taken as it stands, since the author surely means that text.
fn unquoted(chunk: &str, loose: impl Fn(&str) -> bool) -> Option<Vec<Entry>> {
    let (key, value) = chunk.trim().split_once(':')?;
    let single = !value.contains('\n') && loose(key.strip_prefix('_').unwrap_or(key));
    let span = Span::new(0, key.len());
    single.then(|| vec![Entry { key: key.to_owned(), value: Value::Text(value.trim().to_owned()), span }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str, compatibility: Compatibility) -> Option<(&str, &str)> {
        find(text, compatibility).map(|f| (&text[f.yaml.start..f.yaml.end], &text[f.body..]))
    }

    #[test]
    fn rulers_close_when_long_enough() {
        let strict = Compatibility::Strict;
        assert_eq!(yaml("---\na: b\n---\nx", strict), Some(("\na: b\n", "x")));
        assert_eq!(yaml("-----\na: b\n---\n-----\ny", strict), Some(("\na: b\n---\n", "y")));
        assert_eq!(yaml("--- # c\na: b\n...  \nx", strict), Some((" # c\na: b\n", "x")));
        assert_eq!(yaml("\n---\na: b\n---\nx", strict), None);
    }

    #[test]
    fn unclosed_front_matter_keeps_the_text_unless_strict() {
        let text = "---\ntheme: gaia\n# Hello";
        assert_eq!(yaml(text, Compatibility::Strict), Some(("\ntheme: gaia\n# Hello", "")));
        assert_eq!(yaml(text, Compatibility::KeepText), Some(("\ntheme: gaia\n", "# Hello")));
    }

    #[test]
    fn one_bad_line_costs_only_itself() {
        let yaml = "\ntheme: gaia\nheader: **Team**\nbroken: a: b\nclass: x\nclass: y\n";
        let entries = recover(yaml, |key| ["theme", "header", "class"].contains(&key));
        let read: Vec<_> = entries.iter().map(|e| (e.key.as_str(), e.value.text().unwrap_or(""))).collect();
        assert_eq!(read, [("theme", "gaia"), ("header", "**Team**"), ("class", "y")]);
        assert_eq!(&yaml[entries[1].span.start..entries[1].span.end], "header");
    }

    #[test]
    fn a_leading_ruler_is_told_from_front_matter() {
        assert!(is_text("\n# Intro\n\ntext\n\n"));
        assert!(!is_text("\nmarp: true\n"));
        assert!(!is_text("\n\n"));
    }
}
