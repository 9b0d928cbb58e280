//! New snapshots into a deck's text: the bodies of panel fences are replaced, every other byte stays.

use super::fence::Fence;
use super::panel::PanelSpec;
use crate::diagnostic::{Fix, Span};

/// A deck's text with new bodies for panels.
///
/// `bodies` are panels of this very text and what they are to hold. Pictures have no body and are left alone, as is
/// a span that is no fence; of two texts for one panel the first counts. Control characters other than tabs are
/// left out of a body, since they would not survive Markdown.
pub fn replace(text: &str, bodies: &[(&PanelSpec, &str)]) -> String {
    let mut edits: Vec<(Span, &str)> =
        bodies.iter().filter(|(panel, _)| panel.picture.is_none()).map(|(panel, body)| (panel.span, *body)).collect();
    edits.sort_by_key(|(span, _)| *span);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, body) in edits {
        let Some(edit) = Edit::new(text, span).filter(|_| span.start >= done) else { continue };
        out.push_str(&text[done..edit.fence.start]);
        edit.write(text, body, &mut out);
        done = edit.end;
    }
    out.push_str(&text[done..]);
    out
}

/// The change that gives a fence another body; nothing when there is no fence at `span`.
pub fn edit(text: &str, span: Span, body: &str) -> Option<Fix> {
    let edit = Edit::new(text, span)?;
    let mut written = String::new();
    edit.write(text, body, &mut written);
    Some(Fix { span: Span::new(edit.fence.start, edit.end), text: written })
}

/// The place of a fence, its body and its end.
struct Edit {
    fence: Fence,
    /// What every line of the body starts with: the quotes and lists that the fence is in.
    prefix: String,
    /// `\n` or `\r\n`.
    line_end: &'static str,
    /// The line that closes the fence, from its first byte to before its line end.
    close: Option<Span>,
    /// Whether the body's last line has a line end, when nothing closes the fence.
    last_ended: bool,
    end: usize,
}

impl Edit {
    fn new(text: &str, span: Span) -> Option<Self> {
        let fence = Fence::of(text, span)?;
        let line_start = text[..fence.start].rfind('\n').map_or(0, |at| at + 1);
        let prefix =
            text[line_start..fence.start].chars().map(|c| if matches!(c, '>' | '\t') { c } else { ' ' }).collect();
        let line_end = if text[fence.line_end..].starts_with("\r\n") { "\r\n" } else { "\n" };
        let block = text.get(..span.end)?.trim_end_matches(['\n', '\r']);
        let last = block.rfind('\n').map_or(0, |at| at + 1);
        let closes = last > fence.line_end && {
            let line = block[last..].trim_start_matches([' ', '\t', '>']);
            let marks = line.len() - line.trim_start_matches(fence.mark).len();
            marks >= fence.marks && line[marks..].trim().is_empty()
        };
        let close = closes.then(|| Span::new(last, block.len()));
        let end = close.map_or(span.end, |close| close.end).max(fence.line_end);
        let last_ended = end > fence.line_end && text[..end].ends_with('\n');
        Some(Self { fence, prefix, line_end, close, last_ended, end })
    }

    fn write(&self, text: &str, body: &str, out: &mut String) {
        let lines = lines(body);
        let longest = lines.iter().map(|line| longest_run(line, self.fence.mark)).max().unwrap_or(0);
        let marks = if longest >= self.fence.marks { longest + 1 } else { self.fence.marks };
        // without a closing line the fence cannot grow past what closes it, so it only opens longer
        for _ in 0..marks {
            out.push(self.fence.mark);
        }
        out.push_str(&text[self.fence.start + self.fence.marks..self.fence.line_end]);
        for line in &lines {
            out.push_str(self.line_end);
            let whole = format!("{}{line}", self.prefix);
            out.push_str(if line.is_empty() { whole.trim_end() } else { &whole });
        }
        match self.close {
            None if self.last_ended => out.push_str(self.line_end),
            None => {}
            Some(close) => {
                out.push_str(self.line_end);
                let line = &text[close.start..close.end];
                if marks == self.fence.marks {
                    out.push_str(line);
                } else {
                    let at = line.find(self.fence.mark).unwrap_or(0);
                    out.push_str(&line[..at]);
                    for _ in 0..marks {
                        out.push(self.fence.mark);
                    }
                    out.push_str(line[at..].trim_start_matches(self.fence.mark));
                }
            }
        }
    }
}

/// The lines of a body as they can stand in a fence, empty ones at its end left out.
fn lines(body: &str) -> Vec<String> {
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    let clean = |line: &str| line.chars().filter(|c| *c == '\t' || !c.is_control()).collect::<String>();
    let mut lines: Vec<String> = body.split('\n').map(|line| clean(line).trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn longest_run(line: &str, mark: char) -> usize {
    line.split(|c| c != mark).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
