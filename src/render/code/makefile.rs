//! Makefiles.

use super::lexer::{Lexer, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "define endef undefine ifdef ifndef ifeq ifneq else endif include sinclude override export unexport private vpath",
    ),
    (
        "built_in",
        "subst patsubst strip findstring filter sort word wordlist firstword lastword dir notdir suffix basename addsuffix addprefix join wildcard realpath abspath error warning shell origin flavor foreach if or and call eval file value",
    ),
]);

/// Classifies a file.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        line(lx);
        lx.skip();
    }
}

/// One line: a rule opens with its target, the others are text with variables.
fn line(lx: &mut Lexer) {
    let end = lx.line_end();
    let text = &lx.code()[lx.pos()..end];
    let target = text.find(':').filter(|at| !text[*at..].starts_with(":=") && !text[*at..].starts_with("::="));
    if text.starts_with(".PHONY:") {
        lx.take("meta>keyword", 6);
        lx.plain = "meta";
    } else if target.is_some_and(|at| !text[..at].contains(['=', '#', '"', '\t', '(', '$']) && at > 0) {
        lx.plain = "section";
    }
    while lx.pos() < end {
        match lx.peek() {
            b'#' => {
                let escaped = lx.before() == b'\\';
                if escaped { lx.skip() } else { lx.comment(end, false) }
            }
            b'$' => variable(lx),
            b'"' => string(lx, end),
            byte if is_word(byte) || byte == b'-' => word(lx, text),
            _ => lx.skip(),
        }
    }
    lx.plain = "";
}

fn word(lx: &mut Lexer, line: &str) {
    let len = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    let word = &lx.rest()[..len];
    let keyword = !line.starts_with('\t') && lx.plain.is_empty() && lx.first_in_line();
    match WORDS.get(word.trim_start_matches('-')) {
        Some("keyword") if keyword => lx.take("keyword", len),
        _ => lx.skip_by(len),
    }
}

/// `$@`, `$(NAME)`, `$(function …)`
fn variable(lx: &mut Lexer) {
    let close = match lx.at(1) {
        b'(' => b')',
        b'{' => b'}',
        byte if b"@%<?^+*".contains(&byte) => return lx.take("variable", 2),
        _ => return lx.skip(),
    };
    let open = lx.at(1);
    lx.take("variable", 1);
    let end = lx.closing(open, close, 2000).map_or(lx.line_end(), |end| end + 1);
    lx.take("variable", 1);
    let name = lx.rest().bytes().take_while(|b| b.is_ascii_lowercase()).count();
    if lx.at(name) == b' ' && WORDS.get(&lx.rest()[..name]) == Some("built_in") {
        lx.take("built_in", name);
    }
    lx.take_to("variable", end);
}

/// A string on one line, in which variables are replaced.
fn string(lx: &mut Lexer, end: usize) {
    lx.take("string", 1);
    while lx.pos() < end {
        match lx.peek() {
            b'"' => return lx.take("string", 1),
            b'\\' => lx.take("string", 2),
            b'$' => {
                let outer = std::mem::replace(&mut lx.plain, "string");
                variable(lx);
                lx.plain = outer;
            }
            _ => lx.take("string", 1),
        }
    }
}
