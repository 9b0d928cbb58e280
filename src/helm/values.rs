//! Values: defaults of charts below what a release wants, and what charts share.

use serde_json::{Map, Value as Json, json};

use super::Chart;

type Values = Map<String, Json>;

/// What all templates are given, charts below theirs included: the defaults of a chart with a release's values on top.
/// A value of null takes the default away.
pub fn coalesce(chart: &Chart, given: &Values) -> Values {
    let mut values = given.clone();
    // A null for a chart below has to get there, to take that one's default away.
    let is_below = |key: &String| chart.charts.iter().any(|chart| chart.name == *key);
    let (theirs, own): (Values, Values) = chart.values.clone().into_iter().partition(|(key, _)| is_below(key));
    below(&mut values, &own, true);
    below(&mut values, &theirs, false);
    for chart in &chart.charts {
        let mut theirs = match values.remove(&chart.name) {
            Some(Json::Object(theirs)) => theirs,
            _ => Values::new(),
        };
        if let Some(Json::Object(shared)) = values.get("global") {
            let own = theirs.remove("global");
            let mut all = shared.clone();
            if let Some(Json::Object(own)) = own {
                below(&mut all, &own, false);
            }
            theirs.insert("global".to_owned(), Json::Object(all));
        }
        values.insert(chart.name.clone(), Json::Object(coalesce(chart, &theirs)));
    }
    values
}

/// Lays defaults below values.
pub(super) fn below(values: &mut Values, defaults: &Values, nulls_remove: bool) {
    for (key, default) in defaults {
        match (values.get_mut(key), default) {
            (None, default) => drop(values.insert(key.clone(), default.clone())),
            (Some(Json::Null), _) if nulls_remove => drop(values.remove(key)),
            (Some(Json::Object(values)), Json::Object(defaults)) => below(values, defaults, nulls_remove),
            _ => {}
        }
    }
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
