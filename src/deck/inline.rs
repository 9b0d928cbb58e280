//! The content of a line: text, emphasis, links, images, and the comments among them.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::ast::{Image, Inline};
use super::markdown::{self, Builder, Context, Item};
use super::{BlockKind, Compatibility, Note, Options, comment, emoji, image, linkify, math, url};
use crate::diagnostic::Span;

/// Emphasis and links deeper than this are flattened.
const MAX_DEPTH: usize = 60;

/// Inline content and what was noticed in it.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) content: Vec<Inline>,
    /// The text a heading id is made of.
    pub(super) slug: String,
    /// There was a `<!-- fit -->`.
    pub(super) fit: bool,
    /// There was a comment or background that left no trace.
    hidden: bool,
}

impl Line {
    /// Reads up to `end`, which is consumed.
    pub(super) fn read(builder: &mut Builder<'_>, end: TagEnd) -> Self {
        let in_heading = matches!(end, TagEnd::Heading(_));
        let first_found = builder.found.len();
        let mut reader = Reader::new(builder, in_heading);
        while let Some((event, range)) = reader.builder.next() {
            if event == Event::End(end) {
                break;
            }
            reader.event(event, range);
        }
        let line = reader.finish();
        if builder.compatibility == Compatibility::Strict && line.hidden && line.is_blank() {
            // Marp forgets notes that are the only content
            let mut kept = builder.found.split_off(first_found);
            kept.retain(|item| !matches!(item, Item::Note(_)));
            builder.found.append(&mut kept);
        }
        line
    }

    /// Reads a run of inline events that has no tag around it, starting with `first`.
    pub(super) fn read_plain<'a>(builder: &mut Builder<'a>, first: Event<'a>, range: Range<usize>) -> Self {
        let mut reader = Reader::new(builder, false);
        reader.event(first, range);
        while reader.is_open() || reader.builder.peek().is_some_and(is_inline) {
            let Some((event, range)) = reader.builder.next() else { break };
            reader.event(event, range);
        }
        let mut line = reader.finish();
        if line.hidden && line.is_blank() {
            line.content.clear();
        }
        line
    }

    /// Whether nothing is left to see, because there were only comments and backgrounds.
    pub(super) fn is_blank(&self) -> bool {
        self.hidden
            && self.content.iter().all(|inline| match inline {
                Inline::Break => true,
                Inline::Text(text) => text.trim().is_empty(),
                _ => false,
            })
    }
}

fn is_inline(event: &Event<'_>) -> bool {
    match event {
        Event::Text(_) | Event::Code(_) | Event::InlineHtml(_) | Event::SoftBreak | Event::HardBreak => true,
        Event::Start(tag) => {
            matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
        }
        _ => false,
    }
}

/// An element whose end has not come yet.
struct Open {
    kind: OpenKind,
    content: Vec<Inline>,
    /// Where the last event inside it ended.
    last_end: usize,
}

enum OpenKind {
    Emphasis,
    Strong,
    Strikethrough,
    Link {
        href: String,
        title: String,
    },
    /// Shown as written: its marks are text.
    Literal {
        range: Range<usize>,
    },
    Flat,
}

struct Reader<'b, 'a> {
    builder: &'b mut Builder<'a>,
    line: Line,
    open: Vec<Open>,
    pending: String,
    links: usize,
    in_heading: bool,
}

impl<'b, 'a> Reader<'b, 'a> {
    fn new(builder: &'b mut Builder<'a>, in_heading: bool) -> Self {
        Self { builder, line: Line::default(), open: Vec::new(), pending: String::new(), links: 0, in_heading }
    }

    fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn finish(mut self) -> Line {
        self.flush();
        while self.is_open() {
            self.close(0);
        }
        self.line
    }

    fn event(&mut self, event: Event<'a>, range: Range<usize>) {
        let opens = matches!(event, Event::Start(_));
        match event {
            Event::Text(text) => {
                self.pending.push_str(&text);
            }
            Event::Code(code) => {
                self.flush();
                let code = self.builder.extracted.restore(&code);
                self.slug(&code);
                self.push(Inline::Code(code));
            }
            Event::SoftBreak if !self.builder.options().breaks => self.pending.push('\n'),
            Event::SoftBreak | Event::HardBreak => {
                self.flush();
                self.push(Inline::Break);
            }
            Event::InlineHtml(html) => {
                self.flush();
                self.html(&html, range.clone());
            }
            Event::Start(Tag::Image { dest_url, title, .. }) => {
                self.flush();
                self.image(&dest_url, &title, range.clone());
            }
            Event::Start(tag) => {
                self.flush();
                self.start(tag, range.clone());
            }
            Event::End(_) => {
                self.flush();
                self.close(range.end);
            }
            _ => {}
        }
        if let (false, Some(open)) = (opens, self.open.last_mut()) {
            open.last_end = open.last_end.max(range.end);
        }
    }

    fn push(&mut self, inline: Inline) {
        match self.open.last_mut() {
            Some(open) => open.content.push(inline),
            None => self.line.content.push(inline),
        }
    }

    fn slug(&mut self, text: &str) {
        if self.in_heading {
            self.line.slug.push_str(text);
        }
    }

    /// Turns the collected text into text, formulas and links.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let extracted = self.builder.extracted;
        for part in extracted.split(&pending) {
            match part {
                Ok(text) => self.text(text),
                Err(tex) => self.push(Inline::Math(tex.to_owned())),
            }
        }
    }

    fn text(&mut self, text: &str) {
        let links = if self.links == 0 { linkify::links(text) } else { Vec::new() };
        let mut done = 0;
        for found in links {
            let address = format!("{}{}", found.scheme, &text[found.start..found.end]);
            if !url::is_allowed(&address) {
                continue;
            }
            self.plain(&text[done..found.start]);
            let shown = text[found.start..found.end].to_owned();
            self.slug(&shown);
            let href = url::normalize(&address);
            self.push(Inline::Link { href, title: String::new(), content: vec![Inline::Text(shown)] });
            done = found.end;
        }
        self.plain(&text[done..]);
    }

    fn plain(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let options = self.builder.options();
        let mut text = match options.shortcodes {
            true => emoji::replace_shortcodes(text).into_owned(),
            false => text.to_owned(),
        };
        if options.typographer {
            text = typographic_marks(&text);
        }
        self.slug(&text);
        self.push(Inline::Text(text));
    }

    fn html(&mut self, html: &str, range: Range<usize>) {
        if !html.starts_with("<!--") {
            self.slug(html);
            // no links inside a link written in HTML
            let lower = html.to_ascii_lowercase();
            if lower.starts_with("<a ") || lower.starts_with("<a>") {
                self.links += 1;
            } else if lower.starts_with("</a") {
                self.links = self.links.saturating_sub(1);
            }
            return self.push(Inline::Html(self.builder.extracted.restore(html)));
        }
        self.line.hidden = true;
        let (text, offset, _) = comment::open(html);
        if self.in_heading && text == "fit" {
            self.line.fit = true;
            return;
        }
        let item = self.builder.comment(text, range.start + offset, range);
        self.builder.found.extend(item);
    }

    fn start(&mut self, tag: Tag<'a>, range: Range<usize>) {
        let kind = match tag {
            _ if self.open.len() >= MAX_DEPTH => OpenKind::Flat,
            Tag::Emphasis => OpenKind::Emphasis,
            Tag::Strong => OpenKind::Strong,
            Tag::Strikethrough if self.builder.text[range.clone()].starts_with("~~") => OpenKind::Strikethrough,
            Tag::Strikethrough => OpenKind::Literal { range: range.clone() },
            Tag::Link { link_type, dest_url, title, .. } => {
                let href = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => self.builder.extracted.restore(&dest_url),
                };
                let automatic = matches!(link_type, LinkType::Autolink | LinkType::Email);
                if automatic {
                    return self.autolink(&href, range);
                }
                if url::is_allowed(&href) {
                    OpenKind::Link { href: url::normalize(&href), title: self.builder.extracted.restore(&title) }
                } else {
                    OpenKind::Literal { range: range.clone() }
                }
            }
            _ => OpenKind::Flat,
        };
        self.links += usize::from(matches!(kind, OpenKind::Link { .. }));
        if let OpenKind::Literal { .. } = kind {
            // one mark: `[` or `~`
            let mark = self.builder.text[range.clone()].chars().next().unwrap_or_default().to_string();
            self.plain(&mark);
        }
        self.open.push(Open { kind, content: Vec::new(), last_end: range.start + 1 });
    }

    /// `<https://…>`: its text is no place for emoji.
    fn autolink(&mut self, href: &str, range: Range<usize>) {
        let mut shown = String::new();
        while let Some((event, _)) = self.builder.next() {
            match event {
                Event::Text(text) => shown.push_str(&text),
                Event::End(TagEnd::Link) => break,
                _ => {}
            }
        }
        if !url::is_allowed(href) {
            let written = self.builder.text[range].to_owned();
            return self.plain(&written);
        }
        self.slug(&shown);
        let href = url::normalize(href);
        self.push(Inline::Link { href, title: String::new(), content: vec![Inline::Text(shown)] });
    }

    fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let content = open.content;
        match open.kind {
            OpenKind::Emphasis => self.push(Inline::Emphasis(content)),
            OpenKind::Strong => self.push(Inline::Strong(content)),
            OpenKind::Strikethrough => self.push(Inline::Strikethrough(content)),
            OpenKind::Link { href, title } => {
                self.links = self.links.saturating_sub(1);
                self.push(Inline::Link { href, title, content });
            }
            OpenKind::Flat => content.into_iter().for_each(|inline| self.push(inline)),
            OpenKind::Literal { range } => {
                content.into_iter().for_each(|inline| self.push(inline));
                let closing = self.builder.text.get(open.last_end..range.end).unwrap_or("").to_owned();
                let closing = self.builder.extracted.restore(&closing);
                self.plain(&closing);
            }
        }
        if let Some(parent) = self.open.last_mut() {
            parent.last_end = parent.last_end.max(end);
        }
    }

    fn image(&mut self, destination: &str, title: &str, range: Range<usize>) {
        let (alt, last_end) = self.alt_text(range.start + 2);
        let builder = &mut *self.builder;
        let src = builder.extracted.restore(destination);
        if !url::is_allowed(&src) {
            let written = builder.extracted.restore(&builder.text[range]);
            return self.plain(&written);
        }
        let label = builder.text.get(range.start + 2..last_end).unwrap_or("");
        let label = builder.extracted.restore(label);
        // the caption of a background is its label as written
        let mut image = image::read(if image::is_background(&label) { &label } else { &alt });
        image.alt.retain(|c| c != LOST);
        image.src = url::normalize(&src);
        image.title = builder.extracted.restore(title);
        image.span = builder.span(&range);
        if image.background.is_some() {
            self.line.hidden = true;
            self.builder.found.push(Item::Background(image));
        } else {
            self.slug(&label);
            self.push(Inline::Image(image));
        }
    }

    /// The plain text of an image's label, whose end is consumed; and where the label ends.
    fn alt_text(&mut self, start: usize) -> (String, usize) {
        let strict = self.builder.compatibility == Compatibility::Strict;
        let mut alt = String::new();
        let mut last_end = start;
        let mut depth = 0;
        while let Some((event, range)) = self.builder.next() {
            match event {
                Event::End(TagEnd::Image) if depth == 0 => break,
                Event::End(TagEnd::Image) => depth -= 1,
                Event::Start(Tag::Image { .. }) => depth += 1,
                Event::Text(text) if strict => self.strict_alt(&text, &range, &mut alt),
                Event::Code(_) if strict => alt.push(LOST),
                Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => alt.push_str(&text),
                Event::SoftBreak | Event::HardBreak => alt.push('\n'),
                _ => {}
            }
            last_end = last_end.max(range.end);
        }
        (self.builder.extracted.restore(&alt), last_end)
    }

    /// Marp loses escaped characters and entities in alternative texts.
    fn strict_alt(&self, text: &str, range: &Range<usize>, alt: &mut String) {
        let source = self.builder.text;
        let escaped = source[..range.start].ends_with('\\') && text.starts_with(|c: char| c.is_ascii_punctuation());
        if source[range.clone()].starts_with('&') && text != &source[range.clone()] {
            alt.push(LOST);
        } else if escaped {
            alt.push(LOST);
            alt.push_str(&text[1..]);
        } else {
            alt.push_str(text);
        }
    }
}

/// Stands for text that Marp loses, until words have been told apart.
const LOST: char = '\u{e0ee}';

/// `(c)` and its like; quotes, dashes and dots are the Markdown parser's.
fn typographic_marks(text: &str) -> String {
    let mut out = text.to_owned();
    for (written, mark) in
        [("(c)", "©"), ("(C)", "©"), ("(r)", "®"), ("(R)", "®"), ("(tm)", "™"), ("(TM)", "™"), ("+-", "±")]
    {
        if out.contains(written) {
            out = out.replace(written, mark);
        }
    }
    out
}

/// Text of a header or footer: inline Markdown, whatever its lines start with.
pub(super) fn parse_line(text: &str, options: &Options) -> (Vec<Inline>, Vec<Note>) {
    // a mark before each line keeps it from being a list, a heading, code or HTML
    const MARK: char = '\u{27c6}';
    let lines: Vec<String> = text.split('\n').map(|line| format!("{MARK}{}", line.trim_end_matches('\r'))).collect();
    let marked = lines.join("\n");
    let extracted = match options.math {
        true => math::extract(&marked, options.compatibility),
        false => math::Extracted::default(),
    };
    let source = extracted.text.as_deref().unwrap_or(&marked);
    let parsed = markdown::parse(source, Context { body: 0, extracted: &extracted, options });
    let mut content = Vec::new();
    let mut notes = Vec::new();
    for item in parsed.items {
        match item {
            Item::Block(block) => {
                if let BlockKind::Paragraph(inlines) = block.kind {
                    content.extend(inlines);
                }
            }
            Item::Note(note) => notes.push(Note { span: Span::default(), ..note }),
            _ => {}
        }
    }
    content.retain_mut(|inline| {
        let Inline::Text(text) = inline else { return true };
        text.retain(|c| c != MARK);
        !text.is_empty()
    });
    (content, notes)
}

/// The text that people read, without marks.
pub fn plain_text(content: &[Inline], out: &mut String) {
    for inline in content {
        match inline {
            Inline::Text(text) | Inline::Code(text) | Inline::Math(text) => out.push_str(text),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => plain_text(inner, out),
            Inline::Link { content, .. } => plain_text(content, out),
            Inline::Image(Image { alt, .. }) => out.push_str(alt),
            Inline::Break => out.push(' '),
            Inline::Html(_) => {}
        }
    }
}
