//! What the last good run of a deck showed, and how a step that went wrong differs from it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::recording::play::Player;
use crate::recording::read::Recording;
use crate::recording::step_cell;

/// Lines of either side that are compared: the last ones.
const MOST_LINES: usize = 60;

/// How the steps of a deck went when all was well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Before {
    /// The run's name: `rehearsal 14:02`.
    label: String,
    steps: BTreeMap<String, Good>,
}

/// A step that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Good {
    took_ms: u32,
    output: String,
}

impl Before {
    /// From the last run of a deck in which every step passed.
    pub(super) fn of(run: &Arc<Recording>, deck: &str, label: String) -> Self {
        let mut player = Player::new(run.clone());
        let mut steps = BTreeMap::new();
        for mark in run.end.steps.iter().filter(|mark| mark.deck == deck && mark.passed()) {
            let Some(to) = mark.to else { continue };
            player.seek(to);
            let cell = player.scene().cells.get(&step_cell(deck, &mark.name));
            let output = cell.and_then(|cell| cell["output"].as_str()).unwrap_or_default().to_owned();
            let good = Good { took_ms: to.saturating_sub(mark.from), output };
            steps.insert(mark.name.clone(), good);
        }
        Self { label, steps }
    }

    /// How what a step wrote differs from what it wrote then; nothing when it was not run.
    pub(super) fn difference(&self, step: &str, output: &str) -> Option<String> {
        let good = self.steps.get(step)?;
        let seconds = f64::from(good.took_ms) / 1000.0;
        let mut text = format!("in the {} it passed in {seconds:.1} s", self.label);
        let lines = compared(&last_lines(&good.output), &last_lines(output));
        if lines.iter().all(|(sign, _)| *sign == ' ') {
            text.push_str(", and wrote the same");
            return Some(text);
        }
        text.push_str("; − is what it wrote then, + what it wrote now:");
        for (sign, line) in lines {
            text.push_str(&format!("\n{sign} {line}"));
        }
        Some(text)
    }
}

fn last_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    lines[lines.len().saturating_sub(MOST_LINES)..].to_vec()
}

/// The lines of both, with what happened to each: those in common stay where they are.
fn compared<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    // How many lines the rests have in common, from each place on.
    let wide = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * wide];
    let at = |i: usize, j: usize| i * wide + j;
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[at(i, j)] = match old[i] == new[j] {
                true => common[at(i + 1, j + 1)] + 1,
                false => common[at(i + 1, j)].max(common[at(i, j + 1)]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[at(i + 1, j)] >= common[at(i, j + 1)]) {
            out.push(('−', old[i]));
            i += 1;
        } else {
            out.push(('+', new[j]));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recording::write::Writer;
    use crate::recording::{DeckEnd, Head, What};

    #[test]
    fn a_step_is_compared_with_the_last_good_run() {
        let head = Head { foredeck: String::new(), what: What::Rehearsal, started_ms: 0, decks: vec!["d".into()] };
        let mut writer = Writer::new(&head, Default::default(), 1 << 20);
        let step = |state: &str, output: &str| json!({ "deck": "d", "name": "add", "slide": 0, "state": state, "output": output });
        writer.set(100, &step_cell("d", "add"), step("running", ""));
        writer.set(1600, &step_cell("d", "add"), step("passed", "one\ntwo\nthree\n"));
        let decks = vec![DeckEnd { deck: "d".into(), hash: String::new(), steps: 1, passed: true }];
        let run = Arc::new(Recording::open(writer.finish(2000, decks, 0)).expect("a run"));
        let before = Before::of(&run, "d", "rehearsal 14:02".into());
        assert_eq!(
            before.difference("add", "one\n2\nthree\nfour").as_deref(),
            Some(
                "in the rehearsal 14:02 it passed in 1.5 s; − is what it wrote then, + what it wrote now:\n  one\n− two\n+ 2\n  \
                 three\n+ four"
            )
        );
        let same = before.difference("add", "one\ntwo  \nthree");
        assert_eq!(same.as_deref(), Some("in the rehearsal 14:02 it passed in 1.5 s, and wrote the same"));
        assert_eq!(before.difference("other", ""), None);
        assert_eq!(Before::default().difference("add", ""), None);
    }
}
