//! JavaScript and TypeScript, with JSX.

use super::lexer::{Class, Lexer, MAX_DEPTH, Words, is_word};
use super::markup;

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "as in of if for while finally var new function do return void else break catch instanceof with throw case default try switch continue typeof delete let yield const class debugger async await static import from export extends get set using",
    ),
    ("literal", "true false null undefined NaN Infinity"),
    (
        "built_in",
        "setInterval setTimeout clearInterval clearTimeout require exports eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape",
    ),
    ("variable language_", "arguments this super console window document localStorage sessionStorage module global"),
    (
        "title class_",
        "Object Function Boolean Symbol Math Date Number BigInt String RegExp Array Float32Array Float64Array Int8Array Uint8Array Uint8ClampedArray Int16Array Int32Array Uint16Array Uint32Array BigInt64Array BigUint64Array Set Map WeakSet WeakMap ArrayBuffer SharedArrayBuffer Atomics DataView JSON Promise Generator GeneratorFunction AsyncFunction Reflect Proxy Intl WebAssembly Error EvalError InternalError RangeError ReferenceError SyntaxError TypeError URIError",
    ),
]);

static TYPES: Words = Words::new(&[
    ("keyword", "type interface public private protected implements declare abstract readonly enum override satisfies"),
    ("built_in", "any void number boolean string object never symbol bigint unknown"),
]);

/// Which of the two languages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    JavaScript,
    TypeScript,
}

/// What stood before the cursor, as far as it decides how the next token reads.
#[derive(Clone, Copy)]
struct State {
    dialect: Dialect,
    /// An expression may start: `/` is a regular expression, `<` a tag.
    operand: bool,
}

/// Classifies JavaScript.
pub(super) fn javascript(lx: &mut Lexer) {
    program(lx, Dialect::JavaScript);
}

/// Classifies TypeScript.
pub(super) fn typescript(lx: &mut Lexer) {
    program(lx, Dialect::TypeScript);
}

fn program(lx: &mut Lexer, dialect: Dialect) {
    if lx.starts("#!") {
        lx.line("meta");
    }
    let mut state = State { dialect, operand: true };
    while !lx.done() {
        token(lx, &mut state);
    }
}

/// One token.
fn token(lx: &mut Lexer, state: &mut State) {
    match lx.peek() {
        b'/' if lx.c_comment(lx.starts("/**")) => {}
        b'/' if state.operand => regexp(lx, state),
        b'"' | b'\'' => string(lx, state),
        b'`' => template(lx, state),
        b'<' if state.operand && jsx(lx, *state) => state.operand = false,
        b'(' if arrow_parameters(lx, *state) => state.operand = true,
        b'@' if is_word(lx.at(1)) => {
            let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b)).count();
            lx.take("meta", 1 + len);
        }
        b'.' if lx.starts("...") => lx.skip_by(3),
        b'.' if is_name(lx.at(1)) && lx.plain != "subst" => property(lx, state),
        b'.' | b'0'..=b'9' if number(lx) => state.operand = false,
        b'#' if is_name(lx.at(1)) => lx.skip(),
        byte if is_name(byte) => name(lx, state),
        byte => {
            if !byte.is_ascii_whitespace() {
                state.operand = b"(,=:[!&|?{};+-*%~^<>".contains(&byte);
            }
            lx.skip();
        }
    }
}

/// Whether a byte can be part of a name; a dollar can.
fn is_name(byte: u8) -> bool {
    is_word(byte) || byte == b'$'
}

fn name_len(lx: &Lexer, from: usize) -> usize {
    lx.code()[(lx.pos() + from).min(lx.code().len())..].bytes().take_while(|b| is_name(*b)).count()
}

/// A string, or a directive like `'use strict'`.
fn string(lx: &mut Lexer, state: &mut State) {
    let directive = ["'use strict'", "\"use strict\"", "'use asm'", "\"use asm\""].iter().any(|text| lx.starts(text));
    let class = if directive && lx.first_in_line() { "meta" } else { "string" };
    lx.string(class, 1, lx.peek(), false);
    state.operand = false;
}

/// A template with its substitutions.
fn template(lx: &mut Lexer, state: &mut State) {
    lx.take("string", 1);
    while !lx.done() {
        match lx.peek() {
            b'`' => {
                lx.take("string", 1);
                break;
            }
            b'\\' => lx.take("string", 2),
            b'$' if lx.at(1) == b'{' && lx.depth < MAX_DEPTH => substitution(lx, *state),
            _ => lx.take("string", 1),
        }
    }
    state.operand = false;
}

/// `${…}`
fn substitution(lx: &mut Lexer, state: State) {
    let outer = std::mem::replace(&mut lx.plain, "subst");
    lx.depth += 1;
    lx.skip_by(2);
    let mut braces = 0_usize;
    let mut inner = State { operand: true, ..state };
    while !lx.done() {
        match lx.peek() {
            b'{' => braces += 1,
            b'}' if braces == 0 => break,
            b'}' => braces -= 1,
            _ => {}
        }
        token(lx, &mut inner);
    }
    lx.skip();
    lx.depth -= 1;
    lx.plain = outer;
}

/// A regular expression that ends on its line.
fn regexp(lx: &mut Lexer, state: &mut State) {
    let line = &lx.code().as_bytes()[lx.pos()..lx.line_end()];
    let mut in_class = false;
    let mut at = 1;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => {
                let flags = line[at + 1..].iter().take_while(|b| b.is_ascii_lowercase()).count();
                lx.take("regexp", at + 1 + flags);
                state.operand = false;
                return;
            }
            _ => {}
        }
        at += 1;
    }
    lx.skip();
}

fn number(lx: &mut Lexer) -> bool {
    let len = lx.number_len();
    if len == 0 || (len == 1 && lx.peek() == b'.') {
        return false;
    }
    let suffix = usize::from(lx.at(len) == b'n');
    if is_name(lx.at(len + suffix)) {
        lx.skip_by(len);
        return true;
    }
    lx.take("number", len + suffix);
    true
}

/// `.name` or `.name(`
fn property(lx: &mut Lexer, state: &mut State) {
    lx.skip();
    let len = name_len(lx, 0);
    let class = if lx.at(len) == b'(' { "title function_" } else { "property" };
    lx.take(class, len);
    state.operand = false;
}

/// A word: keyword, key, function, class or plain name.
fn name(lx: &mut Lexer, state: &mut State) {
    let len = name_len(lx, 0);
    let word = &lx.rest()[..len];
    let known = WORDS.get(word).or_else(|| TYPES.get(word).filter(|_| state.dialect == Dialect::TypeScript));
    state.operand = matches!(known, Some("keyword"));
    if lx.plain == "subst" {
        return lx.take(known.unwrap_or("subst"), len);
    }
    let after = lx.rest()[len..].trim_start();
    if lx.plain == "params" {
        let nested = lx.code()[..lx.pos()].trim_end().ends_with(['{', ';']);
        let key = state.dialect == Dialect::TypeScript && is_key(lx, after) && !nested;
        let class = known.unwrap_or(if key { "attr" } else { params_class(word, state.dialect) });
        return lx.take(class, len);
    }
    if is_key(lx, after) {
        return lx.take("attr", len);
    }
    match word {
        "function" => return function(lx, *state),
        "class" | "interface" if known.is_some() => return class(lx, len),
        "const" | "let" | "var" => return declaration(lx, len),
        _ => {}
    }
    if single_parameter(after, word) && known.is_none() {
        return lx.take("params", len);
    }
    let named = known.filter(|_| word != "async" || !after.starts_with('(')).or_else(|| class_of(word));
    if after.starts_with('(') && matches!(named, None | Some("variable constant_")) {
        return call(lx, len, *state);
    }
    let class = named.unwrap_or(lx.plain);
    lx.take(class, len);
}

/// Whether what follows a word makes it a key: a colon.
fn is_key(lx: &Lexer, after: &str) -> bool {
    let before = lx.code()[..lx.pos()].trim_end();
    let choice = before.ends_with('?') && !before.ends_with("??");
    (after.starts_with(':') || after.starts_with("?:")) && !choice && lx.before() != b'.'
}

/// Whether `=>` follows.
fn single_parameter(after: &str, word: &str) -> bool {
    after.starts_with("=>") && word != "async"
}

/// The class that the spelling of a name gives: `CamelCase` is a class, `UPPER` a constant.
fn class_of(word: &str) -> Option<Class> {
    let bytes = word.as_bytes();
    if !bytes[0].is_ascii_uppercase() || bytes.len() < 2 && !bytes.iter().any(u8::is_ascii_lowercase) {
        return None;
    }
    if bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_') {
        return Some("variable constant_");
    }
    bytes.iter().all(u8::is_ascii_alphanumeric).then_some("title class_")
}

/// `name(…)`: a call, or with `{` after it a method.
fn call(lx: &mut Lexer, len: usize, state: State) {
    lx.take("title function_", len);
    lx.blanks();
    if lx.peek() == b'('
        && let Some(end) = lx.closing(b'(', b')', 1000)
    {
        let after = lx.code()[end + 1..].trim_start();
        if after.starts_with('{') {
            parameters(lx, end, state);
        }
    }
}

/// `function name(parameters)`
fn function(lx: &mut Lexer, state: State) {
    lx.take("keyword", "function".len());
    lx.blanks();
    if lx.peek() == b'*' {
        lx.skip();
        lx.blanks();
    }
    let len = name_len(lx, 0);
    lx.take(if lx.at(len) == b'<' { "" } else { "title function_" }, len);
    lx.blanks();
    if lx.peek() == b'('
        && let Some(end) = lx.closing(b'(', b')', 2000)
    {
        parameters(lx, end, state);
    }
}

/// What a name is inside parameters that neither is known nor a key.
fn params_class(word: &str, dialect: Dialect) -> Class {
    class_of(word).filter(|_| dialect == Dialect::TypeScript).unwrap_or("params")
}

/// The text between `(` at the cursor and `)` at `end`.
fn parameters(lx: &mut Lexer, end: usize, state: State) {
    lx.skip();
    let outer = std::mem::replace(&mut lx.plain, "params");
    let mut inner = State { operand: true, ..state };
    while lx.pos() < end {
        token(lx, &mut inner);
    }
    lx.plain = outer;
}

/// Takes the parameters of an arrow function, if that is what the parenthesis opens.
fn arrow_parameters(lx: &mut Lexer, state: State) -> bool {
    if !lx.plain.is_empty() {
        return false;
    }
    let Some(end) = lx.closing(b'(', b')', 1000) else { return false };
    if !lx.code()[end + 1..].trim_start().starts_with("=>") {
        return false;
    }
    parameters(lx, end, state);
    true
}

/// `class Name extends Base`
fn class(lx: &mut Lexer, len: usize) {
    let interface = lx.starts("interface");
    lx.take("keyword", len);
    lx.blanks();
    let name = name_len(lx, 0);
    if name > 0 && lx.rest()[..name] != *"extends" {
        lx.take("title class_", name);
        lx.blanks();
    }
    if lx.starts("extends ") {
        lx.take("keyword", 7);
        lx.blanks();
        let base = lx.rest().bytes().take_while(|b| is_name(*b) || *b == b'.').count();
        lx.take(if interface { "title class_" } else { "title class_ inherited__" }, base);
    }
}

/// `const name = (…) =>` names a function.
fn declaration(lx: &mut Lexer, len: usize) {
    lx.take("keyword", len);
    let blanks = lx.rest().bytes().take_while(|b| *b == b' ').count();
    let name = name_len(lx, blanks);
    let after = lx.rest()[blanks + name..].trim_start();
    let Some(value) = after.strip_prefix('=').filter(|value| !value.starts_with('=')) else { return };
    let value = value.trim_start();
    let value = value.strip_prefix("async").unwrap_or(value).trim_start();
    let arrow = if value.starts_with('(') {
        let inner = Lexer::new(value);
        inner.closing(b'(', b')', 1000).is_some_and(|end| value[end + 1..].trim_start().starts_with("=>"))
    } else {
        let word = value.bytes().take_while(|b| is_name(*b)).count();
        word > 0 && value[word..].trim_start().starts_with("=>")
    };
    if name > 0 && arrow {
        lx.skip_by(blanks);
        lx.take("title function_", name);
        if !value.starts_with('(') {
            // A parameter without parentheses stays plain here.
            lx.take_to("", lx.pos() + after.len() - value.len() + 1);
            let word = name_len(lx, 0);
            lx.skip_by(word);
        }
    }
}

/// Takes an element of JSX with what it holds, if a tag starts here.
fn jsx(lx: &mut Lexer, state: State) -> bool {
    let fragment = lx.starts("<>");
    if !(fragment || markup::is_tag(lx)) || lx.at(1) == b'/' || !lx.plain.is_empty() {
        return false;
    }
    let name_len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || b".-:".contains(b)).count();
    let name = &lx.rest()[1..=name_len];
    // A type in angle brackets is no tag: the tag must be closed.
    if !fragment && !lx.ahead(4000).contains("/>") && !lx.ahead(4000).contains(&format!("</{name}")) {
        return false;
    }
    let mut open = 0_usize;
    while !lx.done() {
        match lx.peek() {
            b'<' if lx.starts("</") => {
                open = open.saturating_sub(1);
                markup::tag(lx, true);
                if open == 0 {
                    return true;
                }
            }
            b'<' if lx.starts("<>") || markup::is_tag(lx) => {
                let opened = lx.starts("<>") || !markup::tag(lx, true).is_empty();
                if lx.starts("<>") {
                    lx.take("tag", 2);
                }
                open += usize::from(opened);
                if open == 0 {
                    return true;
                }
            }
            b'{' => braces(lx, state),
            _ => lx.skip(),
        }
    }
    true
}

/// `{expression}` in the text of an element.
fn braces(lx: &mut Lexer, state: State) {
    let Some(end) = lx.closing(b'{', b'}', 10_000).filter(|_| lx.depth < MAX_DEPTH) else { return lx.skip() };
    lx.skip();
    lx.depth += 1;
    let mut inner = State { operand: true, ..state };
    while lx.pos() < end {
        token(lx, &mut inner);
    }
    lx.depth -= 1;
    lx.skip();
}
