//! Decks that are the steps of a workshop: what `workshop list` finds in them counts here, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::look::Checked;
use crate::diagnostic::Code;
use crate::project::find::parent_of;
use crate::workshop::load;

/// What is no mistake in a step: its front matter has keys of its own, and its page says the language.
const NO_MISTAKES: [Code; 2] = [Code("deck/unknown-directive"), Code("deck/no-lang")];
/// What every step has.
const MARK: &str = "```verify";

/// Adds the findings of workshops.
pub(super) fn judge(checked: &mut [Checked]) {
    let steps = checked.iter().filter(|deck| deck.source.text().contains(MARK));
    let folders: BTreeSet<PathBuf> = steps.map(|deck| parent_of(deck.source.path())).collect();
    for folder in folders {
        let Ok(loaded) = load::folder(&folder) else { continue };
        let mut inside = checked.iter_mut().filter(|deck| is_step(deck.source.path(), &folder)).collect::<Vec<_>>();
        for deck in &mut inside {
            deck.diagnostics.retain(|found| !NO_MISTAKES.contains(&found.code));
            let name = deck.source.path().file_name();
            let own = loaded.findings.iter().filter(|(source, _)| source.path().file_name() == name);
            deck.diagnostics.extend(own.map(|(_, found)| found.clone()));
            deck.sort();
        }
    }
}

fn is_step(path: &Path, folder: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    parent_of(path) == folder && name.starts_with(|c: char| c.is_ascii_digit())
}
