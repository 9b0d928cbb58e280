//! A source text with its name and line index; byte spans in it.

use std::path::{Path, PathBuf};

/// Half-open byte range in one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// A place as people count it: line and column from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A text, where it came from, and where its lines start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// A source; a byte order mark at its start is dropped.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1))
            .collect();
        Self { path: path.into(), text, line_starts }
    }

    /// Where the text came from, as the user named it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte offset; offsets past the end give the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|s| *s <= offset).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(offset - start, |s| s.chars().count());
        LineColumn { line: line + 1, column: column + 1 }
    }

    /// The byte offset of a place as people count it; places outside give the nearest one inside.
    pub fn offset(&self, place: LineColumn) -> usize {
        let Some(&start) = place.line.checked_sub(1).and_then(|line| self.line_starts.get(line)) else {
            return if place.line == 0 { 0 } else { self.text.len() };
        };
        let line = self.line(place.line);
        let inside = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        start + inside
    }

    /// The text of line `line` (from 1) without its line end.
    pub fn line(&self, line: usize) -> &str {
        let start = line.checked_sub(1).and_then(|i| self.line_starts.get(i)).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        self.text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_places_are_each_others_inverse() {
        let source = SourceFile::new("a.md", "\u{feff}one\nzwö\r\n\nvier");
        for (offset, line, column) in [(0, 1, 1), (3, 1, 4), (4, 2, 1), (8, 2, 4), (10, 3, 1), (11, 4, 1), (15, 4, 5)] {
            assert_eq!(source.line_column(offset), LineColumn { line, column });
            assert_eq!(source.offset(LineColumn { line, column }), offset);
        }
        assert_eq!(source.offset(LineColumn { line: 99, column: 1 }), source.text().len());
        assert_eq!(source.offset(LineColumn { line: 2, column: 99 }), 8);
    }
}
