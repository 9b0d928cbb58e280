//! The words of a fence's first line: `verify Deployment/podinfo namespace=demo`, `sh {run name=a}`.

use crate::diagnostic::Span;

/// A word, or a `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The key; nothing for a word that stands alone.
    pub(super) key: Option<String>,
    /// The word, or the value without its quotes.
    pub(super) value: String,
    /// Where it stands, in bytes of the text given.
    pub(super) span: Span,
    /// A quote was opened and never closed.
    pub(super) unclosed: bool,
}

/// Splits a text at blanks. Quotes, single or double, keep blanks in a value; a backslash before a quote keeps it.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut at = 0;
    loop {
        let blanks = rest.len() - rest.trim_start().len();
        at += blanks;
        rest = rest.trim_start();
        if rest.is_empty() {
            return found;
        }
        let (mut word, length) = word(rest);
        word.span = Span::new(at, at + length);
        found.push(word);
        at += length;
        rest = &rest[length..];
    }
}

/// The word at the start of a text, and how many bytes it takes.
fn word(text: &str) -> (Word, usize) {
    let mut key = None;
    let mut value = String::new();
    let mut quote = None;
    let mut length = text.len();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if c.is_whitespace() => {
                length = at;
                break;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '=' && key.is_none() && is_key(&value) => key = Some(std::mem::take(&mut value)),
            Some(open) if c == open => quote = None,
            Some(open) if c == '\\' && chars.peek().is_some_and(|(_, next)| *next == open) => {
                chars.next();
                value.push(open);
            }
            _ => value.push(c),
        }
    }
    (Word { key, value, span: Span::default(), unclosed: quote.is_some() }, length)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The braces of `sh {run name=a}`: what is in them, and where that begins.
pub(super) fn braces(info: &str) -> Option<(&str, usize)> {
    let open = info.find('{')?;
    let inside = &info[open + 1..];
    let close = inside.rfind('}').unwrap_or(inside.len());
    Some((&inside[..close], open + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(String, String, usize, usize)> {
        let words = words(text).into_iter();
        words.map(|w| (w.key.unwrap_or_default(), w.value, w.span.start, w.span.end)).collect()
    }

    fn row(key: &str, value: &str, start: usize, end: usize) -> (String, String, usize, usize) {
        (key.to_owned(), value.to_owned(), start, end)
    }

    #[test]
    fn words_keys_and_quotes() {
        assert_eq!(
            shown("Deployment/podinfo  namespace=demo absent"),
            [row("", "Deployment/podinfo", 0, 18), row("namespace", "demo", 20, 34), row("", "absent", 35, 41)]
        );
        assert_eq!(shown("jsonpath='{.a[?(@.b==\"c d\")]}'"), [row("jsonpath", "{.a[?(@.b==\"c d\")]}", 0, 30)]);
        assert_eq!(shown(r#"a="x \" y" selector=app=podinfo"#)[0], row("a", "x \" y", 0, 10));
        assert_eq!(shown("selector=app=podinfo"), [row("selector", "app=podinfo", 0, 20)]);
        assert_eq!(
            shown("git/commit path=ä b"),
            [row("", "git/commit", 0, 10), row("path", "ä", 11, 18), row("", "b", 19, 20)]
        );
        assert!(words("a='b c")[0].unclosed);
        assert_eq!(shown("  "), []);
        assert_eq!(braces("sh {run name=a}"), Some(("run name=a", 4)));
        assert_eq!(braces("sh {run"), Some(("run", 4)));
        assert_eq!(braces("sh"), None);
    }

    proptest! {
        #[test]
        fn spans_are_in_order_and_inside(text in "\\PC{0,60}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.span.start >= end && word.span.end <= text.len());
                prop_assert!(text.get(word.span.start..word.span.end).is_some());
                end = word.span.end;
            }
        }
    }
}
