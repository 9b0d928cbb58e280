//! Code that is a copy of a file: ```` ```yaml {file=deploy/app.yaml lines=3-9} ````.
//!
//! The slide shows what the file has now; the body of the fence is for programs that know nothing of this.

use std::path::Path;

use super::files::{self, Reader};
use super::{Project, Target, lint};
use crate::deck::code::{self, FileRef};
use crate::deck::{Compatibility, Deck};
use crate::diagnostic::{Code, Diagnostic};

/// More of a file than this is no slide any more.
const MOST: usize = 64 * 1024;

/// Where the files of copies are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copies<'a> {
    pub(super) project: &'a Project,
    pub(super) reader: &'a Reader<'a>,
    pub(super) folder: &'a Path,
}

impl Copies<'_> {
    /// Gives copies the text of their files. What cannot be had is told, and keeps the text that the deck has.
    pub(super) fn fill(self, source: &str, deck: &mut Deck) -> Vec<Diagnostic> {
        let as_marp = self.project.options.deck.compatibility == Compatibility::Strict;
        let mut found = Vec::new();
        for slide in &mut deck.slides {
            code::fill_copies(source, slide, |file| match self.part(file) {
                Ok(text) => (!as_marp).then_some(text),
                Err(finding) => {
                    found.push(if finding.span.is_some() { finding } else { finding.at(file.span) });
                    None
                }
            });
        }
        found
    }

    /// The lines of the file that are meant, each with its end.
    pub(super) fn part(self, file: &FileRef) -> Result<String, Diagnostic> {
        if let Some(written) = &file.bad_lines {
            let message = format!("`lines` takes numbers such as `3-9`, not `{written}`");
            return Err(Diagnostic::warning(Code("code/bad-lines"), message));
        }
        let path = match self.project.target(self.reader, self.folder, &file.path) {
            Target::File(path) if self.project.is_hidden(&path) => return Err(lint::hidden(&file.path)),
            Target::File(path) => path,
            Target::Outside(_) => return Err(lint::outside(&file.path, &self.project.root)),
            Target::Missing(path) => return Err(lint::missing(self.project, &file.path, &path, true)),
            Target::Remote | Target::Inside | Target::Refused => {
                let message = format!("`{}` is no file of this project", file.path);
                let finding = Diagnostic::warning(Code("asset/refused"), message);
                return Err(finding.hint("name a file below the project's folder, relative to the deck"));
            }
        };
        let unreadable = |why: String| {
            let message = format!("`{}` cannot be shown: {why}", file.path);
            let finding = Diagnostic::warning(Code("code/file-unreadable"), message);
            finding.hint("the slide shows the text that stands in the deck")
        };
        let bytes = self.reader.read(&path).map_err(|error| unreadable(error.to_string()))?;
        let text = files::text(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let lines = file.part(text.trim_start_matches('\u{feff}')).ok_or_else(|| {
            let message = format!("`{}` has {} lines", file.path, text.lines().count());
            Diagnostic::warning(Code("code/bad-lines"), message)
        })?;
        let length: usize = lines.iter().map(|line| line.len() + 1).sum();
        if length > MOST {
            let finding = unreadable(format!("it has {} kB, and {} are shown at most", length / 1024, MOST / 1024));
            return Err(finding.hint("name the lines that matter: `{file=… lines=3-9}`"));
        }
        Ok(lines.iter().flat_map(|line| [*line, "\n"]).collect())
    }
}
