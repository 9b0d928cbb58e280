//! Running templates, within bounds.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::escape::quoted;
use super::parse::{parse, place};
use super::tree::{At, Base, Branch, Call, Command, Node, Pipe, Template, Word};
use super::value::{Native, Value};
use crate::helm::error::Error;
use crate::helm::functions::signature::Kind;
use crate::helm::functions::{self, Fault};

/// Templates in templates.
const DEEPEST: usize = 100;
/// Nodes that are visited for one chart.
const MOST_STEPS: usize = 2_000_000;
/// Bytes that a chart makes.
const MOST_BYTES: usize = 16 << 20;
/// What Go prints where there is nothing, and Helm takes out of what it is given.
const NOTHING: &str = "<no value>";

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

/// A value, and whether Go has it as an `interface {}`: out of a mapping or a list, and not yet looked into.
#[derive(Debug, Clone)]
struct Got {
    value: Value,
    wrapped: bool,
}

impl Got {
    fn plain(value: Value) -> Self {
        Self { value, wrapped: false }
    }

    fn wrapped(value: Value) -> Self {
        Self { value, wrapped: true }
    }

    fn type_name(&self) -> &'static str {
        if self.wrapped { "interface {}" } else { self.value.type_name() }
    }
}

/// The part of a template that is worked on, for messages.
#[derive(Clone, Copy)]
enum Here<'t> {
    Start,
    Pipe(&'t Pipe),
    Command(&'t Command),
    Word(&'t Word),
    /// The first word of a command, which is a function.
    Function(&'t Word, &'t str),
    Call(&'t Call),
}

/// What one running template has.
struct Frame<'t> {
    template: &'t Template,
    here: Here<'t>,
    variables: Vec<(String, Got)>,
}

impl Frame<'_> {
    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Error> {
        let (at, words) = match self.here {
            Here::Start => (At(0), String::new()),
            Here::Pipe(pipe) => (pipe.at, pipe.to_string()),
            Here::Command(command) => (command.at, command.to_string()),
            Here::Word(word) => (word.at, word.to_string()),
            Here::Function(word, name) => (word.at, name.to_owned()),
            Here::Call(call) => (call.at, call.to_string()),
        };
        Err(Error::Template {
            place: place(&self.template.source, at),
            template: self.template.name.to_string(),
            at: words,
            message: message.into(),
        })
    }

    fn set(&mut self, name: &str, got: Got, declares: bool) -> Result<(), Error> {
        if declares {
            self.variables.push((name.to_owned(), got));
            return Ok(());
        }
        match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, place)) => {
                *place = got;
                Ok(())
            }
            None => self.wrong(format!("undefined variable: {name}")),
        }
    }
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
        self.define(parse(file, file, text)?);
        Ok(())
    }

    /// A body of nothing but blanks does not replace another, as in Go.
    fn define(&mut self, all: Vec<(String, Template)>) {
        for (name, template) in all {
            if !is_blank(&template.body) || !self.templates.contains_key(&name) {
                self.templates.insert(name, template);
            }
        }
    }

    /// Runs a template.
    pub(crate) fn run(&mut self, name: &str, data: &Value) -> Result<String, Error> {
        let Some(template) = self.templates.get(name).cloned() else {
            return Err(Error::Chart(format!("there is no template {name:?}")));
        };
        self.run_template(&template, Got::plain(data.clone())).map(|text| text.replace(NOTHING, ""))
    }

    fn run_template(&mut self, template: &Template, data: Got) -> Result<String, Error> {
        let body = template.body.clone();
        let mut frame = Frame { template, here: Here::Start, variables: vec![("$".to_owned(), data.clone())] };
        let mut out = String::new();
        self.depth += 1;
        if self.depth > DEEPEST {
            self.depth = 0;
            return frame.wrong(format!("templates call each other more than {DEEPEST} levels deep"));
        }
        self.nodes(&body, &mut frame, &data, &mut out)?;
        self.depth -= 1;
        Ok(out)
    }

    /// Runs a text as a template of its own, which sees all others.
    pub(crate) fn run_text(&mut self, text: &str, data: &Value) -> Result<String, Fault> {
        const NAME: &str = "gotpl";
        let all = parse(NAME, NAME, text).map_err(|error| match error {
            Error::Parse { place, message } => {
                format!("cannot parse template {}: template: {NAME}:{}: {message}", quoted(text), place.line)
            }
            error => error.to_string(),
        })?;
        // what it defines is gone after it
        let before = self.templates.clone();
        self.define(all);
        let answer = self.run(NAME, data);
        self.templates = before;
        answer.map_err(|error| match error {
            Error::Refused { message, .. } => Fault::Refused(message),
            error => Fault::Says(format!("error during tpl function execution for {}: {error}", quoted(text))),
        })
    }

    /// Runs a named template for `include`.
    pub(crate) fn include(&mut self, name: &str, data: &Value) -> Result<String, Fault> {
        let Some(template) = self.templates.get(name).cloned() else {
            return Err(Fault::Says(format!("template: no template {name:?} associated with template \"gotpl\"")));
        };
        self.run_template(&template, Got::plain(data.clone())).map_err(|error| match error {
            Error::Refused { message, .. } => Fault::Refused(message),
            error => Fault::Says(error.to_string()),
        })
    }

    fn step(&mut self, frame: &Frame<'_>, out: &str) -> Result<(), Error> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return frame.wrong("the chart comes to no end");
        }
        if self.bytes + out.len() > MOST_BYTES {
            return frame.wrong("the chart makes more than 16 MiB");
        }
        Ok(())
    }

    fn nodes<'t>(
        &mut self,
        nodes: &'t [Node],
        frame: &mut Frame<'t>,
        dot: &Got,
        out: &mut String,
    ) -> Result<Flow, Error> {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Print(pipe) => {
                    let value = self.pipe(pipe, frame, dot)?;
                    if pipe.variables.is_empty() {
                        out.push_str(&if matches!(value, Value::Nil) { NOTHING.to_owned() } else { value.print() });
                    }
                    self.step(frame, out)?;
                }
                Node::If(branch) | Node::With(branch) => {
                    let mark = frame.variables.len();
                    let value = self.pipe(&branch.pipe, frame, dot)?;
                    let flow = if !value.is_true() {
                        self.nodes(&branch.otherwise, frame, dot, out)?
                    } else if matches!(node, Node::With(_)) {
                        self.nodes(&branch.body, frame, &Got::plain(value), out)?
                    } else {
                        self.nodes(&branch.body, frame, dot, out)?
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
                Node::Call(call) => {
                    frame.here = Here::Call(call);
                    let Some(template) = self.templates.get(&call.name).cloned() else {
                        return frame.wrong(format!("template {:?} not defined", call.name));
                    };
                    let data = call.with.as_ref().map_or(Ok(Value::Nil), |pipe| self.pipe(pipe, frame, dot))?;
                    out.push_str(&self.run_template(&template, Got::plain(data))?);
                    self.step(frame, out)?;
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::On)
    }

    fn range<'t>(
        &mut self,
        branch: &'t Branch,
        frame: &mut Frame<'t>,
        dot: &Got,
        out: &mut String,
    ) -> Result<Flow, Error> {
        let names = &branch.pipe.variables;
        let mark = frame.variables.len();
        let whole = self.pipe(&branch.pipe, frame, dot)?;
        let number = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let wrapped = |(key, item): (Value, Value)| (key, Got::wrapped(item));
        let items: Vec<(Value, Got)> = match &whole {
            Value::Nil => Vec::new(),
            Value::List(items) => {
                items.iter().enumerate().map(|(n, item)| wrapped((number(n), item.clone()))).collect()
            }
            Value::Map(map) => {
                map.borrow().iter().map(|(key, item)| wrapped((Value::text(key), item.clone()))).collect()
            }
            Value::Native(Native::Files(files)) => files
                .all()
                .map(|(path, text)| (Value::text(path), Got::plain(Value::Native(Native::Bytes(text.into())))))
                .collect(),
            Value::Native(Native::ApiVersions(all)) => {
                all.iter().enumerate().map(|(n, item)| (number(n), Got::plain(Value::text(item)))).collect()
            }
            Value::Int(_) | Value::Long(_) if names.len() > 1 => {
                return frame.wrong(format!("range can't iterate over {}", whole.print()));
            }
            Value::Int(count) | Value::Long(count) => {
                let count = usize::try_from(*count).unwrap_or(0).min(MOST_STEPS);
                (0..count).map(|n| (number(n), Got::plain(number(n)))).collect()
            }
            other => return frame.wrong(format!("range can't iterate over {}", other.print())),
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, frame, dot, out);
        }
        for (key, item) in items {
            frame.variables.truncate(mark);
            match names.as_slice() {
                [name] => frame.set(name, item.clone(), branch.pipe.declares)?,
                [first, second] => {
                    frame.set(first, Got::plain(key), branch.pipe.declares)?;
                    frame.set(second, item.clone(), branch.pipe.declares)?;
                }
                _ => {}
            }
            let flow = self.nodes(&branch.body, frame, &item, out)?;
            self.step(frame, out)?;
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        Ok(Flow::On)
    }

    /// The value of a pipeline, which its variables get.
    fn pipe<'t>(&mut self, pipe: &'t Pipe, frame: &mut Frame<'t>, dot: &Got) -> Result<Value, Error> {
        frame.here = Here::Pipe(pipe);
        let mut value: Option<Value> = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, frame, dot)?);
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            frame.set(name, Got::plain(value.clone()), pipe.declares)?;
        }
        Ok(value)
    }

    fn command<'t>(
        &mut self,
        command: &'t Command,
        last: Option<Value>,
        frame: &mut Frame<'t>,
        dot: &Got,
    ) -> Result<Value, Error> {
        self.step(frame, "")?;
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Nil) };
        let has_arguments = !rest.is_empty() || last.is_some();
        match &first.base {
            Base::Function(name) if first.fields.is_empty() => {
                self.function(first, name, Here::Command(command), rest, last, frame, dot)
            }
            Base::Dot | Base::Variable(_) | Base::Pipe(_) | Base::Function(_) if !first.fields.is_empty() => {
                self.fields(first, rest, last, frame, dot).map(|got| got.value)
            }
            base => {
                if !matches!(base, Base::Pipe(_)) {
                    frame.here = Here::Word(first);
                }
                if has_arguments {
                    return frame.wrong(format!("can't give argument to non-function {first}"));
                }
                if matches!(base, Base::Nil) {
                    return frame.wrong("nil is not a command");
                }
                self.base(first, frame, dot).map(|got| got.value)
            }
        }
    }

    /// Calls a function with words and, behind them, what came through the pipe.
    #[allow(clippy::too_many_arguments, reason = "what a call is made of")]
    fn function<'t>(
        &mut self,
        word: &'t Word,
        name: &'t str,
        whole: Here<'t>,
        words: &'t [Word],
        last: Option<Value>,
        frame: &mut Frame<'t>,
        dot: &Got,
    ) -> Result<Value, Error> {
        frame.here = Here::Function(word, name);
        let Some(signature) = functions::signature(name) else {
            return frame.wrong(format!("{name:?} is not a defined function"));
        };
        let given = words.len() + usize::from(last.is_some());
        let fixed = signature.fixed();
        if given < fixed || (!signature.is_open() && given > fixed) {
            let least = if signature.is_open() { "at least " } else { "" };
            return frame.wrong(format!("wrong number of args for {name}: want {least}{fixed} got {given}"));
        }
        if matches!(name, "and" | "or") {
            let mut value = Value::Nil;
            for word in words {
                value = self.argument(word, Kind::Any, frame, dot)?;
                if value.is_true() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut arguments = Vec::with_capacity(given);
        for (number, word) in words.iter().enumerate() {
            arguments.push(self.argument(word, signature.kind(number), frame, dot)?);
        }
        if let Some(last) = last {
            fits(&Got::plain(last.clone()), signature.kind(words.len()), frame)?;
            arguments.push(last);
        }
        let answer = functions::call(self, name, &arguments);
        frame.here = whole;
        match answer {
            Ok(value) => {
                if let Value::Text(text) = &value {
                    self.bytes += text.len() / 64;
                }
                Ok(value)
            }
            Err(Fault::Says(message)) => frame.wrong(format!("error calling {name}: {message}")),
            Err(Fault::Refused(message)) => {
                let Err(Error::Template { place, .. }) = frame.wrong::<()>("") else { return Ok(Value::Nil) };
                Err(Error::Refused { place, message })
            }
        }
    }

    /// What a word is as an argument.
    fn argument<'t>(&mut self, word: &'t Word, kind: Kind, frame: &mut Frame<'t>, dot: &Got) -> Result<Value, Error> {
        frame.here = Here::Word(word);
        let expected = |what: &str, frame: &Frame<'_>| frame.wrong(format!("expected {what}; found {word}"));
        if !word.fields.is_empty()
            || matches!(word.base, Base::Dot | Base::Variable(_) | Base::Function(_) | Base::Pipe(_))
        {
            let got = if word.fields.is_empty() {
                self.base(word, frame, dot)?
            } else {
                self.fields(word, &[], None, frame, dot)?
            };
            fits(&got, kind, frame)?;
            return Ok(got.value);
        }
        match (&word.base, kind) {
            (Base::Nil, Kind::Any | Kind::Map) => Ok(Value::Nil),
            (Base::Nil, kind) => frame.wrong(format!("cannot assign nil to {}", kind.name())),
            (Base::Text(text), Kind::Text | Kind::Any) => Ok(Value::Text(text.clone())),
            (Base::Int(number), Kind::Whole | Kind::Any) => Ok(Value::Int(*number)),
            #[allow(clippy::cast_precision_loss, reason = "as in Go")]
            (Base::Int(number), Kind::Float) => Ok(Value::Float(*number as f64)),
            (Base::Float(number), Kind::Whole) if number.fract() == 0.0 => {
                Ok(Value::Int(Value::Float(*number).to_int()))
            }
            (Base::Float(number), Kind::Float | Kind::Any) => Ok(Value::Float(*number)),
            (Base::Bool(yes), Kind::Bool | Kind::Any) => Ok(Value::Bool(*yes)),
            (_, Kind::Text) => expected("string", frame),
            (_, Kind::Whole) => expected("integer", frame),
            (_, Kind::Float) => expected("float", frame),
            (_, Kind::Bool) => expected("bool", frame),
            _ => frame.wrong(format!("can't handle {word} for arg of type {}", kind.name())),
        }
    }

    /// What a word is before fields are asked of it.
    fn base<'t>(&mut self, word: &'t Word, frame: &mut Frame<'t>, dot: &Got) -> Result<Got, Error> {
        Ok(Got::plain(match &word.base {
            Base::Dot => return Ok(dot.clone()),
            Base::Nil => Value::Nil,
            Base::Bool(yes) => Value::Bool(*yes),
            Base::Int(number) => Value::Int(*number),
            Base::Float(number) => Value::Float(*number),
            Base::Text(text) => Value::Text(text.clone()),
            Base::Variable(name) => {
                let found = frame.variables.iter().rev().find(|(known, _)| known == name);
                return match found {
                    Some((_, got)) => Ok(got.clone()),
                    None => frame.wrong(format!("undefined variable: {name}")),
                };
            }
            Base::Function(name) => self.function(word, name, Here::Word(word), &[], None, frame, dot)?,
            Base::Pipe(pipe) => self.pipe(pipe, frame, dot)?,
        }))
    }

    /// The value of a word with fields; arguments are for a method at its end.
    fn fields<'t>(
        &mut self,
        word: &'t Word,
        rest: &'t [Word],
        last: Option<Value>,
        frame: &mut Frame<'t>,
        dot: &Got,
    ) -> Result<Got, Error> {
        frame.here = Here::Word(word);
        let mut here = self.base(word, frame, dot)?;
        frame.here = Here::Word(word);
        let has_arguments = !rest.is_empty() || last.is_some();
        for (number, field) in word.fields.iter().enumerate() {
            let is_last = number + 1 == word.fields.len();
            here = match &here.value {
                Value::Map(_) if is_last && has_arguments => {
                    return frame.wrong(format!("{field} is not a method but has arguments"));
                }
                Value::Map(map) => Got::wrapped(map.borrow().get(field).cloned().unwrap_or_default()),
                Value::Native(native) => {
                    let native = native.clone();
                    let mut arguments = Vec::new();
                    if is_last {
                        for word in rest {
                            arguments.push(self.argument(word, Kind::Any, frame, dot)?);
                        }
                        arguments.extend(last.clone());
                        frame.here = Here::Word(word);
                    }
                    match native.method(field, &arguments) {
                        Some(Ok(value)) => Got::plain(value),
                        Some(Err(message)) => return frame.wrong(message),
                        None if is_last && has_arguments => {
                            return frame.wrong(format!("{field} is not a method but has arguments"));
                        }
                        None => {
                            let name = here.type_name();
                            return frame.wrong(format!("can't evaluate field {field} in type {name}"));
                        }
                    }
                }
                Value::Nil if here.wrapped => {
                    return frame.wrong(format!("nil pointer evaluating interface {{}}.{field}"));
                }
                Value::Nil => Got::plain(Value::Nil),
                _ => {
                    let name = here.type_name();
                    return frame.wrong(format!("can't evaluate field {field} in type {name}"));
                }
            };
        }
        Ok(here)
    }
}

/// Whether a value is one of a type that is wanted.
fn fits(got: &Got, kind: Kind, frame: &Frame<'_>) -> Result<(), Error> {
    match (kind, &got.value) {
        (Kind::Any, _)
        | (Kind::Text, Value::Text(_))
        | (Kind::Whole, Value::Int(_))
        | (Kind::Float, Value::Float(_))
        | (Kind::Bool, Value::Bool(_))
        | (Kind::Map, Value::Map(_)) => Ok(()),
        (Kind::Map, Value::Nil) if !got.wrapped => Ok(()),
        (_, Value::Nil) if !got.wrapped => frame.wrong(format!("invalid value; expected {}", kind.name())),
        (_, Value::Nil) => frame.wrong(format!("wrong type for value; expected {}; got interface {{}}", kind.name())),
        (_, other) => frame.wrong(format!("wrong type for value; expected {}; got {}", kind.name(), other.type_name())),
    }
}

fn is_blank(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()))
}
