//! Text: searching, cutting, joining, and regular expressions. Places are counted in characters.

use std::borrow::Cow;

use regex::Regex;

use super::super::eval::{Answer, Budget, Fail};
use super::super::value::{List, Text, Val};
use super::{Functions, no_overload};
use crate::cluster::api::crd::schema::pattern::compile;

pub(super) const FUNCTIONS: Functions = &[
    ("contains", |arguments, budget| test(arguments, budget, |text, part| text.contains(part))),
    ("startsWith", |arguments, budget| test(arguments, budget, |text, part| text.starts_with(part))),
    ("endsWith", |arguments, budget| test(arguments, budget, |text, part| text.ends_with(part))),
    ("matches", |arguments, budget| {
        let [Val::Text(text), Val::Text(pattern)] = arguments else { return no_overload() };
        Ok(Val::Bool(regex(text, pattern, budget)?.is_match(text)))
    }),
    ("find", |arguments, budget| {
        let [Val::Text(text), Val::Text(pattern)] = arguments else { return no_overload() };
        Ok(Val::text(regex(text, pattern, budget)?.find(text).map_or("", |found| found.as_str())))
    }),
    ("findAll", find_all),
    ("charAt", |arguments, budget| {
        let [Val::Text(text), Val::Int(place)] = arguments else { return no_overload() };
        budget.spend_text(text.len())?;
        let length = text.chars().count();
        match usize::try_from(*place).ok().filter(|place| *place <= length) {
            Some(place) => Ok(Val::text(text.chars().nth(place).map(String::from).unwrap_or_default())),
            None => Err(format!("index out of range: {place}").into()),
        }
    }),
    ("lowerAscii", |arguments, budget| convert(arguments, budget, str::to_ascii_lowercase)),
    ("upperAscii", |arguments, budget| convert(arguments, budget, str::to_ascii_uppercase)),
    ("trim", |arguments, budget| convert(arguments, budget, |text| text.trim().to_owned())),
    ("replace", replace),
    ("split", split),
    ("substring", substring),
    ("join", join),
];

fn test<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>, test: fn(&str, &str) -> bool) -> Answer<'a> {
    let [Val::Text(text), Val::Text(part)] = arguments else { return no_overload() };
    budget.spend_text(text.len())?;
    Ok(Val::Bool(test(text, part)))
}

fn convert<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>, convert: fn(&str) -> String) -> Answer<'a> {
    let [Val::Text(text)] = arguments else { return no_overload() };
    budget.spend_text(text.len())?;
    Ok(Val::text(convert(text)))
}

/// A compiled expression, at the cost of going over the text, and of compiling it unless that was done before.
fn regex<'p>(text: &str, pattern: &str, budget: &mut Budget<'p>) -> Result<Cow<'p, Regex>, Fail> {
    budget.spend((text.len() / 10 + 1).saturating_mul(pattern.len() / 4 + 1))?;
    let known = budget.patterns.iter().find(|(text, _)| **text == *pattern);
    if let Some((_, regex)) = known {
        return Ok(Cow::Borrowed(regex));
    }
    const COMPILING: usize = 1_000;
    budget.spend(COMPILING.saturating_add(pattern.len().saturating_mul(10)))?;
    Ok(Cow::Owned(compile(pattern)?))
}

fn find_all<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let (text, pattern, most) = match arguments {
        [Val::Text(text), Val::Text(pattern)] => (text, pattern, -1),
        [Val::Text(text), Val::Text(pattern), Val::Int(most)] => (text, pattern, *most),
        _ => return no_overload(),
    };
    let regex = regex(text, pattern, budget)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let found: Vec<_> = regex.find_iter(text).take(most).map(|found| Val::text(found.as_str())).collect();
    budget.spend(found.len())?;
    Ok(Val::list(found))
}

fn replace<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let (text, old, new, most) = match arguments {
        [Val::Text(text), Val::Text(old), Val::Text(new)] => (text, old, new, -1),
        [Val::Text(text), Val::Text(old), Val::Text(new), Val::Int(most)] => (text, old, new, *most),
        _ => return no_overload(),
    };
    budget.spend_text(text.len())?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let places = text.matches(&**old).count().min(most);
    budget.spend_text(places.saturating_mul(new.len()))?;
    Ok(Val::text(text.replacen(&**old, new, places)))
}

fn split<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let (text, separator, most) = match arguments {
        [Val::Text(text), Val::Text(separator)] => (text, separator, -1),
        [Val::Text(text), Val::Text(separator), Val::Int(most)] => (text, separator, *most),
        _ => return no_overload(),
    };
    budget.spend(text.len())?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if most == 0 {
        return Ok(Val::list(Vec::new()));
    }
    let parts: Vec<_> = if separator.is_empty() {
        // one for each character, and the rest in the last
        let ends = text.char_indices().map(|(at, _)| at).skip(1).take(most - 1).chain([text.len()]);
        let mut start = 0;
        let part = |end| Val::text(text.get(std::mem::replace(&mut start, end)..end).unwrap_or_default());
        ends.map(part).collect()
    } else {
        text.splitn(most, &**separator).map(Val::text).collect()
    };
    Ok(Val::list(parts))
}

fn substring<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let (text, start, end) = match arguments {
        [Val::Text(text), Val::Int(start)] => (text, *start, None),
        [Val::Text(text), Val::Int(start), Val::Int(end)] => (text, *start, Some(*end)),
        _ => return no_overload(),
    };
    budget.spend_text(text.len())?;
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let end = end.unwrap_or(length);
    for place in [start, end] {
        if place < 0 || place > length {
            return Err(format!("index out of range: {place}").into());
        }
    }
    if start > end {
        return Err(format!("invalid substring range. start: {start}, end: {end}").into());
    }
    let [start, count] = [start, end - start].map(|number| usize::try_from(number).unwrap_or(0));
    Ok(Val::text(text.chars().skip(start).take(count).collect::<String>()))
}

fn join<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>) -> Answer<'a> {
    let (list, separator) = match arguments {
        [Val::List(list)] => (list, &Text::Borrowed("")),
        [Val::List(list), Val::Text(separator)] => (list, separator),
        _ => return no_overload(),
    };
    budget.spend(list.len())?;
    budget.spend_text(separator.len().saturating_mul(list.len()))?;
    let mut joined = String::new();
    for (index, item) in list.items().enumerate() {
        let Val::Text(text) = item? else { return no_overload() };
        budget.spend_text(text.len())?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&text);
    }
    Ok(Val::text(joined))
}

/// Where a part is first or last in a text, from a place on; -1 when it is not.
pub(super) fn index_of<'a>(arguments: &[Val<'a>], budget: &mut Budget<'_>, last: bool) -> Answer<'a> {
    let (text, part, from) = match arguments {
        [Val::Text(text), Val::Text(part)] => (text, part, None),
        [Val::Text(text), Val::Text(part), Val::Int(from)] => (text, part, Some(*from)),
        _ => return no_overload(),
    };
    budget.spend_text(text.len())?;
    let length = text.chars().count();
    let from = match from.map(|from| usize::try_from(from).ok().filter(|from| *from <= length).ok_or(from)) {
        Some(Err(from)) => return Err(format!("index out of range: {from}").into()),
        Some(Ok(from)) => Some(from),
        None => None,
    };
    let offset = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    let found = if last {
        // the part may begin at that place, and reach beyond
        let end = from.map_or(text.len(), |from| (offset(from) + part.len()).min(text.len()));
        let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        text.get(..end).and_then(|text| text.rfind(&**part))
    } else {
        let start = offset(from.unwrap_or(0));
        text.get(start..).and_then(|text| text.find(&**part)).map(|at| at + start)
    };
    let place = found.map_or(-1, |at| {
        let before = text.get(..at).map_or(0, |before| before.chars().count());
        i64::try_from(before).unwrap_or(i64::MAX)
    });
    Ok(Val::Int(place))
}

/// All items of a list.
pub(super) fn items<'a>(list: &List<'a>, budget: &mut Budget<'_>) -> Result<Vec<Val<'a>>, Fail> {
    budget.spend(list.len())?;
    Ok(list.items().collect::<Result<_, _>>()?)
}
