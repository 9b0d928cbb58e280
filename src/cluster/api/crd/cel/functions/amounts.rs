//! Quantities, and values that may be absent.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::eval::Answer;
use super::super::quantity::Quantity;
use super::super::value::{Map, Val};
use super::{Functions, no_overload};

pub(super) const FUNCTIONS: Functions = &[
    ("quantity", |arguments, _| match arguments {
        [Val::Text(text)] => match Quantity::parse(text) {
            Some(quantity) => Ok(Val::Quantity(Rc::new(quantity))),
            None => Err("quantities must match the regular expression \
                         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                .into()),
        },
        _ => no_overload(),
    }),
    ("isQuantity", |arguments, _| match arguments {
        [Val::Text(text)] => Ok(Val::Bool(Quantity::parse(text).is_some())),
        _ => no_overload(),
    }),
    ("sign", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Int(quantity.sign())))),
    ("isInteger", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Bool(quantity.whole().is_some())))),
    ("asInteger", |arguments, _| of_quantity(arguments, |quantity| quantity.whole().map(Val::Int))),
    ("asApproximateFloat", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Double(quantity.approximate())))),
    ("add", |arguments, _| sum(arguments, |quantity| quantity)),
    ("sub", |arguments, _| sum(arguments, |quantity| quantity.negated())),
    ("isGreaterThan", |arguments, _| compare(arguments, |order| Val::Bool(order.is_gt()))),
    ("isLessThan", |arguments, _| compare(arguments, |order| Val::Bool(order.is_lt()))),
    ("compareTo", |arguments, _| {
        compare(arguments, |order| {
            Val::Int(match order {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            })
        })
    }),
    ("optional.none", |arguments, _| match arguments {
        [] => Ok(Val::Optional(None)),
        _ => no_overload(),
    }),
    ("optional.of", |arguments, _| match arguments {
        [value] => Ok(Val::Optional(Some(Rc::new(value.clone())))),
        _ => no_overload(),
    }),
    ("optional.ofNonZeroValue", |arguments, _| match arguments {
        [value] if is_zero(value) => Ok(Val::Optional(None)),
        [value] => Ok(Val::Optional(Some(Rc::new(value.clone())))),
        _ => no_overload(),
    }),
    ("hasValue", |arguments, _| match arguments {
        [Val::Optional(value)] => Ok(Val::Bool(value.is_some())),
        _ => no_overload(),
    }),
    ("value", |arguments, _| match arguments {
        [Val::Optional(Some(value))] => Ok((**value).clone()),
        [Val::Optional(None)] => Err("optional.none() dereference".into()),
        _ => no_overload(),
    }),
    ("or", |arguments, _| match arguments {
        [Val::Optional(None), other @ Val::Optional(_)] => Ok(other.clone()),
        [first @ Val::Optional(Some(_)), Val::Optional(_)] => Ok(first.clone()),
        _ => no_overload(),
    }),
    ("orValue", |arguments, _| match arguments {
        [Val::Optional(None), other] => Ok(other.clone()),
        [Val::Optional(Some(value)), _] => Ok((**value).clone()),
        _ => no_overload(),
    }),
];

fn of_quantity<'a>(arguments: &[Val<'a>], answer: fn(&Quantity) -> Option<Val<'a>>) -> Answer<'a> {
    match arguments {
        [Val::Quantity(quantity)] => answer(quantity).ok_or("cannot convert value to integer".into()),
        _ => no_overload(),
    }
}

fn sum<'a>(arguments: &[Val<'a>], second: fn(Quantity) -> Quantity) -> Answer<'a> {
    let (left, right) = match arguments {
        [Val::Quantity(left), Val::Quantity(right)] => (left, (**right).clone()),
        [Val::Quantity(left), Val::Int(right)] => (left, Quantity::of_int(*right)),
        _ => return no_overload(),
    };
    let sum = left.add(&second(right)).ok_or_else(|| "quantity overflow".to_owned())?;
    Ok(Val::Quantity(Rc::new(sum)))
}

fn compare<'a>(arguments: &[Val<'a>], answer: fn(Ordering) -> Val<'a>) -> Answer<'a> {
    match arguments {
        [Val::Quantity(left), Val::Quantity(right)] => Ok(answer(left.order(right))),
        _ => no_overload(),
    }
}

fn is_zero(value: &Val<'_>) -> bool {
    match value {
        Val::Null | Val::Bool(false) | Val::Int(0) | Val::Uint(0) | Val::Duration(0) | Val::Optional(None) => true,
        Val::Double(number) => *number == 0.0,
        Val::Text(text) => text.is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::List(list) => list.len() == 0,
        Val::Map(Map::Given(members, _)) | Val::Object(members, _) => members.is_empty(),
        Val::Map(map) => map.len() == 0,
        _ => false,
    }
}
