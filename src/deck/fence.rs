//! The opening line of a fenced code block in the deck's source.

use std::ops::Range;

use crate::diagnostic::Span;

/// Where a fence's parts stand in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    /// The first of its marks.
    pub(super) start: usize,
    /// `` ` `` or `~`.
    pub(super) mark: char,
    /// How many marks open it.
    pub(super) marks: usize,
    /// The info string as written, without white space around it.
    pub(super) info: Range<usize>,
    /// The end of the line, before its line end.
    pub(super) line_end: usize,
}

impl Fence {
    /// The fence of a code block; nothing for indented code.
    pub(super) fn of(text: &str, block: Span) -> Option<Self> {
        let part = text.get(block.start..block.end)?;
        let line = part.split(['\n', '\r']).next().unwrap_or(part);
        let rest = line.trim_start_matches([' ', '\t']);
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = rest.trim_start_matches(mark);
        let marks = rest.len() - info.len();
        if marks < 3 {
            return None;
        }
        let end = block.start + line.len();
        let info_start = end - info.trim_start().len();
        let info = info_start..info_start + info.trim().len();
        Some(Self { start: block.start + line.len() - rest.len(), mark, marks, info, line_end: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_opening_line() {
        let text = "x\n  ~~~~ panel pods \r\nbody\n";
        let fence = Fence::of(text, Span::new(2, text.len())).unwrap();
        assert_eq!(fence, Fence { start: 4, mark: '~', marks: 4, info: 9..19, line_end: 20 });
        assert_eq!(Fence::of("    code", Span::new(0, 8)), None);
        assert_eq!(Fence::of("``` ", Span::new(0, 4)).unwrap().info, 4..4);
        assert_eq!(Fence::of("", Span::new(0, 4)), None);
    }
}
