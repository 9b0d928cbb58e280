//! Markdown text → [`Deck`]: slides with their directives, content and notes. Pure.
//!
//! Steps, each in its file: `front_matter` is split off, `math` takes formulas out, `markdown`
//! builds a flat list of blocks, comments and rulers, `split` cuts it into slides, `cascade` gives
//! each slide its directives, numbers, ids and fragments, `live` its panels and runnable fences.

pub mod ast;
mod cascade;
pub mod code;
mod comment;
pub mod directive;
pub mod duration;
pub mod emoji;
mod fence;
mod front_matter;
mod image;
pub mod inline;
mod linkify;
pub mod live;
mod markdown;
mod math;
pub mod own;
pub mod panel;
pub mod reveal;
mod slug;
pub mod snapshot;
mod split;
pub mod step;
pub mod url;
pub(crate) mod words;
pub mod yaml;

use std::sync::Arc;

pub use ast::{Alignment, Background, Block, BlockKind, Image, Inline, ListItem, Side};
pub use directive::{Globals, HeadingDivider, Locals, Paginate, Scope};
pub use panel::{PanelKind, PanelOption, PanelSpec};
pub use step::StepSpec;

use crate::diagnostic::{Code, Diagnostic, SourceFile, Span, Warned};

/// Which of the real Marp's text-losing quirks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// Nothing the author wrote is lost: text after a comment's end stays,
    /// deep nesting stays, one bad YAML line costs only itself.
    #[default]
    KeepText,
    /// Exactly what Marp does, losses included.
    Strict,
}

/// How to read a deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Quirks kept or mended.
    pub compatibility: Compatibility,
    /// Whether `$…$` is a formula.
    pub math: bool,
    /// Whether `:name:` becomes an emoji.
    pub shortcodes: bool,
    /// Whether a line break in a paragraph is one on the slide.
    pub breaks: bool,
    /// Whether straight quotes, dashes and `(c)` become typographic.
    pub typographer: bool,
    /// Whether values of directives may stand unquoted.
    pub loose_yaml: bool,
    /// `headingDivider` when the deck says nothing.
    pub heading_divider: Option<HeadingDivider>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            compatibility: Compatibility::default(),
            math: true,
            shortcodes: true,
            breaks: true,
            typographer: false,
            loose_yaml: true,
            heading_divider: None,
        }
    }
}

/// One Markdown file of slides.
#[derive(Debug, Clone, Default)]
pub struct Deck {
    /// Deck-wide directives.
    pub globals: Globals,
    /// The slides, at least one.
    pub slides: Vec<Slide>,
    /// How many slides count for the page number.
    pub pages: u32,
    /// CSS of the unscoped `<style>` elements, in document order.
    pub styles: Vec<Style>,
    /// Every key given in front matter and directive comments, unknown ones included, in order.
    pub given: Vec<Given>,
    /// The raw text of the heading that Marp takes as the document's title.
    pub raw_title: Option<String>,
}

/// A key given in front matter or a directive comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The key as written, with `_`.
    pub key: String,
    /// The value.
    pub value: yaml::Value,
    /// Where the key stands.
    pub span: Span,
    /// Whether it stands in the front matter.
    pub front_matter: bool,
}

/// CSS written in the deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The CSS text.
    pub css: String,
    /// Where it stands.
    pub span: Span,
}

/// A presenter note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, trimmed.
    pub text: String,
    /// The whole comment.
    pub span: Span,
}

/// One slide.
#[derive(Debug, Clone, Default)]
pub struct Slide {
    /// From its first to its last byte.
    pub span: Span,
    /// The directives in effect on it.
    pub directives: Locals,
    /// The content.
    pub blocks: Vec<Block>,
    /// Content of `<header>`, when there is one.
    pub header: Option<Arc<[Inline]>>,
    /// Content of `<footer>`, when there is one.
    pub footer: Option<Arc<[Inline]>>,
    /// Presenter notes, in document order.
    pub notes: Vec<Note>,
    /// Background images, in document order.
    pub backgrounds: Vec<Image>,
    /// How many fragments its lists have.
    pub fragments: u16,
    /// CSS of its `<style scoped>` elements.
    pub scoped_styles: Vec<Style>,
    /// The live panels on it, in document order; none when only what Marp knows is read.
    pub panels: Vec<PanelSpec>,
    /// The fences on it that can be run, in document order.
    pub steps: Vec<StepSpec>,
    /// Page number shown on it, from 1; `None` when no number is shown.
    pub page: Option<u32>,
}

/// Reads a deck. Always gives one; what is wrong with the text is in the diagnostics.
pub fn parse(source: &SourceFile, options: &Options) -> Warned<Deck> {
    let text = source.text();
    let mut diagnostics = Vec::new();
    let (front, body) = read_front_matter(text, options, &mut diagnostics);
    let body_text = &text[body..];
    let extracted = match options.math {
        true => math::extract(body_text, options.compatibility),
        false => math::Extracted::default(),
    };
    let parsed = markdown::parse(
        extracted.text.as_deref().unwrap_or(body_text),
        markdown::Context { body, extracted: &extracted, options },
    );
    diagnostics.extend(parsed.diagnostics);
    let mut deck = cascade::deck(text, front, parsed.items, options, &mut diagnostics);
    if options.compatibility == Compatibility::KeepText {
        live::fill(text, &mut deck);
    }
    Warned { value: deck, diagnostics }
}

/// Directives of the front matter, and where the slides start.
fn read_front_matter(text: &str, options: &Options, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Given>, usize) {
    let Some(found) = front_matter::find(text, options.compatibility) else { return (Vec::new(), 0) };
    let yaml_text = &text[found.yaml.start..found.yaml.end];
    let keep_text = options.compatibility == Compatibility::KeepText;
    if keep_text && front_matter::is_text(yaml_text) {
        let message =
            "the deck starts with a ruler, which Marp takes as front matter: it hides the text up to the next `---`";
        let hint = "start the deck with a blank line or with real front matter";
        let span = Span::new(0, found.yaml.start);
        diagnostics.push(Diagnostic::warning(Code("deck/leading-ruler"), message).at(span).hint(hint));
        return (Vec::new(), text.find('\n').map_or(text.len(), |i| i + 1));
    }
    if !found.closed {
        let message = "the front matter is never closed";
        let hint = "write `---` on a line of its own below the last `key: value` line";
        let span = Span::new(0, found.yaml.start);
        diagnostics.push(Diagnostic::error(Code("deck/unclosed-front-matter"), message).at(span).hint(hint));
    }
    let loose = |key: &str| options.loose_yaml && directive::is_loose(key, true);
    let entries = match yaml::mapping(yaml_text, loose) {
        Ok(entries) => entries,
        Err(_) if yaml_text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) => {
            Vec::new()
        }
        Err(error) => {
            let entries = if keep_text { front_matter::recover(yaml_text, loose) } else { Vec::new() };
            let line = yaml_text.split_inclusive('\n').take(error.line.saturating_sub(1)).map(str::len).sum::<usize>();
            let length = yaml_text[line..].lines().next().map_or(0, str::len);
            let start = found.yaml.start + line;
            let message = format!("the front matter is not valid YAML: {}", error.message);
            let hint = "put the value in double quotes; Marp ignores the whole front matter because of this line";
            diagnostics.push(
                Diagnostic::error(Code("deck/front-matter-syntax"), message)
                    .at(Span::new(start, start + length))
                    .hint(hint),
            );
            entries
        }
    };
    let given = entries.into_iter().map(|entry| Given {
        key: entry.key,
        value: entry.value,
        span: Span::new(entry.span.start + found.yaml.start, entry.span.end + found.yaml.start),
        front_matter: true,
    });
    (given.collect(), found.body)
}
