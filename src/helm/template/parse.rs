//! Tokens → tree. Functions that do not exist are found here, as Go does.

use std::rc::Rc;

use super::lex::{Token, Wrong, lex};
use super::tree::{At, Base, Branch, Command, Node, Pipe, Source, Template, Word};
use crate::helm::error::{Error, Place};
use crate::helm::functions;

/// Deeper nesting is refused.
const DEEPEST: usize = 100;

/// The place of a byte, as line and column.
pub(crate) fn place(source: &Source, at: At) -> Place {
    let before = source.text.get(..at.0).unwrap_or(&source.text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Place { file: source.file.clone(), line, column }
}

/// Reads a template: its own body, under `name`, and those that it defines.
///
/// # Errors
/// When it is no template.
pub(crate) fn parse(name: &str, file: &str, text: &str) -> Result<Vec<(String, Template)>, Error> {
    let source = Rc::new(Source { file: file.to_owned(), text: text.to_owned() });
    let wrong = |(at, message): Wrong| Error::Template { place: place(&source, at), message };
    let tokens = lex(text).map_err(wrong)?;
    let end = At(text.len());
    let mut parser =
        Parser { tokens, at: 0, end, depth: 0, scopes: vec![vec!["$".to_owned()]], loops: 0, defined: Vec::new() };
    let read = parser.body(false);
    let (body, ended) = read.map_err(wrong)?;
    if ended != Ended::Text {
        return Err(wrong((parser.here(), "unexpected {{end}} or {{else}}".to_owned())));
    }
    let mut all: Vec<(String, Vec<Node>)> = parser.defined;
    all.insert(0, (name.to_owned(), body));
    let template = |body| Template { source: source.clone(), body: Rc::new(body) };
    Ok(all.into_iter().map(|(name, body)| (name, template(body))).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Text,
    Body,
    Else,
}

struct Parser {
    tokens: Vec<(At, Token)>,
    at: usize,
    end: At,
    depth: usize,
    scopes: Vec<Vec<String>>,
    loops: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser {
    fn here(&self) -> At {
        self.tokens.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn eat(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, Wrong> {
        Err((self.here(), message.into()))
    }

    fn deeper(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST { self.fail(format!("nested more than {DEEPEST} levels")) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), Wrong> {
        if self.eat(&Token::Close) { Ok(()) } else { self.fail("unexpected words before the end of the action") }
    }

    /// Nodes up to `end`, `else` (whose action is left open behind the word) or the end of the text.
    fn body(&mut self, within: bool) -> Result<(Vec<Node>, Ended), Wrong> {
        self.deeper()?;
        let mut nodes = Vec::new();
        let end = loop {
            let Some(token) = self.next() else {
                if within {
                    return self.fail("unexpected end of the template: an {{end}} is missing");
                }
                break Ended::Text;
            };
            match token {
                Token::Text(text) => nodes.push(Node::Text(text)),
                Token::Open => {
                    let word = match self.peek() {
                        Some(Token::Name(name)) => name.clone(),
                        _ => String::new(),
                    };
                    match word.as_str() {
                        "end" => {
                            self.at += 1;
                            self.close()?;
                            break Ended::Body;
                        }
                        "else" => {
                            self.at += 1;
                            break Ended::Else;
                        }
                        word => {
                            if let Some(node) = self.action(word)? {
                                nodes.push(node);
                            }
                        }
                    }
                }
                _ => return self.fail("unexpected words"),
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn action(&mut self, word: &str) -> Result<Option<Node>, Wrong> {
        let at = self.here();
        let node = match word {
            "if" | "with" | "range" => {
                self.at += 1;
                let branch = self.branch(word)?;
                match word {
                    "if" => Node::If(branch),
                    "with" => Node::With(branch),
                    _ => Node::Range(branch),
                }
            }
            "define" | "block" => {
                self.at += 1;
                let Some(Token::String(name)) = self.next() else {
                    return self.fail(format!("{word} wants a name in quotes"));
                };
                let with = if word == "block" { Some(self.pipe()?) } else { None };
                self.close()?;
                let scopes = std::mem::replace(&mut self.scopes, vec![vec!["$".to_owned()]]);
                let loops = std::mem::take(&mut self.loops);
                let (body, end) = self.body(true)?;
                (self.scopes, self.loops) = (scopes, loops);
                if end != Ended::Body {
                    return self.fail(format!("unexpected {{{{else}}}} in {word}"));
                }
                self.defined.push((name.clone(), body));
                return Ok(with.map(|with| Node::Call { at, name, with: Some(with) }));
            }
            "template" => {
                self.at += 1;
                let Some(Token::String(name)) = self.next() else {
                    return self.fail("template wants a name in quotes");
                };
                let with = if self.peek() == Some(&Token::Close) { None } else { Some(self.pipe()?) };
                self.close()?;
                Node::Call { at, name, with }
            }
            "break" | "continue" => {
                self.at += 1;
                if self.loops == 0 {
                    return self.fail(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                self.close()?;
                if word == "break" { Node::Break } else { Node::Continue }
            }
            _ => {
                let pipe = self.pipe()?;
                self.close()?;
                Node::Print(pipe)
            }
        };
        Ok(Some(node))
    }

    fn branch(&mut self, word: &str) -> Result<Branch, Wrong> {
        self.deeper()?;
        self.scopes.push(Vec::new());
        let pipe = self.pipe()?;
        self.close()?;
        self.loops += usize::from(word == "range");
        self.scopes.push(Vec::new());
        let (body, end) = self.body(true)?;
        self.scopes.pop();
        self.loops -= usize::from(word == "range");
        let mut otherwise = Vec::new();
        if end == Ended::Else {
            let chained = match self.peek() {
                Some(Token::Name(name)) if word != "range" && name == word => Some(name.clone()),
                Some(Token::Close) => None,
                _ => return self.fail("unexpected words after else"),
            };
            if let Some(word) = chained {
                self.at += 1;
                let inner = self.branch(&word)?;
                otherwise.push(if word == "if" { Node::If(inner) } else { Node::With(inner) });
            } else {
                self.close()?;
                self.scopes.push(Vec::new());
                let (body, end) = self.body(true)?;
                self.scopes.pop();
                if end != Ended::Body {
                    return self.fail("expected {{end}}, found a second {{else}}");
                }
                otherwise = body;
            }
        }
        self.scopes.pop();
        self.depth -= 1;
        Ok(Branch { pipe, body, otherwise })
    }

    fn pipe(&mut self) -> Result<Pipe, Wrong> {
        self.deeper()?;
        let (variables, declares) = self.variables()?;
        let mut commands = Vec::new();
        loop {
            let command = self.command()?;
            let first = command.words.first().map(|word| &word.base);
            if !commands.is_empty()
                && !matches!(first, Some(Base::Function(_) | Base::Pipe(_) | Base::Dot | Base::Variable(_)))
            {
                return Err((command.at, "non executable command in pipeline".to_owned()));
            }
            commands.push(command);
            if !self.eat(&Token::Pipe) {
                break;
            }
        }
        if declares && let Some(scope) = self.scopes.last_mut() {
            scope.extend(variables.iter().cloned());
        }
        self.depth -= 1;
        Ok(Pipe { variables, declares, commands })
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    fn variables(&mut self) -> Result<(Vec<String>, bool), Wrong> {
        let from = self.at;
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            self.at += 1;
            names.push(name);
            match self.next() {
                Some(Token::Comma) if names.len() == 1 => {}
                Some(Token::Declare) => return Ok((names, true)),
                Some(Token::Assign) => {
                    if let Some(name) = names.iter().find(|name| !self.knows(name)) {
                        return self.fail(format!("undefined variable {name:?}"));
                    }
                    return Ok((names, false));
                }
                _ => break,
            }
        }
        self.at = from;
        Ok((Vec::new(), false))
    }

    fn knows(&self, name: &str) -> bool {
        self.scopes.iter().flatten().any(|known| known == name)
    }

    fn command(&mut self) -> Result<Command, Wrong> {
        let at = self.here();
        let mut words = Vec::new();
        while let Some(word) = self.word()? {
            words.push(word);
        }
        if words.is_empty() {
            return self.fail("missing value for command");
        }
        Ok(Command { at, words })
    }

    fn word(&mut self) -> Result<Option<Word>, Wrong> {
        let at = self.here();
        let mut fields = Vec::new();
        let base = match self.peek() {
            Some(Token::Dot) => Base::Dot,
            Some(Token::Field(name, _)) => {
                fields.push(name.clone());
                Base::Dot
            }
            Some(Token::Variable(name)) => {
                if !self.knows(name) {
                    return self.fail(format!("undefined variable {name:?}"));
                }
                Base::Variable(name.clone())
            }
            Some(Token::Name(name)) => match name.as_str() {
                "true" => Base::Bool(true),
                "false" => Base::Bool(false),
                "nil" => Base::Nil,
                name if functions::is_known(name) => Base::Function(name.to_owned()),
                name => return self.fail(format!("function {name:?} not defined")),
            },
            Some(Token::Int(number)) => Base::Int(*number),
            Some(Token::Float(number)) => Base::Float(*number),
            Some(Token::String(text)) => Base::Text(text.as_str().into()),
            Some(Token::Left) => {
                self.at += 1;
                let pipe = self.pipe()?;
                if self.peek() != Some(&Token::Right) {
                    return self.fail("unclosed left paren");
                }
                Base::Pipe(Box::new(pipe))
            }
            _ => return Ok(None),
        };
        self.at += 1;
        while let Some(Token::Field(name, true)) = self.peek() {
            fields.push(name.clone());
            self.at += 1;
        }
        Ok(Some(Word { at, base, fields }))
    }
}
