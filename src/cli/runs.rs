//! Which runs are shown, and how this one is recorded, from flags and settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::cluster::provider::Provider;
use crate::project::Project;
use crate::recording::read::Recording;
use crate::recording::{What, files};
use crate::server::record;
use crate::server::replay::{self, Wishes};

use super::console::{Code, Console, Failure};
use super::present::args::RunArgs;

/// How a run is recorded; not at all when nothing may be written, or nobody wants it.
pub(super) fn record(
    args: &RunArgs,
    generated: &Path,
    what: What,
    port: u16,
    cluster: &Provider,
) -> Option<record::Plan> {
    (!args.no_record && args.replay.is_none()).then(|| record::Plan {
        folder: files::folder(generated),
        what,
        most: args.max_run_size.unwrap_or(files::MOST),
        kept: files::KEPT,
        written: Arc::new(OnceLock::new()),
        port: (port > 0).then_some(port),
        cluster: cluster.to_string(),
    })
}

/// The runs to show: those asked for, or the last passed ones for when the live system fails.
///
/// # Errors
/// When a run that was asked for cannot be had.
pub(super) fn replay(
    args: &RunArgs,
    fallback: Wishes,
    generated: &Path,
    project: &Project,
    console: Console,
) -> Result<replay::Plan, Failure> {
    let folder = files::folder(generated);
    let decks: Vec<&str> = project.decks.iter().map(|deck| deck.slug.as_str()).collect();
    let wishes = Wishes { speaker: args.fallback.map(Into::into).or(fallback.speaker), ..fallback };
    let runs = match &args.replay {
        Some(Some(path)) => {
            let run = read(path, &decks)?;
            if let Some(why) = run.broken {
                console.say(&format!("  `{}` is shown up to where it breaks off: {why}", path.display()));
            }
            let run = Arc::new(run);
            decks
                .iter()
                .filter(|deck| run.head.decks.iter().any(|own| own == *deck))
                .map(|deck| ((*deck).to_owned(), run.clone()))
                .collect()
        }
        _ => last_passed(&folder, &decks),
    };
    if args.replay.is_some() && runs.is_empty() {
        let message = "there is no recorded run of this deck in which every step passed";
        return Err(Failure::new(Code::Input, anyhow::Error::msg(message))
            .hint("record one with `foredeck rehearse`, or name a file: `--replay=FILE`"));
    }
    for (deck, run) in &runs {
        let same = run.end.decks.iter().any(|end| end.deck == *deck && Some(&end.hash) == hash(project, deck).as_ref());
        if !same && args.replay.is_some() {
            console.say(&format!(
                "  `{deck}` has changed since this run was recorded; what it does not know stays a snapshot"
            ));
        }
    }
    Ok(replay::Plan { runs, always: args.replay.is_some(), wishes })
}

/// Reads a run of one of these decks.
///
/// # Errors
/// When it cannot be read, or shows others.
pub(super) fn read(path: &Path, decks: &[&str]) -> Result<Recording, Failure> {
    let run = files::read(path).map_err(|error| Failure::new(Code::Input, error))?;
    run.shows(decks.iter().copied()).map_err(|error| {
        let failure =
            Failure::new(Code::Input, anyhow::Error::new(error).context(format!("cannot show `{}`", path.display())));
        failure.hint("`foredeck rehearse` records a run of this deck")
    })?;
    Ok(run)
}

/// The last run of each deck in which all of its steps passed.
pub(super) fn last_passed(folder: &Path, decks: &[&str]) -> BTreeMap<String, Arc<Recording>> {
    let mut runs = BTreeMap::new();
    for path in files::list(folder) {
        if runs.len() == decks.len() {
            break;
        }
        let Ok(run) = files::read(&path) else { continue };
        let run = Arc::new(run);
        for deck in decks.iter().filter(|deck| run.passed(deck)) {
            runs.entry((*deck).to_owned()).or_insert_with(|| run.clone());
        }
    }
    runs
}

/// The hash of a deck's text, as runs have it.
fn hash(project: &Project, deck: &str) -> Option<String> {
    let entry = project.decks.iter().find(|entry| entry.slug == deck)?;
    Some(record::hash_of(&std::fs::read_to_string(&entry.path).ok()?))
}
