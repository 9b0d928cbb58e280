//! Running templates, within bounds.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::parse::{parse, place};
use super::tree::{At, Base, Branch, Command, Node, Pipe, Source, Template, Word};
use super::value::{Native, Value};
use crate::helm::error::{Error, Place};
use crate::helm::functions;

/// Templates in templates.
const DEEPEST: usize = 100;
/// Nodes that are visited for one chart.
const MOST_STEPS: usize = 2_000_000;
/// Bytes that a chart makes.
const MOST_BYTES: usize = 16 << 20;

/// Looks for objects of the cluster: `apiVersion`, kind, namespace, name.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str, &str, &str, &str) -> Json;

/// The templates of a chart, and how much they may still do.
pub(crate) struct Runner<'a> {
    pub(crate) templates: BTreeMap<String, Template>,
    pub(crate) lookup: Lookup<'a>,
    /// The time that `now` gives, in seconds.
    pub(crate) now: i64,
    /// How many random texts were made.
    pub(crate) drawn: u64,
    pub(crate) seed: u64,
    depth: usize,
    steps: usize,
    bytes: usize,
}

/// What one running template has.
struct Frame {
    source: Rc<Source>,
    variables: Vec<(String, Value)>,
}

enum Flow {
    On,
    Break,
    Continue,
}

impl<'a> Runner<'a> {
    pub(crate) fn new(lookup: Lookup<'a>, now: i64, seed: u64) -> Self {
        Self { templates: BTreeMap::new(), lookup, now, drawn: 0, seed, depth: 0, steps: 0, bytes: 0 }
    }

    /// Reads a file; what it defines replaces what was defined before by the same name.
    pub(crate) fn add(&mut self, file: &str, text: &str) -> Result<(), Error> {
        self.templates.extend(parse(file, file, text)?);
        Ok(())
    }

    /// Runs a template.
    pub(crate) fn run(&mut self, name: &str, data: &Value) -> Result<String, Error> {
        let Some(template) = self.templates.get(name).cloned() else {
            return Err(Error::Chart(format!("there is no template {name:?}")));
        };
        self.run_template(&template, data)
    }

    fn run_template(&mut self, template: &Template, data: &Value) -> Result<String, Error> {
        let mut frame = Frame { source: template.source.clone(), variables: vec![("$".to_owned(), data.clone())] };
        let mut out = String::new();
        self.depth += 1;
        if self.depth > DEEPEST {
            self.depth = 0;
            let place = Place { file: template.source.file.clone(), line: 1, column: 1 };
            return Err(Error::Template {
                place,
                message: format!("templates call each other more than {DEEPEST} levels deep"),
            });
        }
        self.nodes(&template.body, &mut frame, data, &mut out)?;
        self.depth -= 1;
        Ok(out)
    }

    /// Runs a text as a template of its own, which sees all others.
    pub(crate) fn run_text(&mut self, text: &str, data: &Value, from: &str) -> Result<String, String> {
        let file = format!("tpl in {from}");
        let all = parse(&file, &file, text).map_err(|error| error.to_string())?;
        // what it defines is gone after it
        let before = self.templates.clone();
        self.templates.extend(all);
        let answer = self.run(&file, data).map_err(|error| error.to_string());
        self.templates = before;
        answer
    }

    /// Runs a named template for `include`.
    pub(crate) fn include(&mut self, name: &str, data: &Value) -> Result<String, String> {
        let Some(template) = self.templates.get(name).cloned() else {
            return Err(format!("error calling include: template: no template {name:?} associated with this chart"));
        };
        self.run_template(&template, data).map_err(|error| format!("error calling include: {error}"))
    }

    fn wrong<T>(frame: &Frame, at: At, message: impl Into<String>) -> Result<T, Error> {
        Err(Error::Template { place: place(&frame.source, at), message: message.into() })
    }

    fn step(&mut self, frame: &Frame, at: At, out: &str) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Self::wrong(frame, at, "the chart comes to no end");
        }
        if self.bytes + out.len() > MOST_BYTES {
            return Self::wrong(frame, at, "the chart makes more than 16 MiB");
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node], frame: &mut Frame, dot: &Value, out: &mut String) -> Result<Flow, Error> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Print(pipe) => {
                    let value = self.pipe(pipe, frame, dot)?;
                    if pipe.variables.is_empty() && !matches!(value, Value::Nil) {
                        // Nil is `<no value>` in Go, and Helm takes that out.
                        out.push_str(&value.print());
                    }
                    self.step(frame, pipe.commands.first().map_or(At(0), |command| command.at), out)?;
                }
                Node::If(branch) | Node::With(branch) => {
                    let mark = frame.variables.len();
                    let value = self.pipe(&branch.pipe, frame, dot)?;
                    let inner = if matches!(node, Node::With(_)) { &value } else { dot };
                    let flow = if value.is_true() {
                        self.nodes(&branch.body, frame, inner, out)?
                    } else {
                        self.nodes(&branch.otherwise, frame, dot, out)?
                    };
                    frame.variables.truncate(mark);
                    if !matches!(flow, Flow::On) {
                        return Ok(flow);
                    }
                }
                Node::Range(branch) => {
                    let mark = frame.variables.len();
                    let flow = self.range(branch, frame, dot, out)?;
                    frame.variables.truncate(mark);
                    if !matches!(flow, Flow::On) {
                        return Ok(flow);
                    }
                }
                Node::Call { at, name, with } => {
                    let data = with.as_ref().map_or(Ok(Value::Nil), |pipe| self.pipe(pipe, frame, dot))?;
                    let Some(template) = self.templates.get(name).cloned() else {
                        return Self::wrong(frame, *at, format!("template {name:?} not defined"));
                    };
                    out.push_str(&self.run_template(&template, &data)?);
                    self.step(frame, *at, out)?;
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::On)
    }

    fn range(&mut self, branch: &Branch, frame: &mut Frame, dot: &Value, out: &mut String) -> Result<Flow, Error> {
        let at = branch.pipe.commands.first().map_or(At(0), |command| command.at);
        let whole = self.commands(&branch.pipe, frame, dot)?;
        let number = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let items: Vec<(Value, Value)> = match &whole {
            Value::Nil => Vec::new(),
            Value::List(items) => items.iter().enumerate().map(|(n, item)| (number(n), item.clone())).collect(),
            Value::Map(map) => map.borrow().iter().map(|(key, item)| (Value::text(key), item.clone())).collect(),
            Value::Native(Native::Files(files)) => {
                files.all().map(|(path, text)| (Value::text(path), Value::text(text))).collect()
            }
            Value::Int(count) => {
                let count = usize::try_from(*count).unwrap_or(0).min(MOST_STEPS);
                (0..count).map(|n| (number(n), number(n))).collect()
            }
            other => {
                return Self::wrong(frame, at, format!("range can't iterate over {}", other.print()));
            }
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, frame, dot, out);
        }
        let mark = frame.variables.len();
        for (key, item) in items {
            let names = &branch.pipe.variables;
            let values = if names.len() == 2 { vec![key, item.clone()] } else { vec![item.clone()] };
            for (name, value) in names.iter().zip(values) {
                set(frame, name, value, branch.pipe.declares);
            }
            let flow = self.nodes(&branch.body, frame, &item, out)?;
            frame.variables.truncate(mark);
            self.step(frame, at, out)?;
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn pipe(&mut self, pipe: &Pipe, frame: &mut Frame, dot: &Value) -> Result<Value, Error> {
        let value = self.commands(pipe, frame, dot)?;
        for name in &pipe.variables {
            set(frame, name, value.clone(), pipe.declares);
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &Pipe, frame: &mut Frame, dot: &Value) -> Result<Value, Error> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, frame, dot)?);
        }
        Ok(value.unwrap_or_default())
    }

    fn command(
        &mut self,
        command: &Command,
        last: Option<Value>,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Value, Error> {
        self.step(frame, command.at, "")?;
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Nil) };
        if let (Base::Function(name), true) = (&first.base, first.fields.is_empty()) {
            return self.function(name, first.at, rest, last, frame, dot);
        }
        let mut arguments = Vec::with_capacity(rest.len());
        for word in rest {
            arguments.push(self.word(word, frame, dot, &[])?);
        }
        arguments.extend(last);
        if !arguments.is_empty() && first.fields.is_empty() {
            return Self::wrong(frame, first.at, "can't give argument to non-function");
        }
        self.word(first, frame, dot, &arguments)
    }

    fn function(
        &mut self,
        name: &str,
        at: At,
        words: &[Word],
        last: Option<Value>,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Value, Error> {
        if matches!(name, "and" | "or") {
            let mut value = Value::Nil;
            for word in words {
                value = self.word(word, frame, dot, &[])?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut arguments = Vec::with_capacity(words.len() + 1);
        for word in words {
            arguments.push(self.word(word, frame, dot, &[])?);
        }
        arguments.extend(last);
        match functions::call(self, name, &arguments, &frame.source.file) {
            Ok(value) => {
                if let Value::Text(text) = &value {
                    self.bytes += text.len() / 64;
                }
                Ok(value)
            }
            Err(message) => Self::wrong(frame, at, format!("{name}: {message}")),
        }
    }

    /// The value of a word; `arguments` are for a method at its end.
    fn word(&mut self, word: &Word, frame: &mut Frame, dot: &Value, arguments: &[Value]) -> Result<Value, Error> {
        let base = match &word.base {
            Base::Dot => dot.clone(),
            Base::Nil => Value::Nil,
            Base::Bool(yes) => Value::Bool(*yes),
            Base::Int(number) => Value::Int(*number),
            Base::Float(number) => Value::Float(*number),
            Base::Text(text) => Value::Text(text.clone()),
            Base::Variable(name) => frame
                .variables
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            Base::Function(name) => self.function(name, word.at, &[], None, frame, dot)?,
            Base::Pipe(pipe) => self.pipe(pipe, frame, dot)?,
        };
        let mut here = base;
        for (number, field) in word.fields.iter().enumerate() {
            let is_last = number + 1 == word.fields.len();
            let given = if is_last { arguments } else { &[] };
            here = match &here {
                Value::Map(_) if !given.is_empty() => {
                    return Self::wrong(
                        frame,
                        word.at,
                        format!("{field} has arguments but cannot be invoked as function"),
                    );
                }
                Value::Map(map) => map.borrow().get(field).cloned().unwrap_or_default(),
                Value::Native(native) => match native.method(field, given) {
                    Ok(value) => value,
                    Err(message) => return Self::wrong(frame, word.at, message),
                },
                Value::Nil => {
                    return Self::wrong(frame, word.at, format!("nil pointer evaluating interface {{}}.{field}"));
                }
                other => {
                    let message = format!("can't evaluate field {field} in type {}", other.type_name());
                    return Self::wrong(frame, word.at, message);
                }
            };
        }
        Ok(here)
    }
}

fn set(frame: &mut Frame, name: &str, value: Value, declares: bool) {
    let there = frame.variables.iter_mut().rev().find(|(known, _)| known == name);
    match there {
        Some((_, place)) if !declares => *place = value,
        _ => frame.variables.push((name.to_owned(), value)),
    }
}
