//! Code blocks as HTML with the `hljs-*` classes that Marp's themes style.
//!
//! Two engines. The languages that talks are full of have small lexers of our own; everything else goes
//! through syntect, whose scopes a table maps to classes. The split is for speed: syntect compiles a
//! grammar's regular expressions when it meets them, and for a first block that costs 6 ms for YAML,
//! 36 ms for bash, 40 ms for Python, 65 ms for JavaScript and 200 ms for TypeScript, where a whole deck has
//! to be exported in about 10 ms. A lexer of ours needs microseconds, has nothing to load, and follows
//! highlight.js's view of a language more closely than scopes can. The grammars are loaded when a deck
//! first has a language that needs them (about 2 ms), never otherwise.

mod c;
mod css;
mod data;
mod go;
mod java;
mod language;
mod lexer;
mod makefile;
mod markdown;
mod markup;
mod powershell;
mod python;
mod rust;
mod scope;
mod script;
mod shell;
mod sql;
mod yaml;

use language::Engine;
use lexer::{Class, Lexer, PLAIN, Run};

/// Blocks above this size, in bytes, are only escaped.
const MAX_BLOCK: usize = 200 * 1024;
/// The same for syntect, whose regular expressions need up to 0.2 ms for a byte of the worst input.
const MAX_GRAMMAR_BLOCK: usize = 20 * 1024;
/// Blocks with a line above this length, in bytes, are only escaped.
const MAX_LINE: usize = 2000;

/// Appends `code` to `out` as escaped HTML with `<span class="hljs-…">` around tokens.
///
/// `language` is the first word of the info string. Returns whether the language is known;
/// unknown languages are only escaped.
pub fn highlight(out: &mut String, language: &str, code: &str) -> bool {
    out.reserve(code.len() + code.len() / 2);
    let Some(engine) = language::find(language) else {
        escape(out, code);
        return false;
    };
    let mut start = 0;
    for run in runs(engine, code) {
        piece(out, run.class, &code[start..run.end]);
        start = run.end;
    }
    escape(out, &code[start..]);
    true
}

/// The same, a string for every line without its line end; spans are closed where a line ends.
///
/// Nothing when the language is unknown.
#[must_use]
pub fn highlight_lines(language: &str, code: &str) -> Option<Vec<String>> {
    let engine = language::find(language)?;
    let mut lines = vec![String::new()];
    let mut add = |class: Class, text: &str| {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                piece(line, class, part);
            }
        }
    };
    let mut start = 0;
    for run in runs(engine, code) {
        add(run.class, &code[start..run.end]);
        start = run.end;
    }
    add(PLAIN, &code[start..]);
    if code.ends_with('\n') || code.is_empty() {
        lines.pop();
    }
    Some(lines)
}

/// The classified pieces of code; none when it is too large or its language is plain.
fn runs(engine: Engine, code: &str) -> Vec<Run> {
    if code.len() > MAX_BLOCK || code.split('\n').any(|line| line.len() > MAX_LINE) {
        return Vec::new();
    }
    match engine {
        Engine::Plain => Vec::new(),
        Engine::Own(lex) => {
            let mut lexer = Lexer::new(code);
            lex(&mut lexer);
            lexer.finish()
        }
        Engine::Syntect(_) if code.len() > MAX_GRAMMAR_BLOCK => Vec::new(),
        Engine::Syntect(name) => scope::runs(name, code).unwrap_or_default(),
    }
}

/// Appends one piece.
fn piece(out: &mut String, class: Class, text: &str) {
    if class.is_empty() || text.is_empty() {
        return escape(out, text);
    }
    let levels = class.split(lexer::INSIDE);
    let count = levels.clone().count();
    for level in levels {
        out.push_str("<span class=\"hljs-");
        out.push_str(level);
        out.push_str("\">");
    }
    escape(out, text);
    for _ in 0..count {
        out.push_str("</span>");
    }
}

/// Appends text with the characters escaped that mean something in HTML.
pub(super) fn escape(out: &mut String, text: &str) {
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        out.push_str(&text[start..at]);
        out.push_str(entity);
        start = at + 1;
    }
    out.push_str(&text[start..]);
}

#[cfg(test)]
mod tests;
