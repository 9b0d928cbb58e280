//! Selector text → its parts, by CSS tokens.

use std::ops::Range;

use cssparser::{ParseError, Parser, Token};

/// Arguments of pseudo-classes are followed this deep; deeper ones are kept as they are.
pub(super) const MAX_DEPTH: usize = 24;

/// What a part of a selector is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PartKind {
    /// White space.
    Space,
    /// A comment.
    Comment,
    /// `,`
    Comma,
    /// `>`, `+`, `~`, `|`
    Combinator,
    /// `h1`
    Type,
    /// `*`
    Universal,
    /// `.class`, `#id`, `[attribute]`, `:pseudo-class`
    Simple,
    /// `:root`
    Root,
    /// `::pseudo-element`
    PseudoElement,
    /// `:is(…)`, `::part(…)`; the range is what stands in the parentheses.
    Function(Range<usize>),
    /// `&`
    Nesting,
    /// Anything else.
    Other,
}

/// A part and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: PartKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Part {
    /// The part's text, given the text it was read from.
    pub(super) fn text<'t>(&self, selector: &'t str) -> &'t str {
        selector.get(self.start..self.end).unwrap_or("")
    }

    /// Whether the part stands between compound selectors.
    pub(super) fn separates(&self) -> bool {
        matches!(self.kind, PartKind::Space | PartKind::Comma | PartKind::Combinator)
    }
}

/// Splits a selector list into parts that together are the whole text.
pub(super) fn parts(selector: &str) -> Vec<Part> {
    let mut parser = Parser::new(selector);
    let mut found: Vec<Part> = Vec::with_capacity(8);
    // Where a `.` or `:` begins that belongs to the next name.
    let mut prefix: Option<(usize, Prefix)> = None;
    loop {
        let start = parser.position().byte_index();
        let Ok(token) = parser.next_including_whitespace_and_comments() else { break };
        let (token_kind, function) = classify(token);
        if function {
            let inner = parser.position().byte_index();
            skip_block(&mut parser);
            let end = parser.position().byte_index();
            let last = if selector.as_bytes()[..end].ends_with(b")") && end > inner { end - 1 } else { end };
            finish(&mut found, prefix.take(), start, end, TokenKind::Function(inner..last), selector);
            continue;
        }
        if matches!(token_kind, TokenKind::Block) {
            skip_block(&mut parser);
        }
        let end = parser.position().byte_index();
        match (token_kind, &mut prefix) {
            (TokenKind::Dot, None) => prefix = Some((start, Prefix::Dot)),
            (TokenKind::Colon, None) => prefix = Some((start, Prefix::Colon)),
            (TokenKind::Colon, Some((_, kind @ Prefix::Colon))) => *kind = Prefix::Colons,
            (kind, _) => finish(&mut found, prefix.take(), start, end, kind, selector),
        }
    }
    if let Some((start, _)) = prefix {
        found.push(Part { kind: PartKind::Other, start, end: selector.len() });
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Dot,
    Colon,
    Colons,
}

enum TokenKind {
    Dot,
    Colon,
    Name,
    Function(Range<usize>),
    Block,
    Plain(PartKind),
}

fn classify(token: &Token<'_>) -> (TokenKind, bool) {
    let kind = match token {
        Token::Delim('.') => TokenKind::Dot,
        Token::Colon => TokenKind::Colon,
        Token::Ident(_) => TokenKind::Name,
        Token::Function(_) => return (TokenKind::Name, true),
        Token::SquareBracketBlock | Token::ParenthesisBlock | Token::CurlyBracketBlock => TokenKind::Block,
        Token::Hash(_) | Token::IDHash(_) => TokenKind::Plain(PartKind::Simple),
        Token::WhiteSpace(_) => TokenKind::Plain(PartKind::Space),
        Token::Comment(_) => TokenKind::Plain(PartKind::Comment),
        Token::Comma => TokenKind::Plain(PartKind::Comma),
        Token::Delim('>' | '+' | '~' | '|') => TokenKind::Plain(PartKind::Combinator),
        Token::Delim('*') => TokenKind::Plain(PartKind::Universal),
        Token::Delim('&') => TokenKind::Plain(PartKind::Nesting),
        _ => TokenKind::Plain(PartKind::Other),
    };
    (kind, false)
}

/// Adds the part that a token ends, together with the `.` or `:` before it.
fn finish(
    found: &mut Vec<Part>,
    prefix: Option<(usize, Prefix)>,
    start: usize,
    end: usize,
    token: TokenKind,
    selector: &str,
) {
    let from = prefix.map_or(start, |(at, _)| at);
    let kind = match (token, prefix.map(|(_, kind)| kind)) {
        (TokenKind::Name, None) => PartKind::Type,
        (TokenKind::Name, Some(Prefix::Dot)) => PartKind::Simple,
        (TokenKind::Name, Some(Prefix::Colons)) => PartKind::PseudoElement,
        (TokenKind::Name, Some(Prefix::Colon)) => pseudo(selector.get(start..end).unwrap_or("")),
        (TokenKind::Function(inner), Some(Prefix::Colon | Prefix::Colons)) => PartKind::Function(inner),
        (TokenKind::Block, None) => PartKind::Simple,
        (TokenKind::Plain(kind), None) => kind,
        (kind, Some(_)) => {
            // A stray `.` or `:`; the token stands for itself.
            found.push(Part { kind: PartKind::Other, start: from, end: start });
            return finish(found, None, start, end, kind, selector);
        }
        _ => PartKind::Other,
    };
    found.push(Part { kind, start: from, end });
}

fn pseudo(name: &str) -> PartKind {
    match name {
        "root" => PartKind::Root,
        "before" | "after" | "first-line" | "first-letter" => PartKind::PseudoElement,
        _ => PartKind::Simple,
    }
}

fn skip_block(parser: &mut Parser<'_>) {
    // Leaving the closure makes the parser run to the end of the block.
    let _: Result<(), ParseError<()>> = parser.parse_nested_block(|_| Ok(()));
}

/// Splits a selector list at its top-level commas; the pieces are trimmed.
pub(super) fn split_list(list: &str) -> Vec<&str> {
    if !list.contains(',') {
        return vec![list.trim()];
    }
    let mut from = 0;
    let mut pieces = Vec::new();
    for part in parts(list) {
        if part.kind == PartKind::Comma {
            pieces.push(list.get(from..part.start).unwrap_or("").trim());
            from = part.end;
        }
    }
    pieces.push(list.get(from..).unwrap_or("").trim());
    pieces
}

/// Weight of a selector: ids, classes, types.
pub(super) fn specificity(selector: &str, depth: usize) -> [usize; 3] {
    let mut sum = [0; 3];
    for part in parts(selector) {
        match part.kind {
            PartKind::Simple if part.text(selector).starts_with('#') => sum[0] += 1,
            PartKind::Simple | PartKind::Root => sum[1] += 1,
            PartKind::Type | PartKind::PseudoElement => sum[2] += 1,
            PartKind::Function(inner) => {
                let name = selector.get(part.start..inner.start).unwrap_or("");
                let own = match name {
                    ":where(" => [0; 3],
                    ":is(" | ":not(" | ":has(" if depth < MAX_DEPTH => split_list(selector.get(inner).unwrap_or(""))
                        .into_iter()
                        .map(|argument| specificity(argument, depth + 1))
                        .max()
                        .unwrap_or_default(),
                    _ => [0, 1, 0],
                };
                for (total, n) in sum.iter_mut().zip(own) {
                    *total += n;
                }
            }
            _ => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(selector: &str) -> Vec<(&str, PartKind)> {
        parts(selector).iter().map(|part| (part.text(selector), part.kind.clone())).collect()
    }

    #[test]
    fn parts_are_what_css_calls_them() {
        use PartKind::{Combinator, Comma, Function, Nesting, PseudoElement, Root, Simple, Space, Type, Universal};
        assert_eq!(
            kinds("a.b#c[d='e,f']:hover>*, :root:is(g)::after &"),
            [
                ("a", Type),
                (".b", Simple),
                ("#c", Simple),
                ("[d='e,f']", Simple),
                (":hover", Simple),
                (">", Combinator),
                ("*", Universal),
                (",", Comma),
                (" ", Space),
                (":root", Root),
                (":is(g)", Function(33..34)),
                ("::after", PseudoElement),
                (" ", Space),
                ("&", Nesting),
            ]
        );
    }

    #[test]
    fn parts_cover_odd_text_without_gaps() {
        for odd in [
            "a)", "b:", "..a", ":::b", "a..", "(", "[", "a:is(", "/*", "\\", "'x", "a|b", "%", ".1a", "a:is(b", "é > ü",
        ] {
            let whole: String = parts(odd).iter().map(|part| part.text(odd)).collect();
            assert_eq!(whole, odd);
        }
    }

    #[test]
    fn specificity_counts_the_heaviest_argument() {
        assert_eq!(specificity("section.a > p::before", 0), [0, 1, 3]);
        assert_eq!(specificity(":is(a, #b .c):where(#d)", 0), [1, 1, 0]);
    }
}
