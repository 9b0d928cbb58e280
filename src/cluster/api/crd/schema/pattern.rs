//! Regular expressions as Go understands them.

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled expression may take.
const SIZE_LIMIT: usize = 10 << 20;

/// A Go expression, compiled; or what is wrong with it.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(&translate(pattern)).size_limit(SIZE_LIMIT).nest_limit(100).build();
    built.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("error parsing regexp: {}: `{pattern}`", last.strip_prefix("error: ").unwrap_or(last))
    })
}

/// Rewrites what Rust's `regex` reads otherwise: `\d`, `\s`, `\w` and `\b` are ASCII in Go, and in a class `[`, `&`,
/// `-` and `~` have no further meaning.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut first_in_class = false;
    while let Some(c) = chars.next() {
        let starts_class = std::mem::take(&mut first_in_class);
        match c {
            '\\' => match chars.next() {
                Some(escaped) => escape(escaped, in_class, &mut chars, &mut out),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                first_in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // a named class, as [:alpha:]
                out.push('[');
                while let Some(c) = chars.next_if(|c| *c != ']') {
                    out.push(c);
                }
                out.extend(chars.next());
            }
            ']' if in_class && starts_class => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}

fn escape(c: char, in_class: bool, rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    match (c, in_class) {
        ('d', true) => out.push_str("0-9"),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('s', true) => out.push_str("\\t\\n\\f\\r "),
        ('d', false) => out.push_str("[0-9]"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
        ('D', _) => out.push_str("[^0-9]"),
        ('W', _) => out.push_str("[^0-9A-Za-z_]"),
        ('S', _) => out.push_str("[^\\t\\n\\f\\r ]"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        ('Q', _) => {
            // literal up to \E
            let mut literal = String::new();
            while let Some(c) = rest.next() {
                if c == '\\' && rest.next_if_eq(&'E').is_some() {
                    break;
                }
                literal.push(c);
            }
            out.push_str(&regex::escape(&literal));
        }
        _ => out.extend(['\\', c]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_go_reads() {
        for (pattern, matching, other) in [
            ("^[a-z]+$", "abc", "aBc"),
            ("^\\d+$", "12", "१२"),
            ("^[\\d.]+$", "1.2", "1,2"),
            ("^[^[]+$", "a]", "a["),
            ("^[]a]+$", "]a", "b"),
            ("^[a&&b~~]+$", "a&b~", "c"),
            ("^[[:alpha:]_]+$", "a_b", "a1"),
            ("^\\w\\b", "a", "é"),
            ("^\\Qa.b\\E$", "a.b", "axb"),
            ("^\\S+$", "a", "a b"),
            ("^[\\S]+$", "a", "a b"),
            ("^a\\/b$", "a/b", "a\\/b"),
            ("^[\\w-]+$", "a-b", "a b"),
            ("^[a:]b$", ":b", "b"),
            ("(?i)^abc$", "ABC", "ABCD"),
        ] {
            let regex = compile(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
            assert!(regex.is_match(matching), "{pattern} {matching}");
            assert!(!regex.is_match(other), "{pattern} {other}");
        }
        assert_eq!(compile("(").unwrap_err(), "error parsing regexp: unclosed group: `(`");
        assert!(compile(&"a{1000}".repeat(1000)).is_err(), "too big");
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "[\\[\\]()^$|*+?{}\\\\a-z0-9:&~.,Q-]{0,24}") {
            let _ = compile(&pattern);
        }
    }
}
