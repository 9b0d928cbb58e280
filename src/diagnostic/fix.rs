//! A text with the fixes of its findings applied.

use super::{Diagnostic, Fix};

/// The text with what mends its findings, and how many were mended; every other byte stays. Of fixes that overlap the
/// first counts; findings about other files have no say here.
pub fn mended(text: &str, diagnostics: &[Diagnostic]) -> (String, usize) {
    let own = diagnostics.iter().filter(|diagnostic| diagnostic.file.is_none());
    let mut fixes: Vec<&Fix> = own.filter_map(|diagnostic| diagnostic.fix.as_deref()).collect();
    fixes.sort_by_key(|fix| fix.span);
    fixes.dedup();
    let mut out = String::with_capacity(text.len());
    let (mut done, mut count) = (0, 0);
    for Fix { span, text: new } in fixes {
        let Some(kept) = text.get(done..span.start).filter(|_| text.get(span.start..span.end).is_some()) else {
            continue;
        };
        out.push_str(kept);
        out.push_str(new);
        (done, count) = (span.end, count + 1);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Code, SourceFile, Span};

    fn fix(start: usize, end: usize, text: &str) -> Diagnostic {
        let fix = Fix { span: Span::new(start, end), text: text.to_owned() };
        Diagnostic::warning(Code("deck/empty"), "x").fix(fix)
    }

    #[test]
    fn only_what_is_mended_changes() {
        let text = "one two three\r\nfour ü\n";
        let elsewhere = fix(0, 3, "1").in_file(Arc::new(SourceFile::new("b", "one")));
        let found = [fix(15, 19, "4"), fix(4, 7, "2"), fix(5, 9, "?"), fix(4, 7, "2"), elsewhere, fix(99, 100, "?")];
        assert_eq!(mended(text, &found), ("one 2 three\r\n4 ü\n".to_owned(), 2));
        assert_eq!(mended(text, &[fix(21, 22, "u")]), (text.to_owned(), 0), "never half a letter");
        assert_eq!(mended("", &[fix(0, 0, "new")]), ("new".to_owned(), 1));
    }
}
