//! `canary`: where a release stands, and its weights and metrics over time.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::watching;
use crate::cluster::object::Key;
use crate::deck::PanelSpec;
use crate::gitops::canary::checks::Kind;
use crate::gitops::canary::effect::{Routes, Tone};
use crate::gitops::canary::machine::Wish;
use crate::gitops::canary::status::Phase;
use crate::gitops::canary::view::MetricView;
use crate::gitops::canary::weights::Strategy;
use crate::gitops::canary::{CanaryView, View};
use crate::panel::output::Output;
use crate::panel::state::{Body, Controls, Fact, Mark, Point, Series, Table};
use crate::sandbox::Sandbox;

/// Lines of a chart beside the weight; more cannot be told apart.
const MOST_METRICS: usize = 4;

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let Some(handle) = &sandbox.canaries else {
        return "canaries are known of the embedded cluster only".to_owned();
    };
    let mut status = handle.status();
    let mut pace = sandbox.clock().changes();
    loop {
        let view = status.borrow_and_update().clone();
        match view.problem {
            Some(problem) => return problem,
            None => output.show_with(body(&view, spec), controls(&view, spec)),
        }
        if !watching(&mut status, &mut pace).await {
            return "the controller of canaries has ended".to_owned();
        }
    }
}

/// The canary that is meant.
fn find<'a>(view: &'a View, spec: &PanelSpec) -> Option<(&'a Key, &'a CanaryView)> {
    let fits = |key: &Key| {
        spec.get("namespace").is_none_or(|namespace| namespace == &*key.namespace)
            && spec.get("name").is_none_or(|name| name == &*key.name)
    };
    view.canaries.iter().find(|(key, _)| fits(key)).map(|(key, canary)| (key, &**canary))
}

fn controls(view: &View, spec: &PanelSpec) -> Option<Controls> {
    let (key, canary) = find(view, spec)?;
    let faults = canary.faults.1;
    Some(Controls::Canary {
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        releasing: canary.phase.is_some_and(Phase::is_in_speakers_hand),
        held: canary.wish == Some(Wish::Hold),
        gates: canary.gates.iter().map(|gate| (gate.name.clone(), gate.open == Some(true))).collect(),
        success: faults.success,
        latency_ms: u64::try_from(faults.latency.as_millis()).unwrap_or(u64::MAX),
    })
}

fn body(view: &View, spec: &PanelSpec) -> Body {
    match find(view, spec) {
        Some((_, canary)) => Body::Chart { facts: facts(canary), series: series(canary) },
        None => {
            let what = spec.get("name").map_or_else(|| "canary".to_owned(), |name| format!("canary {name}"));
            let place = spec.get("namespace").map(|space| format!(" in {space}")).unwrap_or_default();
            Body::Table(Table { empty: format!("No {what}{place} yet."), ..Table::default() })
        }
    }
}

fn facts(canary: &CanaryView) -> Vec<Fact> {
    let fact = |label: &str, value: String, mark| Fact { label: label.to_owned(), value, mark };
    let phase = canary.phase.map_or("not looked at yet", Phase::as_str);
    let mut facts = vec![fact("phase", phase.to_owned(), canary.phase.map_or(Mark::Busy, mark))];
    if let Some(versions) = versions(&canary.images) {
        facts.push(fact("version", versions, Mark::Plain));
    }
    facts.extend(canary.routes.map(|routes| fact("weight", weight(canary, routes), Mark::Plain)));
    let (failed, most) = canary.failed_checks;
    let mark = match failed {
        0 => Mark::Good,
        failed if failed < most => Mark::Busy,
        _ => Mark::Bad,
    };
    facts.push(fact("failed checks", format!("{failed} of {most}"), mark));
    let waiting: Vec<&str> = canary.gates.iter().filter(|gate| gate.waiting).map(|gate| gate.name.as_str()).collect();
    if !waiting.is_empty() {
        facts.push(fact("waits for", waiting.join(", "), Mark::Busy));
    }
    if let Some(wish) = canary.wish {
        let words = match wish {
            Wish::Hold => "hold here",
            Wish::Promote => "promote",
            Wish::RollBack => "roll back",
        };
        facts.push(fact("speaker", words.to_owned(), Mark::Busy));
    }
    if let Some(event) = canary.events.back() {
        let mark = if event.tone == Tone::Warning { Mark::Bad } else { Mark::Plain };
        facts.push(fact("last", event.text.clone(), mark));
    }
    facts
}

fn mark(phase: Phase) -> Mark {
    match phase {
        Phase::Initialized | Phase::Succeeded => Mark::Good,
        Phase::Failed => Mark::Bad,
        Phase::Terminating => Mark::Off,
        _ => Mark::Busy,
    }
}

/// What serves and what is released, without the registry.
fn versions((target, primary): &(String, String)) -> Option<String> {
    let short = |image: &str| image.rsplit('/').next().unwrap_or(image).to_owned();
    match (primary.is_empty(), target.is_empty()) {
        (true, true) => None,
        (true, false) => Some(short(target)),
        (false, true) => Some(short(primary)),
        (false, false) if primary == target => Some(short(target)),
        (false, false) => Some(format!("{} → {}", short(primary), short(target))),
    }
}

fn weight(canary: &CanaryView, routes: Routes) -> String {
    let mirrored = if routes.mirror { ", mirrored" } else { "" };
    let (passed, all) = canary.iterations;
    match canary.strategy {
        Some(Strategy::AbTesting | Strategy::BlueGreen) => {
            format!("{} %{mirrored}, check {passed} of {all}", routes.canary)
        }
        _ => format!("{} %{mirrored}, promoted at {} %", routes.canary, canary.max_weight),
    }
}

/// The weight and what was measured, since the release began.
fn series(canary: &CanaryView) -> Vec<Series> {
    let all = canary.weights.iter().map(|(at, _)| *at).chain(canary.phases.iter().map(|(at, _)| *at));
    let measured = canary.metrics.iter().flat_map(|metric| metric.points.iter().map(|(at, _)| *at));
    let Some(end) = all.clone().chain(measured.clone()).max() else { return Vec::new() };
    let start = begun(&canary.phases).or_else(|| all.chain(measured).min()).unwrap_or(end);
    let weight =
        Series { name: "weight".to_owned(), unit: " %".to_owned(), points: steps(&canary.weights, start, end) };
    let metrics = canary.metrics.iter().filter_map(|metric| line(metric, start)).take(MOST_METRICS);
    std::iter::once(weight).filter(|series| !series.points.is_empty()).chain(metrics).collect()
}

/// When the last release began: the first phase of one after a phase of rest.
fn begun(phases: &VecDeque<(Timestamp, Phase)>) -> Option<Timestamp> {
    let releases = |phase: Phase| phase.is_active() || phase == Phase::Initializing;
    let mut begun = None;
    let mut before = false;
    for (at, phase) in phases {
        if releases(*phase) && !before {
            begun = Some(*at);
        }
        before = releases(*phase);
    }
    begun
}

/// Weights stay as they are until the next one.
fn steps(weights: &VecDeque<(Timestamp, Routes)>, start: Timestamp, end: Timestamp) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let mut last: Option<f64> = None;
    for (at, routes) in weights {
        let y = percent(routes.canary);
        if *at > start {
            let x = seconds(start, *at);
            if let Some(y) = last {
                // What held until then; before the first change it was the same all along.
                points.extend(points.is_empty().then_some(Point { x: 0.0, y }));
                points.push(Point { x, y });
            }
            points.push(Point { x, y });
        }
        last = Some(y);
    }
    if let Some(y) = last {
        points.extend(points.is_empty().then_some(Point { x: 0.0, y }));
        points.push(Point { x: seconds(start, end), y });
    }
    points.dedup();
    points
}

fn line(metric: &MetricView, start: Timestamp) -> Option<Series> {
    let (name, unit) = match metric.kind {
        Kind::SuccessRate => ("success rate", " %"),
        Kind::Duration => ("latency", " ms"),
        Kind::Query | Kind::Template => (metric.name.as_str(), ""),
        Kind::Unusable => return None,
    };
    let points: Vec<Point> = metric
        .points
        .iter()
        .filter(|(at, _)| *at >= start)
        .filter_map(|(at, value)| Some(Point { x: seconds(start, *at), y: tenths((*value)?) }))
        .collect();
    (!points.is_empty()).then(|| Series { name: name.to_owned(), unit: unit.to_owned(), points })
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    tenths(to.duration_since(from).as_secs_f64().max(0.0))
}

fn percent(weight: i64) -> f64 {
    f64::from(u32::try_from(weight.clamp(0, 100)).unwrap_or(0))
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
#[path = "canary_tests.rs"]
mod tests;
