//! Rules about code that is a copy of a file: ```` ```yaml {file=deploy/app.yaml lines=3-9} ````.

use crate::deck::code::{self, CodeFence, FileRef};
use crate::diagnostic::{Code, Diagnostic};
use crate::project::files;
use crate::project::{Target, lint};

use super::Lint;

impl Lint<'_> {
    /// All rules about copies of files.
    pub(super) fn copies(&self, found: &mut Vec<Diagnostic>) {
        for slide in &self.deck.slides {
            for fence in code::fences(self.source.text(), slide) {
                let Some(file) = &fence.file else { continue };
                found.extend(self.copy(&fence, file).map(|finding| match finding.span {
                    Some(_) => finding,
                    None => finding.at(file.span),
                }));
            }
        }
    }

    fn copy(&self, fence: &CodeFence<'_>, file: &FileRef) -> Option<Diagnostic> {
        if let Some(written) = &file.bad_lines {
            let message = format!("`lines` takes numbers such as `3-9`, not `{written}`");
            return Some(Diagnostic::warning(Code("code/bad-lines"), message));
        }
        let path = match self.project.target(self.reader, self.folder, &file.path) {
            Target::File(path) if self.project.is_hidden(&path) => return Some(lint::hidden(&file.path)),
            Target::File(path) => path,
            Target::Outside(_) => return Some(lint::outside(&file.path, &self.project.root)),
            Target::Missing(path) => return Some(self.missing(&file.path, &path, true)),
            Target::Remote | Target::Inside | Target::Refused => {
                let message = format!("`{}` is no file of this project", file.path);
                let finding = Diagnostic::warning(Code("asset/refused"), message);
                return Some(finding.hint("name a file below the project's folder, relative to the deck"));
            }
        };
        let unreadable = |why: String| {
            let message = format!("`{}` cannot be compared: {why}", file.path);
            Some(Diagnostic::warning(Code("code/file-differs"), message))
        };
        let bytes = match self.reader.read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return unreadable(error.to_string()),
        };
        let text = match files::text(&bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}'),
            Err(error) => return unreadable(error.to_string()),
        };
        let Some(part) = file.part(text) else {
            let message = format!("`{}` has {} lines", file.path, text.lines().count());
            return Some(Diagnostic::warning(Code("code/bad-lines"), message));
        };
        self.difference(fence, file, &part)
    }

    /// What the slide shows other than the file; blanks at the ends of lines and empty lines at the end do not count.
    fn difference(&self, fence: &CodeFence<'_>, file: &FileRef, part: &[&str]) -> Option<Diagnostic> {
        let shown: Vec<&str> = fence.text.lines().collect();
        let (shown, wanted) = (trimmed(&shown), trimmed(part));
        if shown == wanted {
            return None;
        }
        let line = shown.iter().zip(&wanted).position(|(shown, wanted)| shown != wanted);
        let line = line.unwrap_or(shown.len().min(wanted.len()));
        let in_file = file.lines.map_or(1, |(first, _)| first) + line;
        let message = match (shown.get(line), wanted.get(line)) {
            (_, Some(wanted)) => format!("`{}` has `{}` in line {in_file}", file.path, wanted.trim()),
            (_, None) => format!("`{}` has no such line", file.path),
        };
        let source = self.source.text();
        let place = shown.get(line).and_then(|text| fence.place(source, line, 0..text.len()));
        let finding = Diagnostic::warning(Code("code/file-differs"), message).at(place.unwrap_or(fence.span));
        let finding = finding.hint("`foredeck check --fix` copies what the file has now");
        Some(finding.fix(fence.with_text(source, &wanted.join("\n"))))
    }
}

fn trimmed<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let mut lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}
