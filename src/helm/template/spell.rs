//! Parts of a tree as Go writes them in its messages.

use std::fmt::{Display, Formatter, Result};

use super::tree::{Base, Call, Command, Pipe, Word};

fn joined<T: Display>(out: &mut Formatter<'_>, all: &[T], between: &str) -> Result {
    for (number, one) in all.iter().enumerate() {
        out.write_str(if number > 0 { between } else { "" })?;
        one.fmt(out)?;
    }
    Ok(())
}

impl Display for Pipe {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if !self.variables.is_empty() {
            joined(out, &self.variables, ", ")?;
            out.write_str(if self.declares { " := " } else { " = " })?;
        }
        joined(out, &self.commands, " | ")
    }
}

impl Display for Command {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        joined(out, &self.words, " ")
    }
}

impl Display for Word {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match &self.base {
            Base::Dot if self.fields.is_empty() => out.write_str("."),
            Base::Dot => Ok(()),
            Base::Nil => out.write_str("nil"),
            Base::Bool(yes) => yes.fmt(out),
            Base::Int(_) | Base::Float(_) | Base::Text(_) => out.write_str(&self.written),
            Base::Variable(name) | Base::Function(name) => out.write_str(name),
            Base::Pipe(pipe) => write!(out, "({pipe})"),
        }?;
        self.fields.iter().try_for_each(|field| write!(out, ".{field}"))
    }
}

impl Display for Call {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{{{{template {}", self.written)?;
        if let Some(with) = &self.with {
            write!(out, " {with}")?;
        }
        out.write_str("}}")
    }
}
