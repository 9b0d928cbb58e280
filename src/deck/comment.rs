//! `<!-- … -->`: directives, a presenter note, or nothing.

use super::directive;
use super::yaml::{self, Entry};

/// What a comment is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comment {
    /// A mapping with at least one directive in it; unknown keys included.
    Directives(Vec<Entry>),
    /// Something for the presenter.
    Note(String),
    /// An instruction to a formatter or linter.
    Tool,
}

/// The text between the marks, without extra dashes and surrounding white space;
/// the byte offset of that text in `html`; and what follows the comment.
///
/// An unclosed comment has no text.
pub(super) fn open(html: &str) -> (&str, usize, &str) {
    let Some(inner) = html.strip_prefix("<!--") else { return ("", 0, html) };
    let Some(end) = inner.find("-->") else { return ("", 4, "") };
    let rest = &inner[end + 3..];
    let text = inner[..end].trim_end_matches('-').trim_end();
    let body = text.trim_start_matches('-').trim_start();
    (body, 4 + text.len() - body.len(), rest)
}

/// Tells directives from notes.
pub(super) fn classify(text: &str) -> Comment {
    if is_tool_instruction(text) {
        return Comment::Tool;
    }
    if text.contains(':') {
        let entries = yaml::mapping(text, |key| directive::is_loose(key, false)).unwrap_or_default();
        if entries.iter().any(|entry| directive::scope(&entry.key).is_some()) {
            return Comment::Directives(entries);
        }
    }
    Comment::Note(text.to_owned())
}

fn is_tool_instruction(text: &str) -> bool {
    let word_follows = |prefix: &str, words: &[&str]| {
        text.strip_prefix(prefix).is_some_and(|rest| words.iter().any(|word| rest.starts_with(word)))
    };
    text == "prettier-ignore"
        || text == "prettier-ignore-start"
        || text == "prettier-ignore-end"
        || word_follows("markdownlint-", &["disable", "enable", "capture", "restore", "configure"])
        || word_follows("lint ", &["disable", "enable", "ignore"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_trimmed_of_dashes_and_space() {
        assert_eq!(open("<!--- x --->"), ("x", 6, ""));
        assert_eq!(open("<!-- a --> tail"), ("a", 5, " tail"));
        assert_eq!(open("<!--\n- one\n-->"), ("- one", 5, ""));
        assert_eq!(open("<!-- never closed"), ("", 4, ""));
    }

    #[test]
    fn a_mapping_with_a_known_key_is_directives() {
        let keys = |text| match classify(text) {
            Comment::Directives(entries) => entries.into_iter().map(|e| e.key).collect(),
            _ => Vec::new(),
        };
        assert_eq!(keys("_class: lead\ntodo: x"), ["_class", "todo"]);
        assert_eq!(keys("{class: lead, color: red}"), ["class", "color"]);
    }

    #[test]
    fn everything_else_is_a_note() {
        for text in ["Note: hi", "_theme: gaia", "$theme: x", "marp: true", "class: lead\nfree text", "title: a: b", ""]
        {
            assert_eq!(classify(text), Comment::Note(text.into()), "{text}");
        }
    }

    #[test]
    fn tool_instructions_vanish() {
        for text in ["prettier-ignore", "markdownlint-disable MD013", "lint ignore x"] {
            assert_eq!(classify(text), Comment::Tool, "{text}");
        }
        assert_eq!(classify("eslint-disable"), Comment::Note("eslint-disable".into()));
    }
}
