//! Rules about what is on the slides: pictures, raw HTML, code.

use std::collections::HashSet;

use crate::deck::{Block, BlockKind, Image, Inline, Slide, live};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::project::markup;
use crate::render::{HtmlPolicy, code, sanitize};

use super::Lint;

/// Elements that browsers know and Marp does not let through. Others, such as `<String>`, are text that looks
/// like a tag.
const ELEMENTS: [&str; 31] = [
    "base", "body", "button", "canvas", "data", "datalist", "dialog", "embed", "fieldset", "font", "footer", "form",
    "head", "header", "html", "iframe", "input", "label", "link", "main", "map", "marquee", "math", "meta", "object",
    "script", "select", "svg", "template", "textarea", "track",
];

/// Fences with a meaning of their own, not code.
const FENCES: [&str; 3] = ["panel", "verify", "mermaid"];

/// Words for code that is meant to have no colours.
const PLAIN: [&str; 6] = ["text", "txt", "plain", "plaintext", "none", "output"];

/// The longest block in which a tag is searched, in bytes.
const SEARCHED: usize = 4096;

/// What was found so far.
struct Findings<'f> {
    seen: HashSet<String>,
    list: &'f mut Vec<Diagnostic>,
}

impl Lint<'_> {
    /// All rules about content.
    pub(super) fn content(&self, found: &mut Vec<Diagnostic>) {
        let mut findings = Findings { seen: HashSet::new(), list: found };
        for slide in &self.deck.slides {
            self.slide(slide, &mut findings);
        }
        for (css, span) in self.css() {
            for url in markup::css_urls(&css) {
                self.address(&url.url, Some(span), &mut findings.seen, findings.list);
            }
        }
    }

    /// The CSS and CSS values in the deck, each with its place.
    fn css(&self) -> Vec<(String, Span)> {
        let scoped = self.deck.slides.iter().flat_map(|slide| &slide.scoped_styles);
        let mut css: Vec<(String, Span)> =
            self.deck.styles.iter().chain(scoped).map(|style| (style.css.clone(), style.span)).collect();
        for given in &self.deck.given {
            if matches!(given.key.trim_start_matches('_'), "style" | "backgroundImage") {
                css.extend(given.value.text().map(|text| (text.to_owned(), given.span)));
            }
        }
        css
    }

    fn slide(&self, slide: &Slide, found: &mut Findings<'_>) {
        for image in &slide.backgrounds {
            self.image(image, found);
        }
        // Not recursive: quotes and lists may be nested as deeply as the author likes.
        let mut blocks: Vec<&Block> = slide.blocks.iter().collect();
        let mut lines: Vec<(&[Inline], Span)> = Vec::new();
        while let Some(block) = blocks.pop() {
            match &block.kind {
                BlockKind::Heading { content, .. } | BlockKind::Paragraph(content) | BlockKind::Plain(content) => {
                    lines.push((content, block.span));
                }
                BlockKind::Quote(inner) => blocks.extend(inner),
                BlockKind::List { items, .. } => blocks.extend(items.iter().flat_map(|item| &item.blocks)),
                BlockKind::Code { info, .. } => self.code(info, block.span, found),
                BlockKind::Html(html) => self.html(html, block.span, found),
                BlockKind::Table { head, rows, .. } => {
                    lines.extend(head.iter().chain(rows.iter().flatten()).map(|cell| (cell.as_slice(), block.span)));
                }
                _ => {}
            }
        }
        let margins = [&slide.header, &slide.footer].into_iter().flatten();
        lines.extend(margins.map(|content| (&**content, slide.span)));
        while let Some((line, span)) = lines.pop() {
            for inline in line {
                match inline {
                    Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
                        lines.push((inner, span));
                    }
                    Inline::Link { content, .. } => lines.push((content, span)),
                    Inline::Image(image) => self.image(image, found),
                    Inline::Html(html) => self.html(html, span, found),
                    _ => {}
                }
            }
        }
    }

    fn image(&self, image: &Image, found: &mut Findings<'_>) {
        let place = (image.span != Span::default()).then_some(image.span);
        if !image.src.is_empty() {
            self.address(&image.src, place, &mut found.seen, found.list);
        }
        let other_rule = image.background.is_some() || live::is_panel_picture(image);
        if self.full() && !other_rule && image.alt.trim().is_empty() {
            found.list.push(no_alt(&image.src, place));
        }
    }

    fn html(&self, html: &str, span: Span, found: &mut Findings<'_>) {
        let written = self.source.text().get(span.start..span.end).unwrap_or("");
        let verbatim = written.starts_with(html);
        // A tag in a line of text; a huge block is not searched again for every one of its tags.
        let near = if written.len() < SEARCHED { written } else { "" };
        for tag in markup::tags(html) {
            let span = if verbatim {
                Span::new(span.start + tag.range.start, span.start + tag.range.end)
            } else {
                tag_span(html, span, near, &tag.range)
            };
            self.dropped(&tag, span, found);
            for name in ["src", "poster"] {
                let Some(attribute) = tag.attribute(name) else { continue };
                let url = markup::unescape(&html[attribute.value.clone()]);
                if matches!(tag.name.as_str(), "img" | "video" | "audio" | "source") && !url.is_empty() {
                    self.address(&url, Some(span), &mut found.seen, found.list);
                }
            }
            if self.full() && tag.name == "img" && tag.attribute("alt").is_none() {
                let src = tag.attribute("src").map_or("", |src| &html[src.value.clone()]);
                found.list.push(no_alt(src, Some(span)));
            }
        }
    }

    /// Tells of tags and attributes that Marp's list does not let through.
    fn dropped(&self, tag: &markup::Tag, span: Span, found: &mut Findings<'_>) {
        if self.render.html != HtmlPolicy::AllowList {
            return;
        }
        let name = &tag.name;
        let hint = "let it through with `--html`, when you trust the deck";
        if !sanitize::is_allowed_tag(name) {
            let known = ELEMENTS.contains(&name.as_str());
            if known || self.full() {
                let severity = if known { Severity::Warning } else { Severity::Note };
                let message = format!("`<{name}>` is shown as text");
                found.list.push(Diagnostic::new(severity, Code("html/dropped-tag"), message).at(span).hint(hint));
            }
            return;
        }
        let lost = |name: &str| matches!(name, "id" | "style") || name.starts_with("on") || name.starts_with("data-");
        let lost: Vec<String> =
            tag.attributes.iter().filter(|a| lost(&a.name)).map(|a| format!("`{}`", a.name)).collect();
        if !lost.is_empty() && self.full() {
            let message = format!("{} of `<{name}>` has no effect", lost.join(" and "));
            let finding = Diagnostic::warning(Code("html/dropped-attribute"), message).at(span);
            found.list.push(finding.hint("give it a class, and style the class in the theme or in `<style>`"));
        }
    }

    fn code(&self, info: &str, span: Span, found: &mut Findings<'_>) {
        let language = info.split_whitespace().next().unwrap_or("");
        let known = language.is_empty()
            || FENCES.contains(&language)
            || PLAIN.contains(&language)
            || !self.full()
            || code::highlight(&mut String::new(), language, "");
        if !known && found.seen.insert(format!("language {language}")) {
            let message = format!("`{language}` is no known language: the code has no colours");
            found.list.push(Diagnostic::warning(Code("code/unknown-language"), message).at(span));
        }
    }
}

/// The tag itself within the text of its block, when it stands there.
fn tag_span(html: &str, block: Span, near: &str, tag: &std::ops::Range<usize>) -> Span {
    match html.get(tag.clone()).and_then(|tag| near.find(tag)) {
        Some(at) => Span::new(block.start + at, block.start + at + tag.len()),
        None => block,
    }
}

fn no_alt(src: &str, span: Option<Span>) -> Diagnostic {
    let message = format!("the picture `{src}` has no text for those who cannot see it");
    Diagnostic::warning(Code("image/no-alt"), message)
        .at(span)
        .hint("write what it shows between the brackets: `![a cat](cat.png)`")
}
