//! Values: defaults of charts below what a release wants, and what charts share. The rules are Helm's, odd ones included.

use serde_json::{Map, Value as Json, json};

use super::{Chart, Error};

type Values = Map<String, Json>;

/// What all charts share, a chart and those below it.
const GLOBAL: &str = "global";

/// What happens to a key that is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// It takes the default away, and itself.
    Delete,
    /// It stays, to take away the default of a chart below.
    Keep,
}

/// What all templates are given, charts below theirs included: the defaults of a chart with a release's values on top.
/// A value of null takes the default away.
///
/// # Errors
/// When the values of a chart below are no mapping.
pub fn coalesce(chart: &Chart, given: &Values) -> Result<Values, Error> {
    let mut values = given.clone();
    own(chart, &mut values);
    for below in &chart.charts {
        let theirs = values.entry(below.name.clone()).or_insert_with(|| json!({}));
        let Json::Object(theirs) = theirs.take() else {
            return Err(Error::Values(format!("type mismatch on {}: it is no mapping", below.name)));
        };
        let theirs = shared(theirs, &values);
        values.insert(below.name.clone(), Json::Object(coalesce(below, &theirs)?));
    }
    Ok(values)
}

/// A chart's own defaults.
fn own(chart: &Chart, values: &mut Values) {
    for (key, default) in &chart.values {
        match (values.get_mut(key), default) {
            (None, default) => drop(values.insert(key.clone(), default.clone())),
            (Some(Json::Null), _) => drop(values.remove(key)),
            (Some(Json::Object(values)), Json::Object(defaults)) => {
                let is_chart = chart.charts.iter().any(|below| below.name == *key);
                tables(values, defaults, if is_chart { Nulls::Keep } else { Nulls::Delete });
            }
            _ => {}
        }
    }
}

/// Lays defaults below values, all the way down.
fn tables(values: &mut Values, defaults: &Values, nulls: Nulls) {
    if nulls == Nulls::Delete {
        let taken: Vec<String> =
            values.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect();
        values.retain(|key, _| !taken.contains(key));
        for (key, default) in defaults.iter().filter(|(key, _)| !taken.contains(key)) {
            lay(values, key, default, nulls);
        }
        return;
    }
    for (key, default) in defaults {
        lay(values, key, default, nulls);
    }
}

fn lay(values: &mut Values, key: &str, default: &Json, nulls: Nulls) {
    match (values.get_mut(key), default) {
        (None, default) => drop(values.insert(key.to_owned(), default.clone())),
        (Some(Json::Object(values)), Json::Object(defaults)) => tables(values, defaults, nulls),
        _ => {}
    }
}

/// The values of a chart below with what is shared from above.
fn shared(mut theirs: Values, above: &Values) -> Values {
    let none = Values::new();
    let from = match above.get(GLOBAL) {
        None => &none,
        Some(Json::Object(from)) => from,
        Some(_) => return theirs,
    };
    let mut to = match theirs.remove(GLOBAL) {
        None => Values::new(),
        Some(Json::Object(to)) => to,
        Some(other) => {
            theirs.insert(GLOBAL.to_owned(), other);
            return theirs;
        }
    };
    for (key, value) in from {
        match (value, to.get(key)) {
            (Json::Object(value), Some(Json::Object(there))) => {
                let mut value = value.clone();
                tables(&mut value, there, Nulls::Delete);
                to.insert(key.clone(), Json::Object(value));
            }
            (Json::Object(_), Some(_)) | (_, Some(Json::Object(_))) => {}
            (value, _) => drop(to.insert(key.clone(), value.clone())),
        }
    }
    theirs.insert(GLOBAL.to_owned(), Json::Object(to));
    theirs
}

/// Lays values that were taken over from charts below under those that are there.
pub(super) fn under_all(values: &mut Values, imported: &Values) {
    tables(values, imported, Nulls::Delete);
}

/// The same without nulls.
pub(super) fn without_nulls(values: Values) -> Values {
    let kept = values.into_iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| match value {
        Json::Object(inner) => (key, Json::Object(without_nulls(inner))),
        value => (key, value),
    })
    .collect()
}

/// The value at a path with dots.
pub(super) fn at<'a>(values: &'a Values, path: &str) -> Option<&'a Json> {
    let mut parts = path.split('.');
    let first = values.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// A value under a path with dots.
pub(super) fn under(path: &str, value: Json) -> Values {
    let nested = path.rsplit('.').filter(|part| !part.is_empty()).fold(value, |value, part| json!({ part: value }));
    match nested {
        Json::Object(map) => map,
        _ => Values::new(),
    }
}
