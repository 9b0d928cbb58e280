//! [`crate::deck::Deck`] + theme → HTML with Marp's DOM. Pure.

mod block;
pub mod change;
pub mod code;
mod code_block;
mod declaration;
pub mod html;
mod live;
mod math;
pub mod notes;
pub mod page;
pub mod sanitize;
mod slide;
pub mod template;

use crate::deck::{Block, BlockKind, Deck, Inline, PanelSpec, StepSpec, inline};
use crate::diagnostic::{Code, Diagnostic, Span, Warned, closest};
use crate::theme::{Container, DEFAULT_THEME, Size, StyleRequest, ThemeSet};
use block::Writer;
use slide::{Shared, SlideJob, Transition};

/// How to render.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// Around the slides.
    pub container: Container,
    /// Overrides the deck's `theme`.
    pub theme: Option<String>,
    /// Language when the deck names none.
    pub lang: Option<String>,
    /// Which raw HTML passes.
    pub html: HtmlPolicy,
    /// Whether the title falls back to the heading's source instead of its text, as in Marp.
    pub raw_title: bool,
    /// What the command line says about the document; it wins over the deck.
    pub overrides: Overrides,
    /// Leaves `transition` directives out.
    pub no_transitions: bool,
}

/// Document data given on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--title`
    pub title: Option<String>,
    /// `--description`
    pub description: Option<String>,
    /// `--author`
    pub author: Option<String>,
    /// `--keywords`
    pub keywords: Option<Vec<String>>,
    /// `--url`
    pub url: Option<String>,
    /// `--og-image`
    pub image: Option<String>,
}

/// Which raw HTML passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HtmlPolicy {
    /// Marp's default list of tags and attributes.
    #[default]
    AllowList,
    /// Everything.
    All,
    /// Nothing: shown as text.
    None,
    /// These tags, each with these attributes.
    Custom(Vec<(String, Vec<String>)>),
}

/// A rendered deck.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The slides.
    pub slides: Vec<RenderedSlide>,
    /// All CSS of the slides.
    pub css: String,
    /// Size of every slide.
    pub size: Size,
    /// What the document's head says.
    pub meta: Meta,
    /// Whether a script must scale headings, code or formulas to fit.
    pub auto_scaling: bool,
}

/// One rendered slide.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedSlide {
    /// `<svg data-marpit-svg …>…</svg>`
    pub html: String,
    /// Presenter notes, as written.
    pub notes: Vec<String>,
    /// How many fragments it has.
    pub fragments: u16,
    /// Plain text of its first heading.
    pub title: Option<String>,
    /// Its classes, as written.
    pub class: Option<String>,
    /// Plain text of the slide, for search and as the text twin.
    pub text: String,
    /// Its place in the deck's source.
    pub span: Span,
    /// The live panels on it, with their ids, in document order.
    pub panels: Vec<(String, PanelSpec)>,
    /// The fences on it that can be run, in document order.
    pub steps: Vec<StepSpec>,
}

/// What the head of the document says.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Meta {
    /// Title: the directive, else the first heading of the highest level.
    pub title: Option<String>,
    /// Language tag.
    pub lang: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Author.
    pub author: Option<String>,
    /// Keywords.
    pub keywords: Vec<String>,
    /// Canonical address.
    pub url: Option<String>,
    /// Picture for social cards.
    pub image: Option<String>,
    /// Name of the theme that was used.
    pub theme: String,
}

/// CSS for formulas.
const MATH_CSS: &str = include_str!("../../themes/assets/math.css");
/// CSS for emoji.
const EMOJI_CSS: &str = include_str!("../../themes/assets/emoji.css");
/// CSS for panels and runnable fences, for themes that say nothing of them.
const PANEL_CSS: &str = include_str!("../../themes/assets/panel.css");

/// Renders a deck.
pub fn render(deck: &Deck, themes: &ThemeSet, options: &RenderOptions) -> Warned<Rendered> {
    let mut diagnostics = Vec::new();
    let named = theme_name(deck, themes, options, &mut diagnostics);
    let theme = named.unwrap_or(DEFAULT_THEME);
    let preset = deck.globals.size.as_deref().filter(|name| themes.presets(theme).iter().any(|known| known == name));
    if let (Some(name), None) = (&deck.globals.size, preset) {
        diagnostics.push(unknown_size(deck, themes, theme, name));
    }
    let size = themes.size(theme, preset);
    let lang = deck.globals.lang.as_deref().or(options.lang.as_deref());
    let shared = Shared { deck, theme: named, preset, lang, size };
    let mut writer = Writer {
        out: String::new(),
        policy: &options.html,
        scaling: themes.auto_scaling(theme),
        macros: math::Macros::default(),
        diagnostics: Vec::new(),
        scaled: false,
        formulas: false,
        live: live::Live::default(),
    };
    let mut slides = Vec::with_capacity(deck.slides.len());
    let mut back = None;
    let mut scoped: Vec<(String, &str)> = Vec::new();
    for ((index, slide), panels) in deck.slides.iter().enumerate().zip(deck.panels()) {
        writer.live = live::Live::of(slide, &panels);
        let scope = scope_key(index, slide);
        if let Some(key) = &scope {
            scoped.extend(slide.scoped_styles.iter().map(|style| (key.clone(), style.css.as_str())));
        }
        let transition = Transition::of(&slide.directives).filter(|_| !options.no_transitions);
        let transition_back = std::mem::replace(&mut back, transition.clone());
        writer.slide(&shared, &SlideJob { slide, number: index + 1, scope, transition, transition_back });
        // the next slide will be about as long
        let room = String::with_capacity(writer.out.len() + 128);
        let html = std::mem::replace(&mut writer.out, room);
        slides.push(RenderedSlide {
            html,
            notes: slide.notes.iter().map(|note| note.text.clone()).collect(),
            fragments: slide.fragments,
            title: first_heading(&slide.blocks, None),
            class: slide.directives.class.clone(),
            text: plain_text(&slide.blocks),
            span: slide.span,
            panels: panels.into_iter().map(|(id, panel)| (id, panel.clone())).collect(),
            steps: slide.steps.clone(),
        });
    }
    diagnostics.append(&mut writer.diagnostics);
    let styles: Vec<&str> =
        deck.globals.style.as_deref().into_iter().chain(deck.styles.iter().map(|style| style.css.as_str())).collect();
    let scoped: Vec<(&str, &str)> = scoped.iter().map(|(key, css)| (key.as_str(), *css)).collect();
    let mut prelude = Vec::new();
    if slides.iter().any(|slide| slide.html.contains(html::EMOJI)) {
        prelude.push(EMOJI_CSS);
    }
    if writer.formulas {
        prelude.push(MATH_CSS);
    }
    if slides.iter().any(|slide| !slide.panels.is_empty() || !slide.steps.is_empty()) {
        prelude.push(PANEL_CSS);
    }
    let css = themes.stylesheet(&StyleRequest {
        theme,
        size: preset,
        container: options.container,
        prelude: &prelude,
        deck: &styles,
        scoped: &scoped,
        advanced_background: deck.slides.iter().any(|slide| !slide.backgrounds.is_empty()),
    });
    diagnostics.extend(css.diagnostics);
    let rendered =
        Rendered { slides, css: css.value, size, meta: meta(deck, theme, options), auto_scaling: writer.scaled };
    Warned { value: rendered, diagnostics }
}

/// The last theme given that exists; says so when one does not.
fn theme_name<'a>(
    deck: &'a Deck,
    themes: &ThemeSet,
    options: &'a RenderOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a str> {
    let unknown = |name: &str| {
        let hint = match closest(name, themes.names()) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known themes: {}; `--theme-set FILE` adds others", themes.names().join(", ")),
        };
        Diagnostic::warning(
            Code("theme/unknown"),
            format!("there is no theme `{name}`; the deck uses `{DEFAULT_THEME}`"),
        )
        .hint(hint)
    };
    if let Some(name) = options.theme.as_deref() {
        if themes.contains(name) {
            return Some(name);
        }
        diagnostics.push(unknown(name));
    }
    for name in deck.globals.themes.iter().filter(|name| !name.is_empty() && !themes.contains(name)) {
        let given = deck.given.iter().find(|given| given.key == "theme" && given.value.text() == Some(name));
        diagnostics.push(unknown(name).at(given.map(|given| given.span)));
    }
    deck.globals.themes.iter().rfind(|name| themes.contains(name)).map(String::as_str)
}

fn unknown_size(deck: &Deck, themes: &ThemeSet, theme: &str, name: &str) -> Diagnostic {
    let presets = themes.presets(theme);
    let hint = format!("the theme `{theme}` has {}", presets.join(", "));
    let given = deck.given.iter().rfind(|given| given.key == "size");
    Diagnostic::warning(Code("theme/unknown-size"), format!("there is no slide size `{name}`"))
        .at(given.map(|given| given.span))
        .hint(hint)
}

/// A key that is the same for the same slide and styles.
fn scope_key(index: usize, slide: &crate::deck::Slide) -> Option<String> {
    if slide.scoped_styles.is_empty() {
        return None;
    }
    // FNV-1a
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes = slide.scoped_styles.iter().flat_map(|style| style.css.bytes());
    for byte in index.to_le_bytes().into_iter().chain(bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut key = String::with_capacity(8);
    for _ in 0..8 {
        let digit = u32::try_from(hash % 36).unwrap_or(0);
        key.push(char::from_digit(digit, 36).unwrap_or('0'));
        hash /= 36;
    }
    Some(key)
}

fn meta(deck: &Deck, theme: &str, options: &RenderOptions) -> Meta {
    let globals = &deck.globals;
    let over = &options.overrides;
    let title = match over.title.as_ref().or(globals.title.as_ref()) {
        Some(title) => Some(title.clone()).filter(|title| !title.is_empty()),
        None if options.raw_title => deck.raw_title.clone(),
        None => title_heading(deck),
    };
    Meta {
        title: title.filter(|title| !title.trim().is_empty()),
        lang: globals.lang.clone().or_else(|| options.lang.clone()),
        description: over.description.clone().or_else(|| globals.description.clone()),
        author: over.author.clone().or_else(|| globals.author.clone()),
        keywords: over.keywords.clone().unwrap_or_else(|| globals.keywords.clone()),
        url: over.url.clone().or_else(|| globals.url.clone()),
        image: over.image.clone().or_else(|| globals.image.clone()),
        theme: theme.to_owned(),
    }
}

fn title_heading(deck: &Deck) -> Option<String> {
    let mut levels: Vec<u8> = Vec::new();
    for block in deck.slides.iter().flat_map(|slide| &slide.blocks) {
        if let BlockKind::Heading { level, .. } = block.kind {
            levels.push(level);
        }
    }
    let top = levels.into_iter().min()?;
    deck.slides.iter().find_map(|slide| first_heading(&slide.blocks, Some(top)))
}

/// Plain text of the first heading, of exactly `level` if given.
fn first_heading(blocks: &[Block], level: Option<u8>) -> Option<String> {
    blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { level: own, content, .. } if level.is_none_or(|level| level == *own) => {
            let mut text = String::new();
            inline::plain_text(content, &mut text);
            Some(text.trim().to_owned())
        }
        _ => None,
    })
}

/// What a reader sees, one line per block.
fn plain_text(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        block_text(block, &mut out);
    }
    out.truncate(out.trim_end().len());
    out
}

fn block_text(block: &Block, out: &mut String) {
    match &block.kind {
        BlockKind::Heading { content, .. } | BlockKind::Paragraph(content) | BlockKind::Plain(content) => {
            line_text(content, out);
        }
        BlockKind::Quote(inner) => inner.iter().for_each(|block| block_text(block, out)),
        BlockKind::List { items, .. } => {
            items.iter().flat_map(|item| &item.blocks).for_each(|block| block_text(block, out));
        }
        BlockKind::Code { text, .. } | BlockKind::Math(text) => {
            out.push_str(text.trim_end());
            out.push('\n');
        }
        BlockKind::Table { head, rows, .. } => {
            for row in std::iter::once(head).chain(rows) {
                let cells: Vec<String> = row
                    .iter()
                    .map(|cell| {
                        let mut text = String::new();
                        inline::plain_text(cell, &mut text);
                        text
                    })
                    .collect();
                out.push_str(&cells.join(" "));
                out.push('\n');
            }
        }
        BlockKind::Html(_) | BlockKind::Rule => {}
    }
}

fn line_text(content: &[Inline], out: &mut String) {
    inline::plain_text(content, out);
    out.push('\n');
}
