//! The Common Expression Language, in which rules of custom resources are written.
//!
//! Expressions are checked against the schema when a definition is made, and evaluated on the JSON of objects, with a
//! budget: neither nesting nor work is without bounds. Of Kubernetes' libraries semver, authorization and a few functions
//! of lists are missing.

mod ast;
mod check;
mod eval;
mod functions;
mod lex;
mod parse;
mod signatures;
mod types;
mod url;
mod value;

use std::rc::Rc;

use regex::Regex;
use serde_json::Value;

use super::schema::Schema;
use super::schema::pattern::compile;
use ast::{Expr, Literal, Node};
use eval::{Budget, Fail, evaluate};
use types::Type;
use value::Val;

/// What one expression may cost, as in Kubernetes.
const COST_OF_ONE: u64 = 1_000_000;

/// A compiled expression about `self` and, perhaps, `oldSelf`.
#[derive(Debug, Clone)]
pub(super) struct Program {
    node: Node,
    patterns: Vec<(Box<str>, Regex)>,
    uses_old: bool,
    optional_old: bool,
}

/// What an expression has to result in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Bool,
    Text,
}

/// The result of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Bool(bool),
    Text(String),
    /// It failed.
    Error(String),
    /// It would have cost too much.
    TooCostly,
}

impl Program {
    /// Compiles an expression about values of a schema; a fault is worded as Kubernetes does.
    pub(super) fn compile(text: &str, schema: &Schema, optional_old: bool, wanted: Wanted) -> Result<Self, String> {
        let failed = |what: String| match wanted {
            Wanted::Bool => format!("compilation failed: {what}"),
            Wanted::Text => format!("messageExpression compilation failed: {what}"),
        };
        let located = |(at, why): (usize, String)| failed(parse::located(text, at, &why));
        let node = parse::parse(text).map_err(failed)?;
        let of = Type::of(schema).ok_or("failed to convert to declType for CEL validation rules")?;
        let old = if optional_old { Type::optional(of.clone()) } else { of.clone() };
        let result = check::check(&node, &[("self", of), ("oldSelf", old)]).map_err(located)?;
        match (wanted, &result) {
            (Wanted::Bool, Type::Bool | Type::Dyn) | (Wanted::Text, Type::Text | Type::Dyn) => {}
            (Wanted::Bool, _) => return Err("cel expression must evaluate to a bool".to_owned()),
            (Wanted::Text, _) => return Err("messageExpression must evaluate to a string".to_owned()),
        }
        let mut patterns = Vec::new();
        collect_patterns(&node, &mut patterns).map_err(located)?;
        Ok(Self { uses_old: node.mentions("oldSelf"), node, patterns, optional_old })
    }

    /// Whether it compares with what was before.
    pub(super) fn uses_old(&self) -> bool {
        self.uses_old
    }

    /// Evaluates it for a value and the one before, taking what it costs off the budget.
    pub(super) fn run(&self, schema: &Schema, value: &Value, old: Option<&Value>, budget: &mut u64) -> Outcome {
        let outcome = self.evaluate(schema, value, old, budget);
        outcome.unwrap_or_else(|fail| match fail {
            Fail::Error(why) => Outcome::Error(why),
            Fail::Budget => Outcome::TooCostly,
        })
    }

    fn evaluate(&self, schema: &Schema, value: &Value, old: Option<&Value>, budget: &mut u64) -> Result<Outcome, Fail> {
        let mut variables = vec![("self", Val::of(value, schema)?)];
        let old = old.map(|old| Val::of(old, schema)).transpose()?;
        match (self.optional_old, old) {
            (true, old) => variables.push(("oldSelf", Val::Optional(old.map(Rc::new)))),
            (false, Some(old)) => variables.push(("oldSelf", old)),
            (false, None) => {}
        }
        let allowed = COST_OF_ONE.min(*budget);
        let mut work = Budget { left: allowed, patterns: &self.patterns };
        let result = evaluate(&self.node, variables, &mut work);
        *budget -= allowed - work.left.min(allowed);
        match result? {
            Val::Bool(value) => Ok(Outcome::Bool(value)),
            Val::Text(text) => Ok(Outcome::Text(text.to_string())),
            _ => Err("no such overload".into()),
        }
    }
}

/// Compiles the regular expressions that are written down.
fn collect_patterns(node: &Node, patterns: &mut Vec<(Box<str>, Regex)>) -> Result<(), (usize, String)> {
    if let Expr::Call { function, arguments, .. } = &node.expr
        && matches!(&**function, "matches" | "find" | "findAll")
        && let Some(Expr::Literal(Literal::Text(text))) = arguments.get(1).map(|pattern| &pattern.expr)
        && patterns.iter().all(|(known, _)| known != text)
    {
        let regex = compile(text).map_err(|_| (node.at, format!("invalid {function} argument")))?;
        patterns.push((text.clone(), regex));
    }
    node.children().into_iter().try_for_each(|child| collect_patterns(child, patterns))
}

#[cfg(test)]
mod tests;
