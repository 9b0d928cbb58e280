//! kubectl's JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

use super::gojson;
use parse::{Node, Operand, Operator, Slice, Step};

/// A template that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
}

/// Why a template cannot be read or filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl Template {
    /// Reads a template: text, with expressions in braces.
    ///
    /// # Errors
    /// When an expression makes no sense.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { nodes: parse::template(text)? })
    }

    /// Reads a single path, with or without braces and the first dot, as `--sort-by` takes it.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn path(text: &str) -> Result<Self, Error> {
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        let dotted = if inner.starts_with(['.', '$', '@', '[']) { inner.to_owned() } else { format!(".{inner}") };
        if inner.is_empty() || inner.contains(['{', '}']) {
            let forms = "'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'";
            return Err(Error(format!("unexpected path string, expected a {forms}")));
        }
        Self::parse(&format!("{{{dotted}}}"))
    }

    /// What the template makes of a value. Members that are not there give nothing.
    ///
    /// # Errors
    /// When an index is out of bounds, for example.
    pub fn fill(&self, value: &Value) -> Result<String, Error> {
        let mut out = String::new();
        fill(&self.nodes, value, value, &mut out)?;
        Ok(out)
    }

    /// The values that the template's only path leads to.
    ///
    /// # Errors
    /// When an index is out of bounds, for example.
    pub fn find<'a>(&self, value: &'a Value) -> Result<Vec<&'a Value>, Error> {
        match self.nodes.as_slice() {
            [Node::Path(steps)] => walk(steps, value, value),
            _ => Ok(Vec::new()),
        }
    }
}

/// A value as text: text as it is, the rest as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => gojson::compact(other),
    }
}

fn fill(nodes: &[Node], root: &Value, here: &Value, out: &mut String) -> Result<(), Error> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Path(steps) => {
                for (index, value) in walk(steps, root, here)?.into_iter().enumerate() {
                    if index > 0 {
                        out.push(' ');
                    }
                    out.push_str(&shown(value));
                }
            }
            Node::Range(steps, body) => {
                for value in walk(steps, root, here)? {
                    fill(body, root, value, out)?;
                }
            }
            Node::Wrong(message) => return Err(Error(message.clone())),
        }
    }
    Ok(())
}

/// The values that steps lead to.
fn walk<'a>(steps: &[Step], root: &'a Value, here: &'a Value) -> Result<Vec<&'a Value>, Error> {
    let mut values = vec![here];
    for step in steps {
        let mut next = Vec::new();
        for value in values {
            take(step, root, value, &mut next)?;
        }
        values = next;
    }
    Ok(values)
}

fn take<'a>(step: &Step, root: &'a Value, value: &'a Value, next: &mut Vec<&'a Value>) -> Result<(), Error> {
    match step {
        Step::Root => next.push(root),
        Step::Members(names) => next.extend(names.iter().filter_map(|name| value.get(name))),
        Step::All => next.extend(children(value)),
        Step::Slices(slices) => {
            for slice in slices {
                cut(slice, value, next)?;
            }
        }
        Step::Recursive => descend(value, next),
        Step::Filter(left, operator, right) => {
            for child in children(value) {
                if holds(left, *operator, right, root, child)? {
                    next.push(child);
                }
            }
        }
    }
    Ok(())
}

/// Items of a list, or members of an object in the order of their names.
fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            sorted.into_iter().map(|(_, value)| value).collect()
        }
        _ => Vec::new(),
    }
}

fn descend<'a>(value: &'a Value, next: &mut Vec<&'a Value>) {
    next.push(value);
    for child in children(value) {
        descend(child, next);
    }
}

fn cut<'a>(slice: &Slice, value: &'a Value, next: &mut Vec<&'a Value>) -> Result<(), Error> {
    let Value::Array(items) = value else { return Ok(()) };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    match *slice {
        Slice::One(index) => {
            let position = usize::try_from(from_end(index)).ok();
            let item = position.and_then(|position| items.get(position));
            let out_of_bounds =
                || Error(format!("array index out of bounds: index {}, length {length}", from_end(index).max(-1)));
            // An empty list has no first item, and that is no error.
            if items.is_empty() {
                return Ok(());
            }
            next.push(item.ok_or_else(out_of_bounds)?);
        }
        Slice::Part { start, end, step } => {
            let start = from_end(start.unwrap_or(0));
            let end = from_end(end.unwrap_or(length)).min(length);
            if start >= length || start < 0 {
                return if items.is_empty() || start == length {
                    Ok(())
                } else {
                    Err(Error(format!("array index out of bounds: index {start}, length {length}")))
                };
            }
            if end < start {
                return Err(Error(format!("starting index {start} is greater than ending index {end}")));
            }
            let skip = usize::try_from(start).unwrap_or(0);
            let count = usize::try_from(end - start).unwrap_or(0);
            next.extend(items.iter().skip(skip).take(count).step_by(step));
        }
    }
    Ok(())
}

fn holds(left: &Operand, operator: Operator, right: &Operand, root: &Value, here: &Value) -> Result<bool, Error> {
    let left = operand(left, root, here)?;
    if operator == Operator::Exists {
        return Ok(left.is_some());
    }
    let (Some(left), Some(right)) = (left, operand(right, root, here)?) else { return Ok(false) };
    let order = match (&left, &right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        _ => None,
    };
    Ok(match operator {
        Operator::Equal => left == right || order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::NotEqual => left != right && !order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        Operator::Exists => true,
    })
}

fn operand(operand: &Operand, root: &Value, here: &Value) -> Result<Option<Value>, Error> {
    match operand {
        Operand::Value(value) => Ok(Some(value.clone())),
        Operand::Path(steps) => {
            let found = walk(steps, root, here)?;
            match found.as_slice() {
                [] => Ok(None),
                [value] => Ok(Some((*value).clone())),
                _ => Err(Error("can only compare one element at a time".to_owned())),
            }
        }
        Operand::Wrong(message) => Err(Error(message.clone())),
    }
}
