//! `check`: look for mistakes in decks.

use std::path::{Path, PathBuf};

use crate::diagnostic::report::{self, Counts};
use crate::diagnostic::{self, Diagnostic, Severity, SourceFile};
use crate::project::{Project, lint};
use crate::theme::Container;

use super::args::{Check, Report};
use super::console::{Code, Console, Failure};
use super::settings::{self, Asked};
use super::{Inputs, import, not_found, workshop};

/// A deck that was looked at.
struct Checked {
    source: SourceFile,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn run(args: &Check, console: Console) -> Result<Code, Failure> {
    let inputs = Inputs::sort(args.inputs.clone()).or_default()?;
    let asked = Asked { render: args.render.clone(), input: inputs.first(), ..Asked::default() };
    let mut settings = settings::resolve(asked, inputs.themes.clone(), Container::Marpit)?;
    settings.project.lint = lint::Depth::Full;
    let mut checked = Vec::new();
    let mut failures = Vec::new();
    for input in &inputs.decks {
        match look(input, &settings.project, &mut failures) {
            Ok(decks) => checked.extend(decks),
            Err(error) => failures.push((input.clone(), not_found(input, error))),
        }
    }
    let configuration =
        settings.findings.into_iter().map(|(source, found)| Checked { source, diagnostics: vec![found] });
    checked.extend(configuration);
    let counts = Counts::of(checked.iter().flat_map(|deck| &deck.diagnostics));
    if console.json || args.report == Some(Report::Json) {
        let unread = failures.iter().map(|(path, failure)| unread(path, failure)).collect::<Vec<_>>();
        let decks = checked.iter().chain(&unread).map(|deck| (&deck.source, deck.diagnostics.as_slice()));
        console.document(&report::json(decks))?;
    } else {
        for deck in &checked {
            console.findings(&deck.diagnostics, &deck.source, Severity::Note);
        }
        console.counts(counts);
    }
    // The last one is told by whoever takes the error.
    let last = failures.pop();
    failures.iter().for_each(|(_, failure)| console.failure(failure));
    match last {
        Some((_, failure)) => Err(failure),
        None if counts.findings() > 0 => Ok(Code::Findings),
        None => {
            let decks = checked.len();
            console.say(&format!("{decks} deck{} without findings", if decks == 1 { "" } else { "s" }));
            Ok(Code::Done)
        }
    }
}

fn look(
    input: &Path,
    options: &crate::project::ProjectOptions,
    failures: &mut Vec<(PathBuf, Failure)>,
) -> Result<Vec<Checked>, Failure> {
    if input == Path::new("-") {
        let project = Project::around(Path::new("."), options.clone())?;
        let compiled = project.compile_source(import::read(input)?, Path::new("."))?;
        return Ok(vec![Checked { source: compiled.source, diagnostics: compiled.diagnostics }]);
    }
    if let Some(steps) = workshop::lint::look(input) {
        return Ok(steps?.into_iter().map(|(source, diagnostics)| Checked { source, diagnostics }).collect());
    }
    let project = Project::open(input, options.clone())?;
    let mut checked = Vec::new();
    for entry in &project.decks {
        match project.compile(entry) {
            Ok(compiled) => checked.push(Checked { source: compiled.source, diagnostics: compiled.diagnostics }),
            // One deck that cannot be read does not hide what is wrong with the others.
            Err(error) => failures.push((entry.path.clone(), error.into())),
        }
    }
    Ok(checked)
}

/// A deck that could not be read, as a finding for programs.
fn unread(path: &Path, failure: &Failure) -> Checked {
    let message = format!("{:#}", failure.error);
    let finding = Diagnostic::error(diagnostic::Code("deck/unreadable"), message);
    let finding = failure.hint.iter().fold(finding, |finding, hint| finding.hint(hint));
    Checked { source: SourceFile::new(path, ""), diagnostics: vec![finding] }
}
