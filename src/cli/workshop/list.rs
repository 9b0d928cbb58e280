//! `workshop list`: the steps, and what is wrong with their files.

use serde_json::json;

use super::args::List;
use super::{open, tell};
use crate::cli::console::{self, Code, Console, Failure};
use crate::diagnostic::Severity;
use crate::diagnostic::report::{self, Counts};
use crate::workshop::Loaded;

pub(super) fn run(args: &List, console: Console) -> Result<Code, Failure> {
    let loaded = open(&args.which)?;
    let counts = Counts::of(loaded.findings.iter().map(|(_, found)| found));
    if console.json {
        console.document(&document(&loaded))?;
    } else {
        console::data(&table(&loaded))?;
        tell(&loaded, console, Severity::Note);
        console.counts(counts);
    }
    Ok(if counts.findings() > 0 { Code::Findings } else { Code::Done })
}

fn table(loaded: &Loaded) -> String {
    let steps = &loaded.workshop.steps;
    let width = steps.iter().map(|step| step.id.len()).max().unwrap_or(0).max(4);
    let mut out = format!("{:width$}  TIME  CHECKS  TITLE\n", "STEP");
    for step in steps {
        let minutes = step.duration.as_secs().div_ceil(60);
        out.push_str(&format!("{:width$}  {:>3}m  {:>6}  {}\n", step.id, minutes, step.checks.len(), step.title));
    }
    out
}

fn document(loaded: &Loaded) -> serde_json::Value {
    let steps: Vec<_> = loaded
        .workshop
        .steps
        .iter()
        .map(|step| {
            json!({
                "id": step.id,
                "title": step.title,
                "seconds": step.duration.as_secs(),
                "needs": step.needs,
                "panels": step.panels.iter().map(|panel| panel.word()).collect::<Vec<_>>(),
                "checks": step.checks.iter().map(|check| check.fact.title()).collect::<Vec<_>>(),
                "hints": step.hints.len(),
                "file": step.source.path().display().to_string(),
            })
        })
        .collect();
    let findings = loaded.findings.iter().map(|(source, found)| (&**source, std::slice::from_ref(found)));
    json!({
        "schema": "foredeck.workshop.list/1",
        "workshop": loaded.workshop.name,
        "steps": steps,
        "findings": report::json(findings).get("diagnostics").cloned().unwrap_or_default(),
    })
}
