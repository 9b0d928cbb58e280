//! Regular expressions as Go reads them, for an engine that reads some of them otherwise.

use regex::{Regex, RegexBuilder};

/// Compiled expressions may be this big.
const LARGEST: usize = 1 << 20;

/// Compiles an expression of Go's syntax; `None` when it is broken or too big.
pub(super) fn compile(expression: &str) -> Option<Regex> {
    RegexBuilder::new(&translate(expression)?).size_limit(LARGEST).build().ok()
}

/// Spells out what differs: classes are of ASCII, a `[` in a class and a `{` that counts nothing are themselves,
/// and `\Q…\E` quotes. A repetition of a repetition is refused.
fn translate(expression: &str) -> Option<String> {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    let mut in_class = false;
    let mut repeated = Repeated::No;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let (new, taken) = match c {
            '\\' => escaped(after, in_class),
            '[' if !in_class => {
                in_class = true;
                // Right behind the opening a `]` is itself.
                let opening = ["[^]", "[]", "[^"].into_iter().find(|opening| rest.starts_with(opening)).unwrap_or("[");
                (opening.replace(']', "\\]"), opening.len())
            }
            '[' if rest.starts_with("[:") => named_class(rest),
            '[' => ("\\[".to_owned(), 1),
            '&' | '~' if in_class => (format!("\\{c}"), 1),
            ']' => {
                let new = if in_class { "]" } else { "\\]" };
                in_class = false;
                (new.to_owned(), 1)
            }
            '{' if !in_class && !counts(after) => ("\\{".to_owned(), 1),
            c => (c.to_string(), c.len_utf8()),
        };
        let counted = !in_class && c == '{' && new == "{";
        repeated = if in_class { Repeated::No } else { repeated.then(c, counted)? };
        out.push_str(&new);
        // The rest of a count is part of the repetition.
        let count = if counted { after.split_once('}').map_or("", |(count, _)| count) } else { "" };
        out.push_str(count);
        if counted {
            out.push('}');
        }
        rest = rest.get(taken + if counted { count.len() + 1 } else { 0 }..).unwrap_or_default();
    }
    Some(out)
}

/// Whether what was read last is a repetition.
#[derive(Clone, Copy, PartialEq)]
enum Repeated {
    No,
    Yes,
    Lazy,
}

impl Repeated {
    fn then(self, c: char, counted: bool) -> Option<Self> {
        match (self, c) {
            (Self::Yes, '?') => Some(Self::Lazy),
            (Self::No, '*' | '+' | '?') => Some(Self::Yes),
            (Self::No, _) if counted => Some(Self::Yes),
            (_, '*' | '+' | '?') => None,
            _ if counted => None,
            _ => Some(Self::No),
        }
    }
}

/// What stands behind a backslash, and how much of the text that is with it.
fn escaped(after: &str, in_class: bool) -> (String, usize) {
    if let Some(quoted) = after.strip_prefix('Q').filter(|_| !in_class) {
        let (text, taken) = quoted.split_once("\\E").map_or((quoted, quoted.len()), |(text, _)| (text, text.len() + 2));
        return (regex::escape(text), 2 + taken);
    }
    let Some(c) = after.chars().next() else { return ("\\".to_owned(), 1) };
    let new = match c {
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r ]",
        'S' => r"[^\t\n\x0C\r ]",
        'b' if !in_class => r"(?-u:\b)",
        // Between the bytes of one character there is no place to be.
        'B' if !in_class => r"\B",
        _ => return (format!("\\{c}"), 1 + c.len_utf8()),
    };
    (new.to_owned(), 2)
}

/// `[:alpha:]` in a class.
fn named_class(rest: &str) -> (String, usize) {
    match rest.find(":]") {
        Some(end) => (rest.get(..end + 2).unwrap_or_default().to_owned(), end + 2),
        None => ("\\[".to_owned(), 1),
    }
}

/// Whether a `{` begins a count such as `{2}`, `{2,}` or `{2,5}`.
fn counts(after: &str) -> bool {
    let Some((inner, _)) = after.split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn expressions_are_gos() {
        let cases = [
            (r"^\w{40}$", "0123456789012345678901234567890123456789", true),
            (r"^\w+$", "é", false),
            (r"^[\w.-]+$", "a.b-c_1", true),
            (r"^[[a]$", "[", true),
            (r"^[]a]$", "]", true),
            (r"^[^]a]$", "b", true),
            (r"^[a&&b]$", "&", true),
            (r"^[[:digit:]]+$", "12", true),
            (r"^v{$", "v{", true),
            (r"^a{2,3}$", "aaa", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"\bmain\b", "my-main-1", true),
            (r"^[^\d]$", "x", true),
            ("^a]$", "a]", true),
            ("^a*?b{1,2}?$", "aabb", true),
            (r"^\*+$", "**", true),
            ("^[*+]+$", "*+", true),
        ];
        for (expression, text, fits) in cases {
            assert_eq!(compile(expression).map(|search| search.is_match(text)), Some(fits), "{expression} {text}");
        }
        for broken in ["([", "*", "(", r"a\", "[", r"\w{1001}{100}", "a**", "a{2}+"] {
            assert!(compile(broken).is_none(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), odd in r"[\\\[\](){}^$*+?|&~:a-zQE0-9,-]{0,12}") {
            let _ = compile(&text);
            let _ = compile(&odd);
        }
    }
}
