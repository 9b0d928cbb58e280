//! Declaration values: `rem` made relative to the slide, animations renamed.

use std::collections::BTreeSet;
use std::ops::Range;

use cssparser::{ParseError, Parser, Token};

/// Functions are followed this deep; deeper ones are kept as they are.
const MAX_DEPTH: usize = 32;

/// Writes a value; lengths in `rem` count from the slide's font size.
///
/// Strings, `url()`, `var()` and `attr()` keep their text, as in Marp.
pub(super) fn write(value: &str, out: &mut String) {
    if !value.contains("rem") {
        out.push_str(value);
        return;
    }
    let mut found = Vec::new();
    collect_rem(&mut Parser::new(value), value, 0, &mut found);
    replace(value, &found, out, |number, out| {
        out.push_str("calc(var(--marpit-root-font-size, 1rem) * ");
        out.push_str(number.strip_suffix("rem").unwrap_or(number));
        out.push(')');
    });
}

fn collect_rem<'i>(parser: &mut Parser<'i>, value: &str, depth: usize, found: &mut Vec<Range<usize>>) {
    loop {
        let start = parser.position().byte_index();
        let inner = match parser.next_including_whitespace_and_comments() {
            Err(_) => return,
            Ok(Token::Dimension { .. }) => {
                let range = start..parser.position().byte_index();
                if value.get(range.clone()).is_some_and(is_rem) {
                    found.push(range);
                }
                continue;
            }
            Ok(Token::Function(name)) => {
                !["var", "attr", "url"].iter().any(|skipped| name.eq_ignore_ascii_case(skipped))
            }
            Ok(Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock) => true,
            Ok(_) => continue,
        };
        let _: Result<(), ParseError<()>> = parser.parse_nested_block(|nested| {
            if inner && depth < MAX_DEPTH {
                collect_rem(nested, value, depth + 1, found);
            }
            Ok(())
        });
    }
}

/// Whether a dimension's unit is exactly `rem`: the text before it ends a number.
fn is_rem(dimension: &str) -> bool {
    dimension
        .strip_suffix("rem")
        .is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok())
}

/// Writes a value with the names of animations, where they occur, made `NAME-KEY`.
pub(super) fn rename_animations(value: &str, names: &BTreeSet<String>, key: &str) -> String {
    let mut found = Vec::new();
    let mut parser = Parser::new(value);
    loop {
        let start = parser.position().byte_index();
        let named = match parser.next_including_whitespace_and_comments() {
            Err(_) => break,
            Ok(Token::Ident(name) | Token::QuotedString(name)) => names.contains(name.as_ref()),
            Ok(Token::Function(_) | Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock) => {
                let _: Result<(), ParseError<()>> = parser.parse_nested_block(|_| Ok(()));
                false
            }
            Ok(_) => false,
        };
        if named {
            found.push(start..parser.position().byte_index());
        }
    }
    let mut out = String::with_capacity(value.len() + 16);
    replace(value, &found, &mut out, |name, out| push_renamed(name, key, out));
    out
}

/// Writes the name of an animation, quoted or not, with the key behind it.
pub(super) fn push_renamed(name: &str, key: &str, out: &mut String) {
    let quote = name.chars().last().filter(|c| matches!(c, '"' | '\''));
    out.push_str(quote.map_or(name, |q| name.strip_suffix(q).unwrap_or(name)));
    out.push('-');
    out.push_str(key);
    out.extend(quote);
}

/// The name an `@keyframes` prelude gives, without quotes.
pub(super) fn animation_name(prelude: &str) -> String {
    let mut parser = Parser::new(prelude);
    match parser.next() {
        Ok(Token::Ident(name) | Token::QuotedString(name)) => name.as_ref().to_owned(),
        _ => prelude.to_owned(),
    }
}

fn replace(value: &str, ranges: &[Range<usize>], out: &mut String, mut write: impl FnMut(&str, &mut String)) {
    let mut from = 0;
    for range in ranges {
        out.push_str(value.get(from..range.start).unwrap_or(""));
        write(value.get(range.clone()).unwrap_or(""), out);
        from = range.end;
    }
    out.push_str(value.get(from..).unwrap_or(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut out = String::new();
        write(value, &mut out);
        out.replace("calc(var(--marpit-root-font-size, 1rem) * ", "rem(")
    }

    #[test]
    fn rem_counts_from_the_slide() {
        assert_eq!(written("1.5rem 2rem -.5rem 0rem"), "rem(1.5) rem(2) rem(-.5) rem(0)");
        assert_eq!(written("calc(100% - min(2rem, 3px))!important"), "calc(100% - min(rem(2), 3px))!important");
        assert_eq!(written("+1e2rem"), "rem(+1e2)");
    }

    #[test]
    fn rem_stays_in_strings_addresses_variables_and_other_units() {
        for same in [
            "'1rem' \"2rem\"",
            "url(1rem.png) url('2rem')",
            "var(--a, 1rem)",
            "attr(d 1rem)",
            "1REM",
            "1remx",
            "a1rem",
            "#1rem",
            "1\\72em",
            "theorem",
        ] {
            assert_eq!(written(same), same);
        }
    }

    #[test]
    fn deep_functions_do_not_overflow() {
        let deep = format!("{}1rem", "f(".repeat(200_000));
        assert_eq!(written(&deep), deep);
    }

    #[test]
    fn animations_are_renamed_by_whole_names() {
        let names = BTreeSet::from(["k".to_owned(), "q".to_owned()]);
        assert_eq!(
            rename_animations("k 1s, kk k-1 'q' 2s k var(--k)", &names, "KEY"),
            "k-KEY 1s, kk k-1 'q-KEY' 2s k-KEY var(--k)"
        );
    }
}
