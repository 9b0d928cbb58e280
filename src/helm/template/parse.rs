//! Tokens → tree, as Go's parser reads them and with its messages. Functions that do not exist are found here.

use std::rc::Rc;

use super::escape::quoted;
use super::lex::{Lexed, Token, Wrong, lex};
use super::tree::{At, Base, Branch, Call, Command, Node, Pipe, Source, Template, Word};
use crate::helm::error::{Error, Place};
use crate::helm::functions;

/// Deeper nesting is refused.
const DEEPEST: usize = 100;

/// The place of a byte, as line and column.
pub(crate) fn place(source: &Source, at: At) -> Place {
    let before = source.text.get(..at.0).unwrap_or(&source.text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").len();
    Place { file: source.file.clone(), line, column }
}

/// Reads a template: its own body, under `name`, and those that it defines.
///
/// # Errors
/// When it is no template.
pub(crate) fn parse(name: &str, file: &str, text: &str) -> Result<Vec<(String, Template)>, Error> {
    let source = Rc::new(Source { file: file.to_owned(), text: text.to_owned() });
    let (tokens, broken) = lex(text);
    let end = At(text.len());
    let mut parser = Parser {
        text,
        tokens,
        broken,
        at: 0,
        end,
        depth: 0,
        scopes: vec![vec!["$".to_owned()]],
        loops: 0,
        defined: Vec::new(),
    };
    let body = parser.whole().map_err(|(at, message)| Error::Parse { place: place(&source, at), message })?;
    let mut all: Vec<(String, Vec<Node>)> = parser.defined;
    all.insert(0, (name.to_owned(), body));
    let template = |(name, body): (String, Vec<Node>)| {
        let template = Template { name: name.as_str().into(), source: source.clone(), body: Rc::new(body) };
        (name, template)
    };
    Ok(all.into_iter().map(template).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Text,
    Body,
    Else,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Lexed>,
    broken: Option<Wrong>,
    at: usize,
    end: At,
    depth: usize,
    scopes: Vec<Vec<String>>,
    loops: usize,
    defined: Vec<(String, Vec<Node>)>,
}

impl Parser<'_> {
    fn here(&self) -> At {
        self.tokens.get(self.at).map_or(self.end, |lexed| lexed.at)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|lexed| &lexed.token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn skip_space(&mut self) {
        self.at += usize::from(self.peek() == Some(&Token::Space));
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, Wrong> {
        Err((self.here(), message.into()))
    }

    /// What is next does not belong here; behind the last token stands what the text has wrong.
    fn unexpected<T>(&self, context: &str) -> Result<T, Wrong> {
        let Some(lexed) = self.tokens.get(self.at) else {
            return match &self.broken {
                Some((at, message)) => {
                    // As Helm shows it: what is behind the last colon.
                    Err((*at, message.rsplit(": ").next().unwrap_or(message).to_owned()))
                }
                None => self.fail("unexpected EOF"),
            };
        };
        let written = self.text.get(lexed.at.0..lexed.end).unwrap_or("").trim_start();
        let shown = match &lexed.token {
            Token::Dot => "<.>".to_owned(),
            Token::Name(name) if is_keyword(name) => format!("<{name}>"),
            Token::Text(text) => short(text),
            _ => short(written),
        };
        self.fail(format!("unexpected {shown} in {context}"))
    }

    fn deeper(&mut self) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST { self.fail(format!("nested more than {DEEPEST} levels")) } else { Ok(()) }
    }

    fn close(&mut self, context: &str) -> Result<(), Wrong> {
        self.skip_space();
        if self.peek() == Some(&Token::Close) {
            self.at += 1;
            return Ok(());
        }
        self.unexpected(context)
    }

    fn whole(&mut self) -> Result<Vec<Node>, Wrong> {
        let (body, ended) = self.body(false)?;
        match ended {
            Ended::Text => Ok(body),
            Ended::Body => self.fail("unexpected {{end}}"),
            Ended::Else => self.fail("unexpected {{else}}"),
        }
    }

    /// Nodes up to `end`, `else` (whose action is left open behind the word) or the end of the text.
    fn body(&mut self, within: bool) -> Result<(Vec<Node>, Ended), Wrong> {
        self.deeper()?;
        let mut nodes = Vec::new();
        let end = loop {
            let Some(token) = self.peek().cloned() else {
                if within || self.broken.is_some() {
                    return self.unexpected("input");
                }
                break Ended::Text;
            };
            self.at += 1;
            match token {
                Token::Text(text) => nodes.push(Node::Text(text)),
                Token::Open => {
                    self.skip_space();
                    let word = match self.peek() {
                        Some(Token::Name(name)) => name.clone(),
                        _ => String::new(),
                    };
                    match word.as_str() {
                        "end" => {
                            self.at += 1;
                            self.close("end")?;
                            break Ended::Body;
                        }
                        "else" => {
                            self.at += 1;
                            self.skip_space();
                            break Ended::Else;
                        }
                        word => {
                            if let Some(node) = self.action(word)? {
                                nodes.push(node);
                            }
                        }
                    }
                }
                _ => {
                    self.at -= 1;
                    return self.unexpected("input");
                }
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    fn action(&mut self, word: &str) -> Result<Option<Node>, Wrong> {
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
                let (at, name, written) = self.name(&format!("{word} clause"))?;
                let with = if word == "block" { Some(self.pipe("block clause")?) } else { None };
                if word == "define" {
                    self.close("define clause")?;
                }
                let scopes = std::mem::replace(&mut self.scopes, vec![vec!["$".to_owned()]]);
                let loops = std::mem::take(&mut self.loops);
                let (body, end) = self.body(true)?;
                (self.scopes, self.loops) = (scopes, loops);
                if end != Ended::Body {
                    return self.fail(format!("unexpected {{{{else}}}} in {word} clause"));
                }
                self.defined.push((name.clone(), body));
                return Ok(with.map(|with| Node::Call(Call { at, name, written, with: Some(with) })));
            }
            "template" => {
                self.at += 1;
                let (at, name, written) = self.name("template clause")?;
                self.skip_space();
                let with = if self.peek() == Some(&Token::Close) {
                    self.at += 1;
                    None
                } else {
                    Some(self.pipe("template clause")?)
                };
                Node::Call(Call { at, name, written, with })
            }
            "break" | "continue" => {
                self.at += 1;
                self.close(&format!("{{{{{word}}}}}"))?;
                if self.loops == 0 {
                    return self.fail(format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                if word == "break" { Node::Break } else { Node::Continue }
            }
            _ => Node::Print(self.pipe("command")?),
        };
        Ok(Some(node))
    }

    /// The name of a template.
    fn name(&mut self, context: &str) -> Result<(At, String, String), Wrong> {
        self.skip_space();
        let Some(Lexed { at, end, token: Token::String(name) }) = self.tokens.get(self.at) else {
            return self.unexpected(context);
        };
        let named = (*at, name.clone(), self.text.get(at.0..*end).unwrap_or("").to_owned());
        self.at += 1;
        Ok(named)
    }

    fn branch(&mut self, word: &str) -> Result<Branch, Wrong> {
        self.deeper()?;
        self.scopes.push(Vec::new());
        let pipe = self.pipe(word)?;
        self.loops += usize::from(word == "range");
        self.scopes.push(Vec::new());
        let (body, end) = self.body(true)?;
        self.scopes.pop();
        self.loops -= usize::from(word == "range");
        let mut otherwise = Vec::new();
        if end == Ended::Else {
            let chained = match self.peek() {
                Some(Token::Name(name)) if word != "range" && name == word => Some(name.clone()),
                _ => None,
            };
            if let Some(word) = chained {
                self.at += 1;
                let inner = self.branch(&word)?;
                otherwise.push(if word == "if" { Node::If(inner) } else { Node::With(inner) });
            } else {
                if matches!(self.peek(), Some(Token::Name(name)) if name == "if" || name == "with") {
                    return self.unexpected("input");
                }
                self.close("else")?;
                self.scopes.push(Vec::new());
                let (body, end) = self.body(true)?;
                self.scopes.pop();
                if end != Ended::Body {
                    return self.fail("expected end; found {{else}}");
                }
                otherwise = body;
            }
        }
        self.scopes.pop();
        self.depth -= 1;
        Ok(Branch { pipe, body, otherwise })
    }

    /// Commands up to the end of the action or, in brackets, of these.
    fn pipe(&mut self, context: &str) -> Result<Pipe, Wrong> {
        self.deeper()?;
        self.skip_space();
        let at = self.here();
        let (variables, declares) = self.variables(context)?;
        let end = if context == "parenthesized pipeline" { Token::Right } else { Token::Close };
        let mut commands: Vec<Command> = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                Some(token) if *token == end => break,
                Some(
                    Token::Name(_)
                    | Token::Dot
                    | Token::Field(_)
                    | Token::Variable(_)
                    | Token::Int(_)
                    | Token::Float(_)
                    | Token::String(_)
                    | Token::Left,
                ) if !matches!(self.peek(), Some(Token::Name(name)) if is_keyword(name)) => {
                    commands.push(self.command()?);
                }
                _ => return self.unexpected(context),
            }
        }
        self.at += 1;
        if commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (number, command) in commands.iter().enumerate().skip(1) {
            let first = command.words.first();
            let is_plain = first.is_some_and(|word| word.fields.is_empty());
            let base = first.map(|word| &word.base);
            if is_plain
                && matches!(
                    base,
                    Some(Base::Bool(_) | Base::Dot | Base::Nil | Base::Int(_) | Base::Float(_) | Base::Text(_))
                )
            {
                return Err((command.at, format!("non executable command in pipeline stage {}", number + 1)));
            }
        }
        self.depth -= 1;
        Ok(Pipe { at, variables, declares, commands })
    }

    /// `$x :=`, `$x =`, `$i, $x :=`.
    fn variables(&mut self, context: &str) -> Result<(Vec<String>, bool), Wrong> {
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = self.peek().cloned() {
            let from = self.at;
            self.at += 1;
            self.skip_space();
            match self.next() {
                Some(Token::Other(',')) => {
                    self.learn(&name);
                    names.push(name);
                    if context != "range" || names.len() > 1 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    self.skip_space();
                    if !matches!(self.peek(), Some(Token::Variable(_) | Token::Close | Token::Right)) {
                        return self.fail("range can only initialize variables");
                    }
                }
                Some(token @ (Token::Declare | Token::Assign)) => {
                    self.learn(&name);
                    names.push(name);
                    return Ok((names, token == Token::Declare));
                }
                _ => {
                    self.at = from;
                    break;
                }
            }
        }
        Ok((names, true))
    }

    fn learn(&mut self, name: &str) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push(name.to_owned());
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.scopes.iter().flatten().any(|known| known == name)
    }

    fn command(&mut self) -> Result<Command, Wrong> {
        let at = self.here();
        let mut words = Vec::new();
        loop {
            self.skip_space();
            words.extend(self.word()?);
            match self.peek() {
                Some(Token::Space) => {}
                Some(Token::Close | Token::Right) => break,
                Some(Token::Pipe) => {
                    self.at += 1;
                    break;
                }
                _ => return self.unexpected("operand"),
            }
        }
        if words.is_empty() { self.fail("empty command") } else { Ok(Command { at, words }) }
    }

    fn word(&mut self) -> Result<Option<Word>, Wrong> {
        let Some(lexed) = self.tokens.get(self.at) else { return Ok(None) };
        let written = self.text.get(lexed.at.0..lexed.end).unwrap_or("");
        let (start, mut fields) = (lexed.at, Vec::new());
        let base = match &lexed.token {
            Token::Dot => Base::Dot,
            Token::Field(name) => {
                fields.push(name.clone());
                Base::Dot
            }
            Token::Variable(name) => {
                if !self.knows(name) {
                    return self.fail(format!("undefined variable {}", quoted(name)));
                }
                Base::Variable(name.clone())
            }
            Token::Name(name) => match name.as_str() {
                "true" => Base::Bool(true),
                "false" => Base::Bool(false),
                "nil" => Base::Nil,
                name if functions::is_known(name) => Base::Function(name.to_owned()),
                name if is_keyword(name) => return Ok(None),
                name => return self.fail(format!("function {} not defined", quoted(name))),
            },
            Token::Int(number) => Base::Int(*number),
            Token::Float(number) => Base::Float(*number),
            Token::String(text) => Base::Text(text.as_str().into()),
            Token::Left => {
                self.at += 1;
                let pipe = self.pipe("parenthesized pipeline")?;
                self.at -= 1;
                Base::Pipe(Box::new(pipe))
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let more = self.here();
        let before = fields.len();
        while let Some(Token::Field(name)) = self.peek() {
            fields.push(name.clone());
            self.at += 1;
        }
        let at = if fields.len() > before { more } else { start };
        let plain = matches!(base, Base::Bool(_) | Base::Text(_) | Base::Int(_) | Base::Float(_) | Base::Nil);
        let word = Word { at, base, fields, written: written.into() };
        if plain && !word.fields.is_empty() {
            let term = Word { fields: Vec::new(), ..word };
            return self.fail(format!("unexpected . after term {}", quoted(&term.to_string())));
        }
        Ok(Some(word))
    }
}

/// Words that are no functions.
fn is_keyword(name: &str) -> bool {
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"].contains(&name)
}

/// A token in quotes, its first ten letters.
fn short(text: &str) -> String {
    if text.len() <= 10 {
        return quoted(text);
    }
    quoted(&text.chars().take(10).collect::<String>()) + "..."
}
