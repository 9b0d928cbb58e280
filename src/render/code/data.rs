//! Small data and text formats: JSON, INI and TOML, diffs, HTTP messages, CSV-like key files.

use super::lexer::{Lexer, is_word};

/// JSON with comments.
pub(super) fn json(lx: &mut Lexer) {
    while !lx.done() {
        match lx.peek() {
            quote @ (b'"' | b'\'') => json_string(lx, quote),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => lx.take("punctuation", 1),
            b'/' if lx.at(1) == b'/' => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'/' if lx.at(1) == b'*' => lx.through("comment", 2, "*/"),
            b'-' | b'0'..=b'9' => json_number(lx),
            _ => match lx.word() {
                "" => lx.skip(),
                // As in highlight.js, a theme may colour either.
                word @ ("true" | "false" | "null") => lx.take("literal>keyword", word.len()),
                word => lx.skip_by(word.len()),
            },
        }
    }
}

/// A key or a string.
fn json_string(lx: &mut Lexer, quote: u8) {
    let bytes = lx.rest().as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    let class = if lx.next_visible(at + 1) == b':' { "attr" } else { "string" };
    lx.take(class, at + 1);
}

fn json_number(lx: &mut Lexer) {
    let sign = usize::from(lx.peek() == b'-' && lx.at(1).is_ascii_digit());
    lx.take("number", sign);
    match lx.number_len() {
        0 => lx.skip(),
        len => lx.take("number", len),
    }
}

/// INI and TOML.
pub(super) fn ini(lx: &mut Lexer) {
    while !lx.done() {
        lx.blanks();
        match lx.peek() {
            0 => break,
            b';' | b'#' => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'[' => {
                let line = &lx.code()[lx.pos()..lx.line_end()];
                let len = line
                    .find(']')
                    .map_or(line.len(), |at| at + 1 + line[at + 1..].bytes().take_while(|b| *b == b']').count());
                lx.take("section", len);
            }
            _ => ini_entry(lx),
        }
    }
}

/// `key = value`, the value perhaps a list over several lines.
fn ini_entry(lx: &mut Lexer) {
    let line = &lx.code()[lx.pos()..lx.line_end()];
    let quoted = line.strip_prefix('"').and_then(|rest| rest.find('"')).map_or(0, |at| at + 2);
    let bare = line[quoted..].bytes().take_while(|b| is_word(*b) || b".-*\"'".contains(b)).count();
    let key = quoted + bare;
    if key == 0 || lx.next_visible(key) != b'=' {
        return ini_values(lx, false);
    }
    lx.take("attr", key);
    ini_values(lx, true);
}

/// Values up to the end of the line, or of the list that they are in.
fn ini_values(lx: &mut Lexer, assigned: bool) {
    let mut brackets = 0_usize;
    while !lx.done() {
        match lx.peek() {
            b'\n' if brackets == 0 => return,
            b'#' | b';' if lx.before().is_ascii_whitespace() => lx.line("comment"),
            b'[' if assigned => {
                brackets += 1;
                lx.skip();
            }
            b'[' => {
                let end = lx.line_end();
                let len = lx.code()[lx.pos()..end].rfind(']').map_or(1, |at| at + 1);
                lx.take("section", len);
            }
            b']' => {
                brackets = brackets.saturating_sub(1);
                lx.skip();
            }
            b'"' | b'\'' if assigned => ini_string(lx),
            b'$' if assigned && (lx.at(1) == b'{' || is_word(lx.at(1))) => ini_variable(lx),
            b'+' | b'-' | b'0'..=b'9' if assigned => ini_number(lx),
            _ => match lx.word() {
                "" => lx.skip(),
                word if assigned && is_ini_literal(word) => lx.take("literal", word.len()),
                word => lx.take("", word.len()),
            },
        }
    }
}

fn is_ini_literal(word: &str) -> bool {
    ["true", "false", "on", "off", "yes", "no"].iter().any(|literal| literal.eq_ignore_ascii_case(word))
}

fn ini_string(lx: &mut Lexer) {
    let quote = lx.peek();
    for triple in ["\"\"\"", "'''"] {
        if lx.starts(triple) {
            return lx.through("string", 3, triple);
        }
    }
    lx.string("string", 1, quote, true);
}

fn ini_variable(lx: &mut Lexer) {
    if lx.at(1) == b'{' {
        return lx.through("variable", 2, "}");
    }
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b)).count();
    lx.take("variable", 1 + len);
}

fn ini_number(lx: &mut Lexer) {
    let sign = usize::from(!lx.peek().is_ascii_digit());
    let len =
        lx.rest()[sign..].bytes().take_while(|b| b.is_ascii_digit() || b"._xabcdefABCDEFTZ:+-".contains(b)).count();
    let digits = lx.rest()[sign..].bytes().take_while(|b| b.is_ascii_digit() || b"_.".contains(b)).count();
    if digits == 0 || is_word(lx.before()) {
        return lx.skip_by(sign.max(1));
    }
    lx.take("number", sign + if is_word(lx.at(sign + digits)) { len } else { digits });
}

/// Unified and context diffs.
pub(super) fn diff(lx: &mut Lexer) {
    while !lx.done() {
        let line = &lx.code()[lx.pos()..lx.line_end()];
        let class = match line.as_bytes().first() {
            _ if line.starts_with("@@") || line.starts_with("*** ") && line.ends_with(" ****") => "meta",
            _ if ["diff --git", "index ", "Index", "---", "*** ", "+++", "===", "***************"]
                .iter()
                .any(|p| line.starts_with(p)) =>
            {
                "comment"
            }
            Some(b'+') => "addition",
            Some(b'-') => "deletion",
            Some(b'!') => "addition",
            _ => "",
        };
        // A hunk's heading is followed by the function it is in.
        let end = if class == "meta" && line.starts_with("@@") {
            line[2..].find("@@").map_or(line.len(), |at| at + 4)
        } else {
            line.len()
        };
        lx.take(class, end);
        lx.line("");
        lx.skip();
    }
}

/// HTTP requests and answers: first line, headers, a body in JSON.
pub(super) fn http(lx: &mut Lexer) {
    let mut body = false;
    while !lx.done() {
        let line = lx.code()[lx.pos()..lx.line_end()].trim_end();
        if line.is_empty() && lx.pos() > 0 {
            body = true;
        }
        if body {
            let end = lx.code().len();
            return match lx.next_visible(0) {
                b'{' | b'[' => lx.embed(end, json),
                b'<' => lx.embed(end, super::markup::lex),
                _ => lx.take_to("", end),
            };
        }
        http_line(lx, line);
        lx.line("");
        lx.skip();
    }
}

fn http_line(lx: &mut Lexer, line: &str) {
    if line.starts_with("HTTP/") {
        let version = line.find(' ').unwrap_or(line.len());
        lx.take("meta", version);
        lx.skip();
        let digits = lx.rest().bytes().take_while(u8::is_ascii_digit).count();
        return lx.take("number", digits);
    }
    let method = line.bytes().take_while(u8::is_ascii_uppercase).count();
    if method > 1 && line[method..].starts_with(' ') && line.contains(" HTTP/") {
        lx.take("keyword", method);
        lx.skip();
        let target = lx.rest().find(' ').unwrap_or_default();
        lx.take("string", target);
        lx.skip();
        return lx.line("meta");
    }
    let name = line.bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    if name > 0 && line[name..].starts_with(':') {
        lx.take("attribute", name);
        lx.take("punctuation", 1);
    }
}
