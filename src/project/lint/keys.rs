//! Rules about directives: unknown keys, and comments that only look like directives.

use crate::deck::directive::{self, Scope};
use crate::deck::own;
use crate::diagnostic::{Code, Diagnostic, Severity, Span, closest};

use super::Lint;

/// Directives whose names are ordinary words at the start of a note.
const WORDS: [&str; 7] = ["title", "description", "author", "image", "keywords", "url", "lang"];

impl Lint<'_> {
    /// Keys that are no directives.
    pub(super) fn unknown_keys(&self, found: &mut Vec<Diagnostic>) {
        found.extend(own::judge(&self.deck.given));
        for given in &self.deck.given {
            let key = given.key.as_str();
            if directive::scope(key).is_some() || key == "marp" || own::is_own(key) {
                continue;
            }
            let advice = advice(key);
            // In a comment the whole text is taken for directives, so the line is lost for the presenter too.
            let severity = if advice.is_some() || !given.front_matter { Severity::Warning } else { Severity::Note };
            let message = format!("unknown directive `{key}`");
            let finding = Diagnostic::new(severity, Code("deck/unknown-directive"), message).at(given.span);
            found.push(match advice {
                Some(advice) => finding.hint(advice),
                None if given.front_matter => finding,
                None => finding.hint("move it into a comment of its own to make it a presenter note"),
            });
        }
    }

    /// Presenter notes that were meant to be directives.
    pub(super) fn notes_like_directives(&self, found: &mut Vec<Diagnostic>) {
        for note in self.deck.slides.iter().flat_map(|slide| &slide.notes) {
            let Some((key, value)) = note.text.lines().next().and_then(key_and_value) else { continue };
            let Some(hint) = note_advice(key, value) else { continue };
            let message = format!("this comment is a presenter note, although `{key}` looks like a directive");
            let span = self.key_span(note.span, key);
            found.push(Diagnostic::warning(Code("deck/note-like-directive"), message).at(span).hint(hint));
        }
    }

    /// Where a key stands within a comment.
    fn key_span(&self, comment: Span, key: &str) -> Span {
        let text = self.source.text().get(comment.start..comment.end).unwrap_or("");
        match text.find(key) {
            Some(at) => Span::new(comment.start + at, comment.start + at + key.len()),
            None => comment,
        }
    }
}

/// `key: value` of a line whose key is one word.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim_matches(['"', '\'']);
    let word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'));
    word.then(|| (key, value.trim()))
}

/// What an unknown key should be.
fn advice(key: &str) -> Option<String> {
    let bare = key.trim_start_matches(['_', '$']);
    if key.starts_with('$') && directive::scope(bare).is_some() {
        return Some(format!("write `{bare}`: the form with `$` is gone"));
    }
    if key.starts_with('_') && directive::scope(bare) == Some(Scope::Global) {
        return Some(format!("write `{bare}`: it counts for the whole deck and has no form for one slide"));
    }
    let dashless: String = bare.split(['-', '_']).collect();
    let known = closest(bare, directive::names()).or_else(|| closest(&dashless, directive::names()))?;
    let prefix = if key.starts_with('_') && directive::scope(known) == Some(Scope::Local) { "_" } else { "" };
    Some(format!("did you mean `{prefix}{known}`?"))
}

/// What to do about a note that starts like a directive; `None` when it is an ordinary note.
fn note_advice(key: &str, value: &str) -> Option<String> {
    if directive::scope(key).is_some() {
        return Some(
            "the text is not valid YAML: put each directive on a line of its own, with its value in quotes".into(),
        );
    }
    if key == "marp" {
        return Some("`marp` belongs into the front matter".into());
    }
    let marked = key.starts_with(['_', '$']);
    let prose = value.split_whitespace().count() > 3;
    let word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(key));
    if !marked && (prose || word) {
        return None;
    }
    advice(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_was_meant() {
        for (key, expected) in [
            ("paginte", Some("did you mean `paginate`?")),
            ("_clas", Some("did you mean `_class`?")),
            ("background-color", Some("did you mean `backgroundColor`?")),
            ("_theme", Some("write `theme`: it counts for the whole deck and has no form for one slide")),
            ("$theme", Some("write `theme`: the form with `$` is gone")),
            ("date", None),
        ] {
            assert_eq!(advice(key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn ordinary_notes_are_left_alone() {
        for (key, value) in [("Note", "hi"), ("Time", "3 min"), ("Image", "by Anna"), ("Header", "say what it is for")]
        {
            assert_eq!(note_advice(key, value), None, "{key}: {value}");
        }
        for (key, value) in
            [("paginte", "true"), ("_theme", "gaia"), ("Class", "lead"), ("title", "a: b"), ("marp", "true")]
        {
            assert!(note_advice(key, value).is_some(), "{key}: {value}");
        }
    }
}
