//! Arithmetic, and `+` of what can be joined.

use jiff::SignedDuration;

use super::super::super::schema::List as ListKind;
use super::super::eval::{Answer, Budget, Fail};
use super::super::value::{List, Val};
use super::{Functions, equal, no_overload};

pub(super) const FUNCTIONS: Functions = &[
    ("_+_", |arguments, budget| {
        let [left, right] = arguments else { return no_overload() };
        add(left, right, budget)
    }),
    ("_-_", |arguments, _| {
        let [left, right] = arguments else { return no_overload() };
        subtract(left, right)
    }),
    ("_*_", |arguments, _| match arguments {
        [Val::Int(left), Val::Int(right)] => whole(left.checked_mul(*right)),
        [Val::Uint(left), Val::Uint(right)] => unsigned(left.checked_mul(*right)),
        [Val::Double(left), Val::Double(right)] => Ok(Val::Double(left * right)),
        _ => no_overload(),
    }),
    ("_/_", |arguments, _| match arguments {
        [Val::Int(_), Val::Int(0)] | [Val::Uint(_), Val::Uint(0)] => Err("division by zero".into()),
        [Val::Int(left), Val::Int(right)] => whole(left.checked_div(*right)),
        [Val::Uint(left), Val::Uint(right)] => unsigned(left.checked_div(*right)),
        [Val::Double(left), Val::Double(right)] => Ok(Val::Double(left / right)),
        _ => no_overload(),
    }),
    ("_%_", |arguments, _| match arguments {
        [Val::Int(_), Val::Int(0)] | [Val::Uint(_), Val::Uint(0)] => Err("modulus by zero".into()),
        [Val::Int(left), Val::Int(right)] => whole(left.checked_rem(*right)),
        [Val::Uint(left), Val::Uint(right)] => unsigned(left.checked_rem(*right)),
        _ => no_overload(),
    }),
    ("-_", |arguments, _| match arguments {
        [Val::Int(number)] => whole(number.checked_neg()),
        [Val::Double(number)] => Ok(Val::Double(-number)),
        _ => no_overload(),
    }),
];

fn whole<'a>(number: Option<i64>) -> Answer<'a> {
    number.map(Val::Int).ok_or(Fail::from("return error for overflow"))
}

fn unsigned<'a>(number: Option<u64>) -> Answer<'a> {
    number.map(Val::Uint).ok_or(Fail::from("return error for overflow"))
}

/// The sum of two values; lists, texts and bytes are joined.
pub(super) fn add<'a>(left: &Val<'a>, right: &Val<'a>, budget: &mut Budget<'_>) -> Answer<'a> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => whole(left.checked_add(*right)),
        (Val::Uint(left), Val::Uint(right)) => unsigned(left.checked_add(*right)),
        (Val::Double(left), Val::Double(right)) => Ok(Val::Double(left + right)),
        (Val::Text(left), Val::Text(right)) => {
            budget.spend_text(left.len() + right.len())?;
            Ok(Val::text([&**left, &**right].concat()))
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            budget.spend_text(left.len() + right.len())?;
            Ok(Val::Bytes([&**left, &**right].concat().into()))
        }
        (Val::Duration(left), Val::Duration(right)) => match left.checked_add(*right) {
            Some(sum) => Ok(Val::Duration(sum)),
            None => Err("return error for overflow".into()),
        },
        (Val::Timestamp(time), Val::Duration(nanos)) | (Val::Duration(nanos), Val::Timestamp(time)) => time
            .checked_add(SignedDuration::from_nanos(*nanos))
            .map(Val::Timestamp)
            .map_err(|_| "timestamp overflow".into()),
        (Val::List(left), Val::List(right)) => join(left, right, budget),
        _ => no_overload(),
    }
}

/// Lists one after the other; a set keeps one of equal items, a map has later items in place of earlier ones.
fn join<'a>(left: &List<'a>, right: &List<'a>, budget: &mut Budget<'_>) -> Answer<'a> {
    budget.spend(left.len() + right.len())?;
    let mut items = left.items().collect::<Result<Vec<_>, _>>()?;
    for item in right.items() {
        let item = item?;
        let place = match left.kind() {
            ListKind::Atomic => None,
            ListKind::Set => place_of(&items, &item, budget, equal)?,
            ListKind::Map(_) => place_of(&items, &item, budget, |known, item, budget| {
                budget.spend(1)?;
                let same = |(known, key): (&Option<Val<'a>>, &Option<Val<'a>>)| match (known, key) {
                    (Some(known), Some(key)) => known.equals(key),
                    (known, key) => known.is_none() && key.is_none(),
                };
                let keys = left.key(known).zip(left.key(item));
                Ok(keys.is_some_and(|(known, key)| known.iter().zip(&key).all(same)))
            })?,
        };
        match place.and_then(|place| items.get_mut(place)) {
            Some(known) => *known = item,
            None => items.push(item),
        }
    }
    Ok(Val::list(items))
}

fn place_of<'a>(
    items: &[Val<'a>],
    item: &Val<'a>,
    budget: &mut Budget<'_>,
    same: impl Fn(&Val<'a>, &Val<'a>, &mut Budget<'_>) -> Result<bool, Fail>,
) -> Result<Option<usize>, Fail> {
    for (place, known) in items.iter().enumerate() {
        if same(known, item, budget)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn subtract<'a>(left: &Val<'a>, right: &Val<'a>) -> Answer<'a> {
    match (left, right) {
        (Val::Int(left), Val::Int(right)) => whole(left.checked_sub(*right)),
        (Val::Uint(left), Val::Uint(right)) => unsigned(left.checked_sub(*right)),
        (Val::Double(left), Val::Double(right)) => Ok(Val::Double(left - right)),
        (Val::Duration(left), Val::Duration(right)) => match left.checked_sub(*right) {
            Some(difference) => Ok(Val::Duration(difference)),
            None => Err("return error for overflow".into()),
        },
        (Val::Timestamp(left), Val::Timestamp(right)) => {
            let nanos = i64::try_from(left.as_nanosecond() - right.as_nanosecond());
            nanos.map(Val::Duration).map_err(|_| "return error for overflow".into())
        }
        (Val::Timestamp(time), Val::Duration(nanos)) => time
            .checked_sub(SignedDuration::from_nanos(*nanos))
            .map(Val::Timestamp)
            .map_err(|_| "timestamp overflow".into()),
        _ => no_overload(),
    }
}
