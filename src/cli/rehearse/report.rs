//! How a rehearsal went: planned and actual times of sections and steps. Pure.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::recording::marks::Step;
use crate::recording::read::Recording;
use crate::recording::slides::Stay;

/// A part of the talk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    title: String,
    /// What the notes plan for it, in seconds.
    planned: Option<f64>,
    /// How long it took, in seconds.
    actual: f64,
    steps: Vec<Step>,
}

/// How a deck went.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    deck: String,
    sections: Vec<Section>,
    /// Whether all steps passed.
    pub(super) passed: bool,
}

impl Report {
    /// From the deck's plan, and what the run says.
    pub(super) fn new(deck: &str, plan: &Value, stays: &[Stay], run: &Recording) -> Self {
        let planned: Vec<(usize, String, Option<f64>)> = plan
            .as_array()
            .into_iter()
            .flatten()
            .map(|section| {
                let slide = section["slide"].as_u64().and_then(|slide| usize::try_from(slide).ok()).unwrap_or(0);
                let title = section["title"].as_str().unwrap_or_default().to_owned();
                (slide, title, section["minutes"].as_f64().map(|minutes| minutes * 60.0))
            })
            .collect();
        // Slides before the first section are one of their own.
        let lead = planned.first().is_none_or(|(slide, ..)| *slide > 0).then(|| (0, String::new(), None));
        let all: Vec<_> = lead.into_iter().chain(planned).collect();
        let ends = all.iter().skip(1).map(|(slide, ..)| *slide).chain([usize::MAX]);
        let sections = all.iter().zip(ends).map(|((from, title, planned), to)| {
            let here = |slide: usize| (*from..to).contains(&slide);
            let stays = stays.iter().filter(|stay| stay.deck == deck && here(stay.slide));
            let steps = run.end.steps.iter().filter(|step| step.deck == deck && here(step.slide));
            Section {
                title: title.clone(),
                planned: *planned,
                actual: stays.map(|stay| f64::from(stay.to - stay.from) / 1000.0).sum(),
                steps: steps.cloned().collect(),
            }
        });
        let sections = sections.filter(|section| !section.title.is_empty() || section.actual > 0.0).collect();
        Self { deck: deck.to_owned(), sections, passed: run.passed(deck) }
    }

    fn sums(&self) -> (Option<f64>, f64) {
        let planned = self.sections.iter().filter_map(|section| section.planned).reduce(|a, b| a + b);
        (planned, self.sections.iter().map(|section| section.actual).sum())
    }

    /// A table.
    pub(super) fn text(&self) -> String {
        let name =
            |section: &Section| if section.title.is_empty() { "(beginning)".into() } else { section.title.clone() };
        let names = self.sections.iter().map(|section| name(section).chars().count());
        let steps = self.sections.iter().flat_map(|section| &section.steps).map(|step| step.name.chars().count() + 4);
        let wide = names.chain(steps).max().unwrap_or(0).clamp(12, 48);
        let mut text = String::new();
        let mut line = |title: &str, cells: [&str; 3]| {
            let short: String = title.chars().take(wide).collect();
            let gap = " ".repeat(wide - short.chars().count());
            let row = format!("{short}{gap}  {:>8}  {:>8}  {:>8}", cells[0], cells[1], cells[2]);
            let _ = writeln!(text, "{}", row.trim_end());
        };
        line(&self.deck, ["planned", "actual", "delta"]);
        for section in &self.sections {
            let (planned, delta) = compared(section.planned, section.actual);
            line(&name(section), [&planned, &clock(section.actual), &delta]);
            for step in &section.steps {
                let sign = if step.passed() { "✓" } else { "✗" };
                let took = step.took().map_or_else(|| "–".to_owned(), |ms| format!("{:.1} s", f64::from(ms) / 1000.0));
                line(&format!("  {sign} {}", step.name), ["", &took, if step.passed() { "" } else { &step.state }]);
            }
        }
        let (planned, actual) = self.sums();
        let (planned, delta) = compared(planned, actual);
        line("in all", [&planned, &clock(actual), &delta]);
        let _ = writeln!(text, "{}", if self.passed { "passed" } else { "not passed" });
        text
    }

    fn json(&self) -> Value {
        let (planned, actual) = self.sums();
        let sections = self.sections.iter().map(|section| {
            let steps = section.steps.iter().map(
                |step| json!({ "name": step.name, "slide": step.slide + 1, "state": step.state, "ms": step.took() }),
            );
            json!({
                "title": section.title,
                "planned_s": section.planned,
                "actual_s": section.actual,
                "delta_s": section.planned.map(|planned| section.actual - planned),
                "steps": steps.collect::<Vec<_>>(),
            })
        });
        json!({
            "deck": self.deck,
            "passed": self.passed,
            "planned_s": planned,
            "actual_s": actual,
            "sections": sections.collect::<Vec<_>>(),
        })
    }
}

/// All decks, for scripts.
pub(super) fn json(run: &Path, bytes: usize, reports: &[Report]) -> Value {
    json!({
        "schema": "foredeck.rehearse/1",
        "run": run.display().to_string(),
        "bytes": bytes,
        "passed": !reports.is_empty() && reports.iter().all(|report| report.passed),
        "decks": reports.iter().map(Report::json).collect::<Vec<_>>(),
    })
}

fn compared(planned: Option<f64>, actual: f64) -> (String, String) {
    match planned {
        None => ("–".to_owned(), String::new()),
        Some(planned) => {
            let delta = actual - planned;
            let sign = if delta < 0.0 { '−' } else { '+' };
            (clock(planned), format!("{sign}{}", clock(delta.abs())))
        }
    }
}

/// `3:05`
fn clock(seconds: f64) -> String {
    // Not −0: that has a sign when it is written.
    let whole = seconds.round().max(0.0) + 0.0;
    format!("{}:{:02}", (whole / 60.0).floor(), whole % 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::write::Writer;
    use crate::recording::{DeckEnd, Head, What};

    #[test]
    fn planned_and_actual_stand_beside_each_other() {
        let head = Head { foredeck: String::new(), what: What::Rehearsal, started_ms: 0, decks: vec!["d".into()] };
        let decks = vec![DeckEnd { deck: "d".into(), hash: String::new(), steps: 2, passed: false }];
        let bytes = Writer::new(&head, Default::default(), 1 << 20).finish(200_000, decks, 0);
        let mut run = Recording::open(bytes).expect("a run");
        let step = |name: &str, slide, from, to, state: &str| Step {
            deck: "d".into(),
            name: name.into(),
            slide,
            from,
            to: Some(to),
            state: state.into(),
        };
        run.end.steps = vec![step("add", 1, 1000, 3100, "passed"), step("break", 2, 70_000, 75_000, "timed-out")];
        let stay = |slide, from, to| Stay { deck: "d".into(), slide, from, to };
        let stays = [stay(0, 0, 1000), stay(1, 1000, 64_000), stay(2, 64_000, 80_000)];
        let plan =
            json!([{ "title": "One", "slide": 1, "minutes": 1.0 }, { "title": "Two", "slide": 2, "minutes": 0.5 }]);
        let report = Report::new("d", &plan, &stays, &run);
        assert_eq!(
            report.text(),
            "d              planned    actual     delta\n\
             (beginning)          –      0:01\n\
             One               1:00      1:03     +0:03\n\
             \u{20} ✓ add                    2.1 s\n\
             Two               0:30      0:16     −0:14\n\
             \u{20} ✗ break                  5.0 s  timed-out\n\
             in all            1:30      1:20     −0:10\n\
             not passed\n"
        );
        let json = report.json();
        assert_eq!(json["sections"][2]["delta_s"], json!(-14.0));
        assert_eq!(
            json["sections"][1]["steps"][0],
            json!({ "name": "add", "slide": 2, "state": "passed", "ms": 2100 })
        );
    }
}
