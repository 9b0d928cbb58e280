//! Findings as SARIF 2.1.0, which code scanners read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::github::slashes;
use crate::diagnostic::{Diagnostic, SourceFile};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Findings of any number of decks as one log. `explain` gives the text about a rule.
pub fn log<'a>(
    decks: impl IntoIterator<Item = (&'a SourceFile, &'a [Diagnostic])>,
    explain: fn(&str) -> Option<&'static str>,
) -> Value {
    let mut all = Vec::new();
    for (deck, found) in decks {
        all.extend(found.iter().map(|diagnostic| (diagnostic, diagnostic.file.as_deref().unwrap_or(deck))));
    }
    let mut rules: BTreeMap<&str, usize> = all.iter().map(|(diagnostic, _)| (diagnostic.code.0, 0)).collect();
    for (index, place) in rules.values_mut().enumerate() {
        *place = index;
    }
    let described: Vec<Value> = rules.keys().map(|code| rule(code, explain(code))).collect();
    let results: Vec<Value> = all
        .iter()
        .map(|(diagnostic, source)| {
            let index = rules.get(diagnostic.code.0).copied().unwrap_or_default();
            result(diagnostic, source, index)
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "foredeck", "version": env!("CARGO_PKG_VERSION"), "rules": described,
            }},
            // Columns count characters, not UTF-16 units.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: &str, text: Option<&str>) -> Value {
    let mut rule = json!({ "id": code });
    if let Some(text) = text {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let first = text.split_inclusive(". ").next().unwrap_or(&text).trim_end().to_owned();
        rule["shortDescription"] = json!({ "text": first });
        rule["fullDescription"] = json!({ "text": text });
        rule["help"] = json!({ "text": text });
    }
    rule
}

fn result(diagnostic: &Diagnostic, source: &SourceFile, rule: usize) -> Value {
    let message = std::iter::once(&diagnostic.message).chain(&diagnostic.hints);
    let message = message.map(|part| part.trim_end_matches('.')).collect::<Vec<_>>().join(". ");
    let mut place = json!({ "artifactLocation": { "uri": uri(source) } });
    if let Some(span) = diagnostic.span {
        place["region"] = region(span, source);
    }
    let mut result = json!({
        "ruleId": diagnostic.code.0,
        "ruleIndex": rule,
        "level": diagnostic.severity.as_str(),
        "message": { "text": message },
        "locations": [{ "physicalLocation": place }],
    });
    if let Some(fix) = &diagnostic.fix {
        let replacement = json!({ "deletedRegion": region(fix.span, source), "insertedContent": { "text": fix.text } });
        let change = json!({ "artifactLocation": { "uri": uri(source) }, "replacements": [replacement] });
        result["fixes"] = json!([{ "artifactChanges": [change] }]);
    }
    result
}

fn region(span: crate::diagnostic::Span, source: &SourceFile) -> Value {
    let (from, to) = (source.line_column(span.start), source.line_column(span.end));
    json!({
        "startLine": from.line, "startColumn": from.column, "endLine": to.line, "endColumn": to.column,
    })
}

/// A path as a relative reference, or a `file` address when it is absolute.
fn uri(source: &SourceFile) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

    const UNSAFE: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'[')
        .add(b']')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}')
        .add(b'\\')
        .add(b':');
    let path = slashes(source);
    let encoded = utf8_percent_encode(&path, UNSAFE).to_string();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Fix, Span};

    #[test]
    fn rules_places_and_fixes() {
        let deck = SourceFile::new("my decks/a.md", "# Ü\nteme: x\n");
        let fix = Fix { span: Span::new(5, 9), text: "theme".into() };
        let found = [
            Diagnostic::warning(Code("deck/b"), "wrong").at(Span::new(5, 9)).hint("mend it.").fix(fix),
            Diagnostic::note(Code("deck/a"), "see"),
        ];
        let explain = |code: &str| (code == "deck/b").then_some("One thing. And\nmore.");
        let log = log([(&deck, found.as_slice())], explain);
        let run = &log["runs"][0];
        assert_eq!(
            run["tool"]["driver"]["rules"],
            json!([
                {"id": "deck/a"},
                {"id": "deck/b", "shortDescription": {"text": "One thing."},
                 "fullDescription": {"text": "One thing. And more."}, "help": {"text": "One thing. And more."}},
            ])
        );
        let region = json!({"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 5});
        let file = json!({"uri": "my%20decks/a.md"});
        assert_eq!(
            run["results"],
            json!([
                {"ruleId": "deck/b", "ruleIndex": 1, "level": "warning", "message": {"text": "wrong. mend it"},
                 "locations": [{"physicalLocation": {"artifactLocation": file, "region": region}}],
                 "fixes": [{"artifactChanges": [{"artifactLocation": file, "replacements": [
                    {"deletedRegion": region, "insertedContent": {"text": "theme"}}]}]}]},
                {"ruleId": "deck/a", "ruleIndex": 0, "level": "note", "message": {"text": "see"},
                 "locations": [{"physicalLocation": {"artifactLocation": file}}]},
            ])
        );
        assert_eq!(log["version"], "2.1.0");
    }
}
