//! Lists: order, sums, searching, sets.

use std::cmp::Ordering;

use super::super::eval::{Answer, Budget, Fail};
use super::super::value::Val;
use super::numbers::add;
use super::strings::{index_of, items};
use super::{Functions, equal, no_overload, weight};

pub(super) const FUNCTIONS: Functions = &[
    ("@in", |arguments, budget| match arguments {
        [value, Val::List(list)] => Ok(Val::Bool(place(list.items(), value, budget)?.is_some())),
        [key, Val::Map(map)] => {
            budget.spend(1)?;
            Ok(Val::Bool(map.get(key).is_some()))
        }
        _ => no_overload(),
    }),
    ("isSorted", |arguments, budget| {
        let items = list_of(arguments, budget)?;
        for pair in items.windows(2) {
            if let [left, right] = pair
                && compare(left, right, budget)?.is_gt()
            {
                return Ok(Val::Bool(false));
            }
        }
        Ok(Val::Bool(true))
    }),
    ("sum", |arguments, budget| {
        let items = list_of(arguments, budget)?;
        let mut items = items.into_iter();
        let Some(mut sum) = items.next() else { return Ok(Val::Int(0)) };
        for item in items {
            sum = add(&sum, &item, budget)?;
        }
        Ok(sum)
    }),
    ("min", |arguments, budget| extreme(arguments, budget, "min", Ordering::is_gt)),
    ("max", |arguments, budget| extreme(arguments, budget, "max", Ordering::is_lt)),
    ("indexOf", |arguments, budget| match arguments {
        [Val::List(list), value] => Ok(place_value(place(list.items(), value, budget)?)),
        _ => index_of(arguments, budget, false),
    }),
    ("lastIndexOf", |arguments, budget| match arguments {
        [Val::List(list), value] => {
            let backwards = (0..list.len()).rev().map(|index| list.get(index));
            let found = place(backwards, value, budget)?;
            Ok(place_value(found.map(|place| list.len() - 1 - place)))
        }
        _ => index_of(arguments, budget, true),
    }),
    ("distinct", |arguments, budget| {
        let mut kept: Vec<Val<'_>> = Vec::new();
        for item in list_of(arguments, budget)? {
            if !has(&kept, &item, budget)? {
                kept.push(item);
            }
        }
        Ok(Val::list(kept))
    }),
    ("reverse", |arguments, budget| {
        let mut items = list_of(arguments, budget)?;
        items.reverse();
        Ok(Val::list(items))
    }),
    ("sort", |arguments, budget| {
        let mut items = list_of(arguments, budget)?;
        let pairs = items.len().saturating_mul(usize::BITS.saturating_sub(items.len().leading_zeros()) as usize);
        budget.spend(pairs)?;
        if items.iter().zip(items.iter().skip(1)).any(|(left, right)| left.order(right).is_none()) {
            return no_overload();
        }
        items.sort_by(|left, right| left.order(right).unwrap_or(Ordering::Equal));
        Ok(Val::list(items))
    }),
    ("slice", |arguments, budget| {
        let [Val::List(list), Val::Int(start), Val::Int(end)] = arguments else { return no_overload() };
        let items = items(list, budget)?;
        let [from, to] = [start, end].map(|place| usize::try_from(*place).ok());
        match (from, to) {
            (Some(from), Some(to)) if from <= to && to <= items.len() => {
                Ok(Val::list(items.get(from..to).unwrap_or_default().to_vec()))
            }
            _ => Err(format!("cannot slice({start}, {end}), list is length {}", items.len()).into()),
        }
    }),
    ("sets.contains", |arguments, budget| {
        let [left, right] = both(arguments, budget)?;
        subset(&right, &left, budget).map(Val::Bool)
    }),
    ("sets.equivalent", |arguments, budget| {
        let [left, right] = both(arguments, budget)?;
        Ok(Val::Bool(subset(&left, &right, budget)? && subset(&right, &left, budget)?))
    }),
    ("sets.intersects", |arguments, budget| {
        let [left, right] = both(arguments, budget)?;
        for item in &left {
            if has(&right, item, budget)? {
                return Ok(Val::Bool(true));
            }
        }
        Ok(Val::Bool(false))
    }),
];

fn list_of<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Result<Vec<Val<'a>>, Fail> {
    match arguments {
        [Val::List(list)] => items(list, budget),
        _ => Err("no such overload".into()),
    }
}

fn both<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Result<[Vec<Val<'a>>; 2], Fail> {
    match arguments {
        [Val::List(left), Val::List(right)] => Ok([items(left, budget)?, items(right, budget)?]),
        _ => Err("no such overload".into()),
    }
}

fn compare<'a>(left: &Val<'a>, right: &Val<'a>, budget: &mut Budget<'_>) -> Result<Ordering, Fail> {
    budget.spend(weight(left).min(weight(right)))?;
    left.order(right).ok_or("no such overload".into())
}

/// Where a value is among items.
fn place<'a>(
    items: impl Iterator<Item = Result<Val<'a>, String>>,
    value: &Val<'a>,
    budget: &mut Budget<'_>,
) -> Result<Option<usize>, Fail> {
    for (place, item) in items.enumerate() {
        if equal(&item?, value, budget)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn place_value<'a>(place: Option<usize>) -> Val<'a> {
    place.map_or(Val::Int(-1), Val::int)
}

fn has<'a>(items: &[Val<'a>], value: &Val<'a>, budget: &mut Budget<'_>) -> Result<bool, Fail> {
    Ok(place(items.iter().cloned().map(Ok), value, budget)?.is_some())
}

fn subset<'a>(part: &[Val<'a>], whole: &[Val<'a>], budget: &mut Budget<'_>) -> Result<bool, Fail> {
    for item in part {
        if !has(whole, item, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The smallest or biggest item: one gives way to the next when the order of the two passes the test.
fn extreme<'a>(
    arguments: &[Val<'a>],
    budget: &mut Budget<'_>,
    name: &str,
    gives_way: fn(Ordering) -> bool,
) -> Answer<'a> {
    let mut items = list_of(arguments, budget)?.into_iter();
    let mut found = items.next().ok_or_else(|| Fail::Error(format!("{name} called on empty list")))?;
    for item in items {
        if gives_way(compare(&found, &item, budget)?) {
            found = item;
        }
    }
    Ok(found)
}
