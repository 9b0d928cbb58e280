//! HTML and XML, with the scripts and styles inside.

use super::lexer::{Lexer, is_word};

/// Classifies a document.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        next(lx);
    }
}

/// One tag, comment, entity or run of text.
fn next(lx: &mut Lexer) {
    match lx.peek() {
        b'<' if lx.starts("<!--") => lx.through("comment", 4, "-->"),
        b'<' if lx.starts("<![CDATA[") => lx.through("", 9, "]]>"),
        b'<' if lx.starts("<!") => declaration(lx),
        b'<' if lx.starts("<?") => instruction(lx),
        b'<' if is_tag(lx) => element(lx),
        b'&' => entity(lx),
        _ => lx.skip(),
    }
}

/// `<!DOCTYPE …>`
fn declaration(lx: &mut Lexer) {
    let end = lx.rest().find('>').map_or(lx.code().len(), |at| lx.pos() + at + 1);
    let name = lx.rest()[2..].bytes().take_while(u8::is_ascii_alphabetic).count();
    lx.take("meta", 2 + name);
    while lx.pos() < end {
        match lx.word() {
            _ if lx.peek() == b'"' => lx.string("string", 1, b'"', true),
            "" => lx.take("meta", 1),
            word => lx.take("keyword", word.len()),
        }
    }
}

/// `<?xml …?>`
fn instruction(lx: &mut Lexer) {
    let end = lx.rest().find("?>").map_or(lx.code().len(), |at| lx.pos() + at + 2);
    let xml = lx.starts("<?xml");
    while lx.pos() < end {
        if xml && lx.peek() == b'"' {
            lx.string("string", 1, b'"', true);
        } else {
            lx.take("meta", 1);
        }
    }
}

/// `&amp;` and its like.
fn entity(lx: &mut Lexer) {
    let len = lx.rest()[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
    if len > 0 && lx.at(1 + len) == b';' {
        lx.take("symbol", len + 2);
    } else {
        lx.skip();
    }
}

/// Whether a tag starts at the cursor.
pub(super) fn is_tag(lx: &Lexer) -> bool {
    let name = usize::from(lx.at(1) == b'/') + 1;
    lx.at(name).is_ascii_alphabetic() || lx.at(name) == b'_' || lx.at(name) >= 0x80
}

/// A tag; after `<script>` and `<style>` their text too.
fn element(lx: &mut Lexer) {
    let name = tag(lx, false);
    let close = format!("</{name}");
    if (name == "script" || name == "style") && !lx.done() {
        let Some(at) = lx.ahead(20_000).find(&close) else { return };
        let end = lx.pos() + at;
        if name == "script" {
            lx.embed(end, super::script::javascript);
        } else {
            lx.embed(end, super::css::lex);
        }
    }
}

/// Takes a tag with its attributes and returns its name when text may follow that is no markup;
/// in JSX an attribute may hold an expression.
pub(super) fn tag<'a>(lx: &mut Lexer<'a>, jsx: bool) -> &'a str {
    let slash = usize::from(lx.at(1) == b'/');
    lx.take("tag", 1 + slash);
    let rest = lx.rest();
    let len = rest.bytes().take_while(|b| is_word(*b) || b":.-".contains(b)).count();
    lx.take("name", len);
    while !lx.done() {
        match lx.peek() {
            b'>' => {
                lx.take("tag", 1);
                return if slash == 0 { &rest[..len] } else { "" };
            }
            b'/' if lx.at(1) == b'>' => {
                lx.take("tag", 2);
                return "";
            }
            b'<' => return "",
            b'{' if jsx => braces(lx),
            b'=' => value(lx, jsx),
            byte if is_word(byte) || b"@:#*".contains(&byte) => {
                let len = lx.rest().bytes().take_while(|b| is_word(*b) || b":.-@#*".contains(b)).count();
                lx.take("attr", len);
            }
            _ => lx.take("tag", 1),
        }
    }
    ""
}

/// `= value`
fn value(lx: &mut Lexer, jsx: bool) {
    lx.take("tag", 1);
    let blanks = lx.rest().bytes().take_while(u8::is_ascii_whitespace).count();
    lx.take("tag", blanks);
    match lx.peek() {
        quote @ (b'"' | b'\'') => {
            let end = lx.rest()[1..].find(char::from(quote)).map_or(lx.code().len(), |at| lx.pos() + at + 2);
            while let Some(at) = lx.code().get(lx.pos()..end).and_then(|text| text.find('&')) {
                lx.take("string", at);
                let outer = std::mem::replace(&mut lx.plain, "string");
                entity(lx);
                lx.plain = outer;
            }
            lx.take_to("string", end);
        }
        b'{' if jsx => braces(lx),
        _ => {
            let len = lx.rest().bytes().take_while(|b| !b.is_ascii_whitespace() && !b"\"'=<>`".contains(b)).count();
            lx.take("string", len);
        }
    }
}

/// `{…}` of JSX inside a tag.
fn braces(lx: &mut Lexer) {
    let end = lx.closing(b'{', b'}', 10_000).map_or(lx.line_end(), |end| end + 1);
    lx.take_to("tag", end);
}
