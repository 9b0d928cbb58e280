//! Which charts in `charts/` are part of a chart, under which name, and what of their values it takes over.

use serde_json::{Map, Value as Json};

use super::values::{at, coalesce, under, under_all, without_nulls};
use super::version::{Constraint, Version};
use super::{Chart, Error};
use crate::cluster::object::{list, text};

type Values = Map<String, Json>;

/// A chart with the charts below it that are switched on, and what it takes over from them.
///
/// # Errors
/// When a chart that it needs is not in it.
pub(super) fn resolve(chart: &Chart, given: &Values) -> Result<Chart, Error> {
    let mut chart = chart.clone();
    switch(&mut chart, given, "")?;
    import(&mut chart)?;
    Ok(chart)
}

/// Takes charts away that are switched off. Conditions are paths in the values of the uppermost chart.
fn switch(chart: &mut Chart, given: &Values, path: &str) -> Result<(), Error> {
    let wanted = list(&chart.metadata, &["dependencies"]).to_vec();
    if wanted.is_empty() {
        return Ok(());
    }
    let is_wanted = |chart: &Chart| wanted.iter().any(|wish| text(wish, &["name"]) == chart.name && fits(chart, wish));
    let missing: Vec<&str> = wanted
        .iter()
        .map(|wish| text(wish, &["name"]))
        .filter(|name| !chart.charts.iter().any(|chart| chart.name == *name))
        .collect();
    if !missing.is_empty() {
        return Err(Error::Chart(format!(
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to \
             fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        )));
    }
    let mut charts: Vec<Chart> = chart.charts.iter().filter(|chart| !is_wanted(chart)).cloned().collect();
    for wish in &wanted {
        let found = chart.charts.iter().find(|chart| text(wish, &["name"]) == chart.name && fits(chart, wish));
        charts.extend(found.cloned().map(|chart| Chart { name: name(wish).to_owned(), ..chart }));
    }
    chart.charts = charts;
    let values = coalesce(chart, given)?;
    let off: Vec<&str> = wanted.iter().filter(|wish| !is_on(wish, &values, path)).map(name).collect();
    chart.charts.retain(|chart| !off.contains(&chart.name.as_str()));
    for below in &mut chart.charts {
        let path = format!("{path}{}.", below.name);
        switch(below, &values, &path)?;
    }
    Ok(())
}

/// The name of a chart here: its own, or an alias.
fn name(wish: &Json) -> &str {
    Some(text(wish, &["alias"])).filter(|alias| !alias.is_empty()).unwrap_or(text(wish, &["name"]))
}

fn fits(chart: &Chart, wish: &Json) -> bool {
    let wanted = text(wish, &["version"]);
    let (Some(constraint), Some(version)) = (Constraint::parse(wanted), Version::parse(&chart.version)) else {
        return wanted.is_empty() || wanted == chart.version;
    };
    constraint.matches(&version)
}

/// The first condition that is there decides; else any tag that is on, and with all tags off it is off.
fn is_on(wish: &Json, values: &Values, path: &str) -> bool {
    let conditions = text(wish, &["condition"]).trim().split(',').filter(|condition| !condition.is_empty());
    if let Some(on) = conditions.filter_map(|it| at(values, &format!("{path}{it}"))).find_map(Json::as_bool) {
        return on;
    }
    let tags = list(wish, &["tags"]).iter().filter_map(Json::as_str);
    let set: Vec<bool> = tags.filter_map(|tag| values.get("tags")?.get(tag)?.as_bool()).collect();
    set.is_empty() || set.contains(&true)
}

/// `import-values`: what a chart exports becomes a default of the chart above it, below those that this one has itself.
/// What a release wants is not looked at.
fn import(chart: &mut Chart) -> Result<(), Error> {
    for below in &mut chart.charts {
        import(below)?;
    }
    let wanted = list(&chart.metadata, &["dependencies"]);
    if wanted.is_empty() {
        return Ok(());
    }
    let values = coalesce(chart, &Values::new())?;
    let mut taken = Values::new();
    for wish in wanted {
        let Some(theirs) = values.get(name(wish)).and_then(Json::as_object) else { continue };
        for import in list(wish, &["import-values"]) {
            let (from, to) = match import {
                Json::String(name) => (format!("exports.{name}"), ""),
                other => (text(other, &["child"]).to_owned(), text(other, &["parent"])),
            };
            if let Some(found @ Json::Object(_)) = at(theirs, &from) {
                under_all(&mut taken, &under(if to == "." { "" } else { to }, found.clone()));
            }
        }
    }
    let mut values = without_nulls(values);
    under_all(&mut values, &taken);
    chart.values = values;
    Ok(())
}
