//! YAML as highlight.js sees it: keys, scalars word by word, block scalars.

use super::lexer::Lexer;

/// Classifies a YAML document.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        line(lx);
        if lx.peek() == b'\n' {
            lx.skip();
        }
    }
}

/// One line, and the block scalar that it opens.
fn line(lx: &mut Lexer) {
    let start = lx.pos();
    if lx.starts("---") && lx.rest()[3..].bytes().take_while(|b| *b != b'\n').all(|b| b.is_ascii_whitespace()) {
        return lx.line("meta");
    }
    while !lx.done() && lx.peek() != b'\n' {
        match lx.peek() {
            b'-' if matches!(lx.at(1), b' ' | b'\n' | 0) => lx.take("bullet", 1),
            b'#' if lx.before().is_ascii_whitespace() => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'|' | b'>' if is_block_header(lx) => return block(lx, start),
            b'&' | b'*' if !lx.at(1).is_ascii_whitespace() => word(lx, "meta"),
            b'!' => word(lx, "type"),
            b'{' if lx.at(1) == b'{' || lx.at(1) == b'%' => lx.through("template-variable", 2, "}"),
            b' ' | b'\t' | b'\r' | b'[' | b'{' => lx.skip(),
            b']' | b'}' | b',' if in_flow(lx) => lx.skip(),
            b'"' | b'\'' => quoted(lx),
            b'<' if lx.starts("<%") => lx.through("string", 2, "%>"),
            _ => key_or_scalar(lx),
        }
    }
}

/// Whether `|` or `>` at the cursor opens a block scalar: only its indicators follow on the line.
fn is_block_header(lx: &Lexer) -> bool {
    let line = &lx.code()[lx.pos()..lx.line_end()];
    let indicators =
        line[1..].trim_end().trim_start_matches(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    lx.before() == b' ' && (indicators.is_empty() || indicators.trim_start().starts_with('#'))
}

/// A block scalar: the lines indented deeper than the one that opened it.
fn block(lx: &mut Lexer, start: usize) {
    let code = lx.code();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let outer = indent(&code[start..]);
    let mut end = lx.line_end();
    let mut last = end;
    while end < code.len() {
        let line = code[end + 1..].split('\n').next().unwrap_or_default();
        let blank = line.trim().is_empty();
        if !blank && indent(line) <= outer {
            break;
        }
        end += 1 + line.len();
        if !blank {
            last = end;
        }
    }
    lx.take_to("string", last);
}

/// A word that ends at a blank or a flow indicator.
fn word(lx: &mut Lexer, class: &'static str) {
    let len = lx.rest().bytes().take_while(|b| !b.is_ascii_whitespace() && !b",]}".contains(b)).count();
    lx.take(class, len.max(1));
}

/// A quoted key or string.
fn quoted(lx: &mut Lexer) {
    let quote = lx.peek();
    let bytes = lx.rest().as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote == b'"' { 2 } else { 1 };
    }
    let is_key = lx.at(at + 1) == b':' && matches!(lx.at(at + 2), b' ' | b'\n' | b'\r' | b'\t' | 0);
    if is_key && !lx.rest().as_bytes()[..at].contains(&b'\n') {
        return lx.take("attr", at + 2);
    }
    let end = lx.pos() + at + 1;
    while let Some(open) = lx.code().get(lx.pos()..end).and_then(|text| text.find("{{")) {
        lx.take("string", open);
        lx.through("template-variable", 2, "}}");
    }
    lx.take_to("string", end);
}

/// A key up to its colon, else one word of a scalar.
fn key_or_scalar(lx: &mut Lexer) {
    if let Some(len) = key_len(lx) {
        return lx.take("attr", len);
    }
    let first = lx.rest().split(char::is_whitespace).next().unwrap_or_default();
    let flow = first.find([',', ']', '}']).filter(|_| in_flow(lx)).unwrap_or(first.len());
    let word = &first[..flow];
    let letters = word.bytes().take_while(|b| super::lexer::is_word(*b)).count();
    match number_len(word) {
        _ if is_literal(&word[..letters]) && !word[letters..].starts_with('.') => lx.take("literal", letters),
        0 => lx.take("string", word.len().max(1)),
        len => {
            lx.take("number", len);
            lx.take("string", word.len() - len);
        }
    }
}

/// Whether a flow collection is open on the line.
fn in_flow(lx: &Lexer) -> bool {
    let line = lx.code()[..lx.pos()].rsplit('\n').next().unwrap_or_default();
    line.contains(['[', '{'])
}

/// Length of a plain key with its colon.
fn key_len(lx: &Lexer) -> Option<usize> {
    let line = &lx.code()[lx.pos()..lx.line_end()];
    let bytes = line.as_bytes();
    if !(bytes[0].is_ascii_alphanumeric() || b"_*@".contains(&bytes[0])) {
        return None;
    }
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' if bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace) => return Some(at + 1),
            b':' | b' ' | b'(' | b')' | b'.' | b'/' | b'-' | b'_' | b'*' | b'@' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return None,
        }
    }
    None
}

/// The words that stand for true, false and nothing.
fn is_literal(word: &str) -> bool {
    matches!(word, "true" | "false" | "yes" | "no" | "null" | "True" | "False" | "Yes" | "No" | "Null")
        || matches!(word, "TRUE" | "FALSE" | "YES" | "NO" | "NULL")
}

/// Length of a number, date or version of digits that ends at a word boundary.
fn number_len(word: &str) -> usize {
    let bytes = word.as_bytes();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    if !bytes.get(sign).is_some_and(u8::is_ascii_digit) {
        return 0;
    }
    let is_date = bytes.len() >= 10
        && bytes[..10]
            .iter()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if is_date {
        return bytes.iter().take_while(|b| b.is_ascii_digit() || b"-:.TtZz+".contains(b)).count();
    }
    if let Some(hex) = word[sign..].strip_prefix("0x") {
        return sign + 2 + hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    }
    let mut end = sign;
    loop {
        let run = bytes[end..].iter().take_while(|b| b.is_ascii_digit()).count();
        end += run;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end += 1;
            continue;
        }
        break;
    }
    if bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') { 0 } else { end }
}
