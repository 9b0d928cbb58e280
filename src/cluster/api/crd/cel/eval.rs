//! Working an expression out, within a budget.

use std::rc::Rc;

use regex::Regex;

use super::ast::{Each, Expr, Item, Literal, Node, Quantifier};
use super::functions::{self, Native};
use super::value::{List, Map, Text, Val, member_of};

/// Why there is no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fail {
    /// What went wrong.
    Error(String),
    /// The work got too much.
    Budget,
}

impl From<String> for Fail {
    fn from(why: String) -> Self {
        Self::Error(why)
    }
}

impl From<&str> for Fail {
    fn from(why: &str) -> Self {
        Self::Error(why.to_owned())
    }
}

pub(super) type Answer<'a> = Result<Val<'a>, Fail>;

/// How much work may still be done, and what was prepared for it.
#[derive(Debug)]
pub(super) struct Budget<'p> {
    pub(super) left: u64,
    /// The regular expressions that are written in the expression.
    pub(super) patterns: &'p [(Box<str>, Regex)],
}

impl Budget<'_> {
    /// Takes the cost of something off.
    pub(super) fn spend(&mut self, cost: usize) -> Result<(), Fail> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(Fail::Budget)
    }

    /// Takes the cost of handling that many bytes of text off.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fail> {
        self.spend(bytes / 10 + 1)
    }
}

/// Works out an expression for the values of its variables.
pub(super) fn evaluate<'a>(node: &'a Node, variables: Vec<(&'a str, Val<'a>)>, budget: &mut Budget<'_>) -> Answer<'a> {
    Evaluator { variables, budget }.value(node)
}

struct Evaluator<'a, 'b, 'p> {
    variables: Vec<(&'a str, Val<'a>)>,
    budget: &'b mut Budget<'p>,
}

impl<'a> Evaluator<'a, '_, '_> {
    fn value(&mut self, node: &'a Node) -> Answer<'a> {
        self.budget.spend(1)?;
        match &node.expr {
            Expr::Literal(literal) => Ok(literal_value(literal)),
            Expr::Name(name) => self.name(name),
            Expr::Select { operand, field, optional } => {
                let operand = self.value(operand)?;
                select(operand, field, *optional)
            }
            Expr::Has { operand, field } => {
                let operand = self.value(operand)?;
                select(operand, field, true).map(|found| Val::Bool(matches!(found, Val::Optional(Some(_)))))
            }
            Expr::Index { operand, index, optional } => {
                let operand = self.value(operand)?;
                let index = self.value(index)?;
                at_index(operand, &index, *optional)
            }
            Expr::Call { function, arguments, .. } => self.call(function, arguments),
            Expr::And(terms) => self.logical(terms, false),
            Expr::Or(terms) => self.logical(terms, true),
            Expr::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                if truth(&self.value(condition)?)? { self.value(yes) } else { self.value(no) }
            }
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Each(each) => self.each(each),
            Expr::OptMap { operand, variable, body, flat } => {
                let Val::Optional(of) = self.value(operand)? else { return Err("no such overload".into()) };
                let Some(of) = of else { return Ok(Val::Optional(None)) };
                self.variables.push((variable, (*of).clone()));
                let result = self.value(body);
                self.variables.pop();
                if *flat { result } else { Ok(Val::Optional(Some(Rc::new(result?)))) }
            }
        }
    }

    fn name(&self, name: &str) -> Answer<'a> {
        if let Some((_, value)) = self.variables.iter().rfind(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        functions::type_named(name).map(Val::Type).ok_or_else(|| format!("no such attribute(s): {name}").into())
    }

    fn call(&mut self, function: &str, arguments: &'a [Node]) -> Answer<'a> {
        let native: Native =
            functions::find(function).ok_or_else(|| Fail::Error(format!("no such overload: {function}")))?;
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<Vec<_>, _>>()?;
        native(&arguments, self.budget)
    }

    /// `&&` and `||`: a term that decides makes up for errors of others.
    fn logical(&mut self, terms: &'a [Node], decisive: bool) -> Answer<'a> {
        let mut failed = None;
        for term in terms {
            match self.value(term).and_then(|value| truth(&value)) {
                Ok(value) if value == decisive => return Ok(Val::Bool(decisive)),
                Ok(_) => {}
                Err(Fail::Budget) => return Err(Fail::Budget),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Val::Bool(!decisive)), Err)
    }

    fn item(&mut self, item: &'a Item) -> Result<Option<Val<'a>>, Fail> {
        let value = self.value(&item.value)?;
        match (item.optional, value) {
            (false, value) => Ok(Some(value)),
            (true, Val::Optional(of)) => Ok(of.map(|of| (*of).clone())),
            (true, _) => Err("no such overload".into()),
        }
    }

    fn list(&mut self, items: &'a [Item]) -> Answer<'a> {
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.extend(self.item(item)?);
        }
        Ok(Val::list(list))
    }

    fn map(&mut self, entries: &'a [(Node, Item)]) -> Answer<'a> {
        let mut map: Vec<(Val<'a>, Val<'a>)> = Vec::new();
        for (key, item) in entries {
            let key = self.value(key)?;
            if !matches!(key, Val::Bool(_) | Val::Int(_) | Val::Uint(_) | Val::Text(_)) {
                return Err(format!("unsupported key type: {}", key.type_name()).into());
            }
            let Some(value) = self.item(item)? else { continue };
            self.budget.spend(map.len())?;
            if map.iter().any(|(known, _)| known.equals(&key)) {
                return Err("Failed with repeated key".into());
            }
            map.push((key, value));
        }
        Ok(Val::Map(Map::Made(Rc::new(map))))
    }

    fn each(&mut self, each: &'a Each) -> Answer<'a> {
        let range = self.value(&each.range)?;
        let mut made = Vec::new();
        let mut entries = Vec::new();
        let mut failed = None;
        let mut count = 0_usize;
        let walk = Walk::over(&range, each.second.is_some(), self.budget)?;
        for place in 0..walk.len() {
            let (key, item) = walk.get(place)?;
            self.budget.spend(1)?;
            let before = self.variables.len();
            self.variables.push((&each.variable, if each.second.is_some() { key.clone() } else { item.clone() }));
            if let Some(second) = &each.second {
                self.variables.push((second, item.clone()));
            }
            let answer = self.one(each);
            self.variables.truncate(before);
            match (each.quantifier, answer) {
                (_, Err(Fail::Budget)) => return Err(Fail::Budget),
                (_, Ok(None)) => {}
                (Quantifier::All, Ok(Some(Val::Bool(false)))) => return Ok(Val::Bool(false)),
                (Quantifier::Exists, Ok(Some(Val::Bool(true)))) => return Ok(Val::Bool(true)),
                // an item that decides makes up for errors of others
                (Quantifier::All | Quantifier::Exists, Err(error)) => failed = failed.or(Some(error)),
                (_, Err(error)) => return Err(error),
                (Quantifier::Map, Ok(Some(value))) => made.push(value),
                (Quantifier::MapValues, Ok(Some(value))) => entries.push((key, value)),
                (Quantifier::Filter, Ok(Some(Val::Bool(true)))) => made.push(item),
                (Quantifier::ExistsOne, Ok(Some(Val::Bool(true)))) => count += 1,
                (_, Ok(Some(Val::Bool(_)))) => {}
                (_, Ok(Some(_))) => return Err("no such overload".into()),
            }
        }
        match (failed, each.quantifier) {
            (Some(error), _) => Err(error),
            (None, Quantifier::All) => Ok(Val::Bool(true)),
            (None, Quantifier::Exists) => Ok(Val::Bool(false)),
            (None, Quantifier::ExistsOne) => Ok(Val::Bool(count == 1)),
            (None, Quantifier::Map | Quantifier::Filter) => Ok(Val::list(made)),
            (None, Quantifier::MapValues) => Ok(Val::Map(Map::Made(Rc::new(entries)))),
        }
    }

    /// The answer for one item, unless it is filtered out.
    fn one(&mut self, each: &'a Each) -> Result<Option<Val<'a>>, Fail> {
        if let Some(filter) = &each.filter
            && !truth(&self.value(filter)?)?
        {
            return Ok(None);
        }
        self.value(&each.body).map(Some)
    }
}

/// What a comprehension goes over.
enum Walk<'a, 'r> {
    /// Index and item.
    List(&'r List<'a>),
    /// Key and value, or the key twice.
    Map(&'r Map<'a>, Vec<Val<'a>>, bool),
}

impl<'a, 'r> Walk<'a, 'r> {
    fn over(range: &'r Val<'a>, both: bool, budget: &mut Budget<'_>) -> Result<Self, Fail> {
        match range {
            Val::List(list) => Ok(Self::List(list)),
            Val::Map(map) => {
                budget.spend(map.len())?;
                Ok(Self::Map(map, map.keys(), both))
            }
            _ => Err("no such overload".into()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Map(_, keys, _) => keys.len(),
        }
    }

    fn get(&self, place: usize) -> Result<(Val<'a>, Val<'a>), Fail> {
        Ok(match self {
            Self::List(list) => (Val::int(place), list.get(place)?),
            Self::Map(map, keys, both) => {
                let key = keys.get(place).cloned().unwrap_or(Val::Null);
                let value = if *both { map.get(&key).unwrap_or(Ok(Val::Null))? } else { key.clone() };
                (key, value)
            }
        })
    }
}

fn literal_value(literal: &Literal) -> Val<'_> {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(value) => Val::Bool(*value),
        Literal::Int(value) => Val::Int(*value),
        Literal::Uint(value) => Val::Uint(*value),
        Literal::Double(value) => Val::Double(*value),
        Literal::Text(text) => Val::Text(Text::Borrowed(text)),
        Literal::Bytes(bytes) => Val::Bytes(bytes.to_vec().into()),
    }
}

fn truth(value: &Val<'_>) -> Result<bool, Fail> {
    match value {
        Val::Bool(value) => Ok(*value),
        _ => Err("no such overload".into()),
    }
}

/// A member; as an optional when it may be absent or the operand is optional itself.
fn select<'a>(operand: Val<'a>, field: &str, optional: bool) -> Answer<'a> {
    let (operand, optional) = match operand {
        Val::Optional(None) => return Ok(Val::Optional(None)),
        Val::Optional(Some(of)) => ((*of).clone(), true),
        other => (other, optional),
    };
    let found = match &operand {
        Val::Object(members, schema) => member_of(members, schema, field),
        Val::Map(map) => map.get(&Val::text(field)),
        _ => return Err("no such overload".into()),
    };
    given(found, optional, || format!("no such key: {field}"))
}

fn given<'a>(found: Option<Result<Val<'a>, String>>, optional: bool, missing: impl Fn() -> String) -> Answer<'a> {
    match (found.transpose()?, optional) {
        (found, true) => Ok(Val::Optional(found.map(Rc::new))),
        (Some(found), false) => Ok(found),
        (None, false) => Err(missing().into()),
    }
}

fn at_index<'a>(operand: Val<'a>, index: &Val<'a>, optional: bool) -> Answer<'a> {
    let (operand, optional) = match operand {
        Val::Optional(None) => return Ok(Val::Optional(None)),
        Val::Optional(Some(of)) => ((*of).clone(), true),
        other => (other, optional),
    };
    match &operand {
        Val::List(list) => {
            let Val::Int(number) = index else { return Err("no such overload".into()) };
            let place = usize::try_from(*number).ok().filter(|place| *place < list.len());
            given(place.map(|place| list.get(place)), optional, || format!("index out of bounds: {number}"))
        }
        Val::Map(map) => given(map.get(index), optional, || format!("no such key: {}", functions::shown(index))),
        Val::Object(members, schema) => {
            let Val::Text(name) = index else { return Err("no such overload".into()) };
            given(member_of(members, schema, name), optional, || format!("no such key: {}", &**name))
        }
        _ => Err("no such overload".into()),
    }
}
