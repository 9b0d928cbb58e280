//! A panel's state as the event that windows get: HTML from a template.

use serde::Serialize;
use serde_json::{Value, json};

use super::chart;
use crate::panel::state::{Body, Controls, Mark, PanelState, Table};
use crate::render::template::{self, Templates};
use crate::server::address::qr_svg;

const MARKS: [Mark; 5] = [Mark::Plain, Mark::Good, Mark::Busy, Mark::Bad, Mark::Off];

/// What windows are told of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Frame<'a> {
    /// Which panel.
    key: &'a str,
    /// What is shown in the place of its snapshot; `None` when nothing is known yet.
    pub(super) html: Option<String>,
    /// When it was so, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<i64>,
    /// Whether its source is silent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stale: bool,
    /// What is said of a time that is not the real one.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    /// Why its source is silent; for the speaker alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    /// What the speaker can do; for the speaker alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    controls: Option<&'a Controls>,
}

impl<'a> Frame<'a> {
    /// The same with what is for the speaker alone.
    pub(super) fn for_speaker(self, state: &'a PanelState) -> Self {
        Self { problem: state.problem.as_deref(), controls: state.controls.as_ref(), ..self }
    }
}

/// The event for a state, without what is for the speaker alone.
pub(super) fn frame<'a>(
    templates: &Templates,
    key: &'a str,
    state: &'a PanelState,
) -> Result<Frame<'a>, template::Error> {
    let html = match state.body {
        Body::Waiting => None,
        _ => Some(templates.page("panel.html", &context(state))?),
    };
    Ok(Frame {
        key,
        html,
        at_ms: state.at.map(jiff::Timestamp::as_millisecond),
        stale: state.problem.is_some(),
        time: state.time.as_deref(),
        problem: None,
        controls: None,
    })
}

fn context(state: &PanelState) -> Value {
    let signs: serde_json::Map<String, Value> = MARKS
        .iter()
        .filter_map(|mark| Some((serde_json::to_value(mark).ok()?.as_str()?.to_owned(), json!(mark.sign()))))
        .collect();
    let mut context = json!({ "title": state.title, "signs": signs, "body": state.body });
    match &state.body {
        Body::Table(table) | Body::Facts { table: Some(table), .. } => context["wide"] = json!(widest(table)),
        Body::Tree { nodes, .. } => {
            context["branches"] = nodes.iter().map(|node| json!(node.branches())).collect();
        }
        Body::Timeline { moments } => {
            context["times"] = moments.iter().map(|moment| json!(moment.at.strftime("%H:%M:%S").to_string())).collect();
            context["seconds"] = moments.iter().map(|moment| json!(moment.seconds.map(took))).collect();
        }
        Body::Poll { choices, voted, .. } => {
            context["votes"] = json!((*voted).max(1));
            context["hidden"] = json!(choices.iter().any(|choice| choice.votes.is_none()));
        }
        Body::Chart { series, .. } => context["chart"] = json!(chart::draw(series)),
        Body::Qr { text } => context["qr"] = json!(qr_svg(text).map(|svg| without_prologue(&svg).to_owned())),
        _ => {}
    }
    context
}

/// A length of time as it is read from the last row: two digits.
fn took(seconds: f64) -> String {
    let digits: usize = match seconds {
        s if s < 0.0995 => 2,
        s if s < 9.95 => 1,
        _ => 0,
    };
    format!("{seconds:.digits$} s")
}

/// The column with the longest text: it gives way when there is not enough room, and takes what is left over.
fn widest(table: &Table) -> usize {
    let longest = |column: usize| {
        table.rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    // Of equally long ones the first.
    (0..table.columns.len()).rev().max_by_key(|column| longest(*column)).unwrap_or(0)
}

/// An SVG picture as it can stand in HTML.
fn without_prologue(svg: &str) -> &str {
    svg.find("<svg").and_then(|at| svg.get(at..)).unwrap_or(svg)
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
