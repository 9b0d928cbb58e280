//! Go.

use super::lexer::{Lexer, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var",
    ),
    (
        "type",
        "bool byte complex64 complex128 error float32 float64 int8 int16 int32 int64 string uint8 uint16 uint32 uint64 int uint uintptr rune",
    ),
    ("literal", "true false iota nil"),
    (
        "built_in",
        "append cap close complex copy imag len make new panic print println real recover delete min max clear any comparable",
    ),
]);

/// Classifies a file.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        token(lx);
    }
}

fn token(lx: &mut Lexer) {
    match lx.peek() {
        b'/' if lx.c_comment(false) => {}
        quote @ (b'"' | b'\'') => lx.string("string", 1, quote, false),
        b'`' => lx.through("string", 1, "`"),
        b'.' | b'-' | b'0'..=b'9' => number(lx),
        _ => match lx.word() {
            "" => lx.skip(),
            "func" => function(lx),
            word => match WORDS.get(word) {
                Some(class) => lx.take(class, word.len()),
                None => lx.skip_by(word.len()),
            },
        },
    }
}

/// A number with its sign.
fn number(lx: &mut Lexer) {
    let sign = usize::from(lx.peek() == b'-');
    let digits = lx.at(sign).is_ascii_digit() || lx.at(sign) == b'.' && lx.at(sign + 1).is_ascii_digit();
    if !digits {
        return lx.skip();
    }
    if sign == 1 {
        lx.take("number", 1);
    }
    match lx.number_len() {
        0 => lx.skip(),
        len => {
            let suffix = usize::from(lx.at(len) == b'i' && !is_word(lx.at(len + 1)));
            lx.take("number", len + suffix);
        }
    }
}

/// `func name(parameters)`; the receiver of a method is drawn as parameters and ends what is special.
fn function(lx: &mut Lexer) {
    lx.take("keyword", 4);
    let blanks = lx.rest().bytes().take_while(|b| *b == b' ').count();
    lx.skip_by(blanks);
    let name = lx.word();
    lx.take("title", name.len());
    if lx.peek() != b'(' {
        return;
    }
    let Some(end) = lx.closing(b'(', b')', 4000) else { return lx.skip() };
    let outer = std::mem::replace(&mut lx.plain, "params");
    while lx.pos() <= end {
        token(lx);
    }
    lx.plain = outer;
}
