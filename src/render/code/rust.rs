//! Rust.

use super::lexer::{Lexer, Words, is_word};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "abstract as async await become box break const continue crate do dyn else enum extern final fn for gen if impl in let loop macro match mod move mut override priv pub raw ref return safe self Self static struct super trait try type typeof unsafe unsized use virtual where while yield",
    ),
    ("literal", "true false Some None Ok Err"),
    ("type", "i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 str char bool Box Option Result String Vec"),
    (
        "built_in",
        "drop Copy Send Sized Sync Drop Fn FnMut FnOnce ToOwned Clone Debug PartialEq PartialOrd Eq Ord AsRef AsMut Into From Default Iterator Extend IntoIterator DoubleEndedIterator ExactSizeIterator SliceConcatExt ToString",
    ),
    (
        "built_in",
        "assert! assert_eq! bitflags! bytes! cfg! col! concat! concat_idents! debug_assert! debug_assert_eq! env! eprintln! panic! file! format! format_args! include_bytes! include_str! line! local_data_key! module_path! option_env! print! println! select! stringify! try! unimplemented! unreachable! vec! write! writeln! macro_rules! assert_ne! debug_assert_ne!",
    ),
]);

/// Classifies a module.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        match lx.peek() {
            b'/' if lx.at(1) == b'/' => {
                let end = lx.line_end();
                lx.comment(end, false);
            }
            b'/' if lx.at(1) == b'*' => block_comment(lx),
            b'"' => lx.string("string", 1, b'"', true),
            b'\'' => quote(lx),
            b'#' if lx.at(1) == b'[' || lx.starts("#![") => attribute(lx),
            b'-' if lx.at(1) == b'>' => lx.take("punctuation", 2),
            b'0'..=b'9' => number(lx),
            _ => match lx.word() {
                "" => lx.skip(),
                word => name(lx, word),
            },
        }
    }
}

/// A block comment, which may hold others.
fn block_comment(lx: &mut Lexer) {
    let rest = lx.rest().as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => depth += 1,
            Some(b"*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    let end = lx.pos() + at;
    lx.comment(end, false);
}

/// A character or a lifetime.
fn quote(lx: &mut Lexer) {
    let rest = lx.rest();
    let mut chars = rest[1..].char_indices();
    let first = chars.next();
    let second = chars.next();
    match (first, second) {
        (Some((_, '\\')), _) => lx.string("string", 1, b'\'', false),
        (Some(_), Some((at, '\''))) => lx.take("string", at + 2),
        (Some((_, c)), _) if c.is_alphabetic() || c == '_' => {
            let len = rest[1..].bytes().take_while(|b| is_word(*b)).count();
            lx.take("symbol", 1 + len);
        }
        _ => lx.skip(),
    }
}

/// `#[…]` and `#![…]`
fn attribute(lx: &mut Lexer) {
    let open = lx.rest().find('[').unwrap_or_default();
    let bytes = lx.rest().as_bytes();
    let mut at = open;
    let mut depth = 0_usize;
    let mut end = bytes.len();
    while at < bytes.len() {
        match bytes[at] {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            end = at;
            break;
        }
    }
    let end = lx.pos() + end;
    while lx.pos() < end {
        if lx.peek() == b'"' {
            lx.string("string", 1, b'"', true);
        } else {
            lx.take("meta", 1);
        }
    }
}

fn number(lx: &mut Lexer) {
    let len = lx.number_len();
    if len == 0 {
        return lx.skip();
    }
    let suffix = lx.rest()[len..].bytes().take_while(|b| is_word(*b)).count();
    let is_suffix = WORDS.get(lx.rest()[len..len + suffix].trim_start_matches('_')) == Some("type");
    lx.take(if suffix == 0 || is_suffix { "number" } else { "" }, len + suffix);
}

fn name(lx: &mut Lexer, word: &str) {
    let len = word.len();
    if raw_string(lx, word) {
        return;
    }
    if lx.at(len) == b'!' && lx.at(len + 1) != b'=' {
        let class = WORDS.get(&lx.rest()[..=len]).unwrap_or("");
        return lx.take(class, if class.is_empty() { len } else { len + 1 });
    }
    match word {
        "fn" => return item(lx, len, "title function_"),
        "struct" | "enum" | "trait" | "union" | "type" | "impl" if item_follows(lx, len) => {
            return item(lx, len, "title class_");
        }
        "let" => return binding(lx, len),
        "for" => return for_binding(lx, len),
        _ => {}
    }
    let class = WORDS.get(word);
    let called = lx.at(len) == b'(' && (class != Some("keyword") || word == "pub");
    if matches!(word, "crate" | "super") && lx.rest()[len..].starts_with("::") {
        return lx.skip_by(len);
    }
    if called {
        return lx.take("title function_ invoke__", len);
    }
    lx.take(class.unwrap_or(""), len);
}

/// Whether a name stands after the word, rather than `<` or a bracket.
fn item_follows(lx: &Lexer, len: usize) -> bool {
    let rest = &lx.rest()[len..];
    rest.starts_with(' ') && is_word(rest.trim_start().bytes().next().unwrap_or(0))
}

/// Takes `r"…"`, `r#"…"#`, `b"…"` and `b'…'`.
fn raw_string(lx: &mut Lexer, word: &str) -> bool {
    let rest = &lx.rest()[word.len()..];
    match word {
        "r" | "br" | "cr" => {
            let hashes = rest.bytes().take_while(|b| *b == b'#').count();
            if !rest[hashes..].starts_with('"') {
                return false;
            }
            let close = format!("\"{}", "#".repeat(hashes));
            lx.through("string", word.len() + hashes + 1, &close);
            true
        }
        "b" | "c" if rest.starts_with('"') => {
            lx.string("string", 2, b'"', true);
            true
        }
        "b" if rest.starts_with('\'') => {
            lx.string("string", 2, b'\'', false);
            true
        }
        _ => false,
    }
}

/// A keyword and the name that it defines.
fn item(lx: &mut Lexer, len: usize, class: &'static str) {
    lx.take("keyword", len);
    let blanks = lx.rest().bytes().take_while(|b| *b == b' ').count();
    lx.skip_by(blanks);
    let name = lx.word();
    let class = if matches!(name, "for" | "where" | "dyn" | "crate" | "super") { "" } else { class };
    if !class.is_empty() {
        lx.take(class, name.len());
    }
}

/// `let name`, `let mut name`
fn binding(lx: &mut Lexer, len: usize) {
    lx.take("keyword", len);
    let blanks = lx.rest().bytes().take_while(|b| b.is_ascii_whitespace()).count();
    if blanks == 0 {
        return;
    }
    lx.skip_by(blanks);
    let mut name = lx.word();
    if name == "mut" && lx.at(3) == b' ' {
        lx.take("keyword", 4);
        name = lx.word();
    }
    lx.take("variable", name.len());
}

/// `for name in`, `impl … for Type`
fn for_binding(lx: &mut Lexer, len: usize) {
    lx.take("keyword", len);
    let blanks = lx.rest().bytes().take_while(|b| *b == b' ').count();
    let rest = &lx.rest()[blanks..];
    let name = rest.bytes().take_while(|b| is_word(*b)).count();
    if blanks == 0 || name == 0 {
        return;
    }
    let iterates = rest[name..].trim_start().starts_with("in ");
    lx.skip_by(blanks);
    lx.take(if iterates { "variable" } else { "title class_" }, name);
}
