//! Markdown text → a flat list of what stands at the top level: blocks, rulers, comments, styles.

use std::iter::Peekable;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, OffsetIter, Options, Parser, Tag, TagEnd};

use super::ast::{Alignment, Block, BlockKind, Image, Inline, ListItem};
use super::comment::{self, Comment};
use super::inline::Line;
use super::math::Extracted;
use super::{Compatibility, Given, Note, Style};
use crate::diagnostic::{Code, Diagnostic, Span};

/// The Markdown that is Marp's: CommonMark with tables and strikethrough.
pub(super) fn parser_options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

/// Something at the top level of a deck, or found inside it and moved behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Block(Block),
    Ruler(Span),
    Directives(Vec<Given>),
    Note(Note),
    Style { style: Style, scoped: bool },
    Background(Image),
}

/// Quotes and lists deeper than this are flattened; nobody can read them, and the stack is finite.
const MAX_DEPTH: usize = 100;
/// Marp gives up at this level and drops what is inside.
const MARP_MAX_DEPTH: usize = 20;

pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) extracted: &'a Extracted,
    pub(super) compatibility: Compatibility,
    context: Context<'a>,
    /// Where `text` starts in the text that formulas were taken out of.
    base: usize,
    /// How many tails of comments and styles this part is inside of.
    tails: usize,
    events: Peekable<OffsetIter<'a>>,
    frames: Vec<Frame>,
    /// Notes, directives and backgrounds met inside the current top-level block.
    pub(super) found: Vec<Item>,
    items: Vec<Item>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

struct Frame {
    kind: FrameKind,
    blocks: Vec<Block>,
    span: Span,
}

enum FrameKind {
    Quote,
    List {
        start: Option<u64>,
        items: Vec<ListItem>,
    },
    Item {
        fragment: bool,
    },
    /// Beyond the depth limit: its content goes to the frame around it.
    Flat,
    /// Beyond Marp's depth limit: its content is lost.
    Lost,
}

/// Text kept behind comments that are never closed is read as Markdown this often, one inside the other; what
/// is left then is shown as it was written.
const MAX_TAILS: usize = 32;

/// What parsing gave.
pub(super) struct Parsed {
    pub(super) items: Vec<Item>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What parsing needs to know besides the text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Where the text (before formulas were taken out) starts in the deck's source.
    pub(super) body: usize,
    pub(super) extracted: &'a Extracted,
    pub(super) options: &'a super::Options,
}

/// Reads a text whose formulas have been taken out.
pub(super) fn parse(text: &str, context: Context<'_>) -> Parsed {
    parse_part(text, 0, 0, context)
}

/// Reads the part of a text that starts at `base`; `tails` counts the parts it is inside of.
fn parse_part(text: &str, base: usize, tails: usize, context: Context<'_>) -> Parsed {
    let mut dialect = parser_options();
    dialect.set(Options::ENABLE_SMART_PUNCTUATION, context.options.typographer);
    let mut builder = Builder {
        text,
        extracted: context.extracted,
        compatibility: context.options.compatibility,
        context,
        base,
        tails,
        events: Parser::new_ext(text, dialect).into_offset_iter().peekable(),
        frames: Vec::new(),
        found: Vec::new(),
        items: Vec::new(),
        diagnostics: Vec::new(),
    };
    builder.run();
    Parsed { items: builder.items, diagnostics: builder.diagnostics }
}

impl<'a> Builder<'a> {
    pub(super) fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        self.events.next()
    }

    pub(super) fn peek(&mut self) -> Option<&Event<'a>> {
        self.events.peek().map(|(event, _)| event)
    }

    pub(super) fn options(&self) -> &'a super::Options {
        self.context.options
    }

    /// A place in the deck's source. Offsets counted in HTML that lost its indentation may point past the end.
    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        let place =
            |offset: usize| self.context.body + self.extracted.original(self.base + offset.min(self.text.len()));
        Span::new(place(range.start), place(range.end))
    }

    fn run(&mut self) {
        while let Some((event, range)) = self.next() {
            match event {
                Event::Start(tag) => self.start(tag, range),
                Event::End(tag) => self.end(tag),
                Event::Rule if self.frames.is_empty() => {
                    let span = self.span(&range);
                    self.items.push(Item::Ruler(span));
                }
                Event::Rule => {
                    let span = self.span(&range);
                    self.push(BlockKind::Rule, span);
                }
                // text directly in a tight list item
                event => {
                    let line = Line::read_plain(self, event, range.clone());
                    if !line.content.is_empty() {
                        let span = self.span(&range);
                        self.push(BlockKind::Plain(line.content), span);
                    }
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'a>, range: Range<usize>) {
        let span = self.span(&range);
        match tag {
            Tag::Paragraph => {
                let line = Line::read(self, TagEnd::Paragraph);
                if !line.is_blank() {
                    self.push(BlockKind::Paragraph(line.content), span);
                } else if self.frames.is_empty() {
                    self.flush_found();
                }
            }
            Tag::Heading { level, .. } => {
                let line = Line::read(self, TagEnd::Heading(level));
                let level = heading_level(level);
                let kind = BlockKind::Heading { level, id: line.slug, fit: line.fit, content: line.content };
                self.push(kind, span);
            }
            Tag::CodeBlock(kind) => {
                let text = self.raw_text(TagEnd::CodeBlock);
                let mut text = self.extracted.restore(&text);
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => {
                        if !text.ends_with('\n') {
                            text.push('\n');
                        }
                        String::new()
                    }
                };
                self.push(BlockKind::Code { info, text }, span);
            }
            Tag::HtmlBlock => {
                let html = self.raw_text(TagEnd::HtmlBlock);
                self.html_block(&html, range);
            }
            Tag::Table(alignments) => {
                let table = self.table(&alignments);
                self.push(table, span);
            }
            Tag::BlockQuote(_) => self.open(FrameKind::Quote, span),
            Tag::List(start) => self.open(FrameKind::List { start, items: Vec::new() }, span),
            Tag::Item => {
                let fragment = is_fragment_marker(self.text.get(range).unwrap_or(""));
                self.open(FrameKind::Item { fragment }, span);
            }
            // inline content directly in a tight list item
            tag => {
                let line = Line::read_plain(self, Event::Start(tag), range);
                if !line.content.is_empty() {
                    self.push(BlockKind::Plain(line.content), span);
                }
            }
        }
    }

    fn open(&mut self, kind: FrameKind, span: Span) {
        let depth = self.frames.len();
        let kind = match self.compatibility {
            Compatibility::Strict if depth >= MARP_MAX_DEPTH => FrameKind::Lost,
            Compatibility::KeepText if depth >= MAX_DEPTH => FrameKind::Flat,
            _ => kind,
        };
        if matches!(kind, FrameKind::Flat) && depth == MAX_DEPTH {
            let message =
                format!("lists or quotes are nested more than {MAX_DEPTH} deep; the inner ones are shown flat");
            self.diagnostics.push(Diagnostic::warning(Code("deck/nesting"), message).at(span));
        }
        if depth == MARP_MAX_DEPTH && self.compatibility == Compatibility::KeepText {
            let message = format!("Marp loses text nested more than {MARP_MAX_DEPTH} levels deep; it is kept here");
            self.diagnostics.push(Diagnostic::note(Code("deck/nesting"), message).at(span));
        }
        self.frames.push(Frame { kind, blocks: Vec::new(), span });
    }

    fn end(&mut self, tag: TagEnd) {
        if !matches!(tag, TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item) {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        match frame.kind {
            FrameKind::Quote => self.push(BlockKind::Quote(frame.blocks), frame.span),
            FrameKind::List { start, items } => self.push(BlockKind::List { start, items }, frame.span),
            FrameKind::Item { fragment } => {
                let item = ListItem { fragment: fragment.then_some(0), blocks: frame.blocks };
                match self.frames.last_mut().map(|f| &mut f.kind) {
                    Some(FrameKind::List { items, .. }) => items.push(item),
                    _ => item.blocks.into_iter().for_each(|block| self.push(block.kind, block.span)),
                }
            }
            FrameKind::Flat => frame.blocks.into_iter().for_each(|block| self.push(block.kind, block.span)),
            FrameKind::Lost => {}
        }
    }

    fn push(&mut self, kind: BlockKind, span: Span) {
        let block = Block { kind, span };
        let depth = self.frames.len();
        match self.frames.last_mut() {
            None => {
                self.items.push(Item::Block(block));
                self.flush_found();
            }
            Some(_) if self.compatibility == Compatibility::Strict && depth >= MARP_MAX_DEPTH => {}
            Some(frame) => frame.blocks.push(block),
        }
    }

    fn flush_found(&mut self) {
        self.items.append(&mut self.found);
    }

    /// Concatenated text up to `end`.
    fn raw_text(&mut self, end: TagEnd) -> String {
        let mut text = String::new();
        while let Some((event, _)) = self.next() {
            match event {
                Event::End(tag) if tag == end => break,
                Event::Text(t) | Event::Html(t) | Event::Code(t) | Event::InlineHtml(t) => text.push_str(&t),
                Event::SoftBreak | Event::HardBreak => text.push('\n'),
                _ => {}
            }
        }
        text
    }

    fn table(&mut self, alignments: &[pulldown_cmark::Alignment]) -> BlockKind {
        let mut head = Vec::new();
        let mut rows: Vec<Vec<Vec<Inline>>> = Vec::new();
        let mut row = Vec::new();
        while let Some((event, _)) = self.next() {
            match event {
                Event::Start(Tag::TableCell) => row.push(Line::read(self, TagEnd::TableCell).content),
                Event::End(TagEnd::TableHead) => head = std::mem::take(&mut row),
                Event::End(TagEnd::TableRow) => rows.push(std::mem::take(&mut row)),
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        let alignments = alignments
            .iter()
            .map(|alignment| match alignment {
                pulldown_cmark::Alignment::None => Alignment::None,
                pulldown_cmark::Alignment::Left => Alignment::Left,
                pulldown_cmark::Alignment::Center => Alignment::Center,
                pulldown_cmark::Alignment::Right => Alignment::Right,
            })
            .collect();
        BlockKind::Table { alignments, head, rows }
    }

    /// An HTML block: a formula, a comment, a style, or HTML.
    fn html_block(&mut self, html: &str, range: Range<usize>) {
        let span = self.span(&range);
        if let Some(tex) = self.extracted.block(html) {
            let tex = tex.to_owned();
            return self.push(BlockKind::Math(tex), span);
        }
        let indent = html.len() - html.trim_start().len();
        let mut rest = &html[indent..];
        let mut at = range.start + indent;
        let mut tail = None;
        // once there is no end in the rest, there is none in what follows
        let (mut ends, mut style_ends) = (true, true);
        while rest.starts_with("<!--") || is_style(rest) {
            let after = if rest.starts_with("<!--") {
                self.block_comment(rest, at, &mut ends)
            } else {
                self.style(rest, at, &mut style_ends)
            };
            at += rest.len() - after.len();
            at += after.len() - after.trim_start().len();
            rest = after.trim_start();
            tail = Some(at);
            if self.compatibility == Compatibility::Strict {
                return;
            }
        }
        match tail {
            None => self.push(BlockKind::Html(self.extracted.restore(html)), span),
            Some(at) if !rest.is_empty() => self.kept_tail(rest, at),
            Some(_) => {}
        }
    }

    /// Text after the end of a comment or style, which Marp drops: read as Markdown of its own.
    fn kept_tail(&mut self, rest: &str, at: usize) {
        let span = self.span(&(at..at + rest.trim_end().len()));
        let message = "Marp drops the text after the end of a comment or style on the same line; it is kept here";
        let hint = "start a new line after the comment";
        self.diagnostics.push(Diagnostic::warning(Code("deck/text-after-comment"), message).at(span).hint(hint));
        if self.tails >= MAX_TAILS {
            let text = self.extracted.restore(rest);
            return self.push(BlockKind::Code { info: String::new(), text }, span);
        }
        let parsed = parse_part(rest, self.base + at, self.tails + 1, self.context);
        self.diagnostics.extend(parsed.diagnostics);
        for item in parsed.items {
            match item {
                Item::Block(block) => self.push(block.kind, block.span),
                Item::Ruler(span) if !self.frames.is_empty() => self.push(BlockKind::Rule, span),
                item => self.emit(item),
            }
        }
    }

    /// Adds something that is no block: at the top level at once, else behind the block around it.
    fn emit(&mut self, item: Item) {
        if self.frames.is_empty() { self.items.push(item) } else { self.found.push(item) }
    }

    /// Takes in a comment at the start of `html`; returns what follows it.
    fn block_comment<'h>(&mut self, html: &'h str, at: usize, ends: &mut bool) -> &'h str {
        *ends = *ends && html.contains("-->");
        let closed = *ends;
        let (text, offset, mut rest) = if closed { comment::open(html) } else { ("", 4, "") };
        let mut end = html.len() - rest.len();
        let mut text = text;
        if !closed {
            let span = self.span(&(at..at + 4));
            let message = "this comment is never closed";
            let hint = "write `-->` at its end; Marp hides everything up to the end of the deck";
            self.diagnostics.push(Diagnostic::error(Code("deck/unclosed-comment"), message).at(span).hint(hint));
            if self.compatibility == Compatibility::KeepText {
                end = html.find("\n\n").unwrap_or(html.len());
                text = html[4..end].trim();
                rest = &html[end..];
            }
        }
        let item = self.comment(text, at + offset, at..at + end);
        if let Some(item) = item {
            self.emit(item);
        }
        rest
    }

    /// What a comment with this text is; `at` is where the text starts, `range` the whole comment.
    pub(super) fn comment(&self, text: &str, at: usize, range: Range<usize>) -> Option<Item> {
        match comment::classify(text) {
            Comment::Directives(entries) => Some(Item::Directives(
                entries
                    .into_iter()
                    .map(|entry| Given {
                        key: entry.key,
                        value: entry.value,
                        span: self.span(&(at + entry.span.start..at + entry.span.end)),
                        front_matter: false,
                    })
                    .collect(),
            )),
            Comment::Note(text) => {
                Some(Item::Note(Note { text: self.extracted.restore(&text), span: self.span(&range) }))
            }
            Comment::Tool => None,
        }
    }

    /// Takes in a `<style>` at the start of `html`; returns what follows it.
    fn style<'h>(&mut self, html: &'h str, at: usize, ends: &mut bool) -> &'h str {
        let open_end = html.find('>').map_or(html.len(), |i| i + 1);
        let attributes = html[6..open_end].trim_end_matches('>');
        let scoped = attributes.split_whitespace().any(|a| {
            let name = a.split('=').next().unwrap_or(a).trim_end_matches('/');
            name.eq_ignore_ascii_case("scoped") || name.eq_ignore_ascii_case("data-scoped")
        });
        let close = if *ends { style_end(html, open_end) } else { None };
        *ends = close.is_some();
        let (css_end, rest) = match close {
            Some(close) => {
                let after = html[close..].find('>').map_or(html.len(), |j| close + j + 1);
                (close, &html[after..])
            }
            None => {
                let span = self.span(&(at..at + 6));
                let message = "this `<style>` is never closed";
                let hint = "write `</style>` at its end; Marp hides everything up to the end of the deck";
                self.diagnostics.push(Diagnostic::error(Code("deck/unclosed-style"), message).at(span).hint(hint));
                if self.compatibility == Compatibility::Strict {
                    return "";
                }
                let end = html[open_end..].find("\n\n").map_or(html.len(), |i| open_end + i);
                (end, &html[end..])
            }
        };
        let css = self.extracted.restore(&html[open_end..css_end]);
        let style = Style { css, span: self.span(&(at + open_end..at + css_end)) };
        self.emit(Item::Style { style, scoped });
        rest
    }
}

/// Where the end tag of a style starts, from `from` on.
fn style_end(html: &str, from: usize) -> Option<usize> {
    let mut ends = html[from..].match_indices("</").map(|(at, _)| from + at);
    ends.find(|at| html.get(at + 2..at + 7).is_some_and(|name| name.eq_ignore_ascii_case("style")))
}

fn is_style(html: &str) -> bool {
    html.get(..6).is_some_and(|tag| tag.eq_ignore_ascii_case("<style"))
        && html[6..].chars().next().is_none_or(|c| c.is_whitespace() || c == '>')
}

fn heading_level(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// Whether a list item written like this is revealed on its own: `*` or `1)`.
fn is_fragment_marker(item: &str) -> bool {
    let item = item.trim_start();
    item.starts_with('*') || item.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(')')
}
