//! Which charts in `charts/` are part of a chart, under which name, and what of their values it takes over.

use serde_json::{Map, Value as Json};

use super::values::{at, below, coalesce, under};
use super::version::{Constraint, Version};
use super::{Chart, Error};
use crate::cluster::object::{list, text};

/// A chart with the charts below it that are switched on.
///
/// # Errors
/// When a chart that it needs is not in it.
pub(super) fn resolve(chart: &Chart, given: &Map<String, Json>) -> Result<Chart, Error> {
    let mut chart = chart.clone();
    let wanted = list(&chart.metadata, &["dependencies"]).to_vec();
    let mut kept = Vec::new();
    let mut named: Vec<String> = Vec::new();
    let mut missing = Vec::new();
    for wish in &wanted {
        let name = text(wish, &["name"]);
        named.push(name.to_owned());
        let Some(found) = chart.charts.iter().find(|chart| chart.name == name && fits(chart, wish)) else {
            missing.push(name.to_owned());
            continue;
        };
        let mut found = found.clone();
        let alias = text(wish, &["alias"]);
        if !alias.is_empty() {
            found.name = alias.to_owned();
        }
        kept.push((found, wish));
    }
    if !missing.is_empty() {
        return Err(Error::Chart(format!(
            "found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        )));
    }
    let others: Vec<Chart> = chart.charts.iter().filter(|chart| !named.contains(&chart.name)).cloned().collect();
    chart.charts = others.into_iter().chain(kept.iter().map(|(chart, _)| chart.clone())).collect();
    let values = coalesce(&chart, given);
    let off: Vec<String> =
        kept.iter().filter(|(_, wish)| !is_on(wish, &values)).map(|(chart, _)| chart.name.clone()).collect();
    chart.charts.retain(|chart| !off.contains(&chart.name));
    for below in &mut chart.charts {
        let theirs = values.get(&below.name).and_then(Json::as_object).cloned().unwrap_or_default();
        *below = resolve(below, &theirs)?;
    }
    let wishes: Vec<(String, &Json)> = kept.iter().map(|(chart, wish)| (chart.name.clone(), *wish)).collect();
    import(&mut chart, given, &wishes);
    Ok(chart)
}

fn fits(chart: &Chart, wish: &Json) -> bool {
    let wanted = text(wish, &["version"]);
    let (Some(constraint), Some(version)) = (Constraint::parse(wanted), Version::parse(&chart.version)) else {
        return wanted.is_empty() || wanted == chart.version;
    };
    constraint.matches(&version)
}

/// The first condition that is there decides; else any tag that is on, and with all tags off it is off.
fn is_on(wish: &Json, values: &Map<String, Json>) -> bool {
    let conditions = text(wish, &["condition"]).split(',').map(str::trim);
    if let Some(on) = conditions.filter_map(|path| at(values, path)).find_map(Json::as_bool) {
        return on;
    }
    let tags = list(wish, &["tags"]).iter().filter_map(Json::as_str);
    let set: Vec<bool> = tags.filter_map(|tag| at(values, &format!("tags.{tag}"))).filter_map(Json::as_bool).collect();
    set.is_empty() || set.contains(&true)
}

/// `import-values`: what a chart exports becomes a default of the chart above it.
fn import(chart: &mut Chart, given: &Map<String, Json>, wishes: &[(String, &Json)]) {
    let values = coalesce(chart, given);
    let mut taken = Map::new();
    for (name, wish) in wishes {
        let Some(theirs) = values.get(name).and_then(Json::as_object) else { continue };
        if !chart.charts.iter().any(|chart| chart.name == *name) {
            continue;
        }
        for import in list(wish, &["import-values"]) {
            let (from, to) = match import {
                Json::String(name) => (format!("exports.{name}"), String::new()),
                other => (text(other, &["child"]).to_owned(), text(other, &["parent"]).to_owned()),
            };
            if let Some(found) = at(theirs, &from) {
                below(&mut taken, &under(if to == "." { "" } else { &to }, found.clone()), false);
            }
        }
    }
    if !taken.is_empty() {
        below(&mut taken, &chart.values, false);
        chart.values = taken;
    }
}
