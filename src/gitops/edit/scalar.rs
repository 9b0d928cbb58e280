//! How a text is written as one YAML scalar, so that every reader reads it back as that text.

use granit_parser::ScalarStyle;
use serde_json::Value;

/// Where the scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    /// On a line of its own, behind `key: ` or `- `.
    Block,
    /// Between brackets or braces, where commas and brackets end it.
    Flow,
}

/// The value that a plain scalar is read as.
pub(super) fn plain_value(text: &str) -> Value {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    // `.inf` and the like are no JSON; all that matters here is that they are no text.
    serde_saphyr::from_str_with_options(text, options).unwrap_or(Value::Null)
}

/// Writes a text, in the given style if it can be written so.
pub(super) fn write(text: &str, style: ScalarStyle, context: Context) -> String {
    match style {
        ScalarStyle::DoubleQuoted => double_quoted(text),
        ScalarStyle::SingleQuoted if fits_single_quotes(text) => single_quoted(text),
        ScalarStyle::SingleQuoted => double_quoted(text),
        _ if fits_plain(text, context) => text.to_owned(),
        _ if fits_single_quotes(text) => single_quoted(text),
        _ => double_quoted(text),
    }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A character that YAML lets stand for itself, line breaks and tabs aside.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn fits_single_quotes(text: &str) -> bool {
    // Blanks at the ends are kept by quotes, but editors love to strip them.
    text.chars().all(is_printable)
}

/// Whether a text can stand without quotes and still be text to every reader.
fn fits_plain(text: &str, context: Context) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let breaks = |c: char| !is_printable(c) || (context == Context::Flow && ",[]{}".contains(c));
    !first.is_whitespace()
        && !text.ends_with(char::is_whitespace)
        && !"-?:,[]{}#&*!|>'\"%@`=<".contains(first)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.starts_with("...")
        && !(context == Context::Flow && text.contains(':') && text.contains([',', '[', ']', '{', '}']))
        && !text.chars().any(breaks)
        && !may_mean_something(text)
}

/// Whether some reader takes a plain text for a number, a truth value, a date or nothing.
fn may_mean_something(text: &str) -> bool {
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) || matches!(lower.trim_start_matches(['.', '+']), "inf" | "nan") {
        return true;
    }
    // Sexagesimal numbers and dates are told from plain text by early readers only.
    let numeric = lower.starts_with(|c: char| c.is_ascii_digit() || "+.".contains(c));
    let only = |more: &str| lower.chars().all(|c| c.is_ascii_digit() || more.contains(c));
    let date = lower.get(..10).is_some_and(|day| {
        day.chars().enumerate().all(|(at, c)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() })
    });
    (numeric && (only("_:") || only("_:.") && lower.contains(':') || date)) || !plain_value(text).is_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        write(text, ScalarStyle::Plain, Context::Block)
    }

    #[test]
    fn what_means_something_else_is_quoted() {
        let same = [
            "example/web:1.2",
            "1.5.0",
            "semver:~1",
            "regexp:(.*?)",
            "glob:*",
            "v1",
            "Ann <ann@example.com>",
            "1.0-rc1",
        ];
        for text in same {
            assert_eq!(plain(text), text);
        }
        let quoted = [
            "true",
            "No",
            "1.5",
            "1e3",
            "1234e56",
            "012",
            "",
            "~",
            "null",
            "*x",
            "a: b",
            "a #b",
            " a",
            "a ",
            "12:30",
            "2024-01-01",
            "x:",
            ".inf",
            "[a]",
            "- a",
            "<<",
            "%a",
            "-1",
            "0x1f",
            "1_000",
            "y",
        ];
        for text in quoted {
            assert_eq!(plain(text), format!("'{text}'"));
        }
        assert_eq!(plain("it's: so"), "'it''s: so'");
        assert_eq!(plain("a\nb\u{7}"), "\"a\\nb\\u0007\"");
        assert_eq!(write("a,b", ScalarStyle::Plain, Context::Flow), "'a,b'");
        assert_eq!(write("a\"b\\", ScalarStyle::DoubleQuoted, Context::Block), "\"a\\\"b\\\\\"");
        assert_eq!(write("a\nb", ScalarStyle::SingleQuoted, Context::Block), "\"a\\nb\"");
    }

    fn read(text: &str) -> Value {
        let options = serde_saphyr::options! { legacy_octal_numbers: true };
        serde_saphyr::from_str_with_options(text, options).unwrap()
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>(), odd in "[-?:,\\[\\]{}#&*!|>'\"%@` a1._~\n]{0,6}") {
            for text in [text, odd] {
                for style in [ScalarStyle::Plain, ScalarStyle::SingleQuoted, ScalarStyle::DoubleQuoted] {
                    let block = format!("k: {}\n", write(&text, style, Context::Block));
                    prop_assert_eq!(read(&block), serde_json::json!({"k": text}), "{}", block);
                    let flow = format!("[{{k: {}, l: m}}]", write(&text, style, Context::Flow));
                    prop_assert_eq!(read(&flow), serde_json::json!([{"k": text, "l": "m"}]), "{}", flow);
                }
            }
        }
    }
}
