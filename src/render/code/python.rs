//! Python.

use super::lexer::{Lexer, MAX_DEPTH, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield",
    ),
    ("literal", "__debug__ Ellipsis False None NotImplemented True"),
    (
        "built_in",
        "__import__ abs all any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir divmod enumerate eval exec filter float format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print property range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip",
    ),
    ("type", "Any Callable Coroutine Dict List Literal Generic Optional Sequence Set Tuple Type Union"),
    ("variable language_", "self cls"),
]);

/// Classifies a module.
pub(super) fn lex(lx: &mut Lexer) {
    tokens(lx, 0);
}

/// Tokens up to the `close` byte of an interpolation, or all.
fn tokens(lx: &mut Lexer, close: u8) {
    let mut braces = 0_usize;
    while !lx.done() {
        match lx.peek() {
            byte if byte == close && close != 0 && braces == 0 => return,
            b'{' if close != 0 => {
                braces += 1;
                lx.skip();
            }
            b'}' if close != 0 => {
                braces = braces.saturating_sub(1);
                lx.skip();
            }
            b'>' | b'.' if lx.first_in_line() && (lx.starts(">>> ") || lx.starts("... ")) => lx.take("meta", 4),
            b'@' if lx.first_in_line() => decorator(lx),
            _ => token(lx),
        }
    }
}

/// One token that may stand anywhere.
fn token(lx: &mut Lexer) {
    match lx.peek() {
        b'#' => {
            let end = lx.line_end();
            lx.comment(end, false);
        }
        b'"' | b'\'' => string(lx, 0),
        b'.' | b'0'..=b'9' if number(lx) => {}
        _ => match lx.word() {
            "" => lx.skip(),
            word => name(lx, word),
        },
    }
}

/// Takes a number, also an imaginary one.
fn number(lx: &mut Lexer) -> bool {
    let len = lx.number_len();
    if len == 0 || (lx.peek() == b'.' && len == 1) {
        return false;
    }
    let suffix = usize::from(matches!(lx.at(len), b'j' | b'J' | b'l' | b'L') && !is_word(lx.at(len + 1)));
    if is_word(lx.at(len + suffix)) {
        return false;
    }
    lx.take("number", len + suffix);
    true
}

fn name(lx: &mut Lexer, word: &str) {
    let is_prefix = word.len() <= 2 && word.bytes().all(|b| b"rRbBfFuU".contains(&b));
    if is_prefix && matches!(lx.at(word.len()), b'"' | b'\'') {
        return string(lx, word.len());
    }
    match word {
        "def" => definition(lx, word, "title function_"),
        "class" => definition(lx, word, "title class_"),
        "match" | "case" if !soft_keyword(lx, word) => lx.skip_by(word.len()),
        _ => match WORDS.get(word) {
            // What `self` is inside parameters is drawn like them.
            Some("variable language_") if !lx.plain.is_empty() => lx.skip_by(word.len()),
            Some(class) => lx.take(class, word.len()),
            None => lx.skip_by(word.len()),
        },
    }
}

/// Whether `match` or `case` opens a statement rather than being a name.
fn soft_keyword(lx: &Lexer, word: &str) -> bool {
    !matches!(lx.next_visible(word.len()), b'=' | b'.' | b',' | b')' | b'(' | b':' | 0)
}

/// `def name(parameters)` or `class Name(bases)`.
fn definition(lx: &mut Lexer, word: &str, title: &'static str) {
    lx.take("keyword", word.len());
    let blanks = lx.rest().bytes().take_while(|b| *b == b' ').count();
    lx.skip_by(blanks);
    let name = lx.word();
    if blanks == 0 || name.is_empty() {
        return;
    }
    lx.take(title, name.len());
    if lx.peek() != b'(' {
        return;
    }
    let Some(end) = lx.closing(b'(', b')', 4000) else { return lx.skip() };
    lx.skip();
    if title == "title class_" {
        let base = lx.code()[lx.pos()..end].trim();
        let single = !base.is_empty() && base.bytes().all(is_word);
        return if single {
            lx.take_to("title class_ inherited__", end);
        };
    }
    let outer = std::mem::replace(&mut lx.plain, "params");
    while lx.pos() < end {
        token(lx);
    }
    lx.plain = outer;
}

fn decorator(lx: &mut Lexer) {
    let len = lx.rest()[1..].bytes().take_while(|b| is_word(*b) || *b == b'.').count();
    lx.take("meta", 1 + len);
    if lx.peek() == b'(' {
        let end = lx.closing(b'(', b')', 2000).map_or(lx.line_end(), |end| end + 1);
        let outer = std::mem::replace(&mut lx.plain, "params");
        while lx.pos() < end {
            token(lx);
        }
        lx.plain = outer;
    }
}

/// A string with a prefix of `prefix` bytes; `f` strings have expressions in braces.
fn string(lx: &mut Lexer, prefix: usize) {
    let rest = lx.rest();
    let formatted = rest[..prefix].contains(['f', 'F']);
    let quote = &rest[prefix..=prefix];
    let triple = rest[prefix..].starts_with(&quote.repeat(3));
    let close = if triple { quote.repeat(3) } else { quote.to_owned() };
    lx.take("string", prefix + close.len());
    while !lx.done() {
        if lx.starts(&close) {
            return lx.take("string", close.len());
        }
        match lx.peek() {
            b'\\' => lx.take("string", 2),
            b'\n' if !triple => return,
            b'{' if formatted && lx.at(1) == b'{' => lx.take("string", 2),
            b'{' if formatted && lx.depth < MAX_DEPTH => expression(lx),
            _ => lx.take("string", 1),
        }
    }
}

/// `{…}` in a formatted string.
fn expression(lx: &mut Lexer) {
    let outer = std::mem::replace(&mut lx.plain, "subst");
    lx.depth += 1;
    lx.skip();
    tokens(lx, b'}');
    lx.skip();
    lx.depth -= 1;
    lx.plain = outer;
}
