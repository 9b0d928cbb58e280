//! Whether an expression makes sense for the types of a schema, before there is an object.

use super::ast::{Each, Expr, Item, Literal, Node, Quantifier};
use super::functions::type_named;
use super::signatures::overloads;
use super::types::{Type, member};

/// What is wrong, and where.
pub(super) type Fault = (usize, String);

/// The type of an expression, given the types of its variables.
pub(super) fn check<'s>(node: &Node, variables: &[(&str, Type<'s>)]) -> Result<Type<'s>, Fault> {
    let variables = variables.iter().map(|(name, of)| ((*name).into(), of.clone())).collect();
    Checker { variables }.check(node)
}

struct Checker<'s> {
    variables: Vec<(Box<str>, Type<'s>)>,
}

impl<'s> Checker<'s> {
    fn check(&mut self, node: &Node) -> Result<Type<'s>, Fault> {
        match &node.expr {
            Expr::Literal(literal) => Ok(match literal {
                Literal::Null => Type::Null,
                Literal::Bool(_) => Type::Bool,
                Literal::Int(_) => Type::Int,
                Literal::Uint(_) => Type::Uint,
                Literal::Double(_) => Type::Double,
                Literal::Text(_) => Type::Text,
                Literal::Bytes(_) => Type::Bytes,
            }),
            Expr::Name(name) => self.name(node.at, name),
            Expr::Select { operand, field, optional } => self.select(node.at, operand, field, *optional),
            Expr::Has { operand, field } => self.select(node.at, operand, field, false).map(|_| Type::Bool),
            Expr::Index { operand, index, optional } => self.index(node.at, operand, index, *optional),
            Expr::Call { function, member, arguments } => self.call(node.at, function, *member, arguments),
            Expr::And(terms) => self.logical(node.at, "_&&_", terms),
            Expr::Or(terms) => self.logical(node.at, "_||_", terms),
            Expr::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                let types = [self.check(condition)?, self.check(yes)?, self.check(no)?];
                let [condition, yes, no] = &types;
                let fits = condition.fits(&Type::Bool, &mut Vec::new());
                match joined(yes, no).filter(|_| fits) {
                    Some(joined) => Ok(joined),
                    None => Err(no_overload(node.at, "_?_:_", false, &types)),
                }
            }
            Expr::List(items) => self.items(items).map(Type::list),
            Expr::Map(entries) => self.map(entries),
            Expr::Each(each) => self.each(each),
            Expr::OptMap { operand, variable, body, flat } => {
                let of = match self.check(operand)? {
                    Type::Optional(of) => (*of).clone(),
                    Type::Dyn => Type::Dyn,
                    other => {
                        let name = if *flat { "optFlatMap" } else { "optMap" };
                        return Err(no_overload(node.at, name, true, &[other]));
                    }
                };
                let result = self.with(vec![(variable.clone(), of)], body)?;
                Ok(if *flat { result } else { Type::optional(result) })
            }
        }
    }

    fn with(&mut self, variables: Vec<(Box<str>, Type<'s>)>, body: &Node) -> Result<Type<'s>, Fault> {
        let count = self.variables.len();
        self.variables.extend(variables);
        let result = self.check(body);
        self.variables.truncate(count);
        result
    }

    fn name(&self, at: usize, name: &str) -> Result<Type<'s>, Fault> {
        let variable = self.variables.iter().rfind(|(known, _)| **known == *name);
        match variable {
            Some((_, of)) => Ok(of.clone()),
            None if type_named(name).is_some() => Ok(Type::OfTypes),
            None => Err((at, format!("undeclared reference to '{name}' (in container '')"))),
        }
    }

    fn select(&mut self, at: usize, operand: &Node, field: &str, optional: bool) -> Result<Type<'s>, Fault> {
        let operand = self.check(operand)?;
        let (operand, optional) = match operand {
            Type::Optional(of) => ((*of).clone(), true),
            other => (other, optional),
        };
        let found = match &operand {
            Type::Dyn => Type::Dyn,
            Type::Map(_, value) => (**value).clone(),
            Type::Object(schema) => match member(schema, field).and_then(|(_, schema)| Type::of(schema)) {
                Some(found) => found,
                None => return Err((at, format!("undefined field '{field}'"))),
            },
            other => return Err((at, format!("type '{}' does not support field selection", other.name()))),
        };
        Ok(if optional { Type::optional(found) } else { found })
    }

    fn index(&mut self, at: usize, operand: &Node, index: &Node, optional: bool) -> Result<Type<'s>, Fault> {
        let types = [self.check(operand)?, self.check(index)?];
        let [operand, index] = &types;
        let (operand, optional) = match operand {
            Type::Optional(of) => (&**of, true),
            other => (other, optional),
        };
        let fits = |of: &Type<'s>| index.fits(of, &mut Vec::new());
        let found = match operand {
            Type::Dyn => Type::Dyn,
            Type::List(item) if fits(&Type::Int) => (**item).clone(),
            Type::Map(key, value) if fits(key) => (**value).clone(),
            _ => return Err(no_overload(at, "_[_]", false, &types)),
        };
        Ok(if optional { Type::optional(found) } else { found })
    }

    fn logical(&mut self, at: usize, name: &str, terms: &[Node]) -> Result<Type<'s>, Fault> {
        let types = terms.iter().map(|term| self.check(term)).collect::<Result<Vec<_>, _>>()?;
        if types.iter().all(|of| of.fits(&Type::Bool, &mut Vec::new())) {
            return Ok(Type::Bool);
        }
        let pair = types.windows(2).find(|pair| !pair.iter().all(|of| matches!(of, Type::Bool | Type::Dyn)));
        Err(no_overload(at, name, false, pair.unwrap_or(&types)))
    }

    fn call(&mut self, at: usize, function: &str, member: bool, arguments: &[Node]) -> Result<Type<'s>, Fault> {
        let types = arguments.iter().map(|argument| self.check(argument)).collect::<Result<Vec<_>, _>>()?;
        let Some(overloads) = overloads(function) else {
            return Err((at, format!("undeclared reference to '{function}' (in container '')")));
        };
        if matches!(function, "_<_" | "_<=_" | "_>_" | "_>=_") && !comparable(&types) {
            return Err(no_overload(at, function, member, &types));
        }
        let mut results = Vec::new();
        for overload in overloads.iter().filter(|overload| overload.member == member) {
            let mut bound = Vec::new();
            let fits = overload.arguments.len() == types.len()
                && types.iter().zip(&overload.arguments).all(|(of, wanted)| of.fits(wanted, &mut bound));
            if fits {
                results.push(overload.result.filled(&bound));
            }
        }
        let numbers = |of: &Type<'_>| matches!(of, Type::Int | Type::Uint | Type::Double);
        if results.is_empty() && matches!(function, "_<_" | "_<=_" | "_>_" | "_>=_") && types.iter().all(numbers) {
            return Ok(Type::Bool);
        }
        let mut results = results.into_iter();
        match results.next() {
            None => Err(no_overload(at, function, member, &types)),
            // several may be meant when an argument is only known later
            Some(first) => match results.find(|other| other.name() != first.name()) {
                Some(_) => Ok(Type::Dyn),
                None => Ok(first),
            },
        }
    }

    /// The type of all items.
    fn items(&mut self, items: &[Item]) -> Result<Type<'s>, Fault> {
        let mut all: Option<Type<'s>> = None;
        for item in items {
            let mut of = self.check(&item.value)?;
            if item.optional {
                of = match of {
                    Type::Optional(of) => (*of).clone(),
                    Type::Dyn => Type::Dyn,
                    other => {
                        return Err((
                            item.value.at,
                            format!("expected type 'optional_type(dyn)' but found '{}'", other.name()),
                        ));
                    }
                };
            }
            all = Some(match &all {
                None => of,
                Some(known) => joined(known, &of).ok_or_else(|| {
                    (item.value.at, format!("expected type '{}' but found '{}'", known.name(), of.name()))
                })?,
            });
        }
        Ok(all.unwrap_or(Type::Dyn))
    }

    fn map(&mut self, entries: &[(Node, Item)]) -> Result<Type<'s>, Fault> {
        let keys: Vec<_> = entries.iter().map(|(key, _)| Item { value: key.clone(), optional: false }).collect();
        let values: Vec<_> = entries.iter().map(|(_, value)| value.clone()).collect();
        Ok(Type::map(self.items(&keys)?, self.items(&values)?))
    }

    fn each(&mut self, each: &Each) -> Result<Type<'s>, Fault> {
        let range = self.check(&each.range)?;
        let (key, value) = match &range {
            Type::Dyn => (Type::Dyn, Type::Dyn),
            Type::List(item) => (Type::Int, (**item).clone()),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            other => {
                let why = format!(
                    "expression of type '{}' cannot be range of a comprehension (must be list, map, or dynamic)",
                    other.name()
                );
                return Err((each.range.at, why));
            }
        };
        let variables = match &each.second {
            Some(second) => vec![(each.variable.clone(), key.clone()), (second.clone(), value)],
            None if matches!(range, Type::Map(..)) => vec![(each.variable.clone(), key.clone())],
            None => vec![(each.variable.clone(), value)],
        };
        let item = variables.first().map_or(Type::Dyn, |(_, of)| of.clone());
        if let Some(filter) = &each.filter {
            let of = self.with(variables.clone(), filter)?;
            expect_bool(filter, &of)?;
        }
        let body = self.with(variables, &each.body)?;
        Ok(match each.quantifier {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne => {
                expect_bool(&each.body, &body)?;
                Type::Bool
            }
            Quantifier::Filter => {
                expect_bool(&each.body, &body)?;
                Type::list(item)
            }
            Quantifier::Map => Type::list(body),
            Quantifier::MapValues => Type::map(key, body),
        })
    }
}

/// Types whose values have an order.
fn comparable(types: &[Type<'_>]) -> bool {
    let ordered = |of: &Type<'_>| {
        !matches!(
            of,
            Type::Null
                | Type::List(_)
                | Type::Map(..)
                | Type::Object(_)
                | Type::Optional(_)
                | Type::OfTypes
                | Type::Opaque(_)
        )
    };
    types.iter().all(ordered)
}

fn expect_bool(node: &Node, of: &Type<'_>) -> Result<(), Fault> {
    if of.fits(&Type::Bool, &mut Vec::new()) {
        return Ok(());
    }
    Err((node.at, format!("expected type 'bool' but found '{}'", of.name())))
}

/// A type that both fit.
fn joined<'s>(left: &Type<'s>, right: &Type<'s>) -> Option<Type<'s>> {
    if right.fits(left, &mut Vec::new()) {
        // of an empty list and another the other says more
        return Some(if left.name().contains("dyn") && !matches!(left, Type::Dyn) {
            right.clone()
        } else {
            left.clone()
        });
    }
    left.fits(right, &mut Vec::new()).then(|| right.clone())
}

fn no_overload(at: usize, function: &str, member: bool, types: &[Type<'_>]) -> Fault {
    let names: Vec<_> = types.iter().map(Type::name).collect();
    let arguments = match names.split_first() {
        Some((target, arguments)) if member => format!("{target}.({})", arguments.join(", ")),
        _ => format!("({})", names.join(", ")),
    };
    (at, format!("found no matching overload for '{function}' applied to '{arguments}'"))
}
