//! The tree of a slide's content → HTML.

use super::code_block::CodeBlock;
use super::math::{self, Display};
use super::{HtmlPolicy, html, live, sanitize};
use crate::deck::{Alignment, Block, BlockKind, Image, Inline, ListItem};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::theme::AutoScaling;

/// Writes the content of slides.
pub(super) struct Writer<'a> {
    pub(super) out: String,
    pub(super) policy: &'a HtmlPolicy,
    pub(super) scaling: AutoScaling,
    pub(super) macros: math::Macros,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether something was written that a script must scale.
    pub(super) scaled: bool,
    /// Whether a formula was written.
    pub(super) formulas: bool,
    /// The panels and steps of the slide whose content is being written.
    pub(super) live: live::Live<'a>,
}

impl Writer<'_> {
    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match &block.kind {
            BlockKind::Heading { level, id, fit, content } => self.heading(*level, id, *fit, content),
            BlockKind::Paragraph(content) | BlockKind::Plain(content) if self.panel_pictures(content) => {}
            BlockKind::Paragraph(content) => {
                self.out.push_str("<p>");
                self.inlines(content, block.span);
                self.out.push_str("</p>\n");
            }
            BlockKind::Plain(content) => self.inlines(content, block.span),
            BlockKind::Quote(inner) => {
                self.out.push_str("<blockquote>\n");
                self.blocks(inner);
                self.out.push_str("</blockquote>\n");
            }
            BlockKind::List { start, items } => self.list(*start, items),
            BlockKind::Code { info, text } => self.live_code(info, text, block.span),
            BlockKind::Html(raw) if *self.policy == HtmlPolicy::None => {
                self.out.push_str("<p>");
                html::text(&mut self.out, raw.trim_end());
                self.out.push_str("</p>\n");
            }
            BlockKind::Html(raw) => sanitize::html(&mut self.out, raw, self.policy),
            BlockKind::Math(tex) => {
                self.out.push_str("<p>");
                self.formula(tex, Display::Block, block.span);
                self.out.push_str("</p>\n");
            }
            BlockKind::Table { alignments, head, rows } => self.table(alignments, head, rows, block.span),
            BlockKind::Rule => self.out.push_str("<hr />\n"),
        }
    }

    fn heading(&mut self, level: u8, id: &str, fit: bool, content: &[Inline]) {
        self.out.push_str(&format!("<h{level}"));
        if fit && self.scaling.fitting_header {
            self.scaled = true;
            self.out.push_str(&format!(" is=\"marp-h{level}\" data-auto-scaling"));
        }
        html::attribute(&mut self.out, "id", id);
        self.out.push('>');
        self.inlines(content, Span::default());
        self.out.push_str(&format!("</h{level}>\n"));
    }

    fn list(&mut self, start: Option<u64>, items: &[ListItem]) {
        let tag = if start.is_some() { "ol" } else { "ul" };
        self.out.push('<');
        self.out.push_str(tag);
        if let Some(start) = start.filter(|n| *n != 1) {
            html::attribute(&mut self.out, "start", &start.to_string());
        }
        self.out.push_str(">\n");
        for item in items {
            self.out.push_str("<li");
            if let Some(number) = item.fragment {
                html::attribute(&mut self.out, "data-marpit-fragment", &number.to_string());
            }
            self.out.push('>');
            for (i, block) in item.blocks.iter().enumerate() {
                if i > 0 && !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
                self.block(block);
            }
            self.out.push_str("</li>\n");
        }
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push_str(">\n");
    }

    pub(super) fn code(&mut self, info: &str, text: &str, span: Span) {
        self.out.push_str("<pre");
        if self.scaling.code {
            self.scaled = true;
            self.out.push_str(" is=\"marp-pre\" data-auto-scaling=\"downscale-only\"");
        }
        let block = CodeBlock::new(info, text);
        block.write(&mut self.out);
        self.out.push_str("</pre>\n");
        for message in block.problems {
            self.diagnostics.push(Diagnostic::warning(Code("code/info"), message).at(span));
        }
    }

    fn formula(&mut self, tex: &str, display: Display, span: Span) {
        self.formulas = true;
        if let Err(reason) = math::formula(&mut self.out, tex, display, &mut self.macros) {
            let message = format!("this formula cannot be shown: {reason}");
            self.diagnostics.push(Diagnostic::warning(Code("deck/formula"), message).at(span));
        }
    }

    fn table(&mut self, alignments: &[Alignment], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>], span: Span) {
        self.out.push_str("<table>\n<thead>\n");
        self.row("th", alignments, head, span);
        self.out.push_str("</thead>\n");
        if !rows.is_empty() {
            self.out.push_str("<tbody>\n");
            for row in rows {
                self.row("td", alignments, row, span);
            }
            self.out.push_str("</tbody>\n");
        }
        self.out.push_str("</table>\n");
    }

    fn row(&mut self, tag: &str, alignments: &[Alignment], cells: &[Vec<Inline>], span: Span) {
        self.out.push_str("<tr>\n");
        for (i, alignment) in alignments.iter().enumerate() {
            self.out.push('<');
            self.out.push_str(tag);
            self.out.push_str(match alignment {
                Alignment::None => "",
                Alignment::Left => " style=\"text-align:left\"",
                Alignment::Center => " style=\"text-align:center\"",
                Alignment::Right => " style=\"text-align:right\"",
            });
            self.out.push('>');
            if let Some(cell) = cells.get(i) {
                self.inlines(cell, span);
            }
            self.out.push_str("</");
            self.out.push_str(tag);
            self.out.push_str(">\n");
        }
        self.out.push_str("</tr>\n");
    }

    /// Writes inline content; `span` is the block it stands in.
    pub(super) fn inlines(&mut self, content: &[Inline], span: Span) {
        for inline in content {
            match inline {
                Inline::Text(text) => html::text(&mut self.out, text),
                Inline::Code(code) => {
                    self.out.push_str("<code>");
                    html::text(&mut self.out, code);
                    self.out.push_str("</code>");
                }
                Inline::Emphasis(inner) => self.element("em", inner, span),
                Inline::Strong(inner) => self.element("strong", inner, span),
                Inline::Strikethrough(inner) => self.element("s", inner, span),
                Inline::Link { href, title, content } => {
                    self.out.push_str("<a");
                    html::attribute(&mut self.out, "href", href);
                    if !title.is_empty() {
                        html::attribute(&mut self.out, "title", title);
                    }
                    self.out.push('>');
                    self.inlines(content, span);
                    self.out.push_str("</a>");
                }
                Inline::Image(image) => self.image(image),
                Inline::Break => self.out.push_str("<br />\n"),
                Inline::Html(raw) => sanitize::html(&mut self.out, raw, self.policy),
                Inline::Math(tex) => self.formula(tex, Display::Inline, span),
            }
        }
    }

    fn element(&mut self, tag: &str, content: &[Inline], span: Span) {
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
        self.inlines(content, span);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    pub(super) fn image(&mut self, image: &Image) {
        self.out.push_str("<img");
        html::attribute(&mut self.out, "src", &image.src);
        html::attribute(&mut self.out, "alt", &image.alt);
        if !image.title.is_empty() {
            html::attribute(&mut self.out, "title", &image.title);
        }
        let mut style = String::new();
        for (property, value) in [("width", &image.width), ("height", &image.height)] {
            if let Some(value) = value {
                style.push_str(&format!("{property}:{value};"));
            }
        }
        if !image.filters.is_empty() {
            style.push_str(&format!("filter:{};", image.filters.join(" ")));
        }
        if !style.is_empty() {
            html::attribute(&mut self.out, "style", &style);
        }
        self.out.push_str(" />");
    }
}
