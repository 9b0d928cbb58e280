//! `check`: look for mistakes in decks.

pub mod args;
mod estimate;
mod fit;
mod look;
mod manifest;
mod measure;
mod offline;
mod served;

use std::path::{Path, PathBuf};

use crate::diagnostic::report::{self, Counts, github, sarif};
use crate::diagnostic::{self, Diagnostic, Severity, SourceFile, mended};
use crate::export::write;
use crate::project::lint;
use crate::theme::Container;

use super::console::{self, Code, Console, Failure};
use super::settings::{self, Asked};
use super::{Inputs, docs};
use args::{Check, Report};
use look::{Checked, Look};

pub(super) fn run(args: Check, console: Console) -> Result<Code, Failure> {
    let inputs = Inputs::sort(args.inputs.clone()).or_default()?;
    if args.fix && inputs.decks.iter().any(|input| input == Path::new("-")) {
        return Err(Failure::usage("`--fix` cannot change standard input").hint("name the file"));
    }
    let asked = Asked { render: args.render.clone(), input: inputs.first(), ..Asked::default() };
    let mut settings = settings::resolve(asked, inputs.themes.clone(), Container::Bare)?;
    settings.project.lint = lint::Depth::Full;
    let look = Look::new(&settings.project, &args);
    let (mut checked, mut failures) = look.all(&inputs.decks);
    if args.fix && fix(&checked, console)? {
        (checked, failures) = look.all(&inputs.decks);
    }
    // A browser that fails does not hide what was found without it.
    let measured = args.projector.map_or(Ok(()), |projector| measure::measure(&mut checked, projector, console));
    checked.extend(settings.findings.into_iter().map(|(source, found)| Checked::new(source, vec![found])));
    let counts = Counts::of(checked.iter().flat_map(|deck| &deck.diagnostics));
    tell(args.form(), &checked, &failures, console)?;
    // The last one is told by whoever takes the error.
    let last = failures.pop();
    failures.iter().for_each(|(_, failure)| console.failure(failure));
    measured?;
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

/// Writes the findings in the form that is wanted.
fn tell(form: Report, checked: &[Checked], failures: &[(PathBuf, Failure)], console: Console) -> Result<(), Failure> {
    if form == Report::Text {
        for deck in checked {
            console.findings(&deck.diagnostics, &deck.source, Severity::Note);
        }
        console.counts(Counts::of(checked.iter().flat_map(|deck| &deck.diagnostics)));
        return Ok(());
    }
    let unread = failures.iter().map(|(path, failure)| unread(path, failure)).collect::<Vec<_>>();
    let decks = checked.iter().chain(&unread).map(|deck| (&deck.source, deck.diagnostics.as_slice()));
    match form {
        Report::Sarif => console.document(&sarif::log(decks, |code| Some(docs::explain(code)?.1))),
        Report::Github => {
            let commands: String = decks.map(|(source, found)| github::commands(found, source)).collect();
            console::data(&commands)
        }
        Report::Json | Report::Text => console.document(&report::json(decks)),
    }
}

/// Writes the decks with what can be mended; says whether there was any.
fn fix(checked: &[Checked], console: Console) -> Result<bool, Failure> {
    let mut any = false;
    for deck in checked {
        let (text, count) = mended(deck.source.text(), &deck.diagnostics);
        if count == 0 {
            continue;
        }
        let path = deck.source.path();
        // What is not in the text that was checked, as a byte order mark, stays.
        let bytes = std::fs::read(path).map_err(|error| Failure::new(Code::Environment, error))?;
        let head = bytes.strip_suffix(deck.source.text().as_bytes()).ok_or_else(|| {
            Failure::new(Code::Environment, anyhow::Error::msg(format!("`{}` changed meanwhile", path.display())))
        })?;
        let whole = [head, text.as_bytes()].concat();
        write::write(path, &whole).map_err(|error| Failure::new(Code::Environment, error))?;
        let things = if count == 1 { "one thing".to_owned() } else { format!("{count} things") };
        console.say(&format!("mended {things} in `{}`", path.display()));
        any = true;
    }
    Ok(any)
}

/// A deck that could not be read, as a finding for programs.
fn unread(path: &Path, failure: &Failure) -> Checked {
    let message = format!("{:#}", failure.error);
    let finding = Diagnostic::error(diagnostic::Code("deck/unreadable"), message);
    let finding = failure.hint.iter().fold(finding, |finding, hint| finding.hint(hint));
    Checked::new(SourceFile::new(path, ""), vec![finding])
}
