//! CSS, and what SCSS and Less add to it.

use super::lexer::{Lexer, is_word};

/// Classifies a style sheet.
pub(super) fn lex(lx: &mut Lexer) {
    let mut depth = 0_usize;
    while !lx.done() {
        match lx.peek() {
            b'/' if lx.at(1) == b'*' && lx.c_comment(false) => {}
            b'/' if lx.at(1) == b'/' && !lx.starts("//*") && lx.first_in_line() => lx.line("comment"),
            b'@' => at_rule(lx),
            b'{' => {
                depth += 1;
                lx.skip();
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                lx.skip();
            }
            b'"' | b'\'' => lx.string("string", 1, lx.peek(), false),
            _ if declares(lx, depth) => declaration(lx),
            _ => selector(lx),
        }
    }
}

/// Whether `name:` of a declaration stands at the cursor rather than a selector.
fn declares(lx: &Lexer, depth: usize) -> bool {
    let rest = lx.rest();
    let name = rest.bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    if name == 0 || is_word(lx.before()) || b".#:-".contains(&lx.before()) {
        return false;
    }
    let after = rest[name..].trim_start_matches([' ', '\t']);
    if !after.starts_with(':') || after.starts_with("::") {
        return false;
    }
    let end = after.find([';', '{', '}', '\n']).unwrap_or(after.len());
    let ends_with_brace = after[end..].starts_with('{');
    (depth > 0 || name > 0 && !is_known_tag(&rest[..name])) && !ends_with_brace
}

/// `name: value`
fn declaration(lx: &mut Lexer) {
    let name = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    let custom = lx.starts("--");
    let dashed = lx.starts("$");
    let prefix = ["-webkit-", "-moz-", "-ms-", "-o-"].into_iter().find(|prefix| lx.starts(prefix)).map_or(0, str::len);
    lx.skip_by(prefix);
    lx.take(if custom { "attr" } else { "attribute" }, name - prefix);
    if dashed {
        return;
    }
    value(lx);
}

/// A value up to `;` or the end of the block.
fn value(lx: &mut Lexer) {
    while !lx.done() {
        match lx.peek() {
            b';' => return lx.skip(),
            b'{' | b'}' => return,
            b'/' if lx.at(1) == b'*' => lx.through("comment", 2, "*/"),
            b'"' | b'\'' => lx.string("string", 1, lx.peek(), false),
            b'#' if lx.at(1).is_ascii_hexdigit() => {
                let len = lx.rest()[1..].bytes().take_while(u8::is_ascii_hexdigit).count();
                lx.take("number", 1 + len);
            }
            b'!' if lx.starts("!important") => lx.take("meta", 10),
            b'$' => variable(lx),
            b'-' if lx.at(1).is_ascii_digit() || lx.at(1) == b'.' => lx.skip(),
            b'+' | b'.' | b'0'..=b'9' if number(lx) => {}
            _ => value_word(lx),
        }
    }
}

fn value_word(lx: &mut Lexer) {
    let len = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    if len == 0 {
        return lx.skip();
    }
    if lx.at(len) != b'(' {
        return lx.skip_by(len);
    }
    let is_url = lx.starts("url(") && !matches!(lx.at(4), b'"' | b'\'');
    lx.take("built_in", len);
    if is_url {
        lx.skip();
        let end = lx.rest().find(')').unwrap_or(lx.rest().len());
        lx.take("string", end);
    }
}

fn variable(lx: &mut Lexer) {
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    lx.take("variable", 1 + len);
}

/// Takes a number with its unit.
fn number(lx: &mut Lexer) -> bool {
    let sign = usize::from(lx.peek() == b'+');
    let bytes = lx.rest().as_bytes();
    let digits = bytes[sign..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if is_word(lx.before()) || !bytes[sign..sign + digits].iter().any(u8::is_ascii_digit) {
        return false;
    }
    let unit = match bytes.get(sign + digits) {
        Some(b'%') => 1,
        _ => bytes[sign + digits..].iter().take_while(|b| b.is_ascii_alphabetic()).count(),
    };
    lx.take("number", sign + digits + unit);
    true
}

/// `@media (…) and …`
fn at_rule(lx: &mut Lexer) {
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    lx.take("keyword", 1 + len);
    while !lx.done() {
        match lx.peek() {
            b'{' | b';' => return,
            b'"' | b'\'' => lx.string("string", 1, lx.peek(), false),
            b'.' | b'0'..=b'9' if number(lx) => {}
            _ => {
                let len = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
                match &lx.rest()[..len] {
                    "" => lx.skip(),
                    "and" | "or" | "not" | "only" => lx.take("keyword", len),
                    _ if lx.next_visible(len) == b':' => lx.take("attribute", len),
                    _ => lx.skip_by(len),
                }
            }
        }
    }
}

/// One part of a selector.
fn selector(lx: &mut Lexer) {
    let name = |lx: &Lexer, from: usize| {
        lx.code()[(lx.pos() + from).min(lx.code().len())..].bytes().take_while(|b| is_word(*b) || *b == b'-').count()
    };
    match lx.peek() {
        b'.' if name(lx, 1) > 0 => lx.take("selector-class", 1 + name(lx, 1)),
        b'#' if name(lx, 1) > 0 => lx.take("selector-id", 1 + name(lx, 1)),
        b':' if name(lx, 1) > 0 => lx.take("selector-pseudo", 1 + name(lx, 1)),
        b':' if lx.at(1) == b':' && name(lx, 2) > 0 => lx.take("selector-pseudo", 2 + name(lx, 2)),
        b'[' => lx.through("selector-attr", 1, "]"),
        b'$' => variable(lx),
        b'0'..=b'9' if number(lx) => {}
        _ => match name(lx, 0) {
            0 => lx.skip(),
            len if is_known_tag(&lx.rest()[..len]) => lx.take("selector-tag", len),
            len => lx.skip_by(len),
        },
    }
}

/// Elements that selectors name.
fn is_known_tag(name: &str) -> bool {
    const TAGS: &str = " a abbr address article aside audio b blockquote body button canvas caption cite code dd del details dfn div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup html i iframe img input ins kbd label legend li main mark menu nav object ol optgroup option p picture q quote samp section select source span strong summary sup table tbody td textarea tfoot th thead time tr ul var video svg path circle rect line g defs text use ";
    !name.is_empty() && TAGS.contains(&format!(" {name} "))
}
