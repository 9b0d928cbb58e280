//! Rules about code that is a copy of a file: ```` ```yaml {file=deploy/app.yaml lines=3-9} ````.

use crate::deck::code::{self, CodeFence, FileRef};
use crate::diagnostic::{Code, Diagnostic};
use crate::project::copies::Copies;

use super::Lint;

impl Lint<'_> {
    /// Copies in the deck that differ from their files: other programs show these. What cannot be read is told by whoever
    /// shows it.
    pub(super) fn copies(&self, found: &mut Vec<Diagnostic>) {
        let copies = Copies { project: self.project, reader: self.reader, folder: self.folder };
        for slide in &self.deck.slides {
            for fence in code::fences(self.source.text(), slide) {
                let Some(file) = &fence.file else { continue };
                let Ok(text) = copies.part(file) else { continue };
                found.extend(self.difference(&fence, file, &text.lines().collect::<Vec<_>>()));
            }
        }
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
