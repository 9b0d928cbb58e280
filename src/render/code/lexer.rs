//! What the hand-written lexers share: a cursor over the code that collects classified runs, and word tables.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Classes of a token without the `hljs-` of the first one; empty for plain text.
pub(super) type Class = &'static str;

/// Separates the classes of a span and of the one inside it.
pub(super) const INSIDE: char = '>';

/// Class of text without a class.
pub(super) const PLAIN: Class = "";

/// A piece of the code, up to `end`, that has one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Byte after the piece.
    pub(super) end: usize,
    /// Its class.
    pub(super) class: Class,
}

/// How deep languages and interpolations may nest before they are taken as plain text.
pub(super) const MAX_DEPTH: u8 = 12;

/// A cursor that classifies what it passes.
///
/// Every move ends on a character boundary and goes forward, so a lexer that always takes something ends.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    code: &'a str,
    pos: usize,
    runs: Vec<Run>,
    /// Class of what no rule claims.
    pub(super) plain: Class,
    /// Nesting of interpolations.
    pub(super) depth: u8,
}

impl<'a> Lexer<'a> {
    /// At the start of `code`.
    pub(super) fn new(code: &'a str) -> Self {
        Self { code, pos: 0, runs: Vec::with_capacity(code.len() / 8), plain: PLAIN, depth: 0 }
    }

    /// The runs, which cover the whole code.
    pub(super) fn finish(mut self) -> Vec<Run> {
        self.take_to(PLAIN, self.code.len());
        self.runs
    }

    /// Whether everything was taken.
    pub(super) fn done(&self) -> bool {
        self.pos >= self.code.len()
    }

    /// Where the cursor is.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// The whole code.
    pub(super) fn code(&self) -> &'a str {
        self.code
    }

    /// What was not yet taken.
    pub(super) fn rest(&self) -> &'a str {
        &self.code[self.pos..]
    }

    /// At most `limit` bytes of what was not yet taken: searches that may fail at every token look no further.
    pub(super) fn ahead(&self, limit: usize) -> &'a str {
        let rest = self.rest();
        let mut end = limit.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        &rest[..end]
    }

    /// The byte `offset` after the cursor, 0 behind the end.
    pub(super) fn at(&self, offset: usize) -> u8 {
        self.code.as_bytes().get(self.pos + offset).copied().unwrap_or(0)
    }

    /// The byte at the cursor, 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        self.at(0)
    }

    /// The byte before the cursor, a line feed at the start.
    pub(super) fn before(&self) -> u8 {
        if self.pos == 0 { b'\n' } else { self.code.as_bytes()[self.pos - 1] }
    }

    /// Whether only blanks stand between the start of the line and the cursor.
    pub(super) fn first_in_line(&self) -> bool {
        self.code[..self.pos].rsplit('\n').next().is_none_or(|line| line.trim().is_empty())
    }

    /// Whether the rest starts with `text`.
    pub(super) fn starts(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Takes `len` bytes.
    pub(super) fn take(&mut self, class: Class, len: usize) {
        self.take_to(class, self.pos.saturating_add(len));
    }

    /// Takes everything up to `end`, or the next character boundary.
    pub(super) fn take_to(&mut self, class: Class, end: usize) {
        let mut end = end.min(self.code.len());
        while !self.code.is_char_boundary(end) {
            end += 1;
        }
        if end <= self.pos {
            return;
        }
        self.pos = end;
        match self.runs.last_mut() {
            Some(last) if last.class == class => last.end = end,
            _ => self.runs.push(Run { end, class }),
        }
    }

    /// Takes one character that no rule claims.
    pub(super) fn skip(&mut self) {
        self.take(self.plain, 1);
    }

    /// Takes `len` bytes that no rule claims.
    pub(super) fn skip_by(&mut self, len: usize) {
        self.take(self.plain, len);
    }

    /// Takes blanks and line ends.
    pub(super) fn blanks(&mut self) {
        let len = self.rest().bytes().take_while(u8::is_ascii_whitespace).count();
        self.take(self.plain, len);
    }

    /// Byte at which the line of the cursor ends.
    pub(super) fn line_end(&self) -> usize {
        self.rest().find('\n').map_or(self.code.len(), |at| self.pos + at)
    }

    /// Takes the rest of the line without its end.
    pub(super) fn line(&mut self, class: Class) {
        self.take_to(class, self.line_end());
    }

    /// Takes up to and with the next `close` after `skip` bytes, or everything.
    pub(super) fn through(&mut self, class: Class, skip: usize, close: &str) {
        let from = (self.pos + skip).min(self.code.len());
        let end = self.code.get(from..).and_then(|rest| rest.find(close));
        self.take_to(class, end.map_or(self.code.len(), |at| from + at + close.len()));
    }

    /// The identifier at the cursor; empty when there is none.
    pub(super) fn word(&self) -> &'a str {
        let rest = self.rest();
        if self.peek().is_ascii_digit() {
            return "";
        }
        &rest[..rest.bytes().take_while(|&byte| is_word(byte)).count()]
    }

    /// The first byte that is no blank at `offset` or after it, 0 at the end.
    pub(super) fn next_visible(&self, offset: usize) -> u8 {
        self.code.as_bytes()[(self.pos + offset).min(self.code.len())..]
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace())
            .unwrap_or(0)
    }

    /// How long a C-like number at the cursor is; 0 when there is none.
    pub(super) fn number_len(&self) -> usize {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
        if !bytes.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.') || is_word(self.before()) {
            return 0;
        }
        if bytes[0] == b'0' && bytes.get(1).is_some_and(|b| b"xXbBoO".contains(b)) {
            let len = bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit() || **b == b'_').count();
            return if len == 0 { 1 } else { 2 + len };
        }
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end += 1 + digits(end + 1);
        } else if end > 0
            && bytes.get(end) == Some(&b'.')
            && !bytes.get(end + 1).is_some_and(|b| *b == b'.' || is_word(*b))
        {
            end += 1;
        }
        if end > 0 && matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        end
    }

    /// Takes a string with backslash escapes that starts with `open` bytes and ends with `close`;
    /// one that may not span lines ends before the line does.
    pub(super) fn string(&mut self, class: Class, open: usize, close: u8, lines: bool) {
        let bytes = self.rest().as_bytes();
        let mut at = open;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'\n' if !lines => return self.take(class, at),
                _ if byte == close => return self.take(class, at + 1),
                _ => {}
            }
            at += 1;
        }
        self.take(class, at);
    }

    /// Takes a comment up to `end` with its marks set off: `TODO:`, and with `tags` also `@param`.
    pub(super) fn comment(&mut self, end: usize, tags: bool) {
        let end = end.min(self.code.len());
        while self.pos < end {
            let line = self.line_end().clamp(self.pos, end);
            match doc_tag(&self.code[self.pos..line], tags) {
                Some((at, len)) => {
                    self.take("comment", at);
                    self.take("doctag", len);
                }
                None => self.take_to("comment", (line + 1).min(end)),
            }
        }
    }

    /// Takes a comment of C's kind, `// …` or `/* … */`; `tags` as for [`Lexer::comment`]. False where none starts.
    pub(super) fn c_comment(&mut self, tags: bool) -> bool {
        if self.peek() != b'/' {
            return false;
        }
        let end = match self.at(1) {
            b'/' => self.line_end(),
            b'*' => self.rest()[2..].find("*/").map_or(self.code.len(), |at| self.pos + at + 4),
            _ => return false,
        };
        self.comment(end, tags);
        true
    }

    /// Appends what another lexer makes of the code up to `end`.
    pub(super) fn embed(&mut self, end: usize, lex: impl FnOnce(&mut Lexer<'a>)) {
        if end <= self.pos || !self.code.is_char_boundary(end) {
            return;
        }
        let mut inner = Lexer::new(&self.code[self.pos..end]);
        inner.depth = self.depth + 1;
        if inner.depth < MAX_DEPTH {
            lex(&mut inner);
        }
        let start = self.pos;
        for run in inner.finish() {
            self.take_to(run.class, start + run.end);
        }
    }

    /// Finds the byte that closes the bracket at the cursor, looking at most `limit` bytes ahead.
    pub(super) fn closing(&self, open: u8, close: u8, limit: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, &byte) in self.rest().as_bytes().iter().enumerate().take(limit) {
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(self.pos + at);
                }
            }
        }
        None
    }
}

/// Whether a byte can be part of an identifier.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The first mark in a comment: `TODO:` and its like, or with `tags` a word after `@`.
fn doc_tag(text: &str, tags: bool) -> Option<(usize, usize)> {
    const MARKS: [&str; 7] = ["TODO:", "FIXME:", "NOTE:", "BUG:", "OPTIMIZE:", "HACK:", "XXX:"];
    let mark = MARKS
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| (at, mark.len())))
        .filter(|(at, _)| text[..*at].ends_with([' ', '\t', '\n', '/', '*', '#']) || *at == 0)
        .min();
    let tag = tags.then(|| find_tag(text)).flatten();
    match (mark, tag) {
        (Some(mark), Some(tag)) => Some(mark.min(tag)),
        (mark, tag) => mark.or(tag),
    }
}

/// The first `@word`.
fn find_tag(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@').find_map(|(at, _)| {
        let len = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let starts = at == 0 || bytes[at - 1].is_ascii_whitespace();
        (len > 0 && starts).then_some((at, len + 1))
    })
}

/// Words of a language with their classes, indexed on first use.
#[derive(Debug)]
pub(super) struct Words {
    lists: &'static [(Class, &'static str)],
    index: OnceLock<HashMap<&'static str, Class>>,
}

impl Words {
    /// From lists of words that blanks separate.
    pub(super) const fn new(lists: &'static [(Class, &'static str)]) -> Self {
        Self { lists, index: OnceLock::new() }
    }

    /// The class of a word.
    pub(super) fn get(&self, word: &str) -> Option<Class> {
        let index = self.index.get_or_init(|| {
            let pairs =
                self.lists.iter().flat_map(|(class, words)| words.split_whitespace().map(|word| (word, *class)));
            pairs.collect()
        });
        index.get(word).copied()
    }
}
