//! `check` of a folder of steps, or of one step: what is wrong with them.

use std::path::Path;
use std::sync::Arc;

use crate::cli::console::{Code, Failure};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::workshop::load;

/// Files and what was found in each.
pub(in crate::cli) type Checked = Vec<(SourceFile, Vec<Diagnostic>)>;

/// The files of a workshop with their findings; nothing when there is none in this place.
pub(in crate::cli) fn look(input: &Path) -> Option<Result<Checked, Failure>> {
    let (folder, only) = match input.is_dir() {
        true => (input, None),
        false => {
            (input.parent().map(|parent| if parent == Path::new("") { Path::new(".") } else { parent })?, Some(input))
        }
    };
    let is_step = |file: &Path| {
        file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit()))
    };
    if only.is_some_and(|file| !is_step(file) || !file.is_file()) || !load::is_workshop(folder) {
        return None;
    }
    Some(match load::folder(folder) {
        Err(error) => Err(Failure::new(Code::Input, error)),
        Ok(loaded) => {
            let mut sources: Vec<Arc<SourceFile>> =
                loaded.workshop.steps.iter().map(|step| step.source.clone()).collect();
            let known = |sources: &[Arc<SourceFile>], source: &SourceFile| {
                sources.iter().any(|known| known.path() == source.path())
            };
            for (source, _) in &loaded.findings {
                if !known(&sources, source) {
                    sources.push(source.clone());
                }
            }
            sources.sort_by(|a, b| a.path().cmp(b.path()));
            let wanted =
                |source: &&Arc<SourceFile>| only.is_none_or(|only| source.path().file_name() == only.file_name());
            let checked = sources.iter().filter(wanted).map(|source| {
                let own = loaded.findings.iter().filter(|(place, _)| place.path() == source.path());
                ((**source).clone(), own.map(|(_, found)| found.clone()).collect())
            });
            Ok(checked.collect())
        }
    })
}
