//! `key=value` words, as panels and runnable fences are written with.

use crate::diagnostic::Span;

/// A word; with a key when it is written `key=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) key: Option<String>,
    /// What stands after `=`, or the whole word; without quotes.
    pub(crate) value: String,
    /// The key where there is one, else the word.
    pub(crate) span: Span,
    /// Whether a quote is opened and never closed.
    pub(crate) unclosed: bool,
}

impl Word {
    /// The word as one text again.
    pub(crate) fn whole(&self) -> String {
        match &self.key {
            Some(key) => format!("{key}={}", self.value),
            None => self.value.clone(),
        }
    }
}

/// Where the words end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With the text.
    Text,
    /// At the `}` that has no `{`.
    Brace,
}

/// The words of `text`, which stands at `at` of the source, and how many of its bytes they are.
pub(crate) fn read(text: &str, at: usize, end: End) -> (Vec<Word>, usize) {
    let mut words = Vec::new();
    let mut place = 0;
    loop {
        let rest = &text[place..];
        place += rest.len() - rest.trim_start().len();
        let rest = &text[place..];
        if rest.is_empty() || (end == End::Brace && rest.starts_with('}')) {
            return (words, place);
        }
        let key = key(rest);
        let start = key.map_or(0, |key| key.len() + 1);
        let mut word =
            Word { key: key.map(str::to_owned), value: String::new(), span: Span::default(), unclosed: false };
        let length = start + value(&rest[start..], end, &mut word);
        word.span = Span::new(at + place, at + place + key.map_or(length, str::len));
        words.push(word);
        place += length;
    }
}

/// The key at the start of a word.
fn key(word: &str) -> Option<&str> {
    let length = word.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))?;
    let key = &word[..length];
    (word[length..].starts_with('=') && key.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(key)
}

/// Reads a value into `word`; returns its length in the text.
fn value(text: &str, end: End, word: &mut Word) -> usize {
    let mut from = 0;
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let mut escaped = false;
        let mut closed = None;
        for (at, c) in text.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    if c != quote && c != '\\' {
                        word.value.push('\\');
                    }
                    word.value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => {
                    closed = Some(at + 1);
                    break;
                }
                c => word.value.push(c),
            }
        }
        word.unclosed = closed.is_none();
        from = closed.unwrap_or(text.len());
    }
    let mut depth = 0usize;
    for (at, c) in text[from..].char_indices() {
        match c {
            c if c.is_whitespace() => return from + at,
            '}' if end == End::Brace && depth == 0 => return from + at,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        word.value.push(c);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, end: End) -> Vec<(Option<String>, String)> {
        read(text, 0, end).0.into_iter().map(|word| (word.key, word.value)).collect()
    }

    #[test]
    fn keys_values_and_quotes() {
        for (text, expected) in [
            ("pods namespace=demo", vec![(None, "pods"), (Some("namespace"), "demo")]),
            ("selector=app=podinfo", vec![(Some("selector"), "app=podinfo")]),
            ("selector=\"app in (a, b)\" x", vec![(Some("selector"), "app in (a, b)"), (None, "x")]),
            (r#"a="say \"hi\" \n""#, vec![(Some("a"), r#"say "hi" \n"#)]),
            ("\"Which one?\" 'two words'", vec![(None, "Which one?"), (None, "two words")]),
            ("title=Don't -l=a =x 1=2", vec![(Some("title"), "Don't"), (None, "-l=a"), (None, "=x"), (None, "1=2")]),
            ("a= b=\"\"", vec![(Some("a"), ""), (Some("b"), "")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(k, v)| (k.map(str::to_owned), (*v).to_owned())).collect();
            assert_eq!(plain(text, End::Text), expected, "{text}");
        }
        assert!(read("a=\"b c", 0, End::Text).0[0].unclosed);
    }

    #[test]
    fn braces_end_the_words_unless_they_are_part_of_a_value() {
        let (words, length) = read("run wait=\"a } b\" x={.y}=1 } rest", 10, End::Brace);
        let found: Vec<_> = words.iter().map(|w| (w.whole(), w.span)).collect();
        assert_eq!(
            found,
            [
                ("run".into(), Span::new(10, 13)),
                ("wait=a } b".into(), Span::new(14, 18)),
                ("x={.y}=1".into(), Span::new(27, 28)),
            ]
        );
        assert_eq!(length, 26);
        assert_eq!(read("a}", 0, End::Brace).1, 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_places_are_inside_of_it(text in "\\PC{0,40}", brace: bool) {
            let (words, length) = read(&text, 0, if brace { End::Brace } else { End::Text });
            prop_assert!(length <= text.len());
            for word in words {
                prop_assert!(text.get(word.span.start..word.span.end).is_some());
                if let Some(key) = word.key {
                    prop_assert_eq!(&text[word.span.start..word.span.end], &key);
                }
            }
        }
    }
}
