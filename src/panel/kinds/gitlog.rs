//! `gitlog`: the commits of the repository, and which of them is synced.

use std::time::Duration;

use jiff::Timestamp;

use super::{age, max, short};
use crate::deck::PanelSpec;
use crate::gitops::git::Program;
use crate::gitops::status::Status;
use crate::panel::output::Output;
use crate::panel::state::{Body, Mark, Row, Table};
use crate::sandbox::Sandbox;

/// Also without a word from the reconciler: it may be paused.
const LOOK: Duration = Duration::from_secs(2);

/// A commit as `git log` tells it.
struct Entry {
    id: String,
    author: String,
    time: i64,
    subject: String,
}

pub(super) async fn show(spec: &PanelSpec, sandbox: &Sandbox, output: &Output) -> String {
    let mut status = sandbox.reconciler.status();
    let mut tick = tokio::time::interval(LOOK);
    loop {
        let now = status.borrow_and_update().clone();
        let entries = match log(spec, sandbox, max(spec)).await {
            Ok(Some(entries)) => entries,
            Ok(None) => told(&now),
            Err(problem) => return problem,
        };
        output.show(Body::Table(table(&entries, now.synced.as_deref(), Timestamp::now().as_second(), max(spec))));
        tokio::select! {
            _ = tick.tick() => {}
            changed = status.changed() => if changed.is_err() {
                return "the reconciler has ended".to_owned();
            },
        }
    }
}

/// The log of our own repository; none of one elsewhere.
async fn log(spec: &PanelSpec, sandbox: &Sandbox, most: usize) -> Result<Option<Vec<Entry>>, String> {
    let Some(repository) = &sandbox.repository else { return Ok(None) };
    let branch = spec.get("branch").unwrap_or(repository.demo.branch());
    let run = Program::default().run(repository.demo.dir(), "log");
    let run = run.arg(format!("-n{most}")).args(["-z", "--format=%H%x1f%an%x1f%at%x1f%s"]);
    let mut run = run.arg(format!("refs/heads/{branch}")).arg("--");
    if let Some(path) = spec.get("path") {
        run = run.arg(path);
    }
    let out = run.out().await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&out);
    let entries = text.split('\0').filter_map(|line| {
        let mut fields = line.splitn(4, '\u{1f}').map(str::to_owned);
        let (id, author) = (fields.next()?, fields.next()?);
        Some(Entry { id, author, time: fields.next()?.parse().ok()?, subject: fields.next()? })
    });
    Ok(Some(entries.collect()))
}

/// The commits that syncs told of.
fn told(status: &Status) -> Vec<Entry> {
    let commits = status.history.iter().rev().flat_map(|record| record.commits.iter());
    let entry = |commit: &crate::gitops::git::history::Commit| Entry {
        id: commit.id.clone(),
        author: commit.author.name.clone(),
        time: commit.time,
        subject: commit.subject.clone(),
    };
    commits.map(entry).collect()
}

fn table(entries: &[Entry], synced: Option<&str>, now: i64, most: usize) -> Table {
    let at = synced.and_then(|synced| entries.iter().position(|entry| entry.id == synced));
    let rows = entries.iter().take(most).enumerate().map(|(index, entry)| {
        let (mark, word) = match at {
            Some(at) if index < at => (Mark::Busy, "not yet"),
            Some(at) if index == at => (Mark::Good, "synced"),
            Some(_) => (Mark::Plain, ""),
            None => (Mark::Busy, "not yet"),
        };
        let cells = [short(&entry.id), &entry.subject, &entry.author, &age(now - entry.time), word];
        Row { key: entry.id.clone(), cells: cells.map(str::to_owned).to_vec(), mark, group: None }
    });
    let columns = ["COMMIT", "MESSAGE", "AUTHOR", "AGE", "SYNC"].map(str::to_owned).to_vec();
    let more = entries.len().saturating_sub(most);
    Table { columns, rows: rows.collect(), more, empty: "No commits yet.".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_than_the_synced_commit_is_not_synced_yet() {
        let entry = |id: &str| Entry { id: id.to_owned(), author: "Ann".to_owned(), time: 0, subject: "x".to_owned() };
        let entries = [entry("c"), entry("b"), entry("a")];
        let words = |synced: Option<&str>| -> Vec<String> {
            table(&entries, synced, 5, 12).rows.iter().map(|row| row.cells[4].clone()).collect()
        };
        assert_eq!(words(Some("b")), ["not yet", "synced", ""]);
        assert_eq!(words(Some("other")), ["not yet"; 3]);
        assert_eq!(words(None), ["not yet"; 3]);
    }
}
