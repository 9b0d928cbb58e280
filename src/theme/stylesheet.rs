//! CSS text → a flat tree of rules that loses nothing.
//!
//! Decks and themes were written against PostCSS, which reads structure only
//! (strings, comments, brackets, blocks) and takes any text with a colon for
//! a declaration. The same texts must be accepted and refused here, so the
//! structure is read as PostCSS does, while selectors and values are read
//! with real CSS tokens (`selector.rs`, `value.rs`).

use std::borrow::Cow;

/// Blocks may nest this deep; deeper text is refused rather than followed.
const MAX_DEPTH: usize = 100;

/// Where and why CSS text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct SyntaxError {
    /// What is wrong, lower case.
    pub message: String,
    /// Byte of the text it is about.
    pub offset: usize,
    /// Line of that byte, from 1.
    pub line: u32,
    /// Column of that byte in characters, from 1.
    pub column: u32,
}

/// What a node is; offsets are bytes of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `/* … */`
    Comment,
    /// `property: value`; the offset is the colon's.
    Declaration(u32),
    /// `selectors { … }`
    Rule,
    /// `@name prelude;`; the offset is the name's end.
    Statement(u32),
    /// `@name prelude { … }`; the offset is the name's end.
    Block(u32),
}

/// One comment, declaration, rule or at-rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// First byte.
    pub(super) start: u32,
    /// End of what stands before the block (of the whole node if it has none).
    pub(super) head: u32,
    /// One past the last byte, a closing brace included, a semicolon not.
    pub(super) end: u32,
    /// Index of the first node after this one and all inside it.
    pub(super) next: u32,
}

/// CSS text and its nodes in document order, parents before children.
#[derive(Debug, Clone)]
pub(super) struct Stylesheet<'t> {
    text: Cow<'t, str>,
    nodes: Vec<Node>,
}

impl<'t> Stylesheet<'t> {
    /// Reads CSS.
    pub(super) fn parse(text: impl Into<Cow<'t, str>>) -> Result<Self, SyntaxError> {
        let text = text.into();
        match Reader::new(&text).read() {
            Ok(nodes) => Ok(Self { nodes, text }),
            Err(fault) => Err(fault.in_text(&text)),
        }
    }

    /// A sheet without rules.
    pub(super) fn empty() -> Self {
        Self { text: Cow::Borrowed(""), nodes: Vec::new() }
    }

    /// The text that was read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// All nodes in document order.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Nodes at the top level.
    pub(super) fn top(&self) -> impl Iterator<Item = &Node> {
        Children { nodes: &self.nodes, at: 0, end: self.nodes.len() }
    }

    /// Nodes directly inside a node of this sheet.
    pub(super) fn children(&self, node: &Node) -> impl Iterator<Item = &Node> {
        let end = node.next as usize;
        // A node's children follow it, so the run of nodes that start inside
        // it begins right behind the node itself.
        let at = self.nodes[..end].partition_point(|n| n.start <= node.start);
        Children { nodes: &self.nodes, at, end }
    }

    /// Selectors of a rule, `property` of a declaration, text of a comment.
    pub(super) fn head(&self, node: &Node) -> &str {
        let end = match node.kind {
            Kind::Declaration(colon) => colon,
            _ => node.head,
        };
        self.slice(node.start, end).trim()
    }

    /// Value of a declaration, without the space around it.
    pub(super) fn value(&self, node: &Node) -> &str {
        match node.kind {
            Kind::Declaration(colon) => self.slice(colon + 1, node.end).trim(),
            _ => "",
        }
    }

    /// Name of an at-rule without the `@`; empty for other nodes.
    pub(super) fn name(&self, node: &Node) -> &str {
        match node.kind {
            Kind::Statement(name) | Kind::Block(name) => self.slice(node.start + 1, name),
            _ => "",
        }
    }

    /// What stands between an at-rule's name and its block or end.
    pub(super) fn prelude(&self, node: &Node) -> &str {
        match node.kind {
            Kind::Statement(name) | Kind::Block(name) => self.slice(name, node.head).trim(),
            _ => "",
        }
    }

    /// The whole text of a node.
    pub(super) fn raw(&self, node: &Node) -> &str {
        self.slice(node.start, node.end)
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

struct Children<'n> {
    nodes: &'n [Node],
    at: usize,
    end: usize,
}

impl<'n> Iterator for Children<'n> {
    type Item = &'n Node;

    fn next(&mut self) -> Option<&'n Node> {
        let node = self.nodes.get(..self.end)?.get(self.at)?;
        self.at = node.next as usize;
        Some(node)
    }
}

/// Says whether PostCSS, and so Marp, can read the CSS.
///
/// # Errors
/// What is wrong, and where, when it cannot.
pub fn check_syntax(css: &str) -> Result<(), SyntaxError> {
    Reader::new(css).read().map(|_| ()).map_err(|fault| fault.in_text(css))
}

struct Fault {
    message: &'static str,
    offset: usize,
}

impl Fault {
    fn in_text(self, text: &str) -> SyntaxError {
        let before = text.get(..self.offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        SyntaxError {
            message: self.message.to_owned(),
            offset: self.offset,
            line: narrow(before.bytes().filter(|b| *b == b'\n').count() + 1),
            column: narrow(before[line_start..].chars().count() + 1),
        }
    }
}

/// What ended the scan of a statement.
enum Stop {
    Semicolon,
    Open,
    Close,
    End,
}

/// What a scan saw besides its end.
#[derive(Default)]
struct Seen {
    /// The first colon outside brackets.
    colon: Option<usize>,
    /// A second colon that no value can have: a semicolon is missing before it.
    stray_colon: Option<usize>,
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
    /// Indexes of the nodes whose blocks are open.
    open: Vec<usize>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, nodes: Vec::with_capacity(text.len() / 24), open: Vec::new() }
    }

    fn read(mut self) -> Result<Vec<Node>, Fault> {
        if u32::try_from(self.bytes.len()).is_err() {
            return Err(Fault { message: "the CSS is larger than 4 GiB", offset: 0 });
        }
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b';' | b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => self.at += 1,
                b'}' => self.close()?,
                b'/' if self.peek(1) == Some(b'*') => {
                    let start = self.at;
                    self.skip_comment()?;
                    self.push(Kind::Comment, start, self.at, self.at);
                }
                b'@' => self.at_rule()?,
                _ => self.statement()?,
            }
        }
        match self.open.last() {
            Some(&index) => {
                Err(Fault { message: "unclosed block: `}` is missing", offset: self.nodes[index].start as usize })
            }
            None => Ok(self.nodes),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn push(&mut self, kind: Kind, start: usize, head: usize, end: usize) {
        let next = narrow(self.nodes.len() + 1);
        self.nodes.push(Node { kind, start: narrow(start), head: narrow(head), end: narrow(end), next });
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(index) = self.open.pop() else {
            return Err(Fault { message: "unexpected `}`: no block is open", offset: self.at });
        };
        self.at += 1;
        let (end, next) = (narrow(self.at), narrow(self.nodes.len()));
        self.nodes[index].end = end;
        self.nodes[index].next = next;
        Ok(())
    }

    fn open_block(&mut self, kind: Kind, start: usize) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault { message: "blocks are nested more than 100 deep", offset: start });
        }
        self.open.push(self.nodes.len());
        self.push(kind, start, self.at, self.at);
        self.at += 1;
        Ok(())
    }

    fn at_rule(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        self.skip_at_word();
        let name = self.at;
        if name == start + 1 {
            return Err(Fault { message: "at-rule without a name", offset: start });
        }
        let name = narrow(name);
        match self.scan(false)?.0 {
            Stop::Open => self.open_block(Kind::Block(name), start),
            _ => {
                let end = self.trimmed_end(start);
                self.push(Kind::Statement(name), start, end, end);
                Ok(())
            }
        }
    }

    fn statement(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let custom = self.bytes[start..].starts_with(b"--");
        let (stop, seen) = self.scan(custom)?;
        if matches!(stop, Stop::Open) {
            return self.open_block(Kind::Rule, start);
        }
        let end = self.trimmed_end(start);
        let Some(colon) = seen.colon else {
            return Err(Fault { message: "unknown word: a declaration needs a colon, a rule a block", offset: start });
        };
        // Without a property nothing is missing before the second colon.
        if let (Some(stray), false) = (seen.stray_colon, custom || colon == start) {
            return Err(Fault { message: "a semicolon is missing before this declaration", offset: stray });
        }
        self.push(Kind::Declaration(narrow(colon)), start, end, end);
        Ok(())
    }

    /// End of the text `start..at` without trailing white space.
    fn trimmed_end(&self, start: usize) -> usize {
        // Only these are white space in CSS; other spaces belong to names.
        start + self.text.get(start..self.at).unwrap_or("").trim_ascii_end().len()
    }

    /// Runs to the semicolon (left behind), brace or end that closes a statement.
    fn scan(&mut self, custom: bool) -> Result<(Stop, Seen), Fault> {
        let mut seen = Seen::default();
        let mut brackets: Vec<(u8, usize)> = Vec::new();
        let mut parentheses = 0_usize;
        while let Some(&byte) = self.bytes.get(self.at) {
            let at = self.at;
            self.at += 1;
            match byte {
                b'"' | b'\'' => self.skip_string(byte, at)?,
                b'/' if self.peek(0) == Some(b'*') => {
                    self.at = at;
                    self.skip_comment()?;
                }
                b'\\' => self.skip_character(),
                b'@' => self.skip_at_word(),
                b'(' if self.is_bare_url(at) => self.skip_bare_url(at)?,
                b'(' => {
                    parentheses += 1;
                    brackets.push((b')', at));
                }
                b'[' => brackets.push((b']', at)),
                b'{' if custom && seen.colon.is_some() => brackets.push((b'}', at)),
                b':' if parentheses == 0 => self.note_colon(at, brackets.is_empty(), &mut seen),
                _ if brackets.last().is_some_and(|(close, _)| *close == byte) => {
                    parentheses -= usize::from(byte == b')');
                    brackets.pop();
                }
                _ if !brackets.is_empty() => {}
                b'{' | b'}' => {
                    self.at = at;
                    return Ok((if byte == b'{' { Stop::Open } else { Stop::Close }, seen));
                }
                b';' => {
                    self.at = at;
                    return Ok((Stop::Semicolon, seen));
                }
                _ => {}
            }
        }
        match brackets.first() {
            Some((close, offset)) => Err(Fault { message: unclosed_bracket(*close), offset: *offset }),
            None => Ok((Stop::End, seen)),
        }
    }

    fn note_colon(&self, at: usize, outside: bool, seen: &mut Seen) {
        match seen.colon {
            None if outside => seen.colon = Some(at),
            None => {}
            // Old filters are the one value with a bare colon.
            Some(_) if self.bytes[..at].ends_with(b"progid") => {}
            Some(_) => {
                seen.stray_colon.get_or_insert(at);
            }
        }
    }

    fn skip_at_word(&mut self) {
        while self.peek(0).is_some_and(|b| !b" \t\n\r\x0c\"#'()/;[\\]{}".contains(&b)) {
            self.at += 1;
        }
    }

    fn skip_character(&mut self) {
        self.at += self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }

    fn skip_comment(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.text.get(start + 2..).and_then(|rest| rest.find("*/")) {
            Some(length) => {
                self.at = start + 2 + length + 2;
                Ok(())
            }
            None => Err(Fault { message: "unclosed comment: `*/` is missing", offset: start }),
        }
    }

    fn skip_string(&mut self, quote: u8, start: usize) -> Result<(), Fault> {
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'\\' => self.skip_character(),
                _ if byte == quote => return Ok(()),
                _ => {}
            }
        }
        Err(Fault { message: "unclosed string: the closing quote is missing", offset: start })
    }

    /// Whether the parenthesis at `at` opens an address without quotes.
    fn is_bare_url(&self, at: usize) -> bool {
        let word = at.checked_sub(3).and_then(|from| self.bytes.get(from..at));
        let quoted =
            self.bytes[at + 1..].iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'"' | b'\''));
        word.is_some_and(|w| w.eq_ignore_ascii_case(b"url")) && !quoted
    }

    fn skip_bare_url(&mut self, start: usize) -> Result<(), Fault> {
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'\\' => self.skip_character(),
                b')' => return Ok(()),
                _ => {}
            }
        }
        Err(Fault { message: unclosed_bracket(b')'), offset: start })
    }
}

/// An offset or count of a text that [`Reader::read`] has found to be small enough.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn unclosed_bracket(close: u8) -> &'static str {
    match close {
        b')' => "unclosed bracket: `)` is missing",
        b']' => "unclosed bracket: `]` is missing",
        _ => "unclosed bracket: `}` is missing",
    }
}

#[cfg(test)]
#[path = "stylesheet_tests.rs"]
mod tests;
