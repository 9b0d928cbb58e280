//! Reading a template: text and `${…}`, as the library of clusterctl does, quirks included.

use super::Error;

/// How deep defaults may be nested.
const DEPTH: usize = 100;

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Text as it is.
    Text(String),
    /// A substitution.
    Call(Call),
}

/// A `${name…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The variable.
    pub(super) name: String,
    /// What is done with its value: empty for nothing, `:=`, `##` …
    pub(super) function: String,
    /// What comes after the function.
    pub(super) arguments: Vec<Node>,
}

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Error> {
    let mut reader = Reader { left: text };
    let mut nodes = Vec::new();
    while !reader.left.is_empty() {
        if reader.take("${") {
            nodes.push(Node::Call(reader.call(0)?));
        } else {
            nodes.push(Node::Text(reader.plain(|_| true, Escapes::Dollar)));
        }
    }
    Ok(nodes)
}

/// What stands for another character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// Nothing.
    None,
    /// `$$` for `$`.
    Dollar,
    /// Also `\/` and `\\`.
    All,
}

struct Reader<'t> {
    left: &'t str,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.left.chars().next()
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.left.strip_prefix(text);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    fn bump(&mut self) {
        let mut chars = self.left.chars();
        chars.next();
        self.left = chars.as_str();
    }

    /// The characters up to one that is not accepted, or to a `${`.
    fn plain(&mut self, accept: impl Fn(char) -> bool, escapes: Escapes) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if self.left.starts_with("${") {
                break;
            }
            let escaped = match escapes {
                Escapes::None => false,
                Escapes::Dollar => self.left.starts_with("$$"),
                Escapes::All => ["$$", "\\/", "\\\\"].iter().any(|escape| self.left.starts_with(escape)),
            };
            if escaped {
                self.bump();
                text.extend(self.peek());
            } else if accept(c) {
                text.push(c);
            } else {
                break;
            }
            self.bump();
        }
        text
    }

    /// A run of some characters, at most `most` of them.
    fn run(&mut self, allowed: &[char], most: usize) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| allowed.contains(c) && text.chars().count() < most) {
            text.push(c);
            self.bump();
        }
        text
    }

    fn name(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphabetic() || c.is_numeric() || *c == '_') {
            text.push(c);
            self.bump();
        }
        text
    }

    /// What follows a `${`, with its `}`.
    fn call(&mut self, depth: usize) -> Result<Call, Error> {
        if depth >= DEPTH {
            return Err(Error::Deep(DEPTH));
        }
        if self.peek() == Some('#') {
            return self.length();
        }
        let name = self.name();
        if name.is_empty() {
            return Err(Error::Name);
        }
        let mut call = Call { name, function: String::new(), arguments: Vec::new() };
        match self.peek() {
            Some(':') if self.left[1..].starts_with(['=', '-', '?', '+']) => self.default(&mut call, depth)?,
            Some('=') => self.default(&mut call, depth)?,
            Some(':') => self.part(&mut call, depth)?,
            Some(',' | '^') => {
                call.function = self.run(&[',', '^'], 2);
                self.close()?;
            }
            Some('/') => self.replacement(&mut call, depth)?,
            Some(c @ ('#' | '%')) => {
                call.function = self.run(&[c], 2);
                let pattern = self.argument(|c| c != '}', Escapes::None, depth)?;
                call.arguments.push(pattern);
                self.close()?;
            }
            _ if self.take("}") => {}
            _ => return Err(Error::MissingBrace),
        }
        Ok(call)
    }

    /// `${#name}`.
    fn length(&mut self) -> Result<Call, Error> {
        self.bump();
        let name = self.name();
        if name.is_empty() {
            return Err(Error::Bad);
        }
        self.close()?;
        Ok(Call { name, function: "#".to_owned(), arguments: Vec::new() })
    }

    /// `${name=default}` and its kin: the default may have substitutions of its own.
    fn default(&mut self, call: &mut Call, depth: usize) -> Result<(), Error> {
        call.function = self.run(&[':'], 1);
        call.function += &self.run(&['=', '-', '?', '+'], 1);
        while !self.take("}") {
            let part = self.argument(|c| c != '}', Escapes::None, depth)?;
            call.arguments.push(part);
        }
        Ok(())
    }

    /// `${name:offset}` and `${name:offset:length}`.
    fn part(&mut self, call: &mut Call, depth: usize) -> Result<(), Error> {
        call.function = self.run(&[':'], 1);
        let offset = self.argument(|c| c != ':' && c != '}', Escapes::None, depth)?;
        call.arguments.push(offset);
        if self.take("}") {
            return Ok(());
        }
        if self.run(&[':'], usize::MAX).is_empty() {
            return Err(Error::Bad);
        }
        let length = self.argument(|c| c != '}', Escapes::None, depth)?;
        call.arguments.push(length);
        self.close()
    }

    /// `${name/old/new}` and its kin.
    fn replacement(&mut self, call: &mut Call, depth: usize) -> Result<(), Error> {
        call.function = self.run(&['/'], 1);
        call.function += &self.run(&['/', '#', '%'], 1);
        let old = self.argument(|c| c != '/', Escapes::All, depth)?;
        call.arguments.push(old);
        if self.run(&['/'], usize::MAX).is_empty() {
            return Err(Error::Bad);
        }
        if self.take("}") {
            return Ok(());
        }
        let new = self.argument(|c| c != '}', Escapes::All, depth)?;
        call.arguments.push(new);
        self.close()
    }

    fn argument(&mut self, accept: impl Fn(char) -> bool, escapes: Escapes, depth: usize) -> Result<Node, Error> {
        if self.take("${") {
            return Ok(Node::Call(self.call(depth + 1)?));
        }
        let text = self.plain(accept, escapes);
        if text.is_empty() { Err(Error::Argument) } else { Ok(Node::Text(text)) }
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.take("}") { Ok(()) } else { Err(Error::Bad) }
    }
}
