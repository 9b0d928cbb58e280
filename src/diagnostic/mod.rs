//! What is wrong in an author's file, and where: data, never an `Err`.

pub mod report;
pub mod source;

mod fix;

use std::sync::Arc;

pub use fix::mended;
pub use source::{SourceFile, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the result is as the author wrote it.
    Note,
    /// The result differs from what the author probably wants.
    Warning,
    /// Something the author wrote has no effect or is missing.
    Error,
}

impl Severity {
    /// The lower-case word shown to people and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The stable name of a rule, `area/rule-in-kebab-case`.
///
/// Tests, scripts and `foredeck docs CODE` refer to codes, not to English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// One finding in an author's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The rule.
    pub code: Code,
    /// One sentence, lower case, naming the thing.
    pub message: String,
    /// The file it is about when that is not the deck: a theme, a configuration.
    pub file: Option<Arc<SourceFile>>,
    /// Bytes of the source the finding is about, when it has a place.
    pub span: Option<Span>,
    /// How to fix it, one sentence each.
    pub hints: Vec<String>,
    /// What mends it without anybody deciding anything.
    pub fix: Option<Box<Fix>>,
}

/// New text for a place of the file that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The bytes that go.
    pub span: Span,
    /// What stands there instead.
    pub text: String,
}

impl Diagnostic {
    /// A finding of the given severity.
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), file: None, span: None, hints: Vec::new(), fix: None }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A note.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Says in which file, when that is not the deck.
    #[must_use]
    pub fn in_file(mut self, file: Arc<SourceFile>) -> Self {
        self.file = Some(file);
        self
    }

    /// Says where, if that is known.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into();
        self
    }

    /// Says how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what mends it, when that is known.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into().map(Box::new);
        self
    }
}

/// A value and what was noticed while making it.
#[derive(Debug, Clone)]
pub struct Warned<T> {
    /// The value; always usable.
    pub value: T,
    /// The findings, in the order of discovery.
    pub diagnostics: Vec<Diagnostic>,
}

/// Nothing longer is a typing mistake; comparing takes time that grows with the square of the length.
const LONGEST_WORD: usize = 300;

/// The candidate most like `word`, for "did you mean"; `None` when none is close.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST_WORD {
        return None;
    }
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        .filter(|c| c.chars().count().abs_diff(length) <= limit)
        .map(|c| (edit_distance(&word.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_finds_a_typo_and_not_a_stranger() {
        let words = ["theme", "paginate", "backgroundColor"];
        assert_eq!(closest("teme", words), Some("theme"));
        assert_eq!(closest("backgroundcolour", words), Some("backgroundColor"));
        assert_eq!(closest("speaker", words), None);
        assert_eq!(closest(&"x".repeat(1_000_000), [&*"y".repeat(1_000_000)]), None);
    }
}
