//! Markdown shown as code.

use super::lexer::Lexer;

/// Classifies a document.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        let line = &lx.code()[lx.pos()..lx.line_end()];
        block(lx, line);
        lx.skip();
    }
}

/// What a line starts, then its text.
fn block(lx: &mut Lexer, line: &str) {
    let trimmed = line.trim_start_matches(' ');
    let indent = line.len() - trimmed.len();
    let hashes = trimmed.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&hashes) && indent == 0 {
        return inline(lx, "section");
    }
    if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
        return fence(lx, trimmed);
    }
    if (line.starts_with("    ") || line.starts_with('\t')) && list_mark(trimmed).is_none() {
        return lx.line("code");
    }
    if is_underlined(lx) {
        inline(lx, "section");
        lx.take("section", 1);
        return lx.line("section");
    }
    if trimmed.starts_with('>') && indent == 0 {
        lx.take("quote", 1);
        return inline(lx, "quote");
    }
    if is_rule(trimmed) && indent == 0 {
        return lx.line("");
    }
    if let Some(mark) = list_mark(trimmed) {
        lx.take("bullet", indent + mark);
    }
    inline(lx, "");
}

/// A thematic break, which has no class.
fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    line.len() >= 3 && ["-", "*"].iter().any(|mark| line.trim_matches(|c| mark.starts_with(c)).is_empty())
}

/// Whether the next line underlines this one as a heading.
fn is_underlined(lx: &Lexer) -> bool {
    let rest = &lx.code()[lx.line_end()..];
    let next = rest.strip_prefix('\n').unwrap_or_default().split('\n').next().unwrap_or_default().trim_end();
    let text = lx.code()[lx.pos()..lx.line_end()].trim();
    !text.is_empty() && next.len() >= 2 && (next.bytes().all(|b| b == b'=') || next.bytes().all(|b| b == b'-'))
}

/// Length of `-`, `*`, `+` or `1.` before a blank.
fn list_mark(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let mark =
        if digits > 0 { bytes.get(digits) == Some(&b'.') } else { bytes.first().is_some_and(|b| b"-*+".contains(b)) };
    (mark && bytes.get(digits + 1).is_some_and(u8::is_ascii_whitespace)).then_some(digits + 1)
}

/// A fenced block up to its end.
fn fence(lx: &mut Lexer, line: &str) {
    let mark = &line[..3];
    let body = lx.line_end();
    let rest = &lx.code()[body..];
    let mut at = 0;
    for next in rest.split_inclusive('\n').skip(1) {
        let start = rest.find('\n').map_or(0, |first| first + 1) + at;
        if next.trim_start().starts_with(mark) {
            return lx.take_to("code", body + start + next.trim_end().len());
        }
        at += next.len();
    }
    lx.take_to("code", lx.code().len());
}

/// Text with emphasis, code, links and raw HTML.
fn inline(lx: &mut Lexer, class: &'static str) {
    let end = lx.line_end();
    let outer = std::mem::replace(&mut lx.plain, class);
    while lx.pos() < end {
        let line = &lx.code()[lx.pos()..end];
        match lx.peek() {
            b'`' => match line[1..].find('`') {
                Some(at) => lx.take("code", at + 2),
                None => lx.skip(),
            },
            b'*' | b'_' => emphasis(lx, line),
            b'[' => link(lx, line),
            b'<' if super::markup::is_tag(lx) && is_markup(line) => {
                let close = lx.pos() + line.find('>').unwrap_or_default() + 1;
                lx.embed(close, |inner| {
                    super::markup::tag(inner, false);
                });
            }
            _ => lx.skip(),
        }
    }
    lx.plain = outer;
}

/// Whether the angle brackets hold a tag rather than an address.
fn is_markup(line: &str) -> bool {
    let inner = line.split('>').next().unwrap_or_default();
    line.contains('>') && !inner.contains("://") && !inner.contains('@')
}

fn emphasis(lx: &mut Lexer, line: &str) {
    for (mark, class) in [("**", "strong"), ("__", "strong"), ("*", "emphasis"), ("_", "emphasis")] {
        if let Some(inner) = line.strip_prefix(mark) {
            let word_before = mark == "_" && super::lexer::is_word(lx.before());
            let close = inner.find(mark).filter(|at| *at > 0 && !inner.starts_with([' ', '*', '_']) && !word_before);
            return match close {
                Some(at) => lx.take(class, at + 2 * mark.len()),
                None => lx.skip_by(mark.len()),
            };
        }
    }
}

/// `[text](target)` and `[text][label]`.
fn link(lx: &mut Lexer, line: &str) {
    let Some(close) = lx.closing(b'[', b']', line.len()).map(|at| at - lx.pos()) else { return lx.skip() };
    let (target, end) = match line.as_bytes().get(close + 1) {
        Some(b'(') => ("link", line[close..].find(')')),
        Some(b'[') => ("symbol", line[close + 1..].find(']').map(|at| at + 1)),
        Some(b':') if lx.first_in_line() => ("link", Some(line.len() - close)),
        _ => ("", None),
    };
    let Some(end) = end else { return lx.skip() };
    lx.skip();
    lx.take(if line.as_bytes()[close + 1] == b':' { "symbol" } else { "string" }, close - 1);
    lx.skip_by(2);
    lx.take(target, end.saturating_sub(2));
    lx.skip();
}
