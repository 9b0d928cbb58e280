//! `snapshot`: the text of a live run into the panels of decks, and not a byte elsewhere.

pub mod args;
mod change;
mod take;

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Inputs;
use super::cluster;
use super::console::{self, Code, Console, Failure};
use super::settings::{self, Asked};
use super::supervise;
use crate::export::write::write;
use crate::project::SourceFormat;
use crate::theme::Container;
use args::Snapshot;
use change::Change;
use take::{Taken, Wanted};

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn run(args: Snapshot, console: Console) -> Result<Code, Failure> {
    let patience = cluster::limit(&args.patience)?;
    let inputs = Inputs::sort(args.inputs).or_default()?;
    let asked = Asked { render: args.render, input: inputs.first(), ..Asked::default() };
    let settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    console.configuration(&settings.findings);
    if settings.project.format == SourceFormat::Reveal {
        return Err(Failure::usage("snapshots are put into Marp decks alone")
            .hint("`foredeck import reveal DECK -o NEW` makes one"));
    }
    let project = Arc::new(inputs.open(settings.project)?);
    let wanted = Wanted { which: args.which, trust: args.trust, safe: args.safe, patience };
    let runtime = cluster::runtime()?;
    let taken = runtime.block_on(async {
        let stop = CancellationToken::new();
        supervise::work(&stop, take::take(&project, &wanted, console, stop.clone())).await
    });
    runtime.shutdown_background();
    let taken = taken?;
    let mut told = Vec::new();
    let mut is_open = false;
    for deck in &taken {
        let name = deck.compiled.source.path().display().to_string();
        let change = Change::of(&project, deck);
        tell(&name, deck, &change, console)?;
        let failed = deck.steps.iter().any(|step| step.problem.is_some());
        let write_it = args.write && !failed && change.is_any();
        if write_it {
            put(deck, &change, &name)?;
        }
        if failed {
            console.say(&format!("{name}: a step failed, so nothing is written"));
        }
        is_open |= failed || (change.is_any() && !write_it);
        told.push(document(&name, deck, &change, write_it));
    }
    if console.json {
        console.document(&json!({ "schema": "foredeck.snapshot/1", "decks": told }))?;
    }
    Ok(if is_open { Code::Findings } else { Code::Done })
}

/// Shows what would be another text than now, and names what stays.
fn tell(name: &str, deck: &Taken, change: &Change, console: Console) -> Result<(), Failure> {
    for step in &deck.steps {
        let how = step.problem.as_deref().map_or("passed".to_owned(), |why| format!("FAILED: {why}"));
        console.say(&format!("{name}: step {}: {how}", step.name));
    }
    if deck.idle_steps > 0 {
        let why = if deck.safe { "because of `--safe`" } else { "since the deck is not trusted" };
        console.say(&format!("{name}: {} steps are not run {why}", deck.idle_steps));
        if !deck.safe {
            console.say("  Read them with `foredeck trust`, or run them this once with `--trust`.");
        }
    }
    for panel in &change.panels {
        let place = format!("{name}:{}", panel.line);
        if let Some(why) = &panel.kept {
            console.say(&format!("{place}: {} keeps its snapshot: {why}", panel.title));
        }
        if console.json || !panel.is_new() {
            continue;
        }
        let picture = panel.picture.as_ref().map(|picture| format!(" in {}", picture.path.display()));
        let mut text = format!("{place}: {}{}\n", panel.title, picture.unwrap_or_default());
        text.extend(panel.before.lines().map(|line| format!("- {line}\n")));
        text.extend(panel.after.lines().map(|line| format!("+ {line}\n")));
        console::data(&text)?;
    }
    Ok(())
}

/// Writes the deck and its pictures, unless somebody edited the deck meanwhile.
fn put(deck: &Taken, change: &Change, name: &str) -> Result<(), Failure> {
    let path = deck.compiled.place();
    let failed = |error: std::io::Error| {
        Failure::new(Code::Input, anyhow::Error::new(error).context(format!("cannot read `{name}`")))
    };
    let now = std::fs::read(&path).map_err(failed)?;
    // Decks are read without the mark that some editors put before a text; it stays.
    let mark = if now.starts_with(MARK) { MARK } else { &[] };
    if now.get(mark.len()..) != Some(deck.compiled.source.text().as_bytes()) {
        return Err(Failure::new(Code::Findings, anyhow::Error::msg(format!("`{name}` was edited meanwhile")))
            .hint("nothing was written; run `foredeck snapshot` again"));
    }
    for picture in change.panels.iter().filter(|panel| panel.is_new()).filter_map(|panel| panel.picture.as_ref()) {
        write(&picture.path, picture.svg.as_bytes())?;
    }
    if change.text != deck.compiled.source.text() {
        write(&path, &[mark, change.text.as_bytes()].concat())?;
    }
    Ok(())
}

fn document(name: &str, deck: &Taken, change: &Change, written: bool) -> serde_json::Value {
    let panels = change.panels.iter().map(|panel| {
        json!({
            "line": panel.line,
            "panel": panel.title,
            "outcome": if panel.kept.is_some() { "kept" } else if panel.is_new() { "new" } else { "same" },
            "why": panel.kept,
            "picture": panel.picture.as_ref().map(|picture| picture.path.display().to_string()),
            "text": panel.kept.is_none().then_some(&panel.after),
        })
    });
    let steps = deck.steps.iter().map(|step| json!({ "name": step.name, "problem": step.problem }));
    json!({
        "deck": name,
        "written": written,
        "panels": panels.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
        "steps_not_run": deck.idle_steps,
    })
}
