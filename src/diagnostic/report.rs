//! Diagnostics → terminal text, JSON, or an HTML overlay.

pub mod github;
pub mod sarif;

use std::borrow::Cow;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::source::LineColumn;
use super::{Diagnostic, Severity, SourceFile};

/// Name and version of the JSON form.
pub const SCHEMA: &str = "foredeck.diagnostics/1";

/// The longest piece of a source line shown, in bytes.
const EXCERPT_LIMIT: usize = 400;

/// The longest message shown to people, in bytes: an address or a key may be a megabyte.
const MESSAGE_LIMIT: usize = 600;

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> Self {
        let mut counts = Self::default();
        for diagnostic in diagnostics {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => counts.notes += 1,
            }
        }
        counts
    }

    /// Errors and warnings: what makes `check` fail.
    pub fn findings(self) -> usize {
        self.errors + self.warnings
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        write!(f, "{} error{}", self.errors, plural(self.errors))?;
        write!(f, ", {} warning{}", self.warnings, plural(self.warnings))?;
        if self.notes > 0 {
            write!(f, ", {} note{}", self.notes, plural(self.notes))?;
        }
        Ok(())
    }
}

/// One finding as text for a terminal: title, place, source line, hints.
pub fn terminal(diagnostic: &Diagnostic, deck: &SourceFile, colour: bool) -> String {
    let source = diagnostic.file.as_deref().unwrap_or(deck);
    let path = source.path().display().to_string();
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = shortened(&diagnostic.message);
    let mut group: Group<'_> = Group::with_title(level.primary_title(&*message).id(diagnostic.code.0));
    if let Some(excerpt) = Excerpt::of(diagnostic, source) {
        let snippet = Snippet::source(excerpt.text)
            .path(path)
            .line_start(excerpt.line)
            .annotation(AnnotationKind::Primary.span(excerpt.marked));
        group = group.element(snippet);
    } else {
        group = group.element(Origin::path(path));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(shortened(hint)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    text.push('\n');
    text
}

/// The first line of what a span covers, and where in it the span lies.
struct Excerpt<'a> {
    text: &'a str,
    line: usize,
    marked: std::ops::Range<usize>,
}

impl<'a> Excerpt<'a> {
    fn of(diagnostic: &Diagnostic, source: &'a SourceFile) -> Option<Self> {
        let span = diagnostic.span?;
        let place = source.line_column(span.start);
        let line = source.line(place.line);
        let start = source.offset(LineColumn { line: place.line, column: 1 });
        let from = span.start.saturating_sub(start).min(line.len());
        let to = span.end.saturating_sub(start).clamp(from, line.len());
        // A minified style sheet is one line of a megabyte: show the surroundings only.
        let cut_from = floor(line, from.saturating_sub(EXCERPT_LIMIT / 4));
        let cut_to = floor(line, line.len().min(cut_from + EXCERPT_LIMIT));
        let (from, to) = (floor(line, from).max(cut_from), floor(line, to).min(cut_to));
        let text = line.get(cut_from..cut_to)?;
        Some(Self { text, line: place.line, marked: from - cut_from..to.max(from) - cut_from })
    }
}

/// The text with its middle left out when it is very long.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MESSAGE_LIMIT {
        return Cow::Borrowed(text);
    }
    let (start, end) = (floor(text, MESSAGE_LIMIT / 2), floor(text, text.len() - MESSAGE_LIMIT / 2));
    Cow::Owned(format!("{}…{}", &text[..start], &text[end..]))
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[derive(Serialize)]
struct JsonReport<'a> {
    schema: &'static str,
    errors: usize,
    warnings: usize,
    notes: usize,
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<JsonSpan>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hints: &'a [String],
}

#[derive(Serialize)]
struct JsonSpan {
    start: usize,
    end: usize,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// Findings of any number of decks as one JSON document.
pub fn json<'a>(decks: impl IntoIterator<Item = (&'a SourceFile, &'a [Diagnostic])>) -> serde_json::Value {
    let mut counts = Counts::default();
    let mut diagnostics = Vec::new();
    for (deck, found) in decks {
        let of_deck = Counts::of(found);
        counts.errors += of_deck.errors;
        counts.warnings += of_deck.warnings;
        counts.notes += of_deck.notes;
        diagnostics.extend(found.iter().map(|diagnostic| json_diagnostic(diagnostic, deck)));
    }
    let Counts { errors, warnings, notes } = counts;
    let report = JsonReport { schema: SCHEMA, errors, warnings, notes, diagnostics };
    serde_json::to_value(report).unwrap_or_default()
}

fn json_diagnostic<'a>(diagnostic: &'a Diagnostic, deck: &SourceFile) -> JsonDiagnostic<'a> {
    let source = diagnostic.file.as_deref().unwrap_or(deck);
    let span = diagnostic.span.map(|span| {
        let (from, to) = (source.line_column(span.start), source.line_column(span.end));
        JsonSpan {
            start: span.start,
            end: span.end,
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
        }
    });
    JsonDiagnostic {
        severity: diagnostic.severity.as_str(),
        code: diagnostic.code.0,
        message: &diagnostic.message,
        file: source.path().display().to_string(),
        span,
        hints: &diagnostic.hints,
    }
}

/// The errors as an HTML fragment that a page lays over the slides; empty when there are none.
pub fn overlay(diagnostics: &[Diagnostic], deck: &SourceFile) -> String {
    let mut html = String::new();
    for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        let source = diagnostic.file.as_deref().unwrap_or(deck);
        let mut place = source.path().display().to_string();
        if let Some(span) = diagnostic.span {
            let LineColumn { line, column } = source.line_column(span.start);
            place.push_str(&format!(":{line}:{column}"));
        }
        html.push_str("<article class=\"problem\">");
        element(&mut html, "h2", "problem-message", &shortened(&diagnostic.message));
        element(&mut html, "p", "problem-place", &place);
        if let Some(excerpt) = Excerpt::of(diagnostic, source) {
            element(&mut html, "pre", "problem-source", excerpt.text);
        }
        for hint in &diagnostic.hints {
            element(&mut html, "p", "problem-hint", &shortened(hint));
        }
        element(&mut html, "code", "problem-code", diagnostic.code.0);
        html.push_str("</article>");
    }
    html
}

fn element(html: &mut String, name: &str, class: &str, text: &str) {
    html.push_str(&format!("<{name} class=\"{class}\">"));
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Code, Span};

    fn deck() -> SourceFile {
        SourceFile::new("decks/talk.md", "---\nteme: gaia\n---\n# <Hi>\n")
    }

    fn typo() -> Diagnostic {
        Diagnostic::warning(Code("deck/unknown-directive"), "unknown directive `teme`")
            .at(Span::new(4, 8))
            .hint("did you mean `theme`?")
    }

    #[test]
    fn terminal_text_shows_place_source_and_hint() {
        let expected = "\
warning[deck/unknown-directive]: unknown directive `teme`
 --> decks/talk.md:2:1
  |
2 | teme: gaia
  | ^^^^
  |
  = help: did you mean `theme`?
";
        assert_eq!(terminal(&typo(), &deck(), false), expected);
        assert!(terminal(&typo(), &deck(), true).contains("\u{1b}["));
    }

    #[test]
    fn a_finding_without_a_place_names_the_file() {
        let found = Diagnostic::error(Code("deck/empty"), "the deck is empty");
        assert_eq!(terminal(&found, &deck(), false), "error[deck/empty]: the deck is empty\n--> decks/talk.md\n");
    }

    #[test]
    fn a_huge_line_is_cut_on_character_boundaries() {
        let css = "ü".repeat(100_000);
        let source = SourceFile::new("a.css", css);
        for offset in [0, 1, 2, 99_999, 100_001, 200_000, 999_999] {
            let found = Diagnostic::error(Code("theme/syntax"), "bad").at(Span::new(offset, offset + 1));
            assert!(terminal(&found, &source, false).len() < 2_000);
        }
    }

    #[test]
    fn a_huge_message_is_shortened() {
        let url = format!("{}.png", "ü".repeat(100_000));
        let found = Diagnostic::error(Code("asset/missing"), format!("there is no file `{url}`")).hint(url);
        assert!(terminal(&found, &deck(), false).len() < 2_000);
        assert!(overlay(&[found], &deck()).len() < 2_000);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn json_carries_the_place_twice_in_bytes_and_for_people() {
        let deck = deck();
        let theme = Arc::new(SourceFile::new("themes/a.css", "section {\n"));
        let found = vec![typo(), Diagnostic::error(Code("theme/syntax"), "unclosed block").in_file(theme)];
        assert_eq!(
            json([(&deck, found.as_slice())]),
            serde_json::json!({
                "schema": "foredeck.diagnostics/1", "errors": 1, "warnings": 1, "notes": 0,
                "diagnostics": [
                    {"severity": "warning", "code": "deck/unknown-directive", "message": "unknown directive `teme`",
                     "file": "decks/talk.md",
                     "span": {"start": 4, "end": 8, "line": 2, "column": 1, "end_line": 2, "end_column": 5},
                     "hints": ["did you mean `theme`?"]},
                    {"severity": "error", "code": "theme/syntax", "message": "unclosed block", "file": "themes/a.css"},
                ],
            })
        );
    }

    #[test]
    fn the_overlay_escapes_and_leaves_warnings_out() {
        let found = [typo(), Diagnostic::error(Code("deck/x"), "no <b> & no \"q\"").at(Span::new(19, 21))];
        assert_eq!(
            overlay(&found, &deck()),
            "<article class=\"problem\"><h2 class=\"problem-message\">no &lt;b&gt; &amp; no &quot;q&quot;</h2>\
             <p class=\"problem-place\">decks/talk.md:4:1</p><pre class=\"problem-source\"># &lt;Hi&gt;</pre>\
             <code class=\"problem-code\">deck/x</code></article>"
        );
        assert_eq!(overlay(&[typo()], &deck()), "");
    }
}
