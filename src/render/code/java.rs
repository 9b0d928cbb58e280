//! Java.

use super::lexer::{Lexer, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "synchronized abstract private var static if const for while strictfp finally protected import native final enum else break transient catch instanceof volatile case assert package default public try module requires exports do sealed yield permits goto when return new throw throws continue switch extends implements class interface",
    ),
    ("type", "char boolean long float int byte short double void"),
    ("literal", "false true null"),
    ("built_in", "super this"),
]);

/// Classifies a file.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        token(lx);
    }
}

fn token(lx: &mut Lexer) {
    match lx.peek() {
        b'/' if lx.c_comment(lx.starts("/**")) => {}
        b'"' if lx.starts("\"\"\"") => lx.through("string", 3, "\"\"\""),
        quote @ (b'"' | b'\'') => lx.string("string", 1, quote, false),
        b'@' if is_word(lx.at(1)) => annotation(lx),
        b'.' | b'0'..=b'9' => number(lx),
        _ => match lx.word() {
            "" => lx.skip(),
            word => name(lx, word),
        },
    }
}

fn annotation(lx: &mut Lexer) {
    if lx.starts("@interface ") {
        lx.skip();
        return;
    }
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b)).count();
    lx.take("meta", 1 + len);
    if lx.peek() == b'(' {
        let end = lx.closing(b'(', b')', 1000).unwrap_or(lx.line_end());
        let outer = std::mem::replace(&mut lx.plain, "meta");
        while lx.pos() <= end && !lx.done() {
            token(lx);
        }
        lx.plain = outer;
    }
}

fn number(lx: &mut Lexer) {
    let len = lx.number_len();
    if len == 0 || (len == 1 && lx.peek() == b'.') {
        return lx.skip();
    }
    let suffix = usize::from(b"lLfFdD".contains(&lx.at(len)) && lx.at(len) != 0);
    lx.take("number", len + suffix);
}

fn name(lx: &mut Lexer, word: &str) {
    let len = word.len();
    match word {
        "class" | "interface" | "enum" if lx.before() != b'.' => return class(lx, len),
        "record" if is_word(lx.next_visible(len)) => return class(lx, len),
        "new" | "throw" | "return" | "else" => {
            lx.take("keyword", len);
            lx.blanks();
            if word == "new" && is_word(lx.peek()) && WORDS.get(lx.word()).is_none() {
                let name = lx.word();
                lx.take("title class_", name.len());
            } else if !lx.word().is_empty() && WORDS.get(lx.word()).is_none() {
                let name = lx.word();
                lx.skip_by(name.len());
            }
            return;
        }
        _ => {}
    }
    let class = WORDS.get(word);
    if lx.plain.is_empty() && !matches!(class, Some("keyword" | "literal" | "built_in")) && declaration(lx) {
        return;
    }
    match class {
        Some(class) => lx.take(class, len),
        None => lx.skip_by(len),
    }
}

/// `class Name extends Base implements A, B`
fn class(lx: &mut Lexer, len: usize) {
    lx.take("keyword", len);
    lx.blanks();
    let name = lx.word();
    lx.take("title class_", name.len());
}

/// Takes `Type name(parameters)` or `Type name =`, if that is what stands here.
fn declaration(lx: &mut Lexer) -> bool {
    let rest = lx.rest();
    let type_len = type_len(rest);
    let blanks = rest[type_len..].bytes().take_while(|b| *b == b' ').count();
    let at = type_len + blanks;
    let name = rest[at..].bytes().take_while(|b| is_word(*b)).count();
    if blanks == 0 || name == 0 || rest.as_bytes()[at].is_ascii_digit() || WORDS.get(&rest[at..at + name]).is_some() {
        return false;
    }
    let after = rest[at + name..].trim_start();
    if after.starts_with('(') {
        method(lx, type_len, blanks, name);
        return true;
    }
    if after.starts_with('=') && !after.starts_with("==") && !rest[..type_len].contains('<') {
        let gap = rest.len() - at - name - after.len();
        lx.take("type", type_len);
        lx.skip_by(blanks);
        lx.take("variable", name);
        lx.skip_by(gap);
        lx.take("operator", 1);
        return true;
    }
    false
}

/// Length of a type with its parameters and brackets.
fn type_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut len = bytes.iter().take_while(|b| is_word(**b)).count();
    if bytes.get(len) == Some(&b'<') {
        let inner = bytes[len..].iter().take(200).position(|b| *b == b'>').map(|at| at + 1);
        let Some(inner) =
            inner.filter(|inner| bytes[len..len + inner].iter().all(|b| is_word(*b) || b"<>, ?".contains(b)))
        else {
            return len;
        };
        len += inner;
    }
    if rest[len..].starts_with("[]") { len + 2 } else { len }
}

fn method(lx: &mut Lexer, type_len: usize, blanks: usize, name: usize) {
    lx.take("type", type_len);
    lx.skip_by(blanks);
    lx.take("title function_", name);
    lx.blanks();
    let Some(end) = lx.closing(b'(', b')', 2000) else { return };
    let outer = std::mem::replace(&mut lx.plain, "params");
    while lx.pos() <= end {
        token(lx);
    }
    lx.plain = outer;
}
