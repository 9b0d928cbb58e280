//! Words: quotes, variables, and what is put in their place.

use super::parse::{self, Fault, Reader};
use super::syntax::{Change, Part, Word};

impl Word {
    /// A word that stands for itself.
    pub(super) fn quoted(text: String) -> Self {
        Self(vec![Part::Text { text, quoted: true }])
    }

    /// Its text when nothing in it has to be expanded.
    pub(super) fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    fn text(&mut self, c: char, quoted: bool) {
        match self.0.last_mut() {
            Some(Part::Text { text, quoted: before }) if *before == quoted => text.push(c),
            _ => self.0.push(Part::Text { text: c.to_string(), quoted }),
        }
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The word that comes next, if one does.
pub(super) fn word(reader: &mut Reader<'_>) -> Result<Option<Word>, Fault> {
    let mut word = Word::default();
    let mut found = false;
    while let Some(next) = reader.peek() {
        match next {
            ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '<' | '>' | '(' | ')' => break,
            '\'' => {
                reader.skip(1);
                let end = reader.rest().find('\'').ok_or("syntax error: unterminated quoted string")?;
                word.0.push(Part::Text { text: reader.rest()[..end].to_owned(), quoted: true });
                reader.skip(end + 1);
            }
            '"' => {
                reader.skip(1);
                word.0.push(Part::Text { text: String::new(), quoted: true });
                double_quoted(reader, &mut word, Some('"'))?;
            }
            '\\' => {
                reader.skip(1);
                match reader.next() {
                    Some('\n') => {}
                    Some(c) => word.text(c, true),
                    None => word.text('\\', true),
                }
            }
            '$' | '`' => expansion(reader, &mut word, false)?,
            c => {
                reader.skip(c.len_utf8());
                word.text(c, false);
            }
        }
        found = true;
    }
    Ok(found.then_some(word))
}

/// Text in which only `$`, backquotes and some backslashes mean something, up to a closing character.
fn double_quoted(reader: &mut Reader<'_>, word: &mut Word, end: Option<char>) -> Result<(), Fault> {
    loop {
        match reader.peek() {
            None if end.is_none() => return Ok(()),
            None => return Err("syntax error: unterminated quoted string".to_owned()),
            next if next == end => {
                reader.skip(1);
                return Ok(());
            }
            Some('\\') => {
                reader.skip(1);
                match reader.peek() {
                    Some('\n') => reader.skip(1),
                    Some(c @ ('$' | '`' | '\\' | '"')) => {
                        reader.skip(1);
                        word.text(c, true);
                    }
                    _ => word.text('\\', true),
                }
            }
            Some('$' | '`') => expansion(reader, word, true)?,
            Some(c) => {
                reader.skip(c.len_utf8());
                word.text(c, true);
            }
        }
    }
}

/// The text of a here-document.
pub(super) fn document(text: &str, depth: usize) -> Result<Word, Fault> {
    let mut word = Word::default();
    double_quoted(&mut Reader::new(text, depth), &mut word, None)?;
    Ok(word)
}

/// What begins with a dollar sign or a backquote.
fn expansion(reader: &mut Reader<'_>, word: &mut Word, quoted: bool) -> Result<(), Fault> {
    if reader.take("`") {
        let end = reader.rest().find('`').ok_or("syntax error: unterminated backquote")?;
        let text = format!("{})", &reader.rest()[..end]);
        reader.skip(end + 1);
        let script = parse::inner(&mut Reader::new(&text, reader.depth))?;
        word.0.push(Part::Output { script, quoted });
        return Ok(());
    }
    reader.skip(1);
    if reader.rest().starts_with("((") {
        if let Some(end) = calculation_end(reader.rest()) {
            word.0.push(Part::Number(reader.rest()[2..end].to_owned()));
            reader.skip(end + 2);
            return Ok(());
        }
        return Err("syntax error: unterminated $((".to_owned());
    }
    if reader.take("(") {
        let script = parse::inner(reader)?;
        word.0.push(Part::Output { script, quoted });
        return Ok(());
    }
    if reader.take("{") {
        word.0.push(braced(reader, quoted)?);
        return Ok(());
    }
    let rest = reader.rest();
    let end = match rest.chars().next() {
        Some('?' | '#' | '@' | '*' | '$' | '!' | '-' | '0'..='9') => 1,
        _ => rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len()),
    };
    if end == 0 {
        word.text('$', quoted);
        return Ok(());
    }
    word.0.push(Part::Variable { name: rest[..end].to_owned(), change: None, quoted });
    reader.skip(end);
    Ok(())
}

/// Where the brackets of a text that begins with `((` end.
fn calculation_end(text: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' if open == 2 && text[at..].starts_with("))") => return Some(at),
            b')' => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// `${…}` behind its opening brace.
fn braced(reader: &mut Reader<'_>, quoted: bool) -> Result<Part, Fault> {
    let length = reader.rest().starts_with('#') && !reader.rest().starts_with("#}") && reader.take("#");
    let rest = reader.rest();
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || "?#@*!".contains(c)));
    let end = end.unwrap_or(rest.len()).max(usize::from(rest.starts_with('$')));
    // `#` and `?` begin a change unless they are the whole name.
    let end = rest[..end].find(['#', '?']).filter(|&at| at > 0).unwrap_or(end);
    let name = rest[..end].to_owned();
    reader.skip(end);
    if reader.take("}") {
        let change = length.then(|| Change { kind: 'L', strong: false, word: Word::default() });
        return Ok(Part::Variable { name, change, quoted });
    }
    let colon = reader.take(":");
    let kind = reader.next().unwrap_or('}');
    if !"-=+?#%".contains(kind) {
        return Err("syntax error: bad substitution".to_owned());
    }
    let double = matches!(kind, '#' | '%') && reader.peek() == Some(kind) && reader.next().is_some();
    let mut word = Word::default();
    reader.deeper()?;
    double_quoted(reader, &mut word, Some('}'))?;
    reader.depth -= 1;
    Ok(Part::Variable { name, change: Some(Change { kind, strong: colon || double, word }), quoted })
}
