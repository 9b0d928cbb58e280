//! Findings as workflow commands: GitHub shows them at their lines.

use crate::diagnostic::{Diagnostic, Severity, SourceFile};

/// One command for each finding, each on a line of its own.
pub fn commands(diagnostics: &[Diagnostic], deck: &SourceFile) -> String {
    diagnostics.iter().map(|diagnostic| command(diagnostic, deck)).collect()
}

fn command(diagnostic: &Diagnostic, deck: &SourceFile) -> String {
    let source = diagnostic.file.as_deref().unwrap_or(deck);
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = format!("file={}", property(&slashes(source)));
    if let Some(span) = diagnostic.span {
        let (from, to) = (source.line_column(span.start), source.line_column(span.end));
        properties.push_str(&format!(",line={},col={}", from.line, from.column));
        properties.push_str(&format!(",endLine={}", to.line));
        // GitHub takes columns of one line only.
        if from.line == to.line {
            properties.push_str(&format!(",endColumn={}", to.column));
        }
    }
    properties.push_str(&format!(",title={}", property(diagnostic.code.0)));
    let mut message = diagnostic.message.clone();
    for hint in &diagnostic.hints {
        message.push_str(&format!("\n{hint}"));
    }
    format!("::{word} {properties}::{}\n", data(&message))
}

/// A path with slashes, whatever the system.
pub(super) fn slashes(source: &SourceFile) -> String {
    source.path().display().to_string().replace('\\', "/")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Span};

    #[test]
    fn what_has_a_meaning_there_is_escaped() {
        let deck = SourceFile::new("a,b:c.md", "one\ntwo three\nfour\n");
        let found = [
            Diagnostic::error(Code("deck/empty"), "100 % wrong:\r\n::error::no")
                .at(Span::new(4, 7))
                .hint("so, mend it"),
            Diagnostic::warning(Code("deck/empty"), "two lines").at(Span::new(4, 16)),
            Diagnostic::note(Code("deck/empty"), "no place"),
        ];
        assert_eq!(
            commands(&found, &deck),
            "::error file=a%2Cb%3Ac.md,line=2,col=1,endLine=2,endColumn=4,title=deck/empty::100 %25 wrong:%0D%0A::error::no\
             %0Aso, mend it\n\
             ::warning file=a%2Cb%3Ac.md,line=2,col=1,endLine=3,title=deck/empty::two lines\n\
             ::notice file=a%2Cb%3Ac.md,title=deck/empty::no place\n"
        );
    }
}
