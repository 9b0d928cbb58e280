//! The steps of a deck as its windows are told: everything for the speaker, states and times for the audience. Pure.

use serde_json::{Value, json};

use super::journal::{Journal, Run, State};
use super::trust::Standing;
use crate::deck::step::{Role, StepSpec, Typing};

/// A slide as far as steps go.
#[derive(Debug, Clone, Copy)]
pub struct SlideSteps<'a> {
    /// Its steps, in order.
    pub steps: &'a [StepSpec],
    /// Its presenter notes.
    pub notes: &'a [String],
}

/// What the speaker's windows are told of a deck.
pub fn for_speaker(deck: &str, slides: &[SlideSteps<'_>], journal: &Journal, standing: Standing, now_ms: u64) -> Value {
    let steps = each(slides).map(|(slide, step)| {
        let run = journal.run(deck, &step.name);
        let mut told = told(slide, step, run);
        let runs = run.cloned().unwrap_or_default();
        let more = json!({
            "script": step.script.trim_end(),
            "terminal": step.terminal,
            "typed": step.terminal.is_some() && step.typing == Typing::Human,
            "expects": expects(step),
            "checkpoint": step.checkpoint,
            "limit_ms": millis(step),
            "last_ms": runs.last_ms,
            "exit": runs.exit,
            "reason": runs.reason,
            "output": runs.output,
        });
        if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
            told.extend(more);
        }
        told
    });
    let fails: Vec<Value> = slides
        .iter()
        .enumerate()
        .filter_map(|(slide, notes)| Some(json!({ "slide": slide, "text": if_it_fails(notes.notes)? })))
        .collect();
    let marks = journal.marks().iter().map(|mark| json!({ "deck": mark.deck, "step": mark.step }));
    json!({
        "deck": deck,
        "now_ms": now_ms,
        "trust": standing.as_str(),
        "steps": steps.collect::<Vec<_>>(),
        "if_it_fails": fails,
        "checkpoints": marks.collect::<Vec<_>>(),
        "active": journal.active.as_ref().map(|(deck, step)| json!({ "deck": deck, "step": step })),
    })
}

/// What everybody else's windows are told.
pub fn for_audience(deck: &str, slides: &[SlideSteps<'_>], journal: &Journal, now_ms: u64) -> Value {
    let steps = each(slides).map(|(slide, step)| told(slide, step, journal.run(deck, &step.name)));
    json!({ "deck": deck, "now_ms": now_ms, "steps": steps.collect::<Vec<_>>() })
}

/// The steps that are shown and run on slides.
fn each<'a>(slides: &'a [SlideSteps<'a>]) -> impl Iterator<Item = (usize, &'a StepSpec)> {
    let all = slides.iter().enumerate().flat_map(|(slide, on)| on.steps.iter().map(move |step| (slide, step)));
    all.filter(|(_, step)| step.role == Role::Run)
}

fn told(slide: usize, step: &StepSpec, run: Option<&Run>) -> Value {
    json!({
        "slide": slide,
        "name": step.name,
        "state": run.map_or(State::Ready, |run| run.state).as_str(),
        "started_ms": run.filter(|run| run.state.is_active()).map(|run| run.started_ms),
        "took_ms": run.and_then(|run| run.took_ms),
    })
}

fn millis(step: &StepSpec) -> u64 {
    u64::try_from(step.timeout.as_millis()).unwrap_or(u64::MAX)
}

/// What should come of a step, in a few words.
fn expects(step: &StepSpec) -> String {
    let command = if step.expect_fail { "the command fails" } else { "the command succeeds" };
    match &step.wait {
        Some(wait) => format!("{command}, then {wait}"),
        None => command.to_owned(),
    }
}

/// The paragraph of the notes that says what to do when the slide's step fails.
pub fn if_it_fails(notes: &[String]) -> Option<String> {
    const BEGINS: &str = "if it fails:";
    let paragraphs = notes.iter().flat_map(|note| note.split("\n\n"));
    paragraphs.map(str::trim).find_map(|paragraph| {
        let plain = paragraph.trim_start_matches(['*', '_', '>', ' ']);
        let begins = plain.get(..BEGINS.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEGINS));
        let rest = plain.get(BEGINS.len()..).filter(|_| begins)?;
        Some(rest.trim_start_matches(['*', '_']).trim().to_owned()).filter(|rest| !rest.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::runbook::journal::Ended;

    fn step(name: &str) -> StepSpec {
        StepSpec {
            role: Role::Run,
            name: name.to_owned(),
            script: "kubectl get pods\n".to_owned(),
            terminal: None,
            typing: Typing::Instant,
            wait: Some("deploy/podinfo available".to_owned()),
            timeout: crate::deck::step::TIMEOUT,
            expect_fail: false,
            checkpoint: true,
            span: Span::default(),
        }
    }

    #[test]
    fn the_audience_sees_states_and_times_only() {
        let steps = [step("break"), StepSpec { role: Role::Setup, ..step("hidden") }];
        let notes = ["Say this.\n\n**If it fails:** press `x`.".to_owned()];
        let slides = [SlideSteps { steps: &[], notes: &[] }, SlideSteps { steps: &steps, notes: &notes }];
        let mut journal = Journal::default();
        journal.begin("d", "break", 1000);
        journal.mark("d", "break");
        journal.wrote("secret output");
        journal.end(&Ended { state: State::Failed, exit: Some(1), reason: "exit code 1".into() }, 1500);
        assert_eq!(
            for_audience("d", &slides, &journal, 2000),
            json!({ "deck": "d", "now_ms": 2000, "steps": [
                { "slide": 1, "name": "break", "state": "failed", "started_ms": null, "took_ms": 500 },
            ]})
        );
        assert_eq!(
            for_speaker("d", &slides, &journal, Standing::Trusted, 2000),
            json!({
                "deck": "d", "now_ms": 2000, "trust": "trusted",
                "steps": [{
                    "slide": 1, "name": "break", "state": "failed", "started_ms": null, "took_ms": 500,
                    "script": "kubectl get pods", "terminal": null, "typed": false,
                    "expects": "the command succeeds, then deploy/podinfo available", "checkpoint": true,
                    "limit_ms": 60_000, "last_ms": null, "exit": 1, "reason": "exit code 1", "output": "secret output",
                }],
                "if_it_fails": [{ "slide": 1, "text": "press `x`." }],
                "checkpoints": [{ "deck": "d", "step": "break" }],
                "active": null,
            })
        );
    }

    #[test]
    fn the_paragraph_for_failures_is_found() {
        for (note, expected) in [
            ("If it fails: wait.", Some("wait.")),
            ("a\n\nif it fails: go\non", Some("go\non")),
            ("_If it fails:_ x", Some("x")),
            ("If it fails:", None),
            ("If it failed: x", None),
            ("größer", None),
            ("", None),
        ] {
            assert_eq!(if_it_fails(&[note.to_owned()]).as_deref(), expected, "{note}");
        }
    }
}
