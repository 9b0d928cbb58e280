//! The errors of a deck → HTML that a page lays over the slides.

use super::html;
use crate::diagnostic::report::Excerpt;
use crate::diagnostic::source::LineColumn;
use crate::diagnostic::{Diagnostic, Severity, SourceFile};

/// The errors as an HTML fragment that a page lays over the slides; empty when there are none.
pub fn html(diagnostics: &[Diagnostic], deck: &SourceFile) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        let source = diagnostic.file.as_deref().unwrap_or(deck);
        let mut place = source.path().display().to_string();
        if let Some(span) = diagnostic.span {
            let LineColumn { line, column } = source.line_column(span.start);
            place.push_str(&format!(":{line}:{column}"));
        }
        out.push_str("<article class=\"problem\">");
        element(&mut out, "h2", "problem-message", &diagnostic.message);
        element(&mut out, "p", "problem-place", &place);
        if let Some(excerpt) = Excerpt::of(diagnostic, source) {
            element(&mut out, "pre", "problem-source", excerpt.text);
        }
        for hint in &diagnostic.hints {
            element(&mut out, "p", "problem-hint", hint);
        }
        element(&mut out, "code", "problem-code", diagnostic.code.0);
        out.push_str("</article>");
    }
    out
}

fn element(out: &mut String, name: &str, class: &str, text: &str) {
    out.push_str(&format!("<{name} class=\"{class}\">"));
    html::quoted(out, text);
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Span};

    fn deck() -> SourceFile {
        SourceFile::new("decks/talk.md", "---\nteme: gaia\n---\n# <Hi>\n")
    }

    #[test]
    fn the_overlay_escapes_and_leaves_warnings_out() {
        let typo = Diagnostic::warning(Code("deck/unknown-directive"), "unknown directive `teme`").at(Span::new(4, 8));
        let found = [typo.clone(), Diagnostic::error(Code("deck/x"), "no <b> & no \"q\"").at(Span::new(19, 21))];
        assert_eq!(
            html(&found, &deck()),
            "<article class=\"problem\"><h2 class=\"problem-message\">no &lt;b&gt; &amp; no &quot;q&quot;</h2>\
             <p class=\"problem-place\">decks/talk.md:4:1</p><pre class=\"problem-source\"># &lt;Hi&gt;</pre>\
             <code class=\"problem-code\">deck/x</code></article>"
        );
        assert_eq!(html(&[typo], &deck()), "");
    }
}
