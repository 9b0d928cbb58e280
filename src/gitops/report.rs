//! The reconciler's state as text: what is as Git wants it, what is not, and why; in the words of Flux 1, 2 or Argo CD.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::words::{Dialect, SyncState};

/// The words to use; our own when there is no dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whose words.
    pub dialect: Option<Dialect>,
}

/// The text of a status that was written as JSON, as it was at `now`; with a preview, also what would be done.
pub fn text(status: &Value, preview: Option<&Value>, style: Style, now: Timestamp) -> String {
    let mut out = String::new();
    source(status, &mut out);
    next(status, now, &mut out);
    last(status, now, &mut out);
    findings(status, &mut out);
    objects(status, style, now, &mut out);
    if let Some(preview) = preview {
        would(preview, &mut out);
    }
    out
}

fn at<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn short(revision: &str) -> &str {
    revision.get(..7).unwrap_or(revision)
}

fn source(status: &Value, out: &mut String) {
    let (url, branch, phase) = (at(status, "/source/url"), at(status, "/source/branch"), at(status, "/source/phase"));
    if phase == "unconfigured" {
        out.push_str("repository  none\n");
        return;
    }
    let _ = writeln!(out, "repository  {url} ({branch}), {phase}");
    for (name, revision) in [("HEAD", at(status, "/source/head")), ("synced", at(status, "/synced"))] {
        let _ = writeln!(out, "{name:<10}  {}", if revision.is_empty() { "-" } else { short(revision) });
    }
    for why in [at(status, "/source/error"), at(status, "/unverified/why")] {
        if !why.is_empty() {
            let _ = writeln!(out, "problem     {why}");
        }
    }
}

fn next(status: &Value, now: Timestamp, out: &mut String) {
    if status.get("paused").and_then(Value::as_bool) == Some(true) {
        out.push_str("next        paused\n");
        return;
    }
    let soon = [("fetch", "/next/fetch"), ("sync", "/next/sync"), ("retry", "/next/retry")].map(|(name, path)| {
        let time: Option<Timestamp> = at(status, path).parse().ok();
        time.map(|time| format!("{name} in {}", span(time.as_second().saturating_sub(now.as_second()).max(0))))
    });
    let soon: Vec<_> = soon.into_iter().flatten().collect();
    if !soon.is_empty() {
        let _ = writeln!(out, "next        {}", soon.join(", "));
    }
}

/// `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d`.
fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d", seconds / 86400),
    }
}

fn ago(text: &str, now: Timestamp) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    Some(format!("{} ago", span(now.as_second().saturating_sub(time.as_second()).max(0))))
}

fn last(status: &Value, now: Timestamp, out: &mut String) {
    let Some(last) = status.get("last").filter(|last| last.is_object()) else { return };
    let when = ago(at(last, "/ended"), now).unwrap_or_else(|| "now".to_owned());
    let _ = write!(out, "last sync   {when}, {} ({})", at(last, "/ending"), at(last, "/trigger"));
    let error = at(last, "/error");
    let _ = writeln!(out, "{}{error}", if error.is_empty() { "" } else { ": " });
}

fn findings(status: &Value, out: &mut String) {
    for finding in list(status, "findings") {
        let (file, line) = (at(finding, "/place/file"), finding.pointer("/place/line").and_then(Value::as_u64));
        let line = line.filter(|line| *line > 0).map(|line| format!(":{line}")).unwrap_or_default();
        let _ = writeln!(out, "{}  {file}{line}: {}", at(finding, "/level"), at(finding, "/message"));
    }
}

fn objects(status: &Value, style: Style, now: Timestamp, out: &mut String) {
    let all = list(status, "objects");
    if all.is_empty() {
        return;
    }
    out.push('\n');
    let mut table = "OBJECT\tSTATE\tFILE\tCOMMIT\tAPPLIED\n".to_owned();
    for object in all {
        let line = object.pointer("/place/line").and_then(Value::as_u64).filter(|line| *line > 0);
        let place = format!("{}{}", at(object, "/place/file"), line.map(|line| format!(":{line}")).unwrap_or_default());
        let commit = [short(at(object, "/commit/id")), at(object, "/commit/author/name")].join(" ");
        let applied = ago(at(object, "/applied"), now).unwrap_or_else(|| "-".to_owned());
        let state = word(at(object, "/state"), style);
        let _ = writeln!(table, "{}\t{state}\t{place}\t{}\t{applied}", at(object, "/id"), commit.trim());
    }
    out.push_str(&super::table::align(&table));
    for object in all {
        let reason = at(object, "/reason");
        if at(object, "/state") == "in-sync" || reason.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}: {reason}", at(object, "/id"));
        for field in list(object, "fields") {
            let _ = writeln!(out, "  {}", shown(field));
        }
        let (writer, hint) = (at(object, "/writer"), at(object, "/hint"));
        if !writer.is_empty() {
            let _ = writeln!(out, "  written by {writer}");
        }
        if !hint.is_empty() {
            let _ = writeln!(out, "  help: {hint}");
        }
    }
}

/// `spec.replicas: 5, Git wants 3`.
fn shown(field: &Value) -> String {
    let value =
        |key: &str| field.get(key).filter(|value| !value.is_null()).map_or("nothing".to_owned(), Value::to_string);
    format!("{}: {}, Git wants {}", at(field, "/path"), value("found"), value("wanted"))
}

/// A state in somebody's words.
fn word(state: &str, style: Style) -> String {
    let known = match state {
        "in-sync" => SyncState::InSync,
        "applying" | "out-of-sync" => SyncState::OutOfSync,
        "ignored" => SyncState::Ignored,
        "failed" => SyncState::Rejected,
        "pruned" => SyncState::Pruned,
        "waiting" => SyncState::Waiting,
        _ => return state.to_owned(),
    };
    style.dialect.map_or_else(|| state.replace('-', " "), |dialect| known.words().in_dialect(dialect).to_owned())
}

fn would(preview: &Value, out: &mut String) {
    let steps = list(preview, "steps");
    let refused = at(preview, "/refused");
    if !refused.is_empty() {
        let _ = writeln!(out, "\nThe next sync would do nothing: {refused}");
    }
    if steps.is_empty() {
        return;
    }
    out.push_str("\nThe next sync would\n");
    for step in steps {
        let reason = at(step, "/reason");
        let colon = if reason.is_empty() { "" } else { ": " };
        let _ = writeln!(out, "  {:<7} {}{colon}{reason}", at(step, "/would"), at(step, "/id"));
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
