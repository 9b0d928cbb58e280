//! The tree of a template.

use std::rc::Rc;

/// A byte of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At(pub(crate) usize);

/// A template that was read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// A named body, and the source it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) name: Rc<str>,
    pub(crate) source: Rc<Source>,
    pub(crate) body: Rc<Vec<Node>>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Text(String),
    Print(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Call(Call),
    Break,
    Continue,
}

/// `template` and `block`.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) at: At,
    pub(crate) name: String,
    /// The name as it was written, with its quotes.
    pub(crate) written: String,
    pub(crate) with: Option<Pipe>,
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) at: At,
    pub(crate) variables: Vec<String>,
    /// `:=` and not `=`.
    pub(crate) declares: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) at: At,
    pub(crate) words: Vec<Word>,
}

/// A thing in a command, with the fields asked of it.
#[derive(Debug)]
pub(crate) struct Word {
    /// Where Go says that it is: at its second field, if it has more than one.
    pub(crate) at: At,
    pub(crate) base: Base,
    pub(crate) fields: Vec<String>,
    /// Numbers and text as they were written.
    pub(crate) written: Box<str>,
}

#[derive(Debug)]
pub(crate) enum Base {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Variable(String),
    Function(String),
    Pipe(Box<Pipe>),
}
