//! PowerShell, which syntect's grammars without C lack.

use super::lexer::{Lexer, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "if else foreach return do while until elseif begin for trap data dynamicparam end break throw param continue finally in switch exit filter try process catch hidden static parameter",
    ),
    (
        "built_in",
        "echo cd ls cat cp mv rm dir del copy move type write sleep sort where select measure group tee curl wget kill ps pwd clear history man set ft fl",
    ),
]);

/// Classifies a script.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        match lx.peek() {
            b'<' if lx.at(1) == b'#' => {
                let end = lx.rest().find("#>").map_or(lx.code().len(), |at| lx.pos() + at + 2);
                lx.comment(end, false);
            }
            b'#' => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'"' => double_quoted(lx),
            b'\'' => lx.through("string", 1, "'"),
            b'@' if lx.starts("@\"") => lx.through("string", 2, "\"@"),
            b'@' if lx.starts("@'") => lx.through("string", 2, "'@"),
            b'`' => lx.skip_by(2),
            b'$' => variable(lx),
            b'-' if lx.at(1).is_ascii_alphabetic() && !is_word(lx.before()) => option(lx),
            b'[' if lx.at(1).is_ascii_alphabetic() => kind(lx),
            b'=' | b'+' | b'|' => lx.skip(),
            b'0'..=b'9' => match lx.number_len() {
                0 => lx.skip(),
                len => lx.take("number", len),
            },
            byte if is_word(byte) => word(lx),
            _ => lx.skip(),
        }
    }
}

/// A string in which variables are replaced.
fn double_quoted(lx: &mut Lexer) {
    lx.take("string", 1);
    while !lx.done() {
        match lx.peek() {
            b'"' => return lx.take("string", 1),
            b'`' => lx.take("string", 2),
            b'$' if is_word(lx.at(1)) || lx.at(1) == b'{' => variable(lx),
            _ => lx.take("string", 1),
        }
    }
}

/// `$name`, `$env:NAME`, `${name}`
fn variable(lx: &mut Lexer) {
    if lx.at(1) == b'{' {
        return lx.through("variable", 2, "}");
    }
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || *b == b':').count();
    match &lx.rest()[1..=len] {
        "" => lx.skip(),
        "true" | "false" | "null" => lx.take("literal", 1 + len),
        _ => lx.take("variable", 1 + len),
    }
}

/// `-Name` of a parameter or operator.
fn option(lx: &mut Lexer) {
    const OPERATORS: &str = " and as band bnot bor bxor ceq cge cgt clike cmatch cne contains creplace eq f ge gt in is isnot join le like lt match ne not notcontains notin notlike notmatch or replace split xor ";
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b)).count();
    let name = lx.rest()[1..=len].to_ascii_lowercase();
    lx.take(if OPERATORS.contains(&format!(" {name} ")) { "operator" } else { "literal" }, 1 + len);
}

/// `[type]`
fn kind(lx: &mut Lexer) {
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || *b == b'.').count();
    lx.skip();
    lx.take(if lx.at(len) == b']' { "type" } else { "" }, len);
}

/// A keyword, a command like `Get-Item`, or a function that is defined here.
fn word(lx: &mut Lexer) {
    let len = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
    let name = &lx.rest()[..len];
    if matches!(name, "function" | "class" | "enum") {
        lx.take("keyword", len);
        lx.blanks();
        let defined = lx.rest().bytes().take_while(|b| is_word(*b) || *b == b'-').count();
        return lx.take("title", defined);
    }
    let command = name.split_once('-').is_some_and(|(verb, noun)| {
        verb.bytes().all(|b| b.is_ascii_alphabetic()) && noun.starts_with(|c: char| c.is_ascii_uppercase())
    });
    match WORDS.get(&name.to_ascii_lowercase()) {
        Some(class) => lx.take(class, len),
        None => lx.take(if command { "built_in" } else { "" }, len),
    }
}
