//! Reading templates.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Number, Value};

use super::Error;

/// Filters in filters, and ranges in ranges, more deeply than anybody writes.
const MAX_DEPTH: usize = 16;

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
    /// What is only told when it is filled in, as kubectl does.
    Wrong(String),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Root,
    Members(Vec<String>),
    All,
    Slices(Vec<Slice>),
    Recursive,
    Filter(Operand, Operator, Operand),
}

/// A choice of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slice {
    One(i64),
    Part { start: Option<i64>, end: Option<i64>, step: usize },
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Value(Value),
    Path(Vec<Step>),
    Wrong(String),
}

/// How two sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

fn error<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error(message.into()))
}

/// What stands in one pair of braces.
enum Action {
    Nodes(Vec<Node>),
    Range(Vec<Step>),
    End,
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Node>, Error> {
    // Open ranges with what they hold so far; the outermost has no path.
    let mut open: Vec<(Vec<Step>, Vec<Node>)> = vec![(Vec::new(), Vec::new())];
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, action) = rest.split_once('{').map_or((rest, None), |(plain, action)| (plain, Some(action)));
        let Some((_, nodes)) = open.last_mut() else { break };
        if !plain.is_empty() {
            nodes.push(Node::Text(plain.to_owned()));
        }
        let Some(action) = action else { break };
        let (inner, after) = braces(action)?;
        rest = after;
        match self::action(inner, 0)? {
            Action::Nodes(new) => nodes.extend(new),
            Action::Range(steps) if open.len() > MAX_DEPTH => {
                let _ = steps;
                return error("too many ranges in one another");
            }
            Action::Range(steps) => open.push((steps, Vec::new())),
            Action::End => close(&mut open),
        }
    }
    // A range that is never ended ends with the template.
    while open.len() > 1 {
        close(&mut open);
    }
    Ok(open.pop().map(|(_, nodes)| nodes).unwrap_or_default())
}

fn close(open: &mut Vec<(Vec<Step>, Vec<Node>)>) {
    if open.len() == 1 {
        if let Some((_, nodes)) = open.last_mut() {
            nodes.push(Node::Wrong("not in range, nothing to end".to_owned()));
        }
        return;
    }
    if let Some((steps, body)) = open.pop()
        && let Some((_, nodes)) = open.last_mut()
    {
        nodes.push(Node::Range(steps, body));
    }
}

/// Splits at the brace that closes; quoted braces do not count.
fn braces(text: &str) -> Result<(&str, &str), Error> {
    let mut quote = None;
    let mut escaped = false;
    for (position, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => {
                return Ok((text.get(..position).unwrap_or(""), text.get(position + 1..).unwrap_or("")));
            }
            (None, '{') => break,
            (None, _) => {}
        }
    }
    error("unclosed action")
}

fn action(text: &str, depth: usize) -> Result<Action, Error> {
    let mut reader = Reader { characters: text.chars().peekable(), depth };
    let mut nodes = Vec::new();
    let mut steps: Option<Vec<Step>> = None;
    let mut range = false;
    while let Some(&c) = reader.characters.peek() {
        match c {
            c if c.is_whitespace() => {
                reader.characters.next();
            }
            '"' | '\'' => nodes.push(Node::Text(reader.quoted()?)),
            '.' | '[' | '$' | '@' => reader.path(steps.get_or_insert_default())?,
            '0'..='9' | '-' | '+' => nodes.push(Node::Text(reader.word())),
            c if c.is_alphabetic() => match reader.word().as_str() {
                "range" => range = true,
                "end" => return Ok(Action::End),
                word @ ("true" | "false") => nodes.push(Node::Text(word.to_owned())),
                word => nodes.push(Node::Wrong(format!("unrecognized identifier {word}"))),
            },
            c => return error(format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c))),
        }
    }
    match steps {
        Some(steps) if range => Ok(Action::Range(steps)),
        None if range => error("range is missing what to range over"),
        Some(steps) => {
            nodes.insert(0, Node::Path(steps));
            Ok(Action::Nodes(nodes))
        }
        None => Ok(Action::Nodes(nodes)),
    }
}

struct Reader<'a> {
    characters: Peekable<Chars<'a>>,
    depth: usize,
}

impl Reader<'_> {
    /// Letters, digits and what belongs to numbers.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.characters.next_if(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '+' | '_')) {
            word.push(c);
        }
        word
    }

    fn quoted(&mut self) -> Result<String, Error> {
        let quote = self.characters.next();
        let mut text = String::new();
        while let Some(c) = self.characters.next() {
            if Some(c) == quote {
                return Ok(text);
            }
            match c {
                '\\' => match self.characters.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(other) => text.push(other),
                    None => break,
                },
                c => text.push(c),
            }
        }
        error("unterminated quoted string")
    }

    /// Steps up to a space or the end.
    fn path(&mut self, steps: &mut Vec<Step>) -> Result<(), Error> {
        while let Some(&c) = self.characters.peek() {
            match c {
                '$' => {
                    self.characters.next();
                    steps.push(Step::Root);
                }
                '@' => {
                    self.characters.next();
                }
                '.' => {
                    self.characters.next();
                    if self.characters.next_if_eq(&'.').is_some() {
                        steps.push(Step::Recursive);
                    }
                    let name = self.member();
                    if name == "*" {
                        steps.push(Step::All);
                    } else if !name.is_empty() {
                        steps.push(Step::Members(vec![name]));
                    }
                }
                '[' => steps.push(self.brackets()?),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// A member's name; `\.` is a dot in it.
    fn member(&mut self) -> String {
        let mut name = String::new();
        while let Some(&c) = self.characters.peek() {
            match c {
                '\\' => {
                    self.characters.next();
                    name.extend(self.characters.next());
                }
                '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' => break,
                c if c.is_whitespace() => break,
                c => {
                    name.push(c);
                    self.characters.next();
                }
            }
        }
        name
    }

    fn brackets(&mut self) -> Result<Step, Error> {
        let inner = self.inside_brackets()?;
        let inner = inner.trim();
        if let Some(filter) = inner.strip_prefix("?(") {
            let Some(filter) = filter.strip_suffix(')') else { return error("unterminated filter") };
            return self.filter(filter);
        }
        if inner == "*" {
            return Ok(Step::All);
        }
        if inner.starts_with('\'') {
            let mut reader = Reader { characters: inner.chars().peekable(), depth: self.depth };
            let mut names = vec![reader.quoted_name(inner)?];
            while reader.characters.next_if_eq(&',').is_some() {
                names.push(reader.quoted_name(inner)?);
            }
            return if reader.characters.next().is_none() { Ok(Step::Members(names)) } else { invalid(inner) };
        }
        let slices = inner.split(',').map(|part| slice(part.trim(), inner));
        Ok(Step::Slices(slices.collect::<Result<_, _>>()?))
    }

    fn quoted_name(&mut self, whole: &str) -> Result<String, Error> {
        while self.characters.next_if(|c| c.is_whitespace()).is_some() {}
        if self.characters.peek() != Some(&'\'') {
            return invalid(whole);
        }
        let name = self.quoted();
        while self.characters.next_if(|c| c.is_whitespace()).is_some() {}
        name
    }

    /// The text between a bracket and the one that closes it.
    fn inside_brackets(&mut self) -> Result<String, Error> {
        self.characters.next();
        let mut text = String::new();
        let (mut open, mut quote) = (1, None);
        while let Some(c) = self.characters.next() {
            match (quote, c) {
                (_, '\\') => {
                    text.push(c);
                    text.extend(self.characters.next());
                    continue;
                }
                (Some(mark), c) if c == mark => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '[') => open += 1,
                (None, ']') => {
                    open -= 1;
                    if open == 0 {
                        return Ok(text);
                    }
                }
                _ => {}
            }
            text.push(c);
        }
        error("unterminated array")
    }

    fn filter(&self, text: &str) -> Result<Step, Error> {
        if self.depth > MAX_DEPTH {
            return error("too many filters in one another");
        }
        const OPERATORS: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let mut quote = None;
        for (position, c) in text.char_indices() {
            match (quote, c) {
                (Some(mark), c) if c == mark => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '=' | '!' | '<' | '>') => {
                    let (left, rest) = text.split_at(position);
                    let found = OPERATORS.iter().find_map(|(sign, op)| Some((*op, rest.strip_prefix(sign)?)));
                    let Some((operator, right)) = found else {
                        return error(format!("unrecognized filter operator {c}"));
                    };
                    return Ok(Step::Filter(self.operand(left)?, operator, self.operand(right)?));
                }
                _ => {}
            }
        }
        Ok(Step::Filter(self.operand(text)?, Operator::Exists, Operand::Value(Value::Null)))
    }

    fn operand(&self, text: &str) -> Result<Operand, Error> {
        let text = text.trim();
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Operand::Value(number.into()));
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && let Some(number) = text.parse().ok().and_then(Number::from_f64)
        {
            return Ok(Operand::Value(Value::Number(number)));
        }
        if matches!(text, "true" | "false") {
            return Ok(Operand::Value(Value::Bool(text == "true")));
        }
        match action(text, self.depth + 1)? {
            Action::Nodes(nodes) => Ok(match <[Node; 1]>::try_from(nodes) {
                Ok([Node::Text(text)]) => Operand::Value(Value::String(text)),
                Ok([Node::Path(steps)]) => Operand::Path(steps),
                Ok([Node::Wrong(message)]) => Operand::Wrong(message),
                _ => return error(format!("cannot compare {text}")),
            }),
            _ => error(format!("cannot compare {text}")),
        }
    }
}

fn invalid<T>(index: &str) -> Result<T, Error> {
    error(format!("invalid array index {index}"))
}

/// `3`, `-1`, `1:3`, `:2`, `::2`.
fn slice(part: &str, whole: &str) -> Result<Slice, Error> {
    let numbers: Vec<&str> = part.split(':').collect();
    let number = |text: &str| -> Result<Option<i64>, Error> {
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).or_else(|_| invalid(whole)) }
    };
    match numbers.as_slice() {
        [one] => number(one)?.map_or_else(|| invalid(whole), |index| Ok(Slice::One(index))),
        [start, end] => Ok(Slice::Part { start: number(start)?, end: number(end)?, step: 1 }),
        [start, end, step] => {
            let step = number(step)?.unwrap_or(1);
            match usize::try_from(step) {
                Ok(step) if step > 0 => Ok(Slice::Part { start: number(start)?, end: number(end)?, step }),
                _ => error(format!("step must be > 0, got {step}")),
            }
        }
        _ => invalid(whole),
    }
}
