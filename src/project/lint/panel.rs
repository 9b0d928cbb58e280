//! Rules about live panels: kinds, options, what stands for them where nothing is live.

use std::collections::HashMap;

use crate::deck::live::{self, What, Written};
use crate::deck::panel::{PanelText, options};
use crate::deck::{Compatibility, PanelKind};
use crate::diagnostic::{Code, Diagnostic, Span, closest};

use super::{Lint, step};

/// What was given a name so far, and in which line.
#[derive(Default)]
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    /// The line where the name was given before.
    pub(super) fn taken(&mut self, name: &str, line: usize) -> Option<usize> {
        if let Some(first) = self.0.get(name) {
            return Some(*first);
        }
        self.0.insert(name.to_owned(), line);
        None
    }
}

impl Lint<'_> {
    /// All rules about panels and runnable fences.
    pub(super) fn live(&self, found: &mut Vec<Diagnostic>) {
        // Marp knows neither
        if self.project.options.deck.compatibility == Compatibility::Strict {
            return;
        }
        let (mut ids, mut names) = (Names::default(), Names::default());
        for slide in &self.deck.slides {
            for Written { what, span } in live::written(self.source.text(), slide) {
                let line = self.source.line_column(span.start).line;
                match what {
                    What::Panel { text, snapshot, picture, alone } => {
                        found.extend(mistakes(&text, &snapshot, span));
                        if picture.is_some() {
                            found.extend(picture_mistakes(&snapshot, alone, span));
                        }
                        found.extend(duplicate_id(&text, line, &mut ids));
                    }
                    What::Step { text, .. } => step::mistakes(&text, line, &mut names, found),
                }
            }
        }
    }
}

/// What is wrong with a panel's words.
fn mistakes(text: &PanelText, snapshot: &str, span: Span) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = text.unclosed.iter().map(|span| unclosed("panel/bad-value", *span)).collect();
    let kind = match &text.kind {
        Ok(kind) => *kind,
        Err((word, place)) => {
            let place = if word.is_empty() { span } else { *place };
            found.push(unknown_kind(word, place));
            return found;
        }
    };
    for option in &text.options {
        match options::find(kind, &option.key) {
            None => found.push(unknown_option(kind, &option.key, option.span)),
            Some(takes) if !takes.accepts(&option.value) => {
                let message = format!("`{}` takes {}, not `{}`", option.key, takes.expected(), option.value);
                let finding = Diagnostic::warning(Code("panel/bad-value"), message).at(option.span);
                found.push(finding.hint(format!("`foredeck docs panels` lists the options of `{}`", kind.word())));
            }
            Some(_) => {}
        }
    }
    for (word, place) in &text.words {
        found.extend(stray_word(kind, word, *place));
    }
    found.extend(missing_option(kind, text, span));
    if text.options.iter().any(|option| option.key == "source" && option.value == "snapshot")
        && snapshot.trim().is_empty()
    {
        let message = "this panel shows its snapshot only, and has none";
        let finding = Diagnostic::warning(Code("panel/no-snapshot"), message).at(span);
        found.push(finding.hint("write the text between the fences, or take out `source=snapshot`"));
    }
    found
}

fn unknown_kind(word: &str, span: Span) -> Diagnostic {
    let kinds = || PanelKind::ALL.iter().map(|(word, _)| *word);
    let message = match word {
        "" => "a panel needs a kind".to_owned(),
        word => format!("there is no panel `{word}`; it is shown as code"),
    };
    let hint = match closest(word, kinds()) {
        Some(like) => format!("did you mean `{like}`?"),
        None => format!("there are {}", kinds().collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::error(Code("panel/unknown-kind"), message).at(span).hint(hint)
}

fn unknown_option(kind: PanelKind, key: &str, span: Span) -> Diagnostic {
    let others: Vec<&str> = options::kinds_with(key).map(PanelKind::word).collect();
    let hint = match closest(key, options::keys(kind)) {
        Some(like) => format!("did you mean `{like}`?"),
        None if !others.is_empty() => format!("panels that have it: {}", others.join(", ")),
        None => format!("there are {}", options::keys(kind).collect::<Vec<_>>().join(", ")),
    };
    let message = format!("the panel `{}` has no option `{key}`", kind.word());
    Diagnostic::warning(Code("panel/unknown-option"), message).at(span).hint(hint)
}

/// A word that is no option where only options belong, or in a command looks like a misspelt one.
fn stray_word(kind: PanelKind, word: &str, span: Span) -> Option<Diagnostic> {
    if !options::takes_words(kind) {
        let message = format!("`{word}` is no option of a panel and has no effect");
        let hint = "options are written as `key=value`; a value with spaces stands in double quotes";
        return Some(Diagnostic::warning(Code("panel/unknown-option"), message).at(span).hint(hint));
    }
    let (key, _) = word.split_once('=').filter(|(key, _)| key.len() > 3)?;
    let like = closest(key, options::keys(kind))?;
    let message = format!("`{word}` is taken as one of the panel's words");
    let finding = Diagnostic::warning(Code("panel/unknown-option"), message).at(span);
    Some(finding.hint(format!("did you mean `{like}`?")))
}

fn missing_option(kind: PanelKind, text: &PanelText, span: Span) -> Option<Diagnostic> {
    let (keys, words) = options::needed(kind)?;
    let given = text.options.iter().any(|option| keys.contains(&option.key.as_str()));
    if given || (words && !text.words.is_empty()) {
        return None;
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}=…`")).collect();
    let what = match kind {
        PanelKind::Exec => "its command",
        PanelKind::Poll => "its question",
        _ => "what it is about",
    };
    let message = format!("the panel `{}` does not say {what}", kind.word());
    let or_words = if words { ", or write it as words" } else { "" };
    let finding = Diagnostic::error(Code("panel/missing-option"), message).at(span);
    Some(finding.hint(format!("add {}{or_words}", keys.join(" or "))))
}

fn picture_mistakes(alt: &str, alone: bool, span: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if alt.trim().is_empty() {
        let message = "this panel has no text for those who cannot see its picture";
        let finding = Diagnostic::error(Code("panel/missing-alt"), message).at(span);
        found.push(
            finding.hint("write what it shows between the brackets: `![Traffic moves](canary.svg \"panel: …\")`"),
        );
    }
    if !alone {
        let message = "this picture stays a picture: a panel stands in a paragraph of its own";
        let finding = Diagnostic::warning(Code("panel/not-alone"), message).at(span);
        found.push(finding.hint("put an empty line before and behind it"));
    }
    found
}

fn duplicate_id(text: &PanelText, line: usize, ids: &mut Names) -> Option<Diagnostic> {
    let id = text.options.iter().rev().find(|option| option.key == "id" && options::is_name(&option.value))?;
    text.kind.as_ref().ok()?;
    let first = ids.taken(&id.value, line)?;
    let message = format!("there is already a panel `{}`, in line {first}", id.value);
    let finding = Diagnostic::error(Code("panel/duplicate-id"), message).at(id.span);
    Some(finding.hint("give it another id, or none; the id counts for the first one only"))
}

/// A quote that is opened and never closed.
pub(super) fn unclosed(code: &'static str, span: Span) -> Diagnostic {
    let message = "a quote is opened and never closed; everything up to the end is taken as the value";
    Diagnostic::error(Code(code), message).at(span).hint("close it with the mark that it was opened with")
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
