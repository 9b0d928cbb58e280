//! Fenced code blocks and where their lines stand in the source.

use super::ast::{Block, BlockKind};
use super::fence::Fence;
use super::words::{self, End};
use super::{Slide, live, snapshot};
use crate::diagnostic::{Fix, Span};

/// A fenced code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFence<'a> {
    /// The first word behind the opening marks.
    pub language: &'a str,
    /// The code.
    pub text: &'a str,
    /// The whole block.
    pub span: Span,
    /// The file that it is a copy of: `{file=path lines=3-9}`.
    pub file: Option<FileRef>,
    /// The end of the opening line, behind its line end.
    body: usize,
}

/// A file, or lines of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Its path, as the author wrote it.
    pub path: String,
    /// The first and the last line, from 1; the whole file when none are named.
    pub lines: Option<(usize, usize)>,
    /// What is written for lines and is none.
    pub bad_lines: Option<String>,
    /// Where it is named.
    pub span: Span,
}

/// All fenced code blocks of a slide, in the order of the source.
pub fn fences<'a>(source: &'a str, slide: &'a Slide) -> Vec<CodeFence<'a>> {
    let mut found = Vec::new();
    // Not recursive: quotes and lists may be nested deeply.
    let mut blocks: Vec<&Block> = slide.blocks.iter().collect();
    while let Some(block) = blocks.pop() {
        match &block.kind {
            BlockKind::Quote(inner) => blocks.extend(inner),
            BlockKind::List { items, .. } => blocks.extend(items.iter().flat_map(|item| &item.blocks)),
            BlockKind::Code { text, .. } => found.extend(CodeFence::of(source, text, block.span)),
            _ => {}
        }
    }
    found.sort_by_key(|fence| fence.span);
    found
}

/// Gives code blocks that are copies of files another text. What is a panel or can be run keeps its own: a command is
/// what the deck says.
pub fn fill_copies(source: &str, slide: &mut Slide, mut text_of: impl FnMut(&FileRef) -> Option<String>) {
    let mut blocks: Vec<&mut Block> = slide.blocks.iter_mut().collect();
    while let Some(block) = blocks.pop() {
        let span = block.span;
        match &mut block.kind {
            BlockKind::Quote(inner) => blocks.extend(inner),
            BlockKind::List { items, .. } => blocks.extend(items.iter_mut().flat_map(|item| &mut item.blocks)),
            BlockKind::Code { text, .. } => {
                let file = CodeFence::of(source, text, span).and_then(|fence| fence.file);
                let file = file.filter(|_| live::fence(source, text, span).is_none());
                if let Some(new) = file.and_then(|file| text_of(&file)) {
                    *text = new;
                }
            }
            _ => {}
        }
    }
}

impl<'a> CodeFence<'a> {
    fn of(source: &'a str, text: &'a str, span: Span) -> Option<Self> {
        let fence = Fence::of(source, span)?;
        let info = source.get(fence.info.clone())?;
        let language = info.split(char::is_whitespace).next().unwrap_or("");
        let rest = source.get(fence.line_end..)?;
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let file = FileRef::read(info, fence.info.start);
        Some(Self { language, text, span, file, body: fence.line_end + line_end })
    }

    /// Where a piece of the code stands in the source: line and bytes of the line, both from 0. Nothing when the line is
    /// not there as it is, in quotes with tabs for example.
    pub fn place(&self, source: &str, line: usize, bytes: std::ops::Range<usize>) -> Option<Span> {
        let code = self.text.lines().nth(line)?;
        let mut start = self.body;
        let mut written = source.get(self.body..self.span.end)?.split_inclusive('\n');
        for _ in 0..line {
            start += written.next()?.len();
        }
        let written = written.next()?.trim_end_matches(['\n', '\r']);
        let prefix = written.strip_suffix(code)?;
        (bytes.end <= code.len()).then(|| {
            let at = start + prefix.len();
            Span::new(at + bytes.start, at + bytes.end)
        })
    }

    /// The change that gives it another text.
    pub fn with_text(&self, source: &str, text: &str) -> Option<Fix> {
        snapshot::edit(source, self.span, text)
    }
}

impl FileRef {
    /// The file that an info string names, which stands at `at` of the source.
    fn read(info: &str, at: usize) -> Option<Self> {
        let mut place = 0;
        while let Some(open) = info[place..].find('{') {
            place += open + 1;
            let (words, length) = words::read(&info[place..], at + place, End::Brace);
            place += length;
            let named = |key: &str| words.iter().rev().find(|word| word.key.as_deref() == Some(key));
            if let Some(file) = named("file") {
                let written = named("lines").map(|word| word.value.clone());
                let lines = written.as_deref().and_then(range);
                let bad_lines = written.filter(|_| lines.is_none());
                return Some(Self { path: file.value.clone(), lines, bad_lines, span: file.span });
            }
        }
        None
    }

    /// The part of a file's text that is meant; nothing when the file has fewer lines.
    pub fn part<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let lines: Vec<&str> = text.lines().collect();
        match self.lines {
            None => Some(lines),
            Some((first, last)) => lines.get(first - 1..last).map(<[&str]>::to_vec),
        }
    }
}

/// `3-9` or `3`.
fn range(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= first && first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deck::{Options, parse};
    use crate::diagnostic::{Code, Diagnostic, SourceFile, mended};

    const DECK: &str =
        "# A\n\n> ```yaml {1} {file=a/b.yaml lines=2-3}\n> one: 1\n> two: ü2\n> ```\n\n- x\n\n  ~~~sh\n  ls\n  ~~~\n";

    #[test]
    fn places_of_lines_within_quotes_and_lists() {
        let source = SourceFile::new("a.md", DECK);
        let deck = parse(&source, &Options::default()).value;
        let fences = fences(DECK, &deck.slides[0]);
        let told: Vec<_> = fences.iter().map(|fence| (fence.language, fence.text)).collect();
        assert_eq!(told, [("yaml", "one: 1\ntwo: ü2\n"), ("sh", "ls\n")]);
        let file = fences[0].file.as_ref().unwrap();
        assert_eq!((file.path.as_str(), file.lines), ("a/b.yaml", Some((2, 3))));
        let at =
            |fence: usize, line, bytes| fences[fence].place(DECK, line, bytes).map(|span| &DECK[span.start..span.end]);
        assert_eq!(at(0, 1, 5..8), Some("ü2"));
        assert_eq!(at(1, 0, 0..2), Some("ls"));
        assert_eq!((at(0, 1, 5..99), at(0, 7, 0..0)), (None, None));
        let fix = fences[0].with_text(DECK, "three: 3\n");
        let found = Diagnostic::note(Code("deck/empty"), "x").fix(fix);
        let expected = DECK.replace("> one: 1\n> two: ü2\n", "> three: 3\n");
        assert_eq!(mended(DECK, &[found]), (expected, 1));
    }

    #[test]
    fn copies_get_the_text_of_their_files_and_commands_keep_theirs() {
        let text = "# A\n\n> ```yaml {file=a}\n> old\n> ```\n\n```sh {run file=b}\nls\n```\n\n```panel pods file=c\nx\n```\n\n\
                    ```sh {file=gone}\nkept\n```\n";
        let source = SourceFile::new("a.md", text);
        let mut deck = parse(&source, &Options::default()).value;
        let mut asked = Vec::new();
        fill_copies(text, &mut deck.slides[0], |file| {
            asked.push(file.path.clone());
            (file.path != "gone").then(|| "new\n".to_owned())
        });
        asked.sort();
        assert_eq!(asked, ["a", "gone"]);
        let told: Vec<_> = fences(text, &deck.slides[0]).iter().map(|fence| fence.text.to_owned()).collect();
        assert_eq!(told, ["new\n", "ls\n", "x\n", "kept\n"]);
    }

    #[test]
    fn lines_of_a_file() {
        let file = |info: &str| FileRef::read(info, 0);
        assert_eq!(file("yaml {1-3}"), None);
        let part = |info: &str| file(info).unwrap().part("a\r\nb\nc").map(|lines| lines.join(","));
        assert_eq!(part("yaml {file=x}").as_deref(), Some("a,b,c"));
        assert_eq!(part("yaml {file=x lines=2}").as_deref(), Some("b"));
        assert_eq!(part("yaml {file=x lines=2-4}"), None);
        for bad in ["0-1", "3-2", "x"] {
            let found = file(&format!("yaml {{file=x lines={bad}}}")).unwrap();
            assert_eq!((found.lines, found.bad_lines.as_deref()), (None, Some(bad)));
        }
    }
}
