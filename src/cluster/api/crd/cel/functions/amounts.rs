//! Quantities, and values that may be absent.

use std::cmp::Ordering;
use std::ops::{Add, Sub};
use std::rc::Rc;

use super::super::eval::Answer;
use super::super::value::{Map, Val};
use super::{Functions, no_overload};
use crate::cluster::quantity::{Quantity, QuantityError};

pub(super) const FUNCTIONS: Functions = &[
    ("quantity", |arguments, _| match arguments {
        [Val::Text(text)] => text.parse().map(Val::Quantity).map_err(|why: QuantityError| why.to_string().into()),
        _ => no_overload(),
    }),
    ("isQuantity", |arguments, _| match arguments {
        [Val::Text(text)] => Ok(Val::Bool(text.parse::<Quantity>().is_ok())),
        _ => no_overload(),
    }),
    ("sign", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Int(quantity.sign() as i64)))),
    ("isInteger", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Bool(whole(quantity).is_some())))),
    ("asInteger", |arguments, _| of_quantity(arguments, |quantity| whole(quantity).map(Val::Int))),
    ("asApproximateFloat", |arguments, _| of_quantity(arguments, |quantity| Some(Val::Double(quantity.as_f64())))),
    ("add", |arguments, _| sum(arguments, Add::add)),
    ("sub", |arguments, _| sum(arguments, Sub::sub)),
    ("isGreaterThan", |arguments, _| compare(arguments, |order| Val::Bool(order.is_gt()))),
    ("isLessThan", |arguments, _| compare(arguments, |order| Val::Bool(order.is_lt()))),
    ("compareTo", |arguments, _| compare(arguments, |order| Val::Int(order as i64))),
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

fn whole(quantity: Quantity) -> Option<i64> {
    Some(quantity.value()).filter(|value| Quantity::count(*value) == quantity)
}

fn of_quantity<'a>(arguments: &[Val<'a>], answer: fn(Quantity) -> Option<Val<'a>>) -> Answer<'a> {
    match arguments {
        [Val::Quantity(quantity)] => answer(*quantity).ok_or("cannot convert value to integer".into()),
        _ => no_overload(),
    }
}

fn sum<'a>(arguments: &[Val<'a>], reckon: fn(Quantity, Quantity) -> Quantity) -> Answer<'a> {
    match arguments {
        [Val::Quantity(left), Val::Quantity(right)] => Ok(Val::Quantity(reckon(*left, *right))),
        [Val::Quantity(left), Val::Int(right)] => Ok(Val::Quantity(reckon(*left, Quantity::count(*right)))),
        _ => no_overload(),
    }
}

fn compare<'a>(arguments: &[Val<'a>], answer: fn(Ordering) -> Val<'a>) -> Answer<'a> {
    match arguments {
        [Val::Quantity(left), Val::Quantity(right)] => Ok(answer(left.cmp(right))),
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
